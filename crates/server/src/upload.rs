//! What is kept of an uploaded picture or 3D file.

use lexiform_search::Embedding;

use crate::UploadResponse;

/// An upload.
#[derive(Clone)]
pub(crate) struct Upload {
    pub embedding: Embedding,
    pub response: UploadResponse,
}
