//! Towers, castles and mills.

use glam::{Vec3, vec2, vec3};

use super::{roof_paint, row, window_paint};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    row("water tower", &["water tank"], water_tower),
    row("castle", &["fortress"], castle),
    row("tower", &["watchtower"], tower),
    row("windmill", &["mill"], windmill),
    row("lighthouse", &["beacon"], lighthouse),
    row("skyscraper", &["office building", "apartment building"], skyscraper),
];

fn water_tower(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wooden = rng.chance(0.5);
    let tank = if wooden {
        rng.wood()
    } else {
        rng.paint_of(&["light gray", "white", "light blue", "gray", "red", "silver"], MaterialKind::Metal)
    };
    let leg = if wooden {
        tank.shade(0.7)
    } else {
        rng.paint_of(&["gray", "dark gray", "light gray", "red"], MaterialKind::Metal)
    };
    let roof = rng.paint_of(&["dark gray", "gray", "brown", "red", "dark red", "blue"], MaterialKind::Metal);
    let (r, h, lift) = (rng.between(1.2, 1.8), rng.between(1.6, 2.8), rng.between(0.7, 4.5));
    let n = b.segments.max(8);
    if !wooden && rng.chance(0.3) {
        b.add("tank", ellipsoid(r * 1.2, r * 0.95, r * 1.2, n).at(0.0, lift + r * 0.9, 0.0), tank);
        b.adjective("round");
    } else {
        b.add("tank", cylinder(r, h, n).at(0.0, lift, 0.0), tank);
        b.add("roof", cone(r * 1.18, r * rng.between(0.45, 0.8), n).at(0.0, lift + h, 0.0), roof);
        for i in 0..rng.int_between(2, 3) {
            b.add(
                "hoop",
                cylinder(r * 1.025, 0.08, n).at(0.0, lift + h * (0.15 + 0.33 * i as f32), 0.0),
                leg,
            );
        }
        b.part("a cone roof");
    }
    b.add("platform", cylinder(r * 1.15, 0.12, n).at(0.0, lift - 0.12, 0.0), leg);
    let legs = rng.choose(&[4, 4, 4, 6]);
    let (top, foot) = (vec3(0.0, lift, r * 0.82), vec3(0.0, 0.0, r * rng.between(0.9, 1.3)));
    b.add("legs", bar(foot, top, 0.16, 0.16).radial_array_y(legs).rot_y(0.785), leg);
    if lift > 1.5 {
        let chord = |y: f32| foot.lerp(top, y);
        let turn = |p: Vec3, a: f32| glam::Quat::from_rotation_y(a) * p;
        let step = std::f32::consts::TAU / legs as f32;
        let brace = bar(chord(0.08), turn(chord(0.9), step), 0.07, 0.07).join(bar(
            chord(0.9),
            turn(chord(0.08), step),
            0.07,
            0.07,
        ));
        b.add("braces", brace.radial_array_y(legs).rot_y(0.785), leg);
        b.add("pipe", cylinder(0.14, lift, 8), leg);
        b.part("cross braces");
    }
    b.main_paint(tank);
    b.counted_part(legs, "leg", "legs");
    b.build()
}

/// A ring of battlements on a round wall.
fn battlements(r: f32, size: f32, count: usize) -> Solid {
    cuboid(size, size, size * 0.8).at(0.0, 0.0, r - size * 0.4).radial_array_y(count)
}

fn castle(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let stone =
        rng.paint_of(&["gray", "light gray", "beige", "tan", "dark gray", "white"], MaterialKind::Stone);
    let roof = rng.paint_of(&["blue", "red", "navy", "purple", "dark gray", "orange"], MaterialKind::Plain);
    let dark = rng.paint_of(&["brown", "dark brown", "black"], MaterialKind::Wood);
    let (half, h) = (rng.between(3.0, 4.0), rng.between(2.0, 3.0));
    let thick = 0.7;
    let wall = cuboid(half * 2.0, h, thick).at(0.0, 0.0, half);
    let teeth = cuboid(0.45, 0.45, thick)
        .at(-half + 0.7, h, half)
        .linear_array((half * 2.0 / 0.95) as usize - 1, vec3(0.95, 0.0, 0.0));
    b.add("walls", wall.join(teeth).radial_array_y(4), stone);
    let pointed = rng.chance(0.6);
    let n = b.segments.max(8);
    let add_tower = |b: &mut Builder, r: f32, tall: f32, x: f32, z: f32| {
        b.add("tower", frustum(r * 1.1, r, tall, n).at(x, 0.0, z), stone);
        b.add("tower top", cylinder(r * 1.2, 0.5, n).at(x, tall, z), stone);
        if pointed {
            b.add("tower roof", cone(r * 1.3, r * 2.4, n).at(x, tall + 0.5, z), roof);
        } else {
            b.add("battlements", battlements(r * 1.2, r * 0.42, 8).at(x, tall + 0.5, z), stone);
        }
        b.add("slit", cuboid(0.16, 0.7, r * 2.16).at(x, tall * 0.68, z), dark);
    };
    let tall = h * rng.between(1.3, 1.8);
    for (x, z) in [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)] {
        add_tower(&mut b, 0.95, tall, x * half, z * half);
    }
    if rng.chance(0.7) {
        let side = half * rng.between(0.7, 1.0);
        let keep = h * rng.between(1.6, 2.3);
        b.add("keep", cuboid(side, keep, side), stone.shade(0.92));
        b.add(
            "battlements",
            cuboid(0.4, 0.45, 0.3)
                .at(-side / 2.0 + 0.2, keep, side / 2.0 - 0.15)
                .linear_array(4, vec3((side - 0.4) / 3.0, 0.0, 0.0))
                .radial_array_y(4),
            stone,
        );
        b.add("windows", cuboid(0.4, 0.8, side * 1.02).at(side * 0.22, keep * 0.7, 0.0).mirrored_x(), dark);
    }
    let gate = h * 0.72;
    b.add("gatehouse", cuboid(2.0, h * 1.2, 1.0).at(0.0, 0.0, half + 0.1), stone.shade(0.9));
    let arch = cuboid(1.1, gate * 0.7, 0.1).join(cylinder(0.55, 0.1, 16).rot_x(FRAC_PI_2).at(
        0.0,
        gate * 0.7,
        -0.05,
    ));
    b.add("gate", arch.at(0.0, 0.0, half + 0.63), dark);
    if rng.chance(0.5) {
        b.add(
            "flag pole",
            cylinder(0.05, 1.4, 5).at(-half, tall + if pointed { 2.6 } else { 0.5 }, half),
            dark,
        );
        b.add(
            "flag",
            cuboid(0.9, 0.5, 0.04).at(-half + 0.45, tall + if pointed { 3.4 } else { 1.3 }, half),
            rng.paint_of(&["red", "blue", "yellow"], MaterialKind::Fabric),
        );
        b.part("a flag");
    }
    b.main_paint(stone);
    b.part("towers");
    if pointed {
        b.colored_part("roofs", roof);
    }
    b.build()
}

fn tower(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let dark = rng.paint_of(&["black", "dark brown", "dark gray"], MaterialKind::Wood);
    let roof = roof_paint(rng);
    let (r, h) = (rng.between(1.1, 1.7), rng.between(4.5, 8.0));
    if rng.chance(0.3) {
        let wood = rng.wood();
        let post = bar(vec3(r * 1.2, 0.0, r * 1.2), vec3(r * 0.85, h * 0.65, r * 0.85), 0.2, 0.2);
        b.add("posts", post.mirrored_x().mirrored_z(), wood);
        let brace = bar(vec3(-r * 1.1, h * 0.12, r * 1.12), vec3(r * 0.95, h * 0.52, r * 0.93), 0.1, 0.1);
        b.add("braces", brace.radial_array_y(4), wood);
        b.add("platform", cuboid(r * 2.5, 0.2, r * 2.5).at(0.0, h * 0.65, 0.0), wood);
        b.add(
            "rail",
            frame(r * 2.5, 0.8, 0.12, 0.1).at(0.0, h * 0.65 + 0.15, r * 1.2).radial_array_y(4),
            wood,
        );
        b.add(
            "roof posts",
            cuboid(0.14, 1.9, 0.14).at(r * 1.05, h * 0.65, r * 1.05).mirrored_x().mirrored_z(),
            wood,
        );
        b.add(
            "roof",
            wedge([r * 3.0, -r * 1.5, r * 1.5, h * 0.65 + 1.8], [0.1, -0.05, 0.05, h * 0.65 + 3.2]),
            roof,
        );
        b.subcategory("watchtower");
        b.main_paint(wood);
        return b.build();
    }
    let stone = rng.paint_of(&["gray", "light gray", "beige", "tan", "dark gray"], MaterialKind::Stone);
    let n = rng.choose(&[4, 6, 8, 12, 16]);
    b.add("base", frustum(r * 1.3, r * 1.1, h * 0.12, n), stone.shade(0.85));
    b.add("shaft", frustum(r * 1.1, r, h, n), stone);
    b.add("top", lathe(&[vec2(r, h * 0.93), vec2(r * 1.25, h), vec2(r * 1.25, h + 0.8)], n), stone);
    if rng.chance(0.55) {
        b.add("roof", cone(r * 1.45, r * rng.between(1.5, 2.6), n).at(0.0, h + 0.8, 0.0), roof);
        b.colored_part("roof", roof);
    } else {
        b.add(
            "battlements",
            battlements(r * if n == 4 { 0.88 } else { 1.22 }, r * 0.42, 8).at(0.0, h + 0.8, 0.0),
            stone,
        );
        b.part("battlements");
    }
    let inset = if n == 4 { 0.72 } else { 1.0 };
    b.add(
        "door",
        cuboid(0.8, 1.5, 0.3).join(cylinder(0.4, 0.3, 12).rot_x(FRAC_PI_2).at(0.0, 1.5, -0.15)).at(
            0.0,
            0.0,
            r * 1.12 * inset,
        ),
        dark,
    );
    for i in 0..2 {
        b.add(
            "window",
            cuboid(0.35, 0.75, 0.3).at(0.0, h * (0.45 + 0.28 * i as f32), r * 0.98 * inset),
            dark,
        );
    }
    b.main_paint(stone);
    b.adjective("tall");
    b.build()
}

fn windmill(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wall = rng.paint_of(&["white", "cream", "beige", "light gray", "brown", "red"], MaterialKind::Plain);
    let roof = roof_paint(rng);
    let wood = rng.wood();
    let (r, h) = (rng.between(1.4, 1.9), rng.between(4.2, 5.8));
    let n = rng.choose(&[6, 8, 8, 12, 16]);
    b.add("body", frustum(r, r * 0.62, h, n), wall);
    let cap = r * 0.75;
    b.add(
        "cap",
        if rng.chance(0.5) { cone(cap, cap * 1.3, n) } else { dome(cap, cap * 0.9, n.max(8)) }
            .at(0.0, h, 0.0),
        roof,
    );
    let hub = vec3(0.0, h * 1.02, r * 0.75);
    b.add("shaft", rod(vec3(0.0, hub.y, 0.0), hub + Vec3::Z * 0.25, 0.14, 8), wood);
    let long = h * rng.between(0.5, 0.62);
    let arm = cuboid(0.12, long, 0.08);
    let sail = frame(0.8, long * 0.75, 0.06, 0.05).at(0.34, long * 0.22, 0.03);
    let bars =
        cuboid(0.75, 0.05, 0.04).at(0.34, long * 0.34, 0.03).linear_array(5, vec3(0.0, long * 0.12, 0.0));
    let cloth = cuboid(0.7, long * 0.7, 0.02).at(0.34, long * 0.24, 0.0);
    let phase = rng.between(0.0, FRAC_PI_2);
    let turn = |s: Solid| {
        Solid::union((0..4).map(|i| s.clone().rot_z(phase + FRAC_PI_2 * i as f32)))
            .translated(hub + Vec3::Z * 0.2)
    };
    b.add("arms", turn(arm.join(sail).join(bars)), wood);
    if rng.chance(0.7) {
        b.add("sails", turn(cloth), rng.paint_of(&["white", "cream", "red", "beige"], MaterialKind::Fabric));
    }
    b.add("door", cuboid(0.8, 1.5, 0.2).at(0.0, 0.0, r * 0.93), wood.shade(0.7));
    b.add("window", cuboid(0.5, 0.6, 0.2).at(0.0, h * 0.55, r * 0.76), window_paint(rng));
    b.main_color(wall);
    b.part("four blades");
    b.build()
}

fn lighthouse(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let white = rng.paint("white", MaterialKind::Plain);
    let band = rng.paint_of(&["red", "red", "blue", "black"], MaterialKind::Plain);
    let (r, h) = (rng.between(1.0, 1.5), rng.between(6.0, 9.0));
    let count = rng.int_between(3, 6);
    let n = b.segments.max(8);
    let radius = |t: f32| r * (1.0 - 0.42 * t);
    for i in 0..count {
        let (t0, t1) = (i as f32 / count as f32, (i + 1) as f32 / count as f32);
        let ring = frustum(radius(t0), radius(t1), h / count as f32, n).at(0.0, h * t0, 0.0);
        b.add("shaft", ring, if i % 2 == 0 { band } else { white });
    }
    let top = radius(1.0);
    b.add(
        "gallery",
        cylinder(top * 1.5, 0.2, n).at(0.0, h, 0.0),
        rng.paint("dark gray", MaterialKind::Metal),
    );
    b.add(
        "lamp",
        cylinder(top * 0.7, top * 1.4, n).at(0.0, h + 0.2, 0.0),
        rng.paint("yellow", MaterialKind::Glass).emissive(0.4),
    );
    b.add("roof", cone(top * 1.0, top * 1.0, n).at(0.0, h + 0.2 + top * 1.4, 0.0), band);
    b.add(
        "rail",
        torus(top * 1.42, 0.05, n, 5).at(0.0, h + 0.8, 0.0),
        rng.paint("dark gray", MaterialKind::Metal),
    );
    b.add("door", cuboid(0.7, 1.4, 0.2).at(0.0, 0.0, r * 0.97), rng.paint("brown", MaterialKind::Wood));
    if rng.chance(0.5) {
        let stone = rng.paint("gray", MaterialKind::Stone);
        b.add(
            "rock",
            ellipsoid(r * 2.4, r * 0.7, r * 2.4, 9).displaced(r * 0.15, rng).flat().at(0.0, -r * 0.3, 0.0),
            stone,
        );
        b.part("a rock under it");
    }
    b.main_color(white);
    b.colored_part("stripes", band);
    b.adjective("tall");
    b.build()
}

fn skyscraper(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wall = rng.paint_of(
        &["gray", "light gray", "blue", "beige", "brown", "teal", "white", "dark gray", "tan"],
        MaterialKind::Plain,
    );
    let glass = rng.paint_of(&["light blue", "navy", "dark gray", "yellow", "blue"], MaterialKind::Glass);
    let (mut w, mut d) = (rng.between(4.0, 7.0), rng.between(4.0, 7.0));
    let steps = rng.int_between(1, 3);
    let mut y = 0.0;
    for _ in 0..steps {
        let floors = rng.int_between(3, 8);
        let h = floors as f32 * 1.3;
        b.add("block", cuboid(w, h, d).at(0.0, y, 0.0), wall);
        if rng.chance(0.5) {
            let band = cuboid(w * 1.01, 0.65, d * 0.88).join(cuboid(w * 0.88, 0.65, d * 1.01));
            b.add("windows", band.at(0.0, y + 0.4, 0.0).linear_array(floors, Vec3::Y * 1.3), glass);
        } else {
            let across = cuboid(0.65, 0.75, d * 1.01)
                .at(-w * 0.36, y + 0.35, 0.0)
                .linear_array(4, vec3(w * 0.24, 0.0, 0.0));
            let along = cuboid(w * 1.01, 0.75, 0.65)
                .at(0.0, y + 0.35, -d * 0.36)
                .linear_array(4, vec3(0.0, 0.0, d * 0.24));
            b.add("windows", across.join(along).linear_array(floors, Vec3::Y * 1.3), glass);
        }
        y += h;
        w *= rng.between(0.6, 0.85);
        d *= rng.between(0.6, 0.85);
    }
    b.add("roof", cuboid(w * 0.8, 0.5, d * 0.8).at(0.0, y, 0.0), wall.shade(0.7));
    if rng.chance(0.4) {
        b.add("antenna", cylinder(0.1, y * 0.25, 6).at(0.0, y, 0.0), wall.shade(0.4));
        b.part("an antenna");
    }
    b.add("door", cuboid(1.4, 1.1, 0.1).at(0.0, 0.0, 0.0), glass);
    b.main_color(wall);
    b.adjective("tall");
    b.part("many windows");
    b.build()
}
