//! The labels and their sentences, as features that files are compared with.

use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use clap::Args;
use lexiform_eval::protocol::{self, Benchmark, Classes, Paper, Protocol, Spelling, Taking, Values};
use lexiform_eval::{ClassFeatures, TextMean};
use lexiform_model::point::{CloudOptions, Placing};
use lexiform_search::Encoder;

use super::looks::text_features;
use crate::array_read;
use crate::commands::classify::lines;
use crate::failure::{Usage, WithHint as _};
use crate::output;

/// What stands for a label in a sentence.
const SLOT: &str = "{}";

/// Which labels there are and how they are said.
#[derive(Args, Clone, Debug)]
pub struct WordsArgs {
    /// File with one label a line to choose from [default: all labels of the files]
    #[arg(long, value_name = "FILE", requires = "given")]
    pub labels_file: Option<PathBuf>,
    /// File with one sentence a line, `{}` where the label goes [default: those of the protocol or the model]
    #[arg(long, value_name = "FILE")]
    pub templates: Option<PathBuf>,
    /// Features of the labels, or of all their sentences, label by label, instead of words
    #[arg(long, value_name = "FILE[#TENSOR]", requires = "given")]
    pub class_features: Option<String>,
    #[command(flatten)]
    pub by: ProtocolArgs,
}

/// As which benchmark and whose way.
#[derive(Args, Clone, Debug)]
pub struct ProtocolArgs {
    /// Measure as a benchmark is measured: objaverse-lvis, modelnet40, modelnet10, scanobjectnn-obj-only,
    /// scanobjectnn-obj-bg, scanobjectnn-hardest, text2shape or mvpnet
    #[arg(long, value_name = "NAME")]
    pub protocol: Option<Benchmark>,
    /// Whose way of measuring: duoduo, ulip2, cg3d or openshape
    #[arg(long = "as", value_name = "PAPER", requires = "protocol")]
    pub paper: Option<Paper>,
}

impl ProtocolArgs {
    /// The protocol that was asked for.
    pub fn chosen(&self) -> anyhow::Result<Option<&'static Protocol>> {
        let Some(benchmark) = self.protocol else { return Ok(None) };
        let known: Vec<&Protocol> = Protocol::known(benchmark).collect();
        let papers = known.iter().map(|p| p.paper.name()).collect::<Vec<_>>().join(", ");
        match (self.paper, &known[..]) {
            (None, [only]) => Ok(Some(*only)),
            (None, _) => Err(Usage(format!(
                "{} is measured in several ways: say whose by --as ({papers})",
                benchmark.name()
            ))
            .into()),
            (Some(paper), _) => match Protocol::of(benchmark, paper) {
                Some(protocol) => Ok(Some(protocol)),
                None => Err(Usage(format!(
                    "{} is not known to be measured by {}, but by {papers}",
                    benchmark.name(),
                    paper.name()
                ))
                .into()),
            },
        }
    }
}

impl WordsArgs {
    /// The protocol that was asked for.
    pub fn protocol(&self) -> anyhow::Result<Option<&'static Protocol>> {
        self.by.chosen()
    }

    /// The labels to choose from: listed, or the protocol's, or all that occur.
    pub fn labels(&self, occurring: Vec<String>) -> anyhow::Result<Vec<String>> {
        let classes = self.protocol()?.map(|p| p.classes);
        let labels = match (&self.labels_file, classes) {
            (Some(path), _) => lines(path)?,
            (None, Some(Classes::Known(names))) => names.iter().map(|name| (*name).to_owned()).collect(),
            (None, Some(Classes::FromFile { file, .. })) => {
                return Err(Usage(format!("this protocol needs --labels-file: {file}")).into());
            }
            (None, Some(Classes::None)) => {
                return Err(Usage(
                    "this protocol has captions, no labels: measure by `lexiform eval retrieval`".to_owned(),
                )
                .into());
            }
            (None, None) => occurring,
        };
        if let Some(Classes::FromFile { count, .. }) = classes.filter(|_| self.labels_file.is_some())
            && labels.len() != count
        {
            output::note(format!("note: the protocol has {count} labels, found {}", labels.len()));
        }
        Ok(labels)
    }

    /// The sentences: given ones, the protocol's, or the model's.
    pub fn sentences(&self, encoder: &dyn Encoder) -> anyhow::Result<Vec<String>> {
        let templates = match (&self.templates, self.protocol()?) {
            (Some(path), _) => lines(path)?,
            (None, Some(protocol)) => protocol
                .templates
                .sentences()
                .ok_or_else(|| anyhow!("{}: {}", protocol.title(), protocol.note))
                .hint("or give sentences by --templates")?,
            (None, None) => encoder.templates(),
        };
        ensure!(!templates.is_empty(), "expected at least one template, found none");
        match templates.iter().find(|t| !t.contains(SLOT)) {
            Some(template) => Err(anyhow!("template {template:?} has no {{}} where the label goes")),
            None => Ok(templates),
        }
    }

    /// One row a label. Names of folders and of data sets are read with spaces for underscores.
    pub fn class_features(
        &self,
        encoder: Option<&dyn Encoder>,
        labels: &[String],
        has_underscores: bool,
    ) -> anyhow::Result<ClassFeatures> {
        let protocol = self.protocol()?;
        let mean = protocol.map_or(TextMean::Directions, |p| p.text_mean);
        if let Some(file) = &self.class_features {
            let features = array_read::read(file)?.features;
            let templates = features.rows() / labels.len().max(1);
            ensure!(
                templates > 0 && templates * labels.len() == features.rows(),
                "{file}: expected a row for each of {} labels, or for each of their sentences, found {}",
                labels.len(),
                features.rows()
            );
            return Ok(ClassFeatures::from_sentences(&features, templates, mean)?);
        }
        let encoder = encoder.ok_or_else(|| Usage("give --model or --class-features".to_owned()))?;
        let templates = self.sentences(encoder)?;
        let spelling = match protocol {
            Some(protocol) => protocol.spelling,
            None if has_underscores => Spelling::Spaces,
            None => Spelling::Verbatim,
        };
        let sentences: Vec<String> = labels
            .iter()
            .flat_map(|label| {
                let label = spelling.spell(label);
                templates.iter().map(move |t| t.replace(SLOT, &label))
            })
            .collect();
        let features = text_features(encoder, &sentences)?;
        Ok(ClassFeatures::from_sentences(&features, templates.len(), mean)?)
    }
}

/// How clouds are given to point models: as the protocol says, of so many points where a number is given.
pub fn clouds_of(protocol: Option<&Protocol>, points: Option<usize>) -> CloudOptions {
    let asked = match protocol.map(|protocol| protocol.taking) {
        Some(Taking::Points { count, placing, bare, .. }) => {
            let placing = match placing {
                protocol::Placing::Unit => Placing::Unit,
                protocol::Placing::UnitInHalf => Placing::UnitInHalf,
                protocol::Placing::AsStored => Placing::AsStored,
            };
            CloudOptions { n_points: count, placing: Some(placing), bare }
        }
        _ => CloudOptions::default(),
    };
    CloudOptions { n_points: points.or(asked.n_points), ..asked }
}

/// How a protocol measures, where this run differs, and what published numbers of this kind there are.
pub fn tell_protocol(protocol: &Protocol, shapes: usize, kind: fn(&Values) -> bool) {
    output::note(format!("protocol: {}: {}", protocol.title(), protocol.taking.describe()));
    if !protocol.note.is_empty() {
        output::note(format!("note: {}", protocol.note));
    }
    if let Some(items) = protocol.items.filter(|items| *items != shapes) {
        output::note(format!("note: {shapes} shapes here, {items} in the paper"));
    }
    let rows: Vec<_> = protocol.published().into_iter().filter(|row| kind(&row.values)).collect();
    for row in &rows {
        output::note(format!("published: {}: {} ({})", row.model, row.values.describe(), row.source));
    }
    if rows.is_empty() {
        output::note("published: no row is known to compare with");
    }
}
