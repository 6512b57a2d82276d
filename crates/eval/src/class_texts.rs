//! The labels to choose from and their prompt templates, turned into class features.

use lexiform_metrics::{ClassFeatures, TemplateAveraging};
use lexiform_search::Encoder;

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::feature_file;
use crate::protocol::{ClassList, Protocol, Spelling};
use crate::text_features::{PLACEHOLDER, embed_texts, sentences};

/// Labels and prompt templates.
#[derive(Clone, Debug, Default)]
pub struct ClassTexts {
    /// The labels to choose from; the protocol's, or all that occur, if `None`.
    pub labels: Option<Vec<String>>,
    /// Prompt templates with `{}` for the label; the protocol's, or the model's, if `None`.
    pub templates: Option<Vec<String>>,
    /// Precomputed text features, one row per label, or one per label and template grouped by label: `FILE` or
    /// `FILE#TENSOR`.
    pub features: Option<String>,
    /// The protocol.
    pub protocol: Option<&'static Protocol>,
}

impl ClassTexts {
    /// The labels to choose from: given ones, the protocol's, or all that occur.
    pub(crate) fn labels(
        &self,
        occurring: Vec<String>,
        events: &mut OnEvent<'_>,
    ) -> Result<Vec<String>, EvalError> {
        let classes = self.protocol.map(|protocol| protocol.classes);
        match (&self.labels, classes) {
            (Some(labels), Some(ClassList::FromFile { count, .. })) => {
                // Only a note: a file with a subset of the classes is legitimate.
                if labels.len() != count {
                    events(EvalEvent::LabelCount { expected: count, found: labels.len() });
                }
                Ok(labels.clone())
            }
            (Some(labels), _) => Ok(labels.clone()),
            (None, Some(ClassList::Builtin(names))) => {
                Ok(names.iter().map(|name| (*name).to_owned()).collect())
            }
            (None, Some(ClassList::FromFile { file, .. })) => Err(EvalError::NeedsLabels { file }),
            (None, Some(ClassList::None)) => Err(EvalError::NoClasses),
            (None, None) => Ok(occurring),
        }
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
        let features = feature_file::read(file)?.features;
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
        if let Some(file) = &self.features {
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
