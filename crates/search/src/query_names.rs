//! The words of a query for a search in names: its positive texts without stop words, the head nouns with more weight.

use lexiform_store::{NameRequest, NameWord, SpellingCorrection, name_words};

use crate::{Query, QueryTerm};

/// Weight of the noun that a phrase is about: a "red car" is a car more than it is red.
const HEAD_WEIGHT: f32 = 3.0;
/// Words that say nothing about a shape.
#[rustfmt::skip]
const STOP_WORDS: [&str; 21] = [
    "an", "and", "any", "anything", "are", "is", "it", "its", "my", "one", "or", "some", "something", "that", "the", "these", "thing",
    "things", "this", "used", "which",
];
/// Stop words that end the phrase before them: a "cup with a handle" is a cup.
const LINKS: [&str; 13] =
    ["at", "by", "can", "for", "from", "having", "in", "like", "made", "of", "on", "to", "with"];
/// What follows is unwanted.
const NEGATIONS: [&str; 2] = ["without", "not"];

/// The search in names for a query; `None` if its positive texts have no words.
pub(crate) fn name_request(query: &Query) -> Option<NameRequest> {
    let texts = query.terms.iter().filter_map(|(weight, term)| match term {
        QueryTerm::Text(text) if *weight > 0.0 => Some(text.as_str()),
        _ => None,
    });
    let groups = texts.map(weighted_words).filter(|words| !words.is_empty());
    let groups: Vec<Vec<NameWord>> = groups.collect();
    (!groups.is_empty()).then(|| NameRequest { groups, misspelled: Vec::new(), filter: query.filter.clone() })
}

/// The words of a text, each once.
fn weighted_words(text: &str) -> Vec<NameWord> {
    let mut words: Vec<NameWord> = Vec::new();
    // The number of words in the first phrase, once it has ended.
    let mut phrase_end = None;
    let all = name_words(text);
    let last = all.len().saturating_sub(1);
    for (i, word) in all.into_iter().enumerate() {
        if NEGATIONS.contains(&word.as_str()) {
            break;
        }
        // "A trash can": only between words is "can" a verb.
        let is_link = LINKS.contains(&word.as_str()) && !(word == "can" && i == last);
        if is_link && phrase_end.is_none() && !words.is_empty() {
            phrase_end = Some(words.len());
        }
        if is_link || STOP_WORDS.contains(&word.as_str()) || words.iter().any(|known| known.word == word) {
            continue;
        }
        words.push(NameWord { word, weight: 1.0 });
    }
    let head = phrase_end.unwrap_or(words.len());
    if let Some(head) = head.checked_sub(1).and_then(|last| words.get_mut(last)) {
        head.weight = HEAD_WEIGHT;
    }
    words
}

/// The query with the words corrected that the model is known not to know.
pub(crate) fn corrected(
    query: &Query,
    corrections: &[SpellingCorrection],
    knows: &dyn Fn(&str) -> Option<bool>,
) -> Query {
    let mut query = query.clone();
    for correction in corrections.iter().filter(|correction| knows(&correction.typed) == Some(false)) {
        for (weight, term) in &mut query.terms {
            if let QueryTerm::Text(text) = term
                && *weight > 0.0
            {
                *text = replace_word(text, correction);
            }
        }
    }
    query
}

/// The text with every occurrence of a word replaced; everything else stays.
fn replace_word(text: &str, SpellingCorrection { typed, corrected }: &SpellingCorrection) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_typed = name_words(word).as_slice() == std::slice::from_ref(typed);
        replaced.push_str(if is_typed { corrected } else { word });
        let separator = after.chars().next().map_or(0, char::len_utf8);
        replaced.push_str(&after[..separator]);
        rest = &after[separator..];
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, f32)> {
        weighted_words(text).into_iter().map(|word| (word.word, word.weight)).collect()
    }

    #[test]
    fn stop_words_are_dropped_and_head_nouns_weigh_more() {
        let check = |text: &str, expected: &[(&str, f32)]| {
            let expected: Vec<(String, f32)> =
                expected.iter().map(|(word, weight)| ((*word).to_owned(), *weight)).collect();
            assert_eq!(words(text), expected, "{text}");
        };
        check("a red car", &[("red", 1.0), ("car", 3.0)]);
        check("Chair made of wood", &[("chair", 3.0), ("wood", 1.0)]);
        check("a cup with the handle", &[("cup", 3.0), ("handle", 1.0)]);
        check("trash can", &[("trash", 1.0), ("can", 3.0)]);
        check("something to sit on", &[("sit", 3.0)]);
        check("a chair without armrests", &[("chair", 3.0)]);
        check("chair, chair, table", &[("chair", 1.0), ("table", 3.0)]);
        check("something of the", &[]);
        check("3", &[]);
    }

    #[test]
    fn only_positive_texts_have_words() {
        let query = Query::text("red", 1)
            .with(0.5, QueryTerm::Text("blue chair".into()))
            .with(-0.5, QueryTerm::Text("armrest".into()))
            .with(1.0, QueryTerm::image("photo_of_a_lamp.jpg"));
        let request = name_request(&query).unwrap();
        let word = |group: &Vec<NameWord>| group.iter().map(|word| word.word.clone()).collect::<Vec<_>>();
        assert_eq!(request.groups.iter().map(word).collect::<Vec<_>>(), [vec!["red"], vec!["blue", "chair"]]);
        let without = Query { terms: vec![(1.0, QueryTerm::image("a.jpg"))], ..Query::default() };
        assert!(name_request(&without).is_none());
        assert!(name_request(&Query::text("something", 1)).is_none());
    }

    #[test]
    fn words_that_the_model_does_not_know_are_corrected() {
        let correction = |typed: &str, corrected: &str| SpellingCorrection {
            typed: typed.into(),
            corrected: corrected.into(),
        };
        let corrections =
            [correction("chiar", "chair"), correction("grey", "gray"), correction("seet", "seat")];
        let knows = |word: &str| match word {
            "chiar" => Some(false),
            "grey" => Some(true),
            _ => None,
        };
        let query =
            Query::text("A grey Chiar, with a seet; chiars", 1).with(-1.0, QueryTerm::Text("chiar".into()));
        let terms = corrected(&query, &corrections, &knows).terms;
        assert_eq!(terms[0].1, QueryTerm::Text("A grey chair, with a seet; chiars".into()));
        assert_eq!(terms[1].1, QueryTerm::Text("chiar".into()));
    }
}
