//! Point clouds as the member [`POINTS`](crate::POINTS), and back.

use glam::Vec3;
use lexiform_formats::array::Array;
use lexiform_formats::npy::{Npy, read_npy};
use lexiform_geometry::{PointCloud, linear_from_srgb, srgb_from_linear};
use lexiform_mesh_io::{UpRule, turn_cloud_upright};

use crate::POINTS;

/// A point cloud as an array `[points, 3 or 6]` in `float16`: positions, then sRGB colors in `0..=1` if there are any. In the unit
/// sphere the rounding error is at most 2.4e-4.
pub fn points_to_array(cloud: &PointCloud) -> Array {
    let (columns, numbers) = point_rows(cloud);
    Array::from_f16(cloud.positions().len(), columns, numbers.into_iter())
}

/// The number of columns, and the rows `[points, 3 or 6]` of a point cloud: positions, then sRGB colors in `0..=1` if there are any.
pub fn point_rows(cloud: &PointCloud) -> (usize, Vec<f32>) {
    let columns = if cloud.colors().is_some() { 6 } else { 3 };
    let mut numbers = Vec::with_capacity(columns * cloud.positions().len());
    for (i, position) in cloud.positions().iter().enumerate() {
        numbers.extend(position.to_array());
        if let Some(colors) = cloud.colors() {
            // sRGB, because eight bits of linear color would show banding in dark regions.
            numbers.extend(colors[i].to_array().map(|c| f32::from(srgb_from_linear(c)) / 255.0));
        }
    }
    (columns, numbers)
}

/// The point cloud in an array `[points, 3 or 6]`, with linear colors if it has six columns.
///
/// # Errors
/// A message, if the array has another shape or a coordinate is not finite.
pub fn points_from_array(points: &Array) -> Result<PointCloud, String> {
    // 3: positions only; 6: positions and colors.
    let &[_, columns @ (3 | 6)] = &points.shape[..] else {
        return Err(format!("expected points in 3 or 6 columns, found shape {:?}", points.shape));
    };
    let numbers = points.to_f32_vec();
    let rows = || numbers.chunks_exact(columns);
    let cloud = PointCloud::new(rows().map(|row| Vec3::new(row[0], row[1], row[2])).collect());
    let cloud = cloud.map_err(|error| error.to_string())?;
    if columns == 3 {
        return Ok(cloud);
    }
    // Exact: a byte divided by 255 survives rounding to `float16`.
    let linear = |value: f32| linear_from_srgb((value.clamp(0.0, 1.0) * 255.0).round() as u8);
    let colors = rows().map(|row| Vec3::new(row[3], row[4], row[5]).map(linear)).collect();
    cloud.with_colors(colors).map_err(|error| error.to_string())
}

/// The point cloud in a `.npy` file with such an array.
///
/// # Errors
/// A message, if it is not one, or as [`points_from_array`].
pub fn points_from_npy(bytes: &[u8]) -> Result<PointCloud, String> {
    match read_npy(bytes)? {
        Npy::Array(array) => points_from_array(&array),
        Npy::Pickled(..) => Err(format!("{POINTS} holds Python objects")),
    }
}

/// The points `[points, 3 or 6]` turned to +Y up, in `float32`; colors are unchanged.
pub(crate) fn turned(points: &Array, up: UpRule) -> Result<Array, String> {
    let cloud = points_from_array(points)?;
    let cloud = turn_cloud_upright(cloud, up);
    let columns = points.shape[1];
    let mut numbers = points.to_f32_vec();
    for (row, position) in numbers.chunks_exact_mut(columns).zip(cloud.positions()) {
        row[..3].copy_from_slice(&position.to_array());
    }
    Ok(Array::from_f32(&points.shape, &numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn point_clouds_round_trip_with_their_colors() {
        let positions: Vec<Vec3> = (0..256).map(|i| Vec3::new(i as f32 / 256.0, -0.5, 0.25)).collect();
        let colors = (0..=255).map(|byte| Vec3::splat(linear_from_srgb(byte))).collect();
        let plain = PointCloud::new(positions).unwrap();
        assert_eq!(points_from_array(&points_to_array(&plain)).unwrap(), plain);
        let colored = plain.with_colors(colors).unwrap();
        assert_eq!(points_from_array(&points_to_array(&colored)).unwrap(), colored);
        assert!(points_from_array(&Array::from_f32(&[2, 4], &[0.0; 8])).unwrap_err().contains("[2, 4]"));
        assert!(
            points_from_array(&Array::from_f32(&[1, 3], &[f32::NAN; 3])).unwrap_err().contains("not finite")
        );
    }
}
