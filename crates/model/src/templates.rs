//! Class sentences of zero-shot classification.

/// The default templates.
pub fn usual_templates() -> Vec<String> {
    ["a {}", "a 3d model of a {}", "a photo of a {}", "a rendering of a {}"].map(str::to_owned).to_vec()
}
