//! Samples batches: shapes, views, captions and augmentations, all as a function of (seed, step).

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use image::RgbaImage;
use lexiform_data::DataError;
use lexiform_geometry::sample::sample_cloud;
use lexiform_model::point::{FpsStart, GroupingPlan, PointPreprocess, PreparedCloud};
use lexiform_model::preprocess::{Crop, Preprocess};
use lexiform_shapes::Rng;
use rand::seq::SliceRandom as _;
use rayon::prelude::*;

use crate::augment::points::augment_points;
use crate::augment::scan::simulate_scan;
use crate::augment::views::augment_view;
use crate::batch::{Batch, Segment, ShapeViews, TeacherFeatures};
use crate::data::caption::{Caption, CaptionSource};
use crate::data::features::neighbors::Neighbors;
use crate::data::loaded_shape::{LoadFields, LoadedShape};
use crate::data::pool::ShapePool;
use crate::data::shape_set::CategoryNames;
use crate::loss::BatchLabels;
use crate::recipe::{AugmentConfig, BatchConfig, HardNegativesConfig, SampleOrder, ViewAugmentMode};

/// Samples batches; the same for a whole run.
pub(crate) struct Sampler<'a> {
    /// Batch size and sampling.
    pub config: &'a BatchConfig,
    /// Preprocessing of views; `None` without an image tower.
    pub preprocess: Option<Preprocess>,
    /// Preprocessing of clouds; `None` without a point encoder.
    pub input: Option<PointPreprocess>,
    /// Data augmentation.
    pub augment: &'a AugmentConfig,
    /// Nearest neighbors of the shapes, for hard negatives.
    pub neighbors: Option<&'a Neighbors>,
    /// Width of the teacher's features; 0 without a teacher.
    pub teacher_dim: usize,
    /// The teacher's text features by class name; empty without `class-text` losses.
    pub class_text: &'a HashMap<String, Vec<f32>>,
    /// How the encoder groups points.
    pub grouping: &'a GroupingPlan,
    /// Random seed.
    pub seed: u64,
    /// Number of this process, and of all: views and points are loaded for its rows only.
    pub process: [usize; 2],
    /// Name of the source in random streams, which differ between sources.
    pub stream: &'static str,
    /// The second source: its own sampler and shapes.
    pub second: Option<(Box<Self>, &'a ShapePool)>,
}

impl Sampler<'_> {
    /// The `part`-th batch of a step, both counted from 0: of all sources.
    ///
    /// # Errors
    /// If a shape cannot be read from disk.
    pub fn sample(&self, pool: &ShapePool, step: usize, part: usize) -> Result<Batch, DataError> {
        let choice = self.choose(pool, [step, part]);
        let first = choice.samples.len();
        let Some((second, shapes)) = &self.second else {
            return self.sample_source(pool, choice, self.own_rows(first));
        };
        let of_second = second.choose(shapes, [step, part]);
        // Processes share the rows of both sources.
        let own = self.own_rows(first + of_second.samples.len());
        let batch = self.sample_source(pool, choice, own.start.min(first)..own.end.min(first))?;
        let own = own.start.saturating_sub(first)..own.end.saturating_sub(first);
        // Shapes without a label have categories of their own, after those with one.
        let categories = pool.categories().len() + pool.len();
        Ok(batch.followed_by(second.sample_source(shapes, of_second, own)?, categories))
    }

    /// Rows of a batch that this process encodes.
    fn own_rows(&self, rows: usize) -> Range<usize> {
        let [rank, count] = self.process;
        rows * rank / count..rows * (rank + 1) / count
    }

    /// The shapes of one source's part of a batch.
    fn choose(&self, pool: &ShapePool, [step, part]: [usize; 2]) -> Choice {
        // A stream per batch: a resumed run continues with the same batches without saved generator state.
        let mut rng = Rng::named(&format!("{}batch {step}.{part}", self.stream), self.seed);
        // One number for the whole batch, so that pixels form one tensor.
        let n_views = rng.int_between(self.config.min_views, self.config.max_views);
        let (samples, groups) = self.samples(pool, n_views, [step, part], &mut rng);
        Choice { samples, groups, n_views, rng }
    }

    /// The chosen shapes of one source, with views and points of the rows `own`. Captions and features are needed of all rows: the
    /// loss is that of the whole batch.
    fn sample_source(&self, pool: &ShapePool, choice: Choice, own: Range<usize>) -> Result<Batch, DataError> {
        let Choice { samples, groups, n_views: views, mut rng } = choice;
        let view_choice = self.views(pool, &samples, views, &mut rng);
        let seeds: Vec<u64> = (0..samples.len() * views).map(|_| rand::RngCore::next_u64(&mut rng)).collect();
        // One crop for the whole batch: 224 − 208 leaves 17 positions along each axis.
        let corner = [rng.index(17), rng.index(17)];
        let seeds = seeds_by_shape(&seeds, &view_choice);
        let thumbnails = self.thumbnails(samples.len(), &mut rng);
        let load = |row: usize| {
            let is_own = own.contains(&row);
            let (images, cloud) = (is_own && self.preprocess.is_some(), is_own && self.input.is_some());
            let fields = LoadFields { images, cloud, thumbnail: thumbnails[row] };
            let mut shape = pool.load(samples[row], &view_choice[row], fields)?;
            // Kept as bytes from here on: the loaded views are larger, and may have been decoded for this batch.
            let views = self.shape_views(&std::mem::take(&mut shape.views), seeds[row], corner);
            Ok((shape, views))
        };
        let loaded: Vec<(LoadedShape, Option<ShapeViews>)> =
            (0..samples.len()).into_par_iter().map(load).collect::<Result<_, DataError>>()?;
        let (shapes, images): (Vec<LoadedShape>, Vec<Option<ShapeViews>>) = loaded.into_iter().unzip();
        let chosen: Vec<Vec<usize>> =
            shapes.iter().map(|shape| self.config.caption_sampling.sample(shape, &mut rng)).collect();
        let mut teacher = (self.teacher_dim > 0).then(|| self.teacher_features(&shapes, &chosen));
        let (captions, mut labels) = self.labels(&shapes, &chosen, groups);
        labels.caption_ids = caption_ids(&captions, teacher.as_ref());
        let class_names = class_names(pool.categories(), &mut rng);
        if let Some(teacher) = &mut teacher {
            teacher.class_text =
                class_names.iter().filter_map(|name| self.class_text.get(name)).flatten().copied().collect();
        }
        let clouds = self.clouds(&shapes, &own, &mut rng);
        let groups = self.grouping.group(&clouds);
        let seed = rand::RngCore::next_u64(&mut rng);
        let segments = vec![Segment { rows: samples.len(), n_views: views }];
        let views = images.into_iter().flatten().collect();
        Ok(Batch { segments, views, clouds, groups, captions, teacher, labels, seed, class_names })
    }

    fn labels<'a>(
        &self,
        shapes: &'a [LoadedShape],
        chosen: &[Vec<usize>],
        groups: Vec<usize>,
    ) -> (Vec<String>, BatchLabels) {
        // The mean of several captions has no text.
        let text = |(shape, chosen): (&'a LoadedShape, &Vec<usize>)| match chosen[..] {
            [one] => Some(&shape.captions[one]),
            _ => None,
        };
        let texts: Vec<Option<&Caption>> = shapes.iter().zip(chosen).map(text).collect();
        let captions: Vec<String> = texts
            .iter()
            .map(|caption| caption.map_or(String::new(), |caption| caption.text.clone()))
            .collect();
        let labels = BatchLabels {
            categories: shapes.iter().map(|shape| shape.category).collect(),
            // A class name fits every shape of its category.
            is_class_name: texts
                .iter()
                .map(|caption| caption.is_some_and(|s| s.source == CaptionSource::Label))
                .collect(),
            caption_ids: Vec::new(),
            has_text: chosen.iter().map(|chosen| !chosen.is_empty()).collect(),
            groups,
            margin: self.config.hard_negatives.map_or(0.0, |hard| hard.margin),
        };
        (captions, labels)
    }

    /// The teacher's features of the sampled views and captions.
    fn teacher_features(&self, shapes: &[LoadedShape], chosen: &[Vec<usize>]) -> TeacherFeatures {
        let rows = || {
            shapes.iter().zip(chosen).filter_map(|(shape, chosen)| Some((shape.teacher.as_ref()?, chosen)))
        };
        let image = rows().flat_map(|(features, _)| features.image.iter().copied()).collect();
        // Without text losses there are no features to gather.
        let has_texts = rows().any(|(features, _)| !features.texts.is_empty());
        let text = rows().filter(|_| has_texts).flat_map(|(features, chosen)| {
            let target = self.config.caption_sampling.text_target(features, chosen);
            target.unwrap_or_else(|| vec![0.0; self.teacher_dim])
        });
        TeacherFeatures { dim: self.teacher_dim, image, text: text.collect(), class_text: Vec::new() }
    }

    /// Shapes of a batch, and the hard-negative group of each.
    fn samples(
        &self,
        pool: &ShapePool,
        views: usize,
        [step, part]: [usize; 2],
        rng: &mut Rng,
    ) -> (Vec<usize>, Vec<usize>) {
        let (rows, count) = (self.config.size.shapes(views), pool.len());
        // With hard negatives, a group of `group_size` rows follows each anchor.
        let each =
            self.config.hard_negatives.map_or(self.config.same_category, |hard| hard.group_size).max(1);
        let anchors: Vec<usize> = match self.config.order {
            SampleOrder::WithReplacement => (0..rows.div_ceil(each)).map(|_| rng.index(count)).collect(),
            SampleOrder::Shuffled => {
                let steps_per_epoch = self.config.steps_per_epoch(count);
                let order = self.order_of_epoch(step / steps_per_epoch, count);
                // Accumulated batches of a step are consecutive in the epoch's order.
                let first = (step % steps_per_epoch * self.config.accumulate_batches + part) * rows;
                (0..rows.div_ceil(each)).map(|k| order[(first + k * each) % count]).collect()
            }
        };
        match self.config.hard_negatives {
            Some(hard) => self.with_neighbors(anchors, hard, rng),
            None => (siblings::with_siblings(pool, anchors, each, rows, rng), (0..rows).collect()),
        }
    }

    fn order_of_epoch(&self, epoch: usize, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut Rng::named(&format!("{}epoch {epoch}", self.stream), self.seed));
        order
    }

    /// Each anchor with random nearest neighbors, and the group of each.
    fn with_neighbors(
        &self,
        anchors: Vec<usize>,
        hard: HardNegativesConfig,
        rng: &mut Rng,
    ) -> (Vec<usize>, Vec<usize>) {
        let (mut samples, mut groups) = (Vec::new(), Vec::new());
        let near = self.neighbors.map_or(vec![&[][..]; anchors.len()], |neighbors| neighbors.of(&anchors));
        for (group, (anchor, near)) in anchors.into_iter().zip(near).enumerate() {
            // Sampled without replacement: a neighbor is in the group at most once.
            let mut near: Vec<usize> = near.iter().map(|shape| *shape as usize).collect();
            samples.push(anchor);
            for _ in 1..hard.group_size.max(1).min(near.len() + 1) {
                samples.push(near.swap_remove(rng.index(near.len())));
            }
            groups.resize(samples.len(), group);
        }
        (samples, groups)
    }

    /// View indices of each shape.
    fn views(&self, pool: &ShapePool, samples: &[usize], views: usize, rng: &mut Rng) -> Vec<Vec<usize>> {
        let mut distinct = |of: usize| -> Vec<usize> {
            let mut left: Vec<usize> = (0..of).collect();
            (0..views.min(of)).map(|_| left.swap_remove(rng.index(left.len()))).collect()
        };
        if self.config.same_views {
            let fewest = samples.iter().map(|at| pool.n_views(*at)).min().unwrap_or(0);
            // Indices that every shape has.
            let mut same = distinct(fewest);
            same.sort_unstable();
            return vec![same; samples.len()];
        }
        samples.iter().map(|at| distinct(pool.n_views(*at))).collect()
    }

    /// Whether the image feature of each row is that of the thumbnail.
    fn thumbnails(&self, rows: usize, rng: &mut Rng) -> Vec<bool> {
        match self.config.thumbnail_probability {
            // Without a draw, so that other recipes' batches stay the same.
            0.0 => vec![false; rows],
            probability => (0..rows).map(|_| rng.chance(probability)).collect(),
        }
    }

    /// Augmented views of a shape as bytes, on white; a seed for each. `None` without an image tower.
    fn shape_views(
        &self,
        views: &[Cow<RgbaImage>],
        seeds: &[u64],
        [top, left]: [usize; 2],
    ) -> Option<ShapeViews> {
        let mut preprocess = self.preprocess?;
        if self.augment.views == ViewAugmentMode::RandomCrop && Crop::Center.fits(preprocess.size) {
            preprocess.crop = Crop::At { top, left };
        }
        let bytes = |(view, seed): (&Cow<RgbaImage>, &u64)| match self.augment.views {
            ViewAugmentMode::DomainRandomization => {
                preprocess.on_white(&augment_view(view, &mut Rng::new(*seed))).into_raw()
            }
            ViewAugmentMode::None | ViewAugmentMode::RandomCrop => preprocess.on_white(view).into_raw(),
        };
        Some(ShapeViews { preprocess, bytes: views.iter().zip(seeds).flat_map(bytes).collect() })
    }

    /// Resampled, augmented and prepared clouds.
    fn clouds(&self, shapes: &[LoadedShape], own: &Range<usize>, rng: &mut Rng) -> Vec<PreparedCloud> {
        let Some(input) = self.input else { return Vec::new() };
        let seeds: Vec<u64> = shapes.iter().map(|_| rand::RngCore::next_u64(rng)).collect();
        let make = |(row, (shape, seed)): (usize, (&LoadedShape, u64))| {
            if !own.contains(&row) {
                return PreparedCloud::default();
            }
            let mut rng = Rng::new(seed);
            // A new order each time, because farthest point sampling starts at the first point.
            let shuffled = sample_cloud(&shape.cloud, shape.cloud.positions().len(), &mut rng);
            let scanned = simulate_scan(shuffled, &self.augment.scan, &mut rng);
            let prepared = match self.augment.before_sampling.as_slice() {
                [] if self.augment.test_time_augment => {
                    input.prepare_test_time_augmented(&scanned, FpsStart::Seed(seed), seed)
                }
                [] => input.prepare(&scanned, FpsStart::Seed(seed)),
                dense => {
                    // All points are normalized first, then augmented, and only then sampled (CG3D).
                    let whole = PointPreprocess { n_points: scanned.positions().len(), ..input };
                    let changed =
                        augment_points(whole.prepare(&scanned, FpsStart::Seed(seed)), dense, &mut rng);
                    changed.farthest(input.n_points)
                }
            };
            augment_points(prepared, &self.augment.points, &mut rng)
        };
        shapes.par_iter().zip(seeds).enumerate().map(make).collect()
    }
}

/// Shapes of a batch, and the state of the generator after their choice.
struct Choice {
    samples: Vec<usize>,
    groups: Vec<usize>,
    n_views: usize,
    rng: Rng,
}

/// The seeds of each shape's views, which are numbered over the whole batch.
fn seeds_by_shape<'a>(seeds: &'a [u64], views: &[Vec<usize>]) -> Vec<&'a [u64]> {
    let mut rest = seeds;
    let own = views.iter().map(|views| {
        let (own, others) = rest.split_at(views.len());
        rest = others;
        own
    });
    own.collect()
}

/// A random name of each category: the usual one in 60 %, or a synonym.
fn class_names(categories: &[CategoryNames], rng: &mut Rng) -> Vec<String> {
    let names = categories.iter().map(|category| {
        if category.synonyms.is_empty() || rng.chance(0.6) {
            category.name.clone()
        } else {
            category.synonyms[rng.index(category.synonyms.len())].clone()
        }
    });
    names.collect()
}

/// For each row the first row with the same caption. Captions that are known only by their features are compared by these.
pub(super) fn caption_ids(captions: &[String], teacher: Option<&TeacherFeatures>) -> Vec<usize> {
    #[derive(PartialEq, Eq, Hash)]
    enum Content<'a> {
        Text(&'a str),
        Features(Vec<u32>),
        /// Of this row only.
        Unknown(usize),
    }
    let features = |row: usize| {
        let TeacherFeatures { dim, text, .. } = teacher?;
        text.get(row * dim..(row + 1) * dim).filter(|values| !values.is_empty())
    };
    let content = |row: usize| match (captions[row].as_str(), features(row)) {
        ("", Some(values)) => Content::Features(values.iter().map(|value| value.to_bits()).collect()),
        ("", None) => Content::Unknown(row),
        (text, _) => Content::Text(text),
    };
    let mut first = HashMap::new();
    (0..captions.len()).map(|row| *first.entry(content(row)).or_insert(row)).collect()
}

mod siblings;

#[cfg(test)]
mod caption_source_tests;
#[cfg(test)]
mod thumbnail_tests;
#[cfg(test)]
mod two_sources_tests;
