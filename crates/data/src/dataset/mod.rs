//! Reading a data set: any views of any shape, by offset and in any order, from many threads; and operations on whole data
//! sets: merging, checking, copying.

mod copy;
mod index;
mod merge;
mod open;
mod verify;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use self::copy::copy;
use self::index::{Index, Slot};
pub use self::merge::{join, merge};
use self::open::home;
pub use self::verify::{Fault, verify};
use crate::shape::ABOUT;
use crate::shard::{Layout, Manifest, PartState, Row, Scanned, read_shapes};
use crate::storage::{FrontToBack, Home};
use crate::{About, DataError, Key, Member, Shape, is_remote};
use lexiform_formats::array::Array;
use lexiform_formats::npy::{Npy, read_npy};

/// Maximum number of bytes per read.
const STRETCH: u64 = 64 << 20;

/// An open data set. Shapes have numbers from 0, in the order of the index; methods that take a number panic if it is not
/// below [`Dataset::len`]. Reading needs no lock except the one around the list of open files.
///
/// ```
/// use lexiform_data::{About, Dataset, Key, MakeOptions, Member, Shape, make, merge};
/// # use lexiform_data::{Job, Problem, Producer};
/// # struct One(Vec<Job>);
/// # impl Producer for One {
/// #     fn jobs(&self) -> &[Job] { &self.0 }
/// #     fn settings(&self) -> serde_json::Value { serde_json::json!({}) }
/// #     fn produce(&self, index: usize) -> Result<Shape, Problem> {
/// #         let about = About { labels: vec!["chair".to_owned()], split: "train".to_owned(), ..About::default() };
/// #         let members = (0..3).map(|i| Member::view(i, "png", vec![i as u8])).collect();
/// #         Ok(Shape { key: self.0[index].key.clone(), members, about })
/// #     }
/// # }
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # let producer = One(vec![Job { key: Key::of_id("a"), source: "a.glb".to_owned() }]);
/// # make(&producer, folder, &MakeOptions::default(), &mut |_| {})?;
/// # merge(folder)?;
/// let dataset = Dataset::open(folder)?;
/// let shape = dataset.find("a").ok_or("no such shape")?;
/// assert_eq!((dataset.label(shape), dataset.split(shape)), (Some("chair"), "train"));
/// // Two of its views, with one read of the shard.
/// assert_eq!(dataset.views(shape, &[2, 1])?, [[2], [1]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Dataset {
    place: PathBuf,
    home: Box<dyn Home>,
    manifest: Manifest,
    index: Index,
}

impl Dataset {
    /// Whether a folder is a data set, finished or not. An address of an object store always counts as one, without a request.
    pub fn is_at(place: &Path) -> bool {
        if is_remote(place) {
            return true;
        }
        // A folder `parts` alone proves nothing: a folder of 3D files may have one.
        Manifest::read(place).is_ok()
            || PartState::read_all(&Layout::new(place)).is_ok_and(|parts| !parts.is_empty())
    }

    /// Opens a data set and reads its index. `place` is a folder or the address of an object store (`s3://bucket/folder`). From a
    /// store the index is downloaded to a temporary file, and shards are read remotely.
    ///
    /// # Errors
    /// [`DataError::Incomplete`] if there is no manifest, [`DataError::Torn`] if manifest and index do not belong together,
    /// [`DataError::Invalid`] if one of them cannot be read, or [`DataError::NoCloud`].
    pub fn open(place: &Path) -> Result<Self, DataError> {
        Self::at(place.to_owned(), home(place)?)
    }

    /// Opens a data set in an open store.
    ///
    /// # Errors
    /// As [`Dataset::open`].
    #[cfg(feature = "cloud")]
    pub fn in_store(store: crate::remote::Store) -> Result<Self, DataError> {
        Self::at(PathBuf::from(store.uri()), Box::new(crate::remote::Bucket::new(store)))
    }

    fn at(place: PathBuf, home: Box<dyn Home>) -> Result<Self, DataError> {
        let manifest = home.manifest()?.checked(&place)?;
        let index = Index::read(&home.table()?, &place, &manifest)?;
        if index.len() as u64 != manifest.shapes {
            let (expected, found) = (manifest.shapes, index.len());
            let message = format!("manifest.json has {expected} shapes, index.parquet {found}");
            return Err(DataError::Torn { path: place, message });
        }
        Ok(Self { place, home, manifest, index })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Number of shapes.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are no shapes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of a shape.
    ///
    /// # Panics
    /// If `shape` is not below [`Dataset::len`].
    pub fn key(&self, shape: usize) -> &str {
        self.index.key(shape)
    }

    /// The number of the shape with this key.
    pub fn find(&self, key: &str) -> Option<usize> {
        self.index.find(key)
    }

    /// `train`, `val` or `test`.
    pub fn split(&self, shape: usize) -> &str {
        self.index.split(shape)
    }

    /// The shape's first label.
    pub fn label(&self, shape: usize) -> Option<&str> {
        self.index.label(shape)
    }

    /// Names of the shape's members, in the order of the shard.
    pub fn members(&self, shape: usize) -> impl Iterator<Item = &str> {
        self.slots(shape).iter().map(|slot| self.index.name(slot))
    }

    /// Number of views of the shape.
    pub fn n_views(&self, shape: usize) -> usize {
        self.view_numbers(shape).count()
    }

    /// The numbers of the shape's views, in the order of the shard.
    pub fn view_numbers(&self, shape: usize) -> impl Iterator<Item = usize> {
        self.members(shape).filter_map(Member::view_index)
    }

    /// The image files of some views, in the order requested. Adjacent views are read at once.
    ///
    /// # Errors
    /// If the shape has no such view, the shard cannot be read, or a view is damaged.
    pub fn views(&self, shape: usize, views: &[usize]) -> Result<Vec<Vec<u8>>, DataError> {
        let mut at = Vec::with_capacity(views.len());
        for view in views {
            let found = self.members(shape).position(|name| Member::view_index(name) == Some(*view));
            at.push(found.ok_or_else(|| self.invalid(shape, format!("has no view {view}")))?);
        }
        self.read(shape, &at)
    }

    /// The content of a member, or `None` if the shape has no member of that name.
    ///
    /// # Errors
    /// If the shard cannot be read or the member is damaged.
    pub fn member(&self, shape: usize, name: &str) -> Result<Option<Vec<u8>>, DataError> {
        match self.members(shape).position(|member| member == name) {
            Some(at) => Ok(self.read(shape, &[at])?.pop()),
            None => Ok(None),
        }
    }

    /// The members of a shape whose names satisfy `wanted`, in the order of the shard. Adjacent members are read at once.
    ///
    /// # Errors
    /// If the shard cannot be read or a member is damaged.
    pub fn some(&self, shape: usize, wanted: impl Fn(&str) -> bool) -> Result<Vec<Member>, DataError> {
        let at: Vec<usize> =
            self.members(shape).enumerate().filter(|(_, name)| wanted(name)).map(|(at, _)| at).collect();
        let contents = self.read(shape, &at)?;
        let named = at.into_iter().map(|at| self.index.name(&self.slots(shape)[at]));
        Ok(named.zip(contents).map(|(name, bytes)| Member::new(name, bytes)).collect())
    }

    /// The array in a `.npy` member, or `None` if the shape has no member of that name.
    ///
    /// # Errors
    /// If the shard cannot be read, the member is damaged, or it is not an array.
    pub fn array(&self, shape: usize, name: &str) -> Result<Option<Array>, DataError> {
        let Some(bytes) = self.member(shape, name)? else { return Ok(None) };
        self.as_array(shape, name, &bytes).map(Some)
    }

    /// The array in the content of a `.npy` member.
    ///
    /// # Errors
    /// If `bytes` is not an array of numbers; `shape` and `name` are for the message.
    pub fn as_array(&self, shape: usize, name: &str, bytes: &[u8]) -> Result<Array, DataError> {
        match read_npy(bytes) {
            Ok(Npy::Array(array)) => Ok(array),
            Ok(Npy::Pickled(..)) => Err(self.invalid(shape, format!("{name} holds Python objects"))),
            Err(message) => Err(self.invalid(shape, format!("{name}: {message}"))),
        }
    }

    /// The metadata of a shape.
    ///
    /// # Errors
    /// If the shard cannot be read, or the metadata is missing or damaged.
    pub fn about(&self, shape: usize) -> Result<About, DataError> {
        let bytes =
            self.member(shape, ABOUT)?.ok_or_else(|| self.invalid(shape, format!("has no {ABOUT}")))?;
        self.as_about(shape, &bytes)
    }

    /// The metadata in the content of the member [`ABOUT`].
    ///
    /// # Errors
    /// If `bytes` is not valid metadata; `shape` is for the message.
    pub fn as_about(&self, shape: usize, bytes: &[u8]) -> Result<About, DataError> {
        serde_json::from_slice(bytes).map_err(|error| self.invalid(shape, format!("{ABOUT}: {error}")))
    }

    /// Calls `see` with every row of the index, in the order of shapes' numbers: labels and captions without reading a shard.
    ///
    /// # Errors
    /// The first error of reading or of `see`.
    pub fn rows(&self, see: impl FnMut(Row) -> Result<(), DataError>) -> Result<(), DataError> {
        self.home.table()?.rows(see)
    }

    /// A shape with all its members.
    ///
    /// # Errors
    /// If the shard cannot be read, a member is damaged, or the metadata is missing.
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

    /// Calls `see` with every shape, shard by shard, reading sequentially.
    ///
    /// # Errors
    /// The first error of reading or of `see`.
    pub fn scan(&self, mut see: impl FnMut(Scanned) -> Result<(), DataError>) -> Result<(), DataError> {
        for shard in &self.manifest.shards {
            let path = Layout::new(&self.place).shard(&shard.file);
            let file = self.home.shard(&shard.file)?;
            read_shapes(FrontToBack::new(file, shard.bytes, self.home.stride()), &path, &mut see)?;
        }
        Ok(())
    }

    fn slots(&self, shape: usize) -> &[Slot] {
        self.index.slots(shape)
    }

    /// Reads members by position and checks their CRC-32.
    fn read(&self, shape: usize, at: &[usize]) -> Result<Vec<Vec<u8>>, DataError> {
        let slots = self.slots(shape);
        let ReadPlan { order, stretches } = ReadPlan::new(slots, at, self.home.gap());
        let shard = &self.manifest.shards[self.index.shard(shape)].file;
        let read = self.home.shard(shard)?.read_at(&stretches);
        let read = read.map_err(|error| self.invalid(shape, error.to_string()))?;
        let mut contents = vec![Vec::new(); at.len()];
        for (i, stretch) in order {
            let slot = slots[at[i]];
            let start = (slot.offset - stretches[stretch].start) as usize;
            let content = &read[stretch][start..][..slot.size as usize];
            if crc32fast::hash(content) != slot.crc32 {
                return Err(self.invalid(shape, format!("{} is damaged", self.index.name(&slot))));
            }
            contents[i] = content.to_vec();
        }
        Ok(contents)
    }

    /// An error that names the shape and its shard.
    pub fn invalid(&self, shape: usize, message: String) -> DataError {
        let shard = &self.manifest.shards[self.index.shard(shape)].file;
        let path = Layout::new(&self.place).shard(shard);
        DataError::invalid(&path, format!("shape {}: {message}", self.key(shape)))
    }
}

/// Which ranges of a shard are read for some members.
struct ReadPlan {
    /// Positions in the list of wanted members, in the order of offsets, each with the range that contains the member.
    order: Vec<(usize, usize)>,
    stretches: Vec<Range<u64>>,
}

impl ReadPlan {
    /// Members `at` of a shape; those with at most `gap` bytes between them are read at once.
    fn new(slots: &[Slot], at: &[usize], gap: u64) -> Self {
        let mut sorted: Vec<usize> = (0..at.len()).collect();
        sorted.sort_by_key(|i| slots[at[*i]].offset);
        let mut stretches: Vec<Range<u64>> = Vec::new();
        let mut order = Vec::with_capacity(sorted.len());
        for i in sorted {
            let slot = slots[at[i]];
            let end = slot.offset + u64::from(slot.size);
            match stretches.last_mut() {
                Some(last) if slot.offset <= last.end + gap && end - last.start <= STRETCH => {
                    last.end = last.end.max(end);
                }
                _ => stretches.push(slot.offset..end),
            }
            order.push((i, stretches.len() - 1));
        }
        Self { order, stretches }
    }
}
