//! The rules of tokens: patterns over the classes of `alphabet.rs`, and what becomes of what they match.
//!
//! Bytes above `\x7f` are classes of characters outside of ASCII, such as `\x80` for letters and `\x85` for apostrophes.
//!
//! The longest match wins, and of equally long ones the first rule. What a rule only looks at counts for the length.

use super::words;

/// What becomes of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// One token.
    Token,
    /// One token in which typographic quotation marks become those of ASCII.
    Contraction,
    /// One token; the last characters are only looked at.
    Before(usize),
    /// A contraction; the last characters are only looked at.
    ContractionBefore(usize),
    /// One token before the last apostrophe.
    BeforeApostrophe,
    /// One token before "n't".
    BeforeNot,
    /// One token before the first full stop.
    BeforeStop,
    /// One token up to the first full stop, with it.
    ThroughStop,
    /// One token with this text.
    Text(&'static str),
    /// Nothing.
    Skip,
}

/// A regular expression over classes, and what becomes of its matches.
pub(super) struct Rule {
    /// In verbose syntax, regardless of case.
    pub(super) pattern: String,
    /// What becomes of a match.
    pub(super) action: Action,
}

/// The rules, in the order of their priority.
pub(super) fn rules() -> Vec<Rule> {
    let names = names();
    let rules = [WORDS, NUMBERS_AND_NAMES, STOPS_AND_MARKS].into_iter().flatten();
    rules
        .map(|(pattern, action)| Rule {
            pattern: format!("(?ix){}", expand(pattern, &names)),
            action: *action,
        })
        .collect()
}

use Action::{
    Before, BeforeApostrophe, BeforeNot, BeforeStop, Contraction, ContractionBefore, Skip, Text, ThroughStop,
    Token,
};

#[rustfmt::skip]
const WORDS: &[(&str, Action)] = &[
    // Words that are two.
    ("cannot", Before(3)),
    ("gonna|gotta|lemme|gimme|wanna", Before(2)),
    ("{APOS}tis", ContractionBefore(2)),
    ("{APOS}twas", ContractionBefore(3)),
    // Markup.
    (r"<(?:[!?][A-Za-z\-][^>]*|/[A-Za-z][A-Za-z0-9_:.\-]*\ *|[A-Za-z][A-Za-z0-9_:.\-]*(?:\ +{NAME}(?:\ *=\ *{VALUE})?)*\ */?\ *)>", Token),
    (r"&(?:MD|mdash|ndash);|\x84", Text("--")),
    ("&amp;", Text("&")),
    (r"&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|\#[0-9]+);", Token),
    // Words and contractions.
    ("{WORD}{CONTRACTED}", BeforeApostrophe),
    ("[A-Za-z]*[A-MO-Za-mo-z]{NOT}", BeforeNot),
    ("{WORD}", Token),
    (r"{APOS}n{APOS}?|[ldj]{APOS}|(?:dunkin|somethin|ol){APOS}|{APOS}(?:em|cause|till?|[2-9]0s)|cont{APOS}d\.?", Token),
    ("c{APOS}mon|cap{APOS}n|nor{APOS}easter|e{APOS}er|s{APOS}mores|ev{APOS}ry|li{APOS}l|nat{APOS}l", Token),
    ("{LETTER}+[aeiouy](?:{APOS}|`)(?-i:[aeiouA-Z]){LETTER}*", Token),
    ("y{APOS}{LETTER}", Before(1)),
    (r"{APOS}[0-9]{2}{SPACE}", Before(1)),
    // Addresses.
    ("https?://{URL}+{URL_END}", Token),
    (r#"(?:www\.(?:[^\ \t\x89\x8a"<>|.!?(){},]+\.)+[A-Za-z]{2,4}|[^0-9{HOST}][^{HOST}]*\.(?:[^{HOST}]+\.)*(?:com|net|org|edu))(?:/{URL}+{URL_END})?"#, Token),
    (r#"(?:<|&lt;)?[A-Za-z0-9][^\ \t\x89\x8a"<>|(){}]*@(?:[^\ \t\x89\x8a"<>|(){}.]+\.)*[^\ \t\x89\x8a"<>|(){}.]+(?:>|&gt;)?"#, Token),
    (r"@[A-Za-z_][A-Za-z0-9_]*|\#[A-Za-z\x80]+", Token),
    // Contractions that no word precedes.
    ("{CONTRACTED}[^A-Za-z]", ContractionBefore(1)),
    ("{NOT}", Contraction),
];

#[rustfmt::skip]
const NUMBERS_AND_NAMES: &[(&str, Action)] = &[
    (r"{D}{1,2}[\-/]{D}{1,2}[\-/]{D}{2,4}", Token),
    (r"[\-+]?{NUM}", Token),
    (r"\x92?(?:\x90+|\x91+)", Token),
    (r"(?:{D}{1,4}[\-\ \x8a])?{D}{1,4}(?:\\?/|\x8e){D}{1,4}", Token),
    (r"[\x88\x8b]", Token),
    (r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}", Token),
    (r"(?-i:[A-Z]*)\$|\#", Token),
    // Parts that hyphens or underscores join.
    (r"[A-Za-z0-9][A-Za-z0-9.,\x83]*(?:-(?:[A-Za-z0-9\x83]+|{DOTTED}\.))+", Token),
    (r"{PART}+(?:[\-\x8f_]{PART}+)*", Token),
    (r"(?:{PART}+\.)+{EXTENSION}(?:{SPACE}|[.?!,])", Before(1)),
    (r"(?-i:[dlnoA-HJ-XZ]){APOS}{LETTER}{2,}(?:-{LETTER}+)*", Token),
    (r"(?-i:[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+)", Token),
    (r"c\+\+|[cf]\#", Token),
    // Telephone numbers.
    (r"(?:\([0-9]{2,3}\)[\ \x8a]?|(?:\+\+?)?(?:[0-9]{2,4}[\-\ \x8a])?[0-9]{2,4}[\-\ \x8a])[0-9]{3,4}[\-\ \x8a]?[0-9]{3,5}", Token),
    (r"(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}", Token),
];

#[rustfmt::skip]
const STOPS_AND_MARKS: &[(&str, Action)] = &[
    // Abbreviations keep their full stop.
    (r"(?:{ABBREVIATION}|{CAPITALIZED}|(?-i:{UNCAPITALIZED})|{DOTTED}|ph\.d)\.", Token),
    (r"[A-Za-z]\.{SPACE}*(?-i:{STARTER}){SPACE}", BeforeStop),
    (r"[A-Za-z]\.", Token),
    (r"{NUMBERED}\.{SPACE}?{D}", ThroughStop),
    (r"(?:{WORD}|{PART}+(?:[\-\x8f_]{PART}+)*)\.[,;:]", Before(1)),
    // Faces.
    (r"[<>]?[:;=][\-o*']?(?-i:[()DPdpO\\{@|\[\]])[^A-Za-z0-9]", Before(1)),
    (r"[\-\^x=~<>']_[\-\^x=~<>']|\([\-\^x=~<>'][_.]?[\-\^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\)", Token),
    // Marks.
    (r"'[A-Za-z][^\ \t\x8a]", Before(2)),
    (r#"''|"|&quot;|``|'|&apos;"#, Text("'")),
    (r"[`\x85\x86\x93]{1,2}", Contraction),
    ("&lt;", Text("<")),
    ("&gt;", Text(">")),
    ("<<|>>", Token),
    (r"-{2,4}", Text("--")),
    (r"-+", Token),
    (r"\.\.\.+|\x8c", Text("...")),
    (r"\*+|(?:\\\*){1,3}|_+|\#{2,}|@{2,}", Token),
    ("[?!]+", Token),
    (r"[\x83\x87\x8e()\[\]{}$%&+/=<>\\^|~.,;:@]", Token),
    ("&nbsp;", Skip),
];

/// What names in braces stand for.
fn names() -> Vec<(&'static str, String)> {
    let any = |words: &str| format!("(?:{})", words.split_whitespace().collect::<Vec<_>>().join("|"));
    // Only the first letter must be a capital.
    let capitalized = words::CAPITALIZED_ABBREVIATIONS.split_whitespace();
    let capitalized: Vec<String> =
        capitalized.map(|word| format!("(?-i:{}){}", &word[..1], &word[1..])).collect();
    let mut names: Vec<(&str, String)> =
        NAMES.iter().map(|(name, meaning)| (*name, (*meaning).to_owned())).collect();
    names.extend([
        ("ABBREVIATION", any(words::ABBREVIATIONS)),
        ("CAPITALIZED", any(&capitalized.join(" "))),
        ("UNCAPITALIZED", any(words::UNCAPITALIZED_ABBREVIATIONS)),
        ("NUMBERED", any(words::NUMBERED_ABBREVIATIONS)),
        ("STARTER", any(words::SENTENCE_STARTERS)),
        ("EXTENSION", any(words::FILE_EXTENSIONS)),
    ]);
    names
}

#[rustfmt::skip]
const NAMES: &[(&str, &str)] = &[
    ("APOS", r"(?:['\x85]|&apos;)"),
    ("SPACE", r"[\ \t\x89\x8a]"),
    ("LETTER", r"[A-Za-z\x80]"),
    // Letters, and what occurs in words as if it were one.
    ("L", r"(?:[A-Za-z\x80\x81\x83]|&[aeiou](?:acute|grave|uml);)"),
    ("D", r"[0-9\x82]"),
    ("PART", r"[A-Za-z0-9\x80\x82]"),
    ("DOTTED", r"(?:[A-Za-z](?:\.[A-Za-z])+)"),
    ("URL_END", r#"[^\ \t\x89\x8a"<>|.!?(){},\-]"#),
    ("URL", r#"[^\ \t\x89\x8a"<>|()]"#),
    ("HOST", r#"\ \t\x89\x8a"`'<>|.!?(){}\[\]:,\-_$/\\"#),
    ("NAME", r"[A-Za-z][A-Za-z0-9_:.\-]*"),
    ("VALUE", r#"(?:'[^']*'|"[^"]*")"#),
    ("NUM", r"(?:{D}+|{D}*(?:[.:,\x83\x8d]{D}+)+)"),
    ("WORD", r"(?:{L}(?:{L}|{D})*(?:[.!?]{L}(?:{L}|{D})*)*)"),
    ("CONTRACTED", r"(?:{APOS}(?:[msd]|re|ve|ll))"),
    ("NOT", r"(?:n(?:['`\x85\x86]|&apos;)t)"),
];

/// Replaces names by what they stand for.
fn expand(pattern: &str, names: &[(&str, String)]) -> String {
    // Names stand for patterns with names that are above them.
    names
        .iter()
        .rev()
        .fold(pattern.to_owned(), |pattern, (name, meaning)| pattern.replace(&format!("{{{name}}}"), meaning))
}
