//! One question to several models of a library: each answers alone, then the answers are combined.

use std::collections::BTreeMap;
use std::str::FromStr;

use lexiform_model::Embedding;
use lexiform_store::RecordId;

use crate::{Answer, Error, Library, Query};

/// Adds to every rank, so that the first places do not decide alone (Cormack, Clarke and Büttcher, SIGIR 2009).
const RANK_OFFSET: f32 = 60.0;
/// Answers each model proposes for one that is asked for, and at least.
const PROPOSED: (usize, usize) = (4, 200);

/// How answers of several models become one list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// Reciprocal rank fusion: the sum of `weight / (60 + rank)`. Scores of different models need not compare.
    #[default]
    Rank,
    /// The weighted mean of standardized cosines (mean 0, deviation 1 over what the models proposed).
    Weight,
}

impl FromStr for Combine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "rank" => Ok(Self::Rank),
            "weight" => Ok(Self::Weight),
            _ => Err(format!("expected rank or weight, found {text:?}")),
        }
    }
}

/// A model with its say.
pub struct Member {
    /// How much it counts; from 0 up.
    pub weight: f32,
    /// The library as this model sees it.
    pub library: Library,
}

/// Several models of one library that answer together.
pub struct Ensemble {
    members: Vec<Member>,
    combine: Combine,
}

impl Ensemble {
    /// # Errors
    /// [`Error::Query`] without members, with members of different places, or with weights that are no finite numbers
    /// from 0 up or all 0.
    pub fn new(members: Vec<Member>, combine: Combine) -> Result<Self, Error> {
        let refused = |reason: &str| Err(Error::Query { reason: reason.to_owned() });
        let Some(first) = members.first() else { return refused("no model is to answer it") };
        if members.iter().any(|member| member.library.place() != first.library.place()) {
            return refused("its models look at different libraries");
        }
        let is_sound = |weight: f32| weight.is_finite() && weight >= 0.0;
        if !members.iter().all(|member| is_sound(member.weight))
            || members.iter().all(|member| member.weight == 0.0)
        {
            return refused("the weights of its models must be numbers from 0 up, not all 0");
        }
        Ok(Self { members, combine })
    }

    /// The members.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The answers all members agree on most, best first; equal ones in order of id. One member answers as its
    /// library does.
    pub fn search(&self, query: &Query) -> Result<Vec<Answer>, Error> {
        if let [alone] = &self.members[..] {
            return alone.library.search(query);
        }
        let proposed = query.k.saturating_mul(PROPOSED.0).max(PROPOSED.1);
        let mut lists = Vec::with_capacity(self.members.len());
        for member in &self.members {
            lists.push(member.library.search(&Query { k: proposed, ..query.clone() })?);
        }
        let scores = match self.combine {
            Combine::Rank => self.by_rank(&lists),
            Combine::Weight => self.by_weight(&lists, query)?,
        };
        let mut answers: BTreeMap<RecordId, Answer> = BTreeMap::new();
        for answer in lists.into_iter().flatten() {
            answers.entry(answer.id).or_insert(answer);
        }
        let mut answers: Vec<Answer> = answers.into_values().collect();
        for answer in &mut answers {
            answer.score = scores.get(&answer.id).copied().unwrap_or(f32::NEG_INFINITY);
        }
        answers.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        answers.truncate(query.k);
        answers.iter_mut().enumerate().for_each(|(i, answer)| answer.rank = i + 1);
        Ok(answers)
    }

    fn by_rank(&self, lists: &[Vec<Answer>]) -> BTreeMap<RecordId, f32> {
        let mut scores = BTreeMap::new();
        for (member, list) in self.members.iter().zip(lists) {
            for answer in list {
                *scores.entry(answer.id).or_insert(0.0) += member.weight / (RANK_OFFSET + answer.rank as f32);
            }
        }
        scores
    }

    fn by_weight(&self, lists: &[Vec<Answer>], query: &Query) -> Result<BTreeMap<RecordId, f32>, Error> {
        let mut scores: BTreeMap<RecordId, f32> =
            lists.iter().flatten().map(|answer| (answer.id, 0.0)).collect();
        let total: f32 = self.members.iter().map(|member| member.weight).sum();
        for (member, list) in self.members.iter().zip(lists) {
            let direction = member.library.direction(query)?;
            let known: BTreeMap<RecordId, f32> =
                list.iter().map(|answer| (answer.id, answer.score)).collect();
            let cosines: Vec<Option<f32>> = scores
                .keys()
                .map(|id| known.get(id).copied().or_else(|| cosine(&member.library, *id, &direction)))
                .collect();
            for (score, standard) in scores.values_mut().zip(standardized(&cosines)) {
                *score += member.weight / total * standard;
            }
        }
        Ok(scores)
    }
}

/// How near a record is to a direction, if this model knows it.
fn cosine(library: &Library, id: RecordId, direction: &Embedding) -> Option<f32> {
    library.embedding(id).ok().map(|embedding| embedding.dot(direction))
}

/// Mean 0 and deviation 1. What a model does not know is as far as the farthest it knows.
fn standardized(values: &[Option<f32>]) -> Vec<f32> {
    let known: Vec<f32> = values.iter().flatten().copied().collect();
    let count = known.len().max(1) as f32;
    let mean = known.iter().sum::<f32>() / count;
    let deviation = (known.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt();
    let lowest = known.iter().copied().fold(f32::INFINITY, f32::min);
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
    fn what_a_model_does_not_know_counts_as_its_farthest() {
        let found = standardized(&[Some(1.0), None, Some(3.0)]);
        assert_eq!(found, [-1.0, -1.0, 1.0]);
        assert_eq!(standardized(&[None, None]), [0.0, 0.0]);
        assert_eq!(standardized(&[Some(2.0), Some(2.0)]), [0.0, 0.0]);
    }
}
