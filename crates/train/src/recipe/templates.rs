//! Class sentences in a recipe: a list, or the name of a published one.

use lexiform_model::Templates;
use serde::{Deserialize, Deserializer};

/// CG3D trains with all of ULIP's sentences except this one.
const EXCLUDED_BY_CG3D: &str = "a point cloud model of {}.";

/// The value of `data.templates` in a recipe.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a list of sentences, or the name of one: \"ulip\" or \"cg3d\"")]
enum TemplatesValue {
    Named(TemplateSet),
    Sentences(Vec<String>),
}

/// A published list of class sentences.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TemplateSet {
    /// ULIP's 64 sentences.
    Ulip,
    /// The 63 sentences of CG3D's training; its evaluation uses another one.
    Cg3d,
}

/// Expands a name into its sentences, so that the output folder's `recipe.toml` is self-contained.
pub(super) fn sentences<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let ulip = || Templates::Ulip.sentences().unwrap_or_default();
    Ok(match TemplatesValue::deserialize(deserializer)? {
        TemplatesValue::Sentences(sentences) => sentences,
        TemplatesValue::Named(TemplateSet::Ulip) => ulip(),
        TemplatesValue::Named(TemplateSet::Cg3d) => {
            ulip().into_iter().filter(|said| said != EXCLUDED_BY_CG3D).collect()
        }
    })
}
