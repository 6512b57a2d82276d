//! Duplicates are found whatever their transform, triangulation, file format and colors; different shapes are not joined.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glam::{Affine3A, Quat, Vec3, Vec4};
use lexiform_geometry::registration::{CanonicalShape, DuplicateGroup, Signature, duplicate_groups};
use lexiform_geometry::{Mesh, PointCloud, Scene};

/// Largest distance between a shape and its decimated version, relative to the diameter.
const THRESHOLD: f32 = 0.006;
/// Cells along the longest edge that the vertices of a decimated shape fall into.
const CELLS: f32 = 48.0;

fn turned(scene: Scene, scale: f32) -> Scene {
    let turn = Quat::from_axis_angle(Vec3::new(0.3, -0.8, 0.5).normalize(), 2.1);
    scene.transformed(Affine3A::from_scale_rotation_translation(
        Vec3::splat(scale),
        turn,
        Vec3::new(5.0, -2.0, 11.0) * scale,
    ))
}

fn mirrored(scene: Scene) -> Scene {
    scene.transformed(Affine3A::from_scale(Vec3::new(-1.0, 1.0, 1.0)))
}

/// Vertices that share a cell become one.
fn decimated(scene: &Scene) -> Scene {
    let cell = scene.bounds().unwrap().extents().max_element() / CELLS;
    let mut whole = Scene::default();
    for mesh in &scene.meshes {
        let mut cells: BTreeMap<[i64; 3], (u32, Vec3, f32)> = BTreeMap::new();
        let mut numbers = Vec::new();
        for position in mesh.positions() {
            let key = (*position / cell).floor().to_array().map(|c| c as i64);
            let next = cells.len() as u32;
            let entry = cells.entry(key).or_insert((next, Vec3::ZERO, 0.0));
            (entry.1, entry.2) = (entry.1 + *position, entry.2 + 1.0);
            numbers.push(entry.0);
        }
        let mut positions = vec![Vec3::ZERO; cells.len()];
        cells.values().for_each(|(number, sum, count)| positions[*number as usize] = *sum / *count);
        let faces = mesh.faces().iter().map(|face| face.map(|v| numbers[v as usize]));
        let faces = faces.filter(|[a, b, c]| a != b && b != c && c != a).collect();
        whole.meshes.push(Mesh::new(positions, faces).unwrap());
    }
    whole
}

fn painted(mut scene: Scene) -> Scene {
    scene.materials.iter_mut().for_each(|material| {
        material.base_color = Vec4::new(0.9, 0.1, 0.2, 1.0);
        material.base_color_texture = None;
    });
    scene
}

/// Boxes of these edges from these corners on.
fn blocks(boxes: &[([f32; 3], Vec3)]) -> Scene {
    let mut scene = Scene::default();
    for &(edges, corner) in boxes {
        let corners = (0..8_u8).map(|i| {
            let pick = |bit: u8, edge: f32| if i & bit == 0 { 0.0 } else { edge };
            Vec3::new(pick(1, edges[0]), pick(2, edges[1]), pick(4, edges[2])) + corner
        });
        let sides = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
        let faces = sides.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
        scene.meshes.push(Mesh::new(corners.collect(), faces).unwrap());
    }
    scene
}

/// Points spread evenly over a sphere of radius 1.
fn sphere_points(count: usize) -> Vec<Vec3> {
    let point = |i: usize| {
        let (height, turn) = (1.0 - (2 * i + 1) as f32 / count as f32, i as f32 * 2.399_963);
        let radius = (1.0 - height * height).sqrt();
        Vec3::new(radius * turn.cos(), height, radius * turn.sin())
    };
    (0..count).map(point).collect()
}

/// A sphere of triangles: rings of vertices, and faces between each ring and the next.
fn sphere_mesh() -> Mesh {
    const RINGS: u32 = 24;
    const AROUND: u32 = 48;
    let vertex = |i: u32| {
        let down = std::f32::consts::PI * (i / AROUND) as f32 / RINGS as f32;
        let turn = std::f32::consts::TAU * (i % AROUND) as f32 / AROUND as f32;
        Vec3::new(down.sin() * turn.cos(), down.cos(), down.sin() * turn.sin())
    };
    let faces = (0..RINGS * AROUND).flat_map(|i| {
        let next = i - i % AROUND + (i + 1) % AROUND;
        [[i, next, i + AROUND], [next, next + AROUND, i + AROUND]]
    });
    Mesh::new((0..(RINGS + 1) * AROUND).map(vertex).collect(), faces.collect()).unwrap()
}

/// A sphere mesh, and a cloud of `count` points next to it.
fn sphere_with_cloud(count: usize) -> Scene {
    let cloud = sphere_points(count).into_iter().map(|p| p + 3.0 * Vec3::X).collect();
    Scene { clouds: vec![PointCloud::new(cloud).unwrap()], ..Scene::from_mesh(sphere_mesh()) }
}

/// What an owner of the shape might also have in the folder.
fn variants(scene: &Scene) -> Vec<(&'static str, Scene)> {
    if scene.n_faces() == 0 {
        return vec![("turned.ply", turned(scene.clone(), 0.02)), ("mirrored.xyz", mirrored(scene.clone()))];
    }
    vec![
        ("large.obj", turned(scene.clone(), 250.0)),
        ("print.stl", scene.clone()),
        ("light.ply", turned(decimated(scene), 1.0)),
        ("mirrored.off", turned(mirrored(scene.clone()), 0.3)),
        ("red.glb", painted(turned(scene.clone(), 0.01))),
    ]
}

fn gallery() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let files = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // The table of labels may be named as points are.
    let is_shape =
        |path: &PathBuf| lexiform_mesh_io::Format::from_path(path).is_some() && !path.ends_with("labels.csv");
    let mut files: Vec<PathBuf> = files.filter(is_shape).collect();
    files.sort();
    files
}

/// Names and forms of the shapes of the gallery, and of the variants of every eighth as read back from files. Siblings made
/// by one generator are among the others: the hardest to keep apart.
fn shapes() -> Vec<(String, Arc<CanonicalShape>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut shapes = Vec::new();
    for (index, file) in gallery().iter().enumerate() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let scene = lexiform_mesh_io::read(file).unwrap();
        shapes.push((format!("{name} itself"), Arc::new(CanonicalShape::from_scene(&scene).unwrap())));
        for (ending, scene) in if index % 8 == 0 { variants(&scene) } else { Vec::new() } {
            let path = folder.path().join(format!("{name}_{ending}"));
            lexiform_mesh_io::write(&path, &scene).unwrap();
            shapes.push((
                format!("{name} {ending}"),
                Arc::new(CanonicalShape::from_scene(&lexiform_mesh_io::read(&path).unwrap()).unwrap()),
            ));
        }
    }
    shapes
}

fn shape_of(name: &str) -> &str {
    name.split(' ').next().unwrap()
}

#[test]
fn variants_are_found_together_and_different_shapes_are_kept_apart() {
    let shapes = shapes();
    let signatures: Vec<Signature> = shapes.iter().map(|(_, form)| form.signature()).collect();
    let found: Vec<DuplicateGroup> = duplicate_groups(&signatures, THRESHOLD, |i| Some(shapes[i].1.clone()));
    let with_variants: BTreeSet<&str> = shapes
        .iter()
        .filter(|(name, _)| !name.ends_with(" itself"))
        .map(|(name, _)| shape_of(name))
        .collect();
    let names = shapes.iter().map(|(name, _)| &name[..]);
    let mut missed: BTreeSet<&str> = names.filter(|name| with_variants.contains(shape_of(name))).collect();
    let mut wrong = Vec::new();
    for group in &found {
        let first = &shapes[group.reference].0;
        missed.remove(&first[..]);
        for (other, fit) in &group.others {
            let other = &shapes[*other].0;
            missed.remove(&other[..]);
            if shape_of(first) != shape_of(other) {
                wrong.push(format!("{first} and {other}: {fit:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "joined: {wrong:#?}");
    assert!(missed.is_empty(), "alone: {missed:?}");
    assert_eq!(found.len(), with_variants.len(), "no shape is in two groups");
}

#[test]
fn exports_are_the_same_and_mirror_images_are_called_so() {
    // Boxes in a corner, one along each axis, all of different lengths: no mirror maps them onto themselves.
    let scene =
        blocks(&[([4.0, 1.0, 1.0], Vec3::ZERO), ([1.0, 2.5, 1.0], Vec3::Y), ([1.0, 1.0, 1.6], Vec3::Z)]);
    let form = CanonicalShape::from_scene(&scene).unwrap();
    let fit = |scene: Scene| form.register(&CanonicalShape::from_scene(&scene).unwrap());
    let same = fit(turned(scene.clone(), 40.0));
    assert!(same.is_same() && !same.mirrored, "{same:?}");
    let mirror = fit(turned(mirrored(scene.clone()), 40.0));
    assert!(mirror.is_same() && mirror.mirrored, "{mirror:?}");
}

#[test]
fn a_sign_on_the_roof_makes_another_shape() {
    let car = [
        ([0.42, 0.18, 0.94], Vec3::ZERO),
        ([0.36, 0.13, 0.5], Vec3::new(0.03, 0.18, 0.2)),
        ([0.04, 0.14, 0.14], Vec3::new(0.0, -0.07, 0.1)),
        ([0.04, 0.14, 0.14], Vec3::new(0.38, -0.07, 0.1)),
        ([0.04, 0.14, 0.14], Vec3::new(0.0, -0.07, 0.7)),
        ([0.04, 0.14, 0.14], Vec3::new(0.38, -0.07, 0.7)),
    ];
    let sign = ([0.14, 0.055, 0.05], Vec3::new(0.14, 0.31, 0.4));
    let (car, taxi) = (blocks(&car), blocks(&[&car[..], &[sign]].concat()));
    let forms = [car, taxi.clone(), turned(taxi, 30.0)]
        .map(|scene| Arc::new(CanonicalShape::from_scene(&scene).unwrap()));
    let [car, taxi, model] = &forms;
    assert!(taxi.register(model).is_same(), "{:?}", taxi.register(model));
    for fit in [car.register(taxi), taxi.register(car), model.register(car)] {
        assert!(!fit.is_same() && fit.has_outlier, "{fit:?}");
    }
    // They are near, and the threshold decides that.
    let found = |threshold: f32| {
        let signatures = [car.signature(), taxi.signature()];
        duplicate_groups(&signatures, threshold, |i| Some(forms[i].clone())).len()
    };
    let apart = car.register(taxi).relative_rmse;
    assert_eq!([found(0.0), found(0.9 * apart), found(1.1 * apart)], [0, 0, 1], "{apart}");
}

#[test]
fn points_beside_triangles_are_part_of_the_shape() {
    let form = |scene: Scene| CanonicalShape::from_scene(&scene).unwrap();
    let both = form(sphere_with_cloud(231));
    for other in
        [Scene::from_mesh(sphere_mesh()), Scene::from_cloud(PointCloud::new(sphere_points(231)).unwrap())]
    {
        let other = form(other);
        let fit = both.register(&other);
        assert!(!fit.is_same() && fit.relative_rmse > 10.0 * THRESHOLD, "{fit:?}");
        assert!(both.signature().distance(&other.signature()) > 0.1);
    }
    let again = both.register(&form(turned(sphere_with_cloud(231), 7.0)));
    assert!(again.is_same(), "{again:?}");
    let thinned = both.register(&form(turned(sphere_with_cloud(190), 7.0)));
    assert!(thinned.relative_rmse < 10.0 * THRESHOLD, "{thinned:?}");
    // Even a single point far off is seen.
    let stray = Scene {
        clouds: vec![PointCloud::new(vec![Vec3::X * 3.0]).unwrap()],
        ..Scene::from_mesh(sphere_mesh())
    };
    assert!(!form(stray).register(&form(Scene::from_mesh(sphere_mesh()))).is_same());
}

#[test]
fn odd_scenes_have_no_form_or_one_that_fits_itself() {
    let flat = Mesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]]).unwrap();
    let point = Mesh::new(vec![Vec3::ONE; 3], vec![[0, 1, 2]]).unwrap();
    let far = flat.clone().transformed(Affine3A::from_scale(Vec3::splat(1e30)));
    assert!(CanonicalShape::from_scene(&Scene::default()).is_none());
    assert!(CanonicalShape::from_scene(&Scene::from_mesh(point)).is_none());
    for mesh in [flat, far] {
        if let Some(form) = CanonicalShape::from_scene(&Scene::from_mesh(mesh)) {
            assert!(form.register(&form).is_same());
        }
    }
}
