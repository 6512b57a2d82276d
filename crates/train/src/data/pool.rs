//! Pools of shapes that batches are sampled from: in memory, or on disk.

use std::borrow::Cow;

use glam::Vec3;
use lexiform_data::DataError;

use crate::data::features::targets::Targets;
use crate::data::loaded_shape::{LoadFields, LoadedShape, ShapeTeacherFeatures};
use crate::data::on_disk::OnDiskPool;
use crate::data::shape_set::{CategoryNames, Sample, ShapeSet};

/// Shapes by index.
pub(crate) enum ShapePool {
    /// Generated shapes, or the files of a folder.
    InMemory(InMemoryPool),
    /// A data set, read shape by shape.
    OnDisk(OnDiskPool),
}

/// Shapes in memory, with a teacher's features if any.
#[derive(Default)]
pub(crate) struct InMemoryPool {
    pub shapes: ShapeSet,
    pub targets: Option<Targets>,
}

impl ShapePool {
    /// Number of shapes.
    pub fn len(&self) -> usize {
        match self {
            Self::InMemory(pool) => pool.shapes.samples.len(),
            Self::OnDisk(pool) => pool.len(),
        }
    }

    /// Names of each category.
    pub fn categories(&self) -> &[CategoryNames] {
        match self {
            Self::InMemory(pool) => &pool.shapes.categories,
            Self::OnDisk(pool) => pool.names(),
        }
    }

    /// Whether the labels are whole captions, for lack of labels.
    pub fn labels_are_captions(&self) -> bool {
        match self {
            Self::InMemory(pool) => pool.shapes.labels_are_captions,
            Self::OnDisk(_) => false,
        }
    }

    /// Name of each category.
    pub fn names(&self) -> Vec<String> {
        self.categories().iter().map(|category| category.name.clone()).collect()
    }

    /// Names and synonyms of all categories.
    pub fn class_names(&self) -> impl Iterator<Item = &String> {
        self.categories()
            .iter()
            .flat_map(|category| std::iter::once(&category.name).chain(&category.synonyms))
    }

    /// Number of views of a shape.
    pub fn n_views(&self, at: usize) -> usize {
        match self {
            Self::InMemory(pool) => pool.shapes.samples[at].views.len(),
            Self::OnDisk(pool) => pool.n_views(at),
        }
    }

    /// Category of a shape; `None` without a label.
    pub fn category(&self, at: usize) -> Option<usize> {
        match self {
            Self::InMemory(pool) => Some(pool.shapes.samples[at].category),
            Self::OnDisk(pool) => pool.entries[at].category.map(|category| category as usize),
        }
    }

    /// Loads a shape with some of its views.
    ///
    /// # Errors
    /// If it cannot be read from disk.
    pub fn load(&self, at: usize, views: &[usize], fields: LoadFields) -> Result<LoadedShape<'_>, DataError> {
        match self {
            Self::InMemory(pool) => Ok(pool.load(at, views, fields)),
            Self::OnDisk(pool) => pool.load(at, views, fields),
        }
    }

    /// Keeps the first `limit` shapes.
    pub fn truncate(&mut self, limit: usize) {
        match self {
            Self::InMemory(pool) => pool.shapes.samples.truncate(limit),
            Self::OnDisk(pool) => pool.entries.truncate(limit),
        }
    }

    /// Memory of views, points and features in bytes.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::InMemory(pool) => {
                let shapes: usize = pool.shapes.samples.iter().map(bytes_of).sum();
                shapes + pool.targets.as_ref().map_or(0, Targets::memory_bytes)
            }
            Self::OnDisk(_) => 0,
        }
    }
}

fn bytes_of(sample: &Sample) -> usize {
    let Sample { views, cloud, .. } = sample;
    let pictures: usize = views.iter().map(|view| view.as_raw().len()).sum();
    // Colors are as large as positions.
    let points = cloud.positions().len() + cloud.colors().map_or(0, <[Vec3]>::len);
    pictures + points * size_of::<Vec3>()
}

impl InMemoryPool {
    fn load(&self, at: usize, views: &[usize], fields: LoadFields) -> LoadedShape<'_> {
        let sample = &self.shapes.samples[at];
        let pictures = if fields.images { views } else { &[] };
        let teacher = self.targets.as_ref().map(|targets| ShapeTeacherFeatures {
            image: targets.image(at, views),
            texts: (0..sample.captions.len()).map(|i| Cow::Borrowed(targets.text(at, i))).collect(),
        });
        LoadedShape {
            category: sample.category,
            views: pictures.iter().map(|view| Cow::Borrowed(&sample.views[*view])).collect(),
            // Rendered views are numbered from 0.
            view_ids: views.to_vec(),
            cloud: Cow::Borrowed(&sample.cloud),
            captions: Cow::Borrowed(&sample.captions),
            teacher,
        }
    }
}
