//! Tools for the workshop, the garden and the house.

use glam::{vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("hammer", &["claw hammer", "mallet"], "tool", hammer),
    Category::new("axe", &["hatchet", "battle axe"], "tool", axe),
    Category::new("saw", &["handsaw", "hand saw"], "tool", saw),
    Category::new("screwdriver", &[], "tool", screwdriver),
    Category::new("wrench", &["spanner"], "tool", wrench),
    Category::new("pliers", &[], "tool", pliers),
    Category::new("shovel", &["spade"], "tool", shovel),
    Category::new("rake", &["garden rake"], "tool", rake),
    Category::new("pickaxe", &["pick"], "tool", pickaxe),
    Category::new("broom", &["brush"], "tool", broom),
    Category::new("ladder", &["step ladder"], "tool", ladder),
    Category::new("umbrella", &["parasol"], "object", umbrella),
    Category::new("drill", &["power drill", "cordless drill"], "tool", drill),
    Category::new("paintbrush", &["brush", "paint brush"], "tool", paintbrush),
];

fn handle_paint(r: &mut Rng) -> Paint {
    if r.chance(0.65) { r.wood() } else { r.painted(MaterialKind::Plastic) }
}

fn steel(r: &mut Rng) -> Paint {
    r.paint_of(&["silver", "gray", "gray", "light gray", "dark gray", "black"], MaterialKind::Metal)
}

fn hammer(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let length = r.between(0.25, 0.38);
    let (wood, metal) = (handle_paint(r), steel(r));
    b.colored_part("handle", wood);
    let thick = length * r.between(0.04, 0.06);
    let handle = lathe(
        &outline(&[
            (thick * 1.1, 0.0),
            (thick * 1.2, length * 0.3),
            (thick * 0.8, length * 0.55),
            (thick * 0.8, length),
        ]),
        b.segments.min(10),
    );
    b.add("handle", handle.scale(0.8, 1.0, 1.1), wood);
    let (h, top) = (length * r.between(0.09, 0.13), length * 0.93);
    match r.index(4) {
        0 => {
            let mallet = if r.chance(0.6) {
                wood
            } else {
                r.paint_of(&["black", "dark gray", "red"], MaterialKind::Plastic)
            };
            let long = length * r.between(0.4, 0.55);
            let head = if r.chance(0.5) {
                cylinder(h * 1.1, long, b.segments.max(8))
            } else {
                b.block(h * 2.0, long, h * 2.0)
            };
            b.add("head", head.centered().rot_x(FRAC_PI_2).at(0.0, top, 0.0), mallet);
            b.subcategory("mallet");
        }
        1 => {
            b.add("head", b.block(h * 1.8, h * 1.9, length * 0.42).at(0.0, top - h, 0.0), metal);
            b.subcategory("sledgehammer");
        }
        _ => {
            b.add("head", b.block(h, h, length * 0.16).at(0.0, top - h * 0.5, 0.0), metal);
            let face = lathe(
                &outline(&[
                    (h * 0.4, 0.0),
                    (h * 0.4, length * 0.05),
                    (h * 0.6, length * 0.06),
                    (h * 0.6, length * 0.11),
                ]),
                b.segments.max(8),
            );
            b.add("face", face.rot_x(FRAC_PI_2).at(0.0, top, length * 0.07), metal);
            let claw = [
                (h * 0.05, 0.5 * h),
                (length * 0.08, h * 0.35),
                (length * 0.17, -h * 0.5),
                (length * 0.2, -h * 1.0),
                (length * 0.15, -h * 0.75),
                (length * 0.07, -h * 0.35),
                (h * 0.05, -h * 0.5),
            ];
            let prong = extrude(&outline(&claw), h * 0.35).rot_y(FRAC_PI_2).at(h * 0.3, top, -length * 0.05);
            b.add("claw", prong.mirrored_x(), metal);
            b.part("a claw");
            b.subcategory("claw hammer");
        }
    }
    b.build_lying(r)
}

fn axe(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let length = r.between(0.35, 0.9);
    let (wood, metal) = (handle_paint(r), steel(r));
    b.colored_part("handle", wood);
    let thick = length * r.between(0.03, 0.045);
    let bow = r.between(0.0, 0.06) * length;
    let line = curve(
        &[
            vec3(0.0, 0.0, bow),
            vec3(0.0, length * 0.15, 0.0),
            vec3(0.0, length * 0.6, bow * 0.7),
            vec3(0.0, length, 0.0),
        ],
        4,
    );
    b.add("handle", tube_with(&line, |t| thick * (1.0 - 0.25 * t), b.segments.min(8)), wood);
    let (w, h) = (length * r.between(0.25, 0.36), length * r.between(0.22, 0.34));
    let y = length * 0.86;
    let edge = h * r.between(0.08, 0.2);
    let shape = smooth_outline(
        &[
            (thick * -1.3, h * 0.22),
            (w * 0.35, h * 0.25),
            (w * 0.85, h * 0.62),
            (w * 0.85 + edge, h * 0.1),
            (w * 0.8, -h * 0.5),
            (w * 0.35, -h * 0.22),
            (thick * -1.3, -h * 0.22),
        ],
        2,
    );
    let blade =
        extrude(&shape, thick * 2.4).map(|p| vec3(p.x, p.y, p.z * (1.05 - 0.95 * (p.x / w).clamp(0.0, 1.0))));
    let blade = blade.rot_y(-FRAC_PI_2);
    if r.chance(0.25) {
        b.add("blades", blade.mirrored_z().at(0.0, y, 0.0), metal);
        b.subcategory("battle axe");
        b.part("two blades");
    } else {
        b.add("blade", blade.at(0.0, y, 0.0), metal);
        b.part("a blade");
    }
    if r.chance(0.3) {
        let wrap = r.paint_of(&["dark brown", "red", "black", "brown"], MaterialKind::Leather);
        b.add("grip", cylinder(thick * 1.25, length * 0.2, 8).at(0.0, length * 0.08, 0.0), wrap);
    }
    b.adjective(if length > 0.6 { "long" } else { "small" });
    b.build_lying(r)
}

fn saw(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let length = r.between(0.35, 0.55);
    let (grip, metal) = (handle_paint(r), steel(r));
    let tall = length * r.between(0.18, 0.26);
    let teeth = r.int_between(12, 24);
    let tip = tall * r.between(0.35, 0.55);
    let mut points = vec![(0.0, tall), (0.0, 0.0)];
    let step = length / teeth as f32;
    points.extend(
        (0..teeth).flat_map(|i| [((i as f32 + 0.1) * step, -step * 0.5), ((i + 1) as f32 * step, 0.0)]),
    );
    points.push((length, tip));
    b.add("blade", extrude(&outline(&points), length * 0.006), metal);
    let hoop = smooth_outline(
        &[
            (0.03, tall * 1.05),
            (-tall * 0.9, tall * 0.95),
            (-tall * 1.05, tall * 0.4),
            (-tall * 0.8, -tall * 0.15),
            (0.02, tall * 0.05),
        ],
        4,
    );
    let line: Vec<_> = hoop.iter().chain(hoop.first()).map(|p| vec3(p.x, p.y, 0.0)).collect();
    b.add("handle", tube(&line, tall * 0.16, 6).scale(1.0, 1.0, 0.8), grip);
    b.colored_part("handle", grip);
    b.part("teeth");
    b.build()
}

fn screwdriver(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (grip, metal) = (r.painted(MaterialKind::Plastic), steel(r));
    let long = r.between(0.09, 0.12);
    let w = long * r.between(0.11, 0.17);
    let profile = smooth_outline(
        &[
            (w * 0.7, 0.0),
            (w, long * 0.12),
            (w * 0.9, long * 0.6),
            (w * 0.55, long * 0.82),
            (w * 0.75, long * 0.92),
            (w * 0.5, long),
        ],
        2,
    );
    b.add("handle", lathe(&profile, b.segments.clamp(6, 12)), grip);
    let shaft = long * r.between(0.7, 1.6);
    b.add("shaft", cylinder(w * 0.24, shaft, b.few_segments()).at(0.0, long, 0.0), metal);
    let tip = if r.chance(0.5) {
        cuboid(w * 0.6, w * 0.9, w * 0.14)
    } else {
        frustum(w * 0.26, w * 0.08, w * 0.7, 4)
    };
    b.add("tip", tip.at(0.0, long + shaft - w * 0.1, 0.0), metal);
    b.colored_part("handle", grip);
    b.build_lying(r)
}

fn wrench(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal = if r.chance(0.8) { steel(r) } else { r.painted(MaterialKind::Metal) };
    b.main_paint(metal);
    let length = r.between(0.15, 0.28);
    let head = length * r.between(0.13, 0.17);
    let t = head * 0.45;
    let (w, top) = (head * 0.42, length - head);
    b.add("shaft", b.block(w * 2.0, length - head * 1.6, t * 0.8).at(0.0, head * 0.8, 0.0), metal);
    let jaw = |size: f32| {
        let points = [
            (0.35, 1.0),
            (0.38, 0.15),
            (0.2, -0.05),
            (-0.2, -0.05),
            (-0.38, 0.15),
            (-0.35, 1.0),
            (-0.75, 0.9),
            (-1.0, 0.1),
            (-0.7, -0.7),
            (0.0, -1.0),
            (0.7, -0.7),
            (1.0, 0.1),
            (0.75, 0.9),
        ];
        extrude(&outline(&points.map(|(x, y)| (x * size, y * size))), t)
    };
    let tilt = r.between(-0.35, 0.35);
    b.add("jaw", jaw(head).rot_z(tilt).at(0.0, top, 0.0), metal);
    let end = if r.chance(0.5) {
        jaw(head * 0.85).rot_z(PI + tilt)
    } else {
        washer(head * 0.8, head * 0.5, t, b.segments.max(8)).centered().rot_x(FRAC_PI_2)
    };
    b.add("end", end.at(0.0, head * 0.6, 0.0), metal);
    b.build_lying(r)
}

fn pliers(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (grip, metal) = (r.painted(MaterialKind::Plastic), steel(r));
    let open = r.between(0.12, 0.3);
    let arm = curve(
        &[vec3(0.0, 0.0, 0.0), vec3(0.02, -0.02, 0.0), vec3(0.026, -0.06, 0.0), vec3(0.018, -0.12, 0.0)],
        3,
    );
    let half = tube_with(&arm, |_| 0.007, 6).scale(1.0, 1.0, 0.8).rot_z(open * 0.5);
    let jaw =
        extrude(&outline(&[(0.0, -0.01), (0.014, 0.0), (0.014, 0.018), (0.005, 0.05), (0.0, 0.05)]), 0.012)
            .rot_z(-open * 0.5);
    b.add("handles", half.mirrored_x(), grip);
    b.add("jaws", jaw.mirrored_x(), metal);
    b.add("pivot", cylinder(0.012, 0.016, b.segments.max(8)).centered().rot_x(FRAC_PI_2), metal);
    b.colored_part("handles", grip);
    b.build_lying(r)
}

fn long_handle(r: &mut Rng, b: &mut Builder, from: f32, to: f32, thick: f32) -> Paint {
    let wood = handle_paint(r);
    b.add("handle", cylinder(thick, to - from, b.few_segments()).at(0.0, from, 0.0), wood);
    b.part("a long handle");
    wood
}

fn shovel(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal = steel(r);
    let (w, h) = (r.between(0.18, 0.26), r.between(0.26, 0.34));
    let length = r.between(0.8, 1.3);
    let wood = long_handle(r, &mut b, h * 0.8, length, 0.018);
    let right = if r.chance(0.6) {
        smooth_outline(&[(0.0, 0.0), (w * 0.3, h * 0.12), (w * 0.5, h * 0.5), (w * 0.48, h)], 3)
    } else {
        outline(&[(w * 0.5, 0.0), (w * 0.5, h)])
    };
    let right: Vec<(f32, f32)> = right.iter().map(|p| (p.x, p.y)).collect();
    let curl = r.between(0.5, 1.5);
    b.add("blade", extrude(&mirrored(&right), 0.008).map(|p| vec3(p.x, p.y, p.z + curl * p.x * p.x)), metal);
    b.add("socket", frustum(0.03, 0.022, h * 0.45, b.few_segments()).at(0.0, h * 0.7, 0.0), metal);
    if r.chance(0.6) {
        let bow = [
            vec3(-0.05, length + 0.09, 0.0),
            vec3(-0.05, length + 0.05, 0.0),
            vec3(0.0, length - 0.01, 0.0),
            vec3(0.05, length + 0.05, 0.0),
            vec3(0.05, length + 0.09, 0.0),
            vec3(-0.05, length + 0.09, 0.0),
        ];
        b.add("grip", Solid::union(bow.windows(2).map(|p| capsule(p[0], p[1], 0.014, 8))), wood);
        b.part("a grip");
    }
    b.build_lying(r)
}

fn rake(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal = if r.chance(0.6) { steel(r) } else { r.painted(MaterialKind::Plastic) };
    let length = r.between(1.1, 1.5);
    long_handle(r, &mut b, 0.1, length, 0.015);
    let tines = r.int_between(8, 14);
    if r.chance(0.5) {
        let w = r.between(0.32, 0.42);
        b.add("bar", cuboid(w, 0.025, 0.02).at(0.0, 0.09, 0.0), metal);
        let tine = frustum(0.003, 0.007, 0.09, 5).rot_x(-0.3).at(-w / 2.0 + 0.01, 0.0, 0.02);
        b.add("tines", tine.linear_array(tines, vec3((w - 0.02) / (tines - 1) as f32, 0.0, 0.0)), metal);
    } else {
        let tine = |i: usize| {
            let t = i as f32 / (tines - 1) as f32 * 2.0 - 1.0;
            let tip = vec3(t * 0.22, -0.05 + 0.04 * t * t, 0.0);
            bar(vec3(t * 0.02, 0.15, 0.0), tip, 0.012, 0.004).join(bar(
                tip,
                tip + vec3(0.0, -0.02, 0.03),
                0.012,
                0.004,
            ))
        };
        b.add("tines", Solid::union((0..tines).map(tine)), metal);
        b.subcategory("leaf rake");
    }
    b.build_lying(r)
}

fn pickaxe(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal = steel(r);
    let length = r.between(0.6, 0.95);
    let wood = handle_paint(r);
    b.add("handle", frustum(0.018, 0.024, length, b.few_segments()).scale(0.8, 1.0, 1.2), wood);
    let half = length * r.between(0.32, 0.45);
    let drop = half * r.between(0.2, 0.4);
    let line = curve(
        &[
            vec3(0.0, 0.0, -half),
            vec3(0.0, drop * 0.8, -half * 0.45),
            vec3(0.0, drop, 0.0),
            vec3(0.0, drop * 0.8, half * 0.45),
            vec3(0.0, 0.0, half),
        ],
        3,
    );
    let sides = r.choose(&[4, 6, 8]);
    let head = tube_with(&line, |t| 0.034 * (1.0 - (2.0 * t - 1.0).abs()).powf(0.6) + 0.004, sides);
    b.add("head", head.at(0.0, length * 0.93 - drop, 0.0), metal);
    b.add("socket", b.block(0.06, 0.07, 0.08).at(0.0, length * 0.9, 0.0), metal);
    b.colored_part("handle", wood);
    b.build_lying(r)
}

fn broom(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let straw = r.paint_of(&["yellow", "tan", "beige", "brown", "red", "blue", "green"], MaterialKind::Plain);
    let length = r.between(1.1, 1.5);
    long_handle(r, &mut b, 0.22, length, 0.014);
    if r.chance(0.5) {
        let head = r.painted(MaterialKind::Plastic);
        let w = r.between(0.25, 0.4);
        b.add("head", b.block(w, 0.05, 0.06).at(0.0, 0.16, 0.0), head);
        b.add("bristles", cuboid(w * 0.95, 0.17, 0.05).profile_y(|t| 1.15 - 0.15 * t), straw);
        b.subcategory("push broom");
    } else {
        let flat = r.between(0.4, 1.0);
        let skirt = [(0.14, 0.0), (0.11, 0.15), (0.05, 0.3), (0.02, 0.36)];
        b.add("bristles", lathe(&outline(&skirt), b.segments.min(12)).scale(1.0, 1.0, flat), straw);
        let tie = r.painted(MaterialKind::Plain);
        b.add("binding", cylinder(0.052, 0.03, 10).scale(1.0, 1.0, flat.max(0.5)).at(0.0, 0.28, 0.0), tie);
    }
    b.colored_part("bristles", straw);
    b.build_lying(r)
}

fn ladder(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.5) {
        r.wood()
    } else {
        r.paint_of(&["silver", "gray", "yellow", "orange", "red"], MaterialKind::Metal)
    };
    b.main_paint(paint);
    let (w, height) = (r.between(0.35, 0.5), r.between(1.4, 3.2));
    let rungs = (height / r.between(0.25, 0.35)) as usize;
    let step = height / (rungs as f32 + 0.5);
    let round = r.chance(0.5);
    let rung = if round {
        rod(vec3(-w / 2.0, 0.0, 0.0), vec3(w / 2.0, 0.0, 0.0), 0.018, 6)
    } else {
        cuboid(w, 0.025, 0.06)
    };
    let rails = cuboid(0.04, height, 0.06).at(w / 2.0, 0.0, 0.0).mirrored_x();
    let side = rails.join(rung.linear_array(rungs, vec3(0.0, step, 0.0)).at(0.0, step * 0.6, 0.0));
    b.counted_part(rungs, "rung", "rungs");
    if r.chance(0.45) {
        let lean = height * r.between(0.16, 0.26);
        let back = cuboid(0.03, height, 0.04)
            .at(w / 2.0, 0.0, 0.0)
            .mirrored_x()
            .join(cuboid(w, 0.03, 0.02).at(0.0, height * 0.35, 0.0));
        b.add("front", side.at(0.0, 0.0, lean).shear_y(0.0, -lean), paint);
        b.add("back", back.at(0.0, 0.0, -lean).shear_y(0.0, lean), paint);
        b.add("cap", b.block(w + 0.06, 0.05, 0.14).at(0.0, height - 0.02, 0.0), paint);
        b.subcategory("stepladder");
    } else {
        b.add("ladder", side, paint);
    }
    b.build()
}

fn umbrella(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let cloth = r.painted(MaterialKind::Fabric);
    let metal = r.metal();
    let grip = if r.chance(0.5) { r.wood() } else { r.paint("black", MaterialKind::Plastic) };
    b.main_color(cloth);
    let (radius, height) = (r.between(0.45, 0.6), r.between(0.75, 0.95));
    let ribs = r.int_between(6, 10);
    let rise = radius * r.between(0.35, 0.6);
    if r.chance(0.2) {
        let folded = [(0.01, 0.0), (0.045, height * 0.15), (0.035, height * 0.6), (0.012, height * 0.72)];
        b.add(
            "canopy",
            lathe(&outline(&folded), ribs).at(0.0, 0.16, 0.0).rot_x(PI).grounded().at(0.0, 0.2, 0.0),
            cloth,
        );
        b.adjective("closed");
    } else {
        let canopy: Vec<_> = (0..=5)
            .map(|i| i as f32 / 5.0 * FRAC_PI_2)
            .map(|a| vec2(a.cos() * radius, a.sin() * rise))
            .collect();
        let two = r.chance(0.3);
        let shell = lathe_open(&canopy, ribs).at(0.0, height - rise, 0.0);
        b.add("canopy", shell, cloth);
        if two {
            let other = r.painted(MaterialKind::Fabric);
            let first: Vec<_> = canopy.iter().map(|p| vec2(p.x * 1.01, p.y * 1.01)).collect();
            let mut half = lathe_open(&first, ribs);
            half.faces = half.faces.chunks(4).flat_map(|q| q[..q.len().min(2)].to_vec()).collect();
            b.add("panels", half.at(0.0, height - rise, 0.0), other);
            b.colored_part("stripes", other);
        }
        b.adjective("open");
    }
    b.add("pole", cylinder(0.01, height + 0.05, 6), metal);
    if r.chance(0.65) {
        let hook: Vec<_> = arc(0.05, PI, PI * 2.0, 7).iter().map(|p| *p + vec3(0.05, 0.0, 0.0)).collect();
        b.add("handle", tube(&hook, 0.016, 7).join(cylinder(0.016, 0.1, 7)), grip);
        b.part("a curved handle");
    } else {
        b.add("handle", capsule(vec3(0.0, -0.04, 0.0), vec3(0.0, 0.08, 0.0), 0.02, 8), grip);
    }
    b.build()
}

fn drill(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let body = r.paint_of(&["yellow", "orange", "green", "teal", "red", "blue"], MaterialKind::Plastic);
    let (dark, metal) = (r.paint_of(&["black", "dark gray"], MaterialKind::Plastic), steel(r));
    b.main_paint(body);
    let n = b.segments.max(8);
    b.add(
        "motor",
        lathe(&outline(&[(0.024, 0.0), (0.03, 0.01), (0.03, 0.1), (0.022, 0.13)]), n)
            .rot_x(FRAC_PI_2)
            .at(0.0, 0.18, -0.06),
        body,
    );
    b.add("chuck", frustum(0.02, 0.012, 0.04, n).rot_x(FRAC_PI_2).at(0.0, 0.18, 0.07), dark);
    b.add("bit", cylinder(0.004, r.between(0.05, 0.1), 6).rot_x(FRAC_PI_2).at(0.0, 0.18, 0.11), metal);
    b.add(
        "grip",
        b.block(0.035, 0.14, 0.045).shear_y(0.0, 0.02).at(0.0, 0.03, -0.035),
        if r.chance(0.5) { body } else { dark },
    );
    b.add("battery", b.block(0.06, 0.045, 0.1).at(0.0, 0.0, -0.02), dark);
    b.add("trigger", cuboid(0.015, 0.03, 0.02).at(0.0, 0.125, 0.012), dark);
    b.part("a battery");
    b.build()
}

fn paintbrush(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let grip = if r.chance(0.5) { r.wood() } else { r.painted(MaterialKind::Wood) };
    let (metal, tip) = (steel(r), r.painted(MaterialKind::Plain));
    if r.chance(0.5) {
        let w = r.between(0.04, 0.08);
        let profile = smooth_outline(&[(0.0, 0.0), (w * 0.22, 0.02), (w * 0.16, 0.08), (w * 0.45, 0.12)], 3);
        let right: Vec<_> = profile.iter().map(|p| (p.x, p.y)).collect();
        b.add("handle", extrude(&mirrored(&right), 0.014), grip);
        b.add("ferrule", cuboid(w, 0.03, 0.018).at(0.0, 0.12, 0.0), metal);
        b.add("bristles", cuboid(w * 0.96, 0.05, 0.016).taper_y(0.92).at(0.0, 0.15, 0.0), tip);
    } else {
        b.add(
            "handle",
            lathe(&smooth_outline(&[(0.002, 0.0), (0.006, 0.08), (0.004, 0.13)], 3), b.few_segments()),
            grip,
        );
        b.add("ferrule", frustum(0.004, 0.006, 0.025, b.few_segments()).at(0.0, 0.13, 0.0), metal);
        b.add(
            "bristles",
            lathe(&outline(&[(0.006, 0.0), (0.009, 0.01), (0.0, 0.035)]), b.few_segments())
                .at(0.0, 0.155, 0.0),
            tip,
        );
    }
    b.colored_part("tip", tip);
    b.build_lying(r)
}
