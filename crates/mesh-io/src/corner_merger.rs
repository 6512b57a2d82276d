//! Corners of triangles that do not share vertices, merged where they are equal.

use glam::{Vec3, Vec4};

/// No vertex.
const EMPTY: u32 = u32::MAX;
/// Places of a table at first, a power of two.
const FIRST_PLACES: usize = 1 << 16;

/// Distinct corners in the order in which they come, found by a hash table with open addressing: a quarter of the memory that a map with
/// keys of its own takes.
pub(super) struct CornerMerger {
    /// Positions of the vertices so far.
    pub positions: Vec<Vec3>,
    /// Their colors, if corners have any.
    pub colors: Option<Vec<Vec4>>,
    /// Indices of vertices, at most half of the places.
    table: Vec<u32>,
}

impl CornerMerger {
    /// A merger of corners with or without colors.
    pub fn new(has_colors: bool) -> Self {
        Self { positions: Vec::new(), colors: has_colors.then(Vec::new), table: vec![EMPTY; FIRST_PLACES] }
    }

    /// The vertex of a corner: a new one, unless an equal one is there. A color is ignored if corners have none.
    pub fn vertex(&mut self, position: Vec3, color: Vec4) -> u32 {
        let place = self.place(position, color);
        if self.table[place] != EMPTY {
            return self.table[place];
        }
        let vertex = self.positions.len() as u32;
        self.table[place] = vertex;
        self.positions.push(position);
        if let Some(colors) = &mut self.colors {
            colors.push(color);
        }
        if 2 * self.positions.len() > self.table.len() {
            self.grow();
        }
        vertex
    }

    /// The place of an equal vertex, or the one where it belongs.
    fn place(&self, position: Vec3, color: Vec4) -> usize {
        let mask = self.table.len() - 1;
        let mut place = hash(position) as usize & mask;
        loop {
            let vertex = self.table[place];
            let has_color = |colors: &Vec<Vec4>| colors[vertex as usize] == color;
            if vertex == EMPTY
                || (self.positions[vertex as usize] == position && self.colors.as_ref().is_none_or(has_color))
            {
                return place;
            }
            place = (place + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let mask = 2 * self.table.len() - 1;
        self.table = vec![EMPTY; mask + 1];
        for (vertex, position) in self.positions.iter().enumerate() {
            // All vertices differ: the first empty place is theirs.
            let mut place = hash(*position) as usize & mask;
            while self.table[place] != EMPTY {
                place = (place + 1) & mask;
            }
            self.table[place] = vertex as u32;
        }
    }
}

/// A hash of a position; equal positions have equal ones, also 0 and −0.
fn hash(position: Vec3) -> u64 {
    // The finalizer of splitmix64 after each coordinate.
    (position + Vec3::ZERO).to_array().iter().fold(0, |hash: u64, x| {
        let mixed = (hash ^ u64::from(x.to_bits())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (mixed >> 27)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_corners_are_one_vertex() {
        let (red, blue) = (Vec4::new(1.0, 0.0, 0.0, 1.0), Vec4::new(0.0, 0.0, 1.0, 1.0));
        let mut plain = CornerMerger::new(false);
        let corners = [Vec3::X, Vec3::ZERO, Vec3::X, -Vec3::ZERO, Vec3::Y];
        assert_eq!(corners.map(|corner| plain.vertex(corner, red)), [0, 1, 0, 1, 2]);
        assert_eq!(plain.vertex(Vec3::X, blue), 0);
        assert_eq!((plain.positions.len(), plain.colors), (3, None));
        let mut colored = CornerMerger::new(true);
        assert_eq!([red, blue, red].map(|color| colored.vertex(Vec3::X, color)), [0, 1, 0]);
        assert_eq!(colored.colors, Some(vec![red, blue]));
        // A corner that is not finite equals no other.
        assert_eq!([colored.vertex(Vec3::NAN, red), colored.vertex(Vec3::NAN, red)], [2, 3]);
    }

    #[test]
    fn a_table_grows() {
        // More than half of the places at first, each twice.
        let corner = |i: usize| Vec3::new((i % 300) as f32, (i / 300) as f32, 0.5);
        let count = FIRST_PLACES + 100;
        let mut merger = CornerMerger::new(false);
        let vertices: Vec<u32> =
            (0..2 * count).map(|i| merger.vertex(corner(i % count), Vec4::ONE)).collect();
        assert!(vertices.iter().enumerate().all(|(i, vertex)| *vertex as usize == i % count));
    }
}
