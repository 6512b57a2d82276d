//! Quantization of vectors to one byte per number, with a bound on the error.

/// Bytes of a coded row before its codes: scale and error bound, two little-endian `f32`.
const HEADER_BYTES: usize = 8;

/// Bytes of a coded row: header and one byte per number.
pub(crate) fn code_bytes(dim: usize) -> usize {
    HEADER_BYTES + dim
}

/// Appends the coded row of a vector.
pub(crate) fn encode(vector: &[f32], coded: &mut Vec<u8>) {
    let scale = scale(vector, 127.0);
    // One division per row instead of one per number.
    let inverse = 1.0 / scale;
    let start = coded.len() + HEADER_BYTES;
    coded.extend(scale.to_le_bytes());
    coded.extend([0; 4]);
    coded.extend(vector.iter().map(|x| (quantize(*x, inverse) as i8).cast_unsigned()));
    let error = quantization_error(vector, &coded[start..], |code| f32::from(code.cast_signed()) * scale);
    coded[start - 4..start].copy_from_slice(&error.to_le_bytes());
}

/// A row of [`code_bytes`], split into scale, error bound and codes.
#[inline(always)]
pub(super) fn decode(coded: &[u8]) -> (f32, f32, &[u8]) {
    let number = |at: usize| f32::from_le_bytes([coded[at], coded[at + 1], coded[at + 2], coded[at + 3]]);
    (number(0), number(4), &coded[HEADER_BYTES..])
}

/// A query in the number format of the rows.
pub(super) struct QuantizedQuery {
    /// The query in multiples of `scale`.
    pub(super) vector: Vec<i16>,
    pub(super) scale: f32,
    /// The part of the error bound that is the same for every row.
    pub(super) error_bound: f32,
}

impl QuantizedQuery {
    pub(super) fn new(vector: &[f32]) -> Self {
        // Norms are 1 up to a thousandth; quantized rows may be slightly longer.
        const ROW_NORM: f32 = 1.1;
        // The finest scale that fits: the sum of dim products with 127 must stay below 2³¹. More than 12 bits gain
        // nothing, because the rows have 7.
        #[expect(clippy::cast_precision_loss, reason = "a limit, rounded down")]
        let levels = ((i32::MAX / 128) as f32 / vector.len().max(1) as f32).min(4095.0).floor();
        let scale = scale(vector, levels);
        let quantized: Vec<i16> = vector.iter().map(|x| quantize(*x, 1.0 / scale)).collect();
        // The query's error changes a score by at most its norm times the row's (Cauchy-Schwarz).
        let lost = quantization_error(vector, &quantized, |x| f32::from(x) * scale);
        let error_bound = rounding_error_bound(vector.len()) + lost * ROW_NORM;
        Self { vector: quantized, scale, error_bound }
    }
}

/// A bound on the rounding of a quantized score and of the exact score to f32, for (nearly) unit vectors: the standard
/// bound dim · 2⁻²⁴ for sums in any order (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.1),
/// with a margin.
#[expect(clippy::cast_precision_loss, reason = "dims are small")]
fn rounding_error_bound(dim: usize) -> f32 {
    // The margin covers norms slightly above 1, the conversion of the sum, the products with both scales and the final
    // rounding.
    (dim as f32 + 16.0) * 1.02 * 2.0_f32.powi(-24)
}

/// The scale at which the largest number becomes `levels`; never 0, so that callers can divide by it.
fn scale(vector: &[f32], levels: f32) -> f32 {
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    (largest / levels).max(f32::MIN_POSITIVE)
}

/// The number in multiples of `1 / inverse`, rounded. Callers choose a scale that fits their integer type.
#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate, and the scale fits")]
fn quantize(number: f32, inverse: f32) -> i16 {
    // Add one half and truncate: `round` is a library call on CPUs without the instruction.
    let scaled = number * inverse;
    (scaled + 0.5_f32.copysign(scaled)) as i32 as i16
}

/// Norm of the difference between a vector and its values, converted back by `widen`; rounded up slightly, so that it
/// is a bound.
#[expect(clippy::cast_possible_truncation, reason = "the margin is wider than the rounding")]
fn quantization_error<C: Copy>(vector: &[f32], values: &[C], widen: impl Fn(C) -> f32) -> f32 {
    // Eight sums: the compiler vectorizes them.
    let mut sums = [0.0_f64; 8];
    let (blocks, rest) = vector.as_chunks::<8>();
    let (value_blocks, value_rest) = values.as_chunks::<8>();
    for (block, values) in blocks.iter().zip(value_blocks) {
        for lane in 0..8 {
            sums[lane] += f64::from(block[lane] - widen(values[lane])).powi(2);
        }
    }
    let rest: f64 = rest.iter().zip(value_rest).map(|(x, value)| f64::from(x - widen(*value)).powi(2)).sum();
    ((sums.iter().sum::<f64>() + rest).sqrt() * 1.000_1) as f32 + f32::EPSILON
}
