//! Compares the files found with the entries of the store, without reading files.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lexiform_mesh_io::WalkResult;
use lexiform_store::{Entry, Failure, IndexState, Payload, StoreError};

use crate::fileless::with_files;
use crate::fingerprint::{self, Fingerprint};
use crate::listing::entries;
use crate::{Library, LibraryPath};

/// A file that is new or may have changed.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// Its name in the library.
    pub key: String,
    /// The entry with this name.
    pub known: Option<Entry>,
    /// The failure with this name.
    pub failure: Option<Failure>,
}

/// The work of an indexing run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Names of files that have not changed.
    pub unchanged: Vec<String>,
    /// Files to read.
    pub candidates: Vec<Candidate>,
    /// Files without a valid name and unreadable folders, with the reason.
    pub unusable: Vec<(String, String)>,
    /// Entries below the searched roots whose file is missing.
    pub missing: Vec<Entry>,
    /// Names of failures whose file is missing.
    pub missing_failures: Vec<String>,
    /// All entries whose file is missing, also outside the searched roots, by content hash: a new file with the same
    /// content is the renamed file.
    pub rename_candidates: HashMap<String, Vec<Entry>>,
}

/// Compares the files `found` below `roots` with the library's entries.
pub(super) fn plan(
    library: &Library,
    roots: &[PathBuf],
    found: WalkResult,
    now: SystemTime,
) -> Result<Plan, StoreError> {
    let (store, library_path) = (library.store(), library.library_path());
    // What remains in the two maps after all files found is missing.
    let mut known: HashMap<String, Entry> =
        entries(store, &with_files())?.into_iter().map(|e| (e.payload.path.clone(), e)).collect();
    let mut failures: HashMap<String, Failure> =
        store.failures()?.into_iter().map(|f| (f.path.clone(), f)).collect();
    let mut plan = Plan::default();
    for path in found.assets.into_iter().chain(found.view_sets) {
        let Some(key) = library_path.key(&path) else {
            let reason = "file name is not valid Unicode".to_owned();
            plan.unusable.push((path.to_string_lossy().into_owned(), reason));
            continue;
        };
        let entry = known.remove(&key);
        let failure = failures.remove(&key);
        match entry {
            // A record and a failure exist for a file that could not be opened: it must be read again.
            Some(entry) if failure.is_none() && is_unchanged(&path, &entry.index_state, now) => {
                plan.unchanged.push(key);
            }
            known => plan.candidates.push(Candidate { path, key, known, failure }),
        }
    }
    let scope = Scope {
        roots: roots.iter().map(PathBuf::as_path).collect(),
        unreadable: found.unreadable.iter().map(|(path, _)| path.as_path()).collect(),
    };
    plan.add_missing(library_path, &scope, known.into_values());
    plan.missing_failures =
        failures.into_keys().filter(|key| scope.contains(&library_path.resolve(key))).collect();
    let unreadable = found.unreadable.iter();
    plan.unusable.extend(unreadable.map(|(path, why)| (path.to_string_lossy().into_owned(), why.clone())));
    Ok(plan)
}

/// Where a file that was not found is missing: below the roots, but not below folders that could not be read.
struct Scope<'a> {
    roots: HashSet<&'a Path>,
    unreadable: HashSet<&'a Path>,
}

impl Scope<'_> {
    fn contains(&self, path: &Path) -> bool {
        let is_below = |folders: &HashSet<&Path>| path.ancestors().any(|folder| folders.contains(folder));
        is_below(&self.roots) && !is_below(&self.unreadable)
    }
}

impl Plan {
    /// Leaves out what is known of these files, which are not missing but scenes.
    pub(super) fn leave_out(&mut self, scenes: &HashSet<String>) {
        self.missing.retain(|entry| !scenes.contains(&entry.payload.path));
        self.missing_failures.retain(|path| !scenes.contains(path));
    }

    /// Adds the entries whose file was not found.
    fn add_missing(
        &mut self,
        library_path: &LibraryPath,
        scope: &Scope<'_>,
        not_found: impl Iterator<Item = Entry>,
    ) {
        for entry in not_found {
            let path = library_path.resolve(&entry.payload.path);
            // Outside the roots nothing was searched, so ask the file system.
            if !path.exists() {
                let hash = entry.payload.content_hash.clone();
                self.rename_candidates.entry(hash).or_default().push(entry.clone());
            }
            if scope.contains(&path) {
                self.missing.push(entry);
            }
        }
        // The entries come from a hash map: sorted, so that runs are reproducible.
        self.missing.sort_by(|a, b| a.payload.path.cmp(&b.payload.path));
        self.rename_candidates.values_mut().for_each(|entries| entries.sort_by_key(|e| e.id));
    }
}

/// Whether sizes and modification times are those of the last run.
pub(super) fn is_unchanged(path: &Path, state: &IndexState, now: SystemTime) -> bool {
    // Empty: the file was too new in the last run for its times to be relied on.
    !state.stat_hash.is_empty()
        && fingerprint::stat_hash(path, &state.dependencies, now).is_ok_and(|found| found == state.stat_hash)
}

/// Writes a fingerprint into a payload and its index state.
pub(super) fn set_fingerprint(payload: &mut Payload, state: &mut IndexState, fingerprint: &Fingerprint) {
    payload.content_hash.clone_from(&fingerprint.content_hash);
    payload.bytes = fingerprint.bytes;
    payload.modified_ns = fingerprint.modified_ns;
    state.stat_hash.clone_from(&fingerprint.stat_hash);
    state.dependencies.clone_from(&fingerprint.dependencies);
}
