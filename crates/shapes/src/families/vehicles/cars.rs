//! Vehicles of the road: cars and what is built on them, trucks, buses, tractors and tanks.

use glam::{Vec3, vec3};

use super::{vehicle, wheels};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    vehicle("car", &["automobile", "toy car"], car),
    vehicle("taxi", &["cab", "taxicab"], taxi),
    vehicle("police car", &["cop car", "patrol car"], police_car),
];

/// Where more can be put on a car: metres.
struct CarBody {
    width: f32,
    length: f32,
    /// Top of the roof and z of its middle.
    roof: (f32, f32),
    /// Top of the doors, top of the sills.
    belt: f32,
    sill: f32,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Sedan,
    Hatchback,
    Offroad,
    Sports,
    Convertible,
    Beetle,
}

/// Adds a car without what tells its service: body, glass, roof, lights, wheels.
fn add_car(rng: &mut Rng, b: &mut Builder, shape: Shape, paint: Paint) -> CarBody {
    // Game cars are short and tall, real ones long and low.
    let toy = rng.between(0.0, 1.0);
    let length = (4.4 - 0.9 * toy) * if shape == Shape::Hatchback { 0.88 } else { 1.0 };
    let width = rng.between(1.65, 1.9) + 0.1 * toy;
    let tall = match shape {
        Shape::Offroad => 1.18,
        Shape::Sports => 0.78,
        _ => 1.0,
    } * (1.0 + 0.2 * toy);
    let radius = (0.33 + 0.08 * toy) * if shape == Shape::Offroad { 1.2 } else { 1.0 };
    let sill = radius * rng.between(0.55, 0.75);
    let belt = sill + 0.62 * tall;
    let roof = belt + 0.5 * tall;
    let (back, front) = (-length / 2.0, length / 2.0);
    let hood = sill + (belt - sill) * rng.between(0.78, 0.98);
    let trunk = sill + (belt - sill) * rng.between(0.9, 1.02);
    let (rear_glass, windshield) = match shape {
        Shape::Sedan | Shape::Convertible => (back + length * rng.between(0.14, 0.2), front - length * 0.26),
        Shape::Hatchback | Shape::Offroad => (back + length * 0.02, front - length * 0.26),
        Shape::Sports => (back + length * 0.1, front - length * 0.34),
        Shape::Beetle => (back + length * 0.1, front - length * 0.27),
    };
    let nose = sill + (hood - sill) * rng.between(0.55, 0.85);
    let body = if shape == Shape::Beetle {
        beetle_body(b, length, width, sill, belt)
    } else {
        side_profile(
            &[
                (back, sill),
                (front, sill),
                (front, nose),
                (front - length * 0.04, hood - 0.03),
                (windshield, belt),
                (rear_glass, belt),
                (back + length * 0.03, trunk),
                (back, trunk - 0.12),
            ],
            width,
        )
    };
    b.add("body", body, paint);
    let cabin = [width * 0.92, rear_glass, windshield, belt];
    let rake = match shape {
        Shape::Sports => (0.14, 0.17),
        Shape::Offroad => (0.02, 0.05),
        Shape::Hatchback => (0.05, 0.12),
        _ => (0.09, 0.13),
    };
    let top = [width * 0.72, rear_glass + length * rake.0, windshield - length * rake.1, roof];
    add_cabin(rng, b, shape, cabin, top, paint);
    add_car_lights(rng, b, (width, back, front), nose - 0.12, sill);
    wheels(rng, b, radius, width / 2.0 - radius * 0.22, &[back + length * 0.19, front - length * 0.18]);
    CarBody { width, length, roof: (roof, (top[1] + top[2]) / 2.0), belt, sill }
}

fn beetle_body(b: &Builder, length: f32, width: f32, sill: f32, belt: f32) -> Solid {
    let (h, n) = ((belt - sill) * 1.15, b.segments.max(10));
    let hull = dome(1.0, 1.0, n).scale(width * 0.46, h, length * 0.5).at(0.0, sill, 0.0);
    let fender = dome(1.0, 1.0, n)
        .scale(width * 0.14, h * 0.75, length * 0.17)
        .at(width * 0.4, sill, 0.0)
        .mirrored_x();
    hull.join(fender.clone().at(0.0, 0.0, length * 0.31)).join(fender.at(0.0, 0.0, -length * 0.3))
}

fn add_cabin(rng: &mut Rng, b: &mut Builder, shape: Shape, low: [f32; 4], high: [f32; 4], paint: Paint) {
    let glass = rng.paint_of(
        &["light blue", "dark gray", "black", "light blue", "navy", "light gray"],
        MaterialKind::Glass,
    );
    if shape == Shape::Convertible {
        let [w, back, front, y] = low;
        let seat = rng.paint_of(&["brown", "black", "beige", "red"], MaterialKind::Leather);
        b.add(
            "seats",
            b.block(w * 0.36, 0.5, 0.2).at(w * 0.22, y - 0.12, (back + front) * 0.5 - 0.3).mirrored_x(),
            seat,
        );
        let shield = wedge([w, front - 0.1, front, y], [w * 0.85, front - 0.5, front - 0.45, y + 0.42]);
        b.add("windshield", shield, glass);
        b.add(
            "cockpit",
            cuboid(w * 0.86, 0.02, (front - back) * 0.75).at(0.0, y, (back + front) * 0.5 - 0.1),
            seat.shade(0.4),
        );
        b.subcategory("convertible");
        return;
    }
    b.add("windows", wedge(low, high), glass);
    let [w, back, front, y] = high;
    let rise = (y - low[3]) * 0.12;
    b.add(
        "roof",
        wedge(
            [w * 1.02, back - 0.02, front + 0.02, y - rise],
            [w * 0.96, back + 0.06, front - 0.06, y + rise * 0.4],
        ),
        paint,
    );
    let pillar = |from: [f32; 2], to: [f32; 2]| {
        bar(
            vec3(low[0] / 2.0 - 0.02, low[3] - 0.05, from[0]),
            vec3(w / 2.0 - 0.01, y - rise * 0.5, to[0]),
            0.09,
            0.09,
        )
        .join(bar(
            vec3(low[0] / 2.0 - 0.02, low[3] - 0.05, from[1]),
            vec3(w / 2.0 - 0.01, y - rise * 0.5, to[1]),
            0.09,
            0.09,
        ))
    };
    let posts = pillar([low[1] + 0.04, low[2] - 0.04], [back + 0.03, front - 0.03]);
    let (lm, hm) = ((low[1] + low[2]) / 2.0, (back + front) / 2.0);
    b.add("pillars", posts.join(pillar([lm, lm], [hm, hm])).mirrored_x(), paint);
    match shape {
        Shape::Offroad => b.subcategory("suv"),
        Shape::Sports => b.subcategory("sports car"),
        Shape::Hatchback => b.subcategory("hatchback"),
        Shape::Beetle => b.subcategory("beetle"),
        _ => b.subcategory("sedan"),
    }
}

pub(crate) fn add_car_lights(
    rng: &mut Rng,
    b: &mut Builder,
    (width, back, front): (f32, f32, f32),
    y: f32,
    sill: f32,
) {
    let lamp = rng.paint_of(&["white", "yellow", "cream"], MaterialKind::Glass).emissive(0.3);
    let red = rng.paint("red", MaterialKind::Glass);
    let dark = rng.paint_of(&["dark gray", "black", "light gray"], MaterialKind::Plain);
    let size = width * rng.between(0.06, 0.09);
    let light = if rng.chance(0.5) {
        cylinder(size, 0.08, b.segments.max(8)).rot_x(FRAC_PI_2).at(0.0, size, 0.0)
    } else {
        cuboid(size * 2.6, size * 1.5, 0.08)
    };
    b.add("headlights", light.at(width * 0.36, y, front - 0.03).mirrored_x(), lamp);
    b.add("tail lights", cuboid(size * 2.6, size * 1.2, 0.06).at(width * 0.36, y, back).mirrored_x(), red);
    b.add("grille", cuboid(width * 0.4, size * 1.3, 0.05).at(0.0, y - 0.02, front), dark);
    let bumper = b.block(width * 1.02, 0.13, 0.14);
    b.add("bumpers", bumper.clone().at(0.0, sill, front).join(bumper.at(0.0, sill, back)), dark);
}

fn car(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.painted(MaterialKind::Plain);
    use Shape::{Beetle, Convertible, Hatchback, Offroad, Sedan, Sports};
    let shape = rng.choose(&[Sedan, Sedan, Sedan, Hatchback, Offroad, Sports, Sports, Convertible, Beetle]);
    let body = add_car(rng, &mut b, shape, paint);
    if rng.chance(0.15) {
        let stripe = rng.paint_of(&["white", "black", "red"], MaterialKind::Plain);
        b.add(
            "stripe",
            cuboid(body.width * 0.2, 0.02, body.length * 0.2).at(0.0, body.belt - 0.02, body.length * 0.37),
            stripe,
        );
    }
    if shape == Shape::Sports && rng.chance(0.6) {
        let z = -body.length * 0.45;
        b.add("spoiler", cuboid(body.width * 0.9, 0.05, 0.3).at(0.0, body.belt + 0.2, z), paint);
        b.add(
            "spoiler posts",
            cuboid(0.06, 0.24, 0.12).at(body.width * 0.3, body.belt - 0.02, z).mirrored_x(),
            paint,
        );
        b.part("a spoiler");
    }
    b.main_color(paint);
    b.part("four wheels");
    b.build()
}

fn taxi(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let yellow = rng.paint_of(&["yellow", "yellow", "yellow", "yellow", "orange"], MaterialKind::Plain);
    let black = rng.paint("black", MaterialKind::Plain);
    let shape = rng.choose(&[Shape::Sedan, Shape::Sedan, Shape::Hatchback]);
    let body = add_car(rng, &mut b, shape, yellow);
    let (y, z) = body.roof;
    let sign = b.block(0.55, 0.22, 0.24).at(0.0, y + 0.02, z);
    let sign_paint = rng.paint_of(&["white", "yellow", "orange", "black"], MaterialKind::Plain);
    b.add("taxi sign", sign, sign_paint);
    if rng.chance(0.6) {
        let cell = body.length * 0.6 / 16.0;
        let checks = Solid::union((0..16).map(|i| {
            let row = if i % 2 == 0 { 0.0 } else { cell };
            cuboid(0.02, cell, cell).at(body.width / 2.0, body.sill + 0.3 + row, (i as f32 - 7.5) * cell)
        }));
        b.add("checks", checks.mirrored_x(), black);
        b.part("a checkered stripe");
    }
    b.main_color(yellow);
    b.subcategory("cab");
    b.part("a roof sign");
    b.build()
}

/// A row of lamps across the roof.
pub(crate) fn light_bar(rng: &mut Rng, b: &mut Builder, at: Vec3, width: f32) {
    let red = rng.paint("red", MaterialKind::Glass).emissive(0.3);
    let blue = rng.paint("blue", MaterialKind::Glass).emissive(0.3);
    let dark = rng.paint_of(&["dark gray", "white", "black"], MaterialKind::Plain);
    b.add("light bar", cuboid(width, 0.07, 0.28).translated(at), dark);
    let lamp = b.block(width * 0.38, 0.14, 0.24);
    b.add("red light", lamp.clone().at(width * 0.28, 0.07, 0.0).translated(at), red);
    b.add("blue light", lamp.at(-width * 0.28, 0.07, 0.0).translated(at), blue);
}

fn police_car(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let (main, second) = if rng.chance(0.5) { ("white", "black") } else { ("black", "white") };
    let mut main = rng.paint(main, MaterialKind::Plain);
    let mut second = rng.paint(second, MaterialKind::Plain);
    if rng.chance(0.35) {
        (main, second) = (
            rng.paint_of(&["white", "light gray"], MaterialKind::Plain),
            rng.paint_of(&["blue", "navy"], MaterialKind::Plain),
        );
    }
    let shape = rng.choose(&[Shape::Sedan, Shape::Sedan, Shape::Offroad]);
    let body = add_car(rng, &mut b, shape, main);
    let (y, z) = body.roof;
    light_bar(rng, &mut b, vec3(0.0, y + 0.02, z), body.width * 0.62);
    let door = cuboid(0.02, (body.belt - body.sill) * rng.between(0.35, 0.9), body.length * 0.4);
    b.add("doors", door.at(body.width / 2.0, body.sill + 0.06, -body.length * 0.02).mirrored_x(), second);
    let badge =
        cylinder(0.14, 0.03, b.segments).rot_z(-FRAC_PI_2).at(body.width / 2.0, body.belt - 0.26, 0.1);
    b.add("badges", badge.mirrored_x(), rng.paint("gold", MaterialKind::Plain));
    b.main_color(main);
    b.subcategory("patrol car");
    b.part("red and blue lights");
    b.build()
}
