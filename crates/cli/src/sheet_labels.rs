//! Captions of files on contact sheets: their names, with the folder where several have the same name.

use std::collections::HashMap;
use std::path::Path;

use crate::output::single_line;

/// A caption for each path, one or two lines: `armchair.glb`, or `armchair/` and `model.gltf`. As many folders are shown as are
/// needed to tell the files apart.
pub(crate) fn sheet_labels(paths: &[String]) -> Vec<String> {
    let deepest = paths.iter().map(|path| path.split('/').count()).max().unwrap_or(0);
    let mut labels: Vec<String> = paths.iter().map(|path| last_parts(path, 1)).collect();
    for parts in 2..=deepest {
        let mut counts: HashMap<String, usize> = HashMap::new();
        labels.iter().for_each(|label| *counts.entry(label.clone()).or_default() += 1);
        let is_shared = |label: &String| counts[label] > 1;
        if !labels.iter().any(is_shared) {
            break;
        }
        for (label, path) in labels.iter_mut().zip(paths) {
            if is_shared(label) {
                *label = last_parts(path, parts);
            }
        }
    }
    labels.iter().map(|label| caption(label)).collect()
}

/// The last parts of a path.
fn last_parts(path: &str, count: usize) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    parts[parts.len().saturating_sub(count)..].join("/")
}

/// Folders on a line of their own: together with the name they would rarely fit.
fn caption(label: &str) -> String {
    match label.rsplit_once('/') {
        Some((folders, name)) => format!("{}/\n{}", single_line(folders), single_line(name)),
        None => single_line(label).into_owned(),
    }
}

/// A path with `/` between its parts on every system.
pub(crate) fn slashed(path: &Path) -> String {
    let path = path.display().to_string();
    if std::path::MAIN_SEPARATOR == '/' { path } else { path.replace(std::path::MAIN_SEPARATOR, "/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_same_name_are_told_apart_by_their_folders() {
        let check = |paths: &[&str], expected: &[&str]| {
            assert_eq!(sheet_labels(&paths.iter().map(|&p| p.to_owned()).collect::<Vec<_>>()), expected);
        };
        check(&["a/chair.glb", "b/table.glb"], &["chair.glb", "table.glb"]);
        check(&["a/model.gltf", "b/model.gltf", "c.glb"], &["a/\nmodel.gltf", "b/\nmodel.gltf", "c.glb"]);
        check(&["a/scene/m.gltf", "b/scene/m.gltf"], &["a/scene/\nm.gltf", "b/scene/\nm.gltf"]);
        check(&["m.gltf", "b/m.gltf"], &["m.gltf", "b/\nm.gltf"]);
        // The same file twice: nothing tells them apart.
        check(&["a/m.gltf", "a/m.gltf"], &["a/\nm.gltf", "a/\nm.gltf"]);
        check(&["b\u{1b}c\nd.glb"], &["b\\u{1b}c\\nd.glb"]);
    }
}
