//! Multiple-choice questions about attributes of specimens.

use std::collections::BTreeSet;
use std::hash::Hasher as _;

use fnv::FnvHasher;

use crate::captions::Phrase;
use crate::category::Category;
use crate::kit::{Attributes, MaterialKind};

/// Number words.
const NUMBERS: &[&str] = &["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// "a red chair".
    Color,
    /// "a wooden chair".
    Material,
    /// "a rocking chair", against other subcategories of chair.
    Subcategory,
    /// "a chair with armrests", against parts of other specimens of the category that this one lacks.
    Part,
    /// "a stool with three legs", against other numbers.
    Count,
}

impl Aspect {
    /// Every aspect.
    pub const ALL: [Self; 5] = [Self::Color, Self::Material, Self::Subcategory, Self::Part, Self::Count];

    /// Name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Color => "color",
            Self::Material => "material",
            Self::Subcategory => "subcategory",
            Self::Part => "part",
            Self::Count => "count",
        }
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Index of the shape.
    pub shape: usize,
    /// The aspect it asks for.
    pub aspect: Aspect,
    /// The true phrase.
    pub correct: String,
    /// False phrases, at least one.
    pub distractors: Vec<String>,
    /// Whether [`is_unseen`] excludes its color–category pair from training; only for questions about colors.
    pub unseen: bool,
}

/// Whether a color–category pair is in the `share` (0–1) of pairs that are excluded from training, to test generalization.
///
/// ```
/// use lexiform_shapes::is_unseen;
///
/// // A hash decides: the pairs of a smaller share are among those of a larger one.
/// assert!(!is_unseen("chair", "red", 0.0) && is_unseen("chair", "red", 1.0));
/// ```
pub fn is_unseen(category: &str, color: &str, share: f32) -> bool {
    let mut hasher = FnvHasher::default();
    hasher.write(category.as_bytes());
    hasher.write(&[0]);
    hasher.write(color.as_bytes());
    // The high bits of FNV-1a: the last bytes of the input hardly change the low ones.
    (hasher.finish() >> 40) as f32 / ((1_u64 << 24) as f32) < share
}

/// All questions about the shape with index `shape`. `siblings` are other specimens of its category, whose attributes give the
/// distractors; `colors` are all colors.
pub fn questions(
    shape: usize,
    category: &Category,
    what: &Attributes,
    siblings: &[Attributes],
    colors: &BTreeSet<&'static str>,
    unseen_share: f32,
) -> Vec<Question> {
    // Phrases use the class name only, so that all answers differ in one attribute.
    let asking = QuestionBuilder { shape, noun: category.name };
    let mut asked = Vec::new();
    if let Some(color) = what.color {
        // All colors, not only those of siblings: a sibling may have any.
        let wrong = colors.iter().filter(|other| **other != color).map(|other| asking.with_word(other));
        let mut question = asking.question(Aspect::Color, asking.with_word(color), wrong.collect());
        question.unseen = is_unseen(category.name, color, unseen_share);
        asked.push(question);
    }
    let materials: BTreeSet<&str> = siblings.iter().filter_map(|s| s.material?.adjective()).collect();
    if let Some(material) = what.material.and_then(MaterialKind::adjective) {
        let wrong = materials.iter().filter(|other| **other != material).map(|other| asking.with_word(other));
        asked.push(asking.question(Aspect::Material, asking.with_word(material), wrong.collect()));
    }
    let kinds: BTreeSet<&'static str> = siblings.iter().filter_map(|s| s.subcategory).collect();
    if let Some(kind) = what.subcategory {
        let wrong = kinds.iter().filter(|other| **other != kind).map(|other| noun_phrase(other));
        asked.push(asking.question(Aspect::Subcategory, noun_phrase(kind), wrong.collect()));
    }
    let parts: BTreeSet<&str> = siblings.iter().flat_map(|s| &s.parts).map(String::as_str).collect();
    for own in &what.parts {
        // By head noun: a shape with three legs does not lack "four legs".
        let lacking = parts.iter().filter(|p| what.parts.iter().all(|own| head_noun(own) != head_noun(p)));
        let wrong = lacking.map(|part| asking.with_part(part)).collect();
        asked.push(asking.question(Aspect::Part, asking.with_part(own), wrong));
        if let Some((number, rest)) = split_count(own) {
            let others =
                parts.iter().filter(|p| split_count(p).is_some_and(|(n, r)| n != number && r == rest));
            let wrong = others.map(|part| asking.with_part(part)).collect();
            asked.push(asking.question(Aspect::Count, asking.with_part(own), wrong));
        }
    }
    // An attribute that all siblings share has no distractors.
    asked.retain(|question| !question.distractors.is_empty());
    asked
}

struct QuestionBuilder {
    shape: usize,
    noun: &'static str,
}

impl QuestionBuilder {
    fn with_word(&self, word: &'static str) -> String {
        Phrase { noun: self.noun, modifiers: vec![word], parts: Vec::new() }.with_article()
    }

    fn with_part(&self, part: &str) -> String {
        Phrase { noun: self.noun, modifiers: Vec::new(), parts: vec![part.to_owned()] }.with_article()
    }

    fn question(&self, aspect: Aspect, correct: String, distractors: Vec<String>) -> Question {
        Question { shape: self.shape, aspect, correct, distractors, unseen: false }
    }
}

fn noun_phrase(noun: &'static str) -> String {
    Phrase { noun, modifiers: Vec::new(), parts: Vec::new() }.with_article()
}

/// The last word of a part: "cushion" of "a round cushion".
fn head_noun(part: &str) -> &str {
    part.rsplit(' ').next().unwrap_or(part)
}

/// Splits "three legs" into number word and noun.
fn split_count(part: &str) -> Option<(&str, &str)> {
    part.split_once(' ').filter(|(number, _)| NUMBERS.contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::category;

    fn with(color: &'static str, parts: &[&str]) -> Attributes {
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        Attributes { color: Some(color), parts, ..Attributes::default() }
    }

    #[test]
    fn attributes_of_siblings_are_distractors() {
        let stool = category("stool").unwrap();
        let what = with("red", &["three legs", "a cushion"]);
        let siblings =
            [what.clone(), with("blue", &["four legs", "a backrest"]), with("blue", &["a round cushion"])];
        let asked = questions(7, stool, &what, &siblings, &BTreeSet::from(["blue", "red"]), 0.0);
        let of = |aspect| asked.iter().filter(|q| q.aspect == aspect).collect::<Vec<_>>();
        let [color] = of(Aspect::Color)[..] else { panic!("{asked:?}") };
        assert_eq!(
            (color.shape, &color.correct[..], &color.distractors[..]),
            (7, "a red stool", &["a blue stool".to_owned()][..])
        );
        // It does not lack legs or a cushion, only that number and that form of them.
        let [legs, cushion] = of(Aspect::Part)[..] else { panic!("{asked:?}") };
        assert_eq!((&legs.distractors, &legs.correct[..]), (&cushion.distractors, "a stool with three legs"));
        assert_eq!(legs.distractors, ["a stool with a backrest"]);
        let [count] = of(Aspect::Count)[..] else { panic!("{asked:?}") };
        assert_eq!(count.distractors, ["a stool with four legs"]);
        assert!(of(Aspect::Subcategory).is_empty() && of(Aspect::Material).is_empty());
    }

    #[test]
    fn about_the_given_share_of_pairs_is_unseen() {
        let colors = ["red", "green", "blue", "white", "black", "brown", "yellow", "gray"];
        let pairs = || crate::families::categories().iter().flat_map(|c| colors.map(|color| (c.name, color)));
        let share = |share| {
            pairs().filter(|(c, color)| is_unseen(c, color, share)).count() as f32 / pairs().count() as f32
        };
        assert!((0.07..0.13).contains(&share(0.1)), "{}", share(0.1));
        assert_eq!((share(0.0), share(1.0)), (0.0, 1.0));
    }
}
