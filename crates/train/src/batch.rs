//! What a step learns from: which shapes, which of their views and captions, all drawn from (seed, step).

use std::ops::Range;

use burn::tensor::{Bool, Device, Tensor, TensorData};
use image::RgbaImage;
use lexiform_geometry::sample::sample_cloud;
use lexiform_model::point::{Cloud, CloudInput, Start};
use lexiform_model::preprocess::{Crop, Preprocess};
use rand::seq::SliceRandom as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::augment::{AugmentConfig, ViewChange, augment};
use crate::clouds;
use crate::loss;
use crate::objective::Features;
use crate::shape_set::{Names, Sample, ShapeSet};
use crate::shapes::Rng;

/// What a batch is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// How many shapes or images.
    pub size: Size,
    /// Fewest views of a shape; drawn anew for each batch.
    #[serde(default = "one")]
    pub fewest_views: usize,
    /// Most views of a shape.
    #[serde(default = "one")]
    pub most_views: usize,
    /// Whether all shapes of a batch show the same views, by number (Duoduo CLIP).
    #[serde(default)]
    pub same_views: bool,
    /// In which order samples come.
    #[serde(default)]
    pub order: Order,
    /// Which caption a sample comes with.
    #[serde(default)]
    pub captions: CaptionRule,
    /// Batches whose gradients are averaged to one step.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Shapes that come together because they look alike (OpenShape's second stage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard: Option<HardConfig>,
}

/// How large a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// So many shapes.
    Shapes(usize),
    /// So many images: with `v` views a batch has `images / v` shapes.
    Images(usize),
}

/// In which order samples come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Each once an epoch, in another order every time; what does not fill a batch is left out.
    #[default]
    Shuffled,
    /// Each drawn by itself, so that one may come twice.
    Drawn,
}

/// Which caption a sample comes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptionRule {
    /// Any of its captions.
    #[default]
    Any,
    /// Its name; perhaps, by a fair coin, what a captioning model says; one that was retrieved for it: any of these
    /// (Duoduo CLIP, OpenShape).
    BySource,
}

/// Shapes that come together because they look alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardConfig {
    /// Shapes in a group: a seed and neighbors of it.
    pub each: usize,
    /// Neighbors of a seed to draw from.
    pub among: usize,
    /// How much better its own text must fit an image than another's for that one to be a true negative.
    pub margin: f32,
}

fn one() -> usize {
    1
}

impl Size {
    /// Shapes of a batch whose shapes have this many views.
    pub fn shapes(self, views: usize) -> usize {
        match self {
            Self::Shapes(shapes) => shapes,
            Self::Images(images) => images / views.max(1),
        }
    }
}

impl BatchConfig {
    /// Steps in which every one of `samples` comes once.
    pub fn steps_per_epoch(&self, samples: usize) -> usize {
        (samples / (self.size.shapes(self.fewest_views) * self.accumulate).max(1)).max(1)
    }
}

/// What is known of a batch's rows beside their features.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Category of each shape.
    pub categories: Vec<usize>,
    /// Whether the caption is a bare noun.
    pub general: Vec<bool>,
    /// Equal for captions that are the same words.
    pub sayings: Vec<usize>,
    /// Whether there is a caption.
    pub has_text: Vec<bool>,
    /// Group of hard negatives.
    pub groups: Vec<usize>,
    /// By how much a text must fit worse to be a true negative.
    pub margin: f32,
}

impl Labels {
    /// Shapes in the batch.
    pub fn rows(&self) -> usize {
        self.categories.len()
    }

    /// Rows that have a caption.
    pub fn with_text(&self) -> Vec<usize> {
        (0..self.rows()).filter(|row| self.has_text[*row]).collect()
    }

    /// Pairs whose logits count among hard negatives; see [`loss::kept_hard_negatives`].
    pub(crate) fn kept(&self, ranks: &[Features], device: &Device) -> Tensor<2, Bool> {
        let rows = |feature: fn(&Features) -> Option<Tensor<2>>| -> Option<Tensor<2>> {
            let parts: Option<Vec<_>> = ranks.iter().map(feature).collect();
            parts.map(|parts| loss::normalize_rows(Tensor::cat(parts, 0)).without_autodiff())
        };
        let similarity = match (rows(|f| f.image.clone()), rows(|f| f.text.clone())) {
            (Some(image), Some(text)) => image.matmul(text.transpose()).into_data().iter::<f32>().collect(),
            _ => Vec::new(),
        };
        loss::kept_hard_negatives(&self.groups, &similarity, self.margin, device)
    }
}

/// One batch, as plain data.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Which samples.
    pub samples: Vec<usize>,
    /// Views of each shape, by number.
    pub chosen: Vec<Vec<usize>>,
    /// Views per shape.
    pub views: usize,
    /// Edge of a view in pixels.
    pub size: usize,
    /// Normalized pixels, `[shapes × views, 3, size, size]`; empty where views are not looked at.
    pub pixels: Vec<f32>,
    /// One cloud of each shape; empty where clouds are not looked at.
    pub clouds: Vec<Cloud>,
    /// Which caption of each sample.
    pub said: Vec<usize>,
    /// The captions.
    pub captions: Vec<String>,
    /// What is known of the rows.
    pub labels: Labels,
    /// What chance inside the network follows from.
    pub salt: u64,
    /// One noun of each category.
    pub nouns: Vec<String>,
}

/// What batches are drawn by, the same for a whole run.
pub struct Sampler<'a> {
    /// What a batch is.
    pub config: &'a BatchConfig,
    /// How views become pixels; none where they are not looked at.
    pub preprocess: Option<Preprocess>,
    /// How clouds are prepared; none where they are not looked at.
    pub input: Option<CloudInput>,
    /// How views and clouds are changed.
    pub augment: &'a AugmentConfig,
    /// Nearest samples of each sample, for hard negatives.
    pub neighbors: &'a [Vec<usize>],
    /// Every choice follows from it and the step.
    pub seed: u64,
}

impl Sampler<'_> {
    /// The `part`-th batch of a step (counted from 0).
    pub fn draw(&self, shapes: &ShapeSet, step: usize, part: usize) -> Batch {
        let mut rng = Rng::named(&format!("batch {step}.{part}"), self.seed);
        let views = rng.count(self.config.fewest_views, self.config.most_views);
        let (samples, groups) = self.samples(shapes.samples.len(), views, [step, part], &mut rng);
        let picked: Vec<&Sample> = samples.iter().map(|i| &shapes.samples[*i]).collect();
        let chosen = self.views(&picked, views, &mut rng);
        let salts: Vec<u64> = (0..samples.len() * views).map(|_| rand::RngCore::next_u64(&mut rng)).collect();
        let corner = [rng.index(17), rng.index(17)];
        let pixels = self.pixels(&picked, &chosen, &salts, corner);
        let said: Vec<usize> = picked.iter().map(|sample| self.caption(sample, &mut rng)).collect();
        let captions: Vec<String> =
            picked.iter().zip(&said).map(|(sample, i)| sample.captions[*i].clone()).collect();
        let labels = Labels {
            categories: picked.iter().map(|sample| sample.category).collect(),
            // The first caption is a bare noun and fits the whole category.
            general: said.iter().map(|i| *i == 0).collect(),
            sayings: sayings(&captions),
            has_text: vec![true; samples.len()],
            groups,
            margin: self.config.hard.map_or(0.0, |hard| hard.margin),
        };
        let size = self.preprocess.map_or(0, |preprocess| preprocess.size);
        let nouns = nouns(&shapes.categories, &mut rng);
        let clouds = self.clouds(&picked, &mut rng);
        let salt = rand::RngCore::next_u64(&mut rng);
        Batch { samples, chosen, views, size, pixels, clouds, said, captions, labels, salt, nouns }
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
                let parts = self.config.accumulate;
                let (epoch, in_epoch) =
                    (step / self.config.steps_per_epoch(count), step % self.config.steps_per_epoch(count));
                let mut order: Vec<usize> = (0..count).collect();
                order.shuffle(&mut Rng::named(&format!("epoch {epoch}"), self.seed));
                let first = (in_epoch * parts + part) * rows;
                (0..rows.div_ceil(each)).map(|k| order[(first + k * each) % count]).collect()
            }
        };
        let Some(hard) = self.config.hard else { return (seeds, (0..rows).collect()) };
        let (mut samples, mut groups) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (group, seed) in seeds.into_iter().enumerate() {
            let mut near: Vec<usize> = self
                .neighbors
                .get(seed)
                .map_or(Vec::new(), |near| near.iter().copied().take(hard.among).collect());
            samples.push(seed);
            for _ in 1..each.min(near.len() + 1) {
                samples.push(near.swap_remove(rng.index(near.len())));
            }
            groups.resize(samples.len(), group);
        }
        (samples, groups)
    }

    /// Which views of each sample.
    fn views(&self, picked: &[&Sample], views: usize, rng: &mut Rng) -> Vec<Vec<usize>> {
        let mut distinct = |of: usize| -> Vec<usize> {
            let mut left: Vec<usize> = (0..of).collect();
            (0..views.min(of)).map(|_| left.swap_remove(rng.index(left.len()))).collect()
        };
        if self.config.same_views {
            let fewest = picked.iter().map(|sample| sample.views.len()).min().unwrap_or(0);
            let mut same = distinct(fewest);
            same.sort_unstable();
            return vec![same; picked.len()];
        }
        picked.iter().map(|sample| distinct(sample.views.len())).collect()
    }

    fn pixels(
        &self,
        picked: &[&Sample],
        chosen: &[Vec<usize>],
        salts: &[u64],
        corner: [usize; 2],
    ) -> Vec<f32> {
        let Some(mut preprocess) = self.preprocess else { return Vec::new() };
        let views: Vec<&RgbaImage> = picked
            .iter()
            .zip(chosen)
            .flat_map(|(sample, views)| views.iter().map(|v| &sample.views[*v]))
            .collect();
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
    fn clouds(&self, picked: &[&Sample], rng: &mut Rng) -> Vec<Cloud> {
        let Some(input) = self.input else { return Vec::new() };
        let salts: Vec<u64> = picked.iter().map(|_| rand::RngCore::next_u64(rng)).collect();
        let make = |(sample, salt): (&&Sample, u64)| {
            let mut rng = Rng::new(salt);
            let shuffled = sample_cloud(&sample.cloud, sample.cloud.positions().len(), &mut rng);
            clouds::change(input.prepare(&shuffled, Start::Seed(salt)), &self.augment.points, &mut rng)
        };
        picked.par_iter().zip(salts).map(make).collect()
    }

    fn caption(&self, sample: &Sample, rng: &mut Rng) -> usize {
        let count = sample.captions.len();
        match self.config.captions {
            CaptionRule::Any => rng.index(count),
            CaptionRule::BySource => {
                // Generated captions run from the name to details: the name, what a captioning model would say of a
                // picture (plain, or in a sentence), and what stands beside it elsewhere.
                let machine = rng.pick(&[1, 4]);
                let mut candidates = vec![0, rng.pick(&[2, 3])];
                if rng.chance(0.5) {
                    candidates.push(machine);
                }
                rng.pick(&candidates).min(count.saturating_sub(1))
            }
        }
    }
}

impl Batch {
    /// Pixels of some rows, `[rows × views, 3, size, size]`.
    pub fn pixels(&self, rows: Range<usize>, device: &Device) -> Tensor<4> {
        let stride = self.views * 3 * self.size * self.size;
        let values = self.pixels[rows.start * stride..rows.end * stride].to_vec();
        let shape = [rows.len() * self.views, 3, self.size, self.size];
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Number of shapes.
    pub fn rows(&self) -> usize {
        self.samples.len()
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
fn sayings(captions: &[String]) -> Vec<usize> {
    captions.iter().map(|said| captions.iter().position(|other| other == said).unwrap_or(0)).collect()
}
