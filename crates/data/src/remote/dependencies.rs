//! Finds the objects that a 3D file references: material libraries, buffers, textures.
//!
//! Readers look these files up in folders near the 3D file, so they are downloaded before it is read.

use std::collections::{BTreeSet, HashMap};

use lexiform_mesh_io::Sidecar;
use object_store::path::Path as Key;

/// Maximum number of objects that are downloaded for one file.
const MAX_COMPANIONS: usize = 1024;
/// Maximum number of objects with the same name.
const MAX_SAME_NAME: usize = 16;
/// Siblings of the folder of a file in which readers look for textures.
const TEXTURE_FOLDERS: [&str; 4] = ["textures", "texture", "images", "materials"];

/// Objects that are not 3D files, by file name.
#[derive(Debug, Default)]
pub(super) struct CompanionIndex {
    /// Lower-case file name → keys and sizes.
    by_name: HashMap<String, Vec<(Key, u64)>>,
}

impl CompanionIndex {
    /// Adds an object.
    pub fn push(&mut self, key: Key, size: u64) {
        let Some(name) = key.filename().map(str::to_lowercase) else { return };
        self.by_name.entry(name).or_default().push((key, size));
    }

    /// The objects that a file at `owner` may reference by its sidecars, nearest first, each once.
    pub fn referenced_by(&self, owner: &Key, sidecars: &[Sidecar]) -> Vec<(Key, u64)> {
        let mut names = BTreeSet::new();
        // If the named material library does not exist, the reader tries one with the name of the shape.
        let own = owner.filename().and_then(|name| name.rsplit_once('.'));
        names.extend(own.map(|(stem, _)| format!("{}.mtl", stem.to_lowercase())));
        for reference in sidecars.iter().flat_map(|sidecar| [&sidecar.path, &sidecar.written]) {
            let name = reference.rsplit(['/', '\\']).next().unwrap_or(reference);
            names.insert(name.trim_matches('"').to_lowercase());
        }
        names.iter().flat_map(|name| self.find_near(owner, name)).take(MAX_COMPANIONS).collect()
    }

    /// Objects with a name in the folder of `owner`, below it, in its parent, or in a texture folder of the parent.
    fn find_near(&self, owner: &Key, name: &str) -> Vec<(Key, u64)> {
        let folder = folder_of(owner.as_ref());
        let above = folder.map(folder_of);
        let reachable = |key: &Key| {
            let location = folder_of(key.as_ref());
            let in_texture_folder = |location: &str, above: Option<&str>| {
                let is_texture_folder =
                    |folder: &str| TEXTURE_FOLDERS.iter().any(|name| folder.eq_ignore_ascii_case(name));
                folder_of(location) == above
                    && is_texture_folder(location.rsplit('/').next().unwrap_or(location))
            };
            match (folder, location) {
                (None, _) => true,
                (Some(folder), Some(location)) => {
                    location == folder
                        || location.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
                        || above.is_some_and(|above| {
                            Some(location) == above || in_texture_folder(location, above)
                        })
                }
                (Some(_), None) => above == Some(None),
            }
        };
        let named = self.by_name.get(name).into_iter().flatten();
        let mut found: Vec<_> = named.filter(|(key, _)| reachable(key)).cloned().collect();
        found.sort_by_key(|(key, _)| (key.as_ref().matches('/').count(), key.clone()));
        found.truncate(MAX_SAME_NAME);
        found
    }
}

/// The part of a path before the last `/`.
fn folder_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use lexiform_mesh_io::{material_library_sidecars, sidecars};

    use super::*;

    #[test]
    fn references_are_resolved_to_objects() {
        let mut others = CompanionIndex::default();
        let keys = [
            "a/chair.mtl",
            "a/my wood.png",
            "a/textures/Seat.JPG",
            "textures/leg.png",
            "b/seat.jpg",
            "a/unused.png",
            "a/é.bin",
            "a/deep/er/back.png",
        ];
        for key in keys {
            others.push(Key::parse(key).unwrap(), 1);
        }
        let objects_of = |owner: &str, sidecars: Vec<Sidecar>| {
            let found = others.referenced_by(&Key::parse(owner).unwrap(), &sidecars);
            found.into_iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>()
        };
        let referenced_by =
            |owner: &str, text: &str| objects_of(owner, sidecars(Path::new(owner), text.as_bytes()).unwrap());
        assert_eq!(referenced_by("a/chair.obj", "v 0.5 1.0 2\n"), ["a/chair.mtl"]);
        assert_eq!(referenced_by("a/x.obj", "mtllib chair.mtl\n"), ["a/chair.mtl"]);
        let library = "map_Kd -o 1 1 C:\\maps\\my wood.png\n";
        let textures = material_library_sidecars(library.as_bytes()).unwrap();
        assert_eq!(objects_of("a/x.mtl", textures), ["a/my wood.png"]);
        let gltf = |images: &str| {
            referenced_by("a/x.gltf", &format!(r#"{{"asset":{{"version":"2.0"}},"images":[{images}]}}"#))
        };
        assert_eq!(
            gltf(r#"{"uri":"textures/seat.jpg"},{"uri":"my%20wood.png"}"#),
            ["a/my wood.png", "a/textures/Seat.JPG"]
        );
        assert_eq!(gltf(r#"{"uri":"\u00e9.bin"},{"uri":"back.png"}"#), ["a/deep/er/back.png", "a/é.bin"]);
        let collada = "<COLLADA><image><init_from>../textures/leg.png</init_from></image></COLLADA>";
        assert_eq!(referenced_by("a/x.dae", collada), ["textures/leg.png"]);
        assert_eq!(referenced_by("c/d/x.obj", "mtllib chair.mtl\n"), [""; 0]);
    }
}
