//! What can go wrong when weights are read from a file.

use std::path::PathBuf;

/// Why weights cannot be read or do not fit a network.
///
/// Every variant names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file is damaged, or of another format.
    #[error("{}: not a readable {format} file: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The network needs a tensor that the file does not have.
    #[error("{}: tensor {name:?} is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor in the file.
        name: String,
    },
    /// The file has tensors that the network does not use.
    #[error("{}: {} tensors are not part of the network, the first is {:?}", path.display(), names.len(), names[0])]
    Unused {
        /// The file.
        path: PathBuf,
        /// Their names, sorted.
        names: Vec<String>,
    },
    /// The shape of a tensor is not the network's.
    #[error("{}: tensor {name:?} has shape {found:?}, the network needs {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Shape in the network.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// The type of a tensor is not a floating-point type.
    #[error("{}: tensor {name:?} has type {found}, expected a floating-point type", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Type in the file.
        found: String,
    },
    /// The tensors are not those of a known network.
    #[error("{}: unknown network: {message}", path.display())]
    Unrecognized {
        /// The file.
        path: PathBuf,
        /// What was expected and not found.
        message: String,
    },
    /// A file that must be in the folder of the weights is missing or invalid.
    #[error("{}: {file} must be in the same folder: {message}", path.display())]
    CompanionFile {
        /// The weights.
        path: PathBuf,
        /// Name of the other file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
}
