//! The definition of a protocol.

use lexiform_metrics::TemplateAveraging;
use lexiform_model::Templates;
use lexiform_model::point::{PointNormalization, PointPreprocessOverrides};

use super::benchmark::{Benchmark, Paper};
use super::labels::{ClassList, Spelling};

/// Model input of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeInput {
    /// Rendered views.
    Views {
        /// Numbers of views that are evaluated.
        view_counts: &'static [usize],
        /// Rendered views per shape, from which those are sampled.
        total_views: usize,
        /// Seeds of the paper's runs, whose results are averaged.
        seeds: &'static [u32],
    },
    /// Point clouds.
    Points {
        /// Number of points; `None` for the number the encoder was trained with.
        count: Option<usize>,
        /// How they are normalized.
        placing: PointNormalization,
        /// Whether colors are ignored.
        without_colors: bool,
        /// Remarks.
        note: &'static str,
    },
}

impl ShapeInput {
    /// A description for notes.
    pub fn describe(&self) -> String {
        match *self {
            Self::Views { view_counts, total_views, seeds } => {
                let list = |numbers: Vec<String>| numbers.join(", ");
                let counts = list(view_counts.iter().map(usize::to_string).collect());
                let seeds = list(seeds.iter().map(u32::to_string).collect());
                format!("{counts} of {total_views} views, sampled by the authors with seeds {seeds}")
            }
            Self::Points { count, placing, without_colors, note } => {
                let count = count.map_or("as many points as the encoder was trained with".to_owned(), |n| {
                    format!("{n} points")
                });
                let place = match placing {
                    PointNormalization::UnitSphere => "mean at the origin, radius 1",
                    PointNormalization::UnitSphereF16 => "mean at the origin, radius 1, in half precision",
                    PointNormalization::None => "as stored",
                };
                let color = if without_colors { ", without color" } else { "" };
                let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
                format!("{count}, {place}{color}{note}")
            }
        }
    }
}

/// How a paper evaluates on a benchmark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Protocol {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// The paper.
    pub paper: Paper,
    /// The classes.
    pub classes: ClassList,
    /// How a class name is spelled in a prompt.
    pub spelling: Spelling,
    /// The prompt templates.
    pub templates: Templates,
    /// How the prompts of a class are averaged.
    pub template_averaging: TemplateAveraging,
    /// Model input.
    pub input: ShapeInput,
    /// Number of shapes that the paper reports, if any.
    pub num_shapes: Option<usize>,
    /// Remarks for comparing results.
    pub note: &'static str,
}

impl Protocol {
    /// `modelnet40 (cg3d protocol)`.
    pub fn title(&self) -> String {
        format!("{} ({} protocol)", self.benchmark.name(), self.paper.name())
    }
}

/// Options for point encoders: those of the protocol, with `points` points if given.
pub fn cloud_options(protocol: Option<&Protocol>, points: Option<usize>) -> PointPreprocessOverrides {
    let asked = match protocol.map(|protocol| protocol.input) {
        Some(ShapeInput::Points { count, placing, without_colors, .. }) => PointPreprocessOverrides {
            n_points: count,
            normalization: Some(placing),
            ignore_color: without_colors,
        },
        _ => PointPreprocessOverrides::default(),
    };
    // An explicit number of points overrides the protocol's.
    PointPreprocessOverrides { n_points: points.or(asked.n_points), ..asked }
}
