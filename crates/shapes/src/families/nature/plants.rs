//! Plants, mushrooms, and what is found between them.

use glam::{Vec3, vec2, vec3};

use super::{bark, green, lump, row};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    row("potted plant", &["houseplant", "plant", "flower pot"], potted_plant),
    row("cactus", &["saguaro", "plant"], cactus),
    row("mushroom", &["toadstool", "fungus"], mushroom),
    row("flower", &["blossom", "plant"], flower),
];

/// A pot filled with earth; returns the height and radius of the earth.
fn add_pot(rng: &mut Rng, b: &mut Builder) -> (f32, f32) {
    let style = rng.paint_of(
        &["orange", "brown", "white", "beige", "gray", "tan", "light blue", "copper", "black"],
        MaterialKind::Ceramic,
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
                b.segments,
            ),
            style,
        ),
        1 => {
            let side = r * 1.7;
            b.add("pot", open_box(side, h, side, r * 0.12).taper_y(1.0 / foot), style);
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
                b.segments,
            );
            b.add("pot", body, style);
        }
    }
    let earth = rng.paint_of(&["dark brown", "brown"], MaterialKind::Plain);
    b.add("earth", cylinder(r * 0.88, 0.02, b.segments).at(0.0, h * 0.87, 0.0), earth);
    b.colored_part("pot", style);
    (h * 0.88, r)
}

fn potted_plant(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let (y, r) = add_pot(rng, &mut b);
    let leaves = green(rng);
    match rng.index(7) {
        0 => {
            for _ in 0..rng.int_between(9, 16) {
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
            for _ in 0..rng.int_between(5, 9) {
                let h = rng.between(0.3, 0.6);
                let blade =
                    b.block(rng.between(0.04, 0.07), h, 0.012).taper_y(0.15).rot_x(rng.between(0.0, 0.3));
                b.add(
                    "leaf",
                    blade.rot_y(rng.between(0.0, 6.3)).at(rng.normal() * r * 0.3, y, rng.normal() * r * 0.3),
                    leaves,
                );
            }
            b.subcategory("snake plant");
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
            b.subcategory("potted cactus");
            b.part("spines");
        }
        _ => {
            let h = rng.between(0.35, 0.6);
            b.add(
                "stem",
                tube(&[vec3(0.0, y, 0.0), vec3(0.02, y + h * 0.5, 0.0), vec3(0.0, y + h, 0.02)], 0.014, 5),
                bark(rng),
            );
            for i in 0..rng.int_between(8, 14) {
                let t = rng.between(0.3, 1.0);
                let size = rng.between(0.13, 0.24);
                let blade = leaf(size, size * 0.65, -size * 0.3, 0.15).rot_x(-rng.between(-0.1, 0.6));
                b.add("leaf", blade.rot_y(i as f32 * 2.4).at(0.0, y + h * t, 0.0), leaves);
            }
        }
    }
    b.main_color(leaves);
    b.part("green leaves");
    b.build()
}

fn flowers_in_pot(rng: &mut Rng, b: &mut Builder, y: f32, r: f32, leaves: Paint) {
    let petals =
        rng.paint_of(&["red", "yellow", "pink", "white", "purple", "orange", "cream"], MaterialKind::Plain);
    let tulips = rng.chance(0.5);
    for i in 0..rng.int_between(2, 6) {
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
    b.colored_part("flowers", petals);
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
        b.segments.min(8),
    );
    b.add("blossom", cup.translated(at), paint);
}

fn add_daisy(rng: &mut Rng, b: &mut Builder, at: Vec3, size: f32, paint: Paint, face: Vec3) {
    let count = rng.int_between(5, 9);
    let petal =
        ellipsoid(size * (2.2 / count as f32).min(0.4), size * 0.09, size * 0.5, 6).at(0.0, 0.0, size * 0.6);
    b.add("petals", petal.radial_array_y(count).along(face).translated(at), paint);
    let middle = rng.paint_of(&["yellow", "yellow", "orange", "brown"], MaterialKind::Plain);
    b.add(
        "middle",
        ellipsoid(size * 0.32, size * 0.18, size * 0.32, 8)
            .at(0.0, size * 0.06, 0.0)
            .along(face)
            .translated(at),
        middle,
    );
}

fn add_cactus_body(rng: &mut Rng, b: &mut Builder, at: Vec3, r: f32, h: f32, paint: Paint) {
    let ribs = rng.choose(&[6, 8, 10]);
    let n = ribs * 2;
    let rounded = [(0.8, 0.0), (1.0, 0.2), (1.0, 0.7), (0.8, 0.9), (0.4, 0.98), (0.0, 1.0)];
    let profile: Vec<_> = rounded.map(|(x, y)| vec2(x * r, y * h)).to_vec();
    let deep = if rng.chance(0.6) { 0.88 } else { 1.0 };
    let body = lathe(&profile, n).map(|p| {
        let turn = (p.x.atan2(p.z) / std::f32::consts::TAU * n as f32 - 0.5).round() as i32;
        let s = if turn.rem_euclid(2) == 0 { deep } else { 1.0 };
        vec3(p.x * s, p.y, p.z * s)
    });
    b.add("body", body.translated(at), paint);
    if rng.chance(0.55) {
        let spine = rng.paint_of(&["white", "cream", "yellow", "dark brown"], MaterialKind::Plain);
        let mut spines = Vec::new();
        for i in 0..ribs {
            for k in 0..4 {
                let a = std::f32::consts::TAU * i as f32 / ribs as f32;
                let y = h * (0.2 + 0.19 * k as f32);
                let out = vec3(a.sin(), 0.15, a.cos());
                spines.push(
                    cone(r * 0.04, r * 0.28, 3)
                        .along(out)
                        .translated(at + vec3(out.x * r * 0.92, y, out.z * r * 0.92)),
                );
            }
        }
        b.add("spines", Solid::union(spines), spine);
    }
}

fn cactus(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["green", "green", "dark green", "teal", "light green"], MaterialKind::Plain);
    match rng.index(4) {
        0 | 1 => {
            let (r, h) = (rng.between(0.14, 0.2), rng.between(1.0, 1.7));
            add_cactus_body(rng, &mut b, Vec3::ZERO, r, h, paint);
            let arms = rng.int_between(1, 3);
            for i in 0..arms {
                let a = i as f32 * 2.6 + rng.between(-0.3, 0.3) + FRAC_PI_2;
                let y = h * rng.between(0.3, 0.55);
                let (out, up) = (r * rng.between(2.2, 3.0), h * rng.between(0.25, 0.45));
                let line = [
                    vec3(0.0, y, 0.0),
                    vec3(out * 0.7, y, 0.0),
                    vec3(out, y + r, 0.0),
                    vec3(out, y + up, 0.0),
                ];
                let arm = tube(&curve(&line, 3), r * 0.62, b.segments.max(8))
                    .join(sphere(r * 0.62, 8).translated(line[3]));
                b.add("arm", arm.rot_y(a - FRAC_PI_2), paint);
            }
            b.subcategory("saguaro");
            b.counted_part(arms, "arm", "arms");
        }
        2 => {
            let (y, r) = add_pot(rng, &mut b);
            let count = rng.int_between(1, 4);
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
            let pad = |r: f32| ellipsoid(r, r * 1.35, r * 0.28, b.segments.max(8)).at(0.0, r * 1.25, 0.0);
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
            b.subcategory("prickly pear");
        }
    }
    if rng.chance(0.3) {
        let pink = rng.paint_of(&["pink", "red", "yellow"], MaterialKind::Plain);
        if let Some(top) = b.clone().build().scene.bounds() {
            let size = top.extents().y * 0.05;
            add_daisy(rng, &mut b, vec3(0.0, top.extents().y, 0.0), size, pink, Vec3::Y);
            b.colored_part("flower", pink);
        }
    }
    b.main_color(paint);
    b.build()
}

fn mushroom(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let cap = rng.paint_of(
        &["red", "red", "red", "brown", "brown", "tan", "orange", "beige", "purple", "light blue"],
        MaterialKind::Plain,
    );
    let stem = rng.paint_of(&["white", "cream", "beige"], MaterialKind::Plain);
    let count = if rng.chance(0.75) { 1 } else { rng.int_between(2, 4) };
    let spotted = rng.chance(if cap.color.name == "red" { 0.7 } else { 0.2 });
    for i in 0..count {
        let size = if i == 0 { 1.0 } else { rng.between(0.4, 0.75) } * 0.1;
        let a = i as f32 * 2.3;
        let at = if i == 0 { Vec3::ZERO } else { vec3(a.sin(), 0.0, a.cos()) * 0.11 };
        one_mushroom(rng, &mut b, at, size, [cap, stem], spotted);
    }
    b.main_color(cap);
    b.colored_part("cap", cap);
    if spotted {
        b.part("white spots");
        b.subcategory("toadstool");
    }
    b.build()
}

fn one_mushroom(rng: &mut Rng, b: &mut Builder, at: Vec3, size: f32, [cap, stem]: [Paint; 2], spotted: bool) {
    let (h, r) = (size * rng.between(0.8, 1.6), size * rng.between(0.2, 0.42));
    let foot = r * rng.between(1.0, 1.5);
    let stalk = lathe(&[vec2(foot, 0.0), vec2(r, h * 0.4), vec2(r * 0.85, h * 1.05)], b.segments);
    b.add("stem", stalk.translated(at), stem);
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
    let hat = lathe(&profile, b.segments.max(8));
    let under = stem.shade(0.85);
    add_split(b, "cap", &hat.translated(at + Vec3::Y * h), &[cap, under], |_, n| usize::from(n.y < -0.4));
    if spotted {
        let white = rng.paint("white", MaterialKind::Plain);
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
        b.add("spots", Solid::union(spots).translated(at + Vec3::Y * h), white);
    }
}

fn flower(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let petals = rng
        .paint_of(&["red", "yellow", "pink", "white", "purple", "orange", "light blue"], MaterialKind::Plain);
    let leaves = green(rng);
    let h = rng.between(0.25, 0.5);
    let top = vec3(rng.normal() * 0.03, h, rng.normal() * 0.03);
    b.add("stem", tube(&curve(&[Vec3::ZERO, vec3(0.02, h * 0.5, 0.0), top], 3), 0.01, 6), leaves);
    for i in 0..rng.int_between(1, 3) {
        let long = rng.between(0.12, 0.22);
        let blade = leaf(long, long * 0.4, -long * 0.1, 0.2).rot_x(-0.6).rot_y(i as f32 * 2.6);
        b.add("leaf", blade.at(0.0, h * rng.between(0.1, 0.4), 0.0), leaves);
    }
    let size = rng.between(0.06, 0.12);
    match rng.index(4) {
        0 => {
            add_tulip(&mut b, top, size * 0.8, petals);
            b.subcategory("tulip");
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
                    petal.rot_x(0.0).radial_array_y(5 - ring).rot_y(ring as f32 * 0.6).translated(top),
                    petals.shade(1.0 - 0.12 * ring as f32),
                );
            }
            b.subcategory("rose");
        }
        _ => {
            let face = vec3(0.0, rng.between(0.1, 1.2), 1.0);
            add_daisy(rng, &mut b, top, size, petals, face);
            b.subcategory(if petals.color.name == "yellow" { "sunflower" } else { "daisy" });
        }
    }
    b.main_color(petals);
    b.part("a green stem");
    b.part("petals");
    b.build()
}
