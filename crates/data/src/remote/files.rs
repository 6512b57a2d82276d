//! 3D files in object stores.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use lexiform_geometry::io::{Format, HEAD_BYTES, is_asset, limits};
use object_store::path::Path as Key;

use super::beside::{Others, naming_part};
use super::store::Store;
use crate::DataError;
use crate::source::{Asset, Beside, Fetched, Listing, Source};

/// Number of files that are fetched while others are rendered.
const AHEAD: usize = 8;
/// Maximum size of all files that one file references, in bytes.
const BESIDE_BYTES: u64 = limits::FILE_BYTES;

/// 3D files below addresses of object stores, recognized by their names as [`lexiform_geometry::io::walk`] does.
#[derive(Debug)]
pub struct RemoteFiles {
    roots: Vec<Root>,
    several: bool,
}

#[derive(Debug)]
struct Root {
    store: Store,
    /// Objects that are not 3D files, set by listing.
    others: OnceLock<Others>,
}

impl RemoteFiles {
    /// The files below `stores`, or the file that an address names. With `several`, names start with the last component of the
    /// address.
    pub fn new(stores: Vec<Store>, several: bool) -> Self {
        let roots = stores.into_iter().map(|store| Root { store, others: OnceLock::new() });
        Self { roots: roots.collect(), several }
    }
}

impl Source for RemoteFiles {
    fn list(&self) -> Result<Listing, DataError> {
        let mut listing = Listing::default();
        for root in &self.roots {
            let (assets, others) = root.list(self.several)?;
            // Already set by an earlier listing, which found the same.
            let _ = root.others.set(others);
            listing.assets.extend(assets);
        }
        let mut seen = HashSet::new();
        listing.assets.retain(|asset| seen.insert(asset.location.clone()));
        Ok(listing)
    }

    fn fetch(&self, asset: &Asset) -> Result<Fetched, String> {
        let uri = asset.location.to_str().unwrap_or_default();
        let key_in =
            |root: &Root| root.store.key_of(uri).filter(|key| key.prefix_matches(root.store.folder()));
        let found = self.roots.iter().find_map(|root| Some((root, key_in(root)?)));
        let (root, key) = found.ok_or("not in a location that was listed")?;
        root.fetch(&key)
    }

    fn ahead(&self) -> usize {
        AHEAD
    }
}

impl Root {
    /// 3D files, with names relative to the address, and all other objects.
    fn list(&self, several: bool) -> Result<(Vec<Asset>, Others), DataError> {
        let store = &self.store;
        let folder = self.folder()?;
        let mut objects = store.list(&folder)?;
        if objects.is_empty() {
            return Err(DataError::invalid(Path::new(&store.uri()), "no such object or folder"));
        }
        let below = |key: &Key| {
            let below = key.as_ref().strip_prefix(folder.as_ref()).unwrap_or(key.as_ref());
            below.trim_start_matches('/').to_owned()
        };
        objects.retain(|(key, _)| !below(key).split('/').any(|part| part.starts_with('.')));
        let own = if several { Some(store.own_name()) } else { None };
        let single = folder != *store.folder();
        let (mut assets, mut others) = (Vec::new(), Others::default());
        for ((key, size), is_asset) in self.sorted(objects, single) {
            if is_asset {
                let name = below(&key);
                let name = own
                    .as_ref()
                    .filter(|_| !single)
                    .map_or_else(|| name.clone(), |own| format!("{own}/{name}"));
                assets.push(Asset { name, location: store.uri_of(&key).into() });
            } else {
                others.push(key, size);
            }
        }
        Ok((assets, others))
    }

    /// Objects with whether each is wanted; if the address names a single file, other 3D files are left out.
    fn sorted(&self, objects: Vec<(Key, u64)>, single: bool) -> Vec<((Key, u64), bool)> {
        if single {
            let wanted = self.store.folder();
            let is_other = |key: &Key| Format::from_path(Path::new(key.as_ref())).is_some() && key != wanted;
            let objects = objects.into_iter().filter(|(key, _)| !is_other(key));
            return objects
                .map(|object| (object.0 == *wanted, object))
                .map(|(is, object)| (object, is))
                .collect();
        }
        let mut unsure = Vec::new();
        let mut sorted = Vec::with_capacity(objects.len());
        for (key, size) in objects {
            let is = is_asset(Path::new(key.as_ref()), || {
                unsure.push((sorted.len(), key.clone()));
                None
            });
            sorted.push(((key, size), is));
        }
        // The rest is recognized by the first bytes.
        let heads = self.store.heads(unsure.iter().map(|(_, key)| key.clone()).collect(), HEAD_BYTES);
        for ((at, key), head) in unsure.into_iter().zip(heads) {
            sorted[at].1 = is_asset(Path::new(key.as_ref()), || head);
        }
        sorted
    }

    /// The folder to list: the address, or the folder of the file that it names.
    fn folder(&self) -> Result<Key, DataError> {
        let key = self.store.folder();
        if Format::from_path(Path::new(key.as_ref())).is_some() && self.store.head(key)?.is_some() {
            let folder = key.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
            return Key::parse(folder)
                .map_err(|error| DataError::invalid(Path::new(&self.store.uri()), error));
        }
        Ok(key.clone())
    }

    /// Downloads a file and the files that it references.
    fn fetch(&self, key: &Key) -> Result<Fetched, String> {
        let bytes = self.store.whole(key, limits::FILE_BYTES)?;
        let Some(text) = naming_part(Path::new(key.as_ref()), &bytes) else {
            return Ok(Fetched { path: self.store.uri_of(key).into(), bytes, beside: None });
        };
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        if let Some(others) = self.others.get() {
            self.fetch_meant(others, others.meant(key, text), folder.path())?;
        }
        let path = below(folder.path(), key).map_err(|error| error.to_string())?;
        Ok(Fetched { path, bytes, beside: Some(Beside { _folder: folder }) })
    }

    /// Downloads referenced files, and those that material libraries among them reference, to `folder`.
    fn fetch_meant(
        &self,
        others: &Others,
        mut waiting: Vec<(Key, u64)>,
        folder: &Path,
    ) -> Result<(), String> {
        let mut left = BESIDE_BYTES;
        let mut seen: HashSet<Key> = waiting.iter().map(|(key, _)| key.clone()).collect();
        while let Some((other, size)) = waiting.pop() {
            // A file that cannot be downloaded is missing, which the reader reports.
            let Some(rest) = left.checked_sub(size) else { continue };
            let Ok(content) = self.store.whole(&other, size) else { continue };
            left = rest;
            if other.as_ref().to_ascii_lowercase().ends_with(".mtl") {
                let more = others.meant(&other, &content).into_iter();
                waiting.extend(more.filter(|(key, _)| seen.insert(key.clone())));
            }
            place(folder, &other, &content).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// Writes an object to a local folder.
fn place(folder: &Path, key: &Key, content: &[u8]) -> std::io::Result<()> {
    std::fs::write(below(folder, key)?, content)
}

/// The path of a key below a folder; creates the folders in between.
fn below(folder: &Path, key: &Key) -> std::io::Result<PathBuf> {
    let inside = Path::new(key.as_ref());
    if !inside.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(std::io::Error::other(format!("{key} is not a relative path")));
    }
    let path = folder.join(inside);
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    Ok(path)
}
