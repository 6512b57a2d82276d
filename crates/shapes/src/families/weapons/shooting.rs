//! Weapons that shoot.

use glam::{Vec3, vec2, vec3};

use super::{grip_paint, laid, row, steel};
use crate::category::Category;
use crate::families::vehicles::wheel_at;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    row("bow", &["longbow"], bow),
    row("crossbow", &[], crossbow),
    row("arrow", &[], arrow),
    row("pistol", &["handgun", "gun"], pistol),
    row("rifle", &["gun"], rifle),
    row("cannon", &["artillery"], cannon),
    row("bomb", &["grenade"], bomb),
];

fn bow(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.wood();
    let string = rng.paint_of(&["white", "cream", "tan"], MaterialKind::Fabric);
    let (h, bend) = (rng.between(0.55, 0.85), rng.between(0.22, 0.4));
    let recurve = rng.chance(0.5);
    let tip = if recurve { -0.08 } else { 0.0 };
    let upper = [
        vec3(0.0, 0.0, bend),
        vec3(0.0, h * 0.45, bend * 0.78),
        vec3(0.0, h * 0.85, bend * 0.15),
        vec3(0.0, h, if recurve { bend * 0.22 } else { 0.0 } + tip),
    ];
    let arm = tube_with(&curve(&upper, 4), |t| 0.022 * (1.15 - 0.75 * t), b.few_segments());
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
            cone(0.022, 0.06, 4).rot_x(FRAC_PI_2).translated(at + Vec3::Z * (bend - z + 0.35)),
            steel(rng),
        );
        b.part("an arrow");
    }
    b.main_paint(wood);
    b.part("a string");
    b.build()
}

fn crossbow(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.wood();
    let metal = steel(rng);
    let l = rng.between(0.6, 0.8);
    let stock = side_profile(
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
    b.add("arms", arm.mirrored_x(), metal);
    let catch = vec3(0.0, 0.035, -l * 0.05);
    b.add(
        "string",
        rod(vec3(span, 0.02, l * 0.2), catch, 0.005, 4).mirrored_x(),
        rng.paint("cream", MaterialKind::Fabric),
    );
    b.add(
        "bolt",
        rod(catch, vec3(0.0, 0.045, l * 0.55), 0.009, 5).join(cone(0.02, 0.06, 4).rot_x(FRAC_PI_2).at(
            0.0,
            0.045,
            l * 0.55,
        )),
        metal,
    );
    b.add("trigger", cuboid(0.015, 0.07, 0.02).at(0.0, -0.1, -l * 0.12), metal);
    b.add("stirrup", torus(0.045, 0.009, 12, 5).rot_x(0.2).at(0.0, 0.0, l * 0.55), metal);
    b.main_paint(wood);
    b.part("a bolt");
    b.part("a trigger");
    b.build()
}

fn arrow(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wood = rng.wood();
    let fletch = rng.paint_of(&["red", "white", "blue", "yellow", "green", "black"], MaterialKind::Plain);
    let count = if rng.chance(0.75) { 1 } else { rng.int_between(3, 5) };
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
        b.add("fletching", place(feather.radial_array_y(3)), fletch);
    }
    b.main_paint(wood);
    b.colored_part("feathers", fletch);
    laid(rng, &mut b);
    b.build()
}

fn pistol(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let metal = rng.paint_of(&["dark gray", "black", "gray", "silver"], MaterialKind::Metal);
    let grip = rng.paint_of(&["brown", "black", "dark brown", "dark gray"], MaterialKind::Wood);
    let side = side_profile;
    if rng.chance(0.45) {
        let l = rng.between(0.12, 0.22);
        b.add("barrel", cylinder(0.012, l, 10).rot_x(FRAC_PI_2).at(0.0, 0.035, 0.02), metal);
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
            cylinder(0.026, 0.05, 6 + b.segments / 4).rot_x(FRAC_PI_2).at(0.0, 0.027, -0.015),
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
        b.subcategory("revolver");
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
            cylinder(0.007, 0.01, 8).rot_x(FRAC_PI_2).at(0.0, 0.038, l / 2.0 - 0.005),
            metal.shade(0.3),
        );
        b.add("sights", cuboid(0.006, 0.008, 0.012).at(0.0, 0.055, l * 0.45).mirrored_z(), metal);
    }
    b.add("trigger guard", torus(0.026, 0.004, 14, 5).rot_z(FRAC_PI_2).at(0.0, -0.018, 0.0), metal);
    b.add("trigger", cuboid(0.006, 0.022, 0.006).at(0.0, -0.026, -0.004), metal);
    b.main_paint(metal);
    b.part("a grip");
    b.part("a trigger");
    b.build()
}

fn rifle(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let metal = rng.paint_of(&["dark gray", "black", "gray"], MaterialKind::Metal);
    let side = side_profile;
    let modern = rng.chance(0.5);
    let stock = if modern {
        rng.paint_of(&["black", "dark gray", "tan", "dark green"], MaterialKind::Plastic)
    } else {
        rng.wood()
    };
    let l = rng.between(0.45, 0.7);
    b.add("receiver", b.block(0.045, 0.08, 0.3), metal);
    b.add("barrel", cylinder(0.014, l, 10).rot_x(FRAC_PI_2).at(0.0, 0.05, 0.14), metal);
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
        b.part("a magazine");
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
        b.add("scope", scope.rot_x(FRAC_PI_2).at(0.0, 0.125, 0.02), metal);
        b.add("mounts", cuboid(0.016, 0.045, 0.02).at(0.0, 0.075, 0.05).mirrored_z(), metal);
        b.part("a scope");
        b.subcategory("sniper rifle");
    }
    b.add("trigger guard", torus(0.03, 0.005, 12, 5).rot_z(FRAC_PI_2).at(0.0, -0.012, -0.03), metal);
    b.add("muzzle", cylinder(0.02, 0.06, 8).rot_x(FRAC_PI_2).at(0.0, 0.05, 0.12 + l), metal);
    b.main_paint(stock);
    b.part("a long barrel");
    b.build()
}

fn cannon(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let iron = rng.paint_of(&["black", "dark gray", "gray", "bronze", "gold"], MaterialKind::Metal);
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
    let barrel = lathe(&profile.map(|(x, t)| vec2(x * r, t * l)), b.segments.max(8));
    let lift = rng.between(0.05, 0.5);
    b.add("barrel", barrel.rot_x(FRAC_PI_2 - lift).at(0.0, y, -l * 0.2), iron);
    for x in [-1.0, 1.0] {
        let cheek = side_profile(
            &[(-l * 0.7, 0.1), (-l * 0.55, 0.05), (l * 0.3, wheel * 0.7), (l * 0.3, y), (-l * 0.1, y)],
            0.09,
        );
        b.add("carriage", cheek.at(x * r * 1.25, 0.0, 0.0), wood);
        let at = vec3(x * (r * 1.25 + 0.13), 0.0, l * 0.12);
        if rng.clone().chance(0.6) {
            let rim = washer(wheel, wheel * 0.8, 0.07, 16)
                .rot_z(FRAC_PI_2)
                .translated(at + vec3(0.035, wheel, 0.0));
            let spokes = Solid::union((0..4).map(|i| {
                cuboid(0.05, wheel * 1.7, 0.05).at(0.0, -wheel * 0.85, 0.0).rot_x(0.785 * i as f32)
            }));
            b.add("wheel", rim.join(spokes.translated(at + Vec3::Y * wheel)), wood.shade(0.8));
            b.add(
                "hub",
                cylinder(0.07, 0.14, 8).at(0.0, -0.07, 0.0).rot_z(FRAC_PI_2).translated(at + Vec3::Y * wheel),
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
        b.part("cannonballs");
    }
    b.main_paint(iron);
    b.part("two wheels");
    b.part("a wooden carriage");
    b.build()
}

fn bomb(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let body = rng.paint_of(&["black", "dark gray", "black", "red", "dark green"], MaterialKind::Metal);
    let r = rng.between(0.1, 0.16);
    if rng.chance(0.3) {
        b.add(
            "stick",
            cylinder(r * 0.4, r * 2.4, b.segments).at(0.0, 0.0, r * 0.46).radial_array_y(3),
            rng.paint("red", MaterialKind::Plain),
        );
        b.add(
            "band",
            cylinder(r * 0.92, r * 0.2, b.segments).at(0.0, r * 1.1, 0.0),
            rng.paint("black", MaterialKind::Plain),
        );
        b.subcategory("dynamite");
        b.add(
            "fuse",
            tube(
                &curve(&[vec3(0.0, r * 2.3, 0.0), vec3(0.0, r * 2.9, 0.0), vec3(r * 0.4, r * 3.2, 0.0)], 3),
                r * 0.05,
                5,
            ),
            rng.paint("cream", MaterialKind::Fabric),
        );
        b.main_color(rng.paint("red", MaterialKind::Plain));
        b.part("a fuse");
        return b.build();
    }
    b.add("ball", sphere(r, b.segments.max(8)), body);
    b.add("cap", cylinder(r * 0.35, r * 0.35, b.segments.max(6)).at(0.0, r * 0.85, 0.0), body.shade(1.8));
    let line = [
        vec3(0.0, r * 1.15, 0.0),
        vec3(0.05 * r, r * 1.5, 0.0),
        vec3(r * 0.4, r * 1.75, 0.0),
        vec3(r * 0.65, r * 1.6, 0.0),
    ];
    b.add(
        "fuse",
        tube(&curve(&line, 3), r * 0.06, 5),
        rng.paint_of(&["tan", "cream", "brown"], MaterialKind::Fabric),
    );
    if rng.chance(0.5) {
        let spark = extrude(&star(r * 0.3, r * 0.12, 12), r * 0.1).translated(line[3]);
        b.add("spark", spark, rng.paint_of(&["orange", "yellow"], MaterialKind::Plain).emissive(0.6));
        b.part("a spark");
    }
    b.main_paint(body);
    b.part("a fuse");
    b.build()
}
