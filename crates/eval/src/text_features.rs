//! Features of texts: sentences and captions.

use lexiform_metrics::Features;
use lexiform_search::Encoder;

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};

/// The place of a label or caption in a template.
pub(crate) const PLACEHOLDER: &str = "{}";
/// Texts between two steps of the progress.
const BATCH: usize = 256;

/// Texts as rows of features, `[texts, dim]`.
pub(crate) fn embed_texts(
    encoder: &dyn Encoder,
    texts: &[String],
    events: &mut OnEvent<'_>,
) -> Result<Features, EvalError> {
    events(EvalEvent::Started { steps: texts.len().div_ceil(BATCH) });
    let mut rows = Vec::with_capacity(texts.len() * encoder.dim());
    for chunk in texts.chunks(BATCH) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        let features = encoder.text_features(&chunk).map_err(EvalError::Encode)?;
        features.iter().for_each(|row| rows.extend_from_slice(row));
        events(EvalEvent::Step { item: "words" });
    }
    events(EvalEvent::Finished);
    Ok(Features::new(rows, encoder.dim())?)
}

/// Every text in every template, a text's sentences together.
pub(crate) fn sentences<'a>(texts: impl IntoIterator<Item = &'a str>, templates: &[String]) -> Vec<String> {
    texts.into_iter().flat_map(|text| templates.iter().map(move |t| t.replace(PLACEHOLDER, text))).collect()
}
