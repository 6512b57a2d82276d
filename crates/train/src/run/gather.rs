//! Features and gradients of several processes.

use std::collections::VecDeque;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::features::vectors::{to_bytes, to_floats};
use crate::loss::BatchFeatures;
use crate::optim::gradients;
use crate::optim::parameters::parameters;
use crate::processes::TransportError;
use crate::run::Run;

/// Number of gradients that are summed at a time, to bound memory.
const BUCKET: usize = 1 << 24;
/// Stands for the number of rows of features that no loss term needs.
const ABSENT: u64 = u64::MAX;

impl Run<'_> {
    /// Features on all devices of all processes, in the order of the rows, as leaves on the first device. `own` are those of this
    /// process.
    pub(super) fn gather_features(
        &self,
        own: Vec<BatchFeatures>,
    ) -> Result<Vec<BatchFeatures>, TransportError> {
        if self.processes.count() == 1 {
            return Ok(own);
        }
        let device = &self.devices[0];
        let sent = own.iter().flat_map(BatchFeatures::to_message).collect();
        let received = self.processes.gather(sent)?;
        let mut all = Vec::with_capacity(received.len() * own.len());
        for message in &received {
            let mut message = Message(message);
            for _ in 0..own.len() {
                let features = message.features(&device.clone().inner());
                let features = features.ok_or_else(|| self.processes.error("invalid features".to_owned()))?;
                all.push(features.into_leaves(device));
            }
        }
        Ok(all)
    }

    /// Sums of the gradients of all processes, the same bits in each.
    pub(super) fn sum_over_processes(&self, own: GradientsParams) -> Result<GradientsParams, TransportError> {
        if self.processes.count() == 1 {
            return Ok(own);
        }
        let device = self.devices[0].clone().inner();
        let trained = parameters(&self.towers).into_iter().filter(|parameter| parameter.requires_grad);
        let sizes: Vec<usize> = trained.map(|parameter| parameter.count()).collect();
        let mut own = gradients::flatten(&self.towers, own);
        // A gradient may be absent here and present elsewhere: class names are encoded by the first process only.
        let present =
            self.processes.gather(own.iter().map(|gradient| u8::from(gradient.is_some())).collect())?;
        let wanted: Vec<usize> = (0..sizes.len())
            .filter(|i| present.iter().any(|flags| flags.get(*i).is_some_and(|flag| *flag == 1)))
            .collect();
        let mut sums: Vec<Option<Tensor<1>>> = vec![None; sizes.len()];
        for bucket in buckets(&wanted, &sizes) {
            let values = bucket.iter().flat_map(|i| match own[*i].take() {
                Some(gradient) => floats(gradient),
                None => vec![0.0; sizes[*i]],
            });
            let mut summed: VecDeque<f32> = self.processes.sum(values.collect())?.into();
            for i in bucket {
                let values: Vec<f32> = summed.drain(..sizes[i]).collect();
                sums[i] = Some(Tensor::from_data(TensorData::new(values, [sizes[i]]), &device));
            }
        }
        Ok(gradients::unflatten(&self.towers, sums))
    }
}

/// Consecutive parameters with at most [`BUCKET`] values, or one with more.
fn buckets(wanted: &[usize], sizes: &[usize]) -> Vec<Vec<usize>> {
    let (mut buckets, mut filled) = (Vec::<Vec<usize>>::new(), 0);
    for &i in wanted {
        match buckets.last_mut() {
            Some(bucket) if filled + sizes[i] <= BUCKET => {
                bucket.push(i);
                filled += sizes[i];
            }
            _ => {
                buckets.push(vec![i]);
                filled = sizes[i];
            }
        }
    }
    buckets
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.without_autodiff().into_data().convert::<f32>().try_into_vec().expect("just converted to f32")
}

impl BatchFeatures {
    /// All tensors, each after its shape.
    fn to_message(&self) -> Vec<u8> {
        let class_text = self.class_text.clone();
        let parts = self.clone().by_row().into_iter().chain([class_text]).map(|part| {
            let Some(features) = part else { return ABSENT.to_le_bytes().to_vec() };
            let shape = features.dims().map(|size| (size as u64).to_le_bytes());
            [shape.concat(), to_bytes(&floats(features))].concat()
        });
        parts.flatten().collect()
    }
}

/// The rest of a message of [`BatchFeatures::to_message`].
struct Message<'a>(&'a [u8]);

impl Message<'_> {
    fn features(&mut self, device: &Device) -> Option<BatchFeatures> {
        Some(BatchFeatures {
            shape: self.tensor(device)??,
            text: self.tensor(device)?,
            image: self.tensor(device)?,
            class_logits: self.tensor(device)?,
            class_text: self.tensor(device)?,
        })
    }

    /// The next tensor, if the message is not too short; `Some(None)` for an absent one.
    fn tensor(&mut self, device: &Device) -> Option<Option<Tensor<2>>> {
        let rows = self.size()?;
        if rows == ABSENT {
            return Some(None);
        }
        let shape = [usize::try_from(rows).ok()?, usize::try_from(self.size()?).ok()?];
        let length = shape[0].checked_mul(shape[1])?.checked_mul(4)?;
        let (values, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(Tensor::from_data(TensorData::new(to_floats(values), shape), device)))
    }

    fn size(&mut self) -> Option<u64> {
        let (size, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_survive_a_message() {
        let device = Device::flex();
        let rows = |values: [f32; 4]| Tensor::<1>::from_floats(values, &device).reshape([2, 2]);
        let features = BatchFeatures {
            shape: rows([1.0, -2.0, 3.5, 0.25]),
            text: None,
            image: Some(rows([4.0, 5.0, 6.0, 7.0])),
            class_text: Some(Tensor::from_floats([[9.0, 8.0, 7.0]], &device)),
            class_logits: None,
        };
        let bytes = features.to_message();
        let read = Message(&bytes).features(&device).unwrap();
        assert_eq!(floats(read.shape), [1.0, -2.0, 3.5, 0.25]);
        assert_eq!(floats(read.image.unwrap()), [4.0, 5.0, 6.0, 7.0]);
        assert_eq!(floats(read.class_text.unwrap()), [9.0, 8.0, 7.0]);
        assert!(read.text.is_none() && read.class_logits.is_none());
        assert!((0..bytes.len()).all(|end| Message(&bytes[..end]).features(&device).is_none()));
    }

    #[test]
    fn buckets_are_consecutive_and_bounded() {
        let sizes = [BUCKET / 2, BUCKET / 2, 1, 2 * BUCKET, 3];
        assert_eq!(buckets(&[0, 1, 2, 3, 4], &sizes), [vec![0, 1], vec![2], vec![3], vec![4]]);
        assert!(buckets(&[], &sizes).is_empty());
    }
}
