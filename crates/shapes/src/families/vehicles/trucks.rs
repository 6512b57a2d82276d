//! Trucks, vans, buses, tractors and tanks.

use glam::{Vec3, vec3};

use super::cars::{add_car_lights, light_bar};
use super::{vehicle, wheel_at, wheels};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    vehicle("ambulance", &["emergency vehicle"], ambulance),
    vehicle("fire truck", &["fire engine", "firetruck"], fire_truck),
    vehicle("truck", &["lorry"], truck),
    vehicle("van", &["minivan"], van),
    vehicle("bus", &["coach"], bus),
    vehicle("tractor", &["farm tractor"], tractor),
    vehicle("tank", &["battle tank", "military tank"], tank),
];

/// A box body on wheels with a cab in front.
struct Cargo {
    width: f32,
    length: f32,
    height: f32,
    /// Height of the floor.
    floor: f32,
}

/// A cab with a windshield and side windows; `z` is its back. Returns its length.
fn add_cab(rng: &mut Rng, b: &mut Builder, body: &Cargo, z: f32, paint: Paint) -> f32 {
    let glass = rng.paint_of(&["light blue", "dark gray", "black", "light blue"], MaterialKind::Glass);
    let (w, y) = (body.width, body.floor);
    let height = body.height;
    let flat = rng.chance(0.5);
    let length = if flat { 1.5 } else { 2.3 } * rng.jitter(1.0, 0.15);
    let nose = if flat { height * 0.5 } else { height * 0.48 };
    let cabin = if flat { length } else { length * 0.55 };
    let slope = rng.between(0.1, 0.35);
    let profile = [
        (z, y),
        (z + length, y),
        (z + length, y + nose),
        (z + cabin, y + height * 0.52),
        (z + cabin - slope, y + height),
        (z, y + height),
    ];
    b.add("cab", side_profile(&profile, w), paint);
    let pane = wedge(
        [w * 0.84, z + cabin - 0.06, z + cabin + 0.02, y + height * 0.56],
        [w * 0.8, z + cabin - slope - 0.04, z + cabin - slope * 0.85 + 0.04, y + height * 0.92],
    );
    b.add("windshield", pane, glass);
    let side = cuboid(w * 1.015, height * 0.34, cabin * 0.5).at(
        0.0,
        y + height * 0.56,
        z + cabin * 0.42 - slope * 0.3,
    );
    b.add("side windows", side, glass);
    let dark = rng.paint_of(&["dark gray", "black", "light gray"], MaterialKind::Plain);
    let lamp = rng.paint_of(&["white", "yellow"], MaterialKind::Glass).emissive(0.3);
    b.add("bumper", b.block(w * 1.04, 0.22, 0.18).at(0.0, y - 0.08, z + length), dark);
    b.add("grille", cuboid(w * 0.5, nose * 0.4, 0.04).at(0.0, y + nose * 0.35, z + length), dark);
    b.add(
        "headlights",
        cuboid(w * 0.15, 0.16, 0.06).at(w * 0.37, y + nose * 0.35, z + length).mirrored_x(),
        lamp,
    );
    length
}

fn draw_box(rng: &mut Rng, height: (f32, f32)) -> Cargo {
    Cargo {
        width: rng.between(1.9, 2.3),
        length: rng.between(2.6, 4.4),
        height: rng.between(height.0, height.1),
        floor: rng.between(0.4, 0.6),
    }
}

fn box_wheels(rng: &mut Rng, b: &mut Builder, body: &Cargo, back: f32, front: f32) {
    let radius = rng.between(0.42, 0.56);
    let rear = back + radius * 1.8;
    let all = [rear, front - radius * 1.7, rear + radius * 2.2];
    let count = if body.length > 3.6 && rng.chance(0.6) { 3 } else { 2 };
    wheels(rng, b, radius, body.width / 2.0 - radius * 0.25, &all[..count]);
}

fn ambulance(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let white = rng.paint_of(&["white", "white", "white", "yellow", "cream"], MaterialKind::Plain);
    let red = rng.paint_of(&["red", "red", "red", "orange", "blue"], MaterialKind::Plain);
    let body = Cargo { length: rng.between(2.3, 3.0), ..draw_box(rng, (1.3, 1.6)) };
    let (back, top) = (-body.length, body.height * rng.between(1.12, 1.4));
    let hull = b.block(body.width, top, body.length).at(0.0, body.floor, back / 2.0);
    b.add("box", hull, white);
    let cab = add_cab(rng, &mut b, &body, -0.05, white);
    let stripe =
        cuboid(body.width * 1.02, 0.16, body.length * 0.99).at(0.0, body.floor + top * 0.3, back / 2.0);
    b.add("stripe", stripe, red);
    let size = top * rng.between(0.3, 0.4);
    let cross = cuboid(size, size / 3.0, 0.03).at(0.0, size / 3.0, 0.0).join(cuboid(size / 3.0, size, 0.03));
    let side =
        cross.clone().rot_y(FRAC_PI_2).at(body.width / 2.0 + 0.005, body.floor + top * 0.5, back * 0.5);
    b.add("cross", side.mirrored_x().join(cross.at(0.0, body.floor + top * 0.5, back - 0.01)), red);
    light_bar(rng, &mut b, vec3(0.0, body.floor + top, -0.3), body.width * 0.7);
    box_wheels(rng, &mut b, &body, back, cab);
    b.main_color(white);
    b.colored_part("cross", red);
    b.part("emergency lights");
    b.build()
}

fn fire_truck(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let red = rng.paint_of(&["red", "red", "red", "dark red"], MaterialKind::Plain);
    let pale = rng.paint_of(&["white", "light gray", "yellow", "silver"], MaterialKind::Metal);
    let body = Cargo { length: rng.between(3.4, 4.8), ..draw_box(rng, (1.5, 1.9)) };
    let (back, top) = (-body.length, body.height * rng.between(0.75, 1.0));
    b.add("box", b.block(body.width, top, body.length).at(0.0, body.floor, back / 2.0), red);
    let cab = add_cab(rng, &mut b, &body, -0.02, red);
    b.add("stripe", cuboid(body.width * 1.02, 0.14, body.length).at(0.0, body.floor + 0.3, back / 2.0), pale);
    let count = rng.int_between(2, 3);
    let wide = body.length / count as f32;
    let locker = Solid::union((0..count).map(|i| {
        cuboid(body.width * 1.015, top * 0.4, wide * 0.8).at(
            0.0,
            body.floor + top * 0.48,
            -wide * (i as f32 + 0.5),
        )
    }));
    b.add("lockers", locker, rng.paint_of(&["light gray", "dark gray", "silver"], MaterialKind::Metal));
    let raise = if rng.chance(0.4) { rng.between(0.15, 0.6) } else { rng.between(0.0, 0.06) };
    let reach = body.length * 1.15;
    let rail = cuboid(0.09, 0.12, reach).at(0.3, 0.0, 0.0).mirrored_x();
    let rungs =
        cuboid(0.6, 0.06, 0.07).at(0.0, 0.03, -reach * 0.46).linear_array(11, vec3(0.0, 0.0, reach * 0.092));
    let ladder = rail.join(rungs).at(0.0, 0.0, reach / 2.0).rot_x(-raise);
    b.add("ladder", ladder.at(0.0, body.floor + top + 0.16, back * 0.96), pale);
    b.add(
        "turntable",
        cylinder(body.width * 0.3, 0.2, b.segments).at(0.0, body.floor + top, back * 0.85),
        pale,
    );
    light_bar(rng, &mut b, vec3(0.0, body.floor + body.height, 0.5), body.width * 0.7);
    box_wheels(rng, &mut b, &body, back, cab);
    b.main_color(red);
    b.part("a ladder");
    b.part("emergency lights");
    b.build()
}

fn truck(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.painted(MaterialKind::Plain);
    let body = draw_box(rng, (1.3, 1.7));
    let back = -body.length;
    let cab = add_cab(rng, &mut b, &body, 0.0, paint);
    let dark = rng.paint_of(&["dark gray", "black"], MaterialKind::Metal);
    b.add(
        "frame",
        cuboid(body.width * 0.6, 0.2, body.length + 0.2).at(0.0, body.floor - 0.08, back / 2.0),
        dark,
    );
    let cargo =
        rng.paint_of(&["white", "light gray", "beige", "blue", "orange", "green"], MaterialKind::Plain);
    let middle = vec3(0.0, body.floor + 0.1, back / 2.0 - 0.06);
    let (w, l) = (body.width, body.length);
    match rng.index(6) {
        0..=2 => {
            let top = body.height * rng.between(1.1, 1.5);
            b.add("box", b.block(w * 1.05, top, l).translated(middle), cargo);
            b.subcategory("delivery truck");
            b.colored_part("cargo box", cargo);
        }
        3 => {
            b.add("bed", open_box(w, body.height * 0.45, l, 0.08).translated(middle), paint);
            b.subcategory("pickup truck");
            b.part("an open bed");
        }
        4 => {
            let r = w * 0.48;
            let barrel = cylinder(r, l, b.segments.max(10)).at(0.0, -l / 2.0, 0.0).rot_x(FRAC_PI_2);
            b.add("barrel", barrel.translated(middle + Vec3::Y * r), cargo);
            b.subcategory("tanker truck");
        }
        _ => {
            let bed = wedge([w * 0.8, -l / 2.0, l / 2.0, 0.1], [w, -l * 0.55, l * 0.52, body.height * 0.6]);
            let tilt = if rng.chance(0.3) { rng.between(0.2, 0.6) } else { 0.0 };
            let heap = ellipsoid(w * 0.42, body.height * 0.25, l * 0.42, 8).at(0.0, body.height * 0.55, 0.0);
            let turn =
                |s: Solid| s.at(0.0, 0.0, l / 2.0).rot_x(-tilt).at(0.0, 0.0, -l / 2.0).translated(middle);
            b.add("bed", turn(bed), cargo);
            b.add(
                "load",
                turn(heap),
                rng.paint_of(&["brown", "tan", "dark brown", "gray"], MaterialKind::Plain),
            );
            b.subcategory("dump truck");
        }
    }
    box_wheels(rng, &mut b, &body, back, cab);
    b.main_color(paint);
    b.build()
}

fn van(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.painted(MaterialKind::Plain);
    let second = if rng.chance(0.4) {
        rng.paint_of(&["white", "cream", "light blue"], MaterialKind::Plain)
    } else {
        paint
    };
    let (w, l, h) = (rng.between(1.75, 2.0), rng.between(3.8, 4.8), rng.between(1.5, 1.9));
    let y = rng.between(0.28, 0.4);
    let (back, front) = (-l / 2.0, l / 2.0);
    let nose = rng.between(0.05, 0.9);
    let low = [
        (back, y),
        (front, y),
        (front, y + h * 0.4),
        (front - nose * 0.7, y + h * 0.52),
        (back, y + h * 0.52),
    ];
    b.add("body", side_profile(&low, w), paint);
    let glass = rng.paint_of(&["light blue", "dark gray", "black"], MaterialKind::Glass);
    let cabin_front = front - nose * 0.75;
    b.add(
        "cabin",
        wedge(
            [w * 0.99, back, cabin_front - 0.05, y + h * 0.52],
            [w * 0.86, back + 0.1, cabin_front - 0.5, y + h],
        ),
        second,
    );
    let shield = wedge(
        [w * 0.86, cabin_front - 0.12, cabin_front - 0.02, y + h * 0.55],
        [w * 0.78, cabin_front - 0.5, cabin_front - 0.4, y + h * 0.92],
    );
    b.add("windshield", shield, glass);
    let count = rng.int_between(1, 3);
    for i in 0..count {
        let wide = l * 0.2;
        let z = cabin_front - 0.55 - wide * 0.55 - i as f32 * wide * 1.15;
        let pane = wedge(
            [w * 1.0, z - wide / 2.0, z + wide / 2.0, y + h * 0.57],
            [w * 0.91, z - wide / 2.0, z + wide / 2.0, y + h * 0.86],
        );
        b.add("side window", pane, glass);
    }
    add_car_lights(rng, &mut b, (w, back, front), y + h * 0.22, y);
    let r = rng.between(0.3, 0.4);
    wheels(rng, &mut b, r, w / 2.0 - r * 0.25, &[back + l * 0.2, front - l * 0.19]);
    b.main_color(paint);
    if count == 1 {
        b.subcategory("delivery van");
    }
    b.part("sliding doors");
    b.build()
}

fn bus(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let school = rng.chance(0.4);
    let paint = if school {
        rng.paint_of(&["yellow", "orange"], MaterialKind::Plain)
    } else {
        rng.paint_of(&["red", "blue", "green", "white", "orange", "teal"], MaterialKind::Plain)
    };
    let glass = rng.paint_of(&["light blue", "dark gray", "black"], MaterialKind::Glass);
    let (w, l) = (rng.between(2.2, 2.6), rng.between(6.0, 10.5));
    let decks = if !school && rng.chance(0.3) { 2 } else { 1 };
    let h = 2.1 * decks as f32 * rng.jitter(1.0, 0.1);
    let y = 0.45;
    b.add("body", b.block(w, h, l).at(0.0, y, 0.0), paint);
    if school {
        b.add("hood", b.block(w * 0.8, h * 0.5, 1.3).at(0.0, y, l / 2.0 + 0.5), paint);
        b.subcategory("school bus");
    }
    let windows = (l / 1.2) as usize;
    for deck in 0..decks {
        let base = y + h * (if decks == 2 { [0.18, 0.62][deck] } else { 0.45 });
        let tall = h * if decks == 2 { 0.22 } else { 0.36 };
        let step = l * 0.9 / windows as f32;
        let row = cuboid(w * 1.015, tall, step * 0.8)
            .at(0.0, base, -l * 0.45 + step / 2.0)
            .linear_array(windows, vec3(0.0, 0.0, step));
        b.add("windows", row, glass);
        b.add("windshield", cuboid(w * 0.86, tall * 1.1, 0.05).at(0.0, base, l / 2.0), glass);
    }
    if decks == 2 {
        b.subcategory("double-decker bus");
    }
    let stripe = rng.paint_of(&["black", "white"], MaterialKind::Plain);
    b.add("stripe", cuboid(w * 1.01, 0.1, l * 0.99).at(0.0, y + h * 0.12, 0.0), stripe);
    let front = if school { l / 2.0 + 1.15 } else { l / 2.0 };
    let lamp = rng.paint("white", MaterialKind::Glass).emissive(0.3);
    b.add(
        "headlights",
        cylinder(0.16, 0.1, 8).rot_x(FRAC_PI_2).at(w * 0.33, y + 0.35, front - 0.03).mirrored_x(),
        lamp,
    );
    let r = rng.between(0.45, 0.58);
    wheels(rng, &mut b, r, w / 2.0 - r * 0.2, &[-l * 0.3, l * 0.34]);
    b.main_color(paint);
    b.part("many windows");
    b.build()
}

fn tractor(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint =
        rng.paint_of(&["red", "green", "blue", "orange", "yellow", "dark green"], MaterialKind::Plain);
    let dark = rng.paint_of(&["dark gray", "black"], MaterialKind::Plain);
    let hub = rng.paint_of(&["yellow", "white", "light gray", "red", "orange"], MaterialKind::Plain);
    let big = rng.between(0.75, 0.95);
    let small = big * rng.between(0.45, 0.65);
    let track = rng.between(0.7, 0.95);
    for side in [-1.0, 1.0] {
        wheel_at(&mut b, big, big * 0.55, vec3(side * track, 0.0, -0.75), hub, dark);
        wheel_at(&mut b, small, small * 0.5, vec3(side * track * 0.85, 0.0, 1.15), hub, dark);
    }
    let y = big * 0.75;
    let hood = b.block(0.75, 0.65, 1.7).at(0.0, y, 0.75);
    b.add("hood", hood, paint);
    b.add("grille", cuboid(0.6, 0.45, 0.06).at(0.0, y + 0.08, 1.6), dark);
    b.add(
        "headlights",
        cylinder(0.09, 0.06, 8).rot_x(FRAC_PI_2).at(0.25, y + 0.5, 1.6).mirrored_x(),
        rng.paint("white", MaterialKind::Glass),
    );
    b.add("frame", cuboid(0.5, 0.3, 2.4).at(0.0, y - 0.25, 0.2), dark);
    b.add(
        "axle",
        cuboid(track * 1.6, 0.14, 0.14).at(0.0, small * 0.9, 1.15).join(cuboid(track * 1.6, 0.2, 0.2).at(
            0.0,
            big * 0.9,
            -0.75,
        )),
        dark,
    );
    let fender = side_profile(
        &[(-1.45, big + 0.25), (-0.1, big + 0.25), (-0.2, big * 2.0), (-0.5, big * 2.15), (-1.1, big * 2.1)],
        big * 0.5,
    );
    b.add("fenders", fender.at(track * 0.95, 0.0, 0.0).mirrored_x(), paint);
    if rng.chance(0.7) {
        let glass = rng.paint_of(&["light blue", "light blue", "dark gray"], MaterialKind::Glass);
        let top = y + 0.6 + rng.between(0.7, 0.95);
        b.add("cab glass", wedge([0.95, -1.05, 0.05, y + 0.3], [0.9, -0.95, -0.1, top]), glass);
        let post = bar(vec3(0.47, y + 0.3, -1.03), vec3(0.44, top, -0.93), 0.08, 0.08).join(bar(
            vec3(0.47, y + 0.3, 0.03),
            vec3(0.44, top, -0.12),
            0.08,
            0.08,
        ));
        b.add("posts", post.mirrored_x(), paint);
        b.add("roof", b.block(1.1, 0.12, 1.15).at(0.0, top, -0.5), paint);
        b.part("a cab");
    } else {
        let seat = b.block(0.45, 0.12, 0.42).join(b.block(0.45, 0.45, 0.1).at(0.0, 0.1, -0.2));
        b.add("seat", seat.at(0.0, y + 0.55, -0.75), dark);
        let wheel = torus(0.2, 0.03, 12, 5).rot_x(0.7).at(0.0, y + 0.95, -0.25);
        b.add(
            "steering wheel",
            wheel.join(rod(vec3(0.0, y + 0.5, 0.0), vec3(0.0, y + 0.95, -0.25), 0.03, 5)),
            dark,
        );
        b.part("a steering wheel");
    }
    b.add("exhaust", cylinder(0.06, 0.75, 8).at(0.2, y + 0.6, 0.9), dark);
    b.main_color(paint);
    b.part("big rear wheels");
    b.build()
}

fn tank(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = rng.paint_of(
        &["dark green", "green", "tan", "gray", "dark gray", "beige", "brown"],
        MaterialKind::Metal,
    );
    let dark = rng.paint_of(&["dark gray", "black"], MaterialKind::Metal);
    let (w, l) = (rng.between(2.6, 3.3), rng.between(4.6, 6.0));
    let (track, y) = (w * 0.2, rng.between(0.85, 1.1));
    let ends = [
        (-l * 0.4, 0.0),
        (l * 0.36, 0.0),
        (l * 0.5, y * 0.55),
        (l * 0.46, y * 0.85),
        (-l * 0.46, y * 0.85),
        (-l * 0.5, y * 0.5),
    ];
    b.add("tracks", side_profile(&ends, track).at(w / 2.0 - track / 2.0, 0.0, 0.0).mirrored_x(), dark);
    let count = rng.int_between(5, 7);
    let step = l * 0.74 / (count - 1) as f32;
    let roller =
        cylinder(y * 0.27, track * 1.1, b.segments.max(8)).at(0.0, -track * 0.55, 0.0).rot_z(FRAC_PI_2);
    let rollers =
        roller.at(w / 2.0 - track / 2.0, y * 0.33, -l * 0.38).linear_array(count, vec3(0.0, 0.0, step));
    b.add("road wheels", rollers.mirrored_x(), paint.shade(0.7));
    let hull = side_profile(
        &[
            (-l * 0.48, y * 0.45),
            (l * 0.42, y * 0.45),
            (l * 0.5, y * 0.75),
            (l * 0.3, y * 1.12),
            (-l * 0.46, y * 1.12),
        ],
        w - track * 1.9,
    );
    b.add("hull", hull, paint);
    b.add("fenders", cuboid(w, 0.07, l * 0.92).at(0.0, y * 0.9, 0.0), paint);
    let (tw, th) = (w * rng.between(0.5, 0.62), y * rng.between(0.5, 0.65));
    let z = rng.between(-0.3, 0.2);
    let turret = tank_turret(rng, b.segments.max(8), tw, th);
    let turn = if rng.chance(0.25) { rng.between(-0.8, 0.8) } else { 0.0 };
    let place = |s: Solid| s.rot_y(turn).at(0.0, y * 1.12, z);
    b.add("turret", place(turret), paint);
    let reach = l * rng.between(0.45, 0.65);
    let lift = rng.between(0.0, 0.12);
    let gun = cylinder(0.11, reach, b.segments.max(6)).join(cylinder(0.16, 0.45, b.segments.max(6)).at(
        0.0,
        reach - 0.4,
        0.0,
    ));
    b.add("gun", place(gun.rot_x(FRAC_PI_2 - lift).at(0.0, th * 0.5, tw * 0.45)), paint.shade(0.8));
    b.add(
        "hatch",
        place(cylinder(tw * 0.2, 0.12, b.segments.max(8)).at(tw * 0.12, th, -tw * 0.15)),
        paint.shade(0.8),
    );
    if rng.chance(0.4) {
        b.add("antenna", place(cylinder(0.02, 1.2, 5).at(-tw * 0.3, th * 0.8, -tw * 0.4)), dark);
        b.part("an antenna");
    }
    b.main_paint(paint);
    b.part("tracks");
    b.part("a long gun");
    b.build()
}

fn tank_turret(rng: &mut Rng, n: usize, tw: f32, th: f32) -> Solid {
    let round = rng.chance(0.4);
    if round {
        lathe(&[glam::vec2(tw * 0.55, 0.0), glam::vec2(tw * 0.58, th * 0.4), glam::vec2(tw * 0.38, th)], n)
            .scale(1.0, 1.0, 1.15)
    } else {
        wedge([tw, -tw * 0.75, tw * 0.7, 0.0], [tw * 0.7, -tw * 0.55, tw * 0.35, th])
    }
}
