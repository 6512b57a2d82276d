//! A bounded reader of HDF5 files, after the [HDF5 File Format Specification] version 3.0, and a writer of the simplest kind.
//!
//! It reads what data sets of shapes are kept in: groups by names, contiguous, compact and chunked arrays of integers,
//! floating-point numbers and strings, of either byte order, deflated, shuffled or neither. Any rows are read without the
//! rest. Everything in a file is untrusted: offsets and counts are checked before memory is allocated for them, trees are
//! followed to a bounded depth and number of nodes. The crates that read HDF5 without C are larger than all of this
//! project, or read files whole.
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
