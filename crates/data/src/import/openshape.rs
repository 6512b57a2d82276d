//! OpenShape's shapes: one `.npy` each, a pickled dictionary with `xyz`, `rgb`, `image_feat`, texts and their features; a
//! split `.json` lists them as `{dataset, group, id, data_path}`, ULIP-2's `lvis.json` as `{uid: path}`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lexiform_formats::pickle::Item;
use serde_json::Value;

use super::carry::{entries, first_of, name_of, points_of, read_pickle};
use super::{ImportOptions, Opened};
use crate::{About, Caption, DataError, TEXT_FEATURES, VIEW_FEATURES};

/// A shape's file and what the list says about it.
struct Listed {
    id: String,
    path: PathBuf,
    from: String,
}

/// Every shape of a list or folder.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<Opened, DataError> {
    let mut warnings = Vec::new();
    let listed = match from.is_dir() {
        true => in_folder(from)?,
        false => in_list(from, &mut warnings)?,
    };
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
        let mut members = vec![points_of(root)?];
        let mut about = About { source: one.from.clone(), ..About::default() };
        about.labels.extend(labels.get(&one.id).cloned());
        let features = texts(root, &mut about.captions);
        if with_features {
            if let Some(array) =
                root.get("image_feat").and_then(Item::array).filter(|array| array.shape.len() == 2)
            {
                members.push(super::carry::features(
                    VIEW_FEATURES,
                    array.shape[0],
                    array.shape[1],
                    &array.numbers(),
                ));
            }
            // A sentence without its features would shift all that follow.
            let whole: Option<Vec<Vec<f32>>> = features.into_iter().collect();
            if let Some(rows) =
                whole.filter(|rows| rows.windows(2).all(|pair| pair[0].len() == pair[1].len()))
            {
                let dim = rows.first().map_or(0, Vec::len);
                members.push(super::carry::features(TEXT_FEATURES, rows.len(), dim, &rows.concat()));
            }
        }
        Ok((members, about))
    };
    Ok(Opened::new("openshape", from, &ids, options, read)?.warn(warnings))
}

/// Sentences in a fixed order, and the features of each.
fn texts(root: Item, captions: &mut Vec<Caption>) -> Vec<Option<Vec<f32>>> {
    let mut features = Vec::new();
    // Of names and captions the mean over prompts is meant for training, of retrieved sentences the plain one.
    for (name, of, from) in [
        ("text", "prompt_avg", "metadata"),
        ("blip_caption", "prompt_avg", "blip"),
        ("msft_caption", "prompt_avg", "msft"),
        ("retrieval_text", "original", "retrieval"),
    ] {
        let Some(said) = root.get(name) else { continue };
        let vectors = root.get(&format!("{name}_feat"));
        for (i, text) in said.texts().into_iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let vector = vectors.and_then(|v| if v.get(of).is_some() { Some(v) } else { v.items().nth(i) });
            features.push(vector.and_then(|v| Some(v.get(of)?.array()?.numbers())));
            captions.push(Caption::new(text.trim(), from));
        }
    }
    features
}

/// All `.npy` files below a folder, two levels deep.
fn in_folder(folder: &Path) -> Result<Vec<Listed>, DataError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(entries(&path)?);
        } else {
            files.push(path);
        }
    }
    files.retain(|path| path.extension().is_some_and(|e| e == "npy"));
    let listed = |path: PathBuf| Listed {
        id: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        from: path.display().to_string(),
        path,
    };
    Ok(files.into_iter().map(listed).collect())
}

fn in_list(list: &Path, warnings: &mut Vec<String>) -> Result<Vec<Listed>, DataError> {
    let invalid = |message: String| DataError::invalid(list, message);
    let json: Value =
        serde_json::from_slice(&fs_err::read(list)?).map_err(|error| invalid(error.to_string()))?;
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows: Vec<(String, String, String)> = match &json {
        Value::Array(rows) => {
            rows.iter().map(|row| (text(row, "id"), text(row, "data_path"), text(row, "dataset"))).collect()
        }
        Value::Object(map) => map
            .iter()
            .map(|(id, path)| (id.clone(), path.as_str().unwrap_or_default().to_owned(), String::new()))
            .collect(),
        _ => {
            return Err(invalid(
                "expected a list of {dataset, group, id, data_path}, or {uid: path}".to_owned(),
            ));
        }
    };
    let root = list.parent().unwrap_or(Path::new(""));
    let mut missing = 0;
    let mut listed = Vec::new();
    for (id, path, from) in rows {
        if id.is_empty() || path.is_empty() {
            return Err(invalid("an entry has no id or no data_path".to_owned()));
        }
        let found = locate(root, &path);
        missing += usize::from(!found.exists());
        // Ids are unique inside their set only.
        let id = if from.is_empty() || from == "Objaverse" { id } else { format!("{from}-{id}") };
        listed.push(Listed { id, path: found, from });
    }
    if missing > 0 {
        warnings.push(format!("{}: {missing} of {} files are missing", name_of(list), listed.len()));
    }
    Ok(listed)
}

/// A path of another machine, found here by its last parts.
fn locate(root: &Path, path: &str) -> PathBuf {
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
    let tails = (1..=parts.len().min(6))
        .rev()
        .map(|n| root.join(parts[parts.len() - n..].iter().collect::<PathBuf>()));
    let tails: Vec<PathBuf> = tails.collect();
    let last = tails.last().cloned().unwrap_or_default();
    first_of([PathBuf::from(path)].into_iter().chain(tails)).unwrap_or(last)
}

/// `value_to_key_mapping` of ULIP-2's `objaverse_lvis_metadata.json`, where it lies near.
fn lvis_labels(from: &Path) -> Result<HashMap<String, String>, DataError> {
    let folder = if from.is_dir() { from } else { from.parent().unwrap_or(Path::new("")) };
    let path = folder.join("objaverse_lvis_metadata.json");
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let json: Value =
        serde_json::from_slice(&fs_err::read(&path)?).map_err(|error| DataError::invalid(&path, error))?;
    let map = json.get("value_to_key_mapping").and_then(Value::as_object);
    let map = map.ok_or_else(|| DataError::invalid(&path, "expected \"value_to_key_mapping\""))?;
    Ok(map.iter().filter_map(|(uid, label)| Some((uid.clone(), label.as_str()?.to_owned()))).collect())
}
