//! Comparing what a walk found with what the library knows, before anything is read.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lexiform_mesh_io::Found;
use lexiform_store::{Entry, Failure, ListRequest, Payload, StoreError, VectorStore};
use serde_json::Value;

use crate::fingerprint::{self, Fingerprint};
use crate::place::Place;

/// Key of [`Payload::extra`] that holds [`Fingerprint::stamp`].
const STAMP: &str = "stamp";
/// Key of [`Payload::extra`] that holds [`Fingerprint::sides`].
const SIDES: &str = "sides";
/// Entries read from the store at a time.
const PAGE: usize = 4096;

/// A file that is new or may have changed.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// Its name in the library.
    pub key: String,
    /// What the library knows at this name.
    pub known: Option<Entry>,
    /// What went wrong with it last time.
    pub failure: Option<Failure>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Names of files that are as the library knows them.
    pub unchanged: Vec<String>,
    /// Files to read.
    pub candidates: Vec<Candidate>,
    /// Files that cannot even be named or reached, with the reason.
    pub unusable: Vec<(String, String)>,
    /// Entries below the walked roots whose file is gone.
    pub gone: Vec<Entry>,
    /// Names of failures whose file is gone.
    pub gone_failures: Vec<String>,
    /// All entries whose file is gone, wherever it was, by content: where a new file may have come from.
    pub movable: HashMap<String, Vec<Entry>>,
}

/// Compares `found` below `roots` with the store's entries.
pub(crate) fn plan(
    store: &dyn VectorStore,
    place: &Place,
    roots: &[PathBuf],
    found: Found,
    now: SystemTime,
) -> Result<Plan, StoreError> {
    let mut known: HashMap<String, Entry> =
        entries(store)?.into_iter().map(|e| (e.payload.path.clone(), e)).collect();
    let mut failures: HashMap<String, Failure> =
        store.failures()?.into_iter().map(|f| (f.path.clone(), f)).collect();
    let mut plan = Plan::default();
    for path in found.assets {
        let Some(key) = place.key(&path) else {
            plan.unusable
                .push((path.to_string_lossy().into_owned(), "the name is not valid Unicode".to_owned()));
            continue;
        };
        let entry = known.remove(&key);
        let failure = failures.remove(&key);
        match entry {
            Some(entry) if failure.is_none() && is_untouched(&path, &entry.payload, now) => {
                plan.unchanged.push(key);
            }
            known => plan.candidates.push(Candidate { path, key, known, failure }),
        }
    }
    let roots: HashSet<&Path> = roots.iter().map(PathBuf::as_path).collect();
    let unreadable: HashSet<&Path> = found.unreadable.iter().map(|(path, _)| path.as_path()).collect();
    let below = |path: &Path, folders: &HashSet<&Path>| path.ancestors().any(|above| folders.contains(above));
    let in_scope = |path: &Path| below(path, &roots) && !below(path, &unreadable);
    for entry in known.into_values() {
        let path = place.path(&entry.payload.path);
        let in_scope = in_scope(&path);
        if !path.exists() {
            plan.movable.entry(entry.payload.content_hash.clone()).or_default().push(entry.clone());
        }
        if in_scope {
            plan.gone.push(entry);
        }
    }
    plan.gone.sort_by(|a, b| a.payload.path.cmp(&b.payload.path));
    plan.movable.values_mut().for_each(|entries| entries.sort_by_key(|e| e.id));
    plan.gone_failures = failures.into_keys().filter(|key| in_scope(&place.path(key))).collect();
    let unreadable = found.unreadable.into_iter();
    plan.unusable.extend(unreadable.map(|(path, why)| (path.to_string_lossy().into_owned(), why)));
    Ok(plan)
}

/// Every entry of the store.
fn entries(store: &dyn VectorStore) -> Result<Vec<Entry>, StoreError> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map(|entry| entry.id);
        let page = store.list(&ListRequest { filter: None, after, limit: PAGE })?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Whether sizes and times say that nothing happened since the entry was written.
fn is_untouched(path: &Path, payload: &Payload, now: SystemTime) -> bool {
    let stamp = payload.extra.get(STAMP).and_then(Value::as_str).unwrap_or_default();
    let sides: Vec<String> = payload
        .extra
        .get(SIDES)
        .and_then(Value::as_array)
        .map_or(Vec::new(), |list| list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect());
    !stamp.is_empty() && fingerprint::stamp(path, &sides, now).is_ok_and(|found| found == stamp)
}

/// Writes a fingerprint into a payload.
pub(crate) fn mark(payload: &mut Payload, print: &Fingerprint) {
    payload.content_hash.clone_from(&print.content);
    payload.bytes = print.bytes;
    payload.modified_ns = print.modified_ns;
    if print.stamp.is_empty() {
        payload.extra.remove(STAMP);
    } else {
        payload.extra.insert(STAMP.to_owned(), print.stamp.clone().into());
    }
    if print.sides.is_empty() {
        payload.extra.remove(SIDES);
    } else {
        payload.extra.insert(SIDES.to_owned(), print.sides.clone().into());
    }
}
