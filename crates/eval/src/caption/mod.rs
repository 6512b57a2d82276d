//! Evaluating captions against references: BLEU, ROUGE-L, CIDEr, METEOR, and cosines of a model that embeds texts and shapes.

mod config;
mod cosine;
mod meteor_tables;
mod pair;
mod published;
mod read;
mod report;

pub use config::{CaptionScoresConfig, CosineConfig};
pub use published::{CaptionBenchmark, PublishedCaptions};
pub use report::{CaptionScoresReport, ItemScores, MetricScores};

use std::collections::HashMap;

use lexiform_metrics::caption::{CaptionItem, bleu, cider, ptb_tokenize, rouge_l};

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use pair::Pair;
use read::{Captions, Role};

/// Evaluates predicted captions with pycocoevalcap's metrics, and with cosines if a model is given.
///
/// # Errors
/// If a file cannot be read, a prediction has no reference, or a model fails.
pub fn caption_scores(
    config: &CaptionScoresConfig,
    events: &mut OnEvent<'_>,
) -> Result<CaptionScoresReport, EvalError> {
    let pairs = read_pairs(config, events)?;
    let items: Vec<CaptionItem> = pairs.iter().map(tokenized).collect();
    let mut report = CaptionScoresReport::new(&pairs, &items);
    let scores = bleu(&items)?;
    for (n, corpus) in scores.corpus.into_iter().enumerate() {
        let items = scores.items.iter().map(|item| item[n]).collect();
        report.add(["bleu_1", "bleu_2", "bleu_3", "bleu_4"][n], corpus, items);
    }
    if let Some(path) = &config.meteor {
        let scores = meteor_tables::scores(path, &items)?;
        report.add("meteor", scores.corpus, scores.items);
    }
    let scores = rouge_l(&items)?;
    report.add("rouge_l", scores.corpus, scores.items);
    let scores = cider(&items)?;
    report.add("cider", scores.corpus, scores.items);
    if let Some(cosine) = &config.cosine {
        cosine::add(&mut report, cosine, &pairs, events)?;
    }
    Ok(report)
}

fn tokenized(pair: &Pair) -> CaptionItem {
    CaptionItem {
        candidate: ptb_tokenize(&pair.prediction),
        references: pair.references.iter().map(|reference| ptb_tokenize(reference)).collect(),
    }
}

/// Predictions with their references, in the order of the predictions.
fn read_pairs(config: &CaptionScoresConfig, events: &mut OnEvent<'_>) -> Result<Vec<Pair>, EvalError> {
    let predictions = Captions::read(&config.predictions, Role::Prediction)?;
    // A file of results may have the references as well.
    let references = config.references.as_ref().unwrap_or(&config.predictions);
    let references = Captions::read(references, Role::Reference)?;
    let places: HashMap<&str, usize> =
        references.items.iter().enumerate().map(|(i, item)| (item.key.as_str(), i)).collect();
    let mut pairs = Vec::with_capacity(predictions.items.len());
    for item in &predictions.items {
        let [prediction] = &item.captions[..] else {
            let (file, key, found) = (predictions.file(), &item.key, item.captions.len());
            return Err(EvalError::hinted(
                format!("{file}: {key}: expected one caption, found {found}"),
                "the first argument has the captions of a model, the second one the references",
            ));
        };
        let Some(place) = places.get(item.key.as_str()) else { return Err(no_reference(item, &references)) };
        let references = references.items[*place].captions.clone();
        pairs.push(Pair { key: item.key.clone(), prediction: prediction.clone(), references });
    }
    let without = references.items.len() - pairs.len();
    if without > 0 {
        events(EvalEvent::ReferencesWithoutPrediction { references: references.items.len(), without });
    }
    Ok(pairs)
}

fn no_reference(item: &read::Item, references: &Captions) -> EvalError {
    let example = references.items.first().map_or("none", |item| item.key.as_str());
    EvalError::hinted(
        format!("{}: expected a reference for {:?}, found none", references.file(), item.key),
        format!(
            "predictions and references are matched by their keys; those of the references are like {example:?}"
        ),
    )
}
