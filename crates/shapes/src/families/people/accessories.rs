//! What people wear on head, hands and nose, and look through.

use glam::{Vec3, vec2, vec3};

use super::clothing::row;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    row("crown", &["royal crown"], crown),
    row("ring", &["finger ring", "jewelry"], finger_ring),
    row("necklace", &["pendant", "jewelry"], necklace),
    row("eyeglasses", &["glasses", "spectacles", "sunglasses"], eyeglasses),
    row("binoculars", &["field glasses"], binoculars),
    row("wristwatch", &["watch", "smartwatch"], wristwatch),
];

fn crown(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["gold", "gold", "gold", "silver", "yellow", "bronze"], MaterialKind::Metal);
    let (r, h) = (0.1, rng.between(0.05, 0.11));
    let points = rng.choose(&[4, 5, 6, 7, 8, 10]);
    let flare = rng.between(1.0, 1.35);
    let low = rng.between(0.35, 0.6);
    let sharp = rng.chance(0.6);
    let steps = points * 4;
    // A strip whose upper rim rises and falls; built as inner and outer wall.
    let row = |radius: f32, top: bool| -> Vec<Vec3> {
        (0..=steps)
            .map(|i| {
                let phase = (i % 4) as f32 / 4.0;
                let peak = if sharp {
                    (1.0 - 2.0 * phase).abs()
                } else {
                    0.5 + 0.5 * (phase * std::f32::consts::TAU).cos()
                };
                let y = if top { h * (low + (1.0 - low) * peak) } else { 0.0 };
                let (sin, cos) = (std::f32::consts::TAU * i as f32 / steps as f32).sin_cos();
                let out = radius * (1.0 + (flare - 1.0) * y / h);
                vec3(sin * out, y, cos * out)
            })
            .collect()
    };
    let inner = 0.93;
    let (o0, o1, i1, i0) = (row(r, false), row(r, true), row(r * inner, true), row(r * inner, false));
    b.add("band", sheet(&[o0.clone(), o1.clone(), i1, i0, o0]), gold);
    let ring = |y: f32, t: f32| {
        torus(r * (1.0 + (flare - 1.0) * y / h) * 0.99, t, b.segments.max(16), 6).at(0.0, y, 0.0)
    };
    let rim = ring(0.004, 0.007);
    b.add("rim", rim, gold.shade(0.85));
    if rng.chance(0.7) {
        let gem = rng.paint_of(&["red", "blue", "green", "purple", "light blue"], MaterialKind::Glass);
        let out = r * (1.0 + (flare - 1.0) * low * 0.5);
        let stone = ellipsoid(0.012, 0.014, 0.006, 6).at(0.0, h * low * 0.55, out);
        b.add("gems", stone.radial_array_y(points), gem);
        b.colored_part("gems", gem);
    }
    if rng.chance(0.5) {
        let ball = sphere(0.011, 8).at(0.0, h * 1.04, r * flare);
        b.add(
            "balls",
            ball.radial_array_y(points),
            if rng.chance(0.5) { gold } else { rng.paint_of(&["white", "red"], MaterialKind::Glass) },
        );
        b.part("balls on its points");
    }
    if rng.chance(0.25) {
        b.add(
            "cap",
            dome(r * 0.93, h * 1.1, b.segments.max(10)),
            rng.paint_of(&["red", "purple", "blue"], MaterialKind::Fabric),
        );
        b.part("a velvet cap");
    }
    b.main_paint(gold);
    b.counted_part(points, "point", "points");
    b.build()
}

fn finger_ring(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["gold", "gold", "silver", "copper"], MaterialKind::Metal);
    let r = 0.01;
    let n = b.segments.max(16);
    let thick = rng.between(0.1, 0.2) * r;
    let band = if rng.chance(0.5) {
        torus(r, thick, n, 8)
    } else {
        washer(r * 1.1, r * 0.92, thick * 3.0, n).at(0.0, -thick * 1.5, 0.0)
    };
    b.add("band", band.rot_x(FRAC_PI_2).at(0.0, r, 0.0), gold);
    if rng.chance(0.8) {
        let gem =
            rng.paint_of(&["light blue", "red", "green", "blue", "purple", "white"], MaterialKind::Glass);
        let s = r * rng.between(0.3, 0.6);
        let sides = rng.choose(&[4, 6, 8]);
        let cut = lathe(&[vec2(0.0, -s), vec2(s, 0.0), vec2(s * 0.62, s * 0.45)], sides).flat();
        b.add("gem", cut.at(0.0, r * 2.05 + s, 0.0), gem);
        b.add("setting", frustum(s * 0.35, s * 0.85, s * 0.8, sides).at(0.0, r * 2.0, 0.0), gold);
        b.colored_part("gem", gem);
        b.subcategory("diamond ring");
    }
    b.main_paint(gold);
    b.build()
}

fn necklace(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["gold", "silver", "bronze"], MaterialKind::Metal);
    let (w, h) = (0.08, rng.between(0.1, 0.14));
    let at = |t: f32| {
        let (sin, cos) = (std::f32::consts::TAU * t).sin_cos();
        vec3(w * sin * (1.0 + 0.15 * cos), h * cos, 0.0)
    };
    let pearls = rng.chance(0.4);
    if pearls {
        let pearl = rng.paint_of(&["white", "cream", "pink", "light blue", "red"], MaterialKind::Plastic);
        let beads = Solid::union((0..34).map(|i| sphere(0.0085, 7).translated(at(i as f32 / 34.0))));
        b.add("pearls", beads, pearl);
        b.main_color(pearl);
        b.subcategory("pearl necklace");
    } else {
        let line: Vec<Vec3> = (0..=36).map(|i| at(i as f32 / 36.0)).collect();
        b.add("chain", tube(&line, 0.0028, 5), gold);
        b.main_paint(gold);
    }
    if !pearls || rng.chance(0.3) {
        let gem = rng.paint_of(&["red", "blue", "green", "purple", "gold"], MaterialKind::Glass);
        let pendant = match rng.index(3) {
            0 => extrude_beveled(
                &mirrored(&[(0.0, -0.03), (0.026, 0.004), (0.022, 0.02), (0.008, 0.024), (0.0, 0.016)]),
                0.012,
                0.3,
            ),
            1 => ellipsoid(0.02, 0.026, 0.009, b.segments.max(8)),
            _ => lathe(&[vec2(0.0, -0.03), vec2(0.018, 0.0), vec2(0.0, 0.022)], 6).flat(),
        };
        b.add("pendant", pendant.at(0.0, -h - 0.026, 0.0), gem);
        b.colored_part("pendant", gem);
    }
    b.build()
}

fn eyeglasses(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let frame_paint = rng.paint_of(
        &["black", "black", "brown", "dark gray", "red", "gold", "silver", "blue"],
        MaterialKind::Plastic,
    );
    let sun = rng.chance(0.45);
    let lens = if sun {
        rng.paint_of(&["black", "dark gray", "dark brown", "navy"], MaterialKind::Glass)
    } else {
        rng.paint_of(&["light blue", "white", "light gray"], MaterialKind::Glass)
    };
    let (w, h) = (rng.between(0.024, 0.031), rng.between(0.017, 0.028));
    let thick = rng.between(0.0016, 0.0042);
    let square = rng.choose(&[0.0, 0.35, 0.7]);
    let n = 20;
    let rim: Vec<Vec3> = (0..=n)
        .map(|i| {
            let (sin, cos) = (std::f32::consts::TAU * i as f32 / n as f32).sin_cos();
            let press = 1.0 + square * (1.0 / sin.abs().max(cos.abs()) - 1.0);
            vec3(cos * w * press, sin * h * press, 0.0)
        })
        .collect();
    let x = w + rng.between(0.008, 0.011);
    b.add("rims", tube(&rim, thick, 6).at(x, 0.0, 0.0).mirrored_x(), frame_paint);
    if sun || rng.chance(0.5) {
        let flat: Vec<glam::Vec2> = rim[..n].iter().map(|p| vec2(p.x, p.y)).collect();
        b.add("lenses", extrude(&flat, thick * 0.5).at(x, 0.0, 0.0).mirrored_x(), lens);
    }
    let bridge =
        curve(&[vec3(-(x - w), h * 0.2, 0.0), vec3(0.0, h * 0.42, 0.003), vec3(x - w, h * 0.2, 0.0)], 3);
    b.add("bridge", tube(&bridge, thick, 6), frame_paint);
    let hinge = vec3(x + w * 0.97, h * 0.5, 0.0);
    let long = rng.between(0.11, 0.14);
    let folded = rng.chance(0.15);
    let temple = if folded {
        [
            hinge,
            hinge + vec3(-0.02, 0.0, -0.012),
            hinge + vec3(-long * 0.85, -0.002, -0.014),
            hinge + vec3(-long, -0.016, -0.014),
        ]
    } else {
        [
            hinge,
            hinge + vec3(0.003, 0.0, -0.012),
            hinge + vec3(0.001, 0.0, -long * 0.72),
            hinge + vec3(-0.004, -0.026, -long),
        ]
    };
    b.add("temples", tube(&curve(&temple, 3), thick * 1.1, 6).mirrored_x(), frame_paint);
    b.main_paint(frame_paint);
    b.subcategory(if sun { "sunglasses" } else { "reading glasses" });
    b.part(if sun { "dark lenses" } else { "two lenses" });
    if square < 0.1 {
        b.adjective("round");
    }
    b.build()
}

fn binoculars(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let body = rng.paint_of(
        &["black", "black", "dark gray", "dark green", "brown", "gray", "navy"],
        MaterialKind::Plastic,
    );
    let metal = rng.paint_of(&["dark gray", "silver", "black", "gold"], MaterialKind::Metal);
    let glass = rng.paint_of(&["light blue", "navy", "dark gray", "purple"], MaterialKind::Glass);
    let (l, r) = (rng.between(0.11, 0.16), rng.between(0.022, 0.034));
    let n = b.segments.max(10);
    let x = r * rng.between(1.1, 1.4);
    let eye = r * rng.between(0.5, 0.72);
    let barrel = lathe(
        &[
            vec2(eye * 1.2, -l * 0.52),
            vec2(eye * 1.15, -l * 0.4),
            vec2(eye, -l * 0.38),
            vec2(eye * 1.1, -l * 0.2),
            vec2(r * 0.9, l * 0.02),
            vec2(r * 0.95, l * 0.3),
            vec2(r * 1.06, l * 0.33),
            vec2(r * 1.06, l * 0.5),
            vec2(r * 0.88, l * 0.5),
            vec2(r * 0.86, l * 0.46),
        ],
        n,
    );
    let place = |s: Solid| s.rot_x(FRAC_PI_2).at(x, 0.0, 0.0).mirrored_x();
    b.add("barrels", place(barrel), body);
    b.add("front lenses", place(cylinder(r * 0.88, 0.004, n).at(0.0, l * 0.455, 0.0)), glass);
    b.add("eyepieces", place(cylinder(eye * 0.8, 0.004, n).at(0.0, -l * 0.525, 0.0)), glass);
    b.add(
        "bridge",
        b.block(x * 1.5, r * 0.5, l * 0.16)
            .at(0.0, -r * 0.2, l * 0.2)
            .join(b.block(x * 1.5, r * 0.45, l * 0.12).at(0.0, -r * 0.2, -l * 0.18)),
        body,
    );
    b.add(
        "hinge",
        cylinder(r * 0.26, l * 0.5, 10).at(0.0, -l * 0.22, 0.0).rot_x(FRAC_PI_2).at(0.0, r * 0.1, 0.0),
        metal,
    );
    b.add("focus wheel", cylinder(r * 0.4, l * 0.1, 12).rot_x(FRAC_PI_2).at(0.0, r * 0.15, -l * 0.05), metal);
    if rng.chance(0.5) {
        b.transform(glam::Affine3A::from_rotation_x(-FRAC_PI_2));
    }
    b.main_paint(body);
    b.part("two lenses");
    b.part("a focus wheel");
    b.build()
}

fn wristwatch(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let smart = rng.chance(0.4);
    let strap = rng.paint_of(
        &["black", "brown", "silver", "gold", "white", "blue", "red", "dark brown"],
        MaterialKind::Leather,
    );
    let case = rng.paint_of(&["silver", "gold", "black", "dark gray", "silver"], MaterialKind::Metal);
    let face = if smart {
        rng.paint_of(&["black", "navy"], MaterialKind::Glass)
    } else {
        rng.paint_of(&["white", "black", "blue", "cream", "green"], MaterialKind::Plain)
    };
    let (r, w) = (rng.between(0.027, 0.033), rng.between(0.018, 0.024));
    let squash = rng.between(0.8, 1.0);
    let band = lathe_loop(
        &[vec2(r * 0.94, -w / 2.0), vec2(r, -w / 2.0), vec2(r, w / 2.0), vec2(r * 0.94, w / 2.0)],
        b.segments.max(14),
    );
    b.add("strap", band.rot_z(FRAC_PI_2).scale(1.0, squash, 1.0), strap);
    let s = r * rng.between(0.52, 0.72);
    let y = r * squash * 0.97;
    let n = b.segments.max(14);
    let h = r * rng.between(0.2, 0.32);
    if smart {
        b.add("case", rounded_box(s * 1.75, h, s * 2.0, h * 0.45, 2).at(0.0, y - h * 0.25, 0.0), case);
        b.add("screen", rounded_box(s * 1.5, h * 0.3, s * 1.75, h * 0.1, 1).at(0.0, y + h * 0.52, 0.0), face);
        b.subcategory("smartwatch");
        b.part("a screen");
    } else {
        b.add("case", cylinder(s, h, n).at(0.0, y - h * 0.25, 0.0), case);
        b.add("face", cylinder(s * 0.85, h * 0.1, n).at(0.0, y + h * 0.72, 0.0), face);
        let hand = if face.color.name == "white" || face.color.name == "cream" {
            rng.paint("black", MaterialKind::Plain)
        } else {
            rng.paint("white", MaterialKind::Plain)
        };
        let top = y + h * 0.83;
        let hands = cuboid(s * 0.09, h * 0.05, s * 0.5)
            .at(0.0, top, s * 0.25)
            .rot_y(2.4)
            .join(cuboid(s * 0.06, h * 0.05, s * 0.7).at(0.0, top, s * 0.35).rot_y(-2.2));
        b.add("hands", hands, hand);
        let mark = cuboid(s * 0.06, h * 0.05, s * 0.14).at(0.0, top, s * 0.72);
        b.add("marks", mark.radial_array_y(12), hand);
        b.part("two hands");
    }
    b.add(
        "crown",
        cylinder(s * 0.13, s * 0.2, 8).rot_z(-FRAC_PI_2).at(
            s * if smart { 0.88 } else { 0.98 },
            y + h * 0.25,
            0.0,
        ),
        case,
    );
    b.add(
        "buckle",
        frame(w * 1.15, w * 0.6, w * 0.12, w * 0.14).rot_x(FRAC_PI_2).at(0.0, -r * squash, -w * 0.3),
        case,
    );
    if rng.chance(0.4) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }
    b.main_paint(strap);
    b.colored_part("strap", strap);
    b.build()
}
