//! How shapes are turned upright, and files turned to +Z up to measure what a wrong axis costs.

use std::hash::Hasher as _;
use std::str::FromStr;

use fnv::FnvHasher;
use lexiform_search::{ShapePreprocessor, UpRule};

/// How shapes are turned upright.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShapeOrientation {
    /// How the up axis of files and of stored points is found.
    pub up: UpRule,
    /// Files that are turned to +Z up before, as if their format stated nothing.
    pub turn: Option<Turn>,
}

/// Which files are turned to +Z up.
///
/// ```
/// use lexiform_eval::Turn;
///
/// assert_eq!("random:7".parse(), Ok(Turn::Random { seed: 7 }));
/// assert!("random".parse::<Turn>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// All.
    All,
    /// A random half, chosen by seed and name.
    Random {
        /// The seed.
        seed: u64,
    },
}

impl ShapeOrientation {
    /// The preprocessing of the shape with this name.
    pub(crate) fn applied(self, preprocessor: &ShapePreprocessor, name: &str) -> ShapePreprocessor {
        let z_up = self.turn.is_some_and(|turn| turn.includes(name));
        preprocessor.clone().with_up(self.up).with_files_turned_z_up(z_up)
    }
}

impl Turn {
    /// Whether the file with this name is turned.
    pub fn includes(self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Random { seed } => {
                let mut hasher = FnvHasher::default();
                hasher.write_u64(seed);
                hasher.write(name.as_bytes());
                // The lowest bit of FNV is the parity of the bytes' lowest bits; higher ones are well mixed.
                hasher.finish() >> 40 & 1 == 1
            }
        }
    }
}

impl FromStr for Turn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seed = text.strip_prefix("random:").and_then(|seed| seed.parse().ok());
        match (text, seed) {
            ("z", _) => Ok(Self::All),
            (_, Some(seed)) => Ok(Self::Random { seed }),
            _ => Err(format!("expected z or random:SEED, found {text:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_half_is_turned() {
        let names: Vec<String> = (0..1000).map(|i| format!("chair_{i}.glb")).collect();
        let turned = |seed| names.iter().filter(|name| Turn::Random { seed }.includes(name)).count();
        // Five standard deviations of a fair coin.
        assert!(
            (0..8).all(|seed| turned(seed).abs_diff(500) < 80),
            "{:?}",
            (0..8).map(turned).collect::<Vec<_>>()
        );
        assert!(names.iter().all(|name| Turn::All.includes(name)));
    }
}
