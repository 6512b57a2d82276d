//! Reading a shard sequentially.

use std::io::Read;
use std::path::Path;

use super::row::{Place, Row, Span};
use crate::shape::ABOUT;
use crate::{About, DataError, Key, Member, Shape};

/// Maximum size of a member in bytes.
const LARGEST_MEMBER: u64 = 1 << 30;
/// Tar headers and contents start at multiples of this.
pub(crate) const BLOCK: u64 = 512;

/// A shape read from a shard.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The shape.
    pub shape: Shape,
    /// Its position in the shard.
    pub row: Row,
}

impl Scanned {
    /// The first member whose checksum differs from the one in the shape's `json`, or that is missing.
    pub(crate) fn damaged_member(&self) -> Option<&str> {
        let sums = &self.shape.about.crc32;
        let wrong = self.row.members.iter().find(|m| m.name != ABOUT && sums.get(&m.name) != Some(&m.crc32));
        let lost = sums.keys().find(|name| !self.row.members.iter().any(|m| m.name == **name));
        let ends = self.row.members.last().is_some_and(|last| last.name == ABOUT);
        wrong.map(|m| m.name.as_str()).or(lost.map(String::as_str)).or((!ends).then_some(ABOUT))
    }
}

/// Calls `see` with every shape of a tar file in order, one in memory at a time. As in WebDataset, consecutive files whose
/// names agree up to the first dot belong to one shape.
///
/// # Errors
/// The first error of reading or of `see`; shapes before it were passed to `see`.
pub fn read_shapes(
    tar: impl Read,
    path: &Path,
    mut see: impl FnMut(Scanned) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let invalid = |error: std::io::Error| DataError::invalid(path, error);
    let shard = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut archive = tar::Archive::new(tar);
    let mut group: Option<Group> = None;
    for entry in archive.entries().map_err(invalid)? {
        let Some(file) = TarFile::read(entry.map_err(invalid)?, path)? else { continue };
        if group.as_ref().is_some_and(|group| group.key != file.key)
            && let Some(done) = group.take()
        {
            see(done.finish(&shard, path)?)?;
        }
        group.get_or_insert_with(|| Group::new(&file.key, file.start)).add(file.place, file.bytes);
    }
    match group {
        Some(last) => see(last.finish(&shard, path)?),
        None => Ok(()),
    }
}

/// A file of a tar archive that belongs to a shape.
struct TarFile {
    /// Key of its shape, with the folders before it.
    key: String,
    /// Offset of its header.
    start: u64,
    place: Place,
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
        let Some((key, name)) = full[name_at..].split_once('.').filter(|(key, _)| !key.is_empty()) else {
            return Ok(None);
        };
        let invalid = |message: String| DataError::invalid(path, message);
        if size > LARGEST_MEMBER {
            return Err(invalid(format!("{full:?} has {size} bytes, the limit is {LARGEST_MEMBER}")));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| invalid(error.to_string()))?;
        if bytes.len() as u64 != size {
            return Err(invalid(format!("{full:?} is truncated: {} of {size} bytes", bytes.len())));
        }
        let place = Place { name: name.to_owned(), offset, size, crc32: crc32fast::hash(&bytes) };
        Ok(Some(Self { key: full[..name_at + key.len()].to_owned(), start, place, bytes }))
    }
}

/// The files of one shape.
struct Group {
    key: String,
    offset: u64,
    end: u64,
    places: Vec<Place>,
    members: Vec<Member>,
    about: Option<Vec<u8>>,
}

impl Group {
    fn new(key: &str, offset: u64) -> Self {
        Self {
            key: key.to_owned(),
            offset,
            end: offset,
            places: Vec::new(),
            members: Vec::new(),
            about: None,
        }
    }

    fn add(&mut self, place: Place, bytes: Vec<u8>) {
        self.end = place.offset + place.size.next_multiple_of(BLOCK);
        if place.name == ABOUT {
            self.about = Some(bytes);
        } else {
            self.members.push(Member::new(place.name.clone(), bytes));
        }
        self.places.push(place);
    }

    fn finish(self, shard: &str, path: &Path) -> Result<Scanned, DataError> {
        let about: About = match &self.about {
            Some(bytes) => serde_json::from_slice(bytes)
                .map_err(|error| DataError::invalid(path, format!("{}.{ABOUT}: {error}", self.key)))?,
            None => About { id: self.key.clone(), ..About::default() },
        };
        let span = Span { offset: self.offset, size: self.end - self.offset };
        let row = Row::new(self.key.clone(), shard, span, self.places, &about);
        Ok(Scanned { shape: Shape { key: Key::of_id(&self.key), members: self.members, about }, row })
    }
}

/// Finds the first damaged shape and member in a shard with a wrong checksum.
pub(crate) fn damage(tar: impl Read, path: &Path) -> String {
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
