//! Options that write tables of a classification result.

use std::path::PathBuf;

use clap::Args;
use lexiform_eval::report::ClassificationTables;

use crate::output_file::{ForceArg, OutputFile};

/// Tables to write.
#[derive(Args, Clone, Debug)]
pub(crate) struct TablesArgs {
    /// Write the confusion matrix of the first result to a CSV file: one row per label, one column per predicted label
    #[arg(long, value_name = "FILE")]
    confusion_csv: Option<PathBuf>,
    /// Write accuracy and wrong predictions of each label of the first result to a CSV file
    #[arg(long, value_name = "FILE")]
    per_class_csv: Option<PathBuf>,
}

/// Tables that can be written.
pub(crate) struct TableFiles {
    confusion: Option<OutputFile>,
    per_class: Option<OutputFile>,
}

impl TablesArgs {
    /// Checks, before the evaluation, that the tables can be written.
    ///
    /// # Errors
    /// If one cannot.
    pub(crate) fn files(&self, force: ForceArg) -> anyhow::Result<TableFiles> {
        let file =
            |path: &Option<PathBuf>| path.as_deref().map(|path| force.file(path, &["csv"], &[])).transpose();
        Ok(TableFiles { confusion: file(&self.confusion_csv)?, per_class: file(&self.per_class_csv)? })
    }
}

impl TableFiles {
    /// Writes the tables that were asked for.
    ///
    /// # Errors
    /// If one cannot be written.
    pub(crate) fn write(&self, tables: &ClassificationTables) -> anyhow::Result<()> {
        let files = [(&self.confusion, &tables.confusion), (&self.per_class, &tables.classes)];
        files
            .into_iter()
            .try_for_each(|(file, text)| file.iter().try_for_each(|file| file.write(text.as_bytes())))
    }
}
