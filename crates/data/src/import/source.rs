//! An open source of an importer, as a [`Producer`].

use std::path::Path;

use lexiform_mesh_io::UpRule;
use serde_json::{Value, json};

use super::members::{add_captions, turn_points};
use super::options::{ImportOptions, Selection};
use crate::annotations::{MatchCounts, extend_unique};
use crate::shape::assign_split;
use crate::{DataError, Key, Member, Metadata, ProduceError, Producer, Shape, ShapeJob};

/// An open source: its shapes and how each is read.
pub struct ImportSource {
    format: &'static str,
    jobs: Vec<ShapeJob>,
    warnings: Vec<String>,
    settings: Value,
    match_counts: MatchCounts,
    read: Box<ReadShape>,
}

/// Reads the members and the metadata of a shape.
type ReadShape = dyn Fn(usize) -> Result<(Vec<Member>, Metadata), String> + Send + Sync;

impl ImportSource {
    /// A source of the shapes `ids`, or those of them that the options select. `read` returns the members and the metadata of a
    /// shape, by its position in `ids`.
    pub(super) fn new(
        format: &'static str,
        from: &Path,
        ids: &[String],
        options: &ImportOptions,
        read: impl Fn(usize) -> Result<(Vec<Member>, Metadata), String> + Send + Sync + 'static,
    ) -> Result<Self, DataError> {
        let Selection { chosen, warning } = match &options.ids {
            Some(wanted) => wanted.select(ids)?,
            None => Selection { chosen: (0..ids.len()).collect(), warning: None },
        };
        // Ids of the source are kept as keys if possible, so that shapes can be found by them.
        let job = |i: &usize| ShapeJob { key: Key::from_id(&ids[*i]), source: ids[*i].clone() };
        let jobs: Vec<ShapeJob> = chosen.iter().map(job).collect();
        let match_counts = options.annotations.matched(jobs.iter().map(|job| job.source.as_str()));
        let complete_metadata = complete_metadata(from, &jobs, options);
        let up = options.up;
        let read = move |index: usize| {
            let (mut members, metadata) = read(chosen[index])?;
            turn_points(&mut members, up)?;
            let mut metadata = complete_metadata(index, metadata);
            // Captions of views that were not imported still describe the shape.
            let last = members.iter().filter_map(|member| Member::view_index(&member.name)).max();
            let is_imported = |view: &usize| last.is_some_and(|last| *view <= last);
            metadata.captions.iter_mut().for_each(|caption| caption.view = caption.view.filter(is_imported));
            Ok((members, metadata))
        };
        let warnings = warning.into_iter().collect();
        let settings = settings(format, options);
        Ok(Self { format, jobs, warnings, settings, match_counts, read: Box::new(read) })
    }

    /// Adds a setting that determines the shapes.
    pub(super) fn with_setting(mut self, setting: &str, value: impl Into<Value>) -> Self {
        self.settings[setting] = value.into();
        self
    }

    /// Adds warnings.
    pub(super) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// Known pitfalls of the source, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Name of the format.
    pub fn format(&self) -> &'static str {
        self.format
    }
}

/// The settings that determine the shapes, for all formats.
fn settings(format: &str, options: &ImportOptions) -> Value {
    let mut settings = json!({
        "made_by": format!("import {format}"),
        "view_format": options.view_format,
        "val_fraction": options.val_fraction,
        "features": options.features,
        "size": options.size,
        "annotations": options.annotations.digest(),
    });
    if options.up != UpRule::Format {
        settings["up"] = options.up.name().into();
    }
    for (name, given) in [("class_photos", options.class_photos), ("class_captions", options.class_captions)]
    {
        if given {
            settings[name] = true.into();
        }
    }
    if let Some(ids) = &options.ids {
        settings["ids"] = ids.digest().into();
    }
    settings
}

/// Completes the metadata of a shape, for all formats: id, source, the user's labels and captions, the split.
fn complete_metadata(
    from: &Path,
    jobs: &[ShapeJob],
    options: &ImportOptions,
) -> impl Fn(usize, Metadata) -> Metadata + use<> {
    let source = from.display().to_string();
    let (annotations, val_fraction) = (options.annotations.clone(), options.val_fraction);
    let keys: Vec<(Key, String)> = jobs.iter().map(|job| (job.key.clone(), job.source.clone())).collect();
    move |index: usize, mut metadata: Metadata| {
        let (key, id) = &keys[index];
        metadata.id.clone_from(id);
        if metadata.source.is_empty() {
            metadata.source.clone_from(&source);
        }
        if let Some(more) = annotations.find(id) {
            extend_unique(&mut metadata.labels, more.labels.iter().cloned());
            add_captions(&mut metadata, &more.captions);
            // The user's split wins over the source's.
            metadata.split = more.split.clone().unwrap_or(metadata.split);
        }
        if metadata.split.is_empty() {
            metadata.split = assign_split(key, val_fraction).to_owned();
        }
        metadata
    }
}

impl Producer for ImportSource {
    fn jobs(&self) -> &[ShapeJob] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        self.settings.clone()
    }

    fn match_counts(&self) -> MatchCounts {
        self.match_counts
    }

    fn produce(&self, index: usize) -> Result<Shape, ProduceError> {
        let (members, metadata) = (self.read)(index).map_err(ProduceError::Shape)?;
        Ok(Shape { key: self.jobs[index].key.clone(), members, metadata })
    }
}
