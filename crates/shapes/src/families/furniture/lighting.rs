//! Lamps and other lights.

use glam::{vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("lamp", &["table lamp", "light"], "home", lamp),
    Category::new("chandelier", &["ceiling lamp", "hanging lamp"], "home", chandelier),
    Category::new("candle", &["wax candle", "candlestick"], "home", candle),
    Category::new("light bulb", &["lightbulb", "bulb"], "object", light_bulb),
    Category::new("flashlight", &["torch", "electric torch"], "object", flashlight),
    Category::new("lantern", &["oil lamp"], "object", lantern),
];

fn shade(r: &mut Rng, size: f32, n: usize) -> Solid {
    let (top, tall) = (size * r.between(0.45, 1.0), size * r.between(0.9, 1.7));
    match r.index(4) {
        0 => lathe_open(&[vec2(size, 0.0), vec2(size, tall * 0.8)], n),
        1 => lathe_open(&smooth_outline(&[(size, 0.0), (size * 0.6, tall * 0.35), (top * 0.6, tall)], 3), n),
        _ => lathe_open(&[vec2(size, 0.0), vec2(top, tall)], n),
    }
}

fn lamp(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let cloth = r.paint_of(
        &["white", "cream", "beige", "yellow", "orange", "red", "blue", "green", "dark gray", "black"],
        MaterialKind::Fabric,
    );
    match r.index(5) {
        0 | 1 => table_lamp(r, &mut b, cloth),
        2 | 3 => floor_lamp(r, &mut b, cloth),
        _ => desk_lamp(r, &mut b),
    }
    b.build()
}

fn table_lamp(r: &mut Rng, b: &mut Builder, cloth: Paint) {
    let n = b.segments.max(8);
    let base = match r.index(3) {
        0 => r.wood(),
        1 => r.metal(),
        _ => r.painted(MaterialKind::Ceramic),
    };
    let (h, w) = (r.between(0.18, 0.32), r.between(0.06, 0.1));
    let profile = match r.index(4) {
        0 => outline(&[(w, 0.0), (w, 0.015), (0.012, 0.03), (0.012, h)]),
        1 => smooth_outline(&[(w * 0.7, 0.0), (w * 1.1, h * 0.35), (w * 0.5, h * 0.75), (0.012, h)], 4),
        2 => smooth_outline(
            &[(w, 0.0), (w * 0.3, h * 0.2), (w * 0.6, h * 0.45), (w * 0.25, h * 0.7), (0.012, h)],
            4,
        ),
        _ => outline(&[(w * 0.9, 0.0), (w * 0.3, h)]),
    };
    b.add("base", lathe(&profile, n), base);
    b.add("rod", cylinder(0.008, 0.08, 6).at(0.0, h - 0.01, 0.0), base);
    let size = w * r.between(1.3, 2.0);
    b.add("bulb", sphere(0.03, 8).at(0.0, h + 0.07, 0.0), cloth.shade(1.4).emissive(0.5));
    b.add("shade", shade(r, size, n).at(0.0, h * r.between(0.85, 1.0), 0.0), cloth);
    b.subcategory("table lamp");
    b.colored_part("shade", cloth);
    b.colored_part("base", base);
}

fn floor_lamp(r: &mut Rng, b: &mut Builder, cloth: Paint) {
    let n = b.segments.max(8);
    let metal = if r.chance(0.7) { r.metal() } else { r.wood() };
    let h = r.between(1.2, 1.6);
    let size = r.between(0.13, 0.24);
    if r.chance(0.25) {
        let leg = tapered_rod(vec3(0.0, 0.0, 0.28), vec3(0.0, h, 0.02), 0.016, 0.014, 6).radial_array_y(3);
        b.add("tripod", leg, metal);
        b.part("three legs");
    } else {
        b.add("pole", cylinder(0.014, h, 6), metal);
        b.add("foot", frustum(size * 0.85, size * 0.7, 0.03, n), metal);
    }
    if r.chance(0.2) {
        let reach = curve(
            &[vec3(0.0, h, 0.0), vec3(0.1, h + 0.3, 0.0), vec3(0.5, h + 0.4, 0.0), vec3(0.85, h + 0.1, 0.0)],
            4,
        );
        b.add("arm", tube(&reach, 0.013, 6), metal);
        b.add("shade", dome(size, size * 0.8, n).at(0.85, h - 0.02, 0.0), metal);
        b.part("a curved arm");
    } else {
        b.add("bulb", sphere(0.04, 8).at(0.0, h + 0.08, 0.0), cloth.shade(1.4).emissive(0.5));
        b.add("shade", shade(r, size, n).at(0.0, h - 0.02, 0.0), cloth);
        b.colored_part("shade", cloth);
    }
    b.subcategory("floor lamp");
    b.adjective("tall");
}

fn desk_lamp(r: &mut Rng, b: &mut Builder) {
    let n = b.segments.max(8);
    let paint = if r.chance(0.5) {
        r.paint_of(&["black", "dark gray", "silver", "white"], MaterialKind::Metal)
    } else {
        r.painted(MaterialKind::Metal)
    };
    b.main_paint(paint);
    let light = r.paint_of(&["white", "yellow", "cream"], MaterialKind::Plain).emissive(0.5);
    b.add("foot", frustum(0.09, 0.075, 0.025, n), paint);
    let (elbow, tip) = (
        vec3(0.0, r.between(0.18, 0.28), -r.between(0.02, 0.14)),
        vec3(0.0, r.between(0.34, 0.44), r.between(0.02, 0.14)),
    );
    if r.chance(0.5) {
        b.add("arm", tube(&curve(&[vec3(0.0, 0.02, 0.0), elbow, tip], 5), 0.009, 6), paint);
    } else {
        b.add(
            "arm",
            rod(vec3(0.0, 0.02, 0.0), elbow, 0.009, 6)
                .join(rod(elbow, tip, 0.009, 6))
                .join(sphere(0.018, 8).translated(elbow)),
            paint,
        );
    }
    let axis = vec3(0.0, -r.between(0.4, 1.0), 1.0);
    let head =
        outline(&[(0.022, 0.0), (0.03, 0.03), (0.075, 0.12), (0.07, 0.12), (0.026, 0.035), (0.0, 0.03)]);
    b.add("head", lathe(&head, n).at(0.0, -0.02, 0.0).along(axis).translated(tip), paint);
    b.add("bulb", sphere(0.032, 8).at(0.0, 0.07, 0.0).along(axis).translated(tip), light);
    b.subcategory("desk lamp");
    b.part("an adjustable arm");
}

fn chandelier(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal = r.paint_of(&["gold", "bronze", "black", "silver", "dark gray", "gray"], MaterialKind::Metal);
    let glow = r.paint_of(&["white", "cream", "yellow"], MaterialKind::Glass).emissive(0.4);
    b.main_paint(metal);
    let n = b.segments.max(8);
    let arms = r.int_between(3, 8);
    let reach = r.between(0.22, 0.45);
    let drop = r.between(0.08, 0.7);
    b.add("plate", cylinder(0.09, 0.05, n).at(0.0, drop, 0.0), metal);
    b.add("rod", cylinder(0.012, drop, 6), metal);
    let hub = smooth_outline(&[(0.0, -0.14), (0.03, -0.11), (0.02, -0.07), (0.05, -0.02), (0.015, 0.06)], 3);
    b.add("hub", lathe(&hub, n), metal);
    let arm = curve(
        &[
            vec3(0.0, 0.0, 0.02),
            vec3(0.0, -0.1, reach * 0.4),
            vec3(0.0, -0.1, reach * 0.8),
            vec3(0.0, 0.02, reach),
        ],
        4,
    );
    let thick = r.between(0.008, 0.02);
    b.add("arms", tube(&arm, thick, 5).radial_array_y(arms), metal);
    if r.chance(0.5) {
        let wax = r.paint_of(&["white", "cream"], MaterialKind::Plain);
        b.add("candles", cylinder(0.014, 0.08, 7).at(0.0, 0.02, reach).radial_array_y(arms), wax);
        b.add("dishes", frustum(0.02, 0.035, 0.015, 8).at(0.0, 0.01, reach).radial_array_y(arms), metal);
        b.add(
            "flames",
            lathe(&outline(&[(0.0, 0.0), (0.012, 0.015), (0.0, 0.045)]), 6)
                .at(0.0, 0.1, reach)
                .radial_array_y(arms),
            glow,
        );
        b.part("candles");
    } else {
        let up = r.chance(0.6);
        let cup = smooth_outline(&[(0.025, 0.0), (0.055, 0.03), (0.065, 0.11)], 2);
        let cup = lathe(&cup, n.min(12)).scaled(r.between(1.0, 1.7));
        let cup = if up { cup.at(0.0, 0.02, reach) } else { cup.rot_x(PI).at(0.0, 0.02, reach) };
        b.add("shades", cup.radial_array_y(arms), glow);
        b.part("glass shades");
    }
    b.counted_part(arms, "arm", "arms");
    b.build()
}

fn candle(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let wax = if r.chance(0.6) {
        r.paint_of(&["white", "cream", "beige"], MaterialKind::Plain)
    } else {
        r.painted(MaterialKind::Plain)
    };
    let flame = r.paint_of(&["yellow", "orange"], MaterialKind::Plain).emissive(0.7);
    let wick = r.paint("black", MaterialKind::Plain);
    b.main_color(wax);
    let n = b.segments.max(8);
    let radius = r.between(0.02, 0.045);
    let count = r.choose(&[1, 1, 1, 3]);
    let mut lit = false;
    for i in 0..count {
        let height = r.between(0.06, 0.18);
        let angle = i as f32 * 2.1;
        let at =
            if count == 1 { vec3(0.0, 0.0, 0.0) } else { vec3(angle.sin(), 0.0, angle.cos()) * radius * 1.3 };
        let top = [(radius, height), (radius * 0.8, height + 0.003), (radius * 0.6, height - 0.004)];
        let side: Vec<_> = [(radius * r.between(1.0, 1.1), 0.0)].iter().chain(&top).copied().collect();
        b.add("wax", lathe(&outline(&side), n).translated(at), wax);
        for k in 0..r.int_between(0, 4) {
            let drip = capsule(
                vec3(0.0, height * r.between(0.4, 0.8), radius),
                vec3(0.0, height * 0.97, radius),
                radius * 0.2,
                8,
            );
            b.add("drip", drip.rot_y(k as f32 * 1.7).translated(at), wax);
        }
        b.add("wick", cylinder(0.0025, 0.014, 5).at(0.0, height - 0.004, 0.0).translated(at), wick);
        lit = r.chance(0.75);
        if lit {
            let shape = smooth_outline(&[(0.0, 0.0), (0.35, 0.25), (0.2, 0.7), (0.0, 1.2)], 2);
            b.add("flame", lathe(&shape, 8).scaled(0.032).at(0.0, height + 0.005, 0.0).translated(at), flame);
        }
    }
    if lit {
        b.part("a flame");
        b.adjective("burning");
    }
    if count == 1 && r.chance(0.4) {
        let metal = r.paint_of(&["gold", "silver", "bronze", "dark gray"], MaterialKind::Metal);
        let tall = r.between(0.02, 0.2);
        let foot = radius * 2.0;
        let stand = [
            (foot, -tall - 0.01),
            (foot, -tall),
            (radius * 0.4, -tall * 0.8),
            (radius * 0.4, -tall * 0.2),
            (radius * 1.4, -0.006),
            (radius * 1.5, 0.012),
            (radius * 1.2, 0.0),
        ];
        b.add("holder", lathe(&outline(&stand), n), metal);
        b.part("a candle holder");
        if tall > 0.1 {
            b.subcategory("candlestick");
        }
    }
    b.build()
}

fn light_bulb(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let glass =
        r.paint_of(&["white", "yellow", "cream", "light gray", "orange"], MaterialKind::Glass).emissive(0.2);
    let metal = r.paint_of(&["silver", "gray", "gold"], MaterialKind::Metal);
    b.main_color(glass);
    let n = b.segments.max(8);
    let s = r.between(0.028, 0.034);
    let long = r.between(0.9, 1.3);
    let profile = smooth_outline(
        &[(0.42, 0.0), (0.5, 0.35 * long), (0.95, 1.1 * long), (0.85, 1.7 * long), (0.0, 2.15 * long)],
        4,
    );
    b.add("glass", lathe(&profile, n).scaled(s), glass);
    let turns: Vec<_> =
        (0..8).map(|i| (if i % 2 == 0 { 0.44 } else { 0.38 }, -0.75 + 0.1 * i as f32)).collect();
    let base: Vec<_> =
        [(0.15, -0.95), (0.3, -0.78)].iter().chain(&turns).chain(&[(0.44, 0.03)]).copied().collect();
    b.add("screw", lathe(&outline(&base), n).scaled(s), metal);
    let dark = r.paint("black", MaterialKind::Plastic);
    b.add("contact", cylinder(s * 0.14, s * 0.12, 8).at(0.0, -s * 1.02, 0.0), dark);
    b.part("a metal screw base");
    if r.chance(0.4) {
        b.transform(glam::Affine3A::from_rotation_x(if r.chance(0.5) { PI } else { FRAC_PI_2 }));
    }
    b.build()
}

fn flashlight(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let body = if r.chance(0.5) {
        r.paint_of(&["black", "dark gray", "silver"], MaterialKind::Metal)
    } else {
        r.painted(MaterialKind::Plastic)
    };
    let (lens, button) = (
        r.paint_of(&["white", "yellow", "cream", "light blue"], MaterialKind::Glass).emissive(0.4),
        r.paint_of(&["red", "black", "gray", "green"], MaterialKind::Plastic),
    );
    b.main_paint(body);
    let n = b.segments.max(8);
    let (radius, long) = (r.between(0.013, 0.018), r.between(0.1, 0.17));
    let head = radius * r.between(1.35, 2.0);
    let neck = long * r.between(0.68, 0.8);
    let profile = [
        (radius * 0.9, 0.0),
        (radius, 0.004),
        (radius, neck),
        (head, neck + long * 0.1),
        (head, long * 0.98),
        (head * 0.88, long * 0.98),
    ];
    b.add("body", lathe(&outline(&profile), n), body);
    b.add("lens", cylinder(head * 0.86, 0.003, n).at(0.0, long * 0.97, 0.0), lens);
    b.add("rim", washer(head * 1.06, head * 0.86, long * 0.06, n).at(0.0, long * 0.93, 0.0), body.shade(0.6));
    b.add("button", rounded_box(0.008, 0.016, 0.006, 0.002, 1).at(0.0, neck * 0.75, radius), button);
    for i in 0..r.int_between(0, 5) {
        b.add(
            "grooves",
            washer(radius * 1.05, radius * 0.9, 0.003, n).at(0.0, long * 0.1 + 0.008 * i as f32, 0.0),
            body.shade(0.6),
        );
    }
    if r.chance(0.7) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }
    b.build()
}

fn lantern(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal = r.paint_of(&["black", "dark gray", "bronze", "gold", "red", "green"], MaterialKind::Metal);
    let glow = r.paint_of(&["yellow", "orange", "cream"], MaterialKind::Glass).emissive(0.6);
    b.main_paint(metal);
    let n = r.choose(&[4, 4, 6, 8, 12]);
    let (radius, h) = (r.between(0.05, 0.07), r.between(0.12, 0.18));
    b.add("base", frustum(radius * 1.15, radius, 0.025, n), metal);
    b.add("glass", cylinder(radius * 0.8, h, n).at(0.0, 0.02, 0.0), glow);
    let post = cuboid(0.008, h, 0.008).at(0.0, 0.02, radius * 0.9);
    b.add("posts", post.radial_array_y(n.min(6)).rot_y(if n == 4 { FRAC_PI_2 / 2.0 } else { 0.0 }), metal);
    b.add(
        "roof",
        lathe(
            &outline(&[
                (radius * 1.25, 0.0),
                (radius * 1.2, 0.012),
                (radius * 0.3, 0.06),
                (radius * 0.25, 0.075),
            ]),
            n,
        )
        .at(0.0, h + 0.02, 0.0),
        metal,
    );
    b.add(
        "ring",
        torus(radius * 0.5, 0.005, 12, 5).rot_x(FRAC_PI_2).at(0.0, h + 0.095 + radius * 0.45, 0.0),
        metal,
    );
    b.part("a handle");
    b.part("a glowing light");
    b.build()
}
