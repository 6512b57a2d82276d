//! Values of the binary format: eight bytes that hold a small value, or the place of a larger one.

use std::collections::HashMap;

use half::f16;

use super::layer::{Reference, Value};
use super::tables::{File, Kind};
use crate::cursor::Cursor;

const IS_ARRAY: u64 = 1 << 63;
const IS_INLINED: u64 = 1 << 62;
const IS_COMPRESSED: u64 = 1 << 61;
/// Arrays with fewer elements are never compressed.
const MIN_COMPRESSED: usize = 4;

/// Type, flags and payload of a value.
#[derive(Clone, Copy)]
pub(super) struct Encoded(pub u64);

/// How numbers are stored.
#[derive(Clone, Copy)]
enum Number {
    U8,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
}

impl Number {
    fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    fn read(self, cursor: &mut Cursor) -> Option<f64> {
        Some(match self {
            Self::U8 => f64::from(cursor.array::<1>()?[0]),
            Self::I32 => f64::from(cursor.u32()? as i32),
            Self::U32 => f64::from(cursor.u32()?),
            Self::I64 => cursor.u64()? as i64 as f64,
            Self::U64 => cursor.u64()? as f64,
            Self::F16 => f16::from_le_bytes(cursor.array()?).to_f64(),
            Self::F32 => f64::from(cursor.f32()?),
            Self::F64 => f64::from_bits(cursor.u64()?),
        })
    }
}

/// Storage and components of the types of numbers, by type number; `None` for others.
fn number_type(number: u8) -> Option<(Number, usize)> {
    use Number::{F16, F32, F64, I32, I64, U8, U32, U64};
    Some(match number {
        1 | 2 => (U8, 1),
        3 | 42..=44 => (I32, 1),
        4 => (U32, 1),
        5 => (I64, 1),
        6 => (U64, 1),
        7 => (F16, 1),
        8 => (F32, 1),
        9 | 56 => (F64, 1),
        13 => (F64, 4),
        14 => (F64, 9),
        15 => (F64, 16),
        16 => (F64, 4),
        17 => (F32, 4),
        18 => (F16, 4),
        19 => (F64, 2),
        20 => (F32, 2),
        21 => (F16, 2),
        22 => (I32, 2),
        23 => (F64, 3),
        24 => (F32, 3),
        25 => (F16, 3),
        26 => (I32, 3),
        27 => (F64, 4),
        28 => (F32, 4),
        29 => (F16, 4),
        30 => (I32, 4),
        _ => return None,
    })
}

impl Encoded {
    fn type_number(self) -> u8 {
        (self.0 >> 48) as u8
    }

    fn payload(self) -> u64 {
        self.0 & 0xFFFF_FFFF_FFFF
    }

    fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    /// The value; `None` for types that are not needed.
    pub fn read(self, file: &File) -> Result<Option<Value>, String> {
        if let Some((number, width)) = number_type(self.type_number()) {
            let values = self.numbers(file, number, width)?;
            return Ok(values.map(|values| Value::Numbers { values: self.reordered(values), width }));
        }
        let Some(mut content) = file.at(self.payload()) else { return Ok(None) };
        Ok(match self.type_number() {
            10 => self.texts(file, Kind::String)?,
            11 => self.texts(file, Kind::Token)?,
            // Asset paths are tokens, but strings where they are not inlined.
            12 => self.texts(
                file,
                if self.has(IS_INLINED) || self.has(IS_ARRAY) { Kind::Token } else { Kind::String },
            )?,
            34 => list_op(file, &mut content, |content| {
                Ok(path(file, content)?.map(|path| Value::Paths(vec![path])))
            })?,
            35 => list_op(file, &mut content, |content| reference(file, content, true))?,
            55 => list_op(file, &mut content, |content| reference(file, content, false))?,
            40 => list(file, &mut content, |content| {
                Ok(path(file, content)?.map(|path| Value::Paths(vec![path])))
            })?,
            41 => list(file, &mut content, |content| Ok(text(file, content, Kind::Token)))?,
            50 => list(file, &mut content, |content| Ok(text(file, content, Kind::String)))?,
            45 => variant_selection(file, &mut content)?,
            46 => first_sample(file, self.payload())?,
            47 => reference(file, &mut content, false)?,
            48 => double_vector(file, &mut content)?,
            51 => Some(Value::Blocked),
            _ => None,
        })
    }

    /// Quaternions have their real part last; here it is first, as in the text format.
    fn reordered(self, mut values: Vec<f64>) -> Vec<f64> {
        if matches!(self.type_number(), 16..=18) {
            values.chunks_exact_mut(4).for_each(|quaternion| quaternion.rotate_right(1));
        }
        values
    }

    fn numbers(self, file: &File, number: Number, width: usize) -> Result<Option<Vec<f64>>, String> {
        if self.has(IS_ARRAY) {
            return self.array(file, number, width).map(Some);
        }
        if self.has(IS_INLINED) {
            return Ok(Some(self.inlined(number, width)));
        }
        let Some(mut content) = file.at(self.payload()) else { return Ok(None) };
        Ok((0..width).map(|_| number.read(&mut content)).collect())
    }

    /// Numbers in four bytes: vectors and diagonals of matrices as signed bytes, wide numbers as narrow ones.
    fn inlined(self, number: Number, width: usize) -> Vec<f64> {
        let bytes = (self.payload() as u32).to_le_bytes();
        let mut content = Cursor::new(&bytes);
        let signed = |i: usize| f64::from(bytes[i] as i8);
        match (self.type_number(), width) {
            (13..=15, _) => {
                let edge = width.isqrt();
                (0..width).map(|i| if i / edge == i % edge { signed(i / edge) } else { 0.0 }).collect()
            }
            (_, 2..=4) => (0..width).map(signed).collect(),
            _ => {
                let narrow = match number {
                    Number::F64 => Number::F32,
                    Number::I64 => Number::I32,
                    Number::U64 => Number::U32,
                    other => other,
                };
                narrow.read(&mut content).into_iter().collect()
            }
        }
    }

    fn array(self, file: &File, number: Number, width: usize) -> Result<Vec<f64>, String> {
        // An empty array has no place.
        if self.payload() == 0 {
            return Ok(Vec::new());
        }
        let truncated = "an array is truncated";
        let mut content = file.at(self.payload()).ok_or(truncated)?;
        let count = array_length(file, &mut content).ok_or(truncated)?;
        if self.has(IS_COMPRESSED) && count >= MIN_COMPRESSED && width == 1 {
            return compressed(file, &mut content, number, count);
        }
        let total = count.checked_mul(width).ok_or(truncated)?;
        if total.saturating_mul(number.bytes()) > content.remaining().len() {
            return Err(truncated.to_owned());
        }
        file.charge(total.saturating_mul(8))?;
        (0..total)
            .map(|_| number.read(&mut content))
            .collect::<Option<_>>()
            .ok_or_else(|| truncated.to_owned())
    }

    fn texts(self, file: &File, kind: Kind) -> Result<Option<Value>, String> {
        if !self.has(IS_ARRAY) {
            let inlined = self.payload() as u32 as usize;
            let index = if self.has(IS_INLINED) {
                Some(inlined)
            } else {
                file.at(self.payload()).and_then(|mut content| content.u32()).map(|index| index as usize)
            };
            let text = index.and_then(|index| file.text(index, kind)).map(str::to_owned);
            file.charge(text.as_ref().map_or(0, String::len))?;
            return Ok(text.map(|text| Value::Texts(vec![text])));
        }
        let Some(mut content) = file.at(self.payload()).filter(|_| self.payload() != 0) else {
            return Ok(Some(Value::Texts(Vec::new())));
        };
        let count = array_length(file, &mut content).ok_or("an array is truncated")?;
        let mut texts = Vec::new();
        for _ in 0..count {
            let Some(text) = content.u32().and_then(|index| file.text(index as usize, kind)) else { break };
            file.charge(text.len() + 24)?;
            texts.push(text.to_owned());
        }
        Ok(Some(Value::Texts(texts)))
    }
}

fn array_length(file: &File, content: &mut Cursor) -> Option<usize> {
    if !file.is_since(5) {
        // The number of dimensions, which is always 1.
        content.u32()?;
    }
    if file.is_since(7) { usize::try_from(content.u64()?).ok() } else { Some(content.u32()? as usize) }
}

/// Integers, floats that are integers, or floats in a table.
fn compressed(file: &File, content: &mut Cursor, number: Number, count: usize) -> Result<Vec<f64>, String> {
    let truncated = "a compressed array is truncated";
    let integers = |content: &mut Cursor, wide| -> Result<Vec<f64>, String> {
        Ok(file.integers(content, count, wide)?.into_iter().map(|i| i as f64).collect())
    };
    match number {
        Number::I64 | Number::U64 => integers(content, true),
        Number::I32 => integers(content, false),
        // Differences wrap around at 32 bits.
        Number::U32 => {
            Ok(integers(content, false)?.into_iter().map(|i| f64::from(i as i64 as u32)).collect())
        }
        Number::U8 => Err("compressed bytes".to_owned()),
        Number::F16 | Number::F32 | Number::F64 => match content.array::<1>() {
            Some([b'i']) => integers(content, false),
            Some([b't']) => {
                let size = content.u32().ok_or(truncated)? as usize;
                if size.saturating_mul(number.bytes()) > content.remaining().len() {
                    return Err(truncated.to_owned());
                }
                let table: Vec<f64> = (0..size).map_while(|_| number.read(content)).collect();
                let indices = file.integers(content, count, false)?;
                let value =
                    |index: i64| usize::try_from(index).ok().and_then(|index| table.get(index).copied());
                indices.into_iter().map(value).collect::<Option<_>>().ok_or_else(|| truncated.to_owned())
            }
            _ => Err("an array is compressed in an unknown way".to_owned()),
        },
    }
}

fn path(file: &File, content: &mut Cursor) -> Result<Option<String>, String> {
    content.u32().map_or(Ok(None), |index| file.path(index as usize))
}

fn text(file: &File, content: &mut Cursor, kind: Kind) -> Option<Value> {
    let text = file.text(content.u32()? as usize, kind)?;
    Some(Value::Texts(vec![text.to_owned()]))
}

/// An asset and a prim; a reference also has an offset in time and a dictionary, a payload only the former, since version 0.8.
fn reference(file: &File, content: &mut Cursor, is_reference: bool) -> Result<Option<Value>, String> {
    let asset = content.u32().and_then(|index| file.text(index as usize, Kind::String)).map(str::to_owned);
    let prim = path(file, content)?;
    if is_reference || file.is_since(8) {
        content.take(16);
    }
    if is_reference && content.u64().is_none_or(|entries| entries > 0) {
        // What follows a reference with a dictionary is in a place that only the dictionary knows: this one is the last.
        let last = content.remaining().len();
        content.take(last);
    }
    let (Some(asset), Some(prim)) = (asset, prim) else { return Ok(None) };
    // The root stands for the default prim.
    let prim = if prim == "/" { String::new() } else { prim };
    Ok(Some(Value::References(vec![Reference { asset, prim }])))
}

/// Reads one item, and moves to the next.
type ReadItem<'f> = dyn FnMut(&mut Cursor) -> Result<Option<Value>, String> + 'f;

fn list(
    file: &File,
    content: &mut Cursor,
    mut read: impl FnMut(&mut Cursor) -> Result<Option<Value>, String>,
) -> Result<Option<Value>, String> {
    let mut all = None;
    items(file, content, &mut read, &mut all)?;
    Ok(all)
}

fn items(
    file: &File,
    content: &mut Cursor,
    read: &mut ReadItem,
    all: &mut Option<Value>,
) -> Result<(), String> {
    for _ in 0..content.u64().unwrap_or(0) {
        let Some(value) = read(content)? else { break };
        file.charge(32)?;
        match (&mut *all, value) {
            (Some(Value::Paths(known)), Value::Paths(more)) => known.extend(more),
            (Some(Value::Texts(known)), Value::Texts(more)) => known.extend(more),
            (Some(Value::References(known)), Value::References(more)) => known.extend(more),
            (_, value) => *all = Some(value),
        }
    }
    Ok(())
}

/// Lists of explicit, added, deleted, ordered, prepended and appended items: all but the deleted and ordered ones.
fn list_op(
    file: &File,
    content: &mut Cursor,
    mut read: impl FnMut(&mut Cursor) -> Result<Option<Value>, String>,
) -> Result<Option<Value>, String> {
    let [flags] = content.array().unwrap_or([0]);
    let mut all = None;
    // In the order of the file: explicit, added, prepended, appended, deleted, ordered.
    for (flag, is_kept) in [(2, true), (4, true), (32, true), (64, true), (8, false), (16, false)] {
        if flags & flag != 0 {
            let mut dropped = None;
            items(file, content, &mut read, if is_kept { &mut all } else { &mut dropped })?;
        }
    }
    Ok(all)
}

fn variant_selection(file: &File, content: &mut Cursor) -> Result<Option<Value>, String> {
    let mut selection = HashMap::new();
    for _ in 0..content.u64().unwrap_or(0) {
        let mut string = || content.u32().and_then(|index| file.text(index as usize, Kind::String));
        let (Some(set), Some(variant)) = (string(), string()) else { break };
        file.charge(set.len() + variant.len() + 64)?;
        selection.insert(set.to_owned(), Value::Texts(vec![variant.to_owned()]));
    }
    Ok(Some(Value::Dictionary(selection)))
}

fn double_vector(file: &File, content: &mut Cursor) -> Result<Option<Value>, String> {
    let count = content.u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    if count.saturating_mul(8) > content.remaining().len() {
        return Err("a vector is truncated".to_owned());
    }
    file.charge(count * 8)?;
    let values = (0..count).map_while(|_| Number::F64.read(content)).collect();
    Ok(Some(Value::Numbers { values, width: 1 }))
}

/// The value of the earliest time. Offsets are relative to where they are.
fn first_sample(file: &File, payload: u64) -> Result<Option<Value>, String> {
    let jump = |at: u64| -> Option<u64> {
        let offset = file.at(at)?.u64()? as i64;
        at.checked_add_signed(offset)
    };
    let Some(times) = jump(payload) else { return Ok(None) };
    // Behind the place of the times is the offset of the values: their number, and the first of them.
    let Some(values) = times.checked_add(8).and_then(jump) else { return Ok(None) };
    let Some(mut content) = file.at(values) else { return Ok(None) };
    let (Some(count), Some(first)) = (content.u64(), content.u64()) else { return Ok(None) };
    let value = Encoded(first);
    // Samples inside samples only come from damaged files.
    if count == 0 || value.type_number() == 46 { Ok(None) } else { value.read(file) }
}
