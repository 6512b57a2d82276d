//! NumPy arrays as point clouds: `[points, 3 or more]`, any number type and order.

use lexiform_formats::array::Dtype;
use lexiform_formats::npy::{Header, HeaderError};

use crate::{
    ReadError,
    builder::PointCloudBuilder,
    columns::{Columns, GUESS_ROWS, MAX_COLUMNS},
    source::Source,
};
use lexiform_geometry::Scene;

/// Reads one array.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let mut scene = Scene::default();
    let array = Array::parse(source, source.bytes)?;
    let table = array.table(source, &mut scene.notes)?;
    let builder = cloud(&table);
    if !builder.positions.is_empty() {
        let cloud = builder.build(source, &mut scene.notes)?;
        scene.clouds.push(cloud);
    }
    Ok(scene)
}

/// The points of a table; columns are recognized by their values.
pub(super) fn cloud(table: &Table) -> PointCloudBuilder {
    let mut row = vec![0.0; table.columns];
    // Rows spread over the whole array: its start may be untypical.
    let step = (table.rows / GUESS_ROWS).max(1);
    let sample: Vec<Vec<f64>> = (0..table.rows)
        .step_by(step)
        .map(|r| {
            table.read_row(r, &mut row);
            row.clone()
        })
        .collect();
    let columns = Columns::guess(&sample);
    let mut builder = PointCloudBuilder::default();
    for r in 0..table.rows {
        table.read_row(r, &mut row);
        columns.push(&row, &mut builder);
    }
    crate::columns::linearize(&mut builder.colors);
    builder
}

/// An array in the file's layout.
pub(super) struct Array<'a> {
    dtype: Dtype,
    fortran_order: bool,
    shape: Vec<usize>,
    data: &'a [u8],
}

impl<'a> Array<'a> {
    /// Parses the header and checks the size of the data.
    pub fn parse(source: &Source, bytes: &'a [u8]) -> Result<Self, ReadError> {
        let header = Header::parse(bytes).map_err(|error| match error {
            HeaderError::Records => source.unsupported("an array of records"),
            other => source.invalid(other.to_string()),
        })?;
        let dtype = header.dtype().filter(|dtype| dtype.is_number());
        let dtype =
            dtype.ok_or_else(|| source.unsupported(format!("an array of type {:?}", header.descr)))?;
        let data = &bytes[header.data_start..];
        let (fortran_order, shape) = (header.fortran_order, header.shape);
        let need = shape.iter().fold(dtype.size as u64, |n, s| n.saturating_mul(*s as u64));
        source.check_bytes(&format!("values of shape {shape:?}"), need, data.len())?;
        Ok(Self { dtype, fortran_order, shape, data })
    }

    /// Rows of at least three columns: points along the first axis, or along the second if only that fits. Of a batch of
    /// clouds, the first is read.
    pub fn table(&self, source: &Source, notes: &mut Vec<String>) -> Result<Table<'_>, ReadError> {
        let odd = || source.unsupported(format!("points in an array of shape {:?}", self.shape));
        let n = self.shape.len();
        let [.., a, b] = self.shape[..] else { return Err(odd()) };
        let clouds: usize = self.shape[..n - 2].iter().product();
        if n > 3 || clouds == 0 {
            return Err(odd());
        }
        if clouds > 1 {
            notes.push(format!("holds {clouds} clouds: the first is read"));
        }
        // Strides in values; in Fortran order the first axis varies fastest.
        let (along_a, along_b) = if self.fortran_order { (clouds, clouds * a) } else { (b, 1) };
        let (rows, columns, row_stride, column_stride) = match (a, b) {
            (_, 3..=MAX_COLUMNS) => (a, b, along_a, along_b),
            // `[3, points]` and the like, with up to nine rows: positions, colors and normals.
            (3..=9, _) => {
                notes.push(format!("shape {:?}: points are along the last axis", self.shape));
                (b, a, along_b, along_a)
            }
            _ => return Err(odd()),
        };
        let rows = source.check_vertices(rows as u64)?;
        Ok(Table { array: self, rows, columns, row_stride, column_stride })
    }
}

/// An array as rows and columns.
pub(super) struct Table<'a> {
    array: &'a Array<'a>,
    pub rows: usize,
    pub columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl Table<'_> {
    /// Copies a row; `row` is as long as there are columns.
    pub fn read_row(&self, index: usize, row: &mut [f64]) {
        let Dtype { size, .. } = self.array.dtype;
        for (column, slot) in row.iter_mut().enumerate() {
            let at = (index * self.row_stride + column * self.column_stride) * size;
            *slot = self.array.dtype.decode_f64(&self.array.data[at..at + size]);
        }
    }

    /// The first three columns of each row.
    pub fn triples(&self) -> impl Iterator<Item = [f64; 3]> {
        let mut row = vec![0.0; self.columns];
        (0..self.rows).map(move |r| {
            self.read_row(r, &mut row);
            [row[0], row[1], row[2]]
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use glam::Vec3;
    use half::f16;

    use super::*;

    fn npy(descr: &str, fortran_order: bool, shape: &str, data: &[u8]) -> Result<Scene, ReadError> {
        let order = if fortran_order { "True" } else { "False" };
        let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        read(&Source { path: Path::new("test.npy"), bytes: &bytes, format: "NPY" })
    }

    #[test]
    fn types_and_orders() {
        let expected = [Vec3::new(1.0, 2.0, 3.0), Vec3::new(4.0, 5.0, 6.0)];
        let c_order = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
        let f_order = [1.0_f32, 4.0, 2.0, 5.0, 3.0, 6.0];
        let half: Vec<u8> = c_order.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        let big_endian: Vec<u8> = c_order.iter().flat_map(|v| f64::from(*v).to_be_bytes()).collect();
        let fortran_order: Vec<u8> = f_order.iter().flat_map(|v| v.to_le_bytes()).collect();
        let signed: Vec<u8> = c_order.iter().flat_map(|v| (*v as i16).to_le_bytes()).collect();
        for (descr, order, data) in [
            ("<f2", false, half),
            (">f8", false, big_endian),
            ("<f4", true, fortran_order),
            ("<i2", false, signed),
        ] {
            let scene = npy(descr, order, "(2, 3)", &data).unwrap();
            assert_eq!(scene.clouds[0].positions(), expected, "{descr}");
        }
    }

    #[test]
    fn impossible_shapes_and_pickles_are_refused() {
        let error = npy("<f4", false, "(1000000, 3)", &[0; 12]).unwrap_err().to_string();
        assert_eq!(
            error,
            "test.npy: invalid NPY: values of shape [1000000, 3] need 12000000 bytes, the file has 12 left"
        );
        assert!(matches!(npy("|O", false, "()", &[]), Err(ReadError::Unsupported { .. })));
    }
}
