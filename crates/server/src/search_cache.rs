//! Responses of searches that were asked for before, as long as the library does not change.

use std::sync::{Arc, Mutex};

use crate::lru::{Lru, lock};
use crate::{Problem, SearchRequest, Service};

/// Memory for responses.
const RESPONSE_BYTES: usize = 32 << 20;

/// Responses as JSON, with the generation of the library that they are about.
pub(crate) struct SearchCache(Mutex<Lru<String, (u64, Arc<[u8]>)>>);

impl Default for SearchCache {
    fn default() -> Self {
        Self(Mutex::new(Lru::new(RESPONSE_BYTES)))
    }
}

impl Service {
    /// As [`search`](Self::search), as JSON.
    ///
    /// # Errors
    /// As for [`search`](Self::search).
    pub(crate) fn search_json(&self, request: &SearchRequest) -> Result<Arc<[u8]>, Problem> {
        // The server forgets uploads, and then says so.
        let generation = match request.uploads.is_empty() {
            // Before the search: what is committed meanwhile makes the response outdated, not valid for longer.
            true => self.library.generation()?,
            false => None,
        };
        let Some(generation) = generation else { return self.new_json(request) };
        // All fields, with values in the form that Rust writes them.
        let key = format!("{request:?}");
        let known = lock(&self.responses.0).get(&key);
        if let Some((_, json)) = known.filter(|(of, _)| *of == generation) {
            return Ok(json);
        }
        let json = self.new_json(request)?;
        let bytes = key.len() + json.len();
        lock(&self.responses.0).insert(key, (generation, json.clone()), bytes);
        Ok(json)
    }

    fn new_json(&self, request: &SearchRequest) -> Result<Arc<[u8]>, Problem> {
        let json = serde_json::to_vec(&self.search(request)?);
        json.map(Into::into).map_err(|error| Problem::internal(error.to_string()))
    }
}
