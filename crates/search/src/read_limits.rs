//! Limits for reading many 3D files in parallel.

/// Larger files are read one at a time, independent of the number of workers, so that memory is bounded.
pub(crate) const LARGE_FILE_BYTES: u64 = 64 << 20;
/// Stack of threads that parse files: recursion of parsers is bounded, but can be deep.
pub(crate) const STACK_BYTES: usize = 16 << 20;
