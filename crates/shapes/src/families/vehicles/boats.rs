//! What swims and dives.

use glam::{Vec3, vec3};

use super::vehicle;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] =
    &[vehicle("boat", &["ship"], boat), vehicle("submarine", &["sub"], submarine)];

/// A flat plate seen from above, of (x, z) points.
pub(crate) fn deck_plate(points: &[(f32, f32)], thickness: f32) -> Solid {
    extrude(&outline(points), thickness).rot_x(FRAC_PI_2)
}

/// A right wing or fin: root along z from `root[0]` back to `root[1]`, tip of `span` away, swept and raised.
pub(crate) fn wing(root: [f32; 2], span: f32, tip: [f32; 2], rise: f32, thickness: f32) -> Solid {
    deck_plate(&[(0.0, root[0]), (0.0, root[1]), (span, tip[1]), (span, tip[0])], thickness)
        .map(|p| p + Vec3::Y * rise * p.x)
}

/// A hull, pointed in front: half widths at the deck; open inside when `wall` is above zero.
fn hull(l: f32, w: f32, h: f32, stern: f32) -> Solid {
    let deck = [
        (w * stern, -l * 0.5),
        (w, -l * 0.15),
        (w * 0.95, l * 0.15),
        (w * 0.6, l * 0.36),
        (0.02 * w, l * 0.5),
    ];
    let row = |scale: f32, y: f32, lift: f32| -> Vec<Vec3> {
        let right = deck
            .iter()
            .map(|&(x, z)| vec3(x * scale, y + lift * h * (z / l + 0.5).powi(3), z * (0.86 + 0.14 * scale)));
        let left = deck
            .iter()
            .rev()
            .map(|&(x, z)| vec3(-x * scale, y + lift * h * (z / l + 0.5).powi(3), z * (0.86 + 0.14 * scale)));
        let mut points: Vec<Vec3> = left.chain(right).collect();
        points.extend(points.first().copied());
        points
    };
    let keel = row(0.45, 0.0, 0.0);
    let floor = sheet(&[vec![keel[4]; keel.len()], keel.clone()]);
    sheet(&[keel, row(0.85, h * 0.5, 0.12), row(1.0, h, 0.3)]).join(floor)
}

fn boat(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    match rng.index(6) {
        0 | 1 => rowboat(rng, &mut b),
        2 | 3 => sailboat(rng, &mut b),
        4 => motorboat(rng, &mut b),
        _ => steamer(rng, &mut b),
    }
    b.build()
}

fn add_hull(b: &mut Builder, [l, w, h]: [f32; 3], stern: f32, [outside, inside]: [Paint; 2], deck: f32) {
    b.add("hull", hull(l, w, h, stern), outside);
    b.add("inside", hull(l * 0.93, w * 0.9, h * 0.96, stern).inverted().at(0.0, h * 0.05, 0.0), inside);
    if deck > 0.0 {
        let points = [
            (w * stern, -l * 0.48),
            (w * 0.95, -l * 0.15),
            (w * 0.9, l * 0.15),
            (w * 0.56, l * 0.34),
            (0.0, l * 0.46),
        ];
        let all: Vec<(f32, f32)> =
            points.iter().copied().chain(points.iter().rev().skip(1).map(|&(x, z)| (-x, z))).collect();
        b.add("deck", deck_plate(&all, h * 0.06).at(0.0, h * deck, 0.0), inside);
    }
}

fn rowboat(rng: &mut Rng, b: &mut Builder) {
    let wood = rng.wood();
    let outside = if rng.chance(0.5) { wood } else { rng.painted(MaterialKind::Wood) };
    let (l, w, h) = (rng.between(2.6, 4.0), rng.between(0.55, 0.8), rng.between(0.4, 0.6));
    add_hull(b, [l, w, h], rng.between(0.4, 0.75), [outside, wood.shade(0.8)], 0.0);
    for z in [-0.25, 0.05] {
        b.add("bench", cuboid(w * 1.75, 0.05, 0.25).at(0.0, h * 0.62, z * l), wood);
    }
    if rng.chance(0.65) {
        let oar = rod(vec3(w * 0.6, h * 1.3, 0.0), vec3(w * 2.2, h * 0.5, -l * 0.25), 0.03, 6).join(
            cuboid(0.12, 0.5, 0.03).at(0.0, -0.25, 0.0).along(vec3(1.6 * w, -0.8 * h, -l * 0.25)).at(
                w * 2.3,
                h * 0.45,
                -l * 0.265,
            ),
        );
        b.add("oars", oar.mirrored_x(), wood);
        b.part("oars");
    }
    b.main_paint(outside);
    b.subcategory("rowboat");
    b.part("benches");
}

fn sailboat(rng: &mut Rng, b: &mut Builder) {
    let wood = rng.wood();
    let outside = if rng.chance(0.4) {
        wood
    } else {
        rng.paint_of(&["white", "blue", "red", "navy", "green", "yellow"], MaterialKind::Plain)
    };
    let sail = rng.paint_of(
        &["white", "white", "cream", "red", "orange", "light blue", "yellow"],
        MaterialKind::Fabric,
    );
    let (l, w, h) = (rng.between(4.0, 7.0), rng.between(0.7, 1.1), rng.between(0.6, 0.9));
    add_hull(b, [l, w, h], rng.between(0.5, 0.8), [outside, wood], 0.85);
    let tall = l * rng.between(1.0, 1.35);
    b.add("mast", cylinder(0.07, tall, 8).at(0.0, h * 0.7, l * 0.08), wood);
    let boom = h * 1.5;
    b.add("boom", rod(vec3(0.0, boom, l * 0.08), vec3(0.0, boom, -l * 0.42), 0.05, 6), wood);
    let thick = 0.04;
    let main = side_profile(
        &[(l * 0.05, boom + 0.1), (-l * 0.42, boom + 0.1), (l * 0.05, tall * 0.98 + h * 0.5)],
        thick,
    );
    b.add("main sail", main, sail);
    if rng.chance(0.7) {
        let jib = side_profile(&[(l * 0.12, boom), (l * 0.47, h * 1.3), (l * 0.12, tall * 0.85)], thick);
        b.add("jib", jib, sail.shade(0.9));
    }
    if rng.chance(0.3) {
        b.add(
            "flag",
            cuboid(0.03, 0.25, 0.5).at(0.0, tall + h * 0.5, -0.2),
            rng.paint("red", MaterialKind::Fabric),
        );
        b.part("a flag");
    }
    b.main_color(outside);
    b.subcategory("sailboat");
    b.colored_part("sail", sail);
    b.part("a mast");
}

fn motorboat(rng: &mut Rng, b: &mut Builder) {
    let outside = rng.paint_of(&["white", "red", "blue", "navy", "yellow", "orange"], MaterialKind::Plain);
    let deck = rng.paint_of(&["white", "beige", "tan", "light gray"], MaterialKind::Plain);
    let dark = rng.paint_of(&["dark gray", "black"], MaterialKind::Plain);
    let (l, w, h) = (rng.between(4.5, 6.5), rng.between(0.9, 1.2), rng.between(0.7, 0.95));
    add_hull(b, [l, w, h], 0.85, [outside, deck], 0.75);
    let glass = rng.paint_of(&["light blue", "dark gray"], MaterialKind::Glass);
    if rng.chance(0.5) {
        b.add(
            "cabin",
            wedge([w * 1.3, -l * 0.15, l * 0.2, h * 0.8], [w * 1.05, -l * 0.13, l * 0.1, h * 1.75]),
            deck,
        );
        b.add(
            "windows",
            wedge([w * 1.24, -l * 0.1, l * 0.185, h * 1.2], [w * 1.14, -l * 0.1, l * 0.15, h * 1.6]),
            glass,
        );
        b.part("a cabin");
    } else {
        b.add(
            "windshield",
            wedge([w * 1.6, l * 0.1, l * 0.13, h * 0.9], [w * 1.3, l * 0.0, l * 0.02, h * 1.45]),
            glass,
        );
    }
    b.add("seats", b.block(w * 0.7, h * 0.5, 0.5).at(w * 0.4, h * 0.6, -l * 0.2).mirrored_x(), dark);
    b.add("motor", b.block(0.35, 0.8, 0.4).at(0.0, h * 0.4, -l * 0.53), dark);
    b.main_color(outside);
    b.subcategory("motorboat");
    b.part("a motor");
}

fn steamer(rng: &mut Rng, b: &mut Builder) {
    let outside = rng.paint_of(&["white", "navy", "black", "red", "blue", "dark gray"], MaterialKind::Plain);
    let white = rng.paint_of(&["white", "white", "cream", "light gray"], MaterialKind::Plain);
    let funnel = rng.paint_of(&["red", "orange", "black", "blue", "yellow"], MaterialKind::Plain);
    let glass = rng.paint_of(&["black", "dark gray", "light blue"], MaterialKind::Glass);
    let tug = rng.chance(0.4);
    let l = if tug { rng.between(7.0, 9.0) } else { rng.between(18.0, 30.0) };
    let (w, h) = (l * if tug { 0.17 } else { rng.between(0.09, 0.13) }, l * if tug { 0.15 } else { 0.1 });
    add_hull(b, [l, w, h], 0.75, [outside, white], 0.9);
    let decks = if tug { 1 } else { rng.int_between(2, 4) };
    for i in 0..decks {
        let s = 1.0 - 0.17 * i as f32;
        let y = h * (0.9 + 0.42 * i as f32);
        let (depth, z) = (l * if tug { 0.3 } else { 0.6 } * s, -l * 0.06);
        b.add("deckhouse", b.block(w * 1.4 * s, h * 0.42, depth).at(0.0, y, z), white);
        let count = (depth / (h * 0.3)) as usize;
        let row = cuboid(w * 1.43 * s, h * 0.14, h * 0.13).at(0.0, y + h * 0.16, z - depth * 0.45);
        b.add("windows", row.linear_array(count, vec3(0.0, 0.0, depth * 0.92 / count.max(1) as f32)), glass);
    }
    let top = h * (0.9 + 0.42 * decks as f32);
    if tug {
        b.add("bridge", b.block(w * 1.0, h * 0.5, l * 0.14).at(0.0, top, l * 0.02), white);
        b.add(
            "bridge windows",
            cuboid(w * 1.03, h * 0.2, l * 0.125).at(0.0, top + h * 0.2, l * 0.025),
            glass,
        );
    }
    let stacks = if tug { 1 } else { rng.int_between(1, 3) };
    for i in 0..stacks {
        let z = -l * 0.14 + (i as f32 - (stacks - 1) as f32 / 2.0) * l * 0.12;
        let r = w * 0.28;
        b.add("funnel", cylinder(r, h * 0.7, b.segments.max(8)).at(0.0, top, z), funnel);
        b.add("funnel rim", cylinder(r * 1.02, h * 0.14, b.segments.max(8)).at(0.0, top + h * 0.6, z), glass);
    }
    b.add("mast", cylinder(l * 0.006, h * 1.2, 5).at(0.0, top, l * 0.1), glass);
    b.main_color(outside);
    b.subcategory(if tug { "tugboat" } else { "cruise ship" });
    b.counted_part(stacks, "funnel", "funnels");
}

fn submarine(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng
        .paint_of(&["yellow", "yellow", "gray", "dark gray", "navy", "red", "orange"], MaterialKind::Metal);
    let accent = rng.paint_of(&["red", "orange", "dark gray", "silver"], MaterialKind::Metal);
    let l = rng.between(5.0, 9.0);
    let r = l * rng.between(0.1, 0.2);
    let at = |t: f32, s: f32| ring(0.0, 0.0, t * l, s * r, s * r);
    b.add(
        "hull",
        loft(
            &[
                at(-0.5, 0.12),
                at(-0.42, 0.4),
                at(-0.25, 0.85),
                at(0.0, 1.0),
                at(0.28, 1.0),
                at(0.42, 0.75),
                at(0.49, 0.35),
                at(0.5, 0.1),
            ],
            b.segments.max(8),
        ),
        paint,
    );
    let sail = ellipsoid(r * 0.38, r, l * 0.1, b.segments.max(8)).at(0.0, r * 1.1, l * 0.06);
    let sail =
        if rng.chance(0.5) { sail } else { b.block(r * 0.6, r * 1.1, l * 0.17).at(0.0, r * 0.7, l * 0.06) };
    b.add("tower", sail, paint);
    let scope =
        [vec3(0.0, r * 1.6, l * 0.06), vec3(0.0, r * 2.6, l * 0.06), vec3(0.0, r * 2.65, l * 0.06 + r * 0.4)];
    b.add("periscope", tube(&scope, r * 0.08, 6), accent);
    let fin = wing([-l * 0.4, -l * 0.49], r * 0.9, [-l * 0.44, -l * 0.5], 0.0, r * 0.1);
    b.add("fins", Solid::union((0..4).map(|i| fin.clone().rot_z(FRAC_PI_2 * i as f32))), accent);
    let blade = cuboid(r * 0.25, r * 0.55, r * 0.06);
    b.add(
        "propeller",
        Solid::union((0..4).map(|i| blade.clone().rot_z(0.4 + FRAC_PI_2 * i as f32))).at(0.0, 0.0, -l * 0.52),
        accent,
    );
    if rng.chance(0.6) {
        let ring = cylinder(r * 0.25, r * 0.1, 12).rot_z(-FRAC_PI_2).at(r * 0.93, r * 0.15, 0.0);
        let pane = cylinder(r * 0.17, r * 0.14, 12).rot_z(-FRAC_PI_2).at(r * 0.93, r * 0.15, 0.0);
        let step = vec3(0.0, 0.0, l * 0.14);
        b.add("porthole rims", ring.at(0.0, 0.0, -l * 0.1).linear_array(3, step).mirrored_x(), accent);
        b.add(
            "portholes",
            pane.at(0.0, 0.0, -l * 0.1).linear_array(3, step).mirrored_x(),
            rng.paint("light blue", MaterialKind::Glass),
        );
        b.part("portholes");
    }
    b.main_paint(paint);
    b.part("a periscope");
    b.build()
}
