//! BLIP and BLIP-2, which describe views, for `lexiform caption`.

use std::collections::HashSet;

use image::RgbaImage;
use lexiform_geometry::RigKind;
use lexiform_mesh_io::UpRule;
use lexiform_model::Device;
use lexiform_model::blip::{Captioner, DecodingStrategy, GenerationConfig};
use lexiform_model::lm::Sampling;
use lexiform_model::weights::WeightFile;
use lexiform_search::{ModelInput, ShapePreprocessor, SplitViews, read_views};

use crate::embed_inputs::EmbedInput;

/// Views of a 3D file, all around it.
const VIEWS: usize = 4;

/// A BLIP, and how shapes become its input.
pub(crate) struct ViewCaptioner {
    captioner: Captioner,
    preprocessor: ShapePreprocessor,
}

/// Sampled captions, and the seed of the first view's.
#[derive(Clone, Copy)]
pub(crate) struct Sampled {
    pub count: usize,
    pub sampling: Sampling,
    pub seed: u64,
}

impl ViewCaptioner {
    /// Opens the weights with this name or path if they are those of a BLIP.
    ///
    /// # Errors
    /// If they are of a BLIP that cannot be opened.
    pub(crate) fn open(
        name: &str,
        file: &WeightFile,
        up: UpRule,
        device: &Device,
    ) -> anyhow::Result<Option<Self>> {
        if !Captioner::matches_file(file) {
            return Ok(None);
        }
        // By its name, which becomes part of its id.
        let captioner = Captioner::open(name, device)?;
        let size = u32::try_from(captioner.config().vision.image_size)?;
        let preprocessor = ShapePreprocessor::rendered_views(RigKind::Ring, VIEWS, size).with_up(up);
        Ok(Some(Self { captioner, preprocessor }))
    }

    /// Name and fingerprint of the weights.
    pub(crate) fn id(&self) -> &str {
        self.captioner.id()
    }

    /// The caption of the view that agrees most with those of other views, or sampled captions of each view in turn; or the reason
    /// if it has no captions. `prompt` is how captions start.
    ///
    /// # Errors
    /// If the model fails.
    pub(crate) fn captions(
        &self,
        input: &EmbedInput,
        prompt: Option<&str>,
        sampled: Option<Sampled>,
    ) -> anyhow::Result<Result<Vec<String>, String>> {
        let views = match self.views(input)? {
            Ok(views) => views,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut generation = self.captioner.default_generation();
        if let Some(prompt) = prompt {
            prompt.clone_into(&mut generation.prompt);
        }
        let Some(Sampled { count, sampling, seed }) = sampled else {
            let captions = self.captioner.caption(&views, &generation, 0)?;
            let firsts = captions.into_iter().filter_map(|captions| captions.into_iter().next());
            return Ok(Ok(most_agreed(firsts.collect()).into_iter().collect()));
        };
        let sentences = count.div_ceil(views.len());
        let decoding = DecodingStrategy::Sample { sampling, sentences };
        let generation = GenerationConfig { decoding, ..generation };
        let captions = self.captioner.caption(&views, &generation, seed)?;
        let in_turn = (0..sentences).flat_map(|i| captions.iter().filter_map(move |of_view| of_view.get(i)));
        Ok(Ok(in_turn.take(count).cloned().collect()))
    }

    fn views(&self, input: &EmbedInput) -> anyhow::Result<Result<Vec<RgbaImage>, String>> {
        match input.views_path() {
            Some(path) => Ok(Ok(read_views(&[path.to_owned()], SplitViews::default())?)),
            None => Ok(input.read(&self.preprocessor)?.and_then(views_of)),
        }
    }
}

fn views_of(input: ModelInput) -> Result<Vec<RgbaImage>, String> {
    match input {
        ModelInput::Views(views) | ModelInput::Both { views, .. } => Ok(views),
        ModelInput::Points(_) => Err("points have no views".to_owned()),
    }
}

/// The sentence that shares most words with the others; the first of several.
fn most_agreed(sentences: Vec<String>) -> Option<String> {
    let words: Vec<HashSet<&str>> =
        sentences.iter().map(|sentence| sentence.split_whitespace().collect()).collect();
    // Twice the shared words over all words, as of Dice.
    let agreement = |a: &HashSet<&str>, b: &HashSet<&str>| {
        2.0 * a.intersection(b).count() as f64 / (a.len() + b.len()).max(1) as f64
    };
    let total = |a: &HashSet<&str>| words.iter().map(|b| agreement(a, b)).sum::<f64>();
    let mut best = 0;
    for i in 1..words.len() {
        if total(&words[i]) > total(&words[best]) {
            best = i;
        }
    }
    sentences.into_iter().nth(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_that_others_agree_with_is_chosen() {
        let sentences = ["a blue bag", "a red chair with arms", "a red chair", "a chair"];
        assert_eq!(most_agreed(sentences.map(str::to_owned).to_vec()).as_deref(), Some("a red chair"));
        assert_eq!(most_agreed(vec!["one".to_owned()]).as_deref(), Some("one"));
        assert_eq!(most_agreed(Vec::new()), None);
    }
}
