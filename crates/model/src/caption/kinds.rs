//! Kinds of objects that a shape may be of, although its caption names another.

use serde::Deserialize;

use crate::config_key;
use crate::error::ModelError;
use crate::language::Concept;
use crate::registry;

/// The least relevance of another kind, as a share of the largest one. Of 144 labeled files, the captions of 64 % name the label; with
/// a second kind, which 41 % get, those of 75 % do (docs/log.md).
const AS_RELEVANT: f32 = 0.5;

/// The most relevant kind that a caption does not name, if it is about as relevant as the most relevant one; only the first two
/// are asked. `relevances` are in the order of `kinds`.
pub(super) fn other_kind<'a>(kinds: &'a [String], relevances: &[f32], caption: &str) -> Option<&'a str> {
    let mut by_relevance: Vec<(&String, f32)> = kinds.iter().zip(relevances.iter().copied()).collect();
    by_relevance.sort_by(|a, b| b.1.total_cmp(&a.1));
    let least = AS_RELEVANT * by_relevance.first()?.1;
    let is_other = |(kind, relevance): &&(&String, f32)| *relevance >= least && !names(caption, kind);
    let (kind, _) = by_relevance.iter().take(2).filter(|(_, relevance)| *relevance > 0.0).find(is_other)?;
    Some(kind.as_str())
}

/// Whether a caption has the words of a kind.
fn names(caption: &str, kind: &str) -> bool {
    let (caption, kind) = (words(caption), words(kind));
    caption.windows(kind.len().max(1)).any(|part| part == kind)
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// The kinds of the built-in model; its captioner's file does not repeat them.
pub(super) fn built_in_kinds() -> Result<Vec<String>, ModelError> {
    #[derive(Deserialize)]
    struct Model {
        language: Option<Kinds>,
    }
    #[derive(Deserialize)]
    struct Kinds {
        concepts: Vec<Concept>,
    }
    let file = registry::open_weights("nano")?;
    let model =
        file.metadata(config_key::JOINT).and_then(|header| serde_json::from_str::<Model>(header).ok());
    let concepts = model.and_then(|model| model.language).map_or_else(Vec::new, |language| language.concepts);
    Ok(concepts.into_iter().map(|concept| concept.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_kind_is_told_where_it_is_as_likely() {
        let kinds = ["desk", "dresser", "hot dog"].map(str::to_owned);
        let other =
            |relevances: [f32; 3], caption: &str| other_kind(&kinds, &relevances, caption).map(str::to_owned);
        assert_eq!(other([0.4, 0.3, 0.1], "a wooden desk"), Some("dresser".to_owned()));
        // Less than half as likely.
        assert_eq!(other([0.4, 0.1, 0.1], "a wooden desk"), None);
        // The caption names the second kind, or neither.
        assert_eq!(other([0.4, 0.3, 0.1], "a dresser with a mirror"), Some("desk".to_owned()));
        assert_eq!(other([0.4, 0.1, 0.1], "a wooden table"), Some("desk".to_owned()));
        // Both are named; names are whole words.
        assert_eq!(other([0.1, 0.4, 0.3], "a hot dog on a dresser"), None);
        assert_eq!(other([0.4, 0.0, 0.3], "a desk with hot dogs"), Some("hot dog".to_owned()));
        assert_eq!(other([0.0; 3], "a wooden table"), None);
        assert_eq!(other_kind(&[], &[], "a wooden table"), None);
    }
}
