//! Sentences about what a library has.

use lexiform_model::caption::PrefixCaptioner;
use lexiform_model::device;
use serde::{Deserialize, Serialize};

use crate::{Item, Problem, Service};

/// Something to describe.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionRequest {
    /// What to describe.
    pub item: Item,
}

/// A sentence about something.
#[derive(Clone, Debug, Serialize)]
pub struct CaptionResponse {
    /// The sentence.
    pub caption: String,
    /// Name and fingerprint of the captioner.
    pub captioner: String,
    /// Id of the model whose embeddings it continues.
    pub model: String,
}

impl Service {
    /// Describes something in a sentence: kind, color, material, parts.
    ///
    /// # Errors
    /// 404 for an unknown item, 501 if there is no captioner for the library's model.
    pub fn caption(&self, request: &CaptionRequest) -> Result<CaptionResponse, Problem> {
        let captioner = self.captioner()?;
        let described = &captioner.config().model;
        if described != self.model() {
            let detail = format!("no captioner for embeddings of {}, only for {described}", self.model());
            return Err(Problem::new(501, detail).with_hint("serve a library of the built-in model"));
        }
        let embedding = self.embedding(&request.item)?;
        let caption = captioner.describe(&embedding).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(CaptionResponse { caption, captioner: captioner.id().to_owned(), model: self.model().to_owned() })
    }

    /// The built-in captioner, opened when it is first needed: most servers are never asked for captions.
    fn captioner(&self) -> Result<&PrefixCaptioner, Problem> {
        if let Some(opened) = self.captioner.get() {
            return Ok(opened);
        }
        let internal = |error: &dyn std::fmt::Display| Problem::internal(error.to_string());
        let cpu = device("cpu").map_err(|error| internal(&error))?;
        let opened = PrefixCaptioner::built_in(&cpu).map_err(|error| internal(&error))?;
        Ok(self.captioner.get_or_init(|| opened))
    }
}
