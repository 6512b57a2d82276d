//! What people wear and carry on them.

use glam::{Vec3, vec2, vec3};

use crate::category::Category;
use crate::kit::*;

/// A row of a table of this kind of thing.
pub(crate) const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "clothing", build }
}

pub(crate) const CATEGORIES: &[Category] = &[
    row("shoe", &["footwear"], shoe),
    row("boot", &["rain boot", "footwear"], boot),
    row("hat", &["cap"], hat),
];

/// An opening tube of `rings` along the foot, z from the heel to the toe.
fn shoe(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let pair = rng.chance(0.2);
    let style = rng.index(3);
    let main = rng.paint_of(
        &["red", "black", "white", "brown", "blue", "pink", "dark brown", "gray", "tan"],
        if style == 0 { MaterialKind::Fabric } else { MaterialKind::Leather },
    );
    let sole = rng.paint_of(&["white", "black", "dark brown", "tan", "gray"], MaterialKind::Plastic);
    let accent = rng.paint_of(&["white", "black", "red", "yellow"], MaterialKind::Fabric);
    let mut parts: Vec<(&str, Solid, Paint)> = Vec::new();
    match style {
        0 => sneaker(rng, &mut parts, [main, sole, accent], b.segments),
        1 => high_heel(rng, &mut parts, [main, sole, main.shade(0.5)], b.segments),
        _ => leather_shoe(rng, &mut parts, [main, sole, main.shade(0.5)], b.segments),
    }
    for (name, solid, paint) in parts {
        let solid = if pair { solid.at(0.07, 0.0, 0.0).mirrored_x() } else { solid };
        b.add(name, solid, paint);
    }
    b.subcategory(["sneaker", "high heel", "dress shoe"][style]);
    b.part(["laces", "a high heel", "laces"][style]);
    b.main_paint(main);
    if pair {
        b.subcategory("pair of shoes");
    }
    b.build()
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
    extrude(&foot_outline(scale), thickness).rot_x(-FRAC_PI_2).at(0.0, thickness / 2.0, 0.0)
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
            .linear_array(3, vec3(-0.0005, 0.0, -0.022))
            .mirrored_x();
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
    let halves = split(&body.subdivided(), 2, |p, _| cut(p));
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
    let lace = cuboid(0.035, 0.004, 0.006)
        .at(0.0, y + high * 0.95, -0.018)
        .linear_array(3, vec3(0.0, -0.008, 0.018));
    parts.push(("laces", lace, inside));
}

fn boot(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let main = rng.paint_of(
        &["brown", "black", "dark brown", "red", "yellow", "green", "blue", "tan"],
        MaterialKind::Leather,
    );
    let sole = rng.paint_of(&["black", "dark brown", "dark gray"], MaterialKind::Plastic);
    let h = rng.between(0.2, 0.38);
    let n = b.segments.max(8);
    let pair = rng.chance(0.2);
    let place = |s: Solid| if pair { s.at(0.075, 0.0, 0.0).mirrored_x() } else { s };
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
        let cuff = rng.paint_of(&["white", "tan", "cream", "dark brown"], MaterialKind::Fabric);
        b.add(
            "cuff",
            place(washer(top * 1.12, top * 0.86, h * 0.13, n).scale(0.95, 1.0, 1.2).at(0.0, h * 0.89, -0.08)),
            cuff,
        );
        b.colored_part("cuff", cuff);
    }
    if rng.chance(0.3) {
        b.add(
            "strap",
            place(torus(ankle * 1.12, 0.007, n, 5).scale(0.95, 1.0, 1.2).at(0.0, 0.1, -0.08)),
            rng.paint("gold", MaterialKind::Metal),
        );
        b.part("a buckle");
    }
    b.main_paint(main);
    b.adjective(if h > 0.3 { "tall" } else { "short" });
    b.build()
}

fn hat(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let main = rng.paint_of(
        &["black", "brown", "tan", "red", "blue", "gray", "beige", "purple", "green", "navy"],
        MaterialKind::Fabric,
    );
    let band = rng.paint_of(&["red", "black", "white", "gold", "dark brown"], MaterialKind::Fabric);
    let r = 0.1;
    let n = b.segments.max(8);
    match rng.index(6) {
        0 => {
            let h = rng.between(0.13, 0.22);
            b.add("brim", washer(r * 1.6, r * 0.9, 0.008, n), main);
            b.add("crown", frustum(r, r * rng.between(0.95, 1.12), h, n), main);
            b.add("band", cylinder(r * 1.03, h * 0.18, n).at(0.0, 0.006, 0.0), band);
            b.subcategory("top hat");
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
            b.subcategory("cowboy hat");
        }
        2 => {
            let h = rng.between(0.28, 0.42);
            let tip = [vec2(r, 0.0), vec2(r * 0.6, h * 0.45), vec2(r * 0.28, h * 0.75), vec2(0.0, h)];
            b.add("brim", washer(r * 2.0, r * 0.85, 0.008, n), main);
            b.add("cone", lathe(&tip, n).bend_z(-rng.between(0.1, 0.9)), main);
            b.add("band", cylinder(r * 1.03, 0.035, n).at(0.0, 0.004, 0.0), band);
            b.subcategory(rng.choose(&["witch hat", "wizard hat"]));
        }
        3 => {
            b.add("dome", dome(r, r * 0.85, n), main);
            let peak = cylinder(r * 0.95, 0.01, n.max(12)).scale(0.9, 1.0, 1.0).at(0.0, 0.004, r * 0.75);
            b.add("peak", peak, if rng.chance(0.4) { band } else { main });
            b.add("button", sphere(0.01, 6).at(0.0, r * 0.86, 0.0), band);
            b.subcategory("baseball cap");
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
            b.subcategory("beanie");
            b.part("a pompom");
        }
        _ => {
            santa_hat(rng, &mut b, r, main);
            return b.build();
        }
    }
    b.main_paint(main);
    b.colored_part("band", band);
    b.build()
}

fn santa_hat(rng: &mut Rng, b: &mut Builder, r: f32, main: Paint) {
    let n = b.segments.max(8);
    let red = rng.paint("red", MaterialKind::Fabric);
    let white = rng.paint("white", MaterialKind::Fabric);
    b.add(
        "cone",
        lathe(&[vec2(r, 0.0), vec2(r * 0.75, 0.1), vec2(r * 0.35, 0.2), vec2(0.012, 0.28)], n)
            .bend_z(-rng.between(0.2, 1.4)),
        if rng.chance(0.7) { red } else { main },
    );
    b.add("fur", torus(r, 0.026, n, 7).at(0.0, 0.012, 0.0), white);
    b.subcategory("santa hat");
    b.main_color(red);
    b.part("white fur trim");
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
