//! The binary format of USD (`.usdc`, "crate"), versions 0.4 to 0.13: a table of tokens, fields with values, and specs that have them.
//!
//! Every count is charged against a budget before anything of its size is allocated: integers and floats are compressed twice, and a few
//! bytes may declare a gigabyte.

use std::cell::Cell;

use super::layer::{Layer, Specifier, Value};
use super::value::{Encoded, Kind};
use crate::cursor::Cursor;

/// Bytes of decoded values for each byte of the file, and `FEW_BYTES` more.
const EXPANSION: usize = 64;
const FEW_BYTES: usize = 64 << 20;
/// Names in a path.
const MAX_DEPTH: usize = 256;

/// Whether the bytes are of this format.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PXR-USDC")
}

/// Reads a layer.
pub(super) fn parse(bytes: &[u8]) -> Result<Layer, String> {
    File::open(bytes)?.into_layer()
}

/// Where a path leads.
#[derive(Clone, Copy)]
enum Place {
    /// A prim or a variant.
    Prim(usize),
    /// The property of a prim, named by a token.
    Property(usize, usize),
    Elsewhere,
}

/// An element of a path: its parent and its token.
#[derive(Clone, Copy)]
struct Element {
    parent: usize,
    token: usize,
    is_property: bool,
}

/// The tables of a file.
pub(super) struct File<'a> {
    pub bytes: &'a [u8],
    version: [u8; 3],
    pub tokens: Vec<String>,
    strings: Vec<usize>,
    fields: Vec<(usize, u64)>,
    field_sets: Vec<usize>,
    elements: Vec<Option<Element>>,
    places: Vec<Place>,
    layer: Layer,
    budget: Cell<usize>,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let mut header = Cursor::new(bytes);
        let (Some(b"PXR-USDC"), Some(version), Some(toc)) =
            (header.take(8), header.array::<8>(), header.array::<8>())
        else {
            return Err("expected \"PXR-USDC\" at the start".to_owned());
        };
        let version = [version[0], version[1], version[2]];
        if version < [0, 4, 0] {
            let [major, minor, patch] = version;
            return Err(format!("version {major}.{minor}.{patch} is not supported, only 0.4.0 and later"));
        }
        let mut file = Self {
            bytes,
            version,
            tokens: Vec::new(),
            strings: Vec::new(),
            fields: Vec::new(),
            field_sets: Vec::new(),
            elements: Vec::new(),
            places: Vec::new(),
            layer: Layer::default(),
            budget: Cell::new(bytes.len().saturating_mul(EXPANSION).saturating_add(FEW_BYTES)),
        };
        let sections = file.sections(u64::from_le_bytes(toc))?;
        let section = |name: &[u8]| {
            let found = sections.iter().find(|(found, _)| found.starts_with(name));
            found.map(|(_, content)| *content).ok_or(format!("no section {}", String::from_utf8_lossy(name)))
        };
        file.read_tokens(section(b"TOKENS")?)?;
        file.read_strings(section(b"STRINGS")?)?;
        file.read_fields(section(b"FIELDS\0")?)?;
        file.read_field_sets(section(b"FIELDSETS")?)?;
        file.read_paths(section(b"PATHS")?)?;
        file.read_specs(section(b"SPECS")?)?;
        Ok(file)
    }

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

    fn sections(&self, toc: u64) -> Result<Vec<([u8; 16], Cursor<'a>)>, String> {
        let broken = "the table of contents is damaged";
        let mut toc = self.at(toc).ok_or(broken)?;
        let count = toc.u64().ok_or(broken)?;
        let mut sections = Vec::new();
        // No version has as many.
        for _ in 0..count.min(64) {
            let (name, start, size) = (toc.array(), toc.u64(), toc.u64());
            let (Some(name), Some(start), Some(size)) = (name, start, size) else { break };
            let content = self.at(start).and_then(|mut content| content.take(usize::try_from(size).ok()?));
            sections.push((name, Cursor::new(content.ok_or(broken)?)));
        }
        Ok(sections)
    }

    fn read_tokens(&mut self, mut section: Cursor) -> Result<(), String> {
        let truncated = "the section TOKENS is truncated";
        let _count = section.u64().ok_or(truncated)?;
        let size = section.u64().and_then(|size| usize::try_from(size).ok()).ok_or(truncated)?;
        let text = self.decompress(&mut section, size)?;
        // Each token is an allocation of its own.
        self.charge(text.iter().filter(|&&byte| byte == 0).count().saturating_mul(48))?;
        let tokens = text.split(|&byte| byte == 0).map(|token| String::from_utf8_lossy(token).into_owned());
        self.tokens = tokens.collect();
        Ok(())
    }

    fn read_strings(&mut self, mut section: Cursor) -> Result<(), String> {
        let count = section.u64().ok_or("the section STRINGS is truncated")?;
        let (indices, _) = section.remaining().as_chunks::<4>();
        let indices = indices.iter().take(usize::try_from(count).unwrap_or(usize::MAX));
        self.strings = indices.map(|&index| u32::from_le_bytes(index) as usize).collect();
        Ok(())
    }

    fn read_fields(&mut self, mut section: Cursor) -> Result<(), String> {
        let count = self.count(&mut section)?;
        let names = self.integers(&mut section, count, false)?;
        let values = self.decompress(&mut section, count.saturating_mul(8))?;
        let (values, _) = values.as_chunks::<8>();
        self.fields = names
            .iter()
            .zip(values)
            .map(|(&name, &value)| (name as usize, u64::from_le_bytes(value)))
            .collect();
        Ok(())
    }

    fn read_field_sets(&mut self, mut section: Cursor) -> Result<(), String> {
        let count = self.count(&mut section)?;
        // The end of a set is −1.
        let indices = self.integers(&mut section, count, false)?;
        self.field_sets = indices.into_iter().map(|i| usize::try_from(i).unwrap_or(usize::MAX)).collect();
        Ok(())
    }

    fn read_paths(&mut self, mut section: Cursor) -> Result<(), String> {
        let n_paths = self.count(&mut section)?;
        let count = self.count(&mut section)?;
        self.charge(n_paths.saturating_mul(64))?;
        let indices = self.integers(&mut section, count, false)?;
        let tokens = self.integers(&mut section, count, false)?;
        let jumps = self.integers(&mut section, count, false)?;
        self.elements = vec![None; n_paths];
        self.places = vec![Place::Elsewhere; n_paths];
        let mut visited = vec![false; count];
        // Places in the lists, with the parent's path and depth. The first is the root.
        let mut pending = vec![(0, None, 0)];
        while let Some((at, parent, depth)) = pending.pop() {
            // A place that is reached twice would multiply what is below it.
            if at >= count || visited[at] || depth > MAX_DEPTH {
                continue;
            }
            visited[at] = true;
            let path = indices[at] as usize;
            if path >= n_paths {
                continue;
            }
            self.add_path(path, parent, tokens[at]);
            let (has_child, has_sibling) = (jumps[at] > 0 || jumps[at] == -1, jumps[at] >= 0);
            if has_sibling {
                // Without a child, the sibling is next.
                let sibling = if has_child { at + jumps[at] as usize } else { at + 1 };
                pending.push((sibling, parent, depth));
            }
            if has_child {
                pending.push((at + 1, Some(path), depth + 1));
            }
        }
        Ok(())
    }

    fn add_path(&mut self, path: usize, parent: Option<usize>, token: i64) {
        let Some(parent) = parent else {
            self.places[path] = Place::Prim(0);
            return;
        };
        let is_property = token < 0;
        let token = token.unsigned_abs() as usize;
        self.elements[path] = Some(Element { parent, token, is_property });
        let Some(name) = self.tokens.get(token) else { return };
        self.places[path] = match self.places[parent] {
            Place::Prim(prim) if is_property => Place::Property(prim, token),
            Place::Prim(prim) => {
                match name.strip_prefix('{').and_then(|name| name.trim_end_matches('}').split_once('=')) {
                    Some((set, variant)) => Place::Prim(self.layer.variant(prim, set, variant)),
                    None => Place::Prim(self.layer.push_child(prim, name)),
                }
            }
            _ => Place::Elsewhere,
        };
    }

    fn read_specs(&mut self, mut section: Cursor) -> Result<(), String> {
        let count = self.count(&mut section)?;
        let paths = self.integers(&mut section, count, false)?;
        let sets = self.integers(&mut section, count, false)?;
        for (&path, &set) in paths.iter().zip(&sets) {
            let place = usize::try_from(path).ok().and_then(|path| self.places.get(path)).copied();
            let set = usize::try_from(set).unwrap_or(usize::MAX);
            match place {
                Some(Place::Prim(prim)) => self.read_prim(prim, set)?,
                Some(Place::Property(prim, name)) => self.read_property(prim, name, set)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Names and values of a set that `wanted` accepts.
    fn set(&self, set: usize, wanted: &[&str]) -> Result<Vec<(String, Value)>, String> {
        let indices = self.field_sets.get(set..).unwrap_or_default();
        let mut fields = Vec::new();
        for &index in indices.iter().take_while(|&&index| index != usize::MAX) {
            let Some(&(name, value)) = self.fields.get(index) else { continue };
            let Some(name) = self.tokens.get(name).filter(|name| wanted.contains(&name.as_str())) else {
                continue;
            };
            if let Some(value) = Encoded(value).read(self)? {
                fields.push((name.clone(), value));
            }
        }
        Ok(fields)
    }

    fn read_prim(&mut self, prim: usize, set: usize) -> Result<(), String> {
        const WANTED: [&str; 13] = [
            "specifier",
            "typeName",
            "references",
            "payload",
            "inheritPaths",
            "specializes",
            "variantSelection",
            "active",
            "defaultPrim",
            "upAxis",
            "metersPerUnit",
            "subLayers",
            "instanceable",
        ];
        for (name, value) in self.set(set, &WANTED)? {
            let prim = &mut self.layer.prims[prim];
            match (name.as_str(), value) {
                ("specifier", value) => {
                    prim.specifier = match value.as_number() {
                        Some(0.0) => Specifier::Def,
                        Some(2.0) => Specifier::Class,
                        _ => Specifier::Over,
                    };
                }
                ("typeName", Value::Texts(mut names)) => prim.type_name = names.pop().unwrap_or_default(),
                (_, value) => drop(prim.fields.insert(name, value)),
            }
        }
        Ok(())
    }

    fn read_property(&mut self, prim: usize, name: usize, set: usize) -> Result<(), String> {
        const WANTED: [&str; 5] =
            ["default", "timeSamples", "connectionPaths", "targetPaths", "interpolation"];
        let fields = self.set(set, &WANTED)?;
        let name = self.tokens[name].clone();
        self.layer.prims[prim].properties.entry(name).or_default().extend(fields);
        Ok(())
    }

    fn into_layer(self) -> Result<Layer, String> {
        Ok(self.layer)
    }

    fn count(&self, section: &mut Cursor) -> Result<usize, String> {
        let count = section.u64().and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| "a section is truncated".to_owned())
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
