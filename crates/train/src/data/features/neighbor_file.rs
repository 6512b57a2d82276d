//! Files of nearest neighbors: OpenShape's `point_feat_knn.npy` ([code](https://github.com/Colin97/OpenShape_code)), a pickled
//! dictionary of `name`, the ids of all shapes, and `index`, which has for each id the positions of its neighbors in `name`,
//! the shape itself first.

use std::collections::HashMap;
use std::path::Path;

use lexiform_formats::pickle::{NumpyPickle, PickleValue};

use super::neighbors::Neighbors;
use crate::error::FitError;

/// At most `count` neighbors of each of the shapes `keys`. Neighbors that are not among them are left out.
///
/// # Errors
/// If the file cannot be read, or lacks one of the shapes.
pub(crate) fn read(path: &Path, keys: &[&str], count: usize) -> Result<Neighbors, FitError> {
    let invalid = |message: String| FitError::Dataset { path: path.to_owned(), message };
    let pickle = NumpyPickle::open(path).map_err(invalid)?;
    let expected = || invalid("expected a dictionary with \"name\" and \"index\"".to_owned());
    let names = pickle.root().get("name").map(PickleValue::texts).filter(|names| !names.is_empty());
    let names = names.ok_or_else(expected)?;
    let index = pickle.root().get("index").ok_or_else(expected)?;
    let lists: HashMap<String, PickleValue> = index.entries().collect();
    let mut shape_of: HashMap<&str, u32> = HashMap::new();
    let mut list_of = Vec::with_capacity(keys.len());
    for (key, shape) in keys.iter().zip(0..) {
        let (id, list) = ids(key).find_map(|id| Some((id, *lists.get(id)?))).ok_or_else(|| {
            invalid(format!("expected neighbors of {} shapes, found none of {key:?}", keys.len()))
        })?;
        shape_of.insert(id, shape);
        list_of.push((id, list));
    }
    let near = |(id, list): (&str, PickleValue)| {
        let mut near = Vec::with_capacity(count);
        for position in positions(list) {
            let name = names.get(position).ok_or_else(|| {
                invalid(format!("{id:?}: expected a position below {}, found {position}", names.len()))
            })?;
            near.extend(shape_of.get(name.as_str()).filter(|_| name != id));
        }
        near.truncate(count);
        Ok(near.into_boxed_slice())
    };
    Ok(Neighbors::known(list_of.into_iter().map(near).collect::<Result<_, FitError>>()?))
}

/// Ids that a key may have in the file. Keys of shapes that are not Objaverse's begin with the name of their data set, which may
/// have dashes as ids may: `3D-FUTURE-0a-1b`.
fn ids(key: &str) -> impl Iterator<Item = &str> {
    std::iter::once(key).chain(key.match_indices('-').map(|(at, dash)| &key[at + dash.len()..]))
}

/// The numbers of an array or a list; one that cannot be a position becomes the largest.
fn positions(list: PickleValue) -> Vec<usize> {
    let numbers: Vec<i64> = match list.array() {
        Some(array) => array.to_i64_vec(),
        None => list.items().map(|item| item.number().map_or(-1, |number| number as i64)).collect(),
    };
    numbers.into_iter().map(|number| usize::try_from(number).unwrap_or(usize::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `xtask/peers/neighbor_file.py`: five shapes, of which each has the other four by distance on a line.
    fn file() -> std::path::PathBuf {
        lexiform_golden::fixture("training/point_feat_knn.npy")
    }

    #[track_caller]
    fn check(keys: &[&str], count: usize, expected: &[&[u32]]) {
        let found = read(&file(), keys, count).unwrap();
        let all: Vec<usize> = (0..keys.len()).collect();
        assert_eq!(found.of(&all), expected, "{keys:?}");
    }

    #[test]
    fn neighbors_are_those_of_the_file() {
        // Positions 0, 1, 3, 7 and 12 on a line.
        let keys = ["a0", "a1", "ABO-a3", "3D-FUTURE-a-7", "a12"];
        check(&keys, 31, &[&[1, 2, 3, 4], &[0, 2, 3, 4], &[1, 0, 3, 4], &[2, 4, 1, 0], &[3, 2, 1, 0]]);
        check(&keys, 2, &[&[1, 2], &[0, 2], &[1, 0], &[2, 4], &[3, 2]]);
        // Another order, and fewer shapes.
        check(&["a12", "a0", "a1"], 31, &[&[2, 1], &[2, 0], &[1, 0]]);
    }

    #[test]
    fn shapes_without_neighbors_and_other_files_are_errors() {
        let error = read(&file(), &["a0", "b5"], 31).err().unwrap().to_string();
        assert!(error.contains("found none of \"b5\""), "{error}");
        let other = lexiform_golden::fixture("data/openshape/Objaverse/u1.npy");
        let error = read(&other, &["a0"], 31).err().unwrap().to_string();
        assert!(error.contains("\"name\" and \"index\""), "{error}");
    }
}
