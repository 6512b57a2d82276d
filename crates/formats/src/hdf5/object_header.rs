//! Object headers of versions 1 and 2: their messages, continuation blocks included.

use super::file::File;
use super::parser::{Hdf5Error, Parser, invalid, unsupported};

/// Most continuation blocks of one header.
const MAX_CONTINUATIONS: usize = 1024;
/// Most messages of a header.
const MAX_MESSAGES: usize = 1 << 20;

pub(super) const DATASPACE: u16 = 0x01;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const FILL: u16 = 0x05;
pub(super) const LINK: u16 = 0x06;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const FILTERS: u16 = 0x0B;
const CONTINUATION: u16 = 0x10;
pub(super) const SYMBOL_TABLE: u16 = 0x11;

/// A header message.
#[derive(Debug)]
pub(super) struct Message {
    pub kind: u16,
    pub data: Vec<u8>,
}

/// The message of a kind, if there is one.
pub(super) fn find(messages: &[Message], kind: u16) -> Option<&Message> {
    messages.iter().find(|message| message.kind == kind)
}

/// All messages of the object at an address.
pub(super) fn messages(file: &File, address: u64) -> Result<Vec<Message>, Hdf5Error> {
    let start = file.block(address, 4)?;
    let mut reading = HeaderReader { file, messages: Vec::new(), blocks: Vec::new(), with_order: None };
    if start == b"OHDR" {
        reading.parse_v2(address)?
    } else {
        reading.parse_v1(address)?
    }
    let mut done = 0;
    while let Some((at, bytes)) = reading.blocks.get(done).copied() {
        done += 1;
        if done > MAX_CONTINUATIONS {
            return Err(invalid(format!("a header has more than {MAX_CONTINUATIONS} continuation blocks")));
        }
        let block = file.block(at, bytes)?;
        match reading.with_order {
            None => reading.parse_block_v1(&block, usize::MAX)?,
            Some(_) => {
                file.parser(&block).expect_signature(b"OCHK")?;
                reading.parse_block_v2(block.get(4..block.len().saturating_sub(4)).unwrap_or_default())?;
            }
        }
    }
    Ok(reading.messages)
}

struct HeaderReader<'f> {
    file: &'f File,
    messages: Vec<Message>,
    /// Address and size of continuation blocks.
    blocks: Vec<(u64, u64)>,
    /// Version 2 only: whether messages have a creation order field.
    with_order: Option<bool>,
}

impl HeaderReader<'_> {
    fn parse_v1(&mut self, address: u64) -> Result<(), Hdf5Error> {
        let start = self.file.block(address, 16)?;
        let mut parser = self.file.parser(&start);
        let version = parser.u8()?;
        if version != 1 {
            return Err(invalid(format!("expected an object header at {address}, found version {version}")));
        }
        parser.skip(1)?;
        let count = usize::from(parser.u16()?);
        parser.skip(4)?;
        let bytes = u64::from(parser.u32()?);
        let block = self.file.block(address + 16, bytes)?;
        self.parse_block_v1(&block, count)
    }

    fn parse_block_v1(&mut self, block: &[u8], max_messages: usize) -> Result<(), Hdf5Error> {
        let mut parser = self.file.parser(block);
        let mut read = 0;
        while parser.remaining() >= 8 && read < max_messages {
            let kind = parser.u16()?;
            let size = usize::from(parser.u16()?);
            let flags = parser.u8()?;
            parser.skip(3)?;
            let data = parser.take(size)?;
            self.add(kind, flags, data)?;
            read += 1;
        }
        Ok(())
    }

    fn parse_v2(&mut self, address: u64) -> Result<(), Hdf5Error> {
        // Signature, version and flags; the flags give the width of the rest.
        let start = self.file.block(address, 6)?;
        let (version, flags) = (start[4], start[5]);
        if version != 2 {
            return Err(unsupported(format!("object header version {version}")));
        }
        let times = if flags & 0x20 != 0 { 16 } else { 0 };
        let limits = if flags & 0x10 != 0 { 4 } else { 0 };
        let width = 1_usize << (flags & 3);
        let before = 6 + times + limits;
        let head = self.file.block(address, before + width as u64)?;
        let mut parser = Parser::new(&head, 8, 8);
        parser.skip(before as usize)?;
        let bytes = parser.uint(width)?;
        self.with_order = Some(flags & 4 != 0);
        let block = self.file.block(address + before + width as u64, bytes)?;
        self.parse_block_v2(&block)
    }

    fn parse_block_v2(&mut self, block: &[u8]) -> Result<(), Hdf5Error> {
        let order = if self.with_order == Some(true) { 2 } else { 0 };
        let mut parser = self.file.parser(block);
        while parser.remaining() >= 4 + order {
            let kind = u16::from(parser.u8()?);
            let size = usize::from(parser.u16()?);
            let flags = parser.u8()?;
            parser.skip(order)?;
            let data = parser.take(size)?;
            self.add(kind, flags, data)?;
        }
        Ok(())
    }

    fn add(&mut self, kind: u16, flags: u8, data: &[u8]) -> Result<(), Hdf5Error> {
        if kind == CONTINUATION {
            let mut parser = self.file.parser(data);
            self.blocks.push((parser.offset()?, parser.length()?));
            return Ok(());
        }
        // A shared message is stored in another object; of those needed here, only committed datatypes are shared in practice.
        if flags & 2 != 0 && matches!(kind, DATASPACE | DATATYPE | LAYOUT | FILTERS) {
            return Err(unsupported("a shared message (a named type)".to_owned()));
        }
        if self.messages.len() >= MAX_MESSAGES {
            return Err(invalid(format!("a header of more than {MAX_MESSAGES} messages")));
        }
        self.messages.push(Message { kind, data: data.to_vec() });
        Ok(())
    }
}
