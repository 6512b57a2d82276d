//! Small things on desks and in pockets.

use glam::vec3;

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("book", &["closed book", "novel"], "object", book),
    Category::new("scissors", &["pair of scissors", "shears"], "object", scissors),
    Category::new("stapler", &[], "object", stapler),
    Category::new("pencil", &["crayon"], "object", pencil),
    Category::new("pen", &["ballpoint pen"], "object", pen),
    Category::new("key", &["door key"], "object", key),
    Category::new("padlock", &["lock"], "object", padlock),
    Category::new("magnifying glass", &["magnifier"], "object", magnifier),
    Category::new("envelope", &["letter"], "object", envelope),
    Category::new("scroll", &["paper scroll", "parchment"], "object", scroll),
    Category::new("ruler", &[], "object", ruler),
    Category::new("paper clip", &["paperclip"], "object", paper_clip),
    Category::new("coin", &["gold coin"], "object", coin),
];

fn book(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (cover, page) =
        (r.painted(MaterialKind::Leather), r.paint_of(&["white", "cream", "beige"], MaterialKind::Plain));
    b.main_color(cover);
    let (w, h, t) = (r.between(0.13, 0.19), r.between(0.19, 0.26), r.between(0.018, 0.06));
    if r.chance(0.3) {
        let curl = |p: glam::Vec3| vec3(p.x, p.y + t * 0.9 * (p.x / w * PI).sin(), p.z);
        let leaf_block =
            cuboid(w / 4.0, t * 0.5, h * 0.94).at(w / 8.0, 0.0, 0.0).linear_array(4, vec3(w / 4.0, 0.0, 0.0));
        b.add("pages", leaf_block.map(curl).mirrored_x().at(0.0, 0.006, 0.0), page);
        b.add("cover", cuboid(w * 1.05, 0.006, h).at(w * 0.53, 0.0, 0.0).mirrored_x(), cover);
        let ink = r.paint("gray", MaterialKind::Plain);
        let line = cuboid(w * 0.6, 0.002, h * 0.012).linear_array(8, vec3(0.0, 0.0, h * 0.09)).at(
            w * 0.5,
            t * 1.38,
            -h * 0.33,
        );
        b.add("text", line.mirrored_x(), ink);
        b.subcategory("open book");
        return b.build();
    }
    let c = (t * 0.1).max(0.003);
    b.add("pages", cuboid(w * 0.95, h * 0.95, t - 2.0 * c).at(0.0, h * 0.025, 0.0), page);
    b.add("cover", b.block(w, h, c).at(0.0, 0.0, t / 2.0 - c / 2.0).mirrored_z(), cover);
    let round = r.chance(0.4);
    let spine = if round { cylinder(t / 2.0, h, 10).scale(0.5, 1.0, 1.0) } else { cuboid(c, h, t) };
    b.add("spine", spine.at(-w / 2.0, 0.0, 0.0), cover.shade(0.85));
    if r.chance(0.6) {
        let accent = r.paint_of(&["gold", "white", "red", "black", "yellow"], MaterialKind::Plain);
        let mark = match r.index(3) {
            0 => cuboid(w * 0.6, h * 0.08, 0.002).linear_array(2, vec3(0.0, h * 0.14, 0.0)).at(
                0.0,
                h * 0.65,
                t / 2.0,
            ),
            1 => frame(w * 0.8, h * 0.86, w * 0.04, 0.002).at(0.0, h * 0.07, t / 2.0),
            _ => extrude(&star(w * 0.25, w * 0.1, 10), 0.003).at(0.0, h * 0.55, t / 2.0),
        };
        b.add("title", mark, accent);
        b.part("a title");
    }
    if r.chance(0.25) {
        let ribbon = r.paint_of(&["red", "gold", "blue"], MaterialKind::Fabric);
        b.add("bookmark", cuboid(w * 0.06, h * 0.15, 0.002).at(w * 0.1, -h * 0.1, 0.0), ribbon);
        b.part("a bookmark");
    }
    b.adjective(if t > 0.04 { "thick" } else { "thin" });
    if r.chance(0.6) {
        b.transform(glam::Affine3A::from_rotation_x(-FRAC_PI_2));
    }
    b.build()
}

fn scissors(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (grip, steel) = (
        r.painted(MaterialKind::Plastic),
        r.paint_of(&["silver", "light gray", "gray"], MaterialKind::Metal),
    );
    let grip = if r.chance(0.2) { steel } else { grip };
    let long = r.between(0.08, 0.14);
    let open = r.between(0.05, 0.6);
    let w = long * r.between(0.12, 0.18);
    let t = long * 0.02;
    let n = b.segments.max(10);
    let blade = outline(&[
        (-w * 0.5, -w * 0.6),
        (w * 0.45, -w * 0.6),
        (w * 0.35, long * 0.6),
        (-w * 0.35, long),
        (-w * 0.5, long * 0.5),
    ]);
    let (rx, ry) = (long * r.between(0.16, 0.22), long * r.between(0.2, 0.3));
    let eye =
        torus(1.0, 0.24, n, 6).rot_x(FRAC_PI_2).scale(rx, ry, t * 9.0).at(long * 0.2, -long * 0.36 - ry, 0.0);
    let shank = bar(vec3(0.0, 0.0, 0.0), vec3(long * 0.16, -long * 0.42, 0.0), w * 0.8, t * 2.0);
    let z = t * 0.6;
    let turn = |s: Solid, side: f32| s.rot_z(side * open * 0.5).at(0.0, 0.0, side * z);
    let (blade, eyes) = (extrude(&blade, t), shank.join(eye));
    b.add("blades", turn(blade.clone(), 1.0).join(turn(blade.flip_x(), -1.0)), steel);
    b.add("handles", turn(eyes.clone(), 1.0).join(turn(eyes.flip_x(), -1.0)), grip);
    b.add("screw", cylinder(w * 0.25, t * 4.0, 8).centered().rot_x(FRAC_PI_2), steel);
    b.colored_part("handles", grip);
    b.part("two blades");
    if open > 0.3 {
        b.adjective("open");
    }
    b.build_lying(r)
}

fn stapler(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (shell, metal) =
        (r.painted(MaterialKind::Plastic), r.paint_of(&["silver", "gray"], MaterialKind::Metal));
    b.main_paint(shell);
    let (long, w) = (r.between(0.12, 0.17), r.between(0.03, 0.04));
    let lift = r.between(0.05, 0.22);
    b.add("base", b.block(w, 0.012, long), shell.shade(0.8));
    b.add("anvil", cuboid(w * 0.6, 0.002, long * 0.14).at(0.0, 0.012, long * 0.4), metal);
    let hinge = |s: Solid| s.at(0.0, 0.0, long / 2.0).rot_x(-lift).at(0.0, 0.016, -long / 2.0);
    b.add("magazine", hinge(cuboid(w * 0.55, 0.014, long * 0.96)), metal);
    let side = smooth_outline(
        &[
            (-long * 0.5, 0.008),
            (long * 0.5, 0.01),
            (long * 0.5, 0.026),
            (long * 0.2, 0.036),
            (-long * 0.3, 0.036),
            (-long * 0.5, 0.024),
        ],
        2,
    );
    b.add("arm", hinge(extrude(&side, w * 0.8).rot_y(-FRAC_PI_2)), shell);
    b.add("hinge", b.block(w * 0.9, 0.03, long * 0.16).at(0.0, 0.008, -long * 0.42), shell);
    b.build()
}

fn pencil(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (paint, wood) = (
        r.paint_of(&["yellow", "yellow", "red", "blue", "green", "orange", "black"], MaterialKind::Wood),
        r.paint("beige", MaterialKind::Wood),
    );
    let lead = if r.chance(0.6) { r.paint("black", MaterialKind::Plain) } else { paint };
    b.main_color(paint);
    let n = r.choose(&[6, 6, 8]);
    let (radius, long) = (0.0038, r.between(0.09, 0.17));
    let fat = r.between(1.0, 2.0);
    let radius = radius * fat;
    b.add("shaft", cylinder(radius, long, n).flat(), paint);
    b.add("wood", frustum(radius, radius * 0.35, radius * 4.0, n).at(0.0, long, 0.0), wood);
    b.add("lead", cone(radius * 0.35, radius * 2.0, n).at(0.0, long + radius * 4.0, 0.0), lead);
    if r.chance(0.7) {
        let (metal, pink) = (
            r.paint_of(&["silver", "gold"], MaterialKind::Metal),
            r.paint_of(&["pink", "red", "white"], MaterialKind::Plain),
        );
        b.add("ferrule", cylinder(radius * 1.04, radius * 3.0, 10).at(0.0, -radius * 3.0, 0.0), metal);
        b.add("eraser", cylinder(radius * 0.95, radius * 2.5, 10).at(0.0, -radius * 5.5, 0.0), pink);
        b.colored_part("eraser", pink);
    }
    b.part("a sharp tip");
    b.build_lying(r)
}

fn pen(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (paint, metal) =
        (r.painted(MaterialKind::Plastic), r.paint_of(&["silver", "gold"], MaterialKind::Metal));
    b.main_paint(paint);
    let n = b.segments.max(8);
    let (radius, long) = (0.005, r.between(0.11, 0.14));
    b.add("barrel", cylinder(radius, long, n), paint);
    b.add(
        "grip",
        lathe(
            &outline(&[(radius, 0.0), (radius * 0.9, 0.012), (radius * 0.3, 0.022), (radius * 0.15, 0.027)]),
            n,
        )
        .at(0.0, long, 0.0),
        metal,
    );
    b.add(
        "clip",
        cuboid(radius * 0.7, long * 0.3, radius * 0.35)
            .at(0.0, 0.004, radius * 1.5)
            .join(cuboid(radius * 0.7, 0.003, radius).at(0.0, 0.004, radius)),
        metal,
    );
    b.add("button", cylinder(radius * 0.5, 0.008, 8).at(0.0, -0.008, 0.0), metal);
    b.part("a clip");
    b.build_lying(r)
}

fn key(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal =
        r.paint_of(&["gold", "gold", "silver", "gray", "bronze", "brown", "dark gray"], MaterialKind::Metal);
    b.main_paint(metal);
    let n = b.segments.max(10);
    let long = r.between(0.04, 0.09);
    let head = long * r.between(0.22, 0.32);
    let t = long * r.between(0.05, 0.09);
    let flat = |s: Solid| s.rot_x(FRAC_PI_2);
    if r.chance(0.65) {
        match r.index(3) {
            0 => b.add("bow", flat(torus(head, t, n, 6)).at(0.0, -head, 0.0), metal),
            1 => b.add(
                "bow",
                flat(torus(head * 0.5, t * 0.8, n, 6).at(0.0, 0.0, head * 0.55).radial_array_y(3))
                    .rot_z(PI / 6.0 * 0.0)
                    .at(0.0, -head * 0.9, 0.0),
                metal,
            ),
            _ => b.add(
                "bow",
                flat(torus(head, t, n, 6)).scale(1.25, 0.8, 1.0).at(0.0, -head * 0.8, 0.0),
                metal,
            ),
        }
        b.add("shaft", cylinder(t, long, b.few_segments()), metal);
        b.add("collar", cylinder(t * 1.6, t * 1.2, b.few_segments()), metal);
        let teeth = r.int_between(2, 3);
        let bit = cuboid(head * r.between(0.5, 0.8), t * 1.8, t * 1.2)
            .at(head * 0.35, 0.0, 0.0)
            .linear_array(teeth, vec3(0.0, t * 2.6, 0.0));
        b.add("bit", bit.at(0.0, long - t * 2.6 * teeth as f32, 0.0), metal);
        b.subcategory("old key");
    } else {
        let bow = if r.chance(0.5) { cylinder(head, t, n) } else { prism(head, t, 8) };
        b.add("bow", flat(bow).at(0.0, -head * 0.8, -t / 2.0), metal);
        let dark = r.paint("black", MaterialKind::Plain);
        b.add("hole", flat(cylinder(head * 0.28, t * 1.05, 10)).at(0.0, -head * 1.25, -t * 0.52), dark);
        let w = head * 0.32;
        let mut edge = vec![(-w, 0.0), (w, 0.0)];
        let cuts = r.int_between(3, 6);
        for i in 0..cuts {
            let y = long * (0.2 + 0.65 * i as f32 / cuts as f32);
            edge.push((w, y));
            edge.push((w * r.between(0.1, 0.6), y + long * 0.06));
        }
        edge.extend([(w * 0.6, long * 0.93), (0.0, long), (-w, long * 0.92)]);
        b.add("blade", extrude(&outline(&edge), t), metal);
    }
    b.part("teeth");
    b.build_lying(r)
}

fn padlock(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (body, steel) = (
        r.paint_of(&["gold", "gold", "silver", "dark gray", "red", "blue"], MaterialKind::Metal),
        r.paint_of(&["silver", "gray", "light gray"], MaterialKind::Metal),
    );
    b.main_paint(body);
    let (w, h, d) = (r.between(0.04, 0.055), r.between(0.035, 0.05), 0.018);
    if r.chance(0.25) {
        b.add(
            "body",
            cylinder(w * 0.55, d, b.segments.max(12)).rot_x(FRAC_PI_2).at(0.0, h * 0.5, -d / 2.0),
            body,
        );
    } else {
        b.add("body", b.block(w, h, d), body);
    }
    let lift = if r.chance(0.3) { h * 0.35 } else { 0.0 };
    let bow: Vec<_> = arc(w * 0.32, 0.0, PI, 8).iter().map(|p| vec3(p.x, h * 1.25 + p.y, 0.0)).collect();
    let bow: Vec<_> = [vec3(w * 0.32, h * 0.85, 0.0)]
        .into_iter()
        .chain(bow)
        .chain([vec3(-w * 0.32, h * 0.85, 0.0)])
        .collect();
    b.add("shackle", tube(&bow, w * 0.09, 7).at(0.0, lift, 0.0), steel);
    let black = r.paint("black", MaterialKind::Plain);
    b.add(
        "keyhole",
        cylinder(w * 0.1, 0.002, 10)
            .rot_x(FRAC_PI_2)
            .at(0.0, h * 0.5, d / 2.0)
            .join(cuboid(w * 0.09, h * 0.28, 0.003).at(0.0, h * 0.22, d / 2.0)),
        black,
    );
    b.part("a keyhole");
    b.adjective(if lift > 0.0 { "open" } else { "closed" });
    b.build()
}

fn magnifier(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (rim, grip) = (
        r.paint_of(&["silver", "gold", "black", "dark gray"], MaterialKind::Metal),
        if r.chance(0.5) { r.wood() } else { r.painted(MaterialKind::Plastic) },
    );
    let glass = r.glass();
    let n = b.segments.max(12);
    let radius = r.between(0.04, 0.055);
    b.add("rim", torus(radius, radius * 0.1, n, 6).rot_x(FRAC_PI_2).at(0.0, radius * 1.1, 0.0), rim);
    b.add(
        "lens",
        ellipsoid(radius * 0.95, radius * 0.95, radius * 0.12, n).at(0.0, radius * 1.1, 0.0),
        glass,
    );
    let long = radius * r.between(1.8, 2.6);
    b.add(
        "handle",
        lathe(
            &outline(&[
                (radius * 0.16, -long),
                (radius * 0.2, -long * 0.7),
                (radius * 0.13, -radius * 0.2),
                (radius * 0.1, 0.0),
            ]),
            b.few_segments(),
        ),
        grip,
    );
    b.colored_part("handle", grip);
    b.adjective("round");
    b.build_lying(r)
}

fn envelope(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paper =
        r.paint_of(&["white", "white", "beige", "tan", "cream", "light blue", "pink"], MaterialKind::Plain);
    b.main_color(paper);
    let (w, h) = (r.between(0.18, 0.24), r.between(0.11, 0.15));
    b.add("back", cuboid(w, h, 0.003), paper);
    let flap = extrude(&outline(&[(-w / 2.0, h), (w / 2.0, h), (0.0, h * 0.42)]), 0.002).at(0.0, 0.0, 0.004);
    let side =
        extrude(&outline(&[(-w / 2.0, 0.0), (0.0, h * 0.5), (-w / 2.0, h)]), 0.002).at(0.0, 0.0, 0.0025);
    b.add("folds", side.mirrored_x(), paper.shade(0.88));
    b.add("flap", flap, paper.shade(0.78));
    if r.chance(0.6) {
        let seal = r.paint_of(&["red", "dark red", "gold"], MaterialKind::Plain);
        b.add("seal", cylinder(h * 0.11, 0.004, 10).rot_x(FRAC_PI_2).at(0.0, h * 0.45, 0.005), seal);
        b.colored_part("seal", seal);
    }
    if r.chance(0.5) {
        b.transform(glam::Affine3A::from_rotation_x(-FRAC_PI_2));
    }
    b.build()
}

fn scroll(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paper = r.paint_of(&["cream", "beige", "tan"], MaterialKind::Plain);
    let ink = r.paint_of(&["brown", "black"], MaterialKind::Plain);
    b.main_color(paper);
    let n = b.segments.max(8);
    let (w, h) = (r.between(0.16, 0.22), r.between(0.2, 0.3));
    let knob = if r.chance(0.6) { Some(r.wood()) } else { None };
    if r.chance(0.6) {
        b.add("paper", cuboid(w, h, 0.003), paper);
        let roll = cylinder(0.018, w * 1.02, n).centered().rot_z(FRAC_PI_2);
        b.add("rolls", roll.clone().at(0.0, 0.0, 0.014).join(roll.at(0.0, h, 0.014)), paper.shade(0.9));
        b.add(
            "text",
            cuboid(w * 0.7, h * 0.02, 0.004).linear_array(6, vec3(0.0, h * 0.12, 0.0)).at(0.0, h * 0.18, 0.0),
            ink,
        );
        if let Some(wood) = knob {
            let rod = cylinder(0.007, w * 1.3, 6).centered().rot_z(FRAC_PI_2);
            b.add("rods", rod.clone().at(0.0, 0.0, 0.014).join(rod.at(0.0, h, 0.014)), wood);
        }
        b.adjective("open");
    } else {
        let red = r.paint_of(&["red", "blue", "gold"], MaterialKind::Fabric);
        b.add("roll", cylinder(0.024, w, n).centered().rot_z(FRAC_PI_2), paper);
        b.add("ribbon", washer(0.026, 0.02, w * 0.1, n).centered().rot_z(FRAC_PI_2), red);
        if let Some(wood) = knob {
            b.add("rod", cylinder(0.007, w * 1.25, 6).centered().rot_z(FRAC_PI_2), wood);
        }
        b.colored_part("ribbon", red);
    }
    b.build()
}

fn ruler(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.4) { r.wood() } else { r.painted(MaterialKind::Plastic) };
    let ink = r.paint_of(&["black", "white", "dark gray"], MaterialKind::Plain);
    b.main_paint(paint);
    let (long, w) = (r.between(0.15, 0.32), r.between(0.025, 0.035));
    b.add("ruler", cuboid(long, w, 0.003), paint);
    let ticks = 15;
    for i in 0..ticks {
        let tall = w * if i % 5 == 0 { 0.5 } else { 0.28 };
        b.add(
            "marks",
            cuboid(long * 0.008, tall, 0.004).at(
                (i as f32 / (ticks - 1) as f32 - 0.5) * long * 0.94,
                w - tall,
                0.0,
            ),
            ink,
        );
    }
    b.part("marks");
    b.build_lying(r)
}

fn paper_clip(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal =
        if r.chance(0.6) { r.paint("silver", MaterialKind::Metal) } else { r.painted(MaterialKind::Metal) };
    b.main_paint(metal);
    let s = r.between(0.9, 1.2);
    let wide = |x: f32, y: f32, radius: f32, up: bool| {
        let (from, to) = if up { (0.0, PI) } else { (PI, 2.0 * PI) };
        arc(radius, from, to, 6).into_iter().map(move |p| p + vec3(x, y, 0.0)).collect::<Vec<_>>()
    };
    let mut line = vec![vec3(0.003, 0.008, 0.0)];
    line.extend(wide(0.0, 0.024, 0.003, true));
    line.extend(wide(0.001, 0.006, 0.004, false));
    line.extend(wide(0.0, 0.028, 0.005, true));
    line.push(vec3(-0.005, 0.01, 0.0));
    b.add("wire", tube(&line, 0.0006, 6).scaled(s), metal);
    b.build_lying(r)
}

fn coin(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let metal = r.paint_of(&["gold", "gold", "silver", "bronze", "copper"], MaterialKind::Metal);
    b.main_paint(metal);
    let n = b.segments.max(10);
    let (radius, t) = (r.between(0.01, 0.02), r.between(0.002, 0.005));
    let face =
        washer(radius, radius * 0.85, t, n).join(cylinder(radius * 0.86, t * 0.7, n).at(0.0, t * 0.15, 0.0));
    let relief = match r.index(3) {
        0 => extrude(&star(radius * 0.55, radius * 0.25, 10), t * 1.02),
        1 => cuboid(radius * 0.25, radius * 0.9, t * 1.02).centered(),
        _ => extrude(&circle(radius * 0.45, 6), t * 1.02),
    };
    let stack = if r.chance(0.3) { r.int_between(2, 7) } else { 1 };
    for i in 0..stack {
        let slip = if stack > 1 { radius * 0.12 } else { 0.0 };
        let (dx, dz) = (r.between(-slip, slip), r.between(-slip, slip));
        b.add("coin", face.clone().at(dx, i as f32 * t, dz), metal);
        if i + 1 == stack {
            b.add(
                "relief",
                relief.clone().rot_x(FRAC_PI_2).at(dx, i as f32 * t + t / 2.0, dz),
                metal.shade(0.8),
            );
        }
    }
    if stack > 1 {
        b.subcategory("stack of coins");
    } else if r.chance(0.7) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }

    b.adjective("round");
    b.build()
}
