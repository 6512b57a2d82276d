//! Class sentences in a recipe: written out, or by the name of a published list.

use lexiform_model::Templates;
use serde::{Deserialize, Deserializer};

/// CG3D trains with ULIP's sentences but for this one.
const EXCLUDED_BY_CG3D: &str = "a point cloud model of {}.";

/// As a recipe has them.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a list of sentences, or the name of one: \"ulip\" or \"cg3d\"")]
enum TemplatesValue {
    Named(TemplateSet),
    Sentences(Vec<String>),
}

/// A published list.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TemplateSet {
    /// ULIP's 64.
    Ulip,
    /// The 63 that CG3D's captions are made of; its one sentence for evaluation is another.
    Cg3d,
}

/// The sentences themselves, so that a run's own `recipe.toml` says what was learned from.
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
