//! Toys, treasures and small things of games.

use glam::{Vec2, Vec3, vec2, vec3};

use crate::category::Category;
use crate::kit::*;

/// A row of a table of this kind of thing.
pub(crate) const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "toy", build }
}

pub(crate) const CATEGORIES: &[Category] = &[
    row("teddy bear", &["teddy", "stuffed bear", "plush toy"], teddy_bear),
    row("piggy bank", &["money box", "coin bank"], piggy_bank),
    row("ball", &["toy ball"], ball),
    row("dice", &["die"], dice),
    row("doll", &["toy figure"], doll),
    row("kite", &["toy kite"], kite),
    row("chess piece", &["pawn", "chess figure"], chess_piece),
];

fn teddy_bear(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.05);
    let fur = rng.paint_of(
        &["brown", "brown", "tan", "dark brown", "beige", "white", "pink", "gray"],
        MaterialKind::Fabric,
    );
    let pale = if rng.chance(0.75) {
        rng.paint_of(&["cream", "beige", "tan", "white"], MaterialKind::Fabric)
    } else {
        fur
    };
    let standing = rng.chance(0.25);
    let (w, h) = (0.1 * rng.jitter(1.0, 0.12), 0.13 * rng.jitter(1.0, 0.12));
    let r = 0.085 * rng.jitter(1.0, 0.15);
    let y = if standing { 0.1 } else { 0.0 } + h * 0.92;
    b.add("body", style.ball(w, h, w * 0.88).at(0.0, y, 0.0), fur);
    b.add("belly", style.ball(w * 0.7, h * 0.72, w * 0.4).at(0.0, y - h * 0.05, w * 0.58), pale);
    let head = vec3(0.0, y + h * 0.88 + r * 0.7, 0.01);
    b.add("head", style.ball(r * 1.08, r, r * 0.98).translated(head), fur);
    b.add(
        "muzzle",
        style.ball(r * 0.45, r * 0.36, r * 0.4).translated(head + vec3(0.0, -r * 0.28, r * 0.78)),
        pale,
    );
    let black = rng.paint_of(&["black", "black", "dark brown"], MaterialKind::Plastic);
    b.add(
        "nose",
        style.ball(r * 0.17, r * 0.12, r * 0.1).translated(head + vec3(0.0, -r * 0.12, r * 1.16)),
        black,
    );
    add_eyes(rng, &mut b, vec3(r * 0.4, r * 0.15, r * 0.86), r * 0.1, |s| s.translated(head));
    let ear = r * rng.between(0.32, 0.42);
    b.add(
        "ears",
        style.ball(ear, ear, ear * 0.5).at(r * 0.8, r * 0.8, 0.0).mirrored_x().translated(head),
        fur,
    );
    b.add(
        "inner ears",
        style
            .ball(ear * 0.6, ear * 0.6, ear * 0.3)
            .at(r * 0.8, r * 0.8, ear * 0.35)
            .mirrored_x()
            .translated(head),
        pale,
    );
    teddy_limbs(rng, &mut b, &style, [w, h, y], [fur, pale], standing);
    if rng.chance(0.4) {
        let ribbon = rng.paint_of(&["red", "blue", "pink", "yellow"], MaterialKind::Fabric);
        let wing = style.blade(vec3(1.0, 0.1, 0.0), r * 0.6, r * 0.5, 0.8).mirrored_x();
        b.add("bow tie", wing.join(sphere(r * 0.13, 8)).at(0.0, y + h * 0.8, w * 0.62), ribbon);
        b.colored_part("bow tie", ribbon);
    }
    b.main_paint(fur);
    b.part("round ears");
    b.build()
}

fn teddy_limbs(
    rng: &mut Rng,
    b: &mut Builder,
    style: &FigureStyle,
    [w, h, y]: [f32; 3],
    [fur, pale]: [Paint; 2],
    standing: bool,
) {
    let (raise, limb) = (rng.between(-0.9, 0.9), w * rng.between(0.34, 0.45));
    let shoulder = vec3(w * 0.85, y + h * 0.58, 0.01);
    let hand = shoulder + vec3(0.75, raise, 0.45).normalize() * h * rng.between(0.75, 1.0);
    b.add(
        "arms",
        style
            .limb(&[
                (shoulder - vec3(w * 0.3, 0.0, 0.0), limb * 0.8),
                (shoulder.lerp(hand, 0.5), limb),
                (hand, limb * 1.0),
                (hand + (hand - shoulder) * 0.2, limb * 0.5),
            ])
            .mirrored_x(),
        fur,
    );
    if standing {
        let leg = [
            (vec3(w * 0.5, y - h * 0.4, 0.0), limb),
            (vec3(w * 0.55, 0.05, 0.0), limb * 1.15),
            (vec3(w * 0.55, 0.0, 0.0), limb),
        ];
        b.add("legs", style.limb(&leg).mirrored_x(), fur);
        b.add(
            "feet",
            style.ball(limb * 1.1, limb * 0.7, limb * 1.5).at(w * 0.55, limb * 0.6, limb * 0.5).mirrored_x(),
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
        b.add("legs", style.limb(&leg).mirrored_x(), fur);
        b.add("soles", style.ball(limb * 1.15, limb * 1.25, limb * 0.5).translated(foot).mirrored_x(), fur);
        b.add(
            "paw pads",
            style
                .ball(limb * 0.75, limb * 0.85, limb * 0.3)
                .translated(foot + vec3(0.0, 0.0, limb * 0.3))
                .mirrored_x(),
            pale,
        );
        b.adjective("sitting");
    }
}

fn piggy_bank(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let paint = rng.paint_of(
        &["pink", "pink", "pink", "pink", "gold", "white", "light blue", "red", "gray"],
        MaterialKind::Ceramic,
    );
    let dark = rng.paint_of(&["black", "dark gray", "dark brown"], MaterialKind::Plain);
    let (w, l) = (0.06 * rng.jitter(1.0, 0.1), 0.075 * rng.jitter(1.0, 0.12));
    let h = w * rng.between(0.92, 1.05);
    let leg = w * rng.between(0.35, 0.6);
    let y = leg + h * 0.8;
    let n = b.segments.max(10);
    b.add("body", ellipsoid(w, l, h, n.max(12)).rot_x(FRAC_PI_2).at(0.0, y, 0.0), paint);
    let snout = vec3(0.0, y + h * 0.02, l * 0.88);
    b.add("snout", cylinder(w * 0.33, w * 0.32, n).rot_x(FRAC_PI_2).translated(snout), paint);
    b.add(
        "nostrils",
        ellipsoid(w * 0.06, w * 0.1, w * 0.05, 6).at(w * 0.13, 0.0, w * 0.32).mirrored_x().translated(snout),
        paint.shade(0.4),
    );
    add_eyes(rng, &mut b, vec3(w * 0.42, y + h * 0.38, l * 0.74), w * 0.085, |s| s);
    let ear = style.blade(vec3(0.35, 1.0, 0.35), w * 0.5, w * 0.5, 0.15).at(w * 0.48, y + h * 0.7, l * 0.42);
    b.add("ears", ear.mirrored_x(), paint);
    b.add(
        "legs",
        frustum(w * 0.22, w * 0.27, leg + h * 0.35, n.min(12))
            .at(w * 0.5, 0.0, l * 0.45)
            .mirrored_x()
            .mirrored_z(),
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
        let gold = rng.paint("gold", MaterialKind::Metal);
        b.add(
            "coin",
            cylinder(w * 0.3, w * 0.05, 16).at(0.0, -w * 0.025, 0.0).rot_z(FRAC_PI_2).at(
                0.0,
                y + h * 1.15,
                -l * 0.05,
            ),
            gold,
        );
        b.part("a coin");
    }
    b.main_paint(paint);
    b.part("a coin slot");
    b.part("a curly tail");
    b.build()
}

fn ball(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let fine = ellipsoid(1.0, 1.0, 1.0, 20).smooth();
    let (white, black) =
        (rng.paint("white", MaterialKind::Leather), rng.paint("black", MaterialKind::Leather));
    match rng.index(7) {
        0 | 1 => {
            soccer_ball(&mut b, fine, [white, black]);
        }
        2 => {
            let orange = rng.paint("orange", MaterialKind::Leather);
            b.add("ball", fine.scaled(0.12), orange);
            let seam = torus(0.1195, 0.0022, 28, 4);
            let side = torus(0.1, 0.0022, 24, 4).rot_z(FRAC_PI_2).at(0.066, 0.0, 0.0).mirrored_x();
            b.add("seams", seam.clone().join(seam.rot_x(FRAC_PI_2)).join(side), black);
            b.main_paint(orange);
            b.subcategory("basketball");
            b.part("black lines");
        }
        3 => {
            let colors = ["red", "white", "blue", "yellow", "white", "green"]
                .map(|c| rng.paint(c, MaterialKind::Plastic));
            let solid = ellipsoid(0.2, 0.2, 0.2, 24).smooth();
            add_split(&mut b, "ball", &solid, &colors, |p, _| {
                ((p.x.atan2(p.z) / std::f32::consts::TAU + 0.5 + 0.5 / 24.0) * 6.0).floor() as usize % 6
            });
            b.main_color(white);
            b.subcategory("beach ball");
            b.part("colored stripes");
        }
        4 => {
            tennis_ball(rng, &mut b, fine, white);
        }
        5 => {
            let brown = rng.paint_of(&["brown", "dark brown", "copper"], MaterialKind::Leather);
            b.add(
                "ball",
                ellipsoid(0.085, 0.15, 0.085, 16)
                    .profile_y(|t| 1.0 - 0.25 * (2.0 * t - 1.0).abs())
                    .rot_x(FRAC_PI_2),
                brown,
            );
            b.add(
                "laces",
                cuboid(0.03, 0.004, 0.005)
                    .at(0.0, 0.083, -0.03)
                    .linear_array(5, vec3(0.0, 0.0, 0.015))
                    .join(cuboid(0.005, 0.004, 0.09).at(0.0, 0.084, 0.0)),
                white,
            );
            b.main_paint(brown);
            b.subcategory("american football");
            b.part("white laces");
        }
        _ => {
            let paint = rng.painted(MaterialKind::Plastic);
            let second = rng.painted(MaterialKind::Plastic);
            let striped = rng.chance(0.5);
            add_split(&mut b, "ball", &fine.scaled(0.1), &[paint, second], |p, _| {
                usize::from(striped && p.y.abs() < 0.025)
            });
            b.main_paint(paint);
            if striped {
                b.part(format!("a {} stripe", second.color.name));
            }
        }
    }
    b.build()
}

fn tennis_ball(rng: &mut Rng, b: &mut Builder, fine: Solid, white: Paint) {
    let yellow = rng.paint_of(&["yellow", "light green"], MaterialKind::Fabric);
    b.add("ball", fine.scaled(0.034), yellow);
    let line: Vec<Vec3> = (0..=40)
        .map(|i| {
            let t = std::f32::consts::TAU * i as f32 / 40.0;
            vec3(t.cos() + 0.35 * (3.0 * t).cos(), t.sin() - 0.35 * (3.0 * t).sin(), 0.95 * (2.0 * t).sin())
                .normalize_or(Vec3::X)
                * 0.0338
        })
        .collect();
    b.add("seam", tube(&line, 0.0012, 4), white);
    b.main_paint(yellow);
    b.subcategory("tennis ball");
}

fn soccer_ball(b: &mut Builder, fine: Solid, [white, black]: [Paint; 2]) {
    let golden = 0.5 * (1.0 + 5.0_f32.sqrt());
    let spots: Vec<Vec3> = [(1.0, golden), (-1.0, golden), (1.0, -golden), (-1.0, -golden)]
        .iter()
        .flat_map(|&(p, q)| [vec3(0.0, p, q), vec3(p, q, 0.0), vec3(q, 0.0, p)])
        .map(Vec3::normalize)
        .collect();
    let solid = fine.subdivided().map(|p| p.normalize_or(Vec3::Y));
    add_split(b, "ball", &solid.smooth().scaled(0.11), &[white, black], |p, _| {
        usize::from(spots.iter().any(|s| s.dot(p.normalize_or_zero()) > 0.945))
    });
    b.main_color(white);
    b.subcategory("soccer ball");
    b.part("black spots");
}

fn dice(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint =
        rng.paint_of(&["white", "red", "black", "blue", "green", "cream", "purple"], MaterialKind::Plastic);
    let dark = ["white", "cream"].contains(&paint.color.name);
    let dot = if dark {
        rng.paint("black", MaterialKind::Plastic)
    } else {
        rng.paint("white", MaterialKind::Plastic)
    };
    if rng.chance(0.15) {
        let d =
            lathe(&[vec2(0.0, -0.012), vec2(0.011, -0.004), vec2(0.011, 0.004), vec2(0.0, 0.012)], 5).flat();
        b.add("die", d, paint);
        b.subcategory("polyhedral die");
        b.main_paint(paint);
        return b.build();
    }
    let s = 0.016;
    let count = rng.choose(&[1, 1, 1, 2]);
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
                    1 => on_top.rot_x(FRAC_PI_2),
                    2 => on_top.rot_z(-FRAC_PI_2),
                    3 => on_top.rot_z(FRAC_PI_2),
                    4 => on_top.rot_x(-FRAC_PI_2),
                    _ => on_top.rot_x(PI),
                };
                pips.push(turned.at(0.0, s / 2.0, 0.0));
            }
        }
        b.add("pips", place(Solid::union(pips)), dot);
    }
    b.main_paint(paint);
    b.colored_part("dots", dot);
    b.build()
}

fn doll(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let skin = rng.paint_of(&["skin", "tan", "brown", "beige"], MaterialKind::Plastic);
    let dress =
        rng.paint_of(&["pink", "red", "purple", "light blue", "yellow", "green"], MaterialKind::Fabric);
    let hair = rng.paint_of(&["yellow", "brown", "black", "orange"], MaterialKind::Plain);
    let n = b.segments.max(10);
    if rng.chance(0.35) {
        matryoshka(rng, &mut b, [dress, hair]);
        return b.build();
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
    b.add("legs", cylinder(0.014, h * 0.3, 8).at(0.026, 0.0, 0.0).mirrored_x(), skin);
    b.add("shoes", ellipsoid(0.018, 0.013, 0.027, 8).at(0.026, 0.012, 0.008).mirrored_x(), dress.shade(0.5));
    let arm =
        capsule(vec3(0.036, h * 0.65, 0.0), vec3(0.036 + 0.06, h * rng.between(0.42, 0.72), 0.02), 0.011, 8);
    b.add("arms", arm.mirrored_x(), skin);
    let r = rng.between(0.042, 0.056);
    let head = vec3(0.0, h * 0.7 + r * 0.85, 0.0);
    b.add("head", sphere(r, n).translated(head), skin);
    b.add(
        "hair",
        ellipsoid(r * 1.08, r * 1.05, r * 0.98, n).translated(head + vec3(0.0, r * 0.14, -r * 0.22)),
        hair,
    );
    let tail = if rng.chance(0.6) {
        ellipsoid(r * 0.32, r * 0.62, r * 0.32, 8).at(r * 1.15, -r * 0.15, -r * 0.1).mirrored_x()
    } else {
        ellipsoid(r * 0.95, r * 1.2, r * 0.35, 10).at(0.0, -r * 0.6, -r * 0.75)
    };
    b.add("hair", tail.translated(head), hair);
    add_eyes(rng, &mut b, vec3(r * 0.36, r * 0.02, r * 0.9), r * 0.11, |s| s.translated(head));
    b.add(
        "mouth",
        ellipsoid(r * 0.14, r * 0.05, r * 0.05, 6).translated(head + vec3(0.0, -r * 0.4, r * 0.9)),
        rng.paint("red", MaterialKind::Plain),
    );
    b.main_color(dress);
    b.colored_part("dress", dress);
    b.colored_part("hair", hair);
    b.build()
}

fn matryoshka(rng: &mut Rng, b: &mut Builder, [dress, hair]: [Paint; 2]) {
    let n = b.segments.max(10);
    let face = rng.paint_of(&["cream", "skin"], MaterialKind::Wood);
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
    add_split(b, "body", &solid, &[dress, hair], |p, _| usize::from(p.y > 0.087));
    b.add("face", ellipsoid(0.027, 0.027, 0.012, 12).at(0.0, 0.107, 0.033), face);
    b.add(
        "eyes",
        sphere(0.003, 6).at(0.01, 0.111, 0.044).mirrored_x(),
        rng.paint("black", MaterialKind::Plain),
    );
    let apron = ellipsoid(0.035, 0.032, 0.01, 12).at(0.0, 0.04, 0.05);
    b.add("apron", apron, rng.paint_of(&["white", "yellow", "cream"], MaterialKind::Plain));
    b.subcategory("matryoshka");
    b.main_color(dress);
    b.part("a painted face");
}

fn kite(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let colors = [rng.painted(MaterialKind::Fabric), rng.painted(MaterialKind::Fabric)];
    let (w, top, low) = (rng.between(0.3, 0.42), rng.between(0.25, 0.38), rng.between(0.5, 0.72));
    let quarter = |x: f32, y: f32| extrude(&outline(&[(0.0, 0.0), (x, 0.0), (0.0, y)]), 0.006);
    for (i, (x, y)) in [(w, top), (-w, top), (-w, -low), (w, -low)].into_iter().enumerate() {
        b.add("sail", quarter(x, y), colors[i % 2]);
    }
    let wood = rng.paint_of(&["tan", "brown"], MaterialKind::Wood);
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
        let knot = extrude(&outline(&[(0.0, 0.0), (0.06, 0.035), (0.06, -0.035)]), 0.01).mirrored_x();
        b.add("bow", knot.translated(tail[i]), rng.clone().choose(&colors));
    }
    b.transform(glam::Affine3A::from_rotation_z(rng.between(-0.5, 0.5)));
    b.main_color(colors[0]);
    b.part("a tail");
    b.part("bows");
    b.build()
}

fn chess_piece(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["white", "black", "cream", "dark brown", "brown", "tan"], MaterialKind::Wood);
    let n = b.segments.max(10);
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
        "rook" => b.add(
            "battlements",
            cuboid(0.35, 0.3, 0.22).at(0.0, height, 0.63).radial_array_y(6).scaled(s),
            paint,
        ),
        "king" => b.add(
            "cross",
            cuboid(0.16, 0.7, 0.16)
                .at(0.0, height, 0.0)
                .join(cuboid(0.5, 0.16, 0.16).at(0.0, height + 0.3, 0.0))
                .scaled(s),
            paint,
        ),
        "queen" => {
            b.add("points", sphere(0.11, 6).at(0.0, height + 0.05, 0.55).radial_array_y(8).scaled(s), paint)
        }
        _ => {}
    }
    b.subcategory(kind);
    b.main_paint(paint);
    b.build()
}
