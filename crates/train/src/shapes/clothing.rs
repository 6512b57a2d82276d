//! What people wear and carry on them.

use glam::{Vec3, vec2, vec3};

use super::Category;
use super::kit::*;

const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "clothing", build }
}

pub(super) const CATEGORIES: &[Category] = &[
    row("shoe", &["footwear"], shoe),
    row("boot", &["rain boot", "footwear"], boot),
    row("hat", &["cap"], hat),
    row("crown", &["royal crown"], crown),
    row("ring", &["finger ring", "jewelry"], finger_ring),
    row("necklace", &["pendant", "jewelry"], necklace),
    row("eyeglasses", &["glasses", "spectacles", "sunglasses"], eyeglasses),
    row("binoculars", &["field glasses"], binoculars),
    row("wristwatch", &["watch", "smartwatch"], wristwatch),
];

/// An opening tube of `rings` along the foot, z from the heel to the toe.
fn shoe(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let pair = rng.chance(0.2);
    let style = rng.index(3);
    let main = rng.paint_of(
        &["red", "black", "white", "brown", "blue", "pink", "dark brown", "gray", "tan"],
        if style == 0 { Stuff::Fabric } else { Stuff::Leather },
    );
    let sole = rng.paint_of(&["white", "black", "dark brown", "tan", "gray"], Stuff::Plastic);
    let accent = rng.paint_of(&["white", "black", "red", "yellow"], Stuff::Fabric);
    let mut parts: Vec<(&str, Solid, Paint)> = Vec::new();
    match style {
        0 => sneaker(rng, &mut parts, [main, sole, accent], b.n),
        1 => high_heel(rng, &mut parts, [main, sole, main.shade(0.5)], b.n),
        _ => leather_shoe(rng, &mut parts, [main, sole, main.shade(0.5)], b.n),
    }
    for (name, solid, paint) in parts {
        let solid = if pair { solid.at(0.07, 0.0, 0.0).both_x() } else { solid };
        b.add(name, solid, paint);
    }
    b.kind(["sneaker", "high heel", "dress shoe"][style]);
    b.has(["laces", "a high heel", "laces"][style]);
    b.main(main);
    if pair {
        b.kind("pair of shoes");
    }
    b.done()
}

fn foot_outline(scale: f32) -> Vec<glam::Vec2> {
    let points = [
        (0.0, -0.14),
        (0.032, -0.128),
        (0.038, -0.09),
        (0.034, -0.02),
        (0.046, 0.06),
        (0.043, 0.105),
        (0.026, 0.138),
        (0.0, 0.148),
        (-0.026, 0.136),
        (-0.04, 0.1),
        (-0.042, 0.06),
        (-0.032, -0.02),
        (-0.036, -0.09),
        (-0.03, -0.128),
    ];
    points.iter().map(|&(x, z)| vec2(x, -z) * scale).collect()
}

fn sole_plate(thickness: f32, scale: f32) -> Solid {
    extrude(&foot_outline(scale), thickness).rot_x(-QUARTER).at(0.0, thickness / 2.0, 0.0)
}

type Parts<'a> = Vec<(&'a str, Solid, Paint)>;

fn sneaker(rng: &mut Rng, parts: &mut Parts, [main, sole, accent]: [Paint; 3], n: usize) {
    let thick = rng.between(0.018, 0.032);
    let high = rng.between(0.075, 0.14);
    parts.push(("sole", sole_plate(thick, 1.05), sole));
    let y = thick * 0.7;
    let upper = loft(
        &[
            ring(0.0, y + 0.03, -0.14, 0.024, 0.03),
            ring(0.0, y + high * 0.5, -0.115, 0.036, high * 0.52),
            ring(0.0, y + high * 0.48, -0.05, 0.038, high * 0.5),
            ring(0.0, y + 0.036, 0.01, 0.039, 0.045),
            ring(0.0, y + 0.026, 0.07, 0.044, 0.032),
            ring(0.0, y + 0.02, 0.12, 0.036, 0.025),
            ring(0.0, y + 0.012, 0.145, 0.018, 0.012),
        ],
        n.max(8),
    )
    .map(|p| vec3(p.x, p.y.max(y - 0.004), p.z));
    parts.push(("upper", upper, main));
    let hole = ellipsoid(0.026, 0.01, 0.042, n.max(8)).at(0.0, y + high * 0.985, -0.075);
    parts.push(("opening", hole, main.shade(0.3)));
    parts.push(("toe cap", ellipsoid(0.041, 0.03, 0.045, n.max(8)).at(0.0, y + 0.012, 0.102), sole));
    for i in 0..4 {
        let t = i as f32 / 3.0;
        let lace = bar(vec3(-0.022, 0.0, 0.0), vec3(0.022, 0.0, 0.0), 0.007, 0.006);
        parts.push((
            "laces",
            lace.at(0.0, y + high * (0.86 - 0.3 * t).max(0.5) + 0.002, -0.012 + 0.055 * t),
            accent,
        ));
    }
    if rng.chance(0.5) {
        let stripe = cuboid(0.002, 0.04, 0.012)
            .rot_x(0.4)
            .at(0.041, y + 0.015, 0.0)
            .repeat(3, vec3(-0.0005, 0.0, -0.022))
            .both_x();
        parts.push(("stripes", stripe, accent));
    }
}

fn high_heel(rng: &mut Rng, parts: &mut Parts, [main, sole, inside]: [Paint; 3], n: usize) {
    let heel = rng.between(0.06, 0.11);
    let slope = |z: f32| heel * ((0.035 - z) / 0.15).clamp(0.0, 1.0).powf(1.3);
    let raised = |s: Solid| s.map(|p| vec3(p.x * 0.82, p.y + slope(p.z), p.z));
    parts.push(("sole", raised(sole_plate(0.006, 1.0).subdivided()), sole));
    let at = |z: f32, w: f32, h: f32| ring(0.0, 0.004 + h * 0.5, z, w, h);
    let body = loft(
        &[
            at(-0.138, 0.014, 0.03),
            at(-0.125, 0.029, 0.038),
            at(-0.06, 0.031, 0.024),
            at(0.02, 0.036, 0.018),
            at(0.07, 0.041, 0.024),
            at(0.12, 0.03, 0.02),
            at(0.152, 0.006, 0.008),
        ],
        n.max(8),
    );
    let cut = |p: Vec3| usize::from(p.z < 0.06 && p.z > -0.13 && p.x.abs() < 0.024 && p.y > 0.012);
    let halves = super::clay::split(&body.subdivided(), 2, |p, _| cut(p));
    for (solid, paint) in halves.into_iter().zip([main, inside]) {
        let sunk = paint == inside;
        let solid = if sunk { solid.map(|p| vec3(p.x, p.y.min(0.014), p.z)) } else { solid };
        parts.push(("upper", raised(solid.map(|p| vec3(p.x, p.y.max(0.003), p.z))), paint));
    }
    let post = frustum(0.007, 0.02, heel, 8).at(0.0, 0.0, -0.112);
    parts.push(("heel", post, main));
}

fn leather_shoe(rng: &mut Rng, parts: &mut Parts, [main, sole, inside]: [Paint; 3], n: usize) {
    parts.push(("sole", sole_plate(0.012, 1.02), sole));
    parts.push(("heel", cuboid(0.06, 0.016, 0.06).at(0.0, -0.014, -0.1), sole));
    let y = 0.01;
    let high = rng.between(0.055, 0.075);
    let upper = loft(
        &[
            ring(0.0, y + 0.025, -0.138, 0.022, 0.025),
            ring(0.0, y + high * 0.5, -0.115, 0.034, high * 0.52),
            ring(0.0, y + high * 0.5, -0.04, 0.036, high * 0.52),
            ring(0.0, y + 0.03, 0.02, 0.039, 0.036),
            ring(0.0, y + 0.02, 0.08, 0.043, 0.024),
            ring(0.0, y + 0.014, 0.13, 0.026, 0.017),
            ring(0.0, y + 0.01, 0.148, 0.01, 0.008),
        ],
        n.max(8),
    );
    parts.push(("upper", upper.map(|p| vec3(p.x, p.y.max(y - 0.002), p.z)), main));
    parts.push(("opening", ellipsoid(0.025, 0.008, 0.045, n.max(8)).at(0.0, y + high * 0.99, -0.07), inside));
    let lace =
        cuboid(0.035, 0.004, 0.006).at(0.0, y + high * 0.95, -0.018).repeat(3, vec3(0.0, -0.008, 0.018));
    parts.push(("laces", lace, inside));
}

fn boot(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let main = rng
        .paint_of(&["brown", "black", "dark brown", "red", "yellow", "green", "blue", "tan"], Stuff::Leather);
    let sole = rng.paint_of(&["black", "dark brown", "dark gray"], Stuff::Plastic);
    let h = rng.between(0.2, 0.38);
    let n = b.n.max(8);
    let pair = rng.chance(0.2);
    let place = |s: Solid| if pair { s.at(0.075, 0.0, 0.0).both_x() } else { s };
    b.add("sole", place(sole_plate(0.018, 1.08)), sole);
    b.add("heel", place(cuboid(0.066, 0.026, 0.065).at(0.0, -0.024, -0.1)), sole);
    let foot = loft(
        &[
            ring(0.0, 0.045, -0.13, 0.03, 0.035),
            ring(0.0, 0.055, -0.08, 0.04, 0.05),
            ring(0.0, 0.05, 0.0, 0.04, 0.042),
            ring(0.0, 0.04, 0.06, 0.045, 0.033),
            ring(0.0, 0.032, 0.11, 0.038, 0.026),
            ring(0.0, 0.025, 0.145, 0.016, 0.014),
        ],
        n,
    );
    b.add("foot", place(foot.map(|p| vec3(p.x, p.y.max(0.014), p.z))), main);
    let (ankle, top) = (0.04, rng.between(0.045, 0.065));
    let shaft = lathe(
        &[
            vec2(ankle, 0.05),
            vec2(ankle * 1.05, h * 0.5),
            vec2(top, h),
            vec2(top * 0.88, h),
            vec2(top * 0.8, h * 0.8),
        ],
        n,
    );
    b.add("shaft", place(shaft.scale(0.95, 1.0, 1.2).at(0.0, 0.0, -0.08)), main);
    b.add(
        "inside",
        place(cylinder(top * 0.85, 0.004, n).scale(0.95, 1.0, 1.2).at(0.0, h * 0.86, -0.08)),
        main.shade(0.3),
    );
    if rng.chance(0.4) {
        let cuff = rng.paint_of(&["white", "tan", "cream", "dark brown"], Stuff::Fabric);
        b.add(
            "cuff",
            place(washer(top * 1.12, top * 0.86, h * 0.13, n).scale(0.95, 1.0, 1.2).at(0.0, h * 0.89, -0.08)),
            cuff,
        );
        b.has_colored("cuff", cuff);
    }
    if rng.chance(0.3) {
        b.add(
            "strap",
            place(torus(ankle * 1.12, 0.007, n, 5).scale(0.95, 1.0, 1.2).at(0.0, 0.1, -0.08)),
            rng.paint("gold", Stuff::Metal),
        );
        b.has("a buckle");
    }
    b.main(main);
    b.adjective(if h > 0.3 { "tall" } else { "short" });
    b.done()
}

fn hat(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let main = rng.paint_of(
        &["black", "brown", "tan", "red", "blue", "gray", "beige", "purple", "green", "navy"],
        Stuff::Fabric,
    );
    let band = rng.paint_of(&["red", "black", "white", "gold", "dark brown"], Stuff::Fabric);
    let r = 0.1;
    let n = b.n.max(8);
    match rng.index(6) {
        0 => {
            let h = rng.between(0.13, 0.22);
            b.add("brim", washer(r * 1.6, r * 0.9, 0.008, n), main);
            b.add("crown", frustum(r, r * rng.between(0.95, 1.12), h, n), main);
            b.add("band", cylinder(r * 1.03, h * 0.18, n).at(0.0, 0.006, 0.0), band);
            b.kind("top hat");
        }
        1 => {
            let wide = r * rng.between(2.3, 2.8);
            let brim = washer(wide, r * 0.9, 0.008, n.max(12))
                .map(|p| vec3(p.x, p.y + 1.5 * p.x * p.x - 0.4 * p.z * p.z, p.z));
            b.add("brim", brim, main);
            let crown =
                lathe(&[vec2(r, 0.0), vec2(r * 0.92, 0.09), vec2(r * 0.7, 0.12), vec2(0.0, 0.105)], n)
                    .scale(0.9, 1.0, 1.1);
            b.add("crown", crown, main);
            b.add("band", cylinder(r * 1.02, 0.02, n).scale(0.9, 1.0, 1.1).at(0.0, 0.006, 0.0), band);
            b.kind("cowboy hat");
        }
        2 => {
            let h = rng.between(0.28, 0.42);
            let tip = [vec2(r, 0.0), vec2(r * 0.6, h * 0.45), vec2(r * 0.28, h * 0.75), vec2(0.0, h)];
            b.add("brim", washer(r * 2.0, r * 0.85, 0.008, n), main);
            b.add("cone", lathe(&tip, n).bend_z(-rng.between(0.1, 0.9)), main);
            b.add("band", cylinder(r * 1.03, 0.035, n).at(0.0, 0.004, 0.0), band);
            b.kind(rng.pick(&["witch hat", "wizard hat"]));
        }
        3 => {
            b.add("dome", dome(r, r * 0.85, n), main);
            let peak = cylinder(r * 0.95, 0.01, n.max(12)).scale(0.9, 1.0, 1.0).at(0.0, 0.004, r * 0.75);
            b.add("peak", peak, if rng.chance(0.4) { band } else { main });
            b.add("button", sphere(0.01, 6).at(0.0, r * 0.86, 0.0), band);
            b.kind("baseball cap");
        }
        4 => {
            b.add("dome", dome(r, r * rng.between(0.9, 1.2), n), main);
            b.add(
                "cuff",
                lathe_loop(
                    &[
                        vec2(r * 0.95, -0.01),
                        vec2(r * 1.12, -0.01),
                        vec2(r * 1.12, 0.04),
                        vec2(r * 0.95, 0.04),
                    ],
                    n,
                ),
                band,
            );
            b.add("pompom", ellipsoid(0.035, 0.033, 0.035, 8).at(0.0, r * 1.15, 0.0), band);
            b.kind("beanie");
            b.has("a pompom");
        }
        _ => {
            let red = rng.paint("red", Stuff::Fabric);
            let white = rng.paint("white", Stuff::Fabric);
            b.add(
                "cone",
                lathe(&[vec2(r, 0.0), vec2(r * 0.75, 0.1), vec2(r * 0.35, 0.2), vec2(0.012, 0.28)], n)
                    .bend_z(-rng.between(0.2, 1.4)),
                if rng.chance(0.7) { red } else { main },
            );
            b.add("fur", torus(r, 0.026, n, 7).at(0.0, 0.012, 0.0), white);
            b.kind("santa hat");
            b.colored(red);
            b.has("white fur trim");
            return b.done();
        }
    }
    b.main(main);
    b.has_colored("band", band);
    b.done()
}

fn crown(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["gold", "gold", "gold", "silver", "yellow", "bronze"], Stuff::Metal);
    let (r, h) = (0.1, rng.between(0.05, 0.11));
    let points = rng.pick(&[4, 5, 6, 7, 8, 10]);
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
    let ring =
        |y: f32, t: f32| torus(r * (1.0 + (flare - 1.0) * y / h) * 0.99, t, b.n.max(16), 6).at(0.0, y, 0.0);
    let rim = ring(0.004, 0.007);
    b.add("rim", rim, gold.shade(0.85));
    if rng.chance(0.7) {
        let gem = rng.paint_of(&["red", "blue", "green", "purple", "light blue"], Stuff::Glass);
        let out = r * (1.0 + (flare - 1.0) * low * 0.5);
        let stone = ellipsoid(0.012, 0.014, 0.006, 6).at(0.0, h * low * 0.55, out);
        b.add("gems", stone.around_y(points), gem);
        b.has_colored("gems", gem);
    }
    if rng.chance(0.5) {
        let ball = sphere(0.011, 8).at(0.0, h * 1.04, r * flare);
        b.add(
            "balls",
            ball.around_y(points),
            if rng.chance(0.5) { gold } else { rng.paint_of(&["white", "red"], Stuff::Glass) },
        );
        b.has("balls on its points");
    }
    if rng.chance(0.25) {
        b.add(
            "cap",
            dome(r * 0.93, h * 1.1, b.n.max(10)),
            rng.paint_of(&["red", "purple", "blue"], Stuff::Fabric),
        );
        b.has("a velvet cap");
    }
    b.main(gold);
    b.has_count(points, "point", "points");
    b.done()
}

fn finger_ring(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["gold", "gold", "silver", "copper"], Stuff::Metal);
    let r = 0.01;
    let n = b.n.max(16);
    let thick = rng.between(0.1, 0.2) * r;
    let band = if rng.chance(0.5) {
        torus(r, thick, n, 8)
    } else {
        washer(r * 1.1, r * 0.92, thick * 3.0, n).at(0.0, -thick * 1.5, 0.0)
    };
    b.add("band", band.rot_x(QUARTER).at(0.0, r, 0.0), gold);
    if rng.chance(0.8) {
        let gem = rng.paint_of(&["light blue", "red", "green", "blue", "purple", "white"], Stuff::Glass);
        let s = r * rng.between(0.3, 0.6);
        let sides = rng.pick(&[4, 6, 8]);
        let cut = lathe(&[vec2(0.0, -s), vec2(s, 0.0), vec2(s * 0.62, s * 0.45)], sides).flat();
        b.add("gem", cut.at(0.0, r * 2.05 + s, 0.0), gem);
        b.add("setting", frustum(s * 0.35, s * 0.85, s * 0.8, sides).at(0.0, r * 2.0, 0.0), gold);
        b.has_colored("gem", gem);
        b.kind("diamond ring");
    }
    b.main(gold);
    b.done()
}

fn necklace(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let gold = rng.paint_of(&["gold", "silver", "bronze"], Stuff::Metal);
    let (w, h) = (0.08, rng.between(0.1, 0.14));
    let at = |t: f32| {
        let (sin, cos) = (std::f32::consts::TAU * t).sin_cos();
        vec3(w * sin * (1.0 + 0.15 * cos), h * cos, 0.0)
    };
    let pearls = rng.chance(0.4);
    if pearls {
        let pearl = rng.paint_of(&["white", "cream", "pink", "light blue", "red"], Stuff::Plastic);
        let beads = Solid::union((0..34).map(|i| sphere(0.0085, 7).moved(at(i as f32 / 34.0))));
        b.add("pearls", beads, pearl);
        b.colored(pearl);
        b.kind("pearl necklace");
    } else {
        let line: Vec<Vec3> = (0..=36).map(|i| at(i as f32 / 36.0)).collect();
        b.add("chain", tube(&line, 0.0028, 5), gold);
        b.main(gold);
    }
    if !pearls || rng.chance(0.3) {
        let gem = rng.paint_of(&["red", "blue", "green", "purple", "gold"], Stuff::Glass);
        let pendant = match rng.index(3) {
            0 => extrude_beveled(
                &mirrored(&[(0.0, -0.03), (0.026, 0.004), (0.022, 0.02), (0.008, 0.024), (0.0, 0.016)]),
                0.012,
                0.3,
            ),
            1 => ellipsoid(0.02, 0.026, 0.009, b.n.max(8)),
            _ => lathe(&[vec2(0.0, -0.03), vec2(0.018, 0.0), vec2(0.0, 0.022)], 6).flat(),
        };
        b.add("pendant", pendant.at(0.0, -h - 0.026, 0.0), gem);
        b.has_colored("pendant", gem);
    }
    b.done()
}

fn eyeglasses(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let frame_paint = rng
        .paint_of(&["black", "black", "brown", "dark gray", "red", "gold", "silver", "blue"], Stuff::Plastic);
    let sun = rng.chance(0.45);
    let lens = if sun {
        rng.paint_of(&["black", "dark gray", "dark brown", "navy"], Stuff::Glass)
    } else {
        rng.paint_of(&["light blue", "white", "light gray"], Stuff::Glass)
    };
    let (w, h) = (rng.between(0.024, 0.031), rng.between(0.017, 0.028));
    let thick = rng.between(0.0016, 0.0042);
    let square = rng.pick(&[0.0, 0.35, 0.7]);
    let n = 20;
    let rim: Vec<Vec3> = (0..=n)
        .map(|i| {
            let (sin, cos) = (std::f32::consts::TAU * i as f32 / n as f32).sin_cos();
            let press = 1.0 + square * (1.0 / sin.abs().max(cos.abs()) - 1.0);
            vec3(cos * w * press, sin * h * press, 0.0)
        })
        .collect();
    let x = w + rng.between(0.008, 0.011);
    b.add("rims", tube(&rim, thick, 6).at(x, 0.0, 0.0).both_x(), frame_paint);
    if sun || rng.chance(0.5) {
        let flat: Vec<glam::Vec2> = rim[..n].iter().map(|p| vec2(p.x, p.y)).collect();
        b.add("lenses", extrude(&flat, thick * 0.5).at(x, 0.0, 0.0).both_x(), lens);
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
    b.add("temples", tube(&curve(&temple, 3), thick * 1.1, 6).both_x(), frame_paint);
    b.main(frame_paint);
    b.kind(if sun { "sunglasses" } else { "reading glasses" });
    b.has(if sun { "dark lenses" } else { "two lenses" });
    if square < 0.1 {
        b.adjective("round");
    }
    b.done()
}

fn binoculars(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let body =
        rng.paint_of(&["black", "black", "dark gray", "dark green", "brown", "gray", "navy"], Stuff::Plastic);
    let metal = rng.paint_of(&["dark gray", "silver", "black", "gold"], Stuff::Metal);
    let glass = rng.paint_of(&["light blue", "navy", "dark gray", "purple"], Stuff::Glass);
    let (l, r) = (rng.between(0.11, 0.16), rng.between(0.022, 0.034));
    let n = b.n.max(10);
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
    let place = |s: Solid| s.rot_x(QUARTER).at(x, 0.0, 0.0).both_x();
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
        cylinder(r * 0.26, l * 0.5, 10).at(0.0, -l * 0.22, 0.0).rot_x(QUARTER).at(0.0, r * 0.1, 0.0),
        metal,
    );
    b.add("focus wheel", cylinder(r * 0.4, l * 0.1, 12).rot_x(QUARTER).at(0.0, r * 0.15, -l * 0.05), metal);
    if rng.chance(0.5) {
        b.transform(glam::Affine3A::from_rotation_x(-QUARTER));
    }
    b.main(body);
    b.has("two lenses");
    b.has("a focus wheel");
    b.done()
}

fn wristwatch(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let smart = rng.chance(0.4);
    let strap = rng.paint_of(
        &["black", "brown", "silver", "gold", "white", "blue", "red", "dark brown"],
        Stuff::Leather,
    );
    let case = rng.paint_of(&["silver", "gold", "black", "dark gray", "silver"], Stuff::Metal);
    let face = if smart {
        rng.paint_of(&["black", "navy"], Stuff::Glass)
    } else {
        rng.paint_of(&["white", "black", "blue", "cream", "green"], Stuff::Plain)
    };
    let (r, w) = (rng.between(0.027, 0.033), rng.between(0.018, 0.024));
    let squash = rng.between(0.8, 1.0);
    let band = lathe_loop(
        &[vec2(r * 0.94, -w / 2.0), vec2(r, -w / 2.0), vec2(r, w / 2.0), vec2(r * 0.94, w / 2.0)],
        b.n.max(14),
    );
    b.add("strap", band.rot_z(QUARTER).scale(1.0, squash, 1.0), strap);
    let s = r * rng.between(0.52, 0.72);
    let y = r * squash * 0.97;
    let n = b.n.max(14);
    let h = r * rng.between(0.2, 0.32);
    if smart {
        b.add("case", rounded_box(s * 1.75, h, s * 2.0, h * 0.45, 2).at(0.0, y - h * 0.25, 0.0), case);
        b.add("screen", rounded_box(s * 1.5, h * 0.3, s * 1.75, h * 0.1, 1).at(0.0, y + h * 0.52, 0.0), face);
        b.kind("smartwatch");
        b.has("a screen");
    } else {
        b.add("case", cylinder(s, h, n).at(0.0, y - h * 0.25, 0.0), case);
        b.add("face", cylinder(s * 0.85, h * 0.1, n).at(0.0, y + h * 0.72, 0.0), face);
        let hand = if face.color.name == "white" || face.color.name == "cream" {
            rng.paint("black", Stuff::Plain)
        } else {
            rng.paint("white", Stuff::Plain)
        };
        let top = y + h * 0.83;
        let hands = cuboid(s * 0.09, h * 0.05, s * 0.5)
            .at(0.0, top, s * 0.25)
            .rot_y(2.4)
            .join(cuboid(s * 0.06, h * 0.05, s * 0.7).at(0.0, top, s * 0.35).rot_y(-2.2));
        b.add("hands", hands, hand);
        let mark = cuboid(s * 0.06, h * 0.05, s * 0.14).at(0.0, top, s * 0.72);
        b.add("marks", mark.around_y(12), hand);
        b.has("two hands");
    }
    b.add(
        "crown",
        cylinder(s * 0.13, s * 0.2, 8).rot_z(-QUARTER).at(
            s * if smart { 0.88 } else { 0.98 },
            y + h * 0.25,
            0.0,
        ),
        case,
    );
    b.add(
        "buckle",
        frame(w * 1.15, w * 0.6, w * 0.12, w * 0.14).rot_x(QUARTER).at(0.0, -r * squash, -w * 0.3),
        case,
    );
    if rng.chance(0.4) {
        b.transform(glam::Affine3A::from_rotation_x(QUARTER));
    }
    b.main(strap);
    b.has_colored("strap", strap);
    b.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sole_is_as_long_as_a_foot() {
        let (low, high) = sole_plate(0.02, 1.0).bounds();
        assert!((high.z - low.z - 0.288).abs() < 1e-3 && low.y.abs() < 1e-4, "{low} {high}");
    }
}
