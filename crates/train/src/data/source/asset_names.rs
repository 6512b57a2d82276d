//! What the name of a 3D file says: a category, and perhaps adjectives.

use crate::data::shape_set::CategoryNames;

/// Words in names that say nothing about the object.
const NOISE: &[&str] = &[
    "final",
    "copy",
    "default",
    "high",
    "level",
    "lod",
    "low",
    "lvl",
    "mat",
    "mesh",
    "model",
    "new",
    "obj",
    "old",
    "poly",
    "prop",
    "props",
    "transformed",
    "variant",
    "version",
];
/// Words that describe an object whatever it is.
const ADJECTIVES: &[&str] = &[
    "autumn", "basic", "big", "black", "blue", "broken", "brown", "closed", "cut", "dead", "double", "empty",
    "filled", "flat", "full", "giant", "gold", "golden", "gray", "green", "grey", "huge", "large", "little",
    "long", "medium", "metal", "mini", "modern", "mossy", "moss", "open", "orange", "pink", "purple", "red",
    "round", "rusty", "short", "silver", "simple", "single", "small", "snow", "snowy", "square", "stacked",
    "steel", "stone", "tall", "thick", "thin", "tiny", "triple", "white", "wide", "wood", "wooden", "yellow",
];

/// The category and the description of a file, from its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssetName {
    /// A known category, or the words of the name.
    pub category: String,
    /// Adjectives and the noun: "big wooden chair".
    pub phrase: String,
}

impl AssetName {
    /// Reads the stem of a file name, such as `Chair_Red.001` or `fishingRod2`; `None` if it has no words.
    ///
    /// The name is of a known category if all its other words are adjectives: `barrel_red` is a barrel, `barrel_sniper` a
    /// category of its own.
    pub fn of(stem: &str, known: &[CategoryNames]) -> Option<Self> {
        let words = words(stem);
        if words.is_empty() {
            return None;
        }
        // The longest noun wins: a "fire truck" is no truck that is called fire.
        let lengths = (1..=words.len()).rev();
        let mut spans = lengths.flat_map(|length| (0..=words.len() - length).map(move |at| at..at + length));
        let found = spans.find_map(|span| {
            let others: Vec<&str> =
                words[..span.start].iter().chain(&words[span.end..]).map(String::as_str).collect();
            let noun = words[span].join(" ");
            let category =
                category_of(&noun, known).filter(|_| others.iter().all(|word| ADJECTIVES.contains(word)))?;
            Some(Self { category: category.to_owned(), phrase: [&others[..], &[&noun]].concat().join(" ") })
        });
        Some(found.unwrap_or_else(|| {
            let (adjectives, nouns): (Vec<&str>, Vec<&str>) =
                words.iter().map(String::as_str).partition(|word| ADJECTIVES.contains(word));
            let category = if nouns.is_empty() { adjectives.join(" ") } else { nouns.join(" ") };
            Self { phrase: [adjectives, nouns].concat().join(" "), category }
        }))
    }

    /// A file with a known label: the adjectives of its name describe it, its other words are ignored.
    pub fn labeled(stem: &str, label: &str, known: &[CategoryNames]) -> Self {
        let mut phrase = words(stem);
        phrase.retain(|word| ADJECTIVES.contains(&word.as_str()) && label.split(' ').all(|own| own != word));
        phrase.push(label.to_owned());
        Self { category: category_of(label, known).unwrap_or(label).to_owned(), phrase: phrase.join(" ") }
    }
}

/// The category with this name or synonym, also in the plural.
fn category_of<'a>(noun: &str, known: &'a [CategoryNames]) -> Option<&'a str> {
    let singular = noun.strip_suffix('s').unwrap_or(noun);
    let is_called = |category: &&CategoryNames, name: &str| {
        category.name == name || category.synonyms.iter().any(|synonym| synonym == name)
    };
    // A name takes precedence over a synonym: "bowl" is no "dish".
    let by_name = known.iter().find(|category| category.name == noun || category.name == singular);
    let by_synonym =
        || known.iter().find(|category| is_called(category, noun) || is_called(category, singular));
    by_name.or_else(by_synonym).map(|category| category.name.as_str())
}

/// Words in lower case: split at other characters and in camelCase, without numbers, single letters and noise.
fn words(stem: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(stem.len() + 8);
    let mut last_is_lower = false;
    for letter in stem.chars() {
        if letter.is_uppercase() && last_is_lower {
            spaced.push(' ');
        }
        last_is_lower = letter.is_lowercase();
        spaced.push(if letter.is_alphabetic() { letter } else { ' ' });
    }
    let is_word = |word: &String| word.chars().count() > 1 && !NOISE.contains(&word.as_str());
    spaced.split_whitespace().map(str::to_lowercase).filter(is_word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stem: &str) -> (String, String) {
        let category = |name: &str, synonyms: &[&str]| CategoryNames {
            name: name.to_owned(),
            synonyms: synonyms.iter().map(|&synonym| synonym.to_owned()).collect(),
        };
        let known =
            [category("truck", &[]), category("fire truck", &["fire engine"]), category("barrel", &["keg"])];
        let name = AssetName::of(stem, &known).unwrap();
        (name.category, name.phrase)
    }

    #[test]
    fn names_are_categories_with_adjectives() {
        let both = |category: &str, phrase: &str| (category.to_owned(), phrase.to_owned());
        assert_eq!(read("FireTruck_2"), both("fire truck", "fire truck"));
        assert_eq!(read("fire-engine.001"), both("fire truck", "fire engine"));
        assert_eq!(read("Barrel_Red_Big"), both("barrel", "red big barrel"));
        assert_eq!(read("kegs"), both("barrel", "kegs"));
        // The barrel of a rifle.
        assert_eq!(read("Barrel_Sniper_1"), both("barrel sniper", "barrel sniper"));
        assert_eq!(read("Tree-Dead-transformed"), both("tree", "dead tree"));
        assert_eq!(AssetName::of("A_12", &[]), None);
    }

    #[test]
    fn labels_replace_the_nouns_of_a_name() {
        let known = [CategoryNames { name: "sofa".to_owned(), synonyms: vec!["couch".to_owned()] }];
        let labeled = |stem: &str, label: &str| {
            let name = AssetName::labeled(stem, label, &known);
            (name.category, name.phrase)
        };
        let both = |category: &str, phrase: &str| (category.to_owned(), phrase.to_owned());
        assert_eq!(labeled("Seat_Large2", "couch"), both("sofa", "large couch"));
        assert_eq!(labeled("Orange_Harvested", "tree"), both("tree", "orange tree"));
        assert_eq!(labeled("Orange_1", "orange"), both("orange", "orange"));
        assert_eq!(labeled("X", "anvil"), both("anvil", "anvil"));
    }
}
