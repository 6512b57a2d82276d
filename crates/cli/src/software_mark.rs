//! Recognizing files that Lexiform wrote, by what they say about their software.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use lexiform_data::embeddings::is_written_by_lexiform;
use lexiform_formats::{SOFTWARE, png};

/// Bytes read of a file whose mark is near the start.
const HEAD: u64 = 4096;
/// Largest JSON header that is read, in bytes. A larger one is not recognized, and its file needs `--force`.
const MAX_JSON: u64 = 64 << 20;
/// Keys in the headers of our models' files, which have no entry of their own for the software.
const MODEL_KEYS: [&str; 2] = ["lexiform", "lexiform-points"];
/// The key in the headers of other `.safetensors` files.
const SAFETENSORS_KEY: &str = "software";

/// Whether a file says that Lexiform wrote it. NPY, CSV, XYZ and JSON have no place for that, so their files never do; of NPZ, HDF5
/// and Parquet, files of embeddings do.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn has_mark(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    (&mut file).take(HEAD).read_to_end(&mut head)?;
    let length_at = |at: usize| {
        let bytes = head.get(at..)?.first_chunk::<4>()?;
        Some(u64::from(u32::from_le_bytes(*bytes)))
    };
    if head.starts_with(b"\x89PNG") {
        return Ok(png::text(&head, "Software") == Some(SOFTWARE));
    }
    if head.starts_with(b"glTF") {
        // A JSON chunk comes first: after the header of 12 bytes, its length and its name.
        let json = json_at(path, 20, length_at(12).unwrap_or(0))?;
        return Ok(json["asset"]["generator"] == SOFTWARE);
    }
    if head.get(8) == Some(&b'{') {
        // The header of a .safetensors file: the length in 8 bytes, then JSON. A text file has large numbers there.
        let length = head.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let json = json_at(path, 8, length)?;
        let metadata = &json["__metadata__"];
        let is_model = MODEL_KEYS.iter().any(|key| metadata.get(key).is_some());
        return Ok(is_model || metadata[SAFETENSORS_KEY] == SOFTWARE);
    }
    if head.starts_with(b"PK") && is_marked_3mf(&head) {
        return Ok(true);
    }
    // Binary STL begins with 80 bytes of any text.
    Ok(head.starts_with(SOFTWARE.as_bytes()) || has_marked_line(&head) || is_written_by_lexiform(path))
}

/// Whether the start of the model in a 3MF file, which is not compressed, names us.
fn is_marked_3mf(head: &[u8]) -> bool {
    let mark = format!("<metadata name=\"Application\">{SOFTWARE}</metadata>");
    head.windows(mark.len()).any(|window| window == mark.as_bytes())
}

/// Whether one of the first lines is a comment that names us: OBJ, MTL, OFF, PCD; PLY; manual pages; HTML.
fn has_marked_line(head: &[u8]) -> bool {
    let comments = ["# ", "comment ", ".\\\" "].map(|start| format!("{start}{SOFTWARE}"));
    let meta = format!("<meta name=\"generator\" content=\"{SOFTWARE}\">");
    // A page has its element after the character set, point files have the comment on the first or second line, or third.
    head.split(|&byte| byte == b'\n').take(8).any(|line| {
        let line = line.trim_ascii();
        line == meta.as_bytes() || comments.iter().any(|comment| line == comment.as_bytes())
    })
}

/// JSON of `length` bytes inside a file; null if it is too long or invalid.
fn json_at(path: &Path, start: u64, length: u64) -> io::Result<serde_json::Value> {
    use std::io::{Seek as _, SeekFrom};
    if length > MAX_JSON {
        return Ok(serde_json::Value::Null);
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_where_each_format_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let check = |content: &[u8]| {
            let path = folder.path().join("file");
            std::fs::write(&path, content).unwrap();
            has_mark(&path).unwrap()
        };
        let safetensors =
            |json: &str| [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), &[0; 4]].concat();
        let ours: [&[u8]; 8] = [
            b"ply\nformat ascii 1.0\ncomment Lexiform\nend_header\n",
            b"# Lexiform\nv 0 0 0\n",
            b"COFF\r\n# Lexiform\r\n0 0 0\r\n",
            &[b"Lexiform".as_slice(), &[0; 76]].concat(),
            b"<!doctype html>\n<head>\n<meta name=\"generator\" content=\"Lexiform\">\n",
            b".\\\" Lexiform\n.TH lexiform 1\n",
            &safetensors(r#"{"__metadata__":{"software":"Lexiform"}}"#),
            &safetensors(r#"{"__metadata__":{"lexiform-points":"{}"}}"#),
        ];
        for (i, content) in ours.into_iter().enumerate() {
            assert!(check(content), "{i}");
        }
        let others: [&[u8]; 6] = [
            b"",
            b"glTF",
            b"v 0 0 0\n# Lexiform makes pictures of this\n",
            b"file,label\na.obj,Lexiform\n",
            b"12345678{ not a header }",
            &safetensors(r#"{"__metadata__":{"format":"pt"}}"#),
        ];
        for (i, content) in others.into_iter().enumerate() {
            assert!(!check(content), "{i}");
        }
    }
}
