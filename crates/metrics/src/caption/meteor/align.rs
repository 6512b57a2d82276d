//! Selects an alignment from all matches: most words, then fewest chunks, then shortest distances, by a beam search.

use super::matching::{Match, Matches, Module};

/// Partial alignments that are continued.
const BEAM: usize = 40;

/// The matches of an alignment: no word is in two of them. One place per word of the reference.
pub(super) fn align(matches: &Matches) -> Vec<Option<Match>> {
    let mut beam = vec![Partial::with_the_only_ones(matches)];
    for (place, possible) in matches.at.iter().enumerate() {
        let mut continuations = Vec::new();
        for (parent, partial) in beam.iter().enumerate() {
            partial.continue_at(place, possible, parent, &mut continuations);
        }
        if continuations.is_empty() {
            beam.truncate(1);
            continue;
        }
        // Stable, as in the reference: of equally good ones the earlier is kept.
        continuations.sort_by_key(|continuation| continuation.progress.order());
        continuations.truncate(BEAM);
        beam = continuations.iter().map(|continuation| continuation.apply(&beam)).collect();
    }
    beam.iter_mut().for_each(|partial| partial.progress.end_chunk());
    beam.sort_by_key(|partial| partial.progress.order());
    beam.swap_remove(0).matches
}

/// An alignment of the first words of the reference.
#[derive(Clone)]
struct Partial {
    matches: Vec<Option<Match>>,
    used: Vec<bool>,
    candidate_used: Vec<bool>,
    progress: Progress,
}

/// How far and how good a partial alignment is.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Words of the candidate and of the reference, weighted.
    words: usize,
    chunks: usize,
    distance: usize,
    /// Words of the reference so far.
    next: usize,
    /// Where in the candidate the chunk continues.
    chunk_end: Option<usize>,
}

/// A partial alignment with one more word of the reference, before it is known whether it is among the best.
struct Continuation {
    parent: usize,
    found: Option<Match>,
    progress: Progress,
}

impl Continuation {
    fn apply(&self, beam: &[Partial]) -> Partial {
        let mut partial = Partial { progress: self.progress, ..beam[self.parent].clone() };
        if let Some(found) = &self.found {
            partial.matches[found.start] = Some(*found);
            partial.set_used(found);
        }
        partial
    }
}

impl Partial {
    /// Matches of which none shares a word with another are part of every alignment.
    fn with_the_only_ones(all: &Matches) -> Self {
        let mut partial = Self {
            matches: vec![None; all.at.len()],
            used: vec![false; all.at.len()],
            candidate_used: vec![false; all.candidate_coverage.len()],
            progress: Progress::default(),
        };
        for (place, matches) in all.at.iter().enumerate() {
            let [only] = matches[..] else { continue };
            let covered = all.coverage[only.reference_words()].iter();
            if covered.chain(&all.candidate_coverage[only.candidate_words()]).all(|count| *count == 1) {
                partial.matches[place] = Some(only);
                partial.set_used(&only);
            }
        }
        partial
    }

    /// Adds the continuations at a word of the reference: each match that is still possible, and none.
    fn continue_at(&self, place: usize, matches: &[Match], parent: usize, all: &mut Vec<Continuation>) {
        let mut progress = self.progress;
        if self.used[place] {
            if place >= progress.next {
                // A match that is part of every alignment.
                let Some(fixed) = self.matches[progress.next] else { return };
                progress.take(&fixed);
                progress.distance += fixed.distance();
            }
            all.push(Continuation { parent, found: None, progress });
            return;
        }
        for found in matches.iter().filter(|found| !self.is_used(found)) {
            let mut matched = progress;
            matched.take(found);
            all.push(Continuation { parent, found: Some(*found), progress: matched });
            // A quirk of the reference, which adds the distance to the alignment without the match.
            progress.distance += found.distance();
        }
        progress.end_chunk();
        progress.next += 1;
        all.push(Continuation { parent, found: None, progress });
    }

    fn is_used(&self, found: &Match) -> bool {
        let used = self.used[found.reference_words()].iter();
        used.chain(&self.candidate_used[found.candidate_words()]).any(|used| *used)
    }

    fn set_used(&mut self, found: &Match) {
        self.used[found.reference_words()].fill(true);
        self.candidate_used[found.candidate_words()].fill(true);
    }
}

impl Progress {
    /// What partial alignments are sorted by, best first.
    fn order(&self) -> (std::cmp::Reverse<usize>, usize, usize) {
        (std::cmp::Reverse(self.words), self.chunks, self.distance)
    }

    /// Counts a match.
    fn take(&mut self, found: &Match) {
        self.words += found.weighted(found.candidate_length) + found.weighted(found.length);
        if self.chunk_end.is_some_and(|end| end != found.candidate_start) {
            self.chunks += 1;
        }
        self.next = found.start + found.length;
        self.chunk_end = Some(found.candidate_start + found.candidate_length);
    }

    fn end_chunk(&mut self) {
        self.chunks += usize::from(self.chunk_end.take().is_some());
    }
}

impl Match {
    /// Its words in the reference.
    pub(super) fn reference_words(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.length
    }

    /// Its words in the candidate.
    pub(super) fn candidate_words(&self) -> std::ops::Range<usize> {
        self.candidate_start..self.candidate_start + self.candidate_length
    }

    /// How far apart its words are in both captions.
    fn distance(&self) -> usize {
        self.start.abs_diff(self.candidate_start)
    }

    /// What a number of words counts in the search: half, rounded down, if they are not the same.
    fn weighted(&self, words: usize) -> usize {
        if self.module == Module::Exact { words } else { words / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(candidate: usize, pairs: &[(usize, usize)], reference: usize) -> Matches {
        let mut matches = Matches {
            at: vec![Vec::new(); reference],
            coverage: vec![0; reference],
            candidate_coverage: vec![0; candidate],
        };
        for &(candidate_start, start) in pairs {
            let module = Module::Exact;
            matches.at[start].push(Match { start, length: 1, candidate_start, candidate_length: 1, module });
            matches.coverage[start] += 1;
            matches.candidate_coverage[candidate_start] += 1;
        }
        matches
    }

    #[test]
    fn fewest_chunks_win() {
        // "the cat the dog" and "the dog": the second "the" continues with "dog".
        let matches = matches(4, &[(0, 0), (2, 0), (3, 1)], 2);
        let places: Vec<Option<usize>> =
            align(&matches).iter().map(|found| found.map(|found| found.candidate_start)).collect();
        assert_eq!(places, [Some(2), Some(3)]);
    }

    #[test]
    fn nothing_aligns_with_nothing() {
        assert_eq!(align(&matches(0, &[], 0)), []);
        assert_eq!(align(&matches(0, &[], 2)), [None, None]);
        assert_eq!(align(&matches(2, &[], 0)), []);
    }
}
