//! Heads of four-legged animals: skull and muzzle, ears, horns. In the head's frame the nose looks along +Z, the
//! origin is where the neck ends.

use glam::{Affine3A, Vec3, vec3};

use super::species::{Ears, Head, Horns};
use crate::kit::{
    Builder, FigureStyle, MaterialKind, Paint, Rng, Solid, add_eyes, cone, curve, ellipsoid, ring, rod,
    sphere, split, tube_with,
};

/// What a head is made from.
pub(super) struct HeadModel {
    pub style: FigureStyle,
    pub head: Head,
    pub ears: Ears,
    pub horns: Horns,
    /// Long fur on the cheeks.
    pub ruff: bool,
    pub main: Paint,
    /// Cheeks and throat.
    pub cheek: Paint,
    pub muzzle: Paint,
    /// Tips of ears.
    pub tip: Paint,
}

/// Adds the head, moved from its own frame by `place`.
pub(super) fn add_head(rng: &mut Rng, b: &mut Builder, model: &HeadModel, place: Affine3A) {
    let head = &model.head;
    let muzzle_length = head.length * head.muzzle;
    let skull_length = head.length - muzzle_length;
    let (w, h) = head.skull;
    let (tw, th) = head.tip;
    let (front, drop) = (skull_length * 0.55, head.drop);
    let skull = [
        ring(0.0, -0.1 * h, -skull_length * 0.45, w * 0.5, h * 0.5),
        ring(0.0, 0.0, -skull_length * 0.2, w * 0.92, h * 0.92),
        ring(0.0, 0.0, skull_length * 0.12, w, h),
        ring(0.0, -drop * 0.4, skull_length * 0.42, (w * 0.85).max(tw), h * 0.8),
    ];
    let muzzle = [
        ring(0.0, -drop * 0.8, front, tw.max(w * 0.45) * 1.15, th.max(h * 0.35) * 1.2),
        ring(0.0, -drop, front + muzzle_length * 0.75, tw, th),
        ring(0.0, -drop, front + muzzle_length * 0.96, tw * 0.72, th * 0.72),
    ];
    let paints = [model.main, model.cheek, model.muzzle];
    let (cheeks, snout) = (model.cheek != model.main, model.muzzle != model.main);
    let lower = -drop - th * 0.15;
    let pick = |p: Vec3, _: Vec3| match () {
        () if snout && p.z > front + muzzle_length * 0.25 => 2,
        () if cheeks && p.y < lower + 0.15 * h && p.z > -skull_length * 0.3 => 1,
        () => 0,
    };
    let mut add = |name: &str, solid: &Solid| {
        for (part, paint) in split(solid, 3, pick).into_iter().zip(paints) {
            if !part.faces.is_empty() {
                b.add(name, part.transformed(place), paint);
            }
        }
    };
    if model.style.boxy {
        add("head", &model.style.body(&skull));
        add("muzzle", &model.style.body(&[muzzle[0], muzzle[2]]));
    } else {
        let all: Vec<_> = skull.iter().chain(&muzzle).copied().collect();
        add("head", &model.style.body(&all));
    }
    if model.ruff && !model.style.boxy {
        let tuft =
            model.style.blade(vec3(0.85, -0.55, -0.2), w * 1.15, h * 1.1, 0.25).at(w * 0.5, -h * 0.25, 0.0);
        b.add("cheek", tuft.mirrored_x().transformed(place), model.cheek);
    }
    let nose_paint = if model.muzzle.color.name == "pink" {
        model.muzzle
    } else {
        rng.paint("black", MaterialKind::Plain)
    };
    let wide = tw > w * 0.6;
    let r = if wide { tw * 0.2 } else { tw * 0.42 };
    let nose = vec3(if wide { tw * 0.42 } else { 0.0 }, -drop + th * 0.35, front + muzzle_length * 0.97);
    let nose_ball = ellipsoid(r, r * 0.8, r * 0.7, 6).translated(nose);
    let nose_ball = if wide { nose_ball.mirrored_x() } else { nose_ball };
    b.add("nose", nose_ball.transformed(place), if wide { nose_paint.shade(0.6) } else { nose_paint });
    head_eyes(rng, b, head, place);
    add_ears(rng, b, model, place);
    add_horns(rng, b, model, place);
}

fn add_ears(rng: &mut Rng, b: &mut Builder, model: &HeadModel, place: Affine3A) {
    let (w, h) = model.head.skull;
    let back = -model.head.length * (1.0 - model.head.muzzle) * 0.12;
    let style = &model.style;
    let lean = rng.between(-0.15, 0.2);
    match model.ears {
        Ears::None => {}
        Ears::Pricked(length, width) => {
            let out = rng.between(0.15, 0.4);
            let ear = style.blade(vec3(out, 1.0, -lean), length, width, 0.12);
            let at = vec3(w * 0.62, h * 0.6, back);
            let top = at.y + length * 0.68;
            let ear = ear.translated(at).mirrored_x();
            for (part, paint) in
                split(&ear, 2, |p, _| usize::from(p.y > top)).into_iter().zip([model.main, model.tip])
            {
                if !part.faces.is_empty() {
                    b.add("ear", part.transformed(place), paint);
                }
            }
        }
        Ears::Spoon(length, width) => {
            let spread = rng.between(0.05, 0.35);
            let tilt = rng.between(0.0, 0.8);
            let at = vec3(w * 0.42, h * 0.7, back);
            let ear = |l, wd| style.blade(vec3(spread, 1.0, -tilt), l, wd, 0.55).translated(at).mirrored_x();
            b.add("ear", ear(length, width).transformed(place), model.main);
            let inner = ear(length * 0.85, width * 0.55).at(0.0, 0.0, width * 0.09);
            b.add("ear inside", inner.transformed(place), rng.paint("pink", MaterialKind::Plain));
            b.part("long ears");
        }
        Ears::Round(r) => {
            let disk = style.ball(r, r, r * 0.4).at(w * 0.78, h * 0.85, back).mirrored_x();
            b.add("ear", disk.transformed(place), model.main);
        }
        Ears::Floppy(length, width) => {
            let out = rng.between(0.2, 0.5);
            let ear = style.blade(vec3(out, -1.0, 0.05), length, width, 0.6);
            let ear = if style.boxy { ear } else { ear.rot_y(0.5) };
            let ear = ear.at(w * 0.88, h * 0.65, back).mirrored_x();
            let paint = if model.tip == model.main { model.main.shade(0.7) } else { model.tip };
            b.add("ear", ear.transformed(place), paint);
            b.part("floppy ears");
        }
        Ears::Sideways(length, width) => {
            let ear = style.blade(vec3(1.0, rng.between(-0.25, 0.35), -0.1), length, width, 0.5);
            let ear = ear.at(w * 0.7, h * 0.45, back).mirrored_x();
            b.add("ear", ear.transformed(place), model.main);
        }
        Ears::Fan(r) => {
            let flap = if style.boxy { 0.0 } else { rng.between(0.35, 0.9) };
            let ear =
                style.ball(r * 0.8, r, r * 0.13).at(r * 0.6, 0.0, 0.0).rot_y(flap).at(w * 0.75, 0.0, back);
            b.add("ear", ear.mirrored_x().transformed(place), model.main);
            b.part("big ears");
        }
    }
}

fn add_horns(rng: &mut Rng, b: &mut Builder, model: &HeadModel, place: Affine3A) {
    let (w, h) = model.head.skull;
    let skull_length = model.head.length * (1.0 - model.head.muzzle);
    let back = -skull_length * 0.05;
    let bone = rng.paint_of(&["cream", "beige", "tan", "dark gray"], MaterialKind::Plain);
    let mut add = |name: &str, solid: Solid, paint: Paint| b.add(name, solid.transformed(place), paint);
    match model.horns {
        Horns::None => {}
        Horns::Cow(length) => {
            let points = [vec3(0.45, 0.75, 0.0), vec3(1.25, 0.95, 0.1), vec3(1.55, 1.5, 0.25)];
            let line: Vec<Vec3> =
                points.iter().map(|p| vec3(p.x * w, p.y * h, back + p.z * length)).collect();
            let horn = tube_with(&curve(&line, 3), |t| w * 0.24 * (1.0 - 0.9 * t), 6);
            add("horn", horn.mirrored_x(), bone);
        }
        Horns::Goat(length) => {
            let curl = rng.between(0.3, 1.0);
            let line = [
                vec3(w * 0.35, h * 0.7, back),
                vec3(w * 0.5, h * 0.7 + length * 0.6, back - length * 0.25),
                vec3(w * 0.8, h * 0.7 + length * 0.7, back - length * 0.7),
                vec3(w * 1.1, h * 0.7 + length * (0.7 - curl), back - length),
            ];
            let horn = tube_with(&curve(&line, 3), |t| w * 0.28 * (1.0 - 0.85 * t), 6);
            add("horn", horn.mirrored_x(), bone);
        }
        Horns::Antlers(length) => {
            let antler = antler(rng, length).at(w * 0.4, h * 0.75, back).mirrored_x();
            add("antlers", antler, rng.paint_of(&["tan", "brown", "beige"], MaterialKind::Plain));
        }
        Horns::Unicorn(length) => {
            let paint = rng.paint_of(&["gold", "yellow", "white", "pink", "light blue"], MaterialKind::Plain);
            let horn = cone(w * 0.26, length, 8).rot_x(rng.between(0.35, 0.8));
            add("horn", horn.at(0.0, h * 0.75, skull_length * 0.22), paint);
        }
        Horns::Knobs => {
            let tip = vec3(w * 0.5, h * 1.75, back);
            let knob =
                rod(vec3(w * 0.4, h * 0.6, back), tip, w * 0.12, 6).join(sphere(w * 0.2, 6).translated(tip));
            add("ossicones", knob.mirrored_x(), model.tip);
        }
        Horns::Trunk(length) => {
            add_trunk(rng, b, model, place, length);
        }
        Horns::Rhino => {
            let z = model.head.length * 0.68;
            let y = -model.head.drop + model.head.tip.1 * 0.8;
            let horn = cone(w * 0.3, h * 1.5, 7).rot_x(0.2).at(0.0, y, z);
            let second = cone(w * 0.24, h * 0.7, 7).at(0.0, y + h * 0.15, z - w * 0.8);
            add("horn", horn.join(second), bone);
            b.part("a horn on its nose");
        }
    }
}

/// The right antler: a beam that bows out and up, with two to four points.
fn antler(rng: &mut Rng, length: f32) -> Solid {
    let beam = curve(
        &[
            Vec3::ZERO,
            vec3(0.35, 0.35, -0.25) * length,
            vec3(0.6, 0.7, -0.15) * length,
            vec3(0.5, 1.05, 0.15) * length,
        ],
        3,
    );
    let radius = length * rng.between(0.035, 0.055);
    let points = rng.int_between(2, 4);
    let tines = (0..points).map(|i| {
        let from = beam[(1 + i * (beam.len() - 3) / points).min(beam.len() - 1)];
        let to = from + vec3(rng.between(-0.05, 0.12), 0.3, rng.between(0.1, 0.3)) * length;
        tube_with(&[from, from.lerp(to, 0.5), to], |t| radius * (0.8 - 0.65 * t), 5)
    });
    let tines = Solid::union(tines.collect::<Vec<_>>());
    tube_with(&beam, |t| radius * (1.0 - 0.75 * t), 6).join(tines)
}

fn add_trunk(rng: &mut Rng, b: &mut Builder, model: &HeadModel, place: Affine3A, length: f32) {
    let (w, h) = model.head.skull;
    let z = model.head.length * 0.5;
    let curl = rng.between(-0.3, 0.9);
    let raised = rng.chance(0.2);
    let line = if raised {
        [
            vec3(0.0, -0.2 * h, z),
            vec3(0.0, -0.5 * h, z + length * 0.3),
            vec3(0.0, 0.1 * h, z + length * 0.7),
            vec3(0.0, h * 1.2, z + length * 0.8),
        ]
    } else {
        [
            vec3(0.0, -0.2 * h, z),
            vec3(0.0, -0.4 * length, z + length * 0.22),
            vec3(0.0, -0.8 * length, z + length * 0.2),
            vec3(0.0, -length, z + length * (0.2 + 0.4 * curl)),
        ]
    };
    let joints: Vec<(Vec3, f32)> =
        line.iter().enumerate().map(|(i, &p)| (p, w * (0.5 - 0.105 * i as f32))).collect();
    let trunk = if model.style.boxy {
        model.style.limb(&joints[..2]).join(model.style.limb(&joints[1..]))
    } else {
        model.style.limb(&joints)
    };
    b.add("trunk", trunk.transformed(place), model.main);
    if rng.chance(0.75) {
        let root = vec3(w * 0.55, -h * 0.6, z * 0.85);
        let reach = length * rng.between(0.25, 0.5);
        let line = [root, root + vec3(0.1, -0.5, 0.5) * reach, root + vec3(0.1, -0.55, 1.1) * reach];
        let tusk = tube_with(&curve(&line, 3), |t| w * 0.13 * (1.0 - 0.8 * t), 6).mirrored_x();
        b.add("tusks", tusk.transformed(place), rng.paint_of(&["white", "cream"], MaterialKind::Plain));
        b.part("tusks");
    }
}

/// Eyes for the head's measures.
fn head_eyes(rng: &mut Rng, b: &mut Builder, head: &Head, place: Affine3A) {
    let skull_length = head.length * (1.0 - head.muzzle);
    let radius = (head.skull.1 * rng.between(0.13, 0.22)).max(0.008);
    let at = vec3(head.skull.0 * 0.74, head.skull.1 * 0.32, skull_length * 0.36);
    add_eyes(rng, b, at, radius, |s| s.transformed(place));
}
