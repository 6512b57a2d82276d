//! Recognizing an asset's content: a hash over the file and the files it draws on, and a cheap stamp of both.
//!
//! The stamp (sizes and times) decides whether a file must be read again; the hash decides whether it changed.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lexiform_mesh_io::{Format, Sidecar, limits, material_library_sidecars, sidecars};

/// What a file's content is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash over the file and its side files, in hexadecimal.
    pub content_hash: String,
    /// Sizes and times; empty when too fresh to be trusted.
    pub stat_hash: String,
    /// Files the asset draws on (buffers, materials, textures), relative to its folder, sorted.
    pub dependencies: Vec<String>,
    /// Bytes of the file itself.
    pub bytes: u64,
    /// When the file itself was last changed: nanoseconds since 1970-01-01 UTC.
    pub modified_ns: Option<i64>,
}

/// A file written less than this before it was read may change again without a new time.
const MTIME_RESOLUTION: Duration = Duration::from_secs(2);
/// Most side files of one asset.
const MAX_DEPENDENCIES: usize = 4096;

/// Reads and hashes a file with its side files. `now` decides whether the stamp can be trusted.
pub fn fingerprint(path: &Path, now: SystemTime) -> io::Result<Fingerprint> {
    let dependencies = referenced_files(path)?;
    let mut hasher = blake3::Hasher::new();
    let stat_hash = stat_hash(path, &dependencies, now)?;
    let bytes = hash_file(&mut hasher, path)?;
    for dependency in &dependencies {
        hasher.update(&[0]);
        hasher.update(dependency.as_bytes());
        // A missing side file is part of the content: when it appears, the asset looks different.
        if hash_file(&mut hasher, &sibling_path(path, dependency)).is_err() {
            hasher.update(b"\0missing");
        }
    }
    let modified_ns = modified_ns(&fs_err::metadata(path)?);
    Ok(Fingerprint {
        content_hash: hasher.finalize().to_hex()[..32].to_owned(),
        stat_hash,
        dependencies,
        bytes,
        modified_ns,
    })
}

fn modified_ns(metadata: &std::fs::Metadata) -> Option<i64> {
    let since_epoch = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_nanos()).ok()
}

/// Sizes and times of a file and its side files as one short text; empty when one of them was written just `now`.
pub fn stat_hash(path: &Path, dependencies: &[String], now: SystemTime) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut is_fresh = false;
    let mut add = |metadata: &std::fs::Metadata| {
        is_fresh |= metadata.modified().is_ok_and(|modified| modified + MTIME_RESOLUTION > now);
        hasher.update(&metadata.len().to_le_bytes());
        hasher.update(&modified_ns(metadata).unwrap_or_default().to_le_bytes());
    };
    add(&fs_err::metadata(path)?);
    for dependency in dependencies {
        if let Ok(metadata) = fs_err::metadata(sibling_path(path, dependency)) {
            add(&metadata);
        }
    }
    Ok(if is_fresh { String::new() } else { hasher.finalize().to_hex()[..16].to_owned() })
}

fn hash_file(hasher: &mut blake3::Hasher, path: &Path) -> io::Result<u64> {
    let metadata = fs_err::metadata(path)?;
    // Opening a fifo waits for ever, and a device may have no end.
    if !metadata.is_file() {
        return Err(io::Error::other(format!("{}: not a regular file", path.display())));
    }
    // Such a file is refused by the reader in any case: its size is enough to know it by.
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

/// Paths of the files that an asset draws on, relative to its folder. A file that cannot be understood has none.
fn referenced_files(path: &Path) -> io::Result<Vec<String>> {
    let mut dependencies = BTreeSet::new();
    // Not the textures of PLY and COLLADA: libraries hold fingerprints made without them.
    let is_covered = matches!(Format::from_path(path), Some(Format::Gltf | Format::Glb | Format::Obj));
    if !is_covered || !fs_err::metadata(path)?.is_file() {
        return Ok(Vec::new());
    }
    for sidecar in sidecars(path, BufReader::with_capacity(1 << 16, fs_err::File::open(path)?))? {
        if sidecar.is_material_library {
            let folder = Path::new(&sidecar.path).parent().unwrap_or(Path::new(""));
            // The library may be missing; that is the reader's matter.
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
    match fs_err::metadata(path)?.is_file() {
        true => material_library_sidecars(BufReader::new(fs_err::File::open(path)?)),
        false => Ok(Vec::new()),
    }
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
    fn buffers_and_images_of_gltf_are_side_files() {
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
    fn a_fresh_file_has_no_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.stl");
        fs_err::write(&path, "solid").unwrap();
        assert_eq!(fingerprint(&path, SystemTime::now()).unwrap().stat_hash, "");
        assert_ne!(fingerprint(&path, later()).unwrap().stat_hash, "");
    }
}
