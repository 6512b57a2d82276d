//! Sound, pictures and games to hold in the hand.

use glam::{Vec2, vec3};

use super::electronics::case;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("radio", &["boombox", "radio receiver"], "electronics", radio),
    Category::new("camera", &["photo camera", "digital camera"], "electronics", camera),
    Category::new("headphones", &["headset", "earphones"], "electronics", headphones),
    Category::new("game controller", &["gamepad", "joystick"], "electronics", controller),
    Category::new("speaker", &["loudspeaker"], "electronics", speaker),
    Category::new("microphone", &["mic"], "electronics", microphone),
    Category::new("remote control", &["remote", "tv remote"], "electronics", remote),
    Category::new("battery", &["batteries"], "electronics", battery),
    Category::new("robot vacuum", &["robotic vacuum cleaner"], "electronics", robot_vacuum),
];

fn radio(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let shell = if r.chance(0.25) { r.wood() } else { case(r) };
    let (dark, metal) = (
        r.paint_of(&["dark gray", "black", "beige", "silver"], MaterialKind::Plastic),
        r.paint_of(&["silver", "light gray", "gold"], MaterialKind::Metal),
    );
    b.main_paint(shell);
    let w = r.between(0.24, 0.5);
    let (h, d) = (w * r.between(0.45, 0.65), w * r.between(0.2, 0.32));
    b.add("case", b.block(w, h, d), shell);
    let z = d / 2.0;
    let n = b.segments.max(10);
    let double = r.chance(0.4);
    let cone_at = cylinder(h * 0.3, 0.008, n)
        .rot_x(FRAC_PI_2)
        .join(torus(h * 0.3, h * 0.035, n, 5).rot_x(FRAC_PI_2))
        .at(w * 0.3, h * 0.42, z);
    b.add("speaker", if double { cone_at.mirrored_x() } else { cone_at }, dark);
    let x = if double { 0.0 } else { -w * 0.2 };
    let wide = if double { w * 0.22 } else { w * 0.45 };
    b.add("scale", cuboid(wide, h * 0.2, 0.008).at(x, h * 0.62, z), metal);
    b.add(
        "needle",
        cuboid(0.004, h * 0.18, 0.012).at(x + wide * 0.1, h * 0.63, z),
        r.paint("red", MaterialKind::Plain),
    );
    b.add(
        "knobs",
        cylinder(h * 0.09, 0.025, b.few_segments())
            .rot_x(FRAC_PI_2)
            .linear_array(2, vec3(wide * 0.6, 0.0, 0.0))
            .at(x - wide * 0.3, h * 0.3, z),
        metal,
    );
    b.part(if double { "two speakers" } else { "a speaker" });
    b.part("knobs");
    if r.chance(0.75) {
        let side = r.sign();
        let tip = vec3(side * w * r.between(0.4, 0.75), h + w * r.between(0.4, 0.8), -z * 0.5);
        b.add(
            "antenna",
            rod(vec3(side * w * 0.42, h, -z * 0.5), tip, w * 0.008, 5)
                .join(sphere(w * 0.014, 6).translated(tip)),
            metal,
        );
        b.part("an antenna");
    }
    if r.chance(0.6) {
        let top = h + w * r.between(0.08, 0.16);
        b.add(
            "handle",
            cuboid(0.02, top - h, 0.025)
                .at(w * 0.4, h, 0.0)
                .mirrored_x()
                .join(b.block(w * 0.83, 0.022, 0.03).at(0.0, top, 0.0)),
            dark,
        );
        b.part("a handle");
    }
    if double && w > 0.38 {
        b.subcategory("boombox");
    }
    b.build()
}

fn camera(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (shell, trim) = (case(r), r.paint_of(&["silver", "gray", "black", "dark gray"], MaterialKind::Metal));
    let glass = r.paint_of(&["light blue", "blue", "navy", "black"], MaterialKind::Glass);
    b.main_paint(shell);
    let n = b.segments.max(10);
    let (w, h, d) = (r.between(0.11, 0.14), r.between(0.07, 0.09), r.between(0.035, 0.05));
    b.add("body", b.block(w, h, d), shell);
    if r.chance(0.5) {
        b.add("band", cuboid(w * 1.005, h * 0.24, d * 1.01).at(0.0, h * 0.77, 0.0), trim);
    }
    let x = if r.chance(0.3) { w * 0.12 } else { 0.0 };
    let (lens, long) = (h * r.between(0.34, 0.44), d * r.between(0.4, 1.6));
    let barrel = outline(&[
        (lens, 0.0),
        (lens, long * 0.5),
        (lens * 0.9, long * 0.55),
        (lens * 0.9, long),
        (lens * 0.72, long),
        (lens * 0.65, long * 0.85),
    ]);
    let placed = |s: Solid| s.rot_x(FRAC_PI_2).at(x, h * 0.45, d / 2.0);
    b.add("lens barrel", placed(lathe(&barrel, n)), if r.chance(0.5) { trim } else { shell.shade(0.6) });
    b.add("lens", placed(dome(lens * 0.66, lens * 0.2, n).at(0.0, long * 0.84, 0.0)), glass);
    if r.chance(0.6) {
        b.add(
            "prism",
            b.block(w * 0.34, h * 0.26, d * 0.85).profile_y(|t| 1.0 - 0.3 * t).at(x, h * 0.97, 0.0),
            shell,
        );
    }
    let flash = r.paint_of(&["white", "cream"], MaterialKind::Glass);
    b.add("flash", cuboid(w * 0.18, h * 0.13, 0.006).at(-w * 0.34, h * 0.79, d / 2.0), flash);
    b.add(
        "button",
        cylinder(0.008, 0.008, 8).at(w * 0.36, h, 0.0),
        r.paint_of(&["red", "silver", "black"], MaterialKind::Metal),
    );
    b.add("dial", cylinder(0.011, 0.01, n).at(-w * 0.33, h, 0.0), trim);
    b.part("a lens");
    b.part("a flash");
    if r.chance(0.25) {
        let strap: Vec<_> = arc(1.0, 0.0, PI, 12)
            .iter()
            .map(|p| vec3(p.x * w * 0.52, h * 0.85 + p.y * w * 1.1, -p.y * 0.01))
            .collect();
        b.add("strap", tube(&strap, 0.003, 5), shell.shade(0.6));
        b.part("a strap");
    }
    b.build()
}

fn headphones(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (shell, pad) =
        (case(r), r.paint_of(&["black", "dark gray", "gray", "beige", "white"], MaterialKind::Leather));
    b.main_paint(shell);
    let n = b.segments.max(12);
    let (half, tall) = (r.between(0.07, 0.085), r.between(0.15, 0.19));
    let band: Vec<_> = arc(1.0, 0.05, PI - 0.05, 14)
        .iter()
        .map(|p| vec3(p.x * half * 1.12, tall * 0.45 + p.y * tall * 0.55, 0.0))
        .collect();
    let flat = r.between(1.6, 3.2);
    b.add("band", tube(&band, 0.006, 6).scale(1.0, 1.0, flat), shell);
    let cushion: Vec<_> = band[4..11].iter().map(|p| *p * vec3(0.96, 0.985, 1.0)).collect();
    b.add("cushion", tube(&cushion, 0.009, 6).scale(1.0, 1.0, flat), pad);
    let (size, lean) = (r.between(0.034, 0.046), r.between(0.0, 0.15));
    let stretch = r.between(1.0, 1.3);
    let cup = |s: Solid| {
        s.scale(1.0, 1.0, stretch)
            .rot_z(-FRAC_PI_2)
            .rot_x(FRAC_PI_2)
            .rot_z(lean)
            .at(half, tall * 0.3, 0.0)
            .mirrored_x()
    };
    b.add(
        "cups",
        cup(lathe(&outline(&[(size * 0.95, 0.0), (size, size * 0.25), (size * 0.75, size * 0.6)]), n)),
        shell,
    );
    b.add("pads", cup(torus(size * 0.72, size * 0.3, n, 8).at(0.0, -size * 0.1, 0.0)), pad);
    b.add(
        "arms",
        bar(vec3(half * 1.13, tall * 0.3, 0.0), vec3(half * 1.12, tall * 0.5, 0.0), 0.006, 0.016)
            .mirrored_x(),
        shell.shade(0.7),
    );
    b.part("ear cups");
    if r.chance(0.25) {
        let line = curve(
            &[vec3(half, tall * 0.15, 0.03), vec3(half * 1.1, tall * 0.02, 0.08), vec3(0.02, 0.02, 0.11)],
            4,
        );
        b.add(
            "microphone",
            tube(&line, 0.003, 5).join(capsule(vec3(0.02, 0.02, 0.11), vec3(0.0, 0.02, 0.112), 0.007, 8)),
            shell,
        );
        b.subcategory("headset");
        b.part("a microphone");
    }
    if r.chance(0.3) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }
    b.build()
}

fn controller(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (shell, dark) = (case(r), r.paint_of(&["black", "dark gray", "gray"], MaterialKind::Plastic));
    b.main_paint(shell);
    let n = b.segments.max(8);
    let colors = ["red", "yellow", "green", "blue"];
    let (top, x) = (0.034, 0.052);
    if r.chance(0.35) {
        retro_controller(r, &mut b, [shell, dark], n);
    } else {
        let half = smooth_outline(
            &[
                (0.0, 0.03),
                (0.04, 0.036),
                (0.075, 0.02),
                (0.092, -0.05),
                (0.076, -0.068),
                (0.05, -0.026),
                (0.0, -0.02),
            ],
            3,
        );
        let right: Vec<(f32, f32)> = half.iter().rev().map(|p| (p.x.max(0.0), p.y)).collect();
        b.add("body", extrude_beveled(&mirrored(&right), top, 0.1).rot_x(-FRAC_PI_2).grounded(), shell);
        let even = r.chance(0.5);
        let stick = cylinder(0.011, 0.008, n).at(0.0, top, 0.0).join(cylinder(0.014, 0.004, n).at(
            0.0,
            top + 0.007,
            0.0,
        ));
        let (left, right) = if even {
            (vec3(-0.026, 0.0, 0.012), vec3(0.026, 0.0, 0.012))
        } else {
            (vec3(-x, 0.0, -0.012), vec3(0.026, 0.0, 0.012))
        };
        b.add("sticks", stick.clone().translated(left).join(stick.translated(right)), dark);
        let cross = cuboid(0.024, 0.005, 0.008).join(cuboid(0.008, 0.005, 0.024));
        let at = if even { vec3(-x, top, -0.012) } else { vec3(-0.026, top, 0.012) };
        b.add("d-pad", cross.translated(at), dark);
        let bright = r.chance(0.6);
        for (i, name) in colors.iter().enumerate() {
            let paint = if bright { r.paint(name, MaterialKind::Plastic) } else { dark };
            let place = Vec2::from_angle(FRAC_PI_2 * i as f32) * 0.013;
            b.add("button", cylinder(0.005, 0.006, n).at(x + place.x, top, -0.012 + place.y), paint);
        }
        b.add(
            "triggers",
            rounded_box(0.03, 0.014, 0.014, 0.004, 1).at(x, top * 0.5, -0.034).mirrored_x(),
            dark,
        );
        b.part("two joysticks");
    }
    b.part("buttons");
    if r.chance(0.3) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2 * 0.7));
    }
    b.build()
}

fn retro_controller(r: &mut Rng, b: &mut Builder, [shell, dark]: [Paint; 2], n: usize) {
    let (w, d) = (r.between(0.12, 0.14), r.between(0.05, 0.06));
    b.add("body", b.block(w, 0.02, d), shell);
    b.add("plate", cuboid(w * 0.94, 0.002, d * 0.75).at(0.0, 0.02, 0.002), dark);
    let cross = cuboid(0.026, 0.006, 0.009).join(cuboid(0.009, 0.006, 0.026));
    b.add("d-pad", cross.at(-w * 0.32, 0.02, 0.0), shell.shade(0.4));
    let red = r.paint_of(&["red", "purple", "dark red"], MaterialKind::Plastic);
    b.add(
        "buttons",
        cylinder(0.008, 0.007, n).linear_array(2, vec3(0.021, 0.0, 0.0)).at(w * 0.22, 0.02, 0.006),
        red,
    );
    b.add(
        "select",
        capsule(vec3(-0.014, 0.022, 0.006), vec3(-0.006, 0.022, 0.006), 0.003, 8).mirrored_x(),
        shell.shade(0.5),
    );
    b.subcategory("retro game controller");
    b.adjective("rectangular");
}

fn speaker(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let shell = if r.chance(0.4) { r.wood() } else { case(r) };
    let dark = r.paint_of(&["black", "dark gray"], MaterialKind::Plastic);
    b.main_paint(shell);
    let n = b.segments.max(12);
    let w = r.between(0.18, 0.35);
    let (h, d) = (w * r.between(1.4, 2.8), w * r.between(0.8, 1.0));
    b.add("case", b.block(w, h, d), shell);
    let drivers = r.int_between(1, 3);
    let mut y = h * 0.06;
    for i in 0..drivers {
        let radius = w * [0.4_f32, 0.32, 0.2][i].min(0.42 * h / w / drivers as f32);
        y += radius;
        let at = |s: Solid| s.rot_x(FRAC_PI_2).at(0.0, y, d / 2.0);
        b.add("rim", at(torus(radius, radius * 0.12, n, 6)), dark.shade(1.8));
        b.add(
            "cone",
            at(lathe_open(&outline(&[(radius, 0.004), (radius * 0.35, -0.02)]), n)).at(0.0, 0.0, 0.012),
            dark,
        );
        b.add("dome", at(dome(radius * 0.38, radius * 0.2, n)), dark.shade(2.5));
        y += radius + h * 0.05;
    }
    b.counted_part(drivers, "cone", "cones");
    b.build()
}

fn microphone(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (shell, mesh) = (case(r), r.paint_of(&["silver", "gray", "dark gray", "gold"], MaterialKind::Metal));
    b.main_paint(shell);
    let n = b.segments.max(8);
    b.add("handle", frustum(0.011, 0.018, 0.15, n), shell);
    b.add("head", sphere(0.03, n).at(0.0, 0.175, 0.0), mesh);
    b.add("ring", torus(0.03, 0.004, n, 5).at(0.0, 0.172, 0.0), shell);
    b.add("switch", cuboid(0.006, 0.018, 0.005).at(0.0, 0.09, 0.015), mesh);
    if r.chance(0.4) {
        let metal = r.metal();
        b.add(
            "stand",
            cylinder(0.008, r.between(0.15, 1.1), 6).rot_x(PI).join(frustum(0.012, 0.012, 0.02, 6)),
            metal,
        );
        let low = b.clone().build().scene.bounds().map_or(0.0, |x| x.extents().y) - 0.205;
        b.add("foot", frustum(0.11, 0.09, 0.02, n).at(0.0, -low, 0.0), metal);
        b.part("a stand");
    } else if r.chance(0.5) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }
    b.build()
}

fn remote(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let shell = r.paint_of(&["black", "dark gray", "gray", "white"], MaterialKind::Plastic);
    let key = if shell.color.name == "white" {
        r.paint("gray", MaterialKind::Plastic)
    } else {
        r.paint_of(&["light gray", "white", "gray"], MaterialKind::Plastic)
    };
    b.main_paint(shell);
    let (w, long) = (r.between(0.042, 0.055), r.between(0.15, 0.2));
    b.add("body", b.block(w, 0.018, long), shell);
    let red = r.paint("red", MaterialKind::Plastic);
    b.add("power", cylinder(w * 0.1, 0.004, 8).at(-w * 0.28, 0.018, -long * 0.43), red);
    let rows = r.int_between(4, 7);
    let step = long * 0.75 / rows as f32;
    let button =
        if r.chance(0.5) { cuboid(w * 0.18, 0.004, step * 0.5) } else { cylinder(w * 0.1, 0.004, 8) };
    b.add(
        "buttons",
        button.linear_array(3, vec3(w * 0.28, 0.0, 0.0)).linear_array(rows, vec3(0.0, 0.0, step)).at(
            -w * 0.28,
            0.018,
            -long * 0.33,
        ),
        key,
    );
    b.part("buttons");
    b.build()
}

fn battery(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (lower, upper) = (
        r.paint_of(&["black", "green", "blue", "dark gray"], MaterialKind::Plastic),
        r.paint_of(&["gold", "copper", "silver", "orange", "red"], MaterialKind::Metal),
    );
    let metal = r.paint("silver", MaterialKind::Metal);
    b.colored_part("top", upper);
    let n = b.segments.max(8);
    let (radius, h) = (r.between(0.007, 0.015), r.between(0.045, 0.06));
    b.add("body", cylinder(radius, h * 0.65, n), lower);
    b.add("top", cylinder(radius, h * 0.33, n).at(0.0, h * 0.65, 0.0), upper);
    b.add("pole", cylinder(radius * 0.38, h * 0.06, n).at(0.0, h * 0.97, 0.0), metal);
    b.build()
}

fn robot_vacuum(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let shell = case(r);
    b.main_paint(shell);
    let n = b.segments.max(14);
    b.add("body", lathe(&outline(&[(0.16, 0.0), (0.17, 0.01), (0.17, 0.06), (0.155, 0.075)]), n), shell);
    b.add("top", cylinder(0.13, 0.006, n).at(0.0, 0.075, 0.0), shell.shade(1.6));
    b.add("sensor", cylinder(0.04, 0.02, n).at(0.0, 0.075, -0.04), shell.shade(0.5));
    let light = r.painted(MaterialKind::Plain).emissive(0.6);
    b.add("button", cylinder(0.018, 0.01, 10).at(0.0, 0.077, 0.06), light);
    b.adjective("round");
    b.build()
}
