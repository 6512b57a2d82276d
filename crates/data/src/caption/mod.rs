//! Captions of shapes: from names and metadata of files, and from a model that sees their views.

pub mod carried;
#[cfg(feature = "served")]
mod pause;
#[cfg(feature = "served")]
mod served;

#[cfg(feature = "served")]
pub use self::served::{Served, ServedConfig, ServedCounts};

use crate::{Caption, Member, Refused};

/// The input of a captioner: one shape.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
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
    /// Number of shapes that are captioned at the same time.
    fn concurrency(&self) -> usize;
    /// Captions of one shape.
    ///
    /// # Errors
    /// [`CaptionError`] says whether only this shape or every shape fails.
    fn caption(&self, subject: &Subject) -> Result<Said, CaptionError>;
}

/// The captions of a shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The captions.
    pub captions: Vec<Caption>,
    /// Number of requested captions: one per view, or one for all views.
    pub asked: usize,
    /// The reason for each missing caption.
    pub refused: Vec<String>,
}

impl Said {
    /// The missing captions, if any.
    pub fn refused(&self) -> Option<Refused> {
        let reason = self.refused.first()?.clone();
        Some(Refused { questions: self.refused.len(), asked: self.asked, reason })
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
