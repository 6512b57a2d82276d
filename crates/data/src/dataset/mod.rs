//! Reading a data set: any views of any shape, by offset and in any order, from many threads; and operations on whole data
//! sets: merging, checking, copying.

mod copy;
mod index;
mod merge;
mod open;
mod verify;

use std::hash::Hasher as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use self::copy::copy;
use self::index::{InMemoryIndex, IndexedMember};
pub use self::merge::{concat_datasets, merge_partitions};
use self::open::open_storage;
pub use self::verify::{Corruption, verify};
use crate::shape::METADATA;
use crate::shard::{IndexRow, Layout, Manifest, PartitionState, ScannedShape, read_shapes};
use crate::storage::{SequentialReader, Storage};
use crate::{DataError, Key, Member, Metadata, Shape, is_remote};
use lexiform_formats::array::Array;
use lexiform_formats::npy::{Npy, read_npy};

/// Maximum number of bytes per read.
const MAX_READ_BYTES: u64 = 64 << 20;

/// An open data set. Shapes have numbers from 0, in the order of the index; methods that take a number panic if it is not
/// below [`Dataset::len`]. Reading needs no lock except the one around the list of open files.
///
/// ```
/// use lexiform_data::{BuildOptions, Dataset, Key, Member, Metadata, Shape, build_dataset, merge_partitions};
/// # use lexiform_data::{ProduceError, Producer, ShapeJob};
/// # struct One(Vec<ShapeJob>);
/// # impl Producer for One {
/// #     fn jobs(&self) -> &[ShapeJob] { &self.0 }
/// #     fn settings(&self) -> serde_json::Value { serde_json::json!({}) }
/// #     fn produce(&self, index: usize) -> Result<Shape, ProduceError> {
/// #         let metadata = Metadata { labels: vec!["chair".to_owned()], split: "train".to_owned(), ..Metadata::default() };
/// #         let members = (0..3).map(|i| Member::view(i, "png", vec![i as u8])).collect();
/// #         Ok(Shape { key: self.0[index].key.clone(), members, metadata })
/// #     }
/// # }
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # let producer = One(vec![ShapeJob { key: Key::from_id("a"), source: "a.glb".to_owned() }]);
/// # build_dataset(&producer, folder, &BuildOptions::default(), &mut |_| {})?;
/// # merge_partitions(folder)?;
/// let dataset = Dataset::open(folder)?;
/// let shape = dataset.find("a").ok_or("no such shape")?;
/// assert_eq!((dataset.label(shape), dataset.split(shape)), (Some("chair"), "train"));
/// // Two of its views, with one read of the shard.
/// assert_eq!(dataset.views(shape, &[2, 1])?, [[2], [1]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Dataset {
    root: PathBuf,
    storage: Box<dyn Storage>,
    manifest: Manifest,
    index: InMemoryIndex,
}

impl Dataset {
    /// Whether a folder is a data set, finished or not. An address of an object store always counts as one, without a request.
    pub fn exists(root: &Path) -> bool {
        if is_remote(root) {
            return true;
        }
        // A folder `parts` alone proves nothing: a folder of 3D files may have one.
        Manifest::read(root).is_ok()
            || PartitionState::read_all(&Layout::new(root)).is_ok_and(|parts| !parts.is_empty())
    }

    /// Opens a data set and reads its index. `root` is a folder or the address of an object store (`s3://bucket/folder`). From a
    /// store the index is downloaded to a temporary file, and shards are read remotely.
    ///
    /// # Errors
    /// [`DataError::Incomplete`] if there is no manifest, [`DataError::Inconsistent`] if manifest and index do not belong together,
    /// [`DataError::Invalid`] if one of them cannot be read, or [`DataError::CloudDisabled`].
    pub fn open(root: &Path) -> Result<Self, DataError> {
        Self::at(root.to_owned(), open_storage(root)?)
    }

    /// Opens a data set in an open store.
    ///
    /// # Errors
    /// As [`Dataset::open`].
    #[cfg(feature = "cloud")]
    pub fn open_remote(store: crate::remote::RemoteStore) -> Result<Self, DataError> {
        Self::at(PathBuf::from(store.uri()), Box::new(crate::remote::RemoteStorage::new(store)))
    }

    fn at(root: PathBuf, storage: Box<dyn Storage>) -> Result<Self, DataError> {
        let manifest = storage.manifest()?.checked(&root)?;
        let index = InMemoryIndex::read(&storage.index()?, &root, &manifest)?;
        if index.len() as u64 != manifest.shapes {
            let (expected, found) = (manifest.shapes, index.len());
            let message = format!("manifest.json has {expected} shapes, index.parquet {found}");
            return Err(DataError::Inconsistent { path: root, message });
        }
        Ok(Self { root, storage, manifest, index })
    }

    /// The folder or address of the data set.
    pub fn root(&self) -> &Path {
        &self.root
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
        self.indexed_members(shape).iter().map(|member| self.index.name(member))
    }

    /// A digest of the shape's members, from the checksums of the index.
    pub fn content_digest(&self, shape: usize) -> String {
        let mut hasher = fnv::FnvHasher::default();
        for member in self.indexed_members(shape) {
            hasher.write(self.index.name(member).as_bytes());
            hasher.write(&member.size.to_le_bytes());
            hasher.write(&member.crc32.to_le_bytes());
        }
        format!("{:016x}", hasher.finish())
    }

    /// Number of views of the shape.
    pub fn n_views(&self, shape: usize) -> usize {
        self.view_indices(shape).count()
    }

    /// The numbers of the shape's views, in the order of the shard.
    pub fn view_indices(&self, shape: usize) -> impl Iterator<Item = usize> {
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
    pub fn members_matching(
        &self,
        shape: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Member>, DataError> {
        let at: Vec<usize> =
            self.members(shape).enumerate().filter(|(_, name)| wanted(name)).map(|(at, _)| at).collect();
        let contents = self.read(shape, &at)?;
        let named = at.into_iter().map(|at| self.index.name(&self.indexed_members(shape)[at]));
        Ok(named.zip(contents).map(|(name, bytes)| Member::new(name, bytes)).collect())
    }

    /// The array in a `.npy` member, or `None` if the shape has no member of that name.
    ///
    /// # Errors
    /// If the shard cannot be read, the member is damaged, or it is not an array.
    pub fn array(&self, shape: usize, name: &str) -> Result<Option<Array>, DataError> {
        let Some(bytes) = self.member(shape, name)? else { return Ok(None) };
        self.parse_array(shape, name, &bytes).map(Some)
    }

    /// The array in the content of a `.npy` member.
    ///
    /// # Errors
    /// If `bytes` is not an array of numbers; `shape` and `name` are for the message.
    pub fn parse_array(&self, shape: usize, name: &str, bytes: &[u8]) -> Result<Array, DataError> {
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
    pub fn metadata(&self, shape: usize) -> Result<Metadata, DataError> {
        let bytes =
            self.member(shape, METADATA)?.ok_or_else(|| self.invalid(shape, format!("has no {METADATA}")))?;
        self.parse_metadata(shape, &bytes)
    }

    /// The metadata in the content of the member [`METADATA`].
    ///
    /// # Errors
    /// If `bytes` is not valid metadata; `shape` is for the message.
    pub fn parse_metadata(&self, shape: usize, bytes: &[u8]) -> Result<Metadata, DataError> {
        serde_json::from_slice(bytes).map_err(|error| self.invalid(shape, format!("{METADATA}: {error}")))
    }

    /// Calls `visit` with every row of the index, in the order of shapes' numbers: labels and captions without reading a shard.
    ///
    /// # Errors
    /// The first error of reading or of `visit`.
    pub fn for_each_row(
        &self,
        visit: impl FnMut(IndexRow) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        self.storage.index()?.for_each_row(visit)
    }

    /// A shape with all its members.
    ///
    /// # Errors
    /// If the shard cannot be read, a member is damaged, or the metadata is missing.
    pub fn shape(&self, shape: usize) -> Result<Shape, DataError> {
        let all: Vec<usize> = (0..self.indexed_members(shape).len()).collect();
        let contents = self.read(shape, &all)?;
        let names = self.members(shape).map(str::to_owned);
        let mut members: Vec<Member> =
            names.zip(contents).map(|(name, bytes)| Member::new(name, bytes)).collect();
        let at = members.iter().position(|m| m.name == METADATA);
        let metadata = at
            .map(|at| members.remove(at))
            .ok_or_else(|| self.invalid(shape, format!("has no {METADATA}")))?;
        let metadata = self.parse_metadata(shape, &metadata.bytes)?;
        Ok(Shape { key: Key::from_id(self.key(shape)), members, metadata })
    }

    /// Calls `visit` with every shape, shard by shard, reading sequentially.
    ///
    /// # Errors
    /// The first error of reading or of `visit`.
    pub fn scan(
        &self,
        mut visit: impl FnMut(ScannedShape) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        for shard in &self.manifest.shards {
            let path = Layout::new(&self.root).shard(&shard.file);
            let file = self.storage.shard(&shard.file)?;
            read_shapes(
                SequentialReader::new(file, shard.bytes, self.storage.read_ahead()),
                &path,
                &mut visit,
            )?;
        }
        Ok(())
    }

    fn indexed_members(&self, shape: usize) -> &[IndexedMember] {
        self.index.indexed_members(shape)
    }

    /// Reads members by position and checks their CRC-32.
    fn read(&self, shape: usize, at: &[usize]) -> Result<Vec<Vec<u8>>, DataError> {
        let indexed_members = self.indexed_members(shape);
        let ReadPlan { order, ranges } = ReadPlan::new(indexed_members, at, self.storage.coalesce_gap());
        let shard = &self.manifest.shards[self.index.shard(shape)].file;
        let read = self.storage.shard(shard)?.read_at(&ranges);
        let read = read.map_err(|error| self.invalid(shape, error.to_string()))?;
        let mut contents = vec![Vec::new(); at.len()];
        for (i, range) in order {
            let member = indexed_members[at[i]];
            let start = (member.offset - ranges[range].start) as usize;
            let content = &read[range][start..][..member.size as usize];
            // Every read is checked: a bit flip in a view would otherwise go into training unnoticed.
            if crc32fast::hash(content) != member.crc32 {
                return Err(self.invalid(shape, format!("{} is damaged", self.index.name(&member))));
            }
            // Copied, because several members may share one read.
            contents[i] = content.to_vec();
        }
        Ok(contents)
    }

    /// An error that names the shape and its shard.
    pub fn invalid(&self, shape: usize, message: String) -> DataError {
        let shard = &self.manifest.shards[self.index.shard(shape)].file;
        let path = Layout::new(&self.root).shard(shard);
        DataError::invalid(&path, format!("shape {}: {message}", self.key(shape)))
    }
}

/// Which ranges of a shard are read for some members.
struct ReadPlan {
    /// Positions in the list of wanted members, in the order of offsets, each with the range that contains the member.
    order: Vec<(usize, usize)>,
    ranges: Vec<Range<u64>>,
}

impl ReadPlan {
    /// Members `at` of a shape; those with at most `coalesce_gap` bytes between them are read at once.
    fn new(indexed_members: &[IndexedMember], at: &[usize], coalesce_gap: u64) -> Self {
        let mut sorted: Vec<usize> = (0..at.len()).collect();
        // By offset, so that neighbors in the shard become neighbors in the list.
        sorted.sort_by_key(|i| indexed_members[at[*i]].offset);
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let mut order = Vec::with_capacity(sorted.len());
        for i in sorted {
            let member = indexed_members[at[i]];
            let end = member.offset + u64::from(member.size);
            // Bounded, so that a damaged index cannot request gigabytes at once.
            match ranges.last_mut() {
                Some(last)
                    if member.offset <= last.end + coalesce_gap && end - last.start <= MAX_READ_BYTES =>
                {
                    last.end = last.end.max(end);
                }
                _ => ranges.push(member.offset..end),
            }
            order.push((i, ranges.len() - 1));
        }
        Self { order, ranges }
    }
}
