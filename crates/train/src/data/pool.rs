//! Shapes that batches are drawn from: in memory, or on disk and read when they are drawn.

use std::borrow::Cow;

use glam::Vec3;
use lexiform_data::DataError;

use crate::data::features::targets::Targets;
use crate::data::on_disk::Stored;
use crate::data::picked::{FrozenRows, Picked, Wanted};
use crate::data::shape_set::{Names, Sample, ShapeSet};

/// Shapes to draw from, by position.
pub(crate) enum Pool {
    /// All of them are in memory.
    Held(Held),
    /// A data set's.
    Stored(Stored),
}

/// Shapes in memory, with features of a frozen model where there is one.
#[derive(Default)]
pub(crate) struct Held {
    pub shapes: ShapeSet,
    pub targets: Option<Targets>,
}

impl Pool {
    /// How many shapes there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Held(held) => held.shapes.samples.len(),
            Self::Stored(stored) => stored.len(),
        }
    }

    /// What shapes of each category are called.
    pub fn categories(&self) -> &[Names] {
        match self {
            Self::Held(held) => &held.shapes.categories,
            Self::Stored(stored) => stored.names(),
        }
    }

    /// Whether names of categories are whole captions.
    pub fn captioned(&self) -> bool {
        match self {
            Self::Held(held) => held.shapes.captioned,
            Self::Stored(_) => false,
        }
    }

    /// Name of each category.
    pub fn names(&self) -> Vec<String> {
        self.categories().iter().map(|category| category.name.clone()).collect()
    }

    /// Every noun of every category, the usual one first.
    pub fn nouns(&self) -> impl Iterator<Item = &String> {
        self.categories()
            .iter()
            .flat_map(|category| std::iter::once(&category.name).chain(&category.synonyms))
    }

    /// How many views of a shape can be asked for.
    pub fn n_views(&self, at: usize) -> usize {
        match self {
            Self::Held(held) => held.shapes.samples[at].views.len(),
            Self::Stored(stored) => stored.n_views(at),
        }
    }

    /// Brings a shape, with some of its views.
    pub fn pick(&self, at: usize, views: &[usize], wanted: Wanted) -> Result<Picked<'_>, DataError> {
        match self {
            Self::Held(held) => Ok(held.pick(at, views, wanted)),
            Self::Stored(stored) => stored.pick(at, views, wanted),
        }
    }

    /// Bytes of pictures and points that stay in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Held(held) => held.shapes.samples.iter().map(bytes_of).sum(),
            Self::Stored(_) => 0,
        }
    }
}

fn bytes_of(sample: &Sample) -> usize {
    let Sample { views, cloud, .. } = sample;
    let pictures: usize = views.iter().map(|view| view.as_raw().len()).sum();
    let points = cloud.positions().len() + cloud.colors().map_or(0, <[Vec3]>::len);
    pictures + points * size_of::<Vec3>()
}

impl Held {
    fn pick(&self, at: usize, views: &[usize], wanted: Wanted) -> Picked<'_> {
        let sample = &self.shapes.samples[at];
        let pictures = if wanted.pictures { views } else { &[] };
        let frozen = self.targets.as_ref().map(|targets| FrozenRows {
            image: targets.image(at, views),
            texts: (0..sample.sayings.len()).map(|i| Cow::Borrowed(targets.text(at, i))).collect(),
        });
        Picked {
            category: sample.category,
            views: pictures.iter().map(|view| Cow::Borrowed(&sample.views[*view])).collect(),
            shown: views.to_vec(),
            cloud: Cow::Borrowed(&sample.cloud),
            sayings: Cow::Borrowed(&sample.sayings),
            frozen,
        }
    }
}
