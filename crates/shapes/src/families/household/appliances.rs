//! Machines of the kitchen and the laundry.

use glam::vec3;

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("refrigerator", &["fridge", "freezer"], "appliance", refrigerator),
    Category::new("oven", &["stove", "cooker", "range"], "appliance", oven),
    Category::new("microwave", &["microwave oven"], "appliance", microwave),
    Category::new("washing machine", &["washer", "dryer"], "appliance", washing_machine),
    Category::new("toaster", &[], "appliance", toaster),
    Category::new("blender", &["mixer"], "appliance", blender),
    Category::new("coffee maker", &["coffee machine"], "appliance", coffee_maker),
    Category::new("fan", &["electric fan", "desk fan"], "appliance", fan),
    Category::new("vacuum cleaner", &["hoover"], "appliance", vacuum),
    Category::new("iron", &["clothes iron", "flatiron"], "appliance", iron),
];

fn enamel(r: &mut Rng) -> Paint {
    match r.index(4) {
        0 => r.painted(MaterialKind::Metal),
        1 => r.paint_of(&["silver", "gray", "dark gray", "black"], MaterialKind::Metal),
        _ => r.paint_of(&["white", "white", "light gray", "cream"], MaterialKind::Metal),
    }
}

fn refrigerator(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = enamel(r);
    let metal = r.metal();
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.6, 0.95), r.between(1.5, 1.95), r.between(0.6, 0.75));
    b.add("body", b.block(w, h, d * 0.88), paint.shade(0.85));
    let z = d * 0.44 + 0.03;
    let handle = |tall: f32| {
        rounded_box(0.025, tall, 0.03, 0.008, 1)
            .at(0.0, 0.0, 0.05)
            .join(cuboid(0.02, 0.02, 0.05).at(0.0, tall * 0.1, 0.025))
            .join(cuboid(0.02, 0.02, 0.05).at(0.0, tall * 0.85, 0.025))
    };
    if w > 0.8 && r.chance(0.6) {
        let low = if r.chance(0.5) { h * 0.32 } else { 0.0 };
        b.add(
            "doors",
            b.block(w * 0.49, h - low - 0.02, 0.06).at(w * 0.252, low + 0.01, z).mirrored_x(),
            paint,
        );
        b.add("handles", handle(h * 0.35).at(0.05, low + (h - low) * 0.3, z + 0.02).mirrored_x(), metal);
        if low > 0.0 {
            b.add("drawer", b.block(w, low - 0.03, 0.06).at(0.0, 0.02, z), paint);
            b.add("handles", handle(w * 0.6).centered().rot_z(FRAC_PI_2).at(0.0, low * 0.8, z + 0.05), metal);
        }
        b.part("two doors");
    } else {
        let split = if r.chance(0.5) { h * r.between(0.6, 0.72) } else { h * r.between(0.28, 0.4) };
        let side = r.sign();
        b.add(
            "doors",
            b.block(w, split - 0.03, 0.06)
                .at(0.0, 0.02, z)
                .join(b.block(w, h - split - 0.01, 0.06).at(0.0, split, z)),
            paint,
        );
        let tall = (h * 0.18).min(split.min(h - split) * 0.7);
        b.add(
            "handles",
            handle(tall).at(side * w * 0.42, split - tall - 0.06, z + 0.02).join(handle(tall).at(
                side * w * 0.42,
                split + 0.06,
                z + 0.02,
            )),
            metal,
        );
        b.part("a freezer");
    }
    if r.chance(0.2) {
        for i in 0..r.int_between(2, 5) {
            let note = r.painted(MaterialKind::Plain);
            b.add(
                "magnet",
                cuboid(0.08, 0.1, 0.006).at(
                    r.between(-0.3, 0.3) * w,
                    h * r.between(0.5, 0.9),
                    z + 0.033 + 0.001 * i as f32,
                ),
                note,
            );
        }
        b.part("notes");
    }
    b.adjective("tall");
    b.build()
}

fn oven(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = enamel(r);
    let (black, metal) = (r.paint_of(&["black", "dark gray"], MaterialKind::Glass), r.metal());
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.55, 0.75), r.between(0.85, 0.92), r.between(0.55, 0.65));
    b.add("body", b.block(w, h, d), paint);
    b.add(
        "cooktop",
        b.block(w * 1.03, 0.03, d * 1.04).at(0.0, h, 0.0),
        if r.chance(0.5) { black } else { paint },
    );
    let z = d / 2.0;
    b.add(
        "door",
        b.block(w * 0.94, h * 0.5, 0.03).at(0.0, h * 0.24, z),
        if r.chance(0.5) { paint.shade(0.9) } else { black },
    );
    let window = if r.chance(0.6) { black.shade(1.6) } else { r.glass() };
    b.add("window", cuboid(w * 0.68, h * 0.26, 0.02).at(0.0, h * 0.31, z + 0.015), window);
    b.add(
        "handle",
        rod(vec3(-w * 0.38, h * 0.69, z + 0.05), vec3(w * 0.38, h * 0.69, z + 0.05), 0.013, 6),
        metal,
    );
    b.add("drawer", b.block(w * 0.94, h * 0.17, 0.025).at(0.0, h * 0.04, z), paint.shade(0.9));
    let knobs = r.int_between(3, 6);
    let back = r.chance(0.4);
    let (ky, kz) = if back { (h + 0.1, -z + 0.06) } else { (h * 0.86, z) };
    if back {
        b.add("panel", b.block(w, 0.18, 0.05).at(0.0, h + 0.02, -z + 0.03), paint);
    }
    let knob = cylinder(0.024, 0.03, b.few_segments()).rot_x(FRAC_PI_2).at(-w * 0.36, ky, kz);
    b.add("knobs", knob.linear_array(knobs, vec3(w * 0.72 / (knobs - 1) as f32, 0.0, 0.0)), black);
    let burner = if r.chance(0.5) {
        torus(0.075, 0.012, b.segments.max(8), 5).join(torus(0.035, 0.01, b.segments.max(8), 5))
    } else {
        cylinder(0.08, 0.012, b.segments.max(8))
            .join(cuboid(0.2, 0.015, 0.012).join(cuboid(0.012, 0.015, 0.2)).at(0.0, 0.012, 0.0))
    };
    b.add("burners", burner.at(w * 0.24, h + 0.035, d * 0.22).mirrored_x().mirrored_z(), black.shade(0.8));
    b.part("four burners");
    b.part("knobs");
    if r.chance(0.2) {
        let pan = r.metal();
        b.add("pot", cylinder(0.1, 0.13, b.segments.max(8)).at(w * 0.24, h + 0.05, -d * 0.2), pan);
        b.part("a pot");
    }
    b.build()
}

fn microwave(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = enamel(r);
    let black = r.paint_of(&["black", "dark gray"], MaterialKind::Glass);
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.45, 0.55), r.between(0.26, 0.32), r.between(0.32, 0.4));
    b.add("body", b.block(w, h, d), paint);
    let z = d / 2.0;
    b.add(
        "door",
        cuboid(w * 0.7, h * 0.88, 0.02).at(-w * 0.12, h * 0.06, z),
        if r.chance(0.5) { paint.shade(0.9) } else { black },
    );
    b.add("window", cuboid(w * 0.5, h * 0.55, 0.012).at(-w * 0.14, h * 0.22, z + 0.01), black.shade(1.5));
    b.add("panel", cuboid(w * 0.21, h * 0.88, 0.015).at(w * 0.36, h * 0.06, z), black);
    let green = r.paint_of(&["green", "light blue", "red"], MaterialKind::Plain).emissive(0.5);
    b.add("display", cuboid(w * 0.15, h * 0.13, 0.012).at(w * 0.36, h * 0.76, z + 0.008), green);
    let button = cuboid(w * 0.04, h * 0.07, 0.012)
        .linear_array(3, vec3(w * 0.058, 0.0, 0.0))
        .linear_array(4, vec3(0.0, h * 0.13, 0.0));
    b.add("buttons", button.at(w * 0.302, h * 0.18, z + 0.008), paint.shade(1.2));
    let metal = r.metal();
    b.add("handle", cuboid(0.015, h * 0.65, 0.03).at(w * 0.2, h * 0.17, z + 0.02), metal);
    b.add("feet", cylinder(0.015, 0.015, 6).at(w * 0.42, -0.012, z * 0.8).mirrored_x().mirrored_z(), black);
    b.part("buttons");
    b.part("a display");
    b.build()
}

fn washing_machine(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = enamel(r);
    let (metal, glass) =
        (r.metal(), r.paint_of(&["light blue", "dark gray", "black", "blue"], MaterialKind::Glass));
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.58, 0.66), r.between(0.82, 0.9), r.between(0.5, 0.62));
    b.add("body", b.block(w, h, d), paint);
    let n = b.segments.max(10);
    let (radius, y, z) = (w * r.between(0.28, 0.36), h * 0.45, d / 2.0);
    b.add("door ring", torus(radius, radius * 0.15, n, 6).rot_x(FRAC_PI_2).at(0.0, y, z), metal);
    b.add("door", dome(radius * 0.95, radius * 0.3, n).rot_x(FRAC_PI_2).at(0.0, y, z - 0.01), glass);
    b.add("panel", cuboid(w * 0.98, h * 0.13, 0.02).at(0.0, h * 0.85, z), paint.shade(0.8));
    b.add("dial", cylinder(0.035, 0.04, b.few_segments()).rot_x(FRAC_PI_2).at(w * 0.1, h * 0.915, z), metal);
    b.add("soap drawer", cuboid(w * 0.28, h * 0.09, 0.03).at(-w * 0.32, h * 0.87, z), paint.shade(1.1));
    let screen = r.paint_of(&["black", "green", "light blue"], MaterialKind::Plain);
    b.add("display", cuboid(w * 0.16, h * 0.05, 0.03).at(w * 0.32, h * 0.89, z), screen);
    b.part("a round door");
    b.build()
}

fn toaster(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint =
        if r.chance(0.5) { r.paint("silver", MaterialKind::Metal) } else { r.painted(MaterialKind::Metal) };
    let black = r.paint("black", MaterialKind::Plastic);
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.26, 0.32), r.between(0.17, 0.2), r.between(0.14, 0.18));
    b.add("body", rounded_box(w, h, d, r.between(0.015, 0.06), 3), paint);
    b.add("slots", cuboid(w * 0.75, 0.006, d * 0.17).at(0.0, h - 0.003, d * 0.2).mirrored_z(), black);
    b.add("lever", cuboid(0.03, 0.018, 0.05).at(w / 2.0 + 0.01, h * 0.65, 0.0), black);
    b.add("base", b.block(w * 0.96, 0.02, d * 0.96).at(0.0, -0.012, 0.0), black);
    if r.chance(0.65) {
        let bread = r.paint_of(&["tan", "brown", "cream"], MaterialKind::Plain);
        let slice = rounded_box(w * 0.62, h * 0.6, d * 0.13, 0.008, 1);
        b.add("toast", slice.at(0.0, h * 0.7, d * 0.2).mirrored_z(), bread);
        b.part("two slices of toast");
    }
    b.build()
}

fn blender(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.5) {
        r.painted(MaterialKind::Plastic)
    } else {
        r.paint_of(&["silver", "white", "black"], MaterialKind::Metal)
    };
    let (glass, black) = (r.glass(), r.paint("black", MaterialKind::Plastic));
    b.main_paint(paint);
    let n = b.segments.max(8);
    b.add("base", frustum(0.085, 0.06, 0.13, n), paint);
    b.add("jar", frustum(0.05, 0.075, 0.22, n).at(0.0, 0.13, 0.0), glass);
    b.add(
        "lid",
        cylinder(0.078, 0.025, n).at(0.0, 0.35, 0.0).join(cylinder(0.03, 0.025, n).at(0.0, 0.375, 0.0)),
        black,
    );
    b.add(
        "handle",
        handle(0.17, 0.33, 0.06, 0.01, 10).at(0.06, 0.0, 0.0),
        if r.chance(0.5) { black } else { glass },
    );
    b.add("dial", cylinder(0.02, 0.02, 8).rot_x(FRAC_PI_2).at(0.0, 0.055, 0.075), black);
    b.part("a glass jar");
    b.build()
}

fn coffee_maker(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["black", "dark gray", "silver", "red", "white"], MaterialKind::Plastic);
    let coffee = r.paint_of(&["dark brown", "brown"], MaterialKind::Glass);
    let glass = r.glass();
    b.main_paint(paint);
    let (w, h) = (r.between(0.18, 0.22), r.between(0.3, 0.36));
    b.add("base", b.block(w, 0.04, w * 1.2), paint);
    b.add("back", b.block(w, h, w * 0.45).at(0.0, 0.0, -w * 0.38), paint);
    b.add("top", b.block(w, h * 0.3, w * 1.1).at(0.0, h * 0.72, -0.01), paint);
    let n = b.segments.max(8);
    b.add("coffee", frustum(w * 0.34, w * 0.4, h * 0.24, n).at(0.0, 0.045, w * 0.2), coffee);
    b.add("pot", frustum(w * 0.4, w * 0.27, h * 0.22, n).at(0.0, 0.045 + h * 0.24, w * 0.2), glass);
    b.add(
        "handle",
        handle(0.07, 0.05 + h * 0.42, w * 0.3, 0.009, 10).rot_y(-FRAC_PI_2).at(0.0, 0.0, w * 0.52),
        paint.shade(0.7),
    );
    b.part("a glass pot");
    b.build()
}

fn fan(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint =
        r.paint_of(&["white", "black", "light gray", "blue", "teal", "silver"], MaterialKind::Plastic);
    let blade_paint =
        r.paint_of(&["white", "light blue", "gray", "black", "orange", "red"], MaterialKind::Plastic);
    b.main_paint(paint);
    let n = b.segments.max(12);
    let radius = r.between(0.14, 0.2);
    let h = if r.chance(0.4) { r.between(0.9, 1.2) } else { radius * 1.5 };
    b.add("foot", frustum(radius * 0.8, radius * 0.7, 0.03, n), paint);
    b.add("pole", cylinder(0.018, h, 6), paint);
    b.add(
        "motor",
        cylinder(radius * 0.25, radius * 0.6, n).rot_x(FRAC_PI_2).at(0.0, h, -radius * 0.6),
        paint,
    );
    let blades = r.int_between(3, 5);
    let blade = extrude(
        &smooth_outline(
            &[
                (0.0, 0.0),
                (radius * 0.35, radius * 0.4),
                (radius * 0.25, radius * 0.9),
                (-radius * 0.2, radius * 0.8),
                (0.0, 0.0),
            ],
            3,
        )[1..],
        0.006,
    )
    .rot_y(0.4);
    let turn = PI * 2.0 / blades as f32;
    b.add(
        "blades",
        Solid::union((0..blades).map(|i| blade.clone().rot_z(turn * i as f32))).at(0.0, h, 0.04),
        blade_paint,
    );
    b.add("hub", dome(radius * 0.18, 0.03, n).rot_x(FRAC_PI_2).at(0.0, h, 0.05), paint);
    let cage = torus(radius, 0.006, n, 4)
        .join(torus(radius * 0.7, 0.004, n, 4).at(0.0, 0.03, 0.0))
        .join(torus(radius * 0.35, 0.004, n, 4).at(0.0, 0.04, 0.0));
    let spoke = bar(vec3(0.0, 0.045, 0.0), vec3(0.0, 0.0, radius), 0.004, 0.004).radial_array_y(10);
    b.add("cage", cage.join(spoke).rot_x(FRAC_PI_2).at(0.0, h, 0.06), paint);
    b.counted_part(blades, "blade", "blades");
    b.build()
}

fn vacuum(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.painted(MaterialKind::Plastic);
    let dark = r.paint_of(&["black", "dark gray"], MaterialKind::Plastic);
    b.main_paint(paint);
    let n = b.segments.max(8);
    if r.chance(0.5) {
        b.add("head", b.block(0.3, 0.1, 0.24).at(0.0, 0.0, 0.12), dark);
        b.add(
            "body",
            lathe(&smooth_outline(&[(0.07, 0.0), (0.11, 0.2), (0.09, 0.5), (0.03, 0.62)], 3), n)
                .rot_x(-0.3)
                .at(0.0, 0.08, 0.04),
            paint,
        );
        let (from, to) = (vec3(0.0, 0.62, -0.13), vec3(0.0, 1.05, -0.27));
        b.add("handle", rod(from, to, 0.015, 6).join(capsule(to, to + vec3(0.0, 0.02, 0.14), 0.02, 8)), dark);
        b.subcategory("upright vacuum cleaner");
    } else {
        b.add("body", ellipsoid(0.14, 0.13, 0.2, n).at(0.0, 0.14, 0.0), paint);
        b.add("wheels", cylinder(0.09, 0.04, n).rot_z(FRAC_PI_2).at(0.16, 0.09, -0.08).mirrored_x(), dark);
        let hose = curve(
            &[vec3(0.0, 0.22, 0.15), vec3(0.0, 0.5, 0.3), vec3(0.1, 0.75, 0.5), vec3(0.1, 0.6, 0.65)],
            4,
        );
        b.add("hose", tube(&hose, 0.022, 7), dark);
        b.add("wand", rod(vec3(0.1, 0.6, 0.65), vec3(0.1, 0.05, 0.95), 0.016, 6), dark);
        b.add("nozzle", b.block(0.28, 0.04, 0.1).at(0.1, 0.0, 0.98), paint);
        b.part("a hose");
    }
    b.build()
}

fn iron(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.painted(MaterialKind::Plastic);
    let metal = r.paint("silver", MaterialKind::Metal);
    b.main_paint(paint);
    let sole: Vec<(f32, f32)> =
        smooth_outline(&[(0.055, -0.11), (0.055, 0.02), (0.035, 0.09), (0.0, 0.14)], 3)
            .iter()
            .map(|p| (p.x, p.y))
            .collect();
    b.add("soleplate", extrude(&mirrored(&sole), 0.015).rot_x(-FRAC_PI_2).grounded(), metal);
    let shell = extrude(&mirrored(&sole), 0.07)
        .rot_x(-FRAC_PI_2)
        .grounded()
        .profile_y(|t| 0.92 - 0.35 * t)
        .at(0.0, 0.015, 0.0);
    b.add("body", shell, paint);
    let grip = curve(
        &[vec3(0.0, 0.06, 0.1), vec3(0.0, 0.13, 0.05), vec3(0.0, 0.135, -0.06), vec3(0.0, 0.06, -0.1)],
        4,
    );
    b.add("handle", tube(&grip, 0.015, 7), if r.chance(0.5) { paint } else { paint.shade(0.5) });
    b.add("dial", cylinder(0.02, 0.015, 8).at(0.0, 0.083, 0.0), metal);
    b.part("a handle");
    // The point of a flatiron looks forward.
    b.transform(glam::Affine3A::from_rotation_y(PI));
    b.build()
}
