//! Blocks of packed operands and of products.

/// Rows, columns and depth of a block: two by two tiles of 16 × 16 results, with 32 products each.
pub const BLOCK: usize = 32;

/// Rows of a tile, and pairs of numbers in one of its rows.
pub(crate) const EDGE: usize = 16;

/// Tiles of a block of an operand in `bf16`: 32 rows or columns by a depth of 32.
pub const BF16_TILES: usize = 2;

/// 1 KiB: 16 rows of 32 numbers in `bf16`.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Tile(pub(crate) [u32; 256]);

impl Tile {
    /// All zero.
    pub const ZERO: Self = Self([0; 256]);
}

/// The result of a block: 32 rows of 32 numbers.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct BlockResult(pub [[f32; BLOCK]; BLOCK]);

impl BlockResult {
    /// All zero.
    pub const ZERO: Self = Self([[0.0; BLOCK]; BLOCK]);
}

/// Whether a matrix of this shape, whose numbers are `strides` apart, is inside of a list of `length` numbers.
pub fn fits(length: usize, shape: [usize; 2], strides: [usize; 2]) -> bool {
    let [a, b] = [0, 1].map(|axis: usize| shape[axis].saturating_sub(1).checked_mul(strides[axis]));
    let last = a.zip(b).and_then(|(a, b)| a.checked_add(b));
    shape.contains(&0) || last.is_some_and(|last| last < length)
}
