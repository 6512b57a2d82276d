//! Hybrid search: the ranking by meaning, fused with the ranking by names.

use std::collections::{HashMap, HashSet};

use lexiform_model::Embedding;
use lexiform_model::tokenizer::Tokenizer;
use lexiform_store::{NameHit, NameRequest, NameSearch, RecordId, SpellingCorrection};

use crate::candidate::Candidate;
use crate::fusion::{candidates, reciprocal_rank};
use crate::min_search::min_score;
use crate::query_names::{corrected, name_request};
use crate::scene::keep_distinct;
use crate::{Answer, Error, Library, Query, QueryTerm, RankBy};

/// Records that are searched for each answer of a library with scenes.
const PROPOSALS_PER_OBJECT: usize = 16;

/// Records ranked by meaning.
pub(crate) struct SemanticRanking {
    /// The best ones, best first.
    pub candidates: Vec<Candidate>,
    /// What records are compared with; empty if scores of several models are fused.
    pub terms: Vec<Embedding>,
}

/// The results of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchResults {
    /// The best answers, best first.
    pub answers: Vec<Answer>,
    /// Words of the query that are in no name, and the similar words that names were searched for instead.
    pub corrections: Vec<SpellingCorrection>,
    /// Texts of the query that no model understands, and no name in the library matches: the answers say little.
    pub unknown_texts: Vec<String>,
}

impl Library {
    /// The records that match a query best: by meaning, by names or by both, as its [`rank_by`](Query::rank_by) says.
    ///
    /// # Errors
    /// As for [`query_embeddings`](Self::query_embeddings), [`Error::Query`] if a query of names has no text, and
    /// [`Error::Store`] if the library cannot be read.
    pub fn search(&self, query: &Query) -> Result<Vec<Answer>, Error> {
        Ok(self.search_results(query)?.answers)
    }

    /// As [`search`](Self::search), with the words that were searched for in another spelling.
    ///
    /// # Errors
    /// As for [`search`](Self::search).
    pub fn search_results(&self, query: &Query) -> Result<SearchResults, Error> {
        search(&[self], query, &|query| {
            let terms = self.query_embeddings(query)?;
            Ok(SemanticRanking { candidates: self.rank_embedded(&terms, query)?, terms })
        })
    }
}

/// Ranks the records of a library by meaning.
pub(crate) type RankSemantically<'a> = dyn Fn(&Query) -> Result<SemanticRanking, Error> + 'a;

/// Searches by meaning and by names, as the query has it. `models` is the library opened with each model that `semantic` uses.
pub(crate) fn search(
    models: &[&Library],
    query: &Query,
    semantic: &RankSemantically<'_>,
) -> Result<SearchResults, Error> {
    // Proposals in scenes overlap: of many, the best are kept.
    let has_scenes = match models.first() {
        Some(library) => library.has_scenes()?,
        None => false,
    };
    let count = if has_scenes { query.k.saturating_mul(PROPOSALS_PER_OBJECT) } else { query.k };
    let mut results = search_all(models, &Query { k: count, ..query.clone() }, semantic)?;
    if has_scenes {
        keep_distinct(&mut results.answers, query.k);
    }
    if let Some(least) = query.min_score {
        results.answers.retain(|answer| answer.score >= least);
    }
    Ok(results)
}

fn search_all(
    models: &[&Library],
    query: &Query,
    semantic: &RankSemantically<'_>,
) -> Result<SearchResults, Error> {
    let Some(library) = models.first() else { return Ok(SearchResults::default()) };
    let by_meaning = |query: &Query, corrections: Vec<SpellingCorrection>| -> Result<SearchResults, Error> {
        let answers = library.answers(semantic(query)?.candidates)?;
        Ok(SearchResults { answers, corrections, unknown_texts: unknown(models, query) })
    };
    let Some(NameSearch { hits, corrections, .. }) = search_names(models, query)? else {
        return match query.rank_by {
            RankBy::Name => Err(Error::Query { reason: "no text to compare with names".to_owned() }),
            RankBy::Semantic | RankBy::Hybrid => by_meaning(query, Vec::new()),
        };
    };
    let query = corrected(query, &corrections, &|word| knows_word(models, word));
    // Nothing to fuse: exactly the ranking by meaning.
    if hits.is_empty() && query.rank_by == RankBy::Hybrid {
        return by_meaning(&query, corrections);
    }
    let ranking = semantic(&Query { k: candidates(query.k), ..query.clone() })?;
    let answers = library.answers(fuse(library, &query, ranking, &hits)?)?;
    let unknown_texts = if hits.is_empty() { unknown(models, &query) } else { Vec::new() };
    Ok(SearchResults { answers, corrections, unknown_texts })
}

/// Texts of a query, wanted and unwanted ones, that all models are known not to understand.
fn unknown(models: &[&Library], query: &Query) -> Vec<String> {
    let understands =
        |text: &str| models.iter().any(|library| library.encoder().understands(text).unwrap_or(true));
    let texts = query.terms.iter().filter_map(|(_, term)| match term {
        QueryTerm::Text(text) => Some(text),
        _ => None,
    });
    texts.filter(|text| !understands(text)).cloned().collect()
}

/// The search in names for a query; `None` if names have no part in it.
fn search_names(models: &[&Library], query: &Query) -> Result<Option<NameSearch>, Error> {
    query.check()?;
    let (Some(library), false) = (models.first(), query.rank_by == RankBy::Semantic) else { return Ok(None) };
    let Some(request) = name_request(query) else { return Ok(None) };
    let found = library.store().search_names(&request)?;
    let unknown = found.unmatched.iter().filter(|word| knows_word(models, word) != Some(true));
    let misspelled: Vec<String> = unknown.cloned().collect();
    if misspelled.is_empty() {
        return Ok(Some(found));
    }
    let repaired = library.store().search_names(&NameRequest { misspelled, ..request.clone() })?;
    // A word that is spelled right says nothing about a similar name: "dessert" is no "dresser". CLIP's vocabulary, which was made
    // from captions, has the usual words; it takes 0.1 s to read, so only words that would be replaced are looked up.
    let typed = repaired.corrections.iter().map(|correction| &correction.typed);
    let misspelled: Vec<String> = typed.filter(|typed| !Tokenizer::Clip.has_word(typed)).cloned().collect();
    if misspelled.len() == repaired.corrections.len() {
        return Ok(Some(repaired));
    }
    Ok(Some(library.store().search_names(&NameRequest { misspelled, ..request })?))
}

/// Whether one of the models knows a word; `None` if that cannot be said.
fn knows_word(models: &[&Library], word: &str) -> Option<bool> {
    models.iter().filter_map(|library| library.encoder().knows_word(word)).max()
}

/// The best candidates of both rankings.
fn fuse(
    library: &Library,
    query: &Query,
    ranking: SemanticRanking,
    hits: &[NameHit],
) -> Result<Vec<Candidate>, Error> {
    let SemanticRanking { mut candidates, terms } = ranking;
    let by_id: HashMap<RecordId, &NameHit> = hits.iter().map(|hit| (hit.id, hit)).collect();
    for candidate in &mut candidates {
        candidate.name_rank = by_id.get(&candidate.id).map(|hit| hit.rank);
    }
    let known: HashSet<RecordId> = candidates.iter().map(|candidate| candidate.id).collect();
    // Hits come in order of rank: further ones are not among the best of those that only names propose.
    let others: Vec<&NameHit> = hits.iter().filter(|hit| !known.contains(&hit.id)).take(query.k).collect();
    candidates.extend(named_candidates(library, &others, &terms)?);
    if query.rank_by == RankBy::Name {
        candidates.retain(|candidate| candidate.name_rank.is_some());
    }
    let key = |candidate: &Candidate| match query.rank_by {
        RankBy::Name => -(candidate.name_rank.unwrap_or(usize::MAX) as f32),
        RankBy::Semantic | RankBy::Hybrid => fused_score(candidate, by_id.get(&candidate.id).copied()),
    };
    let meaning = |candidate: &Candidate| candidate.semantic_rank.unwrap_or(usize::MAX);
    candidates
        .sort_by(|a, b| key(b).total_cmp(&key(a)).then(meaning(a).cmp(&meaning(b))).then(a.id.cmp(&b.id)));
    candidates.truncate(query.k);
    Ok(candidates)
}

/// The sum over both rankings. Names count by the square of their coverage: a name with a minor word of the query, as "red cube" for
/// "red car", lifts a record by few ranks only.
fn fused_score(candidate: &Candidate, hit: Option<&NameHit>) -> f32 {
    let of_names = hit.map_or(0.0, |hit| reciprocal_rank(hit.coverage.powi(2), hit.rank));
    candidate.semantic_rank.map_or(0.0, |rank| reciprocal_rank(1.0, rank)) + of_names
}

/// Candidates that only names propose.
fn named_candidates(
    library: &Library,
    hits: &[&NameHit],
    terms: &[Embedding],
) -> Result<Vec<Candidate>, Error> {
    let ids: Vec<RecordId> = hits.iter().map(|hit| hit.id).collect();
    let vectors = library.store().vectors(&ids)?;
    let candidates = vectors.into_iter().zip(hits).filter_map(|(vector, hit)| {
        // Deleted since the search by another process.
        let vector = vector?;
        // Fused scores of several models are sums, to which models that do not propose a record add nothing.
        let score = if terms.is_empty() { 0.0 } else { min_score(terms, &vector) };
        Some(Candidate { id: hit.id, score, semantic_rank: None, name_rank: Some(hit.rank), payload: None })
    });
    Ok(candidates.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(semantic_rank: Option<usize>, name: Option<(usize, f32)>) -> f32 {
        let id = RecordId::derive("a", "", 0);
        let candidate = Candidate { id, score: 0.0, semantic_rank, name_rank: None, payload: None };
        let hit = name.map(|(rank, coverage)| NameHit { id, rank, score: 0.0, coverage });
        fused_score(&candidate, hit.as_ref())
    }

    #[test]
    fn ranks_are_fused_by_reciprocal_rank() {
        let check =
            |found: f32, expected: f32| assert!((found - expected).abs() < 1e-7, "{found} {expected}");
        check(score(Some(1), None), 1.0 / 61.0);
        check(score(None, Some((2, 1.0))), 1.0 / 62.0);
        check(score(Some(40), Some((3, 0.5))), 1.0 / 100.0 + 0.25 / 63.0);
        // A file that is called what is searched for comes before what only looks like it.
        assert!(score(Some(200), Some((1, 1.0))) > score(Some(1), None));
    }

    #[test]
    fn a_minor_word_lifts_an_answer_by_few_ranks() {
        // "Red car" among 100 files, of which one is called "red cube" and none "car".
        let (red, car) = ((1.0_f32 + 99.5 / 1.5).ln(), 3.0 * (1.0_f32 + 100.5 / 0.5).ln());
        let coverage = red / (red + car);
        assert!(score(Some(4), Some((1, coverage))) < score(Some(1), None));
        assert!(score(Some(4), Some((1, coverage))) > score(Some(3), None));
    }
}
