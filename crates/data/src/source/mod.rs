//! Sources of 3D files for [`prepare`](crate::prepare).

mod asset;
mod file_list;
mod local_files;

pub use self::asset::{Asset, AssetSource, Companions, FetchedAsset, SourceListing};
pub use self::local_files::LocalFiles;
