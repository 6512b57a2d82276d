//! Bounded readers and writers of the containers and arrays that several crates need.
//!
//! Files are untrusted: every reader gives a value or an error, and takes no more memory than the size of the file and its own
//! limits allow. Readers of bytes return a message (`Result<_, String>`), to which the caller, who knows the file, adds its path.
//! [`hdf5`], which opens files itself, returns a [`FormatError`].

pub mod array;
mod error;
pub mod hdf5;
pub mod inflate;
pub mod npy;
pub mod pickle;
pub mod picture;
pub mod png;
mod qoi;
mod read_at;
mod rgba;
mod write_file;
pub mod zip;

/// What files that Lexiform writes name as their software, where the format has a place for it.
pub const SOFTWARE: &str = "Lexiform";

pub use error::FormatError;
pub use read_at::{PositionedFile, RandomAccess, read_exact_at};
pub use rgba::on_white;
pub use write_file::{FileWriter, rename_durably, write_file};
