//! Writing embeddings as an array that other programs read: NumPy's `.npy`, or `.safetensors`.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use lexiform_search::Embedding;
use safetensors::tensor::{Dtype, TensorView, serialize};

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
        Kind::Npy => npy(rows.len(), dim, &values),
        Kind::Safetensors => {
            let view = TensorView::new(Dtype::F32, vec![rows.len(), dim], &values)?;
            let names: Vec<&str> = rows.iter().map(|(of, _)| of.as_str()).collect();
            let metadata = HashMap::from([
                ("model".to_owned(), model.to_owned()),
                ("rows".to_owned(), serde_json::to_string(&names)?),
            ]);
            serialize([("embeddings", view)], Some(metadata))?
        }
    };
    replace(path, &bytes)
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

/// NumPy's format, version 1.0: magic, header padded so that the data starts at a multiple of 64, data.
fn npy(rows: usize, columns: usize, values: &[u8]) -> Vec<u8> {
    const ALIGNMENT: usize = 64;
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    let padding = unpadded.next_multiple_of(ALIGNMENT) - unpadded;
    let header = format!("{header}{}\n", " ".repeat(padding));
    // Two numbers of at most 20 digits: far below the format's limit of 65,535.
    let length = (header.len() as u16).to_le_bytes();
    [MAGIC, &length, header.as_bytes(), values].concat()
}

/// Writes beside the file and renames, so that nobody ever sees half of it.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = fs_err::File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(fs_err::rename(&part, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_aligned_and_the_data_follows() {
        let bytes = npy(1, 2, &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((bytes.len() - 8) % 64, 0);
        assert_eq!(&bytes[bytes.len() - 9..], b"\n\x01\x02\x03\x04\x05\x06\x07\x08");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("'shape': (1, 2), }"), "{text}");
    }
}
