//! Files of embeddings: an array `[rows, dim]` of floating-point numbers and the name of each row, in the formats that other
//! projects publish and read.
//!
//! | format | array | names |
//! |---|---|---|
//! | HDF5 | the array of floats with two axes, such as Duoduo CLIP's `shape_feat` | an array of strings |
//! | `.npy` | | |
//! | `.npz` | the array of floats with two axes | an array of strings |
//! | `.safetensors` | the tensor with two axes, or `embeddings` | `rows` of the metadata |
//! | Parquet | the column of lists of floats | a column of texts |
//!
//! Names may also be in a file next to it: `{name: row}` or a list as JSON, or one name per line (see [`EmbeddingFile::open`]).
//! Rows are read in parts, so files may be larger than memory.

mod names;
mod partial;
mod rows;
mod software;
mod source;
mod table;
mod writer;

pub use rows::EmbeddingFile;
pub use software::is_written_by_lexiform;
pub use writer::{EMBEDDING_EXTENSIONS, EmbeddingWriter, index_path};

/// Extensions of files that can be read as embeddings. Arrays of points have `.npy` and `.npz` too, so only the content says
/// what such a file is.
pub const READABLE_EXTENSIONS: [&str; 8] =
    ["h5", "hdf5", "npy", "npz", "parquet", "safetensors", "he5", "pq"];
