//! What a cosine similarity means, in words.

use lexiform_mesh_io::is_image;
use lexiform_search::{model_name, similarity_in_words};

use crate::input::Input;

/// One sentence about a similarity: the words, what was compared, and by which model.
pub(crate) fn explain(score: f32, [a, b]: [&Input; 2], model_id: &str) -> String {
    let what = format!("{} and {}", describe(a), describe(b));
    let model = model_name(model_id);
    match similarity_in_words(score, model_id) {
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
    fn a_sentence_names_both_inputs_and_the_model() {
        let [a, b] = [Input::Path("chair.glb".into()), Input::Text("a chair".to_owned())];
        let expected = "very similar: chair.glb (3D file) and \"a chair\" (text); cosine similarity by nano, 1 is the same";
        assert_eq!(explain(0.75, [&a, &b], "nano@1f2e3d4c"), expected);
    }
}
