//! Files of [Duoduo CLIP](https://github.com/3dlg-hcvc/DuoduoCLIP): `imgs` u8 `[N, views, 3, 224, 224]` on white with its index, and
//! `img_feat`. Pixels equal those of the reference's packing script: Pillow's bicubic resize with premultiplied alpha, composited
//! on white, truncated to bytes.

use std::collections::BTreeMap;
use std::path::Path;

use image::RgbaImage;
use lexiform_formats::array::Dtype;
use lexiform_formats::hdf5::Writer;
use lexiform_formats::view_format::decode_view;
use lexiform_geometry::resize::{composite_on_white, resize_bicubic_rgba};

use super::job::{ExportJob, ExportSummary, export_id};
use crate::shard::write_json;
use crate::{DataError, Dataset, VIEW_FEATURES};

/// Width and height of a view in the array.
const EDGE: u32 = 224;

/// Writes the shapes with the maximum number of views. Others are skipped, because all rows of the array have the same size.
pub(super) fn write(job: ExportJob<'_>) -> Result<ExportSummary, DataError> {
    let ExportJob { dataset, shapes, out_dir, progress } = job;
    let mut exported = ExportSummary::default();
    // The maximum, because an interrupted render has fewer views, never more.
    let n_views = shapes.iter().map(|shape| dataset.n_views(*shape)).max().unwrap_or(0);
    let mut kept = Vec::new();
    for shape in shapes {
        match dataset.n_views(*shape) {
            n if n == n_views && n > 0 => kept.push(*shape),
            n => exported.skip_shape(dataset.key(*shape), format!("has {n} views, others have {n_views}")),
        }
    }
    if kept.is_empty() {
        return Ok(exported);
    }
    let mut writer = Writer::create(&out_dir.join("mv_images.h5"))?;
    writer.begin_array("imgs", uint8(), &[kept.len(), n_views, 3, EDGE as usize, EDGE as usize])?;
    let mut rows = BTreeMap::new();
    for (row, shape) in kept.iter().enumerate() {
        let data = planes(dataset, *shape, n_views)?;
        writer.write(&data)?;
        rows.insert(export_id(dataset.key(*shape), &dataset.metadata(*shape)?.id), row);
        progress();
    }
    writer.finish()?;
    write_json(&out_dir.join("model_to_idx.json"), &rows)?;
    features(dataset, &kept, n_views, out_dir)?;
    exported.shapes = kept.len();
    Ok(exported)
}

/// The type of pixels.
pub(crate) fn uint8() -> Dtype {
    Dtype { kind: lexiform_formats::array::Kind::Unsigned, size: 1, big_endian: false }
}

/// The views of a shape as color planes.
fn planes(dataset: &Dataset, shape: usize, n_views: usize) -> Result<Vec<u8>, DataError> {
    let wrong = |message: String| DataError::invalid(Path::new(dataset.key(shape)), message);
    let views: Vec<usize> = (0..n_views).collect();
    let mut all = Vec::with_capacity(n_views * 3 * (EDGE * EDGE) as usize);
    for bytes in dataset.views(shape, &views)? {
        push_planes(&decode_view(&bytes).map_err(wrong)?, &mut all);
    }
    Ok(all)
}

/// Appends a view as color planes `[3, 224, 224]`, resized and on white.
pub(crate) fn push_planes(view: &RgbaImage, planes: &mut Vec<u8>) {
    let image = match view.dimensions() {
        (EDGE, EDGE) => composite_on_white(view),
        _ => composite_on_white(&resize_bicubic_rgba(view, EDGE as usize, EDGE as usize)),
    };
    // Planar, as PyTorch expects: all red values, then green, then blue.
    for channel in 0..3 {
        planes.extend(image.pixels().map(|pixel| pixel.0[channel]));
    }
}

/// Writes `image_embeddings.h5` if every shape has features.
fn features(dataset: &Dataset, shapes: &[usize], n_views: usize, out_dir: &Path) -> Result<(), DataError> {
    let has = |shape: &usize| dataset.members(*shape).any(|name| name == VIEW_FEATURES);
    // The array has a row per shape; a partial one would not match the index.
    if !shapes.iter().all(has) {
        return Ok(());
    }
    let path = out_dir.join("image_embeddings.h5");
    let mut writer: Option<(Writer, Vec<usize>)> = None;
    for shape in shapes {
        let Some(array) = dataset.array(*shape, VIEW_FEATURES)? else { continue };
        let (writer, expected) = match &mut writer {
            Some(begun) => begun,
            empty => {
                // The first shape determines the width of all features.
                let [_, dim] = array.shape[..] else { return Ok(()) };
                let mut begun = Writer::create(&path)?;
                begun.begin_array("img_feat", array.dtype, &[shapes.len(), n_views, dim])?;
                empty.insert((begun, vec![n_views, dim]))
            }
        };
        if array.shape != *expected {
            let message = format!(
                "shape {}: features of {:?}, expected {expected:?}",
                dataset.key(*shape),
                array.shape
            );
            return Err(DataError::invalid(&path, message));
        }
        writer.write(&array.data)?;
    }
    match writer {
        Some((writer, _)) => Ok(writer.finish()?),
        None => Ok(()),
    }
}
