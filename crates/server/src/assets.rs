//! Files of the library: metadata, images, content for the viewer, and where they are.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use lexiform_geometry::{Camera, Scene};
use lexiform_mesh_io::{is_readable, open_regular_file};
use lexiform_search::{Answer, EMBEDDING_FORMAT, Payload, Record, SCENE_OBJECT_FORMAT};

use crate::lru::lock;
use crate::picture::{self, Angle};
use crate::request::record_id;
use crate::response::AssetAnswer;
use crate::short_hash::short_hash;
use crate::viewer_mesh::viewer_mesh;
use crate::{AssetDetails, Problem, Service};

/// Sizes of thumbnails in pixels.
const THUMBNAIL_SIZES: std::ops::RangeInclusive<u32> = 32..=512;
/// Sizes of views in pixels.
const VIEW_SIZES: std::ops::RangeInclusive<u32> = 32..=1024;
/// Incremented when the same file gives another image or other content for the viewer.
const VERSION: u32 = 1;

/// Something derived from a file, with a tag that changes with it.
pub struct Derived<T> {
    /// The entity tag, without quotes.
    pub tag: String,
    /// The content; `None` if the caller has the one with this tag.
    pub content: Option<T>,
}

/// A file to download.
pub struct Download {
    /// Where it is.
    pub path: PathBuf,
    /// Its name, without folders.
    pub name: String,
}

/// A view from any angle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewRequest {
    /// Angle of the camera.
    pub angle: Angle,
    /// Width and height in pixels, 32 to 1024.
    pub size: u32,
}

impl Service {
    /// The metadata of a file.
    ///
    /// # Errors
    /// 400 for an invalid id, 404 for an unknown one.
    pub fn asset(&self, id: &str) -> Result<AssetDetails, Problem> {
        let Record { id, payload, .. } = self.record(record_id(id)?)?;
        let file = self.file_of(&payload).ok();
        let answer = Answer {
            rank: 0,
            score: 0.0,
            semantic_rank: None,
            name_rank: None,
            id,
            file: self.library.library_path().resolve(&payload.path),
            payload: payload.clone(),
        };
        Ok(AssetDetails {
            asset: AssetAnswer::new(answer, false),
            objects: payload.objects,
            materials: payload.materials,
            captions: payload.captions,
            modified: payload.modified_ns.map(|ns| ns / 1_000_000_000),
            extra: payload.extra,
            viewable: file.as_deref().is_some_and(is_readable),
            file: file.map(|path| path.display().to_string()),
        })
    }

    /// The file of a record.
    ///
    /// # Errors
    /// 404 for an unknown id, and for records without a file.
    pub fn download(&self, id: &str) -> Result<Download, Problem> {
        let payload = self.record(record_id(id)?)?.payload;
        Ok(Download { path: self.file_of(&payload)?, name: payload.name().to_owned() })
    }

    /// The thumbnail of a file: a PNG with a transparent background. `known` is the tag of the one that the caller has.
    ///
    /// # Errors
    /// 400 for an invalid id or size, 404 for an unknown id, and for a record without file and image.
    pub fn thumbnail(&self, id: &str, size: u32, known: Option<&str>) -> Result<Derived<Arc<[u8]>>, Problem> {
        check_size(size, THUMBNAIL_SIZES)?;
        let record = self.record(record_id(id)?)?;
        let tag = tag(&record.payload, &format!("thumbnail {size}"));
        self.picture(tag, known, || match self.scene_of(&record.payload) {
            Ok(scene) => picture::render(&scene, &Camera::three_quarter_view(), size),
            // Views, embeddings, and files that are gone: what was stored when they were indexed.
            Err(problem) => record.thumbnail.as_deref().map_or(Err(problem), picture::png_of),
        })
    }

    /// A view of a file from any angle: a PNG with a transparent background.
    ///
    /// # Errors
    /// 400 for an invalid id, size or angle, 404 for an unknown id or a missing file, 422 if the file cannot be read.
    pub fn view(
        &self,
        id: &str,
        request: &ViewRequest,
        known: Option<&str>,
    ) -> Result<Derived<Arc<[u8]>>, Problem> {
        check_size(request.size, VIEW_SIZES)?;
        let camera = request.angle.camera()?;
        let payload = self.record(record_id(id)?)?.payload;
        let tag = tag(&payload, &format!("view {request:?}"));
        self.picture(tag, known, || picture::render(&*self.scene_of(&payload)?, &camera, request.size))
    }

    /// The triangles and points of a file for the viewer; see the page's `viewer.js` and `docs/serve.md` for the layout.
    ///
    /// # Errors
    /// 404 for an unknown id or a missing file, 422 if the file cannot be read or is too large for a browser.
    pub fn mesh(&self, id: &str, known: Option<&str>) -> Result<Derived<Vec<u8>>, Problem> {
        let payload = self.record(record_id(id)?)?.payload;
        let tag = tag(&payload, "mesh");
        if known == Some(&tag) {
            return Ok(Derived { tag, content: None });
        }
        let content = viewer_mesh(&*self.scene_of(&payload)?)?;
        Ok(Derived { tag, content: Some(content) })
    }

    fn picture(
        &self,
        tag: String,
        known: Option<&str>,
        draw: impl FnOnce() -> Result<Vec<u8>, Problem>,
    ) -> Result<Derived<Arc<[u8]>>, Problem> {
        if known == Some(&tag) {
            return Ok(Derived { tag, content: None });
        }
        // A separate statement: the lock is not held while an image is rendered.
        let cached = lock(&self.pictures).get(&tag);
        if let Some(png) = cached {
            return Ok(Derived { tag, content: Some(png) });
        }
        let png: Arc<[u8]> = draw()?.into();
        lock(&self.pictures).insert(tag.clone(), png.clone(), png.len() + tag.len());
        Ok(Derived { tag, content: Some(png) })
    }

    fn scene_of(&self, payload: &Payload) -> Result<Arc<Scene>, Problem> {
        let path = self.file_of(payload)?;
        if !is_readable(&path) {
            return Err(Problem::unusable("only its images are known").with_hint("see its thumbnail"));
        }
        self.scenes.read(&path, &payload.content_hash, self.library.preprocessor())
    }

    /// The regular file of a record. A library may come from others: a name that leads out of its folder is refused.
    fn file_of(&self, payload: &Payload) -> Result<PathBuf, Problem> {
        let missing = |what: &str| Problem::not_found(format!("{}: {what}", payload.path));
        match payload.format.as_str() {
            EMBEDDING_FORMAT => return Err(missing("an embedding without a file")),
            SCENE_OBJECT_FORMAT => return Err(missing("an object in a scene, not a file")),
            _ => {}
        }
        let library_path = self.library.library_path();
        let path = library_path.resolve(&payload.path);
        if !is_readable(&path) && !lexiform_mesh_io::is_image(&path) {
            return Err(missing("no 3D file"));
        }
        // Without a root, the library is a list of absolute paths, and its files may be anywhere.
        if let Some(root) = &library_path.root {
            check_below(&path, root).map_err(missing)?;
        }
        open_regular_file(&path).map_err(|_| missing("the file is missing"))?;
        Ok(path)
    }
}

/// Checks that the file at `path` is below `root`, also after links are followed.
fn check_below(path: &Path, root: &Path) -> Result<(), &'static str> {
    let is_plain = |part| matches!(part, Component::Normal(_));
    if !path.strip_prefix(root).is_ok_and(|below| below.components().all(is_plain)) {
        return Err("leads out of the library's folder");
    }
    match (fs_err::canonicalize(path), fs_err::canonicalize(root)) {
        (Ok(path), Ok(root)) if path.starts_with(&root) => Ok(()),
        (Ok(_), Ok(_)) => Err("a link out of the library's folder"),
        _ => Err("the file is missing"),
    }
}

fn check_size(size: u32, sizes: std::ops::RangeInclusive<u32>) -> Result<(), Problem> {
    if sizes.contains(&size) {
        return Ok(());
    }
    let detail = format!("size: expected {} to {} pixels, found {size}", sizes.start(), sizes.end());
    Err(Problem::bad_request(detail))
}

/// A tag for what is derived from a file's content in some way.
fn tag(payload: &Payload, what: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [&payload.content_hash, &payload.path, what] {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    hasher.update(&VERSION.to_le_bytes());
    short_hash(&hasher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("models");
        fs_err::create_dir(&root).unwrap();
        for file in ["secret.obj", "models/a.obj"] {
            fs_err::write(folder.path().join(file), "v 0 0 0").unwrap();
        }
        let check = |key: &str| check_below(&root.join(key), &root);
        assert_eq!(check("a.obj"), Ok(()));
        assert_eq!(check("../secret.obj"), Err("leads out of the library's folder"));
        assert_eq!(check("x/../../secret.obj"), Err("leads out of the library's folder"));
        let absolute = |path: PathBuf| check(path.to_str().unwrap());
        assert_eq!(absolute(folder.path().join("secret.obj")), Err("leads out of the library's folder"));
        assert_eq!(absolute(root.join("a.obj")), Ok(()));
        assert_eq!(check("b.obj"), Err("the file is missing"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../secret.obj", root.join("link.obj")).unwrap();
            assert_eq!(check("link.obj"), Err("a link out of the library's folder"));
        }
    }
}
