//! Fingerprints of assets: a hash of the contents of a file and its dependencies, and a cheap hash of their sizes and
//! modification times.
//!
//! As in git's index, a file whose sizes and times are the same is not read again. Otherwise, the content hash decides
//! whether it changed.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lexiform_mesh_io::{Format, Sidecar, limits, material_library_sidecars, sidecars, view_files};

/// Hashed with files that an earlier version read with another up axis, so that their embeddings are computed again.
const UNTURNED: &[u8] = b"\0not turned";

/// Identifies the content of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// BLAKE3 hash of the file and its dependencies: 32 hexadecimal digits.
    pub content_hash: String,
    /// Hash of sizes and modification times, see [`stat_hash()`]; empty if they cannot be relied on.
    pub stat_hash: String,
    /// Files that the asset references (buffers, materials, textures), relative to its folder, sorted.
    pub dependencies: Vec<String>,
    /// Size of the file itself in bytes.
    pub bytes: u64,
    /// Modification time of the file itself: nanoseconds since 1970-01-01 UTC.
    pub modified_ns: Option<i64>,
}

/// The coarsest resolution of modification times, that of FAT: a file modified more recently can change again without a
/// new time.
const MTIME_RESOLUTION: Duration = Duration::from_secs(2);
/// Maximum number of dependencies of an asset.
const MAX_DEPENDENCIES: usize = 4096;

/// Reads and hashes a file with its dependencies. `now` decides whether modification times are old enough to be relied
/// on.
///
/// # Errors
/// If the file cannot be read or is not a regular file. Missing dependencies are not errors.
pub fn fingerprint(path: &Path, now: SystemTime) -> io::Result<Fingerprint> {
    if path.is_dir() {
        return views_fingerprint(path, now);
    }
    let dependencies = referenced_files(path)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(reading(path));
    // Before the contents: if the file changes while it is read, the next run finds another stat hash.
    let stat_hash = stat_hash(path, &dependencies, now)?;
    let bytes = hash_file(&mut hasher, path)?;
    for dependency in &dependencies {
        // With its name: renaming a dependency changes the asset.
        hasher.update(&[0]);
        hasher.update(dependency.as_bytes());
        // A missing dependency is part of the content: when it appears, the asset changes.
        if hash_file(&mut hasher, &sibling_path(path, dependency)).is_err() {
            hasher.update(b"\0missing");
        }
    }
    let modified_ns = modified_ns(&fs_err::metadata(path)?);
    Ok(Fingerprint { content_hash: short_hash(&hasher), stat_hash, dependencies, bytes, modified_ns })
}

/// Hash of the content of a 3D file with the files that it references, of an image, or of the views in a folder.
///
/// # Errors
/// If it cannot be read.
pub fn content_hash(path: &Path) -> io::Result<String> {
    // The time matters only for the hash of modification times.
    Ok(fingerprint(path, UNIX_EPOCH)?.content_hash)
}

/// What changed in how a file of this format is read; nothing for most, so that the hashes of existing libraries stay valid.
fn reading(path: &Path) -> &'static [u8] {
    match Format::from_path(path) {
        Some(Format::Xyz | Format::Npy | Format::Npz | Format::Off) => UNTURNED,
        _ => b"",
    }
}

/// Hashes the views in a folder. They are not dependencies: the folder is listed again to find out whether it changed.
fn views_fingerprint(folder: &Path, now: SystemTime) -> io::Result<Fingerprint> {
    let stat_hash = stat_hash(folder, &[], now)?;
    let (mut hasher, mut bytes, mut modified) = (blake3::Hasher::new(), 0, None);
    for view in view_files(folder)? {
        bytes += hash_file(&mut hasher, &view)?;
        hasher.update(&[0]);
        modified = modified.max(modified_ns(&fs_err::metadata(&view)?));
    }
    let content_hash = short_hash(&hasher);
    Ok(Fingerprint { content_hash, stat_hash, dependencies: Vec::new(), bytes, modified_ns: modified })
}

fn short_hash(hasher: &blake3::Hasher) -> String {
    // 128 bits: accidental collisions are out of the question at half the size in the database.
    hasher.finalize().to_hex()[..32].to_owned()
}

fn modified_ns(metadata: &std::fs::Metadata) -> Option<i64> {
    let since_epoch = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_nanos()).ok()
}

/// Hash of the sizes and modification times of a file and its dependencies, or of the views in a folder: 16 hexadecimal digits. Empty if one of them
/// was modified less than [`MTIME_RESOLUTION`] before `now`.
///
/// # Errors
/// If the metadata of the file cannot be read.
pub fn stat_hash(path: &Path, dependencies: &[String], now: SystemTime) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(reading(path));
    let mut is_recent = false;
    let mut add = |metadata: &std::fs::Metadata| {
        is_recent |= metadata.modified().is_ok_and(|modified| modified + MTIME_RESOLUTION > now);
        hasher.update(&metadata.len().to_le_bytes());
        // A missing time counts as 1970: sizes alone are compared then.
        hasher.update(&modified_ns(metadata).unwrap_or_default().to_le_bytes());
    };
    if path.is_dir() {
        for view in view_files(path)? {
            add(&fs_err::metadata(view)?);
        }
    } else {
        add(&fs_err::metadata(path)?);
    }
    for dependency in dependencies {
        if let Ok(metadata) = fs_err::metadata(sibling_path(path, dependency)) {
            add(&metadata);
        }
    }
    Ok(if is_recent { String::new() } else { hasher.finalize().to_hex()[..16].to_owned() })
}

fn hash_file(hasher: &mut blake3::Hasher, path: &Path) -> io::Result<u64> {
    let metadata = fs_err::metadata(path)?;
    // Opening a FIFO would block, and a device may never end.
    if !metadata.is_file() {
        return Err(io::Error::other(format!("{}: expected a regular file", path.display())));
    }
    // The reader rejects larger files anyway: their size is enough to notice a change.
    if metadata.len() > limits::FILE_BYTES {
        hasher.update(&metadata.len().to_le_bytes());
        return Ok(metadata.len());
    }
    let before = hasher.count();
    hasher.update_reader(fs_err::File::open(path)?.take(limits::FILE_BYTES))?;
    Ok(hasher.count() - before)
}

fn sibling_path(path: &Path, dependency: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(dependency)
}

/// Files that an asset references, relative to its folder, sorted; none if the file cannot be parsed.
fn referenced_files(path: &Path) -> io::Result<Vec<String>> {
    let mut dependencies = BTreeSet::new();
    // Textures of PLY and COLLADA are not covered: with them, the hashes of existing libraries would change, and all
    // those files would be embedded again.
    let is_covered = matches!(Format::from_path(path), Some(Format::Gltf | Format::Glb | Format::Obj));
    if !is_covered || !fs_err::metadata(path)?.is_file() {
        return Ok(Vec::new());
    }
    for sidecar in sidecars(path, BufReader::with_capacity(1 << 16, fs_err::File::open(path)?))? {
        if sidecar.is_material_library {
            let folder = Path::new(&sidecar.path).parent().unwrap_or(Path::new(""));
            // A missing material library is not an error: the shape can be embedded without it.
            let textures = library_textures(&sibling_path(path, &sidecar.path)).unwrap_or_default();
            let textures = textures.iter().take(MAX_DEPENDENCIES.saturating_sub(dependencies.len()));
            dependencies
                .extend(textures.map(|texture| folder.join(&texture.path).to_string_lossy().into_owned()));
        }
        dependencies.insert(sidecar.path);
    }
    Ok(dependencies.into_iter().take(MAX_DEPENDENCIES).collect())
}

fn library_textures(path: &Path) -> io::Result<Vec<Sidecar>> {
    if !fs_err::metadata(path)?.is_file() {
        return Ok(Vec::new());
    }
    material_library_sidecars(BufReader::new(fs_err::File::open(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_secs(60)
    }

    #[test]
    fn the_hash_covers_materials_and_textures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.obj");
        fs_err::write(&path, "mtllib a.mtl\nv 0 0 0\n").unwrap();
        fs_err::write(folder.path().join("a.mtl"), "newmtl m\nmap_Kd -s 1 1 1 wood.png\n").unwrap();
        let without = fingerprint(&path, later()).unwrap();
        assert_eq!(without.dependencies, ["a.mtl", "wood.png"]);
        fs_err::write(folder.path().join("wood.png"), "pixels").unwrap();
        let with = fingerprint(&path, later()).unwrap();
        assert_ne!(without.content_hash, with.content_hash);
        assert_ne!(without.stat_hash, with.stat_hash);
    }

    #[test]
    fn buffers_and_images_of_gltf_are_dependencies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gltf");
        let dependencies = |json: &str| {
            fs_err::write(&path, json).unwrap();
            referenced_files(&path).unwrap()
        };
        let json = r#"{"asset":{"version":"2.0"},"buffers":[{"uri":"a%20b.bin"},{"uri":"data:;base64,AA"}],"images":[{"uri":"t.png"},{}]}"#;
        assert_eq!(dependencies(json), ["a b.bin", "t.png"]);
        assert!(dependencies("not json").is_empty());
    }

    #[test]
    fn a_recently_modified_file_has_no_stat_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.stl");
        fs_err::write(&path, "solid").unwrap();
        assert_eq!(fingerprint(&path, SystemTime::now()).unwrap().stat_hash, "");
        assert_ne!(fingerprint(&path, later()).unwrap().stat_hash, "");
    }
}
