//! Responses of searches that were asked for before, as long as the library does not change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::lru::{Lru, lock};
use crate::{Problem, SearchRequest};

/// Memory for responses.
const RESPONSE_BYTES: usize = 32 << 20;

/// A response as JSON, with the generation of the library that it is about.
type Response = (u64, Arc<[u8]>);

/// Responses by their requests.
pub(crate) struct SearchCache {
    responses: Mutex<Lru<String, Response>>,
    /// Responses that were known.
    pub hits: AtomicU64,
}

impl Default for SearchCache {
    fn default() -> Self {
        Self { responses: Mutex::new(Lru::new(RESPONSE_BYTES)), hits: AtomicU64::new(0) }
    }
}

impl SearchCache {
    /// The response to a search of a library of this generation: known, or that of `search`.
    ///
    /// # Errors
    /// Those of `search`.
    pub(crate) fn get_or_search(
        &self,
        request: &SearchRequest,
        generation: u64,
        search: impl FnOnce() -> Result<Arc<[u8]>, Problem>,
    ) -> Result<Arc<[u8]>, Problem> {
        // All fields, with values in the form that Rust writes them.
        let key = format!("{request:?}");
        let known = lock(&self.responses).get(&key);
        if let Some((_, json)) = known.filter(|(of, _)| *of == generation) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(json);
        }
        let json = search()?;
        let bytes = key.len() + json.len();
        lock(&self.responses).insert(key, (generation, json.clone()), bytes);
        Ok(json)
    }
}
