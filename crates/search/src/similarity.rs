//! What a cosine similarity means, in words.

/// From this similarity on, embeddings differ by little more than rounding, in any model.
const SAME: f32 = 0.995;
/// Name of the model whose scale is known: the built-in one.
const BUILT_IN_MODEL: &str = "nano";
/// Lowest similarities of the words for the built-in model, highest first. In `samples/`, 99 in 100 pairs of different kinds of
/// objects are below 0.4, and half of the pairs of the same kind, shapes or words, are from 0.6 to 0.76.
const BUILT_IN: [(f32, &str); 4] =
    [(0.85, "nearly the same"), (0.7, "very similar"), (0.55, "similar"), (0.4, "somewhat similar")];
/// The word for everything below.
pub const NOT_SIMILAR: &str = "not similar";

/// A similarity in words; `None` if only the number can be given: other models have other scales.
///
/// ```
/// use lexiform_search::similarity_in_words;
///
/// assert_eq!(similarity_in_words(0.72, "nano@1f2e3d4c"), Some("very similar"));
/// assert_eq!(similarity_in_words(0.3, "clip@00"), None);
/// ```
pub fn similarity_in_words(score: f32, model_id: &str) -> Option<&'static str> {
    if score >= SAME {
        return Some("the same to the model");
    }
    let is_built_in = model_name(model_id) == BUILT_IN_MODEL;
    let words =
        || BUILT_IN.iter().find(|(lowest, _)| score >= *lowest).map_or(NOT_SIMILAR, |(_, words)| words);
    is_built_in.then(words)
}

/// A model's name: its id without the hash of its weights.
pub fn model_name(model_id: &str) -> &str {
    model_id.split('@').next().unwrap_or(model_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_models_scale() {
        let nano = |score| similarity_in_words(score, "nano@1f2e3d4c");
        assert_eq!(nano(1.0), Some("the same to the model"));
        assert_eq!(nano(0.9), Some("nearly the same"));
        assert_eq!(nano(0.72), Some("very similar"));
        assert_eq!(nano(0.1), Some("not similar"));
        assert_eq!(nano(-0.3), Some("not similar"));
        assert_eq!(similarity_in_words(0.3, "clip@00"), None);
        assert_eq!(similarity_in_words(1.0, "clip@00"), Some("the same to the model"));
    }
}
