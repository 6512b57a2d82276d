//! Which files hold the same shape, whatever their format, place, size, turn, triangles and colors.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use lexiform_geometry::registration::{Fit, Form, Signature, groups};
use lexiform_mesh_io::walk;
use lexiform_store::{SqliteStore, VectorStore as _};
use rayon::prelude::*;
use serde::Serialize;

use crate::fingerprint::fingerprint;
use crate::look::{panic_text, without_path};
use crate::pipeline::{HEAVY_BYTES, STACK_BYTES};
use crate::signatures::Signatures;
use crate::{Error, Place};

/// Forms in memory at once: some 500 kB each.
const FORMS_KEPT: usize = 1024;
/// File of signatures inside a library's folder.
const SIGNATURES: &str = "signatures.bin";

/// How duplicates are looked for.
#[derive(Clone, Copy, Debug)]
pub struct DuplicateOptions {
    /// Largest distance between the surfaces of two shapes that count as near, over the diameter. Shapes between which no
    /// difference can be seen are the same, whatever the threshold.
    pub threshold: f32,
    /// Files read at the same time; 0 is one for each processor.
    pub jobs: usize,
}

impl Default for DuplicateOptions {
    fn default() -> Self {
        Self { threshold: 0.006, jobs: 0 }
    }
}

/// What a file is to the first of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The same bytes.
    Identical,
    /// The same shape, as far as can be seen.
    Same,
    /// The mirror image of the same shape.
    Mirrored,
    /// Nearly the same shape.
    Near,
}

/// A file like the first of its group.
#[derive(Clone, Debug, PartialEq)]
pub struct Twin {
    /// The file.
    pub file: PathBuf,
    /// What it is to the first.
    pub relation: Relation,
    /// Whether its mirror image lies over the first.
    pub mirrored: bool,
    /// Distance between the surfaces over the diameter; 0 for identical files.
    pub distance: f32,
}

/// Files that hold one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Twins {
    /// The file the others are compared with.
    pub first: PathBuf,
    /// The others, in the order of their names.
    pub others: Vec<Twin>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Duplicates {
    /// Files with others like them, in the order of their names.
    pub groups: Vec<Twins>,
    /// Files that cannot be used, with the reason.
    pub failed: Vec<(PathBuf, String)>,
}

/// The files that duplicates may be among: those a library apart knows, or those below the folder around it.
pub fn files_of(place: &Place) -> Result<Vec<PathBuf>, Error> {
    match &place.root {
        Some(root) => Ok(walk(std::slice::from_ref(root)).assets),
        None => {
            let stamps = SqliteStore::open(&place.folder)?.stamps()?;
            Ok(stamps.iter().map(|stamp| place.path(&stamp.path)).collect())
        }
    }
}

/// Finds the files that hold the same shape. Signatures of shapes are kept in `library`'s folder if there is a library, so
/// that the next search reads only what is new. `tell` hears of every file that has been looked at, from any thread.
///
/// # Errors
/// [`Error::Io`] if threads cannot be started. Files that cannot be read are told in the result.
pub fn find_duplicates(
    files: &[PathBuf],
    library: Option<&Place>,
    options: &DuplicateOptions,
    tell: &(dyn Fn(&Path) + Sync),
) -> Result<Duplicates, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).stack_size(STACK_BYTES).build();
    let pool = pool.map_err(std::io::Error::other)?;
    let kept = library.filter(|place| place.exists()).map(|place| place.folder.join(SIGNATURES));
    let known = kept.as_deref().map(Signatures::read).unwrap_or_default();
    let search = Search { forms: Mutex::default(), known, tell };
    pool.install(|| {
        let (shapes, failed) = search.look_at(files);
        if let Some(kept) = &kept {
            // Only saves time: a folder that cannot be written is no reason to fail.
            let _saved = search.known.with(shapes.iter().map(|s| (&s.content[..], &s.signature))).write(kept);
        }
        Ok(Duplicates { groups: search.grouped(shapes, options.threshold), failed })
    })
}

/// Files of one content, and their shape.
struct Shape {
    content: String,
    files: Vec<PathBuf>,
    signature: Signature,
}

struct Search<'a> {
    /// By first file.
    forms: Mutex<HashMap<PathBuf, Arc<Form>>>,
    known: Signatures,
    tell: &'a (dyn Fn(&Path) + Sync),
}

type Failed = Vec<(PathBuf, String)>;

impl Search<'_> {
    /// The shapes of all files, in the order of their first files' names.
    fn look_at(&self, files: &[PathBuf]) -> (Vec<Shape>, Failed) {
        let now = SystemTime::now();
        let print = |file: &PathBuf| {
            let content = fingerprint(file, now).map(|print| print.content);
            (file.clone(), content.map_err(|error| without_path(&error.to_string(), file)))
        };
        let mut failed = Vec::new();
        let mut by_content: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        let prints: Vec<(PathBuf, Result<String, String>)> = files.par_iter().map(print).collect();
        for (file, content) in prints {
            match content {
                Ok(content) => by_content.entry(content).or_default().push(file),
                Err(error) => failed.push((file, error)),
            }
        }
        by_content.values_mut().for_each(|files| files.sort());
        let mut contents: Vec<(String, Vec<PathBuf>)> = by_content.into_iter().collect();
        contents.sort_by(|a, b| a.1.cmp(&b.1));
        // Heavy files one at a time, so that memory is bounded.
        let is_heavy = |files: &[PathBuf]| fs_err::metadata(&files[0]).is_ok_and(|m| m.len() > HEAVY_BYTES);
        let (heavy, light): (Vec<_>, Vec<_>) = contents.into_iter().partition(|(_, files)| is_heavy(files));
        let mut looked: Vec<Result<Shape, (Vec<PathBuf>, String)>> =
            light.into_par_iter().map(|(content, files)| self.shape(content, files)).collect();
        looked.extend(heavy.into_iter().map(|(content, files)| self.shape(content, files)));
        let mut shapes = Vec::new();
        for looked in looked {
            match looked {
                Ok(shape) => shapes.push(shape),
                Err((files, error)) => failed.extend(files.into_iter().map(|file| (file, error.clone()))),
            }
        }
        shapes.sort_by(|a, b| a.files.cmp(&b.files));
        failed.sort();
        (shapes, failed)
    }

    fn shape(&self, content: String, files: Vec<PathBuf>) -> Result<Shape, (Vec<PathBuf>, String)> {
        let known = self.known.get(&content);
        let signature = match known {
            Some(signature) => Ok(signature.clone()),
            None => self.form(&files[0]).map(|form| form.signature()),
        };
        files.iter().for_each(|file| (self.tell)(file));
        match signature {
            Ok(signature) => Ok(Shape { content, files, signature }),
            Err(error) => Err((files, error)),
        }
    }

    /// The form of a file's shape. A panic on the way is this file's error, not the run's end.
    fn form(&self, file: &Path) -> Result<Arc<Form>, String> {
        let kept = || self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(form) = kept().get(file) {
            return Ok(form.clone());
        }
        let read = || {
            let scene =
                lexiform_mesh_io::read(file).map_err(|error| without_path(&error.to_string(), file))?;
            Form::of(&scene).ok_or_else(|| "no triangles and no points".to_owned())
        };
        let form = catch_unwind(AssertUnwindSafe(read));
        let form = form.unwrap_or_else(|panic| Err(format!("internal error: {}", panic_text(&*panic))))?;
        let form = Arc::new(form);
        let mut forms = kept();
        if forms.len() >= FORMS_KEPT {
            forms.clear();
        }
        forms.insert(file.to_owned(), form.clone());
        Ok(form)
    }

    fn grouped(&self, shapes: Vec<Shape>, threshold: f32) -> Vec<Twins> {
        let signatures: Vec<Signature> = shapes.iter().map(|shape| shape.signature.clone()).collect();
        let alike = groups(&signatures, threshold, |shape| self.form(&shapes[shape].files[0]).ok());
        let mut fits: Vec<Option<Fit>> = vec![None; shapes.len()];
        let mut lists: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut grouped = vec![false; shapes.len()];
        for group in alike {
            grouped[group.first] = true;
            for (other, fit) in &group.others {
                (grouped[*other], fits[*other]) = (true, Some(*fit));
            }
            lists.insert(group.first, group.others.into_iter().map(|(other, _)| other).collect());
        }
        for (index, shape) in shapes.iter().enumerate() {
            if !grouped[index] && shape.files.len() > 1 {
                lists.insert(index, Vec::new());
            }
        }
        let twins = |(first, others): (usize, Vec<usize>)| {
            let copies = shapes[first].files[1..].iter().map(|file| twin(file, None));
            let others = others.iter().flat_map(|&i| shapes[i].files.iter().map(move |file| (file, i)));
            let others = others.map(|(file, i)| twin(file, fits[i]));
            Twins { first: shapes[first].files[0].clone(), others: copies.chain(others).collect() }
        };
        lists.into_iter().map(twins).collect()
    }
}

/// A file of the first one's bytes, or with a shape that fits it so.
fn twin(file: &Path, fit: Option<Fit>) -> Twin {
    let relation = match fit {
        None => Relation::Identical,
        Some(fit) if fit.is_same() && fit.mirrored => Relation::Mirrored,
        Some(fit) if fit.is_same() => Relation::Same,
        Some(_) => Relation::Near,
    };
    let mirrored = fit.is_some_and(|fit| fit.mirrored);
    Twin { file: file.to_owned(), relation, mirrored, distance: fit.map_or(0.0, |fit| fit.distance) }
}
