//! Ways to break a file.

use rand::{Rng as _, rngs::SmallRng};

/// Numbers that headers should not hold.
const TEXT_NUMBERS: [&str; 14] = [
    "-1",
    "0",
    "1",
    "2147483647",
    "2147483648",
    "4294967295",
    "-9223372036854775808",
    "18446744073709551616",
    "999999999999999999999",
    "nan",
    "inf",
    "-1e308",
    "1e-320",
    "3.5",
];
const BINARY_NUMBERS: [u64; 9] =
    [0, 1, 0x7F, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, u64::MAX, 0x0000_0100_0000_0000];

/// The file with one to three things done to it.
pub fn mutate(bytes: &[u8], other: &[u8], rng: &mut SmallRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..=3) {
        if bytes.is_empty() {
            break;
        }
        once(&mut bytes, other, rng);
    }
    bytes
}

fn once(bytes: &mut Vec<u8>, other: &[u8], rng: &mut SmallRng) {
    // Sizes are in headers: half of all changes are made there.
    let reach = if rng.random_bool(0.5) { bytes.len().min(400) } else { bytes.len() };
    let at = rng.random_range(0..reach);
    match rng.random_range(0..7) {
        0 => bytes.truncate(rng.random_range(0..=bytes.len())),
        1 => (0..rng.random_range(1..=8)).for_each(|_| {
            let at = rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << rng.random_range(0..8);
        }),
        2 => {
            let start = rng.random_range(0..other.len());
            let piece = &other[start..other.len().min(start + rng.random_range(1..64))];
            bytes.splice(at..(at + rng.random_range(0..64)).min(bytes.len()), piece.iter().copied());
        }
        3 | 4 => replace_number(bytes, at, rng),
        5 => {
            let value = BINARY_NUMBERS[rng.random_range(0..BINARY_NUMBERS.len())].to_le_bytes();
            let size = [1, 2, 4, 8][rng.random_range(0..4)].min(bytes.len() - at);
            bytes[at..at + size].copy_from_slice(&value[..size]);
        }
        _ => {
            let end = (at + rng.random_range(1..200)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = rng.random_range(0..=bytes.len());
            let copies = rng.random_range(0..4);
            (0..copies).for_each(|_| drop(bytes.splice(to..to, piece.iter().copied())));
            if copies == 0 {
                bytes.drain(at..end);
            }
        }
    }
}

/// Replaces the written number at or after a place.
fn replace_number(bytes: &mut Vec<u8>, at: usize, rng: &mut SmallRng) {
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|d| at + d) else { return };
    let length = bytes[start..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let number = TEXT_NUMBERS[rng.random_range(0..TEXT_NUMBERS.len())];
    bytes.splice(start..start + length, number.bytes());
}
