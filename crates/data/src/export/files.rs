//! All files of each shape, in a folder per shape.

use fs_err as fs;

use super::job::{ExportJob, ExportSummary};
use crate::DataError;

/// `<key>/v00.png …`, `<key>/metadata.json`.
pub(super) fn write(job: ExportJob<'_>) -> Result<ExportSummary, DataError> {
    let (dataset, out_dir) = (job.dataset, job.out_dir);
    job.each(|shape| {
        let shape = dataset.shape(shape)?;
        let folder = out_dir.join(shape.key.as_str());
        fs::create_dir_all(&folder)?;
        for member in &shape.members {
            fs::write(folder.join(&member.name), &member.bytes)?;
        }
        let metadata =
            serde_json::to_vec_pretty(&shape.metadata).map_err(|error| DataError::invalid(&folder, error))?;
        fs::write(folder.join("metadata.json"), metadata)?;
        Ok(None)
    })
}
