//! Shards: plain tar files of shapes, each with a Parquet sidecar that holds the offsets of all members.
//!
//! A shape's members are adjacent in the tar file, views first and its `json` last. Any subset of views is therefore one or a
//! few reads at known offsets, and tools that read [WebDataset](https://github.com/webdataset/webdataset) read the same files.
//! A shard is written as `NAME.tar.partial` and renamed after its sidecar is written: a `.tar` is complete and has a sidecar,
//! whenever a run was killed.

mod columns;
mod durable;
mod failed_shapes;
mod json;
mod layout;
mod manifest;
mod missing_captions;
mod partition;
mod partition_state;
mod row;
mod scan;
mod settings;
mod sidecar;
pub(crate) mod validate;
mod writer;

pub use self::failed_shapes::FailedShape;
pub use self::manifest::{FORMAT, Manifest, ShardEntry, VERSION};
pub use self::missing_captions::ShapeMissingCaptions;
pub use self::partition::{PartitionProgress, PartitionWriter};
pub use self::row::{IndexRow, MemberEntry};
pub use self::scan::{ScannedShape, read_shapes};

pub(crate) use self::columns::{read_column, write_column};
#[cfg(feature = "cloud")]
pub(crate) use self::durable::rename_durably;
pub(crate) use self::durable::{hex_digest, partial_path, sha256_file, short_hash};
pub(crate) use self::failed_shapes::{read_failed, write_failed};
pub(crate) use self::json::{read_json, to_json_line, write_json};
pub(crate) use self::layout::{Layout, sidecar_of};
pub(crate) use self::partition_state::PartitionState;
pub(crate) use self::scan::locate_damage;
pub(crate) use self::sidecar::{Sidecar, SidecarWriter, catch_panics};
