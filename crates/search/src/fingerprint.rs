//! Recognizing an asset's content: a hash over the file and the files it draws on, and a cheap stamp of both.
//!
//! The stamp (sizes and times) decides whether a file must be read again; the hash decides whether it changed.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lexiform_mesh_io::{Format, limits};
use serde_json::Value;

/// What a file's content is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash over the file and its side files, in hexadecimal.
    pub content: String,
    /// Sizes and times; empty when too fresh to be trusted.
    pub stamp: String,
    /// Files the asset draws on (buffers, materials, textures), relative to its folder, sorted.
    pub sides: Vec<String>,
    /// Bytes of the file itself.
    pub bytes: u64,
    /// When the file itself was last changed: nanoseconds since 1970-01-01 UTC.
    pub modified_ns: Option<i64>,
}

/// A file written less than this before it was read may change again without a new time.
const FRESH: Duration = Duration::from_secs(2);
/// JSON parts larger than this are not searched for side files.
const JSON_BYTES: u64 = 256 << 20;
/// Longest line of a text format that may name a side file.
const LINE_BYTES: usize = 4096;
/// Most side files of one asset.
const MAX_SIDES: usize = 4096;

/// Reads and hashes a file with its side files. `now` decides whether the stamp can be trusted.
pub fn fingerprint(path: &Path, now: SystemTime) -> io::Result<Fingerprint> {
    let sides = side_files(path)?;
    let mut hasher = blake3::Hasher::new();
    let stamp = stamp(path, &sides, now)?;
    let bytes = hash_file(&mut hasher, path)?;
    for side in &sides {
        hasher.update(&[0]);
        hasher.update(side.as_bytes());
        // A missing side file is part of the content: when it appears, the asset looks different.
        if hash_file(&mut hasher, &beside(path, side)).is_err() {
            hasher.update(b"\0missing");
        }
    }
    let modified_ns = modified_ns(&fs_err::metadata(path)?);
    Ok(Fingerprint { content: hasher.finalize().to_hex()[..32].to_owned(), stamp, sides, bytes, modified_ns })
}

fn modified_ns(metadata: &std::fs::Metadata) -> Option<i64> {
    let since_epoch = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_nanos()).ok()
}

/// Sizes and times of a file and its side files as one short text; empty when one of them was written just `now`.
pub fn stamp(path: &Path, sides: &[String], now: SystemTime) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut is_fresh = false;
    let mut add = |metadata: &std::fs::Metadata| {
        is_fresh |= metadata.modified().is_ok_and(|modified| modified + FRESH > now);
        hasher.update(&metadata.len().to_le_bytes());
        hasher.update(&modified_ns(metadata).unwrap_or_default().to_le_bytes());
    };
    add(&fs_err::metadata(path)?);
    for side in sides {
        if let Ok(metadata) = fs_err::metadata(beside(path, side)) {
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

fn beside(path: &Path, side: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(side)
}

/// Names of the files that an asset draws on. A file that cannot be understood has none.
fn side_files(path: &Path) -> io::Result<Vec<String>> {
    if !fs_err::metadata(path)?.is_file() {
        return Ok(Vec::new());
    }
    let names = match Format::from_path(path) {
        Some(Format::Gltf) => gltf_sides(&read_part(path, 0, JSON_BYTES)?),
        Some(Format::Glb) => glb_json(path)?.map_or(BTreeSet::new(), |json| gltf_sides(&json)),
        Some(Format::Obj) => obj_sides(path)?,
        _ => BTreeSet::new(),
    };
    Ok(names.into_iter().take(MAX_SIDES).collect())
}

/// Up to `length` bytes from `start` on.
fn read_part(path: &Path, start: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut file = fs_err::File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The JSON chunk of a binary glTF file (glTF 2.0, section 4.4), if it has one.
fn glb_json(path: &Path) -> io::Result<Option<Vec<u8>>> {
    /// Header of the file (12 bytes) and of its first chunk (8 bytes).
    const HEADERS: u64 = 20;
    let head = read_part(path, 0, HEADERS)?;
    let is_json = head.starts_with(b"glTF") && head.get(16..20) == Some(b"JSON");
    match head.get(12..16).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes) {
        Some(length) if is_json => read_part(path, HEADERS, u64::from(length).min(JSON_BYTES)).map(Some),
        _ => Ok(None),
    }
}

fn gltf_sides(json: &[u8]) -> BTreeSet<String> {
    let Ok(document) = serde_json::from_slice::<Value>(json) else { return BTreeSet::new() };
    ["buffers", "images"]
        .iter()
        .filter_map(|list| document.get(list)?.as_array())
        .flatten()
        .filter_map(|item| item.get("uri")?.as_str())
        .filter(|uri| !uri.contains(':'))
        .map(percent_decoded)
        .collect()
}

/// Decodes `%20` and the like; what is not a valid escape stays as it is.
fn percent_decoded(uri: &str) -> String {
    let bytes = uri.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let value = escape.and_then(|e| u8::from_str_radix(std::str::from_utf8(e).ok()?, 16).ok());
        decoded.push(value.unwrap_or(bytes[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| uri.to_owned())
}

/// Material libraries of an OBJ file and the textures they name.
fn obj_sides(path: &Path) -> io::Result<BTreeSet<String>> {
    let mut sides = BTreeSet::new();
    let mut libraries = BTreeSet::new();
    for_each_line(path, |line| {
        if let Some(name) = line.trim_start().strip_prefix("mtllib ") {
            libraries.insert(slashed(name));
        }
    })?;
    for library in libraries.into_iter().take(MAX_SIDES) {
        // The library may be missing; that is the reader's matter.
        let textures = for_each_line(&beside(path, &library), |line| {
            let line = line.trim_start();
            let is_map = line.starts_with("map_") || line.starts_with("bump ") || line.starts_with("norm ");
            // Options stand before the name; a name may hold spaces only where there are no options.
            let name = line.split_once(' ').map_or("", |(_, rest)| rest.trim());
            let name = if name.starts_with('-') { name.rsplit(' ').next().unwrap_or(name) } else { name };
            if is_map && !name.is_empty() && sides.len() < MAX_SIDES {
                let folder = Path::new(&library).parent().unwrap_or(Path::new(""));
                sides.insert(folder.join(slashed(name)).to_string_lossy().into_owned());
            }
        });
        drop(textures);
        sides.insert(library);
    }
    Ok(sides)
}

fn slashed(name: &str) -> String {
    name.trim().replace('\\', "/")
}

/// Calls `visit` with each line, cut at [`LINE_BYTES`], so that a file without line breaks takes no memory.
fn for_each_line(path: &Path, mut visit: impl FnMut(&str)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, fs_err::File::open(path)?);
    let mut line = Vec::with_capacity(LINE_BYTES);
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            visit(&String::from_utf8_lossy(&line));
            return Ok(());
        }
        let end = buffer.iter().position(|&b| b == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        line.extend_from_slice(&part[..part.len().min(LINE_BYTES - line.len())]);
        let used = part.len() + usize::from(end.is_some());
        if end.is_some() {
            // Only lines that start with a letter of interest are worth decoding.
            if line.iter().any(|b| b.is_ascii_alphabetic() && *b != b'v' && *b != b'f') {
                visit(&String::from_utf8_lossy(&line));
            }
            line.clear();
        }
        reader.consume(used);
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
        assert_eq!(without.sides, ["a.mtl", "wood.png"]);
        fs_err::write(folder.path().join("wood.png"), "pixels").unwrap();
        let with = fingerprint(&path, later()).unwrap();
        assert_ne!(without.content, with.content);
        assert_ne!(without.stamp, with.stamp);
    }

    #[test]
    fn buffers_and_images_of_gltf_are_side_files() {
        let json =
            br#"{"buffers":[{"uri":"a%20b.bin"},{"uri":"data:;base64,AA"}],"images":[{"uri":"t.png"},{}]}"#;
        assert_eq!(gltf_sides(json).into_iter().collect::<Vec<_>>(), ["a b.bin", "t.png"]);
        assert!(gltf_sides(b"not json").is_empty());
    }

    #[test]
    fn a_fresh_file_has_no_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.stl");
        fs_err::write(&path, "solid").unwrap();
        assert_eq!(fingerprint(&path, SystemTime::now()).unwrap().stamp, "");
        assert_ne!(fingerprint(&path, later()).unwrap().stamp, "");
    }
}
