//! Class sentences of zero-shot classification.

/// The default templates.
pub fn default_templates() -> Vec<String> {
    ["a {}", "a 3d model of a {}", "a photo of a {}", "a rendering of a {}"].map(str::to_owned).to_vec()
}

/// ULIP's 64 sentences (`modelnet40_64`, which equals its `shapenet_64`), in its order; the words between `<` and `>` take
/// turns. The one without a full stop is so there.
const ULIP: [&str; 32] = [
    "a point cloud model of {}.",
    "There is <a|the> {} in the scene.",
    "a photo of <a|the|one> {} in the scene.",
    "itap of <a|my|the> {}.",
    "a photo of <a|my|the|one|many> {}.",
    "a good photo of <a|the> {}.",
    "a bad photo of <a|the> {}.",
    "a photo of <a|the> nice {}.",
    "a photo of <a|the> cool {}.",
    "a photo of <a|the> weird {}.",
    "a photo of <a|the> small {}.",
    "a photo of <a|the> large {}.",
    "a photo of <a|the> clean {}.",
    "a photo of <a|the> dirty {}.",
    "a bright photo of <a|the> {}.",
    "a dark photo of <a|the> {}.",
    "a photo of <a|the> hard to see {}.",
    "a low resolution photo of <a|the> {}.",
    "a cropped photo of <a|the> {}.",
    "a close-up photo of <a|the> {}.",
    "a jpeg corrupted photo of <a|the> {}.",
    "a blurry photo of <a|the> {}.",
    "a pixelated photo of <a|the> {}.",
    "a black and white photo of the {}.",
    "a black and white photo of a {}",
    "<a|the> plastic {}.",
    "<a|the> toy {}.",
    "<a|the> plushie {}.",
    "<a|the> cartoon {}.",
    "<an|the> embroidered {}.",
    "a painting of the {}.",
    "a painting of a {}.",
];

/// CG3D's only sentence.
const CG3D: &str = "This is a {}";

/// A published list of class sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Templates {
    /// ULIP's 64.
    Ulip,
    /// CG3D's one.
    Cg3d,
    /// Sentences that were not published as text: class features or sentences must be brought.
    Unpublished,
    /// The name or caption alone.
    Bare,
}

impl Templates {
    /// The sentences, `{}` is replaced by the name; `None` if they are not known.
    pub fn sentences(self) -> Option<Vec<String>> {
        match self {
            Self::Ulip => Some(ULIP.iter().flat_map(|pattern| expanded(pattern)).collect()),
            Self::Cg3d => Some(vec![CG3D.to_owned()]),
            Self::Bare => Some(vec!["{}".to_owned()]),
            Self::Unpublished => None,
        }
    }
}

/// One sentence for each of a pattern's words in turn.
fn expanded(pattern: &str) -> Vec<String> {
    let parts = pattern.split_once('<').and_then(|(before, rest)| {
        let (words, after) = rest.split_once('>')?;
        Some((before, words, after))
    });
    match parts {
        Some((before, words, after)) => words.split('|').map(|w| format!("{before}{w}{after}")).collect(),
        None => vec![pattern.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use lexiform_golden::fixture;

    use super::*;

    #[test]
    fn patterns_expand_to_ulips_sentences() {
        let sentences = Templates::Ulip.sentences().unwrap();
        assert_eq!(sentences.len(), 64);
        assert!(sentences.iter().all(|s| s.matches("{}").count() == 1 && !s.contains(['<', '|', '>'])));
        let reference = std::fs::read_to_string(fixture("eval/ulip_shapenet_64_templates.json")).unwrap();
        assert_eq!(sentences, serde_json::from_str::<Vec<String>>(&reference).unwrap());
    }
}
