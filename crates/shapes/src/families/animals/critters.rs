//! Small animals: spiders, insects, snails, snakes, frogs; and monkeys.

use glam::{Vec3, vec3};

use super::animal;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    animal("spider", &["tarantula"], spider),
    animal("butterfly", &["moth"], butterfly),
    animal("bee", &["bumblebee", "insect"], bee),
    animal("ladybug", &["beetle", "insect"], ladybug),
    animal("snail", &[], snail),
    animal("snake", &["serpent"], snake),
    animal("frog", &["toad"], frog),
    animal("monkey", &["ape"], monkey),
];

fn spider(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.12);
    let main = rng.paint_of(
        &["black", "dark gray", "dark brown", "brown", "black", "gray", "purple"],
        MaterialKind::Plain,
    );
    let rear = if rng.chance(0.3) {
        rng.paint_of(&["dark brown", "red", "dark gray"], MaterialKind::Plain)
    } else {
        main
    };
    let l = 0.03 * rng.jitter(1.0, 0.3);
    let y = l * rng.between(0.55, 1.1);
    let fat = rng.between(0.45, 0.75) * l;
    b.add(
        "abdomen",
        style.ball(fat, fat * 0.9, fat * 1.2).rot_x(0.2).at(0.0, y + fat * 0.3, -fat * 1.2),
        rear,
    );
    let front = l * rng.between(0.3, 0.42);
    b.add("thorax", style.ball(front, front * 0.7, front * 1.1).at(0.0, y, front * 0.6), main);
    let reach = l * rng.between(1.4, 2.8);
    let knee = rng.between(0.4, 0.8) * reach * 0.7;
    let thick = l * rng.between(0.045, 0.11);
    for i in 0..4 {
        let angle = (-0.95 + 0.62 * i as f32) + rng.between(-0.08, 0.08);
        let out = vec3(angle.cos(), 0.0, angle.sin());
        let root = vec3(front * 0.6, y, front * (0.1 + 0.3 * i as f32));
        let far = reach * if i == 1 || i == 2 { 0.85 } else { 1.1 };
        let line = [
            root,
            root + out * far * 0.4 + Vec3::Y * knee,
            root + out * far * 0.75 + Vec3::Y * knee * 0.35,
            vec3(root.x, 0.0, root.z) + out * far,
        ];
        b.add("legs", tube_with(&line, |t| thick * (1.2 - 0.9 * t), 5).mirrored_x(), main);
    }
    let fang = cone(l * 0.06, l * 0.25, 5).rot_x(2.7).at(l * 0.12, y - l * 0.1, front * 1.6);
    b.add("fangs", fang.mirrored_x(), main.shade(0.6));
    let color = rng.choose(&["red", "white", "black"]);
    let eye = ellipsoid(front * 0.16, front * 0.16, front * 0.16, 6);
    let eyes = eye.clone().at(front * 0.3, y + front * 0.4, front * 1.45).join(eye.scaled(0.7).at(
        front * 0.6,
        y + front * 0.4,
        front * 1.2,
    ));
    b.add("eyes", eyes.mirrored_x(), rng.paint(color, MaterialKind::Plain));
    if rng.chance(0.2) {
        b.add(
            "mark",
            ellipsoid(fat * 0.3, fat * 0.2, fat * 0.5, 6).at(0.0, y + fat * 1.1, -fat * 1.1),
            rng.paint("red", MaterialKind::Plain),
        );
        b.part("a red mark");
    }
    b.main_color(main);
    b.part("eight legs");
    b.build()
}

fn butterfly(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let body = rng.paint_of(&["black", "dark brown", "dark gray"], MaterialKind::Plain);
    let wings = rng.paint_of(
        &["orange", "blue", "yellow", "purple", "pink", "red", "light blue", "white"],
        MaterialKind::Plain,
    );
    let marks = if rng.chance(0.6) {
        body
    } else {
        rng.paint_of(&["white", "yellow", "orange", "navy"], MaterialKind::Plain)
    };
    let l = 0.03 * rng.jitter(1.0, 0.2);
    b.add("body", capsule(vec3(0.0, 0.0, -l * 0.6), vec3(0.0, 0.0, l * 0.5), l * 0.12, 8), body);
    b.add("head", sphere(l * 0.15, 8).at(0.0, 0.0, l * 0.68), body);
    let feeler =
        tube(&[vec3(0.03, 0.0, 0.75) * l, vec3(0.2, 0.15, 1.1) * l, vec3(0.35, 0.25, 1.3) * l], l * 0.02, 4);
    b.add("feelers", feeler.mirrored_x(), body);
    let raise = rng.between(0.1, 1.1);
    let span = rng.between(1.2, 1.7);
    let front = [(0.0, 0.1), (0.25, 0.65), (0.85, 0.95), (1.0, 0.7), (0.85, 0.2), (0.4, -0.1), (0.0, -0.1)];
    let rear = [(0.0, -0.05), (0.45, -0.1), (0.75, -0.35), (0.65, -0.75), (0.35, -0.85), (0.1, -0.5)];
    for (name, points, thickness) in [("front wings", &front[..], 0.03), ("rear wings", &rear[..], 0.028)] {
        let wing = |scale: f32, thick: f32| {
            let middle = vec3(0.55, if points[0].1 > 0.0 { 0.4 } else { -0.42 }, 0.0);
            extrude(&outline(points), thick)
                .map(move |p| middle + (p - middle) * vec3(scale, scale, 1.0))
                .scale(l * span, l * span, l)
                .rot_x(FRAC_PI_2)
                .rot_z(raise)
                .at(l * 0.08, 0.0, 0.0)
                .flat()
                .mirrored_x()
        };
        b.add(name, wing(1.0, thickness), marks);
        b.add(name, wing(0.8, thickness + 0.03), wings);
    }
    b.main_color(wings);
    b.part("four wings");
    b.build()
}

fn bee(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.12);
    let yellow = rng.paint_of(&["yellow", "yellow", "gold", "orange"], MaterialKind::Plain);
    let black = rng.paint("black", MaterialKind::Plain);
    let l = 0.012 * rng.jitter(1.0, 0.2);
    let fat = rng.between(0.5, 0.8);
    let body = fine_ball(&style, l * fat, l * fat, l);
    let bands = rng.between(6.0, 9.0);
    add_split(&mut b, "body", &body, &[yellow, black], |p, _| usize::from((p.z / l * bands).sin() > 0.0));
    let r = l * fat * 0.7;
    let head = vec3(0.0, 0.0, l + r * 0.4);
    b.add("head", style.ball(r, r, r * 0.8).translated(head), rng.clone().choose(&[yellow, black]));
    add_eyes(rng, &mut b, vec3(0.55, 0.3, 0.6) * r, r * 0.25, |s| s.translated(head));
    let feeler = tube(&[vec3(0.2, 0.7, 0.3) * r, vec3(0.4, 1.4, 0.8) * r], r * 0.08, 4);
    b.add("feelers", feeler.mirrored_x().translated(head), black);
    let wing = style.blade(vec3(0.9, rng.between(0.3, 1.0), -0.5), l * 1.3, l * 0.7, 0.6);
    let pale = rng.paint_of(&["white", "light blue", "light gray"], MaterialKind::Plain);
    b.add("wings", wing.at(l * 0.15, l * fat * 0.8, l * 0.3).mirrored_x(), pale);
    b.add("sting", cone(l * 0.1, l * 0.35, 5).rot_x(-FRAC_PI_2).at(0.0, 0.0, -l * 0.9), black);
    b.main_color(yellow);
    b.part("black stripes");
    b.part("wings");
    b.build()
}

fn fine_ball(style: &FigureStyle, x: f32, y: f32, z: f32) -> Solid {
    if style.boxy {
        style.ball(x, y, z).subdivided().subdivided()
    } else {
        ellipsoid(x, z, y, 16).rot_x(FRAC_PI_2)
    }
}

fn ladybug(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let red = rng.paint_of(&["red", "red", "red", "orange", "green", "brown"], MaterialKind::Plain);
    let black = rng.paint("black", MaterialKind::Plain);
    let l = 0.008;
    let h = rng.between(0.55, 0.8) * l;
    b.add("shell", dome(1.0, 1.0, b.segments.max(10)).scale(l * 0.85, h, l).at(0.0, l * 0.2, 0.0), red);
    b.add(
        "belly",
        cylinder(1.0, l * 0.1, b.segments.max(10)).scale(l * 0.8, 1.0, l * 0.95).at(0.0, l * 0.12, 0.0),
        black,
    );
    let head = vec3(0.0, l * 0.35, l * 0.95);
    b.add("head", sphere(l * 0.4, 10).translated(head), black);
    add_eyes(rng, &mut b, vec3(0.22, 0.2, 0.28) * l, l * 0.07, |s| s.translated(head));
    if red.color.name != "green" && red.color.name != "brown" {
        for (x, z) in [(0.4, 0.4), (0.5, -0.15), (0.3, -0.6), (0.65, 0.15)] {
            let y = h * (1.0_f32 - x * x / 0.72 - z * z).max(0.0).sqrt();
            b.add(
                "spots",
                ellipsoid(l * 0.17, l * 0.1, l * 0.17, 8).at(x * l, y + l * 0.2, z * l).mirrored_x(),
                black,
            );
        }
        b.part("black spots");
    } else {
        b.subcategory("beetle");
    }
    b.add("seam", cuboid(l * 0.05, h * 0.3, l * 1.5).at(0.0, l * 0.2 + h * 0.72, -l * 0.1), black);
    let leg = |z: f32| {
        tube(&[vec3(0.6, 0.2, z), vec3(1.05, 0.3, z * 1.2), vec3(1.15, 0.0, z * 1.3)], 0.05, 4).scaled(l)
    };
    b.add("legs", leg(0.5).join(leg(0.0)).join(leg(-0.5)).mirrored_x(), black);
    b.main_color(red);
    b.build()
}

fn snail(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let skin = rng.paint_of(&["tan", "beige", "brown", "light green", "cream", "gray"], MaterialKind::Plain);
    let shell = rng
        .paint_of(&["brown", "orange", "dark brown", "red", "purple", "tan", "yellow"], MaterialKind::Plain);
    let l = 0.03 * rng.jitter(1.0, 0.2);
    let foot = style.body(&[
        ring(0.0, l * 0.05, -l * 1.1, l * 0.08, l * 0.05),
        ring(0.0, l * 0.12, -l * 0.6, l * 0.26, l * 0.13),
        ring(0.0, l * 0.15, l * 0.2, l * 0.32, l * 0.16),
        ring(0.0, l * 0.25, l * 0.75, l * 0.27, l * 0.24),
        ring(0.0, l * 0.55, l * 0.98, l * 0.22, l * 0.2),
        ring(0.0, l * 0.72, l * 1.08, l * 0.1, l * 0.1),
    ]);
    b.add("body", foot, skin);
    let (turns, size) = (rng.between(2.0, 2.6), l * rng.between(0.6, 0.8));
    let line: Vec<Vec3> = (0..=26)
        .map(|i| {
            let t = i as f32 / 26.0;
            let a = 0.6 + t * turns * std::f32::consts::TAU;
            let r = size * 0.66 * (1.0 - t);
            vec3((t * 0.5) * size, r * a.sin(), -r * a.cos())
        })
        .collect();
    let spiral = tube_with(&line, |t| size * 0.42 * (1.0 - 0.7 * t), 8);
    let core = ellipsoid(size * 0.4, size * 0.78, size * 0.78, 12);
    b.add(
        "shell",
        spiral.clone().join(spiral.flip_x()).join(core).at(0.0, l * 0.25 + size * 0.9, -l * 0.15),
        shell,
    );
    let stalk = [vec3(0.09, 0.7, 1.0) * l, vec3(0.2, 1.15, 1.15) * l];
    b.add("stalks", tube(&stalk, l * 0.035, 5).mirrored_x(), skin);
    b.add(
        "eyes",
        sphere(l * 0.07, 6).translated(stalk[1]).mirrored_x(),
        rng.paint("black", MaterialKind::Plain),
    );
    b.main_color(skin);
    b.colored_part("spiral shell", shell);
    b.build()
}

fn snake(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let main = rng.paint_of(
        &["green", "brown", "dark green", "yellow", "black", "red", "tan", "purple"],
        MaterialKind::Plain,
    );
    let mark = rng.paint_of(&["yellow", "black", "white", "dark brown"], MaterialKind::Plain);
    let banded = rng.chance(0.45);
    let thick = 0.03 * rng.jitter(1.0, 0.3);
    let mut line: Vec<Vec3> = Vec::new();
    let coiled = rng.chance(0.5);
    if coiled {
        let (turns, wide) = (rng.between(1.6, 2.8), rng.between(0.13, 0.18));
        line.extend((0..36).map(|i| {
            let t = i as f32 / 35.0;
            let a = t * turns * std::f32::consts::TAU;
            let r = wide * (1.0 - 0.35 * t);
            vec3(r * a.sin(), thick * (1.0 + 2.1 * t * turns), r * a.cos())
        }));
        let y = line.last().map_or(0.0, |p| p.y);
        line.extend([vec3(0.0, y + 0.06, 0.0), vec3(0.0, y + 0.16, 0.02), vec3(0.0, y + 0.19, 0.08)]);
        b.adjective("coiled");
    } else {
        let (waves, wide) = (rng.between(1.2, 2.4), rng.between(0.06, 0.16));
        line.extend((0..34).map(|i| {
            let t = i as f32 / 33.0;
            let rise = if t > 0.85 { (t - 0.85) * rng.clone().between(0.0, 0.9) } else { 0.0 };
            vec3(wide * (t * waves * std::f32::consts::TAU).sin() * (1.2 - t), thick + rise, (t - 0.5) * 0.9)
        }));
    }
    let body = tube_with(
        &curve(&line, if coiled { 1 } else { 2 }),
        |t| thick * (0.15 + 1.1 * (t * 2.2).min(1.0) - 0.3 * t * t),
        8,
    );
    let period = thick * 2.5;
    add_split(&mut b, "body", &body, &[main, mark], |p, _| {
        usize::from(banded && ((p.z + p.x * 0.7) / period).sin() > 0.3)
    });
    let Some(&[neck, end]) = line.last_chunk::<2>() else { return b.build() };
    let forward = (end - neck).normalize_or(Vec3::Z) * vec3(1.0, 0.3, 1.0);
    let turn = glam::Quat::from_rotation_arc(Vec3::Z, forward.normalize_or(Vec3::Z));
    let place = |s: Solid| s.rotated(turn).translated(end);
    b.add("head", place(ellipsoid(thick * 1.25, thick * 0.85, thick * 1.9, 10)), main);
    add_eyes(rng, &mut b, vec3(0.8, 0.5, 0.7) * thick, thick * 0.22, place);
    let tongue = cuboid(thick * 0.15, thick * 0.08, thick * 1.4).at(0.0, -thick * 0.3, thick * 2.3);
    let fork = bar(vec3(0.0, -0.28, 2.9) * thick, vec3(0.4, -0.28, 3.5) * thick, thick * 0.12, thick * 0.08)
        .mirrored_x();
    b.add("tongue", place(tongue.join(fork)), rng.paint("red", MaterialKind::Plain));
    b.main_color(main);
    b.part("a forked tongue");
    if banded {
        b.part(format!("{} bands", mark.color.name));
    }
    b.build()
}

fn frog(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.1);
    let main = rng.paint_of(
        &["green", "green", "light green", "dark green", "brown", "blue", "red", "yellow"],
        MaterialKind::Plain,
    );
    let belly = rng.paint_of(&["cream", "yellow", "light green", "white"], MaterialKind::Plain);
    let l = 0.06 * rng.jitter(1.0, 0.2);
    let body = style.body(&[
        ring(0.0, l * 0.32, -l * 0.95, l * 0.3, l * 0.2),
        ring(0.0, l * 0.48, -l * 0.6, l * 0.62, l * 0.42),
        ring(0.0, l * 0.7, 0.0, l * 0.72, l * 0.55),
        ring(0.0, l * 0.9, l * 0.45, l * 0.66, l * 0.42),
        ring(0.0, l * 0.92, l * 0.85, l * 0.48, l * 0.25),
        ring(0.0, l * 0.9, l * 1.0, l * 0.2, l * 0.1),
    ]);
    add_split(&mut b, "body", &body, &[main, belly], |_, n| usize::from(n.y < -0.2));
    let eye = vec3(l * 0.36, l * 1.3, l * 0.42);
    b.add("eye bumps", style.ball(l * 0.23, l * 0.23, l * 0.23).translated(eye).mirrored_x(), main);
    let white = rng.paint_of(&["white", "yellow"], MaterialKind::Plain);
    b.add("eyes", sphere(l * 0.17, 8).translated(eye + vec3(0.07, 0.05, 0.12) * l).mirrored_x(), white);
    b.add(
        "pupils",
        sphere(l * 0.1, 8).translated(eye + vec3(0.12, 0.07, 0.22) * l).mirrored_x(),
        rng.paint("black", MaterialKind::Plain),
    );
    let arm = style.limb(&[
        (vec3(0.55, 0.7, 0.4) * l, l * 0.17),
        (vec3(0.75, 0.35, 0.5) * l, l * 0.13),
        (vec3(0.6, 0.0, 0.7) * l, l * 0.1),
    ]);
    b.add("front legs", arm.mirrored_x(), main);
    let thigh =
        style.ball(l * 0.24, l * 0.32, l * 0.6).rot_x(-0.35).rot_y(0.45).at(l * 0.75, l * 0.38, -l * 0.35);
    let shin = style.limb(&[(vec3(0.95, 0.5, 0.1) * l, l * 0.13), (vec3(0.9, 0.1, -0.75) * l, l * 0.1)]);
    b.add("hind legs", thigh.join(shin).mirrored_x(), main);
    let toes = |x: f32, z: f32, size: f32| {
        Solid::union([-0.5_f32, 0.0, 0.5].map(|a| {
            tapered_rod(
                vec3(x, 0.04, z),
                vec3(x + size * (a + 0.25).sin(), 0.03, z + size * (a + 0.25).cos()),
                0.05,
                0.07,
                5,
            )
        }))
        .scaled(l)
    };
    b.add("feet", toes(0.6, 0.7, 0.32).join(toes(0.9, -0.7, 0.65)).mirrored_x(), main.shade(0.85));
    b.main_color(main);
    b.part("big eyes");
    b.build()
}

fn monkey(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.15);
    let gorilla = rng.chance(0.25);
    let colors: &[&str] =
        if gorilla { &["black", "dark gray"] } else { &["brown", "dark brown", "tan", "gray"] };
    let main = rng.paint_of(colors, MaterialKind::Plain);
    let face = if gorilla {
        main.shade(0.6)
    } else {
        rng.paint_of(&["beige", "tan", "skin", "cream"], MaterialKind::Plain)
    };
    let w = if gorilla { rng.between(0.2, 0.26) } else { rng.between(0.13, 0.17) };
    let h = 0.36;
    let seat = rng.between(0.0, 0.2);
    let body = style.body(&[
        ring(0.0, seat, 0.0, w * 0.55, w * 0.5),
        ring(0.0, seat + h * 0.2, 0.0, w, w * 0.85),
        ring(0.0, seat + h * 0.7, 0.03, w * 0.95, w * 0.75),
        ring(0.0, seat + h, 0.04, w * 0.5, w * 0.45),
    ]);
    add_split(&mut b, "body", &body, &[main, face], |_, n| usize::from(!gorilla && n.z > 0.7));
    let r = w * rng.between(0.75, 1.05);
    let head = vec3(0.0, seat + h + r * 0.7, 0.06);
    b.add("head", style.ball(r, r * 0.95, r * 0.9).translated(head), main);
    b.add(
        "face",
        style.ball(r * 0.68, r * 0.62, r * 0.4).translated(head + vec3(0.0, -r * 0.05, r * 0.6)),
        face,
    );
    b.add(
        "muzzle",
        style.ball(r * 0.5, r * 0.36, r * 0.42).translated(head + vec3(0.0, -r * 0.35, r * 0.75)),
        face,
    );
    b.add(
        "ears",
        style.ball(r * 0.3, r * 0.32, r * 0.12).at(r * 1.08, 0.0, 0.0).mirrored_x().translated(head),
        face,
    );
    add_eyes(rng, &mut b, vec3(r * 0.3, r * 0.18, r * 0.98), r * 0.1, |s| s.translated(head));
    add_monkey_limbs(rng, &mut b, &style, [w, h, seat], [main, face]);
    if gorilla {
        b.subcategory("gorilla");
    } else {
        let line = [
            vec3(0.0, seat + 0.06, -w * 0.6),
            vec3(0.0, seat + 0.05, -0.32),
            vec3(0.04, seat + 0.25, -0.42),
            vec3(0.02, seat + 0.4, -0.32),
        ];
        b.add("tail", tube_with(&curve(&line, 4), |t| w * (0.2 - 0.08 * t), 6), main);
        b.part("a long tail");
    }
    b.main_color(main);
    b.build()
}

fn add_monkey_limbs(
    rng: &mut Rng,
    b: &mut Builder,
    style: &FigureStyle,
    [w, h, seat]: [f32; 3],
    [main, face]: [Paint; 2],
) {
    let raise = rng.between(-0.2, 0.5);
    let shoulder = vec3(w * 0.85, seat + h * 0.86, 0.03);
    let hand = vec3(w * 1.6, (seat + h * (0.25 + raise)).max(0.03), 0.22);
    let elbow = shoulder.lerp(hand, 0.5) + vec3(w * 0.5, -0.04, -0.05);
    let arm = style.limb(&[(shoulder, w * 0.32), (elbow, w * 0.26), (hand, w * 0.22)]);
    b.add("arms", arm.mirrored_x(), main);
    b.add("hands", style.ball(w * 0.26, w * 0.26, w * 0.26).translated(hand).mirrored_x(), face);
    let knee = vec3(w * 1.25, seat + 0.16, 0.2);
    let foot = vec3(w * 1.1, 0.03, 0.24);
    b.add(
        "legs",
        style
            .limb(&[(vec3(w * 0.6, seat + 0.06, 0.0), w * 0.34), (knee, w * 0.28), (foot, w * 0.22)])
            .mirrored_x(),
        main,
    );
    b.add(
        "feet",
        style.ball(w * 0.24, w * 0.16, w * 0.4).translated(foot + Vec3::Z * w * 0.2).mirrored_x(),
        face,
    );
}
