//! The embedding stage of an indexing run: shapes in batches through the model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender};

use lexiform_model::Embedding;

use super::outcome::{IndexOutcome, NewRecord};
use super::prepare::Prepared;
use crate::preprocess::panic_message;
use crate::query::encode_error;
use crate::{Encoder, Error, ModelInput};

/// Shapes in one call of the model.
pub(super) const BATCH_SIZE: usize = 8;

/// Embeds shapes as they arrive: all that are waiting go into one batch. Stops at the first error.
pub(super) fn embed_all(
    encoder: &dyn Encoder,
    prepared: &Receiver<Prepared>,
    to_store: &SyncSender<Result<IndexOutcome, Error>>,
) {
    while let Ok(first) = prepared.recv() {
        let mut batch = vec![first];
        // Do not wait for a full batch: an idle model is worse than a small batch.
        batch.extend(prepared.try_iter().take(BATCH_SIZE - 1));
        for outcome in embed_batch(encoder, batch) {
            let is_error = outcome.is_err();
            if to_store.send(outcome).is_err() || is_error {
                return;
            }
        }
    }
}

/// Embeds a batch in one call; if that fails, each shape in a separate call, so that one shape cannot fail the others.
fn embed_batch(encoder: &dyn Encoder, batch: Vec<Prepared>) -> Vec<Result<IndexOutcome, Error>> {
    match embed(encoder, batch.iter().map(|shape| shape.input.clone()).collect()) {
        Ok(embeddings) => {
            batch.into_iter().zip(embeddings).map(|(shape, vector)| Ok(embedded(shape, &vector))).collect()
        }
        Err(error) if batch.len() == 1 => vec![Err(error)],
        Err(error) => embed_individually(encoder, batch, error),
    }
}

/// Embeds the shapes of a batch that failed with `batch_error`. If the model still works, shapes that fail are failed
/// files; otherwise the model is at fault, and the last outcome is `batch_error`.
fn embed_individually(
    encoder: &dyn Encoder,
    batch: Vec<Prepared>,
    batch_error: Error,
) -> Vec<Result<IndexOutcome, Error>> {
    let results: Vec<Result<Embedding, Error>> =
        batch.iter().map(|shape| embed_one(encoder, shape)).collect();
    // A model that cannot recover (out of memory, device lost) also fails for shapes that worked before.
    let working = batch.iter().zip(&results).find(|(_, result)| result.is_ok());
    let model_works = working.is_some_and(|(shape, _)| embed_one(encoder, shape).is_ok());
    let results = batch.into_iter().zip(results);
    if model_works {
        return results.map(|(shape, result)| Ok(embedded_or_failed(shape, result))).collect();
    }
    let completed = results.filter_map(|(shape, result)| Some(Ok(embedded(shape, &result.ok()?))));
    completed.chain([Err(batch_error)]).collect()
}

/// The outcome of a shape that was embedded in a separate call.
fn embedded_or_failed(shape: Prepared, result: Result<Embedding, Error>) -> IndexOutcome {
    match result {
        Ok(embedding) => embedded(shape, &embedding),
        Err(error) => IndexOutcome::Failed {
            content_hash: Some(shape.payload.content_hash),
            candidate: shape.candidate,
            error: error.to_string(),
        },
    }
}

/// The outcome of a shape with its embedding.
fn embedded(shape: Prepared, embedding: &Embedding) -> IndexOutcome {
    let Prepared { payload, index_state, thumbnail, .. } = shape;
    let vector = embedding.as_slice().to_vec();
    IndexOutcome::Embedded(Box::new(NewRecord { payload, index_state, vector, thumbnail: Some(thumbnail) }))
}

fn embed_one(encoder: &dyn Encoder, shape: &Prepared) -> Result<Embedding, Error> {
    let embedding = embed(encoder, vec![shape.input.clone()])?.pop();
    embedding.ok_or_else(|| encode_error(encoder, "no embedding".into()))
}

/// One embedding per shape, or an error; a panic inside the model is an error.
fn embed(encoder: &dyn Encoder, shapes: Vec<ModelInput>) -> Result<Vec<Embedding>, Error> {
    let expected = shapes.len();
    // Unwind safe: encoders are shared immutably, and the shapes are consumed.
    let embeddings = catch_unwind(AssertUnwindSafe(|| encoder.embed_shapes(shapes)))
        .unwrap_or_else(|panic| Err(format!("internal error: {}", panic_message(&*panic)).into()))
        .map_err(|error| encode_error(encoder, error))?;
    if embeddings.len() == expected {
        return Ok(embeddings);
    }
    let message = format!("expected {expected} embeddings, found {}", embeddings.len());
    Err(encode_error(encoder, message.into()))
}
