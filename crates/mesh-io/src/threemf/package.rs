//! The zip archive of a 3MF file: its parts by name, and the model that it starts with.

use std::cell::Cell;
use std::collections::HashMap;

use lexiform_formats::zip::{self, Entry};
use roxmltree::Document;

use crate::{ReadError, limits, source::Source, text};

/// Parts by name, in lower case and without the leading slash.
pub(super) struct Package<'a> {
    source: &'a Source<'a>,
    parts: HashMap<String, Entry>,
    /// Bytes that the parts not read yet may expand to: XML of triangles expands to ten times its size.
    left: Cell<u64>,
}

impl<'a> Package<'a> {
    /// Reads the directory.
    pub fn open(source: &'a Source<'a>) -> Result<Self, ReadError> {
        let entries = zip::entries(&source.bytes).map_err(|message| source.invalid(message))?;
        let parts = entries.into_iter().map(|(name, entry)| (normalized(&name), entry)).collect();
        Ok(Self { source, parts, left: Cell::new(limits::expanded_bytes(source.bytes.len())) })
    }

    /// The content of a part.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ReadError> {
        let quoted = name.escape_debug();
        let entry = self.parts.get(&normalized(name));
        let entry = entry.ok_or_else(|| self.source.invalid(format!("part \"{quoted}\" is missing")))?;
        let content = entry.read(&self.source.bytes, self.left.get());
        let content = content.map_err(|message| self.source.invalid(format!("{quoted}: {message}")))?;
        self.left.set(self.left.get() - content.len() as u64);
        Ok(content)
    }

    /// The name of the model that the package's relationships name, or else of the only one.
    pub fn root(&self) -> Result<String, ReadError> {
        if let Some(name) = self.read("_rels/.rels").ok().and_then(|bytes| start_part(&text::decode(&bytes)))
            && self.parts.contains_key(&normalized(&name))
        {
            return Ok(normalized(&name));
        }
        let mut models: Vec<&String> = self.parts.keys().filter(|name| name.ends_with(".model")).collect();
        models.sort();
        let first = models.first().map(|name| (*name).clone());
        first.ok_or_else(|| self.source.invalid("expected a part \"3D/3dmodel.model\", found none"))
    }
}

fn normalized(name: &str) -> String {
    name.trim_start_matches('/').to_ascii_lowercase()
}

/// The target of the relationship to the 3D model (3MF core, section 2.1.2).
fn start_part(relationships: &str) -> Option<String> {
    let document = Document::parse(relationships).ok()?;
    let is_model = |node: &roxmltree::Node| {
        node.attribute("Type").is_some_and(|kind| kind.to_ascii_lowercase().ends_with("/3dmodel"))
    };
    document.descendants().find(is_model)?.attribute("Target").map(str::to_owned)
}
