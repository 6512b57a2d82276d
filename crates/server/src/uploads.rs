//! Uploaded pictures and 3D files: decoded once, kept as embeddings.

use std::path::{Path, PathBuf};

use lexiform_mesh_io::{Format, image_size, is_image, is_readable, open_regular_file};
use lexiform_search::{Embedding, Error, embed_file};

use crate::lru::lock;
use crate::short_hash::short_hash;
use crate::upload::Upload;
use crate::{Problem, Service, UploadResponse};

/// Most pixels of an uploaded picture: 50 megapixels are 200 MB decoded.
const MAX_PIXELS: u64 = 50_000_000;
/// Most bytes of an upload, or of a file of this machine.
pub(crate) const MAX_UPLOAD: usize = 64 << 20;
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
        let id = short_hash(&hasher);
        if let Some(known) = lock(&self.uploads).get(&id) {
            return Ok(known.response);
        }
        let embedding = self.embed_upload(&name, content)?;
        Ok(self.keep(embedding, UploadResponse { id, kind, name, bytes: content.len() }))
    }

    /// Embeds a picture or a 3D file of this machine, with the files that it references.
    ///
    /// # Errors
    /// As of [`upload`](Self::upload); 404 if it cannot be opened, 413 if it is too large.
    pub(crate) fn upload_file(&self, path: &Path) -> Result<UploadResponse, Problem> {
        let failed = |error: std::io::Error| Problem::not_found(format!("{}: {error}", path.display()));
        let name = file_name(&path.to_string_lossy());
        let bytes = open_regular_file(path).and_then(|file| file.metadata()).map_err(failed)?.len();
        if bytes > MAX_UPLOAD as u64 {
            return Err(Problem::new(
                413,
                format!("{}: expected at most {MAX_UPLOAD} bytes", path.display()),
            ));
        }
        let kind = kind(&name)?;
        // Never one that is kept already: referenced files may have changed.
        let embedding = self.embed_at(&name, path)?;
        let mut hasher = blake3::Hasher::new();
        // Names of uploads have no control characters.
        hasher.update(b"\0file\0").update(path.as_os_str().as_encoded_bytes());
        let id = short_hash(&hasher);
        Ok(self.keep(embedding, UploadResponse { id, kind, name, bytes: bytes as usize }))
    }

    fn keep(&self, embedding: Embedding, response: UploadResponse) -> UploadResponse {
        let bytes = 4 * embedding.as_slice().len() + response.name.len();
        let upload = Upload { embedding, response: response.clone() };
        lock(&self.uploads).insert(response.id.clone(), upload, bytes);
        response
    }

    fn embed_upload(&self, name: &str, content: &[u8]) -> Result<Embedding, Problem> {
        let failed = |error: std::io::Error| Problem::internal(format!("cannot store the upload: {error}"));
        // Readers look for referenced files at most one folder up, and there is nothing.
        let outer = tempfile::tempdir().map_err(failed)?;
        let folder = outer.path().join("upload");
        fs_err::create_dir(&folder).map_err(failed)?;
        let path: PathBuf = folder.join(stored_name(name));
        fs_err::write(&path, content).map_err(failed)?;
        self.embed_at(name, &path)
    }

    fn embed_at(&self, name: &str, path: &Path) -> Result<Embedding, Problem> {
        check_pixels(path)?;
        let embedded = embed_file(self.library.encoder(), self.library.preprocessor(), path);
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

/// A name for the file system: only the extension counts, or both of them, as of `.stl.gz`.
fn stored_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let extension = |name: &str| {
        Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_owned()
    };
    match name.strip_suffix(".gz") {
        Some(inner) => format!("upload.{}.gz", extension(inner)),
        None => format!("upload.{}", extension(&name)),
    }
}

fn kind(name: &str) -> Result<&'static str, Problem> {
    // By extension alone, as on the command line; readers then look at the content.
    match (is_image(Path::new(name)), is_readable(Path::new(name))) {
        (true, _) => Ok("image"),
        (false, true) => Ok("shape"),
        (false, false) => {
            let mut shapes = Format::ALL.map(Format::name).to_vec();
            shapes.dedup();
            let shapes = shapes.join(", ");
            let hint = format!(
                "pictures: PNG, JPEG, WebP, BMP, TGA, GIF; shapes: {shapes}, alone or in a .zip, .tar or .gz"
            );
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
        assert_eq!(stored_name("Chair.STL.gz"), "upload.stl.gz");
        assert_eq!(kind("a.stl.gz").unwrap(), "shape");
        assert_eq!(kind("a.zip").unwrap(), "shape");
        assert_eq!(kind("notes.md.gz").unwrap_err().status, 400);
        assert_eq!(kind("a.JPG").unwrap(), "image");
        assert_eq!(kind("a.stl").unwrap(), "shape");
        assert_eq!(kind("passwd").unwrap_err().status, 400);
        assert_eq!(kind("a.html").unwrap_err().status, 400);
    }
}
