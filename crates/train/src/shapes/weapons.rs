//! Weapons and armor.

use glam::{Vec3, vec2, vec3};

use super::Category;
use super::kit::*;
use super::vehicles::wheel_at;

const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "weapon", build }
}

pub(super) const CATEGORIES: &[Category] = &[
    row("sword", &["blade"], sword),
    row("shield", &["buckler"], shield),
    row("bow", &["longbow"], bow),
    row("crossbow", &[], crossbow),
    row("arrow", &[], arrow),
    row("pistol", &["handgun", "gun"], pistol),
    row("rifle", &["gun"], rifle),
    row("cannon", &["artillery"], cannon),
    row("spear", &["lance", "trident"], spear),
    row("dagger", &["short blade"], dagger),
    row("helmet", &["knight helmet"], helmet),
    row("anchor", &["ship anchor"], anchor),
    row("bomb", &["grenade"], bomb),
];

fn steel(rng: &mut Rng) -> Paint {
    rng.paint_of(&["silver", "silver", "light gray", "gray", "dark gray"], Stuff::Metal)
}

fn brass(rng: &mut Rng) -> Paint {
    rng.paint_of(&["gold", "bronze", "dark gray", "gold", "brown", "silver"], Stuff::Metal)
}

fn grip_paint(rng: &mut Rng) -> Paint {
    rng.paint_of(&["brown", "dark brown", "black", "red", "navy"], Stuff::Leather)
}

/// Puts a thing that was built upright as it may lie in a file: upright, point down, or flat.
fn laid(rng: &mut Rng, b: &mut Builder) {
    let turn = match rng.index(6) {
        0 => glam::Quat::from_rotation_z(HALF_TURN),
        1 => glam::Quat::from_rotation_z(QUARTER),
        2 => glam::Quat::from_rotation_x(QUARTER),
        3 => glam::Quat::from_rotation_z(0.7),
        _ => glam::Quat::IDENTITY,
    };
    b.transform(glam::Affine3A::from_quat(turn));
}

/// A blade along y from the origin: right half of its outline, sharp at both rims.
fn blade(right: &[(f32, f32)], thickness: f32) -> Solid {
    extrude_beveled(&mirrored(right), thickness, 0.45).flat()
}

fn sword(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let fantasy = rng.chance(0.2);
    let metal = if fantasy {
        rng.paint_of(&["light blue", "blue", "purple", "teal", "red", "light green"], Stuff::Metal)
    } else {
        steel(rng)
    };
    let (hilt, wrap) = (brass(rng), grip_paint(rng));
    let l = rng.between(0.55, 1.1);
    let w = l * rng.between(0.035, 0.075) * if fantasy { 1.5 } else { 1.0 };
    let curved = rng.chance(0.25);
    let solid = if curved {
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
        b.kind(rng.pick(&["katana", "scimitar", "saber"]));
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
    };
    b.add("blade", solid, metal);
    if !curved && rng.chance(0.4) {
        b.add("fuller", cuboid(w * 0.35, l * 0.6, w * 0.5).at(0.0, 0.02, 0.0), metal.shade(0.6));
    }
    let (half, thick) = (l * rng.between(0.09, 0.17), w * rng.between(0.4, 0.65));
    match rng.index(4) {
        0 => b.add("guard", b.block(half * 2.0, thick * 1.3, thick * 1.6).at(0.0, -thick, 0.0), hilt),
        1 => {
            let lift = half * rng.between(-0.35, 0.45);
            let line = [
                vec3(0.0, -thick * 0.4, 0.0),
                vec3(half * 0.6, -thick * 0.4 + lift * 0.2, 0.0),
                vec3(half, lift, 0.0),
            ];
            b.add("guard", tube_with(&curve(&line, 3), |t| thick * (0.75 - 0.3 * t), 6).both_x(), hilt);
        }
        2 => b.add(
            "guard",
            ellipsoid(half * 0.55, thick * 0.5, half * 0.5, b.n.max(8)).at(0.0, -thick * 0.4, 0.0),
            hilt,
        ),
        _ => {
            let wing =
                outline(&[(0.0, -0.3), (1.0, 0.25), (1.15, 0.8), (0.75, 0.55), (0.3, 0.6), (0.0, 0.5)]);
            b.add(
                "guard",
                extrude(&wing, 0.35).scale(half, half * 0.7, thick * 3.0).both_x().at(0.0, -thick, 0.0),
                hilt,
            );
        }
    }
    let grip = l * rng.between(0.16, 0.3);
    let r = w * rng.between(0.35, 0.5);
    b.add(
        "grip",
        lathe(&[vec2(r * 0.8, -grip), vec2(r, -grip * 0.5), vec2(r * 0.85, 0.0)], b.small()).at(
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
            ellipsoid(r * 1.5, r * 1.4, r * 1.3, b.n.min(10)).at(0.0, pommel - r * 0.7, 0.0),
            hilt,
        );
    } else {
        b.add("pommel", b.block(r * 2.6, r * 2.2, r * 2.2).at(0.0, pommel - r * 2.0, 0.0), hilt);
    }
    if rng.chance(0.3) {
        let gem = rng.paint_of(&["red", "blue", "green", "purple"], Stuff::Glass);
        b.add("gem", ellipsoid(thick * 0.6, thick * 0.6, thick * 1.1, 6).at(0.0, -thick * 0.3, 0.0), gem);
        b.has_colored("gem", gem);
    }
    b.main(metal);
    b.has_colored("hilt", hilt);
    laid(rng, &mut b);
    b.done()
}

fn shield(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wooden = rng.chance(0.35);
    let face = if wooden {
        rng.wood()
    } else {
        rng.paint_of(
            &["red", "blue", "green", "silver", "gray", "yellow", "white", "black", "purple"],
            Stuff::Metal,
        )
    };
    let rim = rng.paint_of(&["silver", "gold", "gray", "dark gray", "bronze"], Stuff::Metal);
    let s = rng.between(0.32, 0.5);
    let shape: Vec<glam::Vec2> = match rng.index(4) {
        0 => circle(1.0, b.n.max(12)),
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
    let mark = rng.paint_of(&["white", "gold", "yellow", "black", "red", "silver"], Stuff::Metal);
    match rng.index(5) {
        0 => {
            let cross =
                cuboid(0.2, 1.5, 0.05).at(0.0, -0.75, 0.1).join(cuboid(1.2, 0.2, 0.05).at(0.0, 0.05, 0.08));
            b.add("cross", cross.scaled(s), mark);
            b.has_colored("cross", mark);
        }
        1 | 2 => {
            let boss = dome(0.26, 0.2, b.n.max(8)).rot_x(QUARTER).at(0.0, 0.0, 0.08);
            b.add("boss", boss.scaled(s), rim);
            b.has("a metal boss");
        }
        3 if wooden => {
            let gap = cuboid(0.03, 1.5, 0.03).at(-0.5, -0.75, 0.07).repeat(5, vec3(0.25, 0.0, 0.0));
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
            .map(|p| stud.clone().moved(bent(vec3(p.x * 0.94, p.y * 0.94, 0.07))));
        b.add("studs", Solid::union(studs.collect::<Vec<_>>()).scaled(s), rim.shade(0.8));
        b.has("studs");
    }
    b.add(
        "handle",
        handle(-0.25, 0.25, 0.2, 0.04, 8).rot_y(QUARTER).at(0.0, 0.0, -0.04).scaled(s),
        grip_paint(rng),
    );
    b.main(face);
    b.adjective(if round { "round" } else { "pointed" });
    b.kind(if round { "round shield" } else { "kite shield" });
    b.has_colored("rim", rim);
    b.done()
}

fn bow(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.wood();
    let string = rng.paint_of(&["white", "cream", "tan"], Stuff::Fabric);
    let (h, bend) = (rng.between(0.55, 0.85), rng.between(0.22, 0.4));
    let recurve = rng.chance(0.5);
    let tip = if recurve { -0.08 } else { 0.0 };
    let upper = [
        vec3(0.0, 0.0, bend),
        vec3(0.0, h * 0.45, bend * 0.78),
        vec3(0.0, h * 0.85, bend * 0.15),
        vec3(0.0, h, if recurve { bend * 0.22 } else { 0.0 } + tip),
    ];
    let arm = tube_with(&curve(&upper, 4), |t| 0.022 * (1.15 - 0.75 * t), b.small());
    b.add("arms", arm.clone().join(arm.scale(1.0, -1.0, 1.0)), wood);
    b.add(
        "grip",
        rod(vec3(0.0, -h * 0.1, bend * 0.985), vec3(0.0, h * 0.1, bend * 0.985), 0.03, 8),
        grip_paint(rng),
    );
    let z = upper[3].z;
    b.add("string", rod(vec3(0.0, -h, z), vec3(0.0, h, z), 0.005, 4), string);
    if rng.chance(0.35) {
        let at = vec3(0.0, 0.0, z);
        b.add("arrow", rod(at, at + Vec3::Z * (bend - z + 0.35), 0.008, 5), wood.shade(1.3));
        b.add(
            "arrow head",
            cone(0.022, 0.06, 4).rot_x(QUARTER).moved(at + Vec3::Z * (bend - z + 0.35)),
            steel(rng),
        );
        b.has("an arrow");
    }
    b.main(wood);
    b.has("a string");
    b.done()
}

fn crossbow(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.wood();
    let metal = steel(rng);
    let l = rng.between(0.6, 0.8);
    let stock = super::vehicles::side_profile(
        &[
            (-l * 0.55, -0.12),
            (-l * 0.5, -0.13),
            (-l * 0.2, -0.035),
            (l * 0.5, -0.03),
            (l * 0.5, 0.03),
            (-l * 0.2, 0.035),
            (-l * 0.55, -0.0),
        ],
        0.05,
    );
    b.add("stock", stock, wood);
    let span = l * rng.between(0.4, 0.55);
    let arm = tube_with(
        &curve(&[vec3(0.0, 0.02, l * 0.46), vec3(span * 0.5, 0.02, l * 0.4), vec3(span, 0.02, l * 0.2)], 3),
        |t| 0.026 - 0.012 * t,
        6,
    );
    b.add("arms", arm.both_x(), metal);
    let catch = vec3(0.0, 0.035, -l * 0.05);
    b.add(
        "string",
        rod(vec3(span, 0.02, l * 0.2), catch, 0.005, 4).both_x(),
        rng.paint("cream", Stuff::Fabric),
    );
    b.add(
        "bolt",
        rod(catch, vec3(0.0, 0.045, l * 0.55), 0.009, 5).join(cone(0.02, 0.06, 4).rot_x(QUARTER).at(
            0.0,
            0.045,
            l * 0.55,
        )),
        metal,
    );
    b.add("trigger", cuboid(0.015, 0.07, 0.02).at(0.0, -0.1, -l * 0.12), metal);
    b.add("stirrup", torus(0.045, 0.009, 12, 5).rot_x(0.2).at(0.0, 0.0, l * 0.55), metal);
    b.main(wood);
    b.has("a bolt");
    b.has("a trigger");
    b.done()
}

fn arrow(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.wood();
    let fletch = rng.paint_of(&["red", "white", "blue", "yellow", "green", "black"], Stuff::Plain);
    let count = if rng.chance(0.75) { 1 } else { rng.count(3, 5) };
    for i in 0..count {
        let place = |s: Solid| s.rot_z(if count == 1 { 0.0 } else { (i as f32 - 1.5) * 0.12 });
        b.add("shaft", place(cylinder(0.009, 0.7, 6)), wood);
        b.add(
            "head",
            place(
                extrude_beveled(&outline(&[(-0.03, 0.0), (0.03, 0.0), (0.0, 0.09)]), 0.02, 0.4)
                    .at(0.0, 0.69, 0.0),
            ),
            steel(rng),
        );
        let feather = extrude(&outline(&[(0.0, 0.02), (0.035, 0.0), (0.04, 0.1), (0.0, 0.16)]), 0.004);
        b.add("fletching", place(feather.around_y(3)), fletch);
    }
    b.main(wood);
    b.has_colored("feathers", fletch);
    laid(rng, &mut b);
    b.done()
}

fn pistol(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let metal = rng.paint_of(&["dark gray", "black", "gray", "silver"], Stuff::Metal);
    let grip = rng.paint_of(&["brown", "black", "dark brown", "dark gray"], Stuff::Wood);
    let side = super::vehicles::side_profile;
    if rng.chance(0.45) {
        let l = rng.between(0.12, 0.22);
        b.add("barrel", cylinder(0.012, l, 10).rot_x(QUARTER).at(0.0, 0.035, 0.02), metal);
        b.add(
            "frame",
            side(
                &[(-0.06, 0.0), (0.05, 0.0), (0.05, 0.02), (0.04, 0.055), (-0.05, 0.055), (-0.075, 0.03)],
                0.02,
            ),
            metal,
        );
        b.add(
            "cylinder",
            cylinder(0.026, 0.05, 6 + b.n / 4).rot_x(QUARTER).at(0.0, 0.027, -0.015),
            metal.shade(0.8),
        );
        b.add(
            "grip",
            side(
                &[
                    (-0.04, 0.01),
                    (-0.075, 0.03),
                    (-0.1, -0.02),
                    (-0.12, -0.1),
                    (-0.07, -0.11),
                    (-0.055, -0.03),
                ],
                0.026,
            ),
            grip,
        );
        b.add("hammer", cuboid(0.01, 0.03, 0.015).rot_x(-0.5).at(0.0, 0.045, -0.065), metal);
        b.kind("revolver");
    } else {
        let l = rng.between(0.16, 0.21);
        b.add("slide", b.block(0.028, 0.036, l).at(0.0, 0.02, 0.0), metal);
        b.add("frame", cuboid(0.025, 0.022, l * 0.92).at(0.0, 0.0, 0.0), metal.shade(0.75));
        b.add(
            "grip",
            side(&[(-l * 0.15, 0.005), (-l * 0.48, 0.005), (-l * 0.62, -0.115), (-l * 0.3, -0.12)], 0.026),
            grip,
        );
        b.add(
            "muzzle",
            cylinder(0.007, 0.01, 8).rot_x(QUARTER).at(0.0, 0.038, l / 2.0 - 0.005),
            metal.shade(0.3),
        );
        b.add("sights", cuboid(0.006, 0.008, 0.012).at(0.0, 0.055, l * 0.45).both_z(), metal);
    }
    b.add("trigger guard", torus(0.026, 0.004, 14, 5).rot_z(QUARTER).at(0.0, -0.018, 0.0), metal);
    b.add("trigger", cuboid(0.006, 0.022, 0.006).at(0.0, -0.026, -0.004), metal);
    b.main(metal);
    b.has("a grip");
    b.has("a trigger");
    b.done()
}

fn rifle(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let metal = rng.paint_of(&["dark gray", "black", "gray"], Stuff::Metal);
    let side = super::vehicles::side_profile;
    let modern = rng.chance(0.5);
    let stock = if modern {
        rng.paint_of(&["black", "dark gray", "tan", "dark green"], Stuff::Plastic)
    } else {
        rng.wood()
    };
    let l = rng.between(0.45, 0.7);
    b.add("receiver", b.block(0.045, 0.08, 0.3), metal);
    b.add("barrel", cylinder(0.014, l, 10).rot_x(QUARTER).at(0.0, 0.05, 0.14), metal);
    b.add(
        "foregrip",
        side(&[(0.14, 0.0), (0.14 + l * 0.5, 0.015), (0.14 + l * 0.5, 0.065), (0.14, 0.07)], 0.042),
        stock,
    );
    b.add(
        "stock",
        side(
            &[
                (-0.14, 0.02),
                (-0.14, 0.075),
                (-0.42, 0.05),
                (-0.48, 0.04),
                (-0.48, -0.09),
                (-0.43, -0.09),
                (-0.3, -0.02),
            ],
            0.04,
        ),
        stock,
    );
    b.add("grip", side(&[(-0.07, 0.01), (-0.13, 0.01), (-0.19, -0.1), (-0.14, -0.12)], 0.034), stock);
    if modern {
        b.add(
            "magazine",
            side(&[(-0.01, 0.01), (0.08, 0.01), (0.12, -0.15), (0.04, -0.17)], 0.03),
            metal.shade(0.8),
        );
        b.has("a magazine");
    }
    if rng.chance(0.55) {
        let scope = lathe(
            &[
                vec2(0.026, -0.13),
                vec2(0.026, -0.08),
                vec2(0.016, -0.05),
                vec2(0.016, 0.06),
                vec2(0.03, 0.1),
                vec2(0.03, 0.16),
            ],
            12,
        );
        b.add("scope", scope.rot_x(QUARTER).at(0.0, 0.125, 0.02), metal);
        b.add("mounts", cuboid(0.016, 0.045, 0.02).at(0.0, 0.075, 0.05).both_z(), metal);
        b.has("a scope");
        b.kind("sniper rifle");
    }
    b.add("trigger guard", torus(0.03, 0.005, 12, 5).rot_z(QUARTER).at(0.0, -0.012, -0.03), metal);
    b.add("muzzle", cylinder(0.02, 0.06, 8).rot_x(QUARTER).at(0.0, 0.05, 0.12 + l), metal);
    b.main(stock);
    b.has("a long barrel");
    b.done()
}

fn cannon(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let iron = rng.paint_of(&["black", "dark gray", "gray", "bronze", "gold"], Stuff::Metal);
    let wood = rng.wood();
    let (l, r) = (rng.between(1.0, 1.5), rng.between(0.14, 0.2));
    let wheel = rng.between(0.25, 0.45);
    let y = wheel * 1.3 + r * 0.5;
    let profile = [
        (0.0, -0.32),
        (0.35, -0.3),
        (0.35, -0.22),
        (0.6, -0.18),
        (1.15, -0.15),
        (1.15, -0.08),
        (1.0, -0.06),
        (0.95, 0.25),
        (1.02, 0.27),
        (1.02, 0.32),
        (0.8, 0.36),
        (0.72, 0.9),
        (0.95, 0.95),
        (0.95, 1.0),
        (0.5, 1.0),
        (0.5, 0.8),
    ];
    let barrel = lathe(&profile.map(|(x, t)| vec2(x * r, t * l)), b.n.max(8));
    let lift = rng.between(0.05, 0.5);
    b.add("barrel", barrel.rot_x(QUARTER - lift).at(0.0, y, -l * 0.2), iron);
    for x in [-1.0, 1.0] {
        let cheek = super::vehicles::side_profile(
            &[(-l * 0.7, 0.1), (-l * 0.55, 0.05), (l * 0.3, wheel * 0.7), (l * 0.3, y), (-l * 0.1, y)],
            0.09,
        );
        b.add("carriage", cheek.at(x * r * 1.25, 0.0, 0.0), wood);
        let at = vec3(x * (r * 1.25 + 0.13), 0.0, l * 0.12);
        if rng.clone().chance(0.6) {
            let rim = washer(wheel, wheel * 0.8, 0.07, 16).rot_z(QUARTER).moved(at + vec3(0.035, wheel, 0.0));
            let spokes = Solid::union((0..4).map(|i| {
                cuboid(0.05, wheel * 1.7, 0.05).at(0.0, -wheel * 0.85, 0.0).rot_x(0.785 * i as f32)
            }));
            b.add("wheel", rim.join(spokes.moved(at + Vec3::Y * wheel)), wood.shade(0.8));
            b.add(
                "hub",
                cylinder(0.07, 0.14, 8).at(0.0, -0.07, 0.0).rot_z(QUARTER).moved(at + Vec3::Y * wheel),
                iron,
            );
        } else {
            wheel_at(&mut b, wheel, 0.08, at, iron, wood.shade(0.8));
        }
    }
    b.add("axle", rod(vec3(-r * 2.0, wheel, l * 0.12), vec3(r * 2.0, wheel, l * 0.12), 0.05, 8), wood);
    if rng.chance(0.3) {
        let ball = sphere(r * 0.6, 10);
        let pile = ball
            .clone()
            .at(-0.5, r * 0.6, 0.3)
            .join(ball.clone().at(-0.5 - r * 1.25, r * 0.6, 0.3))
            .join(ball.at(-0.5 - r * 0.6, r * 1.6, 0.3));
        b.add("cannonballs", pile.at(-r * 2.0, 0.0, 0.0), iron);
        b.has("cannonballs");
    }
    b.main(iron);
    b.has("two wheels");
    b.has("a wooden carriage");
    b.done()
}

fn spear(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.wood();
    let metal = rng.paint_of(&["silver", "gray", "gold", "light gray"], Stuff::Metal);
    let l = rng.between(1.4, 2.2);
    b.add("shaft", cylinder(0.022, l, b.small()), wood);
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
        b.add("prongs", prong.both_x().join(cone(0.022, 0.42, 6).at(0.0, l, 0.0)), metal);
        b.kind("trident");
        b.has("three prongs");
    } else {
        let (w, h) = (rng.between(0.045, 0.09), rng.between(0.2, 0.34));
        b.add("head", blade(&[(0.02, 0.0), (w, h * 0.3), (0.0, h)], 0.03).at(0.0, l, 0.0), metal);
        b.add("socket", frustum(0.03, 0.022, 0.1, 8).at(0.0, l - 0.06, 0.0), metal);
        if rng.chance(0.3) {
            let ribbon = rng.paint_of(&["red", "white", "blue"], Stuff::Fabric);
            b.add("tassel", frustum(0.06, 0.025, 0.16, 8).at(0.0, l - 0.22, 0.0), ribbon);
            b.has_colored("tassel", ribbon);
        }
    }
    b.main(wood);
    b.has("a sharp point");
    laid(rng, &mut b);
    b.done()
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
        lathe(&[vec2(w * 0.4, -l * 0.5), vec2(w * 0.5, -l * 0.25), vec2(w * 0.4, 0.0)], b.small()),
        wrap,
    );
    b.add("pommel", sphere(w * 0.6, b.n.min(10)).at(0.0, -l * 0.54, 0.0), hilt);
    b.main(metal);
    b.has_colored("hilt", hilt);
    laid(rng, &mut b);
    b.done()
}

fn helmet(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let n = b.n.max(10);
    let dark = rng.paint("black", Stuff::Plain);
    let r = 0.14;
    match rng.index(4) {
        0 => {
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
                rng.paint_of(&["gold", "silver"], Stuff::Metal),
            );
            let holes = cuboid(r * 0.08, r * 0.08, 0.03)
                .at(r * 0.25, r * 0.45, r * 0.92)
                .repeat(2, vec3(0.0, r * 0.25, 0.0));
            b.add("holes", holes.both_x(), dark);
            if rng.chance(0.5) {
                let plume = rng.paint_of(&["red", "blue", "white"], Stuff::Fabric);
                b.add("plume", ellipsoid(r * 0.16, r * 0.55, r * 1.0, 8).at(0.0, r * 2.3, -r * 0.3), plume);
                b.has_colored("plume", plume);
            }
            b.main(paint);
            b.kind("knight helmet");
        }
        1 => {
            let paint = steel(rng);
            b.add("bowl", dome(r, r * 1.15, n), paint);
            b.add(
                "band",
                cylinder(r * 1.04, r * 0.2, n),
                rng.paint_of(&["gold", "bronze", "dark gray"], Stuff::Metal),
            );
            let line =
                [vec3(r * 0.95, r * 0.35, 0.0), vec3(r * 1.7, r * 0.5, 0.0), vec3(r * 1.85, r * 1.35, 0.0)];
            let horn = tube_with(&curve(&line, 4), |t| r * 0.24 * (1.05 - t), 8);
            b.add("horns", horn.both_x(), rng.paint_of(&["cream", "white", "tan"], Stuff::Plain));
            b.add("nose guard", cuboid(r * 0.2, r * 0.6, r * 0.1).at(0.0, -r * 0.45, r), paint);
            b.main(paint);
            b.kind("viking helmet");
            b.has("two horns");
        }
        2 => {
            let paint = rng.paint_of(
                &["dark green", "gray", "tan", "dark gray", "yellow", "orange", "white"],
                Stuff::Metal,
            );
            b.add("bowl", dome(r, r * 0.95, n), paint);
            b.add("brim", washer(r * 1.28, r * 0.9, r * 0.07, n).scale(0.95, 1.0, 1.05), paint);
            b.add("ridge", cuboid(r * 0.2, r * 0.1, r * 1.5).at(0.0, r * 0.86, 0.0), paint);
            b.main(paint);
            b.kind(if ["yellow", "orange", "white"].contains(&paint.color.name) {
                "hard hat"
            } else {
                "army helmet"
            });
            b.has("a brim");
        }
        _ => {
            let paint = rng.painted(Stuff::Plastic);
            b.add(
                "shell",
                ellipsoid(r, r * 1.02, r * 1.12, n.max(12)).map(|p| vec3(p.x, p.y.max(-r * 0.8), p.z)),
                paint,
            );
            b.add(
                "visor",
                ellipsoid(r * 0.88, r * 0.5, r * 0.5, 12).at(0.0, r * 0.12, r * 0.72),
                rng.paint_of(&["black", "navy", "dark gray"], Stuff::Glass),
            );
            b.add(
                "chin",
                ellipsoid(r * 0.7, r * 0.35, r * 0.5, 12).at(0.0, -r * 0.55, r * 0.68),
                paint.shade(0.85),
            );
            b.main(paint);
            b.kind("motorcycle helmet");
            b.has("a visor");
        }
    }
    b.done()
}

fn anchor(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let iron = rng.paint_of(&["dark gray", "black", "gray", "gold", "silver", "navy"], Stuff::Metal);
    let h = rng.between(0.9, 1.3);
    let r = h * rng.between(0.035, 0.06);
    b.add("shank", if b.flat { cuboid(r * 1.8, h, r * 1.8) } else { cylinder(r, h, b.small()) }, iron);
    b.add("ring", torus(h * 0.1, r * 0.6, b.n.max(10), 6).rot_x(QUARTER).at(0.0, h * 1.1, 0.0), iron);
    b.add(
        "stock",
        rod(vec3(-h * 0.25, h * 0.86, 0.0), vec3(h * 0.25, h * 0.86, 0.0), r * 0.8, b.small()),
        iron,
    );
    let reach = h * rng.between(0.34, 0.44);
    let arms: Vec<Vec3> = arc(reach, -QUARTER, -0.15, 6).iter().map(|p| *p + Vec3::Y * reach * 0.9).collect();
    b.add("arms", tube_with(&arms, |t| r * (1.2 - 0.4 * t), 6).both_x(), iron);
    let tip = arms[arms.len() - 1];
    let fluke = extrude_beveled(&outline(&[(-0.11, -0.03), (0.07, -0.03), (0.05, 0.13)]), r * 1.4, 0.2)
        .scale(h, h, 1.0);
    b.add("flukes", fluke.moved(tip).both_x(), iron);
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
        b.add("rope", rope, rng.paint("tan", Stuff::Fabric));
        b.has("a rope");
    }
    b.main(iron);
    b.has("a ring");
    b.done()
}

fn bomb(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let body = rng.paint_of(&["black", "dark gray", "black", "red", "dark green"], Stuff::Metal);
    let r = rng.between(0.1, 0.16);
    if rng.chance(0.3) {
        b.add(
            "stick",
            cylinder(r * 0.4, r * 2.4, b.n).at(0.0, 0.0, r * 0.46).around_y(3),
            rng.paint("red", Stuff::Plain),
        );
        b.add(
            "band",
            cylinder(r * 0.92, r * 0.2, b.n).at(0.0, r * 1.1, 0.0),
            rng.paint("black", Stuff::Plain),
        );
        b.kind("dynamite");
        b.add(
            "fuse",
            tube(
                &curve(&[vec3(0.0, r * 2.3, 0.0), vec3(0.0, r * 2.9, 0.0), vec3(r * 0.4, r * 3.2, 0.0)], 3),
                r * 0.05,
                5,
            ),
            rng.paint("cream", Stuff::Fabric),
        );
        b.colored(rng.paint("red", Stuff::Plain));
        b.has("a fuse");
        return b.done();
    }
    b.add("ball", sphere(r, b.n.max(8)), body);
    b.add("cap", cylinder(r * 0.35, r * 0.35, b.n.max(6)).at(0.0, r * 0.85, 0.0), body.shade(1.8));
    let line = [
        vec3(0.0, r * 1.15, 0.0),
        vec3(0.05 * r, r * 1.5, 0.0),
        vec3(r * 0.4, r * 1.75, 0.0),
        vec3(r * 0.65, r * 1.6, 0.0),
    ];
    b.add(
        "fuse",
        tube(&curve(&line, 3), r * 0.06, 5),
        rng.paint_of(&["tan", "cream", "brown"], Stuff::Fabric),
    );
    if rng.chance(0.5) {
        let spark = extrude(&star(r * 0.3, r * 0.12, 12), r * 0.1).moved(line[3]);
        b.add("spark", spark, rng.paint_of(&["orange", "yellow"], Stuff::Plain).glowing(0.6));
        b.has("a spark");
    }
    b.main(body);
    b.has("a fuse");
    b.done()
}
