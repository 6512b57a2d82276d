//! ShapeNet55 of Point-BERT ([paper](https://arxiv.org/abs/2111.14819), [code](https://github.com/lulutang0608/Point-BERT)):
//! `train.txt`, `test.txt` and `shapenet_pc/<synset>-<model>.npy` with 8192 points; and the triplets of ULIP
//! ([paper](https://arxiv.org/abs/2212.05171), [code](https://github.com/salesforce/ULIP)), which add `taxonomy.json` and
//! `rendered_images/<id>/<id>_r_000.png … 348`, each with a depth map.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use lexiform_formats::view_format::extension_of;
use serde_json::Value;

use super::files::first_existing;
use super::id_lists::{lines_if_exists, overlap};
use super::members::{points, read_array, record_numbers};
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::{DataError, Member, Metadata};

/// Degrees between two rendered views.
const AZIMUTH_STEP_DEG: usize = 12;

/// Imports every shape of the lists.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let folders = ["", "shapenet-55", "ShapeNet55", "shapenet55", "ShapeNet-55"];
    let find = |name: &str| first_existing(folders.map(|folder| from.join(folder).join(name)));
    let missing = |message: &str| DataError::invalid(from, message);
    let clouds = find("shapenet_pc").ok_or_else(|| missing("expected a folder shapenet_pc"))?;
    let list = |name: &str| -> Result<Vec<String>, DataError> {
        let lines = find(name).map_or(Ok(Vec::new()), |path| lines_if_exists(&path))?;
        Ok(lines.iter().map(|line| line.trim_end_matches(".npy").to_owned()).collect())
    };
    let (train, test) = (list("train.txt")?, list("test.txt")?);
    if train.is_empty() && test.is_empty() {
        return Err(missing("expected train.txt and test.txt of <synset>-<model>.npy lines"));
    }
    let warnings: Vec<String> = overlap(&train, &test, "in train.txt and in test.txt").into_iter().collect();
    let names = find("taxonomy.json").map_or(Ok(HashMap::new()), |path| taxonomy(&path))?;
    let renders = find("rendered_images");
    let format = if renders.is_some() { "ulip-shapenet" } else { "point-bert" };
    let test_ids: HashSet<String> = test.iter().cloned().collect();
    let mut seen = HashSet::new();
    // A shape in both lists is imported once, as a test shape.
    let ids: Vec<String> = train.into_iter().chain(test).filter(|id| seen.insert(id.clone())).collect();
    let all = ids.clone();
    let read = move |i: usize| {
        let id = &all[i];
        let xyz = read_array(&clouds.join(format!("{id}.npy")))?;
        let mut metadata = Metadata::default();
        let mut members =
            renders.as_deref().map_or(Ok(Vec::new()), |folder| views(folder, id, &mut metadata))?;
        members.push(points(&xyz, None)?);
        let synset = id.split('-').next().unwrap_or_default();
        let labels = names.get(synset).cloned().unwrap_or_default();
        let split = if test_ids.contains(id) { "test" } else { "train" };
        metadata = Metadata { labels, split: split.to_owned(), ..metadata };
        metadata.extra.insert("synset".to_owned(), synset.into());
        Ok((members, metadata))
    };
    Ok(ImportSource::new(format, from, &ids, options, read)?.with_warnings(warnings))
}

/// Synonyms by synset: the parts of `name` between commas.
pub(super) fn taxonomy(path: &Path) -> Result<HashMap<String, Vec<String>>, DataError> {
    let json: Value =
        serde_json::from_slice(&fs_err::read(path)?).map_err(|error| DataError::invalid(path, error))?;
    let rows =
        json.as_array().ok_or_else(|| DataError::invalid(path, "expected a list of {synsetId, name}"))?;
    let row = |row: &Value| {
        let names = row.get("name")?.as_str()?.split(',').map(|name| name.trim().to_owned());
        Some((row.get("synsetId")?.as_str()?.to_owned(), names.filter(|name| !name.is_empty()).collect()))
    };
    Ok(rows.iter().filter_map(row).collect())
}

/// Views in the order of their angles, then their depth maps.
fn views(folder: &Path, id: &str, metadata: &mut Metadata) -> Result<Vec<Member>, String> {
    let at = |angle: usize, end: &str| folder.join(id).join(format!("{id}_r_{angle:03}{end}.png"));
    let image = |path: PathBuf| -> Result<Option<(&'static str, Vec<u8>)>, String> {
        if !path.exists() {
            return Ok(None);
        }
        let bytes = fs_err::read(&path).map_err(|error| error.to_string())?;
        let extension = extension_of(&bytes).ok_or_else(|| format!("{} is not an image", path.display()))?;
        Ok(Some((extension, bytes)))
    };
    let (mut views, mut depths, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    // Renders may be missing at some angles; the others keep their order.
    for angle in (0..360).step_by(AZIMUTH_STEP_DEG) {
        let Some((extension, bytes)) = image(at(angle, ""))? else { continue };
        let index = views.len();
        numbers.push(angle / AZIMUTH_STEP_DEG);
        views.push(Member::view(index, extension, bytes));
        if let Some((extension, bytes)) = image(at(angle, "_depth0001"))? {
            depths.push(Member::new(format!("d{index:02}.{extension}"), bytes));
        }
    }
    // Captions name views by their angles.
    record_numbers(numbers.into_iter(), metadata);
    views.extend(depths);
    Ok(views)
}
