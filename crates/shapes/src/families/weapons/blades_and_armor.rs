//! Weapons and armor.

use glam::{Vec3, vec2, vec3};

use super::{grip_paint, laid, row, steel};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    row("sword", &["blade"], sword),
    row("shield", &["buckler"], shield),
    row("spear", &["lance", "trident"], spear),
    row("dagger", &["short blade"], dagger),
    row("helmet", &["knight helmet"], helmet),
    row("anchor", &["ship anchor"], anchor),
];

fn brass(rng: &mut Rng) -> Paint {
    rng.paint_of(&["gold", "bronze", "dark gray", "gold", "brown", "silver"], MaterialKind::Metal)
}

/// A blade along y from the origin: right half of its outline, sharp at both rims.
fn blade(right: &[(f32, f32)], thickness: f32) -> Solid {
    extrude_beveled(&mirrored(right), thickness, 0.45).flat()
}

fn sword(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let fantasy = rng.chance(0.2);
    let metal = if fantasy {
        rng.paint_of(&["light blue", "blue", "purple", "teal", "red", "light green"], MaterialKind::Metal)
    } else {
        steel(rng)
    };
    let (hilt, wrap) = (brass(rng), grip_paint(rng));
    let l = rng.between(0.55, 1.1);
    let w = l * rng.between(0.035, 0.075) * if fantasy { 1.5 } else { 1.0 };
    let curved = rng.chance(0.25);
    let solid = sword_blade(rng, l, w, [curved, fantasy]);
    if curved {
        b.subcategory(rng.choose(&["katana", "scimitar", "saber"]));
    }
    b.add("blade", solid, metal);
    if !curved && rng.chance(0.4) {
        b.add("fuller", cuboid(w * 0.35, l * 0.6, w * 0.5).at(0.0, 0.02, 0.0), metal.shade(0.6));
    }
    let (half, thick) = (l * rng.between(0.09, 0.17), w * rng.between(0.4, 0.65));
    add_guard(rng, &mut b, half, thick, hilt);
    let grip = l * rng.between(0.16, 0.3);
    let r = w * rng.between(0.35, 0.5);
    b.add(
        "grip",
        lathe(&[vec2(r * 0.8, -grip), vec2(r, -grip * 0.5), vec2(r * 0.85, 0.0)], b.few_segments()).at(
            0.0,
            -thick * 0.5,
            0.0,
        ),
        wrap,
    );
    let pommel = -grip - thick * 0.5;
    if rng.chance(0.6) {
        b.add(
            "pommel",
            ellipsoid(r * 1.5, r * 1.4, r * 1.3, b.segments.min(10)).at(0.0, pommel - r * 0.7, 0.0),
            hilt,
        );
    } else {
        b.add("pommel", b.block(r * 2.6, r * 2.2, r * 2.2).at(0.0, pommel - r * 2.0, 0.0), hilt);
    }
    if rng.chance(0.3) {
        let gem = rng.paint_of(&["red", "blue", "green", "purple"], MaterialKind::Glass);
        b.add("gem", ellipsoid(thick * 0.6, thick * 0.6, thick * 1.1, 6).at(0.0, -thick * 0.3, 0.0), gem);
        b.colored_part("gem", gem);
    }
    b.main_paint(metal);
    b.colored_part("hilt", hilt);
    laid(rng, &mut b);
    b.build()
}

fn sword_blade(rng: &mut Rng, l: f32, w: f32, [curved, fantasy]: [bool; 2]) -> Solid {
    if curved {
        let rim = outline(&[
            (-w, 0.0),
            (w, 0.0),
            (w * 1.1, l * 0.5),
            (w * 1.6, l * 0.8),
            (w * 2.6, l),
            (w * 0.2, l * 0.86),
            (-w * 0.6, l * 0.6),
            (-w, l * 0.3),
        ]);
        extrude_beveled(&rim, w * 0.4, 0.2).flat()
    } else if fantasy {
        blade(
            &[
                (w * 0.7, 0.0),
                (w * 0.75, l * 0.1),
                (w * 1.25, l * 0.18),
                (w * 0.8, l * 0.3),
                (w * 1.15, l * 0.75),
                (0.0, l),
            ],
            w * 0.6,
        )
    } else {
        let shoulder = rng.between(0.78, 0.92);
        blade(&[(w, 0.0), (w * rng.between(0.7, 1.1), l * shoulder), (0.0, l)], w * 0.45)
    }
}

fn add_guard(rng: &mut Rng, b: &mut Builder, half: f32, thick: f32, hilt: Paint) {
    match rng.index(4) {
        0 => b.add("guard", b.block(half * 2.0, thick * 1.3, thick * 1.6).at(0.0, -thick, 0.0), hilt),
        1 => {
            let lift = half * rng.between(-0.35, 0.45);
            let line = [
                vec3(0.0, -thick * 0.4, 0.0),
                vec3(half * 0.6, -thick * 0.4 + lift * 0.2, 0.0),
                vec3(half, lift, 0.0),
            ];
            b.add("guard", tube_with(&curve(&line, 3), |t| thick * (0.75 - 0.3 * t), 6).mirrored_x(), hilt);
        }
        2 => b.add(
            "guard",
            ellipsoid(half * 0.55, thick * 0.5, half * 0.5, b.segments.max(8)).at(0.0, -thick * 0.4, 0.0),
            hilt,
        ),
        _ => {
            let wing =
                outline(&[(0.0, -0.3), (1.0, 0.25), (1.15, 0.8), (0.75, 0.55), (0.3, 0.6), (0.0, 0.5)]);
            b.add(
                "guard",
                extrude(&wing, 0.35).scale(half, half * 0.7, thick * 3.0).mirrored_x().at(0.0, -thick, 0.0),
                hilt,
            );
        }
    }
}

fn shield(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wooden = rng.chance(0.35);
    let face = if wooden {
        rng.wood()
    } else {
        rng.paint_of(
            &["red", "blue", "green", "silver", "gray", "yellow", "white", "black", "purple"],
            MaterialKind::Metal,
        )
    };
    let rim = rng.paint_of(&["silver", "gold", "gray", "dark gray", "bronze"], MaterialKind::Metal);
    let s = rng.between(0.32, 0.5);
    let shape: Vec<glam::Vec2> = match rng.index(4) {
        0 => circle(1.0, b.segments.max(12)),
        1 => mirrored(&[(0.0, -1.25), (0.42, -0.85), (0.72, -0.25), (0.78, 0.9), (0.4, 0.95), (0.0, 1.02)]),
        2 => mirrored(&[(0.0, -1.2), (0.4, -0.85), (0.75, -0.2), (0.8, 0.55), (0.72, 0.95), (0.0, 0.82)]),
        _ => mirrored(&[(0.0, -1.4), (0.35, -0.9), (0.62, -0.1), (0.72, 0.5), (0.55, 0.95), (0.0, 1.15)]),
    };
    let round = shape.len() >= 12 && (shape[0].length() - shape[3].length()).abs() < 1e-3;
    let bulge = rng.between(0.1, 0.35);
    let bent = |p: Vec3| vec3(p.x, p.y, p.z - bulge * p.x * p.x);
    let plate = |scale: f32, depth: f32, z: f32| {
        let points: Vec<glam::Vec2> = shape.iter().map(|p| *p * scale).collect();
        extrude(&points, depth).at(0.0, 0.0, z).map(bent).scaled(s)
    };
    b.add("rim", plate(1.0, 0.1, 0.0), rim);
    b.add("face", plate(0.88, 0.08, 0.05), face);
    let mark = rng.paint_of(&["white", "gold", "yellow", "black", "red", "silver"], MaterialKind::Metal);
    match rng.index(5) {
        0 => {
            let cross =
                cuboid(0.2, 1.5, 0.05).at(0.0, -0.75, 0.1).join(cuboid(1.2, 0.2, 0.05).at(0.0, 0.05, 0.08));
            b.add("cross", cross.scaled(s), mark);
            b.colored_part("cross", mark);
        }
        1 | 2 => {
            let boss = dome(0.26, 0.2, b.segments.max(8)).rot_x(FRAC_PI_2).at(0.0, 0.0, 0.08);
            b.add("boss", boss.scaled(s), rim);
            b.part("a metal boss");
        }
        3 if wooden => {
            let gap = cuboid(0.03, 1.5, 0.03).at(-0.5, -0.75, 0.07).linear_array(5, vec3(0.25, 0.0, 0.0));
            b.add("planks", gap.map(bent).scaled(s), face.shade(0.5));
        }
        _ => {
            let half = cuboid(0.62, 1.0, 0.02).at(0.32, -0.2, 0.095);
            b.add("quarter", half.map(bent).scaled(s * 0.85), mark);
        }
    }
    if rng.chance(0.5) {
        let stud = sphere(0.05, 6);
        let studs = shape
            .iter()
            .step_by((shape.len() / 8).max(1))
            .map(|p| stud.clone().translated(bent(vec3(p.x * 0.94, p.y * 0.94, 0.07))));
        b.add("studs", Solid::union(studs.collect::<Vec<_>>()).scaled(s), rim.shade(0.8));
        b.part("studs");
    }
    b.add(
        "handle",
        handle(-0.25, 0.25, 0.2, 0.04, 8).rot_y(FRAC_PI_2).at(0.0, 0.0, -0.04).scaled(s),
        grip_paint(rng),
    );
    b.main_paint(face);
    b.adjective(if round { "round" } else { "pointed" });
    b.subcategory(if round { "round shield" } else { "kite shield" });
    b.colored_part("rim", rim);
    b.build()
}

fn spear(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.wood();
    let metal = rng.paint_of(&["silver", "gray", "gold", "light gray"], MaterialKind::Metal);
    let l = rng.between(1.4, 2.2);
    b.add("shaft", cylinder(0.022, l, b.few_segments()), wood);
    if rng.chance(0.3) {
        let prong = tube_with(
            &curve(
                &[
                    vec3(0.0, l, 0.0),
                    vec3(0.1, l + 0.03, 0.0),
                    vec3(0.13, l + 0.15, 0.0),
                    vec3(0.13, l + 0.32, 0.0),
                ],
                3,
            ),
            |t| 0.02 * (1.1 - t),
            6,
        );
        b.add("prongs", prong.mirrored_x().join(cone(0.022, 0.42, 6).at(0.0, l, 0.0)), metal);
        b.subcategory("trident");
        b.part("three prongs");
    } else {
        let (w, h) = (rng.between(0.045, 0.09), rng.between(0.2, 0.34));
        b.add("head", blade(&[(0.02, 0.0), (w, h * 0.3), (0.0, h)], 0.03).at(0.0, l, 0.0), metal);
        b.add("socket", frustum(0.03, 0.022, 0.1, 8).at(0.0, l - 0.06, 0.0), metal);
        if rng.chance(0.3) {
            let ribbon = rng.paint_of(&["red", "white", "blue"], MaterialKind::Fabric);
            b.add("tassel", frustum(0.06, 0.025, 0.16, 8).at(0.0, l - 0.22, 0.0), ribbon);
            b.colored_part("tassel", ribbon);
        }
    }
    b.main_paint(wood);
    b.part("a sharp point");
    laid(rng, &mut b);
    b.build()
}

fn dagger(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let (metal, hilt, wrap) = (steel(rng), brass(rng), grip_paint(rng));
    let l = rng.between(0.16, 0.26);
    let w = l * rng.between(0.09, 0.14);
    b.add("blade", blade(&[(w, 0.0), (w * 1.05, l * 0.4), (w * 0.7, l * 0.75), (0.0, l)], w * 0.45), metal);
    b.add("guard", b.block(w * rng.between(3.4, 5.0), w * 0.6, w * 0.8).at(0.0, -w * 0.6, 0.0), hilt);
    b.add(
        "grip",
        lathe(&[vec2(w * 0.4, -l * 0.5), vec2(w * 0.5, -l * 0.25), vec2(w * 0.4, 0.0)], b.few_segments()),
        wrap,
    );
    b.add("pommel", sphere(w * 0.6, b.segments.min(10)).at(0.0, -l * 0.54, 0.0), hilt);
    b.main_paint(metal);
    b.colored_part("hilt", hilt);
    laid(rng, &mut b);
    b.build()
}

fn helmet(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let n = b.segments.max(10);
    let dark = rng.paint("black", MaterialKind::Plain);
    let r = 0.14;
    match rng.index(4) {
        0 => {
            knight_helmet(rng, &mut b, r, dark);
        }
        1 => {
            viking_helmet(rng, &mut b, r);
        }
        2 => {
            let paint = rng.paint_of(
                &["dark green", "gray", "tan", "dark gray", "yellow", "orange", "white"],
                MaterialKind::Metal,
            );
            b.add("bowl", dome(r, r * 0.95, n), paint);
            b.add("brim", washer(r * 1.28, r * 0.9, r * 0.07, n).scale(0.95, 1.0, 1.05), paint);
            b.add("ridge", cuboid(r * 0.2, r * 0.1, r * 1.5).at(0.0, r * 0.86, 0.0), paint);
            b.main_paint(paint);
            b.subcategory(if ["yellow", "orange", "white"].contains(&paint.color.name) {
                "hard hat"
            } else {
                "army helmet"
            });
            b.part("a brim");
        }
        _ => {
            let paint = rng.painted(MaterialKind::Plastic);
            b.add(
                "shell",
                ellipsoid(r, r * 1.02, r * 1.12, n.max(12)).map(|p| vec3(p.x, p.y.max(-r * 0.8), p.z)),
                paint,
            );
            b.add(
                "visor",
                ellipsoid(r * 0.88, r * 0.5, r * 0.5, 12).at(0.0, r * 0.12, r * 0.72),
                rng.paint_of(&["black", "navy", "dark gray"], MaterialKind::Glass),
            );
            b.add(
                "chin",
                ellipsoid(r * 0.7, r * 0.35, r * 0.5, 12).at(0.0, -r * 0.55, r * 0.68),
                paint.shade(0.85),
            );
            b.main_paint(paint);
            b.subcategory("motorcycle helmet");
            b.part("a visor");
        }
    }
    b.build()
}

fn viking_helmet(rng: &mut Rng, b: &mut Builder, r: f32) {
    let n = b.segments.max(10);
    let paint = steel(rng);
    b.add("bowl", dome(r, r * 1.15, n), paint);
    b.add(
        "band",
        cylinder(r * 1.04, r * 0.2, n),
        rng.paint_of(&["gold", "bronze", "dark gray"], MaterialKind::Metal),
    );
    let line = [vec3(r * 0.95, r * 0.35, 0.0), vec3(r * 1.7, r * 0.5, 0.0), vec3(r * 1.85, r * 1.35, 0.0)];
    let horn = tube_with(&curve(&line, 4), |t| r * 0.24 * (1.05 - t), 8);
    b.add("horns", horn.mirrored_x(), rng.paint_of(&["cream", "white", "tan"], MaterialKind::Plain));
    b.add("nose guard", cuboid(r * 0.2, r * 0.6, r * 0.1).at(0.0, -r * 0.45, r), paint);
    b.main_paint(paint);
    b.subcategory("viking helmet");
    b.part("two horns");
}

fn knight_helmet(rng: &mut Rng, b: &mut Builder, r: f32, dark: Paint) {
    let n = b.segments.max(10);
    let paint = steel(rng);
    let shell = lathe(
        &[
            vec2(r * 0.95, 0.0),
            vec2(r, r * 0.9),
            vec2(r * 0.85, r * 1.75),
            vec2(r * 0.4, r * 2.1),
            vec2(0.0, r * 2.15),
        ],
        n,
    )
    .scale(0.9, 1.0, 1.05);
    b.add("shell", shell, paint);
    b.add("slit", cuboid(r * 1.25, r * 0.13, r * 0.4).at(0.0, r * 1.15, r * 0.86), dark);
    b.add(
        "ridge",
        cuboid(r * 0.12, r * 1.9, r * 0.25).at(0.0, 0.05, r * 0.95),
        rng.paint_of(&["gold", "silver"], MaterialKind::Metal),
    );
    let holes = cuboid(r * 0.08, r * 0.08, 0.03)
        .at(r * 0.25, r * 0.45, r * 0.92)
        .linear_array(2, vec3(0.0, r * 0.25, 0.0));
    b.add("holes", holes.mirrored_x(), dark);
    if rng.chance(0.5) {
        let plume = rng.paint_of(&["red", "blue", "white"], MaterialKind::Fabric);
        b.add("plume", ellipsoid(r * 0.16, r * 0.55, r * 1.0, 8).at(0.0, r * 2.3, -r * 0.3), plume);
        b.colored_part("plume", plume);
    }
    b.main_paint(paint);
    b.subcategory("knight helmet");
}

fn anchor(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let iron = rng.paint_of(&["dark gray", "black", "gray", "gold", "silver", "navy"], MaterialKind::Metal);
    let h = rng.between(0.9, 1.3);
    let r = h * rng.between(0.035, 0.06);
    b.add("shank", if b.flat { cuboid(r * 1.8, h, r * 1.8) } else { cylinder(r, h, b.few_segments()) }, iron);
    b.add(
        "ring",
        torus(h * 0.1, r * 0.6, b.segments.max(10), 6).rot_x(FRAC_PI_2).at(0.0, h * 1.1, 0.0),
        iron,
    );
    b.add(
        "stock",
        rod(vec3(-h * 0.25, h * 0.86, 0.0), vec3(h * 0.25, h * 0.86, 0.0), r * 0.8, b.few_segments()),
        iron,
    );
    let reach = h * rng.between(0.34, 0.44);
    let arms: Vec<Vec3> =
        arc(reach, -FRAC_PI_2, -0.15, 6).iter().map(|p| *p + Vec3::Y * reach * 0.9).collect();
    b.add("arms", tube_with(&arms, |t| r * (1.2 - 0.4 * t), 6).mirrored_x(), iron);
    let tip = arms[arms.len() - 1];
    let fluke = extrude_beveled(&outline(&[(-0.11, -0.03), (0.07, -0.03), (0.05, 0.13)]), r * 1.4, 0.2)
        .scale(h, h, 1.0);
    b.add("flukes", fluke.translated(tip).mirrored_x(), iron);
    if rng.chance(0.25) {
        let rope = tube(
            &curve(
                &[
                    vec3(0.0, h * 1.1, 0.05),
                    vec3(h * 0.2, h * 0.75, 0.1),
                    vec3(-h * 0.15, h * 0.5, 0.1),
                    vec3(h * 0.15, h * 0.2, 0.1),
                ],
                5,
            ),
            r * 0.5,
            6,
        );
        b.add("rope", rope, rng.paint("tan", MaterialKind::Fabric));
        b.part("a rope");
    }
    b.main_paint(iron);
    b.part("a ring");
    b.build()
}
