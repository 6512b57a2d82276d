//! Options for the labels to choose from and their prompt templates.

use std::path::PathBuf;

use clap::Args;
use lexiform_eval::{ClassTexts, LabelList};

use super::protocol::ProtocolArgs;
use crate::commands::classify::lines;

/// Labels and prompt templates.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClassTextArgs {
    /// File with the labels to choose from: one per line, lvis.csv, a table of numbers and names, JSON, or class features with
    /// names [default: all labels of the files]
    #[arg(long, value_name = "FILE", requires = "given")]
    labels_file: Option<String>,
    /// File with one prompt template per line, `{}` for the label [default: those of the protocol or the model]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    /// Precomputed text features: one row per label, or one per label and template, grouped by label. Named rows are matched
    /// by name
    #[arg(long, value_name = "FILE[#TENSOR]", requires = "given")]
    class_features: Option<String>,
    #[command(flatten)]
    pub(crate) protocol_args: ProtocolArgs,
}

impl ClassTextArgs {
    /// Reads labels and templates from their files.
    ///
    /// # Errors
    /// If a file cannot be read or the protocol is ambiguous.
    pub(crate) fn texts(&self) -> anyhow::Result<ClassTexts> {
        Ok(ClassTexts {
            labels: self.labels_file.as_deref().map(LabelList::read).transpose()?,
            templates: self.templates.as_deref().map(lines).transpose()?,
            features: self.class_features.clone(),
            protocol: self.protocol_args.selected()?,
        })
    }
}
