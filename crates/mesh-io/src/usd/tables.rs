//! The tables of a file in the binary format, and what is read through them.

use std::cell::Cell;

use super::layer::Layer;
use crate::cursor::Cursor;

/// Names in a path.
pub(super) const MAX_DEPTH: usize = 256;

/// How a text is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Token,
    String,
}

/// Where a path leads.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A prim or a variant.
    Prim(usize),
    /// The property of a prim, named by a token.
    Property(usize, usize),
    Elsewhere,
}

/// An element of a path: its parent and its token.
#[derive(Clone, Copy)]
pub(super) struct Element {
    pub parent: usize,
    pub token: usize,
    pub is_property: bool,
}

/// The tables of a file.
pub(super) struct File<'a> {
    pub bytes: &'a [u8],
    pub version: [u8; 3],
    pub tokens: Vec<String>,
    pub strings: Vec<usize>,
    pub fields: Vec<(usize, u64)>,
    pub field_sets: Vec<usize>,
    pub elements: Vec<Option<Element>>,
    pub places: Vec<Place>,
    pub layer: Layer,
    pub budget: Cell<usize>,
}

impl<'a> File<'a> {
    /// A place in the file.
    pub fn at(&self, offset: u64) -> Option<Cursor<'a>> {
        Some(Cursor::new(self.bytes.get(usize::try_from(offset).ok()?..)?))
    }

    /// Takes bytes from the budget.
    pub fn charge(&self, bytes: usize) -> Result<(), String> {
        let left = self.budget.get().checked_sub(bytes);
        self.budget.set(left.ok_or("it declares more values than a file of its size may have")?);
        Ok(())
    }

    /// Whether the file's version is at least this one.
    pub fn is_since(&self, minor: u8) -> bool {
        self.version >= [0, minor, 0]
    }

    /// Bytes of LZ4 blocks, to at most `size`.
    pub fn decompress(&self, source: &mut Cursor, size: usize) -> Result<Vec<u8>, String> {
        let truncated = "compressed data are truncated";
        let length = source.u64().and_then(|length| usize::try_from(length).ok()).ok_or(truncated)?;
        let mut input = Cursor::new(source.take(length).ok_or(truncated)?);
        self.charge(size)?;
        let mut output = vec![0; size];
        let [chunks] = input.array().ok_or(truncated)?;
        let inflate = |input: &[u8], output: &mut [u8]| {
            lz4_flex::block::decompress_into(input, output).map_err(|error| format!("LZ4: {error}"))
        };
        let mut filled = 0;
        if chunks == 0 {
            filled = inflate(input.remaining(), &mut output)?;
        }
        for _ in 0..chunks {
            let length = input.u32().ok_or(truncated)? as usize;
            filled += inflate(input.take(length).ok_or(truncated)?, &mut output[filled..])?;
        }
        output.truncate(filled);
        Ok(output)
    }

    /// Compressed integers: a common difference, two bits for each difference, and those that are not common.
    pub fn integers(&self, source: &mut Cursor, count: usize, wide: bool) -> Result<Vec<i64>, String> {
        let bytes = if wide { 8 } else { 4 };
        self.charge(count.saturating_mul(8))?;
        let n_codes = count.div_ceil(4);
        let data = self
            .decompress(source, count.saturating_mul(bytes).saturating_add(n_codes).saturating_add(bytes))?;
        let mut data = Cursor::new(&data);
        let truncated = "compressed integers are truncated";
        let common = data.signed(bytes).ok_or(truncated)?;
        let codes = data.take(n_codes).ok_or(truncated)?;
        let mut integers = Vec::with_capacity(count);
        let mut last = 0_i64;
        for index in 0..count {
            let code = codes[index / 4] >> (2 * (index % 4)) & 3;
            let difference = match code {
                0 => common,
                code => data.signed(bytes >> (3 - code)).ok_or(truncated)?,
            };
            last = last.wrapping_add(difference);
            integers.push(if wide { last } else { i64::from(last as i32) });
        }
        Ok(integers)
    }

    /// The token or string of an index.
    pub fn text(&self, index: usize, kind: Kind) -> Option<&str> {
        let token = if kind == Kind::Token { index } else { *self.strings.get(index)? };
        self.tokens.get(token).map(String::as_str)
    }

    /// The path of an index.
    pub fn path(&self, index: usize) -> Result<Option<String>, String> {
        let mut names = Vec::new();
        let mut at = index;
        while let Some(element) = self.elements.get(at).copied().flatten() {
            let name = self.tokens.get(element.token).map_or("", String::as_str);
            names.push((name, element.is_property));
            if names.len() > MAX_DEPTH {
                return Ok(None);
            }
            at = element.parent;
        }
        let mut path = String::new();
        for (name, is_property) in names.into_iter().rev() {
            let separator = match name.chars().next() {
                _ if is_property => ".",
                Some('{' | '[') => "",
                _ => "/",
            };
            path.push_str(separator);
            path.push_str(name);
        }
        self.charge(path.len())?;
        Ok(Some(if path.is_empty() { "/".to_owned() } else { path }))
    }
}
