//! Folders of [Zero123](https://github.com/cvlab-columbia/zero123) renders: `<id>/000.png …`, RGBA without changes.

use fs_err as fs;
use lexiform_formats::view_format::ViewFormat;
use lexiform_formats::view_format::decode_view;

use super::job::{ExportJob, ExportSummary, export_id};
use crate::{DataError, Member};

/// Writes the views of each shape as PNG files.
pub(super) fn write(job: ExportJob<'_>) -> Result<ExportSummary, DataError> {
    let (dataset, out_dir) = (job.dataset, job.out_dir);
    job.each(|shape| {
        let shape = dataset.shape(shape)?;
        let views: Vec<&Member> =
            shape.members.iter().filter(|m| Member::view_index(&m.name).is_some()).collect();
        if views.is_empty() {
            return Ok(Some("has no views"));
        }
        let folder = out_dir.join(export_id(shape.key.as_str(), &shape.metadata.id));
        fs::create_dir_all(&folder)?;
        for (i, view) in views.iter().enumerate() {
            let png = if view.name.ends_with(".png") {
                view.bytes.clone()
            } else {
                let image = decode_view(&view.bytes);
                image
                    .and_then(|image| ViewFormat::Png.encode(&image))
                    .map_err(|error| DataError::invalid(&folder, error))?
            };
            fs::write(folder.join(format!("{i:03}.png")), png)?;
        }
        Ok(None)
    })
}
