//! The index of an open data set, in memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::shard::{IndexRow, Layout, Manifest, Sidecar};
use crate::{DataError, Key};

/// What is kept in memory of `index.parquet`: 24 bytes per member, and 40 and its key per shape.
#[derive(Default)]
pub(super) struct InMemoryIndex {
    /// All keys, concatenated.
    keys: String,
    shapes: Vec<IndexedShape>,
    members: Vec<IndexedMember>,
    /// Distinct names of members.
    names: Vec<String>,
    splits: Vec<String>,
    labels: Vec<String>,
    /// Hashes of keys ([`Key::stable_hash`]) and numbers of shapes, sorted.
    by_key: Vec<(u64, u32)>,
}

struct IndexedShape {
    key_end: u32,
    members_end: u32,
    shard: u32,
    split: u16,
    /// First label, as a position in the list of labels.
    label: Option<u32>,
}

/// Where a member is in its shard.
#[derive(Clone, Copy)]
pub(super) struct IndexedMember {
    pub offset: u64,
    pub size: u32,
    pub crc32: u32,
    name: u16,
}

impl InMemoryIndex {
    /// Reads `index.parquet` of the data set at `root`.
    pub fn read(table: &Sidecar, root: &Path, manifest: &Manifest) -> Result<Self, DataError> {
        let mut reader = IndexReader {
            root,
            path: Layout::new(root).index(),
            shards: manifest.shards.iter().zip(0..).map(|(s, i)| (s.file.as_str(), (i, s.bytes))).collect(),
            names: Names::default(),
            splits: Names::default(),
            labels: Names::default(),
            index: Self::default(),
        };
        table.for_each_row(|row| reader.add(row))?;
        let IndexReader { names, splits, labels, mut index, .. } = reader;
        (index.names, index.splits, index.labels) = (names.list, splits.list, labels.list);
        // Pairs are unique by shape, so an unstable sort has one result.
        index.by_key.sort_unstable();
        Ok(index)
    }

    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    pub fn key(&self, shape: usize) -> &str {
        // Only ends are stored; the start is the end of the previous shape.
        let start = if shape == 0 { 0 } else { self.shapes[shape - 1].key_end as usize };
        &self.keys[start..self.shapes[shape].key_end as usize]
    }

    pub fn find(&self, key: &str) -> Option<usize> {
        let hash = Key::new(key)?.stable_hash();
        // Binary search by hash, then comparison of the few keys that share it: smaller than a hash map of keys.
        let first = self.by_key.partition_point(|(s, _)| *s < hash);
        let same = self.by_key[first..].iter().take_while(|(s, _)| *s == hash);
        same.map(|(_, shape)| *shape as usize).find(|shape| self.key(*shape) == key)
    }

    /// Position of the shape's shard in the manifest.
    pub fn shard(&self, shape: usize) -> usize {
        self.shapes[shape].shard as usize
    }

    pub fn split(&self, shape: usize) -> &str {
        &self.splits[usize::from(self.shapes[shape].split)]
    }

    pub fn label(&self, shape: usize) -> Option<&str> {
        self.shapes[shape].label.map(|label| self.labels[label as usize].as_str())
    }

    /// The members of a shape, in the order of the shard.
    pub fn indexed_members(&self, shape: usize) -> &[IndexedMember] {
        let start = if shape == 0 { 0 } else { self.shapes[shape - 1].members_end as usize };
        &self.members[start..self.shapes[shape].members_end as usize]
    }

    /// The name of a member.
    pub fn name(&self, member: &IndexedMember) -> &str {
        &self.names[usize::from(member.name)]
    }
}

/// Fills an index, row by row.
struct IndexReader<'a> {
    root: &'a Path,
    /// The file that is read.
    path: PathBuf,
    /// Position in the manifest and size of each shard.
    shards: HashMap<&'a str, (u32, u64)>,
    names: Names,
    splits: Names,
    labels: Names,
    index: InMemoryIndex,
}

impl IndexReader<'_> {
    fn add(&mut self, row: IndexRow) -> Result<(), DataError> {
        let (shard, bytes) =
            *self.shards.get(row.shard.as_str()).ok_or_else(|| self.unknown_shard(&row.shard))?;
        for member in row.members {
            // Offsets are untrusted: an index of another version must not cause a read outside of the shard.
            let inside = member.offset.checked_add(member.size).is_some_and(|end| end <= bytes);
            let (size, name) = (u32::try_from(member.size), u16::try_from(self.names.intern(member.name)));
            let (Ok(size), Ok(name), true) = (size, name, inside) else {
                return Err(self.invalid(format!("shape {:?}: a member is outside its shard", row.key)));
            };
            self.index.members.push(IndexedMember { offset: member.offset, size, crc32: member.crc32, name });
        }
        let key = Key::new(&row.key).ok_or_else(|| self.invalid(format!("invalid key {:?}", row.key)))?;
        self.index.keys.push_str(key.as_str());
        let label = row.labels.into_iter().next().map(|label| self.labels.intern(label));
        let split = self.splits.intern(row.split);
        let too_large = || DataError::invalid(&self.path, "too large to be opened");
        let small = |n: usize| u32::try_from(n).map_err(|_| too_large());
        let entry = IndexedShape {
            key_end: small(self.index.keys.len())?,
            members_end: small(self.index.members.len())?,
            shard,
            split: u16::try_from(split).map_err(|_| too_large())?,
            label: label.map(small).transpose()?,
        };
        self.index.by_key.push((key.stable_hash(), small(self.index.shapes.len())?));
        self.index.shapes.push(entry);
        Ok(())
    }

    fn invalid(&self, message: String) -> DataError {
        DataError::invalid(&self.path, message)
    }

    fn unknown_shard(&self, shard: &str) -> DataError {
        let message = format!("index.parquet has shapes in {shard:?}, which manifest.json does not list");
        DataError::Inconsistent { path: self.root.to_owned(), message }
    }
}

/// Distinct strings, by position.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    positions: HashMap<String, usize>,
}

impl Names {
    /// The position of a string, which is added if it is new.
    fn intern(&mut self, text: String) -> usize {
        if let Some(at) = self.positions.get(&text) {
            return *at;
        }
        self.positions.insert(text.clone(), self.list.len());
        self.list.push(text);
        self.list.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_as_small_as_documented() {
        assert_eq!(
            (size_of::<IndexedMember>(), size_of::<IndexedShape>() + size_of::<(u64, u32)>()),
            (24, 40)
        );
    }
}
