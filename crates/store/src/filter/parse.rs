//! A recursive-descent parser of filter expressions.
//!
//! ```text
//! or        = and { "or" and }
//! and       = condition { "and" condition }
//! condition = "not" condition | "(" or ")" | "has" field
//!           | field ( = | != | < | <= | > | >= | ~ | !~ ) value
//!           | field [ "not" ] "in" "(" value { "," value } ")"
//! field     = path | name | … | extra.KEY
//! value     = number | word | 'text' | "text" | true | false | date
//! ```

use super::literal::{date, number};
use super::{Comparison, Field, Filter, Glob, Value};

/// Nesting of parentheses and `not`, so that recursion is bounded.
const MAX_DEPTH: usize = 64;
/// Conditions in one expression: SQLite rejects expression trees deeper than 1000.
const MAX_CONDITIONS: usize = 500;

const FIELDS: &str = "a field (path, name, format, hash, bytes, vertices, triangles, points, extents.x, extents.y, \
                      extents.z, modified, label, caption, extra.KEY)";
const OPERATORS: &str = "an operator (=, !=, <, <=, >, >=, ~, !~, in, not in)";

/// A syntax error in a filter expression.
///
/// ```
/// use lexiform_store::Filter;
///
/// let error = Filter::parse("points < x").unwrap_err();
/// assert!(error.to_string().starts_with("filter, character 10: expected a number"));
/// assert_eq!(error.with_caret(), "points < x\n         ^");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, character {}: expected {expected}, found {found}", position + 1)]
pub struct FilterError {
    /// The expression.
    pub text: String,
    /// Position of the error, in characters from the start.
    pub position: usize,
    /// What would be valid there.
    pub expected: String,
    /// What was found there.
    pub found: String,
}

impl FilterError {
    /// How to fix it.
    pub fn hint(&self) -> Option<&'static str> {
        let is_field = self.expected.starts_with("a field");
        Some(if is_field {
            "write your own keys as extra.KEY, and put text with spaces or symbols in 'quotes'"
        } else {
            "for example: triangles < 10k and format = glb and path ~ 'chairs/*'"
        })
    }

    /// The expression and, on a second line, a caret under the position.
    pub fn with_caret(&self) -> String {
        format!("{}\n{}^", self.text, " ".repeat(self.position))
    }
}

impl Filter {
    /// Parses an expression.
    ///
    /// ```text
    /// triangles < 10k and format in (glb, gltf) and path ~ 'chairs/*'
    /// not (extra.license = 'CC BY 4.0' or has extra.price) and modified >= 2024-05-01
    /// ```
    ///
    /// # Errors
    /// The position of the first syntax error, what was expected there and what was found.
    ///
    /// ```
    /// use lexiform_store::{Filter, Payload};
    ///
    /// let filter = Filter::parse("triangles < 10k and path ~ 'chairs/*'")?;
    /// let payload = |path: &str| Payload { path: path.into(), triangles: 900, ..Payload::default() };
    /// assert!(filter.matches(&payload("chairs/red.glb")));
    /// assert!(!filter.matches(&payload("cups/blue.glb")));
    /// # Ok::<(), lexiform_store::FilterError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse(text)
    }
}

fn parse(text: &str) -> Result<Filter, FilterError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens, next: 0, n_conditions: 0 };
    let filter = parser.or_expression(0)?;
    match parser.peek() {
        None => Ok(filter),
        Some(_) => Err(parser.expected("`and`, `or` or the end")),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum TokenKind {
    /// Unquoted: a field, a keyword, a number or text without spaces.
    Word(String),
    Quoted(String),
    Symbol(&'static str),
}

#[derive(Clone, Debug)]
struct Token {
    kind: TokenKind,
    /// In characters.
    position: usize,
}

/// Longer symbols first, because `<=` begins with `<`.
const SYMBOLS: [&str; 13] = ["!=", "<>", "<=", ">=", "==", "!~", "<", ">", "=", "~", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let (mut tokens, mut rest, mut position) = (Vec::new(), text, 0);
    while let Some(first) = rest.chars().next() {
        let (kind, bytes) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Some(TokenKind::Symbol(symbol)), symbol.len())
        } else if matches!(first, '\'' | '"') {
            let inner = &rest[1..];
            let Some(end) = inner.find(first) else {
                let (expected, found) = (format!("a closing {first}"), "the end".into());
                return Err(FilterError { text: text.into(), position, expected, found });
            };
            (Some(TokenKind::Quoted(inner[..end].into())), end + 2)
        } else {
            let end =
                rest.find(|c: char| c.is_whitespace() || "=!<>~(),'\"".contains(c)).unwrap_or(rest.len());
            // A single `!` is not an operator: it becomes a word, which the parser rejects at its position.
            let end = end.max(first.len_utf8());
            (Some(TokenKind::Word(rest[..end].into())), end)
        };
        tokens.extend(kind.map(|kind| Token { kind, position }));
        // In characters, as the caret below the expression needs it.
        position += rest[..bytes].chars().count();
        rest = &rest[bytes..];
    }
    Ok(tokens)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    n_conditions: usize,
}

impl Parser<'_> {
    /// The next token, without consuming it.
    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    /// An error at the next token.
    fn expected(&self, expected: impl Into<String>) -> FilterError {
        let (position, found) = match self.tokens.get(self.next) {
            None => (self.text.chars().count(), "the end".into()),
            Some(Token { kind: TokenKind::Word(word), position }) => (*position, format!("`{word}`")),
            Some(Token { kind: TokenKind::Quoted(text), position }) => {
                (*position, format!("the text '{text}'"))
            }
            Some(Token { kind: TokenKind::Symbol(symbol), position }) => (*position, format!("`{symbol}`")),
        };
        FilterError { text: self.text.into(), position, expected: expected.into(), found }
    }

    /// Consumes the next token if it is this keyword.
    fn eat_keyword(&mut self, keyword: &str) -> bool {
        // Keywords in any case, as in SQL.
        let is_next =
            matches!(self.peek(), Some(TokenKind::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(is_next);
        is_next
    }

    /// Consumes the next token if it is this symbol.
    fn eat_symbol(&mut self, symbol: &str) -> bool {
        let is_next = matches!(self.peek(), Some(TokenKind::Symbol(found)) if *found == symbol);
        self.next += usize::from(is_next);
        is_next
    }

    /// `and { "or" and }`
    fn or_expression(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.and_expression(depth)?];
        while self.eat_keyword("or") {
            parts.push(self.and_expression(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
    }

    /// `condition { "and" condition }`
    fn and_expression(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.condition(depth)?];
        while self.eat_keyword("and") {
            parts.push(self.condition(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) })
    }

    /// One condition, or a whole expression in parentheses.
    fn condition(&mut self, depth: usize) -> Result<Filter, FilterError> {
        self.n_conditions += 1;
        // Checked before the recursion below, so that no input can overflow the stack.
        if depth > MAX_DEPTH || self.n_conditions > MAX_CONDITIONS {
            return Err(self.expected(format!("at most {MAX_DEPTH} levels and {MAX_CONDITIONS} conditions")));
        }
        if self.eat_keyword("not") {
            return Ok(Filter::Not(Box::new(self.condition(depth + 1)?)));
        }
        if self.eat_symbol("(") {
            let inner = self.or_expression(depth + 1)?;
            return if self.eat_symbol(")") { Ok(inner) } else { Err(self.expected("`and`, `or` or `)`")) };
        }
        if self.eat_keyword("has") {
            return self.field().map(Filter::Has);
        }
        let field = self.field()?;
        if self.eat_keyword("not") {
            return if self.eat_keyword("in") {
                Ok(Filter::Not(Box::new(self.in_list(field)?)))
            } else {
                Err(self.expected("`in`"))
            };
        }
        if self.eat_keyword("in") { self.in_list(field) } else { self.relation(field) }
    }

    fn field(&mut self) -> Result<Field, FilterError> {
        let field = match self.peek() {
            Some(TokenKind::Word(word)) => field_named(word),
            _ => None,
        };
        let Some(field) = field else { return Err(self.expected(FIELDS)) };
        self.next += 1;
        // `extra."a key"`: the quoted part is a separate token.
        if field == Field::Extra(String::new()) {
            let key = match self.peek() {
                Some(TokenKind::Quoted(key)) if !key.is_empty() && is_key(key) => key.clone(),
                _ => return Err(self.expected("a key after `extra.`, without quotes and backslashes")),
            };
            self.next += 1;
            return Ok(Field::Extra(key));
        }
        Ok(field)
    }

    /// The operator and value after a field.
    fn relation(&mut self, field: Field) -> Result<Filter, FilterError> {
        let Some(TokenKind::Symbol(symbol)) = self.peek() else { return Err(self.expected(OPERATORS)) };
        let comparison = match *symbol {
            // The spellings of programming languages and of SQL.
            "=" | "==" => Comparison::Equal,
            "!=" | "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterEqual,
            "~" | "!~" => return self.glob(field),
            _ => return Err(self.expected(OPERATORS)),
        };
        self.next += 1;
        let value = self.value(&field)?;
        Ok(Filter::Compare(field, comparison, value))
    }

    /// The pattern after `~` or `!~`.
    fn glob(&mut self, field: Field) -> Result<Filter, FilterError> {
        // The error is at the operator: the field before it is valid.
        if field.is_number() {
            return Err(self.expected("=, !=, <, <=, > or >= after a number"));
        }
        let negated = self.eat_symbol("!~");
        self.next += usize::from(!negated);
        let Some(TokenKind::Word(pattern) | TokenKind::Quoted(pattern)) = self.peek() else {
            return Err(self.expected("a pattern such as 'chairs/*'"));
        };
        let matches = Filter::Matches(field, Glob::containing(pattern));
        self.next += 1;
        Ok(if negated { Filter::Not(Box::new(matches)) } else { matches })
    }

    /// The values in parentheses after `in`.
    fn in_list(&mut self, field: Field) -> Result<Filter, FilterError> {
        if !self.eat_symbol("(") {
            return Err(self.expected("`(` and a list of values"));
        }
        let mut values = vec![self.value(&field)?];
        while self.eat_symbol(",") {
            values.push(self.value(&field)?);
        }
        // Each value becomes a comparison in SQL.
        self.n_conditions += values.len();
        if self.eat_symbol(")") { Ok(Filter::In(field, values)) } else { Err(self.expected("`,` or `)`")) }
    }

    /// A literal of the field's type.
    fn value(&mut self, field: &Field) -> Result<Value, FilterError> {
        let (text, quoted) = match self.peek() {
            Some(TokenKind::Word(word)) => (word, false),
            Some(TokenKind::Quoted(text)) => (text, true),
            _ => return Err(self.expected(field.value_kind())),
        };
        let value = match field {
            // Seconds since 1970 are accepted too.
            Field::Modified => date(text).or_else(|| number(text)).map(Value::Number),
            field if field.is_number() => number(text).map(Value::Number).filter(|_| !quoted),
            // The type of a free-form field is the type of the literal; quotes make it text.
            Field::Extra(_) if !quoted => Some(match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                word => number(word).map_or_else(|| Value::AnyCase(word.into()), Value::Number),
            }),
            _ => Some(Value::AnyCase(text.clone())),
        };
        let value = value.ok_or_else(|| self.expected(field.value_kind()))?;
        self.next += 1;
        Ok(value)
    }
}

impl Field {
    fn is_number(&self) -> bool {
        use Field::{Bytes, Extent, Modified, Points, Triangles, Vertices};
        matches!(self, Bytes | Vertices | Triangles | Points | Extent(_) | Modified)
    }

    fn value_kind(&self) -> &'static str {
        match self {
            Self::Modified => "a date such as 2024-05-31 or 2024-05-31T12:00:00 (UTC)",
            Self::Extra(_) => "a number, text, true or false",
            field if field.is_number() => "a number such as 2000, 1.5 or 10k",
            _ => "text",
        }
    }
}

/// `extra.` alone gives an empty key; the quoted key follows as the next token.
fn field_named(word: &str) -> Option<Field> {
    Some(match word {
        "path" => Field::Path,
        "name" => Field::Name,
        "format" => Field::Format,
        "hash" => Field::ContentHash,
        "bytes" => Field::Bytes,
        "vertices" => Field::Vertices,
        "triangles" => Field::Triangles,
        "points" => Field::Points,
        "extents.x" => Field::Extent(0),
        "extents.y" => Field::Extent(1),
        "extents.z" => Field::Extent(2),
        "modified" => Field::Modified,
        "label" => Field::Extra("label".into()),
        "caption" => Field::Caption,
        word => Field::Extra(word.strip_prefix("extra.").filter(|key| is_key(key))?.into()),
    })
}

/// Whether SQLite's JSON paths can name the key.
fn is_key(key: &str) -> bool {
    key.chars().all(|c| !c.is_control() && c != '"' && c != '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_closer_than_or() {
        let a = || Filter::Compare(Field::Points, Comparison::Equal, Value::Number(1.0));
        assert_eq!(
            parse("points=1 or points=1 and points=1").unwrap(),
            Filter::Or(vec![a(), Filter::And(vec![a(), a()])])
        );
    }

    #[test]
    fn errors_say_where_expected_and_found() {
        let check = |text: &str, position: usize, expected: &str, found: &str| {
            let error = parse(text).unwrap_err();
            assert_eq!((error.position, error.found.as_str()), (position, found), "{text}: {error}");
            assert!(error.expected.contains(expected), "{text}: {error}");
        };
        check("", 0, "a field", "the end");
        check("trianglse < 5", 0, "triangles", "`trianglse`");
        check("triangles < many", 12, "a number", "`many`");
        check("triangles < '5'", 12, "a number", "the text '5'");
        check("triangles ~ 5", 10, "=, !=", "`~`");
        check("triangles 5", 10, "an operator", "`5`");
        check("triangles < 5 format = glb", 14, "`and`", "`format`");
        check("(triangles < 5", 14, "`)`", "the end");
        check("path ~ 'chairs", 7, "a closing '", "the end");
        check("é = 5", 0, "a field", "`é`");
        check("name = é and ö", 13, "a field", "`ö`");
        check("modified > 2023-02-29", 11, "a date", "`2023-02-29`");
        check("format in glb", 10, "`(`", "`glb`");
        check("format in (glb stl)", 15, "`,`", "`stl`");
        check("extra. = 5", 7, "a key", "`=`");
        check("! = 5", 0, "a field", "`!`");
        check("triangles < inf", 12, "a number", "`inf`");
    }

    #[test]
    fn the_caret_marks_the_position() {
        assert_eq!(parse("points < x").unwrap_err().with_caret(), "points < x\n         ^");
    }

    #[test]
    fn depth_and_length_are_bounded() {
        assert!(parse(&"(".repeat(100_000)).is_err());
        assert!(parse(&"not ".repeat(100_000)).is_err());
        assert!(parse(&format!("points = 1{}", " or points = 1".repeat(1_000))).is_err());
    }

    #[test]
    fn extra_keys_may_be_quoted() {
        let field = Field::Extra("a key".into());
        let expected = Filter::Compare(field, Comparison::Equal, Value::Number(5.0));
        assert_eq!(parse("extra.'a key' = 5").unwrap(), expected);
    }

    #[test]
    fn no_text_panics() {
        use rand::rngs::SmallRng;
        use rand::{Rng as _, SeedableRng as _};
        let pieces = [
            "path",
            "extra.",
            "extra.ü",
            "not",
            "in",
            "has",
            "and",
            "or",
            "(",
            ")",
            ",",
            "=",
            "!",
            "!=",
            "~",
            "<",
            "'",
            "\"",
            "'a b'",
            "10k",
            "k",
            "modified",
            "2024-02-30",
            "2024-02-28T",
            "\u{0}",
            "💡",
            " ",
            "label",
            "caption",
            "format",
        ];
        let mut rng = SmallRng::seed_from_u64(7);
        for _ in 0..20_000 {
            let count = rng.random_range(0..12);
            let text: String = (0..count).map(|_| pieces[rng.random_range(0..pieces.len())]).collect();
            if let Err(error) = parse(&text) {
                assert!(error.position <= text.chars().count() && !error.with_caret().is_empty());
            }
        }
    }
}
