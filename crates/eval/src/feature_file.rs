//! Reading precomputed features from `.npy`, `.npz`, `.h5` or `.safetensors`, in 16, 32 or 64 bits.

use std::io::Read as _;
use std::path::Path;

use lexiform_formats::array::FloatType;
use lexiform_formats::npy::{self, Header};
use lexiform_metrics::Features;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::error::EvalError;
use crate::feature_arrays::{self, FeatureFile};

/// Separates the file name from the tensor name.
const TENSOR_SEPARATOR: char = '#';
/// The tensor that `lexiform embed` writes.
const DEFAULT_TENSOR: &str = "embeddings";
/// First bytes of an HDF5 file.
const HDF5_MAGIC: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// Hint for unreadable files.
const HINT: &str = "features are a floating-point array [rows, dim] in .npy, .npz, .h5 or .safetensors, as written by `lexiform embed -o`";

/// Reads `FILE`, or one of its arrays as `FILE#TENSOR`.
pub(crate) fn read(name: &str) -> Result<FeatureFile, EvalError> {
    let (path, tensor) = match name.rsplit_once(TENSOR_SEPARATOR) {
        // A file name may itself contain the separator.
        Some((path, tensor)) if !Path::new(name).exists() => (path, Some(tensor)),
        _ => (name, None),
    };
    let mut start = [0; HDF5_MAGIC.len()];
    let read = fs_err::File::open(path)?.read(&mut start)?;
    // HDF5 is read in parts: a file may have much else.
    let file = if start[..read] == HDF5_MAGIC {
        feature_arrays::of_hdf5(Path::new(path), tensor)
    } else {
        of_bytes(&fs_err::read(path)?, tensor)
    };
    file.map_err(|reason| EvalError::hinted(format!("{path}: {reason}"), HINT))
}

fn of_bytes(bytes: &[u8], tensor: Option<&str>) -> Result<FeatureFile, String> {
    match bytes {
        _ if bytes.starts_with(npy::MAGIC) => array(bytes),
        _ if bytes.starts_with(b"PK\x03\x04") => feature_arrays::of_npz(bytes, tensor),
        _ => tensors(bytes, tensor),
    }
}

fn tensors(bytes: &[u8], wanted: Option<&str>) -> Result<FeatureFile, String> {
    let (_, header) = SafeTensors::read_metadata(bytes)
        .map_err(|error| format!("not a .npy and not a .safetensors file: {error}"))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let mut names = file.names();
    // Names come from a hash map: sort them for stable messages.
    names.sort_unstable();
    let name = match (wanted, &names[..]) {
        (Some(name), _) => name,
        (None, [only]) => *only,
        (None, _) if names.contains(&DEFAULT_TENSOR) => DEFAULT_TENSOR,
        (None, _) => {
            return Err(format!(
                "expected one tensor, found {names:?}: choose one with FILE{TENSOR_SEPARATOR}TENSOR"
            ));
        }
    };
    let view = file.tensor(name).map_err(|_| format!("expected a tensor {name:?}, found {names:?}"))?;
    let dtype = match view.dtype() {
        Dtype::F16 => FloatType::F16,
        Dtype::BF16 => FloatType::Bf16,
        Dtype::F32 => FloatType::F32,
        Dtype::F64 => FloatType::F64,
        other => return Err(format!("tensor {name:?}: expected floating-point numbers, found {other:?}")),
    };
    // A vector is ambiguous: one row, or one value per row.
    let dim = view.shape().last().copied().filter(|_| view.shape().len() > 1);
    let dim = dim.ok_or_else(|| format!("tensor {name:?}: expected rows, found shape {:?}", view.shape()))?;
    let metadata = |key: &str| header.metadata().as_ref().and_then(|m| m.get(key));
    let row_names: Option<Vec<String>> = metadata("rows").and_then(|text| serde_json::from_str(text).ok());
    let features = Features::new(dtype.decode(view.data()), dim).map_err(|error| error.to_string())?;
    // Names that do not match the rows are ignored: other tools may use this key for something else.
    let row_names = row_names.filter(|names| names.len() == features.rows());
    Ok(FeatureFile { features, row_names, model: metadata("model").cloned() })
}

fn array(bytes: &[u8]) -> Result<FeatureFile, String> {
    let header = Header::parse(bytes).map_err(|reason| format!("expected rows of numbers: {reason}"))?;
    if header.is_pickled() {
        return feature_arrays::of_pickle(bytes);
    }
    let dtype = header.dtype().and_then(FloatType::of);
    let dtype =
        dtype.ok_or_else(|| format!("expected an array of <f2, <f4 or <f8, found {}", header.descr))?;
    // Rows must be contiguous.
    if header.fortran_order {
        return Err("expected rows one after another, found Fortran order".to_owned());
    }
    let (shape, data) = (header.shape, &bytes[header.data_start..]);
    let dim = shape.last().copied().filter(|_| shape.len() > 1);
    let dim = dim.ok_or_else(|| format!("expected rows, found shape {shape:?}"))?;
    // Checked: the header of an untrusted file may claim any shape.
    let expected = shape.iter().try_fold(dtype.size(), |n, size| n.checked_mul(*size));
    if expected != Some(data.len()) {
        return Err(format!("shape {shape:?} does not fit the {} bytes that follow", data.len()));
    }
    let features = Features::new(dtype.decode(data), dim).map_err(|error| error.to_string())?;
    Ok(FeatureFile { features, row_names: None, model: None })
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    fn file(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes(), data].concat()
    }

    #[test]
    fn arrays_of_three_widths() {
        let numbers = [1.0_f32, -2.0, 0.5, 4.0];
        let half: Vec<u8> = numbers.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect();
        let single: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let double: Vec<u8> = numbers.iter().flat_map(|x| f64::from(*x).to_le_bytes()).collect();
        for (descr, data) in [("<f2", half), ("<f4", single), ("<f8", double)] {
            let read = array(&file(descr, "False", "(2, 2)", &data)).unwrap();
            assert_eq!(read.features.as_slice(), numbers, "{descr}");
            let deep = array(&file(descr, "False", "(1, 2, 2)", &data)).unwrap();
            assert_eq!((deep.features.rows(), deep.features.dim()), (2, 2));
        }
    }

    #[test]
    fn invalid_files_are_errors() {
        let check = |bytes: &[u8], part: &str| {
            let error = array(bytes).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        check(&file("<f4", "True", "(2, 2)", &[0; 16]), "Fortran");
        check(&file("<i8", "False", "(2, 2)", &[0; 32]), "found <i8");
        check(&file("<f4", "False", "(4,)", &[0; 16]), "expected rows");
        check(&file("<f4", "False", "(2, 3)", &[0; 16]), "does not fit");
        check(&file("<f4", "False", "(99999999999999999999, 3)", &[0; 16]), "expected rows");
        check(&file("<f4", "False", "(2, 2)", &[0; 16]), "row 0 is zero");
        check(b"\x93NUMPY\x01\x00\xff\xff", "truncated");
        check(b"\x93NUMPY", "truncated");
        assert!(tensors(b"nothing", None).is_err());
    }
}
