//! Objaverse triplets of ULIP-2 ([paper](https://arxiv.org/abs/2305.08275), [code](https://github.com/salesforce/ULIP)):
//! `objaverse_pc_parallel/<uid>/<uid>_8192.npz` with `arr_0` `[8192, 3]`, renders `<uid>/000.png … 011.png`, and
//! `merged_data.json` with ten captions of each render.
//!
//! Renders are published in chunks (`render_images_resized_224/objaverse_rgb_chunk_0000 …`); they are found in the folders of
//! unpacked chunks as well as side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lexiform_formats::array::Array;
use lexiform_mesh_io::{ReadOptions, UpAxis, UpRule, read_with};

use super::files::{file_name, first_existing, list_dir};
use super::members::{add_captions, numbered_views, points};
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::annotations::AnnotationTable;
use crate::{DataError, Member, Metadata};

/// Names of the folder with renders: as published at different times, and as the captions call it.
const RENDER_FOLDERS: [&str; 4] =
    ["render_images_resized_224", "rendered_images_split_100", "render_images_split_100", "rendered_images"];
/// Captions of all renders, by their paths.
const CAPTIONS: &str = "merged_data.json";

/// Imports every folder that is named by a uid.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let clouds = point_clouds(from)?;
    let renders = first_existing(RENDER_FOLDERS.map(|name| from.join(name)));
    let renders = renders.map_or(Ok(BTreeMap::new()), |root| render_folders(&root))?;
    // Renders alone are a data set too.
    let ids: Vec<String> =
        if clouds.is_empty() { renders.keys().cloned().collect() } else { clouds.keys().cloned().collect() };
    if ids.is_empty() {
        let message = "expected <uid>/<uid>_8192.npz, or renders in render_images_resized_224/<uid>/000.png";
        return Err(DataError::invalid(from, message));
    }
    let captions = from.join(CAPTIONS);
    let captions =
        if captions.is_file() { AnnotationTable::read(&captions)? } else { AnnotationTable::default() };
    let warnings = warnings(&ids, &renders);
    let digest = captions.digest();
    let all = ids.clone();
    let read = move |i: usize| {
        let id = &all[i];
        let mut metadata = Metadata::default();
        let mut members = match renders.get(id) {
            Some(folder) => numbered_views(&images_in(folder)?, &mut metadata)?,
            None => Vec::new(),
        };
        members.extend(clouds.get(id).map(|path| cloud(path)).transpose()?);
        if let Some(found) = captions.find(id) {
            add_captions(&mut metadata, &found.captions);
        }
        Ok((members, metadata))
    };
    let source = ImportSource::new("ulip-objaverse", from, &ids, options, read)?.with_warnings(warnings);
    Ok(match digest {
        Some(digest) => source.with_setting("captions", digest),
        None => source,
    })
}

/// Files of point clouds by uid.
fn point_clouds(from: &Path) -> Result<BTreeMap<String, PathBuf>, DataError> {
    let inner = from.join("objaverse_pc_parallel");
    let root = if inner.is_dir() { inner } else { from.to_owned() };
    let mut clouds = BTreeMap::new();
    for folder in list_dir(&root)? {
        let uid = file_name(&folder);
        let file = folder.join(format!("{uid}_8192.npz"));
        if file.exists() {
            clouds.insert(uid, file);
        }
    }
    Ok(clouds)
}

/// Folders with renders by uid, directly below `root` or in the folders of unpacked chunks.
fn render_folders(root: &Path) -> Result<BTreeMap<String, PathBuf>, DataError> {
    let mut found = BTreeMap::new();
    for folder in list_dir(root)?.into_iter().filter(|path| path.is_dir()) {
        if has_images(&folder)? {
            found.insert(file_name(&folder), folder);
            continue;
        }
        for inner in list_dir(&folder)?.into_iter().filter(|path| path.is_dir()) {
            found.insert(file_name(&inner), inner);
        }
    }
    Ok(found)
}

fn has_images(folder: &Path) -> Result<bool, DataError> {
    // Hundreds of thousands of folders: the first image is enough.
    for entry in fs_err::read_dir(folder)? {
        if number_of(&entry?.path()).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The number of a render: `007.png` → 7.
fn number_of(path: &Path) -> Option<usize> {
    let is_image = path.extension().is_some_and(|e| e == "png" || e == "jpg" || e == "webp");
    path.file_stem()?.to_str().filter(|_| is_image)?.parse().ok()
}

/// The renders of a shape with their numbers, in that order.
fn images_in(folder: &Path) -> Result<Vec<(usize, PathBuf)>, String> {
    let files = list_dir(folder).map_err(|error| error.to_string())?;
    let mut images: Vec<(usize, PathBuf)> =
        files.into_iter().filter_map(|path| Some((number_of(&path)?, path))).collect();
    images.sort();
    Ok(images)
}

fn cloud(path: &Path) -> Result<Member, String> {
    // Importers keep the axes of the file.
    let options = ReadOptions { up: UpRule::Axis(UpAxis::Y) };
    let scene = read_with(path, &options).map_err(|error| error.to_string())?;
    let cloud = scene.clouds.first().ok_or("holds no points")?;
    let values: Vec<f32> = cloud.positions().iter().flat_map(|p| p.to_array()).collect();
    points(&Array::from_f32(&[values.len() / 3, 3], &values), None)
}

/// Shapes without renders, if others have some.
fn warnings(ids: &[String], renders: &BTreeMap<String, PathBuf>) -> Vec<String> {
    let without = ids.iter().filter(|id| !renders.contains_key(*id)).count();
    let warning = || format!("{without} of {} shapes have no rendered images", ids.len());
    (!renders.is_empty() && without > 0).then(warning).into_iter().collect()
}
