//! Texture images next to a 3D file or inside it, decoded within limits.

use std::{
    collections::HashMap,
    io::Cursor,
    path::{Component, Path, PathBuf},
};

use image::{ImageReader, Limits, RgbaImage};

use crate::limits;
use lexiform_geometry::{Texture, Wrap};

/// Checks that a texture of this size is within all limits.
pub(super) fn check_size(width: u32, height: u32, bytes_left: u64) -> Result<(), String> {
    let limit = limits::TEXTURE_BYTES.min(bytes_left);
    let edge = width.max(height);
    match u64::from(width) * u64::from(height) * 4 {
        0 => Err("it has no pixels".to_owned()),
        _ if edge > limits::TEXTURE_EDGE => {
            Err(format!("{width} × {height} pixels, the limit is {}", limits::TEXTURE_EDGE))
        }
        bytes if bytes > limit => Err(format!("{bytes} bytes once decoded, {limit} are allowed")),
        _ => Ok(()),
    }
}

/// Decodes an image by its first bytes or, for TGA, by the extension of `name`.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<RgbaImage, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    if reader.format().is_none()
        && let Ok(format) = image::ImageFormat::from_path(name)
    {
        reader.set_format(format);
    }
    // Checked by the decoders before they allocate: a small file may declare a huge image.
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::TEXTURE_EDGE);
    bounds.max_image_height = Some(limits::TEXTURE_EDGE);
    bounds.max_alloc = Some(limits::TEXTURE_BYTES);
    reader.limits(bounds);
    let image = reader.decode().map_err(|e| e.to_string())?;
    if u64::from(image.width()) * u64::from(image.height()) * 4 > limits::TEXTURE_BYTES {
        return Err(format!("{} × {} pixels are too many", image.width(), image.height()));
    }
    Ok(image.into_rgba8())
}

/// Finds the file for a `reference` in the 3D file at `owner`. Separators may be of either kind. Absolute paths, and paths
/// more than one folder up, are from another machine, so only their last component is used. If the exact name does not exist,
/// letter case is ignored.
pub(super) fn find_near(owner: &Path, reference: &str) -> Option<PathBuf> {
    let folder = owner.parent()?;
    let unified = reference.trim().trim_matches('"').replace('\\', "/");
    let parts: Vec<&str> = unified.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    let name = *parts.last()?;
    let relative: PathBuf = parts.iter().collect();
    let near = !unified.starts_with('/') && !unified.contains(':') && parent_steps(&relative) <= 1;
    // The path as written, then the folders where exporters put textures.
    let exact = near.then(|| folder.join(&relative));
    let elsewhere =
        ["", "textures", "texture", "images", "../textures", "../images"].map(|f| folder.join(f).join(name));
    exact.iter().chain(&elsewhere).find_map(|path| existing(path))
}

fn parent_steps(path: &Path) -> usize {
    path.components().filter(|c| matches!(c, Component::ParentDir)).count()
}

/// The path itself, or the file in its folder whose name differs only in letter case.
fn existing(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let name = path.file_name()?.to_str()?;
    let mut others: Vec<PathBuf> = std::fs::read_dir(path.parent()?)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|p| p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.eq_ignore_ascii_case(name)))
        .collect();
    // The order of a directory listing depends on the file system.
    others.sort();
    others.into_iter().find(|p| p.is_file())
}

/// Most distinct names looked up for one file: each costs a few disk accesses.
const MAX_REFERENCES: usize = 1024;

/// Textures of one scene; each file is read once.
pub(super) struct TextureFiles<'a> {
    /// The 3D file, and the material library that names the textures where that is another file.
    owner: &'a Path,
    library: PathBuf,
    read: HashMap<(PathBuf, bool), Option<usize>>,
    resolved: HashMap<(PathBuf, String, bool), Option<usize>>,
    bytes: u64,
    /// Textures in order of first use.
    pub textures: Vec<Texture>,
    /// Missing and invalid textures.
    pub notes: Vec<String>,
}

impl<'a> TextureFiles<'a> {
    /// Textures of the 3D file at `owner`.
    pub fn new(owner: &'a Path) -> Self {
        Self {
            owner,
            library: owner.to_owned(),
            read: HashMap::new(),
            resolved: HashMap::new(),
            bytes: 0,
            textures: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Following names are relative to this file first, to the 3D file second.
    pub fn set_library(&mut self, library: &Path) {
        if self.library != library {
            self.library = library.to_owned();
        }
    }

    /// Index of the texture; `None`, with a note, if it cannot be loaded.
    pub fn load(&mut self, reference: &str, clamp: bool) -> Option<usize> {
        let key = (self.library.clone(), reference.to_owned(), clamp);
        if let Some(known) = self.resolved.get(&key) {
            return *known;
        }
        // Without a note: there are a thousand already.
        if self.resolved.len() >= MAX_REFERENCES {
            return None;
        }
        let texture = self.load_uncached(reference, clamp).unwrap_or_else(|note| {
            self.notes.push(note);
            None
        });
        self.resolved.insert(key, texture);
        texture
    }

    /// Index of a texture inside the 3D file; `None`, with a note, if it cannot be decoded.
    pub fn embedded(&mut self, name: &str, bytes: &[u8], clamp: bool) -> Option<usize> {
        let image = if bytes.len() as u64 > limits::TEXTURE_BYTES {
            Err(format!("{} bytes, the limit is {}", bytes.len(), limits::TEXTURE_BYTES))
        } else {
            decode(bytes, name).and_then(|image| self.within_budget(image))
        };
        match image {
            Ok(image) => {
                self.textures
                    .push(Texture { image, wrap: [if clamp { Wrap::Clamp } else { Wrap::Repeat }; 2] });
                Some(self.textures.len() - 1)
            }
            Err(message) => {
                self.note_unreadable(name, &message);
                None
            }
        }
    }

    /// Notes why a texture cannot be read.
    pub fn note_unreadable(&mut self, name: &str, message: &str) {
        self.notes.push(unreadable(name, message));
    }

    fn load_uncached(&mut self, reference: &str, clamp: bool) -> Result<Option<usize>, String> {
        let quoted = reference.escape_debug();
        let path = find_near(&self.library, reference).or_else(|| find_near(self.owner, reference));
        let path = path.ok_or_else(|| format!("texture \"{quoted}\" is missing"))?;
        if let Some(known) = self.read.get(&(path.clone(), clamp)) {
            return Ok(*known);
        }
        let image = self.decode(&path);
        let texture = image.as_ref().is_ok().then_some(self.textures.len());
        // Failures are cached too, so that a broken file is decoded once.
        self.read.insert((path, clamp), texture);
        let image = image.map_err(|message| unreadable(reference, &message))?;
        let wrap = [if clamp { Wrap::Clamp } else { Wrap::Repeat }; 2];
        self.textures.push(Texture { image, wrap });
        Ok(texture)
    }

    fn decode(&mut self, path: &Path) -> Result<RgbaImage, String> {
        let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
        if size > limits::TEXTURE_BYTES {
            return Err(format!("{size} bytes, the limit is {}", limits::TEXTURE_BYTES));
        }
        let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
        decode(&bytes, &path.to_string_lossy()).and_then(|image| self.within_budget(image))
    }

    /// The image, if all textures together are within their limit.
    fn within_budget(&mut self, image: RgbaImage) -> Result<RgbaImage, String> {
        self.bytes += image.as_raw().len() as u64;
        if self.bytes > limits::ALL_TEXTURE_BYTES {
            return Err(format!("the file's textures together pass {} bytes", limits::ALL_TEXTURE_BYTES));
        }
        Ok(image)
    }
}

fn unreadable(name: &str, message: &str) -> String {
    format!("texture \"{}\" cannot be read: {message}", name.escape_debug())
}
