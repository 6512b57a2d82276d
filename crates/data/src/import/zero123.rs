//! Renders of Zero123 ([paper](https://arxiv.org/abs/2303.11328), [code](https://github.com/cvlab-columbia/zero123)): a folder per
//! shape with `000.png …` (RGBA) and the camera of each as `000.npy` `[3, 4]`.

use std::path::{Path, PathBuf};

use super::files::{file_name, list_dir};
use super::members::read_array;
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::{DataError, Member, Metadata};
use lexiform_formats::array::Array;
use lexiform_formats::view_format::extension_of;

/// Maximum number of views per shape.
const MAX_VIEWS: usize = 10_000;

/// Imports every folder that holds a `000.png`.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let mut folders: Vec<PathBuf> = list_dir(from)?;
    folders.retain(|folder| folder.join("000.png").exists());
    if folders.is_empty() && from.join("000.png").exists() {
        folders.push(from.to_owned());
    }
    if folders.is_empty() {
        return Err(DataError::invalid(from, "expected folders with 000.png"));
    }
    let ids: Vec<String> = folders.iter().map(|folder| file_name(folder)).collect();
    let view_count_warning = view_count_warning(&folders)?;
    let read = move |i: usize| read(&folders[i]);
    Ok(ImportSource::new("zero123", from, &ids, options, read)?.with_warnings(view_count_warning))
}

/// A warning if shapes differ in their number of views, as after an interrupted render.
fn view_count_warning(folders: &[PathBuf]) -> Result<Vec<String>, DataError> {
    let mut counts = std::collections::BTreeMap::new();
    for folder in folders {
        let views = (0..MAX_VIEWS).take_while(|i| folder.join(format!("{i:03}.png")).exists()).count();
        *counts.entry(views).or_insert(0) += 1;
    }
    // The most frequent number of views is the intended one.
    let usual = counts.iter().max_by_key(|(_, shapes)| **shapes).map_or(0, |(views, _)| *views);
    let odd: usize = counts.iter().filter(|(views, _)| **views != usual).map(|(_, shapes)| shapes).sum();
    let warning = || format!("{odd} of {} shapes do not have {usual} views", folders.len());
    Ok((odd > 0).then(warning).into_iter().collect())
}

/// Reads the views and cameras of a shape.
fn read(folder: &Path) -> Result<(Vec<Member>, Metadata), String> {
    let mut members = Vec::new();
    let mut poses: Vec<f32> = Vec::new();
    for i in 0..MAX_VIEWS {
        let path = folder.join(format!("{i:03}.png"));
        if !path.exists() {
            break;
        }
        let bytes = fs_err::read(&path).map_err(|error| error.to_string())?;
        let extension = extension_of(&bytes).ok_or_else(|| format!("{i:03}.png is not an image"))?;
        members.push(Member::view(i, extension, bytes));
        let camera = path.with_extension("npy");
        if camera.exists() {
            let pose = read_array(&camera)?;
            if pose.shape != [3, 4] {
                return Err(format!("{i:03}.npy: expected a camera of [3, 4], found {:?}", pose.shape));
            }
            poses.extend(pose.to_f32_vec());
        }
    }
    if poses.len() == members.len() * 12 && !members.is_empty() {
        // Camera from world and +Z up, as in Blender: another convention than `CAMERAS`, so another name.
        let array = Array::from_f32(&[members.len(), 3, 4], &poses);
        members.push(Member::new("poses.npy", array.to_npy()));
    }
    Ok((members, Metadata::default()))
}
