//! Embeddings of texts, files of the library and uploads, in the form of OpenAI's
//! [embeddings](https://platform.openai.com/docs/api-reference/embeddings).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::{Item, Problem, Service};

/// Most inputs of a request.
const MAX_INPUTS: usize = 256;

/// What to embed: texts, as programs for OpenAI's API send them, or items of this server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingsRequest {
    /// One input or several.
    pub input: EmbeddingInputs,
    /// Id of the library's model, or its name without the fingerprint.
    #[serde(default)]
    pub model: Option<String>,
    /// Form of the numbers.
    #[serde(default)]
    pub encoding_format: EncodingFormat,
    /// Length of an embedding; only that of the model.
    #[serde(default)]
    pub dimensions: Option<usize>,
    /// Sent by some programs; without effect.
    #[serde(default)]
    pub user: IgnoredAny,
}

/// One input or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum EmbeddingInputs {
    /// One.
    One(EmbeddingInput),
    /// Several.
    Several(Vec<EmbeddingInput>),
}

/// A text or an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum EmbeddingInput {
    /// A text.
    Text(String),
    /// A text, a file of the library or an upload.
    Item(Item),
}

/// Form of the numbers of an embedding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncodingFormat {
    /// A list.
    #[default]
    Float,
    /// Base64 of little-endian `f32`.
    Base64,
}

/// Embeddings in the order of the inputs.
#[derive(Clone, Debug, Serialize)]
pub struct EmbeddingsResponse {
    /// `list`.
    pub object: &'static str,
    /// One for each input.
    pub data: Vec<EmbeddingObject>,
    /// Id of the model.
    pub model: String,
}

/// One embedding.
#[derive(Clone, Debug, Serialize)]
pub struct EmbeddingObject {
    /// `embedding`.
    pub object: &'static str,
    /// Position of its input.
    pub index: usize,
    /// The numbers, of unit length.
    pub embedding: EmbeddingNumbers,
}

/// The numbers of an embedding.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum EmbeddingNumbers {
    /// A list.
    Float(Vec<f32>),
    /// Base64 of little-endian `f32`.
    Base64(String),
}

impl Service {
    /// Embeds texts, files of the library and uploads.
    ///
    /// # Errors
    /// 400 for too many inputs, an empty text or another number of dimensions, 404 for another model or an unknown item.
    pub fn embeddings(&self, request: EmbeddingsRequest) -> Result<EmbeddingsResponse, Problem> {
        self.check_model(&request)?;
        let inputs = match request.input {
            EmbeddingInputs::One(input) => vec![input],
            EmbeddingInputs::Several(inputs) => inputs,
        };
        if inputs.is_empty() || inputs.len() > MAX_INPUTS {
            let detail = format!("input: expected 1 to {MAX_INPUTS} texts or items, found {}", inputs.len());
            return Err(Problem::bad_request(detail));
        }
        let embed = |(index, input): (usize, EmbeddingInput)| {
            let item = match input {
                EmbeddingInput::Text(text) => Item::Text(text),
                EmbeddingInput::Item(item) => item,
            };
            let numbers = self.embedding(&item)?;
            let embedding = match request.encoding_format {
                EncodingFormat::Float => EmbeddingNumbers::Float(numbers.as_slice().to_vec()),
                EncodingFormat::Base64 => {
                    let bytes: Vec<u8> =
                        numbers.as_slice().iter().flat_map(|number| number.to_le_bytes()).collect();
                    EmbeddingNumbers::Base64(STANDARD.encode(bytes))
                }
            };
            Ok(EmbeddingObject { object: "embedding", index, embedding })
        };
        let data = inputs.into_iter().enumerate().map(embed).collect::<Result<_, Problem>>()?;
        Ok(EmbeddingsResponse { object: "list", data, model: self.model().to_owned() })
    }

    fn check_model(&self, request: &EmbeddingsRequest) -> Result<(), Problem> {
        let (served, dim) = (self.model(), self.library.encoder().dim());
        let name = served.split('@').next().unwrap_or(served);
        if let Some(other) = request.model.as_deref().filter(|model| *model != served && *model != name) {
            return Err(Problem::not_found(format!("no such model: {other:?}"))
                .with_hint(format!("this library has embeddings of {name:?}")));
        }
        match request.dimensions {
            Some(other) if other != dim => {
                Err(Problem::bad_request(format!("dimensions: expected {dim}, found {other}")))
            }
            _ => Ok(()),
        }
    }
}
