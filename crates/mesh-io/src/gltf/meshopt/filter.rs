//! What is done to the vertices of mode ATTRIBUTES after decoding, in place.

use crate::gltf::error::{GltfError, invalid, quoted};

/// A way to pack vectors, undone per vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    None,
    /// Unit vectors as points on an octahedron.
    Octahedral,
    /// Unit quaternions without their largest component.
    Quaternion,
    /// Floats with a shared kind of exponent.
    Exponential,
    /// Colors as brightness and two differences.
    Color,
}

impl Filter {
    pub fn parse(name: Option<&str>, stride: usize) -> Result<Self, GltfError> {
        let (filter, fits) = match name {
            None | Some("NONE") => (Self::None, true),
            Some("OCTAHEDRAL") => (Self::Octahedral, stride == 4 || stride == 8),
            Some("QUATERNION") => (Self::Quaternion, stride == 8),
            Some("EXPONENTIAL") => (Self::Exponential, stride.is_multiple_of(4)),
            Some("COLOR") => (Self::Color, stride == 4 || stride == 8),
            Some(other) => return Err(invalid(format!("meshopt: unknown filter {}", quoted(other)))),
        };
        if fits {
            Ok(filter)
        } else {
            Err(invalid(format!("meshopt: filter {filter:?} does not go with a stride of {stride}")))
        }
    }

    pub fn apply(self, bytes: &mut [u8], stride: usize) {
        match (self, stride) {
            (Self::None, _) => {}
            (Self::Exponential, _) => {
                let (words, _) = bytes.as_chunks_mut::<4>();
                words.iter_mut().for_each(|word| *word = exponential(*word));
            }
            (Self::Quaternion, _) => shorts(bytes, quaternion),
            (Self::Octahedral, 4) => {
                let (vectors, _) = bytes.as_chunks_mut::<4>();
                for v in vectors {
                    *v = octahedral(v.map(|b| i32::from(b as i8)), 127.0).map(|c| c as u8);
                }
            }
            (Self::Octahedral, _) => {
                shorts(bytes, |v| octahedral(v.map(i32::from), 32_767.0).map(|c| c as i16))
            }
            (Self::Color, 4) => {
                let (colors, _) = bytes.as_chunks_mut::<4>();
                for v in colors {
                    let [y, _, _, a] = v.map(i32::from);
                    let differences = [v[1], v[2]].map(|b| i32::from(b as i8));
                    *v = color(y, differences, a, 255.0).map(|c| c as u8);
                }
            }
            (Self::Color, _) => shorts(bytes, |v| {
                let [y, _, _, a] = v.map(|b| i32::from(b as u16));
                color(y, [v[1], v[2]].map(i32::from), a, 65_535.0).map(|c| c as i16)
            }),
        }
    }
}

/// Applies to every four 16-bit numbers.
fn shorts(bytes: &mut [u8], convert: impl Fn([i16; 4]) -> [i16; 4]) {
    let (vectors, _) = bytes.as_chunks_mut::<8>();
    for vector in vectors {
        let [a, b, c, d, e, f, g, h] = *vector;
        let [x, y, z, w] = convert([[a, b], [c, d], [e, f], [g, h]].map(i16::from_le_bytes));
        let [[a, b], [c, d], [e, f], [g, h]] = [x, y, z, w].map(i16::to_le_bytes);
        *vector = [a, b, c, d, e, f, g, h];
    }
}

/// To the nearest whole number, halves away from zero.
fn rounded(value: f32) -> i32 {
    value.round() as i32
}

/// `z` holds what 1 is at this precision; the fourth component stays.
fn octahedral([x, y, one, w]: [i32; 4], largest: f32) -> [i32; 4] {
    let (x, y) = (x as f32, y as f32);
    let z = one as f32 - x.abs() - y.abs();
    let fold = z.min(0.0);
    let x = x + if x >= 0.0 { fold } else { -fold };
    let y = y + if y >= 0.0 { fold } else { -fold };
    let scale = largest / (x * x + y * y + z * z).sqrt();
    [rounded(x * scale), rounded(y * scale), rounded(z * scale), w]
}

/// The fourth number's two lowest bits tell which component was left out, the others the scale.
fn quaternion([x, y, z, packed]: [i16; 4]) -> [i16; 4] {
    let scale = std::f32::consts::FRAC_1_SQRT_2 / f32::from(packed | 3);
    let [x, y, z] = [x, y, z].map(|c| f32::from(c) * scale);
    let w = (1.0 - x * x - y * y - z * z).max(0.0).sqrt();
    let largest = (packed & 3) as usize;
    let mut quaternion = [0; 4];
    for (step, component) in [w, x, y, z].into_iter().enumerate() {
        quaternion[(largest + step) & 3] = rounded(component * 32_767.0) as i16;
    }
    quaternion
}

/// 24 bits of mantissa below 8 bits of exponent, both signed → a float.
fn exponential(word: [u8; 4]) -> [u8; 4] {
    let packed = i32::from_le_bytes(word);
    let (mantissa, exponent) = (packed << 8 >> 8, packed >> 24);
    // In f64 both factors are exact, so only the last step rounds.
    ((f64::from(mantissa) * f64::from(exponent).exp2()) as f32).to_le_bytes()
}

/// Brightness, orange and green differences; alpha's highest bit tells the scale of all four.
fn color(y: i32, [orange, green]: [i32; 2], alpha: i32, largest: f32) -> [i32; 4] {
    let mut scale = alpha;
    for shift in [1, 2, 4, 8] {
        scale |= scale >> shift;
    }
    let alpha = (alpha << 1) & scale | alpha & 1;
    let factor = if scale == 0 { 0.0 } else { largest / scale as f32 };
    [y + orange - green, y + green, y - orange - green, alpha].map(|c| (c as f32 * factor + 0.5) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octahedral_vectors_have_unit_length() {
        for (x, y) in [(0, 0), (64, 63), (-127, 0), (100, -100), (-90, -120)] {
            let [x, y, z, w] = octahedral([x, y, 127, 5], 127.0);
            let length = ((x * x + y * y + z * z) as f32).sqrt();
            assert!((length - 127.0).abs() < 1.5, "{x} {y} {z}");
            assert_eq!(w, 5);
        }
    }

    #[test]
    fn exponents_are_powers_of_two() {
        let float = |mantissa: i32, exponent: i32| {
            f32::from_le_bytes(exponential((mantissa & 0xff_ffff | exponent << 24).to_le_bytes()))
        };
        assert_eq!(float(3, -1), 1.5);
        assert_eq!(float(-8_388_608, 100), -8_388_608.0 * 100_f32.exp2());
        assert_eq!(float(1, -128), (-128_f32).exp2());
    }
}
