//! Animals of the water: fish, sharks, dolphins, whales, octopuses and crabs.

use glam::{Vec3, vec3};

use super::animal;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    animal("fish", &["goldfish"], fish),
    animal("shark", &["great white shark"], shark),
    animal("dolphin", &["porpoise"], dolphin),
    animal("whale", &[], whale),
    animal("octopus", &["squid"], octopus),
    animal("crab", &[], crab),
    animal("turtle", &["tortoise", "sea turtle"], turtle),
];

/// A thin plate in the plane of z and y from (z, y) points.
pub(crate) fn fin(points: &[(f32, f32)], thickness: f32) -> Solid {
    extrude_beveled(&outline(points), thickness, 0.12).rot_y(-FRAC_PI_2)
}

/// A swimmer along z whose half width and half height at stations from tail (−0.5) to nose (0.5) are shares of
/// `(w, h)`: (z, width, height, rise).
fn hull(style: &FigureStyle, length: f32, w: f32, h: f32, stations: &[(f32, f32, f32, f32)]) -> Solid {
    let rings: Vec<Ring> =
        stations.iter().map(|&(z, sw, sh, rise)| ring(0.0, rise * h, z * length, sw * w, sh * h)).collect();
    style.body(&rings)
}

fn fish(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let main = rng.paint_of(
        &[
            "orange",
            "gold",
            "light blue",
            "blue",
            "silver",
            "gray",
            "red",
            "yellow",
            "teal",
            "green",
            "purple",
        ],
        MaterialKind::Plain,
    );
    let belly = if rng.chance(0.6) {
        rng.paint_of(&["white", "light gray", "cream"], MaterialKind::Plain)
    } else {
        main
    };
    let fins = if rng.chance(0.5) {
        main.shade(0.7)
    } else {
        rng.paint_of(&["yellow", "orange", "blue", "red", "dark gray"], MaterialKind::Plain)
    };
    let (build, tall, wide) = rng.choose(&[
        ("", 0.19, 0.09),
        ("", 0.17, 0.1),
        ("", 0.23, 0.1),
        ("tropical fish", 0.34, 0.07),
        ("", 0.14, 0.085),
    ]);
    let l = 0.3 * rng.jitter(1.0, 0.3);
    let (w, h) = (wide * rng.jitter(1.0, 0.2) * l, tall * rng.jitter(1.0, 0.2) * l);
    let body = fish_hull(&style, l, w, h);
    let striped = rng.chance(0.3);
    let stripe = rng.paint_of(&["white", "black", "navy", "white"], MaterialKind::Plain);
    let body = if striped { body.subdivided() } else { body };
    let bands = rng.between(18.0, 30.0);
    add_split(&mut b, "body", &body, &[main, belly, stripe], |p, n| match () {
        () if striped && (p.z / l * bands).sin() > 0.55 => 2,
        () if n.y < -0.35 => 1,
        () => 0,
    });
    add_fish_fins(rng, &mut b, &style, (l, w, h), fins);
    add_eyes(rng, &mut b, vec3(w * 0.72, h * 0.2, l * 0.37), l * 0.025, |s| s);
    b.main_color(main);
    b.part("fins");
    if striped {
        b.part(format!("{} stripes", stripe.color.name));
    }
    if !build.is_empty() {
        b.subcategory(build);
    }
    b.build()
}

fn fish_hull(style: &FigureStyle, l: f32, w: f32, h: f32) -> Solid {
    hull(
        style,
        l,
        w,
        h,
        &[
            (-0.42, 0.22, 0.2, 0.0),
            (-0.25, 0.55, 0.5, 0.0),
            (0.0, 0.95, 0.95, 0.0),
            (0.2, 1.0, 1.0, 0.0),
            (0.38, 0.75, 0.68, -0.02),
            (0.47, 0.4, 0.32, -0.05),
            (0.5, 0.15, 0.12, -0.06),
        ],
    )
}

fn add_fish_fins(
    rng: &mut Rng,
    b: &mut Builder,
    style: &FigureStyle,
    (l, w, h): (f32, f32, f32),
    fins: Paint,
) {
    let fork = rng.between(0.05, 0.22);
    let spread = rng.between(0.8, 1.3) * h.max(0.15 * l);
    let tail = fin(
        &[(-0.38 * l, 0.0), (-0.5 * l - fork * l, spread), (-0.52 * l, 0.0), (-0.5 * l - fork * l, -spread)],
        w * 0.2,
    );
    b.add("tail fin", tail, fins);
    let rise = h * rng.between(0.3, 0.7);
    let top = fin(
        &[(0.22 * l, h * 0.8), (0.1 * l, h + rise), (-0.15 * l, h * 0.7 + rise * 0.8), (-0.25 * l, h * 0.4)],
        w * 0.2,
    );
    b.add("dorsal fin", top, fins);
    let anal = fin(&[(-0.05 * l, -h * 0.8), (-0.22 * l, -h - rise * 0.5), (-0.27 * l, -h * 0.4)], w * 0.2);
    b.add("anal fin", anal, fins);
    let side = style.blade(vec3(0.7, -0.45, -0.6), l * 0.17, l * 0.1, 0.6).at(w * 0.8, -h * 0.2, l * 0.2);
    b.add("side fins", side.mirrored_x(), fins);
}

fn shark(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let main =
        rng.paint_of(&["gray", "gray", "dark gray", "light gray", "navy", "blue"], MaterialKind::Plain);
    let belly = if rng.chance(0.8) { rng.paint("white", MaterialKind::Plain) } else { main };
    let l = 3.0 * rng.jitter(1.0, 0.3);
    let (w, h) = (0.085 * rng.jitter(1.0, 0.25) * l, 0.1 * rng.jitter(1.0, 0.2) * l);
    let body = hull(
        &style,
        l,
        w,
        h,
        &[
            (-0.46, 0.2, 0.2, 0.15),
            (-0.25, 0.5, 0.5, 0.08),
            (0.0, 0.95, 0.95, 0.0),
            (0.2, 1.0, 1.0, 0.0),
            (0.36, 0.78, 0.72, 0.0),
            (0.46, 0.42, 0.36, 0.08),
            (0.5, 0.16, 0.14, 0.12),
        ],
    );
    add_split(&mut b, "body", &body, &[main, belly], |p, n| usize::from(n.y < -0.3 && p.y < 0.0));
    let up = rng.between(0.14, 0.2) * l;
    let tail = fin(
        &[
            (-0.42 * l, 0.03 * l),
            (-0.52 * l, 0.02 * l + up),
            (-0.58 * l, 0.05 * l + up),
            (-0.5 * l, 0.0),
            (-0.53 * l, -up * 0.55),
            (-0.44 * l, -0.01 * l),
        ],
        w * 0.2,
    );
    b.add("tail fin", tail, main);
    let rise = rng.between(0.1, 0.16) * l;
    let dorsal = fin(
        &[
            (0.12 * l, h * 0.8),
            (-0.04 * l, h * 0.8 + rise),
            (-0.06 * l, h * 0.75 + rise * 0.9),
            (-0.04 * l, h * 0.8),
        ],
        w * 0.22,
    );
    b.add("dorsal fin", dorsal, main);
    let second =
        fin(&[(-0.24 * l, h * 0.5), (-0.31 * l, h * 0.5 + rise * 0.3), (-0.29 * l, h * 0.42)], w * 0.15);
    b.add("second fin", second, main);
    let side = style.blade(vec3(0.85, -0.4, -0.5), l * rng.between(0.18, 0.26), l * 0.1, 0.3);
    b.add("side fins", side.at(w * 0.7, -h * 0.45, l * 0.17).mirrored_x(), main);
    let rear = style.blade(vec3(0.6, -0.6, -0.6), l * 0.08, l * 0.05, 0.3).at(w * 0.35, -h * 0.3, -l * 0.22);
    b.add("rear fins", rear.mirrored_x(), main);
    add_eyes(rng, &mut b, vec3(w * 0.6, h * 0.28, l * 0.39), l * 0.012, |s| s);
    if rng.chance(0.6) {
        add_shark_mouth(rng, &mut b, (l, w, h));
    }
    for i in 0..3 {
        let gill = cuboid(w * 0.06, h * 0.5, l * 0.006).at(w * 0.9, -h * 0.25, l * (0.25 - 0.025 * i as f32));
        b.add("gills", gill.mirrored_x(), main.shade(0.4));
    }
    b.main_color(main);
    b.part("a dorsal fin");
    b.build()
}

fn add_shark_mouth(rng: &mut Rng, b: &mut Builder, (l, w, h): (f32, f32, f32)) {
    let dark = rng.paint("dark red", MaterialKind::Plain);
    let mouth = ellipsoid(w * 0.5, h * 0.1, l * 0.05, 8).at(0.0, -h * 0.42, l * 0.385);
    b.add("mouth", mouth, dark);
    let tooth = cone(w * 0.06, h * 0.16, 4).rot_x(PI);
    let teeth = Solid::union((0..7).map(|i| {
        let a = (i as f32 - 3.0) * 0.42;
        tooth.clone().at(a.sin() * w * 0.46, -h * 0.36, l * 0.385 + a.cos() * l * 0.045)
    }));
    b.add("teeth", teeth, rng.paint("white", MaterialKind::Plain));
    b.part("sharp teeth");
}

fn dolphin(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let orca = rng.chance(0.15);
    let colors: &[&str] =
        if orca { &["black"] } else { &["gray", "light blue", "blue", "dark gray", "light gray"] };
    let main = rng.paint_of(colors, MaterialKind::Plain);
    let belly =
        if rng.chance(0.75) { rng.paint_of(&["white", "light gray"], MaterialKind::Plain) } else { main };
    let l = 2.0 * rng.jitter(1.0, 0.25);
    let (w, h) = (0.1 * rng.jitter(1.0, 0.18) * l, 0.11 * rng.jitter(1.0, 0.18) * l);
    let beak = if orca { 0.0 } else { rng.between(0.08, 0.14) };
    let body = hull(
        &style,
        l,
        w,
        h,
        &[
            (-0.48, 0.16, 0.18, 0.0),
            (-0.28, 0.5, 0.52, 0.0),
            (0.0, 0.98, 0.98, 0.0),
            (0.2, 0.95, 0.95, 0.0),
            (0.34, 0.72, 0.74, 0.02),
            (0.4, 0.5, 0.5, 0.0),
            (0.43, 0.26, 0.22, -0.2),
            (0.43 + beak, 0.14, 0.12, -0.26),
        ],
    );
    // Leaping bodies arch.
    let arch = rng.between(-0.1, 0.5);
    let bent = move |p: Vec3| vec3(p.x, p.y - arch * p.z * p.z / l, p.z);
    add_split(&mut b, "body", &body.map(bent), &[main, belly], |_, n| usize::from(n.y < -0.35));
    let rise = rng.between(0.08, 0.13) * l * if orca { 1.6 } else { 1.0 };
    let dorsal = fin(
        &[
            (0.08 * l, h * 0.85),
            (-0.06 * l, h * 0.8 + rise),
            (-0.1 * l, h * 0.8 + rise * 0.95),
            (-0.07 * l, h * 0.8),
        ],
        w * 0.25,
    );
    b.add("dorsal fin", dorsal.map(bent), main);
    let fluke = style.blade(vec3(0.85, 0.0, -0.5), l * 0.17, l * 0.1, 0.35).at(0.0, 0.0, -l * 0.46);
    b.add("flukes", fluke.mirrored_x().map(bent), main);
    let side =
        style.blade(vec3(0.65, -0.55, -0.5), l * 0.17, l * 0.08, 0.35).at(w * 0.65, -h * 0.5, l * 0.18);
    b.add("flippers", side.mirrored_x().map(bent), main);
    add_eyes(rng, &mut b, vec3(w * 0.62, -h * 0.02, l * 0.345), l * 0.012, |s| s.map(bent));
    if orca {
        let patch = ellipsoid(w * 0.14, h * 0.13, l * 0.045, 8).at(w * 0.68, h * 0.3, l * 0.3);
        b.add("eye patch", patch.mirrored_x().map(bent), rng.paint("white", MaterialKind::Plain));
        b.subcategory("orca");
    } else {
        b.part("a beak");
    }
    if arch > 0.3 {
        b.adjective("leaping");
    }
    b.main_color(main);
    b.part("flippers");
    b.build()
}

fn whale(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let main = rng.paint_of(&["blue", "navy", "gray", "light blue", "dark gray"], MaterialKind::Plain);
    let belly = if rng.chance(0.8) {
        rng.paint_of(&["white", "light gray", "cream"], MaterialKind::Plain)
    } else {
        main
    };
    let l = 9.0 * rng.jitter(1.0, 0.3);
    let cute = rng.chance(0.4);
    let girth = if cute { rng.between(0.24, 0.3) } else { rng.between(0.13, 0.18) };
    let (w, h) = (girth * l, girth * rng.between(0.85, 1.05) * l);
    let lift = rng.between(0.0, 0.8);
    let body = hull(
        &style,
        l,
        w,
        h,
        &[
            (-0.5, 0.1, 0.12, lift),
            (-0.38, 0.25, 0.25, lift * 0.6),
            (-0.18, 0.62, 0.6, lift * 0.12),
            (0.08, 0.95, 0.95, 0.0),
            (0.26, 1.0, 1.0, 0.0),
            (0.4, 0.88, 0.85, 0.0),
            (0.48, 0.6, 0.55, 0.0),
            (0.51, 0.3, 0.25, 0.0),
        ],
    );
    add_split(&mut b, "body", &body, &[main, belly], |p, n| {
        usize::from(n.y < -0.3 && p.z > -l * 0.3 || p.y < -h * 0.35)
    });
    let fluke = style.blade(vec3(0.9, 0.12, -0.45), l * 0.22, l * 0.13, 0.4).at(0.0, lift * h, -l * 0.48);
    b.add("flukes", fluke.mirrored_x(), main);
    let side = style.blade(vec3(0.8, -0.45, -0.4), l * rng.between(0.14, 0.26), l * 0.09, 0.4);
    b.add("flippers", side.at(w * 0.75, -h * 0.45, l * 0.2).mirrored_x(), main);
    add_eyes(rng, &mut b, vec3(w * 0.86, -h * 0.1, l * 0.38), l * 0.013, |s| s);
    if rng.chance(0.35) {
        let water = rng.paint("light blue", MaterialKind::Plain);
        let jet = |x: f32| {
            let line =
                [Vec3::ZERO, vec3(x * 0.3, 0.8, 0.0) * h, vec3(x, 0.9, 0.0) * h, vec3(x * 1.3, 0.5, 0.0) * h];
            tube_with(&curve(&line, 2), |t| h * 0.08 * (1.2 - t), 5)
        };
        b.add("spout", jet(0.5).join(jet(-0.5)).at(0.0, h * 0.92, l * 0.25), water);
        b.part("a water spout");
    }
    b.main_color(main);
    b.part("flukes");
    b.build()
}

fn octopus(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let main =
        rng.paint_of(&["red", "orange", "purple", "pink", "teal", "blue", "brown"], MaterialKind::Plain);
    let r = 0.2 * rng.jitter(1.0, 0.2);
    let (tall, raise) = (rng.between(1.0, 1.5), rng.between(0.5, 1.0));
    let middle = vec3(0.0, r * (raise + tall * 0.6), 0.0);
    b.add("head", style.ball(r, r * tall, r).translated(middle), main);
    let curl = rng.between(-0.4, 1.2);
    let reach = r * rng.between(1.5, 2.6);
    for i in 0..8 {
        let a = std::f32::consts::TAU * (i as f32 + 0.5) / 8.0 + rng.between(-0.12, 0.12);
        let out = vec3(a.sin(), 0.0, a.cos());
        let side = vec3(out.z, 0.0, -out.x) * reach * rng.between(-0.3, 0.3);
        let line = [
            out * r * 0.5 + Vec3::Y * r * raise,
            out * (r + reach * 0.25) + Vec3::Y * r * raise * 0.35,
            out * (r + reach * 0.65) + side * 0.5 + Vec3::Y * r * 0.13,
            out * (r + reach) + side + Vec3::Y * r * (0.15 + 0.45 * curl.max(0.0)),
        ];
        b.add("arm", tube_with(&curve(&line, 3), |t| r * (0.3 - 0.24 * t), 6), main);
    }
    add_eyes(rng, &mut b, vec3(r * 0.42, -r * 0.1, r * 0.85), r * 0.14, |s| s.translated(middle));
    b.main_color(main);
    b.part("eight tentacles");
    b.build()
}

fn crab(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.1);
    let main = rng.paint_of(&["red", "orange", "red", "dark red", "blue", "brown"], MaterialKind::Plain);
    let w = 0.1 * rng.jitter(1.0, 0.2);
    let (h, y) = (w * rng.between(0.4, 0.6), w * rng.between(0.55, 0.8));
    b.add("shell", style.ball(w, h, w * 0.75).at(0.0, y, 0.0), main);
    for i in 0..3 {
        let z = (i as f32 - 1.3) * w * 0.38;
        let reach = w * rng.between(0.7, 0.9);
        let line = [
            vec3(w * 0.75, y, z),
            vec3(w * 0.8 + reach * 0.55, y + w * 0.35, z * 1.4),
            vec3(w * 0.9 + reach, 0.0, z * 1.7),
        ];
        b.add("legs", tube_with(&line, |t| w * (0.12 - 0.08 * t), 5).mirrored_x(), main);
    }
    for side in [-1.0, 1.0] {
        let elbow = vec3(side * w * 1.35, y, w * 0.5);
        let wrist = vec3(side * w * 1.15, y + w * rng.between(0.1, 0.5), w * 1.05);
        let arm = tube(&[vec3(side * w * 0.75, y, w * 0.4), elbow, wrist], w * 0.12, 6);
        b.add("arm", arm, main);
        let size = w * rng.between(0.38, 0.55);
        let claw = style.ball(size * 0.45, size * 0.55, size * 0.75).at(0.0, 0.0, size * 0.4);
        let finger = |up: f32| {
            tapered_rod(
                vec3(0.0, up * size * 0.3, size * 0.8),
                vec3(0.0, up * size * 0.1, size * 1.6),
                size * 0.26,
                size * 0.03,
                6,
            )
        };
        b.add("claw", claw.join(finger(1.0)).join(finger(-1.0)).translated(wrist), main.shade(1.15));
    }
    let stalk = vec3(w * 0.3, y + h * 1.35, w * 0.55);
    b.add("eye stalks", rod(vec3(w * 0.28, y, w * 0.5), stalk, w * 0.05, 5).mirrored_x(), main);
    add_eyes(rng, &mut b, stalk, w * 0.1, |s| s);
    b.main_color(main);
    b.part("two claws");
    b.build()
}

fn turtle(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.08);
    let skin = rng.paint_of(&["green", "light green", "teal", "tan"], MaterialKind::Plain);
    let shell = rng.paint_of(&["brown", "dark green", "dark brown", "green"], MaterialKind::Plain);
    let (w, l) = (0.16 * rng.jitter(1.0, 0.1), 0.2 * rng.jitter(1.0, 0.1));
    let h = rng.between(0.09, 0.16);
    let sea = rng.chance(0.45);
    let y = if sea { 0.03 } else { rng.between(0.04, 0.07) };
    let dome = dome(1.0, 1.0, b.segments.max(8)).scale(w, h, l).at(0.0, y, 0.0);
    let spots: Vec<Vec3> = (0..7)
        .map(|i| {
            if i == 0 {
                vec3(0.0, y + h, 0.0)
            } else {
                let a = i as f32 * PI / 3.0;
                vec3(a.sin() * w * 0.65, y + h * 0.6, a.cos() * l * 0.65)
            }
        })
        .collect();
    add_split(&mut b, "shell", &dome.subdivided(), &[shell, shell.shade(0.5)], |p, _| {
        usize::from(spots.iter().all(|s| s.distance(p) > w * 0.34))
    });
    let rim = torus(1.0, 0.1, b.segments.max(8), 6).scale(w, w * 0.9, l).at(0.0, y + 0.005, 0.0);
    b.add("rim", rim, shell.shade(0.7));
    let leg = if sea {
        let front = style.blade(vec3(0.9, -0.15, 0.35), l * 1.1, l * 0.4, 0.5).at(w * 0.7, y, l * 0.55);
        front.join(style.blade(vec3(0.7, -0.1, -0.7), l * 0.55, l * 0.3, 0.5).at(w * 0.6, y, -l * 0.65))
    } else {
        let stump = |z: f32| {
            style.limb(&[(vec3(w * 0.6, y + 0.02, z * 0.8), w * 0.22), (vec3(w * 0.85, 0.0, z), w * 0.2)])
        };
        stump(l * 0.7).join(stump(-l * 0.7))
    };
    b.add("legs", leg.mirrored_x(), skin);
    let head = vec3(0.0, y + h * 0.45, l * 1.28);
    b.add("neck", style.limb(&[(vec3(0.0, y + h * 0.2, l * 0.7), w * 0.24), (head, w * 0.22)]), skin);
    b.add("head", style.ball(w * 0.3, w * 0.27, w * 0.36).translated(head), skin);
    add_eyes(rng, &mut b, vec3(w * 0.2, w * 0.1, w * 0.22), w * 0.05, |s| s.translated(head));
    b.add("tail", cone(w * 0.12, l * 0.35, 5).rot_x(-FRAC_PI_2 - 0.3).at(0.0, y + 0.01, -l * 0.9), skin);
    b.main_color(skin);
    b.colored_part("shell", shell);
    b.subcategory(if sea { "sea turtle" } else { "tortoise" });
    b.build()
}
