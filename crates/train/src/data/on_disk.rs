//! Shapes of a data set on disk: each is read when it is drawn, so that a set may be larger than memory.

use std::borrow::Cow;
use std::sync::Arc;

use image::RgbaImage;
use lexiform_data::{
    DataError, Dataset, METADATA, Member, Metadata, POINTS, TEXT_FEATURES, VIEW_FEATURES, points_from_array,
};
use lexiform_formats::array::Array;
use lexiform_formats::picture::decode_picture;
use lexiform_geometry::PointCloud;
use lexiform_model::preprocess::resize_bicubic_rgba;

use crate::data::caption::{Origin, Saying};
use crate::data::features::dataset::{Rows, SetFeatures};
use crate::data::features::vectors::mean_of;
use crate::data::picked::{FrozenRows, Picked, Wanted};
use crate::data::shape_set::{Names, from_templates};

/// A shape of the set that is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number in the data set.
    pub shape: u32,
    /// Index into the names; none where it has no label.
    pub category: Option<u32>,
    /// How many captions it has.
    pub captions: u32,
}

/// How shapes of a set are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// Edge of pictures in pixels; others are resized.
    pub edge: usize,
    /// Most views of a shape, spread evenly over those it has.
    pub views: usize,
    /// How many views shapes have of which only features are stored.
    pub unseen: usize,
    /// Sentences that say the label.
    pub templates: Vec<String>,
}

/// Shapes of a data set to draw from.
pub(crate) struct Stored {
    pub set: Arc<Dataset>,
    pub names: Arc<Vec<Names>>,
    pub entries: Vec<Entry>,
    pub look: Look,
    pub features: Option<SetFeatures>,
}

/// Views of a shape that were drawn.
#[derive(Clone, Copy)]
struct ViewChoice<'a> {
    /// Counted among those in use.
    used: &'a [usize],
    /// Counted among all.
    places: &'a [usize],
}

/// What was read of a shape.
struct Files {
    shape: usize,
    files: Vec<Member>,
    about: Metadata,
}

impl Stored {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn names(&self) -> &[Names] {
        &self.names
    }

    /// How many views of a shape can be asked for.
    pub fn n_views(&self, at: usize) -> usize {
        self.all_views(at).min(self.look.views)
    }

    fn all_views(&self, at: usize) -> usize {
        match self.set.n_views(self.entries[at].shape as usize) {
            0 => self.look.unseen,
            seen => seen,
        }
    }

    /// Reads a shape.
    pub fn pick(&self, at: usize, views: &[usize], wanted: Wanted) -> Result<Picked<'static>, DataError> {
        self.read(at, views, wanted, self.look.edge)
    }

    /// Reads a shape, with pictures of `edge` pixels, or of any size at 0.
    pub fn read(
        &self,
        at: usize,
        views: &[usize],
        wanted: Wanted,
        edge: usize,
    ) -> Result<Picked<'static>, DataError> {
        let entry = self.entries[at];
        let (all, used) = (self.all_views(at), self.n_views(at).max(1));
        let places: Vec<usize> = views.iter().map(|view| view * all / used).collect();
        let numbers: Vec<usize> = self.set.view_indices(entry.shape as usize).collect();
        let shown: Vec<usize> =
            places.iter().map(|place| numbers.get(*place).copied().unwrap_or(*place)).collect();
        let read = self.files(entry.shape as usize, &shown, wanted)?;
        let pictures = if wanted.pictures { shown.as_slice() } else { &[] };
        let pictures = pictures.iter().map(|number| self.picture(&read, *number, edge).map(Cow::Owned));
        let pictures = pictures.collect::<Result<_, _>>()?;
        let cloud = if wanted.cloud { self.cloud(&read)? } else { PointCloud::default() };
        let sayings = self.sayings(entry, &read.about);
        let frozen = match &self.features {
            Some(features) => Some(self.frozen(
                features,
                at,
                &read,
                ViewChoice { used: views, places: &places },
                sayings.len(),
            )?),
            None => None,
        };
        Ok(Picked {
            // A shape without a label is of no other's category.
            category: entry.category.map_or(self.names.len() + at, |category| category as usize),
            views: pictures,
            shown,
            cloud: Cow::Owned(cloud),
            sayings: Cow::Owned(sayings),
            frozen,
        })
    }

    fn files(&self, shape: usize, shown: &[usize], wanted: Wanted) -> Result<Files, DataError> {
        let (images, texts) = match &self.features {
            Some(SetFeatures { rows: Rows::Given, needs, .. }) => (needs.image_features, needs.text_features),
            _ => (false, false),
        };
        let files = self.set.members_matching(shape, |name| match name {
            METADATA => true,
            POINTS => wanted.cloud,
            VIEW_FEATURES => images,
            TEXT_FEATURES => texts,
            view => wanted.pictures && Member::view_index(view).is_some_and(|n| shown.contains(&n)),
        })?;
        let about = files.iter().find(|file| file.name == METADATA);
        let about = about.ok_or_else(|| self.set.invalid(shape, format!("has no {METADATA}")))?;
        let about = self.set.parse_metadata(shape, &about.bytes)?;
        Ok(Files { shape, files, about })
    }

    fn picture(&self, read: &Files, number: usize, edge: usize) -> Result<RgbaImage, DataError> {
        let file = read.files.iter().find(|file| Member::view_index(&file.name) == Some(number));
        let file = file.ok_or_else(|| self.set.invalid(read.shape, format!("has no view {number}")))?;
        let picture = decode_picture(&file.bytes)
            .map_err(|error| self.set.invalid(read.shape, format!("{}: {error}", file.name)))?;
        let fits = edge == 0 || picture.dimensions() == (edge as u32, edge as u32);
        Ok(if fits { picture } else { resize_bicubic_rgba(&picture, edge, edge) })
    }

    fn cloud(&self, read: &Files) -> Result<PointCloud, DataError> {
        let array = self.array(read, POINTS)?;
        points_from_array(&array).map_err(|error| self.set.invalid(read.shape, format!("{POINTS}: {error}")))
    }

    fn array(&self, read: &Files, name: &str) -> Result<Array, DataError> {
        let file = read.files.iter().find(|file| file.name == name);
        let file = file.ok_or_else(|| self.set.invalid(read.shape, format!("has no {name}")))?;
        self.set.parse_array(read.shape, name, &file.bytes)
    }

    /// The label and sentences of it, then the captions. A source may have kept only features of its captions: then their
    /// kinds are known and their words are not.
    fn sayings(&self, entry: Entry, about: &Metadata) -> Vec<Saying> {
        let mut sayings = Vec::new();
        if let Some(name) = entry.category.and_then(|category| self.names.get(category as usize)) {
            sayings.push(Saying::new(&name.name, Origin::Label));
            sayings.extend(from_templates(&self.look.templates, &name.name));
        }
        let given = matches!(&self.features, Some(SetFeatures { rows: Rows::Given, .. }));
        match about.extra.get("text_features").and_then(|kinds| kinds.as_array()) {
            Some(kinds) if about.captions.is_empty() && given => {
                let kinds = kinds.iter().filter_map(|kind| kind.as_str());
                sayings.extend(kinds.map(|kind| Saying::new("", Origin::named(kind))));
            }
            _ => sayings.extend(about.captions.iter().cloned().map(Saying::of)),
        }
        sayings
    }

    /// Features of the views and of all that can be said.
    fn frozen(
        &self,
        features: &SetFeatures,
        at: usize,
        read: &Files,
        views: ViewChoice,
        sayings: usize,
    ) -> Result<FrozenRows<'static>, DataError> {
        let dim = features.dim;
        let labels = features.of_label(self.entries[at].category);
        let captions = sayings - labels.len() / dim;
        let (image, texts) = match &features.rows {
            Rows::Given => self.given_rows(features, read, views.places, captions)?,
            Rows::Computed(file) => {
                let values = file.read(at)?;
                let (image, texts) = values.split_at(values.len() - file.texts(at) * dim);
                (mean_of(image, dim, views.used), texts.to_vec())
            }
        };
        let texts = labels.chunks(dim).chain(texts.chunks(dim)).map(|row| Cow::Owned(row.to_vec())).collect();
        Ok(FrozenRows { image, texts })
    }

    /// Features that are in the set, as far as they are asked for: the mean over views at `places`, and all captions'.
    fn given_rows(
        &self,
        &SetFeatures { dim, needs, .. }: &SetFeatures,
        read: &Files,
        places: &[usize],
        captions: usize,
    ) -> Result<(Vec<f32>, Vec<f32>), DataError> {
        let (mut image, mut texts) = (Vec::new(), Vec::new());
        if needs.image_features {
            let least = places.iter().max().map_or(0, |place| place + 1);
            let rows = self.rows(read, VIEW_FEATURES, least, dim, |found| found >= least)?;
            image = mean_of(&rows, dim, places);
        }
        if needs.text_features && captions > 0 {
            texts = self.rows(read, TEXT_FEATURES, captions, dim, |found| found == captions)?;
        }
        Ok((image, texts))
    }

    /// An array of features, `[rows, dim]`, whose number of rows `fits`.
    fn rows(
        &self,
        read: &Files,
        name: &str,
        expected: usize,
        dim: usize,
        fits: impl Fn(usize) -> bool,
    ) -> Result<Vec<f32>, DataError> {
        let array = self.array(read, name)?;
        let (found, values) = (array.rows(), array.numbers());
        if fits(found) && values.len() == found * dim {
            return Ok(values);
        }
        let message = format!("{name}: expected [{expected}, {dim}], found {:?}", array.shape);
        Err(self.set.invalid(read.shape, message))
    }
}
