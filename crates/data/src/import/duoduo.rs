//! Files of Duoduo CLIP ([paper](https://arxiv.org/abs/2406.11579), [code](https://github.com/3dlg-hcvc/DuoduoCLIP)): `imgs` u8
//! `[N, 12, 3, 224, 224]`, `img_feat` `[N, 12, dim]`, `shape_feat` `[N, dim]`, indices `{id: row}`, `lvis.csv` with the columns
//! `class number,class name,uid`, MVPNet's `mvpnet_val.csv`. Features are in `duoduo_features.rs`.

use std::path::{Path, PathBuf};

use image::RgbaImage;
use lexiform_formats::array::{Array, Kind};
use lexiform_formats::file_exists;
use lexiform_formats::hdf5::{Dataset, Datatype, File};
use lexiform_formats::view_format::ViewFormat;

use super::duoduo_features::{Features, big_endian_warning};
use super::files::{file_name, first_existing};
use super::id_lists::{Rows, checked_rows, overlap, rows_by_id};
use super::members::features;
use super::mvimgnet::MvImgNetLists;
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::annotations::AnnotationTable;
use crate::{DataError, Member, Metadata};

/// Image files and their indices, in the order in which they are looked for.
const PAIRS: [(&str, &str); 4] = [
    ("mv_images.h5", "model_to_idx.json"),
    ("lvis_images.h5", "lvis_model_to_idx.json"),
    ("supplement_mv_images.h5", "supplement_model_to_idx.json"),
    ("mvimgnet_mv_images.h5", "mvimgnet_model_to_idx.json"),
];

/// Imports views, and features if the options ask for them.
pub(super) fn images(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let (images, index) = pair(from)?;
    let folder = images.parent().unwrap_or(Path::new("")).to_owned();
    let views = File::open(&images)?.dataset("imgs")?;
    let (count, size) = image_size(&views, &images)?;
    let Rows { rows, mut warnings } = checked_rows(rows_by_id(&index)?, count, &index)?;
    let ids: Vec<String> = rows.iter().map(|(id, _)| id.clone()).collect();
    let wanted: Vec<String> = ids.iter().filter(|id| options.includes(id)).cloned().collect();
    let (lists, overlaps) = lists(&folder, &wanted, &images)?;
    warnings.extend(overlaps);
    if file_name(&images).starts_with("mvimgnet") {
        warnings.push(
            "mvimgnet: the reference's packing script read files in arbitrary order, so caption k may not describe view k"
                .to_owned(),
        );
    }
    let features = options.features.then(|| Features::open(&images, count, &mut warnings)).transpose()?;
    let (view_format, digest) = (options.view_format, lists.digest());
    let read = move |i: usize| {
        let (id, row) = &rows[i];
        let array = views.read_rows(*row, 1).map_err(|error| error.to_string())?;
        let (mut members, notes) = members(&array.data, size, view_format)?;
        let listed = lists.find(id).cloned().unwrap_or_default();
        let split = listed.split.unwrap_or_default();
        let mut metadata = Metadata { notes, labels: listed.labels, split, ..Metadata::default() };
        if let Some(features) = &features {
            features.add(*row, id, &mut members, &mut metadata)?;
        }
        Ok((members, metadata))
    };
    Ok(ImportSource::new("duoduo", &images, &ids, options, read)?
        .with_setting("lists", digest)
        .with_warnings(warnings))
}

/// The views of a shape in `imgs`.
#[derive(Clone, Copy)]
struct ImageSize {
    views: usize,
    height: usize,
    width: usize,
}

/// The number of shapes in `imgs`, and the size of each.
fn image_size(views: &Dataset, path: &Path) -> Result<(usize, ImageSize), DataError> {
    let (Datatype::Plain(dtype), [count, n_views, 3, height, width]) = (views.datatype(), views.shape())
    else {
        let message = format!("\"imgs\": expected [N, views, 3, height, width], found {:?}", views.shape());
        return Err(DataError::invalid(path, message));
    };
    if (dtype.kind, dtype.size) != (Kind::Unsigned, 1) {
        return Err(DataError::invalid(path, format!("\"imgs\": expected bytes, found {dtype:?}")));
    }
    Ok((*count, ImageSize { views: *n_views, height: *height, width: *width }))
}

/// Imports embeddings of whole shapes, without views.
pub(super) fn embeddings(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let path = if from.is_dir() { from.join("shape_emb_objaverse.h5") } else { from.to_owned() };
    let features = File::open(&path)?.dataset("shape_feat")?;
    let &[count, dim] = features.shape() else {
        let message = format!("\"shape_feat\": expected [N, dim], found {:?}", features.shape());
        return Err(DataError::invalid(&path, message));
    };
    let mut warnings = big_endian_warning(&features, &path);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let index = path.with_file_name(format!("{stem}_model_to_idx.json"));
    let Rows { rows, warnings: more } = checked_rows(rows_by_id(&index)?, count, &index)?;
    warnings.extend(more);
    let ids: Vec<String> = rows.iter().map(|(id, _)| id.clone()).collect();
    let read = move |i: usize| {
        let row: Array = features.read_rows(rows[i].1, 1).map_err(|error| error.to_string())?;
        let values = row.to_f32_vec();
        if values.iter().any(|v| !v.is_finite()) {
            return Err("features are not finite".to_owned());
        }
        Ok((vec![self::features("shape.npy", 1, dim, &values)], Metadata::default()))
    };
    Ok(ImportSource::new("duoduo-embeddings", &path, &ids, options, read)?.with_warnings(warnings))
}

/// The image file and its index.
fn pair(from: &Path) -> Result<(PathBuf, PathBuf), DataError> {
    let missing = |message: String| DataError::invalid(from, message);
    if file_exists(from) {
        let name = file_name(from);
        let known = PAIRS.iter().find(|(images, _)| *images == name);
        let index = known.map_or("model_to_idx.json", |(_, index)| index);
        let index = from.with_file_name(index);
        return if index.exists() {
            Ok((from.to_owned(), index))
        } else {
            Err(missing(format!("expected {} in the same folder", index.display())))
        };
    }
    let found = PAIRS.iter().map(|(images, index)| (from.join(images), from.join(index)));
    let mut found: Vec<_> = found.filter(|(images, index)| file_exists(images) && index.exists()).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(missing(format!("expected one of {:?} with its index", PAIRS.map(|(images, _)| images)))),
        n => Err(missing(format!("holds {n} image files: name one, {}", found[0].0.display()))),
    }
}

/// Labels and splits from the lists near `folder`; warns of training shapes that belong to an evaluation set.
fn lists(folder: &Path, ids: &[String], images: &Path) -> Result<(AnnotationTable, Vec<String>), DataError> {
    let near = ["", "csv_list", "../csv_list", "../../csv_list"].map(|f| folder.join(f));
    if file_name(images).starts_with("mvimgnet") {
        let captions = ["captions", "../captions", "../../captions"].map(|f| folder.join(f));
        let lists = MvImgNetLists::read(&[&near[..], &captions].concat())?;
        let warning =
            overlap(lists.val_ids(), ids, "in the images and in mvpnet_val.csv, which is for evaluation");
        let warning = warning.map(|warning| format!("{warning}; their split is val"));
        return Ok((lists.table(ids), warning.into_iter().collect()));
    }
    let Some(path) = first_existing(near.map(|f| f.join("lvis.csv"))) else { return Ok(Default::default()) };
    let mut lvis = AnnotationTable::read(&path)?;
    if file_name(images).starts_with("lvis") {
        lvis.set_split("test");
        return Ok((lvis, Vec::new()));
    }
    // Training images get no labels of an evaluation list, unless it is given as annotations.
    let what = "in the training images and in lvis.csv, which is for evaluation (without them: --ids four_no_lvis_model_ids.txt)";
    let warning = overlap(&lvis.names(), ids, what);
    Ok((AnnotationTable::default(), warning.into_iter().collect()))
}

/// Planar views as image files, and notes about views that are blank or duplicates.
fn members(
    data: &[u8],
    size: ImageSize,
    view_format: ViewFormat,
) -> Result<(Vec<Member>, Vec<String>), String> {
    let ImageSize { views, height, width } = size;
    let plane = height * width;
    let mut members = Vec::with_capacity(views);
    let mut notes = Vec::new();
    for (i, view) in data.chunks_exact(3 * plane).enumerate() {
        if let Some(same) = data.chunks_exact(3 * plane).take(i).position(|other| other == view) {
            notes.push(format!("view {i} is the same as view {same}"));
        } else if view.iter().all(|byte| *byte == view[0]) {
            notes.push(format!("view {i} is blank"));
        }
        let pixels: Vec<u8> =
            (0..plane).flat_map(|p| [view[p], view[plane + p], view[2 * plane + p], 255]).collect();
        let image =
            RgbaImage::from_raw(width as u32, height as u32, pixels).ok_or("a view without pixels")?;
        members.push(Member::view(i, view_format.extension(), view_format.encode(&image)?));
    }
    Ok((members, notes))
}
