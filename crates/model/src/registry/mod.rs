//! Models by name, and where their weights are.

mod models;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::models::MODELS;
use crate::error::ModelError;
use crate::weights::{WeightFile, sharded};

/// The built-in model: matrices in 8 bits.
static NANO: &[u8] = include_bytes!("../../nano.safetensors");
/// What describes its embeddings in sentences.
static NANO_CAPTIONER: &[u8] = include_bytes!("../../nano-captioner.safetensors");

/// A model with a name.
#[derive(Clone, Copy, Debug)]
pub struct NamedModel {
    /// Name on the command line.
    pub name: &'static str,
    /// Where its weights come from.
    pub origin: Origin,
    /// Description in one line.
    pub description: &'static str,
    /// License of the weights.
    pub license: &'static str,
    /// Input of the model.
    pub modality: Modality,
    /// Dimension of the joint space; 0 without one.
    pub dim: usize,
    /// Number of parameters, if published.
    pub parameters: Option<usize>,
    /// Files that are required next to the weights.
    pub sidecar_files: &'static [&'static str],
    /// The named model whose text and image towers it was trained with, if it has none of its own.
    pub paired: Option<&'static str>,
}

/// Input of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// Images, and text.
    Views,
    /// Point clouds.
    Points,
    /// Images and point clouds, and text.
    Both,
    /// Images, to generate captions; no joint space.
    Captioner,
    /// Point clouds, to predict one of the classes it was trained on; no joint space.
    Classifier,
}

impl Modality {
    /// `views`, `points`, `views and points`, `captioner` or `classifier`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Views => "views",
            Self::Points => "points",
            Self::Both => "views and points",
            Self::Captioner => "captioner",
            Self::Classifier => "classifier",
        }
    }
}

/// Where weights come from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// Part of this library.
    BuiltIn,
    /// A file of a repository on the Hugging Face hub.
    Hub {
        /// `owner/name`.
        repository: &'static str,
        /// File in it.
        file: &'static str,
    },
    /// A file of a data set on the Hugging Face hub.
    HubDataset {
        /// `owner/name`.
        repository: &'static str,
        /// File in it.
        file: &'static str,
    },
    /// A page that requires a browser.
    ManualDownload {
        /// Address of the page, except for its last part.
        address: &'static str,
        /// Last part of the address.
        id: &'static str,
    },
}

impl Origin {
    /// Address of the weights.
    pub fn describe(&self) -> String {
        match self {
            Self::BuiltIn => "built in".to_owned(),
            Self::Hub { repository, file } => format!("huggingface.co/{repository}/{file}"),
            Self::HubDataset { repository, file } => format!("huggingface.co/datasets/{repository}/{file}"),
            Self::ManualDownload { address, id } => format!("{address}{id}"),
        }
    }

    /// Folder in the cache, repository path in URLs, and file name, if the weights are on the hub.
    pub fn hub_location(&self) -> Option<(PathBuf, String, &'static str)> {
        match self {
            Self::Hub { repository, file } => Some((hub_folder(repository), (*repository).to_owned(), file)),
            Self::HubDataset { repository, file } => {
                let folder = hub_cache().join(format!("datasets--{}", repository.replace('/', "--")));
                Some((folder, format!("datasets/{repository}"), file))
            }
            Self::BuiltIn | Self::ManualDownload { .. } => None,
        }
    }
}

/// Opens the weights of a named model, those at a path, or those in a folder (`model.safetensors`, its index, or
/// `pytorch_model.bin`). Does not access the network.
///
/// ```
/// use lexiform_model::registry;
///
/// let file = registry::open_weights("nano")?;
/// assert!(file.contains("visual.conv1.weight"));
/// # Ok::<(), lexiform_model::ModelError>(())
/// ```
///
/// # Errors
/// [`ModelError::UnknownModel`], [`ModelError::NotDownloaded`] or [`ModelError::ManualDownload`] if there is no such file here,
/// or the error of opening it.
pub fn open_weights(name_or_path: &str) -> Result<WeightFile, ModelError> {
    // A file takes precedence over a model of the same name.
    if let Some(path) = existing_file(name_or_path) {
        return Ok(WeightFile::open(&path)?);
    }
    let Some(model) = MODELS.iter().find(|model| model.name == name_or_path) else {
        let known = MODELS.map(|model| model.name).join(", ");
        return Err(ModelError::UnknownModel { name: name_or_path.to_owned(), known });
    };
    match (model.origin, model.origin.hub_location()) {
        (_, Some((folder, _, file))) => {
            let not_downloaded = |path| ModelError::NotDownloaded { name: name_or_path.to_owned(), path };
            let path = cached_file(&folder, file)
                .ok_or_else(|| not_downloaded(folder.join("snapshots").join("…").join(file)))?;
            // An interrupted `pull` leaves the index and some of its files.
            match sharded::missing_shard(&path)? {
                Some(shard) => Err(not_downloaded(shard)),
                None => Ok(WeightFile::open(&path)?),
            }
        }
        (Origin::ManualDownload { .. }, _) => Err(ModelError::ManualDownload {
            name: name_or_path.to_owned(),
            address: model.origin.describe(),
        }),
        _ => Ok(WeightFile::from_static(model.name, NANO)?),
    }
}

/// Opens the captioner of the built-in model.
pub(crate) fn nano_captioner() -> Result<WeightFile, ModelError> {
    Ok(WeightFile::from_static("nano-captioner.safetensors", NANO_CAPTIONER)?)
}

/// The name as a path, if there is such a file, or a folder with weights.
fn existing_file(name_or_path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name_or_path);
    if path.is_dir() { sharded::weights_in(&path) } else { path.is_file().then_some(path) }
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
pub(crate) fn cached_file(folder: &Path, file: &str) -> Option<PathBuf> {
    let main = fs_err::read_to_string(folder.join("refs").join("main")).ok();
    // The layout of huggingface_hub's cache: refs name a commit, snapshots hold its files.
    let pinned = main.map(|revision| folder.join("snapshots").join(revision.trim()).join(file));
    pinned.filter(|path| path.is_file()).or_else(|| newest_snapshot(&folder.join("snapshots"), file))
}

fn newest_snapshot(snapshots: &Path, file: &str) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = (fs_err::read_dir(snapshots).ok()?.flatten())
        .map(|entry| entry.path().join(file))
        .filter(|path| path.is_file())
        .collect();
    // No order of directory entries is guaranteed.
    found.sort();
    found.pop()
}
