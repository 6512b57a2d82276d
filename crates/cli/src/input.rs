//! Whether an argument is a 3D file, an image, a folder of views or a text. A mistyped file name is an error, never a text.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use lexiform_mesh_io::{Format, is_image, view_files};
use lexiform_train::edit_distance;

use crate::error::WithHint as _;
use crate::scene_file::not_found;

/// Largest number of edits between a word and a name for which the word is probably that name, mistyped.
const MAX_TYPOS: usize = 2;
/// Shortest name that is compared with words: short words are similar to each other.
const MIN_NAME: usize = 4;

/// An argument that is a file or words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A 3D file, an image, a strip of views, or a folder of views.
    Path(PathBuf),
    /// Words.
    Text(String),
}

impl Input {
    /// An existing file or folder, or else words; a name that does not exist is an error with a hint.
    pub(crate) fn of(argument: &str) -> anyhow::Result<Self> {
        let path = Path::new(argument);
        let as_words = || format!("if words are meant: --text {argument:?}");
        if path.is_dir() {
            if !view_files(path)?.is_empty() {
                return Ok(Self::Path(path.to_owned()));
            }
            return Err(anyhow!(
                "{argument}: expected a folder with the views of an object, found no images"
            ))
            .hint(as_words());
        }
        if path.exists() {
            return Ok(Self::Path(path.to_owned()));
        }
        if is_path_like(argument) {
            return Err(not_found(path)).hint(as_words());
        }
        if let Some(name) = similar_name(argument) {
            return Err(not_found(path)).hint(format!("did you mean {name}? {}", as_words()));
        }
        Ok(Self::Text(argument.to_owned()))
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Whether an argument is written like a path: one word with a separator or an extension, or any text with the extension of a
/// 3D file or an image.
fn is_path_like(argument: &str) -> bool {
    let path = Path::new(argument);
    let is_word = !argument.contains(char::is_whitespace);
    let is_extension = |extension: &str| {
        extension.chars().all(char::is_alphanumeric) && extension.chars().any(char::is_alphabetic)
    };
    let has_extension = path.extension().and_then(|e| e.to_str()).is_some_and(is_extension);
    let has_separator = argument.contains(std::path::is_separator);
    (is_word && (has_separator || has_extension)) || Format::from_path(path).is_some() || is_image(path)
}

/// The file or folder in the working folder whose name differs from a word by few edits.
fn similar_name(word: &str) -> Option<String> {
    let entries = fs_err::read_dir(".").ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let close =
        names.filter(|name| name.chars().count() >= MIN_NAME && edit_distance(name, word) <= MAX_TYPOS);
    close.min_by_key(|name| (edit_distance(name, word), name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_paths() {
        for words in
            ["chair", "a white couch", "a chair, and/or a table", "No. 5 chair.", "v1.2 of it", "U.S.", "3.5"]
        {
            assert!(!is_path_like(words), "{words}");
        }
        for path in
            ["chair.glb", "my chair.glb", "a photo.jpg", "chair.glbb", "models/chair", "./views", "views/"]
        {
            assert!(is_path_like(path), "{path}");
        }
    }
}
