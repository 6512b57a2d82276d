//! NumPy arrays as pictures, points and features, and back.

use glam::Vec3;
use image::RgbaImage;
use lexiform_formats::array::Array;
use lexiform_geometry::PointCloud;
use lexiform_metrics::Features;
use lexiform_search::Embedding;
use numpy::{
    PyArray1, PyArray2, PyArray3, PyArrayMethods as _, PyReadonlyArray2, PyReadonlyArray3, PyReadonlyArray4,
    PyUntypedArrayMethods as _,
};
use pyo3::prelude::*;

use crate::error::{Result, invalid};

/// A picture `[height, width, 3 or 4]`, sRGB.
pub fn picture(array: &PyReadonlyArray3<'_, u8>) -> Result<RgbaImage> {
    let [height, width, channels] = [0, 1, 2].map(|axis| array.shape()[axis]);
    let pixels = array.as_slice().map_err(|_| invalid("expected a contiguous array of pixels"))?;
    rgba(pixels, height, width, channels)
}

/// Pictures `[n, height, width, 3 or 4]`, sRGB.
pub fn pictures(array: &PyReadonlyArray4<'_, u8>) -> Result<Vec<RgbaImage>> {
    let [n, height, width, channels] = [0, 1, 2, 3].map(|axis| array.shape()[axis]);
    let pixels = array.as_slice().map_err(|_| invalid("expected a contiguous array of pixels"))?;
    let size = height * width * channels;
    (0..n).map(|i| rgba(&pixels[i * size..(i + 1) * size], height, width, channels)).collect()
}

fn rgba(pixels: &[u8], height: usize, width: usize, channels: usize) -> Result<RgbaImage> {
    let bytes = match channels {
        4 => pixels.to_vec(),
        3 => pixels.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect(),
        _ => return Err(invalid(format!("expected 3 or 4 channels, found {channels}"))),
    };
    let sizes = [width, height].map(u32::try_from);
    match sizes {
        [Ok(width), Ok(height)] if width > 0 && height > 0 => RgbaImage::from_raw(width, height, bytes)
            .ok_or_else(|| invalid("the number of pixels does not fit the shape")),
        _ => Err(invalid(format!("expected a picture with pixels, found {width} × {height}"))),
    }
}

/// A picture as an array `[height, width, 3 or 4]`.
pub fn picture_array<'py>(
    py: Python<'py>,
    image: &RgbaImage,
    has_alpha: bool,
) -> Result<Bound<'py, PyArray3<u8>>> {
    let shape = [image.height() as usize, image.width() as usize, if has_alpha { 4 } else { 3 }];
    let bytes = channels(image, has_alpha);
    Ok(PyArray1::from_vec(py, bytes).reshape(shape)?)
}

/// Rows of RGB or RGBA bytes.
pub fn channels(image: &RgbaImage, has_alpha: bool) -> Vec<u8> {
    if has_alpha {
        return image.as_raw().clone();
    }
    image.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

/// Points `[n, 3 or 6]`: positions, then sRGB colors in `0..=1`.
pub fn point_cloud(array: &PyReadonlyArray2<'_, f32>) -> Result<PointCloud> {
    let numbers = array.as_slice().map_err(|_| invalid("expected a contiguous array of points"))?;
    let points = Array::from_f32(array.shape(), numbers);
    let cloud = lexiform_data::points_from_array(&points).map_err(invalid)?;
    match cloud.positions().is_empty() {
        true => Err(invalid("expected at least one point, found none")),
        false => Ok(cloud),
    }
}

/// A point cloud as an array `[n, 3 or 6]`.
pub fn cloud_array<'py>(py: Python<'py>, cloud: &PointCloud) -> Result<Bound<'py, PyArray2<f32>>> {
    let (columns, numbers) = lexiform_data::point_rows(cloud);
    Ok(PyArray1::from_vec(py, numbers).reshape([cloud.positions().len(), columns])?)
}

/// Vectors `[n, 3]`.
pub fn vectors(array: &PyReadonlyArray2<'_, f32>, what: &str) -> Result<Vec<Vec3>> {
    let expected = || invalid(format!("expected {what} of shape [n, 3], found {:?}", array.shape()));
    if array.shape()[1] != 3 {
        return Err(expected());
    }
    let numbers = array.as_slice().map_err(|_| expected())?;
    Ok(numbers.as_chunks::<3>().0.iter().map(|&v| Vec3::from_array(v)).collect())
}

/// Rows as an array `[n, dim]`.
pub fn rows_array<'py>(
    py: Python<'py>,
    rows: &[impl AsRef<[f32]>],
    dim: usize,
) -> Result<Bound<'py, PyArray2<f32>>> {
    let mut numbers = Vec::with_capacity(rows.len() * dim);
    rows.iter().for_each(|row| numbers.extend_from_slice(row.as_ref()));
    Ok(PyArray1::from_vec(py, numbers).reshape([rows.len(), dim])?)
}

/// Embeddings as an array `[n, dim]`.
pub fn embeddings_array<'py>(
    py: Python<'py>,
    embeddings: &[Embedding],
    dim: usize,
) -> Result<Bound<'py, PyArray2<f32>>> {
    let rows: Vec<&[f32]> = embeddings.iter().map(Embedding::as_slice).collect();
    rows_array(py, &rows, dim)
}

/// Features `[n, dim]`.
pub fn features(array: &PyReadonlyArray2<'_, f32>) -> Result<Features> {
    let numbers = array.as_slice().map_err(|_| invalid("expected a contiguous array of features"))?;
    Ok(Features::new(numbers.to_vec(), array.shape()[1])?)
}

/// Embeddings of the rows of `[n, dim]`, normalized.
pub fn embeddings(array: &PyReadonlyArray2<'_, f32>) -> Result<Vec<Embedding>> {
    let numbers = array.as_slice().map_err(|_| invalid("expected a contiguous array of features"))?;
    let rows = numbers.chunks(array.shape()[1].max(1));
    Ok(rows.map(|row| Embedding::new(row.to_vec())).collect::<std::result::Result<_, _>>()?)
}

/// As [`embeddings`], of a model whose embeddings have this length.
pub fn embeddings_of(array: &PyReadonlyArray2<'_, f32>, dim: usize) -> Result<Vec<Embedding>> {
    match array.shape()[1] {
        found if found != dim => Err(invalid(format!("expected features of length {dim}, found {found}"))),
        _ => embeddings(array),
    }
}
