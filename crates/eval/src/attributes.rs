//! Attributes: whether phrases about color, material and parts are nearest to the shapes they are true of.

use std::collections::HashMap;

use lexiform_metrics::Interval;
use lexiform_metrics::bootstrap::{Resampling, intervals};
use lexiform_search::{Embedding, Encoder, ModelInput, ShapePreprocessor};
use serde::Serialize;

use crate::error::EvalError;
use crate::event::OnEvent;
use crate::generated::GeneratedShape;
use crate::text_features::embed_texts;

/// A phrase that is true of a shape, and phrases that are not.
#[derive(Clone, Debug)]
pub struct Question {
    /// Index of the shape.
    pub shape: usize,
    /// What the phrases are about.
    pub attribute: &'static str,
    /// The phrase that is true.
    pub right: String,
    /// Phrases that are not; at least one.
    pub wrong: Vec<String>,
    /// Whether training held the combination back.
    pub unseen: bool,
}

/// Questions whose answers are counted together.
#[derive(Clone, Copy, Debug)]
pub struct QuestionGroup {
    /// Their aspect.
    pub attribute: &'static str,
    /// Whether training held them back; all questions of the aspect if `None`.
    pub unseen: Option<bool>,
}

/// What is asked about the shapes, and how answers are counted.
#[derive(Clone, Debug)]
pub struct AttributesConfig {
    /// The questions.
    pub questions: Vec<Question>,
    /// One result each; groups without questions are left out.
    pub groups: Vec<QuestionGroup>,
    /// How intervals are computed.
    pub resampling: Resampling,
}

/// Accuracy over the questions of a group.
#[derive(Clone, Debug, Serialize)]
pub struct AttributeResult {
    /// The model.
    pub model: String,
    /// What the phrases are about.
    pub attribute: &'static str,
    /// Whether training held the questions back, where they are counted apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen: Option<bool>,
    /// Number of questions.
    pub questions: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// Its 95 % confidence interval.
    pub interval: Interval,
    /// Expected share of right answers by guessing.
    pub chance: f64,
}

/// A question and whether it was answered right.
struct Answered<'a> {
    question: &'a Question,
    is_correct: bool,
}

/// Answers every question by the phrase nearest to its shape.
///
/// # Errors
/// If the model fails.
pub fn attributes(
    encoder: &dyn Encoder,
    shapes: Vec<GeneratedShape>,
    config: &AttributesConfig,
    events: &mut OnEvent<'_>,
) -> Result<Vec<AttributeResult>, EvalError> {
    let preprocessor = ShapePreprocessor::of(encoder);
    let inputs: Vec<ModelInput> = shapes.into_iter().map(|shape| shape.into_input(&preprocessor)).collect();
    let embeddings = encoder.embed_shapes(inputs).map_err(EvalError::Encode)?;
    let answered = answer(encoder, &embeddings, &config.questions, events)?;
    let result = |group: &QuestionGroup| {
        let is_wanted = |q: &Question| {
            q.attribute == group.attribute && group.unseen.is_none_or(|unseen| q.unseen == unseen)
        };
        let asked: Vec<&Answered<'_>> = answered.iter().filter(|a| is_wanted(a.question)).collect();
        (!asked.is_empty()).then(|| count(encoder.id(), group, &asked, config.resampling))
    };
    Ok(config.groups.iter().filter_map(result).collect())
}

/// A phrase as near as the true one counts as nearer.
fn answer<'a>(
    encoder: &dyn Encoder,
    shapes: &[Embedding],
    questions: &'a [Question],
    events: &mut OnEvent<'_>,
) -> Result<Vec<Answered<'a>>, EvalError> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut phrases: Vec<String> = Vec::new();
    for phrase in questions.iter().flat_map(|q| std::iter::once(&q.right).chain(&q.wrong)) {
        places.entry(phrase).or_insert_with(|| {
            phrases.push(phrase.clone());
            phrases.len() - 1
        });
    }
    let words = embed_texts(encoder, &phrases, events)?;
    let similarity = |question: &Question, phrase: &String| -> f32 {
        let shape = shapes[question.shape].as_slice();
        shape.iter().zip(words.row(places[phrase.as_str()])).map(|(a, b)| a * b).sum()
    };
    let answered = |question: &'a Question| {
        let right = similarity(question, &question.right);
        let is_correct = question.wrong.iter().all(|wrong| similarity(question, wrong) < right);
        Answered { question, is_correct }
    };
    Ok(questions.iter().map(answered).collect())
}

/// Counts at least one question.
fn count(
    model: &str,
    group: &QuestionGroup,
    asked: &[&Answered<'_>],
    resampling: Resampling,
) -> AttributeResult {
    let share = |draw: &mut dyn Iterator<Item = usize>| {
        draw.filter(|i| asked[*i].is_correct).count() as f64 / asked.len() as f64
    };
    let guess = |answered: &&Answered<'_>| 1.0 / (1 + answered.question.wrong.len()) as f64;
    let [interval] = intervals(asked.len(), resampling, |draw| [share(&mut draw.iter().copied())]);
    AttributeResult {
        model: model.to_owned(),
        attribute: group.attribute,
        unseen: group.unseen,
        questions: asked.len(),
        accuracy: share(&mut (0..asked.len())),
        interval,
        chance: asked.iter().map(guess).sum::<f64>() / asked.len() as f64,
    }
}
