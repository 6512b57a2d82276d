//! Shares of caption sources in the batches of recipes, against those of the references (`xtask/peers/caption_sources.py`).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use lexiform_geometry::PointCloud;
use lexiform_model::point::GroupingPlan;
use serde::Deserialize;

use super::{Sampler, caption_ids};
use crate::batch::TeacherFeatures;
use crate::data::caption::{Caption, CaptionSource};
use crate::data::pool::{InMemoryPool, ShapePool};
use crate::data::shape_set::{CategoryNames, Sample, ShapeSet};
use crate::recipe::Recipe;

/// Draws of each combination of sources.
const DRAWS: usize = 60_000;
/// Shapes in a batch.
const ROWS: usize = 60;

#[derive(Deserialize)]
struct Expected {
    rows: Vec<Combination>,
}

/// Sources that a shape has, and the shares of what was sampled.
#[derive(Deserialize)]
struct Combination {
    reference: String,
    present: Vec<String>,
    shares: BTreeMap<String, f64>,
}

/// A pool of shapes with captions of these sources, named as importers name them.
fn pool(present: &[String], importer: &str) -> ShapePool {
    let source = |name: &str| match (importer, name) {
        ("duoduo", "blip" | "msft") => format!("{name}_caption"),
        ("duoduo", "retrieval") => "retrieval_text".to_owned(),
        (_, "text") if importer != "duoduo" => "metadata".to_owned(),
        _ => name.to_owned(),
    };
    let captions = present.iter().flat_map(|name| {
        // As many of each as in the reference's shape.
        let count = match name.as_str() {
            "text" => 3,
            "retrieval" => 2,
            _ => 1,
        };
        std::iter::repeat_n(Caption::new(name, CaptionSource::from_name(&source(name))), count)
    });
    let captions: Vec<Caption> = captions.collect();
    let sample = || Sample {
        category: 0,
        views: Vec::new(),
        cloud: PointCloud::default(),
        captions: captions.clone(),
    };
    let shapes = ShapeSet {
        samples: (0..ROWS).map(|_| sample()).collect(),
        categories: vec![CategoryNames { name: "thing".to_owned(), synonyms: Vec::new() }],
        ..ShapeSet::default()
    };
    ShapePool::InMemory(InMemoryPool { shapes, targets: None })
}

/// Shares of sources in batches of a recipe.
fn shares(recipe: &Recipe, pool: &ShapePool) -> BTreeMap<String, f64> {
    let sampler = Sampler {
        config: &recipe.batch,
        preprocess: None,
        input: None,
        augment: &recipe.augment,
        neighbors: None,
        teacher_dim: 0,
        class_text: &HashMap::new(),
        seed: recipe.seed,
        grouping: &GroupingPlan::default(),
        process: [0, 1],
        stream: "",
        second: None,
    };
    let mut shares = BTreeMap::new();
    for step in 0..DRAWS / ROWS {
        let batch = sampler.sample(pool, step, 0).unwrap();
        for (caption, has_text) in batch.captions.into_iter().zip(batch.labels.has_text) {
            let source = if has_text { caption } else { "none".to_owned() };
            *shares.entry(source).or_insert(0.0) += 1.0 / DRAWS as f64;
        }
    }
    shares
}

#[test]
fn shares_equal_the_references() {
    let path = lexiform_golden::fixture("training/caption_sources.json");
    let expected: Expected = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(expected.rows.len(), 8 + 16);
    for Combination { reference, present, shares: expected } in expected.rows {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../recipes/{reference}.toml"));
        let recipe = Recipe::read(&path, &[format!("batch.size.shapes={ROWS}")]).unwrap();
        let found = shares(&recipe, &pool(&present, &reference));
        for source in expected.keys().chain(found.keys()) {
            let of = |shares: &BTreeMap<String, f64>| shares.get(source).copied().unwrap_or(0.0);
            let difference = (of(&found) - of(&expected)).abs();
            assert!(difference < 0.01, "{reference} {present:?}: {source}: {found:?}, expected {expected:?}");
        }
    }
}

#[test]
fn captions_without_words_are_compared_by_features() {
    let captions = ["", "", "", "a cup", "a cup"].map(str::to_owned);
    let text = [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 5.0, 6.0, 7.0, 8.0].to_vec();
    let teacher = TeacherFeatures { dim: 2, text, ..TeacherFeatures::default() };
    assert_eq!(caption_ids(&captions, Some(&teacher)), [0, 1, 0, 3, 3]);
    assert_eq!(caption_ids(&captions, None), [0, 1, 2, 3, 3]);
}
