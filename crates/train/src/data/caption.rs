//! Captions of shapes, and how one is sampled.

use lexiform_shapes::Rng;

use crate::recipe::CaptionSampling;

/// A caption of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// The text; empty if only its features are known.
    pub text: String,
    /// Where it comes from.
    pub source: CaptionSource,
    /// The view it describes; `None` for the whole shape.
    pub view: Option<usize>,
}

/// Source of a caption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptionSource {
    /// The class name, which fits every shape of the category.
    Label,
    /// The shape's own name or metadata text.
    Metadata,
    /// A captioning model, or a template with the label.
    Generated,
    /// Text retrieved for a similar image or shape.
    Retrieved,
}

impl CaptionSource {
    /// By the name of the source in a data set.
    pub(crate) fn from_name(source: &str) -> Self {
        match source {
            // Names of sources as in `lexiform data`; unknown ones are captioning models.
            "name" | "folder" | "metadata" | "text" => Self::Metadata,
            "retrieval" | "retrieval_text" => Self::Retrieved,
            _ => Self::Generated,
        }
    }
}

impl Caption {
    /// A caption of the whole shape.
    pub fn new(text: impl Into<String>, source: CaptionSource) -> Self {
        Self { text: text.into(), source, view: None }
    }

    /// A caption of a data set.
    pub(crate) fn from_dataset(caption: lexiform_data::Caption) -> Self {
        Self { source: CaptionSource::from_name(&caption.source), text: caption.text, view: caption.view }
    }
}

impl CaptionSampling {
    /// Samples the index of a caption; `view_ids` are the views in the batch. `None` without captions.
    pub(crate) fn sample(self, captions: &[Caption], view_ids: &[usize], rng: &mut Rng) -> Option<usize> {
        let fitting = |fits: &dyn Fn(&Caption) -> bool| -> Vec<usize> {
            (0..captions.len()).filter(|i| fits(&captions[*i])).collect()
        };
        let candidates = match self {
            Self::Any => Vec::new(),
            Self::OfView => fitting(&|caption| caption.view.is_some_and(|view| view_ids.contains(&view))),
            Self::BySource => {
                let mut one_of = |sources: &[CaptionSource]| {
                    let found = fitting(&|caption| sources.contains(&caption.source));
                    (!found.is_empty()).then(|| found[rng.index(found.len())])
                };
                let own = one_of(&[CaptionSource::Label, CaptionSource::Metadata]);
                let retrieved = one_of(&[CaptionSource::Retrieved]);
                let machine = one_of(&[CaptionSource::Generated]);
                // One draw of each source even if it is then dropped: the stream does not depend on the coin.
                let machine = machine.filter(|_| rng.chance(0.5));
                own.into_iter().chain(retrieved).chain(machine).collect()
            }
        };
        // No suitable caption: any caption is better than none.
        match (candidates.len(), captions.len()) {
            (0, 0) => None,
            (0, all) => Some(rng.index(all)),
            (some, _) => Some(candidates[rng.index(some)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captions() -> Vec<Caption> {
        let about =
            |view, text: &str| Caption { view: Some(view), ..Caption::new(text, CaptionSource::Generated) };
        vec![
            Caption::new("chair", CaptionSource::Label),
            Caption::new("old chair", CaptionSource::Metadata),
            about(0, "a chair from the front"),
            about(3, "a chair from behind"),
            Caption::new("vintage seat for sale", CaptionSource::Retrieved),
        ]
    }

    /// How often each caption is sampled in 6000 draws.
    fn counts(rule: CaptionSampling, captions: &[Caption], view_ids: &[usize]) -> Vec<usize> {
        let mut rng = Rng::new(5);
        let mut counts = vec![0; captions.len()];
        (0..6000).for_each(|_| counts[rule.sample(captions, view_ids, &mut rng).unwrap()] += 1);
        counts
    }

    #[track_caller]
    fn check(found: &[usize], shares: &[f64]) {
        for (count, share) in found.iter().zip(shares) {
            assert!((*count as f64 / 6000.0 - share).abs() < 0.03, "{found:?}");
        }
    }

    #[test]
    fn sources_have_the_papers_probabilities() {
        let all = captions();
        check(&counts(CaptionSampling::Any, &all, &[]), &[0.2; 5]);
        // One of two or three candidates; the generated caption is one of them half of the time.
        let (own, machine) = (0.5 * (0.5 / 2.0 + 0.5 / 3.0), 0.5 * 0.5 / 3.0);
        check(&counts(CaptionSampling::BySource, &all, &[]), &[own, own, machine, machine, 2.0 * own]);
        check(&counts(CaptionSampling::OfView, &all, &[3, 7]), &[0.0, 0.0, 0.0, 1.0, 0.0]);
        check(&counts(CaptionSampling::OfView, &all, &[5]), &[0.2; 5]);
    }

    #[test]
    fn falls_back_to_any_caption() {
        let only = [Caption::new("a chair", CaptionSource::Generated)];
        assert_eq!(counts(CaptionSampling::BySource, &only, &[]), [6000]);
        assert_eq!(CaptionSampling::Any.sample(&[], &[], &mut Rng::new(1)), None);
    }
}
