//! The renderer's public API: against a ray caster, with any number of threads, on degenerate scenes.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use glam::{Affine3A, Vec2, Vec3, Vec4};
use image::{Rgba, RgbaImage};
use lexiform_geometry::test_shapes::bumpy_sphere;
use lexiform_geometry::{
    AlphaMode, Camera, Material, Mesh, PointCloud, Rig, Scene, Texture, TextureRef, Wrap,
};
use lexiform_render::{Background, Light, RenderConfig, render, render_views};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Snapping moves a triangle's edge by up to 1/256 of a sample; a ray that passes this close may go either way.
const DISAGREEING_PIXELS: f32 = 0.004;

fn plain(size: u32) -> RenderConfig {
    RenderConfig { size, samples_per_edge: 1, background: Background::Transparent, light: Light::default() }
}

fn front() -> Camera {
    Camera::look_at(Vec3::new(0.0, 0.0, 3.0), Vec3::ZERO, 49.1_f32.to_radians())
}

fn unlit(color: [f32; 3]) -> Material {
    Material { base_color: Vec3::from(color).extend(1.0), unlit: true, ..Material::default() }
}

fn square(z: f32, material: usize) -> Mesh {
    let corners = [[-1.0, -1.0, z], [1.0, -1.0, z], [1.0, 1.0, z], [-1.0, 1.0, z]].map(Vec3::from);
    let uvs = [[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]].map(Vec2::from);
    Mesh::new(corners.to_vec(), vec![[0, 1, 2], [0, 2, 3]])
        .and_then(|m| m.with_uvs(uvs.to_vec()))
        .unwrap()
        .with_material(Some(material))
}

/// Triangles of random size and place, each a mesh with its own unlit color.
fn random_triangles(count: usize, rng: &mut SmallRng) -> Scene {
    let mut scene = Scene::default();
    for i in 0..count {
        let scale = if i % 7 == 0 { 1.5 } else { 0.2 };
        let mut point = |r: f32| Vec3::from([0, 1, 2].map(|_| rng.random_range(-r..r)));
        let middle = point(1.0);
        let corners = vec![middle + point(scale), middle + point(scale), middle + point(scale)];
        scene.meshes.push(Mesh::new(corners, vec![[0, 1, 2]]).unwrap().with_material(Some(i)));
        scene.materials.push(unlit([0, 1, 2].map(|_| rng.random_range(0.0..1.0))));
    }
    scene
}

/// The reference: every ray against every triangle.
fn ray_cast(scene: &Scene, camera: &Camera, size: u32) -> Vec<Option<usize>> {
    let slope = (camera.fov_y_radians / 2.0).tan();
    let pixel = |i: u32| (i as f32 + 0.5) / size as f32 * 2.0 - 1.0;
    let eye = Vec3::from(camera.world_from_camera.translation);
    (0..size * size)
        .map(|i| {
            let ray = Vec3::new(pixel(i % size) * slope, -pixel(i / size) * slope, -1.0);
            let ray = camera.world_from_camera.transform_vector3(ray);
            let hits = scene.meshes.iter().enumerate().filter_map(|(index, mesh)| {
                let [a, b, c] = mesh.triangle(0);
                let across = ray.cross(c - a);
                let inverse = 1.0 / (b - a).dot(across);
                let u = (eye - a).dot(across) * inverse;
                let along = (eye - a).cross(b - a);
                let v = ray.dot(along) * inverse;
                let depth = (c - a).dot(along) * inverse;
                (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && depth > 1e-3).then_some((depth, index))
            });
            hits.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, index)| index)
        })
        .collect()
}

#[test]
fn sees_what_a_ray_caster_sees() {
    let mut rng = SmallRng::seed_from_u64(7);
    let size = 150;
    for eye in [Vec3::new(0.3, 0.4, 3.0), Vec3::new(0.2, -0.1, 0.05), Vec3::new(0.0, 2.0, 0.0)] {
        let scene = random_triangles(60, &mut rng);
        let camera = Camera::look_at(eye, Vec3::ZERO, 0.9);
        let image = render(&scene, &camera, &plain(size));
        let expected = ray_cast(&scene, &camera, size);
        let color = |index: &Option<usize>| match *index {
            None => [0; 4],
            Some(i) => {
                let c = scene.materials[i].base_color;
                let [r, g, b] = [c.x, c.y, c.z].map(lexiform_geometry::srgb_from_linear);
                [r, g, b, 255]
            }
        };
        let near = |a: [u8; 4], b: [u8; 4]| a.iter().zip(b).all(|(x, y)| x.abs_diff(y) <= 1);
        let wrong = image.pixels().zip(&expected).filter(|(p, e)| !near(p.0, color(e))).count();
        assert!((wrong as f32) < DISAGREEING_PIXELS * expected.len() as f32, "{wrong} from {eye}");
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let scene = bumpy_sphere(5000, 64);
    let rig = Rig::zero123(3, 1);
    let draw = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| render_views(&scene, &rig, &RenderConfig::default()).images)
    };
    let one = draw(1);
    assert_eq!(one, draw(2));
    assert_eq!(one, draw(5));
}

#[test]
fn neighbors_leave_no_gap_and_do_not_overlap() {
    let mut scene = Scene {
        materials: vec![Material { alpha: AlphaMode::Blend, ..unlit([1.0; 3]) }],
        ..Scene::default()
    };
    scene.materials[0].base_color.w = 0.5;
    scene.meshes.push(square(0.0, 0));
    for turn in [0.0, 0.3, 1.1] {
        let scene = scene.clone().transformed(Affine3A::from_rotation_z(turn));
        let image = render(&scene, &front(), &plain(97));
        let alphas: std::collections::BTreeSet<u8> = image.pixels().map(|p| p.0[3]).collect();
        assert_eq!(alphas.into_iter().collect::<Vec<_>>(), [0, 128]);
        assert_eq!(image.get_pixel(48, 48).0[3], 128);
    }
}

#[test]
fn nothing_is_black_from_any_side() {
    let mut scene = bumpy_sphere(2000, 4);
    scene.materials[0].base_color_texture = None;
    for (metallic, roughness) in [(0.0, 1.0), (1.0, 0.0), (1.0, 1.0)] {
        scene.materials[0] = Material { metallic, roughness, ..scene.materials[0].clone() };
        let mirrored = Mesh::new(
            scene.meshes[0].positions().to_vec(),
            scene.meshes[0].faces().iter().map(|&[a, b, c]| [a, c, b]).collect(),
        );
        let inside_out = Scene { meshes: vec![mirrored.unwrap().with_material(Some(0))], ..scene.clone() };
        for scene in [&scene, &inside_out] {
            let views = render_views(scene, &Rig::openshape(12), &plain(64));
            let covered = views.images.iter().flat_map(|i| i.pixels()).filter(|p| p.0[3] == 255);
            let darkest = covered.map(|p| p.0[0]).min().unwrap();
            assert!(darkest > 90, "{darkest} at metallic {metallic}");
        }
    }
}

#[test]
fn textures_follow_their_coordinates() {
    let image = RgbaImage::from_fn(2, 2, |x, y| Rgba([255 * x as u8, 255 * y as u8, 0, 255]));
    let texture = Texture { image, wrap: [Wrap::Clamp; 2] };
    let material =
        Material { base_color_texture: Some(TextureRef::new(0)), unlit: true, ..Material::default() };
    let scene = Scene {
        meshes: vec![square(0.0, 0)],
        materials: vec![material],
        textures: vec![texture],
        ..Scene::default()
    };
    let view = render(&scene, &front(), &plain(100));
    let at = |x, y| view.get_pixel(x, y).0;
    assert_eq!(at(20, 20), [0, 0, 0, 255]);
    assert_eq!(at(80, 20), [255, 0, 0, 255]);
    assert_eq!(at(20, 80), [0, 255, 0, 255]);
    assert_eq!(at(80, 80), [255, 255, 0, 255]);
}

#[test]
fn alpha_cuts_and_mixes() {
    let image = RgbaImage::from_fn(2, 1, |x, _| Rgba([255, 255, 255, if x == 0 { 100 } else { 200 }]));
    let texture = Texture { image, wrap: [Wrap::Clamp; 2] };
    let front_material =
        |alpha| Material { base_color_texture: Some(TextureRef::new(0)), alpha, ..unlit([1.0, 0.0, 0.0]) };
    let draw = |alpha| {
        let scene = Scene {
            meshes: vec![square(0.5, 0), square(0.0, 1)],
            materials: vec![front_material(alpha), unlit([0.0, 0.0, 1.0])],
            textures: vec![texture.clone()],
            ..Scene::default()
        };
        let view = render(&scene, &front(), &plain(100));
        (view.get_pixel(15, 50).0, view.get_pixel(85, 50).0)
    };
    assert_eq!(draw(AlphaMode::Opaque), ([255, 0, 0, 255], [255, 0, 0, 255]));
    assert_eq!(draw(AlphaMode::Mask { cutoff: 0.5 }), ([0, 0, 255, 255], [255, 0, 0, 255]));
    let (left, right) = draw(AlphaMode::Blend);
    assert!(left[0] > 150 && left[2] > 190 && right[0] > left[0] && right[2] < left[2], "{left:?} {right:?}");
}

#[test]
fn points_close_the_surface() {
    let mut rng = SmallRng::seed_from_u64(3);
    let sphere: Vec<Vec3> = (0..5000)
        .map(|_| Vec3::from([0, 1, 2].map(|_| rng.random_range(-1.0..1.0_f32))).normalize())
        .collect();
    let scene = Scene::from_cloud(PointCloud::new(sphere).unwrap());
    let view = render(&scene, &front(), &plain(100));
    let inside = |x: u32, y: u32| Vec2::new(x as f32 - 49.5, y as f32 - 49.5).length() < 35.0;
    let holes = view.enumerate_pixels().filter(|(x, y, p)| inside(*x, *y) && p.0[3] == 0).count();
    assert_eq!(holes, 0);
    let (top, bottom) = (view.get_pixel(50, 20).0, view.get_pixel(50, 80).0);
    assert!(top[0] > bottom[0] + 20, "light comes from above: {top:?} over {bottom:?}");
}

#[test]
fn odd_scenes_give_images() {
    let mut odd = bumpy_sphere(100, 2);
    odd.meshes.push(Mesh::new(vec![Vec3::ZERO; 3], vec![[0, 1, 2], [0, 0, 0]]).unwrap());
    odd.meshes.push(Mesh::new(vec![Vec3::ZERO; 3], vec![[0, 1, 2]]).unwrap().with_material(Some(99)));
    odd.materials[0].base_color_texture = Some(TextureRef::new(17));
    odd.materials[0].base_color = Vec4::NAN;
    odd.clouds.push(PointCloud::new(vec![Vec3::ZERO; 40]).unwrap());
    odd.clouds.push(PointCloud::new(vec![]).unwrap());
    odd.clouds.push(PointCloud::new(vec![Vec3::splat(f32::MAX)]).unwrap());
    let huge = odd.clone().transformed(Affine3A::from_scale(Vec3::splat(1e37)));
    let inside = Camera::look_at(Vec3::ZERO, Vec3::X, 3.0);
    for scene in [&odd, &huge, &Scene::default()] {
        for camera in [front(), inside] {
            for size in [0, 1, 33] {
                for samples_per_edge in [0, 3, 100] {
                    let config = RenderConfig { size, samples_per_edge, ..RenderConfig::default() };
                    assert_eq!(render(scene, &camera, &config).width(), size);
                }
            }
        }
    }
}

#[test]
fn settings_go_to_text_and_back() {
    for background in [Background::Transparent, Background::Color([1, 2, 3])] {
        let config = RenderConfig { background, ..RenderConfig::default() };
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<RenderConfig>(&text).unwrap(), config);
    }
    assert!(serde_json::from_str::<RenderConfig>(r#"{"sise": 3}"#).is_err());
}
