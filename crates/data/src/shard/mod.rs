//! Shards: plain tar files of shapes, each with a Parquet sidecar that holds the offsets of all members.
//!
//! A shape's members are adjacent in the tar file, views first and its `json` last. Any subset of views is therefore one or a
//! few reads at known offsets, and tools that read [WebDataset](https://github.com/webdataset/webdataset) read the same files.
//! A shard is written as `NAME.tar.partial` and renamed after its sidecar is written: a `.tar` is complete and has a sidecar,
//! whenever a run was killed.

mod columns;
mod durable;
mod failed;
mod json;
mod layout;
mod manifest;
mod open;
mod part;
mod part_state;
mod refusals;
mod row;
mod scan;
mod settings;
mod sidecar;
pub(crate) mod stock;

pub use self::failed::Failed;
pub use self::manifest::{FORMAT, Manifest, ShardEntry, VERSION};
pub use self::part::{Done, PartWriter};
pub use self::refusals::Refusal;
pub use self::row::{Place, Row};
pub use self::scan::{Scanned, read_shapes};

#[cfg(feature = "cloud")]
pub(crate) use self::durable::rename_durably;
pub(crate) use self::durable::{aside, hex, mark, sum_of_file};
pub(crate) use self::failed::{read_failed, write_failed};
pub(crate) use self::json::{read_json, write_json};
pub(crate) use self::layout::{Layout, sidecar_of};
pub(crate) use self::part_state::PartState;
pub(crate) use self::scan::damage;
pub(crate) use self::sidecar::{Sidecar, SidecarWriter};
