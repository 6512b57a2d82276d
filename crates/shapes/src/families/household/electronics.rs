//! Screens, computers and telephones.

use glam::vec3;

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("television", &["tv", "tv set", "flat screen"], "electronics", television),
    Category::new("computer monitor", &["monitor", "computer screen"], "electronics", monitor),
    Category::new("laptop", &["notebook computer", "laptop computer"], "electronics", laptop),
    Category::new("desktop computer", &["pc", "computer tower"], "electronics", desktop),
    Category::new("keyboard", &["computer keyboard"], "electronics", keyboard),
    Category::new("computer mouse", &["mouse"], "electronics", mouse),
    Category::new("phone", &["cellphone", "smartphone", "mobile phone"], "electronics", phone),
    Category::new("calculator", &["pocket calculator"], "electronics", calculator),
];

/// The paint of a housing.
pub(crate) fn case(r: &mut Rng) -> Paint {
    match r.index(4) {
        0 => r.painted(MaterialKind::Plastic),
        1 => r.paint_of(&["white", "light gray", "beige", "silver"], MaterialKind::Plastic),
        _ => r.paint_of(&["black", "dark gray", "dark gray", "gray"], MaterialKind::Plastic),
    }
}

fn screen(r: &mut Rng) -> Paint {
    let paint = r.paint_of(
        &["black", "black", "dark gray", "light blue", "blue", "navy", "teal"],
        MaterialKind::Glass,
    );
    if paint.color.name == "black" { paint } else { paint.emissive(0.3) }
}

fn television(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (dark, glass) =
        (r.paint_of(&["black", "black", "dark gray", "gray"], MaterialKind::Plastic), screen(r));
    if r.chance(0.4) {
        let shell = if r.chance(0.5) { r.wood() } else { case(r) };
        b.main_paint(shell);
        let (w, h, d) = (r.between(0.5, 0.7), r.between(0.42, 0.55), r.between(0.35, 0.5));
        b.add("case", b.block(w, h, d * 0.55), shell);
        b.add(
            "tube",
            frustum(0.7, 0.42, d * 0.5, 4).rot_x(-FRAC_PI_2).scale(w * 0.9, h * 0.9, 1.0).at(
                0.0,
                h / 2.0,
                -d * 0.25,
            ),
            shell.shade(0.7),
        );
        let wide = r.chance(0.5);
        let (sw, x) = if wide { (w * 0.85, 0.0) } else { (w * 0.66, -w * 0.11) };
        b.add("bezel", frame(sw, h * 0.82, 0.025, 0.03).at(x, h * 0.09, d * 0.275), dark);
        b.add("screen", rounded_box(sw * 0.95, h * 0.76, 0.03, 0.012, 1).at(x, h * 0.12, d * 0.265), glass);
        let knob = cylinder(0.025, 0.03, b.few_segments()).rot_x(FRAC_PI_2);
        b.add("knobs", knob.linear_array(2, vec3(0.0, h * 0.18, 0.0)).at(w * 0.36, h * 0.55, d * 0.27), dark);
        if r.chance(0.7) {
            let metal = r.paint("silver", MaterialKind::Metal);
            b.add(
                "antenna",
                rod(vec3(0.0, h, -0.05), vec3(0.18, h + 0.3, -0.05), 0.005, 5).mirrored_x(),
                metal,
            );
            b.part("an antenna");
        }
        if r.chance(0.6) {
            b.add(
                "legs",
                tapered_rod(vec3(w * 0.42, -0.1, d * 0.2), vec3(w * 0.36, 0.01, d * 0.14), 0.01, 0.02, 6)
                    .mirrored_x()
                    .mirrored_z(),
                shell,
            );
        }
        b.part("knobs");
        b.subcategory("old television");
        return b.build();
    }
    let (w, h) = (r.between(0.9, 1.4), r.between(0.52, 0.78));
    b.main_paint(dark);
    b.add("panel", b.block(w, h, 0.05), dark);
    b.add("screen", cuboid(w * 0.95, h * 0.91, 0.01).at(0.0, h * 0.055, 0.023), glass);
    if r.chance(0.5) {
        b.add(
            "feet",
            bar(vec3(w * 0.34, -0.08, 0.12), vec3(w * 0.3, 0.01, 0.0), 0.03, 0.02).mirrored_x().mirrored_z(),
            dark,
        );
    } else {
        b.add(
            "stand",
            cuboid(0.1, 0.1, 0.03).at(0.0, -0.09, 0.0).join(b.block(w * 0.4, 0.02, 0.22).at(0.0, -0.1, 0.0)),
            dark,
        );
        b.part("a stand");
    }
    b.subcategory("flat screen television");
    b.adjective("wide");
    b.build()
}

fn monitor(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (dark, glass) = (case(r), screen(r));
    b.main_paint(dark);
    let (w, h) = (r.between(0.45, 0.62), r.between(0.28, 0.36));
    let lift = r.between(0.1, 0.16);
    b.add("panel", b.block(w, h, 0.035).at(0.0, lift, 0.0), dark);
    b.add("screen", cuboid(w * 0.94, h * 0.87, 0.01).at(0.0, lift + h * 0.08, 0.016), glass);
    b.add("neck", cuboid(0.06, lift + h * 0.3, 0.025).at(0.0, 0.0, -0.03), dark);
    let foot = if r.chance(0.5) {
        cylinder(0.12, 0.015, b.segments.max(8)).scale(1.0, 1.0, 0.75)
    } else {
        b.block(0.24, 0.015, 0.18)
    };
    b.add("foot", foot, dark);
    b.part("a stand");
    b.build()
}

/// Rows of keys over a `w` × `d` field at height `y`.
fn keys(b: &mut Builder, (w, d): (f32, f32), at: glam::Vec3, (columns, rows): (usize, usize), paint: Paint) {
    let (cw, rd) = (w / columns as f32, d / rows as f32);
    let tall = cw.min(rd) * 0.4;
    let first = at + vec3(-w / 2.0 + cw / 2.0, 0.0, -d / 2.0 + rd / 2.0);
    for row in 0..rows {
        let z = first.z + rd * row as f32;
        if row + 1 == rows && rows > 3 {
            let key = cuboid(cw * 0.85, tall, rd * 0.82);
            let side = columns / 4;
            let left = key.clone().linear_array(side, vec3(cw, 0.0, 0.0)).at(first.x, first.y, z);
            b.add("keys", left.mirrored_x(), paint);
            b.add(
                "space bar",
                cuboid(cw * (columns - 2 * side) as f32 - cw * 0.15, tall, rd * 0.82).at(at.x, first.y, z),
                paint,
            );
        } else {
            let key = frustum(0.7, 0.58, tall, 4).scale(cw * 0.86, 1.0, rd * 0.84);
            b.add("keys", key.linear_array(columns, vec3(cw, 0.0, 0.0)).at(first.x, first.y, z), paint);
        }
    }
}

fn laptop(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let shell =
        r.paint_of(&["silver", "gray", "dark gray", "black", "white", "light gray"], MaterialKind::Metal);
    let (dark, glass) = (r.paint_of(&["black", "dark gray"], MaterialKind::Plastic), screen(r));
    b.main_paint(shell);
    let (w, d) = (r.between(0.3, 0.38), r.between(0.21, 0.26));
    b.add("base", b.block(w, 0.016, d), shell);
    keys(&mut b, (w * 0.88, d * 0.45), vec3(0.0, 0.016, -d * 0.15), (11, 4), dark);
    b.add("touchpad", cuboid(w * 0.3, 0.002, d * 0.26).at(0.0, 0.016, d * 0.3), shell.shade(0.7));
    let tilt = r.between(-0.55, 0.1);
    let lid = |s: Solid| s.rot_x(tilt).at(0.0, 0.014, -d / 2.0 + 0.004);
    b.add("lid", lid(b.block(w, d * 0.95, 0.009)), shell);
    b.add("screen", lid(cuboid(w * 0.92, d * 0.82, 0.003).at(0.0, d * 0.07, 0.005)), glass);
    b.part("a keyboard");
    b.part("a screen");
    b.adjective("open");
    b.build()
}

fn desktop(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let shell = r.paint_of(&["black", "dark gray", "beige", "white", "gray"], MaterialKind::Metal);
    let light = r.painted(MaterialKind::Plain).emissive(0.5);
    b.main_paint(shell);
    let (w, h, d) = (r.between(0.18, 0.22), r.between(0.38, 0.46), r.between(0.38, 0.45));
    b.add("case", b.block(w, h, d), shell);
    let z = d / 2.0;
    b.add(
        "drive",
        cuboid(w * 0.8, h * 0.08, 0.01).linear_array(2, vec3(0.0, h * 0.11, 0.0)).at(0.0, h * 0.72, z),
        shell.shade(1.5),
    );
    b.add("button", cylinder(0.012, 0.012, 8).rot_x(FRAC_PI_2).at(0.0, h * 0.6, z), light);
    b.add(
        "vents",
        cuboid(w * 0.7, 0.008, 0.008).linear_array(6, vec3(0.0, 0.018, 0.0)).at(0.0, h * 0.12, z),
        shell.shade(0.5),
    );
    b.add("feet", cuboid(0.03, 0.015, d * 0.9).at(w * 0.4, -0.013, 0.0).mirrored_x(), shell.shade(0.5));
    b.build()
}

fn keyboard(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (base, cap) = (case(r), case(r));
    b.main_paint(base);
    let full = r.chance(0.5);
    let (w, d) = (if full { r.between(0.42, 0.46) } else { r.between(0.3, 0.36) }, r.between(0.12, 0.15));
    let slope = r.between(0.0, 0.12);
    let mut top = Builder::new(r);
    (top.bevel, top.flat) = (b.bevel, b.flat);
    top.add("base", b.block(w, 0.018, d), base);
    let field = if full { w * 0.74 } else { w * 0.95 };
    keys(&mut top, (field, d * 0.86), vec3(-(w * 0.95 - field) / 2.0, 0.018, 0.0), (14, 5), cap);
    if full {
        keys(&mut top, (w * 0.18, d * 0.86), vec3(w * 0.385, 0.018, 0.0), (4, 3), cap);
        top.part("a number pad");
    }
    top.transform(glam::Affine3A::from_rotation_x(slope));
    b.append(top, glam::Vec3::ZERO);
    b.colored_part("keys", cap);
    if r.chance(0.25) {
        b.add(
            "cable",
            tube(
                &curve(&[vec3(0.0, 0.01, -d / 2.0), vec3(0.02, 0.005, -d), vec3(-0.05, 0.005, -d * 1.5)], 4),
                0.003,
                5,
            ),
            base,
        );
        b.part("a cable");
    }
    b.adjective("flat");
    b.build()
}

fn mouse(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (shell, wheel) =
        (case(r), r.paint_of(&["gray", "black", "light gray", "red"], MaterialKind::Plastic));
    b.main_paint(shell);
    let n = b.segments.max(12);
    let (w, long, h) = (r.between(0.028, 0.034), r.between(0.05, 0.06), r.between(0.03, 0.04));
    b.add(
        "shell",
        dome(1.0, 1.0, n)
            .map(|p| vec3(p.x * w * (1.0 - 0.12 * p.z), p.y * h * (1.0 - 0.25 * p.z), p.z * long)),
        shell,
    );
    let lift = r.between(0.75, 0.9);
    b.add("wheel", cylinder(0.011, 0.006, 10).rot_z(FRAC_PI_2).at(0.003, h * lift * 0.8, long * 0.5), wheel);
    b.add(
        "split",
        cuboid(0.0015, 0.004, long * 0.5).at(0.0, h * 0.66, long * 0.62).rot_x(0.05),
        wheel.shade(0.6),
    );
    if r.chance(0.5) {
        let line = curve(
            &[
                vec3(0.0, 0.008, long * 0.95),
                vec3(0.01, 0.003, long * 1.6),
                vec3(-0.03, 0.003, long * 2.4),
                vec3(0.02, 0.003, long * 3.2),
            ],
            4,
        );
        b.add("cable", tube(&line, 0.002, 5), shell);
        b.part("a cable");
    }
    b.part("a scroll wheel");
    b.build()
}

fn phone(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (shell, glass) = (case(r), screen(r));
    b.main_paint(shell);
    let (w, h, t) = (r.between(0.065, 0.078), r.between(0.13, 0.16), r.between(0.008, 0.012));
    match r.index(5) {
        0 => {
            b.add("body", b.block(w * 0.7, h, t * 1.8), shell);
            b.add("screen", cuboid(w * 0.55, h * 0.33, 0.002).at(0.0, h * 0.58, t * 0.9), glass);
            let key = cuboid(w * 0.14, h * 0.055, 0.004)
                .linear_array(3, vec3(w * 0.19, 0.0, 0.0))
                .linear_array(4, vec3(0.0, h * 0.11, 0.0));
            b.add("keys", key.at(-w * 0.19, h * 0.09, t * 0.9), shell.shade(1.8));
            b.add("antenna", cylinder(t * 0.45, h * 0.25, 6).at(w * 0.24, h * 0.95, 0.0), shell);
            b.part("a keypad");
            b.subcategory("mobile phone");
        }
        1 => {
            let desk = r.paint_of(&["red", "black", "black", "cream", "green"], MaterialKind::Plastic);
            b.main_paint(desk);
            b.add("base", frustum(0.13, 0.07, 0.08, 4).scale(1.0, 1.0, 0.85), desk);
            b.add("dial", cylinder(0.045, 0.01, 14).rot_x(0.5).at(0.0, 0.045, 0.05), desk.shade(2.0));
            let grip = curve(&[vec3(-0.1, 0.1, 0.0), vec3(0.0, 0.13, 0.0), vec3(0.1, 0.1, 0.0)], 4);
            b.add(
                "handset",
                tube(&grip, 0.013, 7).join(cylinder(0.028, 0.03, 10).at(0.1, 0.075, 0.0).mirrored_x()),
                desk,
            );
            b.part("a handset");
            b.subcategory("telephone");
            return b.build();
        }
        _ => {
            b.add("body", rounded_box(w, h, t, t * 0.45, 2), shell);
            b.add(
                "screen",
                cuboid(w * 0.92, h * r.between(0.78, 0.94), 0.001).centered().at(0.0, h / 2.0, t / 2.0),
                glass,
            );
            b.add(
                "camera",
                rounded_box(w * 0.3, w * 0.36, 0.003, 0.001, 1).at(w * 0.26, h * 0.78, -t / 2.0),
                shell.shade(0.5),
            );
            if r.chance(0.5) {
                b.add(
                    "button",
                    cylinder(w * 0.08, 0.002, 10).rot_x(FRAC_PI_2).at(0.0, h * 0.045, t / 2.0),
                    shell.shade(1.5),
                );
            }
            b.add("side key", cuboid(0.002, h * 0.08, t * 0.3).at(w / 2.0, h * 0.65, 0.0), shell);
            b.subcategory("smartphone");
            b.part("a screen");
        }
    }
    if r.chance(0.35) {
        b.transform(glam::Affine3A::from_rotation_x(-FRAC_PI_2));
    }
    b.build()
}

fn calculator(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (shell, glass) = (case(r), r.paint_of(&["light green", "gray", "light gray"], MaterialKind::Glass));
    b.main_paint(shell);
    let (w, long) = (r.between(0.07, 0.1), r.between(0.12, 0.16));
    b.add("body", b.block(w, 0.014, long), shell);
    b.add("display", cuboid(w * 0.85, 0.003, long * 0.2).at(0.0, 0.013, -long * 0.34), glass);
    let key = r.paint_of(&["white", "light gray", "black"], MaterialKind::Plastic);
    keys(&mut b, (w * 0.88, long * 0.62), vec3(0.0, 0.014, long * 0.14), (4, 3), key);
    let accent = r.paint_of(&["orange", "red", "blue"], MaterialKind::Plastic);
    keys(&mut b, (w * 0.88, long * 0.14), vec3(0.0, 0.0145, -long * 0.17), (4, 1), accent);
    b.part("buttons");
    b.part("a display");
    b.build()
}
