//! Finds 3D files below the given paths: sorted, each once, without sidecars and hidden folders.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::format::{Table, unsupported_extension};
use crate::views::{Surroundings, is_hidden, is_image, view_sets};
use crate::{Format, archive, xyz};

/// The result of [`walk`].
#[derive(Debug, Default)]
pub struct WalkResult {
    /// 3D files, sorted, each once.
    pub assets: Vec<PathBuf>,
    /// Objects that are given as views: folders of numbered images, and images that are strips of views; sorted, each once.
    pub view_sets: Vec<PathBuf>,
    /// Folders and files that could not be read, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// Numbers of files in 3D formats that are not supported, such as STEP, by extension.
    pub unsupported: BTreeMap<&'static str, usize>,
}

/// Bytes at the start of a file that decide whether a table is a point cloud.
pub const HEAD_BYTES: u64 = 4096;
/// Columns of an array that may be a point cloud: positions, normals, colors, and a few more.
const POINT_COLUMNS: std::ops::RangeInclusive<u64> = 3..=16;

/// Finds files with a 3D extension, and views of objects, below `roots`. A root that is a file is included whatever its
/// extension. Hidden files are skipped, and symbolic links to folders are not followed, so that a walk always ends.
pub fn walk(roots: &[PathBuf]) -> WalkResult {
    let mut walk = Walk::default();
    for root in roots {
        if root.is_dir() {
            walk.folders.push((root.clone(), false));
        } else if is_image(root) {
            walk.view_sets.insert(root.clone());
        } else {
            walk.assets.insert(root.clone());
        }
    }
    while let Some((folder, assets_above)) = walk.folders.pop() {
        walk.visit(folder, assets_above);
    }
    walk.unreadable.sort();
    WalkResult {
        assets: walk.assets.into_iter().collect(),
        view_sets: walk.view_sets.into_iter().collect(),
        unreadable: walk.unreadable,
        unsupported: walk.unsupported,
    }
}

/// A walk in progress.
#[derive(Default)]
struct Walk {
    /// Folders to visit, and whether the folder around each holds 3D files.
    folders: Vec<(PathBuf, bool)>,
    assets: BTreeSet<PathBuf>,
    view_sets: BTreeSet<PathBuf>,
    unreadable: Vec<(PathBuf, String)>,
    unsupported: BTreeMap<&'static str, usize>,
}

impl Walk {
    fn visit(&mut self, folder: PathBuf, assets_above: bool) {
        let entries = match fs_err::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable.push((folder, error.to_string())),
        };
        let (mut folders, mut images, mut has_assets) = (Vec::new(), Vec::new(), false);
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => {
                    self.unreadable.push((folder.clone(), error.to_string()));
                    continue;
                }
            };
            if is_hidden(&path) {
                continue;
            }
            if path.is_dir() {
                // `is_dir` follows links; folders behind links are not visited.
                if !path.is_symlink() {
                    folders.push(path);
                }
            } else if is_image(&path) && path.is_file() {
                images.push(path);
            } else if path.is_file() && (is_asset(&path, || head(&path)) || archive::holds_assets(&path)) {
                has_assets = true;
                self.assets.insert(path);
            } else if let Some(extension) = unsupported_extension(&path).filter(|_| path.is_file()) {
                *self.unsupported.entry(extension).or_default() += 1;
            }
        }
        let around = match (has_assets, assets_above) {
            (true, _) => Surroundings::AssetsInFolder,
            (false, true) => Surroundings::AssetsAbove,
            (false, false) => Surroundings::OnlyImages,
        };
        self.view_sets.extend(view_sets(&folder, images, around));
        self.folders.extend(folders.into_iter().map(|folder| (folder, has_assets)));
    }
}

/// Whether a file is a 3D file. Tables and arrays count only if they start like point clouds, because most `.txt`, `.csv` and
/// `.npy` files are something else; `head` returns their first [`HEAD_BYTES`] bytes.
pub fn is_asset(path: &Path, head: impl FnOnce() -> Option<Vec<u8>>) -> bool {
    match Table::from_path(path) {
        Some(Table::Rows) => {
            head().is_some_and(|bytes| xyz::starts_with_points(&bytes, bytes.len() as u64 >= HEAD_BYTES))
        }
        Some(Table::Array) => head().is_some_and(|bytes| array_of_points(&bytes)),
        Some(Table::Arrays) => head().is_some_and(|bytes| archive_of_points(&bytes)),
        None => Format::from_path(path).is_some(),
    }
}

fn head(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Whether a NumPy header announces a floating-point table with as many columns as points have.
fn array_of_points(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    // Label and index arrays are integers.
    let is_float = text.contains("'<f4'") || text.contains("'<f8'") || text.contains("'<f2'");
    let shape = text.split_once("'shape':").and_then(|(_, rest)| rest.split_once(')'));
    let sizes: Vec<u64> = shape.map_or(Vec::new(), |(tuple, _)| {
        tuple.trim().trim_start_matches('(').split(',').filter_map(|n| n.trim().parse().ok()).collect()
    });
    // Renders come with the matrix of each camera.
    let is_camera = matches!(sizes[..], [3 | 4, 4]);
    bytes.starts_with(lexiform_formats::npy::MAGIC)
        && is_float
        && !is_camera
        && matches!(sizes[..], [_, columns] if POINT_COLUMNS.contains(&columns))
}

/// Whether the first member of a zip of arrays is named like points.
fn archive_of_points(bytes: &[u8]) -> bool {
    /// Length of a zip member's header before its name.
    const HEADER: usize = 30;
    let name = bytes.get(HEADER..).unwrap_or_default().to_ascii_lowercase();
    let names: [&[u8]; 8] =
        [b"coords.", b"xyz", b"points", b"positions", b"vertices", b"pc.", b"pointcloud", b"arr_0"];
    bytes.starts_with(b"PK") && names.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_shapes_once_and_passes_over_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, bytes).unwrap();
        };
        write("b/chair.gltf", b"{}");
        write("b/chair.bin", b"");
        write("b/chair.mtl", b"");
        write("a.OBJ", b"");
        write(".hidden/x.stl", b"");
        write(".lexiform/y.stl", b"");
        write("notes.txt", b"this is not a cloud\n1 2 words\n");
        write("cloud.txt", format!("# x y z\n{}", "0 1 2\n".repeat(10)).as_bytes());
        write("requirements.txt", b"numpy==1.26.0\ntorch\n");
        write("car.STEP", b"");
        write("b/room.blend", b"");
        write("b/chair.step", b"");
        write("table.csv", b"name,label\nchair,1\n");
        write("picture.png", b"");
        write("b/textures/wood_0.png", b"");
        write("b/textures/wood_1.png", b"");
        write("b/renders/000.png", b"");
        write("b/renders/001.png", b"");
        let root = folder.path().to_owned();
        let found = walk(&[root.clone(), root.join("a.OBJ")]);
        let names = |paths: &[PathBuf]| -> Vec<PathBuf> {
            paths.iter().map(|path| path.strip_prefix(&root).unwrap().to_owned()).collect()
        };
        assert_eq!(names(&found.assets), ["a.OBJ", "b/chair.gltf", "cloud.txt"].map(PathBuf::from));
        assert_eq!(names(&found.view_sets), [PathBuf::from("b/renders")]);
        assert_eq!(found.unsupported, BTreeMap::from([("blend", 1), ("step", 2)]));
    }

    #[test]
    fn arrays_count_only_when_they_look_like_points() {
        let header = |shape: &str| {
            let text = format!("\u{1}{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
            [b"\x93NUMPY".as_slice(), text.as_bytes()].concat()
        };
        assert!(array_of_points(&header("1024, 6")));
        assert!(!array_of_points(&header("1024, 512")));
        assert!(!array_of_points(&header("3,")));
        assert!(!array_of_points(&header("3, 4")));
        assert!(!array_of_points(b"\x93NUMPY"));
    }
}
