//! All files of each shape, in a folder per shape.

use fs_err as fs;

use super::job::{Exported, Work};
use crate::DataError;

/// `<key>/v00.png …`, `<key>/about.json`.
pub(super) fn write(work: Work<'_>) -> Result<Exported, DataError> {
    let (dataset, to) = (work.dataset, work.to);
    work.each(|shape| {
        let shape = dataset.shape(shape)?;
        let folder = to.join(shape.key.as_str());
        fs::create_dir_all(&folder)?;
        for member in &shape.members {
            fs::write(folder.join(&member.name), &member.bytes)?;
        }
        let about =
            serde_json::to_vec_pretty(&shape.about).map_err(|error| DataError::invalid(&folder, error))?;
        fs::write(folder.join("about.json"), about)?;
        Ok(None)
    })
}
