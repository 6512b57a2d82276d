//! 3D files in object stores.

use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use lexiform_mesh_io::{Format, HEAD_BYTES, is_asset, limits, material_library_sidecars, sidecars};
use object_store::path::Path as Key;

use super::dependencies::CompanionIndex;
use super::store::RemoteStore;
use crate::DataError;
use crate::source::{Asset, AssetSource, Companions, FetchedAsset, SourceListing};

/// Number of files that are downloaded while others are rendered.
const PREFETCH: usize = 8;
/// Maximum size of all files that are downloaded with one 3D file, in bytes.
const MAX_COMPANION_BYTES: u64 = limits::FILE_BYTES;

/// 3D files below addresses of object stores, chosen by their names as [`lexiform_mesh_io::walk`] does.
#[derive(Debug)]
pub struct RemoteFiles {
    roots: Vec<Root>,
    prefix_root_name: bool,
}

#[derive(Debug)]
struct Root {
    store: RemoteStore,
    /// Objects that are not 3D files, set by listing.
    others: OnceLock<CompanionIndex>,
}

impl RemoteFiles {
    /// Files below `stores`, or the one that an address names. With `prefix_root_name`, names of files start with the last component
    /// of their address.
    pub fn new(stores: Vec<RemoteStore>, prefix_root_name: bool) -> Self {
        let roots = stores.into_iter().map(|store| Root { store, others: OnceLock::new() });
        Self { roots: roots.collect(), prefix_root_name }
    }
}

impl AssetSource for RemoteFiles {
    fn list(&self) -> Result<SourceListing, DataError> {
        let mut listing = SourceListing::default();
        for root in &self.roots {
            let (assets, others) = root.list(self.prefix_root_name)?;
            // Already set by an earlier listing, which found the same objects.
            let _ = root.others.set(others);
            listing.assets.extend(assets);
        }
        let mut seen = std::collections::HashSet::new();
        listing.assets.retain(|asset| seen.insert(asset.location.clone()));
        Ok(listing)
    }

    fn fetch(&self, asset: &Asset) -> Result<FetchedAsset, String> {
        let uri = asset.location.to_str().unwrap_or_default();
        let key_in =
            |root: &Root| root.store.key_of(uri).filter(|key| key.prefix_matches(root.store.folder()));
        let found = self.roots.iter().find_map(|root| Some((root, key_in(root)?)));
        let (root, key) = found.ok_or("is in none of the listed locations")?;
        root.fetch(&key)
    }

    fn prefetch(&self) -> usize {
        PREFETCH
    }
}

impl Root {
    /// Lists 3D files, with names relative to the address, and all other objects.
    fn list(&self, prefix_root_name: bool) -> Result<(Vec<Asset>, CompanionIndex), DataError> {
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
        // With several roots, files of the same relative path must differ.
        let own = if prefix_root_name { Some(store.base_name()) } else { None };
        let single = folder != *store.folder();
        let (mut assets, mut others) = (Vec::new(), CompanionIndex::default());
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

    /// Objects, each with whether it is a requested 3D file. If the address names a single file, other 3D files are omitted.
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
        // Names such as `.txt` may be point clouds or notes: the first bytes decide.
        let heads = self.store.get_prefixes(unsure.iter().map(|(_, key)| key.clone()).collect(), HEAD_BYTES);
        for ((at, key), head) in unsure.into_iter().zip(heads) {
            sorted[at].1 = is_asset(Path::new(key.as_ref()), || head);
        }
        sorted
    }

    /// The folder to list: the address, or the folder of the one file that it names.
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
    fn fetch(&self, key: &Key) -> Result<FetchedAsset, String> {
        let bytes = self.store.get(key, limits::FILE_BYTES)?;
        let path = Path::new(key.as_ref());
        if !Format::from_path(path).is_some_and(Format::has_sidecars) {
            return Ok(FetchedAsset { path: self.store.uri_of(key).into(), bytes, companions: None });
        }
        let named = sidecars(path, &bytes[..]).unwrap_or_default();
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let others = self.others.get();
        // One limit for all, because a material library may reference hundreds of textures.
        let mut left = MAX_COMPANION_BYTES;
        let mut waiting = others.map_or_else(Vec::new, |others| others.referenced_by(key, &named));
        let mut seen: std::collections::HashSet<Key> = waiting.iter().map(|(key, _)| key.clone()).collect();
        while let Some((other, size)) = waiting.pop() {
            // A file that is too large or cannot be downloaded is missing, which the reader reports as a note.
            let Some(rest) = left.checked_sub(size) else { continue };
            let Ok(content) = self.store.get(&other, size) else { continue };
            left = rest;
            let is_library = other.as_ref().to_ascii_lowercase().ends_with(".mtl");
            if let Some(others) = others.filter(|_| is_library) {
                let textures = material_library_sidecars(&content[..]).unwrap_or_default();
                let more = others.referenced_by(&other, &textures).into_iter();
                waiting.extend(more.filter(|(key, _)| seen.insert(key.clone())));
            }
            place(folder.path(), &other, &content).map_err(|error| error.to_string())?;
        }
        let path = below(folder.path(), key).map_err(|error| error.to_string())?;
        Ok(FetchedAsset { path, bytes, companions: Some(Companions { _folder: folder }) })
    }
}

/// Writes an object below a local folder.
fn place(folder: &Path, key: &Key, content: &[u8]) -> std::io::Result<()> {
    std::fs::write(below(folder, key)?, content)
}

/// The path of a key below a folder. Creates its parent folders.
fn below(folder: &Path, key: &Key) -> std::io::Result<PathBuf> {
    let inside = Path::new(key.as_ref());
    if !inside.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(std::io::Error::other(format!("{key} is not a relative path")));
    }
    let path = folder.join(inside);
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    Ok(path)
}
