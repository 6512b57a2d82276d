//! Embedding point clouds of different sizes, in batches of equal size.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use lexiform_geometry::PointCloud;

use crate::embedding::{Embedding, rows};
use crate::error::ModelError;
use crate::point::{CloudBatch, CloudBatchError, FpsStart, PointPreprocess, PointTower, PreparedCloud};

/// Batch size: bounds memory, and larger batches are not faster on a CPU.
const MAX_CLOUD_BATCH: usize = 16;

/// One embedding per cloud; `colored` is whether the encoder uses colors.
pub(crate) fn embed_clouds(
    tower: &PointTower,
    input: &PointPreprocess,
    colored: bool,
    start: FpsStart,
    clouds: &[PointCloud],
) -> Result<Vec<Embedding>, ModelError> {
    let inputs = clouds.iter().map(|cloud| input.prepare(cloud, start)).collect();
    let rows = run_batched(inputs, colored, |clouds| tower.encode(clouds, start))?;
    rows.into_iter().map(Embedding::new).collect()
}

/// One row of a network's output per cloud.
pub(super) fn run_batched(
    inputs: Vec<PreparedCloud>,
    colored: bool,
    network: impl Fn(&CloudBatch) -> Tensor<2>,
) -> Result<Vec<Vec<f32>>, ModelError> {
    let mut inputs: Vec<Option<PreparedCloud>> = inputs.into_iter().map(Some).collect();
    // A batch has clouds with the same number of points.
    let mut by_size: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, input) in inputs.iter().enumerate() {
        by_size.entry(input.as_ref().map_or(0, |cloud| cloud.positions.len())).or_default().push(i);
    }
    if let Some(empty) = by_size.get(&0) {
        return Err(CloudBatchError::NoPoints { cloud: empty[0] }.into());
    }
    let mut found = vec![Vec::new(); inputs.len()];
    for members in by_size.values().flat_map(|members| members.chunks(MAX_CLOUD_BATCH)) {
        let group: Vec<PreparedCloud> = members.iter().filter_map(|&i| inputs[i].take()).collect();
        let batch = CloudBatch::new(&group, colored)?;
        for (&i, row) in members.iter().zip(rows(network(&batch))) {
            found[i] = row;
        }
    }
    Ok(found)
}
