//! What runs on rails or on two wheels, and wheels themselves.

use glam::{Vec3, vec2, vec3};

use super::{vehicle, wheel_at};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    vehicle("train", &["locomotive"], train),
    vehicle("bicycle", &["bike"], bicycle),
    vehicle("motorcycle", &["motorbike"], motorcycle),
    vehicle("wheel", &["tire", "car wheel"], wheel),
];

fn train(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint =
        rng.paint_of(&["black", "red", "blue", "green", "dark green", "dark red"], MaterialKind::Metal);
    let accent = rng.paint_of(&["red", "gold", "yellow", "black", "white"], MaterialKind::Metal);
    let dark = rng.paint_of(&["black", "dark gray"], MaterialKind::Metal);
    if rng.chance(0.3) {
        modern_train(rng, &mut b, [paint, accent, dark]);
        return b.build();
    }
    let r = rng.between(0.75, 0.95);
    let (l, y) = (rng.between(3.4, 4.4), 1.0 + r);
    b.add(
        "boiler",
        cylinder(r, l, b.segments.max(10)).at(0.0, -l / 2.0, 0.0).rot_x(FRAC_PI_2).at(0.0, y, 0.4),
        paint,
    );
    b.add(
        "smokebox",
        cylinder(r * 1.06, 0.25, b.segments.max(10)).rot_x(FRAC_PI_2).at(0.0, y, 0.4 + l / 2.0 - 0.2),
        dark,
    );
    let z = -l / 2.0 - 0.35;
    b.add("cab", open_cab(2.1, 2.2).at(0.0, 1.0, z), paint);
    b.add("roof", b.block(2.4, 0.16, 2.1).at(0.0, 3.2, z), accent);
    b.add(
        "chimney",
        lathe(&[vec2(0.24, 0.0), vec2(0.22, 0.6), vec2(0.4, 0.95), vec2(0.34, 1.05)], b.segments.max(8)).at(
            0.0,
            y + r * 0.9,
            l * 0.38,
        ),
        dark,
    );
    b.add("dome", dome(0.34, 0.45, b.segments.max(8)).at(0.0, y + r * 0.9, 0.2), accent);
    b.add("frame", cuboid(1.8, 0.3, l + 2.4).at(0.0, 0.85, -0.3), accent);
    let catcher = wedge([1.9, l / 2.0 + 0.3, l / 2.0 + 1.2, 0.15], [1.4, l / 2.0 + 0.3, l / 2.0 + 0.6, 0.95]);
    b.add("cowcatcher", catcher, accent);
    let hub = accent;
    for side in [-1.0, 1.0] {
        for i in 0..3 {
            wheel_at(&mut b, 0.55, 0.16, vec3(side * 0.95, 0.0, -1.7 + 1.2 * i as f32), hub, dark);
        }
        wheel_at(&mut b, 0.35, 0.16, vec3(side * 0.95, 0.0, l * 0.5), hub, dark);
        b.add("rod", cuboid(0.06, 0.12, 2.6).at(side * 1.08, 0.5, -0.5), accent);
    }
    b.add(
        "lamp",
        cylinder(0.2, 0.25, 8).rot_x(FRAC_PI_2).at(0.0, y + r * 0.75, 0.4 + l / 2.0),
        rng.paint("yellow", MaterialKind::Glass),
    );
    b.main_color(paint);
    b.subcategory("steam locomotive");
    b.part("a chimney");
    b.part("wheels");
    b.build()
}

fn modern_train(rng: &mut Rng, b: &mut Builder, [paint, accent, dark]: [Paint; 3]) {
    let (w, l, h) = (2.6, rng.between(9.0, 14.0), rng.between(2.3, 2.8));
    let profile = [
        (-l / 2.0, 0.6),
        (l / 2.0, 0.6),
        (l / 2.0 + 0.5, 1.2),
        (l / 2.0 - rng.between(0.3, 1.8), 0.6 + h),
        (-l / 2.0, 0.6 + h),
    ];
    b.add("body", side_profile(&profile, w), paint);
    b.add("stripe", cuboid(w * 1.01, 0.25, l).at(0.0, 1.2, 0.0), accent);
    let glass = rng.paint_of(&["black", "light blue", "dark gray"], MaterialKind::Glass);
    b.add(
        "windows",
        cuboid(w * 1.02, 0.7, 0.9).at(0.0, 1.9, -l * 0.42).linear_array(6, vec3(0.0, 0.0, l * 0.14)),
        glass,
    );
    b.add("bogies", cuboid(w * 0.8, 0.6, 2.0).at(0.0, 0.1, l * 0.32).mirrored_z(), dark);
    b.subcategory(if rng.chance(0.5) { "passenger train" } else { "diesel locomotive" });
    b.main_color(paint);
    b.part("windows");
}

fn open_cab(w: f32, h: f32) -> Solid {
    let post = cuboid(0.14, h, 0.14).at(w / 2.0 - 0.07, 0.0, 0.85).mirrored_x().mirrored_z();
    open_box(w, h * 0.5, 1.9, 0.1).join(post).join(cuboid(w, h, 0.1).at(0.0, 0.0, 0.9))
}

fn spoked(b: &mut Builder, at: Vec3, r: f32, [tire, metal]: [Paint; 2]) {
    let turn = |s: Solid| s.rot_z(FRAC_PI_2).translated(at);
    b.add("tire", turn(torus(r, r * 0.07, 20, 6)), tire);
    let spokes =
        Solid::union((0..8).map(|i| {
            cuboid(r * 0.025, r * 1.9, r * 0.025).at(0.0, -r * 0.95, 0.0).rot_x(PI * i as f32 / 8.0)
        }));
    b.add("spokes", spokes.translated(at), metal);
    b.add("hub", turn(cylinder(r * 0.09, r * 0.25, 8).at(0.0, -r * 0.125, 0.0)), metal);
}

fn bicycle(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.painted(MaterialKind::Metal);
    let tire = rng.paint_of(&["black", "black", "dark gray"], MaterialKind::Plain);
    let metal = rng.paint_of(&["silver", "gray", "light gray"], MaterialKind::Metal);
    let r = rng.between(0.3, 0.36);
    let half = rng.between(0.5, 0.58);
    spoked(&mut b, vec3(0.0, r, half), r, [tire, metal]);
    spoked(&mut b, vec3(0.0, r, -half), r, [tire, metal]);
    let (rear, front) = (vec3(0.0, r, -half), vec3(0.0, r, half));
    let crank = vec3(0.0, r * 0.85, -0.06);
    let seat = vec3(0.0, r + rng.between(0.45, 0.6), -0.24);
    let head = vec3(0.0, r + rng.between(0.4, 0.55), half * 0.66);
    let low = head.lerp(front, 0.22);
    let t = rng.between(0.018, 0.028);
    let mut tubes = rod(crank, seat, t, 6)
        .join(rod(crank, low, t * 1.2, 6))
        .join(rod(seat, rear, t * 0.7, 6))
        .join(rod(crank, rear, t * 0.7, 6));
    let step_through = rng.chance(0.25);
    if !step_through {
        tubes = tubes.join(rod(seat.lerp(crank, 0.08), head, t, 6));
    }
    b.add("frame", tubes.join(rod(head + Vec3::Y * 0.05, front, t, 6)), paint);
    let bar_at = head + vec3(0.0, 0.1, 0.02);
    let grips = if rng.chance(0.4) {
        tube(
            &[
                bar_at,
                bar_at + vec3(0.22, 0.0, 0.02),
                bar_at + vec3(0.23, -0.03, 0.14),
                bar_at + vec3(0.23, -0.16, 0.1),
            ],
            0.015,
            6,
        )
    } else {
        tube(&[bar_at, bar_at + vec3(0.15, 0.05, 0.03), bar_at + vec3(0.3, 0.05, -0.08)], 0.015, 6)
    };
    b.add("handlebar", grips.mirrored_x().join(rod(head, bar_at, 0.018, 6)), metal);
    let saddle = loft(
        &[
            ring(0.0, 0.0, -0.12, 0.08, 0.03),
            ring(0.0, 0.01, 0.0, 0.07, 0.03),
            ring(0.0, 0.0, 0.14, 0.02, 0.02),
        ],
        8,
    );
    b.add("saddle", saddle.translated(seat + Vec3::Y * 0.06), tire);
    b.add("seat post", rod(seat, seat + Vec3::Y * 0.06, t * 0.8, 6), metal);
    b.add("chainring", cylinder(0.09, 0.015, 14).rot_z(FRAC_PI_2).translated(crank + Vec3::X * 0.04), metal);
    let arm = |x: f32, up: f32| {
        rod(crank + Vec3::X * x, crank + vec3(x, up * 0.15, up * 0.08), 0.012, 5)
            .join(cuboid(0.09, 0.02, 0.06).translated(crank + vec3(x * 2.0, up * 0.15, up * 0.08)))
    };
    b.add("pedals", arm(0.06, 1.0).join(arm(-0.06, -1.0)), tire);
    if rng.chance(0.2) {
        b.add(
            "basket",
            open_box(0.3, 0.22, 0.24, 0.02).translated(bar_at + vec3(0.0, -0.18, 0.2)),
            rng.paint("brown", MaterialKind::Wood),
        );
        b.part("a basket");
    }
    b.main_color(paint);
    b.part("two wheels");
    b.build()
}

fn motorcycle(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.painted(MaterialKind::Metal);
    let dark = rng.paint_of(&["black", "dark gray"], MaterialKind::Plain);
    let metal = rng.paint_of(&["silver", "gray"], MaterialKind::Metal);
    let r = rng.between(0.3, 0.36);
    let half = rng.between(0.66, 0.78);
    let scooter = rng.chance(0.25);
    let r = if scooter { r * 0.75 } else { r };
    for z in [half, -half] {
        b.add("tire", torus(r * 0.8, r * 0.24, 18, 8).rot_z(FRAC_PI_2).at(0.0, r, z), dark);
        b.add(
            "rim",
            cylinder(r * 0.6, r * 0.16, 14).at(0.0, -r * 0.08, 0.0).rot_z(FRAC_PI_2).at(0.0, r, z),
            metal,
        );
    }
    let head = vec3(0.0, r + 0.55, half * 0.62);
    b.add(
        "fork",
        rod(vec3(0.08, r, half), vec3(0.08, head.y + 0.1, head.z - 0.04), 0.03, 6).mirrored_x(),
        metal,
    );
    if scooter {
        add_scooter(&mut b, r, half, paint);
    } else {
        b.add("tank", ellipsoid(0.16, 0.15, 0.3, b.segments.max(8)).at(0.0, r + 0.45, half * 0.2), paint);
        b.add("engine", b.block(0.34, 0.36, 0.42).at(0.0, r * 0.7, 0.0), metal);
        b.add(
            "frame",
            rod(head, vec3(0.0, r, -half), 0.04, 6).join(rod(head, vec3(0.0, r * 0.8, 0.15), 0.04, 6)),
            dark,
        );
        let pipe = [vec3(0.16, r * 0.95, 0.2), vec3(0.2, r * 0.6, 0.05), vec3(0.2, r * 0.75, -half * 1.1)];
        b.add("exhaust", tube_with(&pipe, |t| 0.04 + 0.03 * t, 8), metal);
    }
    let saddle = loft(
        &[
            ring(0.0, r + 0.48, -half * 1.05, 0.1, 0.05),
            ring(0.0, r + 0.42, -half * 0.5, 0.15, 0.06),
            ring(0.0, r + 0.42, half * 0.02, 0.1, 0.05),
        ],
        8,
    );
    b.add("seat", saddle, dark);
    let grip = tube(
        &[head + Vec3::Y * 0.12, head + vec3(0.2, 0.2, -0.02), head + vec3(0.36, 0.18, -0.14)],
        0.022,
        6,
    );
    b.add("handlebar", grip.mirrored_x(), metal);
    b.add(
        "headlight",
        sphere(0.12, 10).translated(head + vec3(0.0, 0.02, 0.16)),
        rng.paint_of(&["white", "yellow"], MaterialKind::Glass),
    );
    let fender = |z: f32| {
        lathe_loop(
            &[vec2(r * 1.08, -0.09), vec2(r * 1.14, -0.09), vec2(r * 1.14, 0.09), vec2(r * 1.08, 0.09)],
            16,
        )
        .rot_z(FRAC_PI_2)
        .at(0.0, r, z)
    };
    let arcs = split(&fender(half).join(fender(-half)), 2, |p, _| usize::from(p.y < r * 1.35));
    b.add("fenders", arcs.into_iter().next().unwrap_or_default(), paint);
    b.main_color(paint);
    b.part("two wheels");
    b.build()
}

fn add_scooter(b: &mut Builder, r: f32, half: f32, paint: Paint) {
    b.add(
        "leg shield",
        wedge([0.4, half * 0.42, half * 0.5, r * 0.9], [0.42, half * 0.5, half * 0.58, r + 0.65]),
        paint,
    );
    b.add("floor", b.block(0.36, 0.1, half * 0.9).at(0.0, r * 0.85, 0.0), paint);
    b.add("rear body", ellipsoid(0.22, 0.28, 0.42, b.segments.max(8)).at(0.0, r * 1.7, -half * 0.7), paint);
    b.subcategory("scooter");
}

fn wheel(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let r = rng.between(0.3, 0.5);
    let w = r * rng.between(0.35, 0.65);
    if rng.chance(0.35) {
        let wood = rng.wood();
        let n = b.segments.max(12);
        b.add("rim", washer(r, r * 0.86, w * 0.35, n).rot_x(FRAC_PI_2).at(0.0, r, 0.0), wood);
        let count = rng.choose(&[6, 8, 10, 12]);
        let spoke = Solid::union((0..count).map(|i| {
            cuboid(r * 0.07, r * 0.9, r * 0.07).rot_z(std::f32::consts::TAU * i as f32 / count as f32)
        }));
        b.add("spokes", spoke.at(0.0, r, -w * 0.17), wood);
        b.add("hub", cylinder(r * 0.17, w * 0.7, n).rot_x(FRAC_PI_2).at(0.0, r, -w * 0.5), wood.shade(0.7));
        b.main_paint(wood);
        b.subcategory("wagon wheel");
        b.part("spokes");
        return b.build();
    }
    let dark = rng.paint_of(&["black", "black", "dark gray"], MaterialKind::Plain);
    let metal = rng.paint_of(&["silver", "light gray", "gray", "white"], MaterialKind::Metal);
    let tire = lathe_loop(
        &[
            vec2(r * 0.62, -w / 2.0),
            vec2(r * 0.92, -w / 2.0),
            vec2(r, -w * 0.35),
            vec2(r, w * 0.35),
            vec2(r * 0.92, w / 2.0),
            vec2(r * 0.62, w / 2.0),
        ],
        b.segments.max(14),
    );
    b.add("tire", tire.rot_x(FRAC_PI_2).at(0.0, r, 0.0), dark);
    b.add(
        "rim",
        cylinder(r * 0.63, w * 0.5, b.segments.max(14)).rot_x(FRAC_PI_2).at(0.0, r, -w * 0.25),
        metal.shade(0.6),
    );
    let count = rng.int_between(5, 7);
    let spoke =
        Solid::union((0..count).map(|i| {
            cuboid(r * 0.14, r * 0.6, w * 0.1).rot_z(std::f32::consts::TAU * i as f32 / count as f32)
        }));
    b.add("spokes", spoke.at(0.0, r, w * 0.3), metal);
    b.add("hub", cylinder(r * 0.15, w * 0.2, 10).rot_x(FRAC_PI_2).at(0.0, r, w * 0.22), metal);
    b.main_color(dark);
    b.part("a metal rim");
    b.build()
}
