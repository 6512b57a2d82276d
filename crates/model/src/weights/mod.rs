//! Tensors by name: read from a file strictly, drawn from a generator, or written out.
//!
//! Loading is strict both ways: a missing, a misshaped and an unused tensor are errors that name it.

mod file;
mod save;

use std::cell::RefCell;
use std::collections::BTreeSet;

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

pub use file::WeightFile;
pub use save::{Precision, TensorList};

use crate::error::WeightsError;

/// How a tensor starts when a network is made new.
#[derive(Clone, Copy, Debug)]
pub enum Fill {
    /// Every element the same.
    Constant(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
}

/// Where a network's tensors come from.
pub enum Source<'a> {
    /// A file, read strictly.
    File(Weights<'a>),
    /// A seeded generator: a new network. The only place where weights are made up.
    New(Box<NewWeights>),
}

/// Part of a file, seen through a prefix, with a record of what has been used.
pub struct Weights<'a> {
    file: &'a WeightFile,
    prefix: String,
    device: Device,
    used: RefCell<BTreeSet<String>>,
}

/// A seeded generator of starting weights.
pub struct NewWeights {
    rng: RefCell<SmallRng>,
    device: Device,
}

impl<'a> Source<'a> {
    /// Tensors of `file` whose names start with `prefix` (which is taken off).
    pub fn file(file: &'a WeightFile, prefix: &str, device: &Device) -> Self {
        Self::File(Weights {
            file,
            prefix: prefix.to_owned(),
            device: device.clone(),
            used: RefCell::new(BTreeSet::new()),
        })
    }

    /// Starting weights from a seed.
    pub fn new(seed: u64, device: &Device) -> Self {
        Self::New(Box::new(NewWeights {
            rng: RefCell::new(SmallRng::seed_from_u64(seed)),
            device: device.clone(),
        }))
    }

    /// The tensor called `name` of exactly this shape; from a generator, `fill` says how it starts.
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        fill: Fill,
    ) -> Result<Tensor<D>, WeightsError> {
        match self {
            Self::File(weights) => weights.tensor(name, shape),
            Self::New(new) => {
                let data = TensorData::new(new.values(shape.iter().product(), fill), shape);
                Ok(Tensor::from_data(data, &new.device))
            }
        }
    }

    /// One number. A file may store it with shape `[]` or `[1]`.
    pub fn scalar(&self, name: &str, start: f32) -> Result<Tensor<1>, WeightsError> {
        self.tensor(name, [1], Fill::Constant(start))
    }

    /// The device the tensors are placed on.
    pub fn device(&self) -> &Device {
        match self {
            Self::File(weights) => &weights.device,
            Self::New(new) => &new.device,
        }
    }

    /// Fails if the file has tensors under the prefix that nothing has asked for, except those that
    /// `ignored` names.
    pub fn finish(self, ignored: impl Fn(&str) -> bool) -> Result<(), WeightsError> {
        let Self::File(weights) = self else { return Ok(()) };
        let used = weights.used.into_inner();
        let names: Vec<String> = (weights.file.names())
            .filter(|name| {
                !used.contains(*name) && !ignored(name.strip_prefix(&weights.prefix).unwrap_or(name))
            })
            .map(str::to_owned)
            .collect();
        if names.is_empty() {
            Ok(())
        } else {
            Err(WeightsError::Unused { path: weights.file.path().to_owned(), names })
        }
    }
}

impl Weights<'_> {
    fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, WeightsError> {
        let full = format!("{}{name}", self.prefix);
        let found = self.file.shape(&full)?;
        let one_number = found.iter().product::<usize>() == 1 && shape.iter().product::<usize>() == 1;
        if found != shape && !one_number {
            let (path, expected) = (self.file.path().to_owned(), shape.to_vec());
            return Err(WeightsError::Shape { path, name: full, expected, found: found.to_vec() });
        }
        let values = self.file.read(&full)?;
        self.used.borrow_mut().insert(full);
        Ok(Tensor::from_data(TensorData::new(values, shape), &self.device))
    }
}

impl NewWeights {
    fn values(&self, count: usize, fill: Fill) -> Vec<f32> {
        match fill {
            Fill::Constant(value) => vec![value; count],
            Fill::Normal(deviation) => {
                let mut rng = self.rng.borrow_mut();
                (0..count).map(|_| deviation * standard_normal(&mut rng)).collect()
            }
        }
    }
}

/// Box–Muller, first branch.
fn standard_normal(rng: &mut SmallRng) -> f32 {
    let (a, b): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    ((-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()) as f32
}
