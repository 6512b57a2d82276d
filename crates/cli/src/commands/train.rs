//! `lexiform train`: train a model from a recipe.

mod sweep;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use lexiform_model::Device;
use lexiform_train::{
    CaptionRecipe, DryRun, FeatureSource, FitError, FitOptions, NetworkConfig, Recipe, RecipeError,
    RunLogger, TrainEvent, TrainPlan, dry_run, find_reference_name, fit, fit_captioner,
};

use crate::error::{Outcome, UsageError, WithHint as _};
use crate::mpi_job::MpiJob;
use crate::output::{self, Align};
use crate::progress::Progress;

/// Train models from recipes
#[derive(Args)]
pub(crate) struct TrainArgs {
    /// Training configuration (TOML); several are trained one after another, and later ones may use the models of earlier ones
    #[arg(required = true, value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// Override a value of the recipe; may be given more than once
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Train one run per value of a key, and per combination if given more than once; each run goes to a folder of its own in
    /// the output folder, and sweep.csv and sweep.json have the results of all
    #[arg(long, value_name = "KEY=[VALUES]")]
    sweep: Vec<String>,
    /// Output folder; for a single recipe only [default: runs/NAME, with the recipe's name]
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Resume from the last checkpoint in the output folder, if any
    #[arg(long)]
    resume: bool,
    /// Devices for data-parallel training, as in vulkan:0,vulkan:1; all but cpu need a build with that backend
    #[arg(long, value_name = "DEVICES", value_delimiter = ',', default_value = "cpu")]
    #[arg(value_parser = lexiform_model::device)]
    devices: Vec<Device>,
    /// Train together with the other processes of an MPI job, as in mpirun -n 2 lexiform train RECIPE --mpi
    #[arg(long, conflicts_with_all = ["dry_run", "sweep"])]
    // Accepted by every build, so that the error of those without MPI can say what to do.
    #[cfg_attr(not(feature = "mpi"), arg(hide = true))]
    mpi: bool,
    /// Show parameter groups, memory and time per step without training
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Print one JSON object per event
    #[arg(long)]
    json: bool,
}

impl TrainArgs {
    /// Trains each recipe and reports progress.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if self.recipes.iter().any(|path| CaptionRecipe::matches_file(path)) {
            return self.run_captioner();
        }
        let job = MpiJob::join(self.mpi)?;
        let (resume, devices, processes) = (self.resume, self.devices.clone(), job.processes());
        let options = FitOptions { resume, devices, processes };
        if !self.sweep.is_empty() {
            return self.run_sweep(&options);
        }
        let runs = self.runs()?;
        for (i, (recipe, out)) in runs.iter().enumerate() {
            match (self.dry_run, missing_dependency(recipe, &runs[..i])) {
                (true, Some(model)) => output::note(format!(
                    "{}: skipped: {model} is the output of an earlier run; give an existing model: --set teacher=nano",
                    recipe.name
                )),
                (true, None) => self.show_dry_run(recipe, &options)?,
                (false, _) if !options.processes.is_first() => drop(fit(recipe, out, &options, &mut |_| {})?),
                (false, _) => {
                    let model = self.train(recipe, out, &options)?;
                    if !self.json {
                        output::line(model.display().to_string())?;
                    }
                }
            }
        }
        job.leave()?;
        Ok(Outcome::Done)
    }

    /// The recipes and their output folders. All are read before the first run starts, so that errors show at once.
    fn runs(&self) -> anyhow::Result<Vec<(Recipe, PathBuf)>> {
        if self.out.is_some() && self.recipes.len() > 1 {
            let message = "--out is for a single recipe; with several recipes each goes to runs/NAME";
            return Err(UsageError(message.to_owned()).into());
        }
        let mut runs: Vec<(Recipe, PathBuf)> = Vec::new();
        for path in &self.recipes {
            let recipe = read_recipe(path, &self.set)?;
            let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&recipe.name));
            if runs.iter().any(|(_, other)| *other == out) {
                let name = &recipe.name;
                return Err(UsageError(format!(
                    "{}: another recipe has the name {name:?} too",
                    path.display()
                ))
                .into());
            }
            runs.push((recipe, out));
        }
        Ok(runs)
    }

    /// Trains the captioner of a recipe, which is a run of its own.
    fn run_captioner(&self) -> anyhow::Result<Outcome> {
        let [path] = &self.recipes[..] else {
            let text = "the recipe of a captioner is trained alone: give one recipe";
            return Err(UsageError(text.to_owned()).into());
        };
        if self.dry_run || self.mpi || !self.sweep.is_empty() {
            let text = "--dry-run, --mpi and --sweep are not for recipes of captioners";
            return Err(UsageError(text.to_owned()).into());
        }
        let recipe = CaptionRecipe::read(path, &self.set)?;
        let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&recipe.name));
        let options =
            FitOptions { resume: self.resume, devices: self.devices.clone(), ..FitOptions::default() };
        let model = self.logged(&out, |on_event| fit_captioner(&recipe, &out, &options, on_event))?;
        if !self.json {
            output::line(model.display().to_string())?;
        }
        Ok(Outcome::Done)
    }

    /// Trains a recipe and returns the path of the model.
    fn train(&self, recipe: &Recipe, out: &Path, options: &FitOptions) -> anyhow::Result<PathBuf> {
        self.logged(out, |on_event| fit(recipe, out, options, on_event))
    }

    /// Trains with a log in the output folder, and reports progress.
    fn logged(
        &self,
        out: &Path,
        train: impl FnOnce(&mut dyn FnMut(TrainEvent)) -> Result<PathBuf, FitError>,
    ) -> anyhow::Result<PathBuf> {
        let mut logger = RunLogger::new(out, SystemTime::now());
        let mut console = ConsoleReporter { json: self.json, progress: None };
        let (mut logged, mut shown) = (Ok(()), Ok(()));
        let done = train(&mut |event| {
            // If standard output is closed, the log is still written: it must have every step of the checkpoint.
            if logged.is_ok() {
                logged = logger.log(&event);
            }
            if shown.is_ok() {
                shown = console.show(&event);
            }
        });
        // The bar is removed before errors and results are printed.
        drop(console);
        let model = with_exists_hint(done)?;
        logged?;
        shown?;
        let curves = logger.finish()?;
        if !self.json {
            output::note(format!("curves: {}", curves.display()));
        }
        Ok(model)
    }

    fn show_dry_run(&self, recipe: &Recipe, options: &FitOptions) -> anyhow::Result<()> {
        let mut console = ConsoleReporter { json: self.json, progress: None };
        let mut output_result = Ok(());
        let trial = dry_run(recipe, options, &mut |event| {
            if output_result.is_ok() {
                output_result = console.show(&event);
            }
        })?;
        output_result?;
        if self.json {
            output::json(&trial)?;
        } else {
            output::line(dry_run_table(&trial))?;
        }
        Ok(())
    }
}

/// Adds what to do about an output folder that already has a run.
fn with_exists_hint<T>(done: Result<T, FitError>) -> anyhow::Result<T> {
    match done {
        Err(error @ FitError::Exists { .. }) => {
            Err(error).hint("add --resume, or choose another folder with --out")
        }
        done => Ok(done?),
    }
}

/// Reads a recipe with overrides.
fn read_recipe(path: &Path, settings: &[String]) -> anyhow::Result<Recipe> {
    match Recipe::read(path, settings) {
        Err(RecipeError::Io(error)) if !path.exists() => {
            Err(RecipeError::Io(error)).hint(missing_recipe_hint(path))
        }
        read => Ok(read?),
    }
}

/// What was probably meant by a recipe that does not exist: hydra's `key=value` has no option before it.
fn missing_recipe_hint(path: &Path) -> String {
    let argument = path.to_string_lossy();
    match find_reference_name(&argument) {
        Some(found) => found.hint(),
        None if argument.contains('=') => format!("values of the recipe are set with --set {argument}"),
        None => "recipes are TOML files, such as those in recipes/".to_owned(),
    }
}

/// The base model or teacher of a recipe that an earlier run will write and that does not exist yet.
fn missing_dependency<'a>(recipe: &'a Recipe, before: &[(Recipe, PathBuf)]) -> Option<&'a str> {
    let base = match &recipe.network {
        NetworkConfig::Pretrained(network) => Some(network.base.as_str()),
        NetworkConfig::Points(network) => network.base.as_deref(),
        _ => None,
    };
    let models = recipe.teacher.as_deref().into_iter().chain(base);
    let absent = |model: &&str| {
        let path = Path::new(model);
        before.iter().any(|(_, out)| path.starts_with(out)) && !path.exists()
    };
    models.into_iter().find(absent)
}

/// The result of a dry run as a table and three lines.
fn dry_run_table(trial: &DryRun) -> String {
    let TrainPlan { groups, steps, frozen_parameters, trainable_parameters, steps_per_epoch, .. } =
        &trial.plan;
    let columns = [
        ("group", Align::Left),
        ("tensors", Align::Right),
        ("parameters", Align::Right),
        ("rate", Align::Right),
    ];
    let rows = groups.iter().map(|group| {
        let (tensors, parameters) = (group.tensors.to_string(), group.parameters.to_string());
        vec![group.name.clone(), tensors, parameters, format!("{:e}", group.learning_rate)]
    });
    let table = output::table(&columns, &rows.collect::<Vec<_>>());
    let hours = trial.step_seconds * *steps as f64 / 3600.0;
    format!(
        "{table}\n\n{trainable_parameters} trainable parameters, {frozen_parameters} frozen\n\
         {steps} steps, {:.1} epochs; {} shapes and {} images per step, {:.2} s per step: {hours:.1} h in total\n\
         memory: {:.0} MB estimated for the run, {:.0} MB peak in the timed step",
        *steps as f64 / *steps_per_epoch as f64,
        trial.shapes,
        trial.images,
        trial.step_seconds,
        trial.run_memory_bytes as f64 / 1e6,
        trial.peak_memory_bytes as f64 / 1e6,
    )
}

/// Where the teacher's features come from.
fn describe_feature_source(features: &FeatureSource) -> String {
    match features {
        FeatureSource::Dataset => "the data set has the teacher's features".to_owned(),
        FeatureSource::Computed { expected, found: Some(found) } => {
            format!("the data set has features of {found}; features of {expected} will be computed")
        }
        FeatureSource::Computed { expected, found: None } => format!(
            "the data set does not name the model of its features; features of {expected} will be computed \
             (to avoid this: data prepare --feature-model, or data.trust_features=true)"
        ),
    }
}

/// Reports events: JSON lines, or a bar with notes above it.
struct ConsoleReporter {
    json: bool,
    progress: Option<Progress>,
}

impl ConsoleReporter {
    fn show(&mut self, event: &TrainEvent) -> anyhow::Result<()> {
        if self.json {
            return output::json(event);
        }
        match event {
            TrainEvent::Preparing { shapes } => {
                self.note(format!("preparing {}", output::quantity(*shapes, "shape")))
            }
            TrainEvent::Opened { path, training, validation, skipped, features } => {
                self.note(format!(
                    "{}: {} for training, {validation} for validation",
                    path.display(),
                    output::quantity(*training, "shape")
                ));
                for (reason, count) in skipped {
                    self.note(format!("skipped: {count} that {reason}"));
                }
                if let Some(features) = features {
                    self.note(describe_feature_source(features));
                }
            }
            TrainEvent::FileSkipped { path, reason } => {
                self.note(format!("skipped: {}: {reason}", path.display()))
            }
            TrainEvent::Features { done, total } if done == total => {
                self.note(format!("cached features of {}", output::quantity(*total, "view and caption")));
            }
            // Too frequent for the terminal; JSON output has them.
            TrainEvent::Features { .. } | TrainEvent::CheckpointSaved { .. } => {}
            TrainEvent::Start(plan) => self.start(plan),
            TrainEvent::Step(step) => {
                let losses = step.losses.iter().map(|(name, value)| match step.accuracies.get(name) {
                    Some(share) => format!("{name} {value:.3}, accuracy {:.0} %", 100.0 * share),
                    None => format!("{name} {value:.3}"),
                });
                let losses = losses.collect::<Vec<_>>().join("; ");
                let text =
                    format!("loss {:.3} ({losses}), {:.0} images/s", step.loss, step.images_per_second);
                if let Some(progress) = &self.progress {
                    progress.step(&text);
                }
            }
            TrainEvent::Evaluated { step, report: Some(report), best, .. } => {
                let [first, five] = [report.top_1, report.top_5].map(|share| 100.0 * share);
                let best = if *best { ", best so far" } else { "" };
                self.note(format!("step {step}: val top-1 {first:.1} %, top-5 {five:.1} %{best}"));
            }
            TrainEvent::Evaluated { step, .. } => {
                self.note(format!("step {step}: model saved; no validation shapes to measure on"))
            }
            TrainEvent::Captioned { step, report: Some(report), best, .. } => {
                let best = if *best { ", best so far" } else { "" };
                let (cider, bleu_4) = (100.0 * report.cider, 100.0 * report.bleu_4);
                self.note(format!("step {step}: val CIDEr {cider:.1}, BLEU-4 {bleu_4:.1}{best}"));
            }
            TrainEvent::Captioned { step, .. } => {
                self.note(format!("step {step}: captioner saved; no validation shapes to measure on"))
            }
            TrainEvent::Finished { steps, seconds, data_wait, images_per_second, .. } => self.note(format!(
                "{} in {seconds:.1} s, {images_per_second:.0} images/s, {:.1} % of the time waiting for data",
                output::quantity(*steps, "step"),
                100.0 * data_wait
            )),
            TrainEvent::EarlyStopped { step, reason } => {
                self.note(format!("stopped after step {step}: {reason}"))
            }
        }
        Ok(())
    }

    fn start(&mut self, plan: &TrainPlan) {
        let TrainPlan { trainable_parameters, categories, vocabulary_size, steps, start_step, .. } = plan;
        self.note(format!(
            "{trainable_parameters} parameters, {categories} categories, vocabulary of {vocabulary_size} words, {steps} steps"
        ));
        if *start_step > 0 {
            self.note(format!("resuming after step {start_step}"));
        }
        self.progress = Some(Progress::new(steps.saturating_sub(*start_step)));
    }

    fn note(&self, text: String) {
        match &self.progress {
            Some(progress) => progress.note(&text),
            None => output::note(text),
        }
    }
}
