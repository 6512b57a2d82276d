//! The words of a record, by where they come from.

use super::normalize::name_words;
use crate::{Captions, Payload};

/// Most words of one field: captions and lists of objects may be long, and later words say less.
const MAX_WORDS: usize = 256;
/// Keys of [`Payload::extra`] with words of people.
const CAPTION_KEYS: [&str; 8] =
    ["label", "labels", "tags", "caption", "captions", "title", "description", "category"];
/// Words that modeling software names new objects, materials and files with: a chair whose object is called "Cube.003" is no cube.
#[rustfmt::skip]
const DEFAULT_NAMES: &[&str] = &[
    "armature", "ascii", "binary", "blender", "blinn", "box", "by", "circle", "cone", "created", "cube", "curve", "cylinder",
    "default", "empty", "export", "exported", "from", "geometry", "group", "high", "icosphere", "initial", "lambert", "lod",
    "low", "mat", "material", "mesh", "meshlab", "model", "node", "none", "object", "openscad", "phong", "plane", "poly", "root",
    "scene", "sg", "shading", "shape", "sketchup", "solid", "sphere", "stl", "sub", "surface", "torus", "untitled", "vcg",
];

/// The words of a record as the columns of the index of names, words separated by spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameFields {
    /// File name without its extension.
    pub stem: String,
    /// Objects in the file.
    pub objects: String,
    /// Folders of the path.
    pub folders: String,
    /// Materials in the file.
    pub materials: String,
    /// Labels, tags and captions.
    pub captions: String,
}

impl NameFields {
    /// The words of a payload with these captions.
    pub fn of(payload: &Payload, captions: Option<&Captions>) -> Self {
        let (folders, name) = payload.path.rsplit_once('/').unwrap_or(("", &payload.path));
        Self {
            stem: joined(name_words(stem(name))),
            objects: joined(distinct_words(&payload.objects)),
            folders: joined(name_words(folders)),
            materials: joined(distinct_words(&payload.materials)),
            captions: joined(caption_words(payload, captions)),
        }
    }

    /// The columns in the order of the table.
    pub fn columns(&self) -> [&str; 5] {
        [&self.stem, &self.objects, &self.folders, &self.materials, &self.captions]
    }

    /// All words.
    pub fn all(&self) -> String {
        self.columns().join(" ").trim().to_owned()
    }
}

/// A file name without the number of an object in it (`room.ply#3`) and its extension, of which an extension is the last part of at most five letters and digits.
fn stem(name: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.rsplit_once('#').filter(|(_, number)| is_number(number)).map_or(name, |(file, _)| file);
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= 5 && !extension.contains(' ') => {
            stem
        }
        _ => name,
    }
}

fn joined(mut words: Vec<String>) -> String {
    words.truncate(MAX_WORDS);
    words.join(" ")
}

/// The words of names, each once: a scene with a hundred chairs is not more of a chair.
fn distinct_words(names: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for words in names.iter().map(|name| name_words(name)).filter(|words| !is_default(words)) {
        for word in words {
            if !found.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

fn is_default(words: &[String]) -> bool {
    words.iter().all(|word| DEFAULT_NAMES.contains(&word.as_str()))
}

fn caption_words(payload: &Payload, captions: Option<&Captions>) -> Vec<String> {
    let mut found = Vec::new();
    for value in CAPTION_KEYS.iter().filter_map(|key| payload.extra.get(*key)) {
        let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        found.extend(texts.iter().filter_map(|text| text.as_str()).flat_map(name_words));
    }
    found.extend(captions.iter().flat_map(|captions| &captions.texts).flat_map(|text| name_words(text)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_words() {
        let strings = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let mut payload = Payload {
            path: "Office Furniture/chairs/Desk_Chair.v2.glb".into(),
            objects: strings(&["Seat_01", "Seat_02", "Cube.003", "wheelLeft", "Exported from Blender-2.80"]),
            materials: strings(&["Material.001", "dark_wood"]),
            ..Payload::default()
        };
        payload.extra.insert("label".into(), "Swivel chair".into());
        payload.extra.insert("tags".into(), serde_json::json!(["office", 3]));
        payload.extra.insert("source".into(), "somewhere".into());
        let fields = NameFields::of(&payload, None);
        let expected =
            ["desk chair", "seat wheel left", "office furniture chairs", "dark wood", "swivel chair office"];
        assert_eq!(fields.columns(), expected);
        assert_eq!(fields.all(), expected.join(" "));
        let written = Captions { captioner: "c".into(), texts: vec!["a chair on wheels".into()] };
        assert_eq!(NameFields::of(&payload, Some(&written)).captions, "swivel chair office chair on wheels");
    }

    #[test]
    fn extensions_are_dropped() {
        for (name, expected) in [
            ("room.ply#12", "room"),
            ("chair.glb", "chair"),
            (".hidden", ".hidden"),
            ("no", "no"),
            ("St. Paul's", "St. Paul's"),
        ] {
            assert_eq!(stem(name), expected);
        }
    }
}
