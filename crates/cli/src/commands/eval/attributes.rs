//! `lexiform eval attributes`: whether words about color, material and parts find what they say.

use std::collections::HashMap;

use clap::Args;
use lexiform_eval::Interval;
use lexiform_eval::bootstrap::{Resampling, intervals};
use lexiform_search::{Embedding, Encoder, Look, Taken};
use lexiform_shapes::{Aspect, Question};
use lexiform_train::held_out_questions;
use serde::Serialize;

use super::looks::{self, text_features};
use super::{ResamplingArgs, show};
use crate::failure::Verdict;
use crate::models::ModelArg;
use crate::output::{self, Align};

/// How often a model tells what is true of a shape made by rule: its color, its material, the kind of its category, what
/// parts it has and how many. The true phrase ("a stool with three legs") stands against those that are true of others
/// of its category; the nearest to the shape is the answer.
#[derive(Args)]
pub struct AttributesArgs {
    /// Shapes of each category
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    each: u32,
    /// Share of pairs of a color and a category that the model's recipe held back (`data.unseen`): asked apart
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

/// What came out for the questions of one aspect.
#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    aspect: &'static str,
    /// Whether training held these pairs back; where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen: Option<bool>,
    questions: usize,
    right: f64,
    interval: Interval,
    /// Share of right answers to be had by guessing.
    chance: f64,
}

impl AttributesArgs {
    /// Asks and shows.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let encoder = self.model.open()?;
        let shapes = features(&*encoder, self.each as usize)?;
        let questions = held_out_questions(self.each as usize, self.unseen);
        let answers = answers(&*encoder, &shapes, &questions)?;
        let groups: &[Option<bool>] = if self.unseen > 0.0 { &[Some(false), Some(true)] } else { &[None] };
        let mut lines = Vec::new();
        for aspect in Aspect::ALL {
            let split = if aspect == Aspect::Color { groups } else { &[None] };
            for &unseen in split {
                let wanted =
                    |q: &Question| q.aspect == aspect && unseen.is_none_or(|unseen| q.unseen == unseen);
                let asked: Vec<(&Question, bool)> =
                    questions.iter().zip(answers.iter().copied()).filter(|(q, _)| wanted(q)).collect();
                lines.extend(line(encoder.id(), aspect, unseen, &asked, self.resampling.resampling()));
            }
        }
        if self.json {
            lines.iter().try_for_each(output::json)?;
        } else {
            show(&lines)?;
        }
        Ok(Verdict::Done)
    }
}

/// One embedding a shape, in the order of the questions' indices.
fn features(encoder: &dyn Encoder, each: usize) -> anyhow::Result<Vec<Embedding>> {
    let look = Look::of(encoder);
    let shapes = looks::generated(encoder, None, each);
    let taken: Vec<Taken> =
        shapes.samples.into_iter().map(|sample| looks::of_sample(&look, sample)).collect();
    encoder.embed_shapes(taken).map_err(|error| anyhow::anyhow!(error))
}

/// Whether each question was answered right. Phrases that are as near as the true one count as nearer.
fn answers(encoder: &dyn Encoder, shapes: &[Embedding], questions: &[Question]) -> anyhow::Result<Vec<bool>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut phrases: Vec<String> = Vec::new();
    for phrase in questions.iter().flat_map(|q| std::iter::once(&q.right).chain(&q.wrong)) {
        places.entry(phrase).or_insert_with(|| {
            phrases.push(phrase.clone());
            phrases.len() - 1
        });
    }
    let words = text_features(encoder, &phrases)?;
    let likeness = |question: &Question, phrase: &String| -> f32 {
        let shape = shapes[question.shape].as_slice();
        shape.iter().zip(words.row(places[phrase.as_str()])).map(|(a, b)| a * b).sum()
    };
    let is_right = |question: &Question| {
        let right = likeness(question, &question.right);
        question.wrong.iter().all(|wrong| likeness(question, wrong) < right)
    };
    Ok(questions.iter().map(is_right).collect())
}

/// None if nothing was asked.
fn line<'a>(
    model: &'a str,
    aspect: Aspect,
    unseen: Option<bool>,
    asked: &[(&Question, bool)],
    resampling: Resampling,
) -> Option<Line<'a>> {
    let share = |draw: &mut dyn Iterator<Item = usize>| {
        draw.filter(|i| asked[*i].1).count() as f64 / asked.len() as f64
    };
    let guess = |(question, _): &(&Question, bool)| 1.0 / (1 + question.wrong.len()) as f64;
    let [interval] = intervals(asked.len(), resampling, |draw| [share(&mut draw.iter().copied())]);
    (!asked.is_empty()).then(|| Line {
        model,
        aspect: aspect.name(),
        unseen,
        questions: asked.len(),
        right: share(&mut (0..asked.len())),
        interval,
        chance: asked.iter().map(guess).sum::<f64>() / asked.len() as f64,
    })
}

fn show(lines: &[Line<'_>]) -> std::io::Result<()> {
    let columns = [
        ("aspect", Align::Left),
        ("questions", Align::Right),
        ("right %", Align::Right),
        ("by chance %", Align::Right),
    ];
    let row = |line: &Line<'_>| {
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
    output::line(output::table(&columns, &lines.iter().map(row).collect::<Vec<_>>()))
}

fn share(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok().filter(|x| (0.0..=1.0).contains(x));
    number.ok_or_else(|| format!("expected a number from 0 to 1, found {text:?}"))
}
