//! The option `--jobs`.

use clap::Args;

/// Number of parallel jobs.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct JobsArg {
    /// Number of parallel jobs; 0 for one per processor
    #[arg(short, long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024))]
    jobs: u32,
}

impl JobsArg {
    /// The number; 0 for one per processor.
    pub(crate) fn count(self) -> usize {
        self.jobs as usize
    }
}
