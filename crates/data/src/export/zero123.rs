//! Zero123's folders: `<id>/000.png …`, RGBA as they are kept.

use std::path::Path;

use fs_err as fs;

use super::{Exported, outside_name};
use crate::{DataError, Dataset, Member, Picture, decode_picture};

pub(super) fn write(
    dataset: &Dataset,
    shapes: &[usize],
    to: &Path,
    progress: &mut dyn FnMut(),
) -> Result<Exported, DataError> {
    let mut exported = Exported::default();
    for shape in shapes {
        let shape = dataset.shape(*shape)?;
        let views: Vec<&Member> =
            shape.members.iter().filter(|m| Member::view_index(&m.name).is_some()).collect();
        progress();
        if views.is_empty() {
            exported.leave_out(shape.key.as_str(), "has no views");
            continue;
        }
        let folder = to.join(outside_name(shape.key.as_str(), &shape.about.id));
        fs::create_dir_all(&folder)?;
        for (i, view) in views.iter().enumerate() {
            let png = match view.name.ends_with(".png") {
                true => view.bytes.clone(),
                false => decode_picture(&view.bytes)
                    .and_then(|image| Picture::Png.encode(&image))
                    .map_err(|error| DataError::invalid(&folder, error))?,
            };
            fs::write(folder.join(format!("{i:03}.png")), png)?;
        }
        exported.shapes += 1;
    }
    Ok(exported)
}
