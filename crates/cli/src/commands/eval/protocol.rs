//! Options that say how a benchmark is measured, and notes about it.

use clap::Args;
use lexiform_eval::protocol::{Benchmark, Paper, Protocol, Values};

use crate::error::UsageError;
use crate::output;

/// Which benchmark, measured as in which paper.
#[derive(Args, Clone, Debug)]
pub(crate) struct ProtocolArgs {
    /// Measure as a benchmark is measured: objaverse-lvis, modelnet40, modelnet10, scanobjectnn-obj-only,
    /// scanobjectnn-obj-bg, scanobjectnn-hardest, text2shape or mvpnet
    #[arg(long, value_name = "NAME")]
    protocol: Option<Benchmark>,
    /// Whose way of measuring: duoduo, ulip2, cg3d or openshape
    #[arg(long = "as", value_name = "PAPER", requires = "protocol")]
    paper: Option<Paper>,
}

impl ProtocolArgs {
    /// Whether a protocol was asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.protocol.is_some()
    }

    /// The protocol that was asked for.
    pub(crate) fn chosen(&self) -> anyhow::Result<Option<&'static Protocol>> {
        let Some(benchmark) = self.protocol else { return Ok(None) };
        let known: Vec<&Protocol> = Protocol::known(benchmark).collect();
        let papers = known.iter().map(|p| p.paper.name()).collect::<Vec<_>>().join(", ");
        match (self.paper, &known[..]) {
            (None, [only]) => Ok(Some(*only)),
            (None, _) => Err(UsageError(format!(
                "{} is measured in several ways: say whose by --as ({papers})",
                benchmark.name()
            ))
            .into()),
            (Some(paper), _) => match Protocol::of(benchmark, paper) {
                Some(protocol) => Ok(Some(protocol)),
                None => Err(UsageError(format!(
                    "{} is not known to be measured by {}, but by {papers}",
                    benchmark.name(),
                    paper.name()
                ))
                .into()),
            },
        }
    }
}

/// Notes how a protocol measures, where this run differs, and which published numbers of this kind there are.
pub(crate) fn note_protocol(protocol: &Protocol, shapes: usize, kind: fn(&Values) -> bool) {
    output::note(format!("protocol: {}: {}", protocol.title(), protocol.input.describe()));
    if !protocol.note.is_empty() {
        output::note(format!("note: {}", protocol.note));
    }
    if let Some(items) = protocol.items.filter(|items| *items != shapes) {
        output::note(format!("note: {shapes} shapes here, {items} in the paper"));
    }
    let rows: Vec<_> = protocol.published().into_iter().filter(|row| kind(&row.values)).collect();
    for row in &rows {
        output::note(format!("published: {}: {} ({})", row.model, row.values.describe(), row.source));
    }
    if rows.is_empty() {
        output::note("published: no row is known to compare with");
    }
}
