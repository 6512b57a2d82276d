//! Files of [OpenShape](https://github.com/Colin97/OpenShape_code): one pickled dictionary per shape, and a list of them.

use lexiform_formats::array::Array;
use lexiform_formats::pickle::DictWriter;
use serde_json::json;

use super::job::{ExportJob, ExportSummary, export_id};
use crate::shard::write_json;
use crate::{Caption, DataError, Metadata, POINTS, THUMBNAIL_FEATURES, VIEW_FEATURES};

/// Name of the data set in the list.
const DATASET_NAME: &str = "lexiform";

/// Writes `<id>.npy` for each shape, and `split.json`.
pub(super) fn write(job: ExportJob<'_>) -> Result<ExportSummary, DataError> {
    let (dataset, out_dir) = (job.dataset, job.out_dir);
    let mut list = Vec::new();
    let exported = job.each(|shape| {
        let metadata = dataset.metadata(shape)?;
        let Some(points) = dataset.array(shape, POINTS)? else {
            return Ok(Some("has no points"));
        };
        let features = [
            ("image_feat", dataset.array(shape, VIEW_FEATURES)?),
            ("thumbnail_feat", dataset.array(shape, THUMBNAIL_FEATURES)?),
        ];
        let id = export_id(dataset.key(shape), &metadata.id);
        let name = format!("{id}.npy");
        let mut dict = dictionary(&id, &metadata, &points);
        for (entry, array) in features {
            if let Some(array) = array {
                dict.array(entry, &array);
            }
        }
        fs_err::write(out_dir.join(&name), dict.to_npy())?;
        list.push(json!({ "dataset": DATASET_NAME, "group": metadata.split, "id": id, "data_path": name }));
        Ok(None)
    })?;
    write_json(&out_dir.join("split.json"), &list)?;
    Ok(exported)
}

/// The dictionary of a shape. Captions go to the entries of their sources.
fn dictionary(id: &str, metadata: &Metadata, points: &Array) -> DictWriter {
    let mut dict = DictWriter::new();
    dict.text("dataset", DATASET_NAME);
    dict.text("group", metadata.split.as_str());
    dict.text("id", id);
    let (xyz, rgb) = columns(points);
    dict.array("xyz", &xyz);
    dict.array("rgb", &rgb);
    // OpenShape keeps one entry per source of captions; other sources have no place in its format.
    let from = |sources: &[&str]| {
        let captions = metadata.captions.iter().filter(|c: &&Caption| sources.contains(&c.source.as_str()));
        captions.map(|c| c.text.as_str()).collect::<Vec<_>>()
    };
    dict.texts("text", &from(&["metadata", "name", "folder"]));
    dict.text("blip_caption", from(&["blip"]).first().copied().unwrap_or_default());
    dict.text("msft_caption", from(&["msft"]).first().copied().unwrap_or_default());
    dict.texts("retrieval_text", &from(&["retrieval"]));
    dict
}

/// Positions and colors; shapes without colors are gray (0.4), as in OpenShape.
fn columns(points: &Array) -> (Array, Array) {
    // At least 3, because `chunks_exact` panics with 0.
    let wide = points.shape.get(1).copied().unwrap_or(3).max(3);
    let numbers = points.to_f32_vec();
    let rows: Vec<&[f32]> = numbers.chunks_exact(wide).collect();
    let xyz = rows.iter().flat_map(|row| row[..3].iter().copied());
    let rgb = rows.iter().flat_map(|row| match row.get(3..6) {
        Some(color) => [color[0], color[1], color[2]],
        None => [0.4; 3],
    });
    (Array::from_f16(rows.len(), 3, xyz), Array::from_f16(rows.len(), 3, rgb))
}
