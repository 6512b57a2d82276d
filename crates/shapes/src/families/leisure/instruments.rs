//! Musical instruments.

use glam::{Vec2, Vec3, vec2, vec3};

use crate::category::Category;
use crate::kit::*;

const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "instrument", build }
}

pub(crate) const CATEGORIES: &[Category] = &[
    row("guitar", &["string instrument"], guitar),
    row("violin", &["fiddle", "cello"], violin),
    row("drum", &["snare drum"], drum),
    row("piano", &["grand piano"], piano),
    row("trumpet", &["horn"], trumpet),
];

/// A smooth closed outline through the right half's points, bottom to top, and their mirror images.
fn rounded_outline(right: &[(f32, f32)]) -> Vec<Vec2> {
    let points: Vec<Vec3> = right.iter().map(|&(x, y)| vec3(x, y, 0.0)).collect();
    let fine: Vec<(f32, f32)> = curve(&points, 4).iter().map(|p| (p.x.max(0.0), p.y)).collect();
    mirrored(&fine)
}

fn guitar(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let electric = rng.chance(0.55);
    if electric {
        electric_guitar(rng, &mut b)
    } else {
        acoustic_guitar(rng, &mut b)
    }
    let lean = match rng.index(5) {
        0 => glam::Quat::from_rotation_z(0.6),
        1 => glam::Quat::from_rotation_x(-FRAC_PI_2),
        2 => glam::Quat::from_rotation_x(-0.2),
        _ => glam::Quat::IDENTITY,
    };
    b.transform(glam::Affine3A::from_quat(lean));
    b.build()
}

/// Neck, fingerboard, frets, head, pegs and strings from the body's top at `y`.
fn add_neck(rng: &mut Rng, b: &mut Builder, y: f32, z: f32, bridge: f32, [wood, dark, metal]: [Paint; 3]) {
    let l = rng.between(0.38, 0.48);
    b.add("neck", cuboid(0.05, l + 0.1, 0.025).at(0.0, y - 0.1, z - 0.02), wood);
    b.add("fingerboard", cuboid(0.052, l + 0.14, 0.01).at(0.0, y - 0.14, z), dark);
    let fret = cuboid(0.05, 0.003, 0.004).at(0.0, 0.0, z + 0.006);
    b.add(
        "frets",
        Solid::union(
            (0..12).map(|i| fret.clone().at(0.0, y + l * (1.0 - 1.25 * (1.0 - 0.944_f32.powi(i + 1))), 0.0)),
        ),
        metal,
    );
    let head = if rng.chance(0.5) {
        outline(&[
            (-0.028, 0.0),
            (0.028, 0.0),
            (0.042, 0.04),
            (0.036, 0.16),
            (0.0, 0.15),
            (-0.036, 0.16),
            (-0.042, 0.04),
        ])
    } else {
        outline(&[(-0.026, 0.0), (0.026, 0.0), (0.05, 0.05), (0.03, 0.17), (-0.01, 0.16), (-0.035, 0.03)])
    };
    b.add("head", extrude(&head, 0.018).rot_x(-0.12).at(0.0, y + l, z - 0.015), wood);
    let peg = ellipsoid(0.012, 0.007, 0.006, 6)
        .at(0.055, y + l + 0.04, z - 0.02)
        .linear_array(3, vec3(-0.003, 0.045, -0.004));
    b.add("pegs", peg.mirrored_x(), metal);
    let string = |i: usize| {
        let x = (i as f32 - 2.5) * 0.008;
        rod(vec3(x, bridge, z + 0.012), vec3(x * 0.8, y + l, z + 0.012), 0.0011, 3)
    };
    b.add("strings", Solid::union((0..6).map(string)), metal);
}

fn acoustic_guitar(rng: &mut Rng, b: &mut Builder) {
    let top = rng.paint_of(
        &["tan", "tan", "orange", "brown", "beige", "dark brown", "black", "red", "blue"],
        MaterialKind::Wood,
    );
    let side = if rng.chance(0.6) {
        rng.paint_of(&["brown", "dark brown"], MaterialKind::Wood)
    } else {
        top.shade(0.6)
    };
    let dark = rng.paint_of(&["black", "dark brown"], MaterialKind::Wood);
    let metal = rng.paint_of(&["silver", "gold"], MaterialKind::Metal);
    let (lower, waist, upper) = (rng.between(0.18, 0.21), rng.between(0.11, 0.14), rng.between(0.135, 0.16));
    let body = rounded_outline(&[
        (0.0, 0.0),
        (lower * 0.75, 0.03),
        (lower, 0.13),
        (lower * 0.85, 0.23),
        (waist, 0.3),
        (upper * 0.95, 0.38),
        (upper * 0.85, 0.45),
        (upper * 0.4, 0.49),
        (0.0, 0.495),
    ]);
    let depth = rng.between(0.08, 0.11);
    b.add("sides", extrude(&body, depth), side);
    let inset: Vec<Vec2> = body.iter().map(|p| (*p - vec2(0.0, 0.24)) * 0.975 + vec2(0.0, 0.24)).collect();
    b.add("top", extrude(&inset, 0.006).at(0.0, 0.0, depth / 2.0 + 0.002), top);
    let z = depth / 2.0 + 0.006;
    b.add(
        "sound hole",
        cylinder(0.046, 0.002, b.segments.max(14)).rot_x(FRAC_PI_2).at(0.0, 0.31, z - 0.001),
        dark.shade(0.4),
    );
    b.add(
        "rosette",
        washer(0.056, 0.046, 0.002, b.segments.max(14)).rot_x(FRAC_PI_2).at(0.0, 0.31, z - 0.001),
        side.shade(0.6),
    );
    b.add("bridge", cuboid(0.13, 0.022, 0.012).at(0.0, 0.13, z + 0.004), dark);
    add_neck(rng, b, 0.49, z + 0.004, 0.14, [side, dark, metal]);
    b.subcategory("acoustic guitar");
    b.main_paint(top);
    b.part("a sound hole");
    b.part("strings");
}

fn electric_guitar(rng: &mut Rng, b: &mut Builder) {
    let paint = rng.paint_of(
        &["red", "black", "white", "orange", "blue", "gold", "brown", "yellow", "green"],
        MaterialKind::Wood,
    );
    let dark = rng.paint_of(&["black", "dark brown", "brown"], MaterialKind::Wood);
    let guard = rng.paint_of(&["white", "black", "cream"], MaterialKind::Plastic);
    let metal = rng.paint_of(&["silver", "gold"], MaterialKind::Metal);
    let body = solid_body(rng);
    let z = 0.024;
    b.add("body", extrude_beveled(&body, z * 2.0, if rng.chance(0.5) { 0.05 } else { 0.0 }), paint);
    if rng.chance(0.6) {
        let plate = rounded(&[
            (0.03, 0.06),
            (0.1, 0.09),
            (0.09, 0.18),
            (0.06, 0.25),
            (0.05, 0.31),
            (-0.05, 0.31),
            (-0.04, 0.2),
        ]);
        b.add("pickguard", extrude(&plate, 0.004).at(0.0, 0.0, z + 0.002), guard);
    }
    for i in 0..rng.int_between(2, 3) {
        b.add("pickup", cuboid(0.075, 0.03, 0.01).at(0.0, 0.13 + 0.07 * i as f32, z + 0.005), dark);
    }
    b.add("bridge", cuboid(0.085, 0.02, 0.014).at(0.0, 0.09, z + 0.006), metal);
    for i in 0..rng.int_between(2, 4) {
        b.add(
            "knob",
            cylinder(0.011, 0.012, 10).rot_x(FRAC_PI_2).at(
                0.09 + 0.02 * (i % 2) as f32,
                0.06 + 0.035 * i as f32,
                z,
            ),
            metal,
        );
    }
    let neck = if rng.chance(0.5) { rng.paint_of(&["tan", "beige"], MaterialKind::Wood) } else { dark };
    add_neck(rng, b, 0.36, z + 0.012, 0.1, [neck, dark, metal]);
    b.subcategory("electric guitar");
    b.main_paint(paint);
    b.part("two knobs");
    b.part("strings");
}

/// A smooth closed outline through points.
fn rounded(points: &[(f32, f32)]) -> Vec<Vec2> {
    let line: Vec<Vec3> = points.iter().chain(points.first()).map(|&(x, y)| vec3(x, y, 0.0)).collect();
    let mut fine: Vec<Vec2> = curve(&line, 3).iter().map(|p| vec2(p.x, p.y)).collect();
    fine.pop();
    fine
}

fn solid_body(rng: &mut Rng) -> Vec<Vec2> {
    match rng.index(3) {
        0 => rounded(&[
            (0.0, 0.0),
            (0.12, 0.02),
            (0.17, 0.1),
            (0.13, 0.2),
            (0.1, 0.26),
            (0.14, 0.33),
            (0.1, 0.36),
            (0.045, 0.31),
            (-0.04, 0.36),
            (-0.1, 0.4),
            (-0.135, 0.34),
            (-0.105, 0.24),
            (-0.14, 0.17),
            (-0.165, 0.08),
            (-0.11, 0.01),
        ]),
        1 => rounded(&[
            (0.0, 0.0),
            (0.1, 0.02),
            (0.155, 0.1),
            (0.125, 0.2),
            (0.115, 0.26),
            (0.135, 0.33),
            (0.1, 0.345),
            (0.05, 0.3),
            (-0.03, 0.37),
            (-0.1, 0.38),
            (-0.135, 0.32),
            (-0.115, 0.23),
            (-0.15, 0.12),
            (-0.1, 0.02),
        ]),
        _ => outline(&[
            (0.0, 0.1),
            (0.2, -0.06),
            (0.24, 0.0),
            (0.06, 0.36),
            (-0.06, 0.36),
            (-0.24, 0.0),
            (-0.2, -0.06),
        ]),
    }
}

fn violin(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.paint_of(&["brown", "orange", "dark brown", "copper", "dark red"], MaterialKind::Wood);
    let black = rng.paint("black", MaterialKind::Wood);
    let body = rounded_outline(&[
        (0.0, 0.0),
        (0.07, 0.008),
        (0.103, 0.06),
        (0.092, 0.115),
        (0.1, 0.125),
        (0.068, 0.17),
        (0.078, 0.215),
        (0.086, 0.225),
        (0.08, 0.29),
        (0.05, 0.345),
        (0.0, 0.355),
    ]);
    b.add("body", extrude_beveled(&body, 0.05, 0.06), wood);
    let z = 0.028;
    b.add("fingerboard", cuboid(0.03, 0.27, 0.008).taper_y(0.7).at(0.0, 0.22, z + 0.012), black);
    b.add("neck", cuboid(0.024, 0.15, 0.02).at(0.0, 0.35, z - 0.008), wood);
    b.add("tailpiece", cuboid(0.03, 0.1, 0.008).at(0.0, 0.01, z + 0.006), black);
    b.add("bridge", cuboid(0.045, 0.006, 0.03).at(0.0, 0.165, z + 0.008), wood.shade(1.5));
    let scroll = cylinder(0.016, 0.03, 12).at(0.0, -0.015, 0.0).rot_z(FRAC_PI_2).at(0.0, 0.56, z - 0.02);
    b.add("scroll", cuboid(0.022, 0.06, 0.024).at(0.0, 0.49, z - 0.012).join(scroll), wood);
    b.add(
        "pegs",
        rod(vec3(-0.03, 0.51, z), vec3(0.03, 0.51, z), 0.004, 6).linear_array(2, vec3(0.0, 0.022, 0.0)),
        black,
    );
    let string = |i: usize| {
        let x = (i as f32 - 1.5) * 0.008;
        rod(vec3(x, 0.08, z + 0.012), vec3(x * 0.6, 0.5, z + 0.02), 0.0009, 3)
    };
    b.add("strings", Solid::union((0..4).map(string)), rng.paint("silver", MaterialKind::Metal));
    let hole = tube(
        &curve(
            &[vec3(0.052, 0.14, 0.0), vec3(0.04, 0.155, 0.0), vec3(0.044, 0.185, 0.0), vec3(0.034, 0.2, 0.0)],
            3,
        ),
        0.0035,
        4,
    );
    b.add("f-holes", hole.at(0.0, 0.0, z - 0.003).mirrored_x(), black);
    if rng.chance(0.45) {
        let stick = rod(vec3(0.16, -0.05, 0.0), vec3(0.16, 0.65, 0.0), 0.005, 6);
        b.add("bow", stick, wood.shade(0.6));
        b.add(
            "hair",
            cuboid(0.003, 0.66, 0.008).at(0.145, -0.03, 0.0),
            rng.paint("cream", MaterialKind::Plain),
        );
        b.add("frog", cuboid(0.022, 0.04, 0.012).at(0.152, -0.05, 0.0), black);
        b.part("a bow");
    }
    if rng.chance(0.4) {
        b.transform(glam::Affine3A::from_rotation_x(-FRAC_PI_2));
    }
    b.main_paint(wood);
    b.part("four strings");
    b.build()
}

fn drum(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let shell = rng
        .paint_of(&["red", "blue", "brown", "black", "white", "green", "tan", "yellow"], MaterialKind::Wood);
    let skin = rng.paint_of(&["white", "cream", "beige"], MaterialKind::Leather);
    let metal = rng.paint_of(&["silver", "gold", "dark gray"], MaterialKind::Metal);
    let n = b.segments.max(10);
    match rng.index(3) {
        0 => {
            djembe(rng, &mut b, [shell, skin]);
        }
        1 => {
            let (r, h) = (rng.between(0.15, 0.22), rng.between(0.12, 0.32));
            b.add("shell", cylinder(r, h, n), shell);
            b.add("heads", cylinder(r * 0.97, h * 1.05, n).at(0.0, -h * 0.025, 0.0), skin);
            let hoop = washer(r * 1.05, r * 0.95, h * 0.1, n);
            b.add("hoops", hoop.clone().at(0.0, -h * 0.01, 0.0).join(hoop.at(0.0, h * 0.93, 0.0)), metal);
            b.add("rods", cylinder(0.005, h, 5).at(0.0, 0.0, r * 1.04).radial_array_y(8), metal);
            if rng.chance(0.6) {
                let stick = tapered_rod(
                    vec3(-r * 0.9, h * 1.1, 0.06),
                    vec3(r * 1.1, h * 1.14, 0.04),
                    0.009,
                    0.006,
                    6,
                );
                let tip = ellipsoid(0.014, 0.01, 0.01, 6).at(r * 1.1, h * 1.14, 0.04);
                b.add(
                    "drumsticks",
                    stick.join(tip).rot_y(0.35).join(
                        tapered_rod(vec3(-r, h * 1.12, -0.05), vec3(r, h * 1.12, -0.05), 0.009, 0.006, 6)
                            .rot_y(-0.4),
                    ),
                    rng.paint("tan", MaterialKind::Wood),
                );
                b.part("drumsticks");
            }
        }
        _ => {
            drum_kit(rng, &mut b, [shell, skin, metal]);
        }
    }
    b.main_paint(shell);
    b.build()
}

fn drum_kit(rng: &mut Rng, b: &mut Builder, [shell, skin, metal]: [Paint; 3]) {
    let n = b.segments.max(10);
    b.add("bass drum", cylinder(0.28, 0.36, n).rot_x(FRAC_PI_2).at(0.0, 0.28, 0.0), shell);
    b.add("bass skin", cylinder(0.265, 0.38, n).rot_x(FRAC_PI_2).at(0.0, 0.28, -0.01), skin);
    let tom = |r: f32, h: f32, x: f32, y: f32, z: f32| {
        (cylinder(r, h, n).at(x, y, z), cylinder(r * 0.94, h * 1.04, n).at(x, y, z))
    };
    for (r, h, x, y, z) in [
        (0.13, 0.16, 0.16, 0.62, 0.05),
        (0.12, 0.15, -0.16, 0.62, 0.05),
        (0.19, 0.34, 0.48, 0.12, -0.2),
        (0.17, 0.13, -0.42, 0.42, -0.2),
    ] {
        let (side, top) = tom(r, h, x, y, z);
        b.add("tom", side, shell);
        b.add("tom skin", top, skin);
        b.add("stand", cylinder(0.012, y, 6).at(x * 0.95, 0.0, z), metal);
    }
    let gold = rng.paint("gold", MaterialKind::Metal);
    for x in [-0.55, 0.55] {
        b.add("cymbal stand", cylinder(0.01, 0.95, 6).at(x, 0.0, 0.15), metal);
        b.add(
            "cymbal",
            lathe(&[vec2(0.21, 0.0), vec2(0.05, 0.02), vec2(0.0, 0.04)], n.max(14))
                .rot_x(0.2)
                .at(x, 0.95, 0.15),
            gold,
        );
    }
    b.subcategory("drum kit");
    b.part("cymbals");
}

fn djembe(rng: &mut Rng, b: &mut Builder, [shell, skin]: [Paint; 2]) {
    let n = b.segments.max(10);
    let (r, h) = (rng.between(0.14, 0.19), rng.between(0.4, 0.65));
    let waist = rng.between(0.45, 0.75);
    b.add("shell", lathe(&[vec2(r * 0.8, 0.0), vec2(r * waist, h * 0.35), vec2(r, h)], n), shell);
    b.add("skin", lathe(&[vec2(r * 1.03, h * 0.94), vec2(r * 1.03, h), vec2(0.0, h * 1.03)], n), skin);
    let zigzag: Vec<Vec3> = (0..=16)
        .map(|i| {
            let (sin, cos) = (std::f32::consts::TAU * i as f32 / 16.0).sin_cos();
            let (y, out) = if i % 2 == 0 { (h * 0.94, r * 1.04) } else { (h * 0.45, r * (waist + 0.16)) };
            vec3(sin * out, y, cos * out)
        })
        .collect();
    b.add("ropes", tube(&zigzag, 0.006, 4), skin.shade(0.6));
    b.subcategory(rng.choose(&["djembe", "bongo drum"]));
    b.part("ropes");
}

fn add_keys(b: &mut Builder, width: f32, at: Vec3, [white, black]: [Paint; 2]) {
    let count = 28;
    let step = width / count as f32;
    b.add(
        "white keys",
        cuboid(step * 0.9, 0.02, 0.14)
            .at(-width / 2.0 + step / 2.0, 0.0, 0.0)
            .linear_array(count, vec3(step, 0.0, 0.0))
            .translated(at),
        white,
    );
    let sharps = (0..count - 1).filter(|i| ![2, 6].contains(&(i % 7)));
    let key = cuboid(step * 0.5, 0.016, 0.085);
    b.add(
        "black keys",
        Solid::union(sharps.map(|i| key.clone().at(-width / 2.0 + step * (i + 1) as f32, 0.018, -0.026)))
            .translated(at),
        black,
    );
}

fn piano(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(
        &["black", "black", "black", "brown", "dark brown", "white", "dark red"],
        MaterialKind::Wood,
    );
    let keys = [rng.paint("white", MaterialKind::Plastic), rng.paint("black", MaterialKind::Plastic)];
    let gold = rng.paint("gold", MaterialKind::Metal);
    let w = 1.45;
    if rng.chance(0.5) {
        grand_piano(rng, &mut b, w, [paint, gold], keys);
    } else {
        let h = rng.between(1.05, 1.3);
        b.add("case", b.block(w, h, 0.34).at(0.0, 0.0, -0.17), paint);
        b.add("keyboard", cuboid(w, 0.11, 0.34).at(0.0, 0.6, 0.14), paint);
        add_keys(&mut b, w * 0.9, vec3(0.0, 0.71, 0.2), keys);
        b.add("legs", cuboid(0.08, 0.6, 0.08).at(w * 0.46, 0.0, 0.26).mirrored_x(), paint);
        b.add("foot", cuboid(w, 0.09, 0.42).at(0.0, 0.0, -0.13), paint);
        b.add("music stand", cuboid(w * 0.5, 0.28, 0.02).rot_x(-0.2).at(0.0, 0.82, 0.03), paint.shade(0.7));
        b.add(
            "pedals",
            cuboid(0.035, 0.02, 0.1).at(-0.07, 0.08, 0.1).linear_array(3, vec3(0.07, 0.0, 0.0)),
            gold,
        );
        b.subcategory("upright piano");
    }
    if rng.chance(0.45) {
        let seat = b.block(0.75, 0.08, 0.34).at(0.0, 0.45, 0.75);
        b.add(
            "bench",
            seat.join(
                cuboid(0.06, 0.45, 0.06).at(0.32, 0.0, 0.14).mirrored_x().mirrored_z().at(0.0, 0.0, 0.75),
            ),
            paint,
        );
        b.part("a bench");
    }
    b.main_paint(paint);
    b.part("black and white keys");
    b.build()
}

fn grand_piano(rng: &mut Rng, b: &mut Builder, w: f32, [paint, gold]: [Paint; 2], keys: [Paint; 2]) {
    let d = rng.between(1.4, 2.0);
    let line: Vec<Vec3> = [
        (-w / 2.0, -d + 0.25),
        (-w * 0.32, -d),
        (-w * 0.05, -d + 0.1),
        (w * 0.18, -d * 0.55),
        (w * 0.47, -d * 0.35),
        (w / 2.0, -0.1),
    ]
    .iter()
    .map(|&(x, z)| vec3(x, z, 0.0))
    .collect();
    let mut rim: Vec<Vec2> = vec![vec2(-w / 2.0, 0.1), vec2(w / 2.0, 0.1)];
    rim.extend(curve(&line, 3).iter().rev().map(|p| vec2(p.x, p.y)));
    let plate = |h: f32| extrude(&rim, h).rot_x(FRAC_PI_2);
    b.add("case", plate(0.28).at(0.0, 0.72, 0.0), paint);
    b.add("strings", plate(0.01).scale(0.92, 1.0, 0.92).at(0.0, 0.868, -0.06), gold);
    b.add("keyboard", cuboid(w, 0.1, 0.3).at(0.0, 0.6, 0.22), paint);
    add_keys(b, w * 0.9, vec3(0.0, 0.7, 0.28), keys);
    if rng.chance(0.7) {
        let lid = plate(0.025).at(w / 2.0, 0.0, 0.0).rot_z(rng.between(0.5, 0.8)).at(-w / 2.0, 0.875, 0.0);
        b.add("lid", lid, paint);
        b.add("prop", rod(vec3(w * 0.42, 0.86, -d * 0.3), vec3(w * 0.2, 1.45, -d * 0.3), 0.012, 5), paint);
        b.part("an open lid");
    }
    for (x, z) in [(-w * 0.42, 0.1), (w * 0.42, 0.1), (-w * 0.3, -d + 0.35)] {
        b.add("leg", frustum(0.045, 0.07, 0.6, b.segments.max(6)).at(x, 0.0, z), paint);
    }
    b.add("pedals", cuboid(0.22, 0.5, 0.04).at(0.0, 0.1, -0.1), paint);
    b.subcategory("grand piano");
}

fn trumpet(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let brass = rng.paint_of(&["gold", "gold", "gold", "silver", "bronze", "copper"], MaterialKind::Metal);
    let n = b.segments.max(8);
    let (l, r) = (rng.between(0.22, 0.27), 0.0065);
    let bell = lathe_open(
        &[
            vec2(r, -0.05),
            vec2(r * 1.3, 0.05),
            vec2(0.018, 0.11),
            vec2(0.03, 0.145),
            vec2(rng.between(0.055, 0.07), 0.17),
        ],
        n.max(12),
    );
    b.add("bell", bell.rot_x(FRAC_PI_2).at(0.0, 0.0, l * 0.6), brass);
    let drop = rng.between(0.05, 0.07);
    let pipe = [
        vec3(0.0, 0.0, l * 0.45),
        vec3(0.0, 0.0, -l * 0.5),
        vec3(0.0, -drop * 0.15, -l * 0.68),
        vec3(0.0, -drop * 0.85, -l * 0.68),
        vec3(0.0, -drop, -l * 0.5),
        vec3(0.0, -drop, l * 0.55),
        vec3(0.0, -drop * 0.85, l * 0.72),
        vec3(0.012, -drop * 0.15, l * 0.72),
        vec3(0.014, 0.0, l * 0.55),
        vec3(0.014, 0.0, -l * 1.15),
    ];
    b.add("tubes", tube(&curve(&pipe, 2), r, 7), brass);
    let mouth = lathe(&[vec2(r * 0.8, 0.0), vec2(r * 0.9, 0.02), vec2(0.013, 0.035), vec2(0.013, 0.042)], n);
    b.add(
        "mouthpiece",
        mouth.rot_x(-FRAC_PI_2).at(0.014, 0.0, -l * 1.1),
        rng.paint("silver", MaterialKind::Metal),
    );
    let valve = cylinder(0.0125, drop * 1.5, 12)
        .join(cylinder(0.004, 0.035, 6).at(0.0, drop * 1.5, 0.0))
        .join(cylinder(0.011, 0.005, 10).at(0.0, drop * 1.5 + 0.033, 0.0));
    b.add(
        "valves",
        valve.at(0.007, -drop * 1.25, -0.045).linear_array(3, vec3(0.0, 0.0, 0.031)),
        brass.shade(0.85),
    );
    b.main_paint(brass);
    b.part("three valves");
    b.part("a bell");
    b.build()
}
