//! The inverse discrete cosine transform in the integer arithmetic of libjpeg's "slow" method (Loeffler, Ligtenberg and
//! Moschytz, [ICASSP 1989](https://doi.org/10.1109/ICASSP.1989.266596)): 13 fractional bits, two more between the passes.

use super::coefficients::Component;

/// Fractional bits of the constants.
const CONST_BITS: u32 = 13;
/// Additional bits kept between the passes.
const PASS1_BITS: u32 = 2;

/// The samples of all blocks of a component, `[8 · rows of blocks, 8 · blocks per row]`.
pub(super) fn component_samples(component: &Component) -> Vec<u8> {
    let [across, down] = component.blocks;
    let stride = across * 8;
    let mut samples = vec![0; stride * down * 8];
    for (i, block) in component.coefficients.iter().enumerate() {
        let corner = i / across * 8 * stride + i % across * 8;
        let values = inverse(block, &component.quantization);
        for (row, values) in values.chunks(8).enumerate() {
            samples[corner + row * stride..][..8].copy_from_slice(values);
        }
    }
    samples
}

/// Samples of one block, row by row.
fn inverse(block: &[i16; 64], quantization: &[u16; 64]) -> [u8; 64] {
    // Flat blocks are frequent; the passes below give the same.
    if block[1..].iter().all(|&coefficient| coefficient == 0) {
        let mean = i32::from(block[0]).wrapping_mul(i32::from(quantization[0]));
        return [((mean + 4) >> 3).saturating_add(128).clamp(0, 255) as u8; 64];
    }
    let mut work = [0i32; 64];
    for column in 0..8 {
        let line = std::array::from_fn(|i| {
            i32::from(block[i * 8 + column]).wrapping_mul(i32::from(quantization[i * 8 + column]))
        });
        for (i, value) in one_dimension(line, CONST_BITS - PASS1_BITS).into_iter().enumerate() {
            work[i * 8 + column] = value;
        }
    }
    let mut samples = [0; 64];
    for row in 0..8 {
        let line = std::array::from_fn(|i| work[row * 8 + i]);
        let values = one_dimension(line, CONST_BITS + PASS1_BITS + 3);
        for (sample, value) in samples[row * 8..].iter_mut().zip(values) {
            *sample = (value.saturating_add(128)).clamp(0, 255) as u8;
        }
    }
    samples
}

/// Eight values, rounded to `shift` fewer bits. Products of damaged files may overflow, so they wrap.
fn one_dimension(x: [i32; 8], shift: u32) -> [i32; 8] {
    let mul = |a: i32, b: i32| a.wrapping_mul(b);
    let add = |a: i32, b: i32| a.wrapping_add(b);
    let sub = |a: i32, b: i32| a.wrapping_sub(b);
    // Even part.
    let z1 = mul(add(x[2], x[6]), 4433);
    let (t2, t3) = (add(z1, mul(x[6], -15137)), add(z1, mul(x[2], 6270)));
    let (t0, t1) = (add(x[0], x[4]) << CONST_BITS, sub(x[0], x[4]) << CONST_BITS);
    let even = [add(t0, t3), add(t1, t2), sub(t1, t2), sub(t0, t3)];
    // Odd part.
    let [z1, z2, z3, z4] = [add(x[7], x[1]), add(x[5], x[3]), add(x[7], x[3]), add(x[5], x[1])];
    let z5 = mul(add(z3, z4), 9633);
    let (z1, z2) = (mul(z1, -7373), mul(z2, -20995));
    let (z3, z4) = (add(mul(z3, -16069), z5), add(mul(z4, -3196), z5));
    let odd = [
        add(mul(x[1], 12299), add(z1, z4)),
        add(mul(x[3], 25172), add(z2, z3)),
        add(mul(x[5], 16819), add(z2, z4)),
        add(mul(x[7], 2446), add(z1, z3)),
    ];
    let round = |value: i32| add(value, 1 << (shift - 1)) >> shift;
    std::array::from_fn(|i| match i {
        0..4 => round(add(even[i], odd[i])),
        _ => round(sub(even[7 - i], odd[7 - i])),
    })
}
