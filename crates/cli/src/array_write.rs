//! Embeddings as an array that other programs read: NumPy's `.npy`, or `.safetensors`.

use std::collections::HashMap;
use std::path::Path;

use lexiform_formats::SOFTWARE;
use lexiform_formats::array::{self, Array, Dtype};
use lexiform_search::Embedding;
use safetensors::tensor::{Dtype as TensorType, TensorView, serialize};

use crate::software_mark::SAFETENSORS_KEY;

/// File name extensions of the formats.
pub(crate) const EXTENSIONS: [&str; 2] = ["npy", "safetensors"];

/// Rows, each with the file or text it embeds, as `[rows, dim]` of little-endian f32, in the format of the path's extension.
/// `.safetensors` also records the model and the names of the rows.
///
/// # Errors
/// If the rows cannot be serialized.
pub(crate) fn encode(path: &Path, model: &str, rows: &[(String, Embedding)]) -> anyhow::Result<Vec<u8>> {
    let dim = rows.first().map_or(0, |(_, e)| e.as_slice().len());
    let values: Vec<u8> = rows.iter().flat_map(|(_, e)| e.as_slice()).flat_map(|x| x.to_le_bytes()).collect();
    let is_npy = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
    if is_npy {
        let dtype = Dtype { kind: array::Kind::Float, size: 4, big_endian: false };
        return Ok(Array { dtype, shape: vec![rows.len(), dim], data: values }.to_npy());
    }
    let view = TensorView::new(TensorType::F32, vec![rows.len(), dim], &values)?;
    let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    let metadata = HashMap::from([
        (SAFETENSORS_KEY.to_owned(), SOFTWARE.to_owned()),
        ("model".to_owned(), model.to_owned()),
        ("rows".to_owned(), serde_json::to_string(&names)?),
    ]);
    Ok(serialize([("embeddings", view)], Some(metadata))?)
}
