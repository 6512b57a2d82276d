//! Several models on the same items: which they are, and each one's answers beside the first's.

use std::collections::HashMap;
use std::sync::Arc;

use clap::Args;
use lexiform_eval::bootstrap::Resampling;
use lexiform_eval::paired::{self, Paired};
use lexiform_model::point::CloudOptions;
use lexiform_model::{PointModel, registry};
use lexiform_search::Encoder;

use crate::models::{DEFAULT, OpeningArg};

/// Which models to measure.
#[derive(Args, Clone, Debug)]
pub struct ModelsArgs {
    /// Model: a name that `lexiform model list` shows, or a file of weights; each further one is compared with the first
    /// [default: nano]
    #[arg(long, value_name = "NAME|PATH", env = "LEXIFORM_MODEL")]
    pub model: Vec<String>,
    #[command(flatten)]
    pub opening: OpeningArg,
}

impl ModelsArgs {
    /// Those that were asked for, or the built-in one.
    pub fn names(&self) -> Vec<String> {
        if self.model.is_empty() { vec![DEFAULT.to_owned()] } else { self.model.clone() }
    }

    /// Opens one of them. Among several, only those that take points are given other words.
    pub fn open(&self, name: &str, clouds: CloudOptions) -> anyhow::Result<Arc<dyn Encoder>> {
        let brings_words = self.model.len() > 1 && !PointModel::recognizes(&registry::locate(name)?);
        let text_model = if brings_words { None } else { self.opening.text_model.clone() };
        OpeningArg { text_model, clouds, ..self.opening.clone() }.open(name, None)
    }
}

/// Names of items, and whether the first answer to each is right.
pub type Cases = Vec<(String, bool)>;

/// Compares a run with the first, on the items that both have; `None` where there are none.
pub fn against(first: &Cases, this: &Cases, resampling: Resampling) -> anyhow::Result<Option<Paired>> {
    let (first, this) = common(first, this);
    match first.is_empty() {
        true => Ok(None),
        false => Ok(Some(paired::compare(&first, &this, resampling)?)),
    }
}

/// Whether both are right, for items that both have, in the order of the first.
fn common(first: &Cases, second: &Cases) -> (Vec<bool>, Vec<bool>) {
    let second: HashMap<&str, bool> = second.iter().map(|(item, right)| (item.as_str(), *right)).collect();
    let both = first.iter().filter_map(|(item, right)| Some((*right, *second.get(item.as_str())?)));
    both.unzip()
}

/// What several runs could not use, each once, sorted.
pub fn all_failed<'a>(runs: impl IntoIterator<Item = &'a Vec<(String, String)>>) -> Vec<(String, String)> {
    let mut failed: Vec<(String, String)> = runs.into_iter().flatten().cloned().collect();
    failed.sort();
    failed.dedup();
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_items_of_both_runs_are_compared() {
        let run =
            |cases: &[(&str, bool)]| cases.iter().map(|(f, r)| ((*f).to_owned(), *r)).collect::<Cases>();
        let (first, second) = (run(&[("a", true), ("b", false)]), run(&[("c", true), ("b", true)]));
        assert_eq!(common(&first, &second), (vec![false], vec![true]));
        let paired = against(&first, &second, Resampling::default()).unwrap().unwrap();
        assert_eq!((paired.items, paired.difference), (1, 1.0));
        assert!(against(&first, &run(&[("d", true)]), Resampling::default()).unwrap().is_none());
    }

    #[test]
    fn what_failed_twice_is_told_once() {
        let [a, b] = ["a", "b"].map(|name| (name.to_owned(), "no such file".to_owned()));
        assert_eq!(all_failed([&vec![b.clone(), a.clone()], &vec![b.clone()]]), [a, b]);
    }
}
