//! Makes names of assets unique, by adding as many parent folders as needed.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path};

use crate::is_remote;
use crate::source::Asset;

/// A file with an ambiguous name.
struct AmbiguousAsset {
    asset: usize,
    /// The components of its path.
    path_components: Vec<String>,
    /// Number of components in its name.
    length: usize,
}

/// Prepends folders to names that several files have, until they differ: `a/model.obj` and `b/model.obj`. Unique names are not
/// changed. A file that was listed twice is kept once.
pub(super) fn disambiguate(assets: &mut Vec<Asset>) {
    let all = counts(assets);
    let is_shared = |name: &str, counts: &HashMap<String, usize>| counts.get(name).is_some_and(|n| *n > 1);
    let mut seen = HashSet::new();
    assets.retain(|asset| !is_shared(&asset.name, &all) || seen.insert(path_components(&asset.location)));
    let all = counts(assets);
    let shared = assets.iter().enumerate().filter(|(_, asset)| is_shared(&asset.name, &all));
    let shared = shared.map(|(i, asset)| {
        let length = asset.name.split('/').count();
        AmbiguousAsset { asset: i, path_components: path_components(&asset.location), length }
    });
    let mut shared: Vec<AmbiguousAsset> = shared.collect();
    let mut moved = !shared.is_empty();
    while std::mem::take(&mut moved) {
        let now = counts(assets);
        for AmbiguousAsset { asset, path_components, length } in &mut shared {
            if *length < path_components.len() && is_shared(&assets[*asset].name, &now) {
                // One folder at a time for all ambiguous names, until they differ or the whole path is used.
                *length += 1;
                assets[*asset].name = path_components[path_components.len() - *length..].join("/");
                moved = true;
            }
        }
    }
}

/// Number of files with each name.
fn counts(assets: &[Asset]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for asset in assets {
        *counts.entry(asset.name.clone()).or_insert(0) += 1;
    }
    counts
}

/// The components of the absolute path of a file, without `.` and `..`.
fn path_components(location: &Path) -> Vec<String> {
    if is_remote(location) {
        let address = location.to_string_lossy();
        return address.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    }
    let whole = std::path::absolute(location).unwrap_or_else(|_| location.to_owned());
    let mut parts = Vec::new();
    for part in whole.components() {
        match part {
            // Resolved in the text of the path, without following links.
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::RootDir | Component::Prefix(_) | Component::CurDir => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the names in every rotation of the list.
    #[track_caller]
    fn check(given: &[(&str, &str)], expected: &[&str]) {
        let asset =
            |(name, location): &(&str, &str)| Asset { name: (*name).to_owned(), location: location.into() };
        for turn in 0..given.len() {
            let mut assets: Vec<Asset> = given.iter().map(asset).collect();
            assets.rotate_left(turn);
            disambiguate(&mut assets);
            let mut names: Vec<&str> = assets.iter().map(|asset| asset.name.as_str()).collect();
            names.sort_unstable();
            assert_eq!(names, expected, "rotated by {turn}");
        }
    }

    #[test]
    fn names_are_as_long_as_needed() {
        check(&[("model.obj", "/m/a/model.obj"), ("b.obj", "/m/b.obj")], &["b.obj", "model.obj"]);
        check(
            &[("m.obj", "/x/a/m.obj"), ("m.obj", "/x/b/m.obj"), ("n.obj", "/x/a/n.obj")],
            &["a/m.obj", "b/m.obj", "n.obj"],
        );
        check(
            &[("m.obj", "/x/a/m.obj"), ("m.obj", "/y/a/m.obj"), ("m.obj", "/y/b/m.obj")],
            &["b/m.obj", "x/a/m.obj", "y/a/m.obj"],
        );
        // Folders with the same name; and a longer name that another file has already.
        check(
            &[("chairs/m.obj", "/x/chairs/m.obj"), ("chairs/m.obj", "/y/chairs/m.obj")],
            &["x/chairs/m.obj", "y/chairs/m.obj"],
        );
        check(
            &[("a/m.obj", "/z/a/m.obj"), ("m.obj", "/x/a/m.obj"), ("m.obj", "/x/b/m.obj")],
            &["a/m.obj", "b/m.obj", "x/a/m.obj"],
        );
        check(
            &[("m.obj", "s3://one/a/m.obj"), ("m.obj", "s3://two/a/m.obj")],
            &["one/a/m.obj", "two/a/m.obj"],
        );
        check(&[("m.obj", "/x/./a/../m.obj"), ("m.obj", "/x/m.obj")], &["m.obj"]);
    }
}
