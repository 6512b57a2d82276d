//! An open source of an importer, as a [`Producer`].

use std::path::Path;

use serde_json::{Value, json};

use super::options::{ImportOptions, Selection};
use crate::shape::split_of;
use crate::table::{Matched, add_new};
use crate::{About, DataError, Job, Key, Member, Problem, Producer, Shape};

/// An open source: its shapes and how each is read.
pub struct Opened {
    format: &'static str,
    jobs: Vec<Job>,
    warnings: Vec<String>,
    settings: Value,
    matched: Matched,
    read: Box<ReadShape>,
}

/// Reads the members and the metadata of a shape.
type ReadShape = dyn Fn(usize) -> Result<(Vec<Member>, About), String> + Send + Sync;

impl Opened {
    /// A source of the shapes `ids`, or those of them that the options select. `read` returns the members and the metadata of a
    /// shape, by its position in `ids`.
    pub(super) fn new(
        format: &'static str,
        from: &Path,
        ids: &[String],
        options: &ImportOptions,
        read: impl Fn(usize) -> Result<(Vec<Member>, About), String> + Send + Sync + 'static,
    ) -> Result<Self, DataError> {
        let Selection { chosen, warning } = match &options.ids {
            Some(wanted) => wanted.choose(ids)?,
            None => Selection { chosen: (0..ids.len()).collect(), warning: None },
        };
        let job = |i: &usize| Job { key: Key::of_id(&ids[*i]), source: ids[*i].clone() };
        let jobs: Vec<Job> = chosen.iter().map(job).collect();
        let matched = options.facts.matched(jobs.iter().map(|job| job.source.as_str()));
        let finish = finish(from, &jobs, options);
        let read = move |index: usize| {
            let (members, about) = read(chosen[index])?;
            Ok((members, finish(index, about)))
        };
        let warnings = warning.into_iter().collect();
        let settings = settings(format, options);
        Ok(Self { format, jobs, warnings, settings, matched, read: Box::new(read) })
    }

    /// Adds a setting that determines the shapes.
    pub(super) fn with(mut self, setting: &str, value: impl Into<Value>) -> Self {
        self.settings[setting] = value.into();
        self
    }

    /// Adds warnings.
    pub(super) fn warn(mut self, warnings: Vec<String>) -> Self {
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
        "pictures": options.pictures,
        "held_out": options.held_out,
        "features": options.features,
        "size": options.size,
        "facts": options.facts.digest(),
    });
    if let Some(ids) = &options.ids {
        settings["ids"] = ids.digest().into();
    }
    settings
}

/// Completes the metadata of a shape, for all formats: id, source, the user's labels and captions, the split.
fn finish(from: &Path, jobs: &[Job], options: &ImportOptions) -> impl Fn(usize, About) -> About + use<> {
    let source = from.display().to_string();
    let (facts, held_out) = (options.facts.clone(), options.held_out);
    let keys: Vec<(Key, String)> = jobs.iter().map(|job| (job.key.clone(), job.source.clone())).collect();
    move |index: usize, mut about: About| {
        let (key, id) = &keys[index];
        about.id.clone_from(id);
        if about.source.is_empty() {
            about.source.clone_from(&source);
        }
        if let Some(more) = facts.find(id) {
            add_new(&mut about.labels, more.labels.iter().cloned());
            about.captions.extend(more.captions.iter().cloned());
            about.split = more.split.clone().unwrap_or(about.split);
        }
        if about.split.is_empty() {
            about.split = split_of(key, held_out).to_owned();
        }
        about
    }
}

impl Producer for Opened {
    fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        self.settings.clone()
    }

    fn matched(&self) -> Matched {
        self.matched
    }

    fn produce(&self, index: usize) -> Result<Shape, Problem> {
        let (members, about) = (self.read)(index).map_err(Problem::Shape)?;
        Ok(Shape { key: self.jobs[index].key.clone(), members, about })
    }
}
