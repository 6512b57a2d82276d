//! Views of one object from files: several images, a folder of them, or one image that is a strip or grid of views.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use image::RgbaImage;
use image::imageops::crop_imm;
use lexiform_mesh_io::{image_size, is_image, strip_views, view_files};

use crate::{Error, read_image};

/// Most views of one image that is split.
const MAX_CELLS: u32 = 4096;

/// How an image is split into views.
///
/// ```
/// use lexiform_search::SplitViews;
///
/// assert_eq!("4x3".parse(), Ok(SplitViews::Grid { columns: 4, rows: 3 }));
/// assert_eq!("12".parse(), Ok(SplitViews::Count(12)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SplitViews {
    /// An image whose long edge is at least three times the short one, and a multiple of it, is a strip; others are one view.
    #[default]
    Auto,
    /// This many square views, in one row, one column, or a grid.
    Count(u32),
    /// A grid, from left to right and top to bottom.
    Grid {
        /// Views next to each other.
        columns: u32,
        /// Views below each other.
        rows: u32,
    },
}

impl FromStr for SplitViews {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let parsed = text.trim().parse().ok().filter(|count| (1..=MAX_CELLS).contains(count));
            parsed.ok_or_else(|| {
                format!("expected a number of views, or COLUMNSxROWS as in 4x3, found {text:?}")
            })
        };
        match text.split_once(['x', 'X', '×']) {
            _ if text == "auto" => Ok(Self::Auto),
            Some((columns, rows)) => Ok(Self::Grid { columns: number(columns)?, rows: number(rows)? }),
            None => Ok(Self::Count(number(text)?)),
        }
    }
}

impl SplitViews {
    /// The views in an image.
    ///
    /// # Errors
    /// [`Error::Image`] if the image cannot be divided like this.
    pub fn split(self, image: RgbaImage, path: &Path) -> Result<Vec<RgbaImage>, Error> {
        let (width, height) = image.dimensions();
        let grid = self.grid(width, height).ok_or_else(|| Error::Split {
            path: path.to_owned(),
            reason: format!("{width} × {height} pixels cannot be split into {self}"),
        })?;
        let [columns, rows] = grid;
        if grid == [1, 1] {
            return Ok(vec![image]);
        }
        let (cell_width, cell_height) = (width / columns, height / rows);
        let corners = (0..rows).flat_map(|row| (0..columns).map(move |column| [column, row]));
        let cell = |[column, row]: [u32; 2]| {
            crop_imm(&image, column * cell_width, row * cell_height, cell_width, cell_height).to_image()
        };
        Ok(corners.map(cell).collect())
    }

    /// Columns and rows of an image of this size.
    fn grid(self, width: u32, height: u32) -> Option<[u32; 2]> {
        let [columns, rows] = match self {
            Self::Auto => match strip_views(width, height) {
                Some(count) if width > height => [count, 1],
                Some(count) => [1, count],
                None => [1, 1],
            },
            Self::Count(1) => [1, 1],
            Self::Count(count) => {
                // Square cells: `columns / rows` is the image's aspect ratio.
                let is_square = |columns: &u32| {
                    count.is_multiple_of(*columns)
                        && u64::from(width) * u64::from(count / columns)
                            == u64::from(height) * u64::from(*columns)
                };
                let columns = (1..=count).find(is_square)?;
                [columns, count / columns]
            }
            Self::Grid { columns, rows } => [columns, rows],
        };
        let divides = width >= columns
            && height >= rows
            && width.is_multiple_of(columns)
            && height.is_multiple_of(rows);
        divides.then_some([columns, rows])
    }
}

impl std::fmt::Display for SplitViews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("views"),
            Self::Count(count) => write!(f, "{count} square views"),
            Self::Grid { columns, rows } => write!(f, "{columns} × {rows} views"),
        }
    }
}

/// The views of one object: of all `paths`, each an image, a strip or grid of views, or a folder of images.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Image`] if a file is no image or a folder has none, [`Error::Split`] if an image cannot be
/// split.
pub fn read_views(paths: &[PathBuf], split: SplitViews) -> Result<Vec<RgbaImage>, Error> {
    let mut views = Vec::new();
    for file in view_paths(paths)? {
        views.extend(split.split(read_image(&file)?, &file)?);
    }
    Ok(views)
}

/// The image files that `paths` name: all images of a folder.
pub(crate) fn view_paths(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let views = view_files(path)?;
        if views.is_empty() {
            let reason = "a folder without images".to_owned();
            return Err(Error::Image { path: path.clone(), reason });
        }
        files.extend(views);
    }
    Ok(files)
}

/// Whether a path is given as views: a folder, or an image that is a strip of views.
pub fn is_view_set(path: &Path) -> bool {
    let is_strip = || image_size(path).is_some_and(|(width, height)| strip_views(width, height).is_some());
    path.is_dir() || (is_image(path) && is_strip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_and_grids_are_recognized_by_their_sizes() {
        let grid = |text: &str, width, height| text.parse::<SplitViews>().unwrap().grid(width, height);
        assert_eq!(grid("auto", 224, 2688), Some([1, 12]));
        assert_eq!(grid("auto", 2688, 224), Some([12, 1]));
        assert_eq!(grid("auto", 448, 224), Some([1, 1]));
        assert_eq!(grid("12", 896, 672), Some([4, 3]));
        assert_eq!(grid("12", 672, 896), Some([3, 4]));
        assert_eq!(grid("12", 224, 2688), Some([1, 12]));
        assert_eq!(grid("1", 2688, 224), Some([1, 1]));
        assert_eq!(grid("12", 640, 480), Some([4, 3]));
        assert_eq!(grid("7", 640, 480), None);
        assert_eq!(grid("3x2", 600, 100), Some([3, 2]));
        assert_eq!(grid("7x1", 600, 100), None);
        assert!("0".parse::<SplitViews>().is_err() && "4x".parse::<SplitViews>().is_err());
    }

    #[test]
    fn cells_are_read_row_by_row() {
        let image = RgbaImage::from_fn(64, 96, |x, y| image::Rgba([(x / 32) as u8, (y / 32) as u8, 0, 255]));
        let cells = "2x3".parse::<SplitViews>().unwrap().split(image, Path::new("a.png")).unwrap();
        let corners: Vec<[u8; 2]> =
            cells.iter().map(|cell| [cell.get_pixel(0, 0)[0], cell.get_pixel(31, 31)[1]]).collect();
        assert_eq!(corners, [[0, 0], [1, 0], [0, 1], [1, 1], [0, 2], [1, 2]]);
    }
}
