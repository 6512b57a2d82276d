//! Four-legged animals: one skeleton that takes a species' measures, a coat and a pose, and looks along +Z.
//! Every specimen draws its own measures around the species'.

use glam::{Affine3A, Quat, Vec3, vec3};

use super::heads::{HeadModel, add_head};
use super::species::*;
use crate::kit::{
    Builder, FigureStyle, MaterialKind, Paint, Rng, Solid, Specimen, add_split, ellipsoid, frustum,
    hash_noise, ring, split,
};

/// Makes an animal of one of the kinds.
pub(super) fn quadruped(rng: &mut Rng, kinds: &[Species], boxy: f32) -> Specimen {
    let mut b = Builder::new(rng);
    add_quadruped(rng, &mut b, kinds, boxy);
    b.build()
}

/// Where more can be put on an animal: metres.
pub(super) struct Landmarks {
    /// Height of the back.
    pub top: f32,
    /// Length of the body, whose middle is at `z = 0`.
    pub length: f32,
    /// The nape.
    pub poll: Vec3,
}

/// Adds an animal of one of the kinds; `boxy` is how likely it is made of boxes.
pub(super) fn add_quadruped(rng: &mut Rng, b: &mut Builder, kinds: &[Species], boxy: f32) -> Landmarks {
    let style = FigureStyle::sample(rng, b, boxy);
    let species = varied(rng.choose(kinds), rng);
    let coat = rng.choose(species.coats);
    let mut pose = rng.choose(species.poses);
    if style.boxy && matches!(pose, Pose::Lying) {
        pose = Pose::Standing;
    }
    let animal = Animal::new(rng, style, species, coat, pose);
    animal.torso(rng, b);
    animal.legs(b);
    animal.neck_and_head(rng, b);
    animal.tail(b);
    animal.say(b);
    b.transform(Affine3A::from_scale(Vec3::splat(species.size)));
    let poll = animal.carriage().1 * species.size;
    Landmarks { top: animal.top() * species.size, length: species.size, poll }
}

/// The species with measures drawn around its own; toys have larger heads and shorter legs.
fn varied(mut s: Species, rng: &mut Rng) -> Species {
    let toy = if rng.chance(0.2) { rng.between(1.15, 1.5) } else { 1.0 };
    let girth = rng.jitter(1.0, 0.12) * toy.sqrt();
    s.leg *= rng.jitter(1.0, 0.14) / toy;
    s.chest = (s.chest.0 * girth * rng.jitter(1.0, 0.08), s.chest.1 * girth);
    s.loin = (s.loin.0 * girth * rng.jitter(1.0, 0.08), s.loin.1 * girth);
    let bones = rng.jitter(1.0, 0.18) * toy;
    s.limb = (s.limb.0 * bones, s.limb.1 * bones);
    s.neck = Neck(
        s.neck.0 * rng.jitter(1.0, 0.15) / toy.sqrt(),
        s.neck.1 + rng.between(-9.0, 9.0),
        s.neck.2 * girth,
        s.neck.3 * girth,
    );
    let head = rng.jitter(1.0, 0.1) * toy;
    s.head.length *= head * rng.jitter(1.0, 0.06);
    s.head.skull = (s.head.skull.0 * head, s.head.skull.1 * head);
    s.head.tip = (s.head.tip.0 * head, s.head.tip.1 * head);
    s.head.drop *= head;
    s.head.pitch += rng.between(-10.0, 10.0);
    s.tail = Tail(
        s.tail.0 * rng.jitter(1.0, 0.18),
        s.tail.1 * rng.jitter(1.0, 0.2),
        s.tail.2 + rng.between(-14.0, 14.0),
        s.tail.3 + rng.between(-25.0, 25.0),
        s.tail.4,
    );
    s
}

/// One animal on its way into a builder.
struct Animal {
    style: FigureStyle,
    s: Species,
    pose: Pose,
    main: Paint,
    belly: Paint,
    socks: Paint,
    muzzle: Paint,
    tip: Paint,
    marks: Paint,
    pattern: Marks,
    /// Places of patches on the body.
    spots: Vec<(Vec3, f32)>,
    /// From the standing body to the body in its pose.
    posed: Affine3A,
    /// Phase of the gait.
    gait: f32,
}

impl Animal {
    fn new(rng: &mut Rng, style: FigureStyle, s: Species, coat: Coat, pose: Pose) -> Self {
        let main = rng.paint(coat.main, MaterialKind::Plain);
        let mut other =
            |name: &'static str| if name.is_empty() { main } else { rng.paint(name, MaterialKind::Plain) };
        let (belly, socks, muzzle, tip) =
            (other(coat.belly), other(coat.socks), other(coat.muzzle), other(coat.tip));
        let (marks, many, radius) = match coat.marks {
            Marks::Plain => (main, 0, 0.0),
            Marks::Patches(c) => (other(c), 7, 0.16),
            Marks::Spots(c) => (other(c), 60, 0.05),
            Marks::Stripes(c) | Marks::Saddle(c) => (other(c), 0, 0.0),
        };
        let top = s.leg + 2.0 * s.chest.1;
        let spots = (0..many)
            .map(|_| {
                let place = vec3(
                    rng.sign() * s.chest.0 * rng.between(0.3, 1.0),
                    top - rng.between(0.0, 1.5) * s.chest.1,
                    rng.between(-0.5, 0.5),
                );
                (place, rng.jitter(radius, 0.4))
            })
            .collect();
        let hip = vec3(0.0, top - s.loin.1, -0.38);
        let posed = match pose {
            Pose::Sitting | Pose::Crouching => {
                let seat = vec3(0.0, s.loin.1 * 0.95, -0.38);
                let angles = if pose == Pose::Sitting { 40.0..58.0_f32 } else { 6.0..28.0 };
                let raise = Quat::from_rotation_x(-rng.between(angles.start, angles.end).to_radians());
                Affine3A::from_translation(seat)
                    * Affine3A::from_quat(raise)
                    * Affine3A::from_translation(-hip)
            }
            Pose::Lying => Affine3A::from_translation(vec3(0.0, 0.02 - s.leg, 0.0)),
            _ => Affine3A::IDENTITY,
        };
        let gait = rng.between(0.6, 1.0) * rng.sign();
        Self {
            style,
            s,
            pose,
            main,
            belly,
            socks,
            muzzle,
            tip,
            marks,
            pattern: coat.marks,
            spots,
            posed,
            gait,
        }
    }

    fn top(&self) -> f32 {
        self.s.leg + 2.0 * self.s.chest.1
    }

    /// 0 main, 1 belly, 2 marks.
    fn coat_at(&self, place: Vec3, normal: Vec3) -> usize {
        let height = (place.y - self.s.leg) / (2.0 * self.s.chest.1);
        let marked = match self.pattern {
            Marks::Plain => false,
            Marks::Patches(_) | Marks::Spots(_) => self.spots.iter().any(|&(p, r)| p.distance(place) < r),
            Marks::Stripes(_) => (place.z * 44.0).sin() > 0.15 && height > 0.1,
            Marks::Saddle(_) => normal.y > 0.25 || height > 0.78,
        };
        if marked {
            2
        } else if normal.y < -0.45 || height < 0.1 {
            1
        } else {
            0
        }
    }

    fn torso(&self, rng: &mut Rng, b: &mut Builder) {
        let (s, top) = (&self.s, self.top());
        let (cw, ch) = s.chest;
        let (lw, lh) = s.loin;
        let sag = rng.between(-0.02, 0.01);
        let at = |z: f32, w: f32, h: f32, rise: f32| ring(0.0, top - h + rise, z, w, h);
        let rings = [
            at(-0.53, lw * 0.45, lh * 0.5, -lh * 0.35),
            at(-0.47, lw * 0.88, lh * 0.85, -lh * 0.1),
            at(-0.3, lw, lh, 0.0),
            at(-0.02, (cw + lw) * 0.5, (ch + lh) * 0.5, sag),
            at(0.25, cw, ch, 0.0),
            at(0.42, cw * 0.88, ch * 0.86, -ch * 0.05),
            at(0.52, cw * 0.5, ch * 0.55, -ch * 0.3),
        ];
        let mut body = self.style.body(&rings);
        let marked = !matches!(self.pattern, Marks::Plain | Marks::Saddle(_));
        if marked {
            body = fine(body, 500);
        }
        self.add(b, "body", body);
        if s.mane == Mane::Wool && !self.style.boxy {
            let wool: Vec<Solid> = (0..rng.int_between(26, 40))
                .map(|_| {
                    let angle = rng.between(-0.35, 3.5);
                    let r = rng.between(0.09, 0.14);
                    ellipsoid(r, r, r, 6).at(
                        cw * 0.85 * angle.cos(),
                        top - ch + ch * 0.85 * angle.sin(),
                        rng.between(-0.47, 0.42),
                    )
                })
                .collect();
            b.add("wool", Solid::union(wool).transformed(self.posed), self.main);
        }
    }

    fn add(&self, b: &mut Builder, name: &str, solid: Solid) {
        // The pattern is laid on the standing body, then the body takes its pose.
        let colored = split(&solid, 3, |p, n| self.coat_at(p, n));
        for (part, paint) in colored.into_iter().zip([self.main, self.belly, self.marks]) {
            if !part.faces.is_empty() {
                b.add(name, part.transformed(self.posed), paint);
            }
        }
    }

    fn legs(&self, b: &mut Builder) {
        for side in [-1.0, 1.0] {
            let phase = self.gait * side;
            let (front, hind) = match self.pose {
                Pose::Walking => (0.32 * phase, -0.3 * phase),
                Pose::Running => (0.85 + 0.2 * phase, -0.8 + 0.15 * phase),
                _ => (0.06 * phase, -0.05 * phase),
            };
            self.front_leg(b, side, front);
            match self.pose {
                Pose::Sitting | Pose::Crouching | Pose::Lying => self.folded_leg(b, side),
                _ => self.hind_leg(b, side, hind),
            }
        }
    }

    fn front_leg(&self, b: &mut Builder, side: f32, swing: f32) {
        let s = &self.s;
        let (upper, shin) = s.limb;
        let hip = vec3(side * (s.chest.0 - upper * 0.85).max(upper * 0.6), s.leg + s.chest.1 * 0.7, 0.36);
        match self.pose {
            Pose::Sitting | Pose::Crouching => {
                let hip = self.posed.transform_point3(hip);
                let foot = vec3(hip.x, 0.0, hip.z + 0.08);
                let joints = [
                    (hip, upper * 1.1),
                    (hip.lerp(foot, 0.45), upper * 0.85),
                    (hip.lerp(foot, 0.75), shin),
                    (foot, shin),
                ];
                self.leg(b, &joints, 0.0);
            }
            Pose::Lying => {
                let joints = [
                    (vec3(hip.x, upper, 0.3), upper),
                    (vec3(hip.x, shin, 0.36 + s.leg * 0.4), shin),
                    (vec3(hip.x, shin, 0.4 + s.leg * 0.75), shin),
                ];
                let leg = self.style.limb(&joints);
                b.add("front leg", leg, self.socks);
            }
            _ => {
                let joints = [
                    (hip, upper * 1.25),
                    (vec3(hip.x, s.leg * 0.92, 0.34), upper),
                    (vec3(hip.x, s.leg * 0.5, 0.36), shin * 1.12),
                    (vec3(hip.x, s.leg * 0.14, 0.36), shin * 0.92),
                    (vec3(hip.x, 0.0, 0.37), shin),
                ];
                self.leg(b, &swung(joints, hip, swing), swing);
            }
        }
    }

    fn hind_leg(&self, b: &mut Builder, side: f32, swing: f32) {
        let s = &self.s;
        let (upper, shin) = s.limb;
        let hip = vec3(side * (s.loin.0 - upper * 0.8).max(upper * 0.6), self.top() - s.loin.1, -0.38);
        let bend = (s.leg * 0.16).min(0.1);
        let joints = [
            (hip, upper * 1.5),
            (vec3(hip.x, s.leg * 0.88, -0.37 + bend), upper * 1.25),
            (vec3(hip.x, s.leg * 0.46, -0.4 - bend), shin * 1.15),
            (vec3(hip.x, s.leg * 0.12, -0.4 - bend * 0.4), shin * 0.92),
            (vec3(hip.x, 0.0, -0.4 - bend * 0.2), shin),
        ];
        self.leg(b, &swung(joints, hip, swing), swing);
    }

    /// A thigh that lies against the body, and a foot before it.
    fn folded_leg(&self, b: &mut Builder, side: f32) {
        let s = &self.s;
        let (upper, shin) = s.limb;
        let size = (s.leg * 0.32 + s.loin.1 * 0.45).max(upper * 1.6);
        let x = side * (s.loin.0 * 0.85);
        let thigh = self.style.ball(upper * 1.15, size * 0.95, size * 1.05).at(x, size * 0.9, -0.28);
        b.add("thigh", thigh, self.main);
        let foot =
            self.style.ball(shin * 1.3, shin * 1.1, size * 0.75).at(x * 1.1, shin, -0.28 + size * 0.75);
        b.add("hind foot", foot, self.socks);
    }

    fn leg(&self, b: &mut Builder, joints: &[(Vec3, f32)], swing: f32) {
        let leg = self.style.limb(joints);
        let sock = self.s.leg * 0.42;
        add_split(b, "leg", &leg, &[self.main, self.socks], |p, _| usize::from(p.y < sock));
        let Some(&(end, _)) = joints.last() else { return };
        let r = self.s.limb.1;
        let foot = match self.s.foot {
            _ if self.style.boxy => return,
            Foot::Paw => ellipsoid(r * 1.35, r * 0.85, r * 1.9, 8).at(0.0, r * 0.6, r * 0.7),
            Foot::Hoof => {
                frustum(r * 1.4, r * 1.02, r * 1.8, self.style.segments.min(8)).at(0.0, -r * 0.2, r * 0.25)
            }
            Foot::Pad => {
                frustum(r * 1.25, r * 1.05, r * 0.7, self.style.segments.max(8)).at(0.0, -r * 0.1, r * 0.15)
            }
        };
        let paint = if self.s.foot == Foot::Hoof { self.hoof_paint() } else { self.socks };
        b.add("foot", foot.rot_x(-swing * 0.7).translated(end), paint);
    }

    fn hoof_paint(&self) -> Paint {
        if self.socks.color.name == "black" { self.socks } else { self.socks.shade(0.3) }
    }

    fn tail(&self, b: &mut Builder) {
        let Tail(length, radius, start, end, outline) = self.s.tail;
        let root = self.posed.transform_point3(vec3(0.0, self.top() - self.s.loin.1 * 0.45, -0.5));
        let resting = matches!(self.pose, Pose::Sitting | Pose::Crouching | Pose::Lying);
        let (start, end) = if resting && start < 60.0 { (-35.0, 45.0) } else { (start, end) };
        let steps = if self.style.boxy { 2 } else { 6 };
        let mut joints = vec![];
        let mut at = root;
        for i in 0..=steps {
            let t = i as f32 / steps as f32;
            let r = radius * outline.width(t) * if self.style.boxy { 0.9 } else { 1.0 };
            joints.push((at, r.max(0.004)));
            let angle = (start + (end - start) * t).to_radians();
            at += vec3(0.0, angle.sin(), -angle.cos()) * (length / steps as f32);
            at.y = at.y.max(radius * 0.5);
        }
        let from = match outline {
            Outline::Strand => 0,
            Outline::Tuft => steps * 3 / 4,
            _ => steps * 2 / 3,
        };
        let split = from.clamp(if outline == Outline::Strand { 0 } else { 1 }, steps - 1);
        if split > 0 {
            b.add("tail", self.style.limb(&joints[..=split]), self.main);
        }
        b.add("tail end", self.style.limb(&joints[split..]), self.tip);
    }

    fn say(&self, b: &mut Builder) {
        b.main_color(self.main);
        if !self.s.kind.is_empty() {
            b.subcategory(self.s.kind);
        }
        match self.pose {
            Pose::Standing => {}
            Pose::Walking => b.adjective("walking"),
            Pose::Running => b.adjective("running"),
            Pose::Sitting | Pose::Crouching => b.adjective("sitting"),
            Pose::Lying => b.adjective("lying"),
            Pose::Grazing => b.adjective("grazing"),
        }
        match self.pattern {
            Marks::Patches(color) => b.part(format!("{color} patches")),
            Marks::Spots(color) => b.part(format!("{color} spots")),
            Marks::Stripes(color) => b.part(format!("{color} stripes")),
            _ => {}
        }
        match self.s.horns {
            Horns::Cow(_) | Horns::Goat(_) => b.part("horns"),
            Horns::Antlers(_) => b.part("antlers"),
            Horns::Unicorn(_) => b.part("a horn"),
            Horns::Trunk(_) => b.part("a trunk"),
            _ => {}
        }
        if self.s.tail.4 == Outline::Brush && self.s.tail.1 > 0.07 {
            b.part("a bushy tail");
        }
    }
}

impl Outline {
    fn width(self, t: f32) -> f32 {
        match self {
            Self::Even => 1.0 - 0.35 * t,
            Self::Taper => 1.0 - 0.95 * t,
            Self::Brush => (0.45 + 2.2 * t * (1.0 - t * t)).min(1.1) * (1.0 - t.powi(5) * 0.9),
            Self::Tuft => {
                if t < 0.7 {
                    0.45 - 0.15 * t
                } else {
                    1.2 * (1.05 - t) / 0.3 + 0.1
                }
            }
            Self::Strand => (0.55 + 1.6 * t) * (1.1 - t).powf(0.5),
        }
    }
}

/// Cut until there are about as many faces, so that patterns show on few-sided bodies too.
fn fine(mut solid: Solid, faces: usize) -> Solid {
    while !solid.faces.is_empty() && solid.faces.len() * 2 < faces {
        solid = solid.subdivided();
    }
    solid
}

/// The joints turned about the hip; a positive swing carries the foot forward.
fn swung(joints: [(Vec3, f32); 5], hip: Vec3, swing: f32) -> [(Vec3, f32); 5] {
    let turn = Quat::from_rotation_x(-swing);
    joints.map(|(p, r)| (hip + turn * (p - hip), r))
}

impl Animal {
    /// Where the neck begins and ends, and how far the nose points down.
    fn carriage(&self) -> (Vec3, Vec3, f32) {
        let Neck(length, angle, base, _) = self.s.neck;
        let root = vec3(0.0, self.top() - base * 0.95, 0.42);
        let root = self.posed.transform_point3(root);
        let (angle, pitch) = match self.pose {
            Pose::Grazing => (-48.0, 62.0),
            Pose::Running => (angle * 0.7, self.s.head.pitch * 0.7),
            Pose::Sitting => (angle.max(68.0), self.s.head.pitch * 0.6),
            _ => (angle, self.s.head.pitch),
        };
        let (sin, cos) = angle.to_radians().sin_cos();
        (root, root + vec3(0.0, sin, cos) * length, pitch.to_radians())
    }

    fn neck_and_head(&self, rng: &mut Rng, b: &mut Builder) {
        let Neck(_, _, base, end) = self.s.neck;
        let (root, poll, pitch) = self.carriage();
        let along = (poll - root).normalize_or_zero();
        let thick = |h: f32| (h * 0.62).max(self.s.chest.0 * 0.45).min(h);
        let at = |p: Vec3, h: f32| ring(p.x, p.y, p.z, thick(h), h);
        let rings = [
            at(root - along * base * 0.7, base),
            at(root.lerp(poll, 0.5), (base + end) * 0.52),
            at(poll, end),
        ];
        let neck = self.style.body(&rings);
        let marked = matches!(self.pattern, Marks::Stripes(_) | Marks::Spots(_));
        let neck = if marked { fine(neck, 200) } else { neck };
        let throat = self.belly != self.main;
        let paints = [self.main, self.belly, self.marks];
        add_split(b, "neck", &neck, &paints, |p, n| match self.pattern {
            Marks::Stripes(_) if ((p - root).dot(along) * 44.0).sin() > 0.15 => 2,
            Marks::Spots(_) if hash_noise((p * 30.0).round(), 5).x > 0.35 => 2,
            _ if throat && n.z > 0.3 && n.y < 0.2 => 1,
            _ => 0,
        });
        let yaw = if rng.chance(0.3) { rng.between(-0.6, 0.6) } else { 0.0 };
        let turn = Quat::from_rotation_y(yaw) * Quat::from_rotation_x(pitch);
        let place = Affine3A::from_rotation_translation(turn, poll + along * self.s.head.skull.1 * 0.35);
        add_head(rng, b, &self.head_model(), place);
        self.add_mane(rng, b, root, poll);
    }

    fn head_model(&self) -> HeadModel {
        HeadModel {
            style: self.style,
            head: self.s.head,
            ears: self.s.ears,
            horns: self.s.horns,
            ruff: self.s.mane == Mane::Ruff,
            main: self.main,
            cheek: if self.s.foot == Foot::Paw { self.belly } else { self.main },
            muzzle: self.muzzle,
            tip: self.tip,
        }
    }

    fn add_mane(&self, rng: &mut Rng, b: &mut Builder, root: Vec3, poll: Vec3) {
        let Neck(_, _, base, end) = self.s.neck;
        let along = poll - root;
        let back = vec3(0.0, along.z, -along.y).normalize_or_zero();
        match self.s.mane {
            Mane::Crest => {
                let lean = rng.between(-0.5, 0.5);
                for i in 0..=5 {
                    let t = i as f32 / 5.0;
                    let at = root + along * (t * 1.08 - 0.05) + back * (base + (end - base) * t) * 0.85;
                    let size = self.s.head.skull.1 * rng.between(0.6, 0.75);
                    let lock = self.style.ball(size * 0.28, size * 0.9, size * 0.75).rot_z(lean);
                    b.add("mane", lock.translated(at), self.tip);
                }
            }
            Mane::Lion => {
                let r = self.s.head.skull.1 * rng.between(1.5, 1.9);
                let disk = self.style.ball(r * 0.95, r, r * 0.62).rot_x(0.2);
                let spiky = if self.style.boxy { disk } else { disk.displaced(r * 0.09, rng) };
                b.add("mane", spiky.translated(poll - vec3(0.0, r * 0.1, r * 0.3)), self.tip);
                b.part("a mane");
            }
            _ => {}
        }
    }
}
