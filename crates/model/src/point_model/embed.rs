//! Embedding point clouds of different sizes, in batches of equal size.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use lexiform_geometry::PointCloud;

use crate::embedding::{Embedding, rows};
use crate::error::ModelError;
use crate::point::{Cloud, CloudInput, Clouds, CloudsError, PointTower, Start};

/// Batch size: bounds memory, and larger batches are not faster on a CPU.
const CLOUDS_AT_ONCE: usize = 16;

/// One embedding per cloud; `colored` is whether the encoder uses colors.
pub(crate) fn embed_clouds(
    tower: &PointTower,
    input: &CloudInput,
    colored: bool,
    start: Start,
    clouds: &[PointCloud],
) -> Result<Vec<Embedding>, ModelError> {
    let inputs = clouds.iter().map(|cloud| input.prepare(cloud, start)).collect();
    let rows = rows_of(inputs, colored, |clouds| tower.encode(clouds, start))?;
    rows.into_iter().map(Embedding::new).collect()
}

/// One row of a network's output per cloud.
pub(super) fn rows_of(
    inputs: Vec<Cloud>,
    colored: bool,
    network: impl Fn(&Clouds) -> Tensor<2>,
) -> Result<Vec<Vec<f32>>, ModelError> {
    let mut inputs: Vec<Option<Cloud>> = inputs.into_iter().map(Some).collect();
    // A batch has clouds with the same number of points.
    let mut by_size: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, input) in inputs.iter().enumerate() {
        by_size.entry(input.as_ref().map_or(0, |cloud| cloud.positions.len())).or_default().push(i);
    }
    if let Some(empty) = by_size.get(&0) {
        return Err(CloudsError::NoPoints { cloud: empty[0] }.into());
    }
    let mut found = vec![Vec::new(); inputs.len()];
    for members in by_size.values().flat_map(|members| members.chunks(CLOUDS_AT_ONCE)) {
        let group: Vec<Cloud> = members.iter().filter_map(|&i| inputs[i].take()).collect();
        let batch = Clouds::new(&group, colored)?;
        for (&i, row) in members.iter().zip(rows(network(&batch))) {
            found[i] = row;
        }
    }
    Ok(found)
}
