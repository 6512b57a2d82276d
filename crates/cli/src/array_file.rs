//! Writing embeddings as an array that other programs read: NumPy's `.npy`, or `.safetensors`.

use std::collections::HashMap;
use std::path::Path;

use lexiform_formats::array::{self, Array, Dtype};
use lexiform_search::Embedding;
use safetensors::tensor::{Dtype as TensorType, TensorView, serialize};

use crate::failure::Usage;

/// Refuses a file name whose ending is no known kind of array, before any work is done.
pub fn check_ending(path: &Path) -> anyhow::Result<()> {
    kind(path).map(drop)
}

/// Writes rows, each with what it is of, as `[rows, dim]` of little-endian f32. `.safetensors` also tells the model and
/// what the rows are of.
pub fn write(path: &Path, model: &str, rows: &[(String, Embedding)]) -> anyhow::Result<()> {
    let dim = rows.first().map_or(0, |(_, e)| e.as_slice().len());
    let values: Vec<u8> = rows.iter().flat_map(|(_, e)| e.as_slice()).flat_map(|x| x.to_le_bytes()).collect();
    let bytes = match kind(path)? {
        Kind::Npy => {
            let dtype = Dtype { kind: array::Kind::Float, size: 4, big_endian: false };
            Array { dtype, shape: vec![rows.len(), dim], data: values }.to_npy()
        }
        Kind::Safetensors => {
            let view = TensorView::new(TensorType::F32, vec![rows.len(), dim], &values)?;
            let names: Vec<&str> = rows.iter().map(|(of, _)| of.as_str()).collect();
            let metadata = HashMap::from([
                ("model".to_owned(), model.to_owned()),
                ("rows".to_owned(), serde_json::to_string(&names)?),
            ]);
            serialize([("embeddings", view)], Some(metadata))?
        }
    };
    Ok(lexiform_formats::write_file(path, &bytes)?)
}

enum Kind {
    Npy,
    Safetensors,
}

fn kind(path: &Path) -> anyhow::Result<Kind> {
    match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("npy") => Ok(Kind::Npy),
        Some("safetensors") => Ok(Kind::Safetensors),
        _ => {
            Err(Usage(format!("{}: expected a name that ends in .npy or .safetensors", path.display()))
                .into())
        }
    }
}
