//! Glob patterns.

use super::case::fold_case;

/// A pattern that matches whole strings: `*` any run of characters, including `/`, `?` one character, `[a-z]` and
/// `[!a-z]` one character of a class. Case is ignored.
///
/// ```
/// use lexiform_store::Glob;
///
/// assert!(Glob::new("chairs/*.gl[bt]").matches("Chairs/old/red.GLB"));
/// assert!(!Glob::new("chairs/*").matches("cups/blue.glb"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pattern: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    ZeroOrMore,
    Any,
    Literal(char),
    Class { ranges: Vec<(char, char)>, negated: bool },
}

impl Glob {
    /// Every string is a valid pattern: an unclosed `[` matches itself.
    pub fn new(pattern: &str) -> Self {
        let mut tokens = Vec::new();
        let folded = fold_case(pattern);
        let mut rest = folded.as_str();
        while let Some(first) = rest.chars().next() {
            let (token, length) = match first {
                '*' => (Token::ZeroOrMore, 1),
                '?' => (Token::Any, 1),
                '[' => parse_class(rest).unwrap_or((Token::Literal('['), 1)),
                other => (Token::Literal(other), other.len_utf8()),
            };
            // Repeated stars match the same as one, but each would be tried separately.
            if token != Token::ZeroOrMore || tokens.last() != Some(&Token::ZeroOrMore) {
                tokens.push(token);
            }
            rest = &rest[length..];
        }
        Self { pattern: pattern.into(), tokens }
    }

    /// A pattern for a part of a text if it has no `*`, `?` or class: `chair` is `*chair*`.
    ///
    /// ```
    /// use lexiform_store::Glob;
    ///
    /// assert!(Glob::containing("chair").matches("Red chair.glb"));
    /// assert!(!Glob::containing("chair*").matches("Red chair.glb"));
    /// ```
    pub fn containing(pattern: &str) -> Self {
        let whole = Self::new(pattern);
        let is_plain = whole.tokens.iter().all(|token| matches!(token, Token::Literal(_)));
        if is_plain { Self::new(&format!("*{pattern}*")) } else { whole }
    }

    /// The same as an advanced regular expression of POSIX, as PostgreSQL has it, for texts in lower case.
    pub(crate) fn to_posix_regex(&self) -> String {
        let parts = self.tokens.iter().map(Token::to_posix_regex);
        format!("^(?:{})$", parts.collect::<String>())
    }

    /// The pattern as given.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether the pattern matches the whole text, in at most pattern × text steps.
    pub fn matches(&self, text: &str) -> bool {
        let folded = fold_case(text);
        let (mut token, mut rest) = (0, folded.as_str());
        // Where to resume if the part after the last `*` does not match: one character further. Earlier `*` never need
        // another try, which bounds the time.
        let mut retry: Option<(usize, &str)> = None;
        loop {
            let next = rest.chars().next();
            match (self.tokens.get(token), next) {
                (Some(Token::ZeroOrMore), _) => {
                    token += 1;
                    retry = Some((token, rest));
                    continue;
                }
                (Some(expected), Some(found)) if expected.accepts(found) => {
                    token += 1;
                    rest = &rest[found.len_utf8()..];
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            let Some((after_run, from)) = retry else { return false };
            let Some(skipped) = from.chars().next() else { return false };
            rest = &from[skipped.len_utf8()..];
            token = after_run;
            retry = Some((after_run, rest));
        }
    }
}

impl Token {
    fn to_posix_regex(&self) -> String {
        // By code, so that no character has a meaning of its own.
        let code = |c: char| format!("\\U{:08x}", u32::from(c));
        match self {
            Self::ZeroOrMore => ".*".into(),
            Self::Any => ".".into(),
            Self::Literal(expected) => code(*expected),
            Self::Class { ranges, negated } => {
                // A range without members is an error in regular expressions.
                let valid = ranges.iter().filter(|(low, high)| low <= high);
                let members: String =
                    valid.map(|(low, high)| format!("{}-{}", code(*low), code(*high))).collect();
                match (members.is_empty(), negated) {
                    (false, false) => format!("[{members}]"),
                    (false, true) => format!("[^{members}]"),
                    // No character at all, and any.
                    (true, false) => "(?!.|$)".into(),
                    (true, true) => ".".into(),
                }
            }
        }
    }

    fn accepts(&self, found: char) -> bool {
        match self {
            Self::ZeroOrMore => false,
            Self::Any => true,
            Self::Literal(expected) => *expected == found,
            Self::Class { ranges, negated } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&found)) != *negated
            }
        }
    }
}

/// The character class at the start of `text` and its length in bytes; `None` if it is not closed.
fn parse_class(text: &str) -> Option<(Token, usize)> {
    let mut chars = text.char_indices().skip(1).peekable();
    let negated = chars.next_if(|(_, c)| matches!(c, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    loop {
        let (at, low) = chars.next()?;
        // A `]` at the start is a member of the class, as in shells.
        if low == ']' && !ranges.is_empty() {
            return Some((Token::Class { ranges, negated }, at + 1));
        }
        // A range needs two more characters; `-` before `]` is a member of the class.
        let mut ahead = chars.clone();
        let high = match (ahead.next(), ahead.next()) {
            (Some((_, '-')), Some((_, high))) if high != ']' => {
                chars = ahead;
                high
            }
            _ => low,
        };
        ranges.push((low, high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_whole_texts() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} on {text}");
        };
        check("", "", true);
        check("", "a", false);
        check("*", "", true);
        check("chairs/*", "chairs/old/red.glb", true);
        check("chairs/*", "chairs", false);
        check("*.glb", "a.glb.glb", true);
        check("*.glb", "a.glb2", false);
        check("a*b*c", "a-b-b-cc", true);
        check("a*b*c", "a-c-b", false);
        check("?é?", "aéb", true);
        check("?", "", false);
        check("[a-c]x", "bx", true);
        check("[!a-c]x", "bx", false);
        check("[]]", "]", true);
        check("[a-]", "-", true);
        check("[ab", "[ab", true);
        check("**a", "bba", true);
        check("Ä?.[A-Z]*", "äx.OBJ", true);
    }

    #[test]
    fn many_stars_do_not_blow_up() {
        let glob = Glob::new(&"a*".repeat(50));
        assert!(!glob.matches(&format!("{}b", "c".repeat(5_000))));
        assert!(!Glob::new(&format!("{}b", "*a".repeat(50))).matches(&"a".repeat(5_000)));
    }
}
