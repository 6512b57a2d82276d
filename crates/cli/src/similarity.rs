//! What a cosine similarity means, in words.

use lexiform_mesh_io::is_image;

use crate::input::Input;
use crate::models::DEFAULT_MODEL;

/// From this similarity on, embeddings differ by little more than rounding, in any model.
const SAME: f32 = 0.995;
/// Lowest similarities of the words for the built-in model, highest first. In `samples/`, 99 in 100 pairs of different kinds of
/// objects are below 0.4, and half of the pairs of the same kind, shapes or words, are from 0.6 to 0.76.
const BUILT_IN: [(f32, &str); 4] =
    [(0.85, "nearly the same"), (0.7, "very similar"), (0.55, "similar"), (0.4, "somewhat similar")];

/// A similarity in words; `None` if only the number can be given: other models have other scales.
pub(crate) fn in_words(score: f32, model_id: &str) -> Option<&'static str> {
    if score >= SAME {
        return Some("the same to the model");
    }
    let is_built_in = model_name(model_id) == DEFAULT_MODEL;
    let words =
        || BUILT_IN.iter().find(|(lowest, _)| score >= *lowest).map_or("not similar", |(_, words)| words);
    is_built_in.then(words)
}

/// A model's name: its id without the hash of its weights.
pub(crate) fn model_name(model_id: &str) -> &str {
    model_id.split('@').next().unwrap_or(model_id)
}

/// One sentence about a similarity: the words, what was compared, and by which model.
pub(crate) fn explain(score: f32, [a, b]: [&Input; 2], model_id: &str) -> String {
    let what = format!("{} and {}", describe(a), describe(b));
    let model = model_name(model_id);
    match in_words(score, model_id) {
        Some(words) => format!("{words}: {what}; cosine similarity by {model}, 1 is the same"),
        None => format!(
            "{what}; cosine similarity by {model}, 1 is the same; each model has its own scale: compare it with that of other pairs"
        ),
    }
}

fn describe(input: &Input) -> String {
    match input {
        Input::Text(text) => format!("{text:?} (text)"),
        Input::Path(path) if path.is_dir() => format!("{} (views)", path.display()),
        Input::Path(path) if is_image(path) => format!("{} (image)", path.display()),
        Input::Path(path) => format!("{} (3D file)", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_models_scale() {
        let nano = |score| in_words(score, "nano@1f2e3d4c");
        assert_eq!(nano(1.0), Some("the same to the model"));
        assert_eq!(nano(0.9), Some("nearly the same"));
        assert_eq!(nano(0.72), Some("very similar"));
        assert_eq!(nano(0.1), Some("not similar"));
        assert_eq!(nano(-0.3), Some("not similar"));
        assert_eq!(in_words(0.3, "clip@00"), None);
        assert_eq!(in_words(1.0, "clip@00"), Some("the same to the model"));
    }

    #[test]
    fn a_sentence_names_both_inputs_and_the_model() {
        let [a, b] = [Input::Path("chair.glb".into()), Input::Text("a chair".to_owned())];
        let expected = "very similar: chair.glb (3D file) and \"a chair\" (text); cosine similarity by nano, 1 is the same";
        assert_eq!(explain(0.75, [&a, &b], "nano@1f2e3d4c"), expected);
    }
}
