//! The header of a PLY file: elements, their properties, and the comments that matter.

use crate::{ReadError, source::Source, text};

/// The encoding of the values after the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Ascii,
    BinaryLittleEndian,
    BinaryBigEndian,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
}

impl Scalar {
    fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"char" | b"int8" => Self::I8,
            b"uchar" | b"uint8" => Self::U8,
            b"short" | b"int16" => Self::I16,
            b"ushort" | b"uint16" => Self::U16,
            b"int" | b"int32" => Self::I32,
            b"uint" | b"uint32" => Self::U32,
            b"float" | b"float32" => Self::F32,
            b"double" | b"float64" => Self::F64,
            b"int64" | b"long" => Self::I64,
            b"uint64" | b"ulong" => Self::U64,
            _ => return None,
        })
    }

    /// Bytes of a binary value.
    pub fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// Reads a binary value from the front.
    pub fn take(self, rest: &mut &[u8], big: bool) -> Option<f64> {
        macro_rules! value {
            ($type:ty) => {{
                let (bytes, after) = rest.split_first_chunk()?;
                *rest = after;
                (if big { <$type>::from_be_bytes(*bytes) } else { <$type>::from_le_bytes(*bytes) }) as f64
            }};
        }
        Some(match self {
            Self::I8 => value!(i8),
            Self::U8 => value!(u8),
            Self::I16 => value!(i16),
            Self::U16 => value!(u16),
            Self::I32 => value!(i32),
            Self::U32 => value!(u32),
            Self::F32 => value!(f32),
            Self::F64 => value!(f64),
            Self::I64 => value!(i64),
            Self::U64 => value!(u64),
        })
    }

    /// A color channel of this type in `0..=1`.
    pub fn normalized_channel(self, value: f64) -> f64 {
        match self {
            Self::F32 | Self::F64 => value,
            Self::U16 | Self::I16 => value / 65535.0,
            _ => value / 255.0,
        }
    }
}

/// One column of an element, or a list.
#[derive(Clone, Debug)]
pub(super) struct Property {
    pub name: String,
    pub scalar: Scalar,
    /// The type of the length, for lists.
    pub list: Option<Scalar>,
}

/// A table after the header.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub name: String,
    pub count: u64,
    pub properties: Vec<Property>,
}

/// The header.
#[derive(Debug)]
pub(super) struct Header {
    pub encoding: Encoding,
    pub elements: Vec<Element>,
    /// File names from `comment TextureFile`.
    pub textures: Vec<String>,
}

/// Most properties; a bound on the memory of a row.
const MAX_PROPERTIES: usize = 4096;

impl Header {
    /// Parses the header; also returns where the data begins.
    pub fn parse(source: &Source) -> Result<(Self, usize), ReadError> {
        let mut encoding = None;
        let mut elements: Vec<Element> = Vec::new();
        let mut textures = Vec::new();
        let mut at = 0;
        let mut number = 0;
        loop {
            let Some((line, next)) = header_line(source.bytes, at) else {
                return Err(
                    source.invalid(format!("the header has no end_header, the file ends at line {number}"))
                );
            };
            number += 1;
            let wrong = |what: &str| {
                source.invalid(format!("line {number}: expected {what}, found {}", text::excerpt(line)))
            };
            let words: Vec<&[u8]> = text::fields(line).collect();
            match words[..] {
                [first] if number == 1 && first.eq_ignore_ascii_case(b"ply") => {}
                _ if number == 1 => return Err(wrong("\"ply\"")),
                [b"format", b"ascii", ..] => encoding = Some(Encoding::Ascii),
                [b"format", b"binary_little_endian", ..] => encoding = Some(Encoding::BinaryLittleEndian),
                [b"format", b"binary_big_endian", ..] => encoding = Some(Encoding::BinaryBigEndian),
                [b"element", name, count] => {
                    let count = text::integer(count).and_then(|c| u64::try_from(c).ok());
                    let count = count.ok_or_else(|| wrong("an element with its count"))?;
                    elements.push(Element { name: text::decode(name), count, properties: Vec::new() });
                }
                [b"property", ..] => {
                    let property = property(&words[1..]).ok_or_else(|| wrong("a property with its type"))?;
                    let element =
                        elements.last_mut().ok_or_else(|| wrong("an element before its properties"))?;
                    element.properties.push(property);
                }
                [b"comment", key, ..] if key.eq_ignore_ascii_case(b"TextureFile") => {
                    let after = text::split_keyword(text::split_keyword(line).1).1;
                    textures.push(text::decode(after));
                }
                [] | [b"comment" | b"obj_info", ..] => {}
                [b"end_header"] => {
                    let encoding = encoding.ok_or_else(|| source.invalid("the header has no format line"))?;
                    return Ok((Self { encoding, elements, textures }, next));
                }
                _ => return Err(wrong("a PLY header line")),
            }
            if elements.len() + elements.last().map_or(0, |e| e.properties.len()) + textures.len()
                > MAX_PROPERTIES
            {
                return Err(
                    source.invalid(format!("the header declares more than {MAX_PROPERTIES} properties"))
                );
            }
            at = next;
        }
    }
}

/// A header with another count in its only element.
pub(super) fn with_count(header: &[u8], count: u64) -> Vec<u8> {
    let mut changed = Vec::with_capacity(header.len());
    let mut at = 0;
    while let Some((line, next)) = header_line(header, at) {
        match text::fields(line).collect::<Vec<_>>()[..] {
            [b"element", name, _] => {
                changed.extend_from_slice(&[b"element ", name, b" "].concat());
                changed.extend_from_slice(count.to_string().as_bytes());
                changed.push(b'\n');
            }
            _ => changed.extend_from_slice(&header[at..next]),
        }
        at = next;
    }
    changed
}

/// A line from `start` and where the next begins. A lone `\r` is a terminator too, and nothing else is skipped: binary data after
/// `end_header` may begin with either byte.
fn header_line(bytes: &[u8], start: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(start..)?;
    let end = rest.iter().position(|&b| b == b'\n' || b == b'\r')?;
    let next = if rest[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
    Some((&rest[..end], start + next))
}

fn property(words: &[&[u8]]) -> Option<Property> {
    let (list, scalar, name) = match *words {
        [b"list", length, item, name] => (Some(Scalar::from_name(length)?), item, name),
        [scalar, name] => (None, scalar, name),
        _ => return None,
    };
    Some(Property { name: text::decode(name), scalar: Scalar::from_name(scalar)?, list })
}
