//! Records similar to all terms of a query: the score is the lowest cosine similarity, as in
//! [OpenShape](https://arxiv.org/abs/2305.10764), section 4.4.

use std::collections::HashMap;

use lexiform_model::Embedding;
use lexiform_store::{Filter, Hit, RecordId, SearchRequest, StoreError, VectorStore};

/// Candidates of each term per requested answer in the first round.
const CANDIDATES_PER_ANSWER: usize = 4;
/// Minimum number of candidates of each term in the first round.
const MIN_CANDIDATES: usize = 256;

/// The lowest cosine similarity of a record to the terms.
pub(crate) fn min_score(terms: &[Embedding], record: &[f32]) -> f32 {
    let cosine = |term: &Embedding| term.as_slice().iter().zip(record).map(|(a, b)| a * b).sum::<f32>();
    terms.iter().map(cosine).fold(f32::INFINITY, f32::min)
}

/// The `k` records with the highest [`min_score`], best first; ties in order of id. Exact: a record that no term proposes
/// scores at most what the last candidate of each term does, so more candidates are fetched until that is not enough.
///
/// # Errors
/// If the store cannot be read.
pub(crate) fn search_min(
    store: &dyn VectorStore,
    terms: &[Embedding],
    filter: Option<&Filter>,
    k: usize,
) -> Result<Vec<Hit>, StoreError> {
    let mut count = k.saturating_mul(CANDIDATES_PER_ANSWER).max(MIN_CANDIDATES);
    let mut scored: HashMap<RecordId, Hit> = HashMap::new();
    loop {
        // What a record can score at most that is not among the candidates.
        let mut bound = f32::INFINITY;
        for term in terms {
            let request = SearchRequest {
                filter: filter.cloned(),
                ..SearchRequest::new(term.as_slice().to_vec(), count)
            };
            let hits = store.search(&request)?;
            bound = bound.min(match hits.last() {
                Some(last) if hits.len() == count => last.score,
                // The term has proposed all records.
                _ => f32::NEG_INFINITY,
            });
            add(store, terms, hits, &mut scored)?;
        }
        let mut best: Vec<&Hit> = scored.values().collect();
        best.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        best.truncate(k);
        if bound == f32::NEG_INFINITY
            || (best.len() == k && best.last().is_none_or(|last| last.score > bound))
        {
            return Ok(best.into_iter().cloned().collect());
        }
        count = count.saturating_mul(4);
    }
}

/// Scores the candidates that are new.
fn add(
    store: &dyn VectorStore,
    terms: &[Embedding],
    hits: Vec<Hit>,
    scored: &mut HashMap<RecordId, Hit>,
) -> Result<(), StoreError> {
    let new: Vec<Hit> = hits.into_iter().filter(|hit| !scored.contains_key(&hit.id)).collect();
    let ids: Vec<RecordId> = new.iter().map(|hit| hit.id).collect();
    for (hit, vector) in new.into_iter().zip(store.vectors(&ids)?) {
        // Deleted since the search by another process.
        let Some(vector) = vector else { continue };
        scored.insert(hit.id, Hit { score: min_score(terms, &vector), ..hit });
    }
    Ok(())
}
