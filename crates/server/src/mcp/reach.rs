//! What clients may name.

/// What a client may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Files of this machine: whoever started this process can read them anyway.
    Machine,
    /// Records of the library only.
    Library,
}
