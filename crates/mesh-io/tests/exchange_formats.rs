//! Exchange formats (FBX, USD, 3MF and others) through the front door: small files whose content follows from arithmetic, and real
//! files against the numbers of ufbx, usd-core and trimesh.

#![expect(clippy::unwrap_used, reason = "a failed test is what a panic means here")]
#![allow(dead_code, reason = "parts of the fuzz test are for other tests")]

mod fuzz;

use std::path::Path;

use fuzz::{exchange, samples};
use glam::{Vec3, Vec4};
use lexiform_geometry::{Mesh, Scene};
use lexiform_mesh_io::{ReadOptions, read, read_bytes};

/// Extents are written with four digits after the point.
const TOLERANCE: f32 = 2e-3;

fn read_sample(name: &str, bytes: &[u8]) -> Scene {
    read_bytes(Path::new(name), bytes, &ReadOptions::default()).unwrap()
}

fn check_bounds(scene: &Scene, min: [f32; 3], max: [f32; 3]) {
    let bounds = scene.bounds().unwrap();
    let far = (bounds.min - Vec3::from(min)).abs().max((bounds.max - Vec3::from(max)).abs());
    assert!(far.max_element() < 1e-4, "expected {min:?} to {max:?}, found {bounds:?}");
}

const RED: Vec4 = Vec4::new(1.0, 0.0, 0.0, 1.0);

#[test]
fn fbx_states_axes_units_and_materials() {
    // 2 × 1 in the plane of x and z, 3 up, +Z up, in meters (a factor of 100 centimeters).
    let scene = read_sample("a.fbx", exchange::FBX);
    assert_eq!(scene.n_faces(), 2);
    check_bounds(&scene, [0.0, 3.0, 0.0], [2.0, 4.0, 0.0]);
    assert_eq!((scene.materials[0].name.as_deref(), scene.materials[0].base_color), (Some("red"), RED));
    // The origin of texture coordinates is at the top left.
    let corner = scene.meshes[0].positions().iter().position(|p| *p == Vec3::new(0.0, 3.0, 0.0)).unwrap();
    assert_eq!(scene.meshes[0].uvs().unwrap()[corner].to_array(), [0.0, 1.0]);
}

#[test]
fn usd_composes_references_transforms_and_materials() {
    // Decimeters, +Z up. The square is at x 1 to 2, its copy turned by 90° about z through x = 1.
    let scene = read_sample("a.usda", exchange::USDA);
    assert_eq!((scene.n_faces(), scene.n_points()), (4, 1));
    check_bounds(&scene, [0.1, 0.0, -0.1], [0.2, 0.9, 0.0]);
    assert_eq!(scene.clouds[0].colors().unwrap()[0], Vec3::Y);
    assert_eq!((scene.materials[0].name.as_deref(), scene.materials[0].base_color), (Some("Red"), RED));
    assert!(scene.meshes.iter().all(|mesh| mesh.material == Some(0)));
    assert_eq!(read_sample("a.usdz", &samples::zip("a.usda", exchange::USDA, false)), scene);
}

#[test]
fn threemf_has_components_units_and_properties() {
    // Centimeters; a triangle of 1 m at x 0 and at x 2, raised by 0.5.
    let scene = read_sample("a.3mf", &samples::zip("3D/3dmodel.model", exchange::MODEL, false));
    assert_eq!(scene.n_faces(), 4);
    check_bounds(&scene, [0.0, 0.5, 0.0], [3.0, 1.5, 0.0]);
    let blue = scene.materials.iter().find(|m| m.name.as_deref() == Some("blue")).unwrap();
    assert_eq!(blue.base_color, Vec4::new(0.0, 0.0, 1.0, 128.0 / 255.0));
    let green = scene.meshes.iter().filter(|mesh| mesh.material.is_none()).flat_map(Mesh::colors).flatten();
    assert!(green.clone().count() > 0 && green.into_iter().all(|c| *c == Vec4::new(0.0, 1.0, 0.0, 1.0)));
}

#[test]
fn amf_has_constellations_in_its_unit() {
    // Inches. The first instance is turned by 90° about z and moved by 1, the second is where it is.
    let scene = read_sample("a.amf", exchange::AMF);
    assert_eq!(scene.n_faces(), 2);
    check_bounds(&scene, [0.0, 0.0, -0.0254], [0.0254, 0.0254, 0.0]);
    assert_eq!(scene.materials[0].base_color, RED);
}

#[test]
fn x3d_and_vrml_have_transforms_and_primitives() {
    let scene = read_sample("a.x3d", exchange::X3D);
    // Two squares and a box of twelve triangles; two points.
    assert_eq!((scene.n_faces(), scene.n_points()), (16, 2));
    // The box is 1 × 2 × 3 around the origin, the square at 0 to 1, the points at 5 and 6.
    check_bounds(&scene, [-0.5, -1.0, -1.5], [6.0, 6.0, 6.0]);
    assert_eq!(scene.materials[0].base_color, Vec4::new(1.0, 0.0, 0.0, 0.5));
    let scene = read_sample("a.wrl", exchange::VRML);
    // A square and a cone of height 3 and radius 1, both twice as large, and all of it again.
    check_bounds(&scene, [-2.0, -3.0, -2.0], [2.0, 3.0, 2.0]);
    assert_eq!(scene.meshes[0].colors().unwrap()[0], RED);
}

#[test]
fn dxf_has_faces_blocks_and_layers() {
    let scene = read_sample("a.dxf", exchange::DXF);
    // A face of four corners turned by 90° at x = 5, and a polyface triangle; +Z up.
    assert_eq!(scene.n_faces(), 3);
    check_bounds(&scene, [0.0, 0.0, -1.0], [5.0, 0.0, 0.0]);
    let colors: Vec<Vec4> = scene.meshes.iter().flat_map(Mesh::colors).flatten().copied().collect();
    assert!(colors.contains(&RED) && colors.contains(&Vec4::new(0.0, 0.0, 1.0, 1.0)), "{colors:?}");
}

#[test]
fn tds_has_materials_of_faces() {
    let scene = read_sample("a.3ds", &exchange::tds());
    assert_eq!(scene.meshes[0].triangle(0), [Vec3::ZERO, Vec3::X, Vec3::Y]);
    assert_eq!(scene.materials[scene.meshes[0].material.unwrap()].base_color, RED);
}

#[test]
fn vox_shows_the_outside_of_voxels() {
    let scene = read_sample("a.vox", &exchange::vox());
    // Two cubes share one face: 2 × 6 − 2 faces of two triangles. The model's center is at (1, 0, 0), three higher.
    assert_eq!(scene.n_faces(), 20);
    check_bounds(&scene, [-1.0, 3.0, -1.0], [1.0, 4.0, 0.0]);
    let colors = scene.meshes[0].colors().unwrap();
    let reds = scene.meshes[0].positions().iter().zip(colors).filter(|(_, c)| **c == RED);
    assert!(reds.map(|(p, _)| p.x).fold(f32::MIN, f32::max) <= 0.0);
    let area: f32 = (0..20)
        .map(|f| scene.meshes[0].triangle(f))
        .map(|[a, b, c]| 0.5 * (b - a).cross(c - a).length())
        .sum();
    assert!((area - 10.0).abs() < 1e-5, "{area}");
}

#[test]
fn splats_and_scans_are_points_with_colors() {
    let scene = read_sample("a.splat", &exchange::splat());
    assert_eq!(scene.clouds[0].positions(), [Vec3::new(1.0, 2.0, 3.0)]);
    assert_eq!(scene.clouds[0].colors().unwrap(), [Vec3::X]);
    let scene = read_sample("a.e57", &exchange::e57());
    assert_eq!(scene.clouds[0].positions()[2], Vec3::new(2.0, 2.0, 0.0));
    assert_eq!(scene.clouds[0].colors().unwrap()[2], Vec3::X);
}

#[test]
fn archives_are_read_through() {
    let scene = read_sample("a.zip", &samples::zip("models/a.obj", samples::OBJ, true));
    assert_eq!(scene.n_faces(), read_sample("a.obj", samples::OBJ).n_faces());
    let error =
        read_bytes(Path::new("a.zip"), &samples::zip("a.md", b"text", false), &ReadOptions::default());
    assert!(error.unwrap_err().to_string().contains("no 3D file"));
    // 80 MiB of zeros in some 80 kB are refused before they are unpacked.
    let bomb = samples::zip("a.stl", &vec![0; 80 << 20], true);
    let error = read_bytes(Path::new("a.zip"), &bomb, &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("expected at most"), "{error}");
}

#[test]
fn layers_outside_the_folder_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let mesh = "#usda 1.0\n(\n defaultPrim = \"M\"\n)\ndef Mesh \"M\"\n{\n int[] faceVertexCounts = [3]\n int[] faceVertexIndices = [0, 1, 2]\n point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]\n}\n";
    write("outside.usda", mesh);
    write("in/parts/inside.usda", mesh);
    let root = write(
        "in/root.usda",
        "#usda 1.0\ndef \"A\" (\n references = @../outside.usda@\n)\n{\n}\ndef \"B\" (\n references = @parts/inside.usda@\n)\n{\n}\n",
    );
    let scene = read(&root).unwrap();
    assert_eq!(scene.n_faces(), 1);
    assert!(scene.notes.iter().any(|note| note.contains("outside the file's folder")), "{:?}", scene.notes);
}

#[test]
fn threemf_round_trip_keeps_triangles_colors_and_size() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a.obj", samples::OBJ), ("a.usda", exchange::USDA)] {
        let scene = read_sample(name, bytes);
        let path = folder.path().join("written.3mf");
        lexiform_mesh_io::write(&path, &scene).unwrap();
        let again = read(&path).unwrap();
        assert_eq!(again.n_faces(), scene.n_faces());
        let surface = Scene { clouds: Vec::new(), ..scene.clone() };
        let (before, after) = (surface.bounds().unwrap(), again.bounds().unwrap());
        assert!((before.min - after.min).abs().max_element() < 1e-5, "{before:?} {after:?}");
        assert!((before.max - after.max).abs().max_element() < 1e-5, "{before:?} {after:?}");
    }
    let red = read_sample("a.usda", exchange::USDA);
    lexiform_mesh_io::write(&folder.path().join("red.3mf"), &red).unwrap();
    let again = read(&folder.path().join("red.3mf")).unwrap();
    assert_eq!(again.materials[again.meshes[0].material.unwrap()].base_color, RED);
}

/// File, triangles, points, and extents along x, y and z with +Y up, in meters: of ufbx 0.21 (FBX), usd-core 26.11 (USD) and trimesh
/// 5.2 (3MF).
const REAL: &str = include_str!("exchange_formats.tsv");

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn real_files_have_the_numbers_of_other_programs() {
    let folder = lexiform_golden::shared("assets").join("public/formats2");
    let mut problems = Vec::new();
    let rows: Vec<&str> = REAL.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for row in rows {
        let fields: Vec<&str> = row.split('\t').collect();
        let scene = match read(&folder.join(fields[0])) {
            Ok(scene) => scene,
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        let counts = [scene.n_faces(), scene.n_points()];
        let expected: Vec<usize> = fields[1..3].iter().map(|n| n.parse().unwrap()).collect();
        let extents: Vec<f32> = fields[3..6].iter().map(|n| n.parse().unwrap()).collect();
        let found = scene.bounds().unwrap().extents().to_array();
        let largest = extents.iter().copied().fold(1e-6, f32::max);
        if counts[..] != expected || (0..3).any(|i| (extents[i] - found[i]).abs() > TOLERANCE * largest) {
            problems.push(format!(
                "{}: expected {expected:?} {extents:?}, found {counts:?} {found:?}",
                fields[0]
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
