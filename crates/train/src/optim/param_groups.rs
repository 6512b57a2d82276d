//! Parameter groups: assignment by name patterns, and optimizer steps.

use std::collections::{BTreeMap, HashSet};

use burn::grad_clipping::GradientClipping;
use burn::module::{Module, ParamGroup, ParamId};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdjustLrFn, GradientsParams, ModuleOptimizer, MuonConfig, OptimizerRecord, SgdConfig};

use crate::optim::adamw::AdamW;
use crate::optim::gradients;
use crate::optim::parameters::{Parameter, parameters};
use crate::recipe::{GradClip, GroupConfig, NoDecay, OptimizerConfig, RecipeError, RunPosition, Schedule};

/// In a pattern: the number of the first block that attends across views.
const JOINT_FROM: &str = "{joint_from}";

/// Whether the dotted `name` starts with `pattern`, part by part: `*` matches any part, `6+` numbers of at least 6, and `a|b`
/// either. A part may also end with `*`.
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let mut parts = name.split('.');
    pattern.split('.').all(|wanted| {
        let Some(part) = parts.next() else { return false };
        wanted.split('|').any(|wanted| match (wanted.strip_suffix('*'), wanted.strip_suffix('+')) {
            (Some(start), _) => part.starts_with(start),
            // `6+` counts transformer blocks.
            (_, Some(least)) => match (part.parse::<usize>(), least.parse::<usize>()) {
                (Ok(part), Ok(least)) => part >= least,
                _ => part == wanted,
            },
            _ => part == wanted,
        })
    })
}

/// Parameters that share an optimizer.
pub struct ParameterGroup {
    name: String,
    config: GroupConfig,
    schedule: Schedule,
    ids: HashSet<ParamId>,
    /// Number of parameters (elements).
    pub n_parameters: usize,
    optimizer: ModuleOptimizer,
}

/// All parameter groups of a run, sorted by name.
pub struct ParameterGroups(Vec<ParameterGroup>);

impl ParameterGroups {
    /// Assigns the trainable parameters of `module` to groups. `joint_from` is the first block that attends across views, for
    /// patterns with `{joint_from}`.
    ///
    /// # Errors
    /// If a pattern matches no parameter, two groups match the same one, or an optimizer does not support a parameter.
    pub fn new<M: Module>(
        configs: &BTreeMap<String, GroupConfig>,
        default: Schedule,
        joint_from: Option<usize>,
        module: &M,
    ) -> Result<Self, RecipeError> {
        // Frozen tensors, such as running statistics, belong to no group.
        let all: Vec<Parameter> = parameters(module).into_iter().filter(|p| p.requires_grad).collect();
        let mut owner: Vec<Option<&str>> = vec![None; all.len()];
        for (name, config) in configs {
            for pattern in &config.params {
                let named = indices_named(pattern, joint_from, &all);
                for i in named.map_err(|message| RecipeError::group(name, message))? {
                    if let Some(other) = owner[i].replace(name).filter(|other| *other != name.as_str()) {
                        let message = format!("{} is also in group {other:?}", all[i].name);
                        return Err(RecipeError::group(name, message));
                    }
                }
            }
        }
        // The group without patterns takes what is left.
        let rest: Vec<&String> =
            configs.iter().filter(|(_, c)| c.params.is_empty()).map(|(name, _)| name).collect();
        if let [_, second, ..] = rest.as_slice() {
            return Err(RecipeError::group(second, "more than one group without params".to_owned()));
        }
        let rest = rest.first().map(|name| name.as_str());
        let groups = configs.iter().map(|(name, config)| {
            let own = all.iter().zip(&owner).filter(|(_, owner)| owner.or(rest) == Some(name));
            let own: Vec<&Parameter> = own.map(|(parameter, _)| parameter).collect();
            check_optimizer(name, config.optimizer, &own)?;
            Ok(ParameterGroup::new(name, config, default, own))
        });
        groups.collect::<Result<_, _>>().map(Self)
    }

    /// All parameters of all groups.
    pub fn ids(&self) -> HashSet<ParamId> {
        self.0.iter().flat_map(|group| group.ids.iter().copied()).collect()
    }

    /// The groups, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ParameterGroup> {
        self.0.iter()
    }

    /// One optimizer step of the groups active at `position`; other gradients are dropped. Also returns the gradient norms, before
    /// clipping, of groups with a maximum norm.
    pub fn step<M: Module>(
        &mut self,
        mut module: M,
        mut gradients: GradientsParams,
        position: RunPosition,
    ) -> (M, BTreeMap<String, f32>) {
        let mut grad_norms = BTreeMap::new();
        for group in self.0.iter_mut().filter(|group| group.config.step_parity.includes(position)) {
            // Each group clips its own gradients, so they are separated first.
            let own = gradients::take(&module, &mut gradients, &group.ids);
            let own = match group.config.grad_clip {
                Some(GradClip::Norm(max_norm)) => {
                    let (clipped, norm) = gradients::clip_norm(&module, own, max_norm);
                    grad_norms.insert(group.name.clone(), norm);
                    clipped
                }
                _ => own,
            };
            module = group.optimizer.step(group.learning_rate(position), module, own);
        }
        (module, grad_norms)
    }

    /// Serialized optimizer state by group.
    ///
    /// # Errors
    /// If a state cannot be serialized.
    pub fn optimizer_states(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let bytes = self.0.iter().map(|group| {
            let bytes = group.optimizer.into_bytes().map_err(|e| format!("group {}: {e}", group.name))?;
            Ok((group.name.clone(), bytes.to_vec()))
        });
        bytes.collect()
    }

    /// Restores [`optimizer_states`](Self::optimizer_states).
    ///
    /// # Errors
    /// If a group's state is missing, or that of another optimizer.
    pub fn restore(&mut self, mut records: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        for group in &mut self.0 {
            let wrong = |message: String| format!("optimizer of group {:?}: {message}", group.name);
            let bytes = records.remove(&group.name).ok_or_else(|| wrong("absent".to_owned()))?;
            let record = OptimizerRecord::from_bytes(burn::tensor::Bytes::from_bytes_vec(bytes))
                .map_err(|e| wrong(e.to_string()))?;
            group.optimizer = group.optimizer.clone().load_record(record);
        }
        Ok(())
    }
}

/// The parameters that a pattern names. Where no block attends across views, `{joint_from}+` names none.
fn indices_named(pattern: &str, joint_from: Option<usize>, all: &[Parameter]) -> Result<Vec<usize>, String> {
    let named = |pattern: &str| -> Vec<usize> {
        (0..all.len()).filter(|i| matches_pattern(pattern, &all[*i].name)).collect()
    };
    let found = match (pattern.contains(JOINT_FROM), joint_from) {
        (false, _) => named(pattern),
        (true, Some(first)) => {
            let found = named(&pattern.replace(JOINT_FROM, &first.to_string()));
            if found.is_empty() && !named(&pattern.replace(JOINT_FROM, "0")).is_empty() {
                return Ok(found);
            }
            found
        }
        (true, None) => {
            return Err(format!(
                "pattern {pattern:?}: {{joint_from}} is the first block that attends across views; this network has none"
            ));
        }
    };
    if found.is_empty() { Err(format!("pattern {pattern:?} matches no parameter")) } else { Ok(found) }
}

/// Muon orthogonalizes its updates, which is defined for matrices only; Nesterov's method is one of momentum.
fn check_optimizer(name: &str, method: OptimizerConfig, own: &[&Parameter]) -> Result<(), RecipeError> {
    if let OptimizerConfig::Sgd { momentum, nesterov: true } = method
        && momentum <= 0.0
    {
        let message = format!("nesterov = true requires momentum above 0, found {momentum}");
        return Err(RecipeError::group(name, message));
    }
    match own.iter().find(|parameter| method == OptimizerConfig::Muon {} && parameter.dims.len() != 2) {
        Some(Parameter { name: parameter, dims, .. }) => {
            let message = format!(
                "optimizer muon supports matrices only, but {parameter} has shape {dims:?}; use another optimizer for it"
            );
            Err(RecipeError::group(name, message))
        }
        None => Ok(()),
    }
}

impl ParameterGroup {
    fn new(name: &str, config: &GroupConfig, default: Schedule, own: Vec<&Parameter>) -> Self {
        let exempt = own.iter().filter(|p| config.no_decay.exempts(p)).map(|p| p.id).collect();
        Self {
            name: name.to_owned(),
            config: config.clone(),
            schedule: config.schedule.unwrap_or(default),
            ids: own.iter().map(|p| p.id).collect(),
            n_parameters: own.iter().map(|p| p.count()).sum(),
            optimizer: optimizer(config, exempt),
        }
    }

    /// Name in the recipe.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ids of the parameters.
    pub fn ids(&self) -> &HashSet<ParamId> {
        &self.ids
    }

    /// Number of tensors.
    pub fn n_tensors(&self) -> usize {
        self.ids.len()
    }

    /// Configuration in the recipe.
    pub fn config(&self) -> &GroupConfig {
        &self.config
    }

    /// Learning rate at `position`.
    pub fn learning_rate(&self, position: RunPosition) -> f64 {
        self.schedule.rate(self.config.learning_rate, position)
    }
}

impl NoDecay {
    fn exempts(&self, parameter: &Parameter) -> bool {
        let has = |names: &[String]| names.iter().any(|name| parameter.name.contains(name.as_str()));
        !has(&self.except) && (self.vectors && parameter.dims.len() < 2 || has(&self.names))
    }
}

/// The optimizer of a group; `exempt` parameters have no weight decay.
fn optimizer(config: &GroupConfig, exempt: Vec<ParamId>) -> ModuleOptimizer {
    let exempt = ParamGroup::from_ids(exempt);
    let clip = match config.grad_clip {
        Some(GradClip::PerTensor(max_norm)) => Some(GradientClipping::Norm(max_norm)),
        _ => None,
    };
    let decay = config.weight_decay;
    let optimizer = match config.optimizer {
        OptimizerConfig::Adamw { beta_1, beta_2, epsilon } => {
            let adamw = |weight_decay| AdamW { beta_1, beta_2, epsilon, weight_decay };
            ModuleOptimizer::from(adamw(decay)).with_group(exempt, adamw(0.0), clip.clone())
        }
        OptimizerConfig::Sgd { momentum, nesterov } => {
            let momentum = MomentumConfig::new().with_momentum(momentum).with_dampening(0.0);
            let sgd = SgdConfig::new().with_momentum(Some(momentum.with_nesterov(nesterov)));
            let with = sgd.clone().with_weight_decay(Some(WeightDecayConfig::new(decay)));
            with.init().with_group(exempt, sgd.build(), clip.clone())
        }
        OptimizerConfig::Muon {} => {
            // Makes learning rates and weight decay comparable to AdamW's.
            let muon = MuonConfig::new().with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW);
            let with = muon.clone().with_weight_decay(Some(WeightDecayConfig::new(decay)));
            ModuleOptimizer::from(with.build()).with_group(exempt, muon.build(), clip.clone())
        }
    };
    match clip {
        // Clipping per tensor is part of the optimizer; by group norm it happens before the step.
        Some(clip) => optimizer.with_grad_clipping(clip),
        None => optimizer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_prefixes() {
        let name = "vision.transformer.resblocks.10.attn.in_proj.weight";
        for pattern in
            ["vision", "*.transformer", "vision.transformer.resblocks.6+.attn", "text|vision", "vis*"]
        {
            assert!(matches_pattern(pattern, name), "{pattern}");
        }
        for pattern in ["text", "vision.attn", "vision.transformer.resblocks.11+", "vision.transform"] {
            assert!(!matches_pattern(pattern, name), "{pattern}");
        }
    }
}
