//! Recognizes the columns of a table of points: by name, or by their values.

use glam::{DVec3, Vec3};

use crate::{builder::PointCloudBuilder, color};

/// Most columns that are read.
pub(super) const MAX_COLUMNS: usize = 64;

/// Rows used for guessing.
pub(super) const GUESS_ROWS: usize = 1000;

/// Columns of the parts of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Columns {
    pub position: [usize; 3],
    pub color: Option<[usize; 3]>,
    pub normal: Option<[usize; 3]>,
}

impl Columns {
    /// From column names; `None` if x, y or z is missing.
    pub fn from_names(names: &[String]) -> Option<Self> {
        let names: Vec<String> =
            names.iter().map(|n| n.trim_matches(['"', '/', '#', ' ']).to_ascii_lowercase()).collect();
        let find = |options: [&str; 3]| names.iter().position(|n| options.contains(&n.as_str()));
        let three = |a, b, c| Some([find(a)?, find(b)?, find(c)?]);
        Some(Self {
            position: three(["x", "px", "pos_x"], ["y", "py", "pos_y"], ["z", "pz", "pos_z"])?,
            color: three(
                ["r", "red", "diffuse_red"],
                ["g", "green", "diffuse_green"],
                ["b", "blue", "diffuse_blue"],
            ),
            normal: three(
                ["nx", "normal_x", "normalx"],
                ["ny", "normal_y", "normaly"],
                ["nz", "normal_z", "normalz"],
            ),
        })
    }

    /// From a sample of rows of the same length, at least 3: position first, then colors (bytes, or floats up to 1) and normals
    /// (unit length) in any columns.
    pub fn guess(sample: &[Vec<f64>]) -> Self {
        let width = sample.iter().map(Vec::len).min().unwrap_or(3);
        let mut columns = Self { position: [0, 1, 2], color: None, normal: None };
        let starts = 3..(width + 1).saturating_sub(3).max(3);
        let three = |start: usize| [start, start + 1, start + 2];
        columns.normal = starts.clone().find(|s| are_normals(sample, *s)).map(three);
        // Columns of normals cannot be colors.
        let free = |start: &usize| columns.normal.is_none_or(|n| *start + 2 < n[0] || *start > n[2]);
        let colors: Vec<usize> = starts.filter(free).filter(|s| are_colors(sample, *s)).collect();
        // Seven columns are "intensity r g b", unless the last looks like an opaque alpha.
        let last_is_alpha =
            sample.iter().all(|row| matches!(row.get(6), Some(a) if *a == 255.0 || *a == 1.0));
        columns.color = match (width, &colors[..]) {
            (7, [3, 4]) if !last_is_alpha => Some(three(4)),
            (_, [first, ..]) => Some(three(*first)),
            _ => None,
        };
        columns
    }

    /// Adds the point of a row, with colors as in the file.
    pub fn push(&self, row: &[f64], builder: &mut PointCloudBuilder) {
        let at = |i: usize| row.get(i).copied().unwrap_or(f64::NAN);
        builder.positions.push(DVec3::from(self.position.map(at)));
        if let Some(color) = self.color {
            builder.colors.push(Vec3::from(color.map(|i| at(i) as f32)));
        }
        if let Some(normal) = self.normal {
            builder.normals.push(Vec3::from(normal.map(|i| at(i) as f32)));
        }
    }
}

/// Display colors, in bytes or `0..=1`, to linear.
pub(super) fn linearize(colors: &mut [Vec3]) {
    let largest = colors.iter().map(|c| c.max_element()).fold(0.0, f32::max);
    let scale = color::full_scale(f64::from(largest)) as f32;
    colors.iter_mut().for_each(|c| *c = color::from_unit(*c / scale));
}

fn are_normals(sample: &[Vec<f64>], start: usize) -> bool {
    let unit = |row: &&Vec<f64>| {
        let length: f64 = row[start..start + 3].iter().map(|v| v * v).sum();
        (length - 1.0).abs() < 0.02
    };
    let units = sample.iter().filter(unit).count();
    // Saturated colors in 0..=1 have unit length, too, but normals also point backward.
    let negative = sample.iter().any(|row| row[start..start + 3].iter().any(|v| *v < 0.0));
    units * 10 >= sample.len() * 9 && units > 0 && (negative || sample.len() < 3)
}

fn are_colors(sample: &[Vec<f64>], start: usize) -> bool {
    let values = || sample.iter().flat_map(|row| &row[start..start + 3]);
    let bytes = values().all(|v| (0.0..=255.0).contains(v) && v.fract() == 0.0);
    let unit = values().all(|v| (0.0..=1.0).contains(v));
    (bytes || unit) && values().any(|v| *v > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(rows: &[&[f64]]) -> (Option<usize>, Option<usize>) {
        let columns = Columns::guess(&rows.iter().map(|r| r.to_vec()).collect::<Vec<_>>());
        (columns.color.map(|c| c[0]), columns.normal.map(|n| n[0]))
    }

    #[test]
    fn columns_are_recognized_by_their_values() {
        assert_eq!(guess(&[&[1.0, 2.0, 3.0]]), (None, None));
        assert_eq!(guess(&[&[1.0, 2.0, 3.0, 117.0, 73.0, 49.0]]), (Some(3), None));
        assert_eq!(guess(&[&[1.0, 2.0, 3.0, 117.0, 73.0, 49.0, 255.0]]), (Some(3), None));
        assert_eq!(guess(&[&[1.0, 2.0, 3.0, -1035.0, 97.0, 59.0, 38.0]]), (Some(4), None));
        assert_eq!(guess(&[&[1.0, 2.0, 3.0, 12.0, 97.0, 59.0, 38.0]]), (Some(4), None));
        assert_eq!(guess(&[&[1.0, 2.0, 3.0, 0.0, -0.6, 0.8, 7.0]]), (None, Some(3)));
        assert_eq!(guess(&[&[1.0, 2.0, 3.0, 0.1, 0.2, 0.3, 0.0, -0.6, 0.8]]), (Some(3), Some(6)));
    }

    #[test]
    fn names_win() {
        let names: Vec<String> = ["//X", "Y", "Z", "Intensity", "R", "G", "B"].map(str::to_owned).to_vec();
        assert_eq!(Columns::from_names(&names).unwrap().color, Some([4, 5, 6]));
    }
}
