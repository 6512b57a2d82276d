//! The views that Duoduo CLIP ([code](https://github.com/3dlg-hcvc/DuoduoCLIP)) trains on, as one array: the published supplement
//! and the renders of Zero123, in the order of the published index. The bytes are those of the reference's packing script.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lexiform_formats::hdf5::{Dataset, File, Writer};
use lexiform_formats::view_format::decode_view;
use rayon::prelude::*;

use crate::DataError;
use crate::export::{push_planes, uint8};
use crate::import::{checked_rows, rows_by_id};

/// Views of a shape.
const VIEWS: usize = 12;
/// Width and height of a view.
const EDGE: usize = 224;
/// Bytes of a shape.
const ROW_BYTES: usize = VIEWS * 3 * EDGE * EDGE;
/// Shapes read at a time: 60 MB.
const ROWS_AT_ONCE: usize = 32;
/// Missing shapes named in an error.
const MAX_SHOWN: usize = 3;

/// The source of a shape that is in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preferred {
    /// The supplement, as in the reference.
    #[default]
    Supplement,
    /// The renders of Zero123.
    Zero123,
}

/// Where each row comes from.
pub struct FourViews {
    supplement: Dataset,
    rows: Vec<RowSource>,
    summary: FourSummary,
}

/// Numbers of shapes by source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FourSummary {
    /// From the supplement.
    pub supplement: usize,
    /// From Zero123.
    pub zero123: usize,
    /// In both.
    pub overlap: usize,
}

enum RowSource {
    Supplement(usize),
    Zero123(PathBuf),
}

impl FourViews {
    /// Finds the source of every shape of `model_to_idx.json` in the folder `data`, which also has `supplement_mv_images.h5` (or
    /// its parts) and `supplement_model_to_idx.json`. `zero123` has a folder with `000.png` … per shape.
    ///
    /// # Errors
    /// If a file cannot be read, the index is not one of consecutive rows, or a shape is in neither source.
    pub fn open(data: &Path, zero123: &Path, preferred: Preferred) -> Result<Self, DataError> {
        let index = data.join("model_to_idx.json");
        let ids = consecutive(&index)?;
        let path = data.join("supplement_mv_images.h5");
        let supplement = File::open(&path)?.dataset("imgs")?;
        let count = match supplement.shape() {
            [count, VIEWS, 3, EDGE, EDGE] => *count,
            found => {
                let message = format!("\"imgs\": expected [N, {VIEWS}, 3, {EDGE}, {EDGE}], found {found:?}");
                return Err(DataError::invalid(&path, message));
            }
        };
        let rows_path = data.join("supplement_model_to_idx.json");
        let supplemented: HashMap<String, usize> =
            checked_rows(rows_by_id(&rows_path)?, count, &rows_path)?.rows.into_iter().collect();
        let (mut rows, mut missing, mut summary) = (Vec::new(), Vec::new(), FourSummary::default());
        for id in &ids {
            let folder = zero123.join(id);
            let has_render = || folder.join("000.png").is_file();
            let row = supplemented.get(id);
            let overlaps = row.is_some() && has_render();
            summary.overlap += usize::from(overlaps);
            match row {
                Some(row) if !(overlaps && preferred == Preferred::Zero123) => {
                    summary.supplement += 1;
                    rows.push(RowSource::Supplement(*row));
                }
                _ if overlaps || has_render() => {
                    summary.zero123 += 1;
                    rows.push(RowSource::Zero123(folder));
                }
                _ => missing.push(id.as_str()),
            }
        }
        if missing.is_empty() {
            return Ok(Self { supplement, rows, summary });
        }
        let shown = missing.iter().take(MAX_SHOWN).copied().collect::<Vec<_>>().join(", ");
        let message = format!(
            "{} of {} shapes are neither in {} nor in the supplement, such as {shown}",
            missing.len(),
            ids.len(),
            zero123.display()
        );
        Err(DataError::unusable(&index, message, "unpack all of Zero123's views_release.tar.gz"))
    }

    /// Number of shapes.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no shapes.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Numbers of shapes by source.
    pub fn summary(&self) -> FourSummary {
        self.summary
    }

    /// Writes `imgs` u8 `[N, 12, 3, 224, 224]`; the file gets its name when it is complete. `progress` is called for each shape.
    ///
    /// # Errors
    /// If an image cannot be read, or writing fails.
    pub fn write(&self, path: &Path, progress: &mut dyn FnMut()) -> Result<(), DataError> {
        let mut writer = Writer::create(path)?;
        writer.begin_array("imgs", uint8(), &[self.rows.len(), VIEWS, 3, EDGE, EDGE])?;
        for rows in self.rows.chunks(ROWS_AT_ONCE) {
            let read: Vec<Result<Vec<u8>, DataError>> =
                rows.par_iter().map(|source| self.read(source)).collect();
            for row in read {
                writer.write(&row?)?;
                progress();
            }
        }
        Ok(writer.finish()?)
    }

    fn read(&self, source: &RowSource) -> Result<Vec<u8>, DataError> {
        let folder = match source {
            RowSource::Supplement(row) => return Ok(self.supplement.read_rows(*row, 1)?.data),
            RowSource::Zero123(folder) => folder,
        };
        let mut planes = Vec::with_capacity(ROW_BYTES);
        for view in 0..VIEWS {
            let path = folder.join(format!("{view:03}.png"));
            let image = decode_view(&fs_err::read(&path)?);
            push_planes(&image.map_err(|message| DataError::invalid(&path, message))?, &mut planes);
        }
        Ok(planes)
    }
}

/// The ids of an index of the rows 0, 1, 2 …, in this order.
fn consecutive(index: &Path) -> Result<Vec<String>, DataError> {
    let pairs = rows_by_id(index)?;
    let count = pairs.len();
    let rows = checked_rows(pairs, count, index)?.rows;
    match rows.iter().zip(0..).find(|((_, row), expected)| row != expected) {
        None if rows.len() == count => Ok(rows.into_iter().map(|(id, _)| id).collect()),
        _ => Err(DataError::invalid(index, format!("expected each row from 0 to {} once", count.max(1) - 1))),
    }
}
