//! Captions as Cap3D publishes them, and labels: `id,caption` and `id,label,split`, without headings in the first.

use std::path::Path;

use super::{Exported, outside_name};
use crate::{DataError, Dataset};

pub(super) fn write(
    dataset: &Dataset,
    shapes: &[usize],
    to: &Path,
    progress: &mut dyn FnMut(),
) -> Result<Exported, DataError> {
    fs_err::create_dir_all(to)?;
    let wrong = |error: csv::Error| DataError::invalid(to, error);
    let mut captions = csv::Writer::from_writer(fs_err::File::create(to.join("captions.csv"))?);
    let mut labels = csv::Writer::from_writer(fs_err::File::create(to.join("labels.csv"))?);
    labels.write_record(["id", "label", "split"]).map_err(wrong)?;
    let mut exported = Exported::default();
    for shape in shapes {
        let about = dataset.about(*shape)?;
        let id = outside_name(dataset.key(*shape), &about.id);
        for caption in &about.captions {
            captions.write_record([id.as_str(), caption.text.as_str()]).map_err(wrong)?;
        }
        for label in &about.labels {
            labels.write_record([id.as_str(), label.as_str(), about.split.as_str()]).map_err(wrong)?;
        }
        exported.shapes += 1;
        progress();
    }
    captions.flush()?;
    labels.flush()?;
    Ok(exported)
}
