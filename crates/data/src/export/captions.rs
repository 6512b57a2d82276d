//! Captions as [Cap3D](https://github.com/crockwell/Cap3D) publishes them (`id,caption` without headings), and labels
//! (`id,label,split`).

use super::job::{Exported, Work, outside_name};
use crate::DataError;

/// Writes `captions.csv` and `labels.csv`.
pub(super) fn write(work: Work<'_>) -> Result<Exported, DataError> {
    let (dataset, to) = (work.dataset, work.to);
    let wrong = |error: csv::Error| DataError::invalid(to, error);
    let mut captions = csv::Writer::from_writer(fs_err::File::create(to.join("captions.csv"))?);
    let mut labels = csv::Writer::from_writer(fs_err::File::create(to.join("labels.csv"))?);
    labels.write_record(["id", "label", "split"]).map_err(wrong)?;
    let exported = work.each(|shape| {
        let about = dataset.about(shape)?;
        let id = outside_name(dataset.key(shape), &about.id);
        for caption in &about.captions {
            captions.write_record([id.as_str(), caption.text.as_str()]).map_err(wrong)?;
        }
        for label in &about.labels {
            labels.write_record([id.as_str(), label.as_str(), about.split.as_str()]).map_err(wrong)?;
        }
        let is_empty = about.captions.is_empty() && about.labels.is_empty();
        Ok(is_empty.then_some("has no captions and no labels"))
    })?;
    captions.flush()?;
    labels.flush()?;
    Ok(exported)
}
