//! Birds: songbirds to flamingos from one plan; ducks, hens, owls and penguins.

use glam::{Quat, Vec3, vec3};

use super::animal;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    animal("bird", &["songbird"], bird),
    animal("duck", &["duckling", "rubber duck", "bird"], duck),
    animal("chicken", &["hen", "rooster", "bird"], chicken),
    animal("owl", &["bird"], owl),
    animal("penguin", &["bird"], penguin),
];

/// Measures of a bird as shares of its body's length.
#[derive(Clone, Copy)]
struct Plan {
    kind: &'static str,
    /// Metres.
    size: f32,
    /// Angle of the body over the horizontal, degrees.
    tilt: f32,
    /// Half width and half height of the body.
    girth: (f32, f32),
    /// Length, angle in degrees and radius of the neck.
    neck: (f32, f32, f32),
    head: f32,
    beak: Beak,
    /// Length and radius of a leg.
    leg: (f32, f32),
    /// Length, width and lift in degrees of the tail.
    tail: (f32, f32, f32),
    /// Body, belly, wings, beak and legs.
    colors: &'static [[&'static str; 4]],
}

#[derive(Clone, Copy, PartialEq)]
enum Beak {
    Cone(f32),
    Hook(f32),
    Flat(f32),
}

const SPARROW: Plan = Plan {
    kind: "songbird",
    size: 0.12,
    tilt: 28.0,
    girth: (0.3, 0.31),
    neck: (0.12, 60.0, 0.2),
    head: 0.22,
    beak: Beak::Cone(0.2),
    leg: (0.3, 0.02),
    tail: (0.55, 0.2, -18.0),
    colors: &[
        ["blue", "white", "navy", "dark gray"],
        ["brown", "orange", "dark brown", "dark gray"],
        ["yellow", "yellow", "black", "orange"],
        ["red", "red", "dark red", "orange"],
        ["gray", "light gray", "dark gray", "yellow"],
        ["light blue", "white", "blue", "yellow"],
        ["yellow", "orange", "dark gray", "gray"],
        ["black", "black", "black", "black"],
        ["white", "white", "light gray", "orange"],
    ],
};

const FLAMINGO: Plan = Plan {
    kind: "flamingo",
    size: 0.5,
    tilt: 8.0,
    girth: (0.24, 0.27),
    neck: (1.15, 80.0, 0.07),
    head: 0.12,
    beak: Beak::Hook(0.26),
    leg: (1.25, 0.026),
    tail: (0.25, 0.16, -20.0),
    colors: &[["pink", "pink", "pink", "pink"], ["pink", "pink", "red", "black"]],
};

const PARROT: Plan = Plan {
    kind: "parrot",
    size: 0.3,
    tilt: 58.0,
    girth: (0.22, 0.24),
    beak: Beak::Hook(0.17),
    leg: (0.12, 0.03),
    tail: (0.95, 0.2, 8.0),
    colors: &[
        ["red", "red", "blue", "dark gray"],
        ["green", "light green", "dark green", "orange"],
        ["blue", "yellow", "blue", "black"],
    ],
    ..SPARROW
};

const EAGLE: Plan = Plan {
    kind: "eagle",
    size: 0.6,
    tilt: 40.0,
    girth: (0.24, 0.25),
    neck: (0.22, 60.0, 0.16),
    head: 0.16,
    beak: Beak::Hook(0.16),
    leg: (0.18, 0.045),
    tail: (0.45, 0.3, 0.0),
    colors: &[["dark brown", "dark brown", "brown", "yellow"]],
};

const SWAN: Plan = Plan {
    kind: "swan",
    size: 0.8,
    tilt: 6.0,
    girth: (0.28, 0.28),
    neck: (0.85, 88.0, 0.08),
    head: 0.12,
    beak: Beak::Flat(0.18),
    leg: (0.0, 0.0),
    tail: (0.25, 0.22, 25.0),
    colors: &[["white", "white", "white", "orange"], ["black", "black", "black", "red"]],
};

const OSTRICH: Plan = Plan {
    kind: "ostrich",
    size: 0.9,
    girth: (0.3, 0.33),
    neck: (0.95, 72.0, 0.06),
    beak: Beak::Flat(0.16),
    leg: (1.0, 0.05),
    colors: &[["black", "white", "dark gray", "tan"], ["brown", "tan", "gray", "tan"]],
    ..FLAMINGO
};

const PIGEON: Plan = Plan {
    kind: "pigeon",
    girth: (0.26, 0.29),
    neck: (0.2, 62.0, 0.15),
    head: 0.15,
    beak: Beak::Cone(0.13),
    colors: &[["gray", "light gray", "dark gray", "red"], ["white", "white", "white", "pink"]],
    ..SPARROW
};

fn bird(rng: &mut Rng) -> Specimen {
    let plan =
        rng.choose(&[SPARROW, SPARROW, SPARROW, SPARROW, FLAMINGO, PARROT, EAGLE, SWAN, OSTRICH, PIGEON]);
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.06);
    build(rng, &mut b, &style, plan);
    b.build()
}

/// Body, neck, head, beak, wings, tail and legs after the plan; returns where the head's middle is.
fn build(rng: &mut Rng, b: &mut Builder, style: &FigureStyle, plan: Plan) -> Vec3 {
    let colors = rng.choose(plan.colors);
    let [main, belly, wing, horn] = colors.map(|c| rng.paint(c, MaterialKind::Plain));
    let size = plan.size * rng.jitter(1.0, 0.2);
    let fat = rng.jitter(1.0, 0.14);
    let (w, h) = (plan.girth.0 * fat * size, plan.girth.1 * fat * size);
    let tilt = (plan.tilt + rng.between(-8.0, 8.0)).to_radians();
    let axis = vec3(0.0, tilt.sin(), tilt.cos());
    let leg = plan.leg.0 * rng.jitter(1.0, 0.15) * size;
    let middle = vec3(0.0, leg + h * tilt.cos() + size * 0.36 * tilt.sin(), 0.0);
    let along = |t: f32, share: f32| {
        let p = middle + axis * (t * size);
        Ring { center: p, width: w * share, height: h * share }
    };
    let body = style.body(&[
        along(-0.52, 0.2),
        along(-0.4, 0.52),
        along(-0.12, 0.93),
        along(0.14, 1.0),
        along(0.36, 0.8),
        along(0.5, 0.35),
    ]);
    add_split(b, "body", &body, &[main, belly], |_, n| usize::from(n.y < -0.1 && n.z > -0.6));
    let root = middle + axis * size * 0.36 + vec3(0.0, h * 0.35, 0.0);
    let angle = (plan.neck.1 + rng.between(-10.0, 10.0)).to_radians();
    let reach = plan.neck.0 * rng.jitter(1.0, 0.15) * size;
    let head = root + vec3(0.0, angle.sin(), angle.cos()) * reach;
    let radius = plan.neck.2 * size;
    // Long necks bend like an S.
    let bow = if plan.neck.0 > 0.5 { reach * rng.between(0.12, 0.3) } else { 0.0 };
    let neck = [
        (root - axis * radius, radius * 1.5),
        (root.lerp(head, 0.3) + vec3(0.0, 0.0, bow), radius),
        (root.lerp(head, 0.72) - vec3(0.0, 0.0, bow * 0.6), radius * 0.85),
        (head, radius * 0.8),
    ];
    b.add("neck", style.limb(&neck), main);
    let r = plan.head * rng.jitter(1.0, 0.1) * size;
    let face = if plan.kind == "eagle" { rng.paint("white", MaterialKind::Plain) } else { main };
    b.add("head", style.ball(r * 0.92, r * 0.95, r * 1.05).translated(head), face);
    b.add(
        "beak",
        beak_solid(style, plan.beak, size, r).translated(head + vec3(0.0, -r * 0.08, r * 0.85)),
        horn,
    );
    add_eyes(rng, b, vec3(r * 0.72, r * 0.3, r * 0.5), r * 0.17, |s| s.translated(head));
    let lift = tilt + (plan.tail.2 + rng.between(-8.0, 8.0)).to_radians();
    let back = vec3(0.0, -lift.sin(), -lift.cos());
    let tail = style.blade(back, plan.tail.0 * size, plan.tail.1 * size, 0.75);
    b.add("tail", tail.translated(middle - axis * size * 0.4), wing);
    add_wings(rng, b, style, (middle, axis, size), (w, h), wing);
    if plan.leg.0 > 0.0 {
        add_legs(rng, b, vec3(w * 0.42, leg + h * 0.35, middle.z), plan.leg.1 * size, horn);
    }
    b.main_color(main);
    b.subcategory(plan.kind);
    if plan.leg.0 > 0.8 {
        b.part("long legs");
        b.part("a long neck");
    }
    head
}

/// A beak for a head of radius `r`; beaks are as long as their share of `size`.
fn beak_solid(style: &FigureStyle, beak: Beak, size: f32, r: f32) -> Solid {
    match beak {
        Beak::Cone(length) => cone(r * 0.34, length * size, 6).scale(1.0, 1.0, 0.8).rot_x(FRAC_PI_2),
        Beak::Hook(length) => {
            let l = length * size;
            let line =
                [Vec3::ZERO, vec3(0.0, 0.1, 0.55) * l, vec3(0.0, -0.15, 0.95) * l, vec3(0.0, -0.6, 1.0) * l];
            tube_with(&line, |t| r * 0.42 * (1.05 - t), 6)
        }
        Beak::Flat(length) => {
            let l = length * size;
            style.body(&[
                ring(0.0, 0.0, -0.15 * l, r * 0.42, r * 0.3),
                ring(0.0, -0.12 * l, 0.45 * l, r * 0.45, r * 0.16),
                ring(0.0, -0.1 * l, 0.85 * l, r * 0.55, r * 0.12),
                ring(0.0, -0.08 * l, l, r * 0.3, r * 0.06),
            ])
        }
    }
}

type Trunk = (Vec3, Vec3, f32);

fn add_wings(
    rng: &mut Rng,
    b: &mut Builder,
    style: &FigureStyle,
    trunk: Trunk,
    girth: (f32, f32),
    paint: Paint,
) {
    let ((middle, axis, size), (w, h)) = (trunk, girth);
    if rng.chance(0.22) && !style.boxy {
        let span = size * rng.between(0.8, 1.4);
        let rise = rng.between(-0.1, 0.6);
        let wing = style.blade(vec3(1.0, rise, -0.15), span, size * 0.55, 0.35);
        b.add("wings", wing.translated(middle + axis * size * 0.12 + Vec3::Y * h * 0.4).mirrored_x(), paint);
        b.part("spread wings");
        b.adjective("flying");
        return;
    }
    let turn = Quat::from_rotation_arc(Vec3::Z, axis);
    let wing = style.ball(w * 0.26, h * 0.62, size * 0.46).rotated(turn);
    let at = middle - axis * size * 0.1 + Vec3::Y * h * 0.22;
    b.add("wings", wing.rot_y(0.1).translated(at + Vec3::X * w * 0.85).mirrored_x(), paint);
}

/// Two legs with three toes each, from the hip `(±x, y, z)` to the ground.
fn add_legs(rng: &mut Rng, b: &mut Builder, hip: Vec3, radius: f32, paint: Paint) {
    let stride = if rng.chance(0.4) { hip.y * rng.between(0.1, 0.35) } else { 0.0 };
    let toe = hip.y.max(radius * 5.0) * 0.22 + radius * 3.0;
    for side in [-1.0, 1.0] {
        let foot = vec3(hip.x * side, radius * 0.6, hip.z + stride * side);
        let top = vec3(hip.x * side, hip.y, hip.z);
        let knee = top.lerp(foot, 0.5) - Vec3::Z * hip.y * 0.1;
        let mut leg = tube_with(&[top, knee, foot], |t| radius * (1.3 - 0.4 * t), 5);
        for angle in [-0.6_f32, 0.0, 0.6] {
            let tip = foot + vec3(angle.sin(), 0.0, angle.cos()) * toe;
            leg = leg.join(tapered_rod(foot, tip, radius * 0.9, radius * 0.5, 5));
        }
        b.add("leg", leg, paint);
    }
}

fn duck(rng: &mut Rng) -> Specimen {
    const DUCK: Plan = Plan {
        kind: "",
        size: 0.3,
        tilt: 6.0,
        girth: (0.34, 0.3),
        neck: (0.4, 72.0, 0.11),
        head: 0.17,
        beak: Beak::Flat(0.24),
        leg: (0.16, 0.028),
        tail: (0.3, 0.22, -38.0),
        colors: &[
            ["white", "white", "white", "orange"],
            ["brown", "tan", "dark brown", "yellow"],
            ["light gray", "white", "gray", "orange"],
            ["yellow", "yellow", "yellow", "orange"],
        ],
    };
    if rng.chance(0.45) {
        return rubber_duck(rng);
    }
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.15);
    let swimming = rng.chance(0.3);
    let plan = if swimming { Plan { leg: (0.0, 0.0), ..DUCK } } else { DUCK };
    let head = build(rng, &mut b, &style, Plan { kind: "duck", ..plan });
    if rng.chance(0.3) {
        let green = rng.paint("dark green", MaterialKind::Plain);
        let r = 0.19 * 0.3;
        b.add("head", style.ball(r, r, r * 1.08).translated(head), green);
        b.part("a green head");
        b.subcategory("mallard");
    }
    b.build()
}

fn rubber_duck(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let main = rng.paint_of(
        &["yellow", "yellow", "yellow", "yellow", "pink", "light blue", "gray"],
        MaterialKind::Plastic,
    );
    let orange = rng.paint_of(&["orange", "orange", "red"], MaterialKind::Plastic);
    let (l, w, h) = (0.05, 0.038 * rng.jitter(1.0, 0.12), 0.03 * rng.jitter(1.0, 0.15));
    let body = style.body(&[
        ring(0.0, h * 2.35, -l * 1.12, w * 0.15, h * 0.1),
        ring(0.0, h * 1.7, -l * 0.92, w * 0.5, h * 0.42),
        ring(0.0, h * 1.05, -l * 0.55, w * 0.9, h * 0.85),
        ring(0.0, h * 0.95, 0.0, w, h * 0.95),
        ring(0.0, h, l * 0.5, w * 0.92, h * 0.92),
        ring(0.0, h * 1.1, l * 0.85, w * 0.55, h * 0.6),
        ring(0.0, h * 1.15, l * 0.98, w * 0.2, h * 0.2),
    ]);
    b.add("body", body, main);
    let r = w * rng.between(0.6, 0.8);
    let head = vec3(0.0, h * 1.75 + r * 0.85, l * 0.36);
    b.add("head", style.ball(r, r, r).translated(head), main);
    b.add(
        "beak",
        beak_solid(&style, Beak::Flat(1.0), r * 0.9, r).translated(head + vec3(0.0, -r * 0.1, r * 0.85)),
        orange,
    );
    add_eyes(rng, &mut b, vec3(0.45, 0.35, 0.76) * r, r * 0.16, |s| s.translated(head));
    let wing = style.ball(w * 0.16, h * 0.4, l * 0.42).rot_x(0.35).at(w * 0.95, h * 1.15, -l * 0.15);
    b.add("wings", wing.mirrored_x(), main);
    b.main_paint(main);
    b.subcategory("rubber duck");
    b.colored_part("beak", orange);
    b.build()
}

fn chicken(rng: &mut Rng) -> Specimen {
    const HEN: Plan = Plan {
        kind: "hen",
        size: 0.3,
        tilt: 14.0,
        girth: (0.3, 0.34),
        neck: (0.34, 68.0, 0.15),
        head: 0.15,
        beak: Beak::Cone(0.14),
        leg: (0.28, 0.03),
        tail: (0.4, 0.34, -58.0),
        colors: &[
            ["white", "white", "white", "yellow"],
            ["brown", "tan", "dark brown", "yellow"],
            ["orange", "orange", "brown", "yellow"],
            ["black", "dark gray", "black", "yellow"],
            ["tan", "cream", "brown", "orange"],
        ],
    };
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.2);
    let rooster = rng.chance(0.45);
    let chick = !rooster && rng.chance(0.2);
    let plan = match (rooster, chick) {
        (true, _) => Plan { kind: "rooster", neck: (0.46, 72.0, 0.14), leg: (0.36, 0.032), ..HEN },
        (_, true) => Plan {
            kind: "chick",
            size: 0.09,
            girth: (0.42, 0.44),
            head: 0.36,
            tail: (0.1, 0.15, -30.0),
            colors: &[["yellow", "yellow", "yellow", "orange"]],
            ..HEN
        },
        _ => HEN,
    };
    let head = build(rng, &mut b, &style, plan);
    if chick {
        return b.build();
    }
    let red = rng.paint("red", MaterialKind::Plain);
    let r = plan.head * plan.size;
    let comb = Solid::union((0..4).map(|i| {
        let t = i as f32 / 3.0;
        style.ball(r * 0.14, r * (0.5 - 0.3 * (t - 0.4).abs()), r * 0.3).at(
            0.0,
            r * 0.95,
            r * (0.6 - 1.1 * t),
        )
    }));
    b.add("comb", comb.translated(head), red);
    let wattle = style.ball(r * 0.14, r * 0.34, r * 0.2).at(r * 0.16, -r * 0.85, r * 0.8).mirrored_x();
    b.add("wattle", wattle.translated(head), red);
    b.part("a red comb");
    if rooster {
        add_rooster_tail(rng, &mut b, plan.size, head);
        b.part("tail feathers");
    }
    b.build()
}

fn add_rooster_tail(rng: &mut Rng, b: &mut Builder, size: f32, head: Vec3) {
    let feathers = rng.paint_of(&["dark green", "black", "navy", "brown"], MaterialKind::Plain);
    let root = vec3(0.0, head.y - size * 0.42, -size * 0.42);
    for i in 0..rng.int_between(4, 7) {
        let x = (i as f32 - 2.5) * 0.03 * size;
        let reach = size * rng.between(0.5, 0.8);
        let line = [
            root + vec3(x, 0.0, 0.0),
            root + vec3(x * 2.0, reach * 0.75, -reach * 0.35),
            root + vec3(x * 3.0, reach * 0.6, -reach * 0.8),
            root + vec3(x * 3.0, reach * 0.05, -reach),
        ];
        let feather = tube_with(&curve(&line, 2), |t| size * 0.045 * (1.1 - t), 5);
        b.add("tail feather", feather, feathers);
    }
}

fn owl(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.1);
    let main = rng.paint_of(&["brown", "brown", "dark brown", "gray", "white", "tan"], MaterialKind::Plain);
    let pale = rng.paint_of(&["cream", "beige", "white", "tan"], MaterialKind::Plain);
    let (w, h) = (0.13 * rng.jitter(1.0, 0.15), 0.3 * rng.jitter(1.0, 0.15));
    let legs = h * rng.between(0.03, 0.2);
    let at = |t: f32, s: f32| ring(0.0, legs + h * t, 0.0, w * s, w * s * 0.85);
    let body = style.body(&[at(0.0, 0.45), at(0.12, 0.8), at(0.4, 1.0), at(0.7, 0.9), at(0.85, 0.7)]);
    add_split(&mut b, "body", &body, &[main, pale], |_, n| usize::from(n.z > 0.55));
    let r = w * rng.between(0.85, 1.05);
    let head = vec3(0.0, legs + h * 0.88 + r * 0.3, r * 0.05);
    b.add("head", style.ball(r * 1.05, r * 0.85, r * 0.9).translated(head), main);
    let disk =
        cylinder(r * 0.5, r * 0.16, b.segments).rot_x(FRAC_PI_2).rot_y(0.3).at(r * 0.42, r * 0.02, r * 0.68);
    b.add("face", disk.mirrored_x().translated(head), pale);
    let yellow = rng.paint_of(&["yellow", "yellow", "orange"], MaterialKind::Plain);
    let iris =
        cylinder(r * 0.3, r * 0.1, b.segments).rot_x(FRAC_PI_2).rot_y(0.3).at(r * 0.45, r * 0.04, r * 0.78);
    b.add("eyes", iris.mirrored_x().translated(head), yellow);
    let pupil = sphere(r * 0.15, 8).at(r * 0.47, r * 0.04, r * 0.88).mirrored_x();
    b.add("pupils", pupil.translated(head), rng.paint("black", MaterialKind::Plain));
    let beak = cone(r * 0.16, r * 0.42, 5).rot_x(2.4).at(0.0, -r * 0.02, r * 0.82);
    b.add("beak", beak.translated(head), yellow);
    if rng.chance(0.7) {
        let tuft = style.blade(vec3(0.5, 1.0, -0.1), r * 0.6, r * 0.4, 0.2).at(r * 0.5, r * 0.55, 0.0);
        b.add("ear tufts", tuft.mirrored_x().translated(head), main);
        b.part("ear tufts");
    }
    let wing = style.ball(w * 0.2, h * 0.36, w * 0.62).rot_x(-0.12).at(w * 0.92, legs + h * 0.45, -w * 0.1);
    b.add("wings", wing.mirrored_x(), main.shade(0.75));
    let tail = style.blade(vec3(0.0, -1.0, -0.6), h * 0.35, w * 0.8, 0.7).at(0.0, legs + h * 0.25, -w * 0.5);
    b.add("tail", tail, main.shade(0.75));
    let toes = style.ball(w * 0.1, w * 0.1, w * 0.3).at(w * 0.32, w * 0.1, w * 0.45);
    b.add("feet", toes.clone().join(toes.at(w * 0.2, 0.0, -w * 0.04)).mirrored_x(), yellow);
    b.add("legs", cylinder(w * 0.14, legs + h * 0.1, 6).at(w * 0.38, 0.0, w * 0.2).mirrored_x(), pale);
    if rng.chance(0.25) {
        let branch = rod(vec3(-w * 2.5, -w * 0.12, w * 0.3), vec3(w * 2.5, -w * 0.1, w * 0.3), w * 0.2, 7);
        let wood = rng.wood();
        b.add("branch", branch, wood);
        b.part("a branch");
    }
    b.main_color(main);
    b.part("big eyes");
    b.build()
}

fn penguin(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.14);
    let black = rng.paint_of(&["black", "black", "black", "navy", "dark gray", "gray"], MaterialKind::Plain);
    let white = rng.paint("white", MaterialKind::Plain);
    let orange = rng.paint_of(&["orange", "orange", "yellow", "black"], MaterialKind::Plain);
    let (w, h) = (0.17 * rng.jitter(1.0, 0.2), 0.55 * rng.jitter(1.0, 0.12));
    let at = |t: f32, s: f32, z: f32| ring(0.0, h * t, z * w, w * s, w * s * 0.88);
    let body = style.body(&[
        at(0.03, 0.5, 0.0),
        at(0.12, 0.88, 0.0),
        at(0.4, 1.0, 0.06),
        at(0.7, 0.78, 0.04),
        at(0.86, 0.5, 0.0),
    ]);
    add_split(&mut b, "body", &body, &[black, white], |_, n| usize::from(n.z > 0.45));
    let r = w * rng.between(0.56, 0.8);
    let head = vec3(0.0, h * 0.88 + r * 0.45, r * 0.05);
    let ball = style.ball(r * 0.95, r, r);
    let hood = rng.chance(0.5);
    add_split(&mut b, "head", &ball.translated(head), &[black, white], |p, n| {
        usize::from(hood && n.z > 0.35 && p.y < head.y + r * 0.25)
    });
    let beak =
        cone(r * 0.24, r * rng.between(0.6, 1.0), 6).rot_x(FRAC_PI_2 + 0.15).at(0.0, -r * 0.05, r * 0.85);
    b.add("beak", beak.translated(head), orange);
    add_eyes(rng, &mut b, vec3(0.5, 0.28, 0.78) * r, r * 0.13, |s| s.translated(head));
    let spread = rng.between(0.12, 0.9);
    let flipper = style.ball(w * 0.1, h * 0.25, w * 0.3).at(0.0, -h * 0.22, 0.0).rot_z(spread);
    b.add("flippers", flipper.at(w * 0.85, h * 0.7, 0.0).mirrored_x(), black);
    let foot = style.ball(w * 0.32, w * 0.1, w * 0.45).at(w * 0.42, w * 0.1, w * 0.45);
    b.add("feet", foot.mirrored_x(), orange);
    b.add("tail", cone(w * 0.25, w * 0.6, 6).rot_x(-2.2).at(0.0, h * 0.12, -w * 0.7), black);
    b.main_color(black);
    b.part("a white belly");
    b.colored_part("beak", orange);
    b.build()
}
