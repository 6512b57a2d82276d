//! A row of the sidecar and of `index.parquet`.

use crate::Metadata;

/// A member of a shape in its shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberEntry {
    /// The name after the key and the dot: `v00.png`.
    pub name: String,
    /// Offset of its content in the shard.
    pub offset: u64,
    /// Size of its content in bytes.
    pub size: u64,
    /// CRC-32 of its content.
    pub crc32: u32,
}

/// A row of the sidecar: one shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexRow {
    /// Its key in the data set.
    pub key: String,
    /// File name of its shard.
    pub shard: String,
    /// Offset of its first tar header in the shard.
    pub offset: u64,
    /// Bytes of all its headers and contents.
    pub size: u64,
    /// `train`, `val` or `test`.
    pub split: String,
    /// Where it comes from.
    pub source: String,
    /// Names of its categories.
    pub labels: Vec<String>,
    /// Its captions.
    pub captions: Vec<String>,
    /// Its members, in the order of the shard.
    pub members: Vec<MemberEntry>,
}

/// The bytes of a shape in its shard: all its headers and contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub offset: u64,
    pub size: u64,
}

impl IndexRow {
    /// The row of a shape in `shard`.
    pub(super) fn new(
        key: String,
        shard: &str,
        span: Span,
        members: Vec<MemberEntry>,
        metadata: &Metadata,
    ) -> Self {
        Self {
            key,
            shard: shard.to_owned(),
            offset: span.offset,
            size: span.size,
            split: metadata.split.clone(),
            source: metadata.source.clone(),
            labels: metadata.labels.clone(),
            captions: metadata.captions.iter().map(|caption| caption.text.clone()).collect(),
            members,
        }
    }
}
