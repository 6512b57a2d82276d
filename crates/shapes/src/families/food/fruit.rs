//! Fruit, whole, cut and in bunches.

use glam::{Vec3, vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("apple", &[], "food", apple),
    Category::new("orange", &["orange fruit", "tangerine"], "food", orange),
    Category::new("pear", &[], "food", pear),
    Category::new("banana", &[], "food", banana),
    Category::new("strawberry", &[], "food", strawberry),
    Category::new("watermelon", &["melon"], "food", watermelon),
    Category::new("lemon", &["lime"], "food", lemon),
    Category::new("cherry", &["cherries"], "food", cherry),
    Category::new("grapes", &["bunch of grapes"], "food", grapes),
    Category::new("pineapple", &[], "food", pineapple),
];

/// A short brown stem that leans a little.
pub(crate) fn stem(r: &mut Rng, b: &mut Builder, y: f32, length: f32, thick: f32) {
    let brown = r.paint_of(&["brown", "dark brown"], MaterialKind::Plain);
    let lean = r.between(-0.4, 0.4) * length;
    b.add("stem", tapered_rod(vec3(0.0, y, 0.0), vec3(lean, y + length, 0.0), thick, thick * 0.8, 6), brown);
}

fn green_leaf(r: &mut Rng, b: &mut Builder, at: Vec3, length: f32) {
    let green = r.paint_of(&["green", "light green", "dark green"], MaterialKind::Plain);
    let turn = r.between(0.0, 2.0 * PI);
    b.add("leaf", leaf(length, length * 0.5, length * 0.3, 0.2).rot_y(turn).translated(at), green);
    b.part("a leaf");
}

fn apple(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint =
        r.paint_of(&["red", "red", "dark red", "green", "light green", "yellow"], MaterialKind::Plain);
    b.main_color(paint);
    let s = r.between(0.034, 0.042);
    let dip = r.between(0.05, 0.3);
    let narrow = r.between(0.55, 0.8);
    let profile = smooth_outline(
        &[
            (0.0, 0.12),
            (0.35 * narrow, 0.02),
            (0.75 * narrow + 0.1, 0.3),
            (1.0, 1.05),
            (0.82, 1.6),
            (0.38, 1.8),
            (0.0, 1.75 - dip),
        ],
        3,
    );
    b.add("flesh", lathe(&profile, b.segments.max(7)).scaled(s), paint);
    let stem_length = s * r.between(0.35, 0.6);
    stem(r, &mut b, s * (1.7 - dip), stem_length, s * 0.06);
    b.part("a stem");
    if r.chance(0.6) {
        green_leaf(r, &mut b, vec3(0.0, s * 1.85, 0.0), s * 0.9);
    }
    b.build()
}

fn orange(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint("orange", MaterialKind::Plain);
    b.main_color(paint);
    let s = r.between(0.035, 0.045);
    if r.chance(0.15) {
        let pale = r.paint_of(&["yellow", "orange", "cream"], MaterialKind::Plain).shade(1.3);
        b.add("peel", dome(s, s, b.segments.max(8)).rot_x(PI), paint);
        b.add("flesh", cylinder(s * 0.9, s * 0.02, b.segments.max(8)), pale);
        b.subcategory("orange half");
        let spoke = cuboid(s * 0.05, s * 0.03, s * 0.85).at(0.0, 0.0, s * 0.45).radial_array_y(8);
        b.add("segments", spoke, paint);
        return b.build();
    }
    let roughness = if r.chance(0.3) { 0.015 * s } else { 0.0 };
    b.add(
        "peel",
        ellipsoid(s, s * r.between(0.88, 1.0), s, b.segments.max(8)).displaced(roughness, r),
        paint,
    );
    if r.chance(0.6) {
        let green = r.paint_of(&["green", "dark green"], MaterialKind::Plain);
        b.add(
            "navel",
            extrude(&star(s * 0.16, s * 0.08, 10), s * 0.06).rot_x(FRAC_PI_2).at(0.0, s * 0.93, 0.0),
            green,
        );
    }
    if r.chance(0.35) {
        green_leaf(r, &mut b, vec3(0.0, s * 0.92, 0.0), s);
    }
    b.adjective("round");
    b.build()
}

fn pear(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["light green", "green", "yellow", "yellow", "brown"], MaterialKind::Plain);
    b.main_color(paint);
    let s = r.between(0.034, 0.04);
    let (neck, tall) = (r.between(0.38, 0.52), r.between(2.5, 3.0));
    let profile = smooth_outline(
        &[
            (0.0, 0.08),
            (0.6, 0.05),
            (1.0, 0.8),
            (0.8, 1.5),
            (neck, tall * 0.75),
            (neck * 0.85, tall * 0.94),
            (0.0, tall),
        ],
        3,
    );
    b.add("flesh", lathe(&profile, b.segments.max(7)).scaled(s), paint);
    stem(r, &mut b, s * tall * 0.98, s * 0.6, s * 0.07);
    b.part("a stem");
    if r.chance(0.4) {
        green_leaf(r, &mut b, vec3(0.0, s * tall, 0.0), s * 0.9);
    }
    b.build()
}

fn banana(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["yellow", "yellow", "yellow", "light green"], MaterialKind::Plain);
    let brown = r.paint_of(&["brown", "dark brown"], MaterialKind::Plain);
    b.main_color(paint);
    let length = r.between(0.16, 0.2);
    let angle = r.between(0.9, 1.7);
    let radius = length / angle;
    let thick = length * r.between(0.08, 0.11);
    let bunch = if r.chance(0.25) { r.int_between(2, 4) } else { 1 };
    let sides = r.choose(&[5, 6, 8, 10]);
    for i in 0..bunch {
        let line: Vec<Vec3> = arc(radius, -angle / 2.0 - FRAC_PI_2, angle / 2.0 - FRAC_PI_2, 9);
        let width = |t: f32| thick * (0.28 + 0.72 * (PI * (t * 0.94 + 0.05)).sin().max(0.0).powf(0.55));
        let turn = 0.35 * i as f32;
        let pull = radius * (angle / 2.0).sin();
        let place = |s: Solid| s.at(-pull, 0.0, 0.0).rot_y(turn).at(pull, 0.0, 0.0);
        b.add("banana", place(tube_with(&line, width, sides)), paint);
        let (a, z) = (line[0], line[line.len() - 1]);
        let out = (z - line[line.len() - 2]).normalize();
        b.add(
            "stem",
            place(tapered_rod(z, z + out * length * 0.1, thick * 0.35, thick * 0.3, 6)),
            if r.chance(0.5) { brown } else { paint },
        );
        b.add("tip", place(sphere(thick * 0.3, 6).translated(a)), brown);
    }
    if bunch > 1 {
        b.subcategory("bunch of bananas");
    }
    if r.chance(0.6) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }
    b.adjective("curved");
    b.build()
}

fn strawberry(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let red = r.paint_of(&["red", "red", "dark red"], MaterialKind::Plain);
    let green = r.paint_of(&["green", "dark green", "light green"], MaterialKind::Plain);
    b.main_color(red);
    let s = 0.018;
    let tall = r.between(2.0, 2.6);
    let profile = smooth_outline(
        &[(0.0, 0.0), (0.35, 0.2), (0.8, tall * 0.5), (1.0, tall * 0.78), (0.7, tall * 0.97), (0.0, tall)],
        3,
    );
    b.add("flesh", lathe(&profile, b.segments.max(7)).scaled(s), red);
    let leaves = r.int_between(4, 7);
    let one = leaf(s * r.between(0.9, 1.2), s * 0.6, -s * r.between(0.1, 0.5), 0.1);
    b.add("leaves", one.radial_array_y(leaves).at(0.0, s * (tall + 0.03), 0.0), green);
    if r.chance(0.6) {
        b.add(
            "stalk",
            tapered_rod(
                vec3(0.0, s * tall, 0.0),
                vec3(s * 0.15, s * (tall + 0.55), 0.0),
                s * 0.07,
                s * 0.06,
                5,
            ),
            green,
        );
    }
    if r.chance(0.55) {
        let seed = r.paint_of(&["yellow", "cream"], MaterialKind::Plain);
        let mut seeds = Solid::default();
        for row in 1..5 {
            let t = 0.15 + 0.17 * row as f32;
            let radius = profile
                .iter()
                .min_by(|a, c| (a.y - t * tall).abs().total_cmp(&(c.y - t * tall).abs()))
                .map_or(0.8, |p| p.x);
            let grain = ellipsoid(s * 0.05, s * 0.09, s * 0.03, 4).at(0.0, s * t * tall, s * radius);
            seeds = seeds.join(grain.radial_array_y(3 + row).rot_y(row as f32));
        }
        b.add("seeds", seeds, seed);
        b.part("seeds");
    }
    b.part("green leaves");
    b.build()
}

fn watermelon(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let rind = r.paint_of(&["green", "dark green"], MaterialKind::Plain);
    let flesh = r.paint_of(&["red", "red", "pink"], MaterialKind::Plain);
    let pale = r.paint_of(&["light green", "white"], MaterialKind::Plain);
    let black = r.paint("black", MaterialKind::Plain);
    let s = r.between(0.11, 0.16);
    let n = b.segments.max(10);
    if r.chance(0.4) {
        let wedge = |radius: f32, depth: f32| {
            let mut rim: Vec<_> = (0..=10)
                .map(|i| PI * i as f32 / 10.0)
                .map(|a| vec2(a.cos() * radius, -a.sin() * radius))
                .collect();
            rim.dedup();
            extrude(&rim, depth)
        };
        let depth = s * r.between(0.25, 0.5);
        b.add("rind", wedge(s, depth), rind);
        b.add("pith", wedge(s * 0.93, depth * 1.02), pale);
        b.add("flesh", wedge(s * 0.86, depth * 1.05), flesh);
        let seeds = (1..7).map(|i| i as f32 / 7.0 * PI).map(|a| {
            ellipsoid(s * 0.025, s * 0.04, depth * 0.55, 5).at(a.cos() * s * 0.55, -a.sin() * s * 0.55, 0.0)
        });
        b.add("seeds", Solid::union(seeds), black);
        b.subcategory("watermelon slice");
        b.main_color(flesh);
        b.part("black seeds");
        if r.chance(0.5) {
            b.transform(glam::Affine3A::from_rotation_x(PI));
        }
        return b.build();
    }
    let long = r.between(1.0, 1.45);
    b.main_color(rind);
    let half = r.chance(0.2);
    let body = if half { dome(s, s, n).rot_x(PI) } else { sphere(s, n) };
    b.add("rind", body.scale(long, 1.0, 1.0), rind);
    if half {
        b.add("flesh", cylinder(s * 0.9, s * 0.03, n).scale(long, 1.0, 1.0), flesh);
        b.subcategory("watermelon half");
    } else {
        let stripe = rind.shade(if r.chance(0.5) { 0.5 } else { 1.7 });
        let arc: Vec<Vec3> =
            arc(1.0, 0.06, PI - 0.06, 10).iter().map(|p| vec3(p.x * s * long, 0.0, p.y * s)).collect();
        let count = r.int_between(6, 10);
        let band = tube_with(&arc, |t| s * 0.1 * (PI * t).sin().max(0.1), 4);
        let bands = (0..count).map(|i| band.clone().rot_x(i as f32 * 2.0 * PI / count as f32));
        b.add("stripes", Solid::union(bands), stripe);
        b.part("stripes");
        if r.chance(0.4) {
            let stalk = r.paint("brown", MaterialKind::Plain);
            b.add(
                "stalk",
                rod(vec3(s * long * 0.95, 0.0, 0.0), vec3(s * long * 1.15, s * 0.08, 0.0), s * 0.04, 5),
                stalk,
            );
        }
    }
    b.build()
}

fn lemon(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let lime = r.chance(0.25);
    let paint = if lime {
        r.paint_of(&["green", "light green"], MaterialKind::Plain)
    } else {
        r.paint("yellow", MaterialKind::Plain)
    };
    b.main_color(paint);
    if lime {
        b.subcategory("lime");
    }
    let s = r.between(0.026, 0.032);
    let profile = smooth_outline(
        &[(0.0, 0.0), (0.2, 0.12), (0.75, 0.5), (1.0, 1.3), (0.75, 2.1), (0.22, 2.45), (0.0, 2.65)],
        2,
    );
    b.add("peel", lathe(&profile, b.segments.max(8)).scaled(s).centered().rot_z(FRAC_PI_2), paint);
    if r.chance(0.3) {
        green_leaf(r, &mut b, vec3(s * 1.3, 0.0, 0.0), s);
    }
    b.build()
}

fn cherry(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["red", "dark red"], MaterialKind::Plain);
    let green = r.paint_of(&["green", "brown", "dark green"], MaterialKind::Plain);
    b.main_color(paint);
    let s = 0.012;
    let top = vec3(0.0, s * r.between(4.0, 5.5), 0.0);
    for x in [-1.25, 1.25] {
        let at = vec3(x * s, if x > 0.0 { s * r.between(0.7, 1.3) } else { s }, 0.0);
        b.add("cherry", sphere(s, b.segments.clamp(8, 14)).translated(at), paint);
        let line =
            curve(&[at + vec3(0.0, s * 0.9, 0.0), at.lerp(top, 0.6) + vec3(x * s * 0.3, 0.0, 0.0), top], 4);
        b.add("stalk", tube(&line, s * 0.08, 5), green);
    }
    if r.chance(0.6) {
        green_leaf(r, &mut b, top, s * 1.8);
    }
    b.part("stems");
    b.build()
}

fn grapes(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["purple", "purple", "light green", "green", "dark red"], MaterialKind::Plain);
    b.main_color(paint);
    let s = 0.01;
    let rows = r.int_between(4, 6);
    let mut bunch = Solid::default();
    for row in 0..rows {
        let count = [1, 3, 5, 6, 7, 6][row.min(5)];
        let out = if count == 1 { 0.0 } else { s * count as f32 * 0.3 };
        let berry = sphere(s * r.between(0.95, 1.1), b.segments.min(8)).at(0.0, row as f32 * s * 1.55, out);
        bunch = bunch.join(berry.radial_array_y(count).rot_y(row as f32));
    }
    let top = rows as f32 * s * 1.55;
    b.add("berries", bunch, paint);
    stem(r, &mut b, top - s, s * 3.0, s * 0.25);
    if r.chance(0.6) {
        green_leaf(r, &mut b, vec3(0.0, top + s, 0.0), s * 4.0);
    }
    b.build()
}

fn pineapple(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["orange", "yellow", "tan", "brown"], MaterialKind::Plain);
    let green = r.paint_of(&["green", "dark green"], MaterialKind::Plain);
    b.main_color(paint);
    let (radius, height) = (r.between(0.055, 0.07), r.between(0.14, 0.2));
    let profile = smooth_outline(
        &[
            (radius * 0.6, 0.0),
            (radius, height * 0.35),
            (radius * 0.95, height * 0.7),
            (radius * 0.45, height),
        ],
        3,
    );
    b.add("fruit", lathe(&profile, b.segments.max(8)), paint);
    if r.chance(0.6) {
        for row in 0..6 {
            let y = height * (0.1 + 0.15 * row as f32);
            let knob = cone(radius * 0.16, radius * 0.14, 4).rot_x(FRAC_PI_2).at(
                0.0,
                y,
                radius * if row == 0 || row == 5 { 0.75 } else { 0.94 },
            );
            b.add("scales", knob.radial_array_y(9).rot_y(row as f32 * 0.35), paint.shade(0.75));
        }
    }
    for (layer, tilt) in [(0, 0.9), (1, 0.55), (2, 0.2)] {
        let blade =
            leaf(radius * 1.7, radius * 0.45, -radius * 0.3, 0.3).rot_x(-FRAC_PI_2 * (1.0 - tilt * 0.6));
        b.add("leaves", blade.radial_array_y(6).rot_y(layer as f32 * 0.5).at(0.0, height * 0.97, 0.0), green);
    }
    b.part("green leaves");
    b.build()
}
