//! Uploaded pictures and 3D files: decoded once, kept as embeddings.

use std::path::{Path, PathBuf};

use lexiform_mesh_io::{Format, image_size, is_image};
use lexiform_search::{Embedding, Error, embed_file};

use crate::lru::lock;
use crate::upload::Upload;
use crate::{Problem, Service, UploadResponse};

/// Most pixels of an uploaded picture: 50 megapixels are 200 MB decoded.
const MAX_PIXELS: u64 = 50_000_000;
/// Longest name of an upload.
const MAX_NAME: usize = 200;

impl Service {
    /// Embeds a picture or a 3D file. Its name says which; folders in it are ignored, and so are files that the content references.
    ///
    /// # Errors
    /// 400 for a name without the extension of a readable format, 413 for a picture with too many pixels, 422 if the file cannot be
    /// used.
    pub fn upload(&self, name: &str, content: &[u8]) -> Result<UploadResponse, Problem> {
        let name = file_name(name);
        let kind = kind(&name)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(name.as_bytes()).update(&[0]).update(content);
        let id = hasher.finalize().to_hex()[..32].to_owned();
        if let Some(known) = lock(&self.uploads).get(&id) {
            return Ok(known.response);
        }
        let embedding = self.embed_upload(&name, content)?;
        let response = UploadResponse { id: id.clone(), kind, name, bytes: content.len() };
        let bytes = 4 * embedding.as_slice().len() + response.name.len();
        lock(&self.uploads).insert(id, Upload { embedding, response: response.clone() }, bytes);
        Ok(response)
    }

    fn embed_upload(&self, name: &str, content: &[u8]) -> Result<Embedding, Problem> {
        let failed = |error: std::io::Error| Problem::internal(format!("cannot store the upload: {error}"));
        // Readers look for referenced files at most one folder up, and there is nothing.
        let outer = tempfile::tempdir().map_err(failed)?;
        let folder = outer.path().join("upload");
        fs_err::create_dir(&folder).map_err(failed)?;
        let path: PathBuf = folder.join(stored_name(name));
        fs_err::write(&path, content).map_err(failed)?;
        check_pixels(&path)?;
        let embedded = embed_file(self.library.encoder(), self.library.preprocessor(), &path);
        embedded.map_err(|error| match error {
            Error::Shape { reason, .. } | Error::Image { reason, .. } => {
                Problem::unusable(format!("{name}: {reason}"))
            }
            other => other.into(),
        })
    }
}

/// The last part of a name, whatever separates its parts.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    last.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

/// A name for the file system: only the extension counts.
fn stored_name(name: &str) -> String {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    format!("upload.{}", extension.to_ascii_lowercase())
}

fn kind(name: &str) -> Result<&'static str, Problem> {
    // By extension alone, as on the command line; readers then look at the content.
    match (is_image(Path::new(name)), Format::from_path(Path::new(name))) {
        (true, _) => Ok("image"),
        (false, Some(_)) => Ok("shape"),
        (false, None) => {
            let hint = "pictures: PNG, JPEG, WebP, BMP, TGA, GIF; shapes: glTF/GLB, OBJ, STL, PLY, OFF, COLLADA, PCD, XYZ, LAS, LAZ, NPY, NPZ";
            Err(Problem::bad_request(format!("{name:?}: expected the name of a picture or 3D file"))
                .with_hint(hint))
        }
    }
}

fn check_pixels(path: &Path) -> Result<(), Problem> {
    let Some((width, height)) = image_size(path) else { return Ok(()) };
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let detail = format!("expected a picture of at most {MAX_PIXELS} pixels, found {width} × {height}");
        return Err(Problem::new(413, detail).with_hint("use a smaller picture"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_part_of_a_name_is_used() {
        assert_eq!(file_name("../../etc/passwd.png"), "passwd.png");
        assert_eq!(file_name("C:\\a\\b.glb"), "b.glb");
        assert_eq!(file_name("a\n\u{0}b.glb"), "ab.glb");
        assert_eq!(stored_name("Chair.GLB"), "upload.glb");
        assert_eq!(kind("a.JPG").unwrap(), "image");
        assert_eq!(kind("a.stl").unwrap(), "shape");
        assert_eq!(kind("passwd").unwrap_err().status, 400);
        assert_eq!(kind("a.html").unwrap_err().status, 400);
    }
}
