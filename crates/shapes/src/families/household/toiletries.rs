//! Small things of the bathroom.

use glam::vec3;

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("toothbrush", &[], "bathroom", toothbrush),
    Category::new("toothpaste", &["tube of toothpaste", "toothpaste tube"], "bathroom", toothpaste),
    Category::new("comb", &["hair comb"], "bathroom", comb),
    Category::new("soap", &["bar of soap"], "bathroom", soap),
    Category::new("toilet paper", &["toilet roll"], "bathroom", toilet_paper),
];

fn toothbrush(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (paint, bristle) = (
        r.painted(MaterialKind::Plastic),
        r.paint_of(&["white", "white", "light blue", "green", "blue"], MaterialKind::Plastic),
    );
    b.main_paint(paint);
    let long = r.between(0.16, 0.19);
    let w = 0.006;
    let bow = r.between(0.0, 0.01);
    let line = curve(
        &[
            vec3(0.0, 0.0, 0.0),
            vec3(0.0, long * 0.3, bow),
            vec3(0.0, long * 0.6, 0.0),
            vec3(0.0, long * 0.82, -bow * 0.5),
        ],
        4,
    );
    let grip = tube_with(&line, |t| w * (0.75 + 0.45 * (t * 3.6).sin().max(0.0) - 0.3 * t), 8);
    b.add("handle", grip.scale(1.0, 1.0, 0.75), paint);
    b.add(
        "head",
        rounded_box(w * 2.0, long * 0.17, w * 0.8, w * 0.35, 2).at(0.0, long * 0.81, -bow * 0.4),
        paint,
    );
    let rows = r.int_between(3, 6);
    let tuft =
        cuboid(w * 1.5, long * 0.13 / rows as f32 * 0.8, w * 1.9).at(0.0, long * 0.83, -bow * 0.4 + w * 1.2);
    b.add("bristles", tuft.linear_array(rows, vec3(0.0, long * 0.14 / rows as f32, 0.0)), bristle);
    b.colored_part("bristles", bristle);
    b.build_lying(r)
}

fn toothpaste(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (tube_paint, cap) = (
        r.paint_of(
            &["white", "white", "light blue", "red", "blue", "green", "light gray"],
            MaterialKind::Plastic,
        ),
        r.paint_of(&["white", "red", "blue", "green", "light blue"], MaterialKind::Plastic),
    );
    b.main_paint(tube_paint);
    let n = b.segments.max(10);
    let (radius, long) = (r.between(0.017, 0.024), r.between(0.11, 0.15));
    // Round at the neck, pressed flat at the fold.
    let rings: Vec<Ring> = (0..=5)
        .map(|i| i as f32 / 5.0)
        .map(|t| ring(0.0, t * long, 0.0, radius * (1.25 - 0.25 * t), radius * (0.06 + 0.94 * t.powf(0.8))))
        .collect();
    b.add("tube", loft(&rings, n), tube_paint);
    b.add("fold", cuboid(radius * 2.5, 0.008, 0.004).at(0.0, -0.004, 0.0), tube_paint.shade(0.85));
    b.add("shoulder", frustum(radius, radius * 0.45, 0.008, n).at(0.0, long, 0.0), tube_paint);
    b.add(
        "cap",
        frustum(radius * r.between(0.5, 0.95), radius * r.between(0.45, 0.8), 0.022, n).at(
            0.0,
            long + 0.007,
            0.0,
        ),
        cap,
    );
    b.colored_part("cap", cap);
    if r.chance(0.6) {
        let band = r.painted(MaterialKind::Plain);
        let wrap: Vec<Ring> = [0.3_f32, 0.6]
            .iter()
            .map(|&t| {
                ring(
                    0.0,
                    t * long,
                    0.0,
                    radius * (1.25 - 0.25 * t) * 1.02,
                    radius * (0.06 + 0.94 * t.powf(0.8)) * 1.03,
                )
            })
            .collect();
        b.add("print", loft(&wrap, n), band);
        b.colored_part("stripe", band);
    }
    if r.chance(0.5) {
        b.transform(glam::Affine3A::from_rotation_x(PI));
        return b.build();
    }
    b.build_lying(r)
}

fn comb(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = if r.chance(0.3) { r.wood() } else { r.painted(MaterialKind::Plastic) };
    b.main_paint(paint);
    let (long, tall) = (r.between(0.13, 0.18), r.between(0.025, 0.035));
    b.add("back", b.block(long, tall * 0.45, 0.004).at(0.0, tall * 0.6, 0.0), paint);
    let teeth = r.int_between(16, 30);
    let grip = if r.chance(0.4) { 0.35 } else { 0.0 };
    let field = long * (1.0 - grip);
    let step = field / teeth as f32;
    b.add(
        "teeth",
        cuboid(step * 0.5, tall * 0.65, 0.003).linear_array(teeth, vec3(step, 0.0, 0.0)).at(
            -long / 2.0 + step * 0.5,
            0.0,
            0.0,
        ),
        paint,
    );
    b.part("teeth");
    b.build_lying(r)
}

fn soap(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = r.paint_of(
        &["pink", "white", "light green", "light blue", "yellow", "cream", "purple"],
        MaterialKind::Plain,
    );
    b.main_color(paint);
    let (w, h, d) = (r.between(0.07, 0.09), r.between(0.02, 0.03), r.between(0.045, 0.055));
    b.add("bar", rounded_box(w, h, d, h * 0.45, 3), paint);
    b.add(
        "stamp",
        rounded_box(w * 0.6, 0.002, d * 0.5, 0.0009, 1).at(0.0, h - 0.001, 0.0),
        paint.shade(0.85),
    );
    if r.chance(0.4) {
        let dish = r.painted(MaterialKind::Ceramic);
        b.add("dish", rounded_box(w * 1.3, 0.01, d * 1.4, 0.004, 1).at(0.0, -0.01, 0.0), dish);
        b.part("a soap dish");
    }
    if r.chance(0.5) {
        let foam = r.paint("white", MaterialKind::Plain);
        for i in 0..6 {
            let (sin, cos) = (i as f32 * 1.3).sin_cos();
            b.add("bubbles", sphere(r.between(0.004, 0.009), 8).at(cos * w * 0.4, h, sin * d * 0.35), foam);
        }
        b.part("bubbles");
    }
    b.build()
}

fn toilet_paper(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (paper, core) = (
        r.paint_of(&["white", "white", "cream", "pink"], MaterialKind::Plain),
        r.paint_of(&["tan", "brown"], MaterialKind::Plain),
    );
    b.main_color(paper);
    let n = b.segments.max(12);
    let (radius, h) = (r.between(0.045, 0.06), 0.1);
    b.add("roll", washer(radius, radius * 0.38, h, n), paper);
    b.add("core", washer(radius * 0.38, radius * 0.35, h * 1.01, n), core);
    if r.chance(0.7) {
        b.add(
            "sheet",
            rect(h, radius * r.between(1.0, 2.5)).rot_z(FRAC_PI_2).rot_x(0.0).at(0.0, h / 2.0, radius),
            paper,
        );
        b.part("a loose sheet");
    }
    if r.chance(0.4) {
        b.transform(glam::Affine3A::from_rotation_z(FRAC_PI_2));
    }
    b.build()
}
