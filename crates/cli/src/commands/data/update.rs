//! `lexiform data caption` and `data features`: add captions and features to an existing data set.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use lexiform_data::update::{
    CaptionUpdate, Update, UpdateConfig, finish_replacement, replace_dataset, staging_folder,
};
use lexiform_data::{DataError, Dataset, is_remote};

use super::captions::CaptionArgs;
use super::featurizer::{TeacherFeatures, open_feature_model};
use super::reporting::MakeArgs;
use super::summary;
use crate::error::{Outcome, UsageError, WithHint as _};
use crate::models::DeviceArg;
use crate::output;

/// Add captions by a model to an existing data set, view by view; the data set is replaced when all are written, and an
/// interrupted run is resumed
#[derive(Args)]
pub(crate) struct CaptionSetArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Drop the captions that the shapes have
    #[arg(long)]
    replace: bool,
    /// Model that ranks the captions of each view by similarity with it, and computes features of views and captions
    #[arg(long, value_name = "NAME|PATH")]
    feature_model: Option<String>,
    /// Captions kept per view and for the whole shape, best first [default: all]
    #[arg(long, value_name = "N", requires = "feature_model")]
    top_captions: Option<usize>,
    /// Drop the features of the data set, which new captions make incomplete
    #[arg(long, conflicts_with = "feature_model")]
    drop_features: bool,
    /// Seed of nucleus sampling
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    captions: CaptionArgs,
}

/// Add features of views and captions by a frozen model to an existing data set; those that it has are replaced when all are
/// computed, and an interrupted run is resumed
#[derive(Args)]
pub(crate) struct FeaturesArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Model with text and image towers
    #[arg(long, value_name = "NAME|PATH")]
    feature_model: String,
    /// Rank the captions of each view by similarity with it, best first; otherwise they keep their order
    #[arg(long)]
    rank: bool,
    /// Captions kept per view and for the whole shape after ranking; implies --rank [default: all]
    #[arg(long, value_name = "N")]
    top_captions: Option<usize>,
}

/// Which data set is updated, and how.
#[derive(Args)]
struct TargetArgs {
    /// Folder of the data set; with --out also an address in an object store
    dataset: PathBuf,
    /// Write a new data set to this folder, instead of replacing DATASET
    #[arg(short, long, value_name = "NEW")]
    out: Option<PathBuf>,
    #[command(flatten)]
    make: MakeArgs,
    #[command(flatten)]
    device_arg: DeviceArg,
}

impl CaptionSetArgs {
    /// Adds captions.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let device = &self.target.device_arg;
        let dataset = self.target.open()?;
        let captioner = self.captions.open_or_default(None, self.seed, device)?;
        let open = |name| open_feature_model(name, device);
        let featurizer = self.feature_model.as_deref().map(open).transpose()?;
        let config = UpdateConfig {
            captions: self.captions_of(),
            rank: featurizer.is_some().then_some(self.top_captions.unwrap_or(0)),
            drop_features: self.drop_features,
        };
        let featurizer = featurizer.as_ref().map(|featurizer| featurizer as _);
        let update = Update::new(&dataset, Some(captioner.captioner()), featurizer, config)?;
        let started = Instant::now();
        let made = self.target.make(&update);
        // Captions cost money: what was used is reported even if the run failed.
        captioner.report(started.elapsed().as_secs_f64(), self.target.make.json)?;
        made
    }

    fn captions_of(&self) -> CaptionUpdate {
        match (self.replace, self.target.make.retry_failed) {
            (true, _) => CaptionUpdate::Replace,
            (false, true) => CaptionUpdate::AddMissing,
            (false, false) => CaptionUpdate::Add,
        }
    }
}

impl FeaturesArgs {
    /// Adds features.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let dataset = self.target.open()?;
        let featurizer: TeacherFeatures = open_feature_model(&self.feature_model, &self.target.device_arg)?;
        let rank = self.top_captions.or(self.rank.then_some(0));
        let config = UpdateConfig { rank, ..UpdateConfig::default() };
        self.target.make(&Update::new(&dataset, None, Some(&featurizer), config)?)
    }
}

impl TargetArgs {
    /// Opens the data set, after finishing an interrupted replacement.
    fn open(&self) -> anyhow::Result<Dataset> {
        if let Some(out) = &self.out {
            self.make.check_folder(out)?;
        } else {
            if is_remote(&self.dataset) {
                staging_folder(&self.dataset)?;
            }
            if !self.make.is_whole() {
                let text = "--partition needs --out: partitions are merged before they replace a data set";
                return Err(UsageError(text.to_owned()).into());
            }
            finish_replacement(&self.dataset)?;
        }
        Ok(Dataset::open(&self.dataset)?)
    }

    /// Builds the updated data set and replaces the old one by it.
    fn make(&self, update: &Update) -> anyhow::Result<Outcome> {
        if let Some(out) = &self.out {
            return self.make.make(update, out);
        }
        if update.is_applied() {
            let text = format!("{}: has these captions and features already", self.dataset.display());
            output::note(text);
            return Ok(Outcome::Done);
        }
        let staging = staging_folder(&self.dataset)?;
        let built = self.make.build(update, &staging);
        let failed = if built.as_ref().is_err_and(is_other_update) {
            let folder = staging.display();
            built.hint(format!("use the same settings to resume, or delete {folder} to start over"))?
        } else {
            built?
        };
        summary::print(&self.dataset, &replace_dataset(&self.dataset, &staging)?, self.make.json)?;
        Ok(self.make.outcome(failed))
    }
}

/// Whether an interrupted update had other settings.
fn is_other_update(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<DataError>(), Some(DataError::SettingsMismatch { .. }))
}
