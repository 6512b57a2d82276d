//! Options that choose models and how they are opened.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use lexiform_model::point::PointPreprocessOverrides;
use lexiform_model::preprocess::Crop;
use lexiform_model::{ComputePrecision, Device, WeightPrecision};
use lexiform_search::{Encoder, EncoderOptions, Fusion, Library, LibraryPath};

use crate::error::UsageError;

/// File name extension of models that commands write.
pub(crate) const MODEL_EXTENSIONS: [&str; 1] = ["safetensors"];

/// The model that is used if none is given and none is recorded in the library. It is part of the binary.
pub(crate) const DEFAULT_MODEL: &str = "nano";

/// Which model to use.
#[derive(Args, Clone, Debug)]
pub(crate) struct ModelArg {
    /// Model: a name from `lexiform model list`, or a file with weights [default: nano]
    #[arg(long, value_name = "NAME|PATH", env = "LEXIFORM_MODEL")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) open_args: OpenModelArgs,
}

/// How a model is opened.
#[derive(Args, Clone, Debug)]
pub(crate) struct OpenModelArgs {
    /// Text model of a point model: the one it was aligned to
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) text_model: Option<String>,
    /// Input size of the image tower in pixels; position embeddings are resampled [default: the model's]
    #[arg(long, value_name = "PIXELS")]
    pub(crate) image_size: Option<usize>,
    /// CG3D checkpoint with visual prompts for the image tower
    #[arg(long, value_name = "PATH")]
    pub(crate) visual_prompts: Option<PathBuf>,
    /// Precision of the model on the CPU: f32; bf16 where the processor multiplies it; or auto, which is bf16 for large models
    /// on processors with AMX [default: auto to index, search, serve and classify, f32 otherwise]
    #[arg(long, value_name = "PRECISION")]
    pub(crate) precision: Option<ComputePrecision>,
    #[command(flatten)]
    pub(crate) device_arg: DeviceArg,
}

/// The precision of a language model.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WeightPrecisionArg {
    /// Precision of a language model's weights: f32, bf16, int8, or auto, which is bf16 for large weights. Fewer bytes are faster,
    /// and sentences may differ in a word
    #[arg(long, value_name = "PRECISION", default_value_t = WeightPrecision::Auto)]
    pub(crate) weight_precision: WeightPrecision,
}

/// Where a model computes.
#[derive(Args, Clone, Debug)]
pub(crate) struct DeviceArg {
    /// Device: cpu, or wgpu, vulkan, cuda or metal if lexiform was built with it; with a number to choose among several, as in
    /// vulkan:1
    #[arg(
        long,
        value_name = "DEVICE",
        env = "LEXIFORM_DEVICE",
        default_value = "cpu",
        hide_default_value = true
    )]
    #[arg(value_parser = lexiform_model::device)]
    pub(crate) device: Device,
}

impl OpenModelArgs {
    /// Opens a model by name or path; `crop` replaces the model's own crop of views.
    pub(crate) fn open(&self, name: &str, crop: Option<Crop>) -> anyhow::Result<Arc<dyn Encoder>> {
        Ok(self.options(crop).open(name)?)
    }

    /// The same options for answers that are ranked, not measured: fast by default.
    pub(crate) fn for_answers(&self) -> Self {
        Self { precision: Some(self.precision.unwrap_or(ComputePrecision::Auto)), ..self.clone() }
    }

    /// How the model is opened; `crop` replaces the model's own crop of views.
    pub(crate) fn options(&self, crop: Option<Crop>) -> EncoderOptions {
        let Self { text_model, image_size, visual_prompts, precision, device_arg: DeviceArg { device } } =
            self.clone();
        EncoderOptions {
            crop,
            image_size,
            visual_prompts,
            text_model,
            clouds: PointPreprocessOverrides::default(),
            device,
            precision: precision.unwrap_or_default(),
        }
    }
}

impl ModelArg {
    /// The given model, or the built-in one.
    pub(crate) fn name(&self) -> &str {
        self.model.as_deref().unwrap_or(DEFAULT_MODEL)
    }

    /// The given model, or those the library has, or the built-in one.
    pub(crate) fn names_for(&self, place: &LibraryPath) -> anyhow::Result<Vec<String>> {
        let known = match &self.model {
            Some(model) => vec![model.clone()],
            None => Library::recorded_models(place)?,
        };
        Ok(if known.is_empty() { vec![DEFAULT_MODEL.to_owned()] } else { known })
    }

    /// Opens the model.
    pub(crate) fn open(&self) -> anyhow::Result<Arc<dyn Encoder>> {
        self.open_with(None)
    }

    /// Opens the model; `crop` replaces its own crop of views.
    pub(crate) fn open_with(&self, crop: Option<Crop>) -> anyhow::Result<Arc<dyn Encoder>> {
        self.open_args.open(self.name(), crop)
    }
}

/// Which models of a library to search with.
#[derive(Args, Clone, Debug)]
pub(crate) struct EnsembleArgs {
    /// Model: a name from `lexiform model list`, or a file with weights; several models are combined, each with its weight
    /// (1 if not given) [default: the library's first, or nano]
    #[arg(long, value_name = "NAME|PATH[=WEIGHT]", env = "LEXIFORM_MODEL")]
    pub(crate) model: Vec<String>,
    #[command(flatten)]
    pub(crate) open_args: OpenModelArgs,
    /// How results of several models are combined: by rank, or by the weighted mean of their scores
    #[arg(long, value_name = "rrf|weighted", default_value = "rrf", hide_default_value = true)]
    pub(crate) fusion: Fusion,
}

impl EnsembleArgs {
    /// The given models with their weights, or the first one of the library, or the built-in one.
    pub(crate) fn names_for(&self, place: &LibraryPath) -> anyhow::Result<Vec<(String, f32)>> {
        if self.model.is_empty() {
            let first = Library::recorded_models(place)?.into_iter().next();
            return Ok(vec![(first.unwrap_or_else(|| DEFAULT_MODEL.to_owned()), 1.0)]);
        }
        let named: Vec<(String, f32)> =
            self.model.iter().map(|text| parse_model_weight(text)).collect::<anyhow::Result<_>>()?;
        // A model given twice would count twice without saying so.
        let twice = named
            .iter()
            .enumerate()
            .find(|(i, (name, _))| named[..*i].iter().any(|(other, _)| other == name));
        match twice {
            Some((_, (name, _))) => Err(UsageError(format!("model {name} is given twice")).into()),
            None => Ok(named),
        }
    }
}

/// Parses `NAME` or `NAME=WEIGHT`. An existing file whose name contains `=` has no weight.
fn parse_model_weight(text: &str) -> anyhow::Result<(String, f32)> {
    match text.rsplit_once('=') {
        Some((name, weight)) if !std::path::Path::new(text).exists() => {
            let weight: Option<f32> =
                weight.parse().ok().filter(|weight: &f32| weight.is_finite() && *weight >= 0.0);
            let weight = weight.ok_or_else(|| {
                UsageError(format!("expected a weight of at least 0 after `=`, found {text:?}"))
            })?;
            Ok((name.to_owned(), weight))
        }
        _ => Ok((text.to_owned(), 1.0)),
    }
}
