//! Inputs of `lexiform embed`: files, and what stands for many of them: folders, data sets, lists.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_data::Dataset;
use lexiform_eval::StoredShape;
use lexiform_mesh_io::{WalkResult, is_image, view_files, walk};
use lexiform_search::{
    Embedding, Encoder, ModelInput, ShapePreprocessor, content_hash, embed_file, is_view_set,
};

use crate::commands::classify::file_error;
use crate::embedding_sources::ShapeFeatures;
use crate::error::{UsageError, WithHint as _};

/// Begins an argument that names a list of files.
const LIST_MARK: char = '@';

/// One row.
pub(crate) enum EmbedInput {
    /// A 3D file, an image, a folder of views or a strip of them.
    File(PathBuf),
    /// A shape of a data set.
    Shape(Arc<Dataset>, usize),
}

/// What the arguments stand for: `@FILE` is a list with one path per line; a data set, all its shapes; a folder with 3D files, all
/// of them and its folders of views, sorted; any other path is itself.
pub(crate) fn expand(arguments: &[PathBuf]) -> anyhow::Result<Vec<EmbedInput>> {
    let mut inputs = Vec::new();
    for argument in arguments {
        match list_name(argument) {
            Some(list) => {
                for line in lines(Path::new(list))? {
                    add(Path::new(&line), &mut inputs)?;
                }
            }
            None => add(argument, &mut inputs)?,
        }
    }
    Ok(inputs)
}

/// The file of `@FILE`, unless a file has that name.
fn list_name(argument: &Path) -> Option<&str> {
    argument.to_str()?.strip_prefix(LIST_MARK).filter(|_| !argument.exists())
}

/// The lines of a file that are not empty.
pub(crate) fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs_err::read_to_string(path).hint("a list is a UTF-8 text file with one entry per line")?;
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    if lines.is_empty() {
        return Err(UsageError(format!("{}: expected one entry per line, found none", path.display())).into());
    }
    Ok(lines)
}

fn add(path: &Path, inputs: &mut Vec<EmbedInput>) -> anyhow::Result<()> {
    if !path.is_dir() {
        inputs.push(EmbedInput::File(path.to_owned()));
    } else if Dataset::exists(path) {
        let set = Arc::new(Dataset::open(path)?);
        inputs.extend((0..set.len()).map(|shape| EmbedInput::Shape(Arc::clone(&set), shape)));
    } else {
        let WalkResult { assets, view_sets, .. } = walk(&[path.to_owned()]);
        let has_images = view_files(path).is_ok_and(|images| !images.is_empty());
        if assets.is_empty() && (has_images || view_sets.is_empty()) {
            // A folder of views; an empty one is reported as a file that cannot be used, with the reason.
            inputs.push(EmbedInput::File(path.to_owned()));
            return Ok(());
        }
        let mut found = [assets, view_sets].concat();
        found.sort();
        inputs.extend(found.into_iter().map(EmbedInput::File));
    }
    Ok(())
}

/// Whether a path is an image or a folder of views, rather than a 3D file.
pub(crate) fn has_views(path: &Path) -> bool {
    is_image(path) || (path.is_dir() && is_view_set(path))
}

impl EmbedInput {
    /// The name of its row.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Shape(set, shape) => set.key(*shape).to_owned(),
        }
    }

    /// Identifies its content; empty if it cannot be read.
    pub(crate) fn stamp(&self) -> String {
        match self {
            Self::File(path) => content_hash(path).unwrap_or_default(),
            Self::Shape(set, shape) => set.content_digest(*shape),
        }
    }

    /// What a model gets of it as a shape, or the reason why there is nothing.
    ///
    /// # Errors
    /// If something else than the file is wrong.
    pub(crate) fn read(
        &self,
        preprocessor: &ShapePreprocessor,
    ) -> anyhow::Result<Result<ModelInput, String>> {
        match self {
            Self::File(path) if !path.exists() => Ok(Err("no such file".to_owned())),
            Self::File(path) => match preprocessor.process(path) {
                Ok(processed) => Ok(Ok(processed.input)),
                Err(error) => Ok(Err(file_error(path, error)?.1)),
            },
            Self::Shape(set, shape) => {
                let read = StoredShape::new(set, *shape).read(preprocessor);
                Ok(read.map_err(|error| error.to_string()))
            }
        }
    }

    /// The image or folder of views that it is, if it exists.
    pub(crate) fn views_path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(&**path).filter(|path| path.exists() && has_views(path)),
            Self::Shape(..) => None,
        }
    }

    /// Its embedding, or the reason why it has none.
    ///
    /// # Errors
    /// If the model fails.
    pub(crate) fn embed(
        &self,
        encoder: &dyn Encoder,
        preprocessor: &ShapePreprocessor,
    ) -> anyhow::Result<Result<Embedding, String>> {
        match self {
            Self::File(path) => match embed_file(encoder, preprocessor, path) {
                Ok(embedding) => Ok(Ok(embedding)),
                Err(error) => Ok(Err(file_error(path, error)?.1)),
            },
            Self::Shape(set, shape) => Ok(ShapeFeatures::new(set, encoder, preprocessor).embedding(*shape)?),
        }
    }
}
