//! Toys, treasures and small things of games.

use glam::{Vec2, Vec3, vec2, vec3};

use super::Category;
use super::clay::{Clay, add_eyes, add_split};
use super::kit::*;

const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "toy", build }
}

pub(super) const CATEGORIES: &[Category] = &[
    row("teddy bear", &["teddy", "stuffed bear", "plush toy"], teddy_bear),
    row("piggy bank", &["money box", "coin bank"], piggy_bank),
    row("ball", &["toy ball"], ball),
    row("dice", &["die"], dice),
    row("doll", &["toy figure"], doll),
    row("kite", &["toy kite"], kite),
    row("globe", &["earth", "world globe"], globe),
    row("coin", &["gold coin", "money"], coin),
    row("gem", &["diamond", "crystal", "jewel"], gem),
    row("trophy", &["cup", "award"], trophy),
    row("potion bottle", &["potion", "flask"], potion),
    row("scroll", &["parchment", "map"], scroll),
    row("heart", &["love heart"], heart),
    row("star", &["gold star"], star_toy),
    row("chess piece", &["pawn", "chess figure"], chess_piece),
];

fn teddy_bear(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let clay = Clay::draw(rng, &mut b, 0.05);
    let fur = rng
        .paint_of(&["brown", "brown", "tan", "dark brown", "beige", "white", "pink", "gray"], Stuff::Fabric);
    let pale =
        if rng.chance(0.75) { rng.paint_of(&["cream", "beige", "tan", "white"], Stuff::Fabric) } else { fur };
    let standing = rng.chance(0.25);
    let (w, h) = (0.1 * rng.about(1.0, 0.12), 0.13 * rng.about(1.0, 0.12));
    let r = 0.085 * rng.about(1.0, 0.15);
    let y = if standing { 0.1 } else { 0.0 } + h * 0.92;
    b.add("body", clay.ball(w, h, w * 0.88).at(0.0, y, 0.0), fur);
    b.add("belly", clay.ball(w * 0.7, h * 0.72, w * 0.4).at(0.0, y - h * 0.05, w * 0.58), pale);
    let head = vec3(0.0, y + h * 0.88 + r * 0.7, 0.01);
    b.add("head", clay.ball(r * 1.08, r, r * 0.98).moved(head), fur);
    b.add(
        "muzzle",
        clay.ball(r * 0.45, r * 0.36, r * 0.4).moved(head + vec3(0.0, -r * 0.28, r * 0.78)),
        pale,
    );
    let black = rng.paint_of(&["black", "black", "dark brown"], Stuff::Plastic);
    b.add("nose", clay.ball(r * 0.17, r * 0.12, r * 0.1).moved(head + vec3(0.0, -r * 0.12, r * 1.16)), black);
    add_eyes(rng, &mut b, vec3(r * 0.4, r * 0.15, r * 0.86), r * 0.1, |s| s.moved(head));
    let ear = r * rng.between(0.32, 0.42);
    b.add("ears", clay.ball(ear, ear, ear * 0.5).at(r * 0.8, r * 0.8, 0.0).both_x().moved(head), fur);
    b.add(
        "inner ears",
        clay.ball(ear * 0.6, ear * 0.6, ear * 0.3).at(r * 0.8, r * 0.8, ear * 0.35).both_x().moved(head),
        pale,
    );
    let (raise, limb) = (rng.between(-0.9, 0.9), w * rng.between(0.34, 0.45));
    let shoulder = vec3(w * 0.85, y + h * 0.58, 0.01);
    let hand = shoulder + vec3(0.75, raise, 0.45).normalize() * h * rng.between(0.75, 1.0);
    b.add(
        "arms",
        clay.limb(&[
            (shoulder - vec3(w * 0.3, 0.0, 0.0), limb * 0.8),
            (shoulder.lerp(hand, 0.5), limb),
            (hand, limb * 1.0),
            (hand + (hand - shoulder) * 0.2, limb * 0.5),
        ])
        .both_x(),
        fur,
    );
    if standing {
        let leg = [
            (vec3(w * 0.5, y - h * 0.4, 0.0), limb),
            (vec3(w * 0.55, 0.05, 0.0), limb * 1.15),
            (vec3(w * 0.55, 0.0, 0.0), limb),
        ];
        b.add("legs", clay.limb(&leg).both_x(), fur);
        b.add(
            "feet",
            clay.ball(limb * 1.1, limb * 0.7, limb * 1.5).at(w * 0.55, limb * 0.6, limb * 0.5).both_x(),
            fur,
        );
        b.adjective("standing");
    } else {
        let spread = rng.between(0.25, 0.7);
        let foot = vec3(w * 0.55 + spread * h * 0.75, limb * 1.15, h * 0.95);
        let leg = [
            (vec3(w * 0.4, limb * 1.2, 0.0), limb * 1.1),
            (foot.lerp(vec3(w * 0.4, limb, 0.0), 0.4), limb * 1.25),
            (foot, limb * 1.25),
        ];
        b.add("legs", clay.limb(&leg).both_x(), fur);
        b.add("soles", clay.ball(limb * 1.15, limb * 1.25, limb * 0.5).moved(foot).both_x(), fur);
        b.add(
            "paw pads",
            clay.ball(limb * 0.75, limb * 0.85, limb * 0.3).moved(foot + vec3(0.0, 0.0, limb * 0.3)).both_x(),
            pale,
        );
        b.adjective("sitting");
    }
    if rng.chance(0.4) {
        let ribbon = rng.paint_of(&["red", "blue", "pink", "yellow"], Stuff::Fabric);
        let wing = clay.blade(vec3(1.0, 0.1, 0.0), r * 0.6, r * 0.5, 0.8).both_x();
        b.add("bow tie", wing.join(sphere(r * 0.13, 8)).at(0.0, y + h * 0.8, w * 0.62), ribbon);
        b.has_colored("bow tie", ribbon);
    }
    b.main(fur);
    b.has("round ears");
    b.done()
}

fn piggy_bank(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let clay = Clay::round(rng, &mut b);
    let paint = rng.paint_of(
        &["pink", "pink", "pink", "pink", "gold", "white", "light blue", "red", "gray"],
        Stuff::Ceramic,
    );
    let dark = rng.paint_of(&["black", "dark gray", "dark brown"], Stuff::Plain);
    let (w, l) = (0.06 * rng.about(1.0, 0.1), 0.075 * rng.about(1.0, 0.12));
    let h = w * rng.between(0.92, 1.05);
    let leg = w * rng.between(0.35, 0.6);
    let y = leg + h * 0.8;
    let n = b.n.max(10);
    b.add("body", ellipsoid(w, l, h, n.max(12)).rot_x(QUARTER).at(0.0, y, 0.0), paint);
    let snout = vec3(0.0, y + h * 0.02, l * 0.88);
    b.add("snout", cylinder(w * 0.33, w * 0.32, n).rot_x(QUARTER).moved(snout), paint);
    b.add(
        "nostrils",
        ellipsoid(w * 0.06, w * 0.1, w * 0.05, 6).at(w * 0.13, 0.0, w * 0.32).both_x().moved(snout),
        paint.shade(0.4),
    );
    add_eyes(rng, &mut b, vec3(w * 0.42, y + h * 0.38, l * 0.74), w * 0.085, |s| s);
    let ear = clay.blade(vec3(0.35, 1.0, 0.35), w * 0.5, w * 0.5, 0.15).at(w * 0.48, y + h * 0.7, l * 0.42);
    b.add("ears", ear.both_x(), paint);
    b.add(
        "legs",
        frustum(w * 0.22, w * 0.27, leg + h * 0.35, n.min(12)).at(w * 0.5, 0.0, l * 0.45).both_x().both_z(),
        paint,
    );
    let tail: Vec<Vec3> = (0..=12)
        .map(|i| {
            let t = i as f32 / 12.0;
            let a = t * 9.0;
            vec3(a.sin() * w * 0.12, y + h * 0.2 + a.cos() * w * 0.12, -l * 0.97 - t * w * 0.35)
        })
        .collect();
    b.add("tail", tube(&tail, w * 0.045, 5), paint);
    b.add("slot", b.block(w * 0.1, h * 0.06, l * 0.42).at(0.0, y + h * 0.965, -l * 0.05), dark);
    if rng.chance(0.35) {
        let gold = rng.paint("gold", Stuff::Metal);
        b.add(
            "coin",
            cylinder(w * 0.3, w * 0.05, 16).at(0.0, -w * 0.025, 0.0).rot_z(QUARTER).at(
                0.0,
                y + h * 1.15,
                -l * 0.05,
            ),
            gold,
        );
        b.has("a coin");
    }
    b.main(paint);
    b.has("a coin slot");
    b.has("a curly tail");
    b.done()
}

fn ball(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let fine = ellipsoid(1.0, 1.0, 1.0, 20).smooth();
    let (white, black) = (rng.paint("white", Stuff::Leather), rng.paint("black", Stuff::Leather));
    match rng.index(7) {
        0 | 1 => {
            let golden = 0.5 * (1.0 + 5.0_f32.sqrt());
            let spots: Vec<Vec3> = [(1.0, golden), (-1.0, golden), (1.0, -golden), (-1.0, -golden)]
                .iter()
                .flat_map(|&(p, q)| [vec3(0.0, p, q), vec3(p, q, 0.0), vec3(q, 0.0, p)])
                .map(Vec3::normalize)
                .collect();
            let solid = fine.subdivided().map(|p| p.normalize_or(Vec3::Y));
            add_split(&mut b, "ball", &solid.smooth().scaled(0.11), &[white, black], |p, _| {
                usize::from(spots.iter().any(|s| s.dot(p.normalize_or_zero()) > 0.945))
            });
            b.colored(white);
            b.kind("soccer ball");
            b.has("black spots");
        }
        2 => {
            let orange = rng.paint("orange", Stuff::Leather);
            b.add("ball", fine.scaled(0.12), orange);
            let seam = torus(0.1195, 0.0022, 28, 4);
            let side = torus(0.1, 0.0022, 24, 4).rot_z(QUARTER).at(0.066, 0.0, 0.0).both_x();
            b.add("seams", seam.clone().join(seam.rot_x(QUARTER)).join(side), black);
            b.main(orange);
            b.kind("basketball");
            b.has("black lines");
        }
        3 => {
            let colors =
                ["red", "white", "blue", "yellow", "white", "green"].map(|c| rng.paint(c, Stuff::Plastic));
            let solid = ellipsoid(0.2, 0.2, 0.2, 24).smooth();
            add_split(&mut b, "ball", &solid, &colors, |p, _| {
                ((p.x.atan2(p.z) / std::f32::consts::TAU + 0.5 + 0.5 / 24.0) * 6.0).floor() as usize % 6
            });
            b.colored(white);
            b.kind("beach ball");
            b.has("colored stripes");
        }
        4 => {
            let yellow = rng.paint_of(&["yellow", "light green"], Stuff::Fabric);
            b.add("ball", fine.scaled(0.034), yellow);
            let line: Vec<Vec3> = (0..=40)
                .map(|i| {
                    let t = std::f32::consts::TAU * i as f32 / 40.0;
                    vec3(
                        t.cos() + 0.35 * (3.0 * t).cos(),
                        t.sin() - 0.35 * (3.0 * t).sin(),
                        0.95 * (2.0 * t).sin(),
                    )
                    .normalize_or(Vec3::X)
                        * 0.0338
                })
                .collect();
            b.add("seam", tube(&line, 0.0012, 4), white);
            b.main(yellow);
            b.kind("tennis ball");
        }
        5 => {
            let brown = rng.paint_of(&["brown", "dark brown", "copper"], Stuff::Leather);
            b.add(
                "ball",
                ellipsoid(0.085, 0.15, 0.085, 16)
                    .profile_y(|t| 1.0 - 0.25 * (2.0 * t - 1.0).abs())
                    .rot_x(QUARTER),
                brown,
            );
            b.add(
                "laces",
                cuboid(0.03, 0.004, 0.005)
                    .at(0.0, 0.083, -0.03)
                    .repeat(5, vec3(0.0, 0.0, 0.015))
                    .join(cuboid(0.005, 0.004, 0.09).at(0.0, 0.084, 0.0)),
                white,
            );
            b.main(brown);
            b.kind("american football");
            b.has("white laces");
        }
        _ => {
            let paint = rng.painted(Stuff::Plastic);
            let second = rng.painted(Stuff::Plastic);
            let striped = rng.chance(0.5);
            add_split(&mut b, "ball", &fine.scaled(0.1), &[paint, second], |p, _| {
                usize::from(striped && p.y.abs() < 0.025)
            });
            b.main(paint);
            if striped {
                b.has(format!("a {} stripe", second.color.name));
            }
        }
    }
    b.done()
}

fn dice(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["white", "red", "black", "blue", "green", "cream", "purple"], Stuff::Plastic);
    let dark = ["white", "cream"].contains(&paint.color.name);
    let dot = if dark { rng.paint("black", Stuff::Plastic) } else { rng.paint("white", Stuff::Plastic) };
    if rng.chance(0.15) {
        let d =
            lathe(&[vec2(0.0, -0.012), vec2(0.011, -0.004), vec2(0.011, 0.004), vec2(0.0, 0.012)], 5).flat();
        b.add("die", d, paint);
        b.kind("polyhedral die");
        b.main(paint);
        return b.done();
    }
    let s = 0.016;
    let count = rng.pick(&[1, 1, 1, 2]);
    for i in 0..count {
        let turn = rng.between(0.0, 1.5);
        let place = |solid: Solid| solid.rot_y(turn).at(i as f32 * s * 1.7, 0.0, i as f32 * s * 0.4);
        b.add("die", place(rounded_box(s, s, s, s * rng.clone().between(0.08, 0.2), 3)), paint);
        let pip = cylinder(s * 0.09, s * 0.02, 10);
        let mut pips = Vec::new();
        let spots = |n: usize| -> Vec<(f32, f32)> {
            let all = [(-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, 0.0), (1.0, 0.0)];
            let mut list: Vec<(f32, f32)> = all[..n / 2 * 2].to_vec();
            if n % 2 == 1 {
                list.push((0.0, 0.0));
            }
            list
        };
        for (face, n) in [1, 2, 3, 4, 5, 6].into_iter().enumerate() {
            for (x, z) in spots(n) {
                let on_top = pip.clone().at(x * s * 0.26, s * 0.49, z * s * 0.26);
                let turned = match face {
                    0 => on_top,
                    1 => on_top.rot_x(QUARTER),
                    2 => on_top.rot_z(-QUARTER),
                    3 => on_top.rot_z(QUARTER),
                    4 => on_top.rot_x(-QUARTER),
                    _ => on_top.rot_x(HALF_TURN),
                };
                pips.push(turned.at(0.0, s / 2.0, 0.0));
            }
        }
        b.add("pips", place(Solid::union(pips)), dot);
    }
    b.main(paint);
    b.has_colored("dots", dot);
    b.done()
}

fn doll(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let skin = rng.paint_of(&["skin", "tan", "brown", "beige"], Stuff::Plastic);
    let dress = rng.paint_of(&["pink", "red", "purple", "light blue", "yellow", "green"], Stuff::Fabric);
    let hair = rng.paint_of(&["yellow", "brown", "black", "orange"], Stuff::Plain);
    let n = b.n.max(10);
    if rng.chance(0.35) {
        let face = rng.paint_of(&["cream", "skin"], Stuff::Wood);
        let body = [
            (0.55, 0.0),
            (0.85, 0.25),
            (0.95, 0.65),
            (0.8, 1.15),
            (0.5, 1.4),
            (0.62, 1.6),
            (0.66, 1.85),
            (0.5, 2.15),
            (0.0, 2.3),
        ];
        let solid = lathe(&body.map(|(x, y)| vec2(x, y) * 0.06), n.max(14));
        add_split(&mut b, "body", &solid, &[dress, hair], |p, _| usize::from(p.y > 0.087));
        b.add("face", ellipsoid(0.027, 0.027, 0.012, 12).at(0.0, 0.107, 0.033), face);
        b.add("eyes", sphere(0.003, 6).at(0.01, 0.111, 0.044).both_x(), rng.paint("black", Stuff::Plain));
        let apron = ellipsoid(0.035, 0.032, 0.01, 12).at(0.0, 0.04, 0.05);
        b.add("apron", apron, rng.paint_of(&["white", "yellow", "cream"], Stuff::Plain));
        b.kind("matryoshka");
        b.colored(dress);
        b.has("a painted face");
        return b.done();
    }
    let h = 0.3;
    b.add(
        "dress",
        lathe(
            &[
                vec2(0.085, h * 0.22),
                vec2(0.06, h * 0.42),
                vec2(0.03, h * 0.55),
                vec2(0.036, h * 0.66),
                vec2(0.015, h * 0.7),
            ],
            n,
        ),
        dress,
    );
    b.add("legs", cylinder(0.014, h * 0.3, 8).at(0.026, 0.0, 0.0).both_x(), skin);
    b.add("shoes", ellipsoid(0.018, 0.013, 0.027, 8).at(0.026, 0.012, 0.008).both_x(), dress.shade(0.5));
    let arm =
        capsule(vec3(0.036, h * 0.65, 0.0), vec3(0.036 + 0.06, h * rng.between(0.42, 0.72), 0.02), 0.011, 8);
    b.add("arms", arm.both_x(), skin);
    let r = rng.between(0.042, 0.056);
    let head = vec3(0.0, h * 0.7 + r * 0.85, 0.0);
    b.add("head", sphere(r, n).moved(head), skin);
    b.add(
        "hair",
        ellipsoid(r * 1.08, r * 1.05, r * 0.98, n).moved(head + vec3(0.0, r * 0.14, -r * 0.22)),
        hair,
    );
    let tail = if rng.chance(0.6) {
        ellipsoid(r * 0.32, r * 0.62, r * 0.32, 8).at(r * 1.15, -r * 0.15, -r * 0.1).both_x()
    } else {
        ellipsoid(r * 0.95, r * 1.2, r * 0.35, 10).at(0.0, -r * 0.6, -r * 0.75)
    };
    b.add("hair", tail.moved(head), hair);
    add_eyes(rng, &mut b, vec3(r * 0.36, r * 0.02, r * 0.9), r * 0.11, |s| s.moved(head));
    b.add(
        "mouth",
        ellipsoid(r * 0.14, r * 0.05, r * 0.05, 6).moved(head + vec3(0.0, -r * 0.4, r * 0.9)),
        rng.paint("red", Stuff::Plain),
    );
    b.colored(dress);
    b.has_colored("dress", dress);
    b.has_colored("hair", hair);
    b.done()
}

fn kite(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let colors = [rng.painted(Stuff::Fabric), rng.painted(Stuff::Fabric)];
    let (w, top, low) = (rng.between(0.3, 0.42), rng.between(0.25, 0.38), rng.between(0.5, 0.72));
    let quarter = |x: f32, y: f32| extrude(&outline(&[(0.0, 0.0), (x, 0.0), (0.0, y)]), 0.006);
    for (i, (x, y)) in [(w, top), (-w, top), (-w, -low), (w, -low)].into_iter().enumerate() {
        b.add("sail", quarter(x, y), colors[i % 2]);
    }
    let wood = rng.paint_of(&["tan", "brown"], Stuff::Wood);
    b.add(
        "spars",
        cuboid(0.012, top + low, 0.012)
            .at(0.0, -low, -0.008)
            .join(cuboid(w * 2.0, 0.012, 0.012).at(0.0, -0.006, -0.008)),
        wood,
    );
    let tail: Vec<Vec3> = (0..=10)
        .map(|i| i as f32 / 10.0)
        .map(|t| vec3((t * 9.0).sin() * 0.08, -low - t * 0.8, (t * 5.0).sin() * 0.05))
        .collect();
    b.add("tail", tube(&tail, 0.006, 4), wood);
    for i in [3, 6, 9] {
        let knot = extrude(&outline(&[(0.0, 0.0), (0.06, 0.035), (0.06, -0.035)]), 0.01).both_x();
        b.add("bow", knot.moved(tail[i]), rng.clone().pick(&colors));
    }
    b.transform(glam::Affine3A::from_rotation_z(rng.between(-0.5, 0.5)));
    b.colored(colors[0]);
    b.has("a tail");
    b.has("bows");
    b.done()
}

fn globe(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let sea = rng.paint_of(&["blue", "blue", "light blue", "navy", "beige"], Stuff::Plastic);
    let land = rng.paint_of(&["green", "green", "tan", "light green", "brown"], Stuff::Plastic);
    let metal = rng.paint_of(&["gold", "silver", "dark brown", "black"], Stuff::Metal);
    let r = 0.14;
    let blobs: Vec<(Vec3, f32)> = (0..11)
        .map(|_| {
            (
                vec3(rng.normal(), rng.normal() * 0.7, rng.normal()).normalize_or(Vec3::X),
                rng.between(0.25, 0.55),
            )
        })
        .collect();
    let tilt = 0.41;
    let y = rng.between(0.24, 0.3);
    let solid = ellipsoid(r, r, r, 24).smooth().subdivided().smooth();
    let solid = solid.map(|p| p.normalize_or(Vec3::Y) * r);
    let stand = rng.chance(0.8);
    let place = |s: Solid| if stand { s.rot_z(tilt).at(0.0, y, 0.0) } else { s };
    let parts = super::clay::split(&solid, 2, |p, _| {
        let p = p.normalize_or_zero();
        let wobble = 0.12 * ((p.x * 9.0).sin() + (p.y * 11.0).sin() + (p.z * 10.0).sin());
        usize::from(blobs.iter().any(|(c, size)| c.distance(p) + wobble * 0.8 < *size))
    });
    for (part, paint) in parts.into_iter().zip([sea, land]) {
        b.add("earth", place(part), paint);
    }
    if stand {
        let meridian: Vec<Vec3> = arc(r * 1.13, -QUARTER, QUARTER, 14);
        b.add("meridian", place(tube(&meridian, 0.007, 6)), metal);
        b.add("pins", place(cylinder(0.006, r * 2.3, 6).at(0.0, -r * 1.15, 0.0)), metal);
        b.add("post", cylinder(0.012, y - r * 1.05, 8).at(0.0, 0.0, 0.0), metal);
        b.add(
            "foot",
            lathe(&[vec2(0.09, 0.0), vec2(0.085, 0.015), vec2(0.03, 0.03), vec2(0.015, 0.06)], b.n.max(10)),
            metal,
        );
        b.has("a stand");
    } else {
        b.kind("planet earth");
    }
    b.colored(sea);
    b.has_colored("continents", land);
    b.done()
}

fn coin(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let metal = rng.paint_of(&["gold", "gold", "gold", "silver", "copper", "bronze"], Stuff::Metal);
    let (r, h) = (0.015, rng.between(0.0018, 0.0035));
    let n = b.n.max(12);
    let count = rng.pick(&[1, 1, 1, 4, 7]);
    for i in 0..count {
        let at = vec3(rng.normal(), 0.0, rng.normal()) * if i == 0 { 0.0 } else { 0.0012 }
            + Vec3::Y * h * 1.05 * i as f32;
        b.add("coin", cylinder(r * 0.92, h * 0.8, n).moved(at + Vec3::Y * h * 0.1), metal.shade(0.85));
        b.add("rim", washer(r, r * 0.85, h, n).moved(at), metal);
    }
    let top = h * (1.05 * (count - 1) as f32 + 0.85);
    let mark = match rng.index(3) {
        0 => extrude(&star(r * 0.55, r * 0.24, 10), h * 0.3).rot_x(-QUARTER).at(0.0, top + h * 0.1, 0.0),
        1 => cuboid(r * 0.2, h * 0.25, r * 0.95).at(0.0, top, 0.0),
        _ => washer(r * 0.5, r * 0.3, h * 0.25, n).at(0.0, top, 0.0),
    };
    b.add("mark", mark, metal);
    if count == 1 {
        b.transform(glam::Affine3A::from_rotation_x(rng.pick(&[0.0, QUARTER, 1.2])));
    } else {
        b.kind("stack of coins");
    }
    b.main(metal);
    b.adjective("round");
    b.done()
}

fn gem(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    b.flat = true;
    let paint = rng.paint_of(
        &["light blue", "red", "green", "blue", "purple", "pink", "yellow", "teal", "white"],
        Stuff::Glass,
    );
    let n = rng.pick(&[4, 5, 6, 8, 8, 10]);
    let s = 0.03;
    match rng.index(4) {
        0 | 1 => {
            let cut = lathe(
                &[
                    vec2(0.0, 0.0),
                    vec2(s, s * rng.between(0.8, 1.2)),
                    vec2(s * 0.92, s * 1.25),
                    vec2(s * 0.58, s * 1.5),
                ],
                n,
            );
            b.add("diamond", cut.flat(), paint);
            b.kind("diamond");
        }
        2 => {
            let tall = rng.between(1.4, 2.2) * s;
            b.add(
                "crystal",
                lathe(
                    &[
                        vec2(0.0, 0.0),
                        vec2(s * 0.7, tall * 0.35),
                        vec2(s * 0.7, tall * 0.65),
                        vec2(0.0, tall),
                    ],
                    n.min(6),
                )
                .flat(),
                paint,
            );
            b.kind("crystal");
        }
        _ => {
            for i in 0..rng.count(3, 6) {
                let tall = s * rng.between(1.2, 2.8);
                let r = s * rng.between(0.22, 0.38);
                let crystal = lathe(&[vec2(r * 0.9, 0.0), vec2(r, tall * 0.75), vec2(0.0, tall)], 6).flat();
                b.add(
                    "crystal",
                    crystal.rot_x(if i == 0 { 0.0 } else { rng.between(0.3, 0.7) }).rot_y(i as f32 * 1.4),
                    paint,
                );
            }
            b.kind("crystal cluster");
        }
    }
    b.main(paint);
    b.has("sharp facets");
    b.done()
}

fn trophy(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["gold", "gold", "gold", "silver", "bronze"], Stuff::Metal);
    let base = rng.paint_of(&["black", "dark brown", "brown", "white"], Stuff::Wood);
    let n = b.n.max(8);
    let (r, h) = (rng.between(0.06, 0.085), rng.between(0.13, 0.19));
    let foot = rng.between(0.05, 0.09);
    b.add(
        "base",
        if rng.chance(0.5) { b.block(r * 1.7, foot, r * 1.7) } else { cylinder(r * 0.95, foot, n) },
        base,
    );
    let stem = rng.between(0.03, 0.07);
    let flare = rng.between(0.85, 1.2);
    let profile = [
        (0.75, 0.0),
        (0.6, 0.006),
        (0.18, 0.02),
        (0.15, stem),
        (0.3, stem + 0.01),
        (0.8, stem + h * 0.25),
        (0.95, stem + h * 0.6),
        (flare, stem + h),
        (flare * 0.92, stem + h),
        (0.8, stem + h * 0.6),
    ];
    b.add("cup", lathe(&profile.map(|(x, y)| vec2(x * r, y)), n).at(0.0, foot, 0.0), gold);
    if rng.chance(0.8) {
        let ear = handle(stem + h * 0.3, stem + h * 0.88, r * rng.between(0.6, 0.9), r * 0.1, 12).at(
            r * 0.88,
            foot,
            0.0,
        );
        b.add("handles", ear.both_x(), gold);
        b.has("two handles");
    }
    let plate = cuboid(r * 0.9, foot * 0.45, 0.003).at(0.0, foot * 0.28, r * 0.86);
    b.add("plate", plate, gold);
    if rng.chance(0.35) {
        b.add(
            "star",
            extrude(&star(r * 0.45, r * 0.2, 10), r * 0.15).at(0.0, foot + stem + h * 0.6, r * 0.98),
            base,
        );
        b.has("a star");
    }
    b.main(gold);
    b.has("a base");
    b.done()
}

fn potion(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let liquid = rng.paint_of(
        &["red", "blue", "green", "purple", "pink", "orange", "light blue", "yellow"],
        Stuff::Glass,
    );
    let glass = rng.paint_of(&["light blue", "white", "light gray"], Stuff::Glass);
    let cork = rng.paint_of(&["brown", "tan"], Stuff::Wood);
    let n = b.n.max(8);
    let r = 0.05;
    let fill = rng.between(0.5, 0.85);
    let body: Vec<Vec2> = match rng.index(4) {
        0 | 1 => (0..=8)
            .map(|i| -1.25 + 2.5 * i as f32 / 8.0)
            .map(|a: f32| vec2(a.cos() * r, (a.sin() + 0.95) * r))
            .collect(),
        2 => [(0.95, 0.0), (1.0, 0.1), (0.45, 1.5), (0.3, 1.75)].map(|(x, y)| vec2(x, y) * r).to_vec(),
        _ => [(0.7, 0.0), (0.75, 0.1), (0.75, 1.5), (0.3, 1.8)].map(|(x, y)| vec2(x, y) * r).to_vec(),
    };
    let top = body.last().map_or(r, |p| p.y);
    let solid = lathe(&body, n);
    let line = top * fill;
    add_split(&mut b, "bottle", &solid.subdivided(), &[liquid, glass], |p, _| usize::from(p.y > line));
    let neck = rng.between(0.5, 1.1) * r;
    b.add("neck", cylinder(r * 0.3, neck, n).at(0.0, top - 0.003, 0.0), glass);
    b.add("lip", torus(r * 0.33, r * 0.08, n, 6).at(0.0, top + neck, 0.0), glass);
    b.add("cork", frustum(r * 0.26, r * 0.32, r * 0.45, n).at(0.0, top + neck - r * 0.08, 0.0), cork);
    if rng.chance(0.35) {
        let label = rng.paint_of(&["beige", "cream", "white"], Stuff::Fabric);
        b.add("label", cylinder(r * 0.36, neck * 0.25, n).at(0.0, top + neck * 0.3, 0.0), label);
    }
    b.main(liquid);
    b.has("a cork");
    b.has_colored("liquid", liquid);
    b.done()
}

fn scroll(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paper = rng.paint_of(&["beige", "cream", "tan", "white"], Stuff::Fabric);
    let wood = rng.paint_of(&["brown", "dark brown", "gold", "red"], Stuff::Wood);
    let ink = rng.paint_of(&["black", "dark brown"], Stuff::Plain);
    let (w, r) = (rng.between(0.18, 0.26), rng.between(0.018, 0.028));
    let n = b.n.max(10);
    let roll = |s: &mut Builder, y: f32, z: f32| {
        let along = |solid: Solid| solid.rot_z(QUARTER).at(w / 2.0, y, z);
        s.add("roll", along(cylinder(r, w, n)), paper);
        s.add("rod", along(cylinder(r * 0.35, w * 1.3, 8).at(0.0, -w * 0.15, 0.0)), wood);
        s.add(
            "knobs",
            along(sphere(r * 0.55, 8).at(0.0, -w * 0.17, 0.0).join(sphere(r * 0.55, 8).at(
                0.0,
                w * 1.17,
                0.0,
            ))),
            wood,
        );
    };
    if rng.chance(0.4) {
        roll(&mut b, r, 0.0);
        let ribbon = rng.paint_of(&["red", "blue", "green", "purple"], Stuff::Fabric);
        b.add("ribbon", cylinder(r * 1.06, w * 0.09, n).rot_z(QUARTER).at(w * 0.045, r, 0.0), ribbon);
        b.add("seal", cylinder(r * 0.5, r * 0.25, 10).rot_x(QUARTER).at(0.0, r, r), ribbon);
        b.adjective("rolled");
        b.has_colored("ribbon", ribbon);
    } else {
        let h = rng.between(0.22, 0.34);
        roll(&mut b, h, 0.0);
        roll(&mut b, 0.0, 0.0);
        b.add("sheet", cuboid(w * 0.98, h, 0.003).at(0.0, 0.0, r * 0.85), paper);
        let line = cuboid(w * 0.7, 0.005, 0.002).at(0.0, h * 0.22, r * 0.85 + 0.002);
        b.add("writing", line.repeat(6, vec3(0.0, h * 0.11, 0.0)), ink);
        b.adjective("open");
        b.has("writing");
    }
    b.colored(paper);
    b.has("wooden rods");
    b.done()
}

fn heart(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let red = rng.paint_of(&["red", "red", "red", "pink", "purple", "gold", "blue"], Stuff::Plastic);
    let points: Vec<Vec2> = (0..24)
        .map(|i| {
            let t = std::f32::consts::TAU * i as f32 / 24.0;
            let y = 13.0 * t.cos() - 5.0 * (2.0 * t).cos() - 2.0 * (3.0 * t).cos() - (4.0 * t).cos();
            vec2(16.0 * t.sin().powi(3), y) * 0.006
        })
        .collect();
    let fat = rng.between(0.03, 0.07);
    let layers = [(-1.0, 0.55), (-0.7, 0.85), (0.0, 1.0), (0.7, 0.85), (1.0, 0.55)];
    let flat = rng.chance(0.25);
    let solid = if flat {
        extrude(&points, fat * 0.7)
    } else {
        Solid::union(layers.windows(2).map(|pair| {
            let row = |(z, s): (f32, f32)| -> Vec<Vec3> {
                points.iter().chain(points.first()).map(|p| vec3(p.x * s, p.y * s, z * fat)).collect()
            };
            sheet(&[row(pair[0]), row(pair[1])])
        }))
        .join(extrude(&points.iter().map(|p| *p * 0.55).collect::<Vec<_>>(), fat * 1.99))
    };
    b.add("heart", solid, red);
    b.main(red);
    b.done()
}

fn star_toy(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["yellow", "gold", "yellow", "silver", "red", "blue", "orange"], Stuff::Plastic);
    let points = rng.pick(&[5, 5, 5, 5, 4, 6]);
    let rim = star(0.1, rng.between(0.04, 0.056), points * 2);
    let bevel = rng.chance(0.6);
    b.add(
        "star",
        extrude_beveled(&rim, rng.between(0.025, 0.06), if bevel { rng.between(0.1, 0.8) } else { 0.0 })
            .flat(),
        gold,
    );
    if rng.chance(0.25) {
        add_eyes(rng, &mut b, vec3(0.018, 0.008, 0.02), 0.008, |s| s);
        b.has("eyes");
    }
    b.main(gold);
    b.has_count(points, "point", "points");
    b.done()
}

fn chess_piece(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["white", "black", "cream", "dark brown", "brown", "tan"], Stuff::Wood);
    let n = b.n.max(10);
    let s = 0.014;
    let foot = [(1.0, 0.0), (1.0, 0.25), (0.8, 0.45), (0.55, 0.7)];
    let rest: &[(f32, f32)] = match rng.index(5) {
        0 => &[(0.3, 1.6), (0.55, 1.75), (0.28, 1.85), (0.5, 2.1), (0.55, 2.35), (0.35, 2.65), (0.0, 2.75)],
        1 => &[(0.45, 2.0), (0.75, 2.2), (0.75, 2.75), (0.5, 2.75), (0.5, 2.5)],
        2 => &[
            (0.28, 2.0),
            (0.55, 2.15),
            (0.3, 2.25),
            (0.48, 2.6),
            (0.4, 2.95),
            (0.12, 3.3),
            (0.15, 3.4),
            (0.0, 3.5),
        ],
        3 => &[(0.3, 2.5), (0.6, 2.7), (0.35, 2.85), (0.65, 3.5), (0.4, 3.6), (0.0, 3.7)],
        _ => &[
            (0.32, 2.3),
            (0.6, 2.5),
            (0.35, 2.65),
            (0.6, 3.3),
            (0.55, 3.4),
            (0.2, 3.5),
            (0.22, 3.7),
            (0.0, 3.8),
        ],
    };
    let profile: Vec<Vec2> = foot.iter().chain(rest).map(|&(x, y)| vec2(x, y) * s).collect();
    b.add("piece", lathe(&profile, n), paint);
    let (kind, height) = match rest.len() {
        7 if rest[0].1 < 1.7 => ("pawn", 0.0),
        5 => ("rook", 2.75),
        8 if rest[0].1 < 2.1 => ("bishop", 0.0),
        6 => ("king", 3.65),
        _ => ("queen", 3.4),
    };
    match kind {
        "rook" => {
            b.add("battlements", cuboid(0.35, 0.3, 0.22).at(0.0, height, 0.63).around_y(6).scaled(s), paint)
        }
        "king" => b.add(
            "cross",
            cuboid(0.16, 0.7, 0.16)
                .at(0.0, height, 0.0)
                .join(cuboid(0.5, 0.16, 0.16).at(0.0, height + 0.3, 0.0))
                .scaled(s),
            paint,
        ),
        "queen" => b.add("points", sphere(0.11, 6).at(0.0, height + 0.05, 0.55).around_y(8).scaled(s), paint),
        _ => {}
    }
    b.kind(kind);
    b.main(paint);
    b.done()
}
