//! Primitive modes: converts index lists to triangles.

/// glTF's primitive modes (specification, section 3.7.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Points,
    /// Line lists, loops and strips: without area, so not rendered.
    Lines,
    Triangles,
    Strip,
    Fan,
}

impl Mode {
    pub fn from_gl(code: usize) -> Option<Self> {
        Some(match code {
            0 => Self::Points,
            1..=3 => Self::Lines,
            4 => Self::Triangles,
            5 => Self::Strip,
            6 => Self::Fan,
            _ => return None,
        })
    }

    /// How many triangles `corners` indices make.
    pub fn n_faces(self, corners: usize) -> usize {
        match self {
            Self::Triangles => corners / 3,
            Self::Strip | Self::Fan => corners.saturating_sub(2),
            Self::Points | Self::Lines => 0,
        }
    }

    /// The triangles of `corners` indices, counter-clockwise as the mode defines.
    pub fn faces(self, corners: usize, index: impl Fn(usize) -> u32) -> Vec<[u32; 3]> {
        let n_faces = self.n_faces(corners);
        let face = |i: usize| match self {
            Self::Strip => [i, i + 1 + i % 2, i + 2 - i % 2],
            Self::Fan => [i + 1, i + 2, 0],
            _ => [3 * i, 3 * i + 1, 3 * i + 2],
        };
        let faces = (0..n_faces).map(|i| face(i).map(&index));
        match self {
            // Strips repeat indices to jump from one run to the next.
            Self::Strip | Self::Fan => faces.filter(|&[a, b, c]| a != b && b != c && c != a).collect(),
            _ => faces.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_alternate_and_fans_share_a_corner() {
        let faces = |mode: Mode, n| mode.faces(n, |i| i as u32);
        assert_eq!(faces(Mode::Strip, 5), [[0, 1, 2], [1, 3, 2], [2, 3, 4]]);
        assert_eq!(faces(Mode::Fan, 4), [[1, 2, 0], [2, 3, 0]]);
        assert_eq!(faces(Mode::Triangles, 8), [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(faces(Mode::Strip, 1), [[0; 3]; 0]);
        assert_eq!(Mode::Strip.faces(4, |i| [7, 8, 8, 9][i]), [[0; 3]; 0]);
    }
}
