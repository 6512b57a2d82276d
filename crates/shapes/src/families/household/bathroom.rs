//! Fixtures with water.

use glam::vec3;

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("bathtub", &["bath", "tub"], "bathroom", bathtub),
    Category::new("toilet", &["lavatory"], "bathroom", toilet),
    Category::new("sink", &["washbasin", "basin"], "bathroom", sink),
];

fn white(r: &mut Rng) -> Paint {
    if r.chance(0.8) {
        r.paint_of(&["white", "white", "light gray", "gray", "cream"], MaterialKind::Ceramic)
    } else {
        r.painted(MaterialKind::Ceramic)
    }
}

fn tap(b: &mut Builder, at: glam::Vec3, size: f32, metal: Paint) {
    let line = curve(
        &[
            vec3(0.0, 0.0, 0.0),
            vec3(0.0, size * 0.8, 0.0),
            vec3(0.0, size, size * 0.4),
            vec3(0.0, size * 0.8, size * 0.75),
        ],
        3,
    );
    b.add("tap", tube(&line, size * 0.1, 6).translated(at), metal);
    b.add(
        "valves",
        cylinder(size * 0.12, size * 0.3, 6).at(size * 0.45, 0.0, 0.0).mirrored_x().translated(at),
        metal,
    );
    b.part("a faucet");
}

fn bathtub(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = white(r);
    let metal = r.paint_of(&["silver", "light gray", "gold"], MaterialKind::Metal);
    b.main_paint(paint);
    let (w, d, h) = (r.between(1.4, 1.8), r.between(0.7, 0.85), r.between(0.45, 0.62));
    let square = r.between(0.0, 0.85);
    let foot = r.between(0.72, 0.92);
    let profile = outline(&[
        (foot, 0.0),
        (1.0, h * 0.96),
        (1.05, h * 0.97),
        (1.05, h),
        (0.9, h),
        (foot * 0.82, h * 0.18),
        (0.0, h * 0.15),
    ]);
    let n = (b.segments.max(12) / 4) * 4;
    let body = lathe_square(&profile, n, square).scale(w / 2.0, 1.0, d / 2.0);
    let claws = r.chance(0.35);
    let lift = if claws { 0.12 } else { 0.0 };
    b.add("tub", body.at(0.0, lift, 0.0), paint);
    if claws {
        let foot = tapered_rod(vec3(0.0, 0.0, 0.0), vec3(-0.06, lift + 0.06, -0.03), 0.035, 0.06, 6).at(
            w * 0.34,
            0.0,
            d * 0.3,
        );
        b.add("feet", foot.mirrored_x().mirrored_z(), metal);
        b.part("clawed feet");
    }
    tap(&mut b, vec3(-w * 0.46, h + lift, 0.0), 0.16, metal);
    if r.chance(0.3) {
        let water = r.paint_of(&["light blue", "teal", "blue"], MaterialKind::Glass);
        let level =
            lathe_square(&outline(&[(0.88, 0.0), (0.88, 0.01)]), n, square).scale(w / 2.0, 1.0, d / 2.0);
        b.add("water", level.at(0.0, lift + h * 0.75, 0.0), water);
        b.part("water");
    }
    b.build()
}

fn toilet(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = white(r);
    b.main_paint(paint);
    let n = b.segments.max(10);
    let (h, w) = (r.between(0.38, 0.44), r.between(0.36, 0.42));
    let long = r.between(1.15, 1.4);
    let foot = r.between(0.5, 0.7);
    let outer = smooth_outline(&[(foot, 0.0), (foot * 0.85, h * 0.35), (0.95, h * 0.85), (1.0, h)], 2);
    let bowl: Vec<_> =
        outer.iter().copied().chain(outline(&[(0.75, h), (0.4, h * 0.55), (0.0, h * 0.5)])).collect();
    let stretch = move |p: glam::Vec3| {
        vec3(p.x * w / 2.0, p.y, if p.z > 0.0 { p.z * w / 2.0 * long } else { p.z * w / 2.0 })
    };
    b.add("bowl", lathe(&bowl, n).map(stretch), paint);
    let seat_paint = if r.chance(0.25) {
        r.paint_of(&["black", "brown", "tan", "pink"], MaterialKind::Plastic)
    } else {
        paint.shade(1.05)
    };
    b.add("seat", washer(1.03, 0.68, 0.025, n).map(stretch).at(0.0, h, 0.0), seat_paint);
    let back = -w * 0.5;
    b.add("rear", b.block(w * 0.62, h, w * 0.4).at(0.0, 0.0, back), paint);
    let lid = cylinder(1.02, 0.02, n).map(stretch);
    if r.chance(0.7) {
        b.add(
            "lid",
            lid.at(0.0, 0.0, w * 0.48).rot_x(-FRAC_PI_2 * 0.92).at(0.0, h + 0.03, back + w * 0.1),
            seat_paint,
        );
        b.part("an open lid");
    } else {
        b.add("lid", lid.at(0.0, h + 0.026, 0.0), seat_paint);
    }
    let tank = r.between(0.3, 0.42);
    b.add(
        "tank",
        b.block(w * 1.05, tank, 0.19).profile_y(|t| 0.93 + 0.07 * t).at(0.0, h - 0.02, back - w * 0.2),
        paint,
    );
    b.add("tank lid", b.block(w * 1.12, 0.035, 0.21).at(0.0, h + tank - 0.02, back - w * 0.2), paint);
    let metal = r.paint("silver", MaterialKind::Metal);
    b.add("lever", cuboid(0.07, 0.018, 0.02).at(-w * 0.35, h + tank * 0.8, back - w * 0.2 + 0.105), metal);
    b.part("a water tank");
    b.build()
}

fn sink(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let paint = white(r);
    let metal = r.paint("silver", MaterialKind::Metal);
    b.main_paint(paint);
    let n = b.segments.max(12) / 4 * 4;
    let (w, d) = (r.between(0.45, 0.65), r.between(0.38, 0.5));
    let square = r.between(0.0, 0.9);
    let basin = |h: f32| {
        let profile =
            outline(&[(0.6, 0.0), (0.95, h * 0.7), (1.0, h), (0.85, h), (0.55, h * 0.25), (0.0, h * 0.2)]);
        lathe_square(&profile, n, square).scale(w / 2.0, 1.0, d / 2.0)
    };
    let top = r.between(0.78, 0.88);
    if r.chance(0.5) {
        b.add(
            "pedestal",
            lathe(&smooth_outline(&[(0.13, 0.0), (0.08, 0.2), (0.09, top - 0.15)], 3), n),
            paint,
        );
        b.part("a pedestal");
    } else {
        let wood = r.wood();
        b.add("cabinet", b.block(w * 1.25, top - 0.12, d * 1.05), wood);
        b.add(
            "doors",
            cuboid(w * 0.55, top - 0.25, 0.02).at(w * 0.3, 0.06, d * 0.53).mirrored_x(),
            wood.shade(1.2),
        );
        b.add("knobs", sphere(0.018, 8).at(w * 0.08, top * 0.6, d * 0.56).mirrored_x(), metal);
        b.add("counter", cuboid(w * 1.3, 0.03, d * 1.1).at(0.0, top - 0.13, 0.0), paint);
        b.part("a cabinet");
    }
    b.add("basin", basin(0.17).at(0.0, top - 0.17, 0.0), paint);
    tap(&mut b, vec3(0.0, top, -d * 0.44), 0.16, metal);
    b.build()
}
