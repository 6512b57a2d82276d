//! What kind of pixel each of a row is, so that only those that see something are looked at one by one.

use crate::samples::Seen;
use lexiform_kernels::Kernel;

/// What the samples of a pixel see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Nothing.
    Blank,
    /// The same triangle or point.
    Even,
    /// Several, or only some of them anything.
    Mixed,
}

/// Tells the kinds of a row of pixels, of `S` rows with `S` samples a pixel.
pub(crate) struct Coverage<'a, const S: usize> {
    pub(crate) samples: [&'a [Seen]; S],
    pub(crate) kinds: &'a mut [Kind],
}

impl<const S: usize> Kernel for Coverage<'_, S> {
    #[inline(always)]
    fn run(self) {
        let rows = self.samples.map(|row| row.as_chunks::<S>().0);
        for (pixel, kind) in self.kinds.iter_mut().enumerate() {
            let first = rows[0][pixel][0];
            let (mut any, mut differ) = (0, 0);
            for row in rows {
                for seen in row[pixel] {
                    any |= seen.bits();
                    differ |= (seen.bits() ^ first.bits()) as u32;
                }
            }
            let kind_where_any = if differ == 0 { Kind::Even } else { Kind::Mixed };
            *kind = if any == 0 { Kind::Blank } else { kind_where_any };
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use lexiform_kernels::Level;

    #[test]
    fn kinds_are_those_of_the_samples() {
        let mut rng = SmallRng::seed_from_u64(2);
        let mut seen = || match rng.random_range(0..3) {
            0 => Seen::default(),
            id => Seen::new(0.5 + 0.1 * rng.random_range(0..3) as f32, id),
        };
        let rows: [Vec<Seen>; 2] = std::array::from_fn(|_| (0..2 * 501).map(|_| seen()).collect());
        for level in Level::available() {
            let mut kinds = vec![Kind::Blank; 501];
            level.run(Coverage::<2> { samples: rows.each_ref().map(|row| &row[..]), kinds: &mut kinds });
            for (pixel, kind) in kinds.into_iter().enumerate() {
                let four = rows.each_ref().map(|row| [row[2 * pixel], row[2 * pixel + 1]]).concat();
                let is_even = four.iter().all(|other| other.id() == four[0].id());
                let expected = match four.iter().all(|seen| *seen == Seen::default()) {
                    true => Kind::Blank,
                    false if is_even => Kind::Even,
                    false => Kind::Mixed,
                };
                assert_eq!(kind, expected, "{level:?} at {pixel}");
            }
        }
    }
}
