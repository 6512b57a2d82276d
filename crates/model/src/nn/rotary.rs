//! Rotary position embeddings ([arXiv 2104.09864](https://arxiv.org/abs/2104.09864)): pairs of numbers of a query or key are
//! rotated by an angle that grows with the position.

use std::f32::consts::TAU;

use burn::tensor::{Device, Tensor, TensorData};

use super::host::decoder::Angles;

/// Which numbers of a head are rotated, and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RotaryConfig {
    /// Rotated numbers of each head, from its first: all in Llama and Qwen, a part in Phi. Number `i` of the first half is paired
    /// with number `i` of the second.
    pub width: usize,
    /// Base of the wave lengths: pair `i` turns by `base^(-2 i / width)` radians from token to token.
    pub base: f32,
    /// How wave lengths are stretched for longer texts.
    pub scaling: RotaryScaling,
}

/// How wave lengths are stretched for texts longer than those of pretraining.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum RotaryScaling {
    /// Not at all.
    #[default]
    None,
    /// All by this factor ([arXiv 2306.15595](https://arxiv.org/abs/2306.15595)).
    Linear(f32),
    /// Long ones, as in Llama 3.1 ([arXiv 2407.21783](https://arxiv.org/abs/2407.21783)).
    Llama3 {
        /// Factor of long wave lengths.
        factor: f32,
        /// Wave lengths of more than the context divided by this number are stretched.
        low_frequency: f32,
        /// Those of less than the context divided by this number are not; in between, the factor is interpolated.
        high_frequency: f32,
        /// Context of pretraining, in tokens.
        context: f32,
    },
}

/// Cosines and sines of the angles of some positions.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// `[1, tokens, 1, width / 2]`.
    cos: Tensor<4>,
    /// `[1, tokens, 1, width / 2]`.
    sin: Tensor<4>,
}

impl RotaryConfig {
    /// Radians from token to token, of each pair.
    pub(crate) fn frequencies(&self) -> Vec<f32> {
        let half = self.width / 2;
        let frequency = |i: usize| 1.0 / self.base.powf((2 * i) as f32 / self.width as f32);
        (0..half).map(|i| self.scaling.apply(frequency(i))).collect()
    }

    /// The rotation of `count` tokens from position `start`.
    pub fn rotation(&self, start: usize, count: usize, device: &Device) -> Rotation {
        let mut angles = Angles::default();
        angles.set(&self.frequencies(), start, count);
        let Angles { cos, sin, half } = angles;
        let table =
            |values: Vec<f32>| Tensor::from_data(TensorData::new(values, [1, count, 1, half]), device);
        Rotation { cos: table(cos), sin: table(sin) }
    }
}

impl RotaryScaling {
    fn apply(self, frequency: f32) -> f32 {
        match self {
            Self::None => frequency,
            Self::Linear(factor) => frequency / factor,
            Self::Llama3 { factor, low_frequency, high_frequency, context } => {
                let turns = context * frequency / TAU;
                let share = (turns - low_frequency) / (high_frequency - low_frequency);
                let share = share.clamp(0.0, 1.0);
                (1.0 - share) * frequency / factor + share * frequency
            }
        }
    }
}

impl Rotation {
    /// Rotates the tokens of all heads: `[rows, tokens, heads, head width]` → the same shape.
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let [rows, tokens, heads, width] = x.dims();
        let half = self.cos.dims()[3];
        let part = |from: usize, to: usize| x.clone().slice([0..rows, 0..tokens, 0..heads, from..to]);
        let (first, second) = (part(0, half), part(half, 2 * half));
        let (cos, sin) = (self.cos.clone(), self.sin.clone());
        let mut parts =
            vec![first.clone() * cos.clone() - second.clone() * sin.clone(), second * cos + first * sin];
        if width > 2 * half {
            parts.push(part(2 * half, width));
        }
        Tensor::cat(parts, 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_turn_by_their_angles_and_the_rest_stays() {
        let config = RotaryConfig { width: 4, base: 100.0, scaling: RotaryScaling::None };
        let x = Tensor::<4>::from_data([[[[1.0, 2.0, 0.0, 0.0, 7.0]]]], &Device::flex());
        let turned = config.rotation(3, 1, &Device::flex()).apply(x);
        let found: Vec<f32> = turned.into_data().try_into_vec().unwrap();
        // Angles 3 · 1 and 3 · 100^(−1/2) = 0.3.
        let expected = [3.0_f32.cos(), 2.0 * 0.3_f32.cos(), 3.0_f32.sin(), 2.0 * 0.3_f32.sin(), 7.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
    }

    #[test]
    fn only_long_wave_lengths_are_stretched() {
        let scaling =
            RotaryScaling::Llama3 { factor: 8.0, low_frequency: 1.0, high_frequency: 4.0, context: TAU };
        // Turns within the context: 10, 0.5 and 2.5, which is halfway between 1 and 4.
        for (frequency, expected) in [(10.0, 10.0), (0.5, 0.5 / 8.0), (2.5, 0.5 * 2.5 / 8.0 + 0.5 * 2.5)] {
            assert!((scaling.apply(frequency) - expected).abs() < 1e-6, "{frequency}");
        }
        assert_eq!(RotaryScaling::Linear(2.0).apply(3.0), 1.5);
    }
}
