//! Opening the model that a command asks for.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use lexiform_model::Device;
use lexiform_model::point::PointPreprocessOverrides;
use lexiform_model::preprocess::Crop;
use lexiform_search::{Encoder, EncoderOptions, Fusion, Library, LibraryPath};

use crate::failure::Usage;

/// The model used where none is named and none is recorded: it is inside the binary.
pub const DEFAULT: &str = "nano";

/// Which model to use.
#[derive(Args, Clone, Debug)]
pub struct ModelArg {
    /// Model: a name that `lexiform model list` shows, or a file of weights [default: nano]
    #[arg(long, value_name = "NAME|PATH", env = "LEXIFORM_MODEL")]
    pub model: Option<String>,
    #[command(flatten)]
    pub opening: OpeningArg,
}

/// How a model is opened.
#[derive(Args, Clone, Debug)]
pub struct OpeningArg {
    /// Model whose words a point model is compared with: the one it was trained beside
    #[arg(long, value_name = "NAME|PATH")]
    pub text_model: Option<String>,
    /// Edge of the images a model of views is given, in pixels; its positions are resampled [default: the model's]
    #[arg(long, value_name = "PIXELS")]
    pub image_size: Option<usize>,
    /// CG3D checkpoint whose visual prompts take part in the image tower
    #[arg(long, value_name = "PATH")]
    pub prompts: Option<PathBuf>,
    #[command(flatten)]
    pub on: DeviceArg,
}

/// Where a model computes.
#[derive(Args, Clone, Debug)]
pub struct DeviceArg {
    /// Device the model computes on: cpu, or wgpu, vulkan, cuda, metal, with a number where there are several (vulkan:1), if
    /// lexiform was built with it
    #[arg(
        long,
        value_name = "DEVICE",
        env = "LEXIFORM_DEVICE",
        default_value = "cpu",
        hide_default_value = true
    )]
    #[arg(value_parser = lexiform_model::device)]
    pub device: Device,
}

impl OpeningArg {
    /// Opens a model by name or path, perhaps with another window cut out of views.
    pub fn open(&self, name: &str, crop: Option<Crop>) -> anyhow::Result<Arc<dyn Encoder>> {
        Ok(self.options(crop).open(name)?)
    }

    /// How the model is opened, perhaps with another window cut out of views.
    pub fn options(&self, crop: Option<Crop>) -> EncoderOptions {
        let Self { text_model, image_size, prompts, on: DeviceArg { device } } = self.clone();
        EncoderOptions {
            crop,
            image_size,
            visual_prompts: prompts,
            text_model,
            clouds: PointPreprocessOverrides::default(),
            device,
        }
    }
}

impl ModelArg {
    /// The model that was asked for, or the built-in one.
    pub fn name(&self) -> &str {
        self.model.as_deref().unwrap_or(DEFAULT)
    }

    /// The model that was asked for, or else those a library knows, or else the built-in one.
    pub fn names_for(&self, place: &LibraryPath) -> anyhow::Result<Vec<String>> {
        let known = match &self.model {
            Some(model) => vec![model.clone()],
            None => Library::recorded_models(place)?,
        };
        Ok(if known.is_empty() { vec![DEFAULT.to_owned()] } else { known })
    }

    /// Opens the model.
    pub fn open(&self) -> anyhow::Result<Arc<dyn Encoder>> {
        self.open_with(None)
    }

    /// Opens the model with another window cut out of views.
    pub fn open_with(&self, crop: Option<Crop>) -> anyhow::Result<Arc<dyn Encoder>> {
        self.opening.open(self.name(), crop)
    }
}

/// Which models of a library to ask.
#[derive(Args, Clone, Debug)]
pub struct ModelsArg {
    /// Model: a name that `lexiform model list` shows, or a file of weights; more than one are asked together, each with
    /// its weight (=1 if not given) [default: the library's first, or nano]
    #[arg(long, value_name = "NAME|PATH[=WEIGHT]", env = "LEXIFORM_MODEL")]
    pub model: Vec<String>,
    #[command(flatten)]
    pub opening: OpeningArg,
    /// How answers of several models become one list: by their ranks, or by the weighted mean of their scores
    #[arg(long, value_name = "rrf|weighted", default_value = "rrf", hide_default_value = true)]
    pub fusion: Fusion,
}

impl ModelsArg {
    /// The models that were asked for with their weights, or else the first one of a library, or else the built-in one.
    pub fn names_for(&self, place: &LibraryPath) -> anyhow::Result<Vec<(String, f32)>> {
        if self.model.is_empty() {
            let first = Library::recorded_models(place)?.into_iter().next();
            return Ok(vec![(first.unwrap_or_else(|| DEFAULT.to_owned()), 1.0)]);
        }
        let named: Vec<(String, f32)> =
            self.model.iter().map(|text| weighted(text)).collect::<anyhow::Result<_>>()?;
        let twice = named
            .iter()
            .enumerate()
            .find(|(i, (name, _))| named[..*i].iter().any(|(other, _)| other == name));
        match twice {
            Some((_, (name, _))) => Err(Usage(format!("model {name} is given twice")).into()),
            None => Ok(named),
        }
    }
}

/// `NAME` or `NAME=WEIGHT`. A file whose name holds the sign is meant as it is.
fn weighted(text: &str) -> anyhow::Result<(String, f32)> {
    match text.rsplit_once('=') {
        Some((name, weight)) if !std::path::Path::new(text).exists() => {
            let weight: Option<f32> =
                weight.parse().ok().filter(|weight: &f32| weight.is_finite() && *weight >= 0.0);
            let weight = weight
                .ok_or_else(|| Usage(format!("expected a weight from 0 up after `=`, found {text:?}")))?;
            Ok((name.to_owned(), weight))
        }
        _ => Ok((text.to_owned(), 1.0)),
    }
}
