//! How much is worked on at the same time.

use clap::Args;

/// How much is worked on at the same time.
#[derive(Args, Clone, Copy, Debug)]
pub struct JobsArg {
    /// Files or shapes worked on at the same time; 0 stands for one for each processor
    #[arg(short, long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024))]
    jobs: u32,
}

impl JobsArg {
    /// The number; 0 for one for each processor.
    pub fn count(self) -> usize {
        self.jobs as usize
    }
}
