//! Soft and long seats, beds, desks.

use glam::vec3;

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("armchair", &["easy chair", "lounge chair"], "furniture", armchair),
    Category::new("sofa", &["couch", "settee"], "furniture", sofa),
    Category::new("bench", &["park bench", "garden bench"], "furniture", bench),
    Category::new("bed", &["double bed", "single bed"], "furniture", bed),
    Category::new("bunk bed", &[], "furniture", bunk_bed),
    Category::new("pillow", &["cushion"], "home", pillow),
    Category::new("desk", &["writing desk", "office desk"], "furniture", desk),
];

fn upholstery(r: &mut Rng) -> Paint {
    let material = r.choose(&[MaterialKind::Fabric, MaterialKind::Fabric, MaterialKind::Leather]);
    match r.index(3) {
        0 => r.paint_of(&["beige", "gray", "dark gray", "light gray", "brown", "white"], material),
        _ => r.painted(material),
    }
}

fn soft(b: &Builder, w: f32, h: f32, d: f32) -> Solid {
    let radius = 0.28 * w.min(h).min(d) * (0.4 + b.bevel.0);
    rounded_box(w, h, d, radius, b.bevel.1.clamp(1, 3))
}

fn feet(r: &mut Rng, b: &mut Builder, w: f32, d: f32, height: f32) {
    let paint = if r.chance(0.7) { r.wood() } else { r.metal() };
    let foot = match r.index(3) {
        0 => cuboid(0.05, height, 0.05),
        1 => frustum(0.012, 0.026, height, b.few_segments()).shear_y(-0.03, -0.03).at(0.03, 0.0, 0.03),
        _ => cylinder(0.025, height, b.few_segments()),
    };
    b.add("feet", foot.at(w / 2.0 - 0.07, 0.0, d / 2.0 - 0.07).mirrored_x().mirrored_z(), paint);
}

/// The common build of armchairs and sofas: base, seats, back, arms.
fn couch(r: &mut Rng, b: &mut Builder, width: f32, seats: usize) {
    let paint = upholstery(r);
    let cushion = if r.chance(0.75) { paint.shade(1.12) } else { upholstery(r) };
    b.main_paint(paint);
    let depth = r.between(0.75, 0.95);
    let foot = if r.chance(0.75) { r.between(0.05, 0.2) } else { 0.0 };
    let seat_top = r.between(0.38, 0.46);
    let (arm, arm_top) = (r.between(0.1, 0.22), r.between(0.52, 0.68));
    let back_top = r.between(0.72, 1.0);
    let back = r.between(0.15, 0.24);
    let arms = r.chance(0.93);
    let inner = if arms { width - 2.0 * arm } else { width };
    let base = (seat_top - foot - 0.14).max(0.08);
    b.add("base", b.block(width - 0.02, base, depth - 0.02).at(0.0, foot, 0.0), paint);
    let each = inner / seats as f32;
    let seat =
        soft(b, each * 0.985, 0.15, depth - back).at(-inner / 2.0 + each / 2.0, seat_top - 0.15, back / 2.0);
    b.add("seat", seat.linear_array(seats, vec3(each, 0.0, 0.0)), cushion);
    let lean = r.between(0.0, 0.1);
    b.add(
        "back",
        soft(b, width - 0.01, back_top - foot, back).shear_y(0.0, -lean).at(
            0.0,
            foot,
            -depth / 2.0 + back / 2.0,
        ),
        paint,
    );
    if r.chance(0.6) {
        let tall = back_top - seat_top;
        let rest = soft(b, each * 0.96, tall, 0.14).shear_y(0.0, -lean).at(
            -inner / 2.0 + each / 2.0,
            seat_top,
            -depth / 2.0 + back + 0.07,
        );
        b.add("back cushions", rest.linear_array(seats, vec3(each, 0.0, 0.0)), cushion);
    }
    if arms {
        let side = match r.index(3) {
            0 => soft(b, arm, arm_top - foot, depth).at(0.0, foot, 0.0),
            1 => soft(b, arm, arm_top - foot, depth).profile_y(|t| 1.0 + 0.15 * t).at(0.0, foot, 0.0),
            _ => {
                let roll = cylinder(arm * 0.62, depth, b.segments.max(8)).rot_x(FRAC_PI_2).at(
                    0.0,
                    arm_top - arm * 0.5,
                    -depth / 2.0,
                );
                cuboid(arm * 0.8, arm_top - foot - arm * 0.4, depth).at(0.0, foot, 0.0).join(roll)
            }
        };
        b.add("armrests", side.at((width - arm) / 2.0, 0.0, 0.01).mirrored_x(), paint);
        b.part("armrests");
    }
    if foot > 0.0 {
        feet(r, b, width, depth, foot + 0.01);
        b.part("four legs");
    }
    if seats > 1 && r.chance(0.4) {
        let accent = r.painted(MaterialKind::Fabric);
        let throw =
            soft(b, 0.4, 0.38, 0.13).rot_x(-0.3).at(inner / 2.0 - 0.24, seat_top, -depth / 2.0 + back + 0.18);
        b.add("throw pillow", if r.chance(0.5) { throw.mirrored_x() } else { throw }, accent);
        b.colored_part("pillow", accent);
    }
}

fn armchair(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let width = r.between(0.7, 0.98);
    if r.chance(0.2) {
        return tub_chair(r, b, width);
    }
    couch(r, &mut b, width, 1);
    if r.chance(0.2) {
        b.subcategory("lounge chair");
    }
    b.build()
}

/// A round shell around a seat.
fn tub_chair(r: &mut Rng, mut b: Builder, width: f32) -> Specimen {
    let paint = upholstery(r);
    b.main_paint(paint);
    let (radius, top) = (width / 2.0, r.between(0.65, 0.8));
    let fall = r.between(0.05, 0.2);
    let rows: Vec<Vec<_>> = [(1.0, 0.15), (1.02, top), (0.82, top), (0.82, 0.3)]
        .iter()
        .map(|&(size, y)| {
            (0..=14)
                .map(|i| PI * (i as f32 / 14.0 * 1.2 - 0.1))
                .map(|a| {
                    let drop = if y > 0.5 { fall * (1.0 + (a * 2.0).cos()) * 0.5 } else { 0.0 };
                    vec3(a.cos() * radius * size, y - drop, -a.sin() * radius * size)
                })
                .collect()
        })
        .collect();
    b.add("shell", sheet(&rows), paint);
    b.add("seat", cylinder(radius * 0.98, 0.28, b.segments.max(10)).at(0.0, 0.15, 0.0), paint);
    b.add(
        "cushion",
        frustum(radius * 0.84, radius * 0.78, 0.1, b.segments.max(10)).at(0.0, 0.36, 0.02),
        paint.shade(1.1),
    );
    feet(r, &mut b, width * 0.85, width * 0.85, 0.16);
    b.subcategory("tub chair");
    b.adjective("round");
    b.build()
}

fn sofa(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let seats = r.choose(&[2, 2, 3, 3, 4]);
    let width = seats as f32 * r.between(0.58, 0.72) + 0.3;
    couch(r, &mut b, width, seats);
    b.adjective(if seats == 2 { "small" } else { "long" });
    b.counted_part(seats, "seat", "seats");
    if seats == 2 {
        b.subcategory("loveseat");
    }
    b.build()
}

fn bench(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let width = r.between(1.0, 1.9);
    let (depth, height) = (r.between(0.35, 0.5), r.between(0.4, 0.48));
    let wood = if r.chance(0.85) {
        r.wood()
    } else {
        r.paint_of(&["gray", "green", "white", "red"], MaterialKind::Metal)
    };
    let frame = match r.index(3) {
        0 => wood,
        1 => r.paint_of(&["black", "dark gray", "dark green"], MaterialKind::Metal),
        _ => r.paint_of(&["gray", "light gray", "beige"], MaterialKind::Stone),
    };
    b.main_paint(wood);
    let slats = r.int_between(1, 5);
    let pitch = depth / slats as f32;
    let slat = b.block(width, 0.035, pitch * if slats == 1 { 1.0 } else { 0.8 });
    b.add(
        "seat",
        slat.linear_array(slats, vec3(0.0, 0.0, pitch)).at(0.0, height, -depth / 2.0 + pitch / 2.0),
        wood,
    );
    let x = width * r.between(0.36, 0.46);
    let side = match r.index(3) {
        0 => b.block(0.09, height, depth * 0.85).at(x, 0.0, 0.0),
        1 => cuboid(0.05, height, 0.05)
            .at(x, 0.0, depth * 0.4)
            .mirrored_z()
            .join(cuboid(0.05, 0.04, depth * 0.8).at(x, height - 0.04, 0.0)),
        _ => bar(vec3(x, 0.0, depth * 0.5), vec3(x, height, depth * 0.2), 0.05, 0.05)
            .mirrored_z()
            .join(cuboid(0.05, 0.04, depth * 0.8).at(x, height - 0.04, 0.0)),
    };
    b.add("legs", side.mirrored_x(), frame);
    if r.chance(0.7) {
        let (count, tall) = (r.int_between(1, 4), r.between(0.3, 0.45));
        let pitch = tall / count as f32;
        let lean = r.between(0.05, 0.15);
        let back =
            b.block(width, pitch * 0.72, 0.03).linear_array(count, vec3(0.0, pitch, 0.0)).at(0.0, 0.08, 0.0);
        let post = cuboid(0.05, tall + 0.05, 0.035).at(x, 0.0, -0.02).mirrored_x();
        b.add("back", back.shear_y(0.0, -lean).at(0.0, height, -depth / 2.0 + 0.02), wood);
        b.add("posts", post.shear_y(0.0, -lean).at(0.0, height, -depth / 2.0), frame);
        b.part("a backrest");
        b.subcategory("park bench");
        if r.chance(0.5) {
            let arm = b
                .block(0.06, 0.035, depth * 0.9)
                .at(x, height + 0.22, 0.0)
                .join(cuboid(0.04, 0.22, 0.04).at(x, height, depth * 0.38));
            b.add("armrests", arm.mirrored_x(), frame);
            b.part("armrests");
        }
    }
    b.adjective("long");
    b.build()
}

fn bed(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let double = r.chance(0.55);
    let (w, long) = (if double { r.between(1.4, 1.9) } else { r.between(0.85, 1.1) }, r.between(1.9, 2.1));
    let frame = if r.chance(0.75) {
        r.wood()
    } else {
        r.paint_of(&["white", "black", "gray", "silver"], MaterialKind::Metal)
    };
    let sheet_paint = r.paint_of(&["white", "beige", "light gray", "cream"], MaterialKind::Fabric);
    let blanket = r.painted(MaterialKind::Fabric);
    b.colored_part("blanket", blanket);
    b.main_color(blanket);
    let (base, thick) = (r.between(0.15, 0.35), r.between(0.16, 0.26));
    b.add("frame", b.block(w + 0.06, 0.14, long + 0.06).at(0.0, base - 0.08, 0.0), frame);
    b.add("mattress", soft(&b, w, thick, long).at(0.0, base, 0.0), sheet_paint);
    let cover = long * r.between(0.55, 0.8);
    b.add(
        "blanket",
        soft(&b, w + 0.05, thick * 0.9 + 0.03, cover).at(
            0.0,
            base + thick * 0.12,
            (long - cover) / 2.0 + 0.02,
        ),
        blanket,
    );
    let pillow_w = if double { w * 0.4 } else { w * 0.62 };
    let cushion = soft(&b, pillow_w, 0.13, 0.36).rot_x(0.25).at(
        if double { w * 0.24 } else { 0.0 },
        base + thick * 0.95,
        -long / 2.0 + 0.24,
    );
    let pillows = if double { cushion.mirrored_x() } else { cushion };
    let case = if r.chance(0.6) { sheet_paint.shade(1.1) } else { r.painted(MaterialKind::Fabric) };
    b.add("pillows", pillows, case);
    b.part(if double { "two pillows" } else { "a pillow" });
    let head = r.between(0.35, 0.7) + base + thick;
    let z = -long / 2.0 - 0.05;
    if r.chance(0.85) {
        let board = headboard(r, &b, w, head);
        b.add("headboard", board.at(0.0, 0.0, z), frame);
        b.part("a headboard");
    }
    if r.chance(0.4) {
        let low = base + thick * r.between(0.6, 1.2);
        b.add("footboard", headboard(r, &b, w, low).at(0.0, 0.0, -z), frame);
    }
    let leg = cuboid(0.07, base, 0.07).at(w / 2.0, 0.0, long / 2.0).mirrored_x().mirrored_z();
    b.add("legs", leg, frame);
    b.subcategory(if double { "double bed" } else { "single bed" });
    b.build()
}

fn headboard(r: &mut Rng, b: &Builder, w: f32, height: f32) -> Solid {
    let posts = cuboid(0.06, height, 0.06).at(w / 2.0, 0.0, 0.0).mirrored_x();
    match r.index(3) {
        0 => b.block(w + 0.08, height, 0.07),
        1 => {
            let count = r.int_between(4, 9);
            let bar = cuboid(0.025, height * 0.9, 0.025)
                .linear_array(count, vec3(w / (count - 1) as f32, 0.0, 0.0));
            posts.join(bar.at(-w / 2.0, 0.0, 0.0)).join(cuboid(w, 0.07, 0.05).at(0.0, height * 0.9, 0.0))
        }
        _ => posts.join(b.block(w, height * 0.5, 0.045).at(0.0, height * 0.42, 0.0)),
    }
}

fn bunk_bed(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let frame = if r.chance(0.6) { r.wood() } else { r.painted(MaterialKind::Metal) };
    let (w, long, tall) = (0.95, 2.0, r.between(1.5, 1.75));
    b.main_paint(frame);
    let white = r.paint("white", MaterialKind::Fabric);
    for y in [0.3, tall * 0.68] {
        let blanket = r.painted(MaterialKind::Fabric);
        b.add("frame", b.block(w, 0.12, long).at(0.0, y - 0.08, 0.0), frame);
        b.add("mattress", soft(&b, w * 0.94, 0.14, long * 0.97).at(0.0, y, 0.0), white);
        b.add("blanket", soft(&b, w * 0.97, 0.15, long * 0.65).at(0.0, y + 0.01, long * 0.16), blanket);
        b.add("pillow", soft(&b, w * 0.6, 0.11, 0.32).at(0.0, y + 0.13, -long * 0.38), white);
    }
    b.add("posts", cuboid(0.07, tall, 0.07).at(w / 2.0, 0.0, long / 2.0).mirrored_x().mirrored_z(), frame);
    b.add("rails", cuboid(0.03, 0.06, long).at(w / 2.0, tall * 0.85, 0.0).mirrored_x(), frame);
    let rung = rod(vec3(-0.18, 0.0, 0.0), vec3(0.18, 0.0, 0.0), 0.018, 6)
        .linear_array(4, vec3(0.0, tall * 0.2, 0.0));
    let ladder =
        cuboid(0.035, tall * 0.9, 0.03).at(0.18, 0.0, 0.0).mirrored_x().join(rung.at(0.0, tall * 0.15, 0.0));
    b.add("ladder", ladder.rot_y(FRAC_PI_2).at(w / 2.0 + 0.05, 0.0, long * 0.25), frame);
    b.part("a ladder");
    b.part("two mattresses");
    b.build()
}

fn pillow(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let cloth = if r.chance(0.4) {
        r.paint_of(&["white", "beige", "light gray", "cream"], MaterialKind::Fabric)
    } else {
        r.painted(MaterialKind::Fabric)
    };
    b.main_paint(cloth);
    let w = r.between(0.4, 0.7);
    let h = if r.chance(0.5) { w } else { w * r.between(0.55, 0.75) };
    let puff = r.between(0.1, 0.16);
    let n = 8;
    let rows: Vec<Vec<_>> = [1.0_f32, -1.0]
        .iter()
        .flat_map(|&side| {
            let order: Vec<i32> = if side > 0.0 { (0..=n).collect() } else { (0..=n).rev().collect() };
            order.into_iter().map(move |j| {
                (0..=n)
                    .map(|i| {
                        let (u, v) = (i as f32 / n as f32 * 2.0 - 1.0, j as f32 / n as f32 * 2.0 - 1.0);
                        let thick = ((1.0 - u.powi(4)) * (1.0 - v.powi(4))).max(0.0).sqrt();
                        // Sides are drawn in between the corners.
                        let pinch = |a: f32, c: f32| a * (1.0 - 0.12 * (1.0 - c * c));
                        vec3(pinch(u, v) * w / 2.0, pinch(v, u) * h / 2.0, side * thick * puff / 2.0)
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    b.add("pillow", sheet(&rows), cloth);
    if r.chance(0.3) {
        let button = r.painted(MaterialKind::Plain);
        b.add("button", ellipsoid(0.02, 0.02, 0.012, 8).at(0.0, 0.0, puff / 2.0).mirrored_z(), button);
        b.part("a button");
    }
    let lie = r.chance(0.6);
    b.transform(glam::Affine3A::from_rotation_x(if lie { FRAC_PI_2 } else { r.between(-0.4, 0.0) }));
    b.adjective("soft");
    b.adjective(if h < w { "rectangular" } else { "square" });
    b.build()
}

fn desk(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (w, d, h) = (r.between(1.1, 1.7), r.between(0.55, 0.8), r.between(0.7, 0.78));
    let wood = if r.chance(0.75) { r.wood() } else { r.painted(MaterialKind::Plain) };
    let knob = r.metal();
    b.main_paint(wood);
    b.add("top", b.block(w, r.between(0.03, 0.05), d).at(0.0, h, 0.0), wood);
    let chest = r.between(0.32, 0.42);
    let drawers = r.int_between(2, 4);
    let both = r.chance(0.35);
    let mut put = |solid: Solid, name: &str, paint: Paint| {
        b.add(name, if both { solid.mirrored_x() } else { solid }, paint)
    };
    let x = w / 2.0 - chest / 2.0 - 0.02;
    put(cuboid(chest, h - 0.05, d * 0.92).at(x, 0.05, 0.0), "pedestal", wood.shade(0.85));
    let pitch = (h - 0.1) / drawers as f32;
    let front = cuboid(chest * 0.9, pitch * 0.86, 0.02).at(x, 0.08, d * 0.46);
    put(front.linear_array(drawers, vec3(0.0, pitch, 0.0)), "drawers", wood);
    let pull = cuboid(chest * 0.3, 0.02, 0.03).at(x, 0.08 + pitch * 0.4, d * 0.475);
    put(pull.linear_array(drawers, vec3(0.0, pitch, 0.0)), "handles", knob);
    b.counted_part(drawers * if both { 2 } else { 1 }, "drawer", "drawers");
    if !both {
        let leg = cuboid(0.05, h, 0.05).at(-w / 2.0 + 0.05, 0.0, d / 2.0 - 0.05).mirrored_z();
        let slab = cuboid(0.04, h, d * 0.92).at(-w / 2.0 + 0.04, 0.0, 0.0);
        b.add("side", if r.chance(0.5) { leg } else { slab }, wood);
    }
    if r.chance(0.4) {
        b.add("back", cuboid(w * 0.96, h * 0.45, 0.02).at(0.0, h * 0.52, -d * 0.45), wood);
    }
    b.build()
}
