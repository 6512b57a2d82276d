//! The decision between +Y and +Z up.

use std::f32::consts::{FRAC_PI_2, PI};

use glam::{Affine3A, Mat3, Quat, Vec3};
use lexiform_geometry::upright::z_up_probability;
use lexiform_geometry::{Mesh, PointCloud, Scene};

/// A box of triangles.
fn block(from: Vec3, to: Vec3) -> Mesh {
    let corner = |i: u8| Vec3::select(glam::BVec3::new(i & 1 == 1, i & 2 == 2, i & 4 == 4), to, from);
    let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    let faces = quads.iter().flat_map(|[a, b, c, d]| [[*a, *b, *c], [*a, *c, *d]]).collect();
    Mesh::new((0..8).map(corner).collect(), faces).expect("eight corners")
}

/// A table with four legs, +Y up.
fn table() -> Scene {
    let legs = [[0.0, 0.0], [1.4, 0.0], [0.0, 0.7], [1.4, 0.7]];
    let leg = |[x, z]: [f32; 2]| block(Vec3::new(x, 0.0, z), Vec3::new(x + 0.1, 0.7, z + 0.1));
    let mut scene = Scene::from_mesh(block(Vec3::new(0.0, 0.7, 0.0), Vec3::new(1.5, 0.75, 0.8)));
    scene.meshes.extend(legs.map(leg));
    scene
}

fn probability(scene: Scene, target_from_source: Affine3A) -> f32 {
    z_up_probability(&scene.transformed(target_from_source)).expect("it has extent")
}

#[test]
fn turning_a_shape_turns_the_answer() {
    let upright = probability(table(), Affine3A::IDENTITY);
    let turned = probability(table(), Affine3A::from_rotation_x(FRAC_PI_2));
    assert!(upright < 0.2 && turned > 0.8, "{upright} {turned}");
    // Exchanging two axes rounds nothing and exchanges the two candidates. It turns triangles inside out, which changes where they are
    // sampled; so does a mirror image, with which it is compared.
    let mirrored = probability(table(), Affine3A::from_scale(Vec3::new(-1.0, 1.0, 1.0)));
    let swapped = probability(table(), Affine3A::from_mat3(Mat3::from_cols(Vec3::X, Vec3::Z, Vec3::Y)));
    assert!((mirrored + swapped - 1.0).abs() < 1e-4, "{mirrored} {swapped}");
}

#[test]
fn position_scale_and_facing_do_not_matter() {
    let upright = probability(table(), Affine3A::IDENTITY);
    let moved = Affine3A::from_scale_rotation_translation(
        Vec3::splat(1024.0),
        Quat::from_rotation_y(PI),
        Vec3::new(4096.0, -512.0, 64.0),
    );
    let away = probability(table(), moved);
    assert!((away - upright).abs() < 0.02, "{upright} {away}");
}

#[test]
fn points_are_as_good_as_triangles() {
    use lexiform_geometry::sample::sample_surface;
    use rand::SeedableRng as _;
    let mut rng = rand::rngs::SmallRng::seed_from_u64(3);
    let cloud = sample_surface(&table(), 1500, &mut rng);
    let plain = PointCloud::new(cloud.positions().to_vec()).expect("finite");
    assert!(probability(Scene::from_cloud(plain), Affine3A::IDENTITY) < 0.3);
}

#[test]
fn without_extent_there_is_no_answer() {
    let points = |n| Scene::from_cloud(PointCloud::new(vec![Vec3::ONE; n]).expect("finite"));
    for scene in [Scene::default(), points(1), points(100)] {
        assert_eq!(z_up_probability(&scene), None);
    }
    // A sheet and a line have extent, and some finite answer.
    for edges in [Vec3::new(1.0, 1.0, 0.0), Vec3::X] {
        let scene = Scene::from_mesh(block(Vec3::ZERO, edges));
        let corners =
            Scene::from_cloud(PointCloud::new(vec![Vec3::ZERO, edges, edges / 3.0]).expect("finite"));
        for scene in [scene, corners] {
            assert!(z_up_probability(&scene).is_none_or(|p| (0.0..=1.0).contains(&p)), "{edges}");
        }
    }
}
