//! The option that says which axis of 3D files points up.

use clap::Args;
use lexiform_mesh_io::UpRule;

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
}
