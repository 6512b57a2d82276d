//! Captions from a file itself: its name, its folder, and the names and metadata in a glTF file.

use serde_json::Value;

use crate::{Caption, normalize_split};

/// Words that do not describe a shape.
const STOP_WORDS: [&str; 84] = [
    "3d",
    "3ds",
    "ascii",
    "asset",
    "assets",
    "base",
    "basecolor",
    "binary",
    "blend",
    "blender",
    "cad",
    "collada",
    "collection",
    "converted",
    "copy",
    "dae",
    "default",
    "default_scene",
    "download",
    "draco",
    "embedded",
    "empty",
    "export",
    "exported",
    "fbx",
    "file",
    "files",
    "final",
    "geometry",
    "glb",
    "gltf",
    "group",
    "highpoly",
    "hi",
    "low",
    "lowpoly",
    "lod",
    "lod0",
    "lod1",
    "lod2",
    "main",
    "material",
    "mesh",
    "meshes",
    "model",
    "models",
    "modelo",
    "new",
    "node",
    "none",
    "normalized",
    "null",
    "obj",
    "object",
    "objects",
    "off",
    "old",
    "optimized",
    "output",
    "part",
    "parts",
    "ply",
    "poly",
    "prefab",
    "public",
    "quantized",
    "raw",
    "res",
    "rig",
    "rigged",
    "root",
    "rootnode",
    "scene",
    "scenes",
    "sketchfab",
    "source",
    "static",
    "stl",
    "temp",
    "test",
    "textured",
    "textures",
    "unnamed",
    "untitled",
];
/// Keys of glTF `extras` with human-readable texts.
const EXTRAS_KEYS: [&str; 5] = ["title", "name", "description", "caption", "tags"];
/// Maximum length of a caption in characters.
const MAX_CAPTION_CHARS: usize = 300;
/// Maximum number of names of scenes, of meshes and of nodes that are used.
const MAX_NAMES: usize = 3;
/// Maximum size of the JSON of a glTF file, in bytes.
const MAX_JSON_BYTES: usize = 64 << 20;

/// Captions from a file's name, its folder and its metadata, without duplicates.
///
/// ```
/// let captions = lexiform_data::caption::from_file::captions("furniture/office_chair-02.obj", b"v 0 0 0");
/// let texts: Vec<&str> = captions.iter().map(|caption| caption.text.as_str()).collect();
/// assert_eq!(texts, ["office chair", "furniture"]);
/// ```
pub fn captions(name: &str, bytes: &[u8]) -> Vec<Caption> {
    let mut found: Vec<Caption> = Vec::new();
    let mut add = |text: Option<String>, from: &str| {
        if let Some(text) = text.filter(|text| !found.iter().any(|c| c.text.eq_ignore_ascii_case(text))) {
            // The first source of a text wins, in the order name, folder, metadata.
            found.push(Caption::new(text, from));
        }
    };
    let file = name.rsplit('/').next().unwrap_or(name);
    add(name_to_words(file.rsplit_once('.').map_or(file, |(stem, _)| stem)), "name");
    add(label_from_folder(name), "folder");
    for text in gltf_texts(bytes) {
        add(text, "metadata");
    }
    found
}

/// The words of the nearest folder that has any: `furniture/office_chair/model.glb` → `office chair`.
pub fn label_from_folder(name: &str) -> Option<String> {
    name.rsplit('/').skip(1).filter(|folder| normalize_split(folder).is_none()).find_map(name_to_words)
}

/// The split that a folder of the path names, as in ModelNet's `chair/test/chair_0890.off`.
pub fn split_from_folder(name: &str) -> Option<&'static str> {
    name.rsplit('/').skip(1).find_map(normalize_split)
}

/// A name as words: `SheenChair_02.lowpoly` → `sheen chair`; `None` if no word is left, as for an id.
pub fn name_to_words(name: &str) -> Option<String> {
    let chunks = name.split(|c: char| !c.is_alphanumeric() && c != '\'');
    // Before splitting at capitals: `glTF` is one word.
    let chunks = chunks.filter(|chunk| !STOP_WORDS.contains(&chunk.to_lowercase().as_str()));
    let spaced = chunks.map(split_camel_case).collect::<Vec<_>>().join(" ");
    let kept = spaced.split_whitespace().map(str::to_lowercase).filter(|word| is_informative(word));
    let text = kept.collect::<Vec<_>>().join(" ");
    // A single letter, as in `x 12`, does not describe anything.
    (text.chars().filter(|c| c.is_alphabetic()).count() >= 2)
        .then(|| text.chars().take(MAX_CAPTION_CHARS).collect())
}

/// Inserts spaces where lower case letters are followed by capitals.
fn split_camel_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 8);
    for (i, c) in chars.iter().enumerate() {
        let (before, after) = (i.checked_sub(1).map(|j| chars[j]), chars.get(i + 1));
        // `SheenChair` splits before `C`; in `USBStick` only the last capital starts a word.
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase() || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        if starts_word {
            out.push(' ');
        }
        out.push(*c);
    }
    out
}

/// Whether a word may describe a shape; ids and version numbers do not.
fn is_informative(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let digits = word.chars().filter(|c| c.is_ascii_digit()).count();
    // Parts of uids and hashes. Two digits, so that words such as `facade` are kept.
    let is_hex = word.len() >= 6 && digits >= 2 && word.chars().all(|c| c.is_ascii_hexdigit());
    // `v2`, `b01`.
    let is_version = letters == 1 && digits > 0;
    letters > 0
        && !is_hex
        && !is_version
        && word.chars().count() > 1
        && digits <= letters
        && !STOP_WORDS.contains(&word)
}

/// Titles, descriptions and names in the JSON of a glTF file; empty for other files.
fn gltf_texts(bytes: &[u8]) -> Vec<Option<String>> {
    let Some(root) = gltf_json(bytes).and_then(|json| serde_json::from_slice::<Value>(json).ok()) else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    let extras = [root.pointer("/asset/extras"), root.pointer("/extras"), root.pointer("/scenes/0/extras")];
    for extras in extras.into_iter().flatten() {
        for text in EXTRAS_KEYS.iter().filter_map(|key| extras.get(key)).flat_map(extras_text) {
            // A sentence is kept verbatim, a name is split into words.
            let is_sentence = text.split_whitespace().count() >= 4;
            texts.push(if is_sentence {
                Some(text.chars().take(MAX_CAPTION_CHARS).collect())
            } else {
                name_to_words(&text)
            });
        }
    }
    // From the whole to its parts: the first names are the most likely to describe the shape.
    for list in ["scenes", "meshes", "nodes"] {
        let named = root.get(list).and_then(Value::as_array).into_iter().flatten();
        let names = named.filter_map(|item| item.get("name")?.as_str()).filter_map(name_to_words);
        texts.extend(names.take(MAX_NAMES).map(Some));
    }
    texts
}

/// A text, or the texts of a list joined by spaces.
fn extras_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Array(list) => {
            // Bounded, because lists of tags may be long.
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).take(16).collect();
            (!words.is_empty()).then(|| words.join(" "))
        }
        _ => None,
    }
}

/// The JSON inside a glTF file of either kind.
fn gltf_json(bytes: &[u8]) -> Option<&[u8]> {
    let json = match bytes.strip_prefix(b"glTF") {
        // Version and length, then length and type of the first chunk.
        Some(rest) => {
            let length = u32::from_le_bytes(rest.get(8..12)?.try_into().ok()?) as usize;
            if rest.get(12..16)? != b"JSON" {
                return None;
            }
            rest.get(16..)?.get(..length)?
        }
        None => {
            let text = bytes.trim_ascii_start();
            let is_gltf = text.starts_with(b"{")
                && text.len() < MAX_JSON_BYTES
                && text.windows(7).any(|w| w == b"\"asset\"");
            is_gltf.then_some(text)?
        }
    };
    (json.len() <= MAX_JSON_BYTES).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        for (name, expected) in [
            ("SheenChair", "sheen chair"),
            ("office_chair-02.lowpoly", "office chair"),
            ("USBStick v2", "usb stick"),
            ("fauteuil élégant", "fauteuil élégant"),
            ("person's hat", "person's hat"),
        ] {
            assert_eq!(name_to_words(name).as_deref(), Some(expected), "{name}");
        }
        for name in [
            "model",
            "scene_final",
            "0a1b2c3d4e5f",
            "1a04e3eab45ca15dd86060f189eb133",
            "",
            "x",
            "1234",
            "lod0",
        ] {
            assert_eq!(name_to_words(name), None, "{name}");
        }
    }

    #[test]
    fn captions_come_from_name_folder_and_metadata() {
        let json = br#"{"asset": {"version": "2.0", "extras": {"title": "Old rusty bucket with a handle"}},
            "scenes": [{"name": "Sketchfab_Scene"}], "nodes": [{"name": "Bucket_Handle"}]}"#;
        let output = captions("props/buckets/glTF/model.gltf", json);
        let output: Vec<(&str, &str)> = output.iter().map(|c| (c.text.as_str(), c.source.as_str())).collect();
        let expected = [
            ("buckets", "folder"),
            ("Old rusty bucket with a handle", "metadata"),
            ("bucket handle", "metadata"),
        ];
        assert_eq!(output, expected);
        assert_eq!(captions("Duck.glb", b"glTF\x02\0\0\0").len(), 1);
        assert!(captions("0a1b2c3d4e.obj", b"v 0 0 0").is_empty());
        let model_net = "ModelNet40/night_stand/train/night_stand_0001.off";
        assert_eq!(
            (label_from_folder(model_net).as_deref(), split_from_folder(model_net)),
            (Some("night stand"), Some("train"))
        );
    }
}
