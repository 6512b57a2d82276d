//! Recognizing files of embeddings that Lexiform wrote.

use std::path::Path;

use lexiform_formats::hdf5::File;
use lexiform_formats::{PositionedFile, RandomAccess as _, SOFTWARE, zip};
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::source::strings;
use super::writer::{CREATED_BY, SOFTWARE_KEY};
use crate::shard::catch_panics;

/// Largest array with the name of a software, in bytes.
const MAX_SOFTWARE: u64 = 1 << 16;

/// Whether a `.npz`, HDF5 or Parquet file says that Lexiform wrote it. `.safetensors` files say so in their header, and `.npy`
/// files cannot.
pub fn is_written_by_lexiform(path: &Path) -> bool {
    software(path).is_some_and(|found| found == SOFTWARE || found.starts_with(CREATED_BY))
}

/// The software that a file names; `None` also if it cannot be read.
fn software(path: &Path) -> Option<String> {
    let file = PositionedFile::open(path).ok()?;
    let start = file.bytes(0, file.length().min(4)).ok()?;
    let names = match &start[..] {
        b"PK\x03\x04" => {
            let name = format!("{SOFTWARE_KEY}.npy");
            let (_, entry) = zip::entries(&file).ok()?.into_iter().find(|(found, _)| *found == name)?;
            strings(&entry.read(&file, MAX_SOFTWARE).ok()?)?
        }
        b"PAR1" => {
            let file = std::fs::File::open(path).ok()?;
            let reader = catch_panics(|| SerializedFileReader::new(file)).ok()?;
            return reader.metadata().file_metadata().created_by().map(str::to_owned);
        }
        b"\x89HDF" => File::open(path).ok()?.dataset(SOFTWARE_KEY).ok()?.read_rows(0, 1).ok()?.to_strings(),
        _ => return None,
    };
    names.into_iter().next()
}
