//! `lexiform train`: train a model from a recipe.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use lexiform_model::Device;
use lexiform_train::{
    DryRun, FeatureSource, FitError, FitOptions, NetworkConfig, Recipe, RunLogger, TrainEvent, TrainPlan,
    dry_run, fit,
};

use crate::failure::{Usage, Verdict, WithHint as _};
use crate::output::{self, Align};
use crate::progress::Progress;

/// Train a model from a recipe, or several in turn
#[derive(Args)]
pub struct TrainArgs {
    /// Recipe: a TOML file with a network, data, and how one learns from the other; of several, later ones may name the
    /// models of earlier ones
    #[arg(required = true, value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// Replace a value of the recipe; may be given more than once
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder for the run of a single recipe [default: runs/NAME, NAME being the recipe's]
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Go on from the folder's last checkpoint; start anew where there is none
    #[arg(long)]
    resume: bool,
    /// Devices that share each batch, as in vulkan:0,vulkan:1; those beside cpu if lexiform was built with them
    #[arg(long, value_name = "DEVICES", value_delimiter = ',', default_value = "cpu")]
    #[arg(value_parser = lexiform_model::device)]
    devices: Vec<Device>,
    /// Show what would be trained, how much memory it needs and how long a step takes; train nothing
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Print one JSON object an event
    #[arg(long)]
    json: bool,
}

impl TrainArgs {
    /// Trains and tells how it goes.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let options = FitOptions { resume: self.resume, devices: self.devices.clone() };
        let runs = self.runs()?;
        for (i, (recipe, out)) in runs.iter().enumerate() {
            match (self.dry_run, to_be_made(recipe, &runs[..i])) {
                (true, Some(model)) => output::note(format!(
                    "{}: not rehearsed: {model} is made by a run before it; name one that exists: --set teacher=nano",
                    recipe.name
                )),
                (true, None) => self.show_dry_run(recipe, &options)?,
                (false, _) => self.train(recipe, out, &options)?,
            }
        }
        Ok(Verdict::Done)
    }

    /// The recipes with their folders: all are read before the first begins, so that mistakes do not show hours later.
    fn runs(&self) -> anyhow::Result<Vec<(Recipe, PathBuf)>> {
        if self.out.is_some() && self.recipes.len() > 1 {
            let message = "--out: names the folder of one run; of several recipes each goes to runs/NAME";
            return Err(Usage(message.to_owned()).into());
        }
        let mut runs: Vec<(Recipe, PathBuf)> = Vec::new();
        for path in &self.recipes {
            let recipe = Recipe::read(path, &self.set)?;
            let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&recipe.name));
            if runs.iter().any(|(_, other)| *other == out) {
                let name = &recipe.name;
                return Err(
                    Usage(format!("{}: another recipe is called {name:?} too", path.display())).into()
                );
            }
            runs.push((recipe, out));
        }
        Ok(runs)
    }

    fn train(&self, recipe: &Recipe, out: &Path, options: &FitOptions) -> anyhow::Result<()> {
        let mut logger = RunLogger::new(out, SystemTime::now());
        let mut screen = Screen { json: self.json, progress: None };
        let (mut logged, mut shown) = (Ok(()), Ok(()));
        let done = fit(recipe, out, options, &mut |event| {
            // A reader that hangs up does not stop the log: it must tell of every step a checkpoint has.
            if logged.is_ok() {
                logged = logger.log(&event);
            }
            if shown.is_ok() {
                shown = screen.show(&event);
            }
        });
        drop(screen);
        let model = match done {
            Err(error @ FitError::Exists { .. }) => {
                return Err(error).hint("add --resume, or name a folder with --out");
            }
            done => done?,
        };
        logged?;
        shown?;
        let curves = logger.finish()?;
        if !self.json {
            output::note(format!("curves: {}", curves.display()));
            output::line(model.display().to_string())?;
        }
        Ok(())
    }

    fn show_dry_run(&self, recipe: &Recipe, options: &FitOptions) -> anyhow::Result<()> {
        let mut screen = Screen { json: self.json, progress: None };
        let mut told = Ok(());
        let trial = dry_run(recipe, options, &mut |event| {
            if told.is_ok() {
                told = screen.show(&event);
            }
        })?;
        told?;
        if self.json {
            output::json(&trial)?;
        } else {
            output::line(described(&trial))?;
        }
        Ok(())
    }
}

/// The model that a recipe starts from or learns towards, where one of the runs before it is yet to make it.
fn to_be_made<'a>(recipe: &'a Recipe, before: &[(Recipe, PathBuf)]) -> Option<&'a str> {
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

/// A rehearsal as a table and three lines.
fn described(trial: &DryRun) -> String {
    let TrainPlan {
        groups,
        steps,
        frozen_parameters,
        trainable_parameters,
        steps_per_epoch,
        memory_bytes,
        ..
    } = &trial.plan;
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
        "{table}\n\n{trainable_parameters} parameters are trained, {frozen_parameters} are frozen\n\
         {steps} steps, {:.1} epochs; a step of {} shapes and {} images takes {:.2} s: {hours:.1} h in all\n\
         memory: {:.0} MB for weights, optimizer and samples, {:.0} MB at the most in the step that was timed",
        *steps as f64 / *steps_per_epoch as f64,
        trial.shapes,
        trial.images,
        trial.step_seconds,
        *memory_bytes as f64 / 1e6,
        trial.peak_memory_bytes as f64 / 1e6,
    )
}

/// Where features come from, in words.
fn told(features: &FeatureSource) -> String {
    match features {
        FeatureSource::Dataset => "features of the teacher are in the set".to_owned(),
        FeatureSource::Computed { expected, found: Some(found) } => {
            format!("features in the set are of {found}: those of {expected} are computed")
        }
        FeatureSource::Computed { expected, found: None } => format!(
            "the set names no model whose features it holds: those of {expected} are computed \
             (data prepare --features, or data.trust_features=true)"
        ),
    }
}

/// Shows events: JSON lines, or a bar with notes above it.
struct Screen {
    json: bool,
    progress: Option<Progress>,
}

impl Screen {
    fn show(&mut self, event: &TrainEvent) -> anyhow::Result<()> {
        if self.json {
            return output::json(event);
        }
        match event {
            TrainEvent::Preparing { shapes } => {
                self.note(format!("preparing {}", output::count(*shapes, "shape")))
            }
            TrainEvent::Opened { path, training, validation, skipped, features } => {
                self.note(format!(
                    "{}: {} to learn from, {validation} held out",
                    path.display(),
                    output::count(*training, "shape")
                ));
                for (reason, count) in skipped {
                    self.note(format!("left out: {count} that {reason}"));
                }
                if let Some(features) = features {
                    self.note(told(features));
                }
            }
            TrainEvent::FileSkipped { path, reason } => {
                self.note(format!("left out: {}: {reason}", path.display()))
            }
            TrainEvent::Features { done, total } if done == total => {
                self.note(format!("features of {} are kept", output::count(*total, "view and caption")));
            }
            TrainEvent::Features { .. } | TrainEvent::CheckpointSaved { .. } => {}
            TrainEvent::Start(plan) => self.start(plan),
            TrainEvent::Step(step) => {
                let losses = step.losses.iter().map(|(name, value)| match step.accuracies.get(name) {
                    Some(share) => format!("{name} {value:.3}, {:.0} % matched", 100.0 * share),
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
                let best = if *best { ", the best so far" } else { "" };
                self.note(format!(
                    "step {step}: held-out shapes named right {first:.1} %, among five {five:.1} %{best}"
                ));
            }
            TrainEvent::Evaluated { step, .. } => {
                self.note(format!("step {step}: model written; no held-out shapes to measure on"))
            }
            TrainEvent::Finished { steps, seconds, data_wait, images_per_second, .. } => self.note(format!(
                "{} in {seconds:.1} s, {images_per_second:.0} images/s; {:.1} % of it waiting for data",
                output::count(*steps, "step"),
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
            "{trainable_parameters} parameters, {categories} categories, {vocabulary_size} words, {steps} steps"
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
