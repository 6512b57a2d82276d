//! People and what is built like them: dolls, robots, skulls, snowmen.

use glam::{Vec3, vec3};

use crate::category::Category;
use crate::kit::*;

const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    supercategory: &'static str,
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory, build }
}

pub(crate) const CATEGORIES: &[Category] = &[
    row("person", &["human", "character", "figure", "figurine"], "person", person),
    row("robot", &["android", "bot"], "toy", robot),
    row("skull", &["human skull"], "body part", skull),
    row("snowman", &[], "toy", snowman),
];

/// Lengths as shares of the height, drawn for one figure.
struct Build {
    head: f32,
    shoulder: f32,
    hip: f32,
    limb: f32,
    /// Heights of the crotch and the shoulders.
    crotch: f32,
    neck: f32,
}

/// Where hands and feet are, relative to shoulder and hip, as shares of a limb's length.
struct Stance {
    word: &'static str,
    hands: [Vec3; 2],
    feet: [Vec3; 2],
}

fn stance(rng: &mut Rng) -> Stance {
    let down = |x: f32, z: f32| vec3(x, -0.98, z);
    let feet = |a: f32, b: f32| [vec3(0.03, -1.0, a), vec3(0.03, -1.0, b)];
    let side = rng.between(0.12, 0.3);
    match rng.index(7) {
        0 | 1 => Stance { word: "standing", hands: [down(side, 0.05); 2], feet: feet(0.0, 0.0) },
        2 => Stance { word: "standing", hands: [vec3(1.0, 0.0, 0.0); 2], feet: feet(0.0, 0.0) },
        3 => Stance { word: "standing", hands: [vec3(0.68, -0.72, 0.1); 2], feet: feet(0.0, 0.0) },
        4 => Stance {
            word: "walking",
            hands: [down(0.15, 0.45), down(0.15, -0.4)],
            feet: [vec3(0.0, -0.95, -0.35), vec3(0.0, -0.95, 0.35)],
        },
        5 => Stance {
            word: "running",
            hands: [vec3(0.2, -0.45, 0.6), vec3(0.2, -0.6, -0.55)],
            feet: [vec3(0.0, -0.7, -0.6), vec3(0.0, -0.88, 0.42)],
        },
        _ => Stance { word: "waving", hands: [down(side, 0.05), vec3(0.5, 0.8, 0.1)], feet: feet(0.0, 0.0) },
    }
}

fn person(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.28);
    // From a mannequin of seven and a half heads to a game's character of two and a half.
    let head = rng.choose(&[0.068, 0.075, 0.09, 0.12, 0.17, 0.2]) * rng.jitter(1.0, 0.1);
    let squat = head / 0.07;
    let shoulder = rng.between(0.105, 0.135) * squat.sqrt();
    let neck = 1.0 - 2.25 * head;
    let frame = Build {
        head,
        shoulder,
        hip: shoulder * rng.between(0.62, 0.85),
        limb: rng.between(0.032, 0.042) * squat.sqrt(),
        crotch: neck * rng.between(0.53, 0.58),
        neck,
    };
    let skin = rng.paint_of(&["skin", "skin", "tan", "brown", "dark brown", "beige"], MaterialKind::Plain);
    let statue = rng.chance(0.14);
    let gray = rng.paint_of(&["light gray", "gray", "white", "bronze", "beige"], MaterialKind::Plain);
    let shirt = if statue { gray } else { rng.painted(MaterialKind::Plain) };
    let pants = if statue {
        gray
    } else {
        rng.paint_of(&["blue", "navy", "black", "dark gray", "brown", "beige", "gray"], MaterialKind::Plain)
    };
    let shoes = if statue {
        gray
    } else {
        rng.paint_of(&["black", "brown", "white", "dark brown", "red"], MaterialKind::Plain)
    };
    let skin = if statue { gray } else { skin };
    let woman = rng.chance(0.4);
    let pose = stance(rng);
    torso(&mut b, &style, &frame, [shirt, pants], woman);
    arms(rng, &mut b, &style, &frame, &pose, [shirt, skin]);
    legs(&mut b, &style, &frame, &pose, [pants, shoes]);
    let dress = woman && rng.chance(0.4);
    if dress {
        let low = frame.crotch * rng.between(0.3, 0.7);
        let skirt = frustum(frame.hip * 1.7, frame.hip * 0.95, frame.crotch * 1.12 - low, b.segments);
        b.add("skirt", skirt.scale(1.0, 1.0, 0.85).at(0.0, low, 0.0), shirt);
        b.colored_part("dress", shirt);
    }
    let head_style = HeadStyle { skin, plain: statue, long_hair: woman };
    person_head(rng, &mut b, &style, &frame, &head_style);
    if statue {
        b.main_color(gray);
        b.subcategory("mannequin");
    } else {
        b.subcategory(if woman { "woman" } else { rng.choose(&["man", "man", "boy"]) });
        if !dress {
            b.colored_part("shirt", shirt);
            b.colored_part("pants", pants);
        }
    }
    if pose.word != "standing" || rng.chance(0.3) {
        b.adjective(pose.word);
    }
    b.transform(glam::Affine3A::from_scale(Vec3::splat(1.7 * rng.jitter(1.0, 0.12))));
    b.build()
}

fn torso(b: &mut Builder, style: &FigureStyle, f: &Build, [shirt, pants]: [Paint; 2], woman: bool) {
    let depth = 0.58;
    let height = f.neck - f.crotch;
    let waist = if woman { 0.72 } else { 0.86 };
    let at = |t: f32, w: f32| ring(0.0, f.crotch + height * t, 0.0, w, w * depth);
    let body = style.body(&[
        at(-0.03, f.hip * 0.75),
        at(0.1, f.hip),
        at(0.38, (f.hip + f.shoulder) * 0.5 * waist),
        at(0.72, f.shoulder * 0.88),
        at(0.9, f.shoulder * 0.85),
        at(1.0, f.shoulder * 0.35),
    ]);
    let belt = f.crotch + height * 0.17;
    let body = if style.boxy { body.subdivided().subdivided() } else { body };
    add_split(b, "torso", &body, &[shirt, pants], |p, _| usize::from(p.y < belt));
}

fn arms(
    rng: &mut Rng,
    b: &mut Builder,
    style: &FigureStyle,
    f: &Build,
    pose: &Stance,
    [sleeve, skin]: [Paint; 2],
) {
    let length = (f.neck - f.crotch) * rng.between(1.02, 1.18);
    let short = rng.chance(0.45);
    for (side, hand) in [(1.0, pose.hands[0]), (-1.0, pose.hands[1])] {
        let top = vec3(side * (f.shoulder + f.limb * 0.15), f.neck - f.limb * 1.15, 0.0);
        let reach = vec3(hand.x * side, hand.y, hand.z) * length;
        let bend = vec3(0.0, 0.0, -0.12) * length * (1.05 - hand.length()).clamp(0.1, 1.0);
        let (elbow, end) = (top + reach * 0.5 + bend, top + reach);
        let cuff = if short { 0.55 } else { 0.95 };
        let middle = elbow.lerp(end, if short { 0.0 } else { 0.85 });
        if style.boxy {
            b.add("sleeve", style.limb(&[(top, f.limb), (top.lerp(end, cuff), f.limb)]), sleeve);
        } else {
            let arm = [
                (top - reach * 0.04, f.limb * 0.9),
                (top + reach * 0.08, f.limb * 1.15),
                (elbow, f.limb * 0.85),
                (middle, f.limb * 0.78),
            ];
            b.add("sleeve", style.limb(&arm), sleeve);
        }
        let fore = [
            (top.lerp(end, 0.5).lerp(elbow, if style.boxy { 0.0 } else { 1.0 }), f.limb * 0.78),
            (end, f.limb * 0.65),
        ];
        b.add("arm", style.limb(&fore), skin);
        let r = f.limb * 0.95;
        b.add(
            "hand",
            style.ball(r * 0.8, r * 1.15, r * 0.9).translated(end + reach.normalize_or_zero() * r * 0.7),
            skin,
        );
    }
}

fn legs(b: &mut Builder, style: &FigureStyle, f: &Build, pose: &Stance, [pants, shoes]: [Paint; 2]) {
    let length = f.crotch;
    for (side, foot) in [(1.0, pose.feet[0]), (-1.0, pose.feet[1])] {
        let hip = vec3(side * f.hip * 0.52, f.crotch + f.limb * 0.6, 0.0);
        let ankle = hip + vec3(foot.x * side, foot.y, foot.z) * length;
        let knee = hip.lerp(ankle, 0.5) + Vec3::Z * length * (0.03 + 0.5 * (1.0 - foot.length()).max(0.0));
        let thick = f.limb * 1.3;
        let leg = [
            (hip, thick * 1.15),
            (hip.lerp(knee, 0.5), thick * 1.1),
            (knee, thick * 0.85),
            (ankle, thick * 0.66),
        ];
        b.add("leg", style.limb(&leg), pants);
        let shoe = style.ball(thick * 0.85, thick * 0.6, thick * 1.5).at(0.0, thick * 0.05, thick * 0.6);
        b.add("shoe", shoe.translated(ankle), shoes);
    }
}

struct HeadStyle {
    skin: Paint,
    plain: bool,
    long_hair: bool,
}

fn person_head(rng: &mut Rng, b: &mut Builder, style: &FigureStyle, f: &Build, head_style: &HeadStyle) {
    let r = f.head;
    let middle = vec3(0.0, f.neck + r * 1.25, r * 0.08);
    b.add(
        "neck",
        style.limb(&[(vec3(0.0, f.neck - r * 0.2, 0.0), r * 0.45), (middle, r * 0.42)]),
        head_style.skin,
    );
    let wide = if r > 0.11 { 1.02 } else { 0.8 };
    b.add("head", style.ball(r * wide, r * 1.1, r * 0.95).translated(middle), head_style.skin);
    if head_style.plain {
        return;
    }
    if rng.chance(0.85) {
        add_eyes(rng, b, vec3(r * 0.36, r * 0.12, r * 0.86), r * 0.1, |s| s.translated(middle));
        if !style.boxy {
            b.add(
                "nose",
                style.ball(r * 0.12, r * 0.16, r * 0.14).at(0.0, -r * 0.12, r * 0.95).translated(middle),
                head_style.skin,
            );
        }
    }
    let hair =
        rng.paint_of(&["dark brown", "black", "brown", "yellow", "orange", "gray"], MaterialKind::Plain);
    let hat = rng.paint_of(&["red", "blue", "yellow", "dark gray", "green", "brown"], MaterialKind::Plain);
    let cap = style.ball(r * (wide + 0.08), r * 0.72, r * 1.02).at(0.0, r * 0.5, -r * 0.12);
    match rng.index(8) {
        0 => {}
        1 => {
            let dome = dome(r * (wide + 0.12), r * 0.8, b.segments).at(0.0, r * 0.35, 0.0);
            b.add(
                "cap",
                dome.join(style.ball(r * 0.8, r * 0.07, r * 0.75).at(0.0, r * 0.4, r * 0.8))
                    .translated(middle),
                hat,
            );
            b.colored_part("cap", hat);
        }
        2 => {
            let brim = cylinder(r * 1.75, r * 0.12, b.segments).at(0.0, r * 0.45, 0.0);
            let crown = frustum(r * 1.0, r * 0.85, r * 0.85, b.segments).at(0.0, r * 0.5, 0.0);
            b.add("hat", brim.join(crown).translated(middle), hat);
            b.colored_part("hat", hat);
        }
        _ => {
            b.add("hair", cap.translated(middle), hair);
            let back = style.ball(r * (wide + 0.05), r * 0.95, r * 0.5).at(0.0, 0.0, -r * 0.62);
            b.add("hair", back.translated(middle), hair);
        }
    }
    if head_style.long_hair {
        let fall = style.ball(r * (wide + 0.02), r * 1.4, r * 0.42).at(0.0, -r * 0.5, -r * 0.72);
        b.add("hair", fall.translated(middle), hair);
        b.part("long hair");
    }
}

fn robot(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let body = rng.paint_of(
        &["light gray", "gray", "white", "blue", "red", "yellow", "orange", "teal", "white", "silver"],
        MaterialKind::Metal,
    );
    let joint = rng.paint_of(&["dark gray", "gray", "black"], MaterialKind::Metal);
    let glow = rng
        .paint_of(&["light blue", "yellow", "red", "light green", "blue"], MaterialKind::Plastic)
        .emissive(0.5);
    let round = rng.chance(0.45);
    let cute = rng.chance(0.4);
    let head = if cute { rng.between(0.42, 0.56) } else { rng.between(0.24, 0.34) };
    let (w, h, d) = (
        rng.between(0.34, 0.52),
        rng.between(0.36, 0.55) * if cute { 0.65 } else { 1.0 },
        rng.between(0.22, 0.34),
    );
    let leg = rng.between(0.3, 0.55) * if cute { 0.5 } else { 1.0 };
    let style = FigureStyle::sample(rng, &mut b, 0.0);
    let shell = |b: &Builder, w: f32, h: f32, d: f32| {
        if round { style.ball(w * 0.55, h * 0.55, d * 0.6).at(0.0, h * 0.5, 0.0) } else { b.block(w, h, d) }
    };
    let chest = shell(&b, w, h, d).at(0.0, leg, 0.0);
    b.add("body", chest, body);
    let light = cylinder(w * 0.14, 0.04, b.segments).rot_x(FRAC_PI_2).at(
        0.0,
        leg + h * 0.62,
        d * if round { 0.56 } else { 0.5 },
    );
    b.add("light", light, glow);
    let y = leg + h + 0.06;
    b.add("neck", cylinder(w * 0.13, 0.1, b.segments).at(0.0, leg + h - 0.03, 0.0), joint);
    let (hw, hh, hd) = (head * rng.between(1.0, 1.35), head, head * rng.between(0.8, 1.0));
    let face = shell(&b, hw, hh, hd).at(0.0, y, 0.0);
    b.add("head", face, body);
    robot_face(rng, &mut b, vec3(0.0, y + hh * 0.55, hd * 0.5), (hw, hh), [joint, glow]);
    let feelers = rng.index(3);
    for x in [[].as_slice(), &[0.0], &[-0.35, 0.35]][feelers] {
        let (foot, tip) = (vec3(x * hw, y + hh * 0.85, 0.0), vec3(x * hw * 1.4, y + hh * 1.35, 0.0));
        b.add("antenna", rod(foot, tip, 0.012, 6), joint);
        b.add("antenna tip", sphere(0.035, 8).translated(tip), glow);
    }
    b.part(["a round head", "an antenna", "two antennas"][feelers]);
    let ear = cylinder(hh * 0.22, 0.06, b.segments).rot_z(-FRAC_PI_2).at(hw * 0.5, y + hh * 0.5, 0.0);
    if rng.chance(0.6) {
        b.add("ears", ear.mirrored_x(), joint);
    }
    robot_limbs(rng, &mut b, (w, leg + h * 0.85, leg), [body, joint]);
    b.main_paint(body);
    if cute {
        b.adjective("cute");
    }
    b.build()
}

fn robot_face(rng: &mut Rng, b: &mut Builder, at: Vec3, (w, h): (f32, f32), [dark, glow]: [Paint; 2]) {
    match rng.index(3) {
        0 => {
            b.add("visor", b.block(w * 0.78, h * 0.28, 0.06).at(0.0, -h * 0.1, 0.0).translated(at), dark);
            b.add("eyes", sphere(h * 0.09, 8).at(w * 0.2, h * 0.04, 0.03).mirrored_x().translated(at), glow);
        }
        1 => {
            let screen = b.block(w * 0.8, h * 0.62, 0.05).at(0.0, -h * 0.32, -0.005);
            b.add("screen", screen.translated(at), dark);
            let eye =
                cylinder(h * 0.12, 0.05, b.segments).rot_x(FRAC_PI_2).at(w * 0.2, 0.02, 0.0).mirrored_x();
            b.add("eyes", eye.translated(at), glow);
        }
        _ => {
            let ring =
                cylinder(h * 0.19, 0.05, b.segments).rot_x(FRAC_PI_2).at(w * 0.23, 0.03, 0.0).mirrored_x();
            b.add("eye rings", ring.translated(at), dark);
            let eye =
                cylinder(h * 0.13, 0.07, b.segments).rot_x(FRAC_PI_2).at(w * 0.23, 0.03, 0.0).mirrored_x();
            b.add("eyes", eye.translated(at), glow);
            b.add("mouth", cuboid(w * 0.4, h * 0.07, 0.05).at(0.0, -h * 0.32, 0.0).translated(at), dark);
        }
    }
}

fn robot_limbs(
    rng: &mut Rng,
    b: &mut Builder,
    (w, shoulder, leg): (f32, f32, f32),
    [body, joint]: [Paint; 2],
) {
    let thick = rng.between(0.04, 0.075);
    let raise = rng.between(-0.9, 0.2);
    let top = vec3(w * 0.5 + thick * 0.8, shoulder, 0.0);
    let elbow = top + vec3(0.25, raise, 0.05) * 0.26;
    let hand = elbow + vec3(0.05, -0.65, 0.55) * 0.26;
    b.add("shoulders", sphere(thick * 1.25, b.segments).translated(top).mirrored_x(), joint);
    b.add("upper arms", rod(top, elbow, thick * 0.7, b.few_segments()).mirrored_x(), joint);
    b.add("forearms", rod(elbow, hand, thick, b.few_segments()).mirrored_x(), body);
    let claw = bar(hand, hand + vec3(0.05, -0.08, 0.06), thick * 0.5, thick * 0.5).join(bar(
        hand,
        hand + vec3(-0.05, -0.08, 0.06),
        thick * 0.5,
        thick * 0.5,
    ));
    b.add("hands", claw.join(sphere(thick * 0.9, b.few_segments()).translated(hand)).mirrored_x(), joint);
    if rng.chance(0.2) {
        let wheel = cylinder(leg * 0.5, 0.1, b.segments.max(10)).rot_z(FRAC_PI_2).at(w * 0.5, leg * 0.5, 0.0);
        b.add("wheels", wheel.mirrored_x(), joint);
        b.add("axle", cuboid(w * 0.7, leg * 0.5, 0.1).at(0.0, leg * 0.5, 0.0), body);
        b.part("wheels");
        return;
    }
    let x = w * 0.26;
    b.add(
        "thighs",
        cylinder(thick * 0.75, leg * 0.6, b.few_segments()).at(x, leg * 0.45, 0.0).mirrored_x(),
        joint,
    );
    b.add(
        "shins",
        frustum(thick * 1.4, thick * 1.05, leg * 0.45, b.few_segments()).at(x, leg * 0.08, 0.0).mirrored_x(),
        body,
    );
    b.add("feet", b.block(thick * 2.6, leg * 0.16, thick * 4.0).at(x, 0.0, thick * 0.7).mirrored_x(), joint);
}

fn skull(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::sample(rng, &mut b, 0.12);
    let bone =
        rng.paint_of(&["white", "cream", "cream", "beige", "light gray", "tan", "gold"], MaterialKind::Plain);
    let dark = rng.paint_of(&["black", "dark gray", "dark brown", "black", "red"], MaterialKind::Plain);
    let r = 0.08 * rng.jitter(1.0, 0.1);
    let long = rng.between(1.0, 1.3);
    b.add("cranium", style.ball(r, r * 0.95, r * 1.15 * long).at(0.0, r * 2.0, -r * 0.2), bone);
    let face = style.body(&[
        ring(0.0, r * 1.95, r * 0.45, r * 0.78, r * 0.5),
        ring(0.0, r * 1.5, r * 0.55, r * 0.74, r * 0.42),
        ring(0.0, r * 1.05, r * 0.6, r * 0.52, r * 0.36),
        ring(0.0, r * 0.75, r * 0.6, r * 0.42, r * 0.3),
    ]);
    b.add("face", face, bone);
    b.add(
        "cheekbones",
        style.ball(r * 0.26, r * 0.18, r * 0.5).at(r * 0.7, r * 1.35, r * 0.4).mirrored_x(),
        bone,
    );
    let big = rng.between(0.24, 0.32) * r;
    let front = if style.boxy { r * 0.9 } else { r * 0.87 };
    let socket =
        ellipsoid(big, big * 0.95, big * 0.6, b.segments.max(6)).rot_z(-0.2).at(r * 0.37, r * 1.66, front);
    b.add("eye sockets", socket.mirrored_x(), dark);
    let nose = extrude(&outline(&[(-0.6, 0.0), (0.6, 0.0), (0.0, 1.4)]), 0.6).scaled(r * 0.2);
    b.add("nose", nose.at(0.0, r * 1.16, r * 0.92), dark);
    let open = rng.between(0.0, 0.35) * r;
    let tooth = style.ball(r * 0.075, r * 0.11, r * 0.06);
    let row = |y: f32| {
        Solid::union((0..6).map(|i| {
            let a = (i as f32 - 2.5) * 0.33;
            tooth.clone().at(a.sin() * r * 0.4, y, r * 0.52 + a.cos() * r * 0.38)
        }))
    };
    b.add("teeth", row(r * 0.72), bone.shade(1.15));
    if rng.chance(0.85) {
        let jaw = style.body(&[
            ring(0.0, r * 0.52 - open, r * 0.5, r * 0.52, r * 0.4),
            ring(0.0, r * 0.3 - open, r * 0.58, r * 0.5, r * 0.38),
            ring(0.0, r * 0.08 - open, r * 0.66, r * 0.34, r * 0.28),
        ]);
        let branch = style.limb(&[
            (vec3(r * 0.55, r * 0.35 - open, r * 0.3), r * 0.16),
            (vec3(r * 0.66, r * 1.25, 0.0), r * 0.13),
        ]);
        b.add("jaw", jaw.join(branch.mirrored_x()), bone);
        b.add("teeth", row(r * 0.58 - open), bone.shade(1.15));
        b.part("a jaw");
    }
    b.main_color(bone);
    b.part("teeth");
    b.part("dark eye sockets");
    b.build()
}

fn snowman(rng: &mut Rng) -> Specimen {
    let mut b = Builder::new(rng);
    let style = FigureStyle::round(rng, &mut b);
    let snow = rng.paint("white", MaterialKind::Plain);
    let black = rng.paint("black", MaterialKind::Plain);
    let three = rng.chance(0.75);
    let radii: &[f32] = if three { &[0.45, 0.33, 0.23] } else { &[0.45, 0.3] };
    let mut y = 0.0;
    for &r in radii {
        let r = r * rng.jitter(1.0, 0.06);
        y += r * 0.82;
        b.add("ball", style.ball(r, r * 0.95, r).at(0.0, y, 0.0), snow);
        y += r * 0.75;
    }
    let r = radii[radii.len() - 1];
    let head = vec3(0.0, y - r * 0.75, 0.0);
    b.add("eyes", sphere(r * 0.12, 6).at(r * 0.35, r * 0.25, r * 0.88).mirrored_x().translated(head), black);
    let carrot = cone(r * 0.15, r * rng.between(0.7, 1.2), 7).rot_x(FRAC_PI_2).at(0.0, 0.0, r * 0.88);
    b.add("nose", carrot.translated(head), rng.paint("orange", MaterialKind::Plain));
    let belly = radii[radii.len() - 2];
    let chest = head.y - r * 0.8 - belly * 0.7;
    let buttons = Solid::union(
        (0..3).map(|i| sphere(r * 0.13, 6).at(0.0, chest + belly * 0.4 * (i as f32 - 1.0), belly * 0.95)),
    );
    b.add("buttons", buttons, black);
    let wood = rng.paint("brown", MaterialKind::Wood);
    let (from, to) = (
        vec3(belly * 0.8, chest + belly * 0.2, 0.0),
        vec3(belly * 2.1, chest + belly * rng.between(0.3, 1.4), 0.1),
    );
    let twig = rod(from, to, 0.018, 5).join(rod(from.lerp(to, 0.7), to + vec3(0.02, 0.12, 0.02), 0.012, 5));
    b.add("arms", twig.mirrored_x(), wood);
    if rng.chance(0.75) {
        let hat = rng.paint_of(&["black", "black", "red", "blue"], MaterialKind::Fabric);
        let brim = cylinder(r * 1.15, r * 0.1, b.segments).join(cylinder(r * 0.75, r * 0.95, b.segments));
        b.add("hat", brim.at(0.0, head.y + r * 0.72, 0.0), hat);
        b.colored_part("hat", hat);
    }
    if rng.chance(0.6) {
        let scarf = rng.paint_of(&["red", "blue", "green", "yellow"], MaterialKind::Fabric);
        b.add("scarf", torus(r * 0.92, r * 0.2, b.segments, 6).at(0.0, head.y - r * 0.75, 0.0), scarf);
        b.add(
            "scarf end",
            b.block(r * 0.3, r * 1.0, r * 0.12).at(r * 0.4, head.y - r * 1.8, belly * 0.95),
            scarf,
        );
        b.colored_part("scarf", scarf);
    }
    b.main_color(snow);
    b.part("a carrot nose");
    b.build()
}
