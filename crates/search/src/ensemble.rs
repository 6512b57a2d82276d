//! Searching with several models of a library: each searches alone, then the results are fused.

use std::collections::BTreeMap;
use std::str::FromStr;

use lexiform_model::Embedding;
use lexiform_store::RecordId;

use crate::candidate::Candidate;
use crate::fusion::{candidates, reciprocal_rank};
use crate::hybrid::{self, SemanticRanking};
use crate::min_search::min_score;
use crate::{Answer, Error, Library, Query, SearchResults};

/// How the results of several models are fused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fusion {
    /// [Reciprocal rank fusion](https://doi.org/10.1145/1571941.1572114): the sum of `weight / (60 + rank)`. Does not
    /// need comparable scores.
    #[default]
    ReciprocalRank,
    /// The weighted mean of standardized cosine similarities (mean 0, standard deviation 1 over the candidates).
    WeightedScore,
}

impl FromStr for Fusion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "rrf" => Ok(Self::ReciprocalRank),
            "weighted" => Ok(Self::WeightedScore),
            _ => Err(format!("expected rrf or weighted, found {text:?}")),
        }
    }
}

/// A model of an ensemble.
pub struct EnsembleMember {
    /// Weight of its results, at least 0.
    pub weight: f32,
    /// The library opened with this model.
    pub library: Library,
}

/// Several models of one library whose search results are fused.
pub struct Ensemble {
    members: Vec<EnsembleMember>,
    fusion: Fusion,
}

impl Ensemble {
    /// An ensemble of models of one library.
    ///
    /// # Errors
    /// [`Error::Query`] without members, for members of different libraries, and for weights that are negative, not
    /// finite or all 0.
    pub fn new(members: Vec<EnsembleMember>, fusion: Fusion) -> Result<Self, Error> {
        let refused = |reason: &str| Err(Error::Query { reason: reason.to_owned() });
        let Some(first) = members.first() else { return refused("no models") };
        if members.iter().any(|member| member.library.library_path() != first.library.library_path()) {
            return refused("the models belong to different libraries");
        }
        let is_valid = |weight: f32| weight.is_finite() && weight >= 0.0;
        if !members.iter().all(|member| is_valid(member.weight))
            || members.iter().all(|member| member.weight == 0.0)
        {
            return refused("expected finite weights of at least 0, not all 0");
        }
        Ok(Self { members, fusion })
    }

    /// The members.
    pub fn members(&self) -> &[EnsembleMember] {
        &self.members
    }

    /// The best answers of all members, best first; ties in order of id. With one member, the same as
    /// [`Library::search`].
    ///
    /// # Errors
    /// As for [`Library::search`].
    pub fn search(&self, query: &Query) -> Result<Vec<Answer>, Error> {
        Ok(self.search_results(query)?.answers)
    }

    /// As [`search`](Self::search), with the words that were searched for in another spelling.
    ///
    /// # Errors
    /// As for [`search`](Self::search).
    pub fn search_results(&self, query: &Query) -> Result<SearchResults, Error> {
        if let [alone] = &self.members[..] {
            return alone.library.search_results(query);
        }
        hybrid::search(&self.libraries(), query, &|query| {
            let candidates = self.search_semantic(query)?.into_iter().map(Candidate::from).collect();
            Ok(SemanticRanking { candidates, terms: Vec::new() })
        })
    }

    fn libraries(&self) -> Vec<&Library> {
        self.members.iter().map(|member| &member.library).collect()
    }

    /// The best answers by meaning.
    fn search_semantic(&self, query: &Query) -> Result<Vec<Answer>, Error> {
        let wider = Query { k: candidates(query.k), ..query.clone() };
        let (mut queries, mut lists) = (Vec::new(), Vec::new());
        for member in &self.members {
            let terms = member.library.query_embeddings(query)?;
            lists.push(member.library.search_embedded(&terms, &wider)?);
            queries.push(terms);
        }
        let scores = match self.fusion {
            Fusion::ReciprocalRank => self.reciprocal_rank_scores(&lists),
            Fusion::WeightedScore => self.weighted_scores(&lists, &queries),
        };
        // Ids are shared by the models of a library: the same file is one answer.
        let mut answers: BTreeMap<RecordId, Answer> = BTreeMap::new();
        for answer in lists.into_iter().flatten() {
            answers.entry(answer.id).or_insert(answer);
        }
        let mut answers: Vec<Answer> = answers.into_values().collect();
        // Scores of single models are replaced by the fused ones.
        for answer in &mut answers {
            answer.score = scores.get(&answer.id).copied().unwrap_or(f32::NEG_INFINITY);
        }
        answers.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        answers.truncate(query.k);
        for (i, answer) in answers.iter_mut().enumerate() {
            (answer.rank, answer.semantic_rank) = (i + 1, Some(i + 1));
        }
        Ok(answers)
    }

    /// Fused scores of all candidates; candidates that a model does not propose get nothing from it.
    fn reciprocal_rank_scores(&self, lists: &[Vec<Answer>]) -> BTreeMap<RecordId, f32> {
        let mut scores = BTreeMap::new();
        for (member, list) in self.members.iter().zip(lists) {
            for answer in list {
                *scores.entry(answer.id).or_insert(0.0) += reciprocal_rank(member.weight, answer.rank);
            }
        }
        scores
    }

    /// Weighted mean of the models' standardized scores, for all candidates. `queries` has the embeddings of the query's terms by
    /// each model.
    fn weighted_scores(&self, lists: &[Vec<Answer>], queries: &[Vec<Embedding>]) -> BTreeMap<RecordId, f32> {
        // In order of id: `keys` and `values_mut` below visit candidates in the same order.
        let mut scores: BTreeMap<RecordId, f32> =
            lists.iter().flatten().map(|answer| (answer.id, 0.0)).collect();
        // Not 0: checked by `new`.
        let total: f32 = self.members.iter().map(|member| member.weight).sum();
        for ((member, list), terms) in self.members.iter().zip(lists).zip(queries) {
            let known: BTreeMap<RecordId, f32> =
                list.iter().map(|answer| (answer.id, answer.score)).collect();
            // Candidates of other models get this model's cosine too: a missing one would count as the lowest.
            let cosines: Vec<Option<f32>> = scores
                .keys()
                .map(|id| known.get(id).copied().or_else(|| cosine(&member.library, *id, terms)))
                .collect();
            for (score, standard) in scores.values_mut().zip(standardized(&cosines)) {
                *score += member.weight / total * standard;
            }
        }
        scores
    }
}

/// Lowest cosine similarity of a record and the terms of a query, if this model has embedded the record.
fn cosine(library: &Library, id: RecordId, terms: &[Embedding]) -> Option<f32> {
    library.embedding(id).ok().map(|embedding| min_score(terms, embedding.as_slice()))
}

/// Standardizes to mean 0 and standard deviation 1. Missing values count as the lowest one.
fn standardized(values: &[Option<f32>]) -> Vec<f32> {
    let known: Vec<f32> = values.iter().flatten().copied().collect();
    let count = known.len().max(1) as f32;
    let mean = known.iter().sum::<f32>() / count;
    let deviation = (known.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt();
    let lowest = known.iter().copied().fold(f32::INFINITY, f32::min);
    // Without differences, the model does not prefer any candidate.
    let standard = |value: f32| if deviation > 0.0 { (value - mean) / deviation } else { 0.0 };
    values
        .iter()
        .map(|value| if known.is_empty() { 0.0 } else { standard(value.unwrap_or(lowest)) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_count_as_the_lowest() {
        let found = standardized(&[Some(1.0), None, Some(3.0)]);
        assert_eq!(found, [-1.0, -1.0, 1.0]);
        assert_eq!(standardized(&[None, None]), [0.0, 0.0]);
        assert_eq!(standardized(&[Some(2.0), Some(2.0)]), [0.0, 0.0]);
    }
}
