//! Options for evaluation protocols, and notes about the chosen one.

use clap::Args;
use lexiform_eval::protocol::{Benchmark, Paper, Protocol, PublishedMetrics};

use crate::error::UsageError;
use crate::output;

/// A benchmark and the paper whose protocol is followed.
#[derive(Args, Clone, Debug)]
pub(crate) struct ProtocolArgs {
    /// Follow a published protocol: objaverse-lvis, modelnet40, modelnet10, scanobjectnn-obj-only,
    /// scanobjectnn-obj-bg, scanobjectnn-hardest, text2shape or mvpnet
    #[arg(long, value_name = "NAME")]
    protocol: Option<Benchmark>,
    /// Paper whose protocol to follow: duoduo, ulip2, cg3d or openshape
    #[arg(long, value_name = "PAPER", requires = "protocol")]
    paper: Option<Paper>,
}

impl ProtocolArgs {
    /// Whether a protocol was given.
    pub(crate) fn is_given(&self) -> bool {
        self.protocol.is_some()
    }

    /// The chosen protocol.
    ///
    /// # Errors
    /// If the benchmark has several protocols and no paper was given, or the paper has none.
    pub(crate) fn selected(&self) -> anyhow::Result<Option<&'static Protocol>> {
        let Some(benchmark) = self.protocol else { return Ok(None) };
        let known: Vec<&Protocol> = Protocol::for_benchmark(benchmark).collect();
        let papers = known.iter().map(|p| p.paper.name()).collect::<Vec<_>>().join(", ");
        match (self.paper, &known[..]) {
            // A benchmark with a single protocol needs no paper.
            (None, [only]) => Ok(Some(*only)),
            (None, _) => Err(UsageError(format!(
                "several papers evaluate {}: choose one with --paper ({papers})",
                benchmark.name()
            ))
            .into()),
            (Some(paper), _) => match Protocol::find(benchmark, paper) {
                Some(protocol) => Ok(Some(protocol)),
                None => Err(UsageError(format!(
                    "no protocol for {} from {}: expected one of {papers}",
                    benchmark.name(),
                    paper.name()
                ))
                .into()),
            },
        }
    }
}

/// Prints how a protocol evaluates, where this run differs, and the published results of this kind.
pub(crate) fn note_protocol(protocol: &Protocol, shapes: usize, kind: fn(&PublishedMetrics) -> bool) {
    output::note(format!("protocol: {}: {}", protocol.title(), protocol.input.describe()));
    if !protocol.note.is_empty() {
        output::note(format!("note: {}", protocol.note));
    }
    // Other shapes than the paper's make the results incomparable.
    if let Some(items) = protocol.num_shapes.filter(|items| *items != shapes) {
        output::note(format!("note: {shapes} shapes here, {items} in the paper"));
    }
    let rows: Vec<_> = protocol.published().into_iter().filter(|row| kind(&row.values)).collect();
    for row in &rows {
        output::note(format!("published: {}: {} ({})", row.model, row.values.describe(), row.source));
    }
    if rows.is_empty() {
        output::note("published: no results to compare with");
    }
}
