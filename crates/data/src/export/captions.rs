//! Captions as [Cap3D](https://github.com/crockwell/Cap3D) publishes them (`id,caption` without headings), and labels
//! (`id,label,split`).

use super::job::{ExportJob, ExportSummary, export_id};
use crate::DataError;

/// Writes `captions.csv` and `labels.csv`.
pub(super) fn write(job: ExportJob<'_>) -> Result<ExportSummary, DataError> {
    let (dataset, out_dir) = (job.dataset, job.out_dir);
    let wrong = |error: csv::Error| DataError::invalid(out_dir, error);
    let mut captions = csv::Writer::from_writer(fs_err::File::create(out_dir.join("captions.csv"))?);
    let mut labels = csv::Writer::from_writer(fs_err::File::create(out_dir.join("labels.csv"))?);
    labels.write_record(["id", "label", "split"]).map_err(wrong)?;
    let exported = job.each(|shape| {
        let metadata = dataset.metadata(shape)?;
        let id = export_id(dataset.key(shape), &metadata.id);
        for caption in &metadata.captions {
            captions.write_record([id.as_str(), caption.text.as_str()]).map_err(wrong)?;
        }
        for label in &metadata.labels {
            labels.write_record([id.as_str(), label.as_str(), metadata.split.as_str()]).map_err(wrong)?;
        }
        let is_empty = metadata.captions.is_empty() && metadata.labels.is_empty();
        Ok(is_empty.then_some("has no captions and no labels"))
    })?;
    captions.flush()?;
    labels.flush()?;
    Ok(exported)
}
