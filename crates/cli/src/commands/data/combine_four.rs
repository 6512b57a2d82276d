//! `lexiform data combine-four`: the training views of Duoduo CLIP from their two sources.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lexiform_data::{FourViews, Preferred};
use serde_json::json;

use crate::error::Outcome;
use crate::output;
use crate::output_file::ForceArg;
use crate::progress::Progress;

/// Combine Duoduo CLIP's supplement with the renders of Zero123 in one HDF5 file, in the order of model_to_idx.json
///
/// As the reference's preprocess/combine_four_h5.py; parts of the supplement need not be joined.
#[derive(Args)]
pub(crate) struct CombineFourArgs {
    /// Folder with model_to_idx.json, supplement_model_to_idx.json and supplement_mv_images.h5 or its parts
    data: PathBuf,
    /// Folder of Zero123's renders, with ID/000.png … for each shape
    #[arg(long, value_name = "FOLDER")]
    zero123: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE.h5")]
    output: PathBuf,
    /// Source of a shape that is in both
    #[arg(long, default_value = "supplement")]
    overlap: OverlapArg,
    #[command(flatten)]
    force: ForceArg,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The names of [`Preferred`]'s variants.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum OverlapArg {
    /// The supplement, as in the reference
    Supplement,
    /// The renders of Zero123
    Zero123,
}

impl CombineFourArgs {
    /// Writes the file.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        // Checked before the work; the file itself is written when it is complete.
        let file = self.force.file(&self.output, &["h5", "hdf5"], &[&self.data, &self.zero123])?;
        let preferred = match self.overlap {
            OverlapArg::Supplement => Preferred::Supplement,
            OverlapArg::Zero123 => Preferred::Zero123,
        };
        let views = FourViews::open(&self.data, &self.zero123, preferred)?;
        let progress = Progress::new(views.len());
        views.write(file.replaceable()?, &mut || progress.step(""))?;
        drop(progress);
        let (shapes, counts) = (views.len(), views.summary());
        if self.json {
            output::json(&json!({
                "shapes": shapes,
                "supplement": counts.supplement,
                "zero123": counts.zero123,
                "overlap": counts.overlap,
            }))?;
        } else {
            output::note(format!(
                "wrote {} to {}: {} of the supplement, {} of Zero123, {} in both",
                output::quantity(shapes, "shape"),
                self.output.display(),
                counts.supplement,
                counts.zero123,
                counts.overlap
            ));
        }
        Ok(Outcome::Done)
    }
}
