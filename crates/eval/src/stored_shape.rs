//! A lazily read shape of a data set, or of a file with the images of many shapes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_data::import::{self, ImportFormat, ImportOptions, ImportSource};
use lexiform_data::{Dataset, Key, Member, POINTS, ProduceError, Producer as _, ShapeJob, points_from_npy};
use lexiform_formats::file_exists;
use lexiform_formats::view_format::{ViewFormat, decode_view};
use lexiform_search::{Error, ModelInput, ShapePreprocessor, UpRule};

use crate::error::EvalError;

/// Formats of files with many shapes, by extension.
const FORMATS: [(&str, &str); 3] = [("h5", "duoduo"), ("hdf5", "duoduo"), ("pkl", "few-shot")];

/// Shapes that are stored together: a data set, Duoduo CLIP's images (`lvis_images.h5` with its index), or a fold of a few-shot
/// benchmark.
#[derive(Clone)]
pub(crate) struct ShapeStore {
    path: PathBuf,
    contents: Contents,
}

#[derive(Clone)]
enum Contents {
    Set(Arc<Dataset>),
    File { source: Arc<ImportSource>, by_id: Arc<HashMap<String, usize>> },
}

/// A shape of a store.
#[derive(Clone)]
pub struct StoredShape {
    store: Arc<ShapeStore>,
    /// Its name, for messages.
    name: String,
    /// Its index; `None` if the store does not have it.
    shape: Option<usize>,
}

/// A shape of a file with its label and split.
pub(crate) struct LabeledShape {
    /// Its name in the file.
    pub name: String,
    /// Its label; empty if it has none.
    pub label: String,
    /// Its split, if known.
    pub split: Option<String>,
    /// The shape.
    pub shape: StoredShape,
}

impl ShapeStore {
    /// Whether there is a store at this path.
    pub(crate) fn exists(path: &Path) -> bool {
        format_of(path).is_some() || Dataset::exists(path)
    }

    /// Opens a data set, or images with their index.
    pub(crate) fn open(path: &Path) -> Result<Arc<Self>, EvalError> {
        let contents = if let Some(format) = format_of(path) {
            // The fastest format, since every view is decoded again at once.
            let options = ImportOptions { view_format: ViewFormat::Qoi, ..ImportOptions::default() };
            let source = Arc::new((format.open)(path, &options)?);
            let by_id = source.jobs().iter().enumerate().map(|(i, job)| (job.source.clone(), i)).collect();
            Contents::File { source, by_id: Arc::new(by_id) }
        } else {
            Contents::Set(Arc::new(Dataset::open(path)?))
        };
        Ok(Arc::new(Self { path: path.to_owned(), contents }))
    }

    /// All shapes of a file with their labels and splits.
    pub(crate) fn labeled(self: &Arc<Self>) -> Result<Vec<LabeledShape>, EvalError> {
        let Contents::File { source, .. } = &self.contents else { return Ok(Vec::new()) };
        let entry = |(shape, job): (usize, &ShapeJob)| {
            let made = source.produce(shape).map_err(|error| {
                EvalError::input(format!("{}: {}: {}", self.path.display(), job.source, reason(error)))
            })?;
            let label = made.metadata.labels.into_iter().next().unwrap_or_default();
            let split = Some(made.metadata.split).filter(|split| !split.is_empty());
            Ok(LabeledShape { name: job.source.clone(), label, split, shape: self.find(&job.source) })
        };
        source.jobs().iter().enumerate().map(entry).collect()
    }

    /// The shape with this id.
    pub(crate) fn find(self: &Arc<Self>, id: &str) -> StoredShape {
        let shape = match &self.contents {
            Contents::Set(set) => set.find(id).or_else(|| set.find(Key::from_id(id).as_str())),
            Contents::File { by_id, .. } => by_id.get(id).copied(),
        };
        StoredShape { store: Arc::clone(self), name: id.to_owned(), shape }
    }
}

/// The format of a file with many shapes.
fn format_of(path: &Path) -> Option<&'static ImportFormat> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let (_, format) = FORMATS.iter().find(|(extension, _)| *extension == ending)?;
    import::find(format).filter(|_| file_exists(path))
}

impl StoredShape {
    /// The shape of a data set with this index.
    pub fn new(set: &Arc<Dataset>, shape: usize) -> Self {
        let store = ShapeStore { path: set.root().to_owned(), contents: Contents::Set(Arc::clone(set)) };
        Self { store: Arc::new(store), name: set.key(shape).to_owned(), shape: Some(shape) }
    }

    /// Its split, if the store knows it.
    pub(crate) fn split(&self) -> Option<&str> {
        match (&self.store.contents, self.shape) {
            (Contents::Set(set), Some(shape)) => Some(set.split(shape)),
            _ => None,
        }
    }

    /// Reads its views and points as model input.
    ///
    /// # Errors
    /// [`Error::Shape`] if it cannot be read, or has no input for the model.
    pub fn read(&self, preprocessor: &ShapePreprocessor) -> Result<ModelInput, Error> {
        let failed = |reason: String| Error::Shape { path: self.name.as_str().into(), reason };
        let (mut views, mut cloud) = (Vec::new(), None);
        for member in self.members().map_err(failed)? {
            if member.name == POINTS {
                cloud = Some(points_from_npy(&member.bytes).map_err(failed)?);
            } else {
                views.push(decode_view(&member.bytes).map_err(failed)?);
            }
        }
        let has_views = !views.is_empty();
        let input = preprocessor
            .process_stored(views, cloud)
            .ok_or_else(|| failed("the data set has no input for this model".to_owned()))?;
        // Turned points next to views that are not would be two shapes.
        if has_views && input.views().is_some() && preprocessor.up() != UpRule::Format {
            return Err(failed("expected points to turn, found rendered views; leave out --up".to_owned()));
        }
        Ok(input)
    }

    /// Only what models take: depth and normal maps would multiply the bytes to read.
    fn members(&self) -> Result<Vec<Member>, String> {
        let wanted = |name: &str| name == POINTS || Member::view_index(name).is_some();
        let missing = || format!("not in {}", self.store.path.display());
        let shape = self.shape.ok_or_else(missing)?;
        match &self.store.contents {
            Contents::Set(set) => set.members_matching(shape, wanted).map_err(|error| error.to_string()),
            Contents::File { source, .. } => {
                let shape = source.produce(shape).map_err(reason)?;
                Ok(shape.members.into_iter().filter(|member| wanted(&member.name)).collect())
            }
        }
    }
}

fn reason(error: ProduceError) -> String {
    match error {
        ProduceError::Shape(reason) | ProduceError::Fatal { reason, .. } => reason,
    }
}
