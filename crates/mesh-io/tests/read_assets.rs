//! Real files from many programs, against what trimesh, open3d and laspy found in them (`MANIFEST.csv`), and broken
//! files, which must give an error or a scene with notes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panic and tells what it skipped"
)]

use std::path::{Path, PathBuf};

use lexiform_geometry::Scene;
use lexiform_mesh_io::{Format, ReadOptions, UpAxis};

/// Extents are written with four digits.
const TOLERANCE: f32 = 2e-3;

fn assets(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/assets").join(folder);
    let shared = Some(path).filter(|p| p.is_dir());
    if shared.is_none() {
        println!("skipped: ../shared/assets/{folder} is absent");
    }
    shared
}

/// Rows of the manifest as (column name → field).
fn manifest(folder: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let text = std::fs::read_to_string(folder.join("MANIFEST.csv")).unwrap();
    let split = |line: &str| {
        let mut fields = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                c => fields.last_mut().unwrap().push(c),
            }
        }
        fields
    };
    let mut lines = text.lines().map(split);
    let names = lines.next().unwrap();
    lines.map(|fields| names.iter().cloned().zip(fields).collect()).collect()
}

fn is_ours(path: &str) -> bool {
    !matches!(Format::from_path(Path::new(path)), None | Some(Format::Gltf | Format::Glb))
}

/// Where we differ from the manifest on purpose.
fn expected_difference(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap();
    Some(match name {
        "issue-140-zero-face-idx.obj" => "a face with index 0 names no vertex and is dropped",
        _ => return None,
    })
}

fn check(row: &std::collections::HashMap<String, String>, scene: &Scene) -> Option<String> {
    let number = |column: &str| row[column].parse::<usize>().ok();
    let mut wrong = Vec::new();
    let is_points = row["kind"] == "points";
    if let Some(triangles) = number("triangles").filter(|_| !is_points)
        && triangles != scene.n_faces()
    {
        wrong.push(format!("triangles: expected {triangles}, found {}", scene.n_faces()));
    }
    let broken: usize =
        row["note"].rsplit("non-finite points: ").next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if let Some(points) = number("vertices").filter(|_| is_points)
        && points - broken != scene.n_points()
    {
        wrong.push(format!("points: expected {}, found {}", points - broken, scene.n_points()));
    }
    let expected: Vec<f32> = row["extents"].split('x').filter_map(|e| e.parse().ok()).collect();
    let found = scene.bounds().unwrap().extents();
    let largest = expected.iter().copied().fold(1e-9, f32::max);
    if expected.len() == 3 && (0..3).any(|i| (expected[i] - found[i]).abs() > TOLERANCE * largest) {
        wrong.push(format!("extents: expected {expected:?}, found {found}"));
    }
    (!wrong.is_empty()).then(|| format!("{}: {} (notes: {:?})", row["path"], wrong.join("; "), scene.notes))
}

#[test]
fn files_that_others_load_load_here_with_the_same_content() {
    let Some(folder) = assets("public") else { return };
    let options = ReadOptions { up_axis: Some(UpAxis::Y) };
    let mut problems = Vec::new();
    let mut read = 0;
    for row in manifest(&folder) {
        let path = &row["path"];
        let points = row["vertices"].parse::<usize>().is_ok_and(|n| n > 0);
        if !is_ours(path) || row["loads"].starts_with("NO") || !points {
            continue;
        }
        read += 1;
        match lexiform_mesh_io::read_with(&folder.join(path), &options) {
            Ok(scene) => {
                problems.extend(check(&row, &scene).filter(|_| expected_difference(path).is_none()));
                if std::env::var_os("SHOW_NOTES").is_some() && !scene.notes.is_empty() {
                    println!("{path}: {:?}", scene.notes);
                }
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    println!("read {read} files");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn broken_files_give_errors_or_scenes() {
    let Some(folder) = assets("malformed") else { return };
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if Format::from_path(&path).is_some() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                match lexiform_mesh_io::read(&path) {
                    Ok(scene) => println!(
                        "{name}: {} faces, {} points, {:?}",
                        scene.n_faces(),
                        scene.n_points(),
                        scene.notes
                    ),
                    Err(error) => println!("{name}: {error}"),
                }
            }
        }
    }
}
