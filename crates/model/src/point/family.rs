//! The systems that released point encoders.

use serde::{Deserialize, Serialize};

use crate::templates::default_templates;

/// The system that trained an encoder, which determines preprocessing and templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelFamily {
    /// ULIP ([arXiv 2212.05171](https://arxiv.org/abs/2212.05171)) and ULIP-2
    /// ([arXiv 2305.08275](https://arxiv.org/abs/2305.08275)).
    Ulip,
    /// OpenShape ([arXiv 2305.10764](https://arxiv.org/abs/2305.10764)), +Z up (the grouped checkpoints).
    OpenShapeZUp,
    /// OpenShape, +Y up (the flat checkpoints, for OpenAI's CLIP).
    OpenShapeYUp,
    /// Uni3D ([arXiv 2310.06773](https://arxiv.org/abs/2310.06773)), trained on OpenShape's clouds as they are stored, +Z up.
    Uni3d,
    /// CG3D ([arXiv 2303.11313](https://arxiv.org/abs/2303.11313)).
    Cg3d,
}

impl ModelFamily {
    /// Templates of its evaluation, with its punctuation: the first and simplest of ULIP's 64, and CG3D's only one. OpenShape
    /// averages over many that it does not publish.
    pub fn templates(self) -> Vec<String> {
        let list: &[&str] = match self {
            Self::Ulip | Self::Uni3d => &[
                "a point cloud model of {}.",
                "There is a {} in the scene.",
                "a photo of a {}.",
                "a toy {}.",
            ],
            Self::Cg3d => &["This is a {}"],
            Self::OpenShapeZUp | Self::OpenShapeYUp => return default_templates(),
        };
        list.iter().map(|&template| template.to_owned()).collect()
    }
}
