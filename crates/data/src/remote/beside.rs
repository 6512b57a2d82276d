//! Which objects a 3D file references: material libraries, buffers, textures.
//!
//! Readers open referenced files relative to the 3D file, so these have to be downloaded first. Files are not parsed for that: an
//! object counts as referenced if its file name occurs in the text, which finds a few too many and misses none.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use lexiform_geometry::io::Format;
use object_store::path::Path as Key;
use percent_encoding::percent_decode_str;

/// Maximum number of objects that one file references.
const MOST: usize = 1024;
/// Maximum number of objects of the same name.
const MOST_NAMESAKES: usize = 16;
/// Maximum length of a text that contains a name, in bytes.
const LONGEST: usize = 512;
/// Maximum number of words in a name with spaces.
const MOST_WORDS: usize = 8;
/// Folders of the parent folder in which readers also look for textures.
const ELSEWHERE: [&str; 4] = ["textures", "texture", "images", "materials"];
/// Maximum size of a PLY header, which may name a texture, in bytes.
const PLY_HEADER: usize = 64 << 10;

/// Objects that are not 3D files, by file name.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Lower-case file name → keys and sizes.
    by_name: HashMap<String, Vec<(Key, u64)>>,
    /// Their extensions, in lower case.
    endings: HashSet<String>,
}

impl Others {
    /// Adds an object.
    pub fn push(&mut self, key: Key, size: u64) {
        let Some(name) = key.filename().map(str::to_lowercase) else { return };
        let Some((_, ending)) = name.rsplit_once('.') else { return };
        self.endings.insert(ending.to_owned());
        self.by_name.entry(name).or_default().push((key, size));
    }

    /// The objects that the file `owner` with the content `text` may reference, nearest first, each once.
    pub fn meant(&self, owner: &Key, text: &[u8]) -> Vec<(Key, u64)> {
        if self.by_name.is_empty() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(text).to_lowercase();
        let mut names = BTreeSet::new();
        // Readers fall back to a material library with the file's own name.
        let own = owner.filename().and_then(|name| name.rsplit_once('.'));
        names.extend(own.map(|(stem, _)| format!("{}.mtl", stem.to_lowercase())));
        // JSON may escape non-ASCII letters.
        let plain = if text.contains("\\u") { decode_codes(&text) } else { text };
        for piece in plain.split(['"', '\'', '/', '\\', '<', '>', '\n', '\r', '\t', ',']) {
            if piece.len() <= LONGEST && piece.contains('.') {
                self.names_in(piece.trim(), &mut names);
            }
        }
        names.iter().flat_map(|name| self.near(owner, name)).take(MOST).collect()
    }

    /// Adds the names of objects that occur in a piece of text, including names with spaces.
    fn names_in(&self, piece: &str, names: &mut BTreeSet<String>) {
        let words: Vec<&str> = piece.split(' ').collect();
        for (last, word) in words.iter().enumerate() {
            let ending = word.rsplit_once('.').map(|(_, ending)| ending);
            if !ending.is_some_and(|ending| self.endings.contains(ending)) {
                continue;
            }
            for first in last.saturating_sub(MOST_WORDS - 1)..=last {
                let name = words[first..=last].join(" ");
                let decoded =
                    percent_decode_str(&name).decode_utf8().map_or_else(|_| name.clone(), Into::into);
                for name in [name, decoded] {
                    if self.by_name.contains_key(&name) {
                        names.insert(name);
                    }
                }
            }
        }
    }

    /// Objects of a name in the owner's folder or below, in its parent folder, or in a texture folder of the parent folder.
    fn near(&self, owner: &Key, name: &str) -> Vec<(Key, u64)> {
        let folder = folder_of(owner.as_ref());
        let named = self.by_name.get(name).into_iter().flatten();
        let mut found: Vec<_> =
            named.filter(|(key, _)| is_reachable(folder, folder_of(key.as_ref()))).cloned().collect();
        found.sort_by_key(|(key, _)| (key.as_ref().matches('/').count(), key.clone()));
        found.truncate(MOST_NAMESAKES);
        found
    }
}

/// Whether readers look for files of a 3D file in `folder` in the folder `other`; `None` is the root.
fn is_reachable(folder: Option<&str>, other: Option<&str>) -> bool {
    let Some(folder) = folder else { return true };
    let parent = folder_of(folder);
    let Some(other) = other else { return parent.is_none() };
    let is_below = other.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let name = other.rsplit('/').next().unwrap_or(other);
    let is_textures = ELSEWHERE.iter().any(|textures| name.eq_ignore_ascii_case(textures));
    is_below || parent == Some(other) || (folder_of(other) == parent && is_textures)
}

/// The folder of a path; `None` for the root.
fn folder_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

/// The part of a file that may reference others; `None` if its format never does.
pub(super) fn naming_part<'a>(path: &Path, bytes: &'a [u8]) -> Option<&'a [u8]> {
    match Format::from_path(path)? {
        Format::Gltf | Format::Obj | Format::Dae => Some(bytes),
        Format::Glb => {
            // The header is followed by the length of the JSON chunk.
            let length = bytes.get(12..16)?.try_into().map(u32::from_le_bytes).ok()? as usize;
            Some(bytes.get(20..)?.get(..length).unwrap_or_default())
        }
        Format::Ply => Some(&bytes[..bytes.len().min(PLY_HEADER)]),
        _ => None,
    }
}

/// Decodes `\u00e9` to é; escapes that are not characters are kept.
fn decode_codes(text: &str) -> String {
    let mut pieces = text.split("\\u");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(letter) => {
                out.extend(letter.to_lowercase());
                out.push_str(&piece[4..]);
            }
            None => {
                out.push_str("\\u");
                out.push_str(piece);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_text_are_references() {
        let mut others = Others::default();
        let keys = [
            "a/chair.mtl",
            "a/my wood.png",
            "a/textures/Seat.JPG",
            "textures/leg.png",
            "b/seat.jpg",
            "a/unused.png",
            "a/é.bin",
            "a/deep/er/back.png",
        ];
        for key in keys {
            others.push(Key::parse(key).unwrap(), 1);
        }
        let meant = |owner: &str, text: &str| {
            let found = others.meant(&Key::parse(owner).unwrap(), text.as_bytes());
            found.into_iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(meant("a/chair.obj", "v 0.5 1.0 2\n"), ["a/chair.mtl"]);
        assert_eq!(meant("a/x.obj", "mtllib chair.mtl\n"), ["a/chair.mtl"]);
        assert_eq!(meant("a/x.mtl", "map_Kd -o 1 1 C:\\maps\\my wood.png\n"), ["a/my wood.png"]);
        assert_eq!(
            meant("a/x.gltf", r#"{"uri":"textures/seat.jpg"},{"uri":"my%20wood.png"}"#),
            ["a/my wood.png", "a/textures/Seat.JPG"]
        );
        assert_eq!(
            meant("a/x.gltf", r#"{"uri":"\u00e9.bin"},{"uri":"back.png"}"#),
            ["a/deep/er/back.png", "a/é.bin"]
        );
        assert_eq!(meant("a/x.dae", "<init_from>../textures/leg.png</init_from>"), ["textures/leg.png"]);
        assert_eq!(meant("c/d/x.obj", "mtllib chair.mtl\n"), [""; 0]);
    }

    #[test]
    fn some_formats_have_no_references() {
        assert!(naming_part(Path::new("a.stl"), b"solid").is_none());
        let glb = [b"glTF\x02\0\0\0\x20\0\0\0\x04\0\0\0JSON".as_slice(), b"{\"a\"BINARY"].concat();
        assert_eq!(naming_part(Path::new("a.glb"), &glb).unwrap(), b"{\"a\"");
        assert!(naming_part(Path::new("a.glb"), b"glTF").is_none());
    }
}
