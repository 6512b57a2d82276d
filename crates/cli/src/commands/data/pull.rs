//! `lexiform data pull`: published data sets and embeddings from the Hugging Face hub.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::error::{Outcome, UsageError};
use crate::output::{self, Align};

/// Download a published data set or embeddings from the Hugging Face hub; interrupted downloads are resumed
///
/// NAME is one of the list that is printed without it, or datasets/OWNER/NAME[/FOLDER] for any data set of the hub. Files in
/// parts, such as lvis_images.h5_part_aa, need not be joined: they are read as one.
#[derive(Args)]
pub(crate) struct PullArgs {
    /// What to download [default: list what there is]
    name: Option<String>,
    /// Folder to write to, created if needed
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// List the files without downloading them
    #[arg(long)]
    list: bool,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
}

/// Something published on the hub.
struct Published {
    name: &'static str,
    repository: &'static str,
    files: Files,
    description: &'static str,
}

/// Files of a repository.
enum Files {
    /// Each with its path in the folder that is written to.
    Listed(&'static [(&'static str, &'static str)]),
    /// All in a folder.
    Folder(&'static str),
}

const DUODUO: &str = "datasets/3dlg-hcvc/DuoduoCLIP-data";
const OPENSHAPE: &str = "datasets/OpenShape/openshape-training-data";

/// Local paths are those that the authors' scripts write below `dataset/data`.
const PUBLISHED: [Published; 7] = [
    Published {
        name: "duoduo-embeddings",
        repository: DUODUO,
        files: Files::Listed(&[
            (
                "model_embeddings/Four_1to6F_bs1600_LT6/shape_emb_objaverse.h5",
                "objaverse_embeddings/Four_1to6F_bs1600_LT6/shape_emb_objaverse.h5",
            ),
            (
                "model_embeddings/Four_1to6F_bs1600_LT6/shape_emb_objaverse_model_to_idx.json",
                "objaverse_embeddings/Four_1to6F_bs1600_LT6/shape_emb_objaverse_model_to_idx.json",
            ),
        ]),
        description: "Duoduo CLIP's embeddings of all of Objaverse (0.8 GB): lexiform index …/shape_emb_objaverse.h5",
    },
    Published {
        name: "duoduo-lvis",
        repository: DUODUO,
        files: Files::Listed(&[
            ("lvis_split/lvis_model_to_idx.json", "lvis_model_to_idx.json"),
            ("lvis_split/lvis_images.h5_part_aa", "lvis_images.h5_part_aa"),
            ("lvis_split/lvis_images.h5_part_ab", "lvis_images.h5_part_ab"),
            ("lvis_split/lvis_class_label_embeddings.npy", "lvis_class_label_embeddings.npy"),
        ]),
        description: "12 views of each shape of Objaverse-LVIS (83 GB): lexiform data import duoduo",
    },
    Published {
        name: "duoduo-four",
        repository: DUODUO,
        files: Files::Listed(&[
            ("training/four/model_to_idx.json", "model_to_idx.json"),
            ("training/four/supplement_model_to_idx.json", "supplement_model_to_idx.json"),
            ("training/four/supplement_mv_images_part_aa", "supplement_mv_images_part_aa"),
            ("training/four/supplement_mv_images_part_ab", "supplement_mv_images_part_ab"),
            ("training/four/supplement_mv_images_part_ac", "supplement_mv_images_part_ac"),
            (
                "training/four/ViT-B-32_laion2b_s34b_b79k/text_embeddings.npy",
                "ViT-B-32_laion2b_s34b_b79k/text_embeddings.npy",
            ),
            (
                "training/four/ViT-B-32_laion2b_s34b_b79k/image_embeddings.h5",
                "ViT-B-32_laion2b_s34b_b79k/image_embeddings.h5",
            ),
            (
                "lvis_split/lvis_class_label_embeddings.npy",
                "ViT-B-32_laion2b_s34b_b79k/lvis_class_label_embeddings.npy",
            ),
        ]),
        description: "Supplement and features for training on Four (160 GB); the other views are Zero123's",
    },
    Published {
        name: "openshape-embeddings",
        repository: "datasets/OpenShape/openshape-objaverse-embeddings",
        files: Files::Listed(&[
            ("objaverse.pt", "objaverse.pt"),
            ("objaverse_meta.json", "objaverse_meta.json"),
        ]),
        description: "OpenShape's embeddings of Objaverse (1.5 GB); asks for access: set HF_TOKEN",
    },
    Published {
        name: "openshape-meta",
        repository: OPENSHAPE,
        files: Files::Listed(&[("meta_data.zip", "meta_data.zip")]),
        description: "Lists, splits and captions of OpenShape's training data (0.5 GB)",
    },
    Published {
        name: "openshape-objaverse",
        repository: OPENSHAPE,
        files: Files::Folder("Objaverse"),
        description: "Point clouds and features of Objaverse, 160 archives: lexiform data import openshape",
    },
    Published {
        name: "ulip",
        repository: "datasets/SFXX/ulip",
        files: Files::Folder(""),
        description: "All that ULIP and ULIP-2 publish; a part of it: lexiform data pull datasets/SFXX/ulip/FOLDER",
    },
];

/// A file of a repository and where it is written.
type Wanted = (String, PathBuf);

impl PullArgs {
    /// Lists what is published, or downloads it.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let Some(name) = &self.name else {
            return self.list_published().map(|()| Outcome::Done);
        };
        let (repository, files) = wanted(name)?;
        if self.list {
            for (file, local) in &files {
                self.report(file, &self.out.join(local), None)?;
            }
            return Ok(Outcome::Done);
        }
        for (file, local) in &files {
            let target = self.out.join(local);
            let is_new = fetch(&repository, file, &target)?;
            self.report(file, &target, Some(is_new))?;
        }
        Ok(Outcome::Done)
    }

    fn list_published(&self) -> anyhow::Result<()> {
        if self.json {
            let line = |p: &Published| {
                output::json(
                    &json!({ "name": p.name, "repository": p.repository, "description": p.description }),
                )
            };
            return PUBLISHED.iter().try_for_each(line);
        }
        let rows: Vec<Vec<String>> =
            PUBLISHED.iter().map(|p| vec![p.name.to_owned(), p.description.to_owned()]).collect();
        Ok(output::line(output::table(&[("name", Align::Left), ("description", Align::Left)], &rows))?)
    }

    fn report(&self, file: &str, target: &Path, is_new: Option<bool>) -> anyhow::Result<()> {
        if self.json {
            return output::json(&json!({ "file": file, "path": target, "downloaded": is_new }));
        }
        Ok(output::line(target.display().to_string())?)
    }
}

/// The repository and files of a name, or of `datasets/OWNER/NAME/FOLDER`.
fn wanted(name: &str) -> anyhow::Result<(String, Vec<Wanted>)> {
    if let Some(published) = PUBLISHED.iter().find(|published| published.name == name) {
        let repository = published.repository.to_owned();
        let files = match published.files {
            Files::Listed(files) => {
                files.iter().map(|(file, local)| ((*file).to_owned(), PathBuf::from(local))).collect()
            }
            Files::Folder(folder) => below(&repository, folder)?,
        };
        return Ok((repository, files));
    }
    let parts: Vec<&str> = name.trim_end_matches('/').splitn(4, '/').collect();
    let ["datasets", owner, set, folder @ ..] = &parts[..] else {
        let known = PUBLISHED.map(|published| published.name).join(", ");
        let text =
            format!("unknown data set {name:?}: expected one of {known}, or datasets/OWNER/NAME[/FOLDER]");
        return Err(UsageError(text).into());
    };
    let repository = format!("datasets/{owner}/{set}");
    let files = below(&repository, folder.first().copied().unwrap_or_default())?;
    Ok((repository, files))
}

#[cfg(feature = "hub")]
fn below(repository: &str, folder: &str) -> anyhow::Result<Vec<Wanted>> {
    let files = lexiform_model::hub::list_files(repository, folder)?;
    Ok(files.into_iter().map(|file| (file.clone(), PathBuf::from(file))).collect())
}

#[cfg(feature = "hub")]
fn fetch(repository: &str, file: &str, target: &Path) -> anyhow::Result<bool> {
    let progress = crate::progress::Progress::for_bytes();
    let on_progress = |at: lexiform_model::hub::Progress| progress.set_position(at.downloaded, at.total);
    Ok(lexiform_model::hub::fetch_file(repository, file, target, on_progress)?)
}

#[cfg(not(feature = "hub"))]
fn below(repository: &str, _folder: &str) -> anyhow::Result<Vec<Wanted>> {
    cannot_download(repository)
}

#[cfg(not(feature = "hub"))]
fn fetch(repository: &str, _file: &str, _target: &Path) -> anyhow::Result<bool> {
    cannot_download(repository)
}

#[cfg(not(feature = "hub"))]
fn cannot_download<T>(repository: &str) -> anyhow::Result<T> {
    use crate::error::WithHint as _;
    Err(anyhow::anyhow!("{repository}: this build of lexiform cannot download: it lacks the feature `hub`"))
        .hint("download the files from huggingface.co, or build with `--features hub`")
}
