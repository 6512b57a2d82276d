//! Bounded readers and writers of the containers and arrays that several crates need: zip, NumPy, pickle, HDF5, images.
//!
//! ```
//! use lexiform_formats::array::Array;
//! use lexiform_formats::npy::{Npy, read_npy};
//!
//! let array = Array::from_f32(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
//! let Npy::Array(back) = read_npy(&array.to_npy())? else { panic!("expected an array") };
//! assert_eq!(back, array);
//! assert!(read_npy(b"not an array").is_err());
//! # Ok::<(), String>(())
//! ```
//!
//! Files are untrusted: every reader returns a value or an error, and allocates no more memory than the size of the file and its
//! own limits allow. Readers of bytes return a message (`Result<_, String>`), to which the caller adds the path.
//! [`hdf5`], which opens files itself, returns a [`FormatError`].

pub mod array;
mod csv;
mod error;
pub mod hdf5;
pub mod inflate;
pub mod jpeg;
pub mod npy;
pub mod pickle;
pub mod png;
mod qoi;
mod read_at;
mod rgba;
pub mod view_format;
mod write_file;
pub mod zip;
mod zip_writer;

/// What files that Lexiform writes name as their software, where the format has a place for it.
pub const SOFTWARE: &str = "Lexiform";

pub use csv::csv_cell;
pub use error::FormatError;
pub use read_at::{PositionedFile, RandomAccess, file_exists, read_exact_at};
pub use rgba::composite_on_white;
pub use write_file::{FileWriter, exchange_durably, rename_durably, write_file};
pub use zip_writer::ZipWriter;
