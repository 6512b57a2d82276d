//! Sentences about shapes: what files say about themselves, and what a model says that looks at their views.

pub mod carried;
#[cfg(feature = "served")]
mod pause;
#[cfg(feature = "served")]
mod served;

#[cfg(feature = "served")]
pub use self::served::{Served, ServedConfig, ServedCounts};

use crate::{Caption, Member};

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
    fn caption(&self, subject: &Subject) -> Result<Vec<Caption>, CaptionError>;
}

/// Why there is no sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptionError {
    /// There is none about this shape; another may succeed.
    #[error("{0}")]
    Shape(String),
    /// There will be none about any: the server is gone, or refuses us.
    #[error("{0}")]
    Server(String),
}
