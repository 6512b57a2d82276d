//! Tensors by name: loading from files, initialization, and saving.
//!
//! Loading is strict: a missing, a misshaped or an unused tensor is an error that names it.

mod error;
mod file;
mod fingerprint;
mod header;
mod int8;
mod layout;
mod save;
pub(crate) mod sharded;
mod tensor_values;
mod torch;
mod value;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

pub use error::WeightsError;
pub use file::WeightFile;
pub use layout::{
    BERT_LAYER, EVA_BLOCK, EVA_SPLIT_BLOCK, HUGGING_FACE_BLOCK, Layout, PPAT_BLOCK, Renaming, TIMM_BLOCK,
};
pub use save::{Precision, TensorList};
pub use value::Value;

pub(crate) use self::fingerprint::Fingerprint;
use self::layout::{TensorLocation, ZEROS};
use crate::precision::{ComputePrecision, Packing, WeightPrecision};

/// Initialization of a tensor of a new network.
#[derive(Clone, Copy, Debug)]
pub enum Initializer {
    /// A constant.
    Constant(f32),
    /// Normal distribution with mean 0 and this standard deviation.
    Normal(f32),
    /// Uniform distribution between this number and its negative.
    Uniform(f32),
}

/// The tensors of a network to load: from a file, or initialized.
pub enum WeightSource<'a> {
    /// A file.
    File(FileWeights<'a>),
    /// A random generator, for a new network. Weights are initialized nowhere else.
    Random(Box<RandomWeights>),
}

/// A file, with the layout of its names and a record of the tensors that were used.
pub struct FileWeights<'a> {
    file: &'a WeightFile,
    layout: Layout,
    device: Device,
    precision: SourcePrecision,
    used: RefCell<BTreeSet<String>>,
    fingerprint: Cell<Fingerprint>,
}

/// What weights are rounded to when they are loaded.
#[derive(Clone, Copy)]
enum SourcePrecision {
    /// For encoders.
    Compute(ComputePrecision),
    /// For language models.
    Weights(WeightPrecision),
}

/// A random generator of initial weights.
pub struct RandomWeights {
    rng: RefCell<SmallRng>,
    device: Device,
    precision: SourcePrecision,
}

impl<'a> WeightSource<'a> {
    /// The tensors of `file` whose names start with `prefix`, which is removed.
    pub fn file(file: &'a WeightFile, prefix: &str, device: &Device) -> Self {
        Self::with_layout(file, Layout::prefixed(prefix), device)
    }

    /// The tensors of `file`, with names mapped by `layout`.
    pub fn with_layout(file: &'a WeightFile, layout: Layout, device: &Device) -> Self {
        Self::File(FileWeights {
            file,
            layout,
            device: device.clone(),
            precision: SourcePrecision::Compute(ComputePrecision::F32),
            used: RefCell::new(BTreeSet::new()),
            fingerprint: Cell::new(Fingerprint::new()),
        })
    }

    /// The error that something about the file is not as expected.
    pub(crate) fn invalid(&self, message: String) -> WeightsError {
        let path = match self {
            Self::File(weights) => weights.file.path().to_owned(),
            Self::Random(_) => std::path::PathBuf::new(),
        };
        WeightsError::Unrecognized { path, message }
    }

    /// New weights from a random seed.
    pub fn random(seed: u64, device: &Device) -> Self {
        Self::Random(Box::new(RandomWeights {
            rng: RefCell::new(SmallRng::seed_from_u64(seed)),
            device: device.clone(),
            precision: SourcePrecision::Compute(ComputePrecision::F32),
        }))
    }

    /// Loads weights for inference in another precision than `f32`. A network loaded so computes no gradients of its own.
    #[must_use]
    pub fn with_precision(self, precision: ComputePrecision) -> Self {
        self.rounding(SourcePrecision::Compute(precision))
    }

    /// Loads the weights of a language model for inference in another precision than `f32`. As with
    /// [`with_precision`](Self::with_precision), it then computes no gradients.
    #[must_use]
    pub fn with_weight_precision(self, precision: WeightPrecision) -> Self {
        self.rounding(SourcePrecision::Weights(precision))
    }

    fn rounding(mut self, precision: SourcePrecision) -> Self {
        match &mut self {
            Self::File(weights) => weights.precision = precision,
            Self::Random(new) => new.precision = precision,
        }
        self
    }

    /// How a linear layer with these widths of input and output is packed, if it is.
    pub(crate) fn packing(&self, shape: [usize; 2]) -> Option<Packing> {
        let precision = match self {
            Self::File(weights) => weights.precision,
            Self::Random(new) => new.precision,
        };
        let packing = match precision {
            SourcePrecision::Compute(precision) => precision.unit(shape).map(Packing::Bf16),
            SourcePrecision::Weights(precision) => precision.packing(shape),
        };
        packing.filter(|_| *self.device() == Device::flex() && !self.device().is_autodiff())
    }

    /// The tensor called `name`, of exactly this shape; initialized by `fill` in a new network.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] or [`WeightsError::Shape`]; never for new weights.
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        fill: Initializer,
    ) -> Result<Tensor<D>, WeightsError> {
        match self {
            Self::File(weights) => weights.tensor(name, shape),
            Self::Random(new) => {
                let data = TensorData::new(new.values(shape.iter().product(), fill), shape);
                Ok(Tensor::from_data(data, &new.device))
            }
        }
    }

    /// One number, `[1]`. A file may store it with shape `[]` or `[1]`.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] or [`WeightsError::Shape`]; never for new weights.
    pub fn scalar(&self, name: &str, start: f32) -> Result<Tensor<1>, WeightsError> {
        self.tensor(name, [1], Initializer::Constant(start))
    }

    /// Device of the tensors.
    pub fn device(&self) -> &Device {
        match self {
            Self::File(weights) => &weights.device,
            Self::Random(new) => &new.device,
        }
    }

    /// A hash of the vectors read so far (biases and norms differ between any two trainings), in the order in which the
    /// network asked for them: the same whatever the file's layout. New weights have none.
    pub fn fingerprint(&self) -> u32 {
        match self {
            Self::File(weights) => weights.fingerprint.get().value(),
            Self::Random(_) => 0,
        }
    }

    /// Checks that all tensors under the prefix were used, except those that `ignored` matches.
    ///
    /// # Errors
    /// [`WeightsError::Unused`] with the names of all unused tensors.
    pub fn finish(self, ignored: impl Fn(&str) -> bool) -> Result<(), WeightsError> {
        let Self::File(weights) = self else { return Ok(()) };
        let used = weights.used.into_inner();
        let names: Vec<String> = (weights.file.names())
            .filter(|name| {
                !used.contains(*name) && !ignored(name.strip_prefix(weights.layout.prefix()).unwrap_or(name))
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

impl FileWeights<'_> {
    fn tensor<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, WeightsError> {
        let TensorLocation { names, transposed, half } = self.layout.locate(name);
        let mut stored = shape;
        if transposed {
            stored.reverse();
        }
        // Several tensors of the file are concatenated along the first axis.
        let mut part = stored;
        part[0] = part[0] / names.len() * if half.is_some() { 2 } else { 1 };
        let mut values = Vec::new();
        for name in names {
            if name.ends_with(ZEROS) {
                values.resize(values.len() + part.iter().product::<usize>(), 0.0);
                continue;
            }
            let found = self.file.shape(&name)?;
            if !same_up_to_unit_axes(found, &part) {
                let (path, expected, found) = (self.file.path().to_owned(), part.to_vec(), found.to_vec());
                return Err(WeightsError::Shape { path, name, expected, found });
            }
            let read = self.file.read(&name)?;
            // The common case, one tensor, is moved without a copy.
            if values.is_empty() {
                values = read;
            } else {
                values.extend(read);
            }
            self.used.borrow_mut().insert(name);
        }
        if let Some(half) = half {
            let length = values.len() / 2;
            values = values.split_off(half * length);
            values.truncate(length);
        }
        // Vectors only: any training changes them, and hashing matrices would slow down loading.
        if D == 1 {
            self.fingerprint.set(self.fingerprint.get().with(&values));
        }
        let tensor = Tensor::from_data(TensorData::new(values, stored), &self.device);
        Ok(if transposed { tensor.transpose() } else { tensor })
    }
}

/// Whether `found` equals `wanted`, up to leading and trailing ones: a convolution with kernel size 1 is a linear layer, a
/// token stored with batch axes is a vector, and a scalar may have any number of axes.
fn same_up_to_unit_axes(found: &[usize], wanted: &[usize]) -> bool {
    let one_number = |shape: &[usize]| shape.iter().all(|&n| n == 1);
    if one_number(found) && one_number(wanted) {
        return true;
    }
    // A kernel-1 convolution is stored as `[out, in, 1]` or `[out, in, 1, 1]`.
    (0..=found.len().saturating_sub(wanted.len())).any(|at| {
        let end = at + wanted.len();
        found.get(at..end) == Some(wanted) && one_number(&found[..at]) && one_number(&found[end..])
    })
}

impl RandomWeights {
    fn values(&self, count: usize, fill: Initializer) -> Vec<f32> {
        match fill {
            Initializer::Constant(value) => vec![value; count],
            Initializer::Normal(deviation) => {
                let mut rng = self.rng.borrow_mut();
                (0..count).map(|_| deviation * standard_normal(&mut rng)).collect()
            }
            Initializer::Uniform(bound) => {
                let mut rng = self.rng.borrow_mut();
                (0..count).map(|_| bound * (2.0 * rng.random::<f32>() - 1.0)).collect()
            }
        }
    }
}

/// Box–Muller transform, first value only.
fn standard_normal(rng: &mut SmallRng) -> f32 {
    // Box–Muller. 1 − x is in (0, 1], so the logarithm is finite.
    let (a, b): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    ((-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()) as f32
}
