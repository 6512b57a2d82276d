//! Frozen features next to Duoduo CLIP's images: `image_embeddings.h5` with `text_embeddings.npy`, which has a dictionary of text
//! features for each shape; for MVImgNet `mvimgnet_embeddings.h5`, with features of the views and of one caption for each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lexiform_formats::hdf5::{Dataset, Datatype, File};
use lexiform_formats::pickle::{NumpyPickle, PickleValue, Ref};

use super::files::{file_name, first_existing};
use super::members::{features, read_pickle};
use crate::{DataError, Member, Metadata, TEXT_FEATURES, VIEW_FEATURES};

/// Entries with text features, in the order in which they are stored.
const TEXTS: [&str; 4] = ["text_feat", "blip_caption_feat", "msft_caption_feat", "retrieval_text_feat"];
/// Folders of the released files, in the images' folder.
const FOLDERS: [&str; 3] = ["", "ViT-B-32_laion2b_s34b_b79k", "ViT-B-32_laion2b_s34b_b79k/mvimgnet"];

/// Features of views and texts.
pub(super) struct Features {
    views: Option<Dataset>,
    texts: Option<TextFeatures>,
}

enum TextFeatures {
    /// A dictionary of 800,000 dictionaries of arrays, many gigabytes; with the nodes of the shapes by id.
    Pickled(NumpyPickle, HashMap<String, Ref>),
    /// `[N, views, dim]`, one caption per view.
    PerView(Dataset),
}

impl Features {
    /// Opens the features of an image file with `count` shapes.
    pub fn open(images: &Path, count: usize, warnings: &mut Vec<String>) -> Result<Self, DataError> {
        let folder = images.parent().unwrap_or(Path::new(""));
        let near = |name: &str| first_existing(FOLDERS.map(|inner| folder.join(inner).join(name)));
        let mut found = Self { views: None, texts: None };
        let (names, in_one_file) = match file_name(images).starts_with("mvimgnet") {
            true => (["mvimgnet_embeddings.h5", "mvimgnet_embeddings.h5"], true),
            false => (["image_embeddings.h5", "text_embeddings.npy"], false),
        };
        if let Some(path) = near(names[0]) {
            found.views = Some(open_rows(&path, "img_feat", count, warnings)?);
        }
        if let Some(path) = near(names[1]) {
            found.texts = Some(match in_one_file {
                true => TextFeatures::PerView(open_rows(&path, "text_feat", count, warnings)?),
                false => {
                    let texts = read_pickle(&path).map_err(|message| DataError::invalid(&path, message))?;
                    let shapes = texts.index();
                    TextFeatures::Pickled(texts, shapes)
                }
            });
        }
        for (name, present) in names.iter().zip([found.views.is_some(), found.texts.is_some()]) {
            if !present {
                warnings
                    .push(format!("{name} not found in the images' folder: these features are not imported"));
            }
        }
        warnings.dedup();
        Ok(found)
    }

    /// Adds the features of a shape.
    ///
    /// # Errors
    /// If they cannot be read, or differ in their widths.
    pub fn add(
        &self,
        row: usize,
        id: &str,
        members: &mut Vec<Member>,
        metadata: &mut Metadata,
    ) -> Result<(), String> {
        if let Some(views) = &self.views {
            let array = views.read_rows(row, 1).map_err(|error| error.to_string())?;
            members.push(features(VIEW_FEATURES, array.shape[1], array.shape[2], &array.to_f32_vec()));
        }
        match &self.texts {
            None => Ok(()),
            Some(TextFeatures::Pickled(texts, shapes)) => match shapes.get(id) {
                Some(at) => add_pickled(texts.value(*at), members, metadata),
                None => Ok(()),
            },
            Some(TextFeatures::PerView(texts)) => {
                let array = texts.read_rows(row, 1).map_err(|error| error.to_string())?;
                let (views, dim) = (array.shape[1], array.shape[2]);
                members.push(features(TEXT_FEATURES, views, dim, &array.to_f32_vec()));
                let sources = vec!["view_caption"; views];
                metadata.extra.insert("text_features".to_owned(), serde_json::json!(sources));
                let views: Vec<usize> = (0..views).collect();
                metadata.extra.insert("text_feature_views".to_owned(), serde_json::json!(views));
                Ok(())
            }
        }
    }
}

/// Opens `[count, views, dim]`.
fn open_rows(
    path: &Path,
    name: &str,
    count: usize,
    warnings: &mut Vec<String>,
) -> Result<Dataset, DataError> {
    let rows = File::open(path)?.dataset(name)?;
    if rows.shape().first() != Some(&count) || rows.shape().len() != 3 {
        let message = format!("{name:?}: expected [{count}, views, dim], found {:?}", rows.shape());
        return Err(DataError::invalid(path, message));
    }
    warnings.extend(big_endian_warning(&rows, &PathBuf::from(path)));
    Ok(rows)
}

/// A warning of big-endian values, which are not what the reference writes.
pub(super) fn big_endian_warning(dataset: &Dataset, path: &Path) -> Vec<String> {
    let is_big = matches!(dataset.datatype(), Datatype::Plain(dtype) if dtype.big_endian && dtype.size > 1);
    let warning = format!("{}: values are big-endian and were byte-swapped", file_name(path));
    is_big.then_some(warning).into_iter().collect()
}

/// Adds the text features of a dictionary, source by source.
#[expect(clippy::manual_checked_ops, reason = "the division is of another number")]
fn add_pickled(
    of_shape: PickleValue,
    members: &mut Vec<Member>,
    metadata: &mut Metadata,
) -> Result<(), String> {
    let (mut values, mut dim, mut of) = (Vec::new(), 0, Vec::new());
    for name in TEXTS {
        let Some(array) = of_shape.get(name).and_then(|item| item.array()) else { continue };
        let columns = array.shape.last().copied().unwrap_or(0);
        if columns == 0 || (dim != 0 && columns != dim) {
            return Err(format!("text_embeddings.npy: {name} has shape {:?}", array.shape));
        }
        dim = columns;
        let numbers = array.to_f32_vec();
        of.extend(std::iter::repeat_n(name.trim_end_matches("_feat"), numbers.len() / dim));
        values.extend(numbers);
    }
    if dim > 0 {
        members.push(features(TEXT_FEATURES, values.len() / dim, dim, &values));
        metadata.extra.insert("text_features".to_owned(), serde_json::json!(of));
    }
    Ok(())
}
