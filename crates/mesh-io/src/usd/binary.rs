//! The binary format of USD (`.usdc`, "crate"), versions 0.4 to 0.13: a table of tokens, fields with values, and specs that have them.
//!
//! Every count is charged against a budget before anything of its size is allocated: integers and floats are compressed twice, and a few
//! bytes may declare a gigabyte.

use std::cell::Cell;

use super::layer::{Layer, Specifier, Value};
use super::tables::{Element, File, MAX_DEPTH, Place};
use super::value::Encoded;
use crate::cursor::Cursor;

/// Bytes of decoded values for each byte of the file, and `FEW_BYTES` more.
const EXPANSION: usize = 64;
const FEW_BYTES: usize = 64 << 20;

/// Whether the bytes are of this format.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PXR-USDC")
}

/// Reads a layer.
pub(super) fn parse(bytes: &[u8]) -> Result<Layer, String> {
    Ok(File::open(bytes)?.layer)
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
        const WANTED: [&str; 12] = [
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

    fn count(&self, section: &mut Cursor) -> Result<usize, String> {
        let count = section.u64().and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| "a section is truncated".to_owned())
    }
}
