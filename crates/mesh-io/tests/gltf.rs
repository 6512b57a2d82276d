//! Real glTF files, against what trimesh found in them (`MANIFEST.csv`).

use std::path::Path;

use lexiform_geometry::Scene;
use lexiform_golden::shared;

/// The manifest gives extents with four digits.
const TOLERANCE: f32 = 1e-3;

/// Every glTF file of a manifest: path, vertices, triangles, extents, note.
fn manifest(root: &Path) -> Vec<[String; 5]> {
    let text = std::fs::read_to_string(root.join("MANIFEST.csv")).unwrap();
    let mut rows = rows(&text).into_iter();
    let head = rows.next().unwrap();
    let column = |name: &str| head.iter().position(|h| h == name).unwrap();
    let columns = ["path", "vertices", "triangles", "extents", "note"].map(column);
    let role = column("role");
    rows.filter(|row| row[role] == "main" && (row[0].ends_with(".glb") || row[0].ends_with(".gltf")))
        .map(|row| columns.map(|c| row[c].clone()))
        .collect()
}

/// CSV with quoted fields, which may hold line breaks.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut inside = false;
    for c in text.trim_end().chars() {
        match c {
            '"' => inside = !inside,
            '\r' => {}
            ',' if !inside => rows.last_mut().unwrap().push(String::new()),
            '\n' if !inside => rows.push(vec![String::new()]),
            c => rows.last_mut().unwrap().last_mut().unwrap().push(c),
        }
    }
    rows
}

/// Where the manifest, made with trimesh, says something else, and why.
fn expected_difference(path: &str) -> Option<&'static str> {
    Some(match path.rsplit('/').next().unwrap() {
        "Node_NegativeScale_01.gltf" => "trimesh bounds turned boxes, not vertices",
        "SimpleSparseAccessor.gltf" => "trimesh reads no sparse values",
        "IndexOutOfRange.gltf" => "a triangle of vertices that do not exist is left out",
        // trimesh leaves skinned meshes where their nodes stand; here joints move them.
        "Deer.glb" | "Dolphin.glb" | "Fish1.glb" | "Fox.glb" | "Husky.glb" | "Tank.glb" | "Horse.glb"
        | "Shark.glb" | "Trex.glb" | "Wolf.glb" => "the skin is applied",
        _ => return None,
    })
}

/// Files that give no shape, with a part of the reason.
const REFUSED: &[(&str, &str)] = &[
    ("empty_nodes.glb", "no triangles and no points"),
    ("white space.gltf", "no triangles and no points"),
    ("ACMEBox.gltf", "ACME_gizmo"),
    ("Mesh_PrimitiveMode_01.gltf", "lines"),
    ("SimpleSkin.gltf", "version 1.1"),
    ("BoxWithInfinites.glb", "24 of 24 vertices are not finite"),
    ("AllIndicesOutOfRange.gltf", "all 12 triangles name vertices beyond the 24"),
    ("MissingBin/BoxTextured.gltf", "BoxTextured0.bin"),
    ("RecursiveNodes.gltf", "its own ancestor"),
    ("sceneWrongType.gltf", "expected a whole number"),
    ("NoScene.gltf", "no triangles"),
    ("SceneWithoutNodes.gltf", "no triangles"),
    ("badArray.gltf", "expected a sequence"),
    ("badExtension.gltf", "TextureTransform"),
    ("badObject.gltf", "not an object"),
    ("badUint.gltf", "expected a whole number"),
    ("Cube_v1.gltf", "version 1.0"),
    ("armchair.gltf", "expected a JSON object"),
    ("avocado.gltf", "expected a JSON object"),
    ("integer-out-of-bounds.gltf", "expected a whole number"),
    ("invalid-buffer-index.gltf", "no triangles"),
    ("invalid-buffer-view-index.gltf", "no triangles"),
    ("invalid-primitive-indices.gltf", "no triangles"),
    ("issue-416.gltf", "expected 2.0"),
    ("issue-492.glb", "no triangles"),
];

fn refusal(path: &str) -> Option<&'static str> {
    let of_malformed = !path.starts_with("objects/");
    REFUSED.iter().find(|(name, _)| of_malformed && path.ends_with(name)).map(|&(_, reason)| reason)
}

/// What differs from the manifest's row.
fn differences(scene: &Scene, [vertices, triangles, extents]: [&str; 3]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut check = |what: &str, expected: &str, found: usize| {
        if expected.parse().is_ok_and(|expected: usize| expected != found) {
            differences.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    check("vertices", vertices, scene.n_vertices() + scene.n_points());
    check("triangles", triangles, scene.n_faces());
    let expected: Vec<f32> = extents.split('x').filter_map(|e| e.parse().ok()).collect();
    let found = scene.bounds().unwrap().extents().to_array();
    let close =
        |(e, f): (&f32, &f32)| (e - f).abs() <= TOLERANCE * expected.iter().fold(0.0, |m, e| e.max(m));
    if expected.len() == 3 && !expected.iter().zip(&found).all(close) {
        differences.push(format!("extents: expected {expected:?}, found {found:?}"));
    }
    differences
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn real_files_hold_what_the_manifest_says() {
    let mut problems = Vec::new();
    for part in ["public", "malformed"] {
        let root = shared("assets").join(part);
        for [path, vertices, triangles, extents, _] in manifest(&root) {
            match (lexiform_mesh_io::read(&root.join(&path)), refusal(&path)) {
                (Ok(scene), None) => {
                    let found = differences(&scene, [&vertices, &triangles, &extents]);
                    if !found.is_empty() && expected_difference(&path).is_none() {
                        problems.push(format!("{path}: {}", found.join("; ")));
                    }
                }
                (Err(error), Some(reason)) if error.to_string().contains(reason) => {}
                (Err(error), _) => problems.push(error.to_string()),
                (Ok(_), Some(_)) => problems.push(format!("{path}: expected a refusal")),
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
