//! Street furniture: signs, lights, hydrants.

use glam::{Vec3, vec2, vec3};

use crate::category::Category;
use crate::kit::*;

const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "street", build }
}

pub(crate) const CATEGORIES: &[Category] = &[
    row("fire hydrant", &["hydrant"], fire_hydrant),
    row("stop sign", &["road sign", "traffic sign"], stop_sign),
    row("streetlight", &["street lamp", "lamppost", "street light"], streetlight),
    row("traffic light", &["stoplight", "traffic signal"], traffic_light),
    row("traffic cone", &["safety cone", "pylon"], traffic_cone),
    row("road sign", &["traffic sign", "signpost"], road_sign),
];

fn fire_hydrant(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint =
        rng.paint_of(&["red", "red", "red", "red", "yellow", "orange", "blue", "white"], MaterialKind::Metal);
    let second = if rng.chance(0.5) {
        paint
    } else {
        rng.paint_of(&["white", "silver", "yellow", "gray", "dark gray"], MaterialKind::Metal)
    };
    let (r, h) = (rng.between(0.12, 0.17), rng.between(0.42, 0.6));
    let n = b.segments.max(6);
    b.add("foot", cylinder(r * 1.4, h * 0.1, n), second);
    b.add("barrel", frustum(r * 1.05, r, h, n), paint);
    b.add("collar", cylinder(r * 1.25, h * 0.09, n).at(0.0, h * 0.93, 0.0), second);
    b.add("bonnet", dome(r * 1.08, r * rng.between(0.7, 1.1), n).at(0.0, h, 0.0), paint);
    let top = h + r * 0.85;
    b.add("nut", prism(r * 0.26, r * 0.45, 5).at(0.0, top, 0.0), second);
    let y = h * rng.between(0.58, 0.72);
    let side = cylinder(r * 0.42, r * 0.6, n.min(12)).rot_z(-FRAC_PI_2).at(r * 0.8, y, 0.0);
    let cap = prism(r * 0.5, r * 0.28, 6).rot_z(-FRAC_PI_2).at(r * 1.35, y, 0.0);
    b.add("side outlets", side.mirrored_x(), paint);
    b.add("side caps", cap.mirrored_x(), second);
    let front = cylinder(r * 0.52, r * 0.6, n.min(12)).rot_x(FRAC_PI_2).at(0.0, y - h * 0.05, r * 0.75);
    b.add("front outlet", front, paint);
    b.add("front cap", prism(r * 0.6, r * 0.25, 8).rot_x(FRAC_PI_2).at(0.0, y - h * 0.05, r * 1.3), second);
    if rng.chance(0.5) {
        b.add("bolts", cylinder(r * 0.1, h * 0.15, 6).at(0.0, h * 0.02, r * 1.22).radial_array_y(6), second);
    }
    b.main_paint(paint);
    b.part("three outlets");
    b.build()
}

/// A post along y. Returns its radius.
fn add_post(rng: &mut Rng, b: &mut Builder, h: f32) -> f32 {
    let paint = rng.paint_of(
        &["silver", "gray", "light gray", "dark gray", "brown", "white", "green"],
        MaterialKind::Metal,
    );
    let r = rng.between(0.025, 0.05);
    let post = if rng.chance(0.5) { cylinder(r, h, b.segments.max(6)) } else { cuboid(r * 1.8, h, r * 1.8) };
    b.add("post", post, paint);
    if rng.chance(0.25) {
        b.add("foot", cylinder(r * 5.0, 0.06, b.segments.max(8)), paint);
    }
    r
}

fn stop_sign(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let red = rng.paint_of(&["red", "red", "red", "dark red"], MaterialKind::Metal);
    let white = rng.paint("white", MaterialKind::Metal);
    let (size, h) = (rng.between(0.3, 0.46), rng.between(1.0, 2.3));
    let r = add_post(rng, &mut b, h + size * 0.6);
    let plate =
        |radius: f32, depth: f32, z: f32| cylinder(radius, depth, 8).flat().rot_x(FRAC_PI_2).at(0.0, h, z);
    b.add("border", plate(size, 0.02, r), white);
    b.add("sign", plate(size * rng.between(0.88, 0.94), 0.008, r + 0.02), red);
    b.add(
        "back",
        plate(size * 0.99, 0.006, r - 0.006),
        rng.paint_of(&["silver", "gray"], MaterialKind::Metal),
    );
    let strokes: &[[f32; 4]] = &[
        // S
        [0.0, 1.0, 1.0, 1.0],
        [0.0, 0.5, 0.0, 1.0],
        [0.0, 0.5, 1.0, 0.5],
        [1.0, 0.0, 1.0, 0.5],
        [0.0, 0.0, 1.0, 0.0],
        // T
        [1.5, 1.0, 2.5, 1.0],
        [2.0, 0.0, 2.0, 1.0],
        // O
        [3.0, 0.0, 4.0, 0.0],
        [3.0, 1.0, 4.0, 1.0],
        [3.0, 0.0, 3.0, 1.0],
        [4.0, 0.0, 4.0, 1.0],
        // P
        [4.5, 0.0, 4.5, 1.0],
        [4.5, 1.0, 5.5, 1.0],
        [4.5, 0.5, 5.5, 0.5],
        [5.5, 0.5, 5.5, 1.0],
    ];
    let (wide, tall) = (size * 0.255, size * 0.52);
    let letters = Solid::union(strokes.iter().map(|&[x0, y0, x1, y1]| {
        let place = |x: f32, y: f32| vec3((x - 2.75) * wide, (y - 0.5) * tall, 0.0);
        bar(place(x0, y0), place(x1, y1), size * 0.075, 0.012)
    }));
    b.add("letters", letters.at(0.0, h, r + 0.032), white);
    b.main_paint(red);
    b.part("white letters");
    b.part("a post");
    b.build()
}

fn streetlight(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint =
        rng.paint_of(&["black", "dark gray", "gray", "dark green", "black", "silver"], MaterialKind::Metal);
    let glow = rng.paint_of(&["yellow", "white", "cream", "orange"], MaterialKind::Glass).emissive(0.5);
    let h = rng.between(2.8, 5.0);
    let r = h * rng.between(0.013, 0.024);
    let n = b.segments.max(6);
    if rng.chance(0.55) {
        lamppost(rng, &mut b, (h, r, n), [paint, glow]);
    } else {
        curved_streetlight(rng, &mut b, (h, r, n), [paint, glow]);
    }
    b.main_paint(paint);
    b.adjective("tall");
    b.build()
}

fn lamppost(rng: &mut Rng, b: &mut Builder, (h, r, n): (f32, f32, usize), [paint, glow]: [Paint; 2]) {
    let foot = [
        (3.6, 0.0),
        (3.6, 0.04),
        (2.4, 0.06),
        (2.2, 0.14),
        (1.3, 0.17),
        (1.1, 0.4),
        (1.5, 0.42),
        (1.0, 0.44),
        (0.9, 0.92),
        (1.6, 0.94),
        (1.2, 0.98),
    ];
    let profile: Vec<_> = foot.map(|(x, y)| vec2(x * r, y * h)).to_vec();
    b.add("post", lathe(&profile, n), paint);
    let heads = rng.choose(&[1, 1, 1, 2, 3]);
    let size = h * rng.between(0.05, 0.08);
    let top = vec3(0.0, h * 0.98, 0.0);
    if heads == 1 {
        add_lantern(rng, b, top, size, [paint, glow]);
    } else {
        let reach = size * 3.0;
        let arm = tube(
            &curve(
                &[
                    top - Vec3::Y * h * 0.08,
                    vec3(reach * 0.6, top.y - h * 0.07, 0.0),
                    vec3(reach, top.y, 0.0),
                ],
                3,
            ),
            r * 0.7,
            6,
        );
        b.add("arms", arm.radial_array_y(heads), paint);
        for i in 0..heads {
            let at = glam::Quat::from_rotation_y(std::f32::consts::TAU * i as f32 / heads as f32)
                * vec3(reach, top.y, 0.0);
            add_lantern(rng, b, at, size, [paint, glow]);
        }
    }
    b.subcategory("lamppost");
    b.adjective("old");
}

fn curved_streetlight(
    rng: &mut Rng,
    b: &mut Builder,
    (h, r, n): (f32, f32, usize),
    [paint, glow]: [Paint; 2],
) {
    let reach = h * rng.between(0.2, 0.38);
    let line = [Vec3::ZERO, vec3(0.0, h * 0.8, 0.0), vec3(0.0, h * 0.97, reach * 0.2), vec3(0.0, h, reach)];
    b.add("post", tube_with(&curve(&line, 3), |t| r * (1.5 - 0.8 * t), n), paint);
    let head = b.block(r * 5.0, r * 2.0, reach * 0.5).at(0.0, h - r, reach * 1.1);
    let lens = cuboid(r * 3.6, r * 0.5, reach * 0.4).at(0.0, h - r * 1.4, reach * 1.1);
    let twin = rng.chance(0.25);
    b.add("head", if twin { head.clone().mirrored_z() } else { head }, paint);
    b.add("lamp", if twin { lens.clone().mirrored_z() } else { lens }, glow);
    if twin {
        b.add("second arm", tube_with(&curve(&line, 3), |t| r * (1.5 - 0.8 * t), n).flip_z(), paint);
        b.part("two lamps");
    }
    b.add("foot", cylinder(r * 3.5, h * 0.02, n), paint);
    b.adjective("modern");
}

fn add_lantern(rng: &mut Rng, b: &mut Builder, at: Vec3, size: f32, [paint, glow]: [Paint; 2]) {
    if rng.chance(0.3) {
        b.add("globe", sphere(size, b.segments.max(8)).translated(at + Vec3::Y * size * 0.9), glow);
        return;
    }
    let n = rng.choose(&[4, 6, 6, 8]);
    let glass = frustum(size * 0.6, size, size * 1.7, n).flat().translated(at);
    b.add("glass", glass, glow);
    let post = tapered_rod(
        vec3(0.0, 0.0, size * 0.58),
        vec3(0.0, size * 1.7, size * 0.98),
        size * 0.06,
        size * 0.06,
        4,
    );
    b.add("bars", post.radial_array_y(n).translated(at), paint);
    b.add(
        "roof",
        lathe(
            &[
                vec2(size * 1.2, size * 1.7),
                vec2(size * 0.5, size * 2.2),
                vec2(size * 0.2, size * 2.3),
                vec2(0.0, size * 2.7),
            ],
            n,
        )
        .translated(at),
        paint,
    );
    b.add("base", cylinder(size * 0.7, size * 0.15, n).translated(at - Vec3::Y * size * 0.1), paint);
}

fn traffic_light(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let case = rng.paint_of(&["black", "dark gray", "yellow", "dark green", "black"], MaterialKind::Metal);
    let post =
        rng.paint_of(&["gray", "dark gray", "black", "silver", "dark green", "yellow"], MaterialKind::Metal);
    let h = rng.between(1.6, 3.2);
    let s = rng.between(0.14, 0.2);
    let n = b.segments.max(8);
    let thick = s * rng.between(0.22, 0.34);
    let mut at = vec3(0.0, h, 0.0);
    if rng.chance(0.22) {
        b.add("post", cylinder(thick, h + s * 5.0, n).at(-1.4, 0.0, 0.0), post);
        b.add("arm", rod(vec3(-1.4, h + s * 4.6, 0.0), vec3(0.1, h + s * 4.6, 0.0), thick * 0.7, 8), post);
        b.part("a long arm");
    } else if rng.chance(0.85) {
        b.add("post", cylinder(thick, h, n), post);
        b.add("foot", cylinder(thick * 1.9, h * rng.between(0.04, 0.35), n), post);
    } else {
        at = Vec3::ZERO;
    }
    let faces = rng.choose(&[1, 1, 1, 2, 4]);
    let turn = |s: Solid, i: usize| {
        s.at(0.0, 0.0, if faces > 1 { 0.12 } else { 0.0 })
            .rot_y(std::f32::consts::TAU * i as f32 / faces as f32)
            .translated(at)
    };
    for face in 0..faces {
        b.add("case", turn(b.block(s * 1.5, s * 4.2, s), face), case);
        if rng.clone().chance(0.3) {
            b.add(
                "backplate",
                turn(cuboid(s * 2.3, s * 5.0, s * 0.1).at(0.0, -s * 0.4, -s * 0.2), face),
                case,
            );
        }
        for (i, name) in ["green", "yellow", "red"].into_iter().enumerate() {
            let lamp = rng.paint(name, MaterialKind::Glass).emissive(0.35);
            let y = s * (0.78 + 1.32 * i as f32);
            let lens = cylinder(s * 0.48, s * 0.12, n.max(10)).rot_x(FRAC_PI_2).at(0.0, y, s * 0.5);
            b.add("lamp", turn(lens, face), lamp);
            let visor = lathe_open(&[vec2(s * 0.54, 0.0), vec2(s * 0.54, s * 0.45)], 12).rot_x(FRAC_PI_2);
            let upper = split(&visor, 2, |p, _| usize::from(p.y < -s * 0.1)).into_iter().next();
            b.add("visor", turn(upper.unwrap_or_default().at(0.0, y, s * 0.5), face), case);
        }
    }
    b.main_color(case);
    b.part("red, yellow and green lamps");
    b.build()
}

fn traffic_cone(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let orange = rng.paint_of(&["orange", "orange", "orange", "red", "yellow"], MaterialKind::Plastic);
    let white = rng.paint("white", MaterialKind::Plastic);
    let (r, h) = (rng.between(0.13, 0.2), rng.between(0.45, 0.75));
    let tip = r * rng.between(0.12, 0.3);
    let side = r * rng.between(2.3, 2.8);
    let base = if rng.chance(0.75) {
        b.block(side, 0.035, side)
    } else {
        cylinder(side / 2.0, 0.035, b.segments.max(8))
    };
    let dark = if rng.chance(0.35) { rng.paint("black", MaterialKind::Plastic) } else { orange };
    b.add("base", base, dark);
    let n = b.segments.max(8);
    b.add("cone", frustum(r, tip, h, n).at(0.0, 0.03, 0.0), orange);
    let bands = rng.int_between(1, 2);
    for i in 0..bands {
        let t = if bands == 1 { 0.5 } else { 0.3 + 0.32 * i as f32 };
        let (at, wide) = (|t: f32| r + (tip - r) * t, 0.16);
        b.add(
            "stripe",
            frustum(at(t) * 1.03, at(t + wide) * 1.03, h * wide, n).at(0.0, 0.03 + h * t, 0.0),
            white,
        );
    }
    b.main_paint(orange);
    b.counted_part(bands, "white stripe", "white stripes");
    b.build()
}

fn road_sign(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let h = rng.between(1.5, 2.3);
    let s = rng.between(0.26, 0.36);
    let white = rng.paint("white", MaterialKind::Metal);
    if rng.chance(0.3) {
        let wood = rng.wood();
        b.add("post", cuboid(0.1, h * 1.1, 0.1), wood.shade(0.8));
        for i in 0..rng.int_between(1, 3) {
            let side = rng.sign();
            let arrow = outline(&[(-0.35, -0.09), (0.3, -0.09), (0.45, 0.0), (0.3, 0.09), (-0.35, 0.09)]);
            let y = h - 0.26 * i as f32;
            let solid = extrude(&arrow, 0.05).scale(side, 1.0, 1.0).rot_y(rng.between(-0.3, 0.3));
            b.add("board", solid.at(side * 0.12, y, 0.07), wood);
        }
        b.subcategory("signpost");
        b.main_paint(wood);
        b.part("arrow boards");
        return b.build();
    }
    let r = add_post(rng, &mut b, h + s);
    let (sides, colors): (usize, &[&str]) =
        rng.choose(&[(3, &["red"]), (20, &["red", "blue"]), (4, &["yellow", "orange"])]);
    let rim = rng.paint_of(colors, MaterialKind::Metal);
    let turn = if sides == 4 { 0.785 } else { 0.0 };
    let plate = |size: f32, depth: f32, z: f32| {
        extrude(&circle(size, sides), depth).flat().rot_z(turn * 0.0).at(0.0, h, z)
    };
    b.add("border", plate(s, 0.02, r + 0.01), rim);
    let inner = if sides == 4 { rng.paint("black", MaterialKind::Metal) } else { white };
    b.add("face", plate(s * 0.8, 0.01, r + 0.022), if sides == 4 { rim.shade(1.15) } else { white });
    let mark = if sides == 4 { inner } else { rng.paint("black", MaterialKind::Metal) };
    b.add("mark", cuboid(s * 0.14, s * 0.55, 0.012).at(0.0, h - s * 0.22, r + 0.03), mark);
    b.subcategory(match sides {
        3 => "yield sign",
        4 => "warning sign",
        _ => "traffic sign",
    });
    b.main_paint(rim);
    b.part("a post");
    b.build()
}
