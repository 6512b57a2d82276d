//! The text format of USD (`.usda`).

use std::collections::HashMap;

use super::layer::{Layer, Property, Reference, Specifier, Value};

/// Prims, lists and dictionaries inside each other.
const MAX_DEPTH: usize = 128;

/// Parses a layer. One that breaks off gives what is before, with a note.
pub(super) fn parse(bytes: &[u8]) -> Result<Layer, String> {
    if !bytes.trim_ascii_start().starts_with(b"#usda") {
        return Err("expected \"#usda 1.0\" at the start".to_owned());
    }
    let mut parser = Parser { bytes, at: 0, layer: Layer::default() };
    let outcome = parser.layer();
    let line = bytes[..parser.at.min(bytes.len())].iter().filter(|&&b| b == b'\n').count() + 1;
    match outcome {
        Err(message) if parser.layer.prims.len() == 1 => Err(format!("line {line}: {message}")),
        Err(message) => {
            parser.layer.notes.push(format!("the rest of the file is not read: line {line}: {message}"));
            Ok(parser.layer)
        }
        Ok(()) => Ok(parser.layer),
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    layer: Layer,
}

impl<'a> Parser<'a> {
    fn layer(&mut self) -> Result<(), String> {
        self.skip_space();
        if self.peek() == Some(b'(') {
            self.metadata(0)?;
        }
        while self.peek().is_some() {
            self.statement(0, 0)?;
        }
        Ok(())
    }

    /// Skips whitespace, comments and separators.
    fn skip_space(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b';' => self.at += 1,
                b'#' => {
                    let rest = &self.bytes[self.at..];
                    self.at += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    /// The next byte that is not space.
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.accept(byte) {
            return Ok(());
        }
        let found = self.peek().map_or("the end of the file".to_owned(), |b| format!("{:?}", char::from(b)));
        Err(format!("expected {:?}, found {found}", char::from(byte)))
    }

    /// A name with namespaces, a type with `[]`, or a keyword; otherwise empty.
    fn word(&mut self) -> &'a str {
        self.skip_space();
        let rest = &self.bytes[self.at..];
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.') || b >= 0x80;
        let mut end = rest.iter().position(|&b| !is_part(b)).unwrap_or(rest.len());
        if end > 0 && rest[end..].starts_with(b"[]") {
            end += 2;
        }
        self.at += end;
        str::from_utf8(&rest[..end]).unwrap_or_default()
    }

    /// The next word, without moving.
    fn next_word(&mut self) -> &'a str {
        let before = self.at;
        let word = self.word();
        self.at = before;
        word
    }

    /// A prim, a property or a variant set of a prim.
    fn statement(&mut self, prim: usize, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} levels"));
        }
        match self.next_word() {
            "" => Err(format!(
                "expected a prim or a property, found {:?}",
                self.peek().map_or('\0', char::from)
            )),
            "def" => self.prim(prim, Specifier::Def, depth),
            "over" => self.prim(prim, Specifier::Over, depth),
            "class" => self.prim(prim, Specifier::Class, depth),
            "variantSet" => self.variant_set(prim, depth),
            "reorder" => {
                self.word();
                self.word();
                self.expect(b'=')?;
                self.value(depth).map(drop)
            }
            _ => self.property(prim, depth),
        }
    }

    fn prim(&mut self, parent: usize, specifier: Specifier, depth: usize) -> Result<(), String> {
        self.word();
        let type_name = if self.peek() == Some(b'"') { "" } else { self.word() };
        let name = self.string()?;
        let prim = self.layer.child(parent, &name);
        self.layer.prims[prim].specifier = specifier;
        self.layer.prims[prim].type_name = type_name.to_owned();
        self.body(prim, depth)
    }

    /// Metadata in parentheses and content in braces.
    fn body(&mut self, prim: usize, depth: usize) -> Result<(), String> {
        if self.peek() == Some(b'(') {
            self.metadata(prim)?;
        }
        self.expect(b'{')?;
        while !self.accept(b'}') {
            if self.peek().is_none() {
                return Err("the file ends within a prim".to_owned());
            }
            self.statement(prim, depth + 1)?;
        }
        Ok(())
    }

    fn variant_set(&mut self, prim: usize, depth: usize) -> Result<(), String> {
        self.word();
        let set = self.string()?;
        self.expect(b'=')?;
        self.expect(b'{')?;
        while !self.accept(b'}') {
            let name = self.string()?;
            let variant = self.layer.variant(prim, &set, &name);
            self.body(variant, depth + 1)?;
        }
        Ok(())
    }

    fn metadata(&mut self, prim: usize) -> Result<(), String> {
        for (key, value) in self.entries()? {
            // The names of the binary format.
            let key = match key.as_str() {
                "inherits" => "inheritPaths",
                "variants" => "variantSelection",
                "variantSets" => "variantSetNames",
                other => other,
            };
            add(&mut self.layer.prims[prim].fields, key, value);
        }
        Ok(())
    }

    /// `key = value` in parentheses, and documentation strings.
    fn entries(&mut self) -> Result<Vec<(String, Value)>, String> {
        self.expect(b'(')?;
        let mut entries = Vec::new();
        while !self.accept(b')') {
            if matches!(self.peek(), Some(b'"' | b'\'')) {
                self.string()?;
                continue;
            }
            let mut key = self.word();
            let is_deleted = key == "delete";
            if matches!(key, "prepend" | "append" | "add" | "delete" | "reorder" | "explicit") {
                key = self.word();
            }
            if key.is_empty() {
                return Err("expected metadata".to_owned());
            }
            self.expect(b'=')?;
            let value = self.value(0)?;
            if !is_deleted {
                entries.push((key.to_owned(), value));
            }
        }
        Ok(entries)
    }

    fn property(&mut self, prim: usize, depth: usize) -> Result<(), String> {
        let mut is_deleted = false;
        loop {
            match self.next_word() {
                "custom" | "uniform" | "varying" | "config" | "prepend" | "append" | "add" => {
                    self.word();
                }
                "delete" => {
                    is_deleted = true;
                    self.word();
                }
                _ => break,
            }
        }
        let type_name = self.word();
        let name = self.word();
        if name.is_empty() {
            return Err(format!("expected a property after {}", type_name.escape_debug()));
        }
        let (name, part) = match name.rsplit_once('.') {
            Some((name, part)) => (name, part),
            None if type_name == "rel" => (name, "targetPaths"),
            None => (name, "default"),
        };
        let field = if part == "connect" { "connectionPaths" } else { part };
        let mut fields = Property::new();
        if self.accept(b'=') {
            let value = if part == "timeSamples" { self.first_sample()? } else { Some(self.value(depth)?) };
            if let Some(value) = value.filter(|_| !is_deleted) {
                fields.insert(field.to_owned(), value);
            }
        }
        if self.peek() == Some(b'(') {
            fields.extend(self.entries()?);
        }
        let known = self.layer.prims[prim].properties.entry(name.to_owned()).or_default();
        fields.into_iter().for_each(|(field, value)| add(known, &field, value));
        Ok(())
    }

    /// The value at the earliest time of `{ time: value, … }`.
    fn first_sample(&mut self) -> Result<Option<Value>, String> {
        self.expect(b'{')?;
        let mut first: Option<(f64, Value)> = None;
        while !self.accept(b'}') {
            let time = self.value(0)?.as_number().ok_or("expected a time")?;
            self.expect(b':')?;
            let value = self.value(0)?;
            if first.as_ref().is_none_or(|(earliest, _)| time < *earliest) && value != Value::Blocked {
                first = Some((time, value));
            }
        }
        Ok(first.map(|(_, value)| value))
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} levels"));
        }
        match self.peek() {
            Some(b'"' | b'\'') => Ok(Value::Texts(vec![self.string()?])),
            Some(b'@') => self.reference().map(|reference| Value::References(vec![reference])),
            Some(b'<') => Ok(Value::Paths(vec![self.path()?])),
            Some(b'(') => self.tuple(depth),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.dictionary(depth),
            Some(_) => self.number_or_token(),
            None => Err("the file ends within a value".to_owned()),
        }
    }

    fn number_or_token(&mut self) -> Result<Value, String> {
        let rest = &self.bytes[self.at..];
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'+' | b'-' | b'|');
        let length = rest.iter().take_while(|b| is_part(b)).count();
        let word = str::from_utf8(&rest[..length]).unwrap_or_default();
        if word.is_empty() {
            return Err(format!("expected a value, found {:?}", char::from(rest[0])));
        }
        self.at += length;
        Ok(match word {
            "None" => Value::Blocked,
            "true" => Value::number(1.0),
            "false" => Value::number(0.0),
            _ => word.parse().map_or_else(|_| Value::Texts(vec![word.to_owned()]), Value::number),
        })
    }

    /// Numbers in parentheses, also in several levels.
    fn tuple(&mut self, depth: usize) -> Result<Value, String> {
        self.expect(b'(')?;
        let mut all = Vec::new();
        while !self.accept(b')') {
            match self.value(depth + 1)? {
                Value::Numbers { values, .. } => all.extend(values),
                _ => return Err("expected a number in a tuple".to_owned()),
            }
        }
        Ok(Value::Numbers { width: all.len().max(1), values: all })
    }

    fn list(&mut self, depth: usize) -> Result<Value, String> {
        self.expect(b'[')?;
        let mut list = None;
        while !self.accept(b']') {
            let value = self.value(depth + 1)?;
            match (&mut list, value) {
                (None, value) => list = Some(value),
                (Some(Value::Numbers { values, .. }), Value::Numbers { values: more, .. }) => {
                    values.extend(more)
                }
                (Some(Value::Texts(all)), Value::Texts(more)) => all.extend(more),
                (Some(Value::Paths(all)), Value::Paths(more)) => all.extend(more),
                (Some(Value::References(all)), Value::References(more)) => all.extend(more),
                // References to prims of the same layer are paths.
                (Some(Value::References(all)), Value::Paths(more)) => all.extend(more.into_iter().map(local)),
                _ => {}
            }
        }
        Ok(list.unwrap_or(Value::Numbers { values: Vec::new(), width: 1 }))
    }

    /// `type name = value`, where the type may be left out.
    fn dictionary(&mut self, depth: usize) -> Result<Value, String> {
        self.expect(b'{')?;
        let mut entries = HashMap::new();
        while !self.accept(b'}') {
            let mut key = self.key()?;
            if self.peek() != Some(b'=') && self.peek() != Some(b':') {
                key = self.key()?;
            }
            if !self.accept(b':') {
                self.expect(b'=')?;
            }
            entries.insert(key, self.value(depth + 1)?);
        }
        Ok(Value::Dictionary(entries))
    }

    fn key(&mut self) -> Result<String, String> {
        if matches!(self.peek(), Some(b'"' | b'\'')) {
            return self.string();
        }
        match self.word() {
            "" => Err("expected a name in a dictionary".to_owned()),
            word => Ok(word.to_owned()),
        }
    }

    /// A string in one or three quotes.
    fn string(&mut self) -> Result<String, String> {
        let quote = self.peek().filter(|b| matches!(b, b'"' | b'\'')).ok_or("expected a string")?;
        let rest = &self.bytes[self.at..];
        let fence = if rest.starts_with(&[quote; 3]) { 3 } else { 1 };
        let mut text = Vec::new();
        let mut at = fence;
        while at < rest.len() {
            match rest[at] {
                b'\\' => {
                    text.extend(rest.get(at + 1));
                    at += 2;
                }
                byte if byte == quote && (fence == 1 || rest[at..].starts_with(&[quote; 3])) => {
                    self.at += at + fence;
                    return Ok(String::from_utf8_lossy(&text).into_owned());
                }
                byte => {
                    text.push(byte);
                    at += 1;
                }
            }
        }
        Err("a string without an end".to_owned())
    }

    fn path(&mut self) -> Result<String, String> {
        self.expect(b'<')?;
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&b| b == b'>').ok_or("a path without an end")?;
        self.at += end + 1;
        Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
    }

    /// `@asset@</Prim> (offset = 1)`; asset paths that are no references are texts in the end.
    fn reference(&mut self) -> Result<Reference, String> {
        let rest = &self.bytes[self.at..];
        let fence: &[u8] = if rest.starts_with(b"@@@") { b"@@@" } else { b"@" };
        let inside = &rest[fence.len()..];
        let end =
            inside.windows(fence.len()).position(|w| w == fence).ok_or("an asset path without an end")?;
        let asset = String::from_utf8_lossy(&inside[..end]).into_owned();
        self.at += end + 2 * fence.len();
        let prim = if self.bytes.get(self.at) == Some(&b'<') { self.path()? } else { String::new() };
        let before = self.at;
        // An offset in time; a property's metadata look the same, and are left to it.
        if self.accept(b'(') {
            let word = self.next_word();
            self.at = before;
            if matches!(word, "offset" | "scale") {
                self.entries()?;
            }
        }
        Ok(Reference { asset, prim })
    }
}

/// A prim of the same layer.
fn local(prim: String) -> Reference {
    Reference { asset: String::new(), prim }
}

/// Adds a field; lists of paths, references and names are joined.
fn add(fields: &mut HashMap<String, Value>, name: &str, value: Value) {
    let value = match value {
        Value::Paths(paths) if matches!(name, "references" | "payload") => {
            Value::References(paths.into_iter().map(local).collect())
        }
        Value::References(assets) if !matches!(name, "references" | "payload") => {
            Value::Texts(assets.into_iter().map(|reference| reference.asset).collect())
        }
        other => other,
    };
    match (fields.get_mut(name), value) {
        (Some(Value::Paths(known)), Value::Paths(more)) => known.extend(more),
        (Some(Value::References(known)), Value::References(more)) => known.extend(more),
        (_, value) => drop(fields.insert(name.to_owned(), value)),
    }
}
