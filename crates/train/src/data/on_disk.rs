//! Shapes of a data set on disk, read when sampled: the data set may be larger than memory.

use std::borrow::Cow;
use std::sync::Arc;

use image::RgbaImage;
use lexiform_data::{
    DataError, Dataset, METADATA, Member, Metadata, POINTS, TEXT_FEATURES, THUMBNAIL_FEATURES, VIEW_FEATURES,
    points_from_array,
};
use lexiform_formats::array::Array;
use lexiform_formats::view_format::decode_view;
use lexiform_geometry::PointCloud;
use lexiform_mesh_io::{UpRule, turn_cloud_upright};
use lexiform_model::preprocess::resize_bicubic_rgba;

use crate::data::caption::{Caption, CaptionSource};
use crate::data::features::dataset::{DatasetFeatures, FeatureRows};
use crate::data::features::vectors::mean_rows;
use crate::data::loaded_shape::{LoadFields, LoadedShape, ShapeTeacherFeatures};
use crate::data::shape_set::{CategoryNames, captions_from_templates};

/// A shape of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatasetEntry {
    /// Index in the data set.
    pub shape: u32,
    /// Index into the names; `None` without a label.
    pub category: Option<u32>,
    /// Number of captions.
    pub captions: u32,
}

/// How shapes are loaded.
#[derive(Clone, Debug)]
pub(crate) struct LoadOptions {
    /// Width and height of views in pixels; others are resized.
    pub image_size: usize,
    /// Maximum number of views per shape, evenly spaced over the stored ones.
    pub views: usize,
    /// Number of views of shapes that have stored features but no images.
    pub feature_only_views: usize,
    /// Class sentences that become captions.
    pub templates: Vec<String>,
    /// How the up axis of stored points is found.
    pub up: UpRule,
    /// Whether labels are captions of shapes that have others.
    pub label_captions: bool,
}

/// Shapes of a data set.
pub(crate) struct OnDiskPool {
    pub set: Arc<Dataset>,
    pub names: Arc<Vec<CategoryNames>>,
    pub entries: Vec<DatasetEntry>,
    pub options: LoadOptions,
    pub features: Option<DatasetFeatures>,
}

/// Sampled views of a shape.
#[derive(Clone, Copy)]
struct ViewChoice<'a> {
    /// Indices among the views in use.
    used: &'a [usize],
    /// Indices among all stored views.
    places: &'a [usize],
}

/// Captions of a shape.
struct ShapeCaptions {
    all: Vec<Caption>,
    /// Whether the label and its class sentences are the first of them.
    with_label: bool,
}

/// Members read of a shape.
struct ShapeFiles {
    shape: usize,
    files: Vec<Member>,
    about: Metadata,
}

impl OnDiskPool {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Keys of the shapes in the data set.
    pub fn keys(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| self.set.key(entry.shape as usize)).collect()
    }

    pub fn names(&self) -> &[CategoryNames] {
        &self.names
    }

    /// Number of views of a shape.
    pub fn n_views(&self, at: usize) -> usize {
        self.all_views(at).min(self.options.views)
    }

    fn all_views(&self, at: usize) -> usize {
        match self.set.n_views(self.entries[at].shape as usize) {
            0 => self.options.feature_only_views,
            seen => seen,
        }
    }

    /// Loads a shape, with views resized to the configured size.
    ///
    /// # Errors
    /// If a member is missing, damaged or of the wrong shape.
    pub fn load(
        &self,
        at: usize,
        views: &[usize],
        fields: LoadFields,
    ) -> Result<LoadedShape<'static>, DataError> {
        self.read(at, views, fields, self.options.image_size)
    }

    /// Loads a shape, with views of `image_size` pixels; 0 keeps their size.
    ///
    /// # Errors
    /// If a member is missing, damaged or of the wrong shape.
    pub fn read(
        &self,
        at: usize,
        views: &[usize],
        fields: LoadFields,
        image_size: usize,
    ) -> Result<LoadedShape<'static>, DataError> {
        let entry = self.entries[at];
        let (all, used) = (self.all_views(at), self.n_views(at).max(1));
        // Evenly spaced over all stored views if only some are in use.
        let places: Vec<usize> = views.iter().map(|view| view * all / used).collect();
        let numbers: Vec<usize> = self.set.view_indices(entry.shape as usize).collect();
        // Stored view numbers may have gaps; captions refer to the numbers.
        let view_ids: Vec<usize> =
            places.iter().map(|place| numbers.get(*place).copied().unwrap_or(*place)).collect();
        let read = self.files(entry.shape as usize, &view_ids, fields)?;
        let pictures = if fields.images { view_ids.as_slice() } else { &[] };
        let pictures = pictures.iter().map(|number| self.picture(&read, *number, image_size).map(Cow::Owned));
        let pictures = pictures.collect::<Result<_, _>>()?;
        let cloud = if fields.cloud { self.cloud(&read)? } else { PointCloud::default() };
        let captions = self.captions(entry, &read.about);
        let teacher = match &self.features {
            Some(features) => Some(self.teacher_features(
                features,
                at,
                &read,
                ViewChoice { used: views, places: &places },
                &captions,
            )?),
            None => None,
        };
        Ok(LoadedShape {
            // Shapes without a label get a category of their own.
            category: entry.category.map_or(self.names.len() + at, |category| category as usize),
            views: pictures,
            view_ids,
            cloud: Cow::Owned(cloud),
            captions: Cow::Owned(captions.all),
            teacher,
        })
    }

    fn files(&self, shape: usize, view_ids: &[usize], fields: LoadFields) -> Result<ShapeFiles, DataError> {
        let (images, texts) = match &self.features {
            Some(DatasetFeatures { rows: FeatureRows::FromDataset, requirements, .. }) => {
                (requirements.image_features, requirements.text_features)
            }
            _ => (false, false),
        };
        let files = self.set.members_matching(shape, |name| match name {
            METADATA => true,
            POINTS => fields.cloud,
            VIEW_FEATURES => images,
            THUMBNAIL_FEATURES => images && fields.thumbnail,
            TEXT_FEATURES => texts,
            // Only the members of the sampled views are read from the shard.
            view => fields.images && Member::view_index(view).is_some_and(|n| view_ids.contains(&n)),
        })?;
        let about = files.iter().find(|file| file.name == METADATA);
        let about = about.ok_or_else(|| self.set.invalid(shape, format!("has no {METADATA}")))?;
        let about = self.set.parse_metadata(shape, &about.bytes)?;
        Ok(ShapeFiles { shape, files, about })
    }

    fn picture(&self, read: &ShapeFiles, number: usize, image_size: usize) -> Result<RgbaImage, DataError> {
        let file = read.files.iter().find(|file| Member::view_index(&file.name) == Some(number));
        let file = file.ok_or_else(|| self.set.invalid(read.shape, format!("has no view {number}")))?;
        let picture = decode_view(&file.bytes)
            .map_err(|error| self.set.invalid(read.shape, format!("{}: {error}", file.name)))?;
        // Resized only if needed: resizing loses quality.
        let fits = image_size == 0 || picture.dimensions() == (image_size as u32, image_size as u32);
        Ok(if fits { picture } else { resize_bicubic_rgba(&picture, image_size, image_size) })
    }

    fn cloud(&self, read: &ShapeFiles) -> Result<PointCloud, DataError> {
        let array = self.array(read, POINTS)?;
        let cloud = points_from_array(&array)
            .map_err(|error| self.set.invalid(read.shape, format!("{POINTS}: {error}")))?;
        Ok(turn_cloud_upright(cloud, self.options.up))
    }

    fn array(&self, read: &ShapeFiles, name: &str) -> Result<Array, DataError> {
        let file = read.files.iter().find(|file| file.name == name);
        let file = file.ok_or_else(|| self.set.invalid(read.shape, format!("has no {name}")))?;
        self.set.parse_array(read.shape, name, &file.bytes)
    }

    /// The label with its class sentences, then the captions.
    fn captions(&self, entry: DatasetEntry, about: &Metadata) -> ShapeCaptions {
        let own = self.own_captions(about);
        let with_label = self.options.label_captions || own.is_empty();
        let label = entry.category.and_then(|category| self.names.get(category as usize));
        let of_label = label.filter(|_| with_label).into_iter().flat_map(|name| {
            std::iter::once(Caption::new(&name.name, CaptionSource::Label))
                .chain(captions_from_templates(&self.options.templates, &name.name))
        });
        ShapeCaptions { all: of_label.chain(own).collect(), with_label }
    }

    /// Captions other than the label. Stored features determine how many there are: of some imported sets only the sources of
    /// captions are known, but not their texts.
    fn own_captions(&self, about: &Metadata) -> Vec<Caption> {
        let given = matches!(&self.features, Some(DatasetFeatures { rows: FeatureRows::FromDataset, .. }));
        let listed = |name: &str| about.extra.get(name).and_then(|list| list.as_array());
        // Captions without text are useful only with their stored features.
        match listed("text_features").filter(|kinds| given && kinds.len() != about.captions.len()) {
            Some(kinds) => {
                let view =
                    |i: usize| listed("text_feature_views")?.get(i)?.as_u64().map(|view| view as usize);
                let kinds = kinds.iter().filter_map(|kind| kind.as_str()).enumerate();
                kinds
                    .map(|(i, kind)| Caption {
                        view: view(i),
                        ..Caption::new("", CaptionSource::from_name(kind))
                    })
                    .collect()
            }
            None => about.captions.iter().cloned().map(Caption::from_dataset).collect(),
        }
    }

    /// Features of the views and of all captions.
    fn teacher_features(
        &self,
        features: &DatasetFeatures,
        at: usize,
        read: &ShapeFiles,
        views: ViewChoice,
        captions: &ShapeCaptions,
    ) -> Result<ShapeTeacherFeatures<'static>, DataError> {
        let dim = features.dim;
        let category = self.entries[at].category.filter(|_| captions.with_label);
        let labels = features.label_features(category);
        // Label and class sentences are not part of the stored rows.
        let captions = captions.all.len() - labels.len() / dim;
        let (image, texts) = match &features.rows {
            FeatureRows::FromDataset => self.given_rows(features, read, views.places, captions)?,
            FeatureRows::Computed(file) => {
                let values = file.read(at)?;
                let (image, texts) = values.split_at(values.len() - file.texts(at) * dim);
                (mean_rows(image, dim, views.used), texts.to_vec())
            }
        };
        let texts = labels.chunks(dim).chain(texts.chunks(dim)).map(|row| Cow::Owned(row.to_vec())).collect();
        Ok(ShapeTeacherFeatures { image, texts })
    }

    /// Features stored in the data set: mean over the views at `places` or that of the thumbnail, and all captions.
    fn given_rows(
        &self,
        &DatasetFeatures { dim, requirements, .. }: &DatasetFeatures,
        read: &ShapeFiles,
        places: &[usize],
        captions: usize,
    ) -> Result<(Vec<f32>, Vec<f32>), DataError> {
        let (mut image, mut texts) = (Vec::new(), Vec::new());
        if requirements.image_features {
            // Only read if it is wanted; shapes without one have features of views only.
            image = if read.files.iter().any(|file| file.name == THUMBNAIL_FEATURES) {
                self.rows(read, THUMBNAIL_FEATURES, 1, dim, |found| found == 1)?
            } else {
                let least = places.iter().max().map_or(0, |place| place + 1);
                let rows = self.rows(read, VIEW_FEATURES, least, dim, |found| found >= least)?;
                mean_rows(&rows, dim, places)
            };
        }
        if requirements.text_features && captions > 0 {
            texts = self.rows(read, TEXT_FEATURES, captions, dim, |found| found == captions)?;
        }
        Ok((image, texts))
    }

    /// Features `[rows, dim]`, if their number of rows `fits`.
    fn rows(
        &self,
        read: &ShapeFiles,
        name: &str,
        expected: usize,
        dim: usize,
        fits: impl Fn(usize) -> bool,
    ) -> Result<Vec<f32>, DataError> {
        let array = self.array(read, name)?;
        let (found, values) = (array.rows(), array.to_f32_vec());
        if fits(found) && values.len() == found * dim {
            return Ok(values);
        }
        let message = format!("{name}: expected [{expected}, {dim}], found {:?}", array.shape);
        Err(self.set.invalid(read.shape, message))
    }
}
