//! Reading a shard from front to back.

use std::io::Read;
use std::path::Path;

use crate::shape::ABOUT;
use crate::{About, DataError, Key, Member, Shape};

use super::{Place, Row};

/// Largest file of a shape, in bytes.
const LARGEST_MEMBER: u64 = 1 << 30;
/// Tar headers and contents begin at multiples of this.
pub(crate) const BLOCK: u64 = 512;

/// A shape met on the way through a shard.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The shape.
    pub shape: Shape,
    /// Where it lies.
    pub row: Row,
}

impl Scanned {
    /// The first member whose content is not what was written, if the shape says.
    pub(crate) fn damaged_member(&self) -> Option<&str> {
        let sums = &self.shape.about.crc32;
        let wrong = self.row.members.iter().find(|m| m.name != ABOUT && sums.get(&m.name) != Some(&m.crc32));
        let lost = sums.keys().find(|name| !self.row.members.iter().any(|m| m.name == **name));
        let ends = self.row.members.last().is_some_and(|last| last.name == ABOUT);
        wrong.map(|m| m.name.as_str()).or(lost.map(String::as_str)).or((!ends).then_some(ABOUT))
    }
}

/// Gives every shape of a tar file in turn, one in memory at a time. Files that follow each other and agree up to the
/// first dot of their names are one shape, as in WebDataset.
///
/// # Errors
/// The first that reading or `see` gives; shapes before it have been seen.
pub fn read_shapes(
    tar: impl Read,
    path: &Path,
    mut see: impl FnMut(Scanned) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let invalid = |error: &dyn std::fmt::Display| DataError::invalid(path, error);
    let shard = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut archive = tar::Archive::new(tar);
    let mut group: Option<Group> = None;
    for entry in archive.entries().map_err(|error| invalid(&error))? {
        let mut entry = entry.map_err(|error| invalid(&error))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let full = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let (start, size) = (entry.raw_header_position(), entry.size());
        let offset = entry.raw_file_position();
        let name_at = full.rfind('/').map_or(0, |at| at + 1);
        let Some((key, name)) = full[name_at..].split_once('.').filter(|(key, _)| !key.is_empty()) else {
            continue;
        };
        if size > LARGEST_MEMBER {
            return Err(invalid(&format!("{full:?} is {size} bytes, the limit is {LARGEST_MEMBER}")));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| invalid(&error))?;
        if bytes.len() as u64 != size {
            return Err(invalid(&format!("{full:?} is cut off: {} of {size} bytes", bytes.len())));
        }
        let key = &full[..name_at + key.len()];
        if group.as_ref().is_some_and(|group| group.key != key)
            && let Some(done) = group.take()
        {
            see(done.finish(&shard, path)?)?;
        }
        let group = group.get_or_insert_with(|| Group::new(key, start));
        group.add(Place { name: name.to_owned(), offset, size, crc32: crc32fast::hash(&bytes) }, bytes);
    }
    match group {
        Some(last) => see(last.finish(&shard, path)?),
        None => Ok(()),
    }
}

/// Files of one shape, as they are met.
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
        let row = row(self.key.clone(), shard, (self.offset, self.end - self.offset), self.places, &about);
        Ok(Scanned { shape: Shape { key: Key::of_id(&self.key), members: self.members, about }, row })
    }
}

/// What the sidecar says about a shape.
pub(crate) fn row(
    key: String,
    shard: &str,
    (offset, size): (u64, u64),
    members: Vec<Place>,
    about: &About,
) -> Row {
    Row {
        key,
        shard: shard.to_owned(),
        offset,
        size,
        split: about.split.clone(),
        source: about.source.clone(),
        labels: about.labels.clone(),
        captions: about.captions.iter().map(|caption| caption.text.clone()).collect(),
        members,
    }
}

/// What is wrong inside a shard whose sum is not what it was: names the first shape and member.
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
