//! A bounded reader of HDF5 files, after the [HDF5 File Format Specification] version 3.0, and a writer of simple ones.
//!
//! It supports what data sets of shapes use: groups, and contiguous, compact and chunked arrays of integers, floating-point
//! numbers and strings, of either byte order, with the usual filters. Ranges of rows can be read without the rest.
//! Everything in a file is untrusted: offsets and counts are checked before memory is allocated for them, and trees are
//! followed to a bounded depth and number of nodes. Existing crates link the C library, or read files whole.
//!
//! [HDF5 File Format Specification]: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html

mod chunks;
mod dataset;
mod datatype;
mod file;
mod filter;
mod global_heap;
mod group;
mod layout;
mod object_header;
mod parser;
mod writer;

pub use self::dataset::Dataset;
pub use self::datatype::Datatype;
pub use self::file::File;
pub use self::writer::Writer;
