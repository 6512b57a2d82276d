//! Every file of every shape in a folder of its own.

use std::path::Path;

use fs_err as fs;

use super::Exported;
use crate::{DataError, Dataset};

/// `<key>/v00.png …`, `<key>/about.json`.
pub(super) fn write(
    dataset: &Dataset,
    shapes: &[usize],
    to: &Path,
    progress: &mut dyn FnMut(),
) -> Result<Exported, DataError> {
    let mut exported = Exported::default();
    for shape in shapes {
        let shape = dataset.shape(*shape)?;
        let folder = to.join(shape.key.as_str());
        fs::create_dir_all(&folder)?;
        for member in &shape.members {
            fs::write(folder.join(&member.name), &member.bytes)?;
        }
        let about =
            serde_json::to_vec_pretty(&shape.about).map_err(|error| DataError::invalid(&folder, error))?;
        fs::write(folder.join("about.json"), about)?;
        exported.shapes += 1;
        progress();
    }
    Ok(exported)
}
