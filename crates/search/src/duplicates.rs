//! Finds files with the same shape, independent of format, position, scale, rotation, triangulation and colors.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use lexiform_geometry::registration::{CanonicalShape, RegistrationResult, Signature, duplicate_groups};
use lexiform_mesh_io::walk;
use lexiform_store::{ListRequest, SqliteStore, VectorStore as _};
use rayon::prelude::*;
use serde::Serialize;

use crate::error::strip_path_prefix;
use crate::fileless::with_files;
use crate::fingerprint::fingerprint;
use crate::preprocess::{VIEWS_FORMAT, panic_message};
use crate::read_limits::{LARGE_FILE_BYTES, STACK_BYTES};
use crate::signature_cache::SignatureCache;
use crate::{Error, LibraryPath};

/// Maximum number of forms in memory, of some 500 kB each.
const MAX_CACHED_FORMS: usize = 1024;
/// File name of the signatures in a library's folder.
const SIGNATURES_FILE: &str = "signatures.bin";

/// Options of [`find_duplicates`].
#[derive(Clone, Copy, Debug)]
pub struct DuplicateOptions {
    /// Maximum distance between the surfaces of near duplicates, relative to the diameter. Shapes without a visible
    /// difference are the same shape at any threshold.
    pub threshold: f32,
    /// Number of files read in parallel; 0 for one per processor.
    pub jobs: usize,
}

impl Default for DuplicateOptions {
    fn default() -> Self {
        Self { threshold: 0.006, jobs: 0 }
    }
}

/// Relation of a file to the first file of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicateRelation {
    /// The same bytes.
    Identical,
    /// The same shape, without visible differences.
    SameShape,
    /// The mirror image of the same shape.
    Mirrored,
    /// Nearly the same shape.
    NearDuplicate,
}

/// A duplicate of the first file of its group.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// The file.
    pub file: PathBuf,
    /// Relation to the first file.
    pub relation: DuplicateRelation,
    /// Whether its mirror image matches the first file.
    pub mirrored: bool,
    /// Distance between the surfaces, relative to the diameter; 0 for identical files.
    pub distance: f32,
    /// Size of the file.
    pub bytes: u64,
}

/// Files with the same shape.
#[derive(Clone, Debug, PartialEq)]
pub struct DuplicateGroup {
    /// The file with the shortest path: in the fewest folders, then of the fewest characters. The others are compared with it.
    pub first: PathBuf,
    /// The other files: identical ones first, then those with other bytes, each in the order of [`DuplicateGroup::first`].
    pub others: Vec<Duplicate>,
}

impl DuplicateGroup {
    /// Size of all files but the first.
    pub fn duplicate_bytes(&self) -> u64 {
        self.others.iter().map(|duplicate| duplicate.bytes).sum()
    }
}

/// The result of [`find_duplicates`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DuplicateReport {
    /// Groups of duplicates, in order of path.
    pub groups: Vec<DuplicateGroup>,
    /// Files that cannot be used, with the reason.
    pub failed: Vec<(PathBuf, String)>,
}

/// The files to compare: those below the library's root, or those of the records of a separate library.
///
/// # Errors
/// [`Error::Store`] if a separate library cannot be read.
pub fn library_files(library_path: &LibraryPath) -> Result<Vec<PathBuf>, Error> {
    match &library_path.root {
        Some(root) => Ok(walk(std::slice::from_ref(root)).assets),
        None => {
            let request = ListRequest { filter: Some(with_files()), ..ListRequest::default() };
            let entries = SqliteStore::open(&library_path.folder)?.list(&request)?;
            // Records of views have no surface to compare.
            let shapes = entries.iter().filter(|entry| entry.payload.format != VIEWS_FORMAT);
            let mut files: Vec<PathBuf> =
                shapes.map(|entry| library_path.resolve(&entry.payload.path)).collect();
            files.sort();
            Ok(files)
        }
    }
}

/// Finds files with the same shape. If `library` exists, signatures of shapes are cached in its folder, so that the
/// next call reads only new files. `on_file` is called for every processed file, from any thread.
///
/// ```
/// use lexiform_search::{DuplicateOptions, DuplicateRelation, find_duplicates};
///
/// let folder = tempfile::tempdir()?;
/// let pyramid = "v -1 0 -1\nv 1 0 -1\nv 0 2 0\nv 0 0 1\nf 1 2 3\nf 2 4 3\nf 4 1 3\nf 1 4 2\n";
/// let files = ["a.obj", "b.obj"].map(|name| folder.path().join(name));
/// for file in &files {
///     std::fs::write(file, pyramid)?;
/// }
/// let found = find_duplicates(&files, None, &DuplicateOptions::default(), &|_file| {})?;
/// assert_eq!(found.groups.len(), 1);
/// assert_eq!(found.groups[0].others[0].relation, DuplicateRelation::Identical);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Io`] if threads cannot be started. Files that cannot be read are listed in the report.
pub fn find_duplicates(
    files: &[PathBuf],
    library: Option<&LibraryPath>,
    options: &DuplicateOptions,
    on_file: &(dyn Fn(&Path) + Sync),
) -> Result<DuplicateReport, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).stack_size(STACK_BYTES).build();
    let pool = pool.map_err(std::io::Error::other)?;
    let cache_file = library.filter(|path| path.exists()).map(|path| path.folder.join(SIGNATURES_FILE));
    let known = cache_file.as_deref().map(SignatureCache::read).unwrap_or_default();
    let search = DuplicateSearch { forms: Mutex::default(), known, on_file };
    pool.install(|| {
        let (shapes, failed) = search.load_shapes(files);
        if let Some(file) = &cache_file {
            // The cache only saves time: a read-only folder is not an error.
            let _written =
                search.known.merged(shapes.iter().map(|s| (&s.content_hash[..], &s.signature))).write(file);
        }
        Ok(DuplicateReport { groups: search.group_shapes(shapes, options.threshold), failed })
    })
}

/// Files with the same bytes, and the signature of their shape.
struct UniqueShape {
    content_hash: String,
    files: Vec<PathBuf>,
    signature: Signature,
}

struct DuplicateSearch<'a> {
    /// Registration data of shapes in memory, by the first file of the shape.
    forms: Mutex<HashMap<PathBuf, Arc<CanonicalShape>>>,
    known: SignatureCache,
    on_file: &'a (dyn Fn(&Path) + Sync),
}

type FailedFiles = Vec<(PathBuf, String)>;

impl DuplicateSearch<'_> {
    /// The shapes of all files, in order of the first file's path, shortest first.
    fn load_shapes(&self, files: &[PathBuf]) -> (Vec<UniqueShape>, FailedFiles) {
        let now = SystemTime::now();
        let hash = |file: &PathBuf| {
            let hash = fingerprint(file, now).map(|fingerprint| fingerprint.content_hash);
            (file.clone(), hash.map_err(|error| strip_path_prefix(&error.to_string(), file)))
        };
        let mut failed = Vec::new();
        let mut by_content: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        let hashes: Vec<(PathBuf, Result<String, String>)> = files.par_iter().map(hash).collect();
        for (file, hash) in hashes {
            match hash {
                Ok(hash) => by_content.entry(hash).or_default().push(file),
                Err(error) => failed.push((file, error)),
            }
        }
        // Files with the same bytes are read once. Sorted by path, so that groups do not depend on hashes.
        by_content.values_mut().for_each(|files| files.sort_by_cached_key(|file| path_order(file)));
        let mut contents: Vec<(String, Vec<PathBuf>)> = by_content.into_iter().collect();
        contents.sort_by_cached_key(|(_, files)| path_order(&files[0]));
        // Large files one at a time, so that memory is bounded.
        let is_large =
            |files: &[PathBuf]| fs_err::metadata(&files[0]).is_ok_and(|m| m.len() > LARGE_FILE_BYTES);
        let (large, small): (Vec<_>, Vec<_>) = contents.into_iter().partition(|(_, files)| is_large(files));
        let mut loaded: Vec<(Option<UniqueShape>, FailedFiles)> =
            small.into_par_iter().map(|(hash, files)| self.shape(hash, files)).collect();
        loaded.extend(large.into_iter().map(|(hash, files)| self.shape(hash, files)));
        let mut shapes = Vec::new();
        for (shape, unusable) in loaded {
            shapes.extend(shape);
            failed.extend(unusable);
        }
        shapes.sort_by_cached_key(|shape| path_order(&shape.files[0]));
        failed.sort();
        (shapes, failed)
    }

    /// The shape of files with the same bytes, and those of them that cannot be used.
    fn shape(&self, content_hash: String, mut files: Vec<PathBuf>) -> (Option<UniqueShape>, FailedFiles) {
        let mut failed = Vec::new();
        let signature = match self.known.get(&content_hash) {
            Some(signature) => Some(signature.clone()),
            None => loop {
                let Some(file) = files.first() else { break None };
                match self.form(file) {
                    Ok(form) => break Some(form.signature()),
                    // The same bytes may be valid in the format of another file's name, and are wrong for another reason.
                    Err(error) => failed.push((files.remove(0), error)),
                }
            },
        };
        files.iter().chain(failed.iter().map(|(file, _)| file)).for_each(|file| (self.on_file)(file));
        (signature.map(|signature| UniqueShape { content_hash, files, signature }), failed)
    }

    /// The form of a file's shape. A panic of a reader is an error of this file.
    fn form(&self, file: &Path) -> Result<Arc<CanonicalShape>, String> {
        let cached = || self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(form) = cached().get(file) {
            return Ok(form.clone());
        }
        let read = || {
            let scene =
                lexiform_mesh_io::read(file).map_err(|error| strip_path_prefix(&error.to_string(), file))?;
            CanonicalShape::from_scene(&scene).ok_or_else(|| "no triangles and no points".to_owned())
        };
        // Without the lock: reading takes long, and reading a file twice in two threads is harmless.
        let form = catch_unwind(AssertUnwindSafe(read));
        let form = form.unwrap_or_else(|panic| Err(format!("internal error: {}", panic_message(&*panic))))?;
        let form = Arc::new(form);
        let mut forms = cached();
        // Cleared instead of evicted one by one: shapes are compared group by group, so old forms are rarely needed
        // again.
        if forms.len() >= MAX_CACHED_FORMS {
            forms.clear();
        }
        forms.insert(file.to_owned(), form.clone());
        Ok(form)
    }

    /// Groups shapes that match after registration, in order of the first file's path.
    fn group_shapes(&self, shapes: Vec<UniqueShape>, threshold: f32) -> Vec<DuplicateGroup> {
        let signatures: Vec<Signature> = shapes.iter().map(|shape| shape.signature.clone()).collect();
        let groups =
            duplicate_groups(&signatures, threshold, |shape| self.form(&shapes[shape].files[0]).ok());
        let mut fits: Vec<Option<RegistrationResult>> = vec![None; shapes.len()];
        // Shapes are sorted by the length of their paths: the reference of a group, its first shape, has the shortest.
        let mut lists: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut grouped = vec![false; shapes.len()];
        for group in groups {
            grouped[group.reference] = true;
            for (other, fit) in &group.others {
                (grouped[*other], fits[*other]) = (true, Some(*fit));
            }
            lists.insert(group.reference, group.others.into_iter().map(|(other, _)| other).collect());
        }
        // Shapes without similar ones form a group too if several files have the same bytes.
        for (index, shape) in shapes.iter().enumerate() {
            if !grouped[index] && shape.files.len() > 1 {
                lists.insert(index, Vec::new());
            }
        }
        let to_group = |(first, others): (usize, Vec<usize>)| {
            let copies = shapes[first].files[1..].iter().map(|file| duplicate(file, None));
            let others = others.iter().flat_map(|&i| shapes[i].files.iter().map(move |file| (file, i)));
            let others = others.map(|(file, i)| duplicate(file, fits[i]));
            DuplicateGroup { first: shapes[first].files[0].clone(), others: copies.chain(others).collect() }
        };
        let mut groups: Vec<DuplicateGroup> = lists.into_iter().map(to_group).collect();
        groups.sort_by(|a, b| a.first.cmp(&b.first));
        groups
    }
}

/// A file with the same bytes as the first, or with a shape that fits it.
fn duplicate(file: &Path, fit: Option<RegistrationResult>) -> Duplicate {
    let relation = match fit {
        None => DuplicateRelation::Identical,
        Some(fit) if fit.is_same() && fit.mirrored => DuplicateRelation::Mirrored,
        Some(fit) if fit.is_same() => DuplicateRelation::SameShape,
        Some(_) => DuplicateRelation::NearDuplicate,
    };
    let mirrored = fit.is_some_and(|fit| fit.mirrored);
    Duplicate {
        file: file.to_owned(),
        relation,
        mirrored,
        distance: fit.map_or(0.0, |fit| fit.relative_rmse),
        // A file that was removed meanwhile takes no space.
        bytes: fs_err::metadata(file).map_or(0, |metadata| metadata.len()),
    }
}

/// Fewest folders first, then fewest characters: of `chair.glb` and `old/copies/chair (1).glb`, the first is the original more often.
fn path_order(file: &Path) -> (usize, usize, PathBuf) {
    (file.components().count(), file.as_os_str().len(), file.to_owned())
}
