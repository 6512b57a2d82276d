//! Groups of parameters: which are trained, how their gradients become steps, and at what rate.

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

/// Whether a name begins with what `pattern` says, part by part: `*` is any one part, `6+` a number of at least 6,
/// and `a|b` either. A part may also end with `*`.
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let mut parts = name.split('.');
    pattern.split('.').all(|wanted| {
        let Some(part) = parts.next() else { return false };
        wanted.split('|').any(|wanted| match (wanted.strip_suffix('*'), wanted.strip_suffix('+')) {
            (Some(start), _) => part.starts_with(start),
            (_, Some(least)) => match (part.parse::<usize>(), least.parse::<usize>()) {
                (Ok(part), Ok(least)) => part >= least,
                _ => part == wanted,
            },
            _ => part == wanted,
        })
    })
}

/// A group at work.
pub struct ParameterGroup {
    name: String,
    config: GroupConfig,
    schedule: Schedule,
    ids: HashSet<ParamId>,
    /// Number of trained numbers.
    pub n_parameters: usize,
    optimizer: ModuleOptimizer,
}

/// All groups of a run, by name.
pub struct ParameterGroups(Vec<ParameterGroup>);

impl ParameterGroups {
    /// Assigns the parameters to groups.
    ///
    /// # Errors
    /// If a pattern matches nothing, two groups match a parameter, or a group's optimizer cannot move its parameters.
    pub fn new<M: Module>(
        configs: &BTreeMap<String, GroupConfig>,
        default: Schedule,
        module: &M,
    ) -> Result<Self, RecipeError> {
        let all: Vec<Parameter> = parameters(module).into_iter().filter(|p| p.requires_grad).collect();
        let mut owner: Vec<Option<&str>> = vec![None; all.len()];
        for (name, config) in configs {
            for pattern in &config.params {
                let named: Vec<usize> =
                    (0..all.len()).filter(|i| matches_pattern(pattern, &all[*i].name)).collect();
                if named.is_empty() {
                    return Err(RecipeError::group(name, format!("no parameter is named {pattern:?}")));
                }
                for i in named {
                    if let Some(other) = owner[i].replace(name).filter(|other| *other != name.as_str()) {
                        let message = format!("{} is in group {other:?} already", all[i].name);
                        return Err(RecipeError::group(name, message));
                    }
                }
            }
        }
        let rest: Vec<&String> =
            configs.iter().filter(|(_, c)| c.params.is_empty()).map(|(name, _)| name).collect();
        if let [_, second, ..] = rest.as_slice() {
            return Err(RecipeError::group(second, "another group has no params either".to_owned()));
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

    /// Every parameter that some group trains.
    pub fn ids(&self) -> HashSet<ParamId> {
        self.0.iter().flat_map(|group| group.ids.iter().copied()).collect()
    }

    /// The groups, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ParameterGroup> {
        self.0.iter()
    }

    /// One step of every group whose turn it is; the gradients of the others are dropped. Gives the module and, by
    /// group, the norm of its gradient where it was measured.
    pub fn step<M: Module>(
        &mut self,
        mut module: M,
        mut gradients: GradientsParams,
        position: RunPosition,
    ) -> (M, BTreeMap<String, f32>) {
        let mut grad_norms = BTreeMap::new();
        for group in self.0.iter_mut().filter(|group| group.config.step_parity.includes(position)) {
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

    /// State of every optimizer, by group.
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

    /// Restores the state of every optimizer.
    ///
    /// # Errors
    /// If a group has no record, or one of another optimizer.
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

/// Muon's steps are made orthogonal, which only matrices can be.
fn check_optimizer(name: &str, method: OptimizerConfig, own: &[&Parameter]) -> Result<(), RecipeError> {
    match own.iter().find(|parameter| method == OptimizerConfig::Muon {} && parameter.dims.len() != 2) {
        Some(Parameter { name: parameter, dims, .. }) => {
            let message = format!(
                "optimizer muon moves matrices only, {parameter} has shape {dims:?}; leave it to another group"
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

    /// Its name in the recipe.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its parameters.
    pub fn ids(&self) -> &HashSet<ParamId> {
        &self.ids
    }

    /// Number of trained tensors.
    pub fn n_tensors(&self) -> usize {
        self.ids.len()
    }

    /// How it is trained.
    pub fn config(&self) -> &GroupConfig {
        &self.config
    }

    /// Learning rate of a step.
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

/// The group's optimizer, with the exempt parameters in a part of their own.
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
        OptimizerConfig::Sgd { momentum } => {
            let sgd = SgdConfig::new()
                .with_momentum(Some(MomentumConfig::new().with_momentum(momentum).with_dampening(0.0)));
            let with = sgd.clone().with_weight_decay(Some(WeightDecayConfig::new(decay)));
            with.init().with_group(exempt, sgd.build(), clip.clone())
        }
        OptimizerConfig::Muon {} => {
            let muon = MuonConfig::new().with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW);
            let with = muon.clone().with_weight_decay(Some(WeightDecayConfig::new(decay)));
            ModuleOptimizer::from(with.build()).with_group(exempt, muon.build(), clip.clone())
        }
    };
    match clip {
        Some(clip) => optimizer.with_grad_clipping(clip),
        None => optimizer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_beginnings() {
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
