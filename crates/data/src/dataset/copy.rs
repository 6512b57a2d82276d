//! Copying a finished data set to or from an object store.

use std::path::Path;

use crate::location::Location;
use crate::{CopySummary, DataError};

/// Copies a data set from a folder to the address of an object store, or from there to a folder. The manifest is copied last, so
/// an interrupted copy does not count as a data set, and the next run resumes it. `progress` is called with every file, its size
/// and whether it was copied.
///
/// # Errors
/// If none or both of the ends are stores, the source is not finished or damaged, or the destination holds another data set;
/// [`DataError::CloudDisabled`] if this build cannot read object stores.
pub fn copy(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(&str, u64, bool),
) -> Result<CopySummary, DataError> {
    let (folder, uri, is_upload) = match (Location::from_path(from)?, Location::from_path(to)?) {
        (Location::Local(folder), Location::Remote(uri)) => (folder, uri, true),
        (Location::Remote(uri), Location::Local(folder)) => (folder, uri, false),
        _ => {
            let message = "expected a folder on one side and the address of an object store on the other";
            return Err(DataError::invalid(to, message));
        }
    };
    copy_with_store(&folder, uri, is_upload, progress)
}

#[cfg(feature = "cloud")]
fn copy_with_store(
    folder: &Path,
    uri: String,
    is_upload: bool,
    progress: &mut dyn FnMut(&str, u64, bool),
) -> Result<CopySummary, DataError> {
    let store = crate::remote::RemoteStore::open(&uri)?;
    if is_upload {
        crate::remote::upload(folder, &store, progress)
    } else {
        crate::remote::download(&store, folder, progress)
    }
}

#[cfg(not(feature = "cloud"))]
fn copy_with_store(
    _folder: &Path,
    uri: String,
    _is_upload: bool,
    _progress: &mut dyn FnMut(&str, u64, bool),
) -> Result<CopySummary, DataError> {
    Err(DataError::CloudDisabled { address: uri })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_end_is_a_store() {
        let tried =
            |from: &str, to: &str| copy(Path::new(from), Path::new(to), &mut |_, _, _| {}).unwrap_err();
        assert!(tried("a", "b").to_string().contains("expected a folder on one side"));
        assert!(tried("s3://a", "gs://b").to_string().contains("expected a folder on one side"));
        #[cfg(not(feature = "cloud"))]
        assert!(tried("a", "s3://b").hint().unwrap().contains("--features lexiform-cli/cloud"));
    }
}
