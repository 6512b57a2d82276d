//! What a protocol is made of, as a value.

use lexiform_metrics::TextMean;
use lexiform_model::Templates;
use lexiform_model::point::{PointNormalization, PointPreprocessOverrides};

use super::benchmark::{Benchmark, Paper};
use super::labels::{Classes, Spelling};

/// How a paper takes the shapes of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeInput {
    /// As views.
    Views {
        /// Numbers of views that are tried.
        counts: &'static [usize],
        /// Views there are of each shape, of which some are drawn.
        of: usize,
        /// Seeds of the paper's runs, over which it averages.
        seeds: &'static [u32],
    },
    /// As points.
    Points {
        /// How many; `None` for as many as the encoder was trained with.
        count: Option<usize>,
        /// Where they are put.
        placing: PointNormalization,
        /// Whether colors are left out.
        bare: bool,
        /// What else must be known of them.
        note: &'static str,
    },
}

impl ShapeInput {
    /// In words.
    pub fn describe(&self) -> String {
        match *self {
            Self::Views { counts, of, seeds } => {
                let list = |numbers: Vec<String>| numbers.join(", ");
                let counts = list(counts.iter().map(usize::to_string).collect());
                let seeds = list(seeds.iter().map(u32::to_string).collect());
                format!("{counts} of {of} views, which the authors draw with the seeds {seeds}")
            }
            Self::Points { count, placing, bare, note } => {
                let count = count
                    .map_or("as many points as the encoder is used to".to_owned(), |n| format!("{n} points"));
                let place = match placing {
                    PointNormalization::UnitSphere => "mean at the origin, radius 1",
                    PointNormalization::UnitSphereF16 => "mean at the origin, radius 1, in half precision",
                    PointNormalization::None => "as stored",
                };
                let color = if bare { ", without color" } else { "" };
                let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
                format!("{count}, {place}{color}{note}")
            }
        }
    }
}

/// A benchmark as a paper measures it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Protocol {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// The paper.
    pub paper: Paper,
    /// The classes.
    pub classes: Classes,
    /// How names stand in sentences.
    pub spelling: Spelling,
    /// The sentences.
    pub templates: Templates,
    /// How the sentences of a class become its direction.
    pub text_mean: TextMean,
    /// How shapes are given to a model.
    pub input: ShapeInput,
    /// How many shapes the paper counts, where it says so.
    pub items: Option<usize>,
    /// What must be known when numbers are compared.
    pub note: &'static str,
}

impl Protocol {
    /// `modelnet40 as cg3d`.
    pub fn title(&self) -> String {
        format!("{} as {}", self.benchmark.name(), self.paper.name())
    }
}

/// How clouds are given to point models: as the protocol says, with `points` points where a number is given.
pub fn cloud_options(protocol: Option<&Protocol>, points: Option<usize>) -> PointPreprocessOverrides {
    let asked = match protocol.map(|protocol| protocol.input) {
        Some(ShapeInput::Points { count, placing, bare, .. }) => {
            PointPreprocessOverrides { n_points: count, normalization: Some(placing), ignore_color: bare }
        }
        _ => PointPreprocessOverrides::default(),
    };
    PointPreprocessOverrides { n_points: points.or(asked.n_points), ..asked }
}
