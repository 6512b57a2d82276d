//! Captions of specimens.

use crate::category::Category;
use crate::kit::{Rng, Specimen};

/// Nouns that come in pairs: "a pair of scissors", never "a scissors".
const PLURAL_NOUNS: &[&str] = &[
    "scissors",
    "headphones",
    "eyeglasses",
    "sunglasses",
    "glasses",
    "spectacles",
    "binoculars",
    "pants",
    "trousers",
    "jeans",
    "shorts",
    "pliers",
    "tweezers",
    "goggles",
    "curtains",
    "drapes",
    "tongs",
    "clippers",
];
/// Nouns without an article.
const MASS_NOUNS: &[&str] =
    &["cheese", "bread", "toothpaste", "toast", "sushi", "firewood", "seaweed", "bamboo", "coral"];

/// Sentences with a placeholder for a description.
const TEMPLATES: &[&str] = &[
    "a 3d model of {}",
    "a rendering of {}",
    "a picture of {}",
    "a photo of {}",
    "a low poly model of {}",
    "a cad model of {}",
    "a simple model of {}",
    "an image of {}",
    "{} on a white background",
    "this is {}",
    "there is {}",
    "a 3d shape of {}",
];

/// Five captions: the class name or a synonym; three descriptions of increasing detail (color, material, adjective, parts); and
/// one in a template.
pub fn captions(category: &Category, specimen: &Specimen, rng: &mut Rng) -> Vec<String> {
    // The order of the captions is part of the contract: training assigns a source to each.
    let bare = Phrase { noun: noun(category, specimen, rng), modifiers: Vec::new(), parts: Vec::new() };
    let mut said = vec![bare.to_string(rng)];
    // Later captions mention more attributes, but each is random, as in real captions.
    for detail in [0.35, 0.7, 1.0] {
        said.push(phrase(category, specimen, detail, rng).to_string(rng));
    }
    let plain = phrase(category, specimen, rng.unit(), rng).with_article();
    said.push(rng.choose(TEMPLATES).replace("{}", &plain));
    said
}

/// A description with the class name and most of what is known: adjective, color, material, up to two parts.
pub fn description(category: &Category, specimen: &Specimen, rng: &mut Rng) -> String {
    let what = &specimen.attributes;
    let mut modifiers = Vec::new();
    if !what.adjectives.is_empty() && rng.chance(0.3) {
        modifiers.push(rng.choose(&what.adjectives));
    }
    modifiers.extend(what.color.filter(|_| rng.chance(0.9)));
    modifiers.extend(what.material.and_then(|s| s.adjective()).filter(|_| rng.chance(0.8)));
    let mut parts = what.parts.clone();
    let keep = if rng.chance(0.8) { rng.int_between(1, 2) } else { 0 };
    while parts.len() > keep {
        parts.remove(rng.index(parts.len()));
    }
    Phrase { noun: category.name, modifiers, parts }.with_article()
}

/// A noun phrase.
pub(crate) struct Phrase {
    pub noun: &'static str,
    pub modifiers: Vec<&'static str>,
    pub parts: Vec<String>,
}

impl Phrase {
    fn article(&self) -> &'static str {
        if PLURAL_NOUNS.contains(&self.noun) {
            return "a pair of ";
        }
        if MASS_NOUNS.contains(&self.noun) {
            return "";
        }
        // The article agrees with the next word: "an old chair".
        let first = self.modifiers.first().copied().unwrap_or(self.noun);
        if sounds_like_a_vowel(first) { "an " } else { "a " }
    }

    fn body(&self) -> String {
        let mut body = self.modifiers.join(" ");
        if !body.is_empty() {
            body.push(' ');
        }
        body.push_str(self.noun);
        if let Some((last, before)) = self.parts.split_last() {
            body.push_str(" with ");
            if !before.is_empty() {
                body.push_str(&before.join(", "));
                body.push_str(" and ");
            }
            body.push_str(last);
        }
        body
    }

    /// With its article.
    pub fn with_article(&self) -> String {
        format!("{}{}", self.article(), self.body())
    }

    /// With its article in 70 %, without otherwise.
    fn to_string(&self, rng: &mut Rng) -> String {
        if rng.chance(0.3) { self.body() } else { self.with_article() }
    }
}

/// A phrase with about `detail` (0–1) of the attributes.
fn phrase(category: &Category, specimen: &Specimen, detail: f32, rng: &mut Rng) -> Phrase {
    let what = &specimen.attributes;
    let mut modifiers = Vec::new();
    if !what.adjectives.is_empty() && rng.chance(detail * 0.6) {
        modifiers.push(rng.choose(&what.adjectives));
    }
    modifiers.extend(what.color.filter(|_| rng.chance(0.3 + detail * 0.5)));
    modifiers.extend(what.material.and_then(|s| s.adjective()).filter(|_| rng.chance(detail * 0.6)));
    let mut parts = what.parts.clone();
    // At most two parts: a list of all parts is no natural caption.
    let keep = if rng.chance(detail * 0.75) { rng.int_between(1, 2) } else { 0 };
    while parts.len() > keep {
        parts.remove(rng.index(parts.len()));
    }
    Phrase { noun: noun(category, specimen, rng), modifiers, parts }
}

fn noun(category: &Category, specimen: &Specimen, rng: &mut Rng) -> &'static str {
    match specimen.attributes.subcategory {
        Some(kind) if rng.chance(0.4) => kind,
        _ if !category.synonyms.is_empty() && rng.chance(0.35) => rng.choose(category.synonyms),
        _ => category.name,
    }
}

fn sounds_like_a_vowel(word: &str) -> bool {
    // Vowels that sound like consonants: "a unicorn", "a used car".
    let consonant = ["uni", "use", "ute", "eu", "one"].iter().any(|p| word.starts_with(p));
    !consonant && word.starts_with(['a', 'e', 'i', 'o', 'u'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_follow_the_sound() {
        let article = |noun| Phrase { noun, modifiers: vec![], parts: vec![] }.article();
        assert_eq!(article("apple"), "an ");
        assert_eq!(article("unicorn"), "a ");
        assert_eq!(article("umbrella"), "an ");
        assert_eq!(article("scissors"), "a pair of ");
        assert_eq!(article("cheese"), "");
        assert_eq!(article("chair"), "a ");
    }

    #[test]
    fn parts_are_listed() {
        let phrase = Phrase {
            noun: "chair",
            modifiers: vec!["old", "red"],
            parts: vec!["four legs".into(), "armrests".into()],
        };
        assert_eq!(phrase.with_article(), "an old red chair with four legs and armrests");
    }
}
