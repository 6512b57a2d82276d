//! Samples batches: shapes, views, captions and augmentations, all as a function of (seed, step).

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use image::RgbaImage;
use lexiform_data::DataError;
use lexiform_geometry::sample::sample_cloud;
use lexiform_model::point::{FpsStart, PointPreprocess, PreparedCloud};
use lexiform_model::preprocess::{Crop, Preprocess};
use lexiform_shapes::Rng;
use rand::seq::SliceRandom as _;
use rayon::prelude::*;

use crate::augment::points::augment_points;
use crate::augment::scan::simulate_scan;
use crate::augment::views::augment_view;
use crate::batch::{Batch, TeacherFeatures};
use crate::data::caption::CaptionSource;
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
    /// Nearest neighbors of each shape, for hard negatives.
    pub neighbors: &'a [Vec<usize>],
    /// Width of the teacher's features; 0 without a teacher.
    pub teacher_dim: usize,
    /// The teacher's text features by class name; empty without `class-text` losses.
    pub class_text: &'a HashMap<String, Vec<f32>>,
    /// Random seed.
    pub seed: u64,
    /// Number of this process, and of all: views and points are loaded for its rows only.
    pub process: [usize; 2],
}

impl Sampler<'_> {
    /// The `part`-th batch of a step, both counted from 0.
    ///
    /// # Errors
    /// If a shape cannot be read from disk.
    pub fn sample(&self, pool: &ShapePool, step: usize, part: usize) -> Result<Batch, DataError> {
        // A stream per batch: a resumed run continues with the same batches without saved generator state.
        let mut rng = Rng::named(&format!("batch {step}.{part}"), self.seed);
        // One number for the whole batch, so that pixels form one tensor.
        let views = rng.int_between(self.config.min_views, self.config.max_views);
        let (samples, groups) = self.samples(pool.len(), views, [step, part], &mut rng);
        let view_choice = self.views(pool, &samples, views, &mut rng);
        let own = self.own_rows(samples.len());
        let seeds: Vec<u64> = (0..samples.len() * views).map(|_| rand::RngCore::next_u64(&mut rng)).collect();
        // One crop for the whole batch: 224 − 208 leaves 17 positions along each axis.
        let corner = [rng.index(17), rng.index(17)];
        let seeds = seeds_by_shape(&seeds, &view_choice);
        let load = |row: usize| {
            let mut shape = pool.load(samples[row], &view_choice[row], self.fields(own.contains(&row)))?;
            // Kept as bytes from here on: the loaded views are larger, and may have been decoded for this batch.
            let bytes = self.bytes(&std::mem::take(&mut shape.views), seeds[row]);
            Ok((shape, bytes))
        };
        let loaded: Vec<(LoadedShape, Vec<u8>)> =
            (0..samples.len()).into_par_iter().map(load).collect::<Result<_, DataError>>()?;
        let (shapes, bytes): (Vec<LoadedShape>, Vec<Vec<u8>>) = loaded.into_iter().unzip();
        let chosen: Vec<Option<usize>> = shapes
            .iter()
            .map(|shape| self.config.caption_sampling.sample(&shape.captions, &shape.view_ids, &mut rng))
            .collect();
        let (captions, labels) = self.labels(&shapes, &chosen, groups);
        let mut teacher = (self.teacher_dim > 0).then(|| self.teacher_features(&shapes, &chosen));
        let class_names = class_names(pool.categories(), &mut rng);
        if let Some(teacher) = &mut teacher {
            teacher.class_text =
                class_names.iter().filter_map(|name| self.class_text.get(name)).flatten().copied().collect();
        }
        let clouds = self.clouds(&shapes, &mut rng);
        let seed = rand::RngCore::next_u64(&mut rng);
        let preprocess = self.preprocess.map(|preprocess| self.cropped(preprocess, corner));
        let (n_views, views) = (views, bytes);
        Ok(Batch { n_views, preprocess, views, clouds, captions, teacher, labels, seed, class_names })
    }

    /// Rows of a batch that this process encodes.
    fn own_rows(&self, rows: usize) -> Range<usize> {
        let [rank, count] = self.process;
        rows * rank / count..rows * (rank + 1) / count
    }

    /// What to load of a row. Captions and features are needed of all rows: the loss is that of the whole batch.
    fn fields(&self, own: bool) -> LoadFields {
        LoadFields { images: own && self.preprocess.is_some(), cloud: own && self.input.is_some() }
    }

    fn labels(
        &self,
        shapes: &[LoadedShape],
        chosen: &[Option<usize>],
        groups: Vec<usize>,
    ) -> (Vec<String>, BatchLabels) {
        let texts: Vec<_> =
            shapes.iter().zip(chosen).map(|(shape, i)| i.map(|i| &shape.captions[i])).collect();
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
            caption_ids: caption_ids(&captions),
            has_text: chosen.iter().map(Option::is_some).collect(),
            groups,
            margin: self.config.hard_negatives.map_or(0.0, |hard| hard.margin),
        };
        (captions, labels)
    }

    /// The teacher's features of the sampled views and captions.
    fn teacher_features(&self, shapes: &[LoadedShape], chosen: &[Option<usize>]) -> TeacherFeatures {
        let rows = || {
            shapes.iter().zip(chosen).filter_map(|(shape, chosen)| Some((shape.teacher.as_ref()?, chosen)))
        };
        let image = rows().flat_map(|(features, _)| features.image.iter().copied()).collect();
        let silent = vec![0.0; self.teacher_dim];
        // Without text losses there are no features to gather.
        let has_texts = rows().any(|(features, _)| !features.texts.is_empty());
        let text = rows().filter(|_| has_texts).flat_map(|(features, chosen)| {
            chosen.and_then(|chosen| features.texts.get(chosen)).map_or(silent.as_slice(), |row| row).to_vec()
        });
        TeacherFeatures { dim: self.teacher_dim, image, text: text.collect(), class_text: Vec::new() }
    }

    /// Shapes of a batch, and the hard-negative group of each.
    fn samples(
        &self,
        count: usize,
        views: usize,
        [step, part]: [usize; 2],
        rng: &mut Rng,
    ) -> (Vec<usize>, Vec<usize>) {
        let rows = self.config.size.shapes(views);
        let each = self.config.hard_negatives.map_or(1, |hard| hard.group_size.max(1));
        // With hard negatives, a group of `group_size` rows follows each anchor.
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
            None => (anchors, (0..rows).collect()),
        }
    }

    fn order_of_epoch(&self, epoch: usize, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut Rng::named(&format!("epoch {epoch}"), self.seed));
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
        for (group, anchor) in anchors.into_iter().enumerate() {
            // Sampled without replacement: a neighbor is in the group at most once.
            let mut near: Vec<usize> = self
                .neighbors
                .get(anchor)
                .map_or(Vec::new(), |near| near.iter().copied().take(hard.neighbors).collect());
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

    /// Preprocessing with the batch's random crop, if the recipe has one.
    fn cropped(&self, preprocess: Preprocess, [top, left]: [usize; 2]) -> Preprocess {
        let random = self.augment.views == ViewAugmentMode::RandomCrop && Crop::Center.fits(preprocess.size);
        Preprocess { crop: if random { Crop::At { top, left } } else { preprocess.crop }, ..preprocess }
    }

    /// Augmented views of a shape as bytes, on white; a seed for each.
    fn bytes(&self, views: &[Cow<RgbaImage>], seeds: &[u64]) -> Vec<u8> {
        let Some(preprocess) = self.preprocess else { return Vec::new() };
        let view_bytes = |(view, seed): (&Cow<RgbaImage>, &u64)| match self.augment.views {
            ViewAugmentMode::DomainRandomization => {
                preprocess.on_white(&augment_view(view, &mut Rng::new(*seed))).into_raw()
            }
            ViewAugmentMode::None | ViewAugmentMode::RandomCrop => preprocess.on_white(view).into_raw(),
        };
        views.iter().zip(seeds).flat_map(view_bytes).collect()
    }

    /// Resampled, augmented and prepared clouds.
    fn clouds(&self, shapes: &[LoadedShape], rng: &mut Rng) -> Vec<PreparedCloud> {
        let Some(input) = self.input else { return Vec::new() };
        let seeds: Vec<u64> = shapes.iter().map(|_| rand::RngCore::next_u64(rng)).collect();
        let own = self.own_rows(shapes.len());
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

/// For each row the first row with the same caption.
fn caption_ids(captions: &[String]) -> Vec<usize> {
    captions.iter().map(|chosen| captions.iter().position(|other| other == chosen).unwrap_or(0)).collect()
}
