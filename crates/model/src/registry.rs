//! Models by name, and what a file of weights is.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{ModelError, WeightsError};
use crate::joint;
use crate::weights::WeightFile;

/// The built-in model, in half precision.
static NANO: &[u8] = include_bytes!("../nano.safetensors");

/// A model that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct NamedModel {
    /// Its name on the command line.
    pub name: &'static str,
    /// Where its weights come from.
    pub origin: Origin,
    /// What it is, in one line.
    pub about: &'static str,
    /// Licence of the weights.
    pub licence: &'static str,
}

/// Where weights come from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// In the program.
    BuiltIn,
    /// A file of a repository on the Hugging Face hub.
    Hub {
        /// `owner/name`.
        repository: &'static str,
        /// File in it.
        file: &'static str,
    },
}

/// What a model is, for lists.
#[derive(Clone, Debug, Serialize)]
pub struct ModelCard {
    /// Name, or file stem.
    pub name: String,
    /// What it is.
    pub about: String,
    /// What it takes: `views`.
    pub modality: &'static str,
    /// Width of the joint space; absent until the weights are here.
    pub dim: Option<usize>,
    /// Edge of a view in pixels.
    pub view_size: Option<usize>,
    /// First block in which views see each other.
    pub joint_from: Option<usize>,
    /// Number of trained numbers.
    pub parameters: Option<usize>,
    /// Size of the weights in bytes.
    pub bytes: Option<u64>,
    /// Where they come from.
    pub origin: String,
    /// Licence of the weights.
    pub licence: String,
    /// Whether it can be used now, without a network.
    pub available: bool,
}

/// All named models, the default first.
pub const MODELS: [NamedModel; 5] = [
    NamedModel {
        name: "nano",
        origin: Origin::BuiltIn,
        about: "small multi-view model trained on procedural shapes",
        licence: "MIT OR Apache-2.0",
    },
    NamedModel {
        name: "duoduo",
        origin: Origin::Hub { repository: "3dlg-hcvc/DuoduoCLIP", file: "Four_1to6F_bs1600_LT6.ckpt" },
        about: "Duoduo CLIP ViT-B/32, trained on Objaverse, ShapeNet, 3D-FUTURE and ABO",
        licence: "see the repository",
    },
    NamedModel {
        name: "duoduo-mvpnet",
        origin: Origin::Hub { repository: "3dlg-hcvc/DuoduoCLIP", file: "Four_MVPNet_1to6F_bs1600_LT6.ckpt" },
        about: "Duoduo CLIP ViT-B/32, also trained on MVPNet's objects",
        licence: "see the repository",
    },
    NamedModel {
        name: "duoduo-mvimgnet",
        origin: Origin::Hub {
            repository: "3dlg-hcvc/DuoduoCLIP",
            file: "Four_MVImgNet_1to6F_bs1600_LT6.ckpt",
        },
        about: "Duoduo CLIP ViT-B/32, also trained on MVImgNet's photos",
        licence: "see the repository",
    },
    NamedModel {
        name: "openclip-b32",
        origin: Origin::Hub {
            repository: "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
            file: "open_clip_pytorch_model.bin",
        },
        about: "OpenCLIP ViT-B/32 of LAION-2B; views are averaged",
        licence: "MIT",
    },
];

/// The weights that a name or a path stands for.
pub fn locate(name_or_path: &str) -> Result<WeightFile, ModelError> {
    if let Some(path) = joint::as_path(name_or_path) {
        return Ok(WeightFile::open(&path)?);
    }
    let Some(model) = MODELS.iter().find(|model| model.name == name_or_path) else {
        let known = MODELS.map(|model| model.name).join(", ");
        return Err(ModelError::UnknownModel { name: name_or_path.to_owned(), known });
    };
    match model.origin {
        Origin::BuiltIn => Ok(WeightFile::from_static(model.name, NANO)?),
        Origin::Hub { repository, file } => match cached(repository, file) {
            Some(path) => Ok(WeightFile::open(&path)?),
            None => Err(ModelError::NotDownloaded {
                name: name_or_path.to_owned(),
                path: hub_folder(repository).join("snapshots").join("…").join(file),
            }),
        },
    }
}

/// Cards of all named models.
pub fn list() -> Vec<ModelCard> {
    MODELS.iter().map(NamedModel::card).collect()
}

/// What a file of weights holds.
pub fn describe(name_or_path: &str) -> Result<ModelCard, ModelError> {
    if let Some(model) = MODELS.iter().find(|model| model.name == name_or_path) {
        return Ok(model.card());
    }
    let file = locate(name_or_path)?;
    Ok(described(&file, name_or_path.to_owned())?)
}

impl NamedModel {
    fn card(&self) -> ModelCard {
        let described = locate(self.name).ok().and_then(|file| described(&file, String::new()).ok());
        let available = described.is_some();
        let origin = match self.origin {
            Origin::BuiltIn => "built in".to_owned(),
            Origin::Hub { repository, file } => format!("huggingface.co/{repository}/{file}"),
        };
        let (name, about, licence) = (self.name.to_owned(), self.about.to_owned(), self.licence.to_owned());
        let blank = ModelCard::blank();
        ModelCard { name, about, licence, origin, available, ..described.unwrap_or(blank) }
    }
}

impl ModelCard {
    fn blank() -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            modality: "views",
            dim: None,
            view_size: None,
            joint_from: None,
            parameters: None,
            bytes: None,
            origin: String::new(),
            licence: String::new(),
            available: false,
        }
    }
}

fn described(file: &WeightFile, origin: String) -> Result<ModelCard, WeightsError> {
    let config = joint::config_of(file)?;
    let joint = config.joint_from < config.clip.vision.layers;
    let bytes = match file.path().metadata() {
        Ok(metadata) => metadata.len(),
        Err(_) => NANO.len() as u64,
    };
    Ok(ModelCard {
        name: config.name,
        about: if joint { "multi-view CLIP" } else { "CLIP; views are averaged" }.to_owned(),
        dim: Some(config.clip.dim),
        view_size: Some(config.preprocess.size),
        joint_from: Some(config.joint_from),
        parameters: Some(file.n_elements("")),
        bytes: Some(bytes),
        origin,
        licence: "not stated in the file".to_owned(),
        available: true,
        ..ModelCard::blank()
    })
}

/// The Hugging Face cache: `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub`.
pub fn hub_cache() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("HF_HUB_CACHE").or_else(|| Some(variable("HF_HOME")?.join("hub"))).unwrap_or_else(|| {
        let home = variable("HOME").or_else(|| variable("USERPROFILE")).unwrap_or_default();
        home.join(".cache").join("huggingface").join("hub")
    })
}

/// Folder of a repository in the cache.
pub fn hub_folder(repository: &str) -> PathBuf {
    hub_cache().join(format!("models--{}", repository.replace('/', "--")))
}

/// A file in the cache, at the revision that `refs/main` names, else in any snapshot.
pub(crate) fn cached(repository: &str, file: &str) -> Option<PathBuf> {
    let folder = hub_folder(repository);
    let main = fs_err::read_to_string(folder.join("refs").join("main")).ok();
    let pinned = main.map(|revision| folder.join("snapshots").join(revision.trim()).join(file));
    pinned.filter(|path| path.is_file()).or_else(|| newest_snapshot(&folder.join("snapshots"), file))
}

fn newest_snapshot(snapshots: &Path, file: &str) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = (fs_err::read_dir(snapshots).ok()?.flatten())
        .map(|entry| entry.path().join(file))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop()
}
