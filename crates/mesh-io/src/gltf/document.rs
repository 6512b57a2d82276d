//! A parsed document with its buffers and buffer views; every range is checked.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::path::Path;

use super::container::Container;
use super::error::{GltfError, invalid};
use super::json::{BufferView, Root};
use super::{meshopt, uri};
use crate::limits;

/// Memory for all decompressed buffer views.
const DECODED_BYTES: usize = 512 << 20;

/// Most compressed primitives that may fail and be read from their uncompressed copies instead.
const MAX_FAILURES: u32 = 16;

/// A document with its buffers loaded.
pub(super) struct Document<'a> {
    pub root: Root,
    pub path: &'a Path,
    /// The bytes of each buffer, or why it cannot be read. A missing buffer is an error only where it is used.
    buffers: Vec<Result<Cow<'a, [u8]>, String>>,
    /// Views with EXT_meshopt_compression, decoded once at first use; failures are cached too.
    decoded: Vec<OnceCell<Result<Vec<u8>, String>>>,
    decoded_bytes: Cell<usize>,
    failures_left: Cell<u32>,
    /// Bytes of all buffers and the JSON: a bound on what a file may make the reader allocate.
    pub bytes_present: usize,
}

/// The bytes of a buffer view.
pub(super) struct View<'d> {
    pub bytes: &'d [u8],
    /// Bytes from one element to the next, where given.
    pub stride: Option<usize>,
}

impl<'a> Document<'a> {
    pub fn open(path: &'a Path, bytes: &'a [u8]) -> Result<Self, GltfError> {
        let container = Container::parse(bytes)?;
        let root = Root::parse(container.json)?;
        let mut bytes_left = limits::FILE_BYTES;
        let mut buffers = Vec::with_capacity(root.buffers.len());
        for (index, buffer) in root.buffers.iter().enumerate() {
            let content = match (&buffer.uri, container.binary) {
                (Some(uri), _) => uri::fetch(uri, path, bytes_left).map(Cow::Owned),
                (None, Some(binary)) if index == 0 => Ok(Cow::Borrowed(binary)),
                (None, _) => Err("it has neither a URI nor a binary chunk".to_owned()),
            };
            if let Ok(Cow::Owned(bytes)) = &content {
                // One budget for all buffers, which may name the same file many times.
                bytes_left = bytes_left.saturating_sub(bytes.len() as u64);
            }
            buffers.push(content.map_err(|reason| format!("buffer {index}: {reason}")));
        }
        let bytes_present = buffers.iter().flatten().map(|b| b.len()).sum::<usize>() + container.json.len();
        let decoded = std::iter::repeat_with(OnceCell::new).take(root.buffer_views.len()).collect();
        Ok(Self {
            root,
            path,
            buffers,
            decoded,
            decoded_bytes: 0.into(),
            failures_left: MAX_FAILURES.into(),
            bytes_present,
        })
    }

    /// The bytes of a buffer view, decompressed if need be.
    pub fn view(&self, index: usize) -> Result<View<'_>, GltfError> {
        let json = get(&self.root.buffer_views, index, "buffer view")?;
        let place = |error: GltfError| error.context(&format!("buffer view {index}"));
        let bytes = match json.extensions.as_ref().and_then(|e| e.meshopt.as_ref()) {
            Some(meshopt) => self.decoded[index]
                .get_or_init(|| self.decompress(meshopt).map_err(|error| error.to_string()))
                .as_deref()
                .map_err(|reason| place(invalid(reason.clone())))?,
            None => self.uncompressed(json).map_err(place)?,
        };
        let stride = json.byte_stride.map(|s| s.0).filter(|&s| s > 0);
        Ok(View { bytes, stride })
    }

    /// Counts a failed primitive; whether it may be read from its uncompressed copy.
    pub fn tolerate_failure(&self) -> bool {
        let left = self.failures_left.get();
        self.failures_left.set(left.saturating_sub(1));
        left > 0
    }

    fn uncompressed(&self, view: &BufferView) -> Result<&[u8], GltfError> {
        self.range(view.buffer.0, view.byte_offset.0, view.byte_length.0)
    }

    fn range(&self, buffer: usize, offset: usize, length: usize) -> Result<&[u8], GltfError> {
        let bytes = match get(&self.buffers, buffer, "buffer")? {
            Ok(bytes) => bytes,
            Err(reason) => return Err(invalid(reason.clone())),
        };
        offset.checked_add(length).and_then(|end| bytes.get(offset..end)).ok_or_else(|| {
            invalid(format!(
                "expected {length} bytes from {offset} in buffer {buffer}, which has {}",
                bytes.len()
            ))
        })
    }

    fn decompress(&self, json: &super::json::Meshopt) -> Result<Vec<u8>, GltfError> {
        let total = json.count.0.saturating_mul(json.byte_stride.0).saturating_add(self.decoded_bytes.get());
        if total > DECODED_BYTES {
            return Err(GltfError::too_large("size of decompressed buffers in bytes", total, DECODED_BYTES));
        }
        let source = self.range(json.buffer.0, json.byte_offset.0, json.byte_length.0)?;
        let bytes = meshopt::decode(json, source)?;
        self.decoded_bytes.set(total);
        Ok(bytes)
    }
}

/// The list's entry, or a fault that names what is missing.
pub(super) fn get<'d, T>(list: &'d [T], index: usize, what: &str) -> Result<&'d T, GltfError> {
    list.get(index).ok_or_else(|| invalid(format!("{what} {index} does not exist, there are {}", list.len())))
}
