//! Parts of a house: openings, decoration, stairs.

use glam::{vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("door", &["wooden door", "doorway"], "home", door),
    Category::new("window", &["window frame"], "home", window),
    Category::new("mirror", &["wall mirror", "standing mirror"], "home", mirror),
    Category::new("picture frame", &["painting", "framed picture"], "home", picture),
    Category::new("rug", &["carpet", "mat"], "home", rug),
    Category::new("curtain", &["curtains", "drapes"], "home", curtain),
    Category::new("clock", &["alarm clock", "wall clock"], "home", clock),
    Category::new("fireplace", &["hearth"], "home", fireplace),
    Category::new("stairs", &["staircase", "steps"], "home", stairs),
];

fn door(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.6) {
        r.wood()
    } else {
        r.paint_of(
            &["white", "gray", "red", "green", "blue", "light gray", "dark gray", "black"],
            MaterialKind::Wood,
        )
    };
    let metal = r.paint_of(&["gold", "silver", "dark gray", "bronze"], MaterialKind::Metal);
    b.main_paint(paint);
    let (w, h, t) = (r.between(0.75, 1.05), r.between(1.9, 2.3), r.between(0.04, 0.08));
    let arched = r.chance(0.15);
    if arched {
        let top: Vec<_> = (0..=8)
            .map(|i| FRAC_PI_2 * i as f32 / 8.0)
            .map(|a| (w * 0.5 * a.cos(), h - w * 0.5 + w * 0.5 * a.sin()))
            .collect();
        let right: Vec<_> = [(w * 0.5, 0.0)].into_iter().chain(top).collect();
        b.add("door", extrude(&mirrored(&right), t), paint);
        b.adjective("arched");
    } else {
        b.add("door", b.block(w, h, t), paint);
    }
    door_relief(r, &mut b, (w, h, t), arched, paint, metal);
    let knob = if r.chance(0.5) {
        sphere(0.035, b.segments.max(8)).at(0.0, 0.0, t / 2.0 + 0.04)
    } else {
        cuboid(0.13, 0.022, 0.025).at(0.05, 0.0, t / 2.0 + 0.04).join(rod(
            vec3(0.0, 0.01, 0.0),
            vec3(0.0, 0.01, t / 2.0 + 0.05),
            0.012,
            6,
        ))
    };
    b.add("knob", knob.mirrored_z().at(-w * 0.4, h * 0.47, 0.0), metal);
    b.part("a doorknob");
    if r.chance(0.45) && !arched {
        let trim =
            if r.chance(0.5) { paint } else { r.paint_of(&["white", "brown", "gray"], MaterialKind::Wood) };
        let post = cuboid(0.09, h + 0.09, t * 1.8).at(w / 2.0 + 0.05, 0.0, 0.0).mirrored_x();
        b.add("frame", post.join(cuboid(w + 0.02, 0.09, t * 1.8).at(0.0, h, 0.0)), trim);
        b.part("a frame");
    }
    b.build()
}

/// Planks with straps, a pane or panels on both faces of a door; or nothing.
fn door_relief(
    r: &mut Rng,
    b: &mut Builder,
    (w, h, t): (f32, f32, f32),
    arched: bool,
    paint: Paint,
    metal: Paint,
) {
    let relief = paint.shade(if r.chance(0.5) { 0.75 } else { 1.2 });
    match r.index(4) {
        0 => {
            let planks = r.int_between(3, 6);
            let gap = cuboid(0.012, h * if arched { 0.72 } else { 0.98 }, t * 1.15)
                .linear_array(planks - 1, vec3(w / planks as f32, 0.0, 0.0));
            b.add("grooves", gap.at(-w / 2.0 + w / planks as f32, 0.0, 0.0), paint.shade(0.5));
            b.add(
                "straps",
                cuboid(w * 0.8, 0.07, t * 1.4).linear_array(2, vec3(0.0, h * 0.5, 0.0)).at(
                    -w * 0.08,
                    h * 0.18,
                    0.0,
                ),
                metal,
            );
        }
        1 => {
            let glass = r.glass();
            b.add(
                "pane",
                cuboid(w * 0.62, h * 0.3, t * 1.2).at(0.0, h * if arched { 0.5 } else { 0.6 }, 0.0),
                glass,
            );
            b.add("panel", cuboid(w * 0.62, h * 0.3, t * 1.2).at(0.0, h * 0.1, 0.0), relief);
            b.part("a glass pane");
        }
        2 => {
            let rows = r.int_between(2, 3);
            let panel = cuboid(w * 0.3, h * 0.75 / rows as f32, t * 1.25).at(w * 0.21, 0.0, 0.0).mirrored_x();
            b.add(
                "panels",
                panel.linear_array(rows, vec3(0.0, h * 0.85 / rows as f32, 0.0)).at(0.0, h * 0.07, 0.0),
                relief,
            );
            b.counted_part(rows * 2, "panel", "panels");
        }
        _ => {}
    }
}

fn window(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let trim = if r.chance(0.5) { r.paint("white", MaterialKind::Wood) } else { r.wood() };
    let glass = r.glass();
    b.main_paint(trim);
    let (w, h) = (r.between(0.7, 1.5), r.between(0.9, 1.5));
    b.add("frame", frame(w, h, 0.07, 0.1), trim);
    b.add("glass", cuboid(w - 0.1, h - 0.1, 0.012).at(0.0, 0.05, 0.0), glass);
    let (columns, rows) = (r.int_between(1, 3), r.int_between(1, 3));
    if columns > 1 {
        let step = w / columns as f32;
        b.add(
            "bars",
            cuboid(0.035, h, 0.06).linear_array(columns - 1, vec3(step, 0.0, 0.0)).at(
                -w / 2.0 + step,
                0.0,
                0.0,
            ),
            trim,
        );
    }
    if rows > 1 {
        let step = h / rows as f32;
        b.add(
            "bars",
            cuboid(w, 0.035, 0.06).linear_array(rows - 1, vec3(0.0, step, 0.0)).at(0.0, step, 0.0),
            trim,
        );
    }
    b.counted_part(columns * rows, "pane", "panes");
    b.add("sill", b.block(w * 1.12, 0.05, 0.22).at(0.0, -0.05, 0.04), trim);
    if r.chance(0.35) {
        let shutter = r.painted(MaterialKind::Wood);
        b.add("shutters", b.block(w * 0.45, h, 0.04).at(w * 0.5 + w * 0.24, 0.0, 0.04).mirrored_x(), shutter);
        let slat = cuboid(w * 0.36, 0.03, 0.05).linear_array(8, vec3(0.0, h / 9.0, 0.0));
        b.add("slats", slat.at(w * 0.74, h * 0.09, 0.05).mirrored_x(), shutter.shade(0.75));
        b.part("shutters");
    }
    b.build()
}

fn mirror(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let trim = if r.chance(0.5) {
        r.paint_of(&["gold", "silver", "black", "white"], MaterialKind::Metal)
    } else {
        r.wood()
    };
    let glass = r.paint_of(&["light blue", "light gray", "white", "silver"], MaterialKind::Glass);
    b.main_paint(trim);
    if r.chance(0.5) {
        let (w, h) = (r.between(0.35, 0.6), r.between(0.5, 1.6));
        let n = b.segments.max(12);
        b.add("frame", torus(1.0, 0.09, n, 6).rot_x(FRAC_PI_2).scale(w / 2.0, h / 2.0, 0.3), trim);
        b.add("glass", cylinder(1.0, 0.02, n).rot_x(FRAC_PI_2).scale(w / 2.0, h / 2.0, 1.0), glass);
        b.adjective(if h > w * 1.2 { "oval" } else { "round" });
    } else {
        let (w, h) = (r.between(0.4, 0.8), r.between(0.8, 1.7));
        b.add("frame", frame(w, h, 0.06, 0.05), trim);
        b.add("glass", cuboid(w - 0.1, h - 0.1, 0.02).at(0.0, 0.05, 0.0), glass);
        b.adjective("rectangular");
        if r.chance(0.5) {
            let leg = bar(vec3(w / 2.0 + 0.03, -0.08, 0.2), vec3(w / 2.0 + 0.03, h * 0.6, 0.0), 0.04, 0.04);
            b.add("stand", leg.mirrored_x().mirrored_z(), trim);
            b.subcategory("standing mirror");
        }
    }
    b.build()
}

fn picture(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let trim =
        if r.chance(0.4) { r.paint_of(&["gold", "black", "white"], MaterialKind::Wood) } else { r.wood() };
    b.main_paint(trim);
    let (w, h) = (r.between(0.3, 0.9), r.between(0.3, 0.8));
    b.add("frame", frame(w, h, r.between(0.03, 0.08), 0.04), trim);
    let sky = r.painted(MaterialKind::Plain);
    b.add("canvas", cuboid(w * 0.95, h * 0.95, 0.01).at(0.0, h * 0.025, 0.0), sky);
    let land = r.painted(MaterialKind::Plain);
    let hill = outline(&[(-0.4, 0.12), (0.4, 0.12), (0.4, 0.35), (0.15, 0.55), (-0.1, 0.3), (-0.4, 0.45)]);
    let hill: Vec<_> = hill.iter().map(|p| vec2(p.x * w, p.y * h)).collect();
    b.add("picture", extrude(&hill, 0.014), land);
    let sun = r.painted(MaterialKind::Plain);
    b.add("picture", extrude(&circle(w.min(h) * 0.1, 10), 0.014).at(w * 0.2, h * 0.7, 0.0), sun);
    b.adjective("rectangular");
    b.build()
}

fn rug(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (cloth, other) = (r.painted(MaterialKind::Fabric), r.painted(MaterialKind::Fabric));
    b.main_paint(cloth);
    if r.chance(0.35) {
        let radius = r.between(0.6, 1.1);
        let stretch = r.between(1.0, 1.5);
        for (i, size) in [1.0, 0.8, 0.55].iter().enumerate() {
            let disc =
                cylinder(radius * size, 0.02 + 0.004 * i as f32, b.segments.max(12)).scale(stretch, 1.0, 1.0);
            b.add("rug", disc, if i % 2 == 0 { cloth } else { other });
        }
        b.adjective(if stretch > 1.15 { "oval" } else { "round" });
    } else {
        let (w, d) = (r.between(1.4, 2.4), r.between(0.9, 1.5));
        b.add("rug", cuboid(w, 0.02, d), cloth);
        b.add(
            "border",
            frame(w * 0.88, d * 0.84, 0.06, 0.024).centered().rot_x(FRAC_PI_2).at(0.0, 0.012, 0.0),
            other,
        );
        if r.chance(0.6) {
            let fringe = cuboid(0.05, 0.008, 0.012).linear_array(16, vec3(0.0, 0.0, d / 16.5)).at(
                w / 2.0 + 0.02,
                0.0,
                -d / 2.0 + 0.03,
            );
            b.add("fringe", fringe.mirrored_x(), other.shade(1.2));
            b.part("fringes");
        }
        b.adjective("rectangular");
    }
    b.adjective("flat");
    b.build()
}

fn curtain(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let cloth = r.painted(MaterialKind::Fabric);
    let rod_paint = if r.chance(0.5) { r.wood() } else { r.metal() };
    b.main_paint(cloth);
    let (w, h) = (r.between(0.5, 0.8), r.between(1.4, 2.2));
    let folds = r.between(4.0, 7.0);
    let tie = r.chance(0.5);
    let rows: Vec<Vec<_>> = (0..=8)
        .map(|j| {
            let t = j as f32 / 8.0;
            let squeeze = if tie { 1.0 - 0.55 * (1.0 - ((t - 0.4) * 3.2).abs()).max(0.0) } else { 1.0 };
            (0..=28)
                .map(|i| i as f32 / 28.0)
                .map(|u| {
                    vec3(
                        0.08 + w * u.mul_add(squeeze, 1.0 - squeeze),
                        h * t,
                        (u * folds * std::f32::consts::TAU).sin() * 0.05,
                    )
                })
                .collect()
        })
        .collect();
    b.add("curtain", sheet(&rows).mirrored_x(), cloth);
    b.add("rod", rod(vec3(-w - 0.25, h, 0.0), vec3(w + 0.25, h, 0.0), 0.02, 8), rod_paint);
    b.add("finials", sphere(0.045, 8).at(w + 0.27, h, 0.0).mirrored_x(), rod_paint);
    b.part("a curtain rod");
    b.build()
}

fn dial(r: &mut Rng, b: &mut Builder, radius: f32, z: f32) {
    let face = r.paint_of(&["white", "white", "cream", "black", "light blue"], MaterialKind::Plain);
    let ink = if face.color.name == "black" {
        r.paint("white", MaterialKind::Plain)
    } else {
        r.paint("black", MaterialKind::Plain)
    };
    let n = b.segments.max(12);
    b.add("face", cylinder(radius, 0.004, n).rot_x(FRAC_PI_2).at(0.0, 0.0, z), face);
    let tick = cuboid(radius * 0.05, radius * 0.16, 0.004).at(0.0, radius * 0.76, z + 0.005);
    b.add("marks", Solid::union((0..12).map(|i| tick.clone().rot_z(i as f32 * PI / 6.0))), ink);
    let hand = |long: f32, wide: f32, turn: f32| {
        cuboid(radius * wide, radius * long, 0.004).at(0.0, 0.0, z + 0.007).rot_z(turn)
    };
    b.add("hands", hand(0.5, 0.08, r.between(0.0, 6.0)).join(hand(0.75, 0.055, r.between(0.0, 6.0))), ink);
    b.part("two hands");
    if r.chance(0.3) {
        let red = r.paint("red", MaterialKind::Plain);
        b.add("second hand", hand(0.8, 0.03, r.between(0.0, 6.0)), red);
    }
}

fn clock(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let case = match r.index(3) {
        0 => r.wood(),
        1 => r.metal(),
        _ => r.painted(MaterialKind::Plastic),
    };
    b.main_paint(case);
    match r.index(5) {
        0 | 1 => alarm_clock(r, &mut b, case),
        2 => grandfather_clock(r, &mut b, case),
        _ => wall_clock(r, &mut b, case),
    }
    b.build()
}

/// A drum on feet with bells.
fn alarm_clock(r: &mut Rng, b: &mut Builder, case: Paint) {
    let n = b.segments.max(12);
    let radius = r.between(0.045, 0.07);
    let deep = radius * r.between(0.6, 0.9);
    b.add("case", cylinder(radius, deep, n).rot_x(FRAC_PI_2).at(0.0, 0.0, -deep / 2.0), case);
    b.add("rim", torus(radius, radius * 0.09, n, 6).rot_x(FRAC_PI_2).at(0.0, 0.0, deep / 2.0), case);
    dial(r, b, radius * 0.92, deep / 2.0);
    let foot = tapered_rod(
        vec3(radius * 0.5, -radius * 0.75, 0.0),
        vec3(radius * 0.75, -radius * 1.2, 0.0),
        radius * 0.1,
        radius * 0.06,
        6,
    );
    b.add("feet", foot.mirrored_x(), case);
    let bell = dome(radius * 0.42, radius * 0.3, n).rot_z(-0.6).at(radius * 0.6, radius * 0.9, 0.0);
    let metal = if r.chance(0.5) { case } else { r.paint_of(&["gold", "silver"], MaterialKind::Metal) };
    b.add("bells", bell.mirrored_x(), metal);
    let bow: Vec<_> =
        arc(radius * 0.45, 0.0, PI, 8).iter().map(|p| *p + vec3(0.0, radius * 1.05, 0.0)).collect();
    b.add("handle", tube(&bow, radius * 0.05, 5), metal);
    b.subcategory("alarm clock");
    b.part("two bells");
}

/// A tall case with a pendulum.
fn grandfather_clock(r: &mut Rng, b: &mut Builder, case: Paint) {
    let (w, h) = (r.between(0.32, 0.42), r.between(1.6, 2.1));
    b.add("trunk", cuboid(w * 0.75, h, w * 0.6), case);
    b.add("base", b.block(w, h * 0.2, w * 0.75), case.shade(0.85));
    b.add("head", b.block(w, h * 0.27, w * 0.75).at(0.0, h * 0.73, 0.0), case.shade(0.9));
    b.add(
        "roof",
        extrude(&outline(&[(-w * 0.6, 0.0), (w * 0.6, 0.0), (0.0, w * 0.4)]), w * 0.8).at(0.0, h, 0.0),
        case,
    );
    let gold = r.paint("gold", MaterialKind::Metal);
    b.add(
        "pendulum",
        cylinder(0.008, h * 0.35, 5)
            .at(0.0, h * 0.34, w * 0.31)
            .join(cylinder(w * 0.14, 0.015, 12).rot_x(FRAC_PI_2).at(0.0, h * 0.33, w * 0.31)),
        gold,
    );
    let mut face = Builder::new(r);
    dial(r, &mut face, w * 0.4, w * 0.385);
    b.append(face, vec3(0.0, h * 0.865, 0.0));
    b.subcategory("grandfather clock");
    b.part("a pendulum");
    b.adjective("tall");
}

/// A disc or square.
fn wall_clock(r: &mut Rng, b: &mut Builder, case: Paint) {
    let n = b.segments.max(12);
    let radius = r.between(0.12, 0.2);
    let square = r.chance(0.25);
    if square {
        b.add("case", b.block(radius * 2.2, radius * 2.2, 0.04).centered(), case);
        b.adjective("square");
    } else {
        b.add("case", cylinder(radius * 1.1, 0.04, n).rot_x(FRAC_PI_2).at(0.0, 0.0, -0.02), case);
        b.add("rim", torus(radius * 1.07, radius * 0.07, n, 6).rot_x(FRAC_PI_2).at(0.0, 0.0, 0.02), case);
        b.adjective("round");
    }
    dial(r, b, radius, 0.02);
    b.subcategory("wall clock");
}

fn fireplace(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let stone = r.paint_of(&["gray", "dark red", "beige", "white", "brown"], MaterialKind::Stone);
    let black = r.paint("black", MaterialKind::Plain);
    let wood = r.wood();
    let fire = r.paint_of(&["orange", "yellow", "red"], MaterialKind::Plain).emissive(0.7);
    b.main_paint(stone);
    let (w, h, d) = (r.between(1.2, 1.6), r.between(0.95, 1.2), 0.45);
    b.add("jambs", b.block(w * 0.22, h, d).at(w * 0.39, 0.0, 0.0).mirrored_x(), stone);
    b.add("lintel", b.block(w * 0.6, h * 0.25, d).at(0.0, h * 0.75, 0.0), stone);
    b.add("back", cuboid(w * 0.6, h * 0.78, 0.05).at(0.0, 0.0, -d * 0.44), black);
    b.add("hearth", cuboid(w * 1.1, 0.06, d * 1.5).at(0.0, -0.05, 0.1), stone.shade(0.7));
    b.add(
        "mantel",
        b.block(w * 1.12, 0.08, d * 1.15).at(0.0, h, 0.02),
        if r.chance(0.5) { wood } else { stone },
    );
    b.add("logs", rod(vec3(-0.22, 0.05, 0.05), vec3(0.22, 0.09, -0.05), 0.05, 7).mirrored_x(), wood);
    for i in 0..3 {
        let x = (i as f32 - 1.0) * 0.12;
        b.add(
            "flames",
            lathe(&smooth_outline(&[(0.0, 0.0), (0.08, 0.08), (0.04, 0.2), (0.0, 0.33)], 2), 7)
                .at(x, 0.08, 0.0),
            fire,
        );
    }
    if r.chance(0.5) {
        b.add("chimney", b.block(w * 0.7, r.between(0.6, 1.2), d * 0.8).at(0.0, h + 0.08, -d * 0.1), stone);
        b.part("a chimney");
    }
    b.part("a fire");
    b.build()
}

fn stairs(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = match r.index(3) {
        0 => r.wood(),
        1 => r.paint_of(&["gray", "light gray", "beige", "white"], MaterialKind::Stone),
        _ => r.metal(),
    };
    b.main_paint(paint);
    let steps = r.int_between(4, 12);
    let (w, rise, run) = (r.between(0.8, 1.5), 0.18, 0.27);
    if r.chance(0.25) {
        let tread = cuboid(w * 0.7, 0.05, 0.3).at(w * 0.4, 0.0, 0.0);
        let spiral =
            (0..steps).map(|i| tread.clone().rot_y(i as f32 * 0.42).at(0.0, (i + 1) as f32 * rise, 0.0));
        b.add("treads", Solid::union(spiral), paint);
        b.add("post", cylinder(0.06, (steps + 3) as f32 * rise, b.few_segments()), paint);
        b.subcategory("spiral staircase");
        b.counted_part(steps, "step", "steps");
        return b.build();
    }
    let solid = r.chance(0.6);
    for i in 0..steps {
        let y = i as f32 * rise;
        let (low, height) = if solid { (0.0, y + rise) } else { (y + rise - 0.05, 0.05) };
        b.add("step", cuboid(w, height, run).at(0.0, low, -(i as f32) * run), paint);
    }
    let end = vec3(0.0, steps as f32 * rise, -(steps as f32 - 1.0) * run);
    if !solid {
        let beam = bar(vec3(w * 0.42, 0.0, run * 0.5), vec3(w * 0.42, end.y - 0.05, end.z), 0.05, 0.12);
        b.add("stringers", beam.mirrored_x(), paint.shade(0.8));
    }
    if r.chance(0.45) {
        let rail = r.metal();
        let top = rod(vec3(w / 2.0, 0.95, 0.0), vec3(w / 2.0, end.y + 0.8, end.z), 0.025, 6);
        let posts = (0..steps).step_by(2).map(|i| {
            rod(
                vec3(w / 2.0, i as f32 * rise, -(i as f32) * run),
                vec3(w / 2.0, i as f32 * rise + 0.95, -(i as f32) * run),
                0.015,
                5,
            )
        });
        b.add("handrail", Solid::union(posts).join(top).mirrored_x(), rail);
        b.part("a handrail");
    }
    b.counted_part(steps, "step", "steps");
    b.build()
}
