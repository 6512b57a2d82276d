//! Loss and gradients of one batch: over all devices, and in chunks if the recipe has a chunk size.

use std::ops::Range;

use burn::module::Module as _;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Gradients, Tensor};

use crate::batch::Batch;
use crate::error::FitError;
use crate::loss::{BatchFeatures, LossValues};
use crate::network::Towers;
use crate::optim::gradients;
use crate::optim::parameters::copy_trained;
use crate::recipe::RunPosition;
use crate::run::Run;

/// The towers on a device, and its index.
type Replica<'a> = (usize, &'a Towers);

impl Run<'_> {
    /// Loss terms and gradients of one batch. Each device encodes a part of the rows; the loss is computed once, on the first
    /// device, from the features of all.
    pub(super) fn batch_gradients(
        &self,
        batch: &Batch,
        position: RunPosition,
    ) -> Result<(LossValues<f64>, GradientsParams), FitError> {
        let replicas: Vec<Replica> = std::iter::once(&self.towers).chain(&self.copies).enumerate().collect();
        let [rank, count] = [self.processes.rank(), self.processes.count()];
        let of_all = split(0..batch.rows(), replicas.len() * count);
        let shares: Vec<Range<usize>> = of_all.skip(rank * replicas.len()).take(replicas.len()).collect();
        // With two sources, of which one has more views.
        let n_views = batch.segments.iter().map(|segment| segment.n_views).max().unwrap_or(1);
        let chunk = self.recipe.batch.chunk_size.map_or(batch.rows(), |size| size.shapes(n_views).max(1));
        if count == 1 && shares.iter().all(|rows| rows.len() <= chunk) {
            return self.whole_gradients(batch, position, &replicas, &shares);
        }
        let chunks: Vec<Vec<Range<usize>>> = shares
            .into_iter()
            .map(|rows| split(rows.clone(), rows.len().div_ceil(chunk)).collect())
            .collect();
        self.cached_gradients(batch, position, &replicas, &chunks)
    }

    /// Brings the copies on the other devices up to date. Frozen weights are copied once.
    pub(super) fn update_copies(&mut self) {
        let others = &self.devices[1..];
        let copies = std::mem::take(&mut self.copies);
        self.copies = match copies.len() == others.len() {
            true => copies.into_iter().map(|copy| copy_trained(&self.towers, copy)).collect(),
            false => others.iter().map(|device| self.towers.clone().fork(device)).collect(),
        };
    }

    /// One forward and one backward pass over the whole batch.
    fn whole_gradients(
        &self,
        batch: &Batch,
        position: RunPosition,
        replicas: &[Replica],
        shares: &[Range<usize>],
    ) -> Result<(LossValues<f64>, GradientsParams), FitError> {
        let main = &self.devices[0];
        let ranks: Vec<BatchFeatures> = (replicas.iter().zip(shares))
            .map(|(replica, rows)| Ok(self.features(*replica, batch, rows)?.moved_to(main)))
            .collect::<Result<_, FitError>>()?;
        // Autodiff crosses devices: one backward pass reaches every copy of the towers.
        let (value, all) = self.loss(batch, position, &ranks);
        let Some(mut all) = all else { return Ok((value, GradientsParams::new())) };
        let mut gradients = GradientsParams::new();
        for (_, towers) in replicas {
            let own = GradientsParams::from_module(&mut all, *towers);
            gradients = gradients::add(&self.towers, gradients, own);
        }
        Ok((value, gradients))
    }

    /// The same loss and gradients with the activations of one chunk at a time (GradCache,
    /// [arXiv 2101.06983](https://arxiv.org/abs/2101.06983)), and over several processes: features of all chunks without a
    /// graph, the loss of the whole batch and its gradients with respect to the features, then each chunk again with these
    /// gradients. Dropout and stochastic depth follow from the batch's seed and the row, so both passes drop the same.
    fn cached_gradients(
        &self,
        batch: &Batch,
        position: RunPosition,
        replicas: &[Replica],
        chunks: &[Vec<Range<usize>>],
    ) -> Result<(LossValues<f64>, GradientsParams), FitError> {
        let main = &self.devices[0];
        let mut graphs: Vec<Option<BatchFeatures>> = Vec::with_capacity(replicas.len());
        let own: Vec<BatchFeatures> = (replicas.iter().zip(chunks))
            .map(|(&(device, towers), chunks)| {
                // A device with a single chunk keeps its graph: nothing is computed twice.
                if let [rows] = &chunks[..] {
                    let features = self.features((device, towers), batch, rows)?;
                    graphs.push(Some(features.clone()));
                    return Ok(features.into_leaves(main));
                }
                graphs.push(None);
                let towers = towers.without_graph();
                let parts = chunks
                    .iter()
                    .map(|rows| Ok(self.features((device, &towers), batch, rows)?.into_leaves(main)));
                Ok(BatchFeatures::concat(parts.collect::<Result<_, FitError>>()?).into_leaves(main))
            })
            .collect::<Result<_, FitError>>()?;
        let first_own = self.processes.rank() * own.len();
        let ranks = self.gather_features(own)?;
        let (value, all) = self.loss(batch, position, &ranks);
        let Some(mut all) = all else { return Ok((value, GradientsParams::new())) };
        // Of the temperature, which no feature depends on; the sum over processes must have it once.
        let mut gradients = match self.processes.is_first() {
            true => GradientsParams::from_module(&mut all, &self.towers),
            false => GradientsParams::new(),
        };
        for (((replica, chunks), rank), mut graph) in
            replicas.iter().zip(chunks).zip(&ranks[first_own..]).zip(graphs)
        {
            let first = chunks.first().map_or(0, |rows| rows.start);
            for rows in chunks {
                // Cast for each chunk: a backward pass consumes the graph of the cast.
                let features = match graph.take() {
                    Some(features) => features,
                    None => self.features(*replica, batch, rows)?,
                };
                let own_rows = rows.start - first..rows.end - first;
                let mut own = features.backward(rank, &all, own_rows);
                let own = GradientsParams::from_module(&mut own, replica.1);
                gradients = gradients::add(&self.towers, gradients, own);
            }
        }
        Ok((value, gradients))
    }

    fn features(
        &self,
        (device, towers): Replica,
        batch: &Batch,
        rows: &Range<usize>,
    ) -> Result<BatchFeatures, FitError> {
        let towers = self.autocast(device, towers);
        towers.features(batch, rows.clone(), &self.spec, &self.objective)
    }

    /// Loss terms, and the gradients of their sum if a term is active.
    fn loss(
        &self,
        batch: &Batch,
        position: RunPosition,
        ranks: &[BatchFeatures],
    ) -> (LossValues<f64>, Option<Gradients>) {
        let value = self.objective.evaluate(ranks, &batch.labels, &self.scale(), position);
        let (value, total) = value.into_numbers();
        let batches = self.recipe.batch.accumulate_batches as f64;
        (value, total.map(|total| (total / batches).backward()))
    }

    /// The towers on a device with matrix products in the recipe's data type.
    fn autocast(&self, device: usize, towers: &Towers) -> Towers {
        match self.casts.get(device) {
            Some(cast) => cast.borrow_mut().apply(towers.clone()),
            None => towers.clone(),
        }
    }

    /// The temperature in the loss: clamped here, or after each step.
    fn scale(&self) -> Tensor<1> {
        let scale = self.towers.logit_scale.val();
        match self.recipe.logit_scale.bounds {
            Some([low, high]) if !self.recipe.logit_scale.clamp_after_step => scale.clamp(low, high),
            _ => scale,
        }
    }
}

/// Divides rows into `parts` ranges whose lengths differ by at most 1.
fn split(rows: Range<usize>, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let (start, count) = (rows.start, rows.len());
    (0..parts).map(move |i| start + count * i / parts..start + count * (i + 1) / parts)
}

impl BatchFeatures {
    fn moved_to(self, device: &Device) -> Self {
        self.map(|features| features.to_device(device))
    }

    /// The values as leaves of a new graph on `device`.
    pub(super) fn into_leaves(self, device: &Device) -> Self {
        self.map(|features| {
            let values = features.without_autodiff().to_device(&device.clone().inner());
            Tensor::from_inner(values).require_grad()
        })
    }

    /// Backward pass from given gradients: `leaves` are features with the same values, rows `rows` of them are these, and
    /// `gradients` are those of the loss with respect to `leaves`.
    fn backward(self, leaves: &Self, gradients: &Gradients, rows: Range<usize>) -> Gradients {
        let device = self.shape.device();
        let of_classes = self.class_text.clone().zip(leaves.class_text.clone());
        let of_classes = of_classes.and_then(|(features, leaf)| Some((features, leaf.grad(gradients)?)));
        let by_row = self.by_row().into_iter().zip(leaves.clone().by_row()).filter_map(|(features, leaf)| {
            Some((features?, leaf?.grad(gradients)?.slice_dim(0, rows.clone())))
        });
        // The sum of features times gradients has these gradients. It starts from a leaf, so that there is a graph even if no
        // trained parameter is before the features.
        let mut sum = Tensor::<1>::zeros([1], &device).require_grad();
        for (features, gradient) in by_row.chain(of_classes) {
            sum = sum + (features * Tensor::from_inner(gradient).to_device(&device)).sum();
        }
        sum.backward()
    }
}
