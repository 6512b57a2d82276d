//! Houses, towers, tents and what people build outside.

use glam::{Vec3, vec3};

use super::{roof_paint, row, window_paint};
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    row("house", &["home", "cottage", "building"], house),
    row("tent", &["camping tent"], tent),
    row("church", &["chapel"], church),
    row("bridge", &["footbridge"], bridge),
    row("well", &["water well"], well),
    row("fence", &["picket fence"], fence),
];

/// A roof of two slopes whose ridge runs along z; `over` hangs over on all sides.
fn gable(width: f32, height: f32, depth: f32, over: f32, thick: f32) -> Solid {
    let (half, drop) = (width / 2.0 + over, over * height / (width / 2.0));
    let points = outline(&[
        (-half, -drop),
        (-half, -drop + thick),
        (0.0, height + thick),
        (half, -drop + thick),
        (half, -drop),
        (0.0, height),
    ]);
    extrude(&points, depth + 2.0 * over)
}

/// Walls with gables under such a roof.
fn gabled_walls(width: f32, wall: f32, roof: f32, depth: f32) -> Solid {
    let half = width / 2.0;
    extrude(&outline(&[(-half, 0.0), (half, 0.0), (half, wall), (0.0, wall + roof), (-half, wall)]), depth)
}

fn wall_paint(rng: &mut Rng) -> Paint {
    rng.paint_of(
        &[
            "white",
            "cream",
            "beige",
            "tan",
            "red",
            "light blue",
            "gray",
            "yellow",
            "brown",
            "light green",
            "orange",
        ],
        MaterialKind::Plain,
    )
}

/// A window or door in the plane z = `z`, facing +Z: frame and pane; `at` is its lower middle.
fn add_opening(b: &mut Builder, at: Vec3, size: [f32; 2], turn: f32, [rim, pane]: [Paint; 2]) {
    let [w, h] = size;
    let bar = w * 0.11;
    let place = |s: Solid| s.rot_y(turn).translated(at);
    b.add("frame", place(frame(w + bar, h + bar, bar, 0.12).at(0.0, -bar / 2.0, 0.0)), rim);
    b.add("pane", place(cuboid(w, h, 0.06)), pane);
    if w > 0.55 && h < 1.6 {
        b.add(
            "bars",
            place(cuboid(bar * 0.5, h, 0.09).join(cuboid(w, bar * 0.5, 0.09).at(0.0, h / 2.0, 0.0))),
            rim,
        );
    }
}

fn house(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let (wall, roof) = (wall_paint(rng), roof_paint(rng));
    let trim = rng.paint_of(&["white", "brown", "dark brown", "cream"], MaterialKind::Wood);
    let glass = window_paint(rng);
    let (w, d) = (rng.between(4.0, 6.5), rng.between(4.0, 7.5));
    let floors = if rng.chance(0.4) { 2 } else { 1 };
    let h = 2.5 * floors as f32 * rng.jitter(1.0, 0.12);
    let pitch = w * rng.between(0.28, 0.65);
    match rng.index(7) {
        0 => {
            b.add("walls", b.block(w, h, d), wall);
            let top = wedge(
                [w * 1.15, -d * 0.57, d * 0.57, h - 0.05],
                [w * 0.1, -d * rng.between(0.0, 0.25), d * 0.05, h + pitch * 0.8],
            );
            b.add("roof", top, roof);
        }
        1 => {
            b.add("walls", cuboid(w, h, d), wall);
            b.add("roof", cuboid(w * 1.08, 0.25, d * 1.08).at(0.0, h, 0.0), roof);
            if floors == 1 {
                b.add(
                    "upper floor",
                    cuboid(w * 0.6, h * 0.8, d * 0.7).at(-w * 0.12, h + 0.25, -d * 0.1),
                    wall.shade(0.9),
                );
                b.add(
                    "upper roof",
                    cuboid(w * 0.68, 0.2, d * 0.78).at(-w * 0.12, h * 1.8 + 0.25, -d * 0.1),
                    roof,
                );
            }
            b.adjective("modern");
            b.part("a flat roof");
        }
        _ => {
            let turned = rng.chance(0.45);
            let place = |s: Solid| if turned { s.rot_y(FRAC_PI_2) } else { s };
            let (across, along) = if turned { (d, w) } else { (w, d) };
            b.add("walls", place(gabled_walls(across, h, pitch, along)), wall);
            b.add("roof", place(gable(across, pitch, along, 0.4, 0.22).at(0.0, h, 0.0)), roof);
            if rng.chance(0.3) {
                add_wing(rng, &mut b, [w, h, d], [wall, roof]);
            }
        }
    }
    add_house_details(rng, &mut b, [w, h, d], floors, [trim, glass, wall, roof]);
    if floors == 1 {
        b.subcategory(rng.choose(&["cottage", "cabin", "hut"]));
    }
    b.main_color(wall);
    b.colored_part("roof", roof);
    b.build()
}

fn add_wing(rng: &mut Rng, b: &mut Builder, [w, h, d]: [f32; 3], [wall, roof]: [Paint; 2]) {
    let (ww, wh) = (d * 0.45, h * rng.between(0.7, 1.0));
    let x = w * 0.5 + w * 0.2;
    let turn = |s: Solid| s.rot_y(FRAC_PI_2).at(x, 0.0, d * 0.15);
    b.add("wing", turn(gabled_walls(ww, wh, ww * 0.45, w * 0.5)), wall);
    b.add("wing roof", turn(gable(ww, ww * 0.45, w * 0.5, 0.3, 0.18).at(0.0, wh, 0.0)), roof);
}

fn add_house_details(rng: &mut Rng, b: &mut Builder, [w, h, d]: [f32; 3], floors: usize, paints: [Paint; 4]) {
    let [trim, glass, wall, roof] = paints;
    let door = rng.paint_of(&["brown", "red", "dark brown", "blue", "green"], MaterialKind::Wood);
    let x = if rng.chance(0.5) { 0.0 } else { w * 0.22 * rng.sign() };
    add_opening(b, vec3(x, 0.0, d / 2.0), [1.0, 1.95], 0.0, [trim, door]);
    for floor in 0..floors {
        let y = 0.95 + h / floors as f32 * floor as f32;
        for side in [-0.3, 0.3] {
            if floor > 0 || (side * w - x).abs() > 1.1 {
                add_opening(b, vec3(side * w, y, d / 2.0), [0.9, 0.95], 0.0, [trim, glass]);
            }
            add_opening(b, vec3(side * w, y, -d / 2.0), [0.9, 0.95], 0.0, [trim, glass]);
            for wall_x in [-w / 2.0, w / 2.0] {
                add_opening(b, vec3(wall_x, y, side * d), [0.9, 0.95], FRAC_PI_2, [trim, glass]);
            }
        }
    }
    if rng.chance(0.65) {
        let stone = rng.paint_of(&["gray", "dark red", "brown", "light gray"], MaterialKind::Stone);
        b.add("chimney", b.block(0.6, h * 0.3 + w * 0.45, 0.6).at(w * 0.26, h, -d * 0.15), stone);
        b.part("a chimney");
    }
    if rng.chance(0.25) {
        let post = cuboid(0.15, 2.0, 0.15).at(1.1, 0.0, 1.3).mirrored_x();
        b.add("porch", post.join(cuboid(2.7, 0.2, 1.6).at(0.0, 0.0, 0.75)).at(x, 0.0, d / 2.0), trim);
        b.add("porch roof", wedge([3.0, 0.0, 1.8, 2.0], [2.9, 0.0, 0.2, 2.6]).at(x, 0.0, d / 2.0), roof);
        b.part("a porch");
    } else {
        b.add("step", cuboid(1.5, 0.15, 0.7).at(x, 0.0, d / 2.0 + 0.3), wall.shade(0.6));
    }
}

fn tent(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let cloth = rng.paint_of(
        &["orange", "green", "blue", "red", "yellow", "tan", "dark green", "beige", "gray"],
        MaterialKind::Fabric,
    );
    let dark = cloth.shade(0.35);
    let wood = rng.wood();
    match rng.index(4) {
        0 | 1 => {
            let (w, h, d) = (rng.between(1.8, 2.8), rng.between(1.3, 1.9), rng.between(2.2, 3.4));
            b.add("cloth", gable(w, h, d, 0.0, 0.05), cloth);
            let back = extrude(&outline(&[(-w / 2.0, 0.0), (w / 2.0, 0.0), (0.0, h)]), 0.04);
            b.add("back", back.at(0.0, 0.0, -d * 0.48), cloth.shade(0.8));
            let gap = rng.between(0.15, 0.5);
            let flap = extrude(&outline(&[(gap * w * 0.5, 0.0), (w / 2.0, 0.0), (0.0, h)]), 0.04)
                .at(0.0, 0.0, d * 0.48)
                .mirrored_x();
            b.add("flaps", flap, cloth.shade(0.85));
            b.add("inside", cuboid(w * 0.96, 0.03, d * 0.96), dark);
            b.add("poles", cylinder(0.035, h * 1.12, 6).at(0.0, 0.0, d * 0.5).mirrored_z(), wood);
            if rng.chance(0.6) {
                let rope =
                    rod(vec3(0.0, h, d * 0.5), vec3(0.0, 0.0, d * 0.5 + h * 0.8), 0.012, 4).mirrored_z();
                let side = rod(vec3(w * 0.3, h * 0.4, d * 0.4), vec3(w * 0.75, 0.0, d * 0.45), 0.012, 4)
                    .mirrored_x()
                    .mirrored_z();
                b.add("ropes", rope.join(side), wood.shade(1.3));
                b.part("ropes");
            }
            b.subcategory("ridge tent");
        }
        2 => {
            let (r, h) = (rng.between(1.1, 1.6), rng.between(1.1, 1.4));
            b.add("dome", dome(r, h, rng.choose(&[6, 8, 12])), cloth);
            let door = dome(r * 0.5, h * 0.72, 10).at(0.0, 0.0, r * 0.62);
            b.add("door", door, dark);
            b.add(
                "poles",
                torus(1.0, 0.018, 24, 5)
                    .rot_x(FRAC_PI_2)
                    .scale(r * 1.01, h * 1.02, r)
                    .rot_y(FRAC_PI_2 / 2.0)
                    .map(|p| vec3(p.x, p.y.max(0.0), p.z))
                    .mirrored_x(),
                wood,
            );
            b.subcategory("dome tent");
        }
        _ => {
            let (r, h) = (rng.between(1.1, 1.5), rng.between(2.2, 3.0));
            let n = rng.choose(&[6, 8, 10, 12]);
            b.add("cone", cone(r, h, n), cloth);
            let opening = extrude(&outline(&[(-0.35, 0.0), (0.35, 0.0), (0.0, h * 0.55)]), 0.05);
            b.add("entrance", opening.rot_x(-(r / h).atan()).at(0.0, 0.0, r * 0.98), dark);
            let pole = rod(vec3(0.0, h * 0.86, 0.0), vec3(0.22, h * 1.18, 0.1), 0.03, 5);
            b.add("poles", pole.radial_array_y(5), wood);
            b.add(
                "band",
                frustum(r * 0.62, r * 0.5, h * 0.13, n).at(0.0, h * 0.4, 0.0),
                rng.paint_of(&["red", "brown", "white", "yellow"], MaterialKind::Fabric),
            );
            b.subcategory("teepee");
            b.part("wooden poles");
        }
    }
    b.main_paint(cloth);
    b.build()
}

fn church(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wall = rng.paint_of(&["white", "white", "cream", "gray", "beige", "tan", "red"], MaterialKind::Plain);
    let roof = roof_paint(rng);
    let (w, d, h) = (rng.between(3.2, 4.2), rng.between(5.5, 8.0), rng.between(2.4, 3.2));
    let pitch = w * rng.between(0.5, 0.75);
    b.add("nave", gabled_walls(w, h, pitch, d), wall);
    b.add("roof", gable(w, pitch, d, 0.25, 0.2).at(0.0, h, 0.0), roof);
    let side = w * rng.between(0.42, 0.55);
    let tall = h + pitch + rng.between(0.8, 2.2);
    let z = d / 2.0 + side * 0.2;
    b.add("tower", cuboid(side, tall, side).at(0.0, 0.0, z), wall);
    let spire = rng.between(1.6, 3.6);
    b.add(
        "spire",
        wedge(
            [side * 1.15, z - side * 0.575, z + side * 0.575, tall],
            [0.05, z - 0.02, z + 0.02, tall + spire],
        ),
        roof,
    );
    let gold = rng.paint_of(&["gold", "gold", "dark gray", "white"], MaterialKind::Metal);
    let cross = cuboid(0.12, 0.9, 0.12).join(cuboid(0.55, 0.12, 0.12).at(0.0, 0.5, 0.0));
    b.add("cross", cross.at(0.0, tall + spire - 0.1, z), gold);
    let glass = rng.paint_of(&["light blue", "navy", "yellow", "dark gray"], MaterialKind::Glass);
    let arched = |w: f32, h: f32| {
        cuboid(w, h, 0.1).join(cylinder(w / 2.0, 0.1, 12).rot_x(FRAC_PI_2).at(0.0, h, -0.05))
    };
    let pane = arched(0.5, 1.1)
        .rot_y(FRAC_PI_2)
        .at(w / 2.0, 0.8, -d * 0.36)
        .linear_array(3, vec3(0.0, 0.0, d * 0.27));
    b.add("windows", pane.mirrored_x(), glass);
    b.add("belfry", arched(side * 0.4, 0.8).at(0.0, tall - 1.6, z + side / 2.0), glass);
    b.add(
        "door",
        arched(0.9, 1.4).at(0.0, 0.0, z + side / 2.0),
        rng.paint_of(&["brown", "dark brown", "red"], MaterialKind::Wood),
    );
    b.main_color(wall);
    b.part("a steeple");
    b.part("a cross");
    b.build()
}

fn bridge(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let wooden = rng.chance(0.5);
    let paint = if wooden {
        rng.wood()
    } else {
        rng.paint_of(&["gray", "light gray", "tan", "dark gray"], MaterialKind::Stone)
    };
    let (l, w) = (rng.between(5.0, 9.0), rng.between(1.6, 2.6));
    let rise = rng.between(0.2, 1.3);
    let at = |t: f32| rise * (1.0 - (2.0 * t - 1.0).powi(2)) + 0.6;
    if wooden {
        let count = (l / 0.32) as usize;
        for i in 0..count {
            let t = (i as f32 + 0.5) / count as f32;
            let plank = cuboid(w, 0.1, l / count as f32 * 0.88).rot_x(rise * 4.0 / l * (2.0 * t - 1.0));
            b.add("plank", plank.at(0.0, at(t), l * (t - 0.5)), paint);
        }
        let rail: Vec<Vec3> =
            (0..=8).map(|i| i as f32 / 8.0).map(|t| vec3(w / 2.0, at(t) + 0.9, l * (t - 0.5))).collect();
        b.add("rails", tube(&rail, 0.06, 6).mirrored_x(), paint.shade(0.8));
        for i in 0..=4 {
            let t = i as f32 / 4.0;
            b.add(
                "posts",
                cuboid(0.13, 1.0 + at(t), 0.13).at(w / 2.0, 0.0, l * (t - 0.5) * 0.98).mirrored_x(),
                paint.shade(0.8),
            );
        }
        b.part("railings");
    } else {
        let arches = rng.int_between(1, 3);
        let mut points = vec![(-l / 2.0, 0.0)];
        for i in 0..arches {
            let (span, pier) = (l / arches as f32, l / arches as f32 * 0.12);
            let (from, to) = (-l / 2.0 + span * i as f32 + pier, -l / 2.0 + span * (i + 1) as f32 - pier);
            let (middle, r) = ((from + to) / 2.0, (to - from) / 2.0);
            let high = (at((middle + l / 2.0) / l) - 0.25).min(r);
            points.extend(
                (0..=8).map(|k| PI * (1.0 - k as f32 / 8.0)).map(|a| (middle + r * a.cos(), high * a.sin())),
            );
        }
        points.push((l / 2.0, 0.0));
        points.extend((0..=8).rev().map(|k| k as f32 / 8.0).map(|t| (l * (t - 0.5), at(t))));
        b.add("arch", side_profile(&points, w), paint);
        for i in 0..8 {
            let t = (i as f32 + 0.5) / 8.0;
            let wall = cuboid(0.2, 0.55, l / 8.0 * 1.05).rot_x(rise * 4.0 / l * (2.0 * t - 1.0));
            b.add(
                "parapet",
                wall.at(w / 2.0 - 0.1, at(t) - 0.1, l * (t - 0.5)).mirrored_x(),
                paint.shade(0.85),
            );
        }
        b.counted_part(arches, "arch", "arches");
    }
    b.main_paint(paint);
    b.build()
}

fn well(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let stone = rng.paint_of(&["gray", "light gray", "dark gray", "tan"], MaterialKind::Stone);
    let wood = rng.wood();
    let roof = roof_paint(rng);
    let (r, h) = (rng.between(0.65, 0.85), rng.between(0.6, 0.85));
    let n = b.segments.max(8);
    b.add("wall", washer(r, r * 0.76, h, n), stone);
    b.add("rim", washer(r * 1.1, r * 0.74, 0.12, n).at(0.0, h, 0.0), stone.shade(0.8));
    b.add("water", cylinder(r * 0.78, 0.05, n).at(0.0, h * 0.5, 0.0), rng.paint("blue", MaterialKind::Glass));
    let top = h + rng.between(1.1, 1.5);
    b.add("posts", cuboid(0.13, top, 0.13).at(r * 0.92, 0.0, 0.0).mirrored_x(), wood);
    b.add("windlass", rod(vec3(-r, top * 0.8, 0.0), vec3(r * 1.25, top * 0.8, 0.0), 0.06, 8), wood);
    b.add("crank", cuboid(0.05, 0.3, 0.05).at(r * 1.22, top * 0.8 - 0.3, 0.0), wood);
    b.add(
        "roof",
        gable(r * 1.7, r * rng.between(0.5, 0.9), r * 2.4, 0.1, 0.08).rot_y(FRAC_PI_2).at(
            0.0,
            top - 0.05,
            0.0,
        ),
        roof,
    );
    let bucket = frustum(0.12, 0.16, 0.24, 10).at(0.0, h + 0.2, 0.0);
    b.add("bucket", bucket, wood.shade(0.7));
    b.add(
        "rope",
        cylinder(0.015, top * 0.8 - h - 0.44, 5).at(0.0, h + 0.44, 0.0),
        rng.paint("tan", MaterialKind::Fabric),
    );
    b.main_paint(stone);
    b.part("a roof");
    b.part("a bucket");
    b.build()
}

fn fence(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let paint = if rng.chance(0.4) { rng.paint("white", MaterialKind::Wood) } else { rng.wood() };
    let (l, h) = (rng.between(1.8, 3.4), rng.between(0.8, 1.3));
    if rng.chance(0.55) {
        let count = rng.int_between(6, 14);
        let step = l / count as f32;
        let w = step * rng.between(0.5, 0.8);
        let tip = if rng.chance(0.7) { w * 0.7 } else { 0.0 };
        let picket = extrude(
            &outline(&[(-w / 2.0, 0.0), (w / 2.0, 0.0), (w / 2.0, h), (0.0, h + tip), (-w / 2.0, h)]),
            0.04,
        );
        b.add(
            "pickets",
            picket.at(-l / 2.0 + step / 2.0, 0.0, 0.04).linear_array(count, vec3(step, 0.0, 0.0)),
            paint,
        );
        b.add(
            "rails",
            cuboid(l, 0.09, 0.04).at(0.0, h * 0.22, 0.0).join(cuboid(l, 0.09, 0.04).at(0.0, h * 0.72, 0.0)),
            paint,
        );
        b.subcategory("picket fence");
    } else {
        let rails = rng.int_between(2, 3);
        let posts = rng.int_between(2, 4);
        let step = l / (posts - 1) as f32;
        b.add(
            "posts",
            b.block(0.14, h, 0.14).at(-l / 2.0, 0.0, 0.0).linear_array(posts, vec3(step, 0.0, 0.0)),
            paint,
        );
        for i in 0..rails {
            let y = h * (0.3 + 0.55 * i as f32 / (rails - 1) as f32);
            let tilt = rng.normal() * 0.015;
            b.add("rail", b.block(l + 0.2, 0.11, 0.06).rot_z(tilt).at(0.0, y - 0.05, 0.06), paint.shade(0.9));
        }
        b.subcategory("wooden fence");
    }
    b.main_paint(paint);
    b.build()
}
