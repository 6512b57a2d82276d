//! Captions of shapes: from names and metadata of files, and from a model that sees their views.

mod attach;
pub mod from_file;
#[cfg(feature = "vlm")]
mod retry_after;
#[cfg(feature = "vlm")]
mod vlm;
#[cfg(feature = "vlm")]
mod vlm_config;

#[cfg(feature = "vlm")]
pub use self::vlm::VlmCaptioner;
#[cfg(feature = "vlm")]
pub use self::vlm_config::{VlmConfig, VlmStats};

pub(crate) use self::attach::{add_captions, add_missing_captions, drop_duplicates};
use crate::{Caption, Member, MissingCaptions};

/// The input of a captioner: one shape.
#[derive(Clone, Copy, Debug)]
pub struct CaptionInput<'a> {
    /// The file's path relative to its source, with `/` between folders.
    pub name: &'a str,
    /// The content of the file.
    pub bytes: &'a [u8],
    /// Its members, among which are the views as image files.
    pub views: &'a [Member],
}

/// Writes captions for shapes. Called from many threads.
pub trait Captioner: Sync {
    /// Its name and everything that determines its captions; recorded in the settings of the data set.
    fn name(&self) -> String;
    /// What its captions name as their [source](Caption::source): `vlm:MODEL`, `blip:MODEL`.
    fn source(&self) -> String;
    /// Number of shapes that are captioned at the same time.
    fn concurrency(&self) -> usize;
    /// Captions of one shape.
    ///
    /// # Errors
    /// [`CaptionError`] says whether only this shape or every shape fails.
    fn caption(&self, input: &CaptionInput) -> Result<CaptionOutput, CaptionError>;
}

/// The captions of a shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaptionOutput {
    /// The captions.
    pub captions: Vec<Caption>,
    /// Number of requested captions: one per view, or one for all views.
    pub requested: usize,
    /// The reason for each missing caption.
    pub errors: Vec<String>,
}

impl CaptionOutput {
    /// The missing captions, if any.
    pub fn missing(&self) -> Option<MissingCaptions> {
        let reason = self.errors.first()?.clone();
        Some(MissingCaptions { missing: self.errors.len(), requested: self.requested, reason })
    }
}

/// Why there is no caption.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptionError {
    /// This shape failed; others may succeed.
    #[error("{0}")]
    Shape(String),
    /// Every shape would fail: the server is down, or denies access.
    #[error("{reason}")]
    Server {
        /// What happened.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
}
