//! Text features of prompts and captions.

use lexiform_metrics::Features;
use lexiform_search::Encoder;

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};

/// Placeholder for the label or caption in a template.
pub(crate) const PLACEHOLDER: &str = "{}";
/// Texts per batch and progress step.
const BATCH: usize = 256;

/// Text features, `[texts, dim]`.
pub(crate) fn embed_texts(
    encoder: &dyn Encoder,
    texts: &[String],
    events: &mut OnEvent<'_>,
) -> Result<Features, EvalError> {
    events(EvalEvent::Started { steps: texts.len().div_ceil(BATCH) });
    let mut rows = Vec::with_capacity(texts.len() * encoder.dim());
    // Batches bound the memory of the text tower, and give the progress bar its steps.
    for chunk in texts.chunks(BATCH) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        let features = encoder.text_features(&chunk).map_err(EvalError::Encode)?;
        features.iter().for_each(|row| rows.extend_from_slice(row));
        events(EvalEvent::Step { item: "texts" });
    }
    events(EvalEvent::Finished);
    Ok(Features::new(rows, encoder.dim())?)
}

/// Every text in every template, grouped by text.
pub(crate) fn sentences<'a>(texts: impl IntoIterator<Item = &'a str>, templates: &[String]) -> Vec<String> {
    texts.into_iter().flat_map(|text| templates.iter().map(move |t| t.replace(PLACEHOLDER, text))).collect()
}
