//! Opening the storage that a path or an address names.

use std::path::Path;

use crate::address::Address;
use crate::storage::{Folder, Home};
use crate::{DataError, Manifest};

/// The storage of the data set at `place`.
///
/// # Errors
/// [`DataError::NoCloud`] if it is in an object store and this build cannot read those.
pub(super) fn home(place: &Path) -> Result<Box<dyn Home>, DataError> {
    match Address::of_path(place)? {
        Address::Here(folder) => Ok(Box::new(Folder::new(folder))),
        #[cfg(feature = "cloud")]
        Address::Store(uri) => Ok(Box::new(crate::remote::Bucket::new(crate::remote::Store::open(&uri)?))),
        #[cfg(not(feature = "cloud"))]
        Address::Store(address) => Err(DataError::NoCloud { address }),
    }
}

impl Manifest {
    /// Reads the manifest of a data set. `place` is a folder or the address of an object store.
    ///
    /// # Errors
    /// [`DataError::Incomplete`] if there is no manifest, [`DataError::Invalid`] if it has another format or version, or
    /// [`DataError::NoCloud`].
    pub fn read(place: &Path) -> Result<Self, DataError> {
        home(place)?.manifest()?.checked(place)
    }
}
