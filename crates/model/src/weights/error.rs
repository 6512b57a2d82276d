//! What can go wrong when a file of weights is read into a network.

use std::path::PathBuf;

/// Why weights cannot be read or do not fit a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file is not what its format demands.
    #[error("{}: not a readable {format} file: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// What the reader found.
        message: String,
    },
    /// The network needs a tensor the file does not have.
    #[error("{}: tensor {name:?} is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Name of the tensor as the network asks for it.
        name: String,
    },
    /// The file has tensors the network does not use.
    #[error("{}: {} tensors are not part of the network, the first is {:?}", path.display(), names.len(), names[0])]
    Unused {
        /// The file.
        path: PathBuf,
        /// Their names, sorted.
        names: Vec<String>,
    },
    /// A tensor has another shape than the network needs.
    #[error("{}: tensor {name:?} has shape {found:?}, the network needs {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// What the network needs.
        expected: Vec<usize>,
        /// What the file has.
        found: Vec<usize>,
    },
    /// A tensor holds something that is no floating-point number.
    #[error("{}: tensor {name:?} has type {found}, expected a floating-point type", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// What the file has.
        found: String,
    },
    /// The file's tensors belong to no architecture Lexiform knows.
    #[error("{}: cannot tell which network this is: {message}", path.display())]
    Unrecognized {
        /// The file.
        path: PathBuf,
        /// What was looked for and not found.
        message: String,
    },
    /// A file that belongs to the weights is not beside them, or not what it should be.
    #[error("{}: {file} must be beside it: {message}", path.display())]
    Beside {
        /// The weights.
        path: PathBuf,
        /// Name of the other file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
}
