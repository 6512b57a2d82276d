//! What a protocol is made of, as a value.

use lexiform_metrics::TemplateAveraging;
use lexiform_model::Templates;
use lexiform_model::point::{CloudOptions, Placing};

use super::benchmark::{Benchmark, Paper};
use super::labels::{ClassList, Spelling};

/// How a paper takes the shapes of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeInput {
    /// As views.
    Views {
        /// Numbers of views that are tried.
        view_counts: &'static [usize],
        /// Views there are of each shape, of which some are drawn.
        total_views: usize,
        /// Seeds of the paper's runs, over which it averages.
        seeds: &'static [u32],
    },
    /// As points.
    Points {
        /// How many; `None` for as many as the encoder was trained with.
        count: Option<usize>,
        /// Where they are put.
        placing: Placing,
        /// Whether colors are left out.
        without_colors: bool,
        /// What else must be known of them.
        note: &'static str,
    },
}

impl ShapeInput {
    /// In words.
    pub fn describe(&self) -> String {
        match *self {
            Self::Views { view_counts, total_views, seeds } => {
                let list = |numbers: Vec<String>| numbers.join(", ");
                let counts = list(view_counts.iter().map(usize::to_string).collect());
                let seeds = list(seeds.iter().map(u32::to_string).collect());
                format!("{counts} of {total_views} views, which the authors draw with the seeds {seeds}")
            }
            Self::Points { count, placing, without_colors, note } => {
                let count = count
                    .map_or("as many points as the encoder is used to".to_owned(), |n| format!("{n} points"));
                let place = match placing {
                    Placing::Unit => "mean at the origin, radius 1",
                    Placing::UnitInHalf => "mean at the origin, radius 1, in half precision",
                    Placing::AsStored => "as stored",
                };
                let color = if without_colors { ", without color" } else { "" };
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
    pub classes: ClassList,
    /// How names stand in sentences.
    pub spelling: Spelling,
    /// The sentences.
    pub templates: Templates,
    /// How the sentences of a class become its direction.
    pub template_averaging: TemplateAveraging,
    /// How shapes are given to a model.
    pub input: ShapeInput,
    /// How many shapes the paper counts, where it says so.
    pub num_shapes: Option<usize>,
    /// What must be known when numbers are compared.
    pub note: &'static str,
}

impl Protocol {
    /// `modelnet40 (cg3d protocol)`.
    pub fn title(&self) -> String {
        format!("{} ({} protocol)", self.benchmark.name(), self.paper.name())
    }
}

/// How clouds are given to point models: as the protocol says, with `points` points where a number is given.
pub fn cloud_options(protocol: Option<&Protocol>, points: Option<usize>) -> CloudOptions {
    let asked = match protocol.map(|protocol| protocol.input) {
        Some(ShapeInput::Points { count, placing, without_colors, .. }) => {
            CloudOptions { n_points: count, placing: Some(placing), bare: without_colors }
        }
        _ => CloudOptions::default(),
    };
    CloudOptions { n_points: points.or(asked.n_points), ..asked }
}
