//! Meals, bread and cheese.

use std::f32::consts::TAU;

use glam::{Vec2, vec2, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("hamburger", &["burger", "cheeseburger", "sandwich"], "food", hamburger),
    Category::new("hot dog", &["hotdog", "sausage in a bun"], "food", hot_dog),
    Category::new("pizza", &["pizza slice", "slice of pizza"], "food", pizza),
    Category::new("cheese", &["wedge of cheese", "block of cheese"], "food", cheese),
    Category::new("bread", &["loaf of bread", "bread loaf"], "food", bread),
    Category::new("sandwich", &["toast sandwich"], "food", sandwich),
    Category::new("french fries", &["fries", "chips"], "food", fries),
    Category::new("steak", &["meat", "piece of meat"], "food", steak),
    Category::new("drumstick", &["chicken leg", "turkey leg"], "food", drumstick),
    Category::new("sushi", &["sushi roll"], "food", sushi),
];

fn hamburger(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let radius = r.between(0.05, 0.065);
    let n = b.segments.max(8);
    let bun = r.paint_of(&["tan", "orange", "tan", "brown"], MaterialKind::Plain);
    let disc = |size: f32, height: f32| {
        let edge = height * 0.35;
        lathe(
            &outline(&[
                (radius * size - edge, 0.0),
                (radius * size, edge),
                (radius * size, height - edge),
                (radius * size - edge, height),
            ]),
            n,
        )
    };
    let mut y = radius * r.between(0.25, 0.4);
    b.add("bottom bun", disc(1.0, y), bun);
    let mut layer = |b: &mut Builder, name: &str, solid: Solid, height: f32, paint: Paint| {
        b.add(name, solid.at(0.0, y, 0.0), paint);
        y += height;
    };
    let (green, brown) = (
        r.paint_of(&["green", "light green"], MaterialKind::Plain),
        r.paint_of(&["dark brown", "brown"], MaterialKind::Plain),
    );
    let cheese = r.paint_of(&["yellow", "orange"], MaterialKind::Plain);
    if r.chance(0.75) {
        let waves = r.int_between(5, 9) as f32;
        let frill =
            lathe(&outline(&[(radius * 0.9, 0.0), (radius * 1.12, 0.004), (radius * 0.9, 0.007)]), 24);
        layer(
            &mut b,
            "lettuce",
            frill.map(|p| {
                p + vec3(0.0, (p.x.atan2(p.z) * waves).sin() * 0.005 * (p.x.hypot(p.z) / radius), 0.0)
            }),
            0.006,
            green,
        );
        b.part("lettuce");
    }
    for _ in 0..r.choose(&[1, 1, 1, 2]) {
        let thick = radius * r.between(0.25, 0.4);
        layer(&mut b, "patty", disc(1.04, thick), thick, brown);
        if r.chance(0.75) {
            layer(&mut b, "cheese", cuboid(radius * 1.75, 0.004, radius * 1.75).rot_y(0.6), 0.004, cheese);
            b.part("cheese");
        }
    }
    if r.chance(0.5) {
        let red = r.paint("red", MaterialKind::Plain);
        layer(&mut b, "tomato", disc(0.92, radius * 0.13), radius * 0.13, red);
        b.part("tomato");
    }
    let rise = radius * r.between(0.55, 0.85);
    layer(&mut b, "top bun", dome(radius * 1.03, rise, n), 0.0, bun);
    if r.chance(0.6) {
        sesame(r, &mut b, radius, rise, y);
    }
    b.build()
}

/// Seeds on a dome of the given radius and rise that starts at `y`.
fn sesame(r: &mut Rng, b: &mut Builder, radius: f32, rise: f32, y: f32) {
    let cream = r.paint_of(&["cream", "white"], MaterialKind::Plain);
    let mut seeds = Solid::default();
    for i in 0..r.int_between(10, 22) {
        let (turn, way) = (i as f32 * 2.4, 0.15 + 0.5 * r.unit());
        let (sin, cos) = turn.sin_cos();
        let up = (1.0 - way * way).sqrt() * rise;
        seeds = seeds.join(ellipsoid(0.0028, 0.0016, 0.004, 5).rot_y(turn).at(
            sin * way * radius,
            y + up,
            cos * way * radius,
        ));
    }
    b.add("sesame", seeds, cream);
    b.part("sesame seeds");
}

fn hot_dog(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (bun, meat) = (
        r.paint_of(&["tan", "orange", "brown"], MaterialKind::Plain),
        r.paint_of(&["red", "dark red", "brown", "orange"], MaterialKind::Plain),
    );
    let long = r.between(0.07, 0.09);
    let n = b.segments.max(8);
    let half = capsule(vec3(-long, 0.0, 0.0), vec3(long, 0.0, 0.0), 0.024, n)
        .rot_x(0.3)
        .scale(1.0, 1.0, 0.75)
        .at(0.0, 0.0, 0.02);
    b.add("bun", half.mirrored_z().join(cuboid(long * 1.9, 0.012, 0.04).at(0.0, -0.022, 0.0)), bun);
    let ends = long * r.between(1.05, 1.2);
    let line = curve(&[vec3(-ends, 0.024, 0.0), vec3(0.0, 0.014, 0.0), vec3(ends, 0.024, 0.0)], 5);
    b.add("sausage", tube(&line, 0.014, n).join(sphere(0.014, n).at(ends, 0.024, 0.0).mirrored_x()), meat);
    if r.chance(0.8) {
        let sauce = r.paint_of(&["yellow", "yellow", "red"], MaterialKind::Plain);
        let wave: Vec<_> = (0..=16)
            .map(|i| i as f32 / 8.0 - 1.0)
            .map(|t| vec3(t * long * 0.9, 0.031 + 0.008 * t * t, (t * 14.0).sin() * 0.008))
            .collect();
        b.add("sauce", tube(&wave, 0.0035, 5), sauce);
        b.part(if sauce.color.name == "red" { "ketchup" } else { "mustard" });
    }
    b.build()
}

fn pizza(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let crust = r.paint_of(&["tan", "orange", "brown"], MaterialKind::Plain);
    let cheese = r.paint_of(&["yellow", "orange", "cream", "yellow"], MaterialKind::Plain);
    let radius = r.between(0.14, 0.2);
    let slice = r.chance(0.45);
    let (from, to) = if slice {
        let half = r.between(0.25, 0.42);
        (FRAC_PI_2 - half, FRAC_PI_2 + half)
    } else {
        (0.0, TAU)
    };
    let sector = |size: f32, height: f32| {
        let steps = if slice { 6 } else { 20 };
        let rim = (0..=steps)
            .map(|i| from + (to - from) * i as f32 / steps as f32)
            .map(|a| Vec2::from_angle(a) * size * radius);
        let tip = slice.then_some(Vec2::ZERO);
        let shape: Vec<Vec2> = tip.into_iter().chain(rim).take(if slice { 99 } else { steps }).collect();
        extrude(&shape, height).rot_x(-FRAC_PI_2)
    };
    let t = radius * r.between(0.06, 0.12);
    b.add("base", sector(0.97, t).at(0.0, 0.0, 0.0), crust);
    b.add("cheese", sector(0.9, t * 0.5).at(0.0, t * 0.4, 0.0), cheese);
    let edge: Vec<_> = (0..=20)
        .map(|i| from + (to - from) * i as f32 / 20.0)
        .map(|a| vec3(a.cos(), 0.06 * t, -a.sin()) * radius * 0.95)
        .collect();
    b.add("crust", tube(&edge, t * 0.75, 6).at(0.0, t * 0.15, 0.0), crust);
    let topping = r.paint_of(&["red", "dark red"], MaterialKind::Plain);
    let other = r.paint_of(&["green", "black", "dark green", "white"], MaterialKind::Plain);
    let count = if slice { r.int_between(2, 5) } else { r.int_between(7, 14) };
    for i in 0..count {
        let way = if slice {
            0.35 + 0.45 * (i as f32 / count as f32)
        } else {
            0.25 + 0.55 * ((i * 7 % count) as f32 / count as f32)
        };
        let angle = from
            + (to - from) * (0.25 + 0.5 * r.unit()).min(if slice { 1.0 } else { 0.99 })
            + if slice { 0.0 } else { i as f32 * 2.4 };
        let at = vec3(angle.cos() * way * radius, t * 0.65, -angle.sin() * way * radius);
        b.add(
            "salami",
            cylinder(radius * r.between(0.1, 0.15), t * 0.25, b.segments.clamp(8, 12)).translated(at),
            topping,
        );
    }
    b.part("salami");
    if r.chance(0.5) {
        for i in 0..count {
            let angle = from + (to - from) * ((i as f32 + 0.5) / count as f32);
            let way = radius * (0.3 + 0.5 * ((i * 5 % count) as f32 / count as f32));
            b.add(
                "topping",
                cuboid(radius * 0.09, t * 0.35, radius * 0.05).rot_y(i as f32).at(
                    angle.cos() * way,
                    t * 0.65,
                    -angle.sin() * way,
                ),
                other,
            );
        }
        b.part("toppings");
    }
    b.subcategory(if slice { "pizza slice" } else { "whole pizza" });
    b.adjective(if slice { "triangular" } else { "round" });
    if r.chance(0.25) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }
    b.build()
}

fn cheese(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["yellow", "yellow", "orange", "cream"], MaterialKind::Plain);
    let hole = paint.shade(0.62);
    b.main_color(paint);
    let (long, tall) = (r.between(0.1, 0.16), r.between(0.04, 0.08));
    let half = long * r.between(0.25, 0.5);
    if r.chance(0.25) {
        let rind =
            if r.chance(0.5) { r.paint_of(&["red", "orange", "brown"], MaterialKind::Plain) } else { paint };
        b.add("wheel", cylinder(long, tall * 1.3, b.segments.max(12)), rind);
        let cut = cuboid(long, tall * 1.32, 0.004).at(long * 0.5, 0.0, 0.0);
        b.add("cut", cut.clone().join(cut.rot_y(0.7)), paint.shade(1.2));
        b.subcategory("wheel of cheese");
        return b.build();
    }
    let shape = if r.chance(0.7) {
        let rim = arc(long, FRAC_PI_2 - half / long, FRAC_PI_2 + half / long, 4);
        [Vec2::ZERO].into_iter().chain(rim.iter().map(|p| vec2(p.x, p.y))).collect::<Vec<_>>()
    } else {
        outline(&[(0.0, 0.0), (half * 1.3, long * 0.9), (-half * 0.7, long)])
    };
    b.add("wedge", extrude(&shape, tall).rot_x(-FRAC_PI_2).grounded(), paint);
    let lean = shape[1].normalize();
    for _ in 0..r.int_between(3, 8) {
        let way = r.between(0.25, 0.9) * long;
        let size = r.between(0.08, 0.2) * tall;
        let side = r.index(3);
        let y = r.between(0.2, 0.8) * tall;
        let ball = ellipsoid(size, size, size, 8);
        let dent = if side == 0 {
            ball.scale(1.0, 0.25, 1.0).at(r.between(-0.4, 0.4) * half * way / long, tall, -way)
        } else {
            let x = lean.x * way * if side == 1 { 1.0 } else { -1.0 };
            ball.scale(0.35, 1.0, 1.0).at(x, y, -lean.y * way)
        };
        b.add("hole", dent, hole);
    }
    b.part("holes");
    b.adjective("triangular");
    b.build()
}

fn bread(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let crust = r.paint_of(&["brown", "tan", "orange"], MaterialKind::Plain);
    let crumb = r.paint_of(&["cream", "beige"], MaterialKind::Plain);
    b.main_color(crust);
    let loaf = |w: f32, h: f32| {
        smooth_outline(
            &[(w * 0.42, 0.0), (w * 0.44, h * 0.55), (w * 0.52, h * 0.75), (w * 0.35, h * 0.98), (0.0, h)],
            2,
        )
        .iter()
        .map(|p| (p.x, p.y))
        .collect::<Vec<_>>()
    };
    match r.index(3) {
        0 => {
            let long = r.between(0.12, 0.3);
            b.add(
                "loaf",
                loft(
                    &[
                        ring(0.0, 0.03, -long, 0.012, 0.01),
                        ring(0.0, 0.035, -long * 0.75, 0.035, 0.03),
                        ring(0.0, 0.04, 0.0, 0.045, 0.04),
                        ring(0.0, 0.035, long * 0.75, 0.035, 0.03),
                        ring(0.0, 0.03, long, 0.012, 0.01),
                    ],
                    b.segments.max(8),
                ),
                crust,
            );
            let cuts = r.int_between(3, 5);
            let cut = ellipsoid(0.03, 0.008, 0.006, 8).rot_y(0.6).at(0.0, 0.07, -long * 0.5);
            b.add("cuts", cut.linear_array(cuts, vec3(0.0, 0.0, long / (cuts - 1) as f32)), crumb);
            b.subcategory(if long > 0.2 { "baguette" } else { "bread roll" });
        }
        1 => {
            let (w, h) = (0.11, r.between(0.1, 0.13));
            b.add("crust", extrude(&mirrored(&loaf(w, h)), 0.016), crust);
            b.add(
                "crumb",
                extrude(&mirrored(&loaf(w * 0.88, h * 0.88)), 0.0175).at(0.0, h * 0.06, 0.0),
                crumb,
            );
            b.subcategory("slice of bread");
        }
        _ => {
            let (w, h) = (0.11, r.between(0.09, 0.12));
            let long = r.between(0.14, 0.24);
            b.add("loaf", extrude(&mirrored(&loaf(w, h)), long), crust);
            b.add(
                "crumb",
                extrude(&mirrored(&loaf(w * 0.9, h * 0.9)), long * 1.01).at(0.0, h * 0.05, 0.0),
                crumb,
            );
            if r.chance(0.5) {
                for i in 0..2 {
                    let z = long * 0.5 + 0.03 + 0.03 * i as f32;
                    b.add(
                        "slice",
                        extrude(&mirrored(&loaf(w, h)), 0.014).rot_x(0.15 + 0.2 * i as f32).at(0.0, 0.0, z),
                        crust,
                    );
                }
                b.part("slices");
            }
        }
    }
    b.build()
}

fn sandwich(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let bread = r.paint_of(&["tan", "beige", "cream", "brown"], MaterialKind::Plain);
    let s = r.between(0.1, 0.12);
    let triangle = r.chance(0.6);
    let layer = |size: f32, height: f32| {
        let k = s * size;
        if triangle {
            extrude(&outline(&[(-k, 0.0), (k, 0.0), (0.0, k)]), height).rot_x(-FRAC_PI_2).grounded()
        } else {
            rounded_box(k * 1.4, height, k * 1.4, height * 0.3, 1)
        }
    };
    let fill = [
        r.paint_of(&["green", "light green"], MaterialKind::Plain),
        r.paint_of(&["yellow", "orange"], MaterialKind::Plain),
        r.paint_of(&["pink", "red"], MaterialKind::Plain),
    ];
    let mut y = 0.018;
    b.add("bread", layer(1.0, y), bread);
    for (i, paint) in fill.iter().enumerate() {
        let height = r.between(0.005, 0.01);
        b.add("filling", layer(1.04 - 0.02 * i as f32, height).at(0.0, y, 0.0), *paint);
        y += height;
    }
    b.add("bread", layer(1.0, 0.018).at(0.0, y, 0.0), bread);
    b.part("cheese and lettuce");
    b.adjective(if triangle { "triangular" } else { "square" });
    b.build()
}

fn fries(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paper = r.paint_of(&["red", "red", "white", "yellow", "blue"], MaterialKind::Plain);
    let potato = r.paint_of(&["yellow", "orange", "cream"], MaterialKind::Plain);
    let (w, h) = (r.between(0.06, 0.08), r.between(0.07, 0.09));
    let box_ = frustum(0.6, 0.75, h, 4).scale(w, 1.0, w * 0.45);
    b.add("box", box_, paper);
    for i in 0..r.int_between(14, 24) {
        let (x, z) = (r.between(-0.42, 0.42) * w, r.between(-0.16, 0.16) * w);
        let tall = h * r.between(0.3, 0.75) * (1.0 - (x / w).abs() * 0.5);
        let fry = cuboid(0.008, tall + h * 0.2, 0.008).rot(r.between(-0.15, 0.15), i as f32, -x * 4.0);
        b.add("fry", fry.at(x, h * 0.8, z), potato);
    }
    b.colored_part("box", paper);
    b.build()
}

fn steak(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let meat = r.paint_of(&["red", "dark red", "brown"], MaterialKind::Plain);
    let fat = r.paint_of(&["cream", "white", "pink"], MaterialKind::Plain);
    b.main_color(meat);
    let t = r.between(0.02, 0.04);
    let shape = smooth_outline(
        &[
            (0.0, -0.05),
            (0.06, -0.06),
            (0.09, 0.0),
            (0.05, 0.07),
            (-0.03, 0.05),
            (-0.08, 0.06),
            (-0.1, 0.0),
            (-0.06, -0.05),
            (0.0, -0.05),
        ],
        3,
    );
    let inner: Vec<_> = shape.iter().map(|p| *p * 0.86).collect();
    b.add("fat", extrude(&shape[1..], t).rot_x(-FRAC_PI_2), fat);
    b.add("meat", extrude(&inner[1..], t * 1.08).rot_x(-FRAC_PI_2), meat);
    let bone = washer(0.018, 0.009, t * 1.2, 10).centered();
    b.add("bone", bone.at(-0.05, 0.0, 0.0), fat);
    b.part("a bone");
    b.build()
}

fn drumstick(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let meat = r.paint_of(&["brown", "orange", "tan", "dark red"], MaterialKind::Plain);
    let bone = r.paint_of(&["white", "cream"], MaterialKind::Plain);
    b.main_color(meat);
    let profile = smooth_outline(
        &[(0.0, 0.0), (0.026, 0.006), (0.036, 0.035), (0.02, 0.075), (0.012, 0.095), (0.0, 0.097)],
        3,
    );
    b.add("meat", lathe(&profile, b.segments.max(8)).scale(1.0, r.between(0.9, 1.2), 1.0), meat);
    b.add(
        "bone",
        cylinder(0.006, 0.05, 8)
            .at(0.0, 0.085, 0.0)
            .join(sphere(0.009, 8).at(0.006, 0.137, 0.0).mirrored_x()),
        bone,
    );
    b.part("a bone");
    if r.chance(0.6) {
        b.transform(glam::Affine3A::from_rotation_z(FRAC_PI_2 * r.between(0.5, 1.1)));
    }
    b.build()
}

fn sushi(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (rice, black) =
        (r.paint("white", MaterialKind::Plain), r.paint_of(&["black", "dark green"], MaterialKind::Plain));
    let fish = r.paint_of(&["orange", "red", "pink"], MaterialKind::Plain);
    if r.chance(0.5) {
        b.add("rice", rounded_box(0.05, 0.018, 0.024, 0.008, 2), rice);
        let slab = rounded_box(0.062, 0.009, 0.028, 0.004, 2)
            .subdivided()
            .map(|p| vec3(p.x, p.y - p.x * p.x * 6.0, p.z));
        b.add("fish", slab.at(0.0, 0.019, 0.0), fish);
        if r.chance(0.4) {
            b.add("seaweed", cuboid(0.012, 0.029, 0.031), black);
        }
        b.subcategory("nigiri");
    } else {
        let n = b.segments.max(10);
        b.add("seaweed", washer(0.022, 0.02, 0.024, n), black);
        b.add("rice", cylinder(0.0205, 0.025, n), rice);
        b.add("filling", cylinder(0.009, 0.027, n.min(8)), fish);
        b.subcategory("sushi roll");
    }
    b.colored_part("fish", fish);
    b.build()
}
