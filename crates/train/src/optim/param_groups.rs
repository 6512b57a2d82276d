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
use crate::recipe::{Clip, GroupConfig, Method, Position, RecipeError, Schedule, Spare};

/// Whether a name begins with what `pattern` says, part by part: `*` is any one part, `6+` a number of at least 6,
/// and `a|b` either. A part may also end with `*`.
pub fn matches(pattern: &str, name: &str) -> bool {
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
pub struct Group {
    name: String,
    config: GroupConfig,
    schedule: Schedule,
    ids: HashSet<ParamId>,
    /// Number of trained numbers.
    pub count: usize,
    optimizer: ModuleOptimizer,
}

/// All groups of a run, by name.
pub struct Groups(Vec<Group>);

impl Groups {
    /// Assigns the parameters to groups.
    ///
    /// # Errors
    /// If a pattern matches nothing, two groups match a parameter, or a group's optimizer cannot move its parameters.
    pub fn new<M: Module>(
        configs: &BTreeMap<String, GroupConfig>,
        usual: Schedule,
        module: &M,
    ) -> Result<Self, RecipeError> {
        let all: Vec<Parameter> = parameters(module).into_iter().filter(|p| p.trained).collect();
        let mut owner: Vec<Option<&str>> = vec![None; all.len()];
        for (name, config) in configs {
            for pattern in &config.params {
                let named: Vec<usize> = (0..all.len()).filter(|i| matches(pattern, &all[*i].name)).collect();
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
            check_method(name, config.optimizer, &own)?;
            Ok(Group::new(name, config, usual, own))
        });
        groups.collect::<Result<_, _>>().map(Self)
    }

    /// Every parameter that some group trains.
    pub fn ids(&self) -> HashSet<ParamId> {
        self.0.iter().flat_map(|group| group.ids.iter().copied()).collect()
    }

    /// The groups, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.0.iter()
    }

    /// One step of every group whose turn it is; the gradients of the others are dropped. Gives the module and, by
    /// group, the norm of its gradient where it was measured.
    pub fn step<M: Module>(
        &mut self,
        mut module: M,
        mut gradients: GradientsParams,
        position: Position,
    ) -> (M, BTreeMap<String, f32>) {
        let mut norms = BTreeMap::new();
        for group in self.0.iter_mut().filter(|group| group.config.turn.takes_part(position)) {
            let own = gradients::take(&module, &mut gradients, &group.ids);
            let own = match group.config.clip {
                Some(Clip::Norm(largest)) => {
                    let (clipped, norm) = gradients::clip_norm(&module, own, largest);
                    norms.insert(group.name.clone(), norm);
                    clipped
                }
                _ => own,
            };
            module = group.optimizer.step(group.rate(position), module, own);
        }
        (module, norms)
    }

    /// State of every optimizer, by group.
    ///
    /// # Errors
    /// If a state cannot be serialized.
    pub fn records(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
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
fn check_method(name: &str, method: Method, own: &[&Parameter]) -> Result<(), RecipeError> {
    match own.iter().find(|parameter| method == Method::Muon {} && parameter.dims.len() != 2) {
        Some(Parameter { name: parameter, dims, .. }) => {
            let message = format!(
                "optimizer muon moves matrices only, {parameter} has shape {dims:?}; leave it to another group"
            );
            Err(RecipeError::group(name, message))
        }
        None => Ok(()),
    }
}

impl Group {
    fn new(name: &str, config: &GroupConfig, usual: Schedule, own: Vec<&Parameter>) -> Self {
        let spared = own.iter().filter(|p| config.spare.spares(p)).map(|p| p.id).collect();
        Self {
            name: name.to_owned(),
            config: config.clone(),
            schedule: config.schedule.unwrap_or(usual),
            ids: own.iter().map(|p| p.id).collect(),
            count: own.iter().map(|p| p.count()).sum(),
            optimizer: optimizer(config, spared),
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
    pub fn tensors(&self) -> usize {
        self.ids.len()
    }

    /// How it is trained.
    pub fn config(&self) -> &GroupConfig {
        &self.config
    }

    /// Learning rate of a step.
    pub fn rate(&self, position: Position) -> f64 {
        self.schedule.rate(self.config.learning_rate, position)
    }
}

impl Spare {
    fn spares(&self, parameter: &Parameter) -> bool {
        let has = |names: &[String]| names.iter().any(|name| parameter.name.contains(name.as_str()));
        !has(&self.never) && (self.vectors && parameter.dims.len() < 2 || has(&self.names))
    }
}

/// The group's optimizer, with the spared parameters in a part of their own.
fn optimizer(config: &GroupConfig, spared: Vec<ParamId>) -> ModuleOptimizer {
    let spared = ParamGroup::from_ids(spared);
    let clip = match config.clip {
        Some(Clip::Each(largest)) => Some(GradientClipping::Norm(largest)),
        _ => None,
    };
    let decay = config.weight_decay;
    let optimizer = match config.optimizer {
        Method::Adamw { beta_1, beta_2, epsilon } => {
            let adamw = |weight_decay| AdamW { beta_1, beta_2, epsilon, weight_decay };
            ModuleOptimizer::from(adamw(decay)).with_group(spared, adamw(0.0), clip.clone())
        }
        Method::Sgd { momentum } => {
            let sgd = SgdConfig::new()
                .with_momentum(Some(MomentumConfig::new().with_momentum(momentum).with_dampening(0.0)));
            let with = sgd.clone().with_weight_decay(Some(WeightDecayConfig::new(decay)));
            with.init().with_group(spared, sgd.build(), clip.clone())
        }
        Method::Muon {} => {
            let muon = MuonConfig::new().with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW);
            let with = muon.clone().with_weight_decay(Some(WeightDecayConfig::new(decay)));
            ModuleOptimizer::from(with.build()).with_group(spared, muon.build(), clip.clone())
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
            assert!(matches(pattern, name), "{pattern}");
        }
        for pattern in ["text", "vision.attn", "vision.transformer.resblocks.11+", "vision.transform"] {
            assert!(!matches(pattern, name), "{pattern}");
        }
    }
}
