//! Attribute recognition: ranking the correct phrase about color, material or parts above wrong ones.

use std::collections::HashMap;

use lexiform_metrics::Interval;
use lexiform_metrics::bootstrap::{Resampling, intervals};
use lexiform_search::{Embedding, Encoder, ModelInput, ShapePreprocessor};
use serde::Serialize;

use crate::error::EvalError;
use crate::event::OnEvent;
use crate::generated::GeneratedShape;
use crate::text_features::embed_texts;

/// A correct phrase about a shape, and wrong ones.
#[derive(Clone, Debug)]
pub struct Question {
    /// Index of the shape.
    pub shape: usize,
    /// The attribute.
    pub attribute: &'static str,
    /// The correct phrase.
    pub right: String,
    /// Wrong phrases; at least one.
    pub wrong: Vec<String>,
    /// Whether the combination was excluded from training.
    pub unseen: bool,
}

/// Questions that are reported together.
#[derive(Clone, Copy, Debug)]
pub struct QuestionGroup {
    /// Their attribute.
    pub attribute: &'static str,
    /// Only questions excluded from training, or only others; all questions of the attribute if `None`.
    pub unseen: Option<bool>,
}

/// The questions and how they are evaluated.
#[derive(Clone, Debug)]
pub struct AttributesConfig {
    /// The questions.
    pub questions: Vec<Question>,
    /// One result each; groups without questions are skipped.
    pub groups: Vec<QuestionGroup>,
    /// How intervals are computed.
    pub resampling: Resampling,
}

/// Accuracy over the questions of a group.
#[derive(Clone, Debug, Serialize)]
pub struct AttributeResult {
    /// The model.
    pub model: String,
    /// The attribute.
    pub attribute: &'static str,
    /// Whether the questions were excluded from training, if they are reported separately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen: Option<bool>,
    /// Number of questions.
    pub questions: usize,
    /// Accuracy.
    pub accuracy: f64,
    /// Its 95 % confidence interval.
    pub interval: Interval,
    /// Expected accuracy of random guessing.
    pub chance: f64,
}

/// A question and whether it was answered correctly.
struct Answered<'a> {
    question: &'a Question,
    is_correct: bool,
}

/// Answers every question by the phrase nearest to its shape and averages over each group.
///
/// # Errors
/// If the model fails.
pub fn attributes(
    encoder: &dyn Encoder,
    shapes: Vec<GeneratedShape>,
    config: &AttributesConfig,
    events: &mut OnEvent<'_>,
) -> Result<Vec<AttributeResult>, EvalError> {
    let preprocessor = ShapePreprocessor::for_encoder(encoder);
    let inputs: Vec<ModelInput> = shapes.into_iter().map(|shape| shape.into_input(&preprocessor)).collect();
    let embeddings = encoder.embed_shapes(inputs).map_err(EvalError::Encode)?;
    let answered = answer(encoder, &embeddings, &config.questions, events)?;
    let result = |group: &QuestionGroup| {
        let is_wanted = |q: &Question| {
            q.attribute == group.attribute && group.unseen.is_none_or(|unseen| q.unseen == unseen)
        };
        let asked: Vec<&Answered<'_>> = answered.iter().filter(|a| is_wanted(a.question)).collect();
        // An accuracy over no questions is undefined.
        (!asked.is_empty()).then(|| count(encoder.id(), group, &asked, config.resampling))
    };
    Ok(config.groups.iter().filter_map(result).collect())
}

/// A question is answered correctly if the correct phrase is strictly nearest; ties count as wrong.
fn answer<'a>(
    encoder: &dyn Encoder,
    shapes: &[Embedding],
    questions: &'a [Question],
    events: &mut OnEvent<'_>,
) -> Result<Vec<Answered<'a>>, EvalError> {
    // Phrases recur in many questions: embed each once.
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
        // `<`, so that phrases truncated to the same tokens never count as correct.
        let is_correct = question.wrong.iter().all(|wrong| similarity(question, wrong) < right);
        Answered { question, is_correct }
    };
    Ok(questions.iter().map(answered).collect())
}

/// Accuracy over at least one question.
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
