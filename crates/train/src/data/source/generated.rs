//! Procedurally generated shapes, to train and to validate on.

use std::ops::Range;

use lexiform_geometry::Rig;
use lexiform_shapes::{
    Attributes, Category, Question, Rng, Specimen, Variation, captions, categories, is_unseen, questions,
};
use rayon::prelude::*;

use crate::data::caption::{Caption, CaptionSource};
use crate::data::shape_set::{Sample, SampleSize, ShapeSet, captions_from_templates, generated_names};
use crate::recipe::DataConfig;

/// First seed of validation shapes, beyond those of training.
const VALIDATION_SEEDS: u64 = 1 << 40;
/// Distance of retry seeds, beyond those of training and validation.
const RETRY_SEED_OFFSET: u64 = 1 << 44;
/// Attempts to generate a specimen of a color that is not withheld; a category may have no other color.
const MAX_RETRIES: u64 = 12;
/// Specimens of a category whose attributes are distractors in each other's questions.
const DISTRACTOR_SPECIMENS: usize = 16;

/// Training shapes: `config.shapes` of them, cycling through the categories, each with a random file [`Variation`]. Every
/// `refresh` gives other shapes.
pub(crate) fn training_shapes(config: &DataConfig, size: SampleSize, seed: u64, refresh: u64) -> ShapeSet {
    let n = categories().len();
    let first = refresh * config.shapes as u64;
    generate(0..config.shapes, |i| {
        let serial = first + i as u64;
        let category = &categories()[i % n];
        // The serial number is unique over refreshes: no shape is seen twice.
        let mut rng = Rng::named("training", seed ^ (serial << 8));
        let variation = Variation::sample(&mut rng);
        // Seeds count per category, so that validation seeds are never reached.
        let specimen =
            training_specimen(category, seed.wrapping_add(serial / n as u64), config.unseen_fraction);
        let captions = if config.templates.is_empty() {
            labelled_captions(captions(category, &specimen, &mut rng))
        } else {
            captions_from_templates(&config.templates, category.name).collect()
        };
        let scene = variation.apply(specimen.scene);
        Sample::for_training(i % n, scene, captions, config, size, &mut rng)
    })
}

/// A specimen whose color is not withheld for its category. Without such a color, its color is not mentioned.
fn training_specimen(category: &Category, seed: u64, unseen: f32) -> Specimen {
    let is_shown =
        |s: &Specimen| s.attributes.color.is_none_or(|color| !is_unseen(category.name, color, unseen));
    let mut attempts = (0..MAX_RETRIES).map(|i| category.generate(seed.wrapping_add(i * RETRY_SEED_OFFSET)));
    attempts.find(is_shown).unwrap_or_else(|| {
        let mut specimen = category.generate(seed);
        // Without its color the shape may be shown: the pair is not taught.
        specimen.attributes.color = None;
        specimen
    })
}

/// Questions about colors, materials and parts of the shapes that [`validation_shapes`] gives for the same `each`, by index.
/// `unseen` is `data.unseen_fraction` of the model's recipe.
pub fn validation_questions(each: usize, unseen: f32) -> Vec<Question> {
    let of = |category: &Category| -> Vec<Attributes> {
        let seeds = (0..each.max(DISTRACTOR_SPECIMENS) as u64).map(|i| VALIDATION_SEEDS + i);
        seeds.map(|seed| category.generate(seed).attributes).collect()
    };
    let all: Vec<Vec<Attributes>> = categories().par_iter().map(of).collect();
    let colors = all.iter().flatten().filter_map(|what| what.color).collect();
    let n = categories().len();
    let shapes = (0..n * each).map(|i| (i, i % n, i / n));
    shapes
        .flat_map(|(i, at, k)| questions(i, &categories()[at], &all[at][k], &all[at], &colors, unseen))
        .collect()
}

/// Validation shapes: `each` of every category, upright and colored, from seeds that training never uses; `size`-pixel views
/// from the cameras of `rig`, and `points` surface points.
///
/// ```
/// use lexiform_train::validation_clouds;
///
/// // The same shapes without views.
/// let set = validation_clouds(1, 64);
/// assert_eq!(set.samples.len(), set.categories.len());
/// assert_eq!(set.samples[0].cloud.positions().len(), 64);
/// ```
pub fn validation_shapes(each: usize, size: usize, rig: &Rig, points: usize) -> ShapeSet {
    validation_with(each, Some(rig), SampleSize { view: size, points })
}

/// The same shapes as point clouds of `points` points, without views.
pub fn validation_clouds(each: usize, points: usize) -> ShapeSet {
    validation_with(each, None, SampleSize { view: 0, points })
}

/// The same shapes, with views if there is a rig.
pub(crate) fn validation_with(each: usize, rig: Option<&Rig>, size: SampleSize) -> ShapeSet {
    let n = categories().len();
    generate(0..n * each, |i| {
        let seed = VALIDATION_SEEDS + (i / n) as u64;
        let mut rng = Rng::named("held out", seed);
        let specimen = categories()[i % n].generate(seed);
        let captions = labelled_captions(captions(&categories()[i % n], &specimen, &mut rng));
        Sample::for_validation(i % n, specimen.scene, captions, rig, size, &mut rng)
    })
}

/// Assigns sources to the five captions of increasing detail, so that [`CaptionSampling::BySource`] has all of them to choose
/// from.
///
/// [`CaptionSampling::BySource`]: crate::CaptionSampling::BySource
fn labelled_captions(captions: Vec<String>) -> Vec<Caption> {
    let sources = [
        CaptionSource::Label,
        CaptionSource::Generated,
        CaptionSource::Retrieved,
        CaptionSource::Retrieved,
        CaptionSource::Generated,
    ];
    captions.into_iter().zip(sources).map(|(text, source)| Caption::new(text, source)).collect()
}

fn generate(range: Range<usize>, make: impl Fn(usize) -> Sample + Sync + Send) -> ShapeSet {
    let samples = range.into_par_iter().map(make).collect();
    ShapeSet { samples, categories: generated_names(), ..ShapeSet::default() }
}
