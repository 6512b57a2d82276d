//! What flies, swims and runs on rails or two wheels.

use glam::{Vec3, vec2, vec3};

use super::Category;
use super::kit::*;
use super::vehicles::{side_profile, vehicle, wedge, wheel_at};

pub(super) const CATEGORIES: &[Category] = &[
    vehicle("airplane", &["plane", "aeroplane", "aircraft"], airplane),
    vehicle("helicopter", &["chopper"], helicopter),
    vehicle("boat", &["ship"], boat),
    vehicle("submarine", &["sub"], submarine),
    vehicle("spaceship", &["spacecraft", "starship"], spaceship),
    vehicle("rocket", &["space rocket"], rocket),
    vehicle("hot air balloon", &["balloon"], hot_air_balloon),
    vehicle("train", &["locomotive"], train),
    vehicle("bicycle", &["bike"], bicycle),
    vehicle("motorcycle", &["motorbike"], motorcycle),
    vehicle("wheel", &["tire", "car wheel"], wheel),
];

/// A flat plate seen from above, of (x, z) points.
fn deck_plate(points: &[(f32, f32)], thickness: f32) -> Solid {
    extrude(&outline(points), thickness).rot_x(QUARTER)
}

/// A right wing or fin: root along z from `root[0]` back to `root[1]`, tip of `span` away, swept and raised.
fn wing(root: [f32; 2], span: f32, tip: [f32; 2], rise: f32, thickness: f32) -> Solid {
    deck_plate(&[(0.0, root[0]), (0.0, root[1]), (span, tip[1]), (span, tip[0])], thickness)
        .map(|p| p + Vec3::Y * rise * p.x)
}

fn airplane(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(
        &["white", "white", "light gray", "red", "blue", "yellow", "gray", "green", "orange"],
        Stuff::Plain,
    );
    let accent =
        rng.paint_of(&["red", "blue", "dark gray", "orange", "navy", "white", "yellow"], Stuff::Plain);
    match rng.index(5) {
        0 | 1 => airliner(rng, &mut b, paint, accent),
        2 | 3 => propeller_plane(rng, &mut b, paint, accent),
        _ => fighter(rng, &mut b, accent),
    }
    b.colored(paint);
    b.has("wings");
    b.done()
}

fn fuselage(b: &Builder, length: f32, r: f32, blunt: f32) -> Solid {
    let at = |t: f32, s: f32, y: f32| ring(0.0, y * r, t * length, s * r, s * r);
    loft(
        &[
            at(-0.5, 0.12, 0.55),
            at(-0.38, 0.45, 0.35),
            at(-0.2, 0.9, 0.08),
            at(0.0, 1.0, 0.0),
            at(0.3, 1.0, 0.0),
            at(0.42, 0.55 + 0.3 * blunt, -0.05),
            at(0.48, 0.25 + 0.3 * blunt, -0.1),
            at(0.5, 0.08 + 0.2 * blunt, -0.12),
        ],
        b.n.max(8),
    )
}

fn tail_fins(b: &mut Builder, length: f32, r: f32, size: f32, paint: Paint) {
    let z = -length * 0.5;
    let upright = side_profile(
        &[
            (z + size * 0.1, r * 0.5),
            (z + size * 1.1, r * 0.7),
            (z + size * 0.35, r * 0.6 + size),
            (z - size * 0.1, r * 0.6 + size),
        ],
        r * 0.16,
    );
    b.add("tail fin", upright, paint);
    let flat = wing(
        [z + size * 0.8, z + size * 0.1],
        size * 1.05,
        [z + size * 0.3, z - size * 0.05],
        0.08,
        r * 0.14,
    );
    b.add("tailplane", flat.at(0.0, r * 0.5, 0.0).both_x(), paint);
}

fn airliner(rng: &mut Rng, b: &mut Builder, paint: Paint, accent: Paint) {
    let l = rng.between(14.0, 30.0);
    let r = l * rng.between(0.055, 0.105);
    b.add("fuselage", fuselage(b, l, r, rng.between(0.2, 1.0)), paint);
    let (span, sweep) = (l * rng.between(0.38, 0.52), l * rng.between(0.12, 0.25));
    let chord = l * rng.between(0.17, 0.24);
    let (front, back) = (l * 0.1, l * 0.1 - chord);
    let main = wing([front, back], span, [front - sweep, front - sweep - chord * 0.35], 0.1, r * 0.18);
    b.add("wings", main.at(0.0, -r * 0.4, 0.0).both_x(), paint);
    tail_fins(b, l, r, l * rng.between(0.13, 0.18), accent);
    let count = rng.count(1, 2);
    for i in 0..count {
        let t = 0.33 + 0.27 * i as f32;
        let at = vec3(span * t, -r * 0.8 + span * t * 0.1, front - sweep * t - chord * 0.05);
        let engine =
            frustum(r * 0.28, r * 0.36, r * 1.3, b.n.max(8)).rot_x(QUARTER).moved(at - Vec3::Z * r * 0.4);
        b.add("engines", engine.both_x(), accent);
    }
    let glass = rng.paint_of(&["black", "dark gray", "light blue"], Stuff::Glass);
    let panes = (l / r * 0.8) as usize;
    let step = l * 0.6 / panes as f32;
    let row = cuboid(r * 0.06, r * 0.2, step * 0.45)
        .at(r * 0.97, r * 0.18, -l * 0.26)
        .repeat(panes, vec3(0.0, 0.0, step));
    b.add("windows", row.both_x(), glass);
    b.add("cockpit", ellipsoid(r * 0.55, r * 0.28, r * 0.5, 8).at(0.0, r * 0.32, l * 0.425), glass);
    b.kind("jet");
    b.has("jet engines");
}

fn propeller_plane(rng: &mut Rng, b: &mut Builder, paint: Paint, accent: Paint) {
    let l = rng.between(5.5, 8.0);
    let r = l * rng.between(0.07, 0.12);
    let dark = rng.paint_of(&["dark gray", "black"], Stuff::Plain);
    b.add("fuselage", fuselage(b, l, r, 1.0), paint);
    let (span, chord) = (l * rng.between(0.48, 0.66), l * rng.between(0.17, 0.24));
    let top = rng.chance(0.4);
    let biplane = !top && rng.chance(0.4);
    let plate = wing([l * 0.22, l * 0.22 - chord], span, [l * 0.2, l * 0.21 - chord * 0.85], 0.04, r * 0.16);
    let plate = plate.both_x();
    b.add("wings", plate.clone().at(0.0, if top { r * 1.05 } else { -r * 0.5 }, 0.0), accent);
    if biplane {
        b.add("upper wings", plate.at(0.0, r * 1.9, 0.0), accent);
        let strut = cylinder(r * 0.06, r * 2.4, 5).at(span * 0.6, -r * 0.4, 0.0);
        b.add(
            "struts",
            strut.clone().at(0.0, 0.0, l * 0.16).join(strut.at(0.0, 0.0, l * 0.22 - chord * 0.8)).both_x(),
            dark,
        );
        b.kind("biplane");
    } else {
        b.kind("propeller plane");
    }
    tail_fins(b, l, r, l * 0.15, accent);
    let nose = vec3(0.0, -r * 0.12, l * 0.5);
    b.add("spinner", cone(r * 0.28, r * 0.5, b.n.max(6)).rot_x(QUARTER).moved(nose), dark);
    let blades = rng.count(2, 4);
    let blade = b.block(r * 0.24, r * 1.5, r * 0.08);
    let prop = Solid::union(
        (0..blades).map(|i| blade.clone().rot_z(std::f32::consts::TAU * i as f32 / blades as f32)),
    );
    b.add("propeller", prop.rot_z(0.4).moved(nose + Vec3::Z * r * 0.2), dark);
    let glass = rng.paint_of(&["light blue", "dark gray"], Stuff::Glass);
    b.add("canopy", ellipsoid(r * 0.62, r * 0.65, l * 0.12, 10).at(0.0, r * 0.75, l * 0.1), glass);
    let wheel = cylinder(r * 0.35, r * 0.25, 10).rot_z(QUARTER).at(r * 0.85, -r * 1.6, l * 0.27);
    b.add("wheels", wheel.both_x(), dark);
    b.add(
        "gear",
        rod(vec3(r * 0.4, -r * 0.6, l * 0.25), vec3(r * 0.75, -r * 1.6, l * 0.27), r * 0.07, 5).both_x(),
        dark,
    );
    b.has("a propeller");
}

fn fighter(rng: &mut Rng, b: &mut Builder, accent: Paint) {
    let l = rng.between(10.0, 16.0);
    let r = l * rng.between(0.045, 0.065);
    let gray = rng.paint_of(&["gray", "light gray", "dark green", "dark gray", "navy"], Stuff::Metal);
    let body = [
        ring(0.0, 0.0, -l * 0.5, r * 0.9, r * 0.8),
        ring(0.0, 0.0, -l * 0.2, r * 1.35, r),
        ring(0.0, 0.0, l * 0.12, r * 1.1, r),
        ring(0.0, 0.0, l * 0.35, r * 0.55, r * 0.55),
        ring(0.0, -r * 0.1, l * 0.5, r * 0.05, r * 0.05),
    ];
    b.add("fuselage", loft(&body, b.n.max(6)), gray);
    let span = l * rng.between(0.28, 0.38);
    let sweep = l * rng.between(0.2, 0.32);
    b.add(
        "wings",
        wing([l * 0.12, -l * 0.36], span, [l * 0.12 - sweep, -l * 0.33], 0.0, r * 0.2)
            .at(0.0, r * 0.1, 0.0)
            .both_x(),
        gray,
    );
    tail_fins(b, l, r, l * 0.15, gray);
    let canopy = ellipsoid(r * 0.55, r * 0.6, l * 0.1, 10).at(0.0, r * 0.75, l * 0.2);
    b.add("canopy", canopy, rng.paint_of(&["gold", "light blue", "black"], Stuff::Glass));
    b.add(
        "nozzle",
        frustum(r * 0.7, r * 0.6, l * 0.06, b.n.max(8)).rot_x(-QUARTER).at(0.0, 0.0, -l * 0.49),
        accent.shade(0.4),
    );
    b.kind("fighter jet");
}

fn helicopter(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng
        .paint_of(&["red", "blue", "yellow", "white", "orange", "dark green", "gray", "black"], Stuff::Plain);
    let dark = rng.paint_of(&["dark gray", "black"], Stuff::Metal);
    let glass = rng.paint_of(&["light blue", "dark gray", "black"], Stuff::Glass);
    let (r, l) = (rng.between(0.85, 1.15), rng.between(1.5, 2.2));
    let cabin = loft(
        &[
            ring(0.0, r * 0.35, -l, r * 0.25, r * 0.25),
            ring(0.0, r * 0.1, -l * 0.6, r * 0.8, r * 0.8),
            ring(0.0, 0.0, 0.0, r, r),
            ring(0.0, -r * 0.1, l * 0.5, r * 0.85, r * 0.78),
            ring(0.0, -r * 0.25, l * 0.85, r * 0.4, r * 0.35),
        ],
        b.n.max(8),
    );
    b.add("cabin", cabin, paint);
    b.add("windshield", ellipsoid(r * 0.82, r * 0.55, l * 0.45, 12).at(0.0, r * 0.12, l * 0.42), glass);
    let tail = rng.between(2.6, 3.6);
    let end = vec3(0.0, r * 0.65, -l - tail);
    b.add("tail boom", stake(vec3(0.0, r * 0.35, -l * 0.7), end, r * 0.3, r * 0.12, b.small()), paint);
    b.add(
        "tail fin",
        side_profile(&[(-0.1, 0.0), (0.5, 0.0), (0.0, 1.0), (-0.4, 1.0)], 0.1).scaled(r).moved(end),
        paint,
    );
    let spin = cuboid(r * 0.06, r * 1.3, r * 0.12).at(0.0, -r * 0.65, 0.0);
    b.add(
        "tail rotor",
        spin.clone().join(spin.rot_x(QUARTER)).rot_x(0.5).at(r * 0.18, 0.0, 0.0).moved(end),
        dark,
    );
    b.add("mast", cylinder(r * 0.12, r * 0.5, 8).at(0.0, r * 0.9, -l * 0.1), dark);
    let (blades, reach) = (rng.pick(&[2, 4, 4, 3]), rng.between(3.0, 4.2));
    let blade = cuboid(r * 0.24, r * 0.06, reach).at(0.0, r * 1.38, reach / 2.0);
    b.add("rotor", blade.around_y(blades).rot_y(rng.between(0.0, 1.5)).at(0.0, 0.0, -l * 0.1), dark);
    let skid = capsule(vec3(r * 0.85, -r * 1.4, -l * 0.8), vec3(r * 0.85, -r * 1.4, l * 0.7), r * 0.07, 8);
    let strut = |z: f32| rod(vec3(r * 0.5, -r * 0.6, z), vec3(r * 0.85, -r * 1.4, z), r * 0.05, 5);
    b.add("skids", skid.join(strut(-l * 0.4)).join(strut(l * 0.3)).both_x(), dark);
    b.colored(paint);
    b.has("a rotor");
    b.has("landing skids");
    b.done()
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
    b.done()
}

fn add_hull(b: &mut Builder, l: f32, w: f32, h: f32, stern: f32, [outside, inside]: [Paint; 2], deck: f32) {
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
    let outside = if rng.chance(0.5) { wood } else { rng.painted(Stuff::Wood) };
    let (l, w, h) = (rng.between(2.6, 4.0), rng.between(0.55, 0.8), rng.between(0.4, 0.6));
    add_hull(b, l, w, h, rng.between(0.4, 0.75), [outside, wood.shade(0.8)], 0.0);
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
        b.add("oars", oar.both_x(), wood);
        b.has("oars");
    }
    b.main(outside);
    b.kind("rowboat");
    b.has("benches");
}

fn sailboat(rng: &mut Rng, b: &mut Builder) {
    let wood = rng.wood();
    let outside = if rng.chance(0.4) {
        wood
    } else {
        rng.paint_of(&["white", "blue", "red", "navy", "green", "yellow"], Stuff::Plain)
    };
    let sail =
        rng.paint_of(&["white", "white", "cream", "red", "orange", "light blue", "yellow"], Stuff::Fabric);
    let (l, w, h) = (rng.between(4.0, 7.0), rng.between(0.7, 1.1), rng.between(0.6, 0.9));
    add_hull(b, l, w, h, rng.between(0.5, 0.8), [outside, wood], 0.85);
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
        b.add("flag", cuboid(0.03, 0.25, 0.5).at(0.0, tall + h * 0.5, -0.2), rng.paint("red", Stuff::Fabric));
        b.has("a flag");
    }
    b.colored(outside);
    b.kind("sailboat");
    b.has_colored("sail", sail);
    b.has("a mast");
}

fn motorboat(rng: &mut Rng, b: &mut Builder) {
    let outside = rng.paint_of(&["white", "red", "blue", "navy", "yellow", "orange"], Stuff::Plain);
    let deck = rng.paint_of(&["white", "beige", "tan", "light gray"], Stuff::Plain);
    let dark = rng.paint_of(&["dark gray", "black"], Stuff::Plain);
    let (l, w, h) = (rng.between(4.5, 6.5), rng.between(0.9, 1.2), rng.between(0.7, 0.95));
    add_hull(b, l, w, h, 0.85, [outside, deck], 0.75);
    let glass = rng.paint_of(&["light blue", "dark gray"], Stuff::Glass);
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
        b.has("a cabin");
    } else {
        b.add(
            "windshield",
            wedge([w * 1.6, l * 0.1, l * 0.13, h * 0.9], [w * 1.3, l * 0.0, l * 0.02, h * 1.45]),
            glass,
        );
    }
    b.add("seats", b.block(w * 0.7, h * 0.5, 0.5).at(w * 0.4, h * 0.6, -l * 0.2).both_x(), dark);
    b.add("motor", b.block(0.35, 0.8, 0.4).at(0.0, h * 0.4, -l * 0.53), dark);
    b.colored(outside);
    b.kind("motorboat");
    b.has("a motor");
}

fn steamer(rng: &mut Rng, b: &mut Builder) {
    let outside = rng.paint_of(&["white", "navy", "black", "red", "blue", "dark gray"], Stuff::Plain);
    let white = rng.paint_of(&["white", "white", "cream", "light gray"], Stuff::Plain);
    let funnel = rng.paint_of(&["red", "orange", "black", "blue", "yellow"], Stuff::Plain);
    let glass = rng.paint_of(&["black", "dark gray", "light blue"], Stuff::Glass);
    let tug = rng.chance(0.4);
    let l = if tug { rng.between(7.0, 9.0) } else { rng.between(18.0, 30.0) };
    let (w, h) = (l * if tug { 0.17 } else { rng.between(0.09, 0.13) }, l * if tug { 0.15 } else { 0.1 });
    add_hull(b, l, w, h, 0.75, [outside, white], 0.9);
    let decks = if tug { 1 } else { rng.count(2, 4) };
    for i in 0..decks {
        let s = 1.0 - 0.17 * i as f32;
        let y = h * (0.9 + 0.42 * i as f32);
        let (depth, z) = (l * if tug { 0.3 } else { 0.6 } * s, -l * 0.06);
        b.add("deckhouse", b.block(w * 1.4 * s, h * 0.42, depth).at(0.0, y, z), white);
        let count = (depth / (h * 0.3)) as usize;
        let row = cuboid(w * 1.43 * s, h * 0.14, h * 0.13).at(0.0, y + h * 0.16, z - depth * 0.45);
        b.add("windows", row.repeat(count, vec3(0.0, 0.0, depth * 0.92 / count.max(1) as f32)), glass);
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
    let stacks = if tug { 1 } else { rng.count(1, 3) };
    for i in 0..stacks {
        let z = -l * 0.14 + (i as f32 - (stacks - 1) as f32 / 2.0) * l * 0.12;
        let r = w * 0.28;
        b.add("funnel", cylinder(r, h * 0.7, b.n.max(8)).at(0.0, top, z), funnel);
        b.add("funnel rim", cylinder(r * 1.02, h * 0.14, b.n.max(8)).at(0.0, top + h * 0.6, z), glass);
    }
    b.add("mast", cylinder(l * 0.006, h * 1.2, 5).at(0.0, top, l * 0.1), glass);
    b.colored(outside);
    b.kind(if tug { "tugboat" } else { "cruise ship" });
    b.has_count(stacks, "funnel", "funnels");
}

fn submarine(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint =
        rng.paint_of(&["yellow", "yellow", "gray", "dark gray", "navy", "red", "orange"], Stuff::Metal);
    let accent = rng.paint_of(&["red", "orange", "dark gray", "silver"], Stuff::Metal);
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
            b.n.max(8),
        ),
        paint,
    );
    let sail = ellipsoid(r * 0.38, r, l * 0.1, b.n.max(8)).at(0.0, r * 1.1, l * 0.06);
    let sail =
        if rng.chance(0.5) { sail } else { b.block(r * 0.6, r * 1.1, l * 0.17).at(0.0, r * 0.7, l * 0.06) };
    b.add("tower", sail, paint);
    let scope =
        [vec3(0.0, r * 1.6, l * 0.06), vec3(0.0, r * 2.6, l * 0.06), vec3(0.0, r * 2.65, l * 0.06 + r * 0.4)];
    b.add("periscope", tube(&scope, r * 0.08, 6), accent);
    let fin = wing([-l * 0.4, -l * 0.49], r * 0.9, [-l * 0.44, -l * 0.5], 0.0, r * 0.1);
    b.add("fins", Solid::union((0..4).map(|i| fin.clone().rot_z(QUARTER * i as f32))), accent);
    let blade = cuboid(r * 0.25, r * 0.55, r * 0.06);
    b.add(
        "propeller",
        Solid::union((0..4).map(|i| blade.clone().rot_z(0.4 + QUARTER * i as f32))).at(0.0, 0.0, -l * 0.52),
        accent,
    );
    if rng.chance(0.6) {
        let ring = cylinder(r * 0.25, r * 0.1, 12).rot_z(-QUARTER).at(r * 0.93, r * 0.15, 0.0);
        let pane = cylinder(r * 0.17, r * 0.14, 12).rot_z(-QUARTER).at(r * 0.93, r * 0.15, 0.0);
        let step = vec3(0.0, 0.0, l * 0.14);
        b.add("porthole rims", ring.at(0.0, 0.0, -l * 0.1).repeat(3, step).both_x(), accent);
        b.add(
            "portholes",
            pane.at(0.0, 0.0, -l * 0.1).repeat(3, step).both_x(),
            rng.paint("light blue", Stuff::Glass),
        );
        b.has("portholes");
    }
    b.main(paint);
    b.has("a periscope");
    b.done()
}

fn spaceship(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(
        &["light gray", "white", "gray", "dark gray", "blue", "red", "orange", "green", "purple"],
        Stuff::Metal,
    );
    let accent =
        rng.paint_of(&["red", "blue", "orange", "yellow", "dark gray", "navy", "white"], Stuff::Metal);
    let glow =
        rng.paint_of(&["light blue", "orange", "yellow", "purple", "light green"], Stuff::Glass).glowing(0.6);
    let glass = rng.paint_of(&["light blue", "dark gray", "black", "teal"], Stuff::Glass);
    if rng.chance(0.22) {
        let (r, h) = (rng.between(2.0, 3.0), rng.between(0.5, 0.9));
        let disk = lathe(
            &[
                vec2(r * 0.25, -h * 0.6),
                vec2(r * 0.8, -h * 0.25),
                vec2(r, 0.0),
                vec2(r * 0.8, h * 0.25),
                vec2(r * 0.4, h * 0.5),
            ],
            b.n.max(12),
        );
        b.add("disk", disk, paint);
        b.add("dome", dome(r * 0.42, r * 0.42, b.n.max(10)).at(0.0, h * 0.42, 0.0), glass);
        let lamps = sphere(r * 0.07, 6).at(0.0, h * 0.12, r * 0.86).around_y(8);
        b.add("lights", lamps, glow);
        if rng.chance(0.5) {
            b.add(
                "legs",
                stake(vec3(0.0, -h * 0.3, r * 0.5), vec3(0.0, -h * 1.5, r * 0.75), 0.07, 0.1, 6).around_y(3),
                accent,
            );
            b.has("three legs");
        }
        b.kind("ufo");
    } else {
        starfighter(rng, &mut b, [paint, accent, glow, glass]);
    }
    b.main(paint);
    b.done()
}

fn starfighter(rng: &mut Rng, b: &mut Builder, [paint, accent, glow, glass]: [Paint; 4]) {
    let l = rng.between(5.0, 9.0);
    let (w, h) = (l * rng.between(0.08, 0.17), l * rng.between(0.06, 0.11));
    let square = rng.pick(&[0.0, 0.4, 0.9]);
    let sides = if square > 0.5 { 4 } else { b.n.max(6) };
    let nose = rng.between(0.08, 0.5);
    let body = [
        ring(0.0, 0.0, -l * 0.45, w * 0.8, h * 0.8),
        ring(0.0, 0.0, -l * 0.3, w, h),
        ring(0.0, 0.0, l * 0.05, w * 0.9, h),
        ring(0.0, -h * 0.15, l * 0.32, w * (0.3 + nose * 0.6), h * 0.6),
        ring(0.0, -h * 0.25, l * 0.5, w * nose, h * 0.2),
    ];
    b.add("hull", loft_square(&body, sides, square), paint);
    b.add(
        "cockpit",
        ellipsoid(w * 0.5, h * 0.65, l * 0.13, 10).at(0.0, h * 0.7, l * rng.between(0.08, 0.2)),
        glass,
    );
    let span = l * rng.between(0.25, 0.6);
    let sweep = l * rng.between(-0.12, 0.3);
    let chord = l * rng.between(0.25, 0.42);
    let rise = rng.between(-0.3, 0.3);
    let front = -l * 0.42 + chord;
    let plate =
        wing([front, -l * 0.42], span, [front - sweep - chord * 0.2, -l * 0.42 - sweep], rise, h * 0.25).at(
            w * 0.5,
            0.0,
            0.0,
        );
    b.add("wings", plate.both_x(), paint);
    let tip = vec3(w * 0.5 + span, rise * span, -l * 0.42 - sweep + chord * 0.3);
    match rng.index(3) {
        0 => b.add(
            "guns",
            rod(tip - Vec3::Z * l * 0.1, tip + Vec3::Z * l * 0.25, h * 0.13, 6).both_x(),
            accent,
        ),
        1 => b.add(
            "winglets",
            side_profile(&[(-0.3, -0.5), (0.35, -0.4), (0.1, 0.9), (-0.3, 0.9)], 0.12)
                .scaled(h * 1.6)
                .moved(tip)
                .both_x(),
            accent,
        ),
        _ => b.add(
            "pods",
            capsule(tip - Vec3::Z * l * 0.12, tip + Vec3::Z * l * 0.14, h * 0.35, 8).both_x(),
            accent,
        ),
    }
    let engines = rng.count(1, 2);
    let r = h * if engines == 1 { 0.8 } else { 0.55 };
    let x = if engines == 1 { 0.0 } else { w * 0.75 };
    let nozzle = frustum(r, r * 0.75, l * 0.16, b.n.max(8)).rot_x(QUARTER).at(x, 0.0, -l * 0.55);
    let flame = cylinder(r * 0.75, 0.06, b.n.max(8)).rot_x(QUARTER).at(x, 0.0, -l * 0.565);
    b.add("engines", if engines == 1 { nozzle } else { nozzle.both_x() }, accent);
    b.add("exhaust", if engines == 1 { flame } else { flame.both_x() }, glow);
    if rng.chance(0.5) {
        b.add(
            "fin",
            side_profile(&[(-0.45, 0.08), (-0.2, 0.08), (-0.38, 0.24), (-0.5, 0.24)], h * 0.2)
                .scale(1.0, l, l),
            accent,
        );
    }
    b.kind("starfighter");
    b.has("wings");
    b.has_count(engines, "engine", "engines");
}

fn rocket(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["white", "white", "light gray", "silver", "red", "blue"], Stuff::Metal);
    let accent = rng.paint_of(&["red", "red", "orange", "blue", "black", "yellow"], Stuff::Metal);
    let r = 1.0;
    let h = rng.between(4.0, 8.5);
    let cartoon = rng.chance(0.55);
    let (foot, belly) = if cartoon { (0.55, 1.15) } else { (1.0, 1.0) };
    let nose = rng.between(1.4, 2.4);
    b.add(
        "body",
        lathe(
            &[vec2(foot * r, 0.0), vec2(belly * r, h * 0.4), vec2(r, h * 0.75), vec2(r * 0.85, h)],
            b.n.max(8),
        ),
        paint,
    );
    b.add(
        "nose",
        lathe(&[vec2(r * 0.86, h - 0.01), vec2(r * 0.55, h + nose * 0.5), vec2(0.0, h + nose)], b.n.max(8)),
        accent,
    );
    let fins = rng.pick(&[3, 4, 4]);
    let size = rng.between(0.8, 1.4);
    let fin = extrude(&outline(&[(0.0, 0.3), (size, -0.7), (size * 1.05, 0.2), (0.1, 1.9)]), 0.15).at(
        r * 0.75,
        0.0,
        0.0,
    );
    b.add("fins", fin.around_y(fins), accent);
    b.add(
        "nozzle",
        frustum(r * 0.65, r * 0.4, 0.5, b.n.max(8)).at(0.0, -0.45, 0.0),
        rng.paint("dark gray", Stuff::Metal),
    );
    let panes = rng.count(0, 2);
    for i in 0..panes {
        let y = h * (0.68 - 0.24 * i as f32);
        b.add("window rim", cylinder(0.4, 0.15, 14).rot_x(QUARTER).at(0.0, y, r * 0.98), accent);
        b.add(
            "window",
            cylinder(0.28, 0.2, 14).rot_x(QUARTER).at(0.0, y, r * 0.98),
            rng.paint("light blue", Stuff::Glass),
        );
    }
    if rng.chance(0.25) {
        let flame = lathe(&[vec2(0.0, -1.9), vec2(0.5, -0.9), vec2(0.45, -0.4)], 8);
        b.add("flame", flame, rng.paint_of(&["orange", "yellow"], Stuff::Plain).glowing(0.5));
        b.has("a flame");
    }
    b.main(paint);
    b.has_colored("nose cone", accent);
    b.has("fins");
    b.done()
}

fn hot_air_balloon(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let [first, second] = [rng.painted(Stuff::Fabric), rng.painted(Stuff::Fabric)];
    let (r, n) = (rng.between(3.0, 4.0), rng.pick(&[8, 12, 16]));
    let y = r * rng.between(1.7, 2.2);
    let profile: Vec<_> =
        [(0.2, -1.25), (0.45, -1.0), (0.78, -0.55), (1.0, 0.1), (0.9, 0.6), (0.55, 0.95), (0.0, 1.08)]
            .map(|(x, h)| vec2(x * r, y + h * r))
            .to_vec();
    let bag = lathe(&profile, n);
    let striped = rng.chance(0.75);
    super::clay::add_split(&mut b, "balloon", &bag, &[first, second], |p, _| {
        let gore = (p.x.atan2(p.z) / std::f32::consts::TAU * n as f32 - 0.5).floor() as i32;
        usize::from(striped && gore.rem_euclid(2) == 0)
    });
    let basket = rng.paint_of(&["brown", "tan", "dark brown"], Stuff::Wood);
    let s = r * 0.36;
    b.add("basket", open_box(s, s * 0.8, s, s * 0.1), basket);
    b.add(
        "rim",
        frame(s * 1.1, s * 1.1, s * 0.12, s * 0.12).rot_x(QUARTER).at(0.0, s * 0.8, -s * 0.55),
        basket.shade(0.7),
    );
    let rope = rod(vec3(s * 0.46, s * 0.8, s * 0.46), vec3(r * 0.16, y - r * 1.2, r * 0.16), r * 0.012, 4);
    b.add("ropes", rope.both_x().both_z(), basket.shade(0.5));
    b.colored(first);
    if striped {
        b.has(format!("{} stripes", second.color.name));
    }
    b.has("a basket");
    b.done()
}

fn train(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["black", "red", "blue", "green", "dark green", "dark red"], Stuff::Metal);
    let accent = rng.paint_of(&["red", "gold", "yellow", "black", "white"], Stuff::Metal);
    let dark = rng.paint_of(&["black", "dark gray"], Stuff::Metal);
    if rng.chance(0.3) {
        let (w, l, h) = (2.6, rng.between(9.0, 14.0), rng.between(2.3, 2.8));
        let profile = [
            (-l / 2.0, 0.6),
            (l / 2.0, 0.6),
            (l / 2.0 + 0.5, 1.2),
            (l / 2.0 - rng.between(0.3, 1.8), 0.6 + h),
            (-l / 2.0, 0.6 + h),
        ];
        b.add("body", side_profile(&profile, w), paint);
        b.add("stripe", cuboid(w * 1.01, 0.25, l).at(0.0, 1.2, 0.0), accent);
        let glass = rng.paint_of(&["black", "light blue", "dark gray"], Stuff::Glass);
        b.add(
            "windows",
            cuboid(w * 1.02, 0.7, 0.9).at(0.0, 1.9, -l * 0.42).repeat(6, vec3(0.0, 0.0, l * 0.14)),
            glass,
        );
        b.add("bogies", cuboid(w * 0.8, 0.6, 2.0).at(0.0, 0.1, l * 0.32).both_z(), dark);
        b.kind(if rng.chance(0.5) { "passenger train" } else { "diesel locomotive" });
        b.colored(paint);
        b.has("windows");
        return b.done();
    }
    let r = rng.between(0.75, 0.95);
    let (l, y) = (rng.between(3.4, 4.4), 1.0 + r);
    b.add("boiler", cylinder(r, l, b.n.max(10)).at(0.0, -l / 2.0, 0.0).rot_x(QUARTER).at(0.0, y, 0.4), paint);
    b.add(
        "smokebox",
        cylinder(r * 1.06, 0.25, b.n.max(10)).rot_x(QUARTER).at(0.0, y, 0.4 + l / 2.0 - 0.2),
        dark,
    );
    let z = -l / 2.0 - 0.35;
    b.add("cab", open_cab(2.1, 2.2).at(0.0, 1.0, z), paint);
    b.add("roof", b.block(2.4, 0.16, 2.1).at(0.0, 3.2, z), accent);
    b.add(
        "chimney",
        lathe(&[vec2(0.24, 0.0), vec2(0.22, 0.6), vec2(0.4, 0.95), vec2(0.34, 1.05)], b.n.max(8)).at(
            0.0,
            y + r * 0.9,
            l * 0.38,
        ),
        dark,
    );
    b.add("dome", dome(0.34, 0.45, b.n.max(8)).at(0.0, y + r * 0.9, 0.2), accent);
    b.add("frame", cuboid(1.8, 0.3, l + 2.4).at(0.0, 0.85, -0.3), accent);
    let catcher = wedge([1.9, l / 2.0 + 0.3, l / 2.0 + 1.2, 0.15], [1.4, l / 2.0 + 0.3, l / 2.0 + 0.6, 0.95]);
    b.add("cowcatcher", catcher, accent);
    let hub = accent;
    for side in [-1.0, 1.0] {
        for i in 0..3 {
            wheel_at(&mut b, 0.55, 0.16, vec3(side * 0.95, 0.0, -1.7 + 1.2 * i as f32), hub, dark);
        }
        wheel_at(&mut b, 0.35, 0.16, vec3(side * 0.95, 0.0, l * 0.5), hub, dark);
        b.add("rod", cuboid(0.06, 0.12, 2.6).at(side * 1.08, 0.5, -0.5), accent);
    }
    b.add(
        "lamp",
        cylinder(0.2, 0.25, 8).rot_x(QUARTER).at(0.0, y + r * 0.75, 0.4 + l / 2.0),
        rng.paint("yellow", Stuff::Glass),
    );
    b.colored(paint);
    b.kind("steam locomotive");
    b.has("a chimney");
    b.has("wheels");
    b.done()
}

fn open_cab(w: f32, h: f32) -> Solid {
    let post = cuboid(0.14, h, 0.14).at(w / 2.0 - 0.07, 0.0, 0.85).both_x().both_z();
    open_box(w, h * 0.5, 1.9, 0.1).join(post).join(cuboid(w, h, 0.1).at(0.0, 0.0, 0.9))
}

fn spoked(b: &mut Builder, at: Vec3, r: f32, [tire, metal]: [Paint; 2]) {
    let turn = |s: Solid| s.rot_z(QUARTER).moved(at);
    b.add("tire", turn(torus(r, r * 0.07, 20, 6)), tire);
    let spokes = Solid::union((0..8).map(|i| {
        cuboid(r * 0.025, r * 1.9, r * 0.025).at(0.0, -r * 0.95, 0.0).rot_x(HALF_TURN * i as f32 / 8.0)
    }));
    b.add("spokes", spokes.moved(at), metal);
    b.add("hub", turn(cylinder(r * 0.09, r * 0.25, 8).at(0.0, -r * 0.125, 0.0)), metal);
}

fn bicycle(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.painted(Stuff::Metal);
    let tire = rng.paint_of(&["black", "black", "dark gray"], Stuff::Plain);
    let metal = rng.paint_of(&["silver", "gray", "light gray"], Stuff::Metal);
    let r = rng.between(0.3, 0.36);
    let half = rng.between(0.5, 0.58);
    spoked(&mut b, vec3(0.0, r, half), r, [tire, metal]);
    spoked(&mut b, vec3(0.0, r, -half), r, [tire, metal]);
    let (rear, front) = (vec3(0.0, r, -half), vec3(0.0, r, half));
    let crank = vec3(0.0, r * 0.85, -0.06);
    let seat = vec3(0.0, r + rng.between(0.45, 0.6), -0.24);
    let head = vec3(0.0, r + rng.between(0.4, 0.55), half * 0.66);
    let low = head.lerp(front, 0.22);
    let t = rng.between(0.018, 0.028);
    let mut tubes = rod(crank, seat, t, 6)
        .join(rod(crank, low, t * 1.2, 6))
        .join(rod(seat, rear, t * 0.7, 6))
        .join(rod(crank, rear, t * 0.7, 6));
    let step_through = rng.chance(0.25);
    if !step_through {
        tubes = tubes.join(rod(seat.lerp(crank, 0.08), head, t, 6));
    }
    b.add("frame", tubes.join(rod(head + Vec3::Y * 0.05, front, t, 6)), paint);
    let bar_at = head + vec3(0.0, 0.1, 0.02);
    let grips = if rng.chance(0.4) {
        tube(
            &[
                bar_at,
                bar_at + vec3(0.22, 0.0, 0.02),
                bar_at + vec3(0.23, -0.03, 0.14),
                bar_at + vec3(0.23, -0.16, 0.1),
            ],
            0.015,
            6,
        )
    } else {
        tube(&[bar_at, bar_at + vec3(0.15, 0.05, 0.03), bar_at + vec3(0.3, 0.05, -0.08)], 0.015, 6)
    };
    b.add("handlebar", grips.both_x().join(rod(head, bar_at, 0.018, 6)), metal);
    let saddle = loft(
        &[
            ring(0.0, 0.0, -0.12, 0.08, 0.03),
            ring(0.0, 0.01, 0.0, 0.07, 0.03),
            ring(0.0, 0.0, 0.14, 0.02, 0.02),
        ],
        8,
    );
    b.add("saddle", saddle.moved(seat + Vec3::Y * 0.06), tire);
    b.add("seat post", rod(seat, seat + Vec3::Y * 0.06, t * 0.8, 6), metal);
    b.add("chainring", cylinder(0.09, 0.015, 14).rot_z(QUARTER).moved(crank + Vec3::X * 0.04), metal);
    let arm = |x: f32, up: f32| {
        rod(crank + Vec3::X * x, crank + vec3(x, up * 0.15, up * 0.08), 0.012, 5)
            .join(cuboid(0.09, 0.02, 0.06).moved(crank + vec3(x * 2.0, up * 0.15, up * 0.08)))
    };
    b.add("pedals", arm(0.06, 1.0).join(arm(-0.06, -1.0)), tire);
    if rng.chance(0.2) {
        b.add(
            "basket",
            open_box(0.3, 0.22, 0.24, 0.02).moved(bar_at + vec3(0.0, -0.18, 0.2)),
            rng.paint("brown", Stuff::Wood),
        );
        b.has("a basket");
    }
    b.colored(paint);
    b.has("two wheels");
    b.done()
}

fn motorcycle(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.painted(Stuff::Metal);
    let dark = rng.paint_of(&["black", "dark gray"], Stuff::Plain);
    let metal = rng.paint_of(&["silver", "gray"], Stuff::Metal);
    let r = rng.between(0.3, 0.36);
    let half = rng.between(0.66, 0.78);
    let scooter = rng.chance(0.25);
    let r = if scooter { r * 0.75 } else { r };
    for z in [half, -half] {
        b.add("tire", torus(r * 0.8, r * 0.24, 18, 8).rot_z(QUARTER).at(0.0, r, z), dark);
        b.add(
            "rim",
            cylinder(r * 0.6, r * 0.16, 14).at(0.0, -r * 0.08, 0.0).rot_z(QUARTER).at(0.0, r, z),
            metal,
        );
    }
    let head = vec3(0.0, r + 0.55, half * 0.62);
    b.add("fork", rod(vec3(0.08, r, half), vec3(0.08, head.y + 0.1, head.z - 0.04), 0.03, 6).both_x(), metal);
    if scooter {
        b.add(
            "leg shield",
            wedge([0.4, half * 0.42, half * 0.5, r * 0.9], [0.42, half * 0.5, half * 0.58, r + 0.65]),
            paint,
        );
        b.add("floor", b.block(0.36, 0.1, half * 0.9).at(0.0, r * 0.85, 0.0), paint);
        b.add("rear body", ellipsoid(0.22, 0.28, 0.42, b.n.max(8)).at(0.0, r * 1.7, -half * 0.7), paint);
        b.kind("scooter");
    } else {
        b.add("tank", ellipsoid(0.16, 0.15, 0.3, b.n.max(8)).at(0.0, r + 0.45, half * 0.2), paint);
        b.add("engine", b.block(0.34, 0.36, 0.42).at(0.0, r * 0.7, 0.0), metal);
        b.add(
            "frame",
            rod(head, vec3(0.0, r, -half), 0.04, 6).join(rod(head, vec3(0.0, r * 0.8, 0.15), 0.04, 6)),
            dark,
        );
        let pipe = [vec3(0.16, r * 0.95, 0.2), vec3(0.2, r * 0.6, 0.05), vec3(0.2, r * 0.75, -half * 1.1)];
        b.add("exhaust", tube_with(&pipe, |t| 0.04 + 0.03 * t, 8), metal);
    }
    let saddle = loft(
        &[
            ring(0.0, r + 0.48, -half * 1.05, 0.1, 0.05),
            ring(0.0, r + 0.42, -half * 0.5, 0.15, 0.06),
            ring(0.0, r + 0.42, half * 0.02, 0.1, 0.05),
        ],
        8,
    );
    b.add("seat", saddle, dark);
    let grip = tube(
        &[head + Vec3::Y * 0.12, head + vec3(0.2, 0.2, -0.02), head + vec3(0.36, 0.18, -0.14)],
        0.022,
        6,
    );
    b.add("handlebar", grip.both_x(), metal);
    b.add(
        "headlight",
        sphere(0.12, 10).moved(head + vec3(0.0, 0.02, 0.16)),
        rng.paint_of(&["white", "yellow"], Stuff::Glass),
    );
    let fender = |z: f32| {
        lathe_loop(
            &[vec2(r * 1.08, -0.09), vec2(r * 1.14, -0.09), vec2(r * 1.14, 0.09), vec2(r * 1.08, 0.09)],
            16,
        )
        .rot_z(QUARTER)
        .at(0.0, r, z)
    };
    let arcs = super::clay::split(&fender(half).join(fender(-half)), 2, |p, _| usize::from(p.y < r * 1.35));
    b.add("fenders", arcs.into_iter().next().unwrap_or_default(), paint);
    b.colored(paint);
    b.has("two wheels");
    b.done()
}

fn wheel(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let r = rng.between(0.3, 0.5);
    let w = r * rng.between(0.35, 0.65);
    if rng.chance(0.35) {
        let wood = rng.wood();
        let n = b.n.max(12);
        b.add("rim", washer(r, r * 0.86, w * 0.35, n).rot_x(QUARTER).at(0.0, r, 0.0), wood);
        let count = rng.pick(&[6, 8, 10, 12]);
        let spoke = Solid::union((0..count).map(|i| {
            cuboid(r * 0.07, r * 0.9, r * 0.07).rot_z(std::f32::consts::TAU * i as f32 / count as f32)
        }));
        b.add("spokes", spoke.at(0.0, r, -w * 0.17), wood);
        b.add("hub", cylinder(r * 0.17, w * 0.7, n).rot_x(QUARTER).at(0.0, r, -w * 0.5), wood.shade(0.7));
        b.main(wood);
        b.kind("wagon wheel");
        b.has("spokes");
        return b.done();
    }
    let dark = rng.paint_of(&["black", "black", "dark gray"], Stuff::Plain);
    let metal = rng.paint_of(&["silver", "light gray", "gray", "white"], Stuff::Metal);
    let tire = lathe_loop(
        &[
            vec2(r * 0.62, -w / 2.0),
            vec2(r * 0.92, -w / 2.0),
            vec2(r, -w * 0.35),
            vec2(r, w * 0.35),
            vec2(r * 0.92, w / 2.0),
            vec2(r * 0.62, w / 2.0),
        ],
        b.n.max(14),
    );
    b.add("tire", tire.rot_x(QUARTER).at(0.0, r, 0.0), dark);
    b.add(
        "rim",
        cylinder(r * 0.63, w * 0.5, b.n.max(14)).rot_x(QUARTER).at(0.0, r, -w * 0.25),
        metal.shade(0.6),
    );
    let count = rng.count(5, 7);
    let spoke =
        Solid::union((0..count).map(|i| {
            cuboid(r * 0.14, r * 0.6, w * 0.1).rot_z(std::f32::consts::TAU * i as f32 / count as f32)
        }));
    b.add("spokes", spoke.at(0.0, r, w * 0.3), metal);
    b.add("hub", cylinder(r * 0.15, w * 0.2, 10).rot_x(QUARTER).at(0.0, r, w * 0.22), metal);
    b.colored(dark);
    b.has("a metal rim");
    b.done()
}
