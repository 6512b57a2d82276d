//! Vessels for food and drink.

use glam::{Vec2, vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("mug", &["coffee mug", "coffee cup"], "kitchen", mug),
    Category::new("cup", &["teacup", "tumbler"], "kitchen", cup),
    Category::new("bowl", &["dish"], "kitchen", bowl),
    Category::new("plate", &["dish", "dinner plate"], "kitchen", plate),
    Category::new("wine glass", &["goblet", "wineglass", "glass"], "kitchen", wine_glass),
    Category::new("bottle", &["water bottle", "wine bottle"], "kitchen", bottle),
    Category::new("can", &["soda can", "tin can"], "kitchen", can),
    Category::new("teapot", &["tea pot"], "kitchen", teapot),
    Category::new("kettle", &["tea kettle"], "kitchen", kettle),
    Category::new("vase", &["flower vase", "urn"], "home", vase),
    Category::new("pitcher", &["jug"], "kitchen", pitcher),
    Category::new("jar", &["glass jar"], "kitchen", jar),
];

fn ceramic(r: &mut Rng) -> Paint {
    match r.index(4) {
        0 => r.paint_of(&["white", "beige", "cream", "light gray"], MaterialKind::Ceramic),
        _ => r.painted(MaterialKind::Ceramic),
    }
}

fn mug(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (height, radius) = (r.between(0.08, 0.12), r.between(0.035, 0.05));
    let paint = ceramic(r);
    let foot = r.between(0.75, 1.05);
    let belly = r.between(0.95, 1.12);
    let outer = [(radius * foot, 0.0), (radius * belly, height * 0.45), (radius, height)];
    let body = lathe(&vessel(&outline(&outer), radius * 0.12), b.segments.max(8));
    b.main_paint(paint);
    b.add("body", body, paint);
    let ear = match r.index(3) {
        0 => {
            let square = [
                vec3(0.0, height * 0.8, 0.0),
                vec3(radius * 0.7, height * 0.8, 0.0),
                vec3(radius * 0.7, height * 0.22, 0.0),
                vec3(0.0, height * 0.22, 0.0),
            ];
            Solid::union(square.windows(2).map(|p| capsule(p[0], p[1], radius * 0.11, 8)))
        }
        _ => handle(
            height * 0.18,
            height * 0.82,
            radius * r.between(0.5, 0.8),
            radius * r.between(0.1, 0.16),
            b.segments,
        ),
    };
    b.add("handle", ear.at(radius * 0.93, 0.0, 0.0), paint);
    b.part("a handle");
    if r.chance(0.4) {
        let drink = r.paint_of(&["dark brown", "brown", "tan"], MaterialKind::Plain);
        b.add("coffee", cylinder(radius * 0.9, 0.004, b.segments).at(0.0, height * 0.82, 0.0), drink);
        b.part("coffee");
    }
    if r.chance(0.2) {
        let band = r.painted(MaterialKind::Ceramic);
        let ring = lathe_open(
            &[vec2(radius * belly * 1.03, height * 0.35), vec2(radius * belly * 1.03, height * 0.6)],
            b.segments,
        );
        b.add("band", ring, band);
        b.colored_part("stripe", band);
    }
    b.build()
}

fn cup(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    if r.chance(0.5) {
        return teacup(r, b);
    }
    let (height, top) = (r.between(0.09, 0.15), r.between(0.035, 0.045));
    let paper = r.chance(0.4);
    let paint = if paper {
        r.painted(MaterialKind::Plastic)
    } else if r.chance(0.5) {
        r.glass()
    } else {
        ceramic(r)
    };
    b.main_paint(paint);
    let foot = top * r.between(0.65, 0.85);
    let body = vessel(&[vec2(foot, 0.0), vec2(top, height)], top * 0.07);
    b.add("body", lathe(&body, b.segments.max(8)), paint);
    if paper && r.chance(0.7) {
        let lid = r.paint_of(&["white", "black", "brown"], MaterialKind::Plastic);
        let profile =
            outline(&[(top * 1.08, 0.0), (top * 1.08, 0.008), (top * 0.95, 0.01), (top * 0.9, 0.018)]);
        b.add("lid", lathe(&profile, b.segments).at(0.0, height, 0.0), lid);
        b.colored_part("lid", lid);
        if r.chance(0.5) {
            let straw = r.painted(MaterialKind::Plastic);
            b.add(
                "straw",
                rod(vec3(0.0, height * 0.5, 0.0), vec3(0.02, height * 1.45, 0.0), 0.004, 6),
                straw,
            );
            b.part("a straw");
        }
        b.subcategory(if height > 0.12 { "paper cup" } else { "takeaway cup" });
    }
    b.build()
}

fn teacup(r: &mut Rng, mut b: Builder) -> Specimen {
    let (height, radius) = (r.between(0.055, 0.075), r.between(0.04, 0.05));
    let paint = ceramic(r);
    b.main_paint(paint);
    b.subcategory("teacup");
    let outer = smooth_outline(
        &[
            (radius * 0.5, 0.0),
            (radius * 0.55, height * 0.08),
            (radius * 0.9, height * 0.45),
            (radius, height),
        ],
        3,
    );
    b.add("body", lathe(&vessel(&outer, radius * 0.08), b.segments.max(8)), paint);
    let ear = handle(height * 0.35, height * 0.9, radius * 0.55, radius * 0.08, b.segments);
    b.add("handle", ear.at(radius * 0.85, 0.0, 0.0), paint);
    b.part("a handle");
    if r.chance(0.6) {
        let profile = outline(&[
            (radius * 0.9, 0.0),
            (radius * 1.7, 0.012),
            (radius * 1.7, 0.016),
            (radius * 0.8, 0.005),
        ]);
        b.add("saucer", lathe(&profile, b.segments.max(8)).at(0.0, -0.006, 0.0), paint);
        b.part("a saucer");
    }
    b.build()
}

fn bowl(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let radius = r.between(0.06, 0.16);
    let height = radius * r.between(0.45, 0.85);
    let foot = radius * r.between(0.35, 0.55);
    let paint = if r.chance(0.2) { r.wood() } else { ceramic(r) };
    b.main_paint(paint);
    let outer = smooth_outline(
        &[
            (foot, 0.0),
            (foot, height * 0.08),
            (radius * r.between(0.78, 0.92), height * 0.5),
            (radius, height),
        ],
        3,
    );
    b.add("bowl", lathe(&vessel(&outer, radius * r.between(0.05, 0.1)), b.segments.max(8)), paint);
    if r.chance(0.3) {
        let soup = r.paint_of(&["orange", "red", "brown", "yellow", "green", "beige"], MaterialKind::Plain);
        b.add(
            "soup",
            cylinder(radius * 0.86, height * 0.05, b.segments.max(8)).at(0.0, height * 0.72, 0.0),
            soup,
        );
        b.part("soup");
    }
    b.adjective(if height > radius * 0.7 { "deep" } else { "shallow" });
    b.build()
}

fn plate(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let radius = r.between(0.08, 0.15);
    let lift = radius * r.between(0.08, 0.2);
    let paint = ceramic(r);
    b.main_paint(paint);
    let flat = radius * r.between(0.55, 0.75);
    let t = radius * 0.045;
    let profile = [(flat * 0.9, 0.0), (radius, lift), (radius, lift + t), (flat, t * 1.4), (0.0, t * 1.4)];
    b.add("plate", lathe(&outline(&profile), b.segments.max(10)), paint);
    b.adjective("round");
    b.adjective("flat");
    if r.chance(0.3) {
        let rim = r.painted(MaterialKind::Ceramic);
        b.add(
            "rim",
            washer(radius * 1.01, radius * 0.92, t * 1.2, b.segments.max(10)).at(0.0, lift, 0.0),
            rim,
        );
        b.colored_part("rim", rim);
    }
    b.build()
}

fn wine_glass(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let radius = r.between(0.03, 0.045);
    let (stem, height) = (r.between(0.06, 0.1), r.between(0.07, 0.11));
    let paint = if r.chance(0.7) {
        r.glass()
    } else {
        r.paint_of(&["gold", "silver", "white", "gray"], MaterialKind::Metal)
    };
    b.main_paint(paint);
    let foot = radius * r.between(0.8, 1.0);
    let rim = radius * r.between(0.7, 1.1);
    let thin = radius * r.between(0.08, 0.14);
    let mut profile =
        outline(&[(foot, 0.0), (foot, 0.003), (thin * 1.4, 0.009), (thin, stem * 0.5), (thin, stem)]);
    let cup = smooth_outline(
        &[
            (thin, stem),
            (radius * 0.85, stem + height * 0.25),
            (radius, stem + height * 0.5),
            (rim, stem + height),
        ],
        3,
    );
    profile.extend(&cup[1..]);
    profile.extend(cup.iter().rev().take(cup.len() - 1).map(|p| vec2(p.x * 0.93, p.y)));
    profile.push(vec2(0.0, stem + height * 0.06));
    b.add("glass", lathe(&profile, b.segments.max(8)), paint);
    b.part("a stem");
    if r.chance(0.4) {
        let wine = r.paint_of(&["dark red", "red", "yellow", "beige"], MaterialKind::Plain);
        let fill = [(0.0, 0.04), (radius * 0.8, 0.27), (radius * 0.9, 0.5), (0.0, 0.5)];
        let fill = fill.map(|(x, y)| (x, stem + height * y));
        b.add("wine", lathe(&outline(&fill), b.segments.max(8)), wine);
        b.part("wine");
    }
    b.build()
}

fn bottle(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (radius, height) = (r.between(0.03, 0.045), r.between(0.18, 0.32));
    let neck = radius * r.between(0.28, 0.45);
    let shoulder = r.between(0.5, 0.72);
    let paint = match r.index(3) {
        0 => r.paint_of(&["green", "dark green", "brown", "light blue"], MaterialKind::Glass),
        1 => r.glass(),
        _ => {
            let material = r.choose(&[MaterialKind::Plastic, MaterialKind::Metal]);
            r.painted(material)
        }
    };
    b.main_paint(paint);
    let waist = if r.chance(0.25) { r.between(0.8, 0.92) } else { 1.0 };
    let profile = [
        (radius * 0.9, 0.0),
        (radius, height * 0.03),
        (radius * waist, height * shoulder * 0.5),
        (radius, height * shoulder),
        (radius * 0.75, height * (shoulder + 0.08)),
        (neck, height * (shoulder + r.between(0.12, 0.2)).min(0.88)),
        (neck, height * 0.94),
    ];
    let n = b.segments.max(8);
    b.add("bottle", lathe(&outline(&profile), n), paint);
    let cap =
        if r.chance(0.6) { r.painted(MaterialKind::Plastic) } else { r.paint("tan", MaterialKind::Wood) };
    b.add("cap", cylinder(neck * r.between(1.0, 1.35), height * 0.07, n).at(0.0, height * 0.93, 0.0), cap);
    b.colored_part("cap", cap);
    if r.chance(0.6) {
        let label = r.painted(MaterialKind::Plain);
        let ends = [vec2(radius * 1.03, height * 0.12), vec2(radius * 1.03, height * (shoulder - 0.08))];
        b.add("label", lathe_open(&ends, n), label);
        b.colored_part("label", label);
    }
    if paint.material == MaterialKind::Glass && shoulder > 0.55 {
        b.subcategory("wine bottle");
    }
    b.build()
}

fn can(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let soda = r.chance(0.65);
    let (radius, height) =
        if soda { (0.033, r.between(0.11, 0.15)) } else { (r.between(0.04, 0.055), r.between(0.08, 0.12)) };
    let side = r.painted(MaterialKind::Metal);
    let metal = r.paint_of(&["silver", "light gray"], MaterialKind::Metal);
    let n = b.segments.max(10);
    b.main_paint(side);
    let neck = if soda { radius * 0.84 } else { radius };
    let bevel = if soda { height * 0.07 } else { 0.001 };
    b.add("side", lathe(&outline(&[(radius, bevel), (radius, height - bevel)]), n), side);
    b.add("bottom", frustum(neck * 0.95, radius, bevel, n), metal);
    b.add(
        "top",
        lathe(
            &outline(&[
                (radius, 0.0),
                (neck, bevel),
                (neck, bevel + 0.004),
                (neck * 0.92, bevel + 0.004),
                (neck * 0.9, bevel),
            ]),
            n,
        )
        .at(0.0, height - bevel, 0.0),
        metal,
    );
    if soda {
        b.add("tab", cuboid(0.012, 0.003, 0.022).at(0.0, height + 0.003, 0.005), metal);
        b.subcategory("soda can");
    } else {
        for y in [0.0, height - 0.003] {
            b.add("rim", washer(radius * 1.04, radius * 0.9, 0.004, n).at(0.0, y, 0.0), metal);
        }
        b.subcategory("tin can");
    }
    if r.chance(0.5) {
        let band = r.painted(MaterialKind::Plain);
        b.add(
            "band",
            lathe_open(&[vec2(radius * 1.01, height * 0.3), vec2(radius * 1.01, height * 0.6)], n),
            band,
        );
        b.colored_part("stripe", band);
    }
    b.build()
}

fn spout(base: Vec2, tip: Vec2, thick: f32, n: usize) -> Solid {
    let middle = vec3(base.x * 0.45 + tip.x * 0.55, base.y * 0.75 + tip.y * 0.25, 0.0);
    let line = curve(&[vec3(base.x, base.y, 0.0), middle, vec3(tip.x, tip.y, 0.0)], 4);
    tube_with(&line, |t| thick * (1.0 - 0.6 * t), n.clamp(6, 10))
}

fn teapot(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let radius = r.between(0.08, 0.11);
    let height = radius * r.between(1.15, 1.6);
    let paint = if r.chance(0.15) { r.metal() } else { ceramic(r) };
    b.main_paint(paint);
    let n = b.segments.max(8);
    let body = smooth_outline(
        &[
            (radius * 0.6, 0.0),
            (radius * 0.92, height * 0.2),
            (radius, height * 0.45),
            (radius * 0.8, height * 0.8),
            (radius * 0.45, height),
        ],
        3,
    );
    b.add("body", lathe(&body, n), paint);
    b.add(
        "spout",
        spout(
            vec2(radius * 0.75, height * 0.35),
            vec2(radius * 1.75, height * r.between(0.85, 1.05)),
            radius * 0.24,
            n,
        ),
        paint,
    );
    let ear = handle(height * 0.2, height * 0.85, radius * r.between(0.65, 0.85), radius * 0.09, n);
    b.add("handle", ear.rot_y(PI).at(-radius * 0.82, 0.0, 0.0), paint);
    let lid = dome(radius * 0.5, radius * 0.22, n).at(0.0, height * 0.98, 0.0);
    b.add("lid", lid, paint);
    b.add("knob", sphere(radius * 0.12, b.few_segments()).at(0.0, height + radius * 0.3, 0.0), paint);
    b.part("a spout");
    b.part("a lid");
    b.part("a handle");
    b.build()
}

fn kettle(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let radius = r.between(0.085, 0.11);
    let height = radius * r.between(1.2, 1.9);
    let paint = if r.chance(0.5) { r.metal() } else { r.painted(MaterialKind::Metal) };
    let dark = r.paint_of(&["black", "dark gray", "brown"], MaterialKind::Plastic);
    let n = b.segments.max(8);
    b.main_paint(paint);
    let body = smooth_outline(
        &[
            (radius, 0.0),
            (radius * r.between(0.95, 1.08), height * 0.25),
            (radius * 0.75, height * 0.75),
            (radius * 0.45, height),
        ],
        3,
    );
    b.add("body", lathe(&body, n), paint);
    b.add(
        "spout",
        spout(vec2(radius * 0.7, height * 0.5), vec2(radius * 1.45, height * 0.95), radius * 0.22, n),
        paint,
    );
    b.add("knob", sphere(radius * 0.13, b.few_segments()).at(0.0, height + radius * 0.1, 0.0), dark);
    if r.chance(0.6) {
        let bow: Vec<_> = arc(1.0, 0.0, PI, 10)
            .iter()
            .map(|p| vec3(p.x * radius * 0.75, height * 0.8 + p.y * radius * 0.95, 0.0))
            .collect();
        b.add("handle", tube(&bow, radius * 0.08, 6), dark);
        b.part("a handle on top");
    } else {
        let ear = handle(height * 0.15, height * 0.95, radius * 0.6, radius * 0.11, n);
        b.add("handle", ear.rot_y(PI).at(-radius * 0.8, 0.0, 0.0), dark);
        b.add("base", cylinder(radius * 1.08, 0.015, n).at(0.0, -0.015, 0.0), dark);
        b.subcategory("electric kettle");
    }
    b.part("a spout");
    b.build()
}

fn vase(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let height = r.between(0.2, 0.45);
    let belly = height * r.between(0.2, 0.38);
    let (foot, neck) = (belly * r.between(0.45, 0.75), belly * r.between(0.3, 0.65));
    let lip = neck * r.between(1.1, 1.7);
    let at = r.between(0.3, 0.65);
    let paint = if r.chance(0.2) { r.glass() } else { ceramic(r) };
    b.main_paint(paint);
    let outer = smooth_outline(&[(foot, 0.0), (belly, height * at), (neck, height * 0.85), (lip, height)], 5);
    let n = b.segments.max(8);
    b.add("vase", lathe(&vessel(&outer, neck * 0.18), n), paint);
    if r.chance(0.2) {
        let ear = handle(height * at, height * 0.88, belly * 0.5, neck * 0.14, 12);
        b.add("handles", ear.at(neck * 1.1, 0.0, 0.0).mirrored_x(), paint);
        b.part("two handles");
        b.subcategory("amphora");
    } else if r.chance(0.2) {
        let green = r.paint_of(&["green", "dark green"], MaterialKind::Plain);
        let bloom = r.painted(MaterialKind::Plain);
        for i in 0..r.int_between(2, 5) {
            let (sin, cos) = (i as f32 * 2.4).sin_cos();
            let tip = vec3(sin * belly * 0.9, height * r.between(1.35, 1.7), cos * belly * 0.9);
            b.add("stem", rod(vec3(0.0, height * 0.5, 0.0), tip, 0.004, 5), green);
            b.add("flower", ellipsoid(0.035, 0.025, 0.035, 8).translated(tip), bloom);
        }
        b.colored_part("flowers", bloom);
    }
    b.adjective(if belly < height * 0.26 { "slender" } else { "round" });
    b.build()
}

fn pitcher(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (radius, height) = (r.between(0.06, 0.08), r.between(0.2, 0.28));
    let paint = if r.chance(0.4) { r.glass() } else { ceramic(r) };
    b.main_paint(paint);
    let n = b.segments.max(10);
    let outer = smooth_outline(
        &[
            (radius * 0.8, 0.0),
            (radius * 1.1, height * 0.35),
            (radius * 0.7, height * 0.78),
            (radius * 0.85, height),
        ],
        3,
    );
    let lip = move |p: glam::Vec3| {
        let pull = ((p.y / height - 0.85) / 0.15).clamp(0.0, 1.0) * (p.x / radius).max(0.0);
        vec3(p.x + pull * pull * radius * 0.5, p.y + pull * height * 0.03, p.z * (1.0 - 0.4 * pull))
    };
    b.add("body", lathe(&vessel(&outer, radius * 0.08), n).map(lip), paint);
    let ear = handle(height * 0.25, height * 0.92, radius * 0.75, radius * 0.11, n);
    b.add("handle", ear.rot_y(PI).at(-radius * 0.8, 0.0, 0.0), paint);
    b.part("a handle");
    b.build()
}

fn jar(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (radius, height) = (r.between(0.035, 0.06), r.between(0.08, 0.16));
    let body = if r.chance(0.5) {
        r.glass()
    } else {
        r.paint_of(&["orange", "red", "purple", "brown", "yellow", "beige"], MaterialKind::Glass)
    };
    let lid = r.paint_of(&["gold", "silver", "red", "white", "black", "green"], MaterialKind::Metal);
    let n = b.segments.max(8);
    b.main_paint(body);
    let outer = [
        (radius * 0.9, 0.0),
        (radius, height * 0.08),
        (radius, height * 0.8),
        (radius * 0.8, height * 0.92),
        (radius * 0.8, height),
    ];
    b.add("jar", lathe(&outline(&outer), n), body);
    b.add("lid", cylinder(radius * 0.88, height * 0.14, n).at(0.0, height * 0.93, 0.0), lid);
    b.colored_part("lid", lid);
    if r.chance(0.5) {
        let label = r.painted(MaterialKind::Plain);
        b.add(
            "label",
            lathe_open(&[vec2(radius * 1.02, height * 0.25), vec2(radius * 1.02, height * 0.65)], n),
            label,
        );
        b.part("a label");
    }
    b.build()
}
