//! METEOR (<https://aclanthology.org/W14-3348>), version 1.5 with its settings for English, as pycocoevalcap runs it.
//!
//! Words of a candidate and a reference are aligned if they are the same, have the same stem, a meaning of WordNet in common, or
//! are part of phrases that paraphrase each other. Meanings and paraphrases are tables of others: [`MeteorTables`].
//!
//! ```no_run
//! use std::io::BufReader;
//! use lexiform_metrics::caption::CaptionItem;
//! use lexiform_metrics::caption::meteor::{Meteor, MeteorTables};
//!
//! let items = [CaptionItem { candidate: "a red sofa".to_owned(), references: vec!["a red couch".to_owned()] }];
//! let read = |name: &str| std::fs::read_to_string(format!("meteor/{name}")).unwrap();
//! let tables = MeteorTables {
//!     function_words: &read("function/english.words"),
//!     prefixes: &read("nonbreaking/english.prefixes"),
//!     exceptions: &read("synonym/english.exceptions"),
//!     synsets: &read("synonym/english.synsets"),
//! };
//! let paraphrases = BufReader::new(std::fs::File::open("paraphrase-en").unwrap());
//! let scores = Meteor::new(&tables)?.scores(&items, paraphrases)?;
//! # Ok::<(), lexiform_metrics::MetricsError>(())
//! ```

mod align;
mod matching;
mod normalize;
mod paraphrases;
mod statistics;
mod synonyms;

use std::collections::HashSet;
use std::io::BufRead;

use super::{CaptionItem, CaptionScores, check_items};
use crate::MetricsError;
use matching::Matcher;
use normalize::Normalizer;
use paraphrases::Paraphrases;
use statistics::Statistics;
use synonyms::Synonyms;

/// Most words of a caption: the time of the search grows with their square.
const MAX_WORDS: usize = 1_000;

/// The files of METEOR's archive that a score needs, as text.
#[derive(Clone, Copy, Debug)]
pub struct MeteorTables<'a> {
    /// Words that count less, `function/english.words`.
    pub function_words: &'a str,
    /// Abbreviations that keep their full stop, `nonbreaking/english.prefixes`.
    pub prefixes: &'a str,
    /// Irregular forms of words and their base forms, `synonym/english.exceptions`.
    pub exceptions: &'a str,
    /// Words and the numbers of their meanings, `synonym/english.synsets`.
    pub synsets: &'a str,
}

/// METEOR with its tables, except for paraphrases.
#[derive(Debug)]
pub struct Meteor {
    function_words: HashSet<String>,
    normalizer: Normalizer,
    synonyms: Synonyms,
}

impl Meteor {
    /// Reads the tables.
    ///
    /// # Errors
    /// If one is not in the format of METEOR 1.5.
    pub fn new(tables: &MeteorTables<'_>) -> Result<Self, MetricsError> {
        Ok(Self {
            function_words: tables.function_words.lines().map(str::to_owned).collect(),
            normalizer: Normalizer::new(tables.prefixes),
            synonyms: Synonyms::new(tables.exceptions, tables.synsets)?,
        })
    }

    /// METEOR of all items, from counts that are added before they are divided, and of each item with its best reference.
    ///
    /// Paraphrases are read from METEOR's table as text (`data/paraphrase-en.gz`, decompressed), three lines each. Only those
    /// between words of the items are kept in memory.
    ///
    /// # Errors
    /// If there are no items, one has no reference, a caption has more than 1,000 words, or paraphrases cannot be read.
    pub fn scores(
        &self,
        items: &[CaptionItem],
        paraphrases: impl BufRead,
    ) -> Result<CaptionScores, MetricsError> {
        check_items(items)?;
        let items: Vec<NormalizedItem> = items.iter().map(|item| self.normalized(item)).collect();
        for (item, words) in
            items.iter().enumerate().flat_map(|(i, item)| item.captions().map(move |c| (i, c)))
        {
            if words.len() > MAX_WORDS {
                return Err(MetricsError::CaptionTooLong { item, limit: MAX_WORDS, found: words.len() });
            }
        }
        let words = items.iter().flat_map(NormalizedItem::captions).flatten().map(String::as_str).collect();
        let paraphrases = Paraphrases::read(paraphrases, words)?;
        let matcher = Matcher::new(&self.synonyms, &paraphrases);
        let best: Vec<Statistics> = items.iter().map(|item| self.best(item, &matcher)).collect();
        let mut total = Statistics::default();
        best.iter().for_each(|statistics| total.add(statistics));
        Ok(CaptionScores { corpus: total.score(), items: best.iter().map(Statistics::score).collect() })
    }

    fn normalized(&self, item: &CaptionItem) -> NormalizedItem {
        // The reference's protocol separates captions by this mark, and pairs of spaces in candidates become one.
        let candidate = item.candidate.replace("|||", "").replace("  ", " ");
        NormalizedItem {
            candidate: self.normalizer.words(&candidate),
            references: item.references.iter().map(|reference| self.normalizer.words(reference)).collect(),
        }
    }

    /// Statistics of the first reference with the best score.
    fn best(&self, item: &NormalizedItem, matcher: &Matcher<'_>) -> Statistics {
        let mut best = None;
        for reference in &item.references {
            let statistics = self.statistics(&item.candidate, reference, matcher);
            let score = statistics.score();
            if best.as_ref().is_none_or(|(best_score, _)| score > *best_score) {
                best = Some((score, statistics));
            }
        }
        best.map(|(_, statistics)| statistics).unwrap_or_default()
    }

    fn statistics(&self, candidate: &[String], reference: &[String], matcher: &Matcher<'_>) -> Statistics {
        let candidates = matcher.candidates(candidate, reference);
        let alignment = align::align(&candidates);
        let is_function = |words: &[String]| -> Vec<bool> {
            words.iter().map(|word| self.function_words.contains(word)).collect()
        };
        Statistics::new(&is_function(candidate), &is_function(reference), &alignment)
    }
}

/// An item as METEOR splits it into words.
struct NormalizedItem {
    candidate: Vec<String>,
    references: Vec<Vec<String>>,
}

impl NormalizedItem {
    fn captions(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.candidate).chain(&self.references)
    }
}
