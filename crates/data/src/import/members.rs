//! Arrays of a source as members of a shape.

use std::path::{Path, PathBuf};

use fs_err as fs;
use lexiform_formats::array::Array;
use lexiform_formats::npy::{Npy, read_npy};
use lexiform_formats::pickle::{NumpyPickle, PickleValue};
use lexiform_formats::view_format::extension_of;
use lexiform_mesh_io::UpRule;

use crate::points::turned;
use crate::shape::POINTS;
use crate::{Caption, Member, Metadata};

/// Metadata with the source's numbers of a shape's views, where some are missing or they do not start at 0.
pub(super) const VIEW_NUMBERS: &str = "view_numbers";

/// Images as views, in the order of their numbers in the source. Numbers with gaps are recorded in the metadata.
pub(super) fn numbered_views(
    images: &[(usize, PathBuf)],
    metadata: &mut Metadata,
) -> Result<Vec<Member>, String> {
    let view = |(index, (_, path)): (usize, &(usize, PathBuf))| {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        let extension = extension_of(&bytes).ok_or_else(|| format!("{} is not an image", path.display()))?;
        Ok(Member::view(index, extension, bytes))
    };
    record_numbers(images.iter().map(|(number, _)| *number), metadata);
    images.iter().enumerate().map(view).collect()
}

/// Records the numbers of views if they have gaps.
pub(super) fn record_numbers(numbers: impl Iterator<Item = usize> + Clone, metadata: &mut Metadata) {
    if numbers.clone().enumerate().any(|(index, number)| index != number) {
        metadata.extra.insert(VIEW_NUMBERS.to_owned(), numbers.collect::<Vec<_>>().into());
    }
}

/// Adds captions whose views have the source's numbers: they get the positions of the views, and those of missing views are left out.
pub(super) fn add_captions(metadata: &mut Metadata, captions: &[Caption]) {
    let numbers = metadata.extra.get(VIEW_NUMBERS).and_then(|list| list.as_array());
    let position = |view: usize| match numbers {
        Some(numbers) => numbers.iter().position(|number| number.as_u64() == Some(view as u64)),
        None => Some(view),
    };
    let renumbered = captions.iter().filter_map(|caption| match caption.view {
        Some(view) => Some(Caption { view: Some(position(view)?), ..caption.clone() }),
        None => Some(caption.clone()),
    });
    metadata.captions.extend(renumbered);
}

/// Reads a `.npy` file of numbers.
pub(super) fn read_array(path: &Path) -> Result<Array, String> {
    match read_npy(&fs::read(path).map_err(|error| error.to_string())?)? {
        Npy::Array(array) => Ok(array),
        Npy::Pickled(..) => Err(format!("{}: expected numbers, found Python objects", path.display())),
    }
}

/// A point cloud as a member. `xyz` is `[n, 3 or more]`, of which the first three columns are positions; `rgb` is `[n, 3]` in `0..=1` or
/// `0..=255`.
pub(super) fn points(xyz: &Array, rgb: Option<&Array>) -> Result<Member, String> {
    let &[count, columns] = &xyz.shape[..] else {
        return Err(format!("expected points [n, 3], found {:?}", xyz.shape));
    };
    if columns < 3 {
        return Err(format!("expected points [n, 3], found {:?}", xyz.shape));
    }
    let positions = xyz.to_f32_vec();
    if let Some(at) = positions.iter().position(|v| !v.is_finite()) {
        return Err(format!("point {} is not finite", at / columns));
    }
    // Colors of another shape are ignored rather than guessed.
    let rgb = rgb.filter(|rgb| rgb.shape == [count, 3]).map(Array::to_f32_vec);
    // Sources store colors in 0..1 or in 0..255. The margin allows for the rounding of 1.0.
    let scale = if rgb.iter().flatten().any(|v| *v > 1.001) { 255.0 } else { 1.0 };
    let wide = if rgb.is_some() { 6 } else { 3 };
    let mut values = Vec::with_capacity(count * wide);
    for i in 0..count {
        values.extend(&positions[i * columns..i * columns + 3]);
        values.extend(rgb.iter().flat_map(|rgb| rgb[i * 3..i * 3 + 3].iter().map(|v| v / scale)));
    }
    Ok(Member::new(POINTS, Array::from_f32(&[count, wide], &values).to_npy()))
}

/// The point cloud of a dictionary with `xyz` and optionally `rgb`.
pub(super) fn colored_points(item: PickleValue) -> Result<Member, String> {
    let xyz = item.get("xyz").and_then(PickleValue::array).ok_or("expected an array \"xyz\"")?;
    points(&xyz, item.get("rgb").and_then(PickleValue::array).as_ref())
}

/// Opens a pickle, or a `.npy` file of Python objects.
pub(super) fn read_pickle(path: &Path) -> Result<NumpyPickle, String> {
    NumpyPickle::open(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Turns the points among the members, as [`turn_upright`](lexiform_mesh_io::turn_upright) does.
pub(super) fn turn_points(members: &mut [Member], up: UpRule) -> Result<(), String> {
    for member in members.iter_mut().filter(|member| member.name == POINTS && up != UpRule::Format) {
        let Npy::Array(array) = read_npy(&member.bytes)? else {
            return Err(format!("{POINTS}: expected numbers, found Python objects"));
        };
        member.bytes = turned(&array, up)?.to_npy();
    }
    Ok(())
}

/// Features as a member, `[rows, dim]` in `float16`.
pub(super) fn features(name: &str, rows: usize, dim: usize, values: &[f32]) -> Member {
    Member::new(name, Array::from_f16(rows, dim, values.iter().copied()).to_npy())
}
