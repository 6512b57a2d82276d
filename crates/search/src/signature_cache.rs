//! A cache file of shape signatures by content hash; recreated if it is missing or of another version.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use lexiform_geometry::registration::Signature;

/// First bytes of the file.
const MAGIC: &[u8; 8] = b"lxsigna\n";
/// Length of a content hash in hexadecimal.
const HASH_BYTES: usize = 32;
/// Length of a content hash with its signature.
const ROW_BYTES: usize = HASH_BYTES + 4 * Signature::LENGTH;
/// Larger files are not read; enough for some three million shapes.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Signatures by content hash.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SignatureCache(BTreeMap<String, Signature>);

impl SignatureCache {
    /// Reads a cache file; empty if it is missing, too large or of another version.
    pub fn read(path: &Path) -> Self {
        let is_readable =
            std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= MAX_FILE_BYTES);
        let bytes = if is_readable { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
        Self::parse(&bytes).unwrap_or_default()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let rows = bytes.strip_prefix(MAGIC)?.strip_prefix(&Signature::VERSION.to_le_bytes())?;
        let row = |row: &[u8]| {
            let (hash, numbers) = row.split_at(HASH_BYTES);
            let numbers: Vec<f32> =
                numbers.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            Some((std::str::from_utf8(hash).ok()?.to_owned(), Signature::from_slice(&numbers)?))
        };
        // A truncated or invalid row costs only the time to compute one signature again.
        Some(Self(rows.chunks_exact(ROW_BYTES).filter_map(row).collect()))
    }

    /// The signature of a content, if it is cached.
    pub fn get(&self, content_hash: &str) -> Option<&Signature> {
        self.0.get(content_hash)
    }

    /// A copy of the cache with more signatures.
    pub fn merged<'a>(&self, others: impl Iterator<Item = (&'a str, &'a Signature)>) -> Self {
        let mut all = self.clone();
        // Rows of the file have a fixed size.
        let others = others.filter(|(hash, _)| hash.len() == HASH_BYTES);
        all.0.extend(others.map(|(hash, signature)| (hash.to_owned(), signature.clone())));
        all
    }

    /// Writes the file atomically: it is complete or unchanged.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut bytes = [MAGIC.as_slice(), &Signature::VERSION.to_le_bytes()].concat();
        for (hash, signature) in &self.0 {
            bytes.extend(hash.as_bytes());
            signature.as_slice().iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        }
        lexiform_formats::write_file(path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_back_without_invalid_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signatures.bin");
        assert_eq!(SignatureCache::read(&path), SignatureCache::default());
        let signature = Signature::from_slice(&[0.25; Signature::LENGTH]).unwrap();
        let (a, b) = ("a".repeat(HASH_BYTES), "b".repeat(HASH_BYTES));
        let both = SignatureCache::default().merged([(&a[..], &signature), (&b[..], &signature)].into_iter());
        both.write(&path).unwrap();
        assert_eq!(SignatureCache::read(&path), both);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 1);
        std::fs::write(&path, &bytes).unwrap();
        let read = SignatureCache::read(&path);
        assert_eq!((read.get(&a), read.get(&b)), (Some(&signature), None));
        std::fs::write(&path, b"something else").unwrap();
        assert_eq!(SignatureCache::read(&path), SignatureCache::default());
    }
}
