//! Reading a shard sequentially.

use std::io::Read;
use std::path::Path;

use super::row::{IndexRow, MemberEntry, Span};
use crate::shape::METADATA;
use crate::{DataError, Key, Member, Metadata, Shape};

/// Maximum size of a member in bytes.
const MAX_MEMBER_BYTES: u64 = 1 << 30;
/// Tar headers and contents start at multiples of this.
pub(crate) const TAR_BLOCK: u64 = 512;

/// A shape read from a shard.
#[derive(Clone, Debug)]
pub struct ScannedShape {
    /// The shape.
    pub shape: Shape,
    /// Its position in the shard.
    pub row: IndexRow,
}

impl ScannedShape {
    /// The first member whose checksum differs from the one in the shape's `json`, or that is missing.
    pub(crate) fn damaged_member(&self) -> Option<&str> {
        let sums = &self.shape.metadata.crc32;
        let wrong =
            self.row.members.iter().find(|m| m.name != METADATA && sums.get(&m.name) != Some(&m.crc32));
        let lost = sums.keys().find(|name| !self.row.members.iter().any(|m| m.name == **name));
        let ends = self.row.members.last().is_some_and(|last| last.name == METADATA);
        wrong.map(|m| m.name.as_str()).or(lost.map(String::as_str)).or((!ends).then_some(METADATA))
    }
}

/// Calls `visit` with every shape of a tar file in order, one in memory at a time. As in WebDataset, consecutive files whose
/// names agree up to the first dot belong to one shape.
///
/// # Errors
/// The first error of reading or of `visit`; shapes before it were passed to `visit`.
pub fn read_shapes(
    tar: impl Read,
    path: &Path,
    mut visit: impl FnMut(ScannedShape) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let invalid = |error: std::io::Error| DataError::invalid(path, error);
    let shard = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut archive = tar::Archive::new(tar);
    let mut group: Option<MemberGroup> = None;
    for entry in archive.entries().map_err(invalid)? {
        let Some(file) = TarFile::read(entry.map_err(invalid)?, path)? else { continue };
        if group.as_ref().is_some_and(|group| group.key != file.key)
            && let Some(done) = group.take()
        {
            visit(done.finish(&shard, path)?)?;
        }
        group.get_or_insert_with(|| MemberGroup::new(&file.key, file.start)).add(file.entry, file.bytes);
    }
    match group {
        Some(last) => visit(last.finish(&shard, path)?),
        None => Ok(()),
    }
}

/// A file of a tar archive that belongs to a shape.
struct TarFile {
    /// Key of its shape, with the folders before it.
    key: String,
    /// Offset of its header.
    start: u64,
    entry: MemberEntry,
    bytes: Vec<u8>,
}

impl TarFile {
    /// Reads an entry; `None` if it is not a file or its name has no key.
    fn read(mut entry: tar::Entry<'_, impl Read>, path: &Path) -> Result<Option<Self>, DataError> {
        if !entry.header().entry_type().is_file() {
            return Ok(None);
        }
        let full = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (start, size) = (entry.raw_header_position(), entry.size());
        let offset = entry.raw_file_position();
        let name_at = full.rfind('/').map_or(0, |at| at + 1);
        // The first dot of the file name, not of the folders before it.
        let Some((key, name)) = full[name_at..].split_once('.').filter(|(key, _)| !key.is_empty()) else {
            return Ok(None);
        };
        let invalid = |message: String| DataError::invalid(path, message);
        if size > MAX_MEMBER_BYTES {
            return Err(invalid(format!("{full:?} has {size} bytes, the limit is {MAX_MEMBER_BYTES}")));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| invalid(error.to_string()))?;
        // `read_to_end` does not fail at the end of a truncated archive.
        if bytes.len() as u64 != size {
            return Err(invalid(format!("{full:?} is truncated: {} of {size} bytes", bytes.len())));
        }
        let entry = MemberEntry { name: name.to_owned(), offset, size, crc32: crc32fast::hash(&bytes) };
        Ok(Some(Self { key: full[..name_at + key.len()].to_owned(), start, entry, bytes }))
    }
}

/// The files of one shape.
struct MemberGroup {
    key: String,
    offset: u64,
    end: u64,
    entries: Vec<MemberEntry>,
    members: Vec<Member>,
    metadata: Option<Vec<u8>>,
}

impl MemberGroup {
    fn new(key: &str, offset: u64) -> Self {
        Self {
            key: key.to_owned(),
            offset,
            end: offset,
            entries: Vec::new(),
            members: Vec::new(),
            metadata: None,
        }
    }

    fn add(&mut self, entry: MemberEntry, bytes: Vec<u8>) {
        // Contents are padded to whole blocks.
        self.end = entry.offset + entry.size.next_multiple_of(TAR_BLOCK);
        if entry.name == METADATA {
            self.metadata = Some(bytes);
        } else {
            self.members.push(Member::new(entry.name.clone(), bytes));
        }
        self.entries.push(entry);
    }

    fn finish(self, shard: &str, path: &Path) -> Result<ScannedShape, DataError> {
        let metadata: Metadata = match &self.metadata {
            Some(bytes) => serde_json::from_slice(bytes)
                .map_err(|error| DataError::invalid(path, format!("{}.{METADATA}: {error}", self.key)))?,
            None => Metadata { id: self.key.clone(), ..Metadata::default() },
        };
        let span = Span { offset: self.offset, size: self.end - self.offset };
        let row = IndexRow::new(self.key.clone(), shard, span, self.entries, &metadata);
        Ok(ScannedShape {
            shape: Shape { key: Key::from_id(&self.key), members: self.members, metadata },
            row,
        })
    }
}

/// Finds the first damaged shape and member in a shard with a wrong checksum.
pub(crate) fn locate_damage(tar: impl Read, path: &Path) -> String {
    let mut found = None;
    let walked = read_shapes(tar, path, |scanned| {
        if found.is_none()
            && let Some(member) = scanned.damaged_member()
        {
            found = Some(format!("{}.{member} (bytes {}…)", scanned.row.key, scanned.row.offset));
        }
        Ok(())
    });
    match (found, walked) {
        (Some(found), _) => found,
        (None, Err(error)) => error.to_string(),
        (None, Ok(())) => "the padding or a header".to_owned(),
    }
}
