//! Names of the objects and materials in a file, for searches in names.

use lexiform_geometry::Scene;

/// Most names that are stored of a file.
const MAX_NAMES: usize = 64;
/// Longest name that is stored, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The names of a scene's groups and meshes. Groups come first: they are whole objects more often than meshes are.
pub(crate) fn object_names(scene: &Scene) -> Vec<String> {
    let groups = scene.groups.iter().map(String::as_str);
    distinct(groups.chain(scene.meshes.iter().filter_map(|mesh| mesh.name.as_deref())))
}

/// The names of a scene's materials.
pub(crate) fn material_names(scene: &Scene) -> Vec<String> {
    distinct(scene.materials.iter().filter_map(|material| material.name.as_deref()))
}

/// The first [`MAX_NAMES`] different names, each truncated to [`MAX_NAME_BYTES`].
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let name = name[..name.floor_char_boundary(MAX_NAME_BYTES)].trim();
        if !name.is_empty() && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
        if found.len() == MAX_NAMES {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use lexiform_geometry::{Material, Mesh};

    use super::*;

    #[test]
    fn names_are_distinct_and_bounded() {
        let named = |name: &str| Mesh::default().with_name(Some(name.to_owned()));
        let mut scene = Scene {
            meshes: vec![named("seat"), named(" "), named("seat"), Mesh::default()],
            ..Scene::default()
        };
        // 33 letters of 2 bytes are 66 bytes.
        scene.meshes.push(named(&"ü".repeat(33)));
        scene.materials = ["oak", "oak", "steel"]
            .map(|name| Material { name: Some(name.into()), ..Material::default() })
            .into();
        scene.groups = vec!["Chair".to_owned()];
        assert_eq!(object_names(&scene), ["Chair".to_owned(), "seat".to_owned(), "ü".repeat(32)]);
        assert_eq!(material_names(&scene), ["oak", "steel"]);
        scene.meshes = (0..200).map(|number| named(&number.to_string())).collect();
        assert_eq!(object_names(&scene).len(), 64);
    }
}
