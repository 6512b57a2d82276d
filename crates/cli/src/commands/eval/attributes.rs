//! `lexiform eval attributes`: accuracy on phrases about color, material and parts.

use clap::Args;
use lexiform_eval::{AttributeResult, AttributesConfig, Question, QuestionGroup, ShapeGenerator as _};
use lexiform_shapes::Aspect;
use lexiform_train::validation_questions;

use super::generated::ValidationShapes;
use super::progress::with_progress;
use super::resampling::ResamplingArgs;
use super::show;
use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output::{self, Align};

/// Evaluate attribute recognition on generated shapes: color, material, kind, parts and their number
///
/// For each shape the model must rank the correct phrase ("a stool with three legs") above phrases that describe other
/// shapes of the same category.
#[derive(Args)]
pub(crate) struct AttributesArgs {
    /// Shapes per category
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    per_class: u32,
    /// Fraction of color-category pairs excluded from training (the recipe's `data.unseen`), reported separately
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = parse_fraction)]
    unseen_fraction: f32,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Print a JSON object for each attribute
    #[arg(long)]
    json: bool,
}

impl AttributesArgs {
    /// Evaluates the model and prints the results.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let encoder = self.model.open()?;
        let per_class = self.per_class as usize;
        let shapes = ValidationShapes { per_class }.generate(&*encoder, None).shapes;
        let config = AttributesConfig {
            questions: validation_questions(per_class, self.unseen_fraction)
                .into_iter()
                .map(question)
                .collect(),
            groups: self.groups(),
            resampling: self.resampling.resampling(),
        };
        let results = with_progress(|events| lexiform_eval::attributes(&*encoder, shapes, &config, events))?;
        if self.json {
            results.iter().try_for_each(output::json)?;
        } else {
            show(&results)?;
        }
        Ok(Outcome::Done)
    }

    /// One group per attribute; colors seen and unseen in training are separate groups if some were excluded.
    fn groups(&self) -> Vec<QuestionGroup> {
        let apart: &[Option<bool>] =
            if self.unseen_fraction > 0.0 { &[Some(false), Some(true)] } else { &[None] };
        let of_aspect = |aspect: Aspect| {
            // Only pairs of color and category can be excluded from training.
            let splits = if aspect == Aspect::Color { apart } else { &[None] };
            splits.iter().map(move |&unseen| QuestionGroup { attribute: aspect.name(), unseen })
        };
        Aspect::ALL.into_iter().flat_map(of_aspect).collect()
    }
}

fn question(question: lexiform_shapes::Question) -> Question {
    let lexiform_shapes::Question { shape, aspect, correct: right, distractors: wrong, unseen } = question;
    Question { shape, attribute: aspect.name(), right, wrong, unseen }
}

fn show(results: &[AttributeResult]) -> std::io::Result<()> {
    let columns = [
        ("attribute", Align::Left),
        ("questions", Align::Right),
        ("accuracy %", Align::Right),
        ("chance %", Align::Right),
    ];
    let row = |line: &AttributeResult| {
        let aspect = match line.unseen {
            None => line.attribute.to_owned(),
            Some(false) => format!("{}, pairs seen in training", line.attribute),
            Some(true) => format!("{}, unseen pairs", line.attribute),
        };
        vec![
            aspect,
            line.questions.to_string(),
            show::with_interval(line.accuracy, line.interval),
            format!("{:.1}", 100.0 * line.chance),
        ]
    };
    output::line(output::table(&columns, &results.iter().map(row).collect::<Vec<_>>()))
}

fn parse_fraction(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok().filter(|x| (0.0..=1.0).contains(x));
    number.ok_or_else(|| format!("expected a number from 0 to 1, found {text:?}"))
}
