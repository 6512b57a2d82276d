//! Quirks of each format, through the front door.

#![expect(clippy::unwrap_used, reason = "a failed test is what a panic means here")]

use std::path::Path;

use glam::{Vec3, Vec4};
use lexiform_geometry::Scene;
use lexiform_mesh_io::{ReadError, ReadOptions, UpAxis, UpRule};

fn try_read(name: &str, bytes: &[u8]) -> Result<Scene, ReadError> {
    lexiform_mesh_io::read_bytes(Path::new(name), bytes, &ReadOptions { up: UpRule::Axis(UpAxis::Y) })
}

fn read(name: &str, bytes: &[u8]) -> Scene {
    try_read(name, bytes).unwrap()
}

fn binary_stl(header: &[u8], declared: u32, attributes: &[u16]) -> Vec<u8> {
    let mut bytes = header.to_vec();
    bytes.resize(80, b' ');
    bytes.extend(declared.to_le_bytes());
    for attribute in attributes {
        let floats = [0.0_f32, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        floats.iter().for_each(|f| bytes.extend(f.to_le_bytes()));
        bytes.extend(attribute.to_le_bytes());
    }
    bytes
}

#[test]
fn z_points_up_in_stl() {
    let stl = binary_stl(b"", 1, &[0]);
    let scene = lexiform_mesh_io::read_bytes(Path::new("a.stl"), &stl, &ReadOptions::default()).unwrap();
    assert_eq!(scene.meshes[0].triangle(0), [Vec3::ZERO, Vec3::X, Vec3::NEG_Z]);
}

#[test]
fn binary_stl_may_begin_with_solid_and_count_wrongly() {
    assert_eq!(read("a.stl", &binary_stl(b"solid part", 2, &[0, 0])).n_faces(), 2);
    for (declared, expected) in [(5, 2), (1, 1), (0, 2)] {
        let scene = read("a.stl", &binary_stl(b"solid\0", declared, &[0, 0]));
        assert_eq!((scene.n_faces(), scene.notes.len()), (expected, 1));
    }
}

#[test]
fn stl_colors_of_both_schools() {
    let red = Vec4::new(1.0, 0.0, 0.0, 1.0);
    let color = |bytes: &[u8]| read("a.stl", bytes).meshes[0].colors().map(|c| c[0]);
    assert_eq!(color(&binary_stl(b"", 1, &[0x8000 | 31 << 10])), Some(red));
    assert_eq!(color(&binary_stl(b"COLOR=\x00\xff\x00\xff", 1, &[31])), Some(red));
    assert_eq!(color(&binary_stl(b"COLOR=\xff\x00\x00\xff", 1, &[0x8000])), Some(red));
    assert_eq!(color(&binary_stl(b"", 1, &[7])), None);
    assert_eq!(color(&binary_stl(b"", 1, &[0xFFFF])), None);
}

#[test]
fn ply_face_colors_split_vertices() {
    let ply = b"ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nelement face 2\nproperty list uchar int vertex_indices\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n3 0 1 2 255 0 0\n3 0 2 3 0 0 255\n";
    let scene = read("a.ply", ply);
    assert_eq!((scene.n_vertices(), scene.n_faces()), (6, 2));
    assert_eq!(scene.meshes[0].colors().unwrap()[5], Vec4::new(0.0, 0.0, 1.0, 1.0));
}

#[test]
fn splats_are_points_with_colors_and_faint_ones_are_dropped() {
    let mut ply = b"ply\nformat binary_little_endian 1.0\nelement vertex 2\n".to_vec();
    for name in ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0"] {
        ply.extend(format!("property float {name}\n").bytes());
    }
    ply.extend(b"end_header\n");
    // (1 − 0.5) / 0.28209479 is full red; a sigmoid of −9 is next to nothing.
    for row in [
        [1.0_f32, 2.0, 3.0, 0.0, 0.0, 0.0, 1.772_453_9, -1.772_453_9, -2.0, 5.0, 0.1],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -9.0, 0.1],
    ] {
        row.iter().for_each(|v| ply.extend(v.to_le_bytes()));
    }
    let scene = read("a.ply", &ply);
    let cloud = &scene.clouds[0];
    assert_eq!(cloud.positions(), [Vec3::new(1.0, 2.0, 3.0)]);
    assert!((cloud.colors().unwrap()[0] - Vec3::X).abs().max_element() < 1e-3);
    assert_eq!((cloud.normals(), scene.notes.len()), (None, 2));
}

#[test]
fn triangle_strips_alternate() {
    let ply = b"ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nelement tristrips 1\nproperty list int int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n8 0 1 2 3 -1 0 1 2\n";
    let scene = read("a.ply", ply);
    assert_eq!(scene.meshes[0].faces(), [[0, 1, 2], [2, 1, 3], [0, 1, 2]]);
}

#[test]
fn pcd_colors_are_packed_in_floats_or_numbers() {
    let pcd = |kind: &str, value: &str| {
        let text = format!(
            "VERSION .7\nFIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F {kind}\nCOUNT 1 1 1 1\nWIDTH 2\nHEIGHT 1\nPOINTS 2\nDATA ascii\n0 0 0 {value}\nnan nan nan {value}\n"
        );
        let scene = read("a.pcd", text.as_bytes());
        (scene.n_points(), scene.clouds[0].colors().unwrap()[0])
    };
    let packed = f32::from_bits(0x00FF_0000);
    for (kind, value) in
        [("F", format!("{packed:e}")), ("U", "16711680".to_owned()), ("F", "16711680".to_owned())]
    {
        assert_eq!(pcd(kind, &value), (1, Vec3::X), "{kind} {value}");
    }
}

#[test]
fn collada_places_geometry_and_tells_up() {
    let dae = include_bytes!("fuzz/square.dae");
    let scene = lexiform_mesh_io::read_bytes(Path::new("a.dae"), dae, &ReadOptions::default()).unwrap();
    // The square has a quad and a triangle, and is in the scene three times.
    assert_eq!((scene.meshes.len(), scene.n_faces()), (6, 9));
    let bounds = scene.bounds().unwrap();
    // Centimetres; Z up becomes Y up; turned by 90° about the file's Z.
    assert!((bounds.max.y - 0.02).abs() < 1e-6, "{bounds:?}");
    assert!((bounds.min - Vec3::new(-1.0, 0.0, -1.05)).abs().max_element() < 1e-5, "{bounds:?}");
    let material = &scene.materials[scene.meshes[0].material.unwrap()];
    assert_eq!((material.name.as_deref(), material.base_color.w), (Some("paint"), 0.5));
    assert_eq!(scene.meshes[0].normals().unwrap()[0].round(), Vec3::Y);
}

#[test]
fn content_wins_over_the_ending() {
    let scene = read("a.obj", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n");
    assert_eq!((scene.n_faces(), scene.notes[0].as_str()), (1, "named like OBJ, but the content is OFF"));
    assert_eq!(read("shape", b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\nend_header\n1 2 3\n").n_points(), 1);
    assert!(matches!(try_read("notes.docx", b"hello"), Err(ReadError::UnknownFormat { .. })));
}

#[test]
fn shapes_far_away_keep_their_surface() {
    let obj = b"v 665187.522 5648349.895 241.767\nv 665187.632 5648349.895 241.767\nv 665187.522 5648350.005 241.767\nf 1 2 3\n";
    let scene = read("a.obj", obj);
    let extents = scene.bounds().unwrap().extents();
    assert!((extents - Vec3::new(0.11, 0.11, 0.0)).abs().max_element() < 1e-4, "{extents}");
    assert!(scene.notes[0].starts_with("moved by (-665188, -5648350, -242)"), "{:?}", scene.notes);
}

#[test]
fn headers_that_promise_too_much_are_refused_before_memory_is_taken() {
    let ply = b"ply\nformat binary_little_endian 1.0\nelement vertex 19000000\nproperty float x\nproperty float y\nproperty float z\nend_header\n";
    let message = try_read("a.ply", ply).unwrap_err().to_string();
    assert_eq!(
        message,
        "a.ply: invalid PLY: 19000000 rows of element \"vertex\" need 228000000 bytes, the file has 0 left"
    );
    let pcd = b"VERSION .7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 99999999999\nHEIGHT 1\nPOINTS 99999999999\nDATA binary\n";
    assert!(matches!(try_read("a.pcd", pcd), Err(ReadError::TooLarge { .. })));
}

#[test]
fn a_folder_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    assert!(lexiform_mesh_io::read(folder.path()).is_err());
    assert!(
        lexiform_mesh_io::read(&folder.path().join("absent.obj"))
            .unwrap_err()
            .to_string()
            .contains("absent.obj")
    );
}
