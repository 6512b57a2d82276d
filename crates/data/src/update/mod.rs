//! Adding captions and features to an existing data set.
//!
//! The new data set is built next to the old one and replaces it when it is complete ([`replace_dataset`]): until then the old one
//! is not touched, and an interrupted run is resumed as any other ([`build_dataset`](crate::build_dataset)).

mod replace;

use serde_json::{Value, json};

pub use self::replace::{finish_replacement, replace_dataset, staging_folder};
use crate::caption::{CaptionInput, Captioner, add_captions, add_missing_captions, drop_duplicates};
use crate::featurizer::add_features;
use crate::{
    DataError, Dataset, Featurizer, Key, ProduceError, Producer, Shape, ShapeJob, TEXT_FEATURES,
    THUMBNAIL_FEATURES, VIEW_FEATURES,
};

/// `made_by` in the settings of an updated data set.
const MADE_BY: &str = "update";
/// Version of the output: raised when the same settings give other shapes. Features are not normalized since version 2.
const UPDATE_VERSION: u32 = 2;

/// Which captions of a data set an update changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaptionUpdate {
    /// New captions are added to those that the shapes have.
    #[default]
    Add,
    /// New captions replace those that the shapes have.
    Replace,
    /// Captions are added where an earlier update with the same captioner left some out.
    AddMissing,
}

impl CaptionUpdate {
    /// Its name in the settings of the data set.
    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::AddMissing => "add missing",
        }
    }
}

/// Options of an [`Update`].
#[derive(Clone, Copy, Debug, Default)]
pub struct UpdateConfig {
    /// What happens to the captions that the shapes have.
    pub captions: CaptionUpdate,
    /// Sorts captions by similarity of their features and keeps this many of each view and of the whole shape (0 for all), as in
    /// section 3.2 of [ULIP-2](https://arxiv.org/abs/2305.08275). `None` keeps all captions in their order.
    pub rank: Option<usize>,
    /// Whether features that new captions make incomplete are dropped, if no model computes them again.
    pub drop_features: bool,
}

/// Adds captions and features to the shapes of a data set, as a [`Producer`] for [`build_dataset`](crate::build_dataset). Views,
/// points and everything else are copied without changes.
///
/// ```
/// use lexiform_data::caption::{CaptionError, CaptionInput, CaptionOutput, Captioner};
/// use lexiform_data::update::{Update, UpdateConfig, replace_dataset, staging_folder};
/// use lexiform_data::{BuildOptions, Caption, Dataset, build_dataset};
/// # use lexiform_data::{merge_partitions, Key, Member, Metadata, ProduceError, Producer, Shape, ShapeJob};
/// # struct One(Vec<ShapeJob>);
/// # impl Producer for One {
/// #     fn jobs(&self) -> &[ShapeJob] { &self.0 }
/// #     fn settings(&self) -> serde_json::Value { serde_json::json!({}) }
/// #     fn produce(&self, index: usize) -> Result<Shape, ProduceError> {
/// #         let members = vec![Member::view(0, "png", vec![1])];
/// #         Ok(Shape { key: self.0[index].key.clone(), members, metadata: Metadata::default() })
/// #     }
/// # }
///
/// /// Says the same about every shape.
/// struct Parrot;
///
/// impl Captioner for Parrot {
///     fn name(&self) -> String {
///         "parrot".to_owned()
///     }
///     fn source(&self) -> String {
///         "parrot".to_owned()
///     }
///     fn concurrency(&self) -> usize {
///         1
///     }
///     fn caption(&self, _: &CaptionInput) -> Result<CaptionOutput, CaptionError> {
///         let captions = vec![Caption::new("a nut", "parrot")];
///         Ok(CaptionOutput { captions, requested: 1, errors: Vec::new() })
///     }
/// }
///
/// # let folder = tempfile::tempdir()?;
/// # let set = folder.path().join("set");
/// # let producer = One(vec![ShapeJob { key: Key::from_id("a"), source: "a.glb".to_owned() }]);
/// # build_dataset(&producer, &set, &BuildOptions::default(), &mut |_| {})?;
/// # merge_partitions(&set)?;
/// let dataset = Dataset::open(&set)?;
/// let update = Update::new(&dataset, Some(&Parrot), None, UpdateConfig::default())?;
/// let staging = staging_folder(&set)?;
/// build_dataset(&update, &staging, &BuildOptions::default(), &mut |_| {})?;
/// replace_dataset(&set, &staging)?;
/// assert_eq!(Dataset::open(&set)?.metadata(0)?.captions[0].text, "a nut");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Update<'a> {
    dataset: &'a Dataset,
    captioner: Option<&'a dyn Captioner>,
    featurizer: Option<&'a dyn Featurizer>,
    config: UpdateConfig,
    jobs: Vec<ShapeJob>,
}

impl<'a> Update<'a> {
    /// An update of all shapes of `dataset`.
    ///
    /// # Errors
    /// [`DataError::Unusable`] if a captioner is given and the shapes have no views, or have features of captions that no
    /// `featurizer` computes again.
    pub fn new(
        dataset: &'a Dataset,
        captioner: Option<&'a dyn Captioner>,
        featurizer: Option<&'a dyn Featurizer>,
        config: UpdateConfig,
    ) -> Result<Self, DataError> {
        let job = |shape: usize| {
            let key = dataset.key(shape);
            ShapeJob { key: Key::from_id(key), source: key.to_owned() }
        };
        let jobs = (0..dataset.len()).map(job).collect();
        let update = Self { dataset, captioner, featurizer, config, jobs };
        update.check_views()?;
        update.check_features()?;
        Ok(update)
    }

    fn check_views(&self) -> Result<(), DataError> {
        let has_views = || (0..self.dataset.len()).any(|shape| self.dataset.n_views(shape) > 0);
        if self.captioner.is_none() || has_views() {
            return Ok(());
        }
        Err(DataError::unusable(
            self.dataset.root(),
            "captions describe views, and its shapes have none",
            "import the data set with its rendered images, or prepare it from 3D files with `lexiform data prepare`",
        ))
    }

    /// Features of captions have one row per caption: new captions would make them incomplete.
    fn check_features(&self) -> Result<(), DataError> {
        if self.featurizer.is_some() || self.captioner.is_none() || self.config.drop_features {
            return Ok(());
        }
        if !self.has_member(TEXT_FEATURES) {
            return Ok(());
        }
        let model = self.dataset.manifest().features();
        let named = model.map_or_else(|| "an unnamed model".to_owned(), str::to_owned);
        let given = model.and_then(|id| id.split('@').next()).unwrap_or("MODEL");
        Err(DataError::unusable(
            self.dataset.root(),
            format!("has features of its captions by {named}, which new captions would make incomplete"),
            format!("compute them again with --feature-model {given}, or drop them with --drop-features"),
        ))
    }

    fn has_member(&self, wanted: &str) -> bool {
        (0..self.dataset.len()).any(|shape| self.dataset.members(shape).any(|name| name == wanted))
    }

    /// Whether the data set is the result of this very update, so that nothing is left to do.
    pub fn is_applied(&self) -> bool {
        let (settings, wanted) = (&self.dataset.manifest().settings, self.own_settings());
        let same = |key: &&str| settings.get(key) == wanted.get(key);
        // Adding what an earlier update left out completes that update.
        let completed = self.config.captions == CaptionUpdate::Add
            && settings.get("captions") == Some(&CaptionUpdate::AddMissing.name().into());
        self.config.captions != CaptionUpdate::AddMissing
            && ["made_by", "version", "captioner", "rank", "features"].iter().all(same)
            && (completed || same(&"captions"))
    }

    /// The settings without those of the data set that is updated.
    fn own_settings(&self) -> Value {
        let kept = || self.dataset.manifest().features().filter(|_| !self.drops_features());
        json!({
            "made_by": MADE_BY,
            "version": UPDATE_VERSION,
            "captioner": self.captioner.map(|captioner| captioner.name()),
            "captions": self.config.captions.name(),
            "rank": self.config.rank,
            "features": self.featurizer.map(|featurizer| featurizer.id()).or_else(kept),
        })
    }

    fn drops_features(&self) -> bool {
        self.featurizer.is_none() && self.config.drop_features
    }

    fn caption(&self, captioner: &dyn Captioner, shape: &mut Shape) -> Result<(), ProduceError> {
        let metadata = &mut shape.metadata;
        // The name is the seed of sampled captions: the same as that of `prepare`, so that both write the same captions.
        let name = if metadata.id.is_empty() { shape.key.to_string() } else { metadata.id.clone() };
        let input = CaptionInput { name: &name, bytes: &[], views: &shape.members };
        match self.config.captions {
            CaptionUpdate::AddMissing => add_missing_captions(captioner, metadata, &input)?,
            CaptionUpdate::Add => add_captions(captioner, metadata, &input)?,
            CaptionUpdate::Replace => {
                metadata.captions.clear();
                add_captions(captioner, metadata, &input)?;
            }
        }
        drop_duplicates(&mut metadata.captions);
        Ok(())
    }
}

impl Producer for Update<'_> {
    fn jobs(&self) -> &[ShapeJob] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        let manifest = self.dataset.manifest();
        let mut settings = self.own_settings();
        settings["source"] = manifest.settings.clone();
        // The index has the checksums of all members: an update is resumed only on the same data set.
        settings[replace::SOURCE_INDEX] = manifest.index_sha256.clone().into();
        settings
    }

    fn produce(&self, index: usize) -> Result<Shape, ProduceError> {
        let mut shape = self.dataset.shape(index).map_err(|error| ProduceError::Shape(error.to_string()))?;
        if self.drops_features() || self.featurizer.is_some() {
            drop_features(&mut shape);
        }
        if let Some(captioner) = self.captioner {
            self.caption(captioner, &mut shape)?;
        }
        if let Some(featurizer) = self.featurizer {
            add_features(featurizer, &mut shape, self.config.rank)?;
        }
        Ok(shape)
    }

    fn extra_workers(&self) -> usize {
        self.captioner.map_or(0, Captioner::concurrency)
    }
}

/// Drops the features of views, thumbnail and captions, and what the importer recorded about the captions that they belong to.
fn drop_features(shape: &mut Shape) {
    let features = [VIEW_FEATURES, THUMBNAIL_FEATURES, TEXT_FEATURES];
    shape.members.retain(|member| !features.contains(&member.name.as_str()));
    for list in ["text_features", "text_feature_views"] {
        shape.metadata.extra.remove(list);
    }
}
