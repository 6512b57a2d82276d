//! Treasures and small things of games.

use glam::{Vec2, Vec3, vec2, vec3};

use super::toys::row;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    row("globe", &["earth", "world globe"], globe),
    row("gem", &["diamond", "crystal", "jewel"], gem),
    row("trophy", &["cup", "award"], trophy),
    row("potion bottle", &["potion", "flask"], potion),
    row("heart", &["love heart"], heart),
    row("star", &["gold star"], star_toy),
];

fn globe(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let sea = rng.paint_of(&["blue", "blue", "light blue", "navy", "beige"], MaterialKind::Plastic);
    let land = rng.paint_of(&["green", "green", "tan", "light green", "brown"], MaterialKind::Plastic);
    let metal = rng.paint_of(&["gold", "silver", "dark brown", "black"], MaterialKind::Metal);
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
    let parts = split(&solid, 2, |p, _| {
        let p = p.normalize_or_zero();
        let wobble = 0.12 * ((p.x * 9.0).sin() + (p.y * 11.0).sin() + (p.z * 10.0).sin());
        usize::from(blobs.iter().any(|(c, size)| c.distance(p) + wobble * 0.8 < *size))
    });
    for (part, paint) in parts.into_iter().zip([sea, land]) {
        b.add("earth", place(part), paint);
    }
    if stand {
        let meridian: Vec<Vec3> = arc(r * 1.13, -FRAC_PI_2, FRAC_PI_2, 14);
        b.add("meridian", place(tube(&meridian, 0.007, 6)), metal);
        b.add("pins", place(cylinder(0.006, r * 2.3, 6).at(0.0, -r * 1.15, 0.0)), metal);
        b.add("post", cylinder(0.012, y - r * 1.05, 8).at(0.0, 0.0, 0.0), metal);
        b.add(
            "foot",
            lathe(
                &[vec2(0.09, 0.0), vec2(0.085, 0.015), vec2(0.03, 0.03), vec2(0.015, 0.06)],
                b.segments.max(10),
            ),
            metal,
        );
        b.part("a stand");
    } else {
        b.subcategory("planet earth");
    }
    b.main_color(sea);
    b.colored_part("continents", land);
    b.build()
}

fn gem(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    b.flat = true;
    let paint = rng.paint_of(
        &["light blue", "red", "green", "blue", "purple", "pink", "yellow", "teal", "white"],
        MaterialKind::Glass,
    );
    let n = rng.choose(&[4, 5, 6, 8, 8, 10]);
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
            b.subcategory("diamond");
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
            b.subcategory("crystal");
        }
        _ => {
            for i in 0..rng.int_between(3, 6) {
                let tall = s * rng.between(1.2, 2.8);
                let r = s * rng.between(0.22, 0.38);
                let crystal = lathe(&[vec2(r * 0.9, 0.0), vec2(r, tall * 0.75), vec2(0.0, tall)], 6).flat();
                b.add(
                    "crystal",
                    crystal.rot_x(if i == 0 { 0.0 } else { rng.between(0.3, 0.7) }).rot_y(i as f32 * 1.4),
                    paint,
                );
            }
            b.subcategory("crystal cluster");
        }
    }
    b.main_paint(paint);
    b.part("sharp facets");
    b.build()
}

fn trophy(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["gold", "gold", "gold", "silver", "bronze"], MaterialKind::Metal);
    let base = rng.paint_of(&["black", "dark brown", "brown", "white"], MaterialKind::Wood);
    let n = b.segments.max(8);
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
        b.add("handles", ear.mirrored_x(), gold);
        b.part("two handles");
    }
    let plate = cuboid(r * 0.9, foot * 0.45, 0.003).at(0.0, foot * 0.28, r * 0.86);
    b.add("plate", plate, gold);
    if rng.chance(0.35) {
        b.add(
            "star",
            extrude(&star(r * 0.45, r * 0.2, 10), r * 0.15).at(0.0, foot + stem + h * 0.6, r * 0.98),
            base,
        );
        b.part("a star");
    }
    b.main_paint(gold);
    b.part("a base");
    b.build()
}

fn potion(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let liquid = rng.paint_of(
        &["red", "blue", "green", "purple", "pink", "orange", "light blue", "yellow"],
        MaterialKind::Glass,
    );
    let glass = rng.paint_of(&["light blue", "white", "light gray"], MaterialKind::Glass);
    let cork = rng.paint_of(&["brown", "tan"], MaterialKind::Wood);
    let n = b.segments.max(8);
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
        let label = rng.paint_of(&["beige", "cream", "white"], MaterialKind::Fabric);
        b.add("label", cylinder(r * 0.36, neck * 0.25, n).at(0.0, top + neck * 0.3, 0.0), label);
    }
    b.main_paint(liquid);
    b.part("a cork");
    b.colored_part("liquid", liquid);
    b.build()
}

fn heart(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let red = rng.paint_of(&["red", "red", "red", "pink", "purple", "gold", "blue"], MaterialKind::Plastic);
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
    b.main_paint(red);
    b.build()
}

fn star_toy(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold =
        rng.paint_of(&["yellow", "gold", "yellow", "silver", "red", "blue", "orange"], MaterialKind::Plastic);
    let points = rng.choose(&[5, 5, 5, 5, 4, 6]);
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
        b.part("eyes");
    }
    b.main_paint(gold);
    b.counted_part(points, "point", "points");
    b.build()
}
