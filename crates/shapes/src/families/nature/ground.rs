//! Stones, logs and low plants on the ground.

use glam::{Vec3, vec2, vec3};

use super::{green, lump, row};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    row("bush", &["shrub", "hedge"], bush),
    row("grass", &["tuft of grass"], grass),
    row("rock", &["stone", "boulder"], rock),
    row("log", &["tree log", "tree trunk"], log),
    row("tree stump", &["stump"], stump),
];

fn bush(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let leaves = green(rng);
    let n = if b.flat { rng.choose(&[5, 6, 7]) } else { 10 };
    if rng.chance(0.2) {
        let hedge = b.block(rng.between(0.9, 1.8), rng.between(0.5, 0.9), rng.between(0.4, 0.6));
        b.add("hedge", hedge.displaced(0.02, rng), leaves);
        b.subcategory("hedge");
    } else {
        for _ in 0..rng.int_between(2, 7) {
            let r = rng.between(0.22, 0.4);
            let ball = lump(rng, r, n, if b.flat { 0.12 } else { 0.05 });
            b.add(
                "leaves",
                ball.at(rng.normal() * 0.28, r * 0.75, rng.normal() * 0.22),
                leaves.shade(rng.clone().between(0.88, 1.1)),
            );
        }
    }
    if rng.chance(0.3) {
        let berry = rng.paint_of(&["red", "blue", "pink", "white"], MaterialKind::Plain);
        for i in 0..12 {
            let a = i as f32 * 2.4;
            let t = rng.between(0.1, 0.9);
            b.add(
                "berries",
                sphere(0.035, 6).at(
                    a.sin() * 0.5 * (1.0 - t * 0.6),
                    0.15 + t * 0.45,
                    a.cos() * 0.45 * (1.0 - t * 0.6),
                ),
                berry,
            );
        }
        b.colored_part("berries", berry);
    }
    b.main_color(leaves);
    b.build()
}

fn grass(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let leaves =
        rng.paint_of(&["green", "green", "light green", "dark green", "yellow", "tan"], MaterialKind::Plain);
    let h = rng.between(0.2, 0.5);
    let wide = rng.between(0.08, 0.16);
    for _ in 0..rng.int_between(8, 22) {
        let long = h * rng.between(0.6, 1.1);
        let blade = leaf(long, rng.between(0.02, 0.05), -long * rng.between(0.0, 0.4), 0.2)
            .rot_x(-rng.between(0.9, 1.5));
        b.add(
            "blade",
            blade.rot_y(rng.between(0.0, 6.3)).at(rng.normal() * wide, 0.0, rng.normal() * wide),
            leaves.shade(rng.clone().between(0.8, 1.15)),
        );
    }
    b.main_color(leaves);
    b.adjective(if h > 0.35 { "tall" } else { "short" });
    b.build()
}

fn rock(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint =
        rng.paint_of(&["gray", "gray", "dark gray", "light gray", "brown", "tan"], MaterialKind::Stone);
    let count = if rng.chance(0.6) { 1 } else { rng.int_between(2, 4) };
    for i in 0..count {
        let size = if i == 0 { 0.5 } else { rng.between(0.15, 0.32) };
        let n = rng.choose(&[5, 6, 7, 9]);
        let at = if i == 0 {
            Vec3::ZERO
        } else {
            vec3((i as f32 * 2.1).sin(), 0.0, (i as f32 * 2.1).cos()) * rng.between(0.45, 0.7)
        };
        let boulder = ellipsoid(size * rng.between(0.7, 1.3), size * rng.between(0.5, 1.1), size, n)
            .displaced(size * rng.between(0.08, 0.22), rng);
        let floor = -size * 0.35;
        let boulder = boulder
            .rot(rng.between(0.0, 0.6), rng.between(0.0, 6.0), 0.0)
            .map(|p| vec3(p.x, p.y.max(floor), p.z));
        let boulder = if rng.chance(0.75) { boulder.flat() } else { boulder };
        b.add("rock", boulder.at(at.x, -floor, at.z), paint);
    }
    b.main_paint(paint);
    if count > 1 {
        b.subcategory("pile of rocks");
    }
    b.build()
}

fn log(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.paint_of(&["brown", "dark brown", "tan"], MaterialKind::Wood);
    let inside = rng.paint_of(&["tan", "beige", "cream"], MaterialKind::Wood);
    let pile = rng.chance(0.3);
    let (r, l) = (rng.between(0.12, 0.22), rng.between(0.7, 1.4));
    let n = b.segments.max(7);
    let one = |at: Vec3, b: &mut Builder| {
        let along = |s: Solid| s.at(0.0, -l / 2.0, 0.0).rot_z(FRAC_PI_2).translated(at + Vec3::Y * r);
        b.add("bark", along(cylinder(r, l, n)), wood);
        b.add("cut", along(cylinder(r * 0.86, l * 1.012, n).at(0.0, -l * 0.006, 0.0)), inside);
        b.add("rings", along(cylinder(r * 0.4, l * 1.02, n).at(0.0, -l * 0.01, 0.0)), inside.shade(0.75));
    };
    if pile {
        for (y, z) in [(0.0, -1.0), (0.0, 1.0), (1.72, 0.0)] {
            one(vec3(0.0, y * r, z * r), &mut b);
        }
        b.subcategory("pile of logs");
    } else {
        one(Vec3::ZERO, &mut b);
        if rng.chance(0.5) {
            let branch = tapered_rod(
                vec3(l * 0.15, r * 1.5, 0.0),
                vec3(l * 0.3, r * 2.9, r * 0.4),
                r * 0.3,
                r * 0.22,
                6,
            );
            b.add("branch", branch, wood);
            b.part("a branch");
        }
    }
    b.main_paint(wood);
    b.build()
}

fn stump(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.paint_of(&["brown", "dark brown", "tan"], MaterialKind::Wood);
    let inside = rng.paint_of(&["tan", "beige", "cream"], MaterialKind::Wood);
    let (r, h) = (rng.between(0.22, 0.35), rng.between(0.2, 0.5));
    let n = b.segments.max(7);
    b.add("bark", lathe(&[vec2(r * 1.3, 0.0), vec2(r * 1.05, h * 0.35), vec2(r, h)], n), wood);
    b.add("cut", cylinder(r * 0.88, 0.012, n).at(0.0, h - 0.002, 0.0), inside);
    b.add("rings", cylinder(r * 0.45, 0.016, n).at(0.0, h - 0.002, 0.0), inside.shade(0.75));
    let root = tapered_rod(
        vec3(r * 0.7, h * 0.3, 0.0),
        vec3(r * rng.between(1.5, 2.1), 0.0, 0.0),
        r * 0.3,
        r * 0.06,
        6,
    );
    b.add("roots", root.radial_array_y(rng.int_between(3, 5)), wood);
    b.main_paint(wood);
    b.part("roots");
    b.build()
}
