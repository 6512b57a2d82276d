//! The file that `lexiform embed` writes.

use std::path::{Path, PathBuf};

use lexiform_data::embeddings::EmbeddingWriter;

use crate::output_file::OutputFile;

/// Format of what is written to a device or pipe, whose name says nothing.
const PIPE_EXTENSION: &str = "safetensors";

/// A file of embeddings, or a device or pipe.
pub(crate) struct EmbeddingOutput {
    file: OutputFile,
    path: PathBuf,
}

impl EmbeddingOutput {
    /// For a checked file, called `path` by the user.
    pub(crate) fn new(file: OutputFile, path: &Path) -> Self {
        Self { file, path: path.to_owned() }
    }

    /// The path as it was typed.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn writer(&self, model: &str, dim: usize) -> anyhow::Result<EmbeddingWriter> {
        Ok(EmbeddingWriter::create(&self.target(), model, dim)?)
    }

    /// Writes the file. What a device or pipe gets is complete before the first byte.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn finish(&self, writer: EmbeddingWriter) -> anyhow::Result<()> {
        writer.finish()?;
        if self.file.replaceable().is_err() {
            let target = self.target();
            let bytes = fs_err::read(&target)?;
            fs_err::remove_file(&target)?;
            self.file.write(&bytes)?;
        }
        Ok(())
    }

    /// Starts the file, or continues where an interrupted run with the same `settings` stopped.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn resume(&self, model: &str, dim: usize, settings: &str) -> anyhow::Result<EmbeddingWriter> {
        match self.file.replaceable() {
            Ok(path) => Ok(EmbeddingWriter::resume(path, model, dim, settings)?),
            // Of a device or pipe nothing is left.
            Err(_) => self.writer(model, dim),
        }
    }

    fn target(&self) -> PathBuf {
        let temporary =
            || std::env::temp_dir().join(format!("lexiform-embed-{}.{PIPE_EXTENSION}", std::process::id()));
        self.file.replaceable().map_or_else(|_| temporary(), Path::to_owned)
    }
}
