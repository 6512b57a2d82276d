//! Plants, mushrooms, and what lies about between them.

use glam::{Vec3, vec2, vec3};

use super::Category;
use super::kit::*;

const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "nature", build }
}

pub(super) const CATEGORIES: &[Category] = &[
    row("tree", &["oak tree", "plant"], tree),
    row("potted plant", &["houseplant", "plant", "flower pot"], potted_plant),
    row("cactus", &["saguaro", "plant"], cactus),
    row("mushroom", &["toadstool", "fungus"], mushroom),
    row("flower", &["blossom", "plant"], flower),
    row("bush", &["shrub", "hedge"], bush),
    row("grass", &["tuft of grass"], grass),
    row("rock", &["stone", "boulder"], rock),
    row("log", &["tree log", "tree trunk"], log),
    row("tree stump", &["stump"], stump),
];

const GREENS: &[&str] = &["green", "green", "dark green", "light green"];

fn green(rng: &mut Rng) -> Paint {
    rng.paint_of(GREENS, Stuff::Plain)
}

fn bark(rng: &mut Rng) -> Paint {
    rng.paint_of(&["brown", "brown", "dark brown", "tan", "gray"], Stuff::Wood)
}

/// A lump of leaves: a ball with bumps.
fn lump(rng: &mut Rng, r: f32, n: usize, rough: f32) -> Solid {
    ellipsoid(r, r * rng.between(0.7, 1.0), r, n).rough(r * rough, rng)
}

fn tree(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    match rng.index(10) {
        0..=3 => broadleaf(rng, &mut b),
        4..=6 => conifer(rng, &mut b),
        7 => palm(rng, &mut b),
        8 => bare(rng, &mut b),
        _ => poplar(rng, &mut b),
    }
    b.done()
}

/// A trunk that bends a little; returns its top.
fn trunk(rng: &mut Rng, b: &mut Builder, h: f32, r: f32, paint: Paint) -> Vec3 {
    let sway = h * 0.08;
    let line = [
        Vec3::ZERO,
        vec3(rng.normal() * sway * 0.5, h * 0.4, rng.normal() * sway * 0.5),
        vec3(rng.normal() * sway, h, rng.normal() * sway),
    ];
    let tube = tube_with(&curve(&line, 2), |t| r * (1.25 - 0.6 * t + 0.35 * (1.0 - t).powi(6)), b.small());
    b.add("trunk", tube, paint);
    line[2]
}

fn broadleaf(rng: &mut Rng, b: &mut Builder) {
    let wood = bark(rng);
    let leaves = rng.paint_of(
        &["green", "green", "green", "dark green", "light green", "orange", "yellow", "pink", "red"],
        Stuff::Plain,
    );
    let h = rng.between(1.2, 2.6);
    let r = rng.between(0.1, 0.2);
    let top = trunk(rng, b, h, r, wood);
    let crown = rng.between(0.8, 1.4);
    let n = if b.flat { rng.pick(&[5, 6, 7, 8]) } else { 10 };
    let rough = if b.flat { rng.between(0.05, 0.22) } else { 0.06 };
    match rng.index(4) {
        0 => {
            let ball =
                ellipsoid(crown, crown * rng.between(0.8, 1.3), crown, n.max(7)).rough(crown * rough, rng);
            b.add("crown", ball.moved(top + Vec3::Y * crown * 0.6), leaves);
            b.adjective("round");
        }
        1 => {
            // Branches carry a cloud of leaves each.
            for i in 0..rng.count(2, 4) {
                let a = i as f32 * 2.3 + rng.between(0.0, 0.8);
                let end = top
                    + vec3(a.sin() * crown * 0.75, crown * rng.between(0.25, 0.7), a.cos() * crown * 0.75);
                b.add(
                    "branch",
                    tube_with(
                        &[top - Vec3::Y * h * 0.3, top.lerp(end, 0.5) - Vec3::Y * 0.1, end],
                        |t| r * (0.7 - 0.4 * t),
                        5,
                    ),
                    wood,
                );
                let size = crown * rng.between(0.5, 0.75);
                let cloud = lump(rng, size, n, rough).scale(1.0, 0.7, 1.0);
                b.add("leaves", cloud.moved(end + Vec3::Y * crown * 0.2), leaves);
            }
            b.has("branches");
        }
        2 => {
            let side = crown * rng.between(1.2, 1.6);
            b.add(
                "crown",
                b.block(side, side * rng.between(0.7, 1.1), side).moved(top - Vec3::Y * side * 0.2),
                leaves,
            );
        }
        _ => {
            for _ in 0..rng.count(4, 8) {
                let out = vec3(rng.normal(), rng.normal() * 0.6 + 0.6, rng.normal()) * crown * 0.42;
                let size = crown * rng.between(0.45, 0.75);
                let cloud = lump(rng, size, n, rough);
                b.add(
                    "leaves",
                    cloud.moved(top + out + Vec3::Y * crown * 0.25),
                    leaves.shade(rng.clone().between(0.85, 1.1)),
                );
            }
        }
    }
    if rng.chance(0.12) {
        let fruit = rng.paint_of(&["red", "orange", "yellow"], Stuff::Plain);
        for _ in 0..9 {
            let out = vec3(rng.normal(), rng.normal() * 0.5, rng.normal()).normalize_or(Vec3::X) * crown;
            b.add("fruit", sphere(crown * 0.09, 6).moved(top + out + Vec3::Y * crown * 0.55), fruit);
        }
        b.kind("fruit tree");
        b.has_colored("fruits", fruit);
    }
    b.colored(leaves);
    b.has_colored("trunk", wood);
}

fn conifer(rng: &mut Rng, b: &mut Builder) {
    let wood = bark(rng);
    let snowy = rng.chance(0.12);
    let needles = rng.paint_of(&["dark green", "dark green", "green", "teal"], Stuff::Plain);
    let h = rng.between(0.3, 0.9);
    b.add("trunk", frustum(rng.between(0.13, 0.2), 0.1, h + 0.6, b.small()), wood);
    let tiers = rng.count(2, 6);
    let (wide, tall) = (rng.between(0.75, 1.25), rng.between(1.8, 3.4));
    let n = if b.flat { rng.pick(&[5, 6, 7, 8, 10]) } else { 14 };
    for i in 0..tiers {
        let t = i as f32 / tiers as f32;
        let r = wide * (1.0 - t * 0.78);
        let size = tall / tiers as f32 * 1.6;
        let skirt = lathe(
            &[vec2(r * 0.35, 0.12 * size), vec2(r, 0.0), vec2(r * 0.42, size * 0.48), vec2(0.0, size)],
            n,
        );
        let skirt = skirt.rough(r * if b.flat { 0.07 } else { 0.02 }, rng).rot_y(i as f32);
        let at = h + t * tall;
        b.add("needles", skirt.at(0.0, at, 0.0), needles);
        if snowy {
            b.add(
                "snow",
                cone(r * 0.62, size * 0.66, n).at(0.0, at + size * 0.38, 0.0),
                rng.paint("white", Stuff::Plain),
            );
        }
    }
    if rng.chance(0.08) {
        let star = extrude(&star(0.3, 0.13, 10), 0.08).at(0.0, h + tall * 1.08, 0.0);
        b.add("star", star, rng.paint("gold", Stuff::Plain));
        for i in 0..14 {
            let t = i as f32 / 14.0;
            let a = i as f32 * 2.4;
            let r = wide * (0.9 - t * 0.75);
            let bauble = sphere(0.08, 6).at(a.sin() * r, h + t * tall + 0.1, a.cos() * r);
            let paint = rng.paint_of(&["red", "gold", "blue"], Stuff::Plain);
            b.add("ornament", bauble, paint);
        }
        b.kind("christmas tree");
        b.has("ornaments");
    } else {
        b.kind(rng.pick(&["pine tree", "fir tree", "conifer"]));
    }
    if snowy {
        b.has("snow");
    }
    b.colored(needles);
}

fn palm(rng: &mut Rng, b: &mut Builder) {
    let wood = rng.paint_of(&["brown", "tan", "beige"], Stuff::Wood);
    let leaves = green(rng);
    let h = rng.between(2.2, 3.6);
    let lean = rng.between(0.0, 1.0);
    let line = [Vec3::ZERO, vec3(lean * 0.15, h * 0.45, 0.0), vec3(lean, h, 0.0)];
    let tube = tube_with(&curve(&line, 4), |t| 0.17 - 0.07 * t + 0.02 * ((t * 9.0).fract()), b.small());
    b.add("trunk", tube, wood);
    for i in 0..rng.count(6, 9) {
        let frond = leaf(rng.between(1.1, 1.6), rng.between(0.3, 0.5), -rng.between(0.4, 1.0), 0.25);
        b.add(
            "frond",
            frond.rot_x(-0.35).rot_y(i as f32 * 0.86 + rng.between(0.0, 0.2)).moved(line[2]),
            leaves,
        );
    }
    if rng.chance(0.5) {
        b.add(
            "coconuts",
            sphere(0.13, 8).at(0.16, -0.1, 0.0).around_y(3).moved(line[2]),
            rng.paint("dark brown", Stuff::Plain),
        );
        b.has("coconuts");
    }
    b.kind("palm tree");
    b.colored(leaves);
    b.has("fronds");
}

fn bare(rng: &mut Rng, b: &mut Builder) {
    let wood = bark(rng);
    let h = rng.between(1.3, 2.0);
    let top = trunk(rng, b, h, 0.16, wood);
    for i in 0..rng.count(4, 6) {
        let a = i as f32 * 1.4 + rng.between(0.0, 0.7);
        let from = top * rng.between(0.7, 1.0);
        let out = vec3(a.sin(), rng.between(0.7, 1.5), a.cos()) * rng.between(0.5, 0.9);
        let end = from + out;
        b.add(
            "branch",
            tube_with(&[from, from.lerp(end, 0.5) - Vec3::Y * 0.06, end], |t| 0.085 * (1.1 - t), 5),
            wood,
        );
        for side in [0.9, -0.9] {
            let twig = from.lerp(end, 0.6) + vec3((a + side).sin(), 0.8, (a + side).cos()) * 0.35;
            b.add("twig", stake(from.lerp(end, 0.55), twig, 0.04, 0.01, 5), wood);
        }
    }
    b.kind("bare tree");
    b.adjective("dead");
    b.colored(wood);
    b.has("bare branches");
}

fn poplar(rng: &mut Rng, b: &mut Builder) {
    let wood = bark(rng);
    let leaves = green(rng);
    let h = rng.between(0.4, 0.9);
    b.add("trunk", cylinder(0.12, h + 0.5, b.small()), wood);
    let (r, tall) = (rng.between(0.45, 0.65), rng.between(1.3, 1.9));
    let crown = ellipsoid(r, tall, r, b.n.min(10)).rough(if b.flat { 0.06 } else { 0.02 }, rng);
    b.add("crown", crown.at(0.0, h + tall * 0.9, 0.0), leaves);
    b.adjective("tall");
    b.kind("cypress");
    b.colored(leaves);
}

/// A pot filled with earth; returns the height and radius of the earth.
fn add_pot(rng: &mut Rng, b: &mut Builder) -> (f32, f32) {
    let clay = rng.paint_of(
        &["orange", "brown", "white", "beige", "gray", "tan", "light blue", "copper", "black"],
        Stuff::Ceramic,
    );
    let (r, h) = (rng.between(0.1, 0.18), rng.between(0.14, 0.28));
    let foot = rng.between(0.6, 0.95);
    match rng.index(4) {
        0 => b.add(
            "pot",
            lathe(
                &[
                    vec2(r * 0.6, 0.0),
                    vec2(r * 1.05, h * 0.45),
                    vec2(r * 0.8, h * 0.9),
                    vec2(r * 0.9, h),
                    vec2(r * 0.75, h),
                    vec2(r * 0.7, h * 0.9),
                ],
                b.n,
            ),
            clay,
        ),
        1 => {
            let side = r * 1.7;
            b.add("pot", open_box(side, h, side, r * 0.12).taper_y(1.0 / foot), clay);
        }
        _ => {
            let rim = h * 0.8;
            let body = lathe(
                &[
                    vec2(r * foot, 0.0),
                    vec2(r, rim),
                    vec2(r * 1.12, rim),
                    vec2(r * 1.12, h),
                    vec2(r * 0.95, h),
                    vec2(r * 0.9, h * 0.9),
                ],
                b.n,
            );
            b.add("pot", body, clay);
        }
    }
    let earth = rng.paint_of(&["dark brown", "brown"], Stuff::Plain);
    b.add("earth", cylinder(r * 0.88, 0.02, b.n).at(0.0, h * 0.87, 0.0), earth);
    b.has_colored("pot", clay);
    (h * 0.88, r)
}

fn potted_plant(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let (y, r) = add_pot(rng, &mut b);
    let leaves = green(rng);
    match rng.index(7) {
        0 => {
            for _ in 0..rng.count(9, 16) {
                let long = rng.between(0.22, 0.42);
                let blade = leaf(long, long * rng.between(0.2, 0.4), -long * rng.between(0.1, 0.5), 0.3);
                b.add(
                    "leaf",
                    blade.rot_x(-rng.between(0.5, 1.3)).rot_y(rng.between(0.0, 6.3)).at(0.0, y, 0.0),
                    leaves,
                );
            }
        }
        1 => {
            for _ in 0..rng.count(5, 9) {
                let h = rng.between(0.3, 0.6);
                let blade =
                    b.block(rng.between(0.04, 0.07), h, 0.012).taper_y(0.15).rot_x(rng.between(0.0, 0.3));
                b.add(
                    "leaf",
                    blade.rot_y(rng.between(0.0, 6.3)).at(rng.normal() * r * 0.3, y, rng.normal() * r * 0.3),
                    leaves,
                );
            }
            b.kind("snake plant");
        }
        2 => {
            let crown = r * rng.between(1.1, 1.7);
            let trunk = rng.between(0.05, 0.35);
            b.add("stem", cylinder(r * 0.14, trunk + crown * 0.4, 6).at(0.0, y, 0.0), bark(rng));
            let ball = lump(rng, crown, if b.flat { 7 } else { 12 }, 0.08);
            b.add("crown", ball.at(0.0, y + trunk + crown * 0.75, 0.0), leaves);
        }
        3 | 4 => flowers_in_pot(rng, &mut b, y, r, leaves),
        5 => {
            let green = green(rng);
            let tall = r * rng.between(1.8, 4.0);
            add_cactus_body(rng, &mut b, vec3(0.0, y - 0.02, 0.0), r * 0.62, tall, green);
            b.kind("potted cactus");
            b.has("spines");
        }
        _ => {
            let h = rng.between(0.35, 0.6);
            b.add(
                "stem",
                tube(&[vec3(0.0, y, 0.0), vec3(0.02, y + h * 0.5, 0.0), vec3(0.0, y + h, 0.02)], 0.014, 5),
                bark(rng),
            );
            for i in 0..rng.count(8, 14) {
                let t = rng.between(0.3, 1.0);
                let size = rng.between(0.13, 0.24);
                let blade = leaf(size, size * 0.65, -size * 0.3, 0.15).rot_x(-rng.between(-0.1, 0.6));
                b.add("leaf", blade.rot_y(i as f32 * 2.4).at(0.0, y + h * t, 0.0), leaves);
            }
        }
    }
    b.colored(leaves);
    b.has("green leaves");
    b.done()
}

fn flowers_in_pot(rng: &mut Rng, b: &mut Builder, y: f32, r: f32, leaves: Paint) {
    let petals = rng.paint_of(&["red", "yellow", "pink", "white", "purple", "orange", "cream"], Stuff::Plain);
    let tulips = rng.chance(0.5);
    for i in 0..rng.count(2, 6) {
        let a = i as f32 * 2.4;
        let h = rng.between(0.25, 0.45);
        let lean = rng.between(0.1, 0.5);
        let top = vec3(a.sin() * (r * 0.3 + h * lean * 0.7), y + h, a.cos() * (r * 0.3 + h * lean * 0.7));
        let foot = vec3(a.sin() * r * 0.25, y, a.cos() * r * 0.25);
        b.add("stem", tube(&[foot, foot.lerp(top, 0.5) + Vec3::Y * 0.03, top], 0.009, 5), leaves);
        if tulips {
            add_tulip(b, top, r * 0.42, petals);
        } else {
            add_daisy(rng, b, top, r * 0.5, petals, (top - foot).normalize_or(Vec3::Y) + Vec3::Z * 0.5);
        }
        let long = h * rng.between(0.6, 0.9);
        b.add(
            "leaf",
            leaf(long, long * 0.22, -long * 0.2, 0.3).rot_x(-1.1).rot_y(a + 1.0).at(0.0, y, 0.0),
            leaves,
        );
    }
    b.has_colored("flowers", petals);
}

fn add_tulip(b: &mut Builder, at: Vec3, size: f32, paint: Paint) {
    let cup = lathe(
        &[
            vec2(size * 0.2, -size * 0.1),
            vec2(size * 0.62, size * 0.35),
            vec2(size * 0.58, size * 0.9),
            vec2(size * 0.3, size * 1.3),
            vec2(0.0, size * 0.9),
        ],
        b.n.min(8),
    );
    b.add("blossom", cup.moved(at), paint);
}

fn add_daisy(rng: &mut Rng, b: &mut Builder, at: Vec3, size: f32, paint: Paint, face: Vec3) {
    let count = rng.count(5, 9);
    let petal =
        ellipsoid(size * (2.2 / count as f32).min(0.4), size * 0.09, size * 0.5, 6).at(0.0, 0.0, size * 0.6);
    b.add("petals", petal.around_y(count).along(face).moved(at), paint);
    let middle = rng.paint_of(&["yellow", "yellow", "orange", "brown"], Stuff::Plain);
    b.add(
        "middle",
        ellipsoid(size * 0.32, size * 0.18, size * 0.32, 8).at(0.0, size * 0.06, 0.0).along(face).moved(at),
        middle,
    );
}

fn add_cactus_body(rng: &mut Rng, b: &mut Builder, at: Vec3, r: f32, h: f32, paint: Paint) {
    let ribs = rng.pick(&[6, 8, 10]);
    let n = ribs * 2;
    let rounded = [(0.8, 0.0), (1.0, 0.2), (1.0, 0.7), (0.8, 0.9), (0.4, 0.98), (0.0, 1.0)];
    let profile: Vec<_> = rounded.map(|(x, y)| vec2(x * r, y * h)).to_vec();
    let deep = if rng.chance(0.6) { 0.88 } else { 1.0 };
    let body = lathe(&profile, n).map(|p| {
        let turn = (p.x.atan2(p.z) / std::f32::consts::TAU * n as f32 - 0.5).round() as i32;
        let s = if turn.rem_euclid(2) == 0 { deep } else { 1.0 };
        vec3(p.x * s, p.y, p.z * s)
    });
    b.add("body", body.moved(at), paint);
    if rng.chance(0.55) {
        let spine = rng.paint_of(&["white", "cream", "yellow", "dark brown"], Stuff::Plain);
        let mut spines = Vec::new();
        for i in 0..ribs {
            for k in 0..4 {
                let a = std::f32::consts::TAU * i as f32 / ribs as f32;
                let y = h * (0.2 + 0.19 * k as f32);
                let out = vec3(a.sin(), 0.15, a.cos());
                spines.push(
                    cone(r * 0.04, r * 0.28, 3)
                        .along(out)
                        .moved(at + vec3(out.x * r * 0.92, y, out.z * r * 0.92)),
                );
            }
        }
        b.add("spines", Solid::union(spines), spine);
    }
}

fn cactus(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["green", "green", "dark green", "teal", "light green"], Stuff::Plain);
    match rng.index(4) {
        0 | 1 => {
            let (r, h) = (rng.between(0.14, 0.2), rng.between(1.0, 1.7));
            add_cactus_body(rng, &mut b, Vec3::ZERO, r, h, paint);
            let arms = rng.count(1, 3);
            for i in 0..arms {
                let a = i as f32 * 2.6 + rng.between(-0.3, 0.3) + QUARTER;
                let y = h * rng.between(0.3, 0.55);
                let (out, up) = (r * rng.between(2.2, 3.0), h * rng.between(0.25, 0.45));
                let line = [
                    vec3(0.0, y, 0.0),
                    vec3(out * 0.7, y, 0.0),
                    vec3(out, y + r, 0.0),
                    vec3(out, y + up, 0.0),
                ];
                let arm =
                    tube(&curve(&line, 3), r * 0.62, b.n.max(8)).join(sphere(r * 0.62, 8).moved(line[3]));
                b.add("arm", arm.rot_y(a - QUARTER), paint);
            }
            b.kind("saguaro");
            b.has_count(arms, "arm", "arms");
        }
        2 => {
            let (y, r) = add_pot(rng, &mut b);
            let count = rng.count(1, 4);
            for i in 0..count {
                let a = i as f32 * 2.2;
                let spread = if count == 1 { 0.0 } else { r * 0.42 };
                let size = r * if count == 1 { 0.68 } else { rng.between(0.32, 0.48) };
                let tall = size * rng.between(1.6, 3.6);
                add_cactus_body(
                    rng,
                    &mut b,
                    vec3(a.sin() * spread, y - 0.01, a.cos() * spread),
                    size,
                    tall,
                    paint,
                );
            }
            b.adjective("potted");
        }
        _ => {
            let pad = |r: f32| ellipsoid(r, r * 1.35, r * 0.28, b.n.max(8)).at(0.0, r * 1.25, 0.0);
            let r = rng.between(0.2, 0.28);
            let mut pads = pad(r);
            for side in [-1.0_f32, 1.0] {
                let size = r * rng.between(0.6, 0.85);
                pads = pads.join(pad(size).rot_z(-side * rng.between(0.4, 0.8)).at(
                    side * r * 0.6,
                    r * 2.1,
                    0.0,
                ));
            }
            b.add("pads", pads, paint);
            b.kind("prickly pear");
        }
    }
    if rng.chance(0.3) {
        let pink = rng.paint_of(&["pink", "red", "yellow"], Stuff::Plain);
        if let Some(top) = b.clone().done().scene.bounds() {
            let size = top.extents().y * 0.05;
            add_daisy(rng, &mut b, vec3(0.0, top.extents().y, 0.0), size, pink, Vec3::Y);
            b.has_colored("flower", pink);
        }
    }
    b.colored(paint);
    b.done()
}

fn mushroom(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let cap = rng.paint_of(
        &["red", "red", "red", "brown", "brown", "tan", "orange", "beige", "purple", "light blue"],
        Stuff::Plain,
    );
    let stem = rng.paint_of(&["white", "cream", "beige"], Stuff::Plain);
    let count = if rng.chance(0.75) { 1 } else { rng.count(2, 4) };
    let spotted = rng.chance(if cap.color.name == "red" { 0.7 } else { 0.2 });
    for i in 0..count {
        let size = if i == 0 { 1.0 } else { rng.between(0.4, 0.75) } * 0.1;
        let a = i as f32 * 2.3;
        let at = if i == 0 { Vec3::ZERO } else { vec3(a.sin(), 0.0, a.cos()) * 0.11 };
        one_mushroom(rng, &mut b, at, size, [cap, stem], spotted);
    }
    b.colored(cap);
    b.has_colored("cap", cap);
    if spotted {
        b.has("white spots");
        b.kind("toadstool");
    }
    b.done()
}

fn one_mushroom(rng: &mut Rng, b: &mut Builder, at: Vec3, size: f32, [cap, stem]: [Paint; 2], spotted: bool) {
    let (h, r) = (size * rng.between(0.8, 1.6), size * rng.between(0.2, 0.42));
    let foot = r * rng.between(1.0, 1.5);
    let stalk = lathe(&[vec2(foot, 0.0), vec2(r, h * 0.4), vec2(r * 0.85, h * 1.05)], b.n);
    b.add("stem", stalk.moved(at), stem);
    let (wide, tall) = (size * rng.between(0.75, 1.15), size * rng.between(0.45, 0.95));
    let curl = tall * rng.between(0.0, 0.25);
    let points = [
        (r * 0.8, 0.05 * tall),
        (wide * 0.93, -curl),
        (wide, 0.08 * tall),
        (wide * 0.88, tall * 0.45),
        (wide * 0.58, tall * 0.82),
        (wide * 0.25, tall * 0.98),
        (0.0, tall),
    ];
    let profile: Vec<_> = points.map(|(x, y)| vec2(x, y)).to_vec();
    let hat = lathe(&profile, b.n.max(8));
    let under = stem.shade(0.85);
    super::clay::add_split(b, "cap", &hat.moved(at + Vec3::Y * h), &[cap, under], |_, n| {
        usize::from(n.y < -0.4)
    });
    if spotted {
        let white = rng.paint("white", Stuff::Plain);
        let spots: Vec<Solid> = (0..9)
            .map(|i| {
                let t = if i == 0 {
                    0.0
                } else if i < 5 {
                    0.5
                } else {
                    0.82
                };
                let a = i as f32 * 1.57 + if i >= 5 { 0.8 } else { 0.0 };
                let y = tall * (1.0 - t * t * 0.72);
                let up = vec3(a.sin() * t, 1.1 - t, a.cos() * t);
                ellipsoid(wide * 0.13, wide * 0.05, wide * 0.13, 7).along(up).at(
                    a.sin() * t * wide,
                    y,
                    a.cos() * t * wide,
                )
            })
            .collect();
        b.add("spots", Solid::union(spots).moved(at + Vec3::Y * h), white);
    }
}

fn flower(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let petals =
        rng.paint_of(&["red", "yellow", "pink", "white", "purple", "orange", "light blue"], Stuff::Plain);
    let leaves = green(rng);
    let h = rng.between(0.25, 0.5);
    let top = vec3(rng.normal() * 0.03, h, rng.normal() * 0.03);
    b.add("stem", tube(&curve(&[Vec3::ZERO, vec3(0.02, h * 0.5, 0.0), top], 3), 0.01, 6), leaves);
    for i in 0..rng.count(1, 3) {
        let long = rng.between(0.12, 0.22);
        let blade = leaf(long, long * 0.4, -long * 0.1, 0.2).rot_x(-0.6).rot_y(i as f32 * 2.6);
        b.add("leaf", blade.at(0.0, h * rng.between(0.1, 0.4), 0.0), leaves);
    }
    let size = rng.between(0.06, 0.12);
    match rng.index(4) {
        0 => {
            add_tulip(&mut b, top, size * 0.8, petals);
            b.kind("tulip");
        }
        1 => {
            for ring in 0..3 {
                let petal = ellipsoid(size * 0.35, size * 0.42, size * 0.12, 8).at(
                    0.0,
                    size * 0.3,
                    size * (0.42 - 0.13 * ring as f32),
                );
                b.add(
                    "petals",
                    petal.rot_x(0.0).around_y(5 - ring).rot_y(ring as f32 * 0.6).moved(top),
                    petals.shade(1.0 - 0.12 * ring as f32),
                );
            }
            b.kind("rose");
        }
        _ => {
            let face = vec3(0.0, rng.between(0.1, 1.2), 1.0);
            add_daisy(rng, &mut b, top, size, petals, face);
            b.kind(if petals.color.name == "yellow" { "sunflower" } else { "daisy" });
        }
    }
    b.colored(petals);
    b.has("a green stem");
    b.has("petals");
    b.done()
}

fn bush(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let leaves = green(rng);
    let n = if b.flat { rng.pick(&[5, 6, 7]) } else { 10 };
    if rng.chance(0.2) {
        let hedge = b.block(rng.between(0.9, 1.8), rng.between(0.5, 0.9), rng.between(0.4, 0.6));
        b.add("hedge", hedge.rough(0.02, rng), leaves);
        b.kind("hedge");
    } else {
        for _ in 0..rng.count(2, 7) {
            let r = rng.between(0.22, 0.4);
            let ball = lump(rng, r, n, if b.flat { 0.12 } else { 0.05 });
            b.add(
                "leaves",
                ball.at(rng.normal() * 0.28, r * 0.75, rng.normal() * 0.22),
                leaves.shade(rng.clone().between(0.88, 1.1)),
            );
        }
    }
    if rng.chance(0.3) {
        let berry = rng.paint_of(&["red", "blue", "pink", "white"], Stuff::Plain);
        for i in 0..12 {
            let a = i as f32 * 2.4;
            let t = rng.between(0.1, 0.9);
            b.add(
                "berries",
                sphere(0.035, 6).at(
                    a.sin() * 0.5 * (1.0 - t * 0.6),
                    0.15 + t * 0.45,
                    a.cos() * 0.45 * (1.0 - t * 0.6),
                ),
                berry,
            );
        }
        b.has_colored("berries", berry);
    }
    b.colored(leaves);
    b.done()
}

fn grass(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let leaves =
        rng.paint_of(&["green", "green", "light green", "dark green", "yellow", "tan"], Stuff::Plain);
    let h = rng.between(0.2, 0.5);
    let wide = rng.between(0.08, 0.16);
    for _ in 0..rng.count(8, 22) {
        let long = h * rng.between(0.6, 1.1);
        let blade = leaf(long, rng.between(0.02, 0.05), -long * rng.between(0.0, 0.4), 0.2)
            .rot_x(-rng.between(0.9, 1.5));
        b.add(
            "blade",
            blade.rot_y(rng.between(0.0, 6.3)).at(rng.normal() * wide, 0.0, rng.normal() * wide),
            leaves.shade(rng.clone().between(0.8, 1.15)),
        );
    }
    b.colored(leaves);
    b.adjective(if h > 0.35 { "tall" } else { "short" });
    b.done()
}

fn rock(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["gray", "gray", "dark gray", "light gray", "brown", "tan"], Stuff::Stone);
    let count = if rng.chance(0.6) { 1 } else { rng.count(2, 4) };
    for i in 0..count {
        let size = if i == 0 { 0.5 } else { rng.between(0.15, 0.32) };
        let n = rng.pick(&[5, 6, 7, 9]);
        let at = if i == 0 {
            Vec3::ZERO
        } else {
            vec3((i as f32 * 2.1).sin(), 0.0, (i as f32 * 2.1).cos()) * rng.between(0.45, 0.7)
        };
        let boulder = ellipsoid(size * rng.between(0.7, 1.3), size * rng.between(0.5, 1.1), size, n)
            .rough(size * rng.between(0.08, 0.22), rng);
        let floor = -size * 0.35;
        let boulder = boulder
            .rot(rng.between(0.0, 0.6), rng.between(0.0, 6.0), 0.0)
            .map(|p| vec3(p.x, p.y.max(floor), p.z));
        let boulder = if rng.chance(0.75) { boulder.flat() } else { boulder };
        b.add("rock", boulder.at(at.x, -floor, at.z), paint);
    }
    b.main(paint);
    if count > 1 {
        b.kind("pile of rocks");
    }
    b.done()
}

fn log(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.paint_of(&["brown", "dark brown", "tan"], Stuff::Wood);
    let inside = rng.paint_of(&["tan", "beige", "cream"], Stuff::Wood);
    let pile = rng.chance(0.3);
    let (r, l) = (rng.between(0.12, 0.22), rng.between(0.7, 1.4));
    let n = b.n.max(7);
    let one = |at: Vec3, b: &mut Builder| {
        let along = |s: Solid| s.at(0.0, -l / 2.0, 0.0).rot_z(QUARTER).moved(at + Vec3::Y * r);
        b.add("bark", along(cylinder(r, l, n)), wood);
        b.add("cut", along(cylinder(r * 0.86, l * 1.012, n).at(0.0, -l * 0.006, 0.0)), inside);
        b.add("rings", along(cylinder(r * 0.4, l * 1.02, n).at(0.0, -l * 0.01, 0.0)), inside.shade(0.75));
    };
    if pile {
        for (y, z) in [(0.0, -1.0), (0.0, 1.0), (1.72, 0.0)] {
            one(vec3(0.0, y * r, z * r), &mut b);
        }
        b.kind("pile of logs");
    } else {
        one(Vec3::ZERO, &mut b);
        if rng.chance(0.5) {
            let branch =
                stake(vec3(l * 0.15, r * 1.5, 0.0), vec3(l * 0.3, r * 2.9, r * 0.4), r * 0.3, r * 0.22, 6);
            b.add("branch", branch, wood);
            b.has("a branch");
        }
    }
    b.main(wood);
    b.done()
}

fn stump(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.paint_of(&["brown", "dark brown", "tan"], Stuff::Wood);
    let inside = rng.paint_of(&["tan", "beige", "cream"], Stuff::Wood);
    let (r, h) = (rng.between(0.22, 0.35), rng.between(0.2, 0.5));
    let n = b.n.max(7);
    b.add("bark", lathe(&[vec2(r * 1.3, 0.0), vec2(r * 1.05, h * 0.35), vec2(r, h)], n), wood);
    b.add("cut", cylinder(r * 0.88, 0.012, n).at(0.0, h - 0.002, 0.0), inside);
    b.add("rings", cylinder(r * 0.45, 0.016, n).at(0.0, h - 0.002, 0.0), inside.shade(0.75));
    let root =
        stake(vec3(r * 0.7, h * 0.3, 0.0), vec3(r * rng.between(1.5, 2.1), 0.0, 0.0), r * 0.3, r * 0.06, 6);
    b.add("roots", root.around_y(rng.count(3, 5)), wood);
    b.main(wood);
    b.has("roots");
    b.done()
}
