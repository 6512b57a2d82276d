//! Things that hold other things.

use glam::{vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("barrel", &["keg", "cask"], "container", barrel),
    Category::new("crate", &["wooden box", "box"], "container", crate_box),
    Category::new("cardboard box", &["carton", "parcel", "package"], "container", cardboard_box),
    Category::new("treasure chest", &["chest", "pirate chest"], "container", treasure_chest),
    Category::new("trash can", &["garbage can", "bin", "waste bin"], "container", trash_can),
    Category::new("dumpster", &["skip", "garbage container"], "container", dumpster),
    Category::new("bucket", &["pail"], "container", bucket),
    Category::new("basket", &["wicker basket"], "container", basket),
];

fn barrel(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let steel = r.chance(0.25);
    let paint = if steel { r.painted(MaterialKind::Metal) } else { r.wood() };
    let hoop = if steel {
        paint.shade(0.8)
    } else {
        r.paint_of(&["dark gray", "gray", "black", "silver", "bronze"], MaterialKind::Metal)
    };
    b.main_paint(paint);
    let n = b.segments.max(10);
    let (radius, h) = (r.between(0.26, 0.34), r.between(0.75, 0.95));
    let bulge = if steel { 0.0 } else { r.between(0.12, 0.28) };
    let width = move |t: f32| radius * (1.0 + bulge * (1.0 - (2.0 * t - 1.0).powi(2)));
    let side: Vec<_> = (0..=6).map(|i| i as f32 / 6.0).map(|t| vec2(width(t), t * h)).collect();
    let rim = h * 0.04;
    let profile: Vec<_> = side
        .iter()
        .copied()
        .chain([vec2(radius * 0.9, h), vec2(radius * 0.9, h - rim), vec2(0.0, h - rim)])
        .collect();
    b.add("staves", lathe(&profile, n), paint);
    for t in if r.chance(0.5) { vec![0.06, 0.3, 0.7, 0.94] } else { vec![0.2, 0.8] } {
        let half = h * 0.03;
        let (low, high) = ((t * h - half).max(0.0), (t * h + half).min(h));
        let band = [vec2(width(low / h) * 1.03, low), vec2(width(high / h) * 1.03, high)];
        b.add("hoop", lathe(&band, n), hoop);
    }
    b.part("metal hoops");
    if r.chance(0.3) {
        b.add("plug", cylinder(0.03, 0.04, 8).rot_x(FRAC_PI_2).at(0.0, h * 0.5, width(0.5)), hoop);
    }
    if steel {
        b.subcategory("oil drum");
    }
    if r.chance(0.2) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }
    b.build()
}

fn crate_box(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let wood = r.wood();
    let trim = wood.shade(r.between(0.6, 0.85));
    b.main_paint(wood);
    let s = r.between(0.6, 1.0);
    let (w, h, d) = (s, s * r.between(0.7, 1.05), s * r.between(0.85, 1.2));
    let open = r.chance(0.2);
    let t = s * r.between(0.06, 0.1);
    if open {
        b.add("box", open_box(w * 0.96, h, d * 0.96, t * 0.5), wood);
        b.adjective("open");
    } else {
        let planks = r.int_between(3, 5);
        let plank = cuboid(w * 0.94 / planks as f32 * 0.95, h * 0.98, d * 0.96).at(
            -w * 0.47 + w * 0.47 / planks as f32,
            h * 0.01,
            0.0,
        );
        b.add("planks", plank.linear_array(planks, vec3(w * 0.94 / planks as f32, 0.0, 0.0)), wood);
        let side = cuboid(w * 0.96, h * 0.94 / planks as f32 * 0.95, d * 0.94).at(0.0, h * 0.03, 0.0);
        b.add("planks", side.linear_array(planks, vec3(0.0, h * 0.94 / planks as f32, 0.0)), wood);
    }
    let post = b.block(t, h, t).at(w / 2.0 - t * 0.4, 0.0, d / 2.0 - t * 0.4).mirrored_x().mirrored_z();
    let rail_x = cuboid(w, t, t * 0.6).at(0.0, 0.0, d / 2.0 - t * 0.2).mirrored_z();
    let rail_z = cuboid(t * 0.6, t, d).at(w / 2.0 - t * 0.2, 0.0, 0.0).mirrored_x();
    let rails = rail_x.join(rail_z);
    b.add("frame", post.join(rails.clone()).join(rails.at(0.0, h - t, 0.0)), trim);
    if r.chance(0.5) {
        let z = d / 2.0 - t * 0.2;
        let brace = bar(vec3(-w / 2.0 + t, t * 0.5, z), vec3(w / 2.0 - t, h - t * 0.5, z), t * 0.9, t * 0.5);
        b.add("braces", brace.mirrored_z(), trim);
        b.part("diagonal braces");
    }
    b.adjective("square");
    b.build()
}

fn cardboard_box(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["tan", "tan", "brown", "beige", "white"], MaterialKind::Plain);
    let tape = r.paint_of(&["cream", "beige", "brown", "white"], MaterialKind::Plain);
    b.main_color(paint);
    let (w, h, d) = (r.between(0.3, 0.6), r.between(0.2, 0.45), r.between(0.25, 0.45));
    if r.chance(0.5) {
        b.add("box", open_box(w, h, d, 0.008), paint);
        let (long, short) = (r.between(0.3, 1.1), r.between(0.3, 1.1));
        b.add("flaps", cuboid(w, d * 0.45, 0.006).rot_x(long).at(0.0, h, d / 2.0).mirrored_z(), paint);
        b.add(
            "flaps",
            cuboid(0.006, d * 0.4, d).rot_z(-short).at(w / 2.0, h, 0.0).mirrored_x(),
            paint.shade(0.9),
        );
        b.adjective("open");
    } else {
        b.add("box", cuboid(w, h, d), paint);
        b.add("tape", cuboid(w * 1.003, h * 1.003, d * 0.12), tape);
        if r.chance(0.5) {
            let label = r.paint("white", MaterialKind::Plain);
            b.add("label", cuboid(w * 0.3, h * 0.3, 0.004).at(w * 0.2, h * 0.5, d / 2.0), label);
            b.part("a label");
        }
        b.adjective("closed");
    }
    b.build()
}

fn treasure_chest(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let wood = r.wood();
    let metal =
        r.paint_of(&["gold", "gold", "gray", "dark gray", "bronze", "navy", "silver"], MaterialKind::Metal);
    b.main_paint(wood);
    let (w, h, d) = (r.between(0.7, 1.0), r.between(0.3, 0.42), r.between(0.42, 0.6));
    let open = r.chance(0.3);
    let steps = r.choose(&[4, 6, 8]);
    let rise = r.between(0.6, 1.0);
    b.add("box", if open { open_box(w, h, d, 0.04) } else { b.block(w, h, d) }, wood);
    let half = |size: f32, wide: f32| {
        let rim: Vec<_> = arc(d / 2.0 * size, 0.0, PI, steps).iter().map(|p| vec2(p.x, p.y * rise)).collect();
        extrude(&rim, wide).rot_y(FRAC_PI_2)
    };
    let swing = if open { r.between(0.7, 1.4) } else { 0.0 };
    let lid = |s: Solid| s.at(0.0, 0.0, d / 2.0).rot_x(-swing).at(0.0, h, -d / 2.0);
    b.add("lid", lid(half(1.0, w)), wood.shade(0.92));
    let bands = r.choose(&[2, 3, 3]);
    for i in 0..bands {
        let x = (i as f32 / (bands - 1) as f32 - 0.5) * w * 0.92;
        b.add("band", cuboid(0.07, h * 1.01, d * 1.04).at(x, 0.0, 0.0), metal);
        b.add("band", lid(half(1.05, 0.07).at(x, 0.0, 0.0)), metal);
    }
    b.add("rim", cuboid(w * 1.02, 0.05, d * 1.03).at(0.0, h - 0.05, 0.0), metal);
    if !open || r.chance(0.5) {
        b.add("lock", b.block(0.12, 0.14, 0.04).at(0.0, h - 0.1, d / 2.0 + 0.01), metal);
        let black = r.paint("black", MaterialKind::Plain);
        b.add("keyhole", cuboid(0.02, 0.05, 0.045).at(0.0, h - 0.06, d / 2.0 + 0.012), black);
        b.part("a lock");
    }
    if open {
        let gold = r.paint("gold", MaterialKind::Metal);
        b.add(
            "gold",
            ellipsoid(w * 0.44, h * 0.35, d * 0.42, 10).displaced(0.03, r).at(0.0, h * 0.75, 0.0),
            gold,
        );
        b.part("gold coins");
        b.adjective("open");
    } else {
        b.adjective("closed");
    }
    b.part("metal bands");
    b.build()
}

fn trash_can(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.5) {
        r.paint_of(&["green", "dark green", "gray", "dark gray", "blue", "black"], MaterialKind::Plastic)
    } else {
        r.painted(MaterialKind::Plastic)
    };
    let dark = r.paint_of(&["black", "dark gray"], MaterialKind::Plastic);
    match r.index(3) {
        0 => wheelie_bin(r, &mut b, paint, dark),
        1 => metal_can(r, &mut b, paint),
        _ => waste_basket(r, &mut b, paint, dark),
    }
    b.build()
}

/// Two wheels and a hinged lid.
fn wheelie_bin(r: &mut Rng, b: &mut Builder, paint: Paint, dark: Paint) {
    let n = b.segments.max(10);
    b.main_paint(paint);
    let (w, h, d) = (r.between(0.5, 0.6), r.between(0.85, 1.0), r.between(0.55, 0.68));
    b.add("body", b.block(w, h, d).profile_y(|t| 0.78 + 0.22 * t), paint);
    b.add("rim", b.block(w * 1.06, 0.06, d * 1.06).at(0.0, h - 0.05, 0.0), paint);
    let lid = extrude(
        &outline(&[(-d * 0.54, 0.0), (d * 0.54, 0.0), (d * 0.5, 0.05), (-d * 0.3, 0.11), (-d * 0.54, 0.09)]),
        w * 1.05,
    )
    .rot_y(-FRAC_PI_2);
    b.add("lid", lid.at(0.0, h, 0.0), paint.shade(0.9));
    b.add(
        "handle",
        rod(vec3(-w * 0.4, h - 0.02, -d * 0.62), vec3(w * 0.4, h - 0.02, -d * 0.62), 0.018, 6),
        dark,
    );
    b.add("wheels", cylinder(0.1, 0.06, n).rot_z(FRAC_PI_2).at(w / 2.0, 0.1, -d * 0.4).mirrored_x(), dark);
    b.subcategory("wheelie bin");
    b.part("wheels");
}

/// Ribbed, with two handles and a loose lid.
fn metal_can(r: &mut Rng, b: &mut Builder, paint: Paint) {
    let n = b.segments.max(10);
    let metal = if r.chance(0.7) {
        r.paint_of(&["silver", "gray", "light gray"], MaterialKind::Metal)
    } else {
        paint
    };
    b.main_paint(metal);
    let (radius, h) = (r.between(0.2, 0.27), r.between(0.5, 0.75));
    b.add("body", frustum(radius * 0.85, radius, h, n), metal);
    for i in 0..3 {
        let t = 0.15 + 0.33 * i as f32;
        b.add("ribs", torus(radius * (0.86 + 0.14 * t), 0.012, n, 4).at(0.0, h * t, 0.0), metal.shade(0.85));
    }
    let ear = handle(-0.07, 0.07, 0.06, 0.012, 10).rot_x(FRAC_PI_2).at(radius * 0.95, h * 0.75, 0.0);
    b.add("handles", ear.mirrored_x(), metal);
    b.add("lid", dome(radius * 1.06, 0.1, n).at(0.0, h, 0.0), metal);
    b.add("lid handle", handle(-0.06, 0.06, 0.05, 0.012, 10).rot_z(FRAC_PI_2).at(0.0, h + 0.08, 0.0), metal);
    b.part("a lid");
}

/// For offices and kitchens.
fn waste_basket(r: &mut Rng, b: &mut Builder, paint: Paint, dark: Paint) {
    let n = b.segments.max(10);
    b.main_paint(paint);
    let (radius, h) = (r.between(0.13, 0.24), r.between(0.3, 0.7));
    let body = vessel(&[vec2(radius * r.between(0.7, 1.0), 0.0), vec2(radius, h)], radius * 0.07);
    b.add("body", lathe(&body, n), paint);
    if r.chance(0.5) {
        b.add("lid", dome(radius * 1.04, radius * 0.5, n).at(0.0, h, 0.0), dark);
        b.add(
            "flap",
            cuboid(radius * 0.9, radius * 0.05, radius * 0.5).rot_x(0.7).at(
                0.0,
                h + radius * 0.32,
                radius * 0.45,
            ),
            paint.shade(1.2),
        );
        b.part("a lid");
    } else {
        b.add(
            "paper",
            sphere(radius * 0.4, 6).displaced(radius * 0.1, r).at(radius * 0.2, h * 0.95, 0.1 * radius),
            dark.shade(12.0),
        );
        b.subcategory("waste basket");
        b.adjective("open");
    }
    if r.chance(0.5) {
        b.add("pedal", cuboid(0.08, 0.015, 0.07).at(0.0, 0.01, radius), dark);
    }
}

fn dumpster(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint =
        r.paint_of(&["green", "dark green", "blue", "red", "orange", "gray", "brown"], MaterialKind::Metal);
    let dark = r.paint_of(&["black", "dark gray"], MaterialKind::Plastic);
    b.main_paint(paint);
    let (w, h, d) = (r.between(1.6, 2.1), r.between(0.95, 1.2), r.between(0.95, 1.2));
    let slope = r.between(0.0, 0.25);
    let side = outline(&[
        (-d * 0.5 + slope * 0.3, 0.12),
        (d * 0.5 - slope, 0.12),
        (d * 0.5, h * 0.45),
        (d * 0.5, h * 0.85),
        (-d * 0.5, h),
    ]);
    b.add("body", extrude(&side, w).rot_y(-FRAC_PI_2), paint);
    let ribs = r.int_between(2, 5);
    let step = w / (ribs + 1) as f32;
    b.add(
        "ribs",
        cuboid(0.06, h * 0.5, d * 1.06).linear_array(ribs, vec3(step, 0.0, 0.0)).at(
            -w / 2.0 + step,
            h * 0.25,
            0.0,
        ),
        paint.shade(0.8),
    );
    b.add("rim", cuboid(w * 1.03, 0.07, d * 1.04).rot_x((0.15 * h / d).atan()).at(0.0, h * 0.9, 0.0), paint);
    let tilt = (0.15 * h / d).atan();
    let lid = b.block(w * 0.49, 0.05, d * 1.05).rot_x(tilt).at(w * 0.25, h * 0.955, 0.02);
    if r.chance(0.3) {
        b.add("lid", lid.flip_x(), dark);
        b.add("open lid", b.block(w * 0.49, d, 0.05).rot_x(-0.2).at(w * 0.25, h, -d * 0.5), dark);
        b.adjective("open");
    } else {
        b.add("lids", lid.mirrored_x(), dark);
    }
    b.add(
        "pockets",
        cuboid(0.1, 0.16, d * 0.6).at(w / 2.0 + 0.05, h * 0.55, 0.0).mirrored_x(),
        paint.shade(0.7),
    );
    if r.chance(0.7) {
        b.add(
            "wheels",
            cylinder(0.08, 0.06, b.segments.max(8))
                .rot_z(FRAC_PI_2)
                .at(w * 0.42, 0.08, d * 0.36)
                .mirrored_x()
                .mirrored_z(),
            dark,
        );
        b.part("wheels");
    }
    b.part("a lid");
    b.build()
}

fn bucket(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = match r.index(3) {
        0 => r.wood(),
        1 => r.metal(),
        _ => r.painted(MaterialKind::Plastic),
    };
    let metal = r.metal();
    b.main_paint(paint);
    let n = b.segments.max(8);
    let (radius, h) = (r.between(0.13, 0.17), r.between(0.24, 0.32));
    let foot = radius * r.between(0.68, 0.85);
    b.add("bucket", lathe(&vessel(&[vec2(foot, 0.0), vec2(radius, h)], radius * 0.06), n), paint);
    b.add(
        "rim",
        torus(radius, radius * 0.05, n, 5).at(0.0, h, 0.0),
        if r.chance(0.5) { metal } else { paint },
    );
    let lean = r.choose(&[0.0, 0.0, 0.5, 1.2]);
    let bow: Vec<_> = arc(radius, 0.0, PI, 10).iter().map(|p| vec3(p.x, p.y * 1.05, 0.0)).collect();
    b.add("handle", tube(&bow, 0.006, 5).rot_x(lean).at(0.0, h * 0.95, 0.0), metal);
    b.part("a handle");
    if paint.material == MaterialKind::Wood {
        b.add("hoop", torus((foot + radius) * 0.5, 0.01, n, 4).at(0.0, h * 0.5, 0.0), metal);
    }
    if r.chance(0.3) {
        let water = r.paint_of(&["light blue", "blue", "beige"], MaterialKind::Glass);
        b.add("water", cylinder(radius * 0.9, 0.01, n).at(0.0, h * 0.85, 0.0), water);
        b.part(if water.color.name == "beige" { "sand" } else { "water" });
    }
    b.build()
}

fn basket(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["tan", "brown", "beige", "dark brown"], MaterialKind::Wood);
    b.main_color(paint);
    let n = b.segments.max(12);
    let (radius, h) = (r.between(0.16, 0.22), r.between(0.1, 0.24));
    let stretch = r.between(1.0, 1.5);
    let rows = 7;
    for i in 0..rows {
        let t = i as f32 / (rows - 1) as f32;
        let size = radius * (0.75 + 0.25 * t);
        b.add(
            "weave",
            torus(size, h / rows as f32 * 0.62, n, 5).scale(stretch, 1.0, 1.0).at(0.0, h * t, 0.0),
            paint.shade(if i % 2 == 0 { 1.0 } else { 0.8 }),
        );
    }
    b.add("floor", cylinder(radius * 0.76, 0.02, n).scale(stretch, 1.0, 1.0), paint);
    if r.chance(0.65) {
        let bow: Vec<_> = arc(1.0, 0.0, PI, 12)
            .iter()
            .map(|p| vec3(p.x * radius * stretch, h + p.y * radius * 1.2, 0.0))
            .collect();
        b.add("handle", tube(&bow, 0.013, 6), paint);
        b.part("a handle");
    }
    if r.chance(0.35) {
        let fruit = r.paint_of(&["red", "green", "orange", "yellow", "white"], MaterialKind::Plain);
        for i in 0..7 {
            let (sin, cos) = (i as f32 * 0.9).sin_cos();
            let out = if i == 6 { 0.0 } else { 0.55 };
            b.add(
                "content",
                sphere(radius * 0.3, 8).at(cos * out * radius * stretch, h * 0.95, sin * out * radius),
                fruit,
            );
        }
        b.part(if fruit.color.name == "white" { "eggs" } else { "fruit" });
    }
    b.build()
}
