//! Records that may be answers. Most of them are not, so payloads are read for those that are.

use lexiform_model::Embedding;
use lexiform_store::{Payload, RecordId, SearchRequest};

use crate::{Answer, Error, Library, Query};

/// A ranked record.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub id: RecordId,
    /// Cosine similarity, or the fused score of several models.
    pub score: f32,
    /// Rank by meaning.
    pub semantic_rank: Option<usize>,
    /// Rank by names.
    pub name_rank: Option<usize>,
    /// Metadata, if it was read already.
    pub payload: Option<Payload>,
}

impl From<Answer> for Candidate {
    fn from(Answer { score, semantic_rank, name_rank, id, payload, .. }: Answer) -> Self {
        Self { id, score, semantic_rank, name_rank, payload: Some(payload) }
    }
}

impl Library {
    /// As [`search_embedded`](Self::search_embedded), without payloads where the ranking does not need them.
    pub(crate) fn rank_embedded(
        &self,
        embeddings: &[Embedding],
        query: &Query,
    ) -> Result<Vec<Candidate>, Error> {
        match embeddings {
            // How separate an object in a scene is, is in its payload.
            [embedding] if !self.has_scenes()? => {
                let nearest = self.store().nearest(&SearchRequest {
                    filter: query.filter.clone(),
                    ..SearchRequest::new(embedding.as_slice().to_vec(), query.k)
                })?;
                let candidate = |(i, (id, score))| Candidate {
                    id,
                    score,
                    semantic_rank: Some(i + 1),
                    name_rank: None,
                    payload: None,
                };
                Ok(nearest.into_iter().enumerate().map(candidate).collect())
            }
            terms => Ok(self.search_embedded(terms, query)?.into_iter().map(Candidate::from).collect()),
        }
    }

    /// Answers in the order of the candidates; without records that were deleted meanwhile.
    pub(crate) fn answers(&self, candidates: Vec<Candidate>) -> Result<Vec<Answer>, Error> {
        let is_unread = |candidate: &&Candidate| candidate.payload.is_none();
        let unread: Vec<RecordId> =
            candidates.iter().filter(is_unread).map(|candidate| candidate.id).collect();
        let mut read = self.store().payloads(&unread)?.into_iter();
        let with_payload = |candidate: Candidate| {
            let payload = candidate.payload.or_else(|| read.next().flatten())?;
            let ranks = (candidate.semantic_rank, candidate.name_rank);
            Some(self.answer(0, candidate.score, ranks, candidate.id, payload))
        };
        let mut answers: Vec<Answer> = candidates.into_iter().filter_map(with_payload).collect();
        answers.iter_mut().enumerate().for_each(|(i, answer)| answer.rank = i + 1);
        Ok(answers)
    }
}
