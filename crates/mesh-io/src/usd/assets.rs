//! Files that a USD file refers to: those in its folder and in folders there, or those in its package. Nothing else is opened.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lexiform_formats::zip::{self, Entry};

use crate::regular_file::open_regular_file;

/// Bytes of all other layers together.
const OTHER_LAYERS: u64 = 1 << 30;

/// The content of a layer or texture by its name relative to the root's folder, with forward slashes.
pub(super) struct Assets<'a> {
    root: &'a Path,
    bytes: &'a [u8],
    /// The directory of the file if it is a package (`.usdz`).
    directory: Option<Directory>,
    /// Packages that layers refer to, which are like folders; or why one cannot be read.
    packages: RefCell<HashMap<String, Result<Rc<Package>, String>>>,
    left: Cell<u64>,
}

/// The entries of a package by their names, and the layer that it starts with.
struct Directory {
    entries: HashMap<String, Entry>,
    first_layer: Option<String>,
}

/// A package that layers refer to.
struct Package {
    bytes: Vec<u8>,
    directory: Directory,
}

impl<'a> Assets<'a> {
    /// Assets of the file at `root`.
    pub fn new(root: &'a Path, bytes: &'a [u8]) -> Result<Self, String> {
        let directory = if bytes.starts_with(b"PK") { Some(Directory::parse(bytes)?) } else { None };
        // A package is read in place, and its entries are not compressed.
        let limit = if directory.is_some() { (bytes.len() as u64).saturating_mul(16) } else { OTHER_LAYERS };
        Ok(Self {
            root,
            bytes,
            directory,
            packages: RefCell::default(),
            left: Cell::new(limit.min(OTHER_LAYERS)),
        })
    }

    /// The name and content of the root layer: the first entry of a package.
    pub fn root_layer(&self) -> Result<(String, Vec<u8>), String> {
        let Some(directory) = &self.directory else {
            let name = self.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok((name, self.bytes.to_vec()));
        };
        let first = directory.first_layer()?;
        Ok((first.to_owned(), self.read(first)?))
    }

    /// The name of what `reference` means in a layer; `None` where it is in the network or outside the folder.
    pub fn resolve(layer: &str, reference: &str) -> Option<String> {
        let reference = reference.trim().replace('\\', "/");
        if reference.is_empty() || reference.starts_with('/') || reference.contains(':') {
            return None;
        }
        let folder = layer.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in reference.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                name => parts.push(name),
            }
        }
        Some(parts.join("/"))
    }

    /// The content of an asset. In a package next to the file, names go on after the package's.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let Some((package, inner)) = split_package(name) else { return self.read_file(name) };
        let package = self.open_package(package)?;
        let entry = package.directory.entry(inner)?;
        self.counted(entry.read(&&package.bytes[..], self.left.get())?)
    }

    /// The layer that a name means: the first one of a package, or the file itself.
    pub fn layer_name(&self, name: String) -> Result<String, String> {
        if split_package(&name).is_some() || !name.to_ascii_lowercase().ends_with(".usdz") {
            return Ok(name);
        }
        let package = self.open_package(&name)?;
        Ok(format!("{name}/{}", package.directory.first_layer()?))
    }

    fn open_package(&self, name: &str) -> Result<Rc<Package>, String> {
        if let Some(known) = self.packages.borrow().get(name) {
            return known.clone();
        }
        let package = self.read_file(name).and_then(|bytes| {
            let directory = Directory::parse(&bytes)?;
            Ok(Rc::new(Package { bytes, directory }))
        });
        self.packages.borrow_mut().insert(name.to_owned(), package.clone());
        package
    }

    /// A file of the folder, or an entry of the package. Packages in packages that layers refer to are not opened.
    fn read_file(&self, name: &str) -> Result<Vec<u8>, String> {
        match &self.directory {
            Some(directory) => self.counted(directory.entry(name)?.read(&self.bytes, self.left.get())?),
            None => {
                let mut content = Vec::new();
                let file =
                    open_regular_file(&self.file(name).ok_or("it is missing")?).map_err(|e| e.to_string())?;
                file.take(self.left.get() + 1).read_to_end(&mut content).map_err(|e| e.to_string())?;
                self.counted(content)
            }
        }
    }

    fn counted(&self, content: Vec<u8>) -> Result<Vec<u8>, String> {
        let left = self.left.get().checked_sub(content.len() as u64);
        self.left.set(left.ok_or("all layers together are too large")?);
        Ok(content)
    }

    /// The path of an asset on disk, unless a link leads out of the folder.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        let folder =
            self.root.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let found = folder.join(name).canonicalize().ok()?;
        found.starts_with(folder.canonicalize().ok()?).then_some(found)
    }

    /// Whether an asset is an entry of a package: of this file, or of one that a layer refers to.
    pub fn is_packaged(&self, name: &str) -> bool {
        self.directory.is_some() || split_package(name).is_some()
    }

    /// The file that others are relative to.
    pub fn root(&self) -> &'a Path {
        self.root
    }
}

impl Directory {
    fn parse(package: &[u8]) -> Result<Self, String> {
        let entries = zip::entries(&package)?;
        let is_layer = |name: &str| {
            let name = name.to_ascii_lowercase();
            [".usd", ".usda", ".usdc"].iter().any(|ending| name.ends_with(ending))
        };
        let first_layer = entries.iter().map(|(name, _)| name).find(|name| is_layer(name)).cloned();
        Ok(Self { entries: entries.into_iter().collect(), first_layer })
    }

    fn first_layer(&self) -> Result<&str, String> {
        self.first_layer.as_deref().ok_or_else(|| "expected a layer in the package, found none".to_owned())
    }

    fn entry(&self, name: &str) -> Result<&Entry, String> {
        self.entries.get(name).ok_or_else(|| "it is not in the package".to_owned())
    }
}

/// The first package in a path, and the path in it.
fn split_package(name: &str) -> Option<(&str, &str)> {
    let end = name.to_ascii_lowercase().find(".usdz/")? + ".usdz".len();
    Some((&name[..end], &name[end + 1..]))
}
