//! Cakes, ice cream and candy.

use std::f32::consts::TAU;

use glam::{Vec2, vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("doughnut", &["donut"], "food", doughnut),
    Category::new("cake", &["birthday cake", "layer cake"], "food", cake),
    Category::new("cupcake", &["muffin"], "food", cupcake),
    Category::new("ice cream cone", &["ice cream"], "food", ice_cream),
    Category::new("popsicle", &["ice lolly", "ice pop"], "food", popsicle),
    Category::new("lollipop", &["candy", "sucker"], "food", lollipop),
    Category::new("croissant", &[], "food", croissant),
];

fn icing(r: &mut Rng) -> Paint {
    r.paint_of(
        &["pink", "white", "brown", "dark brown", "light blue", "yellow", "red", "purple", "cream"],
        MaterialKind::Plain,
    )
}

/// `count` small bars strewn over a surface `place(angle, way)`, as (position, up).
fn sprinkles(r: &mut Rng, b: &mut Builder, count: usize, size: f32, place: impl Fn(f32, f32) -> glam::Vec3) {
    let paints = [
        r.painted(MaterialKind::Plain),
        r.painted(MaterialKind::Plain),
        r.paint_of(&["white", "yellow"], MaterialKind::Plain),
    ];
    for paint in paints {
        let mut bars = Solid::default();
        for _ in 0..count / 3 {
            let at = place(r.between(0.0, TAU), r.unit());
            let turn = r.between(0.0, TAU);
            bars = bars.join(cuboid(size, size * 0.3, size * 0.3).rot_y(turn).translated(at));
        }
        b.add("sprinkles", bars, paint);
    }
    b.part("sprinkles");
}

fn doughnut(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let dough = r.paint_of(&["tan", "brown", "orange", "beige"], MaterialKind::Plain);
    let (radius, n) = (0.035, b.segments.max(10));
    let tube_radius = radius * r.between(0.45, 0.62);
    let sides = (n / 2).max(6);
    b.add("dough", torus(radius, tube_radius, n, sides).scale(1.0, r.between(0.75, 1.0), 1.0), dough);
    if r.chance(0.8) {
        let glaze = icing(r);
        b.main_color(glaze);
        b.colored_part("icing", glaze);
        let salt = r.int_between(3, 6) as f32;
        let profile: Vec<Vec2> = (0..=8)
            .map(|i| 0.12 + (PI - 0.24) * i as f32 / 8.0)
            .map(|a| vec2(radius + tube_radius * 1.08 * a.cos(), tube_radius * 1.06 * a.sin()))
            .collect();
        let wave = lathe_open(&profile, n.max(16)).map(|p| {
            let drip =
                if p.y < tube_radius * 0.3 { (p.x.atan2(p.z) * salt).sin() * tube_radius * 0.2 } else { 0.0 };
            vec3(p.x, p.y + drip, p.z)
        });
        b.add("icing", wave, glaze);
        if r.chance(0.6) {
            let count = r.int_between(18, 36);
            sprinkles(r, &mut b, count, radius * 0.12, |angle, way| {
                let lean = PI * (0.2 + 0.6 * way);
                let out = radius + tube_radius * 1.06 * lean.cos();
                vec3(angle.sin() * out, tube_radius * 1.02 * lean.sin(), angle.cos() * out)
            });
        }
    } else {
        b.main_color(dough);
    }
    b.part("a hole");
    if r.chance(0.2) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2 * 0.8));
    }
    b.build()
}

fn cake(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (sponge, cream) = (
        r.paint_of(&["brown", "tan", "beige", "dark brown", "pink", "white"], MaterialKind::Plain),
        icing(r),
    );
    let n = b.segments.max(12);
    let radius = r.between(0.09, 0.13);
    if r.chance(0.2) {
        return cake_slice(r, b, radius, sponge, cream);
    }
    b.main_color(cream);
    let tiers = r.choose(&[1, 1, 1, 2, 3]);
    let mut y = 0.0;
    let mut size = radius;
    if r.chance(0.5) {
        let plate = r.paint_of(&["white", "light gray", "light blue", "gold"], MaterialKind::Ceramic);
        b.add("plate", frustum(radius * 1.1, radius * 1.3, 0.012, n).at(0.0, -0.012, 0.0), plate);
    }
    for _ in 0..tiers {
        let height = radius * r.between(0.55, 0.8);
        b.add("sponge", cylinder(size, height, n).at(0.0, y, 0.0), sponge);
        let drip = size * 0.1;
        let skirt = lathe(
            &outline(&[(size * 1.03, height * 0.6), (size * 1.03, height), (size, height + drip * 0.4)]),
            n,
        );
        let waves = r.int_between(5, 9) as f32;
        let low = height * 0.65;
        b.add(
            "icing",
            skirt
                .map(|p| {
                    if p.y < low {
                        p + vec3(0.0, (p.x.atan2(p.z) * waves).sin() * height * 0.12, 0.0)
                    } else {
                        p
                    }
                })
                .at(0.0, y, 0.0),
            cream,
        );
        if r.chance(0.5) {
            let dot = sphere(size * 0.09, 6).at(0.0, y + height + drip * 0.5, size * 0.85);
            b.add("dots", dot.radial_array_y(r.int_between(8, 12)), cream);
        }
        y += height + drip * 0.3;
        size *= 0.68;
    }
    let top = size / 0.68 * 0.6;
    add_cake_top(r, &mut b, (y, top), tiers);
    b.counted_part(if tiers > 1 { tiers } else { 0 }, "tier", "tiers");
    b.build()
}

fn add_cake_top(r: &mut Rng, b: &mut Builder, (y, top): (f32, f32), tiers: usize) {
    let candles = if tiers == 1 && r.chance(0.65) { r.int_between(1, 8) } else { 0 };
    if candles > 0 {
        let (wax, flame) = (
            r.painted(MaterialKind::Plain),
            r.paint_of(&["yellow", "orange"], MaterialKind::Plain).emissive(0.7),
        );
        let out = if candles == 1 { 0.0 } else { top };
        b.add("candles", cylinder(0.004, 0.05, 6).at(0.0, y, out).radial_array_y(candles), wax);
        b.add(
            "flames",
            lathe(&outline(&[(0.0, 0.0), (0.004, 0.005), (0.0, 0.016)]), 6)
                .at(0.0, y + 0.052, out)
                .radial_array_y(candles),
            flame,
        );
        b.subcategory("birthday cake");
        b.counted_part(candles, "candle", "candles");
    } else {
        let red = r.paint_of(&["red", "dark red"], MaterialKind::Plain);
        b.add("cherries", sphere(0.01, 8).at(0.0, y + 0.008, top).radial_array_y(r.int_between(1, 8)), red);
        b.part("cherries on top");
    }
}

fn cake_slice(r: &mut Rng, mut b: Builder, radius: f32, sponge: Paint, cream: Paint) -> Specimen {
    let half = r.between(0.3, 0.45);
    let wedge = |height: f32| {
        let rim = (0..=5)
            .map(|i| FRAC_PI_2 - half + 2.0 * half * i as f32 / 5.0)
            .map(|a| Vec2::from_angle(a) * radius * 1.3);
        extrude(&[Vec2::ZERO].into_iter().chain(rim).collect::<Vec<_>>(), height).rot_x(-FRAC_PI_2).grounded()
    };
    let layers = r.int_between(2, 3);
    let mut y = 0.0;
    for _ in 0..layers {
        b.add("sponge", wedge(0.028).at(0.0, y, 0.0), sponge);
        b.add("cream", wedge(0.009).at(0.0, y + 0.028, 0.0), cream);
        y += 0.037;
    }
    let red = r.paint("red", MaterialKind::Plain);
    b.add("cherry", sphere(0.012, 8).at(0.0, y + 0.01, -radius), red);
    b.subcategory("slice of cake");
    b.main_color(sponge);
    b.build()
}

fn cupcake(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (paper, cream) = (r.painted(MaterialKind::Plain), icing(r));
    let s = 0.03;
    let n = b.segments.max(10);
    let pleats = n * 2;
    let wrapper = frustum(s * 0.72, s, s * 1.05, pleats).map(|p| {
        let k = (p.x.atan2(p.z) * pleats as f32 / 2.0).sin() * 0.04 + 1.0;
        vec3(p.x * k, p.y, p.z * k)
    });
    b.add("wrapper", wrapper, paper);
    b.colored_part("wrapper", paper);
    b.main_color(cream);
    if r.chance(0.2) {
        let sponge = r.paint_of(&["brown", "tan", "dark brown"], MaterialKind::Plain);
        b.add("top", ellipsoid(s * 1.25, s * 0.75, s * 1.25, n).at(0.0, s * 1.15, 0.0), sponge);
        b.subcategory("muffin");
        return b.build();
    }
    let layers = r.int_between(2, 4);
    let mut y = s * 1.05;
    for i in 0..layers {
        let size = s * (1.08 - 0.85 * i as f32 / layers as f32);
        b.add("frosting", ellipsoid(size, s * 0.34, size, n).at(0.0, y + s * 0.12, 0.0), cream);
        y += s * 0.36;
    }
    b.add(
        "peak",
        lathe(&outline(&[(s * 0.3, 0.0), (s * 0.2, s * 0.2), (0.0, s * 0.45)]), n).at(0.0, y - s * 0.1, 0.0),
        cream,
    );
    b.colored_part("frosting", cream);
    if r.chance(0.5) {
        let red = r.paint("red", MaterialKind::Plain);
        b.add("cherry", sphere(s * 0.22, 8).at(0.0, y + s * 0.35, 0.0), red);
        b.part("a cherry on top");
    }
    if r.chance(0.4) {
        sprinkles(r, &mut b, 18, s * 0.13, |angle, way| {
            vec3(
                angle.sin() * s * (1.02 - 0.4 * way),
                s * (1.2 + 0.5 * way),
                angle.cos() * s * (1.02 - 0.4 * way),
            )
        });
    }
    b.build()
}

fn ice_cream(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let waffle = r.paint_of(&["tan", "orange", "brown"], MaterialKind::Plain);
    let s = 0.028;
    let n = b.segments.max(8);
    let long = s * r.between(2.8, 4.2);
    b.add("cone", lathe(&outline(&[(s * 0.06, 0.0), (s * 0.95, long * 0.9), (s * 1.0, long)]), n), waffle);
    if r.chance(0.4) {
        let turns: Vec<_> = (0..=40)
            .map(|i| i as f32 / 40.0)
            .map(|t| {
                vec3((t * 25.0).sin(), 0.0, (t * 25.0).cos()) * s * t * 1.0 + vec3(0.0, long * t * 0.95, 0.0)
            })
            .collect();
        b.add("waffle", tube(&turns, s * 0.05, 4), waffle.shade(0.7));
    }
    let mut last = icing(r);
    b.main_color(last);
    if r.chance(0.3) {
        let swirl: Vec<_> = (0..=48)
            .map(|i| i as f32 / 48.0)
            .map(|t| {
                vec3((t * 20.0).sin(), 0.0, (t * 20.0).cos()) * s * 0.75 * (1.0 - t)
                    + vec3(0.0, long + s * 2.3 * t, 0.0)
            })
            .collect();
        b.add("ice cream", tube_with(&swirl, |t| s * (0.5 - 0.4 * t), 8), last);
        b.adjective("soft");
    } else {
        let scoops = r.choose(&[1, 1, 1, 2, 2, 3]);
        for i in 0..scoops {
            let y = long + s * (0.45 + 1.25 * i as f32);
            b.add("scoop", sphere(s * (1.12 - 0.08 * i as f32), n).at(0.0, y, 0.0), last);
            if i == 0 {
                b.add("rim", torus(s * 0.98, s * 0.2, n, 6).at(0.0, long, 0.0).displaced(s * 0.08, r), last);
            }
            b.colored_part("scoop", last);
            last = icing(r);
        }
    }
    if r.chance(0.3) {
        let red = r.paint("red", MaterialKind::Plain);
        let top = b.clone().build().scene.bounds().map_or(0.0, |x| x.max.y);
        b.add("cherry", sphere(s * 0.3, 8).at(0.0, top + s * 0.15, 0.0), red);
        b.part("a cherry");
    }
    b.build()
}

fn popsicle(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (ice, wood) = (r.painted(MaterialKind::Plain), r.paint("tan", MaterialKind::Wood));
    b.main_color(ice);
    let (w, h) = (r.between(0.04, 0.055), r.between(0.08, 0.1));
    let top: Vec<_> = (0..=6)
        .map(|i| i as f32 / 6.0 * FRAC_PI_2)
        .map(|a| (w * 0.5 * a.cos(), h - w * 0.5 + w * 0.5 * a.sin()))
        .collect();
    let right: Vec<_> = [(w * 0.5, 0.0)].into_iter().chain(top).collect();
    b.add("ice", extrude_beveled(&mirrored(&right), w * 0.45, 0.1), ice);
    b.add("stick", rounded_box(w * 0.24, 0.05, 0.004, 0.002, 1).at(0.0, -0.045, 0.0), wood);
    if r.chance(0.4) {
        let dip = icing(r);
        let low = h * 0.55;
        let cover = extrude_beveled(&mirrored(&right), w * 0.5, 0.06)
            .map(|p| vec3(p.x * 1.04, p.y.max(low) * 1.02, p.z));
        b.add("coating", cover, dip);
        b.colored_part("coating", dip);
    }
    b.part("a wooden stick");
    b.build()
}

fn lollipop(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (candy, white) = (r.painted(MaterialKind::Plain), r.paint("white", MaterialKind::Plain));
    b.main_color(candy);
    let s = 0.025;
    let stick = s * r.between(3.5, 5.0);
    b.add("stick", cylinder(s * 0.1, stick, 6), white);
    if r.chance(0.4) {
        b.add("candy", sphere(s * 0.8, b.segments.max(8)).at(0.0, stick + s * 0.6, 0.0), candy);
    } else {
        b.add(
            "candy",
            cylinder(s * 1.3, s * 0.5, b.segments.max(12)).centered().rot_x(FRAC_PI_2).at(
                0.0,
                stick + s * 1.2,
                0.0,
            ),
            candy,
        );
        let other = r.painted(MaterialKind::Plain);
        let spiral: Vec<_> = (0..=36)
            .map(|i| i as f32 / 36.0)
            .map(|t| vec3((t * 16.0).cos() * s * 1.2 * t, (t * 16.0).sin() * s * 1.2 * t, 0.0))
            .collect();
        b.add("swirl", tube(&spiral, s * 0.1, 4).scale(1.0, 1.0, 5.6).at(0.0, stick + s * 1.2, 0.0), other);
        b.part("a swirl");
    }
    b.part("a stick");
    b.build()
}

fn croissant(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["tan", "brown", "orange"], MaterialKind::Plain);
    b.main_color(paint);
    let bend = r.between(1.8, 3.0);
    let line = arc(0.05, FRAC_PI_2 - bend / 2.0, FRAC_PI_2 + bend / 2.0, 18);
    let steps = r.between(2.5, 3.5);
    let thick = move |t: f32| {
        let along = (2.0 * t - 1.0).abs();
        0.006 + 0.024 * (1.0 - along).powf(0.7) * (0.82 + 0.18 * (along * steps * TAU).cos().abs())
    };
    b.add(
        "pastry",
        tube_with(&line, thick, b.segments.max(8)).rot_x(-FRAC_PI_2).scale(1.0, 0.85, 1.0),
        paint,
    );
    b.adjective("curved");
    b.build()
}
