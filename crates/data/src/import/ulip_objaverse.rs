//! Objaverse point clouds of ULIP-2 ([paper](https://arxiv.org/abs/2305.08275), [code](https://github.com/salesforce/ULIP)):
//! `objaverse_pc_parallel/<uid>/<uid>_8192.npz` with `arr_0` `[8192, 3]`. Captions are given with `--annotations`.

use std::path::Path;

use lexiform_formats::array::Array;
use lexiform_mesh_io::{ReadOptions, UpAxis, UpRule, read_with};

use super::files::{file_name, list_dir};
use super::members::points;
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::{DataError, Metadata};

/// Imports every folder that is named by a uid.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let inner = from.join("objaverse_pc_parallel");
    let root = if inner.is_dir() { inner } else { from.to_owned() };
    let file = |folder: &Path| folder.join(format!("{}_8192.npz", file_name(folder)));
    let mut folders = list_dir(&root)?;
    folders.retain(|folder| file(folder).exists());
    if folders.is_empty() {
        return Err(DataError::invalid(from, "expected <uid>/<uid>_8192.npz"));
    }
    let ids: Vec<String> = folders.iter().map(|folder| file_name(folder)).collect();
    let read = move |i: usize| {
        // Importers keep the axes of the file.
        let options = ReadOptions { up: UpRule::Axis(UpAxis::Y) };
        let scene = read_with(&file(&folders[i]), &options).map_err(|error| error.to_string())?;
        let cloud = scene.clouds.first().ok_or("holds no points")?;
        let values: Vec<f32> = cloud.positions().iter().flat_map(|p| p.to_array()).collect();
        Ok((vec![points(&Array::from_f32(&[values.len() / 3, 3], &values), None)?], Metadata::default()))
    };
    ImportSource::new("ulip-objaverse", from, &ids, options, read)
}
