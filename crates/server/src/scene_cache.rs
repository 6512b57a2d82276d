//! Decoded files, normalized to the unit sphere, for several views of the same one.

use std::path::Path;
use std::sync::{Arc, Mutex};

use lexiform_geometry::Scene;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_search::ShapePreprocessor;

use crate::Problem;
use crate::lru::{Lru, lock};

/// Memory for decoded files, estimated.
const SCENE_BYTES: usize = 192 << 20;

/// The last decoded files.
pub(crate) struct SceneCache(Mutex<Lru<String, Arc<Scene>>>);

impl Default for SceneCache {
    fn default() -> Self {
        Self(Mutex::new(Lru::new(SCENE_BYTES)))
    }
}

impl SceneCache {
    /// The scene of a file with this content.
    ///
    /// # Errors
    /// 422 if the file cannot be read.
    pub(crate) fn read(
        &self,
        path: &Path,
        content_hash: &str,
        preprocessor: &ShapePreprocessor,
    ) -> Result<Arc<Scene>, Problem> {
        let key = format!("{content_hash} {}", path.display());
        // Separate statements: the lock is not held while a file is read.
        let cached = lock(&self.0).get(&key);
        if let Some(scene) = cached {
            return Ok(scene);
        }
        let (scene, _) = normalize_unit_sphere(preprocessor.read_scene(path)?, Center::Bounds);
        let scene = Arc::new(scene);
        let mut cache = lock(&self.0);
        cache.insert(key, scene.clone(), byte_size(&scene));
        Ok(scene)
    }
}

/// About the memory of a scene.
fn byte_size(scene: &Scene) -> usize {
    let textures: usize = scene.textures.iter().map(|texture| texture.image.as_raw().len()).sum();
    // Position, normal, texture coordinates and color of a vertex; three indices of a triangle; position and color of a point.
    textures + 48 * scene.n_vertices() + 12 * scene.n_faces() + 32 * scene.n_points()
}
