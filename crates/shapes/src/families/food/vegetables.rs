//! Vegetables and an egg.

use glam::{Vec3, vec2, vec3};

use super::fruit::stem;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("avocado", &[], "food", avocado),
    Category::new("carrot", &[], "food", carrot),
    Category::new("pumpkin", &["gourd", "squash"], "food", pumpkin),
    Category::new("tomato", &[], "food", tomato),
    Category::new("corn", &["ear of corn", "maize"], "food", corn),
    Category::new("egg", &["easter egg"], "food", egg),
];

fn avocado(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let skin = r.paint_of(&["dark green", "dark green", "green", "black"], MaterialKind::Plain);
    let flesh = r.paint_of(&["light green", "cream", "yellow"], MaterialKind::Plain);
    let pit = r.paint_of(&["brown", "dark brown"], MaterialKind::Plain);
    let s = 0.04;
    let tall = r.between(2.5, 2.9);
    let profile = smooth_outline(
        &[(0.0, 0.0), (0.65, 0.12), (1.0, 0.9), (0.72, tall * 0.65), (0.42, tall * 0.92), (0.0, tall)],
        4,
    );
    let n = b.segments.max(10);
    b.main_color(skin);
    if r.chance(0.25) {
        b.add("skin", lathe(&profile, n).scaled(s), skin);
        stem(r, &mut b, s * tall * 0.98, s * 0.15, s * 0.08);
        return b.build();
    }
    let half = lathe(&profile, n).scaled(s).map(|p| vec3(p.x, p.y, p.z.min(0.0)));
    b.add("skin", half, skin);
    let face: Vec<(f32, f32)> =
        profile.iter().map(|p| (p.x * s * 0.92, (p.y + tall * 0.03) * s * 0.95)).collect();
    b.add("flesh", extrude(&mirrored(&face), s * 0.05), flesh);
    let rim: Vec<(f32, f32)> = profile.iter().map(|p| (p.x * s, p.y * s)).collect();
    b.add("rim", extrude(&mirrored(&rim), s * 0.03), skin);
    if r.chance(0.85) {
        b.add("pit", sphere(s * r.between(0.4, 0.5), n.min(14)).at(0.0, s * 0.95, s * 0.08), pit);
        b.part("a brown pit");
    }
    b.subcategory("avocado half");
    if r.chance(0.5) {
        b.transform(glam::Affine3A::from_rotation_x(-FRAC_PI_2));
    }
    b.build()
}

fn carrot(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint("orange", MaterialKind::Plain);
    let green = r.paint_of(&["green", "dark green", "light green"], MaterialKind::Plain);
    b.main_color(paint);
    let long = r.between(0.12, 0.2);
    let radius = long * r.between(0.1, 0.2);
    let profile = smooth_outline(
        &[
            (0.0, 0.0),
            (radius * 0.35, long * 0.15),
            (radius * 0.8, long * 0.65),
            (radius, long * 0.93),
            (radius * 0.5, long),
        ],
        3,
    );
    b.add("root", lathe(&profile, b.segments.clamp(6, 12)), paint);
    let leaves = r.int_between(3, 7);
    let one = if r.chance(0.5) {
        leaf(long * r.between(0.35, 0.6), radius * 1.2, 0.0, 0.2).rot_x(-FRAC_PI_2 * r.between(0.6, 0.9))
    } else {
        tapered_rod(Vec3::ZERO, vec3(0.0, long * r.between(0.3, 0.5), radius), radius * 0.15, radius * 0.3, 5)
    };
    b.add("leaves", one.radial_array_y(leaves).at(0.0, long * 0.97, 0.0), green);
    b.part("green leaves");
    if r.chance(0.5) {
        b.transform(glam::Affine3A::from_rotation_x(FRAC_PI_2));
    }
    b.build()
}

fn pumpkin(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["orange", "orange", "orange", "white", "green"], MaterialKind::Plain);
    let green = r.paint_of(&["green", "dark green", "brown"], MaterialKind::Plain);
    b.main_color(paint);
    let s = r.between(0.12, 0.2);
    let flat = r.between(0.65, 0.95);
    let ribs = r.int_between(6, 10);
    let body = if r.chance(0.5) {
        let deep = r.between(0.06, 0.14);
        lathe(&smooth_outline(&[(0.0, 0.08), (0.5, 0.0), (1.0, 0.9), (0.55, 1.75), (0.0, 1.62)], 3), ribs * 4)
            .map(|p| {
                let groove = 1.0 - deep * (1.0 + (p.x.atan2(p.z) * ribs as f32).cos()) * 0.5;
                vec3(p.x * groove, p.y, p.z * groove)
            })
    } else {
        ellipsoid(0.42, 0.88, 0.5, 8).at(0.0, 0.88, 0.55).radial_array_y(ribs)
    };
    b.add("body", body.scale(s, s * flat, s), paint);
    let top = s * flat * 1.62;
    b.add("stem", cylinder(s * 0.12, s * 0.35, 6).taper_y(0.7).bend_z(0.5).at(0.0, top, 0.0), green);
    b.part("a stem");
    if r.chance(0.3) {
        let dark = if r.chance(0.5) {
            r.paint("black", MaterialKind::Plain)
        } else {
            r.paint("yellow", MaterialKind::Plain).emissive(0.6)
        };
        let eye = extrude(&circle(s * 0.2, 3), s * 0.5).at(s * 0.34, s * flat * 1.05, s * 0.78).mirrored_x();
        let mouth = outline(&[
            (-0.5, 0.15),
            (-0.25, 0.0),
            (0.25, 0.0),
            (0.5, 0.15),
            (0.3, -0.15),
            (0.12, -0.05),
            (0.0, -0.2),
            (-0.12, -0.05),
            (-0.3, -0.15),
        ]);
        let mouth: Vec<_> = mouth.iter().map(|p| *p * s).collect();
        b.add("eyes", eye, dark);
        b.add("mouth", extrude(&mouth, s * 0.5).at(0.0, s * flat * 0.6, s * 0.78), dark);
        b.subcategory("jack-o'-lantern");
        b.part("a carved face");
    }
    b.build()
}

fn tomato(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(&["red", "red", "red", "orange", "green"], MaterialKind::Plain);
    let green = r.paint_of(&["green", "dark green"], MaterialKind::Plain);
    b.main_color(paint);
    let s = r.between(0.03, 0.04);
    let h = r.between(0.75, 0.92);
    b.add("flesh", ellipsoid(s, s * h, s, b.segments.max(8)), paint);
    let sepal = leaf(s * 0.55, s * 0.2, -s * 0.12, 0.0).radial_array_y(5);
    b.add("sepals", sepal.at(0.0, s * (h + 0.02), 0.0), green);
    b.add("stalk", cylinder(s * 0.06, s * 0.25, 5).at(0.0, s * h, 0.0), green);
    b.adjective("round");
    b.build()
}

fn corn(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let yellow = r.paint("yellow", MaterialKind::Plain);
    let green = r.paint_of(&["green", "light green"], MaterialKind::Plain);
    b.main_color(yellow);
    let (radius, height) = (0.024, r.between(0.14, 0.19));
    let profile = smooth_outline(
        &[(radius * 0.8, 0.0), (radius, height * 0.3), (radius * 0.8, height * 0.75), (0.0, height)],
        3,
    );
    let n = b.segments.max(8);
    b.add("cob", lathe(&profile, n).displaced(radius * 0.06, r), yellow);
    let husk = leaf(height * r.between(0.6, 0.8), radius * 2.6, radius, 0.5).rot_x(-FRAC_PI_2).at(
        0.0,
        0.0,
        radius * 0.5,
    );
    b.add("husk", husk.radial_array_y(r.int_between(2, 4)), green);
    b.add("stalk", cylinder(radius * 0.4, height * 0.15, 6).at(0.0, -height * 0.13, 0.0), green);
    b.part("green husk leaves");
    b.build()
}

fn egg(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let plain = r.chance(0.65);
    let paint = if plain {
        r.paint_of(&["white", "beige", "cream", "tan"], MaterialKind::Plain)
    } else {
        r.painted(MaterialKind::Plain)
    };
    b.main_color(paint);
    let s = r.between(0.02, 0.026);
    let n = b.segments.max(8);
    let width = |t: f32| (1.0 - t * t).max(0.0).sqrt() * (1.0 - 0.18 * t);
    let profile: Vec<_> =
        (0..=10).map(|i| i as f32 / 5.0 - 1.0).map(|t| vec2(width(t) * s, t * s * 1.32)).collect();
    b.add("shell", lathe(&profile, n), paint);
    if !plain {
        let band = r.painted(MaterialKind::Plain);
        for t in [-0.25_f32, 0.25] {
            let ends = [t - 0.1, t + 0.1].map(|t| vec2(width(t) * s * 1.02, t * s * 1.32));
            b.add("stripe", lathe_open(&ends, n), band);
        }
        b.subcategory("easter egg");
        b.colored_part("stripes", band);
    }
    if r.chance(0.3) {
        let holder = r.painted(MaterialKind::Ceramic);
        b.add(
            "egg cup",
            lathe(
                &vessel(
                    &outline(&[
                        (s * 0.7, -s * 2.4),
                        (s * 0.3, -s * 1.8),
                        (s * 0.9, -s * 1.0),
                        (s * 1.05, -s * 0.3),
                    ]),
                    s * 0.1,
                ),
                n,
            ),
            holder,
        );
        b.part("an egg cup");
    }
    b.build()
}
