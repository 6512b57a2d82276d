//! Features in HDF5, `.npz` and pickled dictionaries, with the names of their rows if there are any.

use std::path::Path;

use lexiform_formats::array::{Array, Dtype, Kind};
use lexiform_formats::hdf5::{Dataset, Datatype, File};
use lexiform_formats::npy::{self, Npy};
use lexiform_formats::pickle::NumpyPickle;
use lexiform_formats::{RandomAccess, zip};
use lexiform_metrics::Features;

/// Largest member of a `.npz` in bytes.
const MAX_MEMBER_BYTES: u64 = 16 << 30;

/// The content of a feature file.
#[derive(Debug)]
pub(crate) struct FeatureFile {
    /// The features; all axes but the last are flattened into rows.
    pub features: Features,
    /// The name of each row, if the file has names.
    pub row_names: Option<Vec<String>>,
    /// The model that computed them, if the file names it.
    pub model: Option<String>,
}

/// An array with its name in the file.
type Named = (String, Array);

/// Features of an HDF5 file: `wanted`, or its only two-dimensional array of floats.
pub(crate) fn of_hdf5(path: &Path, wanted: Option<&str>) -> Result<FeatureFile, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let names = file.names("").map_err(|error| error.to_string())?;
    let mut arrays = Vec::new();
    for name in names {
        // Groups and arrays of other types are not features.
        let Ok(array) = file.dataset(&name) else { continue };
        let is_named = array.shape().len() == 1 && is_text(array.datatype());
        let is_features = wanted.map_or_else(|| is_matrix(&array), |wanted| wanted == name);
        if is_named || is_features {
            arrays.push((name, array.read().map_err(|error| error.to_string())?));
        }
    }
    of_arrays(arrays, wanted)
}

fn is_text(datatype: Datatype) -> bool {
    match datatype {
        Datatype::Plain(dtype) => !dtype.is_number(),
        Datatype::VarLenString => true,
    }
}

fn is_matrix(array: &Dataset) -> bool {
    let is_float = matches!(array.datatype(), Datatype::Plain(dtype) if dtype.kind == Kind::Float);
    is_float && array.shape().len() == 2
}

/// Features of a `.npz`: `wanted`, or its only two-dimensional array of floats.
pub(crate) fn of_npz(bytes: &[u8], wanted: Option<&str>) -> Result<FeatureFile, String> {
    let source: &dyn RandomAccess = &bytes;
    let mut arrays = Vec::new();
    for (name, entry) in zip::entries(source)? {
        let content = entry.read(source, MAX_MEMBER_BYTES)?;
        let name = name.trim_end_matches(".npy").to_owned();
        match npy::read_npy(&content).map_err(|error| format!("{name}: {error}"))? {
            Npy::Array(array) => arrays.push((name, array)),
            Npy::Pickled(..) => {
                // Names are objects unless NumPy was given a fixed length.
                let names = NumpyPickle::read_npy(&content)?.root().texts();
                arrays.push((name, text_array(&names)?));
            }
        }
    }
    of_arrays(arrays, wanted)
}

/// Strings as an array of the length of the longest.
fn text_array(names: &[String]) -> Result<Array, String> {
    let size = names.iter().map(String::len).max().unwrap_or(0).max(1);
    let mut data = Vec::with_capacity(size * names.len());
    for (i, name) in names.iter().enumerate() {
        data.extend_from_slice(name.as_bytes());
        data.resize((i + 1) * size, 0);
    }
    Array::new(Dtype { kind: Kind::Bytes, size, big_endian: false }, vec![names.len()], data)
}

/// Features of a pickled dictionary `{name: vector}`.
pub(crate) fn of_pickle(bytes: &[u8]) -> Result<FeatureFile, String> {
    let pickle = NumpyPickle::read_npy(bytes)?;
    let (mut names, mut values, mut dim) = (Vec::new(), Vec::new(), 0);
    for (name, value) in pickle.root().entries() {
        let row = value.array().map(|array| array.to_f32_vec()).unwrap_or_default();
        if row.is_empty() || dim != 0 && row.len() != dim {
            return Err(format!("{name:?}: expected a vector of {dim} numbers, found {}", row.len()));
        }
        dim = row.len();
        values.extend(row);
        names.push(name);
    }
    if names.is_empty() {
        return Err("expected an array, or a dictionary from names to vectors".to_owned());
    }
    let features = Features::new(values, dim).map_err(|error| error.to_string())?;
    Ok(FeatureFile { features, row_names: Some(names), model: None })
}

fn of_arrays(arrays: Vec<Named>, wanted: Option<&str>) -> Result<FeatureFile, String> {
    let (names, mut matrices): (Vec<Named>, Vec<Named>) =
        arrays.into_iter().partition(|(_, array)| !array.dtype.is_number());
    matrices.retain(|(name, array)| match wanted {
        Some(wanted) => name == wanted,
        None => array.dtype.kind == Kind::Float && array.shape.len() == 2,
    });
    let [(name, array)] = &matrices[..] else {
        let found: Vec<&String> = matrices.iter().map(|(name, _)| name).collect();
        let expected =
            wanted.map_or("one array of floats [rows, dim]".to_owned(), |name| format!("an array {name:?}"));
        return Err(format!("expected {expected}, found {found:?}: choose one with FILE#NAME"));
    };
    let dim =
        array.shape.last().copied().filter(|_| array.shape.len() > 1 && array.dtype.kind == Kind::Float);
    let dim = dim.ok_or_else(|| {
        format!("{name:?}: expected floats [rows, dim], found {} {:?}", array.dtype, array.shape)
    })?;
    let features = Features::new(array.to_f32_vec(), dim).map_err(|error| error.to_string())?;
    // Of several lists of strings, one with a string per row has the names.
    let row_names =
        names.iter().map(|(_, names)| names.to_strings()).find(|names| names.len() == features.rows());
    Ok(FeatureFile { features, row_names, model: None })
}
