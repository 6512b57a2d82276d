//! Furniture that holds things.

use glam::vec3;

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("nightstand", &["bedside table", "end table"], "furniture", nightstand),
    Category::new("dresser", &["chest of drawers", "sideboard"], "furniture", dresser),
    Category::new("cabinet", &["cupboard"], "furniture", cabinet),
    Category::new("wardrobe", &["closet", "armoire"], "furniture", wardrobe),
    Category::new("bookcase", &["bookshelf", "shelves"], "furniture", bookcase),
    Category::new("shelf", &["wall shelf", "shelving unit", "rack"], "furniture", shelf),
    Category::new("filing cabinet", &["file cabinet"], "furniture", filing_cabinet),
];

fn board(r: &mut Rng) -> Paint {
    match r.index(4) {
        0 => r.paint_of(&["white", "gray", "light gray", "black", "beige"], MaterialKind::Wood),
        1 => r.painted(MaterialKind::Wood),
        _ => r.wood(),
    }
}

/// Body sizes and what it stands on; the body's lower edge is returned.
fn stand(r: &mut Rng, b: &mut Builder, (w, d): (f32, f32), paint: Paint, tallest: f32) -> f32 {
    let height = r.between(0.03, tallest);
    match r.index(3) {
        0 => b.add("plinth", cuboid(w * 0.95, height, d * 0.9), paint.shade(0.6)),
        1 => {
            let leg =
                frustum(0.014, 0.024, height, b.few_segments()).shear_y(-0.03, -0.03).at(0.03, 0.0, 0.03);
            b.add("legs", leg.at(w / 2.0 - 0.06, 0.0, d / 2.0 - 0.06).mirrored_x().mirrored_z(), paint);
            b.part("four legs");
        }
        _ => {
            let leg = cuboid(0.045, height, 0.045)
                .at(w / 2.0 - 0.03, 0.0, d / 2.0 - 0.03)
                .mirrored_x()
                .mirrored_z();
            b.add("legs", leg, paint);
            b.part("four legs");
        }
    }
    height
}

/// A knob, bar or recess in the middle of a front that faces +Z.
fn pull(style: usize, width: f32, n: usize) -> Solid {
    match style {
        0 => sphere(0.016, n).at(0.0, 0.0, 0.016),
        1 => cuboid(width * 0.35, 0.016, 0.022).centered().at(0.0, 0.0, 0.012),
        2 => torus(0.025, 0.005, 10, 4).rot_x(FRAC_PI_2).at(0.0, 0.0, 0.012),
        _ => cuboid(width * 0.3, 0.03, 0.004).centered(),
    }
}

/// Drawer fronts in a grid over the body's front at `z`.
fn drawers(
    r: &mut Rng,
    b: &mut Builder,
    (w, h): (f32, f32),
    at: glam::Vec3,
    (columns, rows): (usize, usize),
    paint: Paint,
) {
    let (cw, rh) = (w / columns as f32, h / rows as f32);
    let knob = if r.chance(0.7) { r.metal() } else { paint.shade(0.5) };
    let style = r.index(4);
    let first = at + vec3(-w / 2.0 + cw / 2.0, 0.0, 0.0);
    let front = b.block(cw * 0.93, rh * 0.86, 0.024);
    let grid = |s: Solid| {
        s.linear_array(columns, vec3(cw, 0.0, 0.0)).linear_array(rows, vec3(0.0, rh, 0.0)).translated(first)
    };
    b.add("drawers", grid(front.at(0.0, rh * 0.07, 0.0)), paint);
    let two = cw > 0.6 && style == 0;
    let handle = pull(style, cw, b.few_segments());
    let handle = if two { handle.at(cw * 0.25, 0.0, 0.0).mirrored_x() } else { handle };
    b.add("handles", grid(handle.at(0.0, rh * 0.5, 0.012)), knob);
    b.counted_part(columns * rows, "drawer", "drawers");
}

/// Door leaves side by side, their handles at the inner edges.
fn doors(r: &mut Rng, b: &mut Builder, (w, h): (f32, f32), at: glam::Vec3, count: usize, paint: Paint) {
    let each = w / count as f32;
    let knob = r.metal();
    let glass = r.glass();
    let look = r.index(4);
    for i in 0..count {
        let x = at.x - w / 2.0 + each * (i as f32 + 0.5);
        let (leaf_w, leaf_h) = (each * 0.96, h * 0.97);
        if look == 0 {
            b.add("door", frame(leaf_w, leaf_h, each * 0.13, 0.025).at(x, at.y, at.z), paint);
            b.add("pane", rect(leaf_w * 0.8, leaf_h * 0.9).at(x, at.y + leaf_h * 0.05, at.z), glass);
        } else {
            b.add("door", b.block(leaf_w, leaf_h, 0.025).at(x, at.y, at.z), paint);
            if look == 1 {
                b.add(
                    "panel",
                    frame(leaf_w * 0.8, leaf_h * 0.86, 0.025, 0.012).at(
                        x,
                        at.y + leaf_h * 0.07,
                        at.z + 0.015,
                    ),
                    paint.shade(0.8),
                );
            }
        }
        let side = if i % 2 == 0 && count > 1 { 1.0 } else { -1.0 };
        let handle = if look == 3 { sphere(0.018, 8) } else { cuboid(0.015, 0.12, 0.03).centered() };
        b.add("handle", handle.at(x + side * each * 0.4, at.y + h * 0.5, at.z + 0.025), knob);
    }
    b.counted_part(count, "door", "doors");
}

fn nightstand(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = board(r);
    b.main_paint(paint);
    let (w, d) = (r.between(0.4, 0.55), r.between(0.35, 0.45));
    let legs = r.chance(0.5);
    let body = if legs { r.between(0.15, 0.28) } else { r.between(0.35, 0.5) };
    let low = if legs {
        let height = r.between(0.28, 0.4);
        let leg = cuboid(0.04, height, 0.04)
            .rot_x(PI)
            .taper_y(1.6)
            .at(w / 2.0 - 0.035, height, d / 2.0 - 0.035)
            .grounded();
        b.add("legs", leg.mirrored_x().mirrored_z(), paint);
        b.part("four legs");
        height
    } else {
        stand(r, &mut b, (w, d), paint, 0.1)
    };
    b.add("body", cuboid(w * 0.95, body, d * 0.95).at(0.0, low, 0.0), paint.shade(0.9));
    b.add("top", b.block(w * 1.04, 0.03, d * 1.04).at(0.0, low + body, 0.0), paint);
    let rows = if legs { 1 } else { r.int_between(1, 3) };
    drawers(r, &mut b, (w * 0.9, body), vec3(0.0, low, d * 0.475), (1, rows), paint);
    b.adjective("small");
    b.build()
}

fn dresser(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = board(r);
    b.main_paint(paint);
    let low = r.chance(0.45);
    let w = if low { r.between(1.2, 1.7) } else { r.between(0.7, 1.1) };
    let (h, d) = (if low { r.between(0.35, 0.65) } else { r.between(0.75, 1.1) }, r.between(0.4, 0.5));
    let foot = stand(r, &mut b, (w, d), paint, 0.2);
    b.add("body", b.block(w, h, d).at(0.0, foot, 0.0), paint.shade(0.9));
    if r.chance(0.5) {
        b.add("top", b.block(w * 1.04, 0.03, d * 1.05).at(0.0, foot + h, 0.0), paint);
    }
    let grid = (
        if low { r.int_between(2, 3) } else { r.int_between(1, 2) },
        if low { r.int_between(1, 2) } else { r.int_between(3, 5) },
    );
    drawers(r, &mut b, (w * 0.96, h * 0.96), vec3(0.0, foot + h * 0.02, d / 2.0), grid, paint);
    if r.chance(0.12) {
        let glass = r.glass();
        b.add("mirror", frame(w * 0.6, 0.6, 0.04, 0.03).at(0.0, foot + h, -d * 0.4), paint);
        b.add("glass", rect(w * 0.55, 0.55).at(0.0, foot + h + 0.02, -d * 0.4), glass);
        b.part("a mirror");
    }
    b.adjective(if low { "low" } else { "tall" });
    b.build()
}

fn cabinet(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = board(r);
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.6, 1.2), r.between(0.7, 1.5), r.between(0.35, 0.5));
    let foot = stand(r, &mut b, (w, d), paint, 0.15);
    b.add("body", b.block(w, h, d).at(0.0, foot, 0.0), paint.shade(0.85));
    b.add("top", b.block(w * 1.04, 0.035, d * 1.05).at(0.0, foot + h, 0.0), paint);
    let front = vec3(0.0, foot + h * 0.02, d / 2.0);
    let leaves = r.int_between(1, 2);
    if r.chance(0.4) {
        let low = h * r.between(0.55, 0.75);
        doors(r, &mut b, (w * 0.95, low), front, leaves, paint);
        drawers(r, &mut b, (w * 0.95, h * 0.95 - low), front + vec3(0.0, low, 0.0), (leaves, 1), paint);
    } else {
        doors(r, &mut b, (w * 0.95, h * 0.96), front, leaves, paint);
    }
    b.build()
}

fn wardrobe(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = board(r);
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.9, 1.8), r.between(1.8, 2.2), r.between(0.5, 0.65));
    let foot = stand(r, &mut b, (w, d), paint, 0.12);
    b.add("body", b.block(w, h, d).at(0.0, foot, 0.0), paint.shade(0.85));
    let count = r.int_between(2, 3);
    let low = if r.chance(0.4) { h * 0.2 } else { 0.0 };
    if low > 0.0 {
        drawers(r, &mut b, (w * 0.95, low), vec3(0.0, foot + 0.02, d / 2.0), (count, 1), paint);
    }
    doors(r, &mut b, (w * 0.95, h * 0.97 - low), vec3(0.0, foot + low + 0.02, d / 2.0), count, paint);
    if r.chance(0.4) {
        b.add("cornice", b.block(w * 1.08, 0.08, d * 1.1).at(0.0, foot + h, 0.0), paint);
    }
    b.adjective("tall");
    b.build()
}

/// Books standing on a shelf that is `w` wide, from its left end.
fn books(r: &mut Rng, b: &mut Builder, at: glam::Vec3, (w, h, d): (f32, f32, f32)) {
    let mut x = 0.01;
    let fill = w * r.between(0.4, 1.0);
    while x < fill - 0.06 {
        let (thick, tall) = (r.between(0.025, 0.065), h * r.between(0.55, 0.85));
        let paint = r.painted(MaterialKind::Plain);
        b.add("book", cuboid(thick, tall, d * 0.75).at(at.x - w / 2.0 + x + thick / 2.0, at.y, at.z), paint);
        x += thick + 0.003;
    }
}

fn bookcase(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = board(r);
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.6, 1.2), r.between(1.3, 2.1), r.between(0.25, 0.36));
    let shelves = r.int_between(3, 6);
    let t = 0.03;
    b.add("sides", cuboid(t, h, d).at((w - t) / 2.0, 0.0, 0.0).mirrored_x(), paint);
    let pitch = (h - t) / shelves as f32;
    b.add("shelves", cuboid(w - 2.0 * t, t, d).linear_array(shelves + 1, vec3(0.0, pitch, 0.0)), paint);
    if r.chance(0.7) {
        b.add("back", cuboid(w - t, h, 0.012).at(0.0, 0.0, -d / 2.0 + 0.006), paint.shade(0.75));
    }
    b.counted_part(shelves, "shelf", "shelves");
    if r.chance(0.6) {
        for i in 0..shelves {
            if r.chance(0.8) {
                books(r, &mut b, vec3(0.0, t + pitch * i as f32, 0.0), (w - 2.0 * t, pitch - t, d));
            }
        }
        b.part("books");
    } else {
        b.adjective("empty");
    }
    b.adjective("tall");
    b.build()
}

fn shelf(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.7) { board(r) } else { r.metal() };
    b.main_paint(paint);
    if r.chance(0.45) {
        let w = r.between(0.6, 1.2);
        b.add("board", b.block(w, 0.03, 0.22).at(0.0, 0.2, 0.0), paint);
        let bracket = r.metal();
        let arm = cuboid(0.02, 0.2, 0.02).at(0.0, 0.0, -0.1).join(bar(
            vec3(0.0, 0.02, -0.1),
            vec3(0.0, 0.19, 0.07),
            0.02,
            0.02,
        ));
        b.add("brackets", arm.at(w * 0.35, 0.0, 0.0).mirrored_x(), bracket);
        b.subcategory("wall shelf");
        if r.chance(0.5) {
            books(r, &mut b, vec3(0.0, 0.23, 0.0), (w, 0.28, 0.2));
            b.part("books");
        }
    } else {
        let (w, h, d) = (r.between(0.8, 1.3), r.between(1.2, 1.9), r.between(0.3, 0.5));
        let levels = r.int_between(3, 5);
        b.add("posts", cuboid(0.04, h, 0.04).at(w / 2.0, 0.0, d / 2.0).mirrored_x().mirrored_z(), paint);
        b.add(
            "boards",
            b.block(w, 0.03, d)
                .linear_array(levels, vec3(0.0, (h - 0.15) / (levels - 1) as f32, 0.0))
                .at(0.0, 0.1, 0.0),
            paint.shade(1.1),
        );
        b.counted_part(levels, "board", "boards");
        b.subcategory("shelving unit");
        if r.chance(0.4) {
            let cardboard = r.paint("tan", MaterialKind::Plain);
            for i in 0..levels - 1 {
                let y = 0.13 + (h - 0.15) / (levels - 1) as f32 * i as f32;
                b.add(
                    "box",
                    cuboid(w * r.between(0.2, 0.4), h * 0.12, d * 0.7).at(r.between(-0.25, 0.25) * w, y, 0.0),
                    cardboard,
                );
            }
            b.part("boxes");
        }
    }
    b.build()
}

fn filing_cabinet(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(
        &["gray", "light gray", "dark gray", "beige", "black", "green", "blue"],
        MaterialKind::Metal,
    );
    b.main_paint(paint);
    let rows = r.int_between(2, 4);
    let (w, d) = (0.46, r.between(0.5, 0.65));
    let h = rows as f32 * r.between(0.3, 0.34);
    b.add("body", b.block(w, h, d), paint.shade(0.85));
    drawers(r, &mut b, (w * 0.95, h * 0.97), vec3(0.0, h * 0.015, d / 2.0), (1, rows), paint);
    b.build()
}
