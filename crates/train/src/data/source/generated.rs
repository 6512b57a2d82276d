//! Procedurally generated shapes, to train and to validate on.

use std::ops::Range;

use lexiform_geometry::Rig;
use lexiform_shapes::{
    Attributes, Category, Question, Rng, Specimen, Variation, captions, categories, is_unseen, questions,
};
use rayon::prelude::*;

use crate::data::caption::{Origin, Saying};
use crate::data::shape_set::{Sample, ShapeSet, Sizes, from_templates, generated_names};
use crate::recipe::DataConfig;

/// Seeds from here on are for measuring only.
const HELD_OUT_SEEDS: u64 = 1 << 40;
/// Where seeds for further attempts lie, away from all others.
const ATTEMPT: u64 = 1 << 44;
/// Attempts to draw a specimen of a color that training may show; a category may have no other color.
const ATTEMPTS: u64 = 12;
/// Specimens of a category whose words are wrong answers to each other's questions.
const SIBLINGS: usize = 16;

/// Shapes to train on: `config.shapes` of them, the categories in turn, each varied as files vary. Rounds are disjoint.
pub(crate) fn training(config: &DataConfig, sizes: Sizes, seed: u64, round: u64) -> ShapeSet {
    let n = categories().len();
    let first = round * config.shapes as u64;
    generate(0..config.shapes, |i| {
        let serial = first + i as u64;
        let category = &categories()[i % n];
        let mut rng = Rng::named("training", seed ^ (serial << 8));
        let variation = Variation::draw(&mut rng);
        let specimen = seen(category, seed.wrapping_add(serial / n as u64), config.unseen);
        let sayings = if config.templates.is_empty() {
            said(captions(category, &specimen, &mut rng))
        } else {
            from_templates(&config.templates, category.name).collect()
        };
        let scene = variation.apply(specimen.scene);
        Sample::training(i % n, scene, sayings, config, sizes, &mut rng)
    })
}

/// A specimen to learn from: of no color that is held back for its category. Where there is none, its color goes unsaid.
fn seen(category: &Category, seed: u64, unseen: f32) -> Specimen {
    let is_seen =
        |s: &Specimen| s.attributes.color.is_none_or(|color| !is_unseen(category.name, color, unseen));
    let mut attempts = (0..ATTEMPTS).map(|i| category.generate(seed.wrapping_add(i * ATTEMPT)));
    attempts.find(is_seen).unwrap_or_else(|| {
        let mut specimen = category.generate(seed);
        specimen.attributes.color = None;
        specimen
    })
}

/// Questions about colors, materials, parts of the shapes that [`held_out`] gives for the same `each`, by their indices.
/// `unseen` is the share of pairs of color and category that the model's recipe held back.
pub fn held_out_questions(each: usize, unseen: f32) -> Vec<Question> {
    let of = |category: &Category| -> Vec<Attributes> {
        let seeds = (0..each.max(SIBLINGS) as u64).map(|i| HELD_OUT_SEEDS + i);
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

/// Shapes to measure on, `each` of every category, upright and in color, from seeds that training never uses; seen by
/// the cameras of `rig` at `size` pixels, with `points` points of their surfaces.
pub fn held_out(each: usize, size: usize, rig: &Rig, points: usize) -> ShapeSet {
    held_out_with(each, Some(rig), Sizes { view: size, points })
}

/// The same shapes as clouds of `points` points.
pub fn held_out_clouds(each: usize, points: usize) -> ShapeSet {
    held_out_with(each, None, Sizes { view: 0, points })
}

/// The same shapes with views, where there is a rig, and with clouds.
pub(crate) fn held_out_with(each: usize, rig: Option<&Rig>, sizes: Sizes) -> ShapeSet {
    let n = categories().len();
    generate(0..n * each, |i| {
        let seed = HELD_OUT_SEEDS + (i / n) as u64;
        let mut rng = Rng::named("held out", seed);
        let specimen = categories()[i % n].generate(seed);
        let sayings = said(captions(&categories()[i % n], &specimen, &mut rng));
        Sample::measured(i % n, specimen.scene, sayings, rig, sizes, &mut rng)
    })
}

/// Generated captions run from a bare noun to details: the noun, what a captioning model would say of a picture (plain, or
/// in a sentence), and text found next to it elsewhere.
fn said(captions: Vec<String>) -> Vec<Saying> {
    let origins = [Origin::Label, Origin::Machine, Origin::Retrieved, Origin::Retrieved, Origin::Machine];
    captions.into_iter().zip(origins).map(|(text, from)| Saying::new(text, from)).collect()
}

fn generate(range: Range<usize>, make: impl Fn(usize) -> Sample + Sync + Send) -> ShapeSet {
    let samples = range.into_par_iter().map(make).collect();
    ShapeSet { samples, categories: generated_names(), ..ShapeSet::default() }
}
