//! What flies.

use glam::{Vec3, vec2, vec3};

use super::boats::wing;
use super::vehicle;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    vehicle("airplane", &["plane", "aeroplane", "aircraft"], airplane),
    vehicle("helicopter", &["chopper"], helicopter),
    vehicle("spaceship", &["spacecraft", "starship"], spaceship),
    vehicle("rocket", &["space rocket"], rocket),
    vehicle("hot air balloon", &["balloon"], hot_air_balloon),
];

fn airplane(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(
        &["white", "white", "light gray", "red", "blue", "yellow", "gray", "green", "orange"],
        MaterialKind::Plain,
    );
    let accent =
        rng.paint_of(&["red", "blue", "dark gray", "orange", "navy", "white", "yellow"], MaterialKind::Plain);
    match rng.index(5) {
        0 | 1 => airliner(rng, &mut b, paint, accent),
        2 | 3 => propeller_plane(rng, &mut b, paint, accent),
        _ => fighter(rng, &mut b, accent),
    }
    b.main_color(paint);
    b.part("wings");
    b.build()
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
        b.segments.max(8),
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
    b.add("tailplane", flat.at(0.0, r * 0.5, 0.0).mirrored_x(), paint);
}

fn airliner(rng: &mut Rng, b: &mut Builder, paint: Paint, accent: Paint) {
    let l = rng.between(14.0, 30.0);
    let r = l * rng.between(0.055, 0.105);
    b.add("fuselage", fuselage(b, l, r, rng.between(0.2, 1.0)), paint);
    let (span, sweep) = (l * rng.between(0.38, 0.52), l * rng.between(0.12, 0.25));
    let chord = l * rng.between(0.17, 0.24);
    let (front, back) = (l * 0.1, l * 0.1 - chord);
    let main = wing([front, back], span, [front - sweep, front - sweep - chord * 0.35], 0.1, r * 0.18);
    b.add("wings", main.at(0.0, -r * 0.4, 0.0).mirrored_x(), paint);
    tail_fins(b, l, r, l * rng.between(0.13, 0.18), accent);
    let count = rng.int_between(1, 2);
    for i in 0..count {
        let t = 0.33 + 0.27 * i as f32;
        let at = vec3(span * t, -r * 0.8 + span * t * 0.1, front - sweep * t - chord * 0.05);
        let engine = frustum(r * 0.28, r * 0.36, r * 1.3, b.segments.max(8))
            .rot_x(FRAC_PI_2)
            .translated(at - Vec3::Z * r * 0.4);
        b.add("engines", engine.mirrored_x(), accent);
    }
    let glass = rng.paint_of(&["black", "dark gray", "light blue"], MaterialKind::Glass);
    let panes = (l / r * 0.8) as usize;
    let step = l * 0.6 / panes as f32;
    let row = cuboid(r * 0.06, r * 0.2, step * 0.45)
        .at(r * 0.97, r * 0.18, -l * 0.26)
        .linear_array(panes, vec3(0.0, 0.0, step));
    b.add("windows", row.mirrored_x(), glass);
    b.add("cockpit", ellipsoid(r * 0.55, r * 0.28, r * 0.5, 8).at(0.0, r * 0.32, l * 0.425), glass);
    b.subcategory("jet");
    b.part("jet engines");
}

fn propeller_plane(rng: &mut Rng, b: &mut Builder, paint: Paint, accent: Paint) {
    let l = rng.between(5.5, 8.0);
    let r = l * rng.between(0.07, 0.12);
    let dark = rng.paint_of(&["dark gray", "black"], MaterialKind::Plain);
    b.add("fuselage", fuselage(b, l, r, 1.0), paint);
    let (span, chord) = (l * rng.between(0.48, 0.66), l * rng.between(0.17, 0.24));
    let top = rng.chance(0.4);
    let biplane = !top && rng.chance(0.4);
    let plate = wing([l * 0.22, l * 0.22 - chord], span, [l * 0.2, l * 0.21 - chord * 0.85], 0.04, r * 0.16);
    let plate = plate.mirrored_x();
    b.add("wings", plate.clone().at(0.0, if top { r * 1.05 } else { -r * 0.5 }, 0.0), accent);
    if biplane {
        b.add("upper wings", plate.at(0.0, r * 1.9, 0.0), accent);
        let strut = cylinder(r * 0.06, r * 2.4, 5).at(span * 0.6, -r * 0.4, 0.0);
        b.add(
            "struts",
            strut
                .clone()
                .at(0.0, 0.0, l * 0.16)
                .join(strut.at(0.0, 0.0, l * 0.22 - chord * 0.8))
                .mirrored_x(),
            dark,
        );
        b.subcategory("biplane");
    } else {
        b.subcategory("propeller plane");
    }
    tail_fins(b, l, r, l * 0.15, accent);
    let nose = vec3(0.0, -r * 0.12, l * 0.5);
    b.add("spinner", cone(r * 0.28, r * 0.5, b.segments.max(6)).rot_x(FRAC_PI_2).translated(nose), dark);
    let blades = rng.int_between(2, 4);
    let blade = b.block(r * 0.24, r * 1.5, r * 0.08);
    let prop = Solid::union(
        (0..blades).map(|i| blade.clone().rot_z(std::f32::consts::TAU * i as f32 / blades as f32)),
    );
    b.add("propeller", prop.rot_z(0.4).translated(nose + Vec3::Z * r * 0.2), dark);
    let glass = rng.paint_of(&["light blue", "dark gray"], MaterialKind::Glass);
    b.add("canopy", ellipsoid(r * 0.62, r * 0.65, l * 0.12, 10).at(0.0, r * 0.75, l * 0.1), glass);
    let wheel = cylinder(r * 0.35, r * 0.25, 10).rot_z(FRAC_PI_2).at(r * 0.85, -r * 1.6, l * 0.27);
    b.add("wheels", wheel.mirrored_x(), dark);
    b.add(
        "gear",
        rod(vec3(r * 0.4, -r * 0.6, l * 0.25), vec3(r * 0.75, -r * 1.6, l * 0.27), r * 0.07, 5).mirrored_x(),
        dark,
    );
    b.part("a propeller");
}

fn fighter(rng: &mut Rng, b: &mut Builder, accent: Paint) {
    let l = rng.between(10.0, 16.0);
    let r = l * rng.between(0.045, 0.065);
    let gray = rng.paint_of(&["gray", "light gray", "dark green", "dark gray", "navy"], MaterialKind::Metal);
    let body = [
        ring(0.0, 0.0, -l * 0.5, r * 0.9, r * 0.8),
        ring(0.0, 0.0, -l * 0.2, r * 1.35, r),
        ring(0.0, 0.0, l * 0.12, r * 1.1, r),
        ring(0.0, 0.0, l * 0.35, r * 0.55, r * 0.55),
        ring(0.0, -r * 0.1, l * 0.5, r * 0.05, r * 0.05),
    ];
    b.add("fuselage", loft(&body, b.segments.max(6)), gray);
    let span = l * rng.between(0.28, 0.38);
    let sweep = l * rng.between(0.2, 0.32);
    b.add(
        "wings",
        wing([l * 0.12, -l * 0.36], span, [l * 0.12 - sweep, -l * 0.33], 0.0, r * 0.2)
            .at(0.0, r * 0.1, 0.0)
            .mirrored_x(),
        gray,
    );
    tail_fins(b, l, r, l * 0.15, gray);
    let canopy = ellipsoid(r * 0.55, r * 0.6, l * 0.1, 10).at(0.0, r * 0.75, l * 0.2);
    b.add("canopy", canopy, rng.paint_of(&["gold", "light blue", "black"], MaterialKind::Glass));
    b.add(
        "nozzle",
        frustum(r * 0.7, r * 0.6, l * 0.06, b.segments.max(8)).rot_x(-FRAC_PI_2).at(0.0, 0.0, -l * 0.49),
        accent.shade(0.4),
    );
    b.subcategory("fighter jet");
}

fn helicopter(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(
        &["red", "blue", "yellow", "white", "orange", "dark green", "gray", "black"],
        MaterialKind::Plain,
    );
    let dark = rng.paint_of(&["dark gray", "black"], MaterialKind::Metal);
    let glass = rng.paint_of(&["light blue", "dark gray", "black"], MaterialKind::Glass);
    let (r, l) = (rng.between(0.85, 1.15), rng.between(1.5, 2.2));
    let cabin = loft(
        &[
            ring(0.0, r * 0.35, -l, r * 0.25, r * 0.25),
            ring(0.0, r * 0.1, -l * 0.6, r * 0.8, r * 0.8),
            ring(0.0, 0.0, 0.0, r, r),
            ring(0.0, -r * 0.1, l * 0.5, r * 0.85, r * 0.78),
            ring(0.0, -r * 0.25, l * 0.85, r * 0.4, r * 0.35),
        ],
        b.segments.max(8),
    );
    b.add("cabin", cabin, paint);
    b.add("windshield", ellipsoid(r * 0.82, r * 0.55, l * 0.45, 12).at(0.0, r * 0.12, l * 0.42), glass);
    let tail = rng.between(2.6, 3.6);
    let end = vec3(0.0, r * 0.65, -l - tail);
    b.add(
        "tail boom",
        tapered_rod(vec3(0.0, r * 0.35, -l * 0.7), end, r * 0.3, r * 0.12, b.few_segments()),
        paint,
    );
    b.add(
        "tail fin",
        side_profile(&[(-0.1, 0.0), (0.5, 0.0), (0.0, 1.0), (-0.4, 1.0)], 0.1).scaled(r).translated(end),
        paint,
    );
    let spin = cuboid(r * 0.06, r * 1.3, r * 0.12).at(0.0, -r * 0.65, 0.0);
    b.add(
        "tail rotor",
        spin.clone().join(spin.rot_x(FRAC_PI_2)).rot_x(0.5).at(r * 0.18, 0.0, 0.0).translated(end),
        dark,
    );
    b.add("mast", cylinder(r * 0.12, r * 0.5, 8).at(0.0, r * 0.9, -l * 0.1), dark);
    let (blades, reach) = (rng.choose(&[2, 4, 4, 3]), rng.between(3.0, 4.2));
    let blade = cuboid(r * 0.24, r * 0.06, reach).at(0.0, r * 1.38, reach / 2.0);
    b.add("rotor", blade.radial_array_y(blades).rot_y(rng.between(0.0, 1.5)).at(0.0, 0.0, -l * 0.1), dark);
    let skid = capsule(vec3(r * 0.85, -r * 1.4, -l * 0.8), vec3(r * 0.85, -r * 1.4, l * 0.7), r * 0.07, 8);
    let strut = |z: f32| rod(vec3(r * 0.5, -r * 0.6, z), vec3(r * 0.85, -r * 1.4, z), r * 0.05, 5);
    b.add("skids", skid.join(strut(-l * 0.4)).join(strut(l * 0.3)).mirrored_x(), dark);
    b.main_color(paint);
    b.part("a rotor");
    b.part("landing skids");
    b.build()
}

fn spaceship(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(
        &["light gray", "white", "gray", "dark gray", "blue", "red", "orange", "green", "purple"],
        MaterialKind::Metal,
    );
    let accent =
        rng.paint_of(&["red", "blue", "orange", "yellow", "dark gray", "navy", "white"], MaterialKind::Metal);
    let glow = rng
        .paint_of(&["light blue", "orange", "yellow", "purple", "light green"], MaterialKind::Glass)
        .emissive(0.6);
    let glass = rng.paint_of(&["light blue", "dark gray", "black", "teal"], MaterialKind::Glass);
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
            b.segments.max(12),
        );
        b.add("disk", disk, paint);
        b.add("dome", dome(r * 0.42, r * 0.42, b.segments.max(10)).at(0.0, h * 0.42, 0.0), glass);
        let lamps = sphere(r * 0.07, 6).at(0.0, h * 0.12, r * 0.86).radial_array_y(8);
        b.add("lights", lamps, glow);
        if rng.chance(0.5) {
            b.add(
                "legs",
                tapered_rod(vec3(0.0, -h * 0.3, r * 0.5), vec3(0.0, -h * 1.5, r * 0.75), 0.07, 0.1, 6)
                    .radial_array_y(3),
                accent,
            );
            b.part("three legs");
        }
        b.subcategory("ufo");
    } else {
        starfighter(rng, &mut b, [paint, accent, glow, glass]);
    }
    b.main_paint(paint);
    b.build()
}

fn starfighter(rng: &mut Rng, b: &mut Builder, [paint, accent, glow, glass]: [Paint; 4]) {
    let l = rng.between(5.0, 9.0);
    let (w, h) = (l * rng.between(0.08, 0.17), l * rng.between(0.06, 0.11));
    let square = rng.choose(&[0.0, 0.4, 0.9]);
    let sides = if square > 0.5 { 4 } else { b.segments.max(6) };
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
    b.add("wings", plate.mirrored_x(), paint);
    let tip = vec3(w * 0.5 + span, rise * span, -l * 0.42 - sweep + chord * 0.3);
    match rng.index(3) {
        0 => b.add(
            "guns",
            rod(tip - Vec3::Z * l * 0.1, tip + Vec3::Z * l * 0.25, h * 0.13, 6).mirrored_x(),
            accent,
        ),
        1 => b.add(
            "winglets",
            side_profile(&[(-0.3, -0.5), (0.35, -0.4), (0.1, 0.9), (-0.3, 0.9)], 0.12)
                .scaled(h * 1.6)
                .translated(tip)
                .mirrored_x(),
            accent,
        ),
        _ => b.add(
            "pods",
            capsule(tip - Vec3::Z * l * 0.12, tip + Vec3::Z * l * 0.14, h * 0.35, 8).mirrored_x(),
            accent,
        ),
    }
    let engines = rng.int_between(1, 2);
    let r = h * if engines == 1 { 0.8 } else { 0.55 };
    let x = if engines == 1 { 0.0 } else { w * 0.75 };
    let nozzle = frustum(r, r * 0.75, l * 0.16, b.segments.max(8)).rot_x(FRAC_PI_2).at(x, 0.0, -l * 0.55);
    let flame = cylinder(r * 0.75, 0.06, b.segments.max(8)).rot_x(FRAC_PI_2).at(x, 0.0, -l * 0.565);
    b.add("engines", if engines == 1 { nozzle } else { nozzle.mirrored_x() }, accent);
    b.add("exhaust", if engines == 1 { flame } else { flame.mirrored_x() }, glow);
    if rng.chance(0.5) {
        b.add(
            "fin",
            side_profile(&[(-0.45, 0.08), (-0.2, 0.08), (-0.38, 0.24), (-0.5, 0.24)], h * 0.2)
                .scale(1.0, l, l),
            accent,
        );
    }
    b.subcategory("starfighter");
    b.part("wings");
    b.counted_part(engines, "engine", "engines");
}

fn rocket(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(&["white", "white", "light gray", "silver", "red", "blue"], MaterialKind::Metal);
    let accent = rng.paint_of(&["red", "red", "orange", "blue", "black", "yellow"], MaterialKind::Metal);
    let r = 1.0;
    let h = rng.between(4.0, 8.5);
    let cartoon = rng.chance(0.55);
    let (foot, belly) = if cartoon { (0.55, 1.15) } else { (1.0, 1.0) };
    let nose = rng.between(1.4, 2.4);
    b.add(
        "body",
        lathe(
            &[vec2(foot * r, 0.0), vec2(belly * r, h * 0.4), vec2(r, h * 0.75), vec2(r * 0.85, h)],
            b.segments.max(8),
        ),
        paint,
    );
    b.add(
        "nose",
        lathe(
            &[vec2(r * 0.86, h - 0.01), vec2(r * 0.55, h + nose * 0.5), vec2(0.0, h + nose)],
            b.segments.max(8),
        ),
        accent,
    );
    let fins = rng.choose(&[3, 4, 4]);
    let size = rng.between(0.8, 1.4);
    let fin = extrude(&outline(&[(0.0, 0.3), (size, -0.7), (size * 1.05, 0.2), (0.1, 1.9)]), 0.15).at(
        r * 0.75,
        0.0,
        0.0,
    );
    b.add("fins", fin.radial_array_y(fins), accent);
    b.add(
        "nozzle",
        frustum(r * 0.65, r * 0.4, 0.5, b.segments.max(8)).at(0.0, -0.45, 0.0),
        rng.paint("dark gray", MaterialKind::Metal),
    );
    let panes = rng.int_between(0, 2);
    for i in 0..panes {
        let y = h * (0.68 - 0.24 * i as f32);
        b.add("window rim", cylinder(0.4, 0.15, 14).rot_x(FRAC_PI_2).at(0.0, y, r * 0.98), accent);
        b.add(
            "window",
            cylinder(0.28, 0.2, 14).rot_x(FRAC_PI_2).at(0.0, y, r * 0.98),
            rng.paint("light blue", MaterialKind::Glass),
        );
    }
    if rng.chance(0.25) {
        let flame = lathe(&[vec2(0.0, -1.9), vec2(0.5, -0.9), vec2(0.45, -0.4)], 8);
        b.add("flame", flame, rng.paint_of(&["orange", "yellow"], MaterialKind::Plain).emissive(0.5));
        b.part("a flame");
    }
    b.main_paint(paint);
    b.colored_part("nose cone", accent);
    b.part("fins");
    b.build()
}

fn hot_air_balloon(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let [first, second] = [rng.painted(MaterialKind::Fabric), rng.painted(MaterialKind::Fabric)];
    let (r, n) = (rng.between(3.0, 4.0), rng.choose(&[8, 12, 16]));
    let y = r * rng.between(1.7, 2.2);
    let profile: Vec<_> =
        [(0.2, -1.25), (0.45, -1.0), (0.78, -0.55), (1.0, 0.1), (0.9, 0.6), (0.55, 0.95), (0.0, 1.08)]
            .map(|(x, h)| vec2(x * r, y + h * r))
            .to_vec();
    let bag = lathe(&profile, n);
    let striped = rng.chance(0.75);
    add_split(&mut b, "balloon", &bag, &[first, second], |p, _| {
        let gore = (p.x.atan2(p.z) / std::f32::consts::TAU * n as f32 - 0.5).floor() as i32;
        usize::from(striped && gore.rem_euclid(2) == 0)
    });
    let basket = rng.paint_of(&["brown", "tan", "dark brown"], MaterialKind::Wood);
    let s = r * 0.36;
    b.add("basket", open_box(s, s * 0.8, s, s * 0.1), basket);
    b.add(
        "rim",
        frame(s * 1.1, s * 1.1, s * 0.12, s * 0.12).rot_x(FRAC_PI_2).at(0.0, s * 0.8, -s * 0.55),
        basket.shade(0.7),
    );
    let rope = rod(vec3(s * 0.46, s * 0.8, s * 0.46), vec3(r * 0.16, y - r * 1.2, r * 0.16), r * 0.012, 4);
    b.add("ropes", rope.mirrored_x().mirrored_z(), basket.shade(0.5));
    b.main_color(first);
    if striped {
        b.part(format!("{} stripes", second.color.name));
    }
    b.part("a basket");
    b.build()
}
