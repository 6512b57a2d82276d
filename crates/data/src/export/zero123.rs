//! Zero123's folders: `<id>/000.png …`, RGBA as they are kept.

use fs_err as fs;
use lexiform_formats::picture::{Picture, decode_picture};

use super::{Exported, Work, outside_name};
use crate::{DataError, Member};

pub(super) fn write(work: Work<'_>) -> Result<Exported, DataError> {
    let (dataset, to) = (work.dataset, work.to);
    work.each(|shape| {
        let shape = dataset.shape(shape)?;
        let views: Vec<&Member> =
            shape.members.iter().filter(|m| Member::view_index(&m.name).is_some()).collect();
        if views.is_empty() {
            return Ok(Some("has no views"));
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
        Ok(None)
    })
}
