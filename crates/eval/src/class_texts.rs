//! The labels to choose from and their prompt templates, turned into class features.

use std::collections::HashMap;

use lexiform_metrics::{ClassFeatures, TemplateAveraging};
use lexiform_search::Encoder;

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::feature_arrays::FeatureFile;
use crate::feature_file;
use crate::label_list::LabelList;
use crate::protocol::labels::same_class;
use crate::protocol::{ClassList, Protocol, Spelling};
use crate::text_features::{PLACEHOLDER, embed_texts, sentences};

/// Labels and prompt templates.
#[derive(Clone, Debug, Default)]
pub struct ClassTexts {
    /// The labels to choose from; the protocol's, or all that occur, if `None`.
    pub labels: Option<LabelList>,
    /// Prompt templates with `{}` for the label; the protocol's, or the model's, if `None`.
    pub templates: Option<Vec<String>>,
    /// Precomputed text features, one row per label, or one per label and template grouped by label: `FILE` or
    /// `FILE#TENSOR`; those of the list of labels if `None`.
    pub features: Option<String>,
    /// The protocol.
    pub protocol: Option<&'static Protocol>,
}

impl ClassTexts {
    /// The labels to choose from: given ones, the protocol's, or all that occur.
    pub(crate) fn labels(
        &self,
        occurring: LabelList,
        events: &mut OnEvent<'_>,
    ) -> Result<LabelList, EvalError> {
        let classes = self.protocol.map(|protocol| protocol.classes);
        let mut list = match (&self.labels, classes) {
            (Some(labels), _) => labels.clone(),
            (None, Some(ClassList::Builtin(names))) => {
                names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().into()
            }
            // Class numbers say which label is which row of the class features.
            (None, Some(ClassList::FromFile { .. })) if occurring.is_numbered => occurring,
            (None, Some(ClassList::FromFile { file, .. })) => return Err(EvalError::NeedsLabels { file }),
            (None, Some(ClassList::None)) => return Err(EvalError::NoClasses),
            (None, None) => occurring,
        };
        match self.feature_file() {
            Some(file) => self.extend_to_features(&mut list, file)?,
            // A text tower would compare shapes with the words "class 7".
            None => list.keep_named(),
        }
        if let Some(ClassList::FromFile { count, .. }) = classes {
            // Only a note: a file with a subset of the classes is legitimate.
            if list.names.len() != count {
                events(EvalEvent::LabelCount { expected: count, found: list.names.len() });
            }
        }
        Ok(list)
    }

    /// File of precomputed text features: the given one, or that of the labels.
    pub(crate) fn feature_file(&self) -> Option<&str> {
        let of_labels = || self.labels.as_ref().and_then(|labels| labels.features.as_deref());
        self.features.as_deref().or_else(of_labels)
    }

    /// A subset of a released list names only some of the classes that the features have a row for.
    fn extend_to_features(&self, list: &mut LabelList, file: &str) -> Result<(), EvalError> {
        if !list.is_numbered {
            return Ok(());
        }
        let rows = feature_file::read(file)?.features.rows();
        let of_protocol = || self.protocol.and_then(|protocol| protocol.templates.sentences());
        let templates = self.templates.clone().or_else(of_protocol).map_or(1, |sentences| sentences.len());
        if rows != list.names.len() * templates {
            list.extend_to(rows);
        }
        Ok(())
    }

    /// The prompt templates: given ones, the protocol's, or the model's.
    pub(crate) fn templates(&self, encoder: &dyn Encoder) -> Result<Vec<String>, EvalError> {
        let unpublished = |protocol: &Protocol| {
            let text = format!("{}: {}", protocol.title(), protocol.note);
            EvalError::hinted(text, "or give templates with --templates")
        };
        let templates = match (&self.templates, self.protocol) {
            (Some(templates), _) => templates.clone(),
            (None, Some(protocol)) => protocol.templates.sentences().ok_or_else(|| unpublished(protocol))?,
            (None, None) => encoder.templates(),
        };
        if templates.is_empty() {
            return Err(EvalError::input("expected at least one template, found none"));
        }
        match templates.iter().find(|t| !t.contains(PLACEHOLDER)) {
            Some(template) => {
                Err(EvalError::input(format!("template {template:?} has no {{}} for the label")))
            }
            None => Ok(templates),
        }
    }

    /// Class features from a file.
    pub(crate) fn features_of_file(&self, file: &str, labels: &[String]) -> Result<ClassFeatures, EvalError> {
        let FeatureFile { features, row_names, .. } = feature_file::read(file)?;
        if let Some(rows) = row_names.and_then(|names| rows_of(labels, &names)) {
            let features = features.select(&rows)?;
            return Ok(ClassFeatures::from_sentences(&features, 1, self.template_averaging())?);
        }
        // The file may have one row per label or one per label and template; the row count tells which.
        let templates = features.rows() / labels.len().max(1);
        if templates == 0 || templates * labels.len() != features.rows() {
            return Err(EvalError::input(format!(
                "{file}: expected a row for each of {} labels, or for each label and template, found {}",
                labels.len(),
                features.rows()
            )));
        }
        Ok(ClassFeatures::from_sentences(&features, templates, self.template_averaging())?)
    }

    /// Class features from a model's text tower. Labels of folders and data sets have underscores, which become spaces.
    pub(crate) fn features_of_model(
        &self,
        encoder: &dyn Encoder,
        labels: &[String],
        has_underscores: bool,
        events: &mut OnEvent<'_>,
    ) -> Result<ClassFeatures, EvalError> {
        if let Some(file) = self.feature_file() {
            return self.features_of_file(file, labels);
        }
        let templates = self.templates(encoder)?;
        let spelling = match self.protocol {
            Some(protocol) => protocol.spelling,
            // Text towers know "night stand" better than "night_stand".
            None if has_underscores => Spelling::Spaces,
            None => Spelling::Verbatim,
        };
        let spelled: Vec<String> = labels.iter().map(|label| spelling.spell(label)).collect();
        let sentences = sentences(spelled.iter().map(String::as_str), &templates);
        let features = embed_texts(encoder, &sentences, events)?;
        Ok(ClassFeatures::from_sentences(&features, templates.len(), self.template_averaging())?)
    }

    fn template_averaging(&self) -> TemplateAveraging {
        self.protocol.map_or(TemplateAveraging::NormalizeEach, |protocol| protocol.template_averaging)
    }
}

/// The row of each label, if the rows are named by labels.
fn rows_of(labels: &[String], names: &[String]) -> Option<Vec<usize>> {
    let places: HashMap<&str, usize> =
        names.iter().enumerate().map(|(row, name)| (name.as_str(), row)).collect();
    let row = |label: &String| {
        let like = || names.iter().position(|name| same_class(name, label));
        places.get(label.as_str()).copied().or_else(like)
    };
    labels.iter().map(row).collect()
}
