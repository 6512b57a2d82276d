//! What one cooks and eats with.

use glam::{vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("fork", &["dinner fork"], "kitchen", fork),
    Category::new("knife", &["kitchen knife", "table knife"], "kitchen", knife),
    Category::new("spoon", &["tablespoon", "teaspoon"], "kitchen", spoon),
    Category::new("frying pan", &["skillet", "pan"], "kitchen", frying_pan),
    Category::new("pot", &["cooking pot", "saucepan", "cauldron"], "kitchen", pot),
    Category::new("cutting board", &["chopping board"], "kitchen", cutting_board),
    Category::new("spatula", &["turner"], "kitchen", spatula),
    Category::new("rolling pin", &[], "kitchen", rolling_pin),
];

fn cutlery_paint(r: &mut Rng) -> Paint {
    match r.index(6) {
        0 => r.wood(),
        1 => r.paint_of(&["gold", "black", "white"], MaterialKind::Metal),
        _ => r.paint_of(&["silver", "light gray", "gray"], MaterialKind::Metal),
    }
}

/// A grip along y from `y = 0` up: rounded, widening toward its end.
fn grip(r: &mut Rng, length: f32, width: f32, thick: f32) -> Solid {
    let end = r.between(1.0, 1.9);
    if r.chance(0.3) {
        return rounded_box(width * 1.3, length, thick * 1.6, thick * 0.6, 2);
    }
    let shape = smooth_outline(
        &[
            (width * 0.5, length),
            (width * 0.45, length * 0.6),
            (width * 0.5 * end, length * 0.12),
            (width * 0.3 * end, 0.0),
        ],
        3,
    );
    let right: Vec<(f32, f32)> = shape.iter().rev().map(|p| (p.x, p.y)).collect();
    extrude(&mirrored(&right), thick)
}

fn fork(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let length = r.between(0.16, 0.22);
    let (w, thick) = (length * r.between(0.1, 0.14), length * r.between(0.012, 0.03));
    let metal = cutlery_paint(r);
    b.main_paint(metal);
    let handle = if r.chance(0.2) { r.painted(MaterialKind::Plastic) } else { metal };
    b.add("handle", grip(r, length * 0.6, w * 0.5, thick), handle);
    let neck = length * 0.6;
    let palm = outline(&[
        (w * 0.22, neck * 0.97),
        (w * 0.5, neck + length * 0.09),
        (w * 0.5, neck + length * 0.17),
        (-w * 0.5, neck + length * 0.17),
        (-w * 0.5, neck + length * 0.09),
        (-w * 0.22, neck * 0.97),
    ]);
    let tines = r.int_between(3, 4);
    let width = w / (tines as f32 * 2.0 - 1.0);
    let tine = cuboid(width, length * 0.24, thick).taper_y(0.7).at(
        -w * 0.5 + width * 0.5,
        neck + length * 0.165,
        0.0,
    );
    let head = extrude(&palm, thick).join(tine.linear_array(tines, vec3(width * 2.0, 0.0, 0.0)));
    let curl = r.between(0.0, 0.5);
    b.add(
        "head",
        head.map(|p| {
            let t = (p.y - neck) / length;
            vec3(p.x, p.y, p.z + curl * (t * t * length * 1.2 - 0.25 * t * length))
        }),
        metal,
    );
    b.counted_part(tines, "tine", "tines");
    b.build_lying(r)
}

fn knife(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let length = r.between(0.18, 0.34);
    let grip_length = length * r.between(0.32, 0.48);
    let blade = length - grip_length;
    let w = length * r.between(0.06, 0.16);
    let steel = r.paint_of(&["silver", "light gray", "gray"], MaterialKind::Metal);
    let handle = match r.index(3) {
        0 => steel,
        1 => r.wood(),
        _ => r.paint_of(&["black", "black", "red", "blue", "white", "brown"], MaterialKind::Plastic),
    };
    b.main_color(steel);
    let thick = length * 0.018;
    b.add(
        "handle",
        b.block(w * 0.62, grip_length, w * r.between(0.3, 0.5)).taper_y(r.between(0.8, 1.1)),
        handle,
    );
    b.colored_part("handle", handle);
    let g = grip_length;
    let shape = match r.index(4) {
        0 => outline(&[
            (-w * 0.35, g),
            (w * 0.5, g),
            (w * 0.55, g + blade * 0.6),
            (w * 0.3, g + blade * 0.85),
            (-w * 0.35, g + blade),
        ]),
        1 => {
            b.subcategory("cleaver");
            let w = w * 1.8;
            outline(&[
                (-w * 0.25, g),
                (w * 0.75, g),
                (w * 0.75, g + blade * 0.85),
                (-w * 0.25, g + blade * 0.85),
            ])
        }
        2 => smooth_outline(
            &[
                (-w * 0.3, g),
                (w * 0.3, g),
                (w * 0.42, g + blade * 0.6),
                (w * 0.1, g + blade),
                (-w * 0.25, g + blade * 0.92),
                (-w * 0.3, g),
            ],
            3,
        ),
        _ => outline(&[
            (-w * 0.3, g),
            (w * 0.3, g),
            (w * 0.35, g + blade * 0.55),
            (w * 0.15, g + blade * 0.85),
            (-w * 0.1, g + blade),
            (-w * 0.3, g + blade * 0.5),
        ]),
    };
    b.add("blade", extrude_beveled(&shape, thick, 0.12), steel);
    if r.chance(0.3) {
        b.add("guard", cuboid(w * 0.9, length * 0.02, w * 0.6).at(0.0, grip_length, 0.0), steel);
    }
    b.part("a blade");
    b.build_lying(r)
}

fn spoon(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let length = r.between(0.14, 0.28);
    let paint = cutlery_paint(r);
    b.main_paint(paint);
    let w = length * r.between(0.2, 0.28);
    let thick = length * 0.022;
    b.add("handle", grip(r, length * 0.72, w * 0.26, thick), paint);
    let depth = w * r.between(0.2, 0.35);
    let rim = length * 0.86;
    let bowl = lathe(
        &[
            vec2(0.0, -1.0),
            vec2(0.6, -0.8),
            vec2(1.0, 0.0),
            vec2(0.9, 0.05),
            vec2(0.5, -0.6),
            vec2(0.0, -0.75),
        ],
        b.segments.max(10),
    );
    let long = length * 0.17;
    let egg = bowl.map(|p| vec3(p.x * w * 0.5, p.z * long, p.y * depth)).inverted();
    b.add("bowl", egg.at(0.0, rim, thick * 0.5), paint);
    b.build_lying(r)
}

fn frying_pan(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let radius = r.between(0.1, 0.15);
    let depth = radius * r.between(0.25, 0.45);
    let metal = r.paint_of(&["black", "dark gray", "gray", "silver", "red", "copper"], MaterialKind::Metal);
    let grip = if r.chance(0.3) {
        metal
    } else {
        r.paint_of(&["black", "brown", "dark brown", "red", "dark gray"], MaterialKind::Plastic)
    };
    b.main_paint(metal);
    let n = b.segments.max(10);
    b.add("pan", lathe(&vessel(&[vec2(radius * 0.8, 0.0), vec2(radius, depth)], radius * 0.06), n), metal);
    let long = radius * r.between(1.2, 1.7);
    let rise = r.between(0.0, 0.25) * long;
    let from = vec3(0.0, depth * 0.75, radius * 0.95);
    let handle = bar(from, from + vec3(0.0, rise, long), radius * r.between(0.16, 0.24), radius * 0.12);
    b.add("handle", handle, grip);
    b.part("a long handle");
    if r.chance(0.25) {
        let white = r.paint("white", MaterialKind::Plain);
        let yolk = r.paint_of(&["yellow", "orange"], MaterialKind::Plain);
        b.add(
            "egg white",
            cylinder(radius * 0.5, 0.006, 9).displaced(0.012, r).at(0.0, radius * 0.07, 0.0),
            white,
        );
        b.add("yolk", dome(radius * 0.18, radius * 0.12, 10).at(0.0, radius * 0.1, 0.0), yolk);
        b.part("a fried egg");
    }
    b.build()
}

fn pot(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let radius = r.between(0.09, 0.16);
    let height = radius * r.between(0.8, 1.5);
    let metal = if r.chance(0.6) { r.metal() } else { r.painted(MaterialKind::Metal) };
    let dark = r.paint_of(&["black", "dark gray", "brown"], MaterialKind::Plastic);
    b.main_paint(metal);
    let n = b.segments.max(10);
    let belly = if r.chance(0.2) { 1.18 } else { 1.0 };
    let outer = smooth_outline(&[(radius * 0.9, 0.0), (radius * belly, height * 0.4), (radius, height)], 3);
    b.add("pot", lathe(&vessel(&outer, radius * 0.06), n), metal);
    if r.chance(0.35) {
        let long = bar(
            vec3(radius, height * 0.85, 0.0),
            vec3(radius * 2.3, height * 0.92, 0.0),
            radius * 0.14,
            radius * 0.16,
        );
        b.add("handle", long, dark);
        b.subcategory("saucepan");
        b.part("a long handle");
    } else {
        let ear = handle(-radius * 0.35, radius * 0.35, radius * 0.3, radius * 0.06, 10).rot_x(FRAC_PI_2);
        b.add(
            "handles",
            ear.at(radius * 0.97, height * 0.8, 0.0).mirrored_x(),
            if r.chance(0.5) { metal } else { dark },
        );
        b.part("two handles");
    }
    if r.chance(0.55) {
        let lid = if r.chance(0.7) { metal } else { r.glass() };
        b.add("lid", dome(radius * 1.03, radius * 0.25, n).at(0.0, height, 0.0), lid);
        b.add("knob", sphere(radius * 0.13, b.few_segments()).at(0.0, height + radius * 0.32, 0.0), dark);
        b.part("a lid");
    }
    b.build()
}

fn cutting_board(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (w, h) = (r.between(0.18, 0.26), r.between(0.26, 0.4));
    let paint = if r.chance(0.8) { r.wood() } else { r.painted(MaterialKind::Plastic) };
    b.main_paint(paint);
    b.add("board", b.block(w, 0.02, h), paint);
    if r.chance(0.7) {
        b.add("handle", cuboid(w * 0.22, 0.02, h * 0.35).at(0.0, 0.0, h * 0.6), paint);
        b.add("knob", washer(w * 0.16, w * 0.07, 0.02, 12).at(0.0, 0.0, h * 0.82), paint);
        b.part("a handle");
    }
    b.adjective("flat");
    b.build()
}

fn spatula(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let length = r.between(0.26, 0.34);
    let head = if r.chance(0.5) { r.metal() } else { r.painted(MaterialKind::Plastic) };
    let handle = if r.chance(0.4) { r.wood() } else { r.painted(MaterialKind::Plastic) };
    b.main_paint(head);
    b.add("handle", capsule(vec3(0.0, 0.01, 0.0), vec3(0.0, length * 0.5, 0.0), length * 0.035, 8), handle);
    b.add(
        "shaft",
        rod(vec3(0.0, length * 0.45, 0.0), vec3(0.0, length * 0.76, 0.0), length * 0.013, 6),
        head,
    );
    let w = length * r.between(0.2, 0.28);
    let slots = r.int_between(0, 4) * 2 + 1;
    let slat = cuboid(w / slots as f32, length * 0.26, 0.004);
    let step = w / slots as f32 * 2.0;
    let blade = slat.linear_array(slots / 2 + 1, vec3(step, 0.0, 0.0)).centered();
    let rims = cuboid(w, length * 0.05, 0.005);
    let blade = if slots == 1 { cuboid(w, length * 0.26, 0.004).centered() } else { blade };
    b.add(
        "blade",
        blade.at(0.0, length * 0.87, 0.0).join(rims.clone().at(0.0, length * 0.74, 0.0)).join(rims.at(
            0.0,
            length * 0.97,
            0.0,
        )),
        head,
    );
    b.build_lying(r)
}

fn rolling_pin(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (radius, length) = (r.between(0.022, 0.035), r.between(0.2, 0.28));
    let wood = r.wood();
    let ends = if r.chance(0.4) { r.painted(MaterialKind::Wood) } else { wood };
    b.main_paint(wood);
    b.add("roller", cylinder(radius, length, b.segments.max(8)).centered().rot_z(FRAC_PI_2), wood);
    let grip = lathe(
        &outline(&[(radius * 0.4, 0.0), (radius * 0.55, 0.03), (radius * 0.45, 0.07), (radius * 0.2, 0.08)]),
        b.few_segments(),
    );
    b.add("handles", grip.rot_z(-FRAC_PI_2).at(length / 2.0, 0.0, 0.0).mirrored_x(), ends);
    b.part("two handles");
    b.build()
}
