//! Shapes of a data set, in the stead of files.

use std::path::Path;
use std::sync::Arc;

use lexiform_data::{Dataset, Member, POINTS, cloud_of};
use lexiform_formats::picture::decode_picture;
use lexiform_search::{Error, Look, Taken};

use super::data::Entry;
use crate::output;

/// A shape of a data set.
#[derive(Clone)]
pub struct InSet {
    set: Arc<Dataset>,
    shape: usize,
}

/// The shapes of a data set that have a label, as entries named by their keys.
pub fn labelled(place: &Path) -> anyhow::Result<Vec<Entry>> {
    let set = Arc::new(Dataset::open(place)?);
    let entry = |shape: usize| set.label(shape).map(|label| entry(&set, shape, label));
    let entries: Vec<Entry> = (0..set.len()).filter_map(entry).collect();
    if entries.len() < set.len() {
        output::note(format!("note: {} of {} shapes have a label", entries.len(), set.len()));
    }
    Ok(entries)
}

/// A shape with what is said of it, each sentence once.
pub struct Said {
    /// The shape.
    pub entry: Entry,
    /// Its captions.
    pub texts: Vec<String>,
}

/// All shapes of a data set with their captions; where no shape has any, with their labels, and `true`.
pub fn captioned(place: &Path) -> anyhow::Result<(Vec<Said>, bool)> {
    let set = Arc::new(Dataset::open(place)?);
    let mut said = Vec::with_capacity(set.len());
    for shape in 0..set.len() {
        let mut texts: Vec<String> = set.about(shape)?.captions.into_iter().map(|c| c.text).collect();
        texts.sort();
        texts.dedup();
        said.push(Said { entry: entry(&set, shape, set.label(shape).unwrap_or_default()), texts });
    }
    let by_label = said.iter().all(|said| said.texts.is_empty());
    if by_label {
        let with_label = said.iter_mut().filter(|said| !said.entry.label.is_empty());
        with_label.for_each(|said| said.texts.push(said.entry.label.clone()));
    }
    Ok((said, by_label))
}

fn entry(set: &Arc<Dataset>, shape: usize, label: &str) -> Entry {
    Entry {
        name: set.key(shape).to_owned(),
        file: set.key(shape).into(),
        label: label.to_owned(),
        split: Some(set.split(shape).to_owned()),
        in_set: Some(InSet { set: Arc::clone(set), shape }),
    }
}

impl InSet {
    /// What the set has of the shape, as a model takes it.
    pub fn take(&self, look: &Look) -> Result<Taken, Error> {
        let failed = |reason: String| Error::Shape { path: self.set.key(self.shape).into(), reason };
        let wanted = |name: &str| name == POINTS || Member::view_index(name).is_some();
        let members = self.set.some(self.shape, wanted).map_err(|error| failed(error.to_string()))?;
        let (mut views, mut cloud) = (Vec::new(), None);
        for member in members {
            if member.name == POINTS {
                let points = self.set.as_array(self.shape, POINTS, &member.bytes);
                let points = points.map_err(|error| failed(error.to_string()))?;
                cloud = Some(cloud_of(&points).map_err(failed)?);
            } else {
                views.push(decode_picture(&member.bytes).map_err(failed)?);
            }
        }
        look.at_stored(views, cloud)
            .ok_or_else(|| failed("the data set has nothing that the model takes".to_owned()))
    }
}
