//! Data URIs and referenced files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

use super::error::quoted;
use crate::image_file;
use crate::sidecar::Sidecar;

/// Longest name that is searched for in several folders.
const MAX_NAME_BYTES: usize = 1024;

/// Padding is often missing in real files, and trailing bits are harmless.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// The bytes of a URI, at most `limit` of them. Error messages contain the URI.
pub(super) fn fetch(uri: &str, document: &Path, limit: u64) -> Result<Vec<u8>, String> {
    match uri.get(..5) {
        Some(scheme) if scheme.eq_ignore_ascii_case("data:") => data(&uri[5..]),
        _ => {
            let candidates = candidate_paths(uri, document).ok_or_else(|| {
                format!("{} is outside of the file's folder, so it is not read", quoted(uri))
            })?;
            read_first(&candidates, limit).map_err(|reason| format!("{}: {reason}", quoted(uri)))
        }
    }
}

/// As [`fetch`], but missing images are searched for in the usual folders: images are moved and renamed more often than
/// buffers, and a wrong texture is less harmful than a wrong shape.
pub(super) fn fetch_image(uri: &str, document: &Path, limit: u64) -> Result<Vec<u8>, String> {
    fetch(uri, document, limit).or_else(|reason| {
        let decoded = percent_decode_str(uri).decode_utf8_lossy().into_owned();
        let inside = candidate_paths(uri, document).is_some() && uri.len() < MAX_NAME_BYTES;
        let found = if inside { image_file::find_near(document, &decoded) } else { None };
        found.and_then(|path| read_file(&path, limit).ok()).ok_or(reason)
    })
}

/// The file that a URI refers to; `None` for data URIs and those that are not read.
pub(super) fn sidecar(uri: &str) -> Option<Sidecar> {
    let decoded = percent_decode_str(uri).decode_utf8().unwrap_or(uri.into());
    checked_relative_path(uri).and(checked_relative_path(&decoded))?;
    Some(Sidecar { path: decoded.replace('\\', "/"), written: uri.to_owned(), is_material_library: false })
}

/// The content of `data:` URI, without that prefix.
fn data(rest: &str) -> Result<Vec<u8>, String> {
    let (head, body) = rest.split_once(',').ok_or("data URI without a comma")?;
    if !head.to_ascii_lowercase().ends_with(";base64") {
        return Ok(percent_decode_str(body).collect());
    }
    let cleaned;
    let body = if body.bytes().any(|b| b == b'%' || b.is_ascii_whitespace()) {
        cleaned = percent_decode_str(body).filter(|b| !b.is_ascii_whitespace()).collect::<Vec<_>>();
        &cleaned[..]
    } else {
        body.as_bytes()
    };
    let alphabet = if body.iter().any(|b| matches!(b, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(body).map_err(|error| format!("data URI: {error}"))
}

/// The files a relative URI may mean, likeliest first, or `None` if it leads out of the folder that holds the
/// document's folder. Asset packs do keep `../textures` next to `models`, but no shape needs `/etc` or a server.
fn candidate_paths(uri: &str, document: &Path) -> Option<Vec<PathBuf>> {
    let folder = document.parent().unwrap_or(Path::new(""));
    let decoded = percent_decode_str(uri).decode_utf8_lossy().into_owned();
    let paths: Vec<PathBuf> = [decoded.as_str(), uri]
        .iter()
        .filter_map(|text| checked_relative_path(text))
        .map(|path| folder.join(path))
        .collect();
    // Both interpretations must stay inside.
    (paths.len() == 2).then_some(paths)
}

/// The relative path a text names, if it climbs at most one folder.
fn checked_relative_path(text: &str) -> Option<PathBuf> {
    let text = text.replace('\\', "/");
    if text.is_empty() || text.starts_with('/') || text.contains('\0') {
        return None;
    }
    // `C:`, `http:`, `file:` …: a colon in the first part makes it a drive or a scheme (RFC 3986, section 4.2).
    if text.split('/').next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    let mut depth = 1_i32;
    let mut path = PathBuf::new();
    for part in text.split('/') {
        match part {
            "" | "." => continue,
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return None;
        }
        path.push(part);
    }
    Some(path)
}

fn read_first(candidates: &[PathBuf], limit: u64) -> Result<Vec<u8>, String> {
    let mut reason = String::new();
    for path in candidates {
        match read_file(path, limit) {
            Ok(bytes) => return Ok(bytes),
            Err(error) if reason.is_empty() => reason = error,
            Err(_) => {}
        }
    }
    Err(reason)
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let describe = |error: std::io::Error| error.to_string().to_lowercase();
    let metadata = std::fs::metadata(path).map_err(describe)?;
    // A pipe or a device would hang the reader.
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    if metadata.len() > limit {
        return Err(format!("{} bytes, the limit is {limit}", metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(describe)?;
    file.take(limit).read_to_end(&mut bytes).map_err(describe)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_uris_are_decoded() {
        let path = Path::new("a.gltf");
        assert_eq!(fetch("data:application/octet-stream;base64,AAEC", path, 9).unwrap(), [0, 1, 2]);
        assert_eq!(fetch("DATA:;base64,AA%3D%3D", path, 9).unwrap(), [0]);
        assert_eq!(fetch("data:,a%20b", path, 9).unwrap(), b"a b");
        assert!(fetch("data:;base64,@@", path, 9).is_err());
        assert!(fetch("data:", path, 9).is_err());
    }

    #[test]
    fn files_stay_near_the_document() {
        let near = |uri| candidate_paths(uri, Path::new("pack/models/a.gltf")).map(|paths| paths[0].clone());
        assert_eq!(near("t%20x/a.png"), Some("pack/models/t x/a.png".into()));
        assert_eq!(near("../textures/a.png"), Some("pack/models/../textures/a.png".into()));
        assert_eq!(near("tex\\a.png"), Some("pack/models/tex/a.png".into()));
        for outside in [
            "../../a.png",
            "a/../../../b",
            "/etc/passwd",
            "%2Fetc/passwd",
            "\\\\host\\a",
            "C:/a",
            "http://x/a",
            "",
            "file:a",
            "..%2f..%2fa",
        ] {
            assert_eq!(near(outside), None, "{outside}");
        }
    }
}
