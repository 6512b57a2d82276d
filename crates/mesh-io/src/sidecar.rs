//! Files that a 3D file references: buffers, material libraries, textures.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

/// Most sidecars of one file.
const MAX_SIDECARS: usize = 4096;
/// Longest line of a text format that may name a sidecar.
const LINE_BYTES: usize = 4096;

/// A file that another file references.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sidecar {
    /// Where the reader looks first: relative to the folder of the referencing file, with forward slashes.
    pub path: String,
    /// The name as written, which the reader tries if `path` does not exist.
    pub written: String,
    /// Whether it is a material library, which references textures itself.
    pub is_material_library: bool,
}

impl Sidecar {
    /// A file named literally, with separators of either kind.
    pub(crate) fn literal(name: &str, is_material_library: bool) -> Self {
        let path = name.trim().trim_matches('"').replace('\\', "/");
        Self { path, written: name.to_owned(), is_material_library }
    }
}

/// Sidecars in order of their paths, each once, at most [`MAX_SIDECARS`].
#[derive(Default)]
pub(crate) struct Sidecars(BTreeSet<Sidecar>);

impl Sidecars {
    pub(crate) fn push(&mut self, sidecar: Sidecar) {
        if !sidecar.path.is_empty() && (self.0.len() < MAX_SIDECARS || self.0.contains(&sidecar)) {
            self.0.insert(sidecar);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Sidecar> {
        self.0.into_iter().collect()
    }
}

/// Calls `visit` with each line, cut at [`LINE_BYTES`], so that a file without line breaks takes no memory.
pub(crate) fn for_each_line(mut content: impl BufRead, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
    let mut line = Vec::with_capacity(LINE_BYTES);
    loop {
        let buffer = content.fill_buf()?;
        if buffer.is_empty() {
            visit(&line);
            return Ok(());
        }
        let end = buffer.iter().position(|&b| b == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        // The rest of an overlong line is skipped, not kept.
        line.extend_from_slice(&part[..part.len().min(LINE_BYTES - line.len())]);
        let used = part.len() + usize::from(end.is_some());
        if end.is_some() {
            visit(&line);
            line.clear();
        }
        content.consume(used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut() {
        let text = [vec![b'a'; 3 * LINE_BYTES], b"\nb\n\nc".to_vec()].concat();
        let mut lengths = Vec::new();
        // A small buffer, so that lines cross its end.
        let content = io::BufReader::with_capacity(7, &text[..]);
        for_each_line(content, |line| lengths.push(line.len())).unwrap();
        assert_eq!(lengths, [LINE_BYTES, 1, 0, 1]);
    }
}
