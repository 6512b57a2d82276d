//! Weights in several files, with an index: `model.safetensors.index.json` or `pytorch_model.bin.index.json` of `transformers`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Deserialize;

use super::error::WeightsError;

/// End of the name of an index.
pub(crate) const INDEX_SUFFIX: &str = ".index.json";
/// Names of weights in the folder of a model, the first that exists is opened.
const FILE_NAMES: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

/// Whether a path is that of an index.
pub(crate) fn is_index(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(INDEX_SUFFIX))
}

/// Whether an index is one of safetensors files; it then opens no other files.
pub(super) fn lists_safetensors(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".safetensors.index.json"))
}

/// The weights in the folder of a model, if there are any.
pub(crate) fn weights_in(folder: &Path) -> Option<PathBuf> {
    FILE_NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// The first file that an index lists and that is not in its folder; `None` for other files.
///
/// # Errors
/// If an index cannot be read.
pub(crate) fn missing_shard(path: &Path) -> Result<Option<PathBuf>, WeightsError> {
    if !is_index(path) {
        return Ok(None);
    }
    let shards = read_index(path)?.into_keys().map(|name| path.with_file_name(name));
    Ok(shards.into_iter().find(|shard| !shard.is_file()))
}

/// The files that an index lists, each with the tensors in it.
///
/// # Errors
/// If the file cannot be read or is not an index.
pub(crate) fn read_index(path: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, WeightsError> {
    let failed =
        |message: String| WeightsError::Format { path: path.to_owned(), format: "weight index", message };
    let index: ShardIndex =
        serde_json::from_slice(&fs::read(path)?).map_err(|error| failed(error.to_string()))?;
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (tensor, file) in index.weight_map {
        // An index is downloaded: its names must stay in the folder. `C:file` is a path on another drive.
        if file.is_empty() || file.contains(['/', '\\', ':']) || file.starts_with('.') {
            return Err(failed(format!("tensor {tensor:?} is in {file:?}, expected the name of a file")));
        }
        files.entry(file).or_default().insert(tensor);
    }
    if files.is_empty() { Err(failed("it lists no tensors".to_owned())) } else { Ok(files) }
}
