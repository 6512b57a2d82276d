//! Files that a USD file refers to: those in its folder and in folders there, or those in its package. Nothing else is opened.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lexiform_formats::zip::{self, Entry};

use crate::limits;
use crate::regular_file::open_regular_file;

/// Bytes of all other layers together.
const OTHER_LAYERS: u64 = 1 << 30;

/// The content of a layer or texture by its name relative to the root's folder, with forward slashes.
pub(super) struct Assets<'a> {
    root: &'a Path,
    bytes: &'a [u8],
    /// The entries of a package (`.usdz`).
    package: Option<HashMap<String, Entry>>,
    /// Packages that layers refer to, which are like folders.
    packages: RefCell<HashMap<String, Rc<Vec<u8>>>>,
    left: Cell<u64>,
}

impl<'a> Assets<'a> {
    /// Assets of the file at `root`.
    pub fn new(root: &'a Path, bytes: &'a [u8]) -> Result<Self, String> {
        let package =
            if bytes.starts_with(b"PK") { Some(zip::entries(&bytes)?.into_iter().collect()) } else { None };
        // A package is read in place, and its entries are not compressed.
        let limit = if package.is_some() { (bytes.len() as u64).saturating_mul(16) } else { OTHER_LAYERS };
        Ok(Self {
            root,
            bytes,
            package,
            packages: RefCell::default(),
            left: Cell::new(limit.min(OTHER_LAYERS)),
        })
    }

    /// The name and content of the root layer: the first entry of a package.
    pub fn root_layer(&self) -> Result<(String, Vec<u8>), String> {
        if self.package.is_none() {
            let name = self.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok((name, self.bytes.to_vec()));
        }
        let first = first_layer(self.bytes)?;
        let content = self.read(&first)?;
        Ok((first, content))
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
        if let Some(end) = package_end(name).filter(|&end| end < name.len()) {
            let package = self.open_package(&name[..end])?;
            let inner = &name[end + 1..];
            let entries = zip::entries(&&package[..])?;
            let entry = entries.into_iter().find(|(found, _)| found == inner);
            let (_, entry) = entry.ok_or("it is not in the package")?;
            return self.counted(entry.read(&&package[..], self.left.get())?);
        }
        self.read_file(name)
    }

    /// The layer that a name means: the first one of a package, or the file itself.
    pub fn layer_name(&self, name: String) -> Result<String, String> {
        if package_end(&name) != Some(name.len()) {
            return Ok(name);
        }
        let package = self.open_package(&name)?;
        Ok(format!("{name}/{}", first_layer(&package)?))
    }

    fn open_package(&self, name: &str) -> Result<Rc<Vec<u8>>, String> {
        if let Some(known) = self.packages.borrow().get(name) {
            return Ok(Rc::clone(known));
        }
        let content = Rc::new(self.read_file(name)?);
        self.packages.borrow_mut().insert(name.to_owned(), Rc::clone(&content));
        Ok(content)
    }

    /// A file of the folder, or an entry of the package. Packages in packages that layers refer to are not opened.
    fn read_file(&self, name: &str) -> Result<Vec<u8>, String> {
        match &self.package {
            Some(entries) => {
                let entry = entries.get(name).ok_or("it is not in the package")?;
                self.counted(entry.read(&self.bytes, self.left.get())?)
            }
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

    /// Whether assets are entries of a package.
    pub fn is_package(&self) -> bool {
        self.package.is_some()
    }

    /// The file that others are relative to.
    pub fn root(&self) -> &'a Path {
        self.root
    }
}

/// Checks a texture's size before it is read.
pub(super) fn fits(bytes: usize) -> bool {
    bytes as u64 <= limits::TEXTURE_BYTES
}

/// Where the name of the first package in a path ends.
fn package_end(name: &str) -> Option<usize> {
    let lower = name.to_ascii_lowercase();
    let end = lower.find(".usdz/").map(|at| at + 5);
    end.or_else(|| lower.ends_with(".usdz").then_some(name.len()))
}

/// The layer that a package starts with.
fn first_layer(package: &[u8]) -> Result<String, String> {
    let is_layer = |name: &str| {
        let name = name.to_ascii_lowercase();
        [".usd", ".usda", ".usdc"].iter().any(|ending| name.ends_with(ending))
    };
    let names = zip::entries(&package)?.into_iter().map(|(name, _)| name);
    names
        .into_iter()
        .find(|name| is_layer(name))
        .ok_or_else(|| "expected a layer in the package, found none".to_owned())
}
