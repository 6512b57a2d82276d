//! The tokenizer of captions: Penn Treebank tokens in lower case, without punctuation.
//!
//! pycocoevalcap calls the `PTBTokenizer` of Stanford CoreNLP 3.4.1 and removes marks of punctuation from its output. The rules
//! here were found by asking that program how it splits captions, words of dictionaries and every character of Unicode's first
//! plane; docs/parity.md says how often both agree.

mod alphabet;
mod grammar;
mod lexer;
mod token;
mod words;

use lexer::Lexer;

/// Tokens that pycocoevalcap removes. Brackets are in its list too, but in upper case, and so stay in captions as `-lrb-`.
const PUNCTUATION: [&str; 13] = ["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"];

/// Splits a caption into words in lower case, separated by single spaces, without punctuation: "It's a chair." becomes
/// "it 's a chair".
///
/// Line breaks are spaces. A character that the reference does not know, such as most emoji, separates words and is dropped.
pub fn ptb_tokenize(caption: &str) -> String {
    let mut tokens: Vec<String> = Lexer::shared().tokens(caption);
    tokens.iter_mut().for_each(|token| *token = token.to_lowercase());
    tokens.retain(|token| !PUNCTUATION.contains(&token.as_str()));
    tokens.join(" ")
}
