//! The option that says which axis of 3D files points up.

use clap::Args;
use lexiform_mesh_io::UpRule;
use lexiform_search::{Library, LibraryPath};

/// The up axis of 3D files.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct UpArg {
    /// Up axis of 3D files: y, z or x, auto to decide from each shape, or format for what the file states, else z for STL, PCD and
    /// LAS and y for others [default: format]
    #[arg(long, value_name = "AXIS")]
    pub(crate) up: Option<UpRule>,
}

impl UpArg {
    /// The given rule, or that of the format.
    pub(crate) fn rule(self) -> UpRule {
        self.up.unwrap_or_default()
    }

    /// The given rule and the one that a library was indexed with, if they differ.
    ///
    /// # Errors
    /// If the library cannot be read.
    pub(crate) fn other_than_indexed(self, place: &LibraryPath) -> anyhow::Result<Option<(UpRule, UpRule)>> {
        let Some(up) = self.up.filter(|_| place.exists()) else { return Ok(None) };
        let recorded = Library::recorded_up(place)?;
        Ok((up != recorded).then_some((up, recorded)))
    }
}
