//! `lexiform eval attributes`: whether phrases about color, material and parts find the shapes they are true of.

use clap::Args;
use lexiform_eval::{AttributeResult, AttributesConfig, Question, QuestionGroup, ShapeGenerator as _};
use lexiform_shapes::Aspect;
use lexiform_train::held_out_questions;

use super::generated::HeldOut;
use super::resampling::ResamplingArgs;
use super::show;
use super::watch::watched;
use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output::{self, Align};

/// How often a model picks the phrase that is true of a generated shape: its color, its material, the kind of its category,
/// which parts it has and how many. The true phrase ("a stool with three legs") competes with phrases that are true of
/// others of its category; the nearest to the shape is the answer.
#[derive(Args)]
pub(crate) struct AttributesArgs {
    /// Shapes of each category
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    each: u32,
    /// Share of pairs of a color and a category that the model's recipe held back (`data.unseen`): counted apart
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    unseen: f32,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Print a JSON object for each aspect
    #[arg(long)]
    json: bool,
}

impl AttributesArgs {
    /// Asks and shows.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let encoder = self.model.open()?;
        let each = self.each as usize;
        let shapes = HeldOut { each }.generate(&*encoder, None).shapes;
        let config = AttributesConfig {
            questions: held_out_questions(each, self.unseen).into_iter().map(question).collect(),
            groups: self.groups(),
            resampling: self.resampling.resampling(),
        };
        let results = watched(|events| lexiform_eval::attributes(&*encoder, shapes, &config, events))?;
        if self.json {
            results.iter().try_for_each(output::json)?;
        } else {
            show(&results)?;
        }
        Ok(Outcome::Done)
    }

    /// Colors are counted apart by whether training held them back, where it held some back.
    fn groups(&self) -> Vec<QuestionGroup> {
        let apart: &[Option<bool>] = if self.unseen > 0.0 { &[Some(false), Some(true)] } else { &[None] };
        let of_aspect = |aspect: Aspect| {
            let splits = if aspect == Aspect::Color { apart } else { &[None] };
            splits.iter().map(move |&unseen| QuestionGroup { aspect: aspect.name(), unseen })
        };
        Aspect::ALL.into_iter().flat_map(of_aspect).collect()
    }
}

fn question(question: lexiform_shapes::Question) -> Question {
    let lexiform_shapes::Question { shape, aspect, right, wrong, unseen } = question;
    Question { shape, aspect: aspect.name(), right, wrong, unseen }
}

fn show(results: &[AttributeResult]) -> std::io::Result<()> {
    let columns = [
        ("aspect", Align::Left),
        ("questions", Align::Right),
        ("right %", Align::Right),
        ("by chance %", Align::Right),
    ];
    let row = |line: &AttributeResult| {
        let aspect = match line.unseen {
            None => line.aspect.to_owned(),
            Some(false) => format!("{}, pairs seen in training", line.aspect),
            Some(true) => format!("{}, unseen pairs", line.aspect),
        };
        vec![
            aspect,
            line.questions.to_string(),
            show::with_interval(line.right, line.interval),
            format!("{:.1}", 100.0 * line.chance),
        ]
    };
    output::line(output::table(&columns, &results.iter().map(row).collect::<Vec<_>>()))
}

fn share(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok().filter(|x| (0.0..=1.0).contains(x));
    number.ok_or_else(|| format!("expected a number from 0 to 1, found {text:?}"))
}
