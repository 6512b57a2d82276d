//! Real files from many programs, against what trimesh, open3d and laspy found in them (`MANIFEST.csv`), and broken
//! files, which must give an error or a scene with notes.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};

use lexiform_geometry::Scene;
use lexiform_golden::shared;
use lexiform_mesh_io::{Format, ReadOptions, UpAxis, UpRule};

/// Extents are written with four digits.
const TOLERANCE: f32 = 2e-3;

/// Files of `public` that are not glTF and that another program loads, as the manifest counts them.
const N_PUBLIC: usize = 93;

fn assets(folder: &str) -> PathBuf {
    shared("assets").join(folder)
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
#[ignore = "needs LEXIFORM_SHARED"]
fn files_that_others_load_load_here_with_the_same_content() {
    let folder = assets("public");
    let options = ReadOptions { up: UpRule::Axis(UpAxis::Y) };
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
    assert_eq!(read, N_PUBLIC);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What a broken file gives.
#[derive(Clone, Copy)]
enum Outcome {
    /// What the manifest says: the same counts where another program finds triangles or points, an error elsewhere.
    AsManifest,
    /// A scene of these triangles and points, counted in the file's text.
    Counts { triangles: usize, points: usize },
    /// A scene without the broken parts, which its notes name.
    Notes,
}

/// Broken files that give something else than the manifest says, which is what other programs make of them.
const BROKEN: &[(&str, Outcome)] = &[
    // trimesh finds no scene root; the file has one box.
    ("box_nested_animation_4286.dae", Outcome::Counts { triangles: 12, points: 0 }),
    // Two faces name vertices that do not exist.
    ("malformed.obj", Outcome::Notes),
    // The header declares 719 points, the file ends within the last one.
    ("garbage_nVariableLength.las", Outcome::Notes),
    // One triangle, in meters here and in millimeters in the manifest.
    ("malformed_property_index_oob.3mf", Outcome::Counts { triangles: 1, points: 0 }),
    // No other program of the manifest reads tables of numbers.
    ("badheader.txt", Outcome::Counts { triangles: 0, points: 8 }),
    ("missingheader.txt", Outcome::Counts { triangles: 0, points: 5 }),
];

fn expected_outcome(path: &str) -> Outcome {
    BROKEN.iter().find(|(name, _)| path.ends_with(name)).map_or(Outcome::AsManifest, |(_, outcome)| *outcome)
}

/// What a file gives instead of what it should.
fn unexpected(row: &std::collections::HashMap<String, String>, folder: &Path) -> Option<String> {
    let path = &row["path"];
    let loads = row["vertices"].parse::<usize>().is_ok_and(|n| n > 0) && row["kind"] != "empty";
    let read = lexiform_mesh_io::read_with(&folder.join(path), &ReadOptions { up: UpRule::Axis(UpAxis::Y) });
    let counts = |scene: &Scene| (scene.n_faces(), scene.n_points());
    match (read, expected_outcome(path)) {
        (Ok(scene), _) if !scene.bounds().is_some_and(|b| b.min.is_finite() && b.max.is_finite()) => {
            Some(format!("{path}: bounds {:?}", scene.bounds()))
        }
        (Ok(scene), Outcome::AsManifest) if loads => check(row, &scene),
        (Ok(scene), Outcome::Counts { triangles, points }) => (counts(&scene) != (triangles, points))
            .then(|| format!("{path}: expected {triangles} and {points}, found {:?}", counts(&scene))),
        (Ok(scene), Outcome::Notes) => scene.notes.is_empty().then(|| format!("{path}: no notes")),
        (Ok(scene), _) => Some(format!("{path}: expected an error, found {:?}", counts(&scene))),
        (Err(_), Outcome::AsManifest) if !loads => None,
        (Err(error), _) => Some(error.to_string()),
    }
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn broken_files_give_errors_or_scenes_with_notes() {
    let folder = assets("malformed");
    let rows: Vec<_> = manifest(&folder).into_iter().filter(|row| is_ours(&row["path"])).collect();
    for (name, _) in BROKEN {
        assert!(rows.iter().any(|row| row["path"].ends_with(name)), "{name}: not in the manifest");
    }
    let problems: Vec<String> = rows.iter().filter_map(|row| unexpected(row, &folder)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
