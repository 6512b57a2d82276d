//! Shards: plain tar files of shapes, each beside a Parquet file that says where everything lies.
//!
//! A shape's members lie side by side, views first, its `json` last; so any subset of views is one or few reads at known
//! offsets, and tools that read WebDataset read the same files. A shard grows as `NAME.tar.partial`; its sidecar is written,
//! then it gets its name: a `.tar` is whole and has a sidecar, whatever moment a run died at.

mod durable;
mod home;
mod layout;
mod open;
mod part;
mod refusals;
mod scan;
mod sidecar;
pub(crate) mod stock;

pub use self::layout::{FORMAT, Manifest, ShardEntry, VERSION};
pub use self::part::{Done, Failed, PartWriter};
pub(crate) use self::part::{read_failed, write_failed};
pub use self::refusals::Refusal;
pub use self::scan::{Scanned, read_shapes};

pub(crate) use self::durable::{aside, mark, sum_of_file};
#[cfg(feature = "cloud")]
pub(crate) use self::durable::{hex, rename_durably};
#[cfg(feature = "cloud")]
pub(crate) use self::home::ReadAt;
pub(crate) use self::home::{FrontToBack, Home, home, sum_of};
pub(crate) use self::layout::{Layout, PartState, difference, sidecar_of, write_json};
pub(crate) use self::scan::damage;
pub(crate) use self::sidecar::{Sidecar, SidecarWriter};

/// Where a file of a shape lies in its shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// What follows the key.
    pub name: String,
    /// First byte of its content.
    pub offset: u64,
    /// Bytes of its content.
    pub size: u64,
    /// CRC-32 of its content.
    pub crc32: u32,
}

/// A shape as the sidecar knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// Its name in the data set.
    pub key: String,
    /// File name of its shard.
    pub shard: String,
    /// Where its first header begins.
    pub offset: u64,
    /// Bytes of all its headers and contents.
    pub size: u64,
    /// `train`, `val` or `test`.
    pub split: String,
    /// Where it comes from.
    pub source: String,
    /// Names of its categories.
    pub labels: Vec<String>,
    /// Sentences about it.
    pub captions: Vec<String>,
    /// Its files, in the order they lie.
    pub members: Vec<Place>,
}
