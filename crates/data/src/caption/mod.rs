//! Sentences about shapes: what files say about themselves, and what a model says that looks at their views.

pub mod carried;
#[cfg(feature = "served")]
mod pause;
#[cfg(feature = "served")]
mod served;

#[cfg(feature = "served")]
pub use self::served::{Served, ServedConfig, ServedCounts};

use crate::{Caption, Member, Refused};

/// What a captioner may look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The file's name below its source, with `/` between folders.
    pub name: &'a str,
    /// The file.
    pub bytes: &'a [u8],
    /// Its views as image files, among other members.
    pub views: &'a [Member],
}

/// Writes sentences about shapes; called from many threads.
pub trait Captioner: Sync {
    /// Names it and all that decides its sentences; recorded with the data set.
    fn name(&self) -> String;
    /// How many shapes it is asked about at the same time.
    fn concurrency(&self) -> usize;
    /// Sentences about one shape.
    ///
    /// # Errors
    /// [`CaptionError`] says whether this shape or the captioner is at fault.
    fn caption(&self, subject: &Subject) -> Result<Said, CaptionError>;
}

/// What a captioner said about a shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Its sentences.
    pub captions: Vec<Caption>,
    /// Questions it was asked: one a view, or one about all views.
    pub asked: usize,
    /// Why there is no sentence, for each question without one.
    pub refused: Vec<String>,
}

impl Said {
    /// What it did not say, if anything.
    pub fn refused(&self) -> Option<Refused> {
        let reason = self.refused.first()?.clone();
        Some(Refused { questions: self.refused.len(), asked: self.asked, reason })
    }
}

/// Why there is no sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptionError {
    /// There is none about this shape; another may succeed.
    #[error("{0}")]
    Shape(String),
    /// There will be none about any: the server is gone, or refuses us.
    #[error("{reason}")]
    Server {
        /// What happened.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
}
