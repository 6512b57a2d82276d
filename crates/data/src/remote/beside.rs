//! Which objects beside a 3D file it means: material libraries, buffers, textures.
//!
//! A reader looks files up beside its own, so what is meant must lie in a folder before it reads. Nothing is parsed for that:
//! an object is meant where its file name stands in the text, which finds a few too many and misses none.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use lexiform_mesh_io::Format;
use object_store::path::Path as Key;

/// Most objects that are brought beside one file.
const MOST: usize = 1024;
/// Most objects of the same name.
const MOST_NAMESAKES: usize = 16;
/// Longest text around a name, in bytes.
const LONGEST: usize = 512;
/// Words of a name with spaces.
const MOST_WORDS: usize = 8;
/// Where else below the folder above readers look.
const ELSEWHERE: [&str; 4] = ["textures", "texture", "images", "materials"];
/// Header of a binary PLY, which names its texture, in bytes.
const PLY_HEADER: usize = 64 << 10;

/// Objects that are no 3D files, found by their file names.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Lower-case file name → keys and sizes.
    by_name: HashMap<String, Vec<(Key, u64)>>,
    /// Their endings, in lower case.
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

    /// The objects that a file at `owner` may mean by what `text` says, nearest first, each once.
    pub fn meant(&self, owner: &Key, text: &[u8]) -> Vec<(Key, u64)> {
        if self.by_name.is_empty() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(text).to_lowercase();
        let mut names = BTreeSet::new();
        // A library with the shape's own name is taken where the one that is named is not there.
        let own = owner.filename().and_then(|name| name.rsplit_once('.'));
        names.extend(own.map(|(stem, _)| format!("{}.mtl", stem.to_lowercase())));
        // JSON writes other letters as codes.
        let plain = if text.contains("\\u") { decode_codes(&text) } else { text };
        for piece in plain.split(['"', '\'', '/', '\\', '<', '>', '\n', '\r', '\t', ',']) {
            if piece.len() <= LONGEST && piece.contains('.') {
                self.names_in(piece.trim(), &mut names);
            }
        }
        names.iter().flat_map(|name| self.near(owner, name)).take(MOST).collect()
    }

    /// Names of objects that stand in a piece of text, also those with spaces.
    fn names_in(&self, piece: &str, names: &mut BTreeSet<String>) {
        let words: Vec<&str> = piece.split(' ').collect();
        for (last, word) in words.iter().enumerate() {
            let ending = word.rsplit_once('.').map(|(_, ending)| ending);
            if !ending.is_some_and(|ending| self.endings.contains(ending)) {
                continue;
            }
            for first in last.saturating_sub(MOST_WORDS - 1)..=last {
                let name = words[first..=last].join(" ");
                let decoded = percent_decoded(&name);
                for name in [name, decoded] {
                    if self.by_name.contains_key(&name) {
                        names.insert(name);
                    }
                }
            }
        }
    }

    /// Objects of a name in the owner's folder, below it, or in the folder above and where it usually keeps pictures.
    fn near(&self, owner: &Key, name: &str) -> Vec<(Key, u64)> {
        let folder = folder_of(owner.as_ref());
        let above = folder.map(folder_of);
        let reachable = |key: &Key| {
            let lies = folder_of(key.as_ref());
            let beside_folder = |lies: &str, above: Option<&str>| {
                let pictures = |folder: &str| ELSEWHERE.iter().any(|name| folder.eq_ignore_ascii_case(name));
                folder_of(lies) == above && pictures(lies.rsplit('/').next().unwrap_or(lies))
            };
            match (folder, lies) {
                (None, _) => true,
                (Some(folder), Some(lies)) => {
                    lies == folder
                        || lies.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
                        || above.is_some_and(|above| Some(lies) == above || beside_folder(lies, above))
                }
                (Some(_), None) => above == Some(None),
            }
        };
        let named = self.by_name.get(name).into_iter().flatten();
        let mut found: Vec<_> = named.filter(|(key, _)| reachable(key)).cloned().collect();
        found.sort_by_key(|(key, _)| (key.as_ref().matches('/').count(), key.clone()));
        found.truncate(MOST_NAMESAKES);
        found
    }
}

/// What stands before the last `/`.
fn folder_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

/// The part of a file that may name others; `None` where its format never does.
pub(super) fn naming_part<'a>(path: &Path, bytes: &'a [u8]) -> Option<&'a [u8]> {
    match Format::from_path(path)? {
        Format::Gltf | Format::Obj | Format::Dae => Some(bytes),
        Format::Glb => {
            // After the header comes the length of the JSON.
            let length = bytes.get(12..16)?.try_into().map(u32::from_le_bytes).ok()? as usize;
            Some(bytes.get(20..)?.get(..length).unwrap_or_default())
        }
        Format::Ply => Some(&bytes[..bytes.len().min(PLY_HEADER)]),
        _ => None,
    }
}

/// `%20` → a space.
fn percent_decoded(name: &str) -> String {
    match name.contains('%') {
        true => Key::from_url_path(name).map_or_else(|_| name.to_owned(), |key| key.to_string()),
        false => name.to_owned(),
    }
}

/// `\u00e9` → é; what is no letter stays.
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
    fn what_is_named_is_meant() {
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
    fn some_formats_name_nothing() {
        assert!(naming_part(Path::new("a.stl"), b"solid").is_none());
        let glb = [b"glTF\x02\0\0\0\x20\0\0\0\x04\0\0\0JSON".as_slice(), b"{\"a\"BINARY"].concat();
        assert_eq!(naming_part(Path::new("a.glb"), &glb).unwrap(), b"{\"a\"");
        assert!(naming_part(Path::new("a.glb"), b"glTF").is_none());
    }
}
