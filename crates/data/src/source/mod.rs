//! Sources of 3D files for [`prepare`](crate::prepare).

mod asset;
mod lists;
mod local_files;

pub use self::asset::{Asset, Beside, Fetched, Listing, Source};
pub use self::local_files::LocalFiles;
