//! Reading a data set: any views of any shape, by offset and in any order, from many threads; where it lies is a
//! [`Home`]'s business.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use lexiform_formats::array::Array;
use lexiform_formats::npy::{Npy, read_npy};

use crate::shape::ABOUT;
use crate::shard::{FrontToBack, Home, Layout, Manifest, Row, Sidecar, home, read_shapes};
use crate::{About, DataError, Key, Member, Scanned, Shape, is_remote};

/// Largest stretch that is read at once, in bytes.
const STRETCH: u64 = 64 << 20;

/// A data set, opened. Reading needs no lock beyond the one around open files.
pub struct Dataset {
    place: PathBuf,
    home: Box<dyn Home>,
    manifest: Manifest,
    index: Index,
}

/// What is kept in memory of the table: 24 bytes a member, and 40 and its key a shape.
#[derive(Default)]
struct Index {
    /// All keys, one after the other.
    keys: String,
    shapes: Vec<Entry>,
    members: Vec<Slot>,
    /// Names of members, each once.
    names: Vec<String>,
    splits: Vec<String>,
    labels: Vec<String>,
    /// Shapes sorted by [`Key::spread`].
    by_key: Vec<(u64, u32)>,
}

struct Entry {
    key_end: u32,
    members_end: u32,
    shard: u32,
    split: u16,
    /// First label, as a position in the list of labels.
    label: Option<u32>,
}

#[derive(Clone, Copy)]
struct Slot {
    offset: u64,
    size: u32,
    crc32: u32,
    name: u16,
}

impl Dataset {
    /// Whether a folder is a data set, or the beginning of one. In an object store nothing else is looked for, so there it is
    /// taken to be one.
    pub fn is_at(place: &Path) -> bool {
        if is_remote(place) {
            return true;
        }
        let layout = Layout::new(place);
        // A folder of 3D files may well have one called `parts`.
        Manifest::read(place).is_ok() || layout.states().is_ok_and(|parts| !parts.is_empty())
    }

    /// Opens a data set and reads its table. `place` is a folder, or the address of an object store (`s3://bucket/folder`),
    /// whose table is brought here for as long as the data set is open and whose shards are read where they lie.
    pub fn open(place: &Path) -> Result<Self, DataError> {
        Self::at(place.to_owned(), home(place)?)
    }

    /// The same in a store that is open.
    #[cfg(feature = "cloud")]
    pub fn in_store(store: crate::remote::Store) -> Result<Self, DataError> {
        Self::at(PathBuf::from(store.uri()), Box::new(crate::remote::Bucket::new(store)))
    }

    fn at(place: PathBuf, home: Box<dyn Home>) -> Result<Self, DataError> {
        let manifest = home.manifest()?.checked(&place)?;
        let index = Index::read(&home.table()?, &place, &manifest)?;
        if index.shapes.len() as u64 != manifest.shapes {
            let (expected, found) = (manifest.shapes, index.shapes.len());
            let message = format!("manifest.json has {expected} shapes, index.parquet {found}");
            return Err(DataError::Torn { path: place, message });
        }
        Ok(Self { place, home, manifest, index })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many shapes there are.
    pub fn len(&self) -> usize {
        self.index.shapes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of shape `shape`.
    ///
    /// # Panics
    /// Like all that takes a shape's number: if it is not below [`Dataset::len`].
    pub fn key(&self, shape: usize) -> &str {
        let start = if shape == 0 { 0 } else { self.index.shapes[shape - 1].key_end as usize };
        &self.index.keys[start..self.index.shapes[shape].key_end as usize]
    }

    /// The number of the shape called `key`.
    pub fn find(&self, key: &str) -> Option<usize> {
        let spread = Key::new(key)?.spread();
        let by_key = &self.index.by_key;
        let first = by_key.partition_point(|(s, _)| *s < spread);
        let same = by_key[first..].iter().take_while(|(s, _)| *s == spread);
        same.map(|(_, shape)| *shape as usize).find(|shape| self.key(*shape) == key)
    }

    /// `train`, `val` or `test`.
    pub fn split(&self, shape: usize) -> &str {
        &self.index.splits[usize::from(self.index.shapes[shape].split)]
    }

    /// The shape's first label.
    pub fn label(&self, shape: usize) -> Option<&str> {
        self.index.shapes[shape].label.map(|label| self.index.labels[label as usize].as_str())
    }

    /// Names of the shape's members, in the order they lie.
    pub fn members(&self, shape: usize) -> impl Iterator<Item = &str> {
        self.slots(shape).iter().map(|slot| self.index.names[usize::from(slot.name)].as_str())
    }

    /// How many views the shape has.
    pub fn n_views(&self, shape: usize) -> usize {
        self.view_numbers(shape).count()
    }

    /// The numbers of the shape's views, in the order they lie.
    pub fn view_numbers(&self, shape: usize) -> impl Iterator<Item = usize> {
        self.members(shape).filter_map(Member::view_index)
    }

    /// The image files of some views, in the order asked for. Neighbors come with one read.
    pub fn views(&self, shape: usize, views: &[usize]) -> Result<Vec<Vec<u8>>, DataError> {
        let mut at = Vec::with_capacity(views.len());
        for view in views {
            let found = self.members(shape).position(|name| Member::view_index(name) == Some(*view));
            at.push(found.ok_or_else(|| self.invalid(shape, format!("has no view {view}")))?);
        }
        self.read(shape, &at)
    }

    /// A member's content, or `None` if the shape has none of that name.
    pub fn member(&self, shape: usize, name: &str) -> Result<Option<Vec<u8>>, DataError> {
        match self.members(shape).position(|member| member == name) {
            Some(at) => Ok(self.read(shape, &[at])?.pop()),
            None => Ok(None),
        }
    }

    /// Some of a shape's files by their names, in the order they lie; names that it lacks are passed over. Neighbors come
    /// with one read.
    pub fn some(&self, shape: usize, wanted: impl Fn(&str) -> bool) -> Result<Vec<Member>, DataError> {
        let at: Vec<usize> =
            self.members(shape).enumerate().filter(|(_, name)| wanted(name)).map(|(at, _)| at).collect();
        let contents = self.read(shape, &at)?;
        let names = &self.index.names;
        let named = at.into_iter().map(|at| &names[usize::from(self.slots(shape)[at].name)]);
        Ok(named.zip(contents).map(|(name, bytes)| Member::new(name.as_str(), bytes)).collect())
    }

    /// An array among the members, or `None` if the shape has none of that name.
    pub fn array(&self, shape: usize, name: &str) -> Result<Option<Array>, DataError> {
        let Some(bytes) = self.member(shape, name)? else { return Ok(None) };
        self.as_array(shape, name, &bytes).map(Some)
    }

    /// The array in a member that was read.
    pub fn as_array(&self, shape: usize, name: &str, bytes: &[u8]) -> Result<Array, DataError> {
        match read_npy(bytes) {
            Ok(Npy::Array(array)) => Ok(array),
            Ok(Npy::Pickled(..)) => Err(self.invalid(shape, format!("{name} holds Python objects"))),
            Err(message) => Err(self.invalid(shape, format!("{name}: {message}"))),
        }
    }

    /// What is known about a shape.
    pub fn about(&self, shape: usize) -> Result<About, DataError> {
        let bytes =
            self.member(shape, ABOUT)?.ok_or_else(|| self.invalid(shape, format!("has no {ABOUT}")))?;
        self.as_about(shape, &bytes)
    }

    /// What is known about a shape, from its member [`ABOUT`] that was read.
    pub fn as_about(&self, shape: usize, bytes: &[u8]) -> Result<About, DataError> {
        serde_json::from_slice(bytes).map_err(|error| self.invalid(shape, format!("{ABOUT}: {error}")))
    }

    /// Every row of the table, in the order of shapes' numbers: labels and captions without reading a shard.
    pub fn rows(&self, see: impl FnMut(Row) -> Result<(), DataError>) -> Result<(), DataError> {
        self.home.table()?.rows(see)
    }

    /// The whole shape with one read.
    pub fn shape(&self, shape: usize) -> Result<Shape, DataError> {
        let all: Vec<usize> = (0..self.slots(shape).len()).collect();
        let contents = self.read(shape, &all)?;
        let names = self.members(shape).map(str::to_owned);
        let mut members: Vec<Member> =
            names.zip(contents).map(|(name, bytes)| Member::new(name, bytes)).collect();
        let at = members.iter().position(|m| m.name == ABOUT);
        let about =
            at.map(|at| members.remove(at)).ok_or_else(|| self.invalid(shape, format!("has no {ABOUT}")))?;
        let about = self.as_about(shape, &about.bytes)?;
        Ok(Shape { key: Key::of_id(self.key(shape)), members, about })
    }

    /// Every shape from front to back, shard by shard.
    pub fn scan(&self, mut see: impl FnMut(Scanned) -> Result<(), DataError>) -> Result<(), DataError> {
        for shard in &self.manifest.shards {
            let path = Layout::new(&self.place).shard(&shard.file);
            let file = self.home.shard(&shard.file)?;
            read_shapes(FrontToBack::new(file, shard.bytes, self.home.stride()), &path, &mut see)?;
        }
        Ok(())
    }

    fn slots(&self, shape: usize) -> &[Slot] {
        let start = if shape == 0 { 0 } else { self.index.shapes[shape - 1].members_end as usize };
        &self.index.members[start..self.index.shapes[shape].members_end as usize]
    }

    /// Members by position, checked against their sums.
    fn read(&self, shape: usize, at: &[usize]) -> Result<Vec<Vec<u8>>, DataError> {
        let slots = self.slots(shape);
        let mut order: Vec<usize> = (0..at.len()).collect();
        order.sort_by_key(|i| slots[at[*i]].offset);
        let mut stretches: Vec<Range<u64>> = Vec::new();
        let mut held_by = Vec::with_capacity(order.len());
        for slot in order.iter().map(|i| slots[at[*i]]) {
            let end = slot.offset + u64::from(slot.size);
            match stretches.last_mut() {
                Some(last) if slot.offset <= last.end + self.home.gap() && end - last.start <= STRETCH => {
                    last.end = last.end.max(end);
                }
                _ => stretches.push(slot.offset..end),
            }
            held_by.push(stretches.len() - 1);
        }
        let shard = &self.manifest.shards[self.index.shapes[shape].shard as usize].file;
        let read = self.home.shard(shard)?.read_at(&stretches);
        let read = read.map_err(|error| self.invalid(shape, error.to_string()))?;
        let mut contents = vec![Vec::new(); at.len()];
        for (i, stretch) in order.into_iter().zip(held_by) {
            let slot = slots[at[i]];
            let start = (slot.offset - stretches[stretch].start) as usize;
            let content = &read[stretch][start..][..slot.size as usize];
            if crc32fast::hash(content) != slot.crc32 {
                let name = &self.index.names[usize::from(slot.name)];
                return Err(self.invalid(shape, format!("{name} is damaged")));
            }
            contents[i] = content.to_vec();
        }
        Ok(contents)
    }

    /// An error that names the shape and its shard.
    pub fn invalid(&self, shape: usize, message: String) -> DataError {
        let shard = &self.manifest.shards[self.index.shapes[shape].shard as usize].file;
        let path = Layout::new(&self.place).shard(shard);
        DataError::invalid(&path, format!("shape {}: {message}", self.key(shape)))
    }
}

impl Index {
    fn read(table: &Sidecar, place: &Path, manifest: &Manifest) -> Result<Self, DataError> {
        let shards: HashMap<&str, (u32, u64)> =
            manifest.shards.iter().zip(0..).map(|(s, i)| (s.file.as_str(), (i, s.bytes))).collect();
        let mut index = Self::default();
        let mut known: [HashMap<String, usize>; 3] = Default::default();
        let path = Layout::new(place).index();
        let invalid = |message: String| DataError::invalid(&path, message);
        let torn = |shard: &str| {
            let message = format!("index.parquet has shapes in {shard:?}, which manifest.json has not");
            DataError::Torn { path: place.to_owned(), message }
        };
        table.rows(|row| {
            let (shard, bytes) = *shards.get(row.shard.as_str()).ok_or_else(|| torn(&row.shard))?;
            for member in row.members {
                let inside = member.offset.checked_add(member.size).is_some_and(|end| end <= bytes);
                let (size, name) =
                    (u32::try_from(member.size), number(&mut index.names, &mut known[0], member.name));
                let (Ok(size), Ok(name), true) = (size, u16::try_from(name), inside) else {
                    return Err(invalid(format!("shape {:?}: a member lies outside its shard", row.key)));
                };
                index.members.push(Slot { offset: member.offset, size, crc32: member.crc32, name });
            }
            let key = Key::new(&row.key).ok_or_else(|| invalid(format!("{:?} is no key", row.key)))?;
            index.keys.push_str(key.as_str());
            let too_many = || invalid("is larger than can be opened".to_owned());
            let small = |n: usize| u32::try_from(n).map_err(|_| too_many());
            let label = row.labels.into_iter().next().map(|l| number(&mut index.labels, &mut known[1], l));
            index.by_key.push((key.spread(), small(index.shapes.len())?));
            index.shapes.push(Entry {
                key_end: small(index.keys.len())?,
                members_end: small(index.members.len())?,
                shard,
                split: u16::try_from(number(&mut index.splits, &mut known[2], row.split))
                    .map_err(|_| too_many())?,
                label: label.map(small).transpose()?,
            });
            Ok(())
        })?;
        index.by_key.sort_unstable();
        Ok(index)
    }
}

/// The position of a text in a list, added if it is new.
fn number(list: &mut Vec<String>, known: &mut HashMap<String, usize>, text: String) -> usize {
    if let Some(at) = known.get(&text) {
        return *at;
    }
    known.insert(text.clone(), list.len());
    list.push(text);
    list.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_memory_is_as_small_as_the_documents_say() {
        assert_eq!((size_of::<Slot>(), size_of::<Entry>() + size_of::<(u64, u32)>()), (24, 40));
    }
}
