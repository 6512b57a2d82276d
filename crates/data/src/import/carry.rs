//! What importers share: lists, indices, arrays as members, and traps found on the way.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use fs_err as fs;
use lexiform_formats::array::Array;
use lexiform_formats::npy::{self, Npy, read_npy};
use lexiform_formats::pickle::{Item, NumpyPickle};
use serde::de::{Deserializer as _, MapAccess, Visitor};

use crate::shape::POINTS;
use crate::{DataError, Member};

/// Most ids that a warning shows.
const SHOWN: usize = 5;

/// Lines of a list, trimmed, without empty ones.
pub(super) fn lines(path: &Path) -> Result<Vec<String>, DataError> {
    let text = fs::read_to_string(path)?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Lines of a list that may be absent.
pub(super) fn lines_if(path: &Path) -> Result<Vec<String>, DataError> {
    if path.exists() { lines(path) } else { Ok(Vec::new()) }
}

/// `{id: row}` with every id as often as it stands there: a usual reader drops doubles in silence.
pub(super) fn rows_by_id(path: &Path) -> Result<Vec<(String, usize)>, DataError> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, usize)>;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("an object from ids to rows")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    let bytes = fs::read(path)?;
    let mut json = serde_json::Deserializer::from_slice(&bytes);
    json.deserialize_map(Pairs).map_err(|error| DataError::invalid(path, error))
}

/// Ids with their rows.
pub(super) type Rows = Vec<(String, usize)>;

/// Ids and rows, each id once, in the order of rows; and what was odd about them. Rows must be below `count`.
pub(super) fn checked_rows(
    pairs: Vec<(String, usize)>,
    count: usize,
    path: &Path,
) -> Result<(Rows, Vec<String>), DataError> {
    if let Some((id, row)) = pairs.iter().find(|(_, row)| *row >= count) {
        return Err(DataError::invalid(path, format!("{id:?} is said to be row {row} of {count}")));
    }
    let mut ids = HashSet::new();
    let mut rows = HashSet::new();
    let (mut doubles, mut shared, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for (id, row) in pairs {
        if !ids.insert(id.clone()) {
            doubles.push(id);
            continue;
        }
        if !rows.insert(row) {
            shared.push(id.clone());
        }
        kept.push((id, row));
    }
    kept.sort_by_key(|(_, row)| *row);
    let mut warnings = Vec::new();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !doubles.is_empty() {
        warnings.push(format!(
            "{name}: {} ids stand there twice, the first counts: {}",
            doubles.len(),
            some(&doubles)
        ));
    }
    if !shared.is_empty() {
        warnings.push(format!("{name}: {} ids share a row with another: {}", shared.len(), some(&shared)));
    }
    if rows.len() < count {
        warnings.push(format!("{name}: {} of {count} rows have no id and are left out", count - rows.len()));
    }
    Ok((kept, warnings))
}

/// A warning if two lists that should be apart are not.
pub(super) fn overlap<'a>(
    a: impl IntoIterator<Item = &'a String>,
    b: impl IntoIterator<Item = &'a String>,
    what: &str,
) -> Option<String> {
    let a: HashSet<&String> = a.into_iter().collect();
    let mut both: Vec<String> = b.into_iter().filter(|id| a.contains(id)).cloned().collect();
    both.sort();
    both.dedup();
    (!both.is_empty()).then(|| format!("{} shapes are {what}: {}", both.len(), some(&both)))
}

fn some(ids: &[String]) -> String {
    let more = if ids.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "))
}

/// Sorted entries of a folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    found.sort();
    Ok(found)
}

/// A path's last part as text.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first of some paths that exists.
pub(super) fn first_of(paths: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    paths.into_iter().find(|path| path.exists())
}

/// A `.npy` file of numbers.
pub(super) fn read_array(path: &Path) -> Result<Array, String> {
    match read_npy(&fs::read(path).map_err(|error| error.to_string())?)? {
        Npy::Array(array) => Ok(array),
        Npy::Pickled(..) => Err(format!("{}: expected numbers, found Python objects", path.display())),
    }
}

/// Points as a member: positions `[n, 3]`, colors `[n, 3]` in `0..=1` or `0..=255` beside them.
pub(super) fn points(xyz: &Array, rgb: Option<&Array>) -> Result<Member, String> {
    let &[count, columns] = &xyz.shape[..] else {
        return Err(format!("expected points in rows, found {:?}", xyz.shape));
    };
    if columns < 3 {
        return Err(format!("expected points in three columns, found {:?}", xyz.shape));
    }
    let positions = xyz.numbers();
    if let Some(at) = positions.iter().position(|v| !v.is_finite()) {
        return Err(format!("point {} is not finite", at / columns));
    }
    let rgb = rgb.filter(|rgb| rgb.shape == [count, 3]).map(Array::numbers);
    let scale = if rgb.iter().flatten().any(|v| *v > 1.001) { 255.0 } else { 1.0 };
    let wide = if rgb.is_some() { 6 } else { 3 };
    let mut values = Vec::with_capacity(count * wide);
    for i in 0..count {
        values.extend(&positions[i * columns..i * columns + 3]);
        values.extend(rgb.iter().flat_map(|rgb| rgb[i * 3..i * 3 + 3].iter().map(|v| v / scale)));
    }
    Ok(Member::new(POINTS, Array::singles(&[count, wide], &values).to_npy()))
}

/// Points of a dictionary with `xyz` and maybe `rgb`.
pub(super) fn points_of(item: Item) -> Result<Member, String> {
    let xyz = item.get("xyz").and_then(Item::array).ok_or("expected an array \"xyz\"")?;
    points(xyz, item.get("rgb").and_then(Item::array))
}

/// A pickle, or a `.npy` file of Python objects.
pub(super) fn read_pickle(path: &Path) -> Result<NumpyPickle, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let pickle =
        if bytes.starts_with(npy::MAGIC) { NumpyPickle::read_npy(&bytes) } else { NumpyPickle::read(&bytes) };
    pickle.map_err(|error| format!("{}: {error}", path.display()))
}

/// Rows of an array as a member of features, `[rows, dim]`.
pub(super) fn features(name: &str, rows: usize, dim: usize, values: &[f32]) -> Member {
    Member::new(name, Array::halves(rows, dim, values.iter().copied()).to_npy())
}
