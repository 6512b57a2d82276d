//! Shapes of OpenShape ([paper](https://arxiv.org/abs/2305.10764), [code](https://github.com/Colin97/OpenShape_code)): a `.npy` per
//! shape, which is a pickled dictionary with `xyz`, `rgb`, `image_feat`, texts and their features. A split `.json` lists them as
//! `{dataset, group, id, data_path}`, `lvis.json` of [ULIP-2](https://arxiv.org/abs/2305.08275) as `{uid: path}`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lexiform_formats::pickle::PickleValue;
use serde_json::Value;

use super::files::{file_name, first_existing, list_dir};
use super::members::{colored_points, features, read_pickle};
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::{Caption, DataError, Member, Metadata, TEXT_FEATURES, THUMBNAIL_FEATURES, VIEW_FEATURES};

/// An entry of a list, or a file of a folder.
struct SplitEntry {
    id: String,
    path: PathBuf,
    from: String,
}

/// Imports every shape of a list or folder.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let mut warnings = Vec::new();
    let listed = if from.is_dir() { in_folder(from)? } else { in_list(from, &mut warnings)? };
    if listed.is_empty() {
        return Err(DataError::invalid(from, "lists no shapes"));
    }
    let labels = lvis_labels(from)?;
    let ids: Vec<String> = listed.iter().map(|one| one.id.clone()).collect();
    let with_features = options.features;
    let read = move |i: usize| {
        let one = &listed[i];
        let pickle = read_pickle(&one.path)?;
        let root = pickle.root();
        let mut members = vec![colored_points(root)?];
        let mut metadata = Metadata { source: one.from.clone(), ..Metadata::default() };
        metadata.labels.extend(labels.get(&one.id).cloned());
        let text_features = texts(root, &mut metadata.captions);
        if with_features {
            members.extend(view_features(root));
            members.extend(thumbnail_features(root));
            members.extend(text_features.and_then(|rows| text_member(&rows)));
        }
        Ok((members, metadata))
    };
    Ok(ImportSource::new("openshape", from, &ids, options, read)?.with_warnings(warnings))
}

fn view_features(root: PickleValue) -> Option<Member> {
    let array = root.get("image_feat").and_then(PickleValue::array).filter(|array| array.shape.len() == 2)?;
    Some(features(VIEW_FEATURES, array.shape[0], array.shape[1], &array.to_f32_vec()))
}

/// The feature of Objaverse's thumbnail, `[dim]` or `[1, dim]`; shapes of the other sets have none.
fn thumbnail_features(root: PickleValue) -> Option<Member> {
    let values = root.get("thumbnail_feat").and_then(PickleValue::array)?.to_f32_vec();
    (!values.is_empty()).then(|| features(THUMBNAIL_FEATURES, 1, values.len(), &values))
}

/// Features of captions; `None` if their lengths differ.
fn text_member(rows: &[Vec<f32>]) -> Option<Member> {
    let dim = rows.first().map_or(0, Vec::len);
    rows.iter().all(|row| row.len() == dim).then(|| features(TEXT_FEATURES, rows.len(), dim, &rows.concat()))
}

/// Adds captions in a fixed order. Returns their features, or `None` if one has none: features must correspond to captions.
fn texts(root: PickleValue, captions: &mut Vec<Caption>) -> Option<Vec<Vec<f32>>> {
    let mut features = Vec::new();
    // OpenShape trains with the mean over prompts for names and captions, and with the plain feature for retrieved texts.
    for (name, of, from) in [
        ("text", "prompt_avg", "metadata"),
        ("blip_caption", "prompt_avg", "blip"),
        ("msft_caption", "prompt_avg", "msft"),
        ("retrieval_text", "original", "retrieval"),
    ] {
        let Some(item) = root.get(name) else { continue };
        let vectors = root.get(&format!("{name}_feat"));
        for (i, text) in item.texts().into_iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            // A single caption has one dictionary of features, a list of captions a list of them.
            let vector = vectors.and_then(|v| if v.get(of).is_some() { Some(v) } else { v.items().nth(i) });
            features.push(vector.and_then(|v| Some(v.get(of)?.array()?.to_f32_vec())));
            captions.push(Caption::new(text.trim(), from));
        }
    }
    features.into_iter().collect()
}

/// All `.npy` files in a folder and in its folders.
fn in_folder(folder: &Path) -> Result<Vec<SplitEntry>, DataError> {
    let mut files = Vec::new();
    for path in list_dir(folder)? {
        if path.is_dir() {
            files.extend(list_dir(&path)?);
        } else {
            files.push(path);
        }
    }
    files.retain(|path| path.extension().is_some_and(|e| e == "npy"));
    let listed = |path: PathBuf| SplitEntry {
        id: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        from: path.display().to_string(),
        path,
    };
    Ok(files.into_iter().map(listed).collect())
}

/// The entries of a list; warns of files that do not exist.
fn in_list(list: &Path, warnings: &mut Vec<String>) -> Result<Vec<SplitEntry>, DataError> {
    let invalid = |message: String| DataError::invalid(list, message);
    let json: Value =
        serde_json::from_slice(&fs_err::read(list)?).map_err(|error| invalid(error.to_string()))?;
    let root = list.parent().unwrap_or(Path::new(""));
    let mut missing = 0;
    let mut listed = Vec::new();
    for SplitEntry { id, path, from } in entries_of(&json).map_err(invalid)? {
        let path = path.to_str().unwrap_or_default();
        if id.is_empty() || path.is_empty() {
            return Err(invalid("an entry has no id or no data_path".to_owned()));
        }
        let found = resolve(root, path);
        missing += usize::from(!found.exists());
        // Ids are unique only within their data set.
        let id = if from.is_empty() || from == "Objaverse" { id } else { format!("{from}-{id}") };
        listed.push(SplitEntry { id, path: found, from });
    }
    if missing > 0 {
        warnings.push(format!("{}: {missing} of {} files are missing", file_name(list), listed.len()));
    }
    Ok(listed)
}

/// The entries of a list, with paths as written.
fn entries_of(json: &Value) -> Result<Vec<SplitEntry>, String> {
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let of_row = |row: &Value| SplitEntry {
        id: text(row, "id"),
        path: text(row, "data_path").into(),
        from: text(row, "dataset"),
    };
    let of_pair = |(id, path): (&String, &Value)| SplitEntry {
        id: id.clone(),
        path: path.as_str().unwrap_or_default().into(),
        from: String::new(),
    };
    match json {
        Value::Array(rows) => Ok(rows.iter().map(of_row).collect()),
        Value::Object(map) => Ok(map.iter().map(of_pair).collect()),
        _ => Err("expected a list of {dataset, group, id, data_path}, or {uid: path}".to_owned()),
    }
}

/// A path from another machine, resolved by its last components.
fn resolve(root: &Path, path: &str) -> PathBuf {
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
    // Lists contain absolute paths of the authors' machines. The longest suffix that exists is the most specific.
    let tails = (1..=parts.len().min(6))
        .rev()
        .map(|n| root.join(parts[parts.len() - n..].iter().collect::<PathBuf>()));
    let tails: Vec<PathBuf> = tails.collect();
    let last = tails.last().cloned().unwrap_or_default();
    first_existing([PathBuf::from(path)].into_iter().chain(tails)).unwrap_or(last)
}

/// Labels by uid: `value_to_key_mapping` of ULIP-2's `objaverse_lvis_metadata.json`, if it is in the same folder. Only a folder
/// and the list `lvis.json` get them: a training list must not have the labels of an evaluation.
fn lvis_labels(from: &Path) -> Result<HashMap<String, String>, DataError> {
    let folder = if from.is_dir() { from } else { from.parent().unwrap_or(Path::new("")) };
    let path = folder.join("objaverse_lvis_metadata.json");
    let is_evaluation = from.is_dir() || file_name(from).starts_with("lvis");
    if !is_evaluation || !path.exists() {
        return Ok(HashMap::new());
    }
    let json: Value =
        serde_json::from_slice(&fs_err::read(&path)?).map_err(|error| DataError::invalid(&path, error))?;
    let map = json.get("value_to_key_mapping").and_then(Value::as_object);
    let map = map.ok_or_else(|| DataError::invalid(&path, "expected \"value_to_key_mapping\""))?;
    Ok(map.iter().filter_map(|(uid, label)| Some((uid.clone(), label.as_str()?.to_owned()))).collect())
}
