//! Python's pickles as data: a pickle is a program for a small stack machine, and here the machine only takes notes.
//!
//! What a pickle would import or call is written down as a [`Node`] and never looked up, so nothing of a file is
//! ever executed. All nodes live in one list and refer to each other by number: values that share parts, cycles
//! and deep nesting cost what they weigh in the file, whatever they would unfold to.

use std::collections::HashMap;

/// Most nodes: some ten times what the largest checkpoints with optimizer states need.
const MOST_NODES: usize = 4 << 20;

/// Number of a node in its [`Pickle`].
pub(super) type Ref = u32;

/// A value of Python, as far as it is of interest.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    /// Bytes, or the little-endian digits of an integer beyond 64 bits.
    Bytes(Box<[u8]>),
    /// A list, tuple or set.
    List(Vec<Ref>),
    Dict(Vec<(Ref, Ref)>),
    /// `module.name`, never imported.
    Global(Box<str>),
    /// A call that was never made.
    Call(Box<Call>),
    /// Something that stands outside the pickle: a storage.
    Persistent(Ref),
}

/// What would be called, with what, and what would be done with the result.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    /// A [`Node::Global`], if the file is sound.
    pub callable: Ref,
    pub arguments: Ref,
    /// Attributes set afterwards.
    pub state: Option<Ref>,
    /// Items set afterwards: how an ordered dictionary is filled.
    pub items: Vec<(Ref, Ref)>,
}

/// All values of one pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    nodes: Vec<Node>,
    pub root: Ref,
    /// Bytes it took.
    pub length: usize,
}

impl Pickle {
    /// Reads the pickle at the start of `bytes`. `Err` says what is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut machine = Machine {
            bytes,
            at: 0,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        };
        let root = machine.run().map_err(|what| format!("pickle, byte {}: {what}", machine.at))?;
        Ok(Self { nodes: machine.nodes, root, length: machine.at })
    }

    pub fn node(&self, at: Ref) -> &Node {
        &self.nodes[at as usize]
    }

    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    pub fn text(&self, at: Ref) -> Option<&str> {
        match self.node(at) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn list(&self, at: Ref) -> Option<&[Ref]> {
        match self.node(at) {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// `module.name` of a global.
    pub fn global(&self, at: Ref) -> Option<&str> {
        match self.node(at) {
            Node::Global(name) => Some(name),
            _ => None,
        }
    }

    /// The items of a dictionary, also of one made by a call such as `OrderedDict()`.
    pub fn items(&self, at: Ref) -> Option<&[(Ref, Ref)]> {
        match self.node(at) {
            Node::Dict(items) => Some(items),
            Node::Call(call) if call.state.is_none() || !call.items.is_empty() => {
                let is_dict = self
                    .global(call.callable)
                    .is_some_and(|name| name.ends_with("Dict") || name.ends_with("dict"));
                (is_dict || !call.items.is_empty()).then_some(&call.items)
            }
            _ => None,
        }
    }

    /// The attributes of an object.
    pub fn attributes(&self, at: Ref) -> Option<&[(Ref, Ref)]> {
        let Node::Call(call) = self.node(at) else { return None };
        let state = call.state?;
        // Objects with slots have a pair: attributes and slots.
        let state = self.list(state).and_then(|pair| pair.first().copied()).unwrap_or(state);
        self.items(state)
    }

    /// The value under a key of a dictionary, or the attribute of that name.
    pub fn get(&self, at: Ref, key: &str) -> Option<Ref> {
        let entries = self.items(at).or_else(|| self.attributes(at))?;
        entries.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, value)| *value)
    }
}

/// The stack machine.
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Ref>,
    marks: Vec<usize>,
    memo: HashMap<u32, Ref>,
}

type Step = Result<(), String>;

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Ref, String> {
        loop {
            let [op] = self.take()?;
            match op {
                b'.' => return self.pop(),
                b'N' | 0x88 | 0x89 | b'I' | b'K' | b'M' | b'J' | b'L' | 0x8a | 0x8b | b'F' | b'G' => {
                    self.number(op)?
                }
                b'S' | b'V' | b'T' | b'U' | b'X' | 0x8c | 0x8d | b'B' | b'C' | 0x8e | 0x96 => {
                    self.string(op)?
                }
                b'h' | b'j' | b'g' | b'q' | b'r' | b'p' | 0x94 => self.memo(op)?,
                b'c' | 0x93 | b'R' | 0x81 | 0x92 | b'b' | b'i' | b'o' | b'P' | b'Q' => self.object(op)?,
                0x80 => drop(self.take::<1>()?),
                0x95 => drop(self.take::<8>()?),
                b'(' if self.marks.len() < MOST_NODES => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.pop_to_mark()?),
                b'2' => {
                    let top = *self.stack.last().ok_or("the stack is empty")?;
                    self.share(top)?;
                }
                _ => self.collection(op)?,
            }
        }
    }

    fn number(&mut self, op: u8) -> Step {
        let node = match op {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'K' => Node::Int(i64::from(self.take::<1>()?[0])),
            b'M' => Node::Int(i64::from(u16::from_le_bytes(self.take()?))),
            b'J' => Node::Int(i64::from(i32::from_le_bytes(self.take()?))),
            b'G' => Node::Float(f64::from_be_bytes(self.take()?)),
            b'F' => Node::Float(self.line()?.parse().map_err(|_| "a number that is none")?),
            b'I' => match self.line()? {
                "00" => Node::Bool(false),
                "01" => Node::Bool(true),
                digits => Node::Int(digits.parse().map_err(|_| "an integer that is none")?),
            },
            b'L' => {
                let digits = self.line()?.trim_end_matches('L');
                digits.parse().map_or_else(|_| Node::Text(digits.into()), Node::Int)
            }
            _ => {
                let length = if op == 0x8a { usize::from(self.take::<1>()?[0]) } else { self.length4()? };
                long(self.slice(length)?)
            }
        };
        self.push(node)
    }

    fn string(&mut self, op: u8) -> Step {
        let length = match op {
            b'S' | b'V' => {
                let text = self.line()?.trim_matches(['\'', '"']).into();
                return self.push(Node::Text(text));
            }
            b'U' | 0x8c | b'C' => usize::from(self.take::<1>()?[0]),
            b'T' | b'X' | b'B' => self.length4()?,
            _ => usize::try_from(u64::from_le_bytes(self.take()?)).map_err(|_| "a length beyond memory")?,
        };
        let bytes = self.slice(length)?;
        let node = match op {
            b'B' | b'C' | 0x8e | 0x96 => Node::Bytes(bytes.into()),
            // Python 2 kept bytes in strings.
            _ => std::str::from_utf8(bytes)
                .map_or_else(|_| Node::Bytes(bytes.into()), |text| Node::Text(text.into())),
        };
        self.push(node)
    }

    fn memo(&mut self, op: u8) -> Step {
        let number = match op {
            b'h' | b'q' => u32::from(self.take::<1>()?[0]),
            b'j' | b'r' => u32::from_le_bytes(self.take()?),
            b'g' | b'p' => self.line()?.parse().map_err(|_| "a memo number that is none")?,
            _ => self.memo.len() as u32,
        };
        if matches!(op, b'h' | b'j' | b'g') {
            let known =
                *self.memo.get(&number).ok_or_else(|| format!("nothing was remembered as {number}"))?;
            return self.share(known);
        }
        let top = *self.stack.last().ok_or("the stack is empty")?;
        self.memo.insert(number, top);
        Ok(())
    }

    /// Puts a value on the stack once more.
    fn share(&mut self, known: Ref) -> Step {
        if self.stack.len() >= MOST_NODES {
            return Err(format!("more than {MOST_NODES} values"));
        }
        self.stack.push(known);
        Ok(())
    }

    fn collection(&mut self, op: u8) -> Step {
        match op {
            b']' | b')' | 0x8f => self.push(Node::List(Vec::new())),
            b'}' => self.push(Node::Dict(Vec::new())),
            b'l' | b't' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(Node::List(items))
            }
            0x85..=0x87 => {
                let count = usize::from(op - 0x84);
                let start = self.stack.len().checked_sub(count).ok_or("the stack is empty")?;
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
            op => Err(format!("instruction {op:#04x} is unknown")),
        }
    }

    fn object(&mut self, op: u8) -> Step {
        match op {
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                self.push(Node::Global(name.into()))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Node::Text(module), Node::Text(name)) =
                    (&self.nodes[module as usize], &self.nodes[name as usize])
                else {
                    return Err("a name that is no text".to_owned());
                };
                let name = format!("{module}.{name}");
                self.push(Node::Global(name.into()))
            }
            b'P' => {
                let text = self.line()?.into();
                self.push(Node::Text(text))?;
                let id = self.pop()?;
                self.push(Node::Persistent(id))
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Node::Persistent(id))
            }
            b'b' => {
                let (state, object) = (self.pop()?, *self.stack.last().ok_or("the stack is empty")?);
                if let Node::Call(call) = &mut self.nodes[object as usize] {
                    call.state = Some(state);
                }
                Ok(())
            }
            b'i' | b'o' => {
                if op == b'i' {
                    let name = format!("{}.{}", self.line()?, self.line()?);
                    self.push(Node::Global(name.into()))?;
                    let class = self.pop()?;
                    let mark = *self.marks.last().ok_or("no mark")?;
                    self.stack.insert(mark.min(self.stack.len()), class);
                }
                let mut items = self.pop_to_mark()?;
                if items.is_empty() {
                    return Err("an object without a class".to_owned());
                }
                let callable = items.remove(0);
                self.push(Node::List(items))?;
                let arguments = self.pop()?;
                self.call(callable, arguments)
            }
            _ => {
                if op == 0x92 {
                    // Named arguments are of no interest.
                    self.pop()?;
                }
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.call(callable, arguments)
            }
        }
    }

    fn call(&mut self, callable: Ref, arguments: Ref) -> Step {
        self.push(Node::Call(Box::new(Call { callable, arguments, state: None, items: Vec::new() })))
    }

    fn append(&mut self, items: &[Ref]) -> Step {
        let top = *self.stack.last().ok_or("the stack is empty")?;
        match &mut self.nodes[top as usize] {
            Node::List(list) => list.extend_from_slice(items),
            // A subclass of list: its items are of no interest.
            Node::Call(_) => {}
            _ => return Err("items for something that is no list".to_owned()),
        }
        Ok(())
    }

    fn set(&mut self, items: &[(Ref, Ref)]) -> Step {
        let top = *self.stack.last().ok_or("the stack is empty")?;
        match &mut self.nodes[top as usize] {
            Node::Dict(dict) => dict.extend_from_slice(items),
            Node::Call(call) => call.items.extend_from_slice(items),
            _ => return Err("items for something that is no dictionary".to_owned()),
        }
        Ok(())
    }

    fn push(&mut self, node: Node) -> Step {
        if self.nodes.len() >= MOST_NODES {
            return Err(format!("more than {MOST_NODES} values"));
        }
        self.stack.push(self.nodes.len() as Ref);
        self.nodes.push(node);
        Ok(())
    }

    fn pop(&mut self) -> Result<Ref, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            Err("the stack is empty".to_owned())
        } else {
            Ok(self.stack.pop().unwrap_or(0))
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Ref>, String> {
        let mark = self.marks.pop().ok_or("no mark")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = *bytes.ok_or("it ends too early")?;
        self.at += N;
        Ok(bytes)
    }

    fn length4(&mut self) -> Result<usize, String> {
        Ok(u32::from_le_bytes(self.take()?) as usize)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end =
            end.ok_or_else(|| format!("{length} bytes announced, {} left", self.bytes.len() - self.at))?;
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    /// Text up to the end of the line.
    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or("a line without an end")?;
        self.at += length + 1;
        std::str::from_utf8(rest[..length].trim_ascii_end()).map_err(|_| "a line that is no text".to_owned())
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

/// An integer of any length, little-endian, two's complement.
fn long(bytes: &[u8]) -> Node {
    if bytes.len() > 8 {
        return Node::Bytes(bytes.into());
    }
    let sign = if bytes.last().is_some_and(|top| *top >= 0x80) { 0xff } else { 0 };
    let mut padded = [sign; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    Node::Int(i64::from_le_bytes(padded))
}
