//! The trait for sources of 3D files, their listing and their files.

use std::path::PathBuf;

use crate::DataError;
use crate::annotations::AnnotationTable;

/// A source of 3D files: local files, an object store, or any other implementation.
pub trait AssetSource: Sync {
    /// Lists every file once.
    ///
    /// # Errors
    /// If the source cannot be listed at all; single folders that cannot be read are part of the listing.
    fn list(&self) -> Result<SourceListing, DataError>;
    /// Reads a file.
    ///
    /// # Errors
    /// A message that says why the file cannot be read.
    fn fetch(&self, asset: &Asset) -> Result<FetchedAsset, String>;
    /// Number of files that are fetched while others are rendered; 0 if fetching does not wait for a network.
    fn prefetch(&self) -> usize {
        0
    }
}

/// A 3D file of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its path relative to the source, with `/` between folders. Determines its key.
    pub name: String,
    /// Its path or address.
    pub location: PathBuf,
}

/// The files of a source.
#[derive(Debug, Default)]
pub struct SourceListing {
    /// 3D files.
    pub assets: Vec<Asset>,
    /// Folders and files that cannot be read, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// Labels, captions and splits from lists of files.
    pub annotations: AnnotationTable,
}

/// The content of a file, and a path that determines its format. Textures and other referenced files are found relative to it.
#[derive(Debug)]
pub struct FetchedAsset {
    /// A local path.
    pub path: PathBuf,
    /// The content.
    pub bytes: Vec<u8>,
    /// Temporary copies of the files that it references; deleted when this is dropped.
    pub companions: Option<Companions>,
}

/// Temporary copies of the files that a 3D file references.
#[derive(Debug)]
pub struct Companions {
    #[cfg(feature = "cloud")]
    pub(crate) _folder: tempfile::TempDir,
}
