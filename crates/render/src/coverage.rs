//! Classifies the pixels of a row by their samples, so that only covered pixels are processed one by one.

use crate::samples::VisibilitySample;
use lexiform_kernels::Kernel;

/// What is visible in the samples of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PixelCoverage {
    /// Nothing.
    Empty,
    /// The same triangle or point in all samples.
    Uniform,
    /// Anything else.
    Mixed,
}

/// Classifies a row of pixels; each has `S` rows of `S` samples.
pub(crate) struct Coverage<'a, const S: usize> {
    pub(crate) samples: [&'a [VisibilitySample]; S],
    pub(crate) coverages: &'a mut [PixelCoverage],
}

impl<const S: usize> Kernel for Coverage<'_, S> {
    #[inline(always)]
    fn run(self) {
        let rows = self.samples.map(|row| row.as_chunks::<S>().0);
        for (pixel, kind) in self.coverages.iter_mut().enumerate() {
            let first = rows[0][pixel][0];
            // Bits are accumulated instead of compared with an early exit, so that the loop has no branches.
            let (mut any, mut differ) = (0, 0);
            for row in rows {
                for sample in row[pixel] {
                    any |= sample.bits();
                    differ |= (sample.bits() ^ first.bits()) as u32;
                }
            }
            let kind_where_any = if differ == 0 { PixelCoverage::Uniform } else { PixelCoverage::Mixed };
            *kind = if any == 0 { PixelCoverage::Empty } else { kind_where_any };
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use lexiform_kernels::SimdLevel;

    #[test]
    fn kinds_are_those_of_the_samples() {
        let mut rng = SmallRng::seed_from_u64(2);
        let mut sample = || match rng.random_range(0..3) {
            0 => VisibilitySample::default(),
            id => VisibilitySample::new(0.5 + 0.1 * rng.random_range(0..3) as f32, id),
        };
        let rows: [Vec<VisibilitySample>; 2] =
            std::array::from_fn(|_| (0..2 * 501).map(|_| sample()).collect());
        for level in SimdLevel::available() {
            let mut coverages = vec![PixelCoverage::Empty; 501];
            level.run(Coverage::<2> {
                samples: rows.each_ref().map(|row| &row[..]),
                coverages: &mut coverages,
            });
            for (pixel, kind) in coverages.into_iter().enumerate() {
                let four = rows.each_ref().map(|row| [row[2 * pixel], row[2 * pixel + 1]]).concat();
                let is_even = four.iter().all(|other| other.id() == four[0].id());
                let is_empty = four.iter().all(|sample| *sample == VisibilitySample::default());
                let expected = match (is_empty, is_even) {
                    (true, _) => PixelCoverage::Empty,
                    (_, true) => PixelCoverage::Uniform,
                    _ => PixelCoverage::Mixed,
                };
                assert_eq!(kind, expected, "{level:?} at {pixel}");
            }
        }
    }
}
