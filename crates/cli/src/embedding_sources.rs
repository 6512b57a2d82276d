//! What `lexiform index` takes besides 3D files: files of embeddings, and data sets.

use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use anyhow::anyhow;
use lexiform_data::Dataset;
use lexiform_data::embeddings::{EmbeddingFile, READABLE_EXTENSIONS};
use lexiform_eval::StoredShape;
use lexiform_formats::file_exists;
use lexiform_search::{
    Embedding, EmbeddingSource, Encoder, Error, IndexEvent, IndexSummary, Library, NamedFeatures,
    RowFeatures, ShapePreprocessor,
};

use crate::error::WithHint as _;

/// Extensions that arrays of points have too.
const ARRAY_EXTENSIONS: [&str; 2] = ["npy", "npz"];
/// Member of a data set with the embedding of a whole shape.
const SHAPE_FEATURES: &str = "shape.npy";
/// Shapes of a data set written in one transaction: embedding takes long, and an interrupted run keeps what is written.
const SHAPES_PER_BATCH: usize = 16;

/// A source of records without files.
pub(crate) enum FilelessSource {
    /// A file of embeddings.
    Embeddings(Box<EmbeddingFile>),
    /// A data set.
    Dataset(PathBuf, Arc<Dataset>),
}

/// Sources of records without files among `paths`, and the remaining paths. An array in `.npy` or `.npz` is one of embeddings
/// if its rows are as long as the model's.
pub(crate) fn split(
    paths: &[PathBuf],
    names: Option<&Path>,
    dim: usize,
) -> anyhow::Result<(Vec<FilelessSource>, Vec<PathBuf>)> {
    let (mut sources, mut files) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() && Dataset::exists(path) {
            sources.push(FilelessSource::Dataset(path.clone(), Arc::new(Dataset::open(path)?)));
        } else if let Some(file) = embeddings(path, names, dim)? {
            sources.push(FilelessSource::Embeddings(Box::new(file)));
        } else {
            files.push(path.clone());
        }
    }
    Ok((sources, files))
}

/// Whether a path may be a file of embeddings, by its name alone.
pub(crate) fn is_embedding_path(path: &Path) -> bool {
    READABLE_EXTENSIONS.contains(&extension(path).as_str())
}

/// The extension of `FILE` or `FILE#ARRAY`.
fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    extension.split('#').next().unwrap_or_default().to_owned()
}

fn embeddings(path: &Path, names: Option<&Path>, dim: usize) -> anyhow::Result<Option<EmbeddingFile>> {
    if !is_embedding_path(path) {
        return Ok(None);
    }
    // Points have no names.
    let may_be_points =
        ARRAY_EXTENSIONS.contains(&extension(path).as_str()) && file_exists(path) && names.is_none();
    let file = match EmbeddingFile::open(path, names) {
        Ok(file) => file,
        Err(_) if may_be_points => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if file.dim() == dim {
        return Ok(Some(file));
    }
    if may_be_points {
        return Ok(None);
    }
    let (path, found) = (path.display(), file.dim());
    Err(anyhow!("{path}: expected embeddings of {dim} numbers, as the model's, found {found}"))
        .hint("name the model that computed them with --model")
}

impl FilelessSource {
    /// Adds the source to a library.
    pub(crate) fn index(
        &self,
        library: &Library,
        prune: bool,
        on_event: &mut dyn FnMut(IndexEvent),
    ) -> anyhow::Result<IndexSummary> {
        match self {
            Self::Embeddings(file) => index_file(library, file, prune, on_event),
            Self::Dataset(path, set) => index_dataset(library, path, set, prune, on_event),
        }
    }
}

fn index_file(
    library: &Library,
    file: &EmbeddingFile,
    prune: bool,
    on_event: &mut dyn FnMut(IndexEvent),
) -> anyhow::Result<IndexSummary> {
    check_model(file, library)?;
    let mut named = file.iter()?;
    let mut rows = std::iter::from_fn(|| match named.next_row() {
        Ok(row) => row.map(|(name, values)| {
            let features = embedding(values.to_vec()).into();
            Ok(NamedFeatures { name: name.to_owned(), stamp: String::new(), features })
        }),
        Err(error) => Some(Err(Error::Io(std::io::Error::other(error)))),
    });
    let name = source_name(file.path())?;
    let count = file.named().map_or(0, <[_]>::len);
    let source = EmbeddingSource { name: &name, count, batch: usize::MAX, rows: &mut rows };
    Ok(library.index_embeddings(source, prune, on_event)?)
}

fn index_dataset(
    library: &Library,
    path: &Path,
    set: &Arc<Dataset>,
    prune: bool,
    on_event: &mut dyn FnMut(IndexEvent),
) -> anyhow::Result<IndexSummary> {
    let reader = ShapeFeatures::new(set, library.encoder(), library.preprocessor());
    let mut rows = (0..set.len()).map(|shape| {
        let (name, stamp) = (set.key(shape).to_owned(), set.content_digest(shape));
        // Embedding takes long: only shapes that are new or have changed.
        let features = if library.embedding_stamp(&name)?.as_ref() == Some(&stamp) {
            RowFeatures::Unchanged
        } else {
            reader.embedding(shape)?.into()
        };
        Ok(NamedFeatures { name, stamp, features })
    });
    let name = source_name(path)?;
    let source = EmbeddingSource { name: &name, count: set.len(), batch: SHAPES_PER_BATCH, rows: &mut rows };
    Ok(library.index_embeddings(source, prune, on_event)?)
}

/// What tells a source from all others: two folders may have files of the same name.
fn source_name(path: &Path) -> anyhow::Result<String> {
    Ok(absolute(path)?.to_string_lossy().into_owned())
}

/// Checks that a file of embeddings, if it names its model, is of the library's.
///
/// # Errors
/// If it is of another model.
pub(crate) fn check_model(file: &EmbeddingFile, library: &Library) -> anyhow::Result<()> {
    let (path, expected) = (file.path().display(), library.encoder().id());
    match file.model().filter(|found| *found != expected) {
        Some(found) => Err(anyhow!("{path}: expected embeddings of {expected}, found those of {found}"))
            .hint("name the model that computed them with --model"),
        None => Ok(()),
    }
}

/// An embedding of numbers that need not be normalized, or the reason why they cannot be one.
fn embedding(values: Vec<f32>) -> Result<Embedding, String> {
    Embedding::new(values).map_err(|error| error.to_string())
}

/// Computes or reads the embeddings of a data set's shapes.
pub(crate) struct ShapeFeatures<'a> {
    set: &'a Arc<Dataset>,
    encoder: &'a dyn Encoder,
    preprocessor: &'a ShapePreprocessor,
}

impl<'a> ShapeFeatures<'a> {
    /// Embeddings by `encoder`, of shapes as `preprocessor` gives them.
    pub(crate) fn new(
        set: &'a Arc<Dataset>,
        encoder: &'a dyn Encoder,
        preprocessor: &'a ShapePreprocessor,
    ) -> Self {
        Self { set, encoder, preprocessor }
    }

    /// The embedding of a shape: of its views or points, or stored by an import of embeddings, which has neither. A shape that
    /// cannot be embedded has a reason.
    ///
    /// # Errors
    /// If the model fails.
    pub(crate) fn embedding(&self, shape: usize) -> Result<Result<Embedding, String>, Error> {
        if self.set.members(shape).any(|name| name == SHAPE_FEATURES) {
            let array = self.set.array(shape, SHAPE_FEATURES);
            return Ok(match array {
                Ok(Some(array)) => embedding(array.to_f32_vec()),
                Ok(None) => Err("no features".to_owned()),
                Err(error) => Err(error.to_string()),
            });
        }
        let input = match StoredShape::new(self.set, shape).read(self.preprocessor) {
            Ok(input) => input,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let failed = |source| Error::Encode { model: self.encoder.id().to_owned(), source };
        let embeddings = self.encoder.embed_shapes(vec![input]).map_err(failed)?;
        embeddings.into_iter().next().map(Ok).ok_or_else(|| failed("no embedding".into()))
    }
}
