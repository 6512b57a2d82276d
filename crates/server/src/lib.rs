//! Serves a library of 3D shapes: an HTTP API under `/v1`, a web page, and tools for language models (MCP).
//!
//! ```
//! use std::sync::Arc;
//!
//! use lexiform_search::{EncoderOptions, IndexOptions, Library, LibraryPath};
//! use lexiform_server::{SearchRequest, Service, TextBatcher};
//!
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path().canonicalize()?;
//! # std::fs::write(root.join("pyramid.obj"), "v -1 0 -1\nv 1 0 -1\nv 1 0 1\nv -1 0 1\nv 0 2 0\nf 1 2 3 4\nf 1 5 2\n")?;
//! let texts = Arc::new(TextBatcher::start(EncoderOptions::default().open("nano")?)?);
//! let library = Library::open(LibraryPath::for_assets(&root), texts.clone(), "nano")?;
//! library.index(&[root], &IndexOptions::default(), &mut |_event| {})?;
//!
//! let service = Service::new(library, &texts, None);
//! let found = service.search(&SearchRequest { text: Some("a pyramid".into()), ..SearchRequest::default() })?;
//! assert_eq!(found.answers[0].path, "pyramid.obj");
//! let png = service.thumbnail(&found.answers[0].id.to_string(), 64, None)?.content.unwrap();
//! assert_eq!(&png[1..4], b"PNG");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Service`] answers requests on the calling thread. A [`Server`] is the HTTP API and the page in front of it: it keeps async
//! threads free of work, bounds what is queued, and refuses requests from other web pages. An [`McpSession`] answers
//! the messages of one client of the [Model Context Protocol](https://modelcontextprotocol.io).
//!
//! This crate does not print.

mod assets;
mod captions;
mod embeddings;
mod http;
mod lru;
mod map;
mod mcp;
mod picture;
mod pool;
mod problem;
mod request;
mod response;
mod scene_cache;
mod scene_page;
mod search_cache;
mod service;
mod short_hash;
mod text_batcher;
mod tokens;
mod upload;
mod uploads;
mod viewer_mesh;

pub use assets::{Derived, Download, ViewRequest};
pub use captions::{CaptionRequest, CaptionResponse};
pub use embeddings::{
    EmbeddingInput, EmbeddingInputs, EmbeddingNumbers, EmbeddingObject, EmbeddingsRequest,
    EmbeddingsResponse, EncodingFormat,
};
pub use http::{OptionsError, RateLimit, Server, ServerOptions, Surface, TlsFiles};
pub use mcp::McpSession;
pub use picture::Angle;
pub use problem::Problem;
pub use request::{ClassifyRequest, CompareRequest, Item, SearchRequest, Weights};
pub use response::{
    AssetAnswer, AssetDetails, ClassifyResponse, CompareResponse, MapPoint, MapResponse, Ranks,
    SearchResponse, Statistics, UploadResponse,
};
pub use scene_page::{PageAnswer, scene_page};
pub use service::Service;
pub use text_batcher::TextBatcher;
pub use tokens::{NewToken, Scope, StoredToken, TokenError, add_token, read_tokens, remove_token};
