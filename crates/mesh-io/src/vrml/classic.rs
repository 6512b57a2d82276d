//! The syntax of VRML 97, which X3D's classic encoding has as well.

use super::node::MAX_DEPTH;
use super::node::{Field, NodeId, Tree, number};

/// Parses a file. One that breaks off gives the nodes before, with a note.
pub(super) fn parse(text: &str) -> Result<Tree, String> {
    let mut parser = Parser { rest: text, tree: Tree::default() };
    let mut roots = Vec::new();
    let outcome = loop {
        match parser.statement(0) {
            Ok(Statement::Node(node)) => roots.push(node),
            Ok(Statement::Skipped) => {}
            Ok(Statement::End) => break Ok(()),
            Err(message) => break Err(message),
        }
    };
    parser.tree.roots = roots;
    match outcome {
        Err(message) if parser.tree.roots.is_empty() => Err(message),
        Err(message) => {
            parser.tree.notes.push(format!("the rest of the file is not read: {message}"));
            Ok(parser.tree)
        }
        Ok(()) => Ok(parser.tree),
    }
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Text(String),
    Open,
    Close,
    ListStart,
    ListEnd,
}

enum Statement {
    Node(NodeId),
    Skipped,
    End,
}

struct Parser<'a> {
    rest: &'a str,
    tree: Tree,
}

impl<'a> Parser<'a> {
    /// The next token; commas are whitespace, and comments end with their line.
    fn next(&mut self) -> Result<Option<Token<'a>>, String> {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if !self.rest.starts_with('#') {
                break;
            }
            self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
        }
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let single = match first {
            '{' => Some(Token::Open),
            '}' => Some(Token::Close),
            '[' => Some(Token::ListStart),
            ']' => Some(Token::ListEnd),
            _ => None,
        };
        if single.is_some() {
            self.rest = &self.rest[1..];
            return Ok(single);
        }
        if first == '"' {
            return self.quoted().map(|text| Some(Token::Text(text)));
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | '[' | ']' | '"' | '#');
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        Ok(Some(Token::Word(word)))
    }

    fn peek(&self) -> Result<Option<Token<'a>>, String> {
        Parser { rest: self.rest, tree: Tree::default() }.next()
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Ok(text);
                }
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                other => text.push(other),
            }
        }
        Err("a string without an end".to_owned())
    }

    fn statement(&mut self, depth: usize) -> Result<Statement, String> {
        let Some(token) = self.next()? else { return Ok(Statement::End) };
        let Token::Word(word) = token else { return Err("expected a node".to_owned()) };
        if self.skip_statement(word)? {
            return Ok(Statement::Skipped);
        }
        self.node(word, depth).map(|node| node.map_or(Statement::Skipped, Statement::Node))
    }

    /// Skips the rest of a statement that is no node; false if it is one.
    fn skip_statement(&mut self, keyword: &str) -> Result<bool, String> {
        match keyword {
            "PROTO" => {
                // Name, interface, body.
                self.next()?;
                self.skip_block()?;
                self.skip_block()?;
                self.note("prototypes are not read");
            }
            "EXTERNPROTO" => {
                // Name, interface, one or several URLs.
                self.next()?;
                self.skip_block()?;
                if self.next()? == Some(Token::ListStart) {
                    self.skip_rest_of_block()?;
                }
                self.note("prototypes are not read");
            }
            // From, TO, to.
            "ROUTE" => (0..3).try_for_each(|_| self.next().map(drop))?,
            "PROFILE" | "COMPONENT" => drop(self.next()?),
            "META" => (0..2).try_for_each(|_| self.next().map(drop))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A node whose first word is read; `None` for NULL and for an unknown name.
    fn node(&mut self, first: &str, depth: usize) -> Result<Option<NodeId>, String> {
        if depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} nodes inside each other"));
        }
        let (mut kind, mut name) = (first, None);
        match first {
            "NULL" => return Ok(None),
            "USE" => {
                return match self.next()? {
                    Some(Token::Word(name)) => Ok(self.tree.named(name)),
                    _ => Err("expected a name after USE".to_owned()),
                };
            }
            "DEF" => {
                let (Some(Token::Word(defined)), Some(Token::Word(word))) = (self.next()?, self.next()?)
                else {
                    return Err("expected a name and a node after DEF".to_owned());
                };
                (kind, name) = (word, Some(defined.to_owned()));
            }
            _ => {}
        }
        if self.next()? != Some(Token::Open) {
            return Err(format!("expected \"{{\" after {}", kind.escape_debug()));
        }
        let node = self.tree.push(kind, name);
        loop {
            match self.next()? {
                Some(Token::Close) => return Ok(Some(node)),
                Some(Token::Word(keyword @ ("PROTO" | "ROUTE" | "EXTERNPROTO"))) => {
                    self.skip_statement(keyword)?;
                }
                Some(Token::Word(field)) => {
                    if let Some(value) = self.value(depth)? {
                        self.tree.set(node, field.to_owned(), value);
                    }
                }
                Some(_) => return Err(format!("expected a field of {}", kind.escape_debug())),
                None => return Err(format!("the file ends within {}", kind.escape_debug())),
            }
        }
    }

    /// The value of a field: one, or several in brackets.
    fn value(&mut self, depth: usize) -> Result<Option<Field>, String> {
        match self.peek()? {
            Some(Token::ListStart) => {
                self.next()?;
                self.list(depth)
            }
            Some(Token::Text(_)) => match self.next()? {
                Some(Token::Text(text)) => Ok(Some(Field::Strings(vec![text]))),
                _ => Ok(None),
            },
            Some(Token::Word(word)) if number(word).is_some() => {
                // Vectors and colors have no brackets.
                let mut numbers = Vec::new();
                while let Some(Token::Word(word)) = self.peek()? {
                    let Some(value) = number(word) else { break };
                    self.next()?;
                    numbers.push(value);
                }
                Ok(Some(Field::Numbers(numbers)))
            }
            Some(Token::Word(word)) => {
                self.next()?;
                // Inside a prototype, a field may be that of the prototype.
                if word == "IS" {
                    self.next()?;
                    return Ok(None);
                }
                Ok(self.node(word, depth + 1)?.map(|node| Field::Nodes(vec![node])))
            }
            _ => Err("expected a value".to_owned()),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Option<Field>, String> {
        let (mut numbers, mut strings, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            match self.next()? {
                Some(Token::ListEnd) => break,
                Some(Token::Text(text)) => strings.push(text),
                Some(Token::Word(word)) => match number(word) {
                    Some(value) => numbers.push(value),
                    None => nodes.extend(self.node(word, depth + 1)?),
                },
                Some(_) => return Err("unexpected brackets in a list".to_owned()),
                None => return Err("the file ends within a list".to_owned()),
            }
        }
        Ok(if !nodes.is_empty() {
            Some(Field::Nodes(nodes))
        } else if !strings.is_empty() {
            Some(Field::Strings(strings))
        } else {
            Some(Field::Numbers(numbers))
        })
    }

    fn skip_block(&mut self) -> Result<(), String> {
        match self.next()? {
            Some(Token::Open | Token::ListStart) => self.skip_rest_of_block(),
            _ => Err("expected a block".to_owned()),
        }
    }

    fn skip_rest_of_block(&mut self) -> Result<(), String> {
        let mut open = 1;
        while open > 0 {
            match self.next()? {
                Some(Token::Open | Token::ListStart) => open += 1,
                Some(Token::Close | Token::ListEnd) => open -= 1,
                Some(_) => {}
                None => return Err("the file ends within a block".to_owned()),
            }
        }
        Ok(())
    }

    fn note(&mut self, note: &str) {
        if !self.tree.notes.iter().any(|known| known == note) {
            self.tree.notes.push(note.to_owned());
        }
    }
}
