//! Captions of a library's records.

use std::path::Path;

use lexiform_store::{Captions, RecordId, SqliteStore, VectorStore as _};

use crate::{Error, Library, LibraryPath};

impl Library {
    /// The captions of a file in the library that it is in; `None` if there are none, or no library.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn captions_of(file: &Path) -> Result<Option<Captions>, Error> {
        let Ok(file) = fs_err::canonicalize(file) else { return Ok(None) };
        let library_path = LibraryPath::for_files_in(file.parent().unwrap_or(Path::new("")));
        let Some(key) = library_path.key(&file).filter(|_| library_path.exists()) else { return Ok(None) };
        let entry = SqliteStore::open(&library_path.folder)?.find_in_any_space(&key)?;
        Ok(entry.and_then(|entry| entry.payload.captions))
    }

    /// Replaces the captions of records; `None` deletes them. Search by names finds their words.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be written, or has no such record.
    pub fn set_captions(&self, captions: &[(RecordId, Option<Captions>)]) -> Result<(), Error> {
        if captions.is_empty() { Ok(()) } else { Ok(self.store().set_captions(captions)?) }
    }
}
