//! Signatures of shapes by content, kept in one file: derived, and made again where it is missing or of another version.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use lexiform_geometry::alike::Signature;

/// What the file begins with.
const MAGIC: &[u8; 8] = b"lxsigna\n";
/// Bytes of a content's hash in hexadecimal.
const HASH: usize = 32;
/// Bytes of a content with its signature.
const ROW: usize = HASH + 4 * Signature::LENGTH;
/// Larger files are not read: some three million shapes.
const MOST_BYTES: u64 = 1 << 30;

/// Signatures by content.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Signatures(BTreeMap<String, Signature>);

impl Signatures {
    /// Those that a file holds; none if it is not there or not as this version writes it.
    pub fn read(path: &Path) -> Self {
        let is_fit = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= MOST_BYTES);
        let bytes = if is_fit { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
        Self::parse(&bytes).unwrap_or_default()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let rows = bytes.strip_prefix(MAGIC)?.strip_prefix(&Signature::VERSION.to_le_bytes())?;
        let row = |row: &[u8]| {
            let (hash, numbers) = row.split_at(HASH);
            let numbers: Vec<f32> =
                numbers.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            Some((std::str::from_utf8(hash).ok()?.to_owned(), Signature::from_slice(&numbers)?))
        };
        // A row cut short, or damaged, is one shape to look at again.
        Some(Self(rows.chunks_exact(ROW).filter_map(row).collect()))
    }

    pub fn get(&self, content: &str) -> Option<&Signature> {
        self.0.get(content)
    }

    /// These and those.
    pub fn with<'a>(&self, others: impl Iterator<Item = (&'a str, &'a Signature)>) -> Self {
        let mut all = self.clone();
        let others = others.filter(|(content, _)| content.len() == HASH);
        all.0.extend(others.map(|(content, signature)| (content.to_owned(), signature.clone())));
        all
    }

    /// Writes the file in one step: it is complete or unchanged.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut bytes = [MAGIC.as_slice(), &Signature::VERSION.to_le_bytes()].concat();
        for (content, signature) in &self.0 {
            bytes.extend(content.as_bytes());
            signature.as_slice().iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        }
        lexiform_formats::write_file(path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signatures.bin");
        assert_eq!(Signatures::read(&path), Signatures::default());
        let signature = Signature::from_slice(&[0.25; Signature::LENGTH]).unwrap();
        let (a, b) = ("a".repeat(HASH), "b".repeat(HASH));
        let both = Signatures::default().with([(&a[..], &signature), (&b[..], &signature)].into_iter());
        both.write(&path).unwrap();
        assert_eq!(Signatures::read(&path), both);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 1);
        std::fs::write(&path, &bytes).unwrap();
        let read = Signatures::read(&path);
        assert_eq!((read.get(&a), read.get(&b)), (Some(&signature), None));
        std::fs::write(&path, b"something else").unwrap();
        assert_eq!(Signatures::read(&path), Signatures::default());
    }
}
