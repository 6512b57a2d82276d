//! Sweeps: one run for each combination of values of some recipe keys, and one table of their results.

use std::collections::HashMap;
use std::path::Path;

use lexiform_formats::{csv_cell, write_file};
use serde::Serialize;

use crate::error::FitError;
use crate::logging::read_log;
use crate::recipe::RecipeError;
use crate::run::{checkpoint_path, read_progress, recover_latest};

/// Steps whose mean loss is reported at the end of a run.
const LAST_STEPS: usize = 20;
/// Longest name of a run's folder.
const MAX_NAME: usize = 120;

/// Keys of a recipe with the values they take.
///
/// ```
/// use lexiform_train::Sweep;
///
/// let sweep = Sweep::parse(&["data.views=[1, 12]".to_owned(), "seed=[0, 1]".to_owned()])?;
/// let names: Vec<String> = sweep.runs().into_iter().map(|run| run.name).collect();
/// assert_eq!(names[1], "data.views=1,seed=1");
/// assert_eq!(names.len(), 4);
/// # Ok::<(), lexiform_train::RecipeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sweep {
    axes: Vec<SweepAxis>,
}

/// A key and its values, as TOML.
#[derive(Clone, Debug)]
struct SweepAxis {
    key: String,
    values: Vec<String>,
}

/// One combination of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepRun {
    /// Name of its folder.
    pub name: String,
    /// The value of each key, in the order of [`Sweep::keys`].
    pub values: Vec<String>,
    /// Overrides of the recipe, `KEY=VALUE`.
    pub settings: Vec<String>,
}

impl Sweep {
    /// Parses arguments of the form `KEY=[VALUE, …]`; quotes around texts are optional.
    ///
    /// # Errors
    /// If an argument has another form, a key comes twice, or a value does.
    pub fn parse(args: &[String]) -> Result<Self, RecipeError> {
        let mut axes: Vec<SweepAxis> = Vec::with_capacity(args.len());
        for arg in args {
            let wrong =
                |message: &str| RecipeError::Override { setting: arg.clone(), message: message.to_owned() };
            let (key, list) = arg.split_once('=').ok_or_else(|| wrong("expected KEY=[VALUE, …]"))?;
            let key = key.trim().to_owned();
            let values = values_of(list.trim()).ok_or_else(|| wrong("expected KEY=[VALUE, …]"))?;
            if key.is_empty() || values.is_empty() {
                return Err(wrong("expected KEY=[VALUE, …]"));
            }
            if axes.iter().any(|axis| axis.key == key) {
                return Err(wrong("the key is swept twice"));
            }
            if (1..values.len()).any(|i| values[..i].contains(&values[i])) {
                return Err(wrong("a value comes twice"));
            }
            axes.push(SweepAxis { key, values });
        }
        Ok(Self { axes })
    }

    /// The swept keys.
    pub fn keys(&self) -> Vec<String> {
        self.axes.iter().map(|axis| axis.key.clone()).collect()
    }

    /// All combinations; the last key varies fastest.
    pub fn runs(&self) -> Vec<SweepRun> {
        let mut combinations: Vec<Vec<String>> = vec![Vec::new()];
        for axis in &self.axes {
            let longer = |start: &Vec<String>| {
                axis.values
                    .iter()
                    .map(|value| [start.clone(), vec![value.clone()]].concat())
                    .collect::<Vec<_>>()
            };
            combinations = combinations.iter().flat_map(longer).collect();
        }
        let mut taken: HashMap<String, usize> = HashMap::new();
        combinations.into_iter().map(|values| self.run(values, &mut taken)).collect()
    }

    fn run(&self, values: Vec<String>, taken: &mut HashMap<String, usize>) -> SweepRun {
        let settings: Vec<String> =
            self.axes.iter().zip(&values).map(|(axis, value)| format!("{}={value}", axis.key)).collect();
        let mut name: String = settings.join(",").chars().map(portable).take(MAX_NAME).collect();
        let count = taken.entry(name.clone()).or_insert(0);
        *count += 1;
        // Values that differ only in characters no folder may have.
        if *count > 1 {
            name = format!("{name}-{count}");
        }
        SweepRun { name, values, settings }
    }
}

/// A character of a folder's name on every system.
fn portable(c: char) -> char {
    if c.is_ascii_alphanumeric() || "._=,+-".contains(c) { c } else { '_' }
}

/// The elements of a TOML array, as TOML; or of a list of words without quotes.
fn values_of(list: &str) -> Option<Vec<String>> {
    let inner = list.strip_prefix('[')?.strip_suffix(']')?;
    let parsed = format!("value = {list}").parse::<toml::Table>().ok();
    match parsed.as_ref().and_then(|table| table.get("value")) {
        Some(toml::Value::Array(values)) => Some(values.iter().map(toml::Value::to_string).collect()),
        _ if inner.contains(['[', '{', '"']) => None,
        _ => Some(
            inner.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect(),
        ),
    }
}

/// Checks that the output folder has no run, which [`fit`](crate::fit) would refuse to overwrite.
///
/// # Errors
/// [`FitError::Exists`] if it has one, or if its checkpoint cannot be read.
pub fn check_no_run(out: &Path) -> Result<(), FitError> {
    let path = checkpoint_path(out);
    if !recover_latest(&path)? {
        return Ok(());
    }
    let step = read_progress(&path)?.step;
    Err(FitError::Exists { path, step })
}

/// Result of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SweepResult {
    /// Name of its folder.
    pub run: String,
    /// The value of each swept key.
    pub values: Vec<String>,
    /// Steps done.
    pub steps: usize,
    /// Mean loss of the last steps; absent before the first.
    pub loss: Option<f64>,
    /// Best validation top-1, 0–1; absent without validation shapes.
    pub top_1: Option<f64>,
    /// Top-5 of the same evaluation.
    pub top_5: Option<f64>,
    /// Step of this evaluation.
    pub best_step: Option<usize>,
    /// Why the run failed, if it did.
    pub error: Option<String>,
}

impl SweepResult {
    /// Reads the result of a run from the log in its folder.
    ///
    /// # Errors
    /// If there is no log, or it cannot be read.
    pub fn read(run: &SweepRun, folder: &Path) -> std::io::Result<Self> {
        let events = read_log(&folder.join("log.jsonl"))?;
        let of = |kind: &'static str| events.iter().filter(move |event| event["event"] == kind);
        let losses: Vec<f64> = of("step").filter_map(|event| event["loss"].as_f64()).collect();
        let last = &losses[losses.len().saturating_sub(LAST_STEPS)..];
        let measured = of("evaluated").filter(|event| event["report"].is_object());
        let best = measured.reduce(|best, other| {
            let top_1 = |event: &serde_json::Value| event["report"]["top_1"].as_f64().unwrap_or(0.0);
            // The first of equals, as the run keeps it.
            if top_1(other) > top_1(best) { other } else { best }
        });
        let share = |name: &str| best.and_then(|event| event["report"][name].as_f64());
        let step = |event: &serde_json::Value| event["step"].as_u64().map(|step| step as usize);
        Ok(Self {
            run: run.name.clone(),
            values: run.values.clone(),
            steps: of("step").filter_map(step).max().unwrap_or(0),
            loss: (!last.is_empty()).then(|| last.iter().sum::<f64>() / last.len() as f64),
            top_1: share("top_1"),
            top_5: share("top_5"),
            best_step: best.and_then(step),
            error: None,
        })
    }

    /// The result of a run that failed.
    pub fn failed(run: &SweepRun, folder: &Path, error: String) -> Self {
        let known = Self::read(run, folder).unwrap_or_else(|_| Self {
            run: run.name.clone(),
            values: run.values.clone(),
            ..Self::default()
        });
        Self { error: Some(error), ..known }
    }
}

/// Writes `sweep.csv` and `sweep.json` into `folder`.
///
/// # Errors
/// If a file cannot be written.
pub fn write_sweep(folder: &Path, keys: &[String], results: &[SweepResult]) -> std::io::Result<()> {
    let json = serde_json::json!({ "keys": keys, "runs": results });
    write_file(&folder.join("sweep.json"), serde_json::to_string_pretty(&json)?.as_bytes())?;
    let columns = ["steps", "loss", "top_1", "top_5", "best_step", "error"].map(str::to_owned);
    let mut lines = vec![["run".to_owned()].iter().chain(keys).chain(&columns).cloned().collect::<Vec<_>>()];
    for result in results {
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let numbers = [
            result.steps.to_string(),
            number(result.loss),
            number(result.top_1),
            number(result.top_5),
            result.best_step.map_or(String::new(), |step| step.to_string()),
            result.error.clone().unwrap_or_default(),
        ];
        lines.push([result.run.clone()].iter().chain(&result.values).chain(&numbers).cloned().collect());
    }
    let text: String = lines
        .iter()
        .map(|cells| cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",") + "\n")
        .collect();
    write_file(&folder.join("sweep.csv"), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Vec<SweepRun>, String> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Sweep::parse(&args).map(|sweep| sweep.runs()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_combination_is_a_run() {
        let runs =
            parse(&["data.views=[1, 2, 15]", "batch.caption_sampling=[\"any\", { top-k = 3 }]"]).unwrap();
        assert_eq!(runs.len(), 6);
        assert_eq!(runs[1].settings, ["data.views=1", "batch.caption_sampling={ top-k = 3 }"]);
        assert_eq!(runs[1].name, "data.views=1,batch.caption_sampling=__top-k_=_3__");
        assert_eq!(runs[5].values, ["15", "{ top-k = 3 }"]);
        let words = parse(&["teacher=[nano, my/model.pt, my?model.pt]"]).unwrap();
        let names: Vec<&str> = words.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names, ["teacher=nano", "teacher=my_model.pt", "teacher=my_model.pt-2"]);
    }

    #[test]
    fn invalid_sweeps_are_errors() {
        for wrong in ["seed", "seed=3", "=[1]", "seed=[]", "seed=[1", "x=[\"a, b]"] {
            assert!(parse(&[wrong]).unwrap_err().contains("expected KEY=[VALUE, …]"), "{wrong}");
        }
        assert!(parse(&["seed=[1, 1]"]).unwrap_err().contains("a value comes twice"));
        assert!(parse(&["seed=[1]", "seed=[2]"]).unwrap_err().contains("the key is swept twice"));
    }

    #[test]
    fn results_come_from_logs() {
        let folder = tempfile::tempdir().unwrap();
        let run = parse(&["seed=[7]"]).unwrap().remove(0);
        assert!(SweepResult::read(&run, folder.path()).is_err());
        let mut log = String::new();
        for (step, top_1) in [(1, 0.25), (2, 0.75), (3, 0.75)] {
            log += &format!("{{\"event\":\"step\",\"step\":{step},\"loss\":{step}}}\n");
            log += &format!(
                "{{\"event\":\"evaluated\",\"step\":{step},\"report\":{{\"top_1\":{top_1},\"top_5\":1.0}}}}\n"
            );
        }
        std::fs::write(folder.path().join("log.jsonl"), log).unwrap();
        let done = SweepResult::read(&run, folder.path()).unwrap();
        assert_eq!((done.steps, done.loss, done.top_1, done.best_step), (3, Some(2.0), Some(0.75), Some(2)));
        let failed = SweepResult::failed(&run, folder.path(), "loss, \"NaN\"".to_owned());
        write_sweep(folder.path(), &["seed".to_owned()], &[done, failed]).unwrap();
        let csv = std::fs::read_to_string(folder.path().join("sweep.csv")).unwrap();
        let expected = "run,seed,steps,loss,top_1,top_5,best_step,error\nseed=7,7,3,2,0.75,1,2,\n\
            seed=7,7,3,2,0.75,1,2,\"loss, \"\"NaN\"\"\"\n";
        assert_eq!(csv, expected);
    }
}
