//! Modes TRIANGLES and INDICES: indices encoded as references to recent edges and vertices, or as differences.

use super::cursor::{Cursor, check_end, truncated, unzigzag};
use crate::gltf::error::{GltfError, invalid};

/// Bytes at the end of a triangle stream: common pairs of codes.
const TABLE_BYTES: usize = 16;
/// Bytes at the end of an index sequence, which only let decoders read ahead.
const SEQUENCE_TAIL_BYTES: usize = 4;

/// Decodes `count` indices, three a triangle.
pub(super) fn decode_triangles(source: &[u8], count: usize) -> Result<Vec<u32>, GltfError> {
    let version = version_of(source, 0xe0)?;
    let body = &source[1..];
    let n_triangles = count / 3;
    let (codes, rest) = body.split_at_checked(n_triangles).ok_or_else(truncated)?;
    let end = rest.len().checked_sub(TABLE_BYTES).ok_or_else(truncated)?;
    let (data, table) = rest.split_at(end);
    let mut decoder = TriangleDecoder {
        data: Cursor(data),
        edges: [[u32::MAX; 2]; 16],
        vertices: [u32::MAX; 16],
        n_edges: 0,
        n_vertices: 0,
        next: 0,
        last: 0,
        // Version 1 gives the two highest codes to the neighbors of the last free index.
        largest_hit: if version == 0 { 15 } else { 13 },
    };
    let mut indices = Vec::with_capacity(count);
    for &code in codes {
        let triangle = match code {
            0xf0..=0xfd => decoder.table_triangle(table[usize::from(code & 15)]),
            0xfe..=0xff => decoder.free_triangle(code == 0xff)?,
            _ => decoder.edge_triangle(code)?,
        };
        indices.extend(triangle);
    }
    check_end(decoder.data.0.len())?;
    Ok(indices)
}

/// Decodes `count` indices one by one.
pub(super) fn decode_sequence(source: &[u8], count: usize) -> Result<Vec<u32>, GltfError> {
    version_of(source, 0xd0)?;
    let body = &source[1..];
    let end = body.len().checked_sub(SEQUENCE_TAIL_BYTES).ok_or_else(truncated)?;
    // An index takes a byte at least, so a false count is rejected before memory is allocated.
    if count > end {
        return Err(truncated());
    }
    let mut stream = Cursor(&body[..end]);
    let mut last = [0_u32; 2];
    let mut indices = Vec::with_capacity(count);
    for _ in 0..count {
        let value = stream.variable_length()?;
        let base = &mut last[(value & 1) as usize];
        *base = base.wrapping_add(unzigzag(value >> 1));
        indices.push(*base);
    }
    check_end(stream.0.len())?;
    Ok(indices)
}

fn version_of(source: &[u8], magic: u8) -> Result<u8, GltfError> {
    let header = *source.first().ok_or_else(truncated)?;
    if header & 0xf0 != magic || header & 15 > 1 {
        return Err(invalid(format!(
            "meshopt: expected an index header of {magic:#04x}, found {header:#04x}"
        )));
    }
    Ok(header & 15)
}

/// The state that encoder and decoder share, step by step.
struct TriangleDecoder<'a> {
    data: Cursor<'a>,
    /// Ring buffers of the last sixteen edges and vertices.
    edges: [[u32; 2]; 16],
    vertices: [u32; 16],
    n_edges: usize,
    n_vertices: usize,
    /// The lowest index not seen yet.
    next: u32,
    /// The last index written as a difference.
    last: u32,
    largest_hit: u8,
}

impl TriangleDecoder<'_> {
    /// A triangle at a remembered edge.
    fn edge_triangle(&mut self, code: u8) -> Result<[u32; 3], GltfError> {
        let [a, b] = self.edges[self.n_edges.wrapping_sub(1 + usize::from(code >> 4)) & 15];
        let hit = code & 15;
        let c = match hit {
            0 => self.new_vertex(),
            hit if hit < self.largest_hit => {
                self.vertices[self.n_vertices.wrapping_sub(1 + usize::from(hit)) & 15]
            }
            13 => self.free(self.last.wrapping_sub(1)),
            14 => self.free(self.last.wrapping_add(1)),
            _ => self.difference()?,
        };
        if hit == 0 || hit >= self.largest_hit {
            self.remember_vertex(c);
        }
        self.remember_edge(c, b);
        self.remember_edge(a, c);
        Ok([a, b, c])
    }

    /// A triangle of a new vertex and two that a pair of hits names.
    fn table_triangle(&mut self, pair: u8) -> [u32; 3] {
        let (hit_b, hit_c) = (pair >> 4, pair & 15);
        let a = self.new_vertex();
        let b = self.new_or_remembered(hit_b);
        let c = self.new_or_remembered(hit_c);
        self.remember_vertex(a);
        if hit_b == 0 {
            self.remember_vertex(b);
        }
        if hit_c == 0 {
            self.remember_vertex(c);
        }
        self.remember_triangle([a, b, c])
    }

    /// A triangle any of whose vertices may be written out.
    fn free_triangle(&mut self, first_is_free: bool) -> Result<[u32; 3], GltfError> {
        let pair = self.data.byte()?;
        let (hit_b, hit_c) = (pair >> 4, pair & 15);
        if pair == 0 {
            self.next = 0;
        }
        let mut a = if first_is_free { 0 } else { self.new_vertex() };
        let mut b = self.new_or_remembered(hit_b);
        let mut c = self.new_or_remembered(hit_c);
        if first_is_free {
            a = self.difference()?;
        }
        if hit_b == 15 {
            b = self.difference()?;
        }
        if hit_c == 15 {
            c = self.difference()?;
        }
        self.remember_vertex(a);
        if hit_b == 0 || hit_b == 15 {
            self.remember_vertex(b);
        }
        if hit_c == 0 || hit_c == 15 {
            self.remember_vertex(c);
        }
        Ok(self.remember_triangle([a, b, c]))
    }

    fn new_vertex(&mut self) -> u32 {
        let index = self.next;
        self.next = index.wrapping_add(1);
        index
    }

    /// Hit 0 is a new vertex, the others count back from the latest.
    fn new_or_remembered(&mut self, hit: u8) -> u32 {
        match hit {
            0 => self.new_vertex(),
            hit => self.vertices[self.n_vertices.wrapping_sub(usize::from(hit)) & 15],
        }
    }

    fn free(&mut self, index: u32) -> u32 {
        self.last = index;
        index
    }

    fn difference(&mut self) -> Result<u32, GltfError> {
        let difference = unzigzag(self.data.variable_length()?);
        Ok(self.free(self.last.wrapping_add(difference)))
    }

    fn remember_vertex(&mut self, vertex: u32) {
        self.vertices[self.n_vertices & 15] = vertex;
        self.n_vertices = self.n_vertices.wrapping_add(1);
    }

    fn remember_edge(&mut self, from: u32, to: u32) {
        self.edges[self.n_edges & 15] = [from, to];
        self.n_edges = self.n_edges.wrapping_add(1);
    }

    fn remember_triangle(&mut self, [a, b, c]: [u32; 3]) -> [u32; 3] {
        self.remember_edge(b, a);
        self.remember_edge(c, b);
        self.remember_edge(a, c);
        [a, b, c]
    }
}
