//! Things to sit on, to eat and to work at.

use glam::{Vec3, vec3};

use crate::category::Category;
use crate::kit::*;

pub(crate) const CATEGORIES: &[Category] = &[
    Category::new("chair", &["seat", "dining chair"], "furniture", chair),
    Category::new("stool", &["bar stool", "footstool"], "furniture", stool),
    Category::new("table", &["dining table"], "furniture", table),
];

/// Straight or splayed legs at the corners of a seat or top: round, square or tapered.
fn corner_legs(r: &mut Rng, b: &Builder, width: f32, depth: f32, height: f32, thick: f32) -> Solid {
    let (x, z) = (width / 2.0 - thick, depth / 2.0 - thick);
    let splay = if r.chance(0.35) { r.between(0.02, 0.12) * height } else { 0.0 };
    let foot = r.between(0.55, 1.0);
    let leg = match r.index(3) {
        0 => cuboid(thick * 1.6, height, thick * 1.6).rot_x(PI).at(0.0, height, 0.0).taper_y(1.0 / foot),
        1 => frustum(thick * foot * 0.8, thick * 0.8, height, b.few_segments()),
        _ => frustum(thick * 0.7, thick * 0.7, height, b.few_segments()),
    };
    leg.shear_y(-splay, -splay).at(x + splay, 0.0, z + splay).mirrored_x().mirrored_z()
}

fn chair(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let (w, d) = (r.between(0.38, 0.55), r.between(0.38, 0.52));
    let seat_height = r.between(0.4, 0.5);
    let paint = if r.chance(0.6) {
        r.wood()
    } else {
        let material = r.choose(&[MaterialKind::Plastic, MaterialKind::Metal, MaterialKind::Plain]);
        r.painted(material)
    };
    let thick = r.between(0.03, 0.07);
    b.main_paint(paint);
    let round = r.chance(0.15);
    let seat = if round { cylinder(w / 2.0, thick, b.segments) } else { b.block(w, thick, d) };
    b.add("seat", seat.at(0.0, seat_height, 0.0), paint);
    match r.index(10) {
        0 | 1 => swivel_base(r, &mut b, seat_height),
        2 => cantilever_base(r, &mut b, w, d, seat_height),
        3 => rockers(r, &mut b, w, d, seat_height, paint),
        _ => {
            let thickness = r.between(0.018, 0.035);
            let legs = corner_legs(r, &b, w, d, seat_height, thickness);
            b.add("legs", legs, paint);
            b.part("four legs");
            if r.chance(0.35) {
                let y = seat_height * r.between(0.3, 0.6);
                let stretcher = cuboid(0.02, 0.03, d - 0.06).at(w / 2.0 - 0.03, y, 0.0).mirrored_x();
                b.add("stretchers", stretcher.join(cuboid(w - 0.06, 0.03, 0.02).at(0.0, y, 0.0)), paint);
            }
        }
    }
    if r.chance(0.35) {
        let material = r.choose(&[MaterialKind::Fabric, MaterialKind::Leather]);
        let cushion = r.painted(material);
        let soft = rounded_box(w * 0.92, 0.06, d * 0.92, 0.025, 2).at(0.0, seat_height + thick * 0.9, 0.0);
        b.add("cushion", soft, cushion);
        b.colored_part("cushion", cushion);
    }
    let top = seat_height + thick;
    chair_back(r, &mut b, (w, d), top, paint);
    if r.chance(0.25) {
        armrests(r, &mut b, (w, d), top, paint);
    }
    b.build()
}

fn swivel_base(r: &mut Rng, b: &mut Builder, height: f32) {
    let metal = r.metal();
    let arms = r.int_between(4, 5);
    let reach = r.between(0.24, 0.32);
    b.add("column", cylinder(0.03, height - 0.06, b.few_segments()).at(0.0, 0.06, 0.0), metal);
    let arm = bar(vec3(0.0, 0.1, 0.0), vec3(0.0, 0.06, reach), 0.05, 0.03);
    b.add("base", arm.radial_array_y(arms), metal);
    let dark = r.paint("black", MaterialKind::Plastic);
    let caster =
        cylinder(0.03, 0.03, b.few_segments()).rot_z(FRAC_PI_2).at(0.015, 0.03, reach).radial_array_y(arms);
    b.add("casters", caster, dark);
    b.subcategory(r.choose(&["office chair", "swivel chair", "desk chair"]));
    b.part("wheels");
}

fn cantilever_base(r: &mut Rng, b: &mut Builder, w: f32, d: f32, height: f32) {
    let metal = r.metal();
    let (x, z) = (w / 2.0 - 0.02, d / 2.0 - 0.02);
    let line = [vec3(x, height, -z), vec3(x, height, z), vec3(x, 0.015, z), vec3(x, 0.015, -z)];
    let cross = rod(vec3(-x, 0.015, -z), vec3(x, 0.015, -z), 0.014, b.few_segments());
    let sides = line.windows(2).map(|p| capsule(p[0], p[1], 0.014, b.few_segments()));
    b.add("frame", Solid::union(sides).mirrored_x().join(cross), metal);
    b.subcategory("cantilever chair");
}

fn rockers(r: &mut Rng, b: &mut Builder, w: f32, d: f32, height: f32, paint: Paint) {
    let rise = r.between(0.08, 0.14);
    let legs = corner_legs(r, b, w, d, height - rise * 0.5, 0.022).at(0.0, rise * 0.5, 0.0);
    b.add("legs", legs, paint);
    let points: Vec<Vec3> = (0..=8)
        .map(|i| i as f32 / 4.0 - 1.0)
        .map(|t| vec3(w / 2.0 - 0.02, 0.02 + rise * t * t, t * d * 0.85))
        .collect();
    b.add("rockers", tube(&points, 0.02, 5).mirrored_x(), paint);
    b.subcategory("rocking chair");
    b.part("rockers");
}

fn chair_back(r: &mut Rng, b: &mut Builder, (w, d): (f32, f32), top: f32, paint: Paint) {
    let height = r.between(0.32, 0.62);
    let lean = r.between(0.0, 0.12);
    let z = -d / 2.0 + 0.02;
    let lifted = |s: Solid| s.shear_y(0.0, -lean).at(0.0, top, z);
    let post = cuboid(0.035, height, 0.03).at(w / 2.0 - 0.02, 0.0, 0.0).mirrored_x();
    match r.index(5) {
        0 => {
            let gap = r.between(0.0, 0.4) * height;
            let panel = b.block(w * 0.96, height - gap, 0.035).at(0.0, gap, 0.0);
            let back = if gap > 0.03 { post.join(panel) } else { panel };
            b.add("back", lifted(back), paint);
            b.part("a solid back");
        }
        1 => {
            let count = r.int_between(2, 5);
            let slat = cuboid(w - 0.06, height / count as f32 * 0.5, 0.02);
            let slats =
                slat.linear_array(count, Vec3::Y * (height * 0.95 / count as f32)).at(0.0, height * 0.1, 0.0);
            b.add("back", lifted(post.join(slats)), paint);
            b.part("a slatted back");
        }
        2 => {
            let count = r.int_between(3, 7);
            let step = (w - 0.06) / (count + 1) as f32;
            let spindle = cylinder(0.01, height, 5).linear_array(count, Vec3::X * step).centered();
            let spindles = spindle.at(0.0, height / 2.0, 0.0);
            let rail = cuboid(w, 0.06, 0.035).at(0.0, height - 0.03, 0.0);
            b.add("back", lifted(post.join(spindles).join(rail)), paint);
            b.part("a spindle back");
        }
        3 => {
            let points: Vec<Vec3> = arc(1.0, 0.0, PI, 10)
                .iter()
                .map(|p| vec3(p.x * (w / 2.0 - 0.02), p.y * height, 0.0))
                .collect();
            let hoop = tube(&points, 0.018, 6);
            let fill = extrude(&circle(1.0, 14), 0.02).scale(w * 0.36, height * 0.36, 1.0);
            let back = if r.chance(0.5) { hoop.join(fill.at(0.0, height * 0.5, 0.0)) } else { hoop };
            b.add("back", lifted(back), paint);
            b.part("a round back");
        }
        _ => {
            let shell = b.block(w, height, 0.04).subdivided();
            let curve = r.between(0.05, 0.25);
            b.add("back", lifted(shell.map(|p| vec3(p.x, p.y, p.z + curve * p.x * p.x / w))), paint);
        }
    }
    if height > 0.55 {
        b.adjective("high-backed");
    }
}

fn armrests(r: &mut Rng, b: &mut Builder, (w, d): (f32, f32), top: f32, paint: Paint) {
    let rise = r.between(0.18, 0.26);
    let x = w / 2.0 - 0.015;
    let rest = b.block(0.05, 0.03, d * 0.9).at(x, top + rise, 0.0);
    let post = cuboid(0.03, rise, 0.03).at(x, top, d / 2.0 - 0.06);
    b.add("armrests", rest.join(post).mirrored_x(), paint);
    b.part("armrests");
}

fn stool(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let height = r.between(0.3, 0.8);
    let radius = r.between(0.15, 0.22);
    let paint = if r.chance(0.6) { r.wood() } else { r.painted(MaterialKind::Plain) };
    let seat = match r.index(3) {
        0 => b.block(radius * 2.0, 0.05, radius * r.between(1.4, 2.2)),
        1 => cylinder(radius, r.between(0.03, 0.07), b.segments),
        _ => ellipsoid(radius, 0.05, radius, b.segments).grounded(),
    };
    b.main_paint(paint);
    let top = if r.chance(0.4) { r.painted(MaterialKind::Leather) } else { paint };
    b.add("seat", seat.at(0.0, height, 0.0), top);
    let legs = r.int_between(3, 4);
    if r.chance(0.2) {
        let metal = r.metal();
        b.add("column", cylinder(0.03, height, b.few_segments()), metal);
        b.add("foot", frustum(radius, 0.04, 0.04, b.segments), metal);
        b.subcategory("bar stool");
    } else {
        let leg = tapered_rod(
            vec3(0.0, 0.0, radius * 1.05),
            vec3(0.0, height + 0.01, radius * 0.7),
            0.016,
            0.022,
            6,
        );
        b.add("legs", leg.radial_array_y(legs).rot_y(PI / 4.0), paint);
        b.counted_part(legs, "leg", "legs");
        if r.chance(0.6) {
            b.add("ring", torus(radius * 0.92, 0.012, b.segments, 5).at(0.0, height * 0.35, 0.0), paint);
        }
    }
    b.adjective(if height > 0.6 { "tall" } else { "low" });
    b.build()
}

fn table(r: &mut Rng) -> Specimen {
    let mut b = Builder::new(r);
    let low = r.chance(0.25);
    let height = if low { r.between(0.35, 0.5) } else { r.between(0.68, 0.8) };
    let (w, d) = (r.between(0.8, 2.0), r.between(0.6, 1.0));
    let paint = if r.chance(0.65) { r.wood() } else { r.painted(MaterialKind::Plain) };
    let thick = r.between(0.025, 0.08);
    b.main_paint(paint);
    if low {
        b.subcategory("coffee table");
        b.adjective("low");
    }
    let leg_paint = if r.chance(0.25) { r.metal() } else { paint };
    if r.chance(0.35) {
        let radius = r.between(0.4, 0.75);
        b.add("top", cylinder(radius, thick, b.segments.max(10)).at(0.0, height, 0.0), paint);
        b.adjective("round");
        if r.chance(0.6) {
            pedestal(r, &mut b, radius, height, leg_paint);
        } else {
            let leg =
                tapered_rod(vec3(0.0, 0.0, radius * 0.9), vec3(0.0, height, radius * 0.6), 0.025, 0.035, 6);
            let legs = r.int_between(3, 4);
            b.add("legs", leg.radial_array_y(legs), leg_paint);
            b.counted_part(legs, "leg", "legs");
        }
        return b.build();
    }
    b.adjective(if w > 1.5 { "long" } else { "rectangular" });
    b.add("top", b.block(w, thick, d).at(0.0, height, 0.0), paint);
    match r.index(6) {
        0 => {
            let slab = b.block(0.06, height, d * 0.8).at(w * 0.38, 0.0, 0.0).mirrored_x();
            b.add("sides", slab.join(cuboid(w * 0.76, 0.08, 0.04).at(0.0, height * 0.35, 0.0)), leg_paint);
            b.subcategory("trestle table");
        }
        1 => {
            let x = bar(vec3(w * 0.38, 0.0, -d * 0.42), vec3(w * 0.38, height, d * 0.42), 0.06, 0.06);
            b.add("crossed legs", x.clone().join(x.flip_z()).mirrored_x(), leg_paint);
            b.part("crossed legs");
        }
        _ => {
            let thickness = r.between(0.025, 0.05);
            let legs = corner_legs(r, &b, w * 0.96, d * 0.94, height, thickness);
            b.add("legs", legs, leg_paint);
            if r.chance(0.5) {
                let apron = frame(w * 0.9, d * 0.86, 0.025, 0.08).centered().rot_x(FRAC_PI_2);
                b.add("apron", apron.at(0.0, height - 0.04, 0.0), leg_paint);
            }
            b.part("four legs");
        }
    }
    b.build()
}

fn pedestal(r: &mut Rng, b: &mut Builder, radius: f32, height: f32, paint: Paint) {
    b.add("column", frustum(0.06, r.between(0.03, 0.06), height, b.few_segments()), paint);
    if r.chance(0.5) {
        b.add("foot", frustum(radius * 0.6, radius * 0.5, 0.04, b.segments), paint);
    } else {
        let foot = bar(vec3(0.0, 0.14, 0.0), vec3(0.0, 0.02, radius * 0.65), 0.06, 0.05)
            .radial_array_y(r.int_between(3, 4));
        b.add("feet", foot, paint);
    }
    b.part("a central leg");
}
