//! A map of the library: where each file is among those like it.

use std::sync::Arc;

use lexiform_search::{Embedding, Filter, RecordId, neighbor_map};

use crate::lru::lock;
use crate::{MapPoint, MapResponse, Problem, Service};

/// Most files of a map: it takes time that grows with their square.
const MAX_FILES: usize = 10_000;

impl Service {
    /// Places of all files that are served. Computed again when a file was added, changed or removed.
    ///
    /// # Errors
    /// If the library cannot be read.
    pub fn map(&self) -> Result<Arc<MapResponse>, Problem> {
        let everything = self.scoped(None).unwrap_or(Filter::And(Vec::new()));
        let answers = self.library.list_first(&everything, MAX_FILES)?;
        let ids: Vec<RecordId> = answers.iter().map(|answer| answer.id).collect();
        let vectors = self.library.store().vectors(&ids)?;
        // A file may be removed between the two.
        let (answers, vectors): (Vec<_>, Vec<_>) =
            answers.into_iter().zip(vectors).filter_map(|(answer, vector)| Some((answer, vector?))).unzip();
        let mut hasher = blake3::Hasher::new();
        for (answer, vector) in answers.iter().zip(&vectors) {
            hasher.update(answer.id.to_string().as_bytes()).update(answer.payload.path.as_bytes());
            hasher.update(bytemuck::cast_slice(vector));
        }
        let hash = hasher.finalize();
        // Separate statements: the lock is not held while the map is computed.
        let known = lock(&self.last_map).clone();
        if let Some((_, map)) = known.filter(|(known, _)| *known == hash) {
            return Ok(map);
        }
        let places = neighbor_map(&vectors);
        let mut points = Vec::with_capacity(answers.len());
        for ((answer, vector), [x, y]) in answers.into_iter().zip(vectors).zip(places) {
            let label = match answer.payload.extra.get("label").and_then(|label| label.as_str()) {
                Some(label) => Some(label.to_owned()),
                None => self.kind(vector)?,
            };
            points.push(MapPoint { id: answer.id, path: answer.payload.path, label, x, y });
        }
        let map = Arc::new(MapResponse { points, total: self.len()?, model: self.model().to_owned() });
        *lock(&self.last_map) = Some((hash, map.clone()));
        Ok(map)
    }

    /// The most probable kind of everyday object.
    fn kind(&self, vector: Vec<f32>) -> Result<Option<String>, Problem> {
        let Ok(embedding) = Embedding::new(vector) else { return Ok(None) };
        Ok(self.kinds()?.classify(&embedding).into_iter().next().map(|best| best.label))
    }
}
