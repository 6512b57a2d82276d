//! Every primitive is closed, faces outward and has the size it was asked for.

use std::f32::consts::{PI, TAU};

use glam::{Vec3, vec2, vec3};

use super::*;

#[test]
fn bodies_face_outward() {
    let square = outline(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]);
    let bodies = [
        ("cuboid", cuboid(1.0, 2.0, 3.0), 6.0, 1e-3),
        ("beveled", rounded_box(1.0, 1.0, 1.0, 0.1, 1), 1.0, 0.1),
        ("rounded", rounded_box(1.0, 1.0, 1.0, 0.1, 3), 1.0, 0.1),
        ("cylinder", cylinder(1.0, 1.0, 64), PI, 0.02),
        ("cone", cone(1.0, 3.0, 64), PI, 0.02),
        ("sphere", sphere(1.0, 64), 4.1888, 0.05),
        ("dome", hemisphere(1.0, 64), 2.0944, 0.05),
        ("capsule", capsule(Vec3::ZERO, Vec3::X, 0.5, 64), 1.309, 0.02),
        ("torus", torus(1.0, 0.25, 64, 32), 1.2337, 0.03),
        ("washer", washer(1.0, 0.5, 1.0, 64), 2.356, 0.02),
        ("rod", rod(Vec3::ZERO, vec3(0.0, 0.0, 2.0), 1.0, 64), TAU, 0.03),
        ("tube", tube(&[Vec3::ZERO, Vec3::Z, Vec3::Z * 2.0], 1.0, 64), TAU, 0.03),
        ("loft", loft(&[ring(0.0, 0.0, 0.0, 1.0, 1.0), ring(0.0, 0.0, 2.0, 1.0, 1.0)], 64), TAU, 0.03),
        ("loft back", loft(&[ring(0.0, 0.0, 2.0, 1.0, 1.0), ring(0.0, 0.0, 0.0, 1.0, 1.0)], 64), TAU, 0.03),
        ("loft up", loft(&[ring(0.0, 0.0, 0.0, 1.0, 1.0), ring(0.0, 2.0, 0.0, 1.0, 1.0)], 64), TAU, 0.03),
        ("extrude", extrude(&square, 2.0), 2.0, 1e-3),
        ("open box", open_box(1.0, 1.0, 1.0, 0.1), 0.424, 1e-3),
        ("frame", frame(1.0, 1.0, 0.1, 1.0), 0.36, 1e-3),
        ("mirrored", cuboid(1.0, 1.0, 1.0).flip_x(), 1.0, 1e-3),
        ("cut finer", cuboid(1.0, 1.0, 1.0).subdivided(), 1.0, 1e-3),
        ("bent", cylinder(0.1, 1.0, 8).bend_z(1.0), 0.0283, 0.02),
    ];
    for (name, body, volume, tolerance) in bodies {
        let found = body.volume();
        assert!((found - volume).abs() < tolerance, "{name}: volume {found}, expected {volume}");
    }
}

#[test]
fn a_hollow_body_is_made_of_its_wall() {
    let cup = lathe(&[vec2(1.0, 0.0), vec2(1.0, 1.0), vec2(0.9, 1.0), vec2(0.9, 0.1), vec2(0.0, 0.1)], 64);
    assert!((cup.volume() - (PI - PI * 0.81 * 0.9)).abs() < 0.02);
}

#[test]
fn ears_are_cut_from_a_concave_outline() {
    let arrow = outline(&[(0.0, 0.0), (2.0, -1.0), (1.0, 0.0), (2.0, 1.0)]);
    assert_eq!(triangulate(&arrow).len(), 2);
    let volume = extrude(&arrow, 1.0).volume();
    assert!((volume - 1.0).abs() < 1e-4, "volume {volume}");
    assert_eq!(triangulate(&star(1.0, 0.4, 10)).len(), 8);
}

#[test]
fn shared_places_move_together() {
    let rough = cuboid(1.0, 1.0, 1.0).subdivided().displaced(0.05, &mut Rng::new(3));
    let corners = |s: &Solid| {
        let mut cells: Vec<_> =
            s.positions.iter().map(|p| (*p * 1e3).round().as_ivec3().to_array()).collect();
        cells.sort_unstable();
        cells.dedup();
        cells.len()
    };
    assert_eq!(corners(&rough), corners(&cuboid(1.0, 1.0, 1.0).subdivided()));
}

#[test]
fn a_smooth_cylinder_keeps_its_rim() {
    let mut builder = Builder::new(&mut Rng::new(1));
    builder.flat = false;
    let paint = Rng::new(2).wood();
    builder.add("post", cylinder(0.5, 1.0, 16), paint);
    let scene = builder.build().scene;
    let normals = scene.meshes[0].normals().unwrap();
    assert!(normals.iter().all(|n| n.y.abs() < 1e-3 || n.y.abs() > 0.999));
}
