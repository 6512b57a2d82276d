//! The stack machine that interprets opcodes; imports, calls and attributes are only recorded.

use std::collections::HashMap;
use std::sync::Arc;

use super::cursor::Cursor;
use super::literal::{decimal, long, unescaped, unquoted};
use super::node::Source;
use super::{Call, Node, Pickle, Ref};

/// Most values on the stack, and most marks.
const MAX_STACK: usize = 4 << 20;
/// The error for a missing value.
const EMPTY: &str = "the stack is empty";

impl Pickle {
    /// Reads the pickle at the start of `bytes`, of any protocol up to 5.
    ///
    /// ```
    /// use lexiform_formats::pickle::{Node, Pickle};
    ///
    /// // What would run `echo` in Python is only data here.
    /// let pickle = Pickle::read(b"cos\nsystem\n(S'echo'\ntR.", 100)?;
    /// let Node::Call(call) = pickle.node(pickle.root) else { panic!("expected a call") };
    /// assert_eq!(pickle.global(call.callable), Some("os.system"));
    /// # Ok::<(), String>(())
    /// ```
    ///
    ///
    /// # Errors
    /// If it is malformed, truncated, or creates more than `max_nodes` values; the message has the offset.
    pub fn read(bytes: &[u8], max_nodes: usize) -> Result<Self, String> {
        let (nodes, root, length) = run(bytes, max_nodes)?;
        // Without what follows the pickle.
        let source = Source(Arc::new(bytes[..length].to_vec()));
        Ok(Self { nodes, source, start: 0, root, length })
    }

    /// Reads the pickle at an offset of `source`, from which bytes are not copied.
    pub(super) fn read_from(source: Source, start: usize, max_nodes: usize) -> Result<Self, String> {
        let (nodes, root, length) = run(source.bytes().get(start..).unwrap_or_default(), max_nodes)?;
        Ok(Self { nodes, source, start, root, length })
    }
}

/// All nodes, the outermost one, and the length of the pickle at the start of `bytes`.
fn run(bytes: &[u8], max_nodes: usize) -> Result<(Vec<Node>, Ref, usize), String> {
    let mut machine = Machine {
        input: Cursor::new(bytes),
        nodes: Vec::new(),
        max_nodes: max_nodes.min(Ref::MAX as usize),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    loop {
        let start = machine.input.at();
        let done = machine.step().map_err(|what| format!("pickle, byte {start}: {what}"))?;
        if let Some(root) = done {
            return Ok((machine.nodes, root, machine.input.at()));
        }
    }
}

struct Machine<'b> {
    input: Cursor<'b>,
    nodes: Vec<Node>,
    max_nodes: usize,
    stack: Vec<Ref>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Ref>,
}

type Step = Result<(), String>;

impl Machine<'_> {
    /// Runs one opcode; `Some` root value at the end of the pickle.
    fn step(&mut self) -> Result<Option<Ref>, String> {
        let [opcode] = self.input.take()?;
        match opcode {
            b'.' => return self.pop().map(Some),
            b'N' | 0x88 | 0x89 | b'I' | b'K' | b'M' | b'J' | b'L' | 0x8a | 0x8b | b'F' | b'G' => {
                self.number(opcode)?
            }
            b'S' | b'V' | b'T' | b'U' | b'X' | 0x8c | 0x8d | b'B' | b'C' | 0x8e | 0x96 => {
                self.string(opcode)?
            }
            b'h' | b'j' | b'g' | b'q' | b'r' | b'p' | 0x94 => self.memo(opcode)?,
            b'c' | 0x93 => self.global(opcode)?,
            b'R' | 0x81 | 0x92 | b'i' | b'o' => self.call(opcode)?,
            b'b' => self.build()?,
            b'P' | b'Q' => self.persistent(opcode)?,
            b'(' | b'0' | b'1' | b'2' => self.stack(opcode)?,
            // PROTO and FRAME do not change what follows.
            0x80 => drop(self.input.take::<1>()?),
            0x95 => drop(self.input.take::<8>()?),
            _ => self.collection(opcode)?,
        }
        Ok(None)
    }

    fn number(&mut self, opcode: u8) -> Step {
        let node = match opcode {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'K' => Node::Int(i64::from(self.input.take::<1>()?[0])),
            b'M' => Node::Int(i64::from(u16::from_le_bytes(self.input.take()?))),
            b'J' => Node::Int(i64::from(i32::from_le_bytes(self.input.take()?))),
            b'G' => Node::Float(f64::from_be_bytes(self.input.take()?)),
            b'F' => {
                let line = self.input.line()?;
                Node::Float(line.parse().map_err(|_| format!("invalid float literal {line:?}"))?)
            }
            // Protocols 0 and 1 write booleans as `I00` and `I01`.
            b'I' => match self.input.line()? {
                "00" => Node::Bool(false),
                "01" => Node::Bool(true),
                digits => decimal(digits)?,
            },
            b'L' => decimal(self.input.line()?)?,
            _ => {
                let length = if opcode == 0x8a {
                    usize::from(self.input.take::<1>()?[0])
                } else {
                    self.input.length4()?
                };
                long(self.input.slice(length)?)
            }
        };
        self.push(node)
    }

    fn string(&mut self, opcode: u8) -> Step {
        let node = match opcode {
            b'V' => Node::Text(unescaped(self.input.raw_line()?).into()),
            b'S' => {
                let line = self.input.raw_line()?.trim_ascii_end();
                let inside = line.get(1..line.len().saturating_sub(1)).unwrap_or_default();
                Node::Str(unquoted(inside).into())
            }
            _ => {
                let length = match opcode {
                    b'U' | 0x8c | b'C' => usize::from(self.input.take::<1>()?[0]),
                    b'T' | b'X' | b'B' => self.input.length4()?,
                    _ => usize::try_from(u64::from_le_bytes(self.input.take()?)).unwrap_or(usize::MAX),
                };
                let bytes = self.input.slice(length)?;
                match opcode {
                    b'X' | 0x8c | 0x8d => Node::Text(String::from_utf8_lossy(bytes).into()),
                    b'T' | b'U' => Node::Str(bytes.into()),
                    _ => Node::Bytes(self.input.at() - length..self.input.at()),
                }
            }
        };
        self.push(node)
    }

    fn memo(&mut self, opcode: u8) -> Step {
        let number = match opcode {
            b'h' | b'q' => u32::from(self.input.take::<1>()?[0]),
            b'j' | b'r' => u32::from_le_bytes(self.input.take()?),
            b'g' | b'p' => {
                let line = self.input.line()?;
                line.parse().map_err(|_| format!("invalid memo number {line:?}"))?
            }
            // MEMOIZE numbers entries consecutively.
            _ => self.memo.len() as u32,
        };
        if matches!(opcode, b'h' | b'j' | b'g') {
            let known =
                *self.memo.get(&number).ok_or_else(|| format!("nothing was remembered as {number}"))?;
            return self.push_again(known);
        }
        let top = self.top()?;
        self.memo.insert(number, top);
        Ok(())
    }

    fn stack(&mut self, opcode: u8) -> Step {
        match opcode {
            b'(' if self.marks.len() >= MAX_STACK => Err(format!("more than {MAX_STACK} marks")),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            // With nothing above a mark, POP removes the mark.
            b'0' if self.marks.last() == Some(&self.stack.len()) => self.pop_to_mark().map(drop),
            b'0' => self.pop().map(drop),
            b'1' => self.pop_to_mark().map(drop),
            _ => {
                let top = self.top()?;
                self.push_again(top)
            }
        }
    }

    fn collection(&mut self, opcode: u8) -> Step {
        match opcode {
            b']' | b')' | 0x8f => self.push(Node::List(Vec::new())),
            b'}' => self.push(Node::Dict(Vec::new())),
            b'l' | b't' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(Node::List(items))
            }
            // TUPLE1 to TUPLE3 take that many values without a mark.
            0x85..=0x87 => {
                let start = self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or(EMPTY)?;
                let items = self.stack.split_off(start);
                self.push(Node::List(items))
            }
            b'd' => {
                let items = pairs(&self.pop_to_mark()?)?;
                self.push(Node::Dict(items))
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])
            }
            b'e' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.append(&items)
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[(key, value)])
            }
            b'u' => {
                let items = pairs(&self.pop_to_mark()?)?;
                self.set(&items)
            }
            // Extensions and out-of-band buffers too, whose content is not in the file.
            opcode => Err(format!("unknown opcode {opcode:#04x}")),
        }
    }

    fn append(&mut self, items: &[Ref]) -> Step {
        let top = self.top()?;
        match &mut self.nodes[top as usize] {
            Node::List(list) => list.extend_from_slice(items),
            // A subclass of list: its items are not needed.
            Node::Call(_) => {}
            _ => return Err("cannot append to a value that is not a list".to_owned()),
        }
        Ok(())
    }

    fn set(&mut self, items: &[(Ref, Ref)]) -> Step {
        let top = self.top()?;
        match &mut self.nodes[top as usize] {
            Node::Dict(dict) => dict.extend_from_slice(items),
            Node::Call(call) => call.items.extend_from_slice(items),
            _ => return Err("cannot set items of a value that is not a dictionary".to_owned()),
        }
        Ok(())
    }

    fn global(&mut self, opcode: u8) -> Step {
        let name = if opcode == b'c' {
            self.global_lines()?
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            let text = |at: Ref| match &self.nodes[at as usize] {
                Node::Text(text) => Ok(text),
                _ => Err("expected a string as name"),
            };
            format!("{}.{}", text(module)?, text(name)?)
        };
        self.push(Node::Global(name.into()))
    }

    /// Module and name, each on a line.
    fn global_lines(&mut self) -> Result<String, String> {
        Ok(format!("{}.{}", self.input.line()?, self.input.line()?))
    }

    fn call(&mut self, opcode: u8) -> Step {
        let (callable, arguments) = match opcode {
            b'i' => {
                let class = self.global_lines()?;
                let items = self.pop_to_mark()?;
                (self.add(Node::Global(class.into()))?, self.add(Node::List(items))?)
            }
            b'o' => {
                let mut items = self.pop_to_mark()?;
                if items.is_empty() {
                    return Err("missing class of an object".to_owned());
                }
                let class = items.remove(0);
                (class, self.add(Node::List(items))?)
            }
            _ => {
                if opcode == 0x92 {
                    // NEWOBJ_EX: keyword arguments are not needed.
                    self.pop()?;
                }
                let arguments = self.pop()?;
                (self.pop()?, arguments)
            }
        };
        self.push(Node::Call(Box::new(Call { callable, arguments, state: None, items: Vec::new() })))
    }

    fn build(&mut self) -> Step {
        let (state, object) = (self.pop()?, self.top()?);
        if let Node::Call(call) = &mut self.nodes[object as usize] {
            call.state = Some(state);
        }
        Ok(())
    }

    fn persistent(&mut self, opcode: u8) -> Step {
        let id = if opcode == b'P' {
            let text = self.input.line()?.into();
            self.add(Node::Text(text))?
        } else {
            self.pop()?
        };
        self.push(Node::Persistent(id))
    }

    /// Adds a node without putting it on the stack.
    fn add(&mut self, node: Node) -> Result<Ref, String> {
        if self.nodes.len() >= self.max_nodes {
            return Err(format!("more than {} values", self.max_nodes));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() as Ref - 1)
    }

    fn push(&mut self, node: Node) -> Step {
        let added = self.add(node)?;
        self.push_again(added)
    }

    /// Puts a known value on the stack.
    fn push_again(&mut self, known: Ref) -> Step {
        if self.stack.len() >= MAX_STACK {
            return Err(format!("more than {MAX_STACK} values on the stack"));
        }
        self.stack.push(known);
        Ok(())
    }

    fn top(&self) -> Result<Ref, String> {
        self.stack.last().copied().ok_or_else(|| EMPTY.to_owned())
    }

    /// The topmost value above the last mark.
    fn pop(&mut self) -> Result<Ref, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor { None } else { self.stack.pop() }.ok_or_else(|| EMPTY.to_owned())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Ref>, String> {
        let mark = self.marks.pop().ok_or("no mark on the stack")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }
}

fn pairs(items: &[Ref]) -> Result<Vec<(Ref, Ref)>, String> {
    let (pairs, rest) = items.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    } else {
        Err("a key without a value".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1 << 10;

    #[test]
    fn calls_are_noted_and_not_made() {
        let pickle = Pickle::read(b"cos\nsystem\n(S'echo'\ntR.rest", MOST).unwrap();
        let Node::Call(call) = pickle.node(pickle.root) else { panic!("no call") };
        assert_eq!(pickle.global(call.callable), Some("os.system"));
        assert_eq!(pickle.text(pickle.list(call.arguments).unwrap()[0]), Some("echo"));
        assert_eq!(pickle.length, 23);
        // A class with one argument, in the two ways of protocol 0 and 1.
        for bytes in [&b"(I1\nia\nB\n."[..], b"(ca\nB\nI1\no."] {
            let pickle = Pickle::read(bytes, MOST).unwrap();
            let Node::Call(call) = pickle.node(pickle.root) else { panic!("no call") };
            assert_eq!(pickle.global(call.callable), Some("a.B"));
            assert_eq!(pickle.list(call.arguments).map(<[Ref]>::len), Some(1));
        }
    }

    #[test]
    fn what_is_popped_may_be_a_mark() {
        assert_eq!(Pickle::read(b"K\x01(0.", MOST).unwrap().nodes, [Node::Int(1)]);
        assert!(Pickle::read(b"K\x01(.", MOST).unwrap_err().ends_with(EMPTY));
    }

    #[test]
    fn malformed_pickles_are_errors() {
        for broken in [
            &b""[..],
            b"(",
            b"R.",
            b"0",
            b"X\xff\xff\xff\xffa",
            b"h\x05.",
            b"]\x86.",
            b"\x80\x04\x95",
            b"\x97.",
        ] {
            assert!(Pickle::read(broken, MOST).is_err(), "{broken:?}");
        }
        assert_eq!(Pickle::read(b"NNN\x87.", 3).unwrap_err(), "pickle, byte 3: more than 3 values");
    }
}
