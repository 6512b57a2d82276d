//! A progress bar on standard error, only when that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that counts files; invisible unless standard error is a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar of `total` steps.
    pub(crate) fn new(total: usize) -> Self {
        // The target draws nothing unless standard error is a terminal.
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {eta} left  {wide_msg:.dim}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// A bar for a download of unknown size.
    #[cfg(feature = "hub")]
    pub(crate) fn for_bytes() -> Self {
        let progress = Self::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {eta} left") {
            progress.0.set_style(style.progress_chars("━╸ "));
        }
        progress
    }

    /// Sets the number of bytes done, and the total if it is known.
    #[cfg(feature = "hub")]
    pub(crate) fn set_position(&self, done: u64, total: Option<u64>) {
        self.0.set_length(total.unwrap_or(done));
        self.0.set_position(done);
    }

    /// Sets the number of steps done, and that of all.
    pub(crate) fn set_count(&self, done: usize, total: usize) {
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
    }

    /// Counts one step; `what` is shown next to the bar.
    pub(crate) fn step(&self, what: &str) {
        self.0.set_message(crate::output::single_line(what).into_owned());
        self.0.inc(1);
    }

    /// Prints a line above the bar.
    pub(crate) fn note(&self, text: &str) {
        self.0.suspend(|| crate::output::note(text));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
