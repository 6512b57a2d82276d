//! Draws batches: which shapes, which of their views and captions, changed how; all from (seed, step).

use std::collections::HashMap;

use image::RgbaImage;
use lexiform_data::DataError;
use lexiform_geometry::sample::sample_cloud;
use lexiform_model::point::{FpsStart, PointPreprocess, PreparedCloud};
use lexiform_model::preprocess::{Crop, Preprocess};
use lexiform_shapes::Rng;
use rand::seq::SliceRandom as _;
use rayon::prelude::*;

use crate::augment::points;
use crate::augment::scan::scan;
use crate::augment::views::augment;
use crate::batch::{Batch, Frozen};
use crate::data::caption::Origin;
use crate::data::picked::{Picked, Wanted};
use crate::data::pool::Pool;
use crate::data::shape_set::Names;
use crate::loss::Labels;
use crate::recipe::{AugmentConfig, BatchConfig, HardConfig, Order, ViewChange};

/// What batches are drawn by, the same for a whole run.
pub(crate) struct Sampler<'a> {
    /// What a batch is.
    pub config: &'a BatchConfig,
    /// How views become pixels; none where they are not looked at.
    pub preprocess: Option<Preprocess>,
    /// How clouds are prepared; none where they are not looked at.
    pub input: Option<PointPreprocess>,
    /// How views and clouds are changed.
    pub augment: &'a AugmentConfig,
    /// Nearest samples of each sample, for hard negatives.
    pub neighbors: &'a [Vec<usize>],
    /// Width of the teacher's features; 0 without a teacher.
    pub frozen_dim: usize,
    /// Features of nouns by the teacher; empty where nothing is named.
    pub nouns: &'a HashMap<String, Vec<f32>>,
    /// Every choice follows from it and the step.
    pub seed: u64,
}

impl Sampler<'_> {
    /// The `part`-th batch of a step (counted from 0).
    ///
    /// # Errors
    /// If a shape cannot be read; shapes in memory always can.
    pub fn draw(&self, pool: &Pool, step: usize, part: usize) -> Result<Batch, DataError> {
        let mut rng = Rng::named(&format!("batch {step}.{part}"), self.seed);
        let views = rng.count(self.config.fewest_views, self.config.most_views);
        let (samples, groups) = self.samples(pool.len(), views, [step, part], &mut rng);
        let chosen = self.views(pool, &samples, views, &mut rng);
        let wanted = Wanted { pictures: self.preprocess.is_some(), cloud: self.input.is_some() };
        let pick = |(at, views): (&usize, &Vec<usize>)| pool.pick(*at, views, wanted);
        let picked: Vec<Picked> = samples.par_iter().zip(&chosen).map(pick).collect::<Result<_, _>>()?;

        let salts: Vec<u64> = (0..samples.len() * views).map(|_| rand::RngCore::next_u64(&mut rng)).collect();
        let corner = [rng.index(17), rng.index(17)];
        let pixels = self.pixels(&picked, &salts, corner);
        let said: Vec<Option<usize>> = picked
            .iter()
            .map(|shape| self.config.captions.pick(&shape.sayings, &shape.shown, &mut rng))
            .collect();
        let (captions, labels) = self.labels(&picked, &said, groups);
        let mut frozen = (self.frozen_dim > 0).then(|| self.frozen(&picked, &said));
        let size = self.preprocess.map_or(0, |preprocess| preprocess.size);
        let nouns = nouns(pool.categories(), &mut rng);
        if let Some(frozen) = &mut frozen {
            frozen.nouns = nouns.iter().filter_map(|noun| self.nouns.get(noun)).flatten().copied().collect();
        }
        let clouds = self.clouds(&picked, &mut rng);
        let salt = rand::RngCore::next_u64(&mut rng);
        Ok(Batch { views, size, pixels, clouds, captions, frozen, labels, salt, nouns })
    }

    fn labels(&self, picked: &[Picked], said: &[Option<usize>], groups: Vec<usize>) -> (Vec<String>, Labels) {
        let sayings: Vec<_> =
            picked.iter().zip(said).map(|(shape, i)| i.map(|i| &shape.sayings[i])).collect();
        let captions: Vec<String> =
            sayings.iter().map(|saying| saying.map_or(String::new(), |saying| saying.text.clone())).collect();
        let labels = Labels {
            categories: picked.iter().map(|shape| shape.category).collect(),
            // A bare noun fits the whole category.
            general: sayings.iter().map(|saying| saying.is_some_and(|s| s.from == Origin::Label)).collect(),
            sayings: rows_that_say(&captions),
            has_text: said.iter().map(Option::is_some).collect(),
            groups,
            margin: self.config.hard.map_or(0.0, |hard| hard.margin),
        };
        (captions, labels)
    }

    /// The teacher's features of what was drawn.
    fn frozen(&self, picked: &[Picked], said: &[Option<usize>]) -> Frozen {
        let rows =
            || picked.iter().zip(said).filter_map(|(shape, said)| Some((shape.frozen.as_ref()?, said)));
        let image = rows().flat_map(|(features, _)| features.image.iter().copied()).collect();
        let silent = vec![0.0; self.frozen_dim];
        let has_texts = rows().any(|(features, _)| !features.texts.is_empty());
        let text = rows().filter(|_| has_texts).flat_map(|(features, said)| {
            said.and_then(|said| features.texts.get(said)).map_or(silent.as_slice(), |row| row).to_vec()
        });
        Frozen { dim: self.frozen_dim, image, text: text.collect(), nouns: Vec::new() }
    }

    /// Samples of a batch, and the group of each.
    fn samples(
        &self,
        count: usize,
        views: usize,
        [step, part]: [usize; 2],
        rng: &mut Rng,
    ) -> (Vec<usize>, Vec<usize>) {
        let rows = self.config.size.shapes(views);
        let each = self.config.hard.map_or(1, |hard| hard.each.max(1));
        let seeds: Vec<usize> = match self.config.order {
            Order::Drawn => (0..rows.div_ceil(each)).map(|_| rng.index(count)).collect(),
            Order::Shuffled => {
                let steps_per_epoch = self.config.steps_per_epoch(count);
                let order = self.order_of_epoch(step / steps_per_epoch, count);
                let first = (step % steps_per_epoch * self.config.accumulate + part) * rows;
                (0..rows.div_ceil(each)).map(|k| order[(first + k * each) % count]).collect()
            }
        };
        match self.config.hard {
            Some(hard) => self.with_neighbors(seeds, hard, rng),
            None => (seeds, (0..rows).collect()),
        }
    }

    fn order_of_epoch(&self, epoch: usize, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut Rng::named(&format!("epoch {epoch}"), self.seed));
        order
    }

    /// Each seed with some of its neighbors, and the group of each: hard negatives.
    fn with_neighbors(&self, seeds: Vec<usize>, hard: HardConfig, rng: &mut Rng) -> (Vec<usize>, Vec<usize>) {
        let (mut samples, mut groups) = (Vec::new(), Vec::new());
        for (group, seed) in seeds.into_iter().enumerate() {
            let mut near: Vec<usize> = self
                .neighbors
                .get(seed)
                .map_or(Vec::new(), |near| near.iter().copied().take(hard.among).collect());
            samples.push(seed);
            for _ in 1..hard.each.max(1).min(near.len() + 1) {
                samples.push(near.swap_remove(rng.index(near.len())));
            }
            groups.resize(samples.len(), group);
        }
        (samples, groups)
    }

    /// Which views of each sample.
    fn views(&self, pool: &Pool, samples: &[usize], views: usize, rng: &mut Rng) -> Vec<Vec<usize>> {
        let mut distinct = |of: usize| -> Vec<usize> {
            let mut left: Vec<usize> = (0..of).collect();
            (0..views.min(of)).map(|_| left.swap_remove(rng.index(left.len()))).collect()
        };
        if self.config.same_views {
            let fewest = samples.iter().map(|at| pool.n_views(*at)).min().unwrap_or(0);
            let mut same = distinct(fewest);
            same.sort_unstable();
            return vec![same; samples.len()];
        }
        samples.iter().map(|at| distinct(pool.n_views(*at))).collect()
    }

    fn pixels(&self, picked: &[Picked], salts: &[u64], corner: [usize; 2]) -> Vec<f32> {
        let Some(mut preprocess) = self.preprocess else { return Vec::new() };
        let views: Vec<&RgbaImage> =
            picked.iter().flat_map(|shape| shape.views.iter().map(AsRef::as_ref)).collect();
        if self.augment.views == ViewChange::Window && Crop::Center.fits(preprocess.size) {
            preprocess.crop = Crop::At { top: corner[0], left: corner[1] };
        }
        let changed: Vec<RgbaImage> = match self.augment.views {
            ViewChange::Looks => views
                .into_par_iter()
                .zip(salts)
                .map(|(view, salt)| augment(view, &mut Rng::new(*salt)))
                .collect(),
            ViewChange::None | ViewChange::Window => views.into_iter().cloned().collect(),
        };
        preprocess.views(&changed)
    }

    /// Prepared and changed clouds; their points come in another order every time, since encoders begin at the first.
    fn clouds(&self, picked: &[Picked], rng: &mut Rng) -> Vec<PreparedCloud> {
        let Some(input) = self.input else { return Vec::new() };
        let salts: Vec<u64> = picked.iter().map(|_| rand::RngCore::next_u64(rng)).collect();
        let make = |(shape, salt): (&Picked, u64)| {
            let mut rng = Rng::new(salt);
            let shuffled = sample_cloud(&shape.cloud, shape.cloud.positions().len(), &mut rng);
            let scanned = scan(shuffled, &self.augment.scan, &mut rng);
            let prepared = match self.augment.dense.as_slice() {
                [] if self.augment.voting_looks => {
                    input.prepare_test_time_augmented(&scanned, FpsStart::Seed(salt), salt)
                }
                [] => input.prepare(&scanned, FpsStart::Seed(salt)),
                dense => {
                    let whole = PointPreprocess { n_points: scanned.positions().len(), ..input };
                    let changed =
                        points::change(whole.prepare(&scanned, FpsStart::Seed(salt)), dense, &mut rng);
                    changed.farthest(input.n_points)
                }
            };
            points::change(prepared, &self.augment.points, &mut rng)
        };
        picked.par_iter().zip(salts).map(make).collect()
    }
}

/// One noun of every category, mostly its name.
fn nouns(categories: &[Names], rng: &mut Rng) -> Vec<String> {
    let nouns = categories.iter().map(|category| {
        if category.synonyms.is_empty() || rng.chance(0.6) {
            category.name.clone()
        } else {
            category.synonyms[rng.index(category.synonyms.len())].clone()
        }
    });
    nouns.collect()
}

/// The first row that says the same, for each row.
fn rows_that_say(captions: &[String]) -> Vec<usize> {
    captions.iter().map(|said| captions.iter().position(|other| other == said).unwrap_or(0)).collect()
}
