//! glTF through the front door, on real files where they are at hand.

use std::path::{Path, PathBuf};

use lexiform_geometry::{Scene, io};

fn shared(part: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(|dir| {
        let path = dir.join("shared/assets").join(part);
        path.is_dir().then_some(path)
    });
    if root.is_none() {
        println!("skipped: shared/assets/{part} is absent");
    }
    root
}

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

fn summary(scene: &Scene) -> String {
    let extents = scene.bounds().unwrap().extents();
    format!(
        "{} v {} t {} p {:.4}x{:.4}x{:.4} {} materials {} textures {:?}",
        scene.n_vertices(),
        scene.n_faces(),
        scene.n_points(),
        extents.x,
        extents.y,
        extents.z,
        scene.materials.len(),
        scene.textures.len(),
        scene.notes
    )
}

#[test]
fn lists_what_is_read() {
    for part in ["public", "malformed"] {
        let Some(root) = shared(part) else { return };
        for [path, vertices, triangles, extents, note] in manifest(&root) {
            let found = match io::read(&root.join(&path)) {
                Ok(scene) => summary(&scene),
                Err(error) => format!("ERROR {}", error.to_string().replace(root.to_str().unwrap(), "")),
            };
            println!("{path} [{note}]\n   {vertices} v {triangles} t {extents}\n   {found}");
        }
    }
}
