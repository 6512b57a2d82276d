//! Dinosaurs and crocodiles.

use glam::{Affine3A, Vec3, vec3};

use super::animal;
use super::quadruped::{add_quadruped, quadruped};
use super::species::*;
use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] =
    &[animal("dinosaur", &["dino"], dinosaur), animal("crocodile", &["alligator"], crocodile)];

const fn scaly(main: &'static str, belly: &'static str) -> Coat {
    Coat { main, belly, socks: "", muzzle: "", tip: "", marks: Marks::Plain }
}

const REPTILE: Species = Species {
    kind: "",
    size: 1.6,
    leg: 0.1,
    chest: (0.14, 0.1),
    loin: (0.14, 0.1),
    limb: (0.05, 0.04),
    foot: Foot::Paw,
    neck: Neck(0.12, 5.0, 0.095, 0.085),
    head: Head { length: 0.48, skull: (0.1, 0.07), muzzle: 0.62, tip: (0.05, 0.03), drop: 0.015, pitch: 0.0 },
    ears: Ears::None,
    tail: Tail(1.1, 0.1, -6.0, 0.0, Outline::Taper),
    horns: Horns::None,
    mane: Mane::None,
    coats: &[scaly("green", "light green"), scaly("dark green", "tan"), scaly("dark green", "beige")],
    poses: &[Pose::Standing, Pose::Standing, Pose::Walking],
};

fn crocodile(rng: &mut Rng) -> Specimen {
    quadruped(rng, &[REPTILE], 0.1)
}

fn dinosaur(rng: &mut Rng) -> Specimen {
    const COATS: &[Coat] = &[
        scaly("green", "light green"),
        scaly("gray", "light gray"),
        scaly("teal", "cream"),
        scaly("brown", "tan"),
        scaly("purple", "pink"),
        scaly("light blue", "white"),
    ];
    const SAUROPOD: Species = Species {
        kind: "brontosaurus",
        size: 5.0,
        leg: 0.34,
        chest: (0.2, 0.23),
        loin: (0.21, 0.25),
        limb: (0.095, 0.08),
        foot: Foot::Pad,
        neck: Neck(1.1, 48.0, 0.16, 0.06),
        head: Head {
            length: 0.24,
            skull: (0.07, 0.07),
            muzzle: 0.4,
            tip: (0.05, 0.04),
            drop: 0.01,
            pitch: 12.0,
        },
        tail: Tail(1.35, 0.17, -18.0, 5.0, Outline::Taper),
        coats: COATS,
        ..REPTILE
    };
    const TRICERATOPS: Species = Species {
        kind: "triceratops",
        leg: 0.24,
        neck: Neck(0.16, 5.0, 0.2, 0.17),
        head: Head {
            length: 0.46,
            skull: (0.14, 0.15),
            muzzle: 0.5,
            tip: (0.05, 0.06),
            drop: 0.05,
            pitch: 14.0,
        },
        tail: Tail(0.7, 0.13, -22.0, 0.0, Outline::Taper),
        horns: Horns::Rhino,
        ..SAUROPOD
    };
    match rng.index(10) {
        0..=5 => theropod(rng),
        6 | 7 => quadruped(rng, &[SAUROPOD], 0.08),
        8 => stegosaurus(rng, Species { coats: COATS, ..STEGOSAURUS }),
        _ => triceratops(rng, TRICERATOPS),
    }
}

const STEGOSAURUS: Species = Species {
    kind: "stegosaurus",
    size: 4.0,
    leg: 0.26,
    chest: (0.16, 0.2),
    loin: (0.18, 0.26),
    limb: (0.08, 0.06),
    foot: Foot::Pad,
    neck: Neck(0.26, 0.0, 0.14, 0.07),
    head: Head {
        length: 0.26,
        skull: (0.07, 0.07),
        muzzle: 0.5,
        tip: (0.035, 0.03),
        drop: 0.01,
        pitch: 10.0,
    },
    tail: Tail(0.85, 0.13, -12.0, 8.0, Outline::Taper),
    ..REPTILE
};

fn stegosaurus(rng: &mut Rng, species: Species) -> Specimen {
    let mut b = Builder::new(rng);
    let body = add_quadruped(rng, &mut b, &[species], 0.0);
    let paint = rng.paint_of(&["orange", "red", "yellow", "dark green"], MaterialKind::Plain);
    for i in 0..8 {
        let t = i as f32 / 7.0;
        let size = body.length * (0.06 + 0.1 * (PI * (0.1 + 0.75 * t)).sin());
        let plate = extrude(&outline(&[(-0.4, 0.0), (0.4, 0.0), (0.6, 0.5), (0.0, 1.3), (-0.6, 0.5)]), 0.2);
        let side = if i % 2 == 0 { 0.25 } else { -0.25 };
        let place = vec3(side * size, body.top - size * 0.3, body.length * (0.95 * t - 0.52));
        b.add("plate", plate.rot_y(FRAC_PI_2).scaled(size).translated(place), paint);
    }
    b.part("plates on its back");
    b.build()
}

fn triceratops(rng: &mut Rng, species: Species) -> Specimen {
    let mut b = Builder::new(rng);
    let body = add_quadruped(rng, &mut b, &[species], 0.0);
    let paint = rng.paint_of(&["orange", "brown", "green", "gray"], MaterialKind::Plain);
    let bone = rng.paint("cream", MaterialKind::Plain);
    let unit = body.length * 0.2;
    let frill = cylinder(unit * 1.2, unit * 0.2, b.segments.max(8)).rot_x(FRAC_PI_2 - 0.45);
    b.add("frill", frill.translated(body.poll + vec3(0.0, unit * 0.45, 0.0)), paint);
    let horn = cone(unit * 0.22, unit * 1.4, 7).rot_x(0.95).at(unit * 0.45, unit * 0.6, unit * 0.55);
    b.add("horns", horn.mirrored_x().translated(body.poll), bone);
    b.part("three horns");
    b.part("a frill");
    b.build()
}

/// A tyrannosaur or raptor: level back, heavy tail, two strong legs, small arms.
fn theropod(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.1);
    let main = rng.paint_of(
        &["green", "dark green", "brown", "teal", "gray", "orange", "purple", "tan"],
        MaterialKind::Plain,
    );
    let belly = if rng.chance(0.75) {
        rng.paint_of(&["cream", "tan", "light green", "yellow"], MaterialKind::Plain)
    } else {
        main
    };
    let raptor = rng.chance(0.3);
    let (g, big) = if raptor { (0.11, 0.75) } else { (0.16, 1.0) };
    let (girth, leg) = (g * rng.jitter(1.0, 0.15), rng.between(0.42, 0.56));
    let upright = rng.between(0.0, 0.75);
    let y = leg + girth * 0.8;
    let axis = |t: f32| vec3(0.0, y + t * upright.sin(), t * upright.cos());
    let at = |p: Vec3, w: f32| ring(p.x, p.y, p.z, girth * w * 0.85, girth * w);
    let droop = |t: f32| {
        let p = axis(-0.25 - t);
        vec3(p.x, p.y.max(0.2 * y) + 0.12 * t * t, p.z)
    };
    let body = [
        at(droop(0.95), 0.05),
        at(droop(0.65), 0.22),
        at(droop(0.32), 0.52),
        at(axis(-0.22), 0.9),
        at(axis(0.0), 1.05),
        at(axis(0.22), 0.85),
        at(axis(0.34), 0.62),
    ];
    let trunk = if style.boxy {
        style
            .body(&body[3..])
            .join(style.limb(&body[..4].iter().map(|r| (r.center, r.width * 0.9)).collect::<Vec<_>>()))
    } else {
        style.body(&body)
    };
    add_split(&mut b, "body", &trunk, &[main, belly], |_, n| usize::from(n.y < -0.4 || n.z > 0.72));
    let poll = axis(0.34) + vec3(0.0, 0.2, 0.16) * rng.jitter(1.0, 0.2);
    b.add("neck", style.limb(&[(axis(0.26), girth * 0.75), (poll, girth * 0.55)]), main);
    let head = Head {
        length: 0.4 * big * rng.jitter(1.0, 0.12),
        skull: (girth * 0.55, girth * 0.62),
        muzzle: 0.6,
        tip: (girth * 0.38, girth * 0.4),
        drop: 0.01,
        pitch: 0.0,
    };
    add_jaws(rng, &mut b, &style, &head, poll, [main, belly]);
    theropod_limbs(rng, &mut b, &style, [girth, leg, y], axis(0.24), main);
    b.transform(Affine3A::from_scale(Vec3::splat(if raptor { 1.5 } else { 4.5 })));
    b.main_color(main);
    b.subcategory(if raptor { "velociraptor" } else { "t-rex" });
    b.part("a long tail");
    b.part("small arms");
    b.build()
}

/// Legs and arms; `chest` is between the shoulders.
fn theropod_limbs(
    rng: &mut Rng,
    b: &mut Builder,
    style: &FigureStyle,
    [girth, leg, y]: [f32; 3],
    chest: Vec3,
    main: Paint,
) {
    let thigh = girth * rng.between(0.5, 0.62);
    let stride = rng.between(0.0, 0.22);
    for side in [-1.0_f32, 1.0] {
        let hip = vec3(side * girth * 0.75, y, -0.03);
        let z = side * stride;
        let joints = [
            (hip, thigh),
            (vec3(hip.x, leg * 0.62, 0.1 + z), thigh * 0.75),
            (vec3(hip.x, leg * 0.3, -0.08 + z), thigh * 0.38),
            (vec3(hip.x, 0.03, 0.0 + z), thigh * 0.34),
        ];
        b.add("leg", style.limb(&joints), main);
        let toe = style.ball(thigh * 0.28, 0.035, thigh * 0.8);
        b.add("foot", toe.clone().join(toe.rot_y(0.45 * side)).at(hip.x, 0.035, 0.06 + z), main.shade(0.8));
        let shoulder = chest + vec3(side * girth * 0.65, -girth * 0.15, 0.05);
        let elbow = shoulder + vec3(0.0, -0.09, 0.02);
        let hand = elbow + vec3(0.0, 0.0, 0.09);
        b.add("arm", tube(&[shoulder, elbow, hand], girth * 0.15, 5), main);
    }
}

fn add_jaws(
    rng: &mut Rng,
    b: &mut Builder,
    style: &FigureStyle,
    head: &Head,
    poll: Vec3,
    paints: [Paint; 2],
) {
    let (l, (w, h)) = (head.length, head.skull);
    let upper = style.body(&[
        ring(0.0, 0.0, -0.25 * l, w * 0.6, h * 0.6),
        ring(0.0, h * 0.1, 0.0, w, h),
        ring(0.0, h * 0.1, 0.3 * l, w * 0.85, h * 0.75),
        ring(0.0, 0.0, 0.7 * l, head.tip.0, head.tip.1 * 0.8),
        ring(0.0, -0.1 * h, 0.82 * l, head.tip.0 * 0.6, head.tip.1 * 0.4),
    ]);
    let open = rng.between(0.1, 0.5);
    let lower = style.body(&[
        ring(0.0, 0.0, 0.0, w * 0.8, h * 0.35),
        ring(0.0, 0.0, 0.4 * l, w * 0.7, h * 0.28),
        ring(0.0, 0.0, 0.7 * l, head.tip.0 * 0.7, h * 0.15),
    ]);
    b.add("head", upper.translated(poll), paints[0]);
    b.add("jaw", lower.rot_x(open).at(0.0, -h * 0.65, 0.05 * l).translated(poll), paints[1]);
    let tooth = cone(w * 0.1, h * 0.3, 4).rot_x(PI);
    let teeth = Solid::union((0..5).map(|i| {
        let z = l * (0.3 + 0.11 * i as f32);
        tooth.clone().at(w * (0.75 - 0.09 * i as f32), -h * 0.42, z)
    }));
    b.add("teeth", teeth.mirrored_x().translated(poll), rng.paint("white", MaterialKind::Plain));
    add_eyes(rng, b, vec3(w * 0.75, h * 0.55, 0.22 * l), h * 0.16, |s| s.translated(poll));
    b.part("sharp teeth");
}
