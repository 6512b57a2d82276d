//! Typed views of the bytes: vectors of floats and of indices, with sparse replacements.

use super::document::{Document, get};
use super::error::{GltfError, invalid};
use super::json;
use crate::limits;

/// Indices of all faces are the longest list a shape within the limits can have.
const MAX_COUNT: usize = 3 * limits::FACES;

/// The kind of number an accessor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ComponentType {
    I8,
    U8,
    I16,
    U16,
    U32,
    F32,
}

/// How integers become floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IntegerConversion {
    /// As the accessor's `normalized` says.
    AsDeclared,
    /// Always to `0..=1` or `-1..=1`: colors and weights have no other meaning, and some exporters forget the flag.
    Normalized,
}

/// Elements of an accessor, located but not yet converted.
struct Elements<'d> {
    /// Starting at the first element; `None` means zeros.
    bytes: Option<&'d [u8]>,
    stride: usize,
    count: usize,
    width: usize,
    component: ComponentType,
    normalized: bool,
    replaced: Option<(Vec<u32>, &'d [u8])>,
}

impl Document<'_> {
    /// Number of elements of an accessor, within limits; its bytes are not checked.
    pub fn count(&self, accessor: usize) -> Result<usize, GltfError> {
        let count = get(&self.root.accessors, accessor, "accessor")?.count.0;
        if count > MAX_COUNT {
            Err(GltfError::too_large("accessor count", count, MAX_COUNT))
        } else {
            Ok(count)
        }
    }

    /// Number of components of an accessor's elements.
    pub fn width(&self, accessor: usize) -> Result<usize, GltfError> {
        width_of(&get(&self.root.accessors, accessor, "accessor")?.shape)
    }

    /// `count` vectors of exactly `N` floats.
    pub fn floats<const N: usize>(
        &self,
        accessor: usize,
        integers: IntegerConversion,
    ) -> Result<Vec<[f32; N]>, GltfError> {
        let place = |error: GltfError| error.context(&format!("accessor {accessor}"));
        let elements = self.elements(accessor, N).map_err(place)?;
        let normalized = elements.normalized || integers == IntegerConversion::Normalized;
        let component = elements.component;
        elements.collect(|bytes| component.float(bytes, normalized))
    }

    /// `count` vectors of exactly `N` unsigned integers.
    pub fn integers<const N: usize>(&self, accessor: usize) -> Result<Vec<[u32; N]>, GltfError> {
        let place = |error: GltfError| error.context(&format!("accessor {accessor}"));
        let elements = self.elements(accessor, N).map_err(place)?;
        let component = elements.component;
        if !matches!(component, ComponentType::U8 | ComponentType::U16 | ComponentType::U32) {
            return Err(place(invalid("expected unsigned integers")));
        }
        elements.collect(|bytes| component.integer(bytes))
    }

    fn elements(&self, accessor: usize, expected_width: usize) -> Result<Elements<'_>, GltfError> {
        let count = self.count(accessor)?;
        let json = &self.root.accessors[accessor];
        let component = ComponentType::from_gl(json.component_type.0)?;
        let width = width_of(&json.shape)?;
        if width != expected_width {
            return Err(invalid(format!("expected {expected_width} components, found {}", json.shape)));
        }
        let size = width * component.size();
        let (bytes, stride) = match json.buffer_view {
            Some(view) => {
                let view = self.view(view.0)?;
                let stride = view.stride.unwrap_or(size);
                (Some(located(view.bytes, json.byte_offset.0, count, stride, size)?), stride)
            }
            // Zeros take no space in a file, so their number is bounded by its size.
            None if count > self.bytes_present => {
                return Err(invalid(format!("{count} elements without bytes, more than the file has bytes")));
            }
            None => (None, size),
        };
        let replaced = match &json.sparse {
            Some(sparse) => Some(self.replaced(sparse, count, size)?),
            None => None,
        };
        Ok(Elements { bytes, stride, count, width, component, normalized: json.normalized, replaced })
    }

    /// Which elements a sparse accessor replaces, and with what.
    fn replaced(
        &self,
        sparse: &json::Sparse,
        count: usize,
        size: usize,
    ) -> Result<(Vec<u32>, &[u8]), GltfError> {
        let replaced = sparse.count.0;
        if replaced > count {
            return Err(invalid(format!("{replaced} sparse values for {count} elements")));
        }
        let component = ComponentType::from_gl(sparse.indices.component_type.0)?;
        if !matches!(component, ComponentType::U8 | ComponentType::U16 | ComponentType::U32) {
            return Err(invalid("sparse indices: expected unsigned integers"));
        }
        let view = self.view(sparse.indices.buffer_view.0)?;
        let bytes =
            located(view.bytes, sparse.indices.byte_offset.0, replaced, component.size(), component.size())?;
        let indices: Vec<u32> =
            bytes.chunks_exact(component.size()).take(replaced).map(|b| component.integer(b)).collect();
        if let Some(index) = indices.iter().find(|&&i| i as usize >= count) {
            return Err(invalid(format!("sparse index {index}, but there are {count} elements")));
        }
        let view = self.view(sparse.values.buffer_view.0)?;
        Ok((indices, located(view.bytes, sparse.values.byte_offset.0, replaced, size, size)?))
    }
}

impl Elements<'_> {
    fn collect<T: Copy + Default, const N: usize>(
        &self,
        convert: impl Fn(&[u8]) -> T,
    ) -> Result<Vec<[T; N]>, GltfError> {
        debug_assert_eq!(self.width, N);
        let size = self.component.size();
        let element = |bytes: &[u8]| {
            let mut out = [T::default(); N];
            out.iter_mut().zip(bytes.chunks_exact(size)).for_each(|(out, bytes)| *out = convert(bytes));
            out
        };
        let mut values: Vec<[T; N]> = match self.bytes {
            Some(bytes) => bytes.chunks(self.stride.max(1)).take(self.count).map(element).collect(),
            None => vec![[T::default(); N]; self.count],
        };
        if let Some((indices, bytes)) = &self.replaced {
            for (&index, bytes) in indices.iter().zip(bytes.chunks_exact(N * size)) {
                if let Some(value) = values.get_mut(index as usize) {
                    *value = element(bytes);
                }
            }
        }
        Ok(values)
    }
}

/// The bytes from the first of `count` elements to the end of the last.
fn located(
    bytes: &[u8],
    offset: usize,
    count: usize,
    stride: usize,
    size: usize,
) -> Result<&[u8], GltfError> {
    if stride < size {
        return Err(invalid(format!("stride {stride} for elements of {size} bytes")));
    }
    let Some(last) = count.checked_sub(1) else { return Ok(&[]) };
    // The last element needs its own size only, not the whole stride.
    last.checked_mul(stride)
        .and_then(|length| length.checked_add(size))
        .and_then(|length| offset.checked_add(length))
        .and_then(|end| bytes.get(offset..end))
        .ok_or_else(|| {
            invalid(format!(
                "expected {count} elements of {size} bytes, {stride} apart, from {offset}; the view has {}",
                bytes.len()
            ))
        })
}

fn width_of(shape: &str) -> Result<usize, GltfError> {
    Ok(match shape {
        "SCALAR" => 1,
        "VEC2" => 2,
        "VEC3" => 3,
        // Matrix columns of small components would be padded, but none are read as such.
        "VEC4" | "MAT2" => 4,
        "MAT3" => 9,
        "MAT4" => 16,
        other => return Err(invalid(format!("unknown accessor type {}", super::error::quoted(other)))),
    })
}

impl ComponentType {
    fn from_gl(code: usize) -> Result<Self, GltfError> {
        Ok(match code {
            5120 => Self::I8,
            5121 => Self::U8,
            5122 => Self::I16,
            5123 => Self::U16,
            5125 => Self::U32,
            5126 => Self::F32,
            other => return Err(invalid(format!("unknown component type {other}"))),
        })
    }

    fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }

    /// One float of exactly [`size`](Self::size) bytes; normalization as in section 3.11 of the specification.
    fn float(self, bytes: &[u8], normalized: bool) -> f32 {
        let (value, largest) = match (self, bytes) {
            (Self::F32, &[a, b, c, d]) => return f32::from_le_bytes([a, b, c, d]),
            (Self::I8, &[a]) => (f32::from(a as i8), 127.0),
            (Self::U8, &[a]) => (f32::from(a), 255.0),
            (Self::I16, &[a, b]) => (f32::from(i16::from_le_bytes([a, b])), 32_767.0),
            (Self::U16, &[a, b]) => (f32::from(u16::from_le_bytes([a, b])), 65_535.0),
            (Self::U32, &[a, b, c, d]) => (u32::from_le_bytes([a, b, c, d]) as f32, u32::MAX as f32),
            _ => (0.0, 1.0),
        };
        // −128 and −32768 would be slightly below −1.
        if normalized { (value / largest).max(-1.0) } else { value }
    }

    fn integer(self, bytes: &[u8]) -> u32 {
        match *bytes {
            [a] => u32::from(a),
            [a, b] => u32::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
            _ => 0,
        }
    }
}
