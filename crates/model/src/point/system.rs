//! The systems that released point encoders, and what their evaluations have in common.

use serde::{Deserialize, Serialize};

use crate::templates::usual_templates;

/// Whose training a file comes from; its habits decide how clouds are prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// ULIP and ULIP-2.
    Ulip,
    /// OpenShape, networks that want +Z up (the grouped checkpoints).
    OpenShapeZUp,
    /// OpenShape, networks that want +Y up (the flat checkpoints, for OpenAI's CLIP).
    OpenShapeYUp,
    /// CG3D.
    Cg3d,
}

impl System {
    /// Class sentences of its evaluation, with its full stops: the first and plainest of ULIP's 64, and CG3D's one. OpenShape
    /// averages over many that it does not list.
    pub fn templates(self) -> Vec<String> {
        let list: &[&str] = match self {
            Self::Ulip => &[
                "a point cloud model of {}.",
                "There is a {} in the scene.",
                "a photo of a {}.",
                "a toy {}.",
            ],
            Self::Cg3d => &["This is a {}"],
            Self::OpenShapeZUp | Self::OpenShapeYUp => return usual_templates(),
        };
        list.iter().map(|&template| template.to_owned()).collect()
    }
}
