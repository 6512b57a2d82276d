//! Options of the bootstrap.

use clap::Args;
use lexiform_metrics::bootstrap::Resampling;

/// How intervals are computed.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ResamplingArgs {
    /// Bootstrap rounds for the 95 % confidence intervals
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rounds: u32,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl ResamplingArgs {
    /// How intervals are computed.
    pub(crate) fn resampling(self) -> Resampling {
        Resampling { rounds: self.rounds as usize, seed: self.seed }
    }
}
