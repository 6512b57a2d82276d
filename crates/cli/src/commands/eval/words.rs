//! Options that say which labels there are and which sentences name them.

use std::path::PathBuf;

use clap::Args;
use lexiform_eval::ClassTexts;

use super::protocol::ProtocolArgs;
use crate::commands::classify::lines;

/// Labels and class sentences.
#[derive(Args, Clone, Debug)]
pub(crate) struct WordsArgs {
    /// File with one label a line to choose from [default: all labels of the files]
    #[arg(long, value_name = "FILE", requires = "given")]
    labels_file: Option<PathBuf>,
    /// File with one sentence a line, `{}` where the label goes [default: those of the protocol or the model]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    /// Features of the labels, or of all their sentences, label by label, instead of words
    #[arg(long, value_name = "FILE[#TENSOR]", requires = "given")]
    class_features: Option<String>,
    #[command(flatten)]
    pub(crate) by: ProtocolArgs,
}

impl WordsArgs {
    /// Labels, sentences and protocol, read from their files.
    pub(crate) fn texts(&self) -> anyhow::Result<ClassTexts> {
        Ok(ClassTexts {
            labels: self.labels_file.as_deref().map(lines).transpose()?,
            templates: self.templates.as_deref().map(lines).transpose()?,
            features: self.class_features.clone(),
            protocol: self.by.chosen()?,
        })
    }
}
