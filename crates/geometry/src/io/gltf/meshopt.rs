//! EXT_meshopt_compression.

use super::fault::Fault;
use super::json::Meshopt;

/// Decodes one buffer view.
pub(super) fn decode(json: &Meshopt, _source: &[u8]) -> Result<Vec<u8>, Fault> {
    Err(Fault::Unsupported(format!("meshopt mode {}", json.mode)))
}
