//! Scenes in a library: each is segmented, and every proposal is a record of its own.
//!
//! The objects of a scene are written in one transaction, after outdated ones are deleted, and their state is that of the scene's
//! file: a run that is interrupted between the two leaves only earlier objects, by which the next run sees that the scene has changed.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lexiform_geometry::Scene;
use lexiform_mesh_io::WalkResult;
use lexiform_segment::SegmentConfig;
use lexiform_store::{Entry, Failure, Record, RecordId};

use super::options::IndexOptions;
use super::plan::is_unchanged;
use super::write::failure;
use crate::fileless::scene_objects;
use crate::fingerprint::{Fingerprint, fingerprint};
use crate::listing::entries;
use crate::scene::{SceneFile, SceneObjectRef, SceneRecords};
use crate::{Error, FileStatus, IndexSummary, Library, SceneIndex, UpRule};

/// Metadata key for the files and folders whose files are scenes: a list of paths in the library as JSON.
const SCENES_KEY: &str = "scenes";

impl Library {
    /// Records that the files at `paths`, or below them, are scenes: [`index`](Self::index) adds the objects in them, instead of each
    /// file as a shape.
    ///
    /// # Errors
    /// [`Error::NotFound`] if one of `paths` does not exist, [`Error::Store`] if the library cannot be written.
    pub fn add_scenes(&self, paths: &[PathBuf]) -> Result<(), Error> {
        let mut known = self.scene_roots()?;
        let before = known.len();
        for path in paths {
            let absolute = fs_err::canonicalize(path).map_err(|_| Error::NotFound { path: path.clone() })?;
            let is_root = self.library_path().root.as_ref() == Some(&absolute);
            let key = if is_root { Some(String::new()) } else { self.library_path().key(&absolute) };
            known.extend(key.filter(|key| !known.contains(key)));
        }
        if known.len() > before {
            let text = serde_json::Value::from(known).to_string();
            self.store().set_metadata(SCENES_KEY, Some(&text))?;
        }
        Ok(())
    }

    /// Files and folders whose files are scenes, as paths in the library; empty for the root.
    fn scene_roots(&self) -> Result<Vec<String>, Error> {
        let text = self.store().metadata(SCENES_KEY)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Whether the library has objects in scenes.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn has_scenes(&self) -> Result<bool, Error> {
        Ok(!self.scene_roots()?.is_empty())
    }

    /// Number of objects in scenes.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn count_scene_objects(&self) -> Result<usize, Error> {
        self.count(&scene_objects())
    }

    /// Takes the scenes out of the files that were found.
    pub(super) fn split_scenes(&self, found: &mut WalkResult) -> Result<Vec<PathBuf>, Error> {
        let roots = self.scene_roots()?;
        if roots.is_empty() {
            return Ok(Vec::new());
        }
        let is_scene = |path: &PathBuf| {
            self.library_path().key(path).is_some_and(|key| roots.iter().any(|root| is_below(&key, root)))
        };
        let (scenes, others) = std::mem::take(&mut found.assets).into_iter().partition(is_scene);
        found.assets = others;
        Ok(scenes)
    }
}

/// Whether a path is a folder or is in it; everything is below the empty one.
fn is_below(key: &str, root: &str) -> bool {
    root.is_empty() || key.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Adds scenes to a library.
pub(super) struct SceneRun<'a> {
    pub library: &'a Library,
    pub options: &'a IndexOptions,
    pub now: SystemTime,
    /// Gets every scene that was processed.
    pub on_scene: &'a mut dyn FnMut(String, FileStatus),
    /// The objects of each scene in the library.
    known: HashMap<String, Vec<Entry>>,
    failures: HashMap<String, Failure>,
}

/// A scene in a library.
struct SceneTask<'a> {
    path: &'a Path,
    key: &'a str,
}

impl<'a> SceneRun<'a> {
    /// Reads what the library has.
    pub(super) fn new(
        library: &'a Library,
        options: &'a IndexOptions,
        now: SystemTime,
        on_scene: &'a mut dyn FnMut(String, FileStatus),
    ) -> Result<Self, Error> {
        let mut known: HashMap<String, Vec<Entry>> = HashMap::new();
        for entry in entries(library.store(), &scene_objects())? {
            if let Some(object) = SceneObjectRef::of(&entry.payload) {
                known.entry(object.scene).or_default().push(entry);
            }
        }
        let failures = library.store().failures()?.into_iter().map(|f| (f.path.clone(), f)).collect();
        Ok(Self { library, options, now, on_scene, known, failures })
    }

    /// Adds the scenes that are new or have changed, and handles those below `roots` whose file is missing.
    pub(super) fn run(self, scenes: &[PathBuf], roots: &[PathBuf]) -> Result<IndexSummary, Error> {
        let mut summary = IndexSummary::default();
        for path in scenes {
            // Paths without a name in the library are not below a root of scenes.
            let Some(key) = self.library.library_path().key(path) else { continue };
            let status = self.add(&SceneTask { path, key: &key })?;
            summary.count(&status);
            (self.on_scene)(key, status);
        }
        let found: HashSet<&PathBuf> = scenes.iter().collect();
        let is_missing = |path: &PathBuf| {
            !found.contains(path) && path.ancestors().any(|part| roots.iter().any(|root| root == part))
        };
        let mut missing: Vec<String> = self.known.keys().cloned().collect();
        missing.retain(|key| is_missing(&self.library.library_path().resolve(key)));
        missing.sort_unstable();
        for key in missing {
            let pruned = self.options.prune;
            if pruned {
                self.library.store().delete(&ids(&self.known[&key]))?;
            }
            summary.count(&FileStatus::Removed { pruned });
            (self.on_scene)(key, FileStatus::Removed { pruned });
        }
        Ok(summary)
    }

    fn add(&self, task: &SceneTask<'_>) -> Result<FileStatus, Error> {
        let known = self.known.get(task.key).map_or(&[][..], Vec::as_slice);
        let first = known.iter().find(|entry| entry.payload.path == SceneObjectRef::path(task.key, 1));
        if first.is_some_and(|entry| is_unchanged(task.path, &entry.index_state, self.now)) {
            return Ok(FileStatus::Unchanged);
        }
        let fingerprint = match fingerprint(task.path, self.now) {
            Ok(fingerprint) => fingerprint,
            Err(error) => return self.fail(task, None, error.to_string()),
        };
        let hash = SceneRecords::content_hash(&fingerprint.content_hash, self.up(), 1);
        if first.is_some_and(|entry| entry.payload.content_hash == hash) {
            self.touch(known, &fingerprint)?;
            return Ok(FileStatus::Unchanged);
        }
        let failed = self.failures.get(task.key);
        let failed = failed.filter(|f| f.content_hash.as_ref() == Some(&fingerprint.content_hash));
        if let Some(failure) = failed.filter(|_| !self.options.retry_failed) {
            return Ok(FileStatus::Failed { error: failure.error.clone() });
        }
        match self.write(task, &fingerprint, known)? {
            Ok(()) => Ok(FileStatus::Indexed),
            Err(reason) => self.fail(task, Some(fingerprint.content_hash), reason),
        }
    }

    /// The up axis that the library's files are read with; that of the planes if it is left to the format.
    fn up(&self) -> Option<UpRule> {
        let up = self.library.preprocessor().up();
        (up != UpRule::Format).then_some(up)
    }

    /// Writes the file's new times.
    fn touch(&self, known: &[Entry], fingerprint: &Fingerprint) -> Result<(), Error> {
        let mut entries = known.to_vec();
        for entry in &mut entries {
            entry.payload.modified_ns = fingerprint.modified_ns;
            entry.index_state.stat_hash.clone_from(&fingerprint.stat_hash);
            entry.index_state.dependencies.clone_from(&fingerprint.dependencies);
        }
        Ok(self.library.store().update(&entries)?)
    }

    /// Replaces the objects of a scene, or says why it has none.
    fn write(
        &self,
        task: &SceneTask<'_>,
        fingerprint: &Fingerprint,
        known: &[Entry],
    ) -> Result<Result<(), String>, Error> {
        let scene = match self.library.preprocessor().read_scene(task.path) {
            Ok(scene) => scene,
            Err(Error::Shape { reason, .. }) => return Ok(Err(reason)),
            Err(error) => return Err(error),
        };
        let index = self.index_of(task, &scene)?;
        if index.objects.is_empty() {
            return Ok(Err("no objects found in the scene".to_owned()));
        }
        let store = self.library.store();
        let records = SceneRecords { key: task.key, fingerprint, up: self.up(), index: &index };
        let mut written = Vec::with_capacity(index.objects.len());
        for ((payload, index_state, thumbnail), object) in
            records.records(&scene)?.into_iter().zip(&index.objects)
        {
            let id = store.assign_id(&payload.path, &payload.content_hash)?;
            let vector = object.embedding.as_slice().to_vec();
            written.push(Record { id, vector, payload, index_state, thumbnail: Some(thumbnail) });
        }
        // Those that are not replaced, and the scene as one shape. Deleted first: what remains says that the scene has changed.
        let kept: HashSet<RecordId> = written.iter().map(|record| record.id).collect();
        let mut outdated = ids(known);
        outdated.retain(|id| !kept.contains(id));
        outdated.extend(store.find_by_path(task.key)?.map(|entry| entry.id));
        store.delete(&outdated)?;
        store.upsert(store.space(), &written)?;
        store.clear_failures(&[task.key])?;
        Ok(Ok(()))
    }

    /// The index of a scene, from its file if `lexiform scene` or an earlier run kept it.
    fn index_of(&self, task: &SceneTask<'_>, scene: &Scene) -> Result<SceneIndex, Error> {
        let encoder = self.library.encoder();
        let file = SceneFile::for_model(task.path, encoder, self.up())?;
        if let Some(index) = file.read() {
            return Ok(index);
        }
        let config = SegmentConfig { up: self.up().map(|_| glam::Vec3::Y), ..SegmentConfig::default() };
        let index = SceneIndex::build(encoder, scene, &config, &|_, _| {})?;
        // Masks are read from this file. Where it cannot be written, boxes are known without them.
        let _ = file.write(&index);
        Ok(index)
    }

    fn fail(
        &self,
        task: &SceneTask<'_>,
        content_hash: Option<String>,
        error: String,
    ) -> Result<FileStatus, Error> {
        let store = self.library.store();
        // Objects of content that no longer exists. If the file could not be opened, it may be unchanged.
        if let Some(known) = self.known.get(task.key).filter(|_| content_hash.is_some()) {
            store.delete(&ids(known))?;
        }
        let failed = failure(task.path, task.key.to_owned(), error.clone(), self.now);
        store.record_failures(&[Failure { content_hash, ..failed }])?;
        Ok(FileStatus::Failed { error })
    }
}

fn ids(entries: &[Entry]) -> Vec<RecordId> {
    entries.iter().map(|entry| entry.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_are_below_their_roots() {
        for (key, root, expected) in [
            ("rooms/a.ply", "rooms", true),
            ("rooms/a.ply", "", true),
            ("rooms/a.ply", "rooms/a.ply", true),
            ("rooms_old/a.ply", "rooms", false),
            ("a.ply", "rooms", false),
        ] {
            assert_eq!(is_below(key, root), expected, "{key} in {root:?}");
        }
    }
}
