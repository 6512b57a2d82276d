//! Groups: names, and the addresses of the objects they refer to.

use super::file::File;
use super::object_header::{LINK, LINK_INFO, Message, SYMBOL_TABLE, find, messages};
use super::parser::{Hdf5Error, invalid, unsupported};
use crate::FormatError;

/// Deepest B-tree.
const MAX_DEPTH: u32 = 16;
/// Most names of a group.
const MAX_LINKS: usize = 1 << 20;

impl File {
    /// Names in a group, sorted; `""` is the root.
    ///
    /// # Errors
    /// If there is no such group, or it is damaged or of an unsupported kind.
    pub fn names(&self, group: &str) -> Result<Vec<String>, FormatError> {
        let names = self.find(group).and_then(|address| links(self, address));
        let mut names: Vec<String> =
            names.map_err(|error| self.error(&error))?.into_iter().map(|(name, _)| name).collect();
        names.sort();
        Ok(names)
    }

    /// Address of an object's header.
    pub(super) fn find(&self, name: &str) -> Result<u64, Hdf5Error> {
        name.split('/').filter(|part| !part.is_empty()).try_fold(self.root, |address, part| {
            let links = links(self, address)?;
            let found = links.iter().find(|(link, _)| link == part);
            found.map(|(_, address)| *address).ok_or_else(|| {
                let names: Vec<&str> = links.iter().take(12).map(|(link, _)| link.as_str()).collect();
                invalid(format!("has no {part:?}, only {names:?}"))
            })
        })
    }
}

/// Names and addresses of a group's objects.
fn links(file: &File, address: u64) -> Result<Vec<(String, u64)>, Hdf5Error> {
    let messages = messages(file, address)?;
    if let Some(table) = find(&messages, SYMBOL_TABLE) {
        return symbol_table(file, table);
    }
    if let Some(info) = find(&messages, LINK_INFO) {
        let mut parser = file.parser(&info.data);
        parser.skip(1)?;
        let flags = parser.u8()?;
        parser.skip(if flags & 1 != 0 { 8 } else { 0 })?;
        if parser.offset()? != file.undefined_address() {
            // Links are then in a fractal heap, which is not implemented.
            return Err(unsupported("a group of many names in the newest form".to_owned()));
        }
    }
    let links = messages.iter().filter(|message| message.kind == LINK);
    let hard = links.map(|message| link(file, message)).collect::<Result<Vec<_>, _>>()?;
    Ok(hard.into_iter().flatten().collect())
}

/// A link in the object's own header; `None` for links to names.
fn link(file: &File, message: &Message) -> Result<Option<(String, u64)>, Hdf5Error> {
    let mut parser = file.parser(&message.data);
    parser.skip(1)?;
    let flags = parser.u8()?;
    // Optional fields: link type, creation order, character set.
    let kind = if flags & 8 != 0 { parser.u8()? } else { 0 };
    parser.skip(if flags & 4 != 0 { 8 } else { 0 })?;
    parser.skip(if flags & 16 != 0 { 1 } else { 0 })?;
    let length = parser.uint(1 << (flags & 3))?;
    let name = parser.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    let name = String::from_utf8_lossy(name).into_owned();
    if kind == 0 { Ok(Some((name, parser.offset()?))) } else { Ok(None) }
}

fn symbol_table(file: &File, message: &Message) -> Result<Vec<(String, u64)>, Hdf5Error> {
    let mut parser = file.parser(&message.data);
    let (tree, heap) = (parser.offset()?, parser.offset()?);
    let names = local_heap(file, heap)?;
    let mut found = Vec::new();
    node(file, tree, &names, MAX_DEPTH, &mut found)?;
    Ok(found)
}

/// The bytes of a group's names.
fn local_heap(file: &File, address: u64) -> Result<Vec<u8>, Hdf5Error> {
    let head = file.block(address, 8 + 2 * file.length_size as u64 + file.offset_size as u64)?;
    let mut parser = file.parser(&head);
    parser.expect_signature(b"HEAP")?;
    parser.skip(4)?;
    let bytes = parser.length()?;
    parser.length()?;
    file.block(parser.offset()?, bytes)
}

fn node(
    file: &File,
    address: u64,
    names: &[u8],
    depth: u32,
    found: &mut Vec<(String, u64)>,
) -> Result<(), Hdf5Error> {
    if depth == 0 {
        return Err(invalid(format!("a tree of more than {MAX_DEPTH} levels")));
    }
    let sizes = (file.offset_size + file.length_size) as u64;
    if file.block(address, 4)? == b"SNOD" {
        return leaf(file, address, names, found);
    }
    let head = file.block(address, 8)?;
    let mut parser = file.parser(&head);
    parser.expect_signature(b"TREE")?;
    if parser.u8()? != 0 {
        return Err(invalid("expected a tree of names".to_owned()));
    }
    parser.skip(1)?;
    let entries = u64::from(parser.u16()?);
    let body = file.block(address + 8 + 2 * file.offset_size as u64, entries * sizes)?;
    let mut parser = file.parser(&body);
    for _ in 0..entries {
        parser.length()?;
        node(file, parser.offset()?, names, depth - 1, found)?;
    }
    Ok(())
}

fn leaf(file: &File, address: u64, names: &[u8], found: &mut Vec<(String, u64)>) -> Result<(), Hdf5Error> {
    let head = file.block(address, 8)?;
    let mut parser = file.parser(&head);
    parser.skip(6)?;
    let count = u64::from(parser.u16()?);
    let body = file.block(address + 8, count * (2 * file.offset_size as u64 + 24))?;
    let mut parser = file.parser(&body);
    for _ in 0..count {
        let (name, object) = (parser.offset()?, parser.offset()?);
        // Cached group information, which repeats what headers have.
        parser.skip(24)?;
        let start = usize::try_from(name).ok().and_then(|at| names.get(at..));
        let start = start.ok_or_else(|| invalid("a name is outside its heap".to_owned()))?;
        let end = start.iter().position(|byte| *byte == 0).unwrap_or(start.len());
        if found.len() >= MAX_LINKS {
            return Err(invalid(format!("a group of more than {MAX_LINKS} names")));
        }
        found.push((String::from_utf8_lossy(&start[..end]).into_owned(), object));
    }
    Ok(())
}
