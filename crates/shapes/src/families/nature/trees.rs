//! Trees.

use glam::{Vec3, vec2, vec3};

use super::{bark, green, lump, row};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[row("tree", &["oak tree", "plant"], tree)];

fn tree(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    match rng.index(10) {
        0..=3 => broadleaf(rng, &mut b),
        4..=6 => conifer(rng, &mut b),
        7 => palm(rng, &mut b),
        8 => bare(rng, &mut b),
        _ => poplar(rng, &mut b),
    }
    b.build()
}

/// A trunk that bends a little; returns its top.
fn trunk(rng: &mut Rng, b: &mut Builder, h: f32, r: f32, paint: Paint) -> Vec3 {
    let sway = h * 0.08;
    let line = [
        Vec3::ZERO,
        vec3(rng.normal() * sway * 0.5, h * 0.4, rng.normal() * sway * 0.5),
        vec3(rng.normal() * sway, h, rng.normal() * sway),
    ];
    let tube =
        tube_with(&curve(&line, 2), |t| r * (1.25 - 0.6 * t + 0.35 * (1.0 - t).powi(6)), b.few_segments());
    b.add("trunk", tube, paint);
    line[2]
}

fn broadleaf(rng: &mut Rng, b: &mut Builder) {
    let wood = bark(rng);
    let leaves = rng.paint_of(
        &["green", "green", "green", "dark green", "light green", "orange", "yellow", "pink", "red"],
        MaterialKind::Plain,
    );
    let h = rng.between(1.2, 2.6);
    let r = rng.between(0.1, 0.2);
    let top = trunk(rng, b, h, r, wood);
    let crown = rng.between(0.8, 1.4);
    let n = if b.flat { rng.choose(&[5, 6, 7, 8]) } else { 10 };
    let rough = if b.flat { rng.between(0.05, 0.22) } else { 0.06 };
    match rng.index(4) {
        0 => {
            let ball = ellipsoid(crown, crown * rng.between(0.8, 1.3), crown, n.max(7))
                .displaced(crown * rough, rng);
            b.add("crown", ball.translated(top + Vec3::Y * crown * 0.6), leaves);
            b.adjective("round");
        }
        1 => {
            // Branches carry a cloud of leaves each.
            for i in 0..rng.int_between(2, 4) {
                let a = i as f32 * 2.3 + rng.between(0.0, 0.8);
                let end = top
                    + vec3(a.sin() * crown * 0.75, crown * rng.between(0.25, 0.7), a.cos() * crown * 0.75);
                b.add(
                    "branch",
                    tube_with(
                        &[top - Vec3::Y * h * 0.3, top.lerp(end, 0.5) - Vec3::Y * 0.1, end],
                        |t| r * (0.7 - 0.4 * t),
                        5,
                    ),
                    wood,
                );
                let size = crown * rng.between(0.5, 0.75);
                let cloud = lump(rng, size, n, rough).scale(1.0, 0.7, 1.0);
                b.add("leaves", cloud.translated(end + Vec3::Y * crown * 0.2), leaves);
            }
            b.part("branches");
        }
        2 => {
            let side = crown * rng.between(1.2, 1.6);
            b.add(
                "crown",
                b.block(side, side * rng.between(0.7, 1.1), side).translated(top - Vec3::Y * side * 0.2),
                leaves,
            );
        }
        _ => {
            for _ in 0..rng.int_between(4, 8) {
                let out = vec3(rng.normal(), rng.normal() * 0.6 + 0.6, rng.normal()) * crown * 0.42;
                let size = crown * rng.between(0.45, 0.75);
                let cloud = lump(rng, size, n, rough);
                b.add(
                    "leaves",
                    cloud.translated(top + out + Vec3::Y * crown * 0.25),
                    leaves.shade(rng.clone().between(0.85, 1.1)),
                );
            }
        }
    }
    if rng.chance(0.12) {
        add_fruit(rng, b, top, crown);
    }
    b.main_color(leaves);
    b.colored_part("trunk", wood);
}

fn add_fruit(rng: &mut Rng, b: &mut Builder, top: Vec3, crown: f32) {
    let fruit = rng.paint_of(&["red", "orange", "yellow"], MaterialKind::Plain);
    for _ in 0..9 {
        let out = vec3(rng.normal(), rng.normal() * 0.5, rng.normal()).normalize_or(Vec3::X) * crown;
        b.add("fruit", sphere(crown * 0.09, 6).translated(top + out + Vec3::Y * crown * 0.55), fruit);
    }
    b.subcategory("fruit tree");
    b.colored_part("fruits", fruit);
}

fn conifer(rng: &mut Rng, b: &mut Builder) {
    let wood = bark(rng);
    let snowy = rng.chance(0.12);
    let needles = rng.paint_of(&["dark green", "dark green", "green", "teal"], MaterialKind::Plain);
    let h = rng.between(0.3, 0.9);
    b.add("trunk", frustum(rng.between(0.13, 0.2), 0.1, h + 0.6, b.few_segments()), wood);
    let tiers = rng.int_between(2, 6);
    let (wide, tall) = (rng.between(0.75, 1.25), rng.between(1.8, 3.4));
    let n = if b.flat { rng.choose(&[5, 6, 7, 8, 10]) } else { 14 };
    for i in 0..tiers {
        let t = i as f32 / tiers as f32;
        let r = wide * (1.0 - t * 0.78);
        let size = tall / tiers as f32 * 1.6;
        let skirt = lathe(
            &[vec2(r * 0.35, 0.12 * size), vec2(r, 0.0), vec2(r * 0.42, size * 0.48), vec2(0.0, size)],
            n,
        );
        let skirt = skirt.displaced(r * if b.flat { 0.07 } else { 0.02 }, rng).rot_y(i as f32);
        let at = h + t * tall;
        b.add("needles", skirt.at(0.0, at, 0.0), needles);
        if snowy {
            b.add(
                "snow",
                cone(r * 0.62, size * 0.66, n).at(0.0, at + size * 0.38, 0.0),
                rng.paint("white", MaterialKind::Plain),
            );
        }
    }
    if rng.chance(0.08) {
        let star = extrude(&star(0.3, 0.13, 10), 0.08).at(0.0, h + tall * 1.08, 0.0);
        b.add("star", star, rng.paint("gold", MaterialKind::Plain));
        for i in 0..14 {
            let t = i as f32 / 14.0;
            let a = i as f32 * 2.4;
            let r = wide * (0.9 - t * 0.75);
            let bauble = sphere(0.08, 6).at(a.sin() * r, h + t * tall + 0.1, a.cos() * r);
            let paint = rng.paint_of(&["red", "gold", "blue"], MaterialKind::Plain);
            b.add("ornament", bauble, paint);
        }
        b.subcategory("christmas tree");
        b.part("ornaments");
    } else {
        b.subcategory(rng.choose(&["pine tree", "fir tree", "conifer"]));
    }
    if snowy {
        b.part("snow");
    }
    b.main_color(needles);
}

fn palm(rng: &mut Rng, b: &mut Builder) {
    let wood = rng.paint_of(&["brown", "tan", "beige"], MaterialKind::Wood);
    let leaves = green(rng);
    let h = rng.between(2.2, 3.6);
    let lean = rng.between(0.0, 1.0);
    let line = [Vec3::ZERO, vec3(lean * 0.15, h * 0.45, 0.0), vec3(lean, h, 0.0)];
    let tube =
        tube_with(&curve(&line, 4), |t| 0.17 - 0.07 * t + 0.02 * ((t * 9.0).fract()), b.few_segments());
    b.add("trunk", tube, wood);
    for i in 0..rng.int_between(6, 9) {
        let frond = leaf(rng.between(1.1, 1.6), rng.between(0.3, 0.5), -rng.between(0.4, 1.0), 0.25);
        b.add(
            "frond",
            frond.rot_x(-0.35).rot_y(i as f32 * 0.86 + rng.between(0.0, 0.2)).translated(line[2]),
            leaves,
        );
    }
    if rng.chance(0.5) {
        b.add(
            "coconuts",
            sphere(0.13, 8).at(0.16, -0.1, 0.0).radial_array_y(3).translated(line[2]),
            rng.paint("dark brown", MaterialKind::Plain),
        );
        b.part("coconuts");
    }
    b.subcategory("palm tree");
    b.main_color(leaves);
    b.part("fronds");
}

fn bare(rng: &mut Rng, b: &mut Builder) {
    let wood = bark(rng);
    let h = rng.between(1.3, 2.0);
    let top = trunk(rng, b, h, 0.16, wood);
    for i in 0..rng.int_between(4, 6) {
        let a = i as f32 * 1.4 + rng.between(0.0, 0.7);
        let from = top * rng.between(0.7, 1.0);
        let out = vec3(a.sin(), rng.between(0.7, 1.5), a.cos()) * rng.between(0.5, 0.9);
        let end = from + out;
        b.add(
            "branch",
            tube_with(&[from, from.lerp(end, 0.5) - Vec3::Y * 0.06, end], |t| 0.085 * (1.1 - t), 5),
            wood,
        );
        for side in [0.9, -0.9] {
            let twig = from.lerp(end, 0.6) + vec3((a + side).sin(), 0.8, (a + side).cos()) * 0.35;
            b.add("twig", tapered_rod(from.lerp(end, 0.55), twig, 0.04, 0.01, 5), wood);
        }
    }
    b.subcategory("bare tree");
    b.adjective("dead");
    b.main_color(wood);
    b.part("bare branches");
}

fn poplar(rng: &mut Rng, b: &mut Builder) {
    let wood = bark(rng);
    let leaves = green(rng);
    let h = rng.between(0.4, 0.9);
    b.add("trunk", cylinder(0.12, h + 0.5, b.few_segments()), wood);
    let (r, tall) = (rng.between(0.45, 0.65), rng.between(1.3, 1.9));
    let crown = ellipsoid(r, tall, r, b.segments.min(10)).displaced(if b.flat { 0.06 } else { 0.02 }, rng);
    b.add("crown", crown.at(0.0, h + tall * 0.9, 0.0), leaves);
    b.adjective("tall");
    b.subcategory("cypress");
    b.main_color(leaves);
}
