//! What can be said of a shape, and which of it a batch says.

use lexiform_data::Caption;
use lexiform_shapes::Rng;

use crate::recipe::CaptionRule;

/// Something that can be said of a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// The words; empty where only features of them are known.
    pub text: String,
    /// Whose words they are.
    pub from: Origin,
    /// The view they are about; absent where they are about the whole shape.
    pub view: Option<usize>,
}

/// Whose words a saying is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The name of its category: fits every shape of it.
    Label,
    /// The shape's own name, or what its file says.
    Own,
    /// What a captioning model says, or a sentence made of the label.
    Machine,
    /// What was said elsewhere of something like it.
    Retrieved,
}

impl Origin {
    /// Of the captions of a data set, by the name of their source.
    pub(crate) fn named(source: &str) -> Self {
        match source {
            "name" | "folder" | "metadata" | "text" => Self::Own,
            "retrieval" | "retrieval_text" => Self::Retrieved,
            _ => Self::Machine,
        }
    }
}

impl Saying {
    /// Words about the whole shape.
    pub fn new(text: impl Into<String>, from: Origin) -> Self {
        Self { text: text.into(), from, view: None }
    }

    /// A caption of a data set.
    pub(crate) fn of(caption: Caption) -> Self {
        Self { from: Origin::named(&caption.source), text: caption.text, view: caption.view }
    }
}

impl CaptionRule {
    /// Which of the sayings; `shown` are the numbers of the views of the batch. None where there are none.
    pub(crate) fn pick(self, sayings: &[Saying], shown: &[usize], rng: &mut Rng) -> Option<usize> {
        let fitting = |fits: &dyn Fn(&Saying) -> bool| -> Vec<usize> {
            (0..sayings.len()).filter(|i| fits(&sayings[*i])).collect()
        };
        let candidates = match self {
            Self::Any => Vec::new(),
            Self::OfView => fitting(&|saying| saying.view.is_some_and(|view| shown.contains(&view))),
            Self::BySource => {
                let mut one_of = |origins: &[Origin]| {
                    let found = fitting(&|saying| origins.contains(&saying.from));
                    (!found.is_empty()).then(|| found[rng.index(found.len())])
                };
                let own = one_of(&[Origin::Label, Origin::Own]);
                let retrieved = one_of(&[Origin::Retrieved]);
                let machine = one_of(&[Origin::Machine]);
                let machine = machine.filter(|_| rng.chance(0.5));
                own.into_iter().chain(retrieved).chain(machine).collect()
            }
        };
        match (candidates.len(), sayings.len()) {
            (0, 0) => None,
            (0, all) => Some(rng.index(all)),
            (some, _) => Some(candidates[rng.index(some)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sayings() -> Vec<Saying> {
        let about = |view, text: &str| Saying { view: Some(view), ..Saying::new(text, Origin::Machine) };
        vec![
            Saying::new("chair", Origin::Label),
            Saying::new("old chair", Origin::Own),
            about(0, "a chair from the front"),
            about(3, "a chair from behind"),
            Saying::new("vintage seat for sale", Origin::Retrieved),
        ]
    }

    /// How often each saying is picked in many draws.
    fn counts(rule: CaptionRule, sayings: &[Saying], shown: &[usize]) -> Vec<usize> {
        let mut rng = Rng::new(5);
        let mut counts = vec![0; sayings.len()];
        (0..6000).for_each(|_| counts[rule.pick(sayings, shown, &mut rng).unwrap()] += 1);
        counts
    }

    #[track_caller]
    fn check(found: &[usize], shares: &[f64]) {
        for (count, share) in found.iter().zip(shares) {
            assert!((*count as f64 / 6000.0 - share).abs() < 0.03, "{found:?}");
        }
    }

    #[test]
    fn sources_come_as_in_the_papers() {
        let all = sayings();
        check(&counts(CaptionRule::Any, &all, &[]), &[0.2; 5]);
        // Of two or three candidates one; the machine's is a candidate half of the time.
        let (own, machine) = (0.5 * (0.5 / 2.0 + 0.5 / 3.0), 0.5 * 0.5 / 3.0);
        check(&counts(CaptionRule::BySource, &all, &[]), &[own, own, machine, machine, 2.0 * own]);
        check(&counts(CaptionRule::OfView, &all, &[3, 7]), &[0.0, 0.0, 0.0, 1.0, 0.0]);
        check(&counts(CaptionRule::OfView, &all, &[5]), &[0.2; 5]);
    }

    #[test]
    fn there_is_always_something_to_say_where_anything_can_be_said() {
        let only = [Saying::new("a chair", Origin::Machine)];
        assert_eq!(counts(CaptionRule::BySource, &only, &[]), [6000]);
        assert_eq!(CaptionRule::Any.pick(&[], &[], &mut Rng::new(1)), None);
    }
}
