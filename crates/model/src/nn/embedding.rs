//! A table of embeddings: rows by index.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use half::bf16;

use super::host;
use crate::weights::{Initializer, WeightSource, WeightsError};

/// Rows `[count, width]` that are selected by index.
#[derive(Module, Debug)]
pub struct Embedding {
    weight: Param<Tensor<2>>,
    /// The rows for inference, rounded, instead of `weight`, which is then empty.
    #[module(skip)]
    rounded: Option<Arc<RoundedRows>>,
}

#[derive(Debug)]
struct RoundedRows {
    numbers: Vec<bf16>,
    width: usize,
}

impl Embedding {
    /// Reads `{name}`, `[count, width]`; new rows have standard deviation `deviation`.
    ///
    /// # Errors
    /// If the tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        name: &str,
        [count, width]: [usize; 2],
        deviation: f32,
    ) -> Result<Self, WeightsError> {
        let weight: Tensor<2> = source.tensor(name, [count, width], Initializer::Normal(deviation))?;
        if source.packing([width, count]).is_none() {
            return Ok(Self { weight: Param::from_tensor(weight), rounded: None });
        }
        // Rows are read one at a time: as bytes they would be half as large, and less exact.
        let empty = Param::from_tensor(Tensor::empty([0, 0], &weight.device()));
        let numbers = host::values(weight).into_iter().map(bf16::from_f32).collect();
        Ok(Self { weight: empty, rounded: Some(Arc::new(RoundedRows { numbers, width })) })
    }

    /// The rows of some ids, `[ids, width]`. Ids must be below the number of rows.
    pub fn select(&self, ids: &[u32]) -> Tensor<2> {
        let device = self.weight.val().device();
        match &self.rounded {
            Some(rounded) => {
                let mut values = vec![0.0; ids.len() * rounded.width];
                rounded.select(ids, &mut values);
                Tensor::from_data(TensorData::new(values, [ids.len(), rounded.width]), &device)
            }
            None => self.weight.val().select(0, index(ids, &device)),
        }
    }

    /// [`select`](Self::select) without tensors; `false` if rows are not rounded.
    pub(crate) fn select_rounded(&self, ids: &[u32], out: &mut [f32]) -> bool {
        self.rounded.as_ref().is_some_and(|rounded| {
            rounded.select(ids, out);
            true
        })
    }

    /// The table in `f32`, unless it is rounded.
    pub(crate) fn weight(&self) -> Tensor<2> {
        self.weight.val()
    }
}

impl RoundedRows {
    fn select(&self, ids: &[u32], out: &mut [f32]) {
        for (id, out) in ids.iter().zip(out.chunks_exact_mut(self.width)) {
            let row = &self.numbers[*id as usize * self.width..][..self.width];
            out.iter_mut().zip(row).for_each(|(out, x)| *out = x.to_f32());
        }
    }
}

/// Ids as a tensor.
pub(crate) fn index(ids: &[u32], device: &Device) -> Tensor<1, Int> {
    let ids: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let count = ids.len();
    Tensor::from_data(TensorData::new(ids, [count]), device)
}
