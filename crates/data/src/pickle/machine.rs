//! The pickle machine: a stack, marks and a memo.
//!
//! `lexiform-model` has one too, for checkpoints. The crates know nothing of each other and should not: there it notes
//! references into an archive of tensors, here it makes arrays and dictionaries of them, and a crate for both would be
//! below either for the sake of the opcodes alone.

use std::collections::HashMap;

use super::build::{build, call, weight};
use super::text::{unescaped, unquoted};
use super::{MOST_NODES, Node};

/// Most values on the stack.
const DEEPEST: usize = 1 << 22;

/// Runs a pickle; gives all values and the number of the last.
pub(super) fn run(bytes: &[u8]) -> Result<(Vec<Node>, usize), String> {
    let mut machine = Machine {
        bytes,
        at: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        made: 0,
    };
    loop {
        let at = machine.at;
        let opcode = machine.byte()?;
        if opcode == b'.' {
            let root = machine.pop()?;
            return Ok((machine.nodes, root));
        }
        machine.step(opcode).map_err(|message| format!("pickle, byte {at}: {message}"))?;
    }
}

struct Machine<'b> {
    bytes: &'b [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<usize>,
    marks: Vec<usize>,
    memo: HashMap<u64, usize>,
    /// Bytes of what calls made.
    made: usize,
}

impl<'b> Machine<'b> {
    fn step(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            0x80 => self.take(1).map(drop),
            0x95 => self.take(8).map(drop),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'N' => self.push(Node::None),
            0x88 | 0x89 => self.push(Node::Bool(opcode == 0x88)),
            b'I' | b'L' | b'J' | b'K' | b'M' | 0x8A | 0x8B => self.integer(opcode),
            b'F' => {
                let line = self.line()?;
                let number = line.parse().map_err(|_| format!("{line:?} is no number"))?;
                self.push(Node::Float(number))
            }
            b'G' => {
                let raw = self.take(8)?.try_into().map_err(|_| "a number is cut off")?;
                self.push(Node::Float(f64::from_be_bytes(raw)))
            }
            b'V' | b'X' | 0x8C | 0x8D | b'S' | b'T' | b'U' | b'B' | b'C' | 0x8E | 0x96 => self.string(opcode),
            b']' | b')' => self.push(Node::List(Vec::new())),
            b'}' => self.push(Node::Dict(Vec::new())),
            0x8F => self.push(Node::List(Vec::new())),
            b'l' | b't' | 0x91 => {
                let items = self.since_mark()?;
                self.push(Node::List(items))
            }
            0x85..=0x87 => {
                let start =
                    self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or("the stack is empty")?;
                let items = self.stack.split_off(start);
                self.push(Node::List(items))
            }
            b'a' | b'e' | 0x90 | b's' | b'u' | b'd' => self.collect(opcode),
            b'c' | 0x93 => self.global(opcode),
            b'R' | 0x81 | 0x92 | b'b' | b'i' | b'o' => self.make(opcode),
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.remember(opcode),
            b'0' => self.pop().map(drop),
            b'1' => self.since_mark().map(drop),
            b'2' => {
                let top = *self.stack.last().ok_or("the stack is empty")?;
                self.put(top)
            }
            // Persistent ids, extensions and buffers kept outside stand for something that is not here.
            0x97 => self.push(Node::Opaque),
            0x98 => Ok(()),
            other => Err(format!("instruction {other:#04x} is not read")),
        }
    }

    fn integer(&mut self, opcode: u8) -> Result<(), String> {
        let value = match opcode {
            b'I' | b'L' => {
                let line = self.line()?;
                match line.as_str() {
                    "00" => return self.push(Node::Bool(false)),
                    "01" => return self.push(Node::Bool(true)),
                    text => {
                        let digits = text.trim_end_matches('L');
                        let is_whole = digits.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
                        match digits.parse() {
                            Ok(value) => value,
                            // Beyond any number that is asked for here.
                            Err(_) if is_whole && !digits.is_empty() => return self.push(Node::Opaque),
                            Err(_) => return Err(format!("{text:?} is no whole number")),
                        }
                    }
                }
            }
            b'J' => i64::from(self.uint(4)? as u32 as i32),
            b'K' => self.uint(1)? as i64,
            b'M' => self.uint(2)? as i64,
            _ => {
                let count = self.uint(if opcode == 0x8A { 1 } else { 4 })? as usize;
                let raw = self.take(count)?;
                if count > 8 {
                    return self.push(Node::Opaque);
                }
                let negative = raw.last().is_some_and(|high| high & 0x80 != 0);
                let mut wide = [if negative { 0xFF } else { 0 }; 8];
                wide[..count].copy_from_slice(raw);
                i64::from_le_bytes(wide)
            }
        };
        self.push(Node::Int(value))
    }

    fn string(&mut self, opcode: u8) -> Result<(), String> {
        let text = |bytes: &[u8]| Node::Text(String::from_utf8_lossy(bytes).into_owned());
        let node = match opcode {
            b'V' => Node::Text(unescaped(self.raw_line()?)),
            b'S' => {
                let line = self.raw_line()?;
                Node::Bytes(unquoted(line.get(1..line.len().saturating_sub(1)).unwrap_or_default()))
            }
            b'X' => text(self.sized(4)?),
            0x8C => text(self.sized(1)?),
            0x8D => text(self.sized(8)?),
            // Python 2 wrote bytes and text alike.
            b'T' => Node::Bytes(self.sized(4)?.to_vec()),
            b'U' => Node::Bytes(self.sized(1)?.to_vec()),
            b'B' => Node::Bytes(self.sized(4)?.to_vec()),
            b'C' => Node::Bytes(self.sized(1)?.to_vec()),
            _ => Node::Bytes(self.sized(8)?.to_vec()),
        };
        self.push(node)
    }

    /// Adds what lies on the stack to a container below it.
    fn collect(&mut self, opcode: u8) -> Result<(), String> {
        let added = match opcode {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.since_mark()?,
        };
        if opcode == b'd' {
            return self.push(Node::Dict(pairs(&added)));
        }
        let container = *self.stack.last().ok_or("the stack is empty")?;
        match &mut self.nodes[container] {
            Node::List(items) => items.extend(added),
            Node::Dict(entries) => entries.extend(pairs(&added)),
            // Something that was called, and is not known here.
            _ => {}
        }
        Ok(())
    }

    fn global(&mut self, opcode: u8) -> Result<(), String> {
        let (module, name) = if opcode == b'c' {
            (self.line()?, self.line()?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            match (&self.nodes[module], &self.nodes[name]) {
                (Node::Text(module), Node::Text(name)) => (module.clone(), name.clone()),
                _ => return Err("a global without a name".to_owned()),
            }
        };
        self.push(Node::Global(module, name))
    }

    /// Calls, and states of what was called.
    fn make(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            b'b' => {
                let state = self.pop()?;
                let object = *self.stack.last().ok_or("the stack is empty")?;
                if let Some(made) = build(&self.nodes, object, state)? {
                    self.weigh(&made)?;
                    self.nodes[object] = made;
                }
                Ok(())
            }
            b'R' | 0x81 => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                let made = call(&self.nodes, callee, arguments)?;
                self.weigh(&made)?;
                self.push(made)
            }
            0x92 => {
                let (_, arguments, callee) = (self.pop()?, self.pop()?, self.pop()?);
                let made = call(&self.nodes, callee, arguments)?;
                self.weigh(&made)?;
                self.push(made)
            }
            _ => {
                if opcode == b'i' {
                    self.line()?;
                    self.line()?;
                }
                self.since_mark()?;
                self.push(Node::Opaque)
            }
        }
    }

    /// Calls may repeat what the file says once; no honest file repeats it often.
    fn weigh(&mut self, made: &Node) -> Result<(), String> {
        self.made += weight(made);
        let limit = self.bytes.len().saturating_mul(8) + (1 << 20);
        if self.made > limit { Err(format!("calls would make more than {limit} bytes")) } else { Ok(()) }
    }

    fn remember(&mut self, opcode: u8) -> Result<(), String> {
        let key = match opcode {
            b'p' | b'g' => {
                let line = self.line()?;
                line.parse().map_err(|_| format!("{line:?} is no number"))?
            }
            b'q' | b'h' => self.uint(1)?,
            b'r' | b'j' => self.uint(4)?,
            _ => self.memo.len() as u64,
        };
        if matches!(opcode, b'g' | b'h' | b'j') {
            let known = *self.memo.get(&key).ok_or_else(|| format!("nothing is remembered as {key}"))?;
            return self.put(known);
        }
        let top = *self.stack.last().ok_or("the stack is empty")?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn push(&mut self, node: Node) -> Result<(), String> {
        if self.nodes.len() >= MOST_NODES {
            return Err(format!("more than {MOST_NODES} values"));
        }
        self.nodes.push(node);
        self.put(self.nodes.len() - 1)
    }

    fn put(&mut self, node: usize) -> Result<(), String> {
        if self.stack.len() >= DEEPEST {
            return Err(format!("more than {DEEPEST} values on the stack"));
        }
        self.stack.push(node);
        Ok(())
    }

    fn pop(&mut self) -> Result<usize, String> {
        self.stack.pop().ok_or_else(|| "the stack is empty".to_owned())
    }

    fn since_mark(&mut self) -> Result<Vec<usize>, String> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len()).ok_or("no mark on the stack")?;
        Ok(self.stack.split_off(mark))
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end
            .ok_or_else(|| format!("cut off: {count} bytes expected, {} left", self.bytes.len() - self.at))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn uint(&mut self, size: usize) -> Result<u64, String> {
        let mut little = [0; 8];
        little[..size].copy_from_slice(self.take(size)?);
        Ok(u64::from_le_bytes(little))
    }

    fn sized(&mut self, width: usize) -> Result<&'b [u8], String> {
        let count = self.uint(width)?;
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn line(&mut self) -> Result<String, String> {
        Ok(String::from_utf8_lossy(self.raw_line()?).trim_end_matches('\r').to_owned())
    }

    fn raw_line(&mut self) -> Result<&'b [u8], String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("a line without an end")?;
        self.at += end + 1;
        Ok(&rest[..end])
    }
}

fn pairs(items: &[usize]) -> Vec<(usize, usize)> {
    items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}
