//! `lexiform duplicates`: the same shape in several files.

use glam::{Affine3A, Quat, Vec3};

use crate::support::Sandbox;

/// A folder with a lopsided shape, other files of it, and shapes unlike it.
fn folder() -> Sandbox {
    let sandbox = Sandbox::new();
    // Three boxes that no mirror maps onto themselves.
    sandbox.write_box("bricks/a.obj", [4.0, 1.0, 1.0]);
    let boxes = [[0.0, 0.0, 0.0], [0.0, 1.0, 0.3], [2.5, 0.2, 1.0]];
    let mut whole = lexiform_geometry::Scene::default();
    for (place, scale) in boxes.into_iter().zip([1.0, 0.5, 0.3]) {
        let part = lexiform_mesh_io::read(&sandbox.path("bricks/a.obj")).unwrap();
        let moved = Affine3A::from_scale_rotation_translation(
            Vec3::splat(scale),
            Quat::from_rotation_y(scale),
            Vec3::from(place),
        );
        whole.meshes.extend(part.transformed(moved).meshes);
    }
    fs_err::remove_file(sandbox.path("bricks/a.obj")).unwrap();
    let write = |name: &str, transform: Affine3A| {
        lexiform_mesh_io::write(&sandbox.path(name), &whole.clone().transformed(transform)).unwrap();
    };
    write("models/lopsided.obj", Affine3A::IDENTITY);
    write("models/print.stl", Affine3A::from_scale(Vec3::splat(25.0)));
    write("models/turned.ply", Affine3A::from_quat(Quat::from_axis_angle(Vec3::ONE.normalize(), 1.0)));
    write("models/mirror_image.glb", Affine3A::from_scale(Vec3::new(-0.1, 0.1, 0.1)));
    fs_err::copy(sandbox.path("models/print.stl"), sandbox.path("models/kinds/print_2.stl")).unwrap();
    sandbox.write("models/broken.stl", "solid nothing");
    sandbox
}

#[test]
fn one_shape_in_many_files_is_one_group() {
    let sandbox = folder();
    let run = sandbox.run(&["duplicates", "models", "--json", "--sheet", "sheet.png"]).success();
    let groups = run.json();
    assert_eq!(groups.len(), 1, "{groups:#?}");
    let relations: Vec<(&str, &str)> = groups[0]["others"]
        .as_array()
        .unwrap()
        .iter()
        .map(|twin| (twin["path"].as_str().unwrap(), twin["relation"].as_str().unwrap()))
        .collect();
    // The shortest path leads; paths of the same length are in the order of the alphabet.
    assert_eq!(groups[0]["path"], "models/print.stl");
    let expected = [
        ("models/kinds/print_2.stl", "identical"),
        ("models/turned.ply", "same-shape"),
        ("models/lopsided.obj", "same-shape"),
        ("models/mirror_image.glb", "mirrored"),
    ];
    assert_eq!(relations, expected);
    let size = |name: &str| fs_err::metadata(sandbox.path(name)).unwrap().len();
    let bytes: u64 = expected.iter().map(|(name, _)| size(name)).sum();
    assert_eq!(groups[0]["duplicate_bytes"], bytes);
    assert_eq!(groups[0]["others"][0]["bytes"], size("models/kinds/print_2.stl"));
    assert!(run.stderr.contains("broken.stl") && run.stderr.contains("4 duplicates in 1 group"), "{run:#?}");
    assert!(image::image_dimensions(sandbox.path("sheet.png")).unwrap().0 > 400);
    assert!(!sandbox.path("models/.lexiform").exists(), "looking for duplicates makes no library");
    assert_eq!(sandbox.run(&["duplicates", "models", "--strict"]).code, 1);
}

#[test]
fn words_for_people_and_signatures_kept_in_the_library() {
    let sandbox = folder();
    sandbox.run(&["index", "models"]).success();
    let first = sandbox.run(&["duplicates", "models"]).success();
    for part in ["models/print.stl\n", "identical bytes", "same shape", "mirrored"] {
        assert!(first.stdout.contains(part), "no {part:?} in {first:#?}");
    }
    assert!(sandbox.path("models/.lexiform/signatures.bin").exists());
    assert_eq!(sandbox.run(&["duplicates", "models"]).success().stdout, first.stdout);
    assert_eq!(sandbox.run(&["duplicates", "models/.lexiform"]).success().stdout.lines().count(), 5);
}

#[test]
fn files_of_the_same_bytes_fail_for_their_own_reasons() {
    let sandbox = Sandbox::empty();
    for name in ["a.glb", "b.obj", "c.stl", "d.off"] {
        sandbox.write(&format!("models/{name}"), "");
    }
    let run = sandbox.run(&["duplicates", "models"]).success();
    for part in ["a.glb: invalid glTF", "b.obj: no triangles and no points", "c.stl: invalid STL", "d.off: "]
    {
        assert!(run.stderr.contains(part), "no {part:?} in {run:#?}");
    }
    assert!(!run.stderr.contains("d.off: invalid glTF"), "{run:#?}");
}

#[test]
fn what_makes_no_sense_is_said() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["duplicates", "models"]).success();
    assert!(run.stderr.contains("no duplicates among 3 files"), "{run:#?}");
    sandbox.run(&["duplicates", "nowhere"]).failure(1, &["nowhere", "no such file or folder"]);
    sandbox.run(&["duplicates", "models/flat.obj"]).failure(1, &["found a file", "--shape"]);
    sandbox.run(&["duplicates", "models", "--threshold", "50"]).failure(2, &["expected 0 to 10"]);
}
