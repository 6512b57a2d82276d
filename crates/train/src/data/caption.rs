//! Captions of shapes, and where they come from.

/// A caption of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// The text; empty if only its features are known.
    pub text: String,
    /// Where it comes from.
    pub source: CaptionSource,
    /// The view it describes; `None` for the whole shape.
    pub view: Option<usize>,
}

/// Source of a caption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptionSource {
    /// The class name, which fits every shape of the category.
    Label,
    /// The shape's own name or metadata text.
    Metadata,
    /// BLIP, as published by [OpenShape](https://arxiv.org/abs/2305.10764) and used by
    /// [Duoduo CLIP](https://arxiv.org/abs/2406.11579).
    Blip,
    /// Microsoft Azure's captioning service, published with BLIP's captions.
    Microsoft,
    /// Any other captioning model, or a template with the label.
    Generated,
    /// Text retrieved for a similar image or shape.
    Retrieved,
}

impl CaptionSource {
    /// By the name of the source in a data set.
    pub(crate) fn from_name(source: &str) -> Self {
        match source {
            // Names of sources as in `lexiform data`; unknown ones are captioning models.
            "name" | "folder" | "metadata" | "text" => Self::Metadata,
            "blip" | "blip_caption" => Self::Blip,
            "msft" | "msft_caption" => Self::Microsoft,
            "retrieval" | "retrieval_text" => Self::Retrieved,
            _ => Self::Generated,
        }
    }
}

impl Caption {
    /// A caption of the whole shape.
    pub fn new(text: impl Into<String>, source: CaptionSource) -> Self {
        Self { text: text.into(), source, view: None }
    }

    /// A caption of a data set.
    pub(crate) fn from_dataset(caption: lexiform_data::Caption) -> Self {
        Self { source: CaptionSource::from_name(&caption.source), text: caption.text, view: caption.view }
    }
}
