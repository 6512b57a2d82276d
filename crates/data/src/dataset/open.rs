//! Opening the storage that a path or an address names.

use std::path::Path;

use crate::location::Location;
use crate::storage::{LocalStorage, Storage};
use crate::{DataError, Manifest};

/// The storage of the data set at `root`.
///
/// # Errors
/// [`DataError::CloudDisabled`] if it is in an object store and this build cannot read those.
pub(super) fn open_storage(root: &Path) -> Result<Box<dyn Storage>, DataError> {
    match Location::from_path(root)? {
        Location::Local(folder) => Ok(Box::new(LocalStorage::new(folder))),
        #[cfg(feature = "cloud")]
        Location::Remote(uri) => {
            Ok(Box::new(crate::remote::RemoteStorage::new(crate::remote::RemoteStore::open(&uri)?)))
        }
        #[cfg(not(feature = "cloud"))]
        Location::Remote(address) => Err(DataError::CloudDisabled { address }),
    }
}

impl Manifest {
    /// Reads the manifest of a data set. `root` is a folder or the address of an object store.
    ///
    /// # Errors
    /// [`DataError::Incomplete`] if there is no manifest, [`DataError::Invalid`] if it has another format or version, or
    /// [`DataError::CloudDisabled`].
    pub fn read(root: &Path) -> Result<Self, DataError> {
        open_storage(root)?.manifest()?.checked(root)
    }
}
