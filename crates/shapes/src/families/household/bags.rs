//! Luggage, presents and garden things.

use glam::{vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("suitcase", &["luggage", "travel case"], "container", suitcase),
    Category::new("backpack", &["rucksack", "school bag"], "container", backpack),
    Category::new("handbag", &["purse", "bag"], "container", handbag),
    Category::new("gift box", &["present", "gift"], "container", gift),
    Category::new("mailbox", &["letter box", "postbox"], "container", mailbox),
    Category::new("watering can", &[], "container", watering_can),
];

fn suitcase(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.3) {
        r.paint_of(&["brown", "dark brown", "tan"], MaterialKind::Leather)
    } else {
        r.painted(MaterialKind::Plastic)
    };
    let (metal, dark) = (
        r.paint_of(&["silver", "gold", "gray"], MaterialKind::Metal),
        r.paint_of(&["black", "dark gray"], MaterialKind::Plastic),
    );
    b.main_paint(paint);
    if r.chance(0.55) {
        let (w, h, d) = (r.between(0.35, 0.48), r.between(0.52, 0.7), r.between(0.2, 0.28));
        b.add("shell", rounded_box(w, h, d, r.between(0.03, 0.07), 2).at(0.0, 0.05, 0.0), paint);
        let ribs = r.int_between(0, 6);
        let step = w * 0.8 / ribs.max(1) as f32;
        b.add(
            "ribs",
            cuboid(step * 0.35, h * 0.85, d * 1.03).linear_array(ribs, vec3(step, 0.0, 0.0)).at(
                -w * 0.4 + step / 2.0,
                0.05 + h * 0.075,
                0.0,
            ),
            paint.shade(0.8),
        );
        b.add("zipper", cuboid(w * 1.01, h * 1.008, 0.012).at(0.0, 0.047, 0.0), dark);
        let tall = r.between(0.08, 0.42);
        b.add(
            "handle",
            cylinder(0.01, tall, 5)
                .at(w * 0.22, h + 0.04, -d * 0.3)
                .mirrored_x()
                .join(b.block(w * 0.5, 0.03, 0.035).at(0.0, h + 0.03 + tall, -d * 0.3)),
            metal,
        );
        b.add(
            "wheels",
            cylinder(0.032, 0.025, 8).rot_z(FRAC_PI_2).at(w * 0.4, 0.032, d * 0.35).mirrored_x().mirrored_z(),
            dark,
        );
        b.part("wheels");
        b.part("a telescopic handle");
        b.subcategory("trolley suitcase");
    } else {
        let (w, h, d) = (r.between(0.5, 0.7), r.between(0.35, 0.45), r.between(0.16, 0.24));
        b.add("case", b.block(w, h, d), paint);
        b.add("seam", cuboid(w * 1.01, h * 1.01, 0.015), dark);
        let bow: Vec<_> = arc(0.075, 0.0, PI, 6).iter().map(|p| vec3(p.x, h + p.y * 0.7, 0.0)).collect();
        b.add("handle", tube(&bow, 0.013, 6), dark);
        if r.chance(0.6) {
            b.add(
                "straps",
                cuboid(0.045, h * 1.02, d * 1.04).at(w * 0.3, 0.0, 0.0).mirrored_x(),
                paint.shade(0.5),
            );
            b.part("straps");
        }
        b.add("locks", cuboid(0.04, 0.05, 0.02).at(w * 0.25, h * 0.9, d / 2.0).mirrored_x(), metal);
        b.add(
            "corners",
            cuboid(0.06, 0.06, d * 1.03)
                .at(w / 2.0 - 0.028, 0.0, 0.0)
                .join(cuboid(0.06, 0.06, d * 1.03).at(w / 2.0 - 0.028, h - 0.058, 0.0))
                .mirrored_x(),
            paint.shade(0.5),
        );
        b.part("a handle");
    }
    b.build()
}

fn backpack(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let cloth = if r.chance(0.5) {
        r.paint_of(&["brown", "dark green", "green", "tan", "gray"], MaterialKind::Fabric)
    } else {
        r.painted(MaterialKind::Fabric)
    };
    let other = if r.chance(0.5) { cloth.shade(0.7) } else { r.painted(MaterialKind::Fabric) };
    let metal = r.paint_of(&["gold", "silver", "black"], MaterialKind::Metal);
    b.main_paint(cloth);
    let (w, h, d) = (r.between(0.28, 0.36), r.between(0.4, 0.5), r.between(0.16, 0.22));
    let sag = r.between(0.0, 0.12);
    b.add("body", rounded_box(w, h, d, 0.07, 2).profile_y(|t| 1.0 + sag * (0.5 - t)), cloth);
    if r.chance(0.6) {
        b.add("flap", rounded_box(w * 1.04, h * 0.3, d * 1.1, 0.06, 2).at(0.0, h * 0.76, 0.012), other);
        b.add(
            "straps",
            cuboid(0.028, h * 0.45, 0.012).at(w * 0.25, h * 0.42, d * 0.56).mirrored_x(),
            other.shade(0.6),
        );
        b.add("buckles", cuboid(0.042, 0.042, 0.018).at(w * 0.25, h * 0.5, d * 0.565).mirrored_x(), metal);
        b.part("buckles");
    } else {
        let zip: Vec<_> = arc(1.0, 0.0, PI, 8)
            .iter()
            .map(|p| vec3(p.x * w * 0.44, h * 0.5 + p.y * h * 0.45, d * 0.38))
            .collect();
        b.add("zipper", tube(&zip, 0.007, 5), metal);
    }
    b.add(
        "pocket",
        rounded_box(w * 0.74, h * 0.38, d * 0.45, 0.035, 2).at(0.0, h * 0.05, d * 0.5),
        if r.chance(0.5) { other } else { cloth.shade(0.85) },
    );
    if r.chance(0.6) {
        b.add(
            "side pockets",
            rounded_box(d * 0.42, h * 0.36, d * 0.7, 0.025, 1).at(w * 0.54, h * 0.03, 0.0).mirrored_x(),
            cloth.shade(0.85),
        );
    }
    let strap = curve(
        &[
            vec3(w * 0.25, h * 0.93, -d * 0.45),
            vec3(w * 0.28, h * 0.75, -d * 1.0),
            vec3(w * 0.3, h * 0.35, -d * 0.9),
            vec3(w * 0.3, h * 0.08, -d * 0.45),
        ],
        3,
    );
    b.add("shoulder straps", tube(&strap, 0.014, 5).scale(1.0, 1.0, 1.0).mirrored_x(), other);
    b.add("loop", handle(-0.04, 0.04, 0.04, 0.008, 8).rot_z(FRAC_PI_2).at(0.0, h, -d * 0.3), other);
    b.part("shoulder straps");
    b.part("a front pocket");
    if r.chance(0.35) {
        let roll = r.painted(MaterialKind::Fabric);
        let long = w * r.between(1.1, 1.5);
        b.add(
            "bedroll",
            cylinder(0.065, long, b.segments.max(8)).centered().rot_z(FRAC_PI_2).at(0.0, h + 0.05, 0.0),
            roll,
        );
        b.add(
            "roll straps",
            washer(0.07, 0.06, 0.025, 8).rot_z(FRAC_PI_2).at(w * 0.25, h + 0.05, 0.0).mirrored_x(),
            other.shade(0.6),
        );
        b.part("a bedroll");
    }
    b.build()
}

fn handbag(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let leather = r.painted(MaterialKind::Leather);
    let gold = r.paint_of(&["gold", "silver"], MaterialKind::Metal);
    b.main_paint(leather);
    let (w, h, d) = (r.between(0.26, 0.36), r.between(0.18, 0.28), r.between(0.09, 0.14));
    b.add("bag", b.block(w, h, d).profile_y(|t| 1.05 - 0.25 * t), leather);
    if r.chance(0.6) {
        let flap = cuboid(w * 0.86, h * 0.5, 0.012).at(0.0, h * 0.5, d * 0.44);
        b.add("flap", flap, leather.shade(0.85));
        b.add("clasp", b.block(0.04, 0.03, 0.02).at(0.0, h * 0.46, d * 0.46), gold);
        b.part("a clasp");
    }
    let tall = r.between(0.4, 1.0) * h;
    let bow: Vec<_> =
        arc(1.0, 0.0, PI, 10).iter().map(|p| vec3(p.x * w * 0.32, h * 0.97 + p.y * tall, 0.0)).collect();
    let strap = tube(&bow, 0.008, 6);
    b.add(
        "handle",
        if r.chance(0.5) { strap.at(0.0, 0.0, d * 0.3).mirrored_z() } else { strap },
        leather.shade(0.7),
    );
    b.add("rings", torus(0.016, 0.004, 8, 4).rot_x(FRAC_PI_2).at(w * 0.32, h * 0.98, 0.0).mirrored_x(), gold);
    b.part("a handle");
    b.build()
}

fn gift(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (paper, ribbon) = (r.painted(MaterialKind::Plain), r.painted(MaterialKind::Plain));
    b.main_color(paper);
    let (w, h, d) = (r.between(0.2, 0.4), r.between(0.15, 0.35), r.between(0.2, 0.35));
    b.add("box", cuboid(w, h, d), paper);
    let lid = h * 0.2;
    b.add("lid", cuboid(w * 1.06, lid, d * 1.06).at(0.0, h - lid * 0.8, 0.0), paper.shade(0.9));
    let band = w * 0.13;
    b.add(
        "ribbon",
        cuboid(band, h + lid * 0.22, d * 1.075).join(cuboid(w * 1.075, h + lid * 0.22, band)),
        ribbon,
    );
    let top = h + lid * 0.2;
    let loop_ = curve(
        &[
            vec3(0.0, 0.0, 0.0),
            vec3(w * 0.18, w * 0.22, 0.0),
            vec3(w * 0.32, w * 0.12, 0.0),
            vec3(w * 0.16, 0.01, 0.0),
            vec3(0.0, 0.0, 0.0),
        ],
        3,
    );
    b.add("bow", tube(&loop_, w * 0.025, 5).scale(1.0, 1.0, 2.2).mirrored_x().at(0.0, top, 0.0), ribbon);
    b.add("knot", sphere(w * 0.06, 8).at(0.0, top + w * 0.03, 0.0), ribbon);
    b.colored_part("ribbon", ribbon);
    b.part("a bow");
    b.build()
}

fn mailbox(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint =
        r.paint_of(&["red", "blue", "gray", "black", "white", "green", "yellow"], MaterialKind::Metal);
    b.main_paint(paint);
    if r.chance(0.4) {
        let (w, h) = (r.between(0.45, 0.6), r.between(1.1, 1.4));
        let dark = r.paint("black", MaterialKind::Plain);
        if r.chance(0.5) {
            b.add("body", cylinder(w * 0.45, h, b.segments.max(10)), paint);
            b.add("top", dome(w * 0.5, w * 0.22, b.segments.max(10)).at(0.0, h, 0.0), paint);
            b.add("base", cylinder(w * 0.5, 0.12, b.segments.max(10)), dark);
            b.add("slot", cuboid(w * 0.5, 0.04, 0.05).at(0.0, h * 0.85, w * 0.42), dark);
        } else {
            let shape: Vec<_> = arc(w / 2.0, 0.0, PI, 8)
                .iter()
                .map(|p| vec2(p.x, h * 0.72 + p.y))
                .chain(outline(&[(-w / 2.0, 0.15), (w / 2.0, 0.15)]))
                .collect();
            b.add("body", extrude(&shape, w * 0.9), paint);
            b.add("slot", cuboid(w * 0.65, 0.14, 0.03).at(0.0, h * 0.68, w * 0.45), paint.shade(0.6));
            b.add(
                "legs",
                cuboid(0.06, 0.16, 0.06).at(w * 0.42, 0.0, w * 0.36).mirrored_x().mirrored_z(),
                paint,
            );
        }
        b.subcategory("postbox");
        b.part("a slot");
        return b.build();
    }
    let wood = r.wood();
    let post = r.between(0.9, 1.1);
    b.add("post", cuboid(0.09, post, 0.09), wood);
    let (w, long) = (0.17, r.between(0.42, 0.55));
    let shape: Vec<_> = arc(w / 2.0, 0.0, PI, 8)
        .iter()
        .map(|p| vec2(p.x, 0.1 + p.y))
        .chain(outline(&[(-w / 2.0, 0.0), (w / 2.0, 0.0)]))
        .collect();
    b.add("box", extrude(&shape, long).at(0.0, post, 0.0), paint);
    b.add("door", extrude(&shape, 0.015).scaled(1.04).at(0.0, post, long / 2.0), paint.shade(0.8));
    let flag = r.paint_of(&["red", "yellow", "orange"], MaterialKind::Metal);
    b.add(
        "flag",
        cuboid(0.01, 0.2, 0.02).join(cuboid(0.01, 0.06, 0.09).at(0.0, 0.14, 0.04)).at(
            w / 2.0 + 0.01,
            post + 0.06,
            0.05,
        ),
        flag,
    );
    b.colored_part("flag", flag);
    b.part("a post");
    b.build()
}

fn watering_can(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.3) { r.metal() } else { r.painted(MaterialKind::Metal) };
    b.main_paint(paint);
    let n = b.segments.max(8);
    let (radius, h) = (r.between(0.09, 0.12), r.between(0.16, 0.22));
    b.add("body", frustum(radius, radius * r.between(0.8, 1.0), h, n), paint);
    let tip = vec3(radius * 3.0, h * 1.25, 0.0);
    b.add("spout", tapered_rod(vec3(radius * 0.7, h * 0.15, 0.0), tip, 0.03, 0.015, 7), paint);
    b.add("rose", frustum(0.015, 0.045, 0.04, n).along(vec3(1.0, 0.55, 0.0)).translated(tip), paint);
    let back = curve(
        &[
            vec3(radius * 0.5, h, 0.0),
            vec3(0.0, h * 1.45, 0.0),
            vec3(-radius * 1.2, h * 1.2, 0.0),
            vec3(-radius * 1.5, h * 0.6, 0.0),
            vec3(-radius * 0.9, h * 0.2, 0.0),
        ],
        3,
    );
    b.add("handle", tube(&back, 0.011, 6), if r.chance(0.5) { paint } else { paint.shade(0.7) });
    b.part("a spout");
    b.part("a handle");
    b.build()
}
