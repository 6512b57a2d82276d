//! Hashes as names: of uploads, and of what is derived from files.

/// 128 bits of a hash, as 32 hexadecimal digits: accidental collisions are out of the question.
pub(crate) fn short_hash(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex()[..32].to_owned()
}
