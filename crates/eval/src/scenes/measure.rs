//! Measuring a model on labeled scenes.

use lexiform_metrics::segmentation::{
    InstanceScene, MIN_INSTANCE_SIZE, PredictedInstance, SegmentationMetrics, UNPREDICTED, instance_metrics,
};
use lexiform_search::{
    Encoder, SceneIndex, SegmentConfig, Segmentation, Structure, ZeroShotClassifier, overlap, segment,
};

use super::{LabeledScene, SceneReport, SceneSummary};
use crate::EvalError;

/// Intersection over union from which a proposal is an object.
const MIN_IOU: f32 = 0.5;
/// Labels of the parts of a building, in the order of [`structure_label`].
const STRUCTURE_LABELS: [&str; 3] = ["floor", "wall", "ceiling"];

/// What is evaluated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneEvalConfig {
    /// Labels among which masks are recognized, in addition to those of the scenes.
    pub labels: Vec<String>,
    /// Whether objects are embedded from views of the scene, with what is around them, instead of alone.
    pub scene_views: bool,
}

/// Evaluates a model on scenes; `progress` gets the number of scenes done.
///
/// # Errors
/// If the model fails, or no scene has objects.
pub fn scenes(
    encoder: &dyn Encoder,
    scenes: &[LabeledScene],
    config: &SceneEvalConfig,
    progress: &dyn Fn(usize),
) -> Result<SceneReport, EvalError> {
    let labels = labels_of(scenes, config);
    if labels.is_empty() {
        return Err(EvalError::Input {
            message: "expected scenes with objects, found none".to_owned(),
            hint: None,
        });
    }
    let classifier = ZeroShotClassifier::new(encoder, &labels, &encoder.templates())?;
    let mut run = Run {
        encoder,
        scene_views: config.scene_views,
        labels,
        classifier,
        pairs: Vec::new(),
        classes: Vec::new(),
    };
    run.classes = vec![Vec::new(); run.labels.len()];
    let mut summaries = Vec::new();
    for (i, scene) in scenes.iter().enumerate() {
        summaries.push(run.add(scene)?);
        progress(i + 1);
    }
    let n_labels = run.labels.len() + STRUCTURE_LABELS.len();
    Ok(SceneReport {
        model: encoder.id().to_owned(),
        scenes: summaries,
        semantic: SegmentationMetrics::new(run.pairs.into_iter(), n_labels),
        instances: instance_metrics(&run.classes, MIN_INSTANCE_SIZE),
    })
}

/// The labels of all objects and the given ones, sorted.
fn labels_of(scenes: &[LabeledScene], config: &SceneEvalConfig) -> Vec<String> {
    let objects = scenes.iter().flat_map(|s| &s.instances).filter(|i| i.is_object).map(|i| i.label.clone());
    let mut labels: Vec<String> = objects.chain(config.labels.iter().cloned()).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

struct Run<'a> {
    encoder: &'a dyn Encoder,
    scene_views: bool,
    labels: Vec<String>,
    classifier: ZeroShotClassifier,
    /// Label and prediction of every element.
    pairs: Vec<(u32, u32)>,
    /// Instances and predictions of each label in each scene.
    classes: Vec<Vec<InstanceScene>>,
}

/// The objects of a scene that are evaluated.
struct Truth {
    /// Index of the label, and elements.
    objects: Vec<(usize, Vec<u32>)>,
}

impl Run<'_> {
    fn add(&mut self, scene: &LabeledScene) -> Result<SceneSummary, EvalError> {
        let truth = self.truth(scene);
        let found = segment(&scene.scene, &SegmentConfig::default());
        let index = SceneIndex::of_segmentation(self.encoder, &scene.scene, &found, &|_, _| {})?;
        let index = self.viewed(index, scene)?;
        let masks = truth.objects.iter().map(|(_, mask)| (mask.clone(), 1.0)).collect();
        let given = SceneIndex::of_masks(self.encoder, &scene.scene, scene.up, masks, &|_, _| {})?;
        let given = self.viewed(given, scene)?;
        let proposed = |(_, mask): &&(usize, Vec<u32>)| {
            index.objects.iter().any(|object| overlap(&object.elements, mask).1 >= MIN_IOU)
        };
        let (recognized, recognized_top_5) = self.recognized(&given, &truth);
        let mut names: Vec<usize> = truth.objects.iter().map(|(label, _)| *label).collect();
        names.sort_unstable();
        names.dedup();
        self.add_predictions(scene, &found, &index, &truth);
        Ok(SceneSummary {
            name: scene.name.clone(),
            objects: truth.objects.len(),
            proposals: index.objects.len(),
            proposed: truth.objects.iter().filter(proposed).count(),
            queries: names.len(),
            found: self.found(&index, &truth, &names)?,
            found_given_masks: self.found(&given, &truth, &names)?,
            recognized,
            recognized_top_5,
            up_cosine: index.up.dot(scene.up),
        })
    }

    /// The index with embeddings from views of the scene, if these are evaluated.
    fn viewed(&self, index: SceneIndex, scene: &LabeledScene) -> Result<SceneIndex, EvalError> {
        match self.scene_views {
            true => Ok(index.with_scene_views(self.encoder, &scene.scene, &|_, _| {})?),
            false => Ok(index),
        }
    }

    fn truth(&self, scene: &LabeledScene) -> Truth {
        let masks = scene.masks().into_iter().zip(&scene.instances);
        let objects = masks.filter(|(mask, instance)| instance.is_object && !mask.is_empty());
        let labeled = |(mask, instance): (Vec<u32>, &super::SceneInstance)| {
            Some((self.labels.binary_search(&instance.label).ok()?, mask))
        };
        Truth { objects: objects.filter_map(labeled).collect() }
    }

    /// Names whose first answer is an object of this name.
    fn found(&self, index: &SceneIndex, truth: &Truth, names: &[usize]) -> Result<usize, EvalError> {
        let mut found = 0;
        for &name in names {
            let answers = index.find(self.encoder, &self.labels[name], 1)?;
            let Some(first) = answers.first() else { continue };
            let mask = &index.objects[first.object].elements;
            let mut of_name = truth.objects.iter().filter(|(label, _)| *label == name);
            found += usize::from(of_name.any(|(_, object)| overlap(mask, object).1 >= MIN_IOU));
        }
        Ok(found)
    }

    /// Given masks whose label is predicted first, and among the first five.
    fn recognized(&self, given: &SceneIndex, truth: &Truth) -> (usize, usize) {
        let rank = |(object, (label, _)): (&lexiform_search::SceneObject, &(usize, Vec<u32>))| {
            let scores = self.classifier.classify(&object.embedding);
            scores.iter().position(|score| score.label == self.labels[*label])
        };
        let ranks: Vec<Option<usize>> = given.objects.iter().zip(&truth.objects).map(rank).collect();
        let within = |k: usize| ranks.iter().flatten().filter(|rank| **rank < k).count();
        (within(1), within(5))
    }

    /// Labels every element by planes and proposals, and adds the proposals as predicted instances of their best label.
    fn add_predictions(
        &mut self,
        scene: &LabeledScene,
        found: &Segmentation,
        index: &SceneIndex,
        truth: &Truth,
    ) {
        let n = scene.of_elements.len();
        let mut predicted = vec![UNPREDICTED; n];
        for (kind, part) in
            STRUCTURE_LABELS.iter().zip([Structure::Floor, Structure::Wall, Structure::Ceiling])
        {
            let voxels: Vec<u32> =
                found.structure.iter().zip(0..).filter(|(s, _)| **s == Some(part)).map(|(_, v)| v).collect();
            let label = structure_label(kind, self.labels.len());
            found.elements(&voxels).into_iter().for_each(|e| predicted[e as usize] = label);
        }
        let mut classified: Vec<(f32, usize, usize)> = Vec::new();
        for (i, object) in index.objects.iter().enumerate() {
            let scores = self.classifier.classify(&object.embedding);
            let Some(best) = scores.first() else { continue };
            let Ok(label) = self.labels.binary_search(&best.label) else { continue };
            classified.push((best.score * object.objectness, i, label));
        }
        // The surest last, so that it labels the elements that several proposals have.
        classified.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for &(_, object, label) in &classified {
            index.objects[object].elements.iter().for_each(|&e| predicted[e as usize] = label as u32);
        }
        let labels = self.element_labels(scene);
        self.add_instances(index, truth, &classified, &labels);
        self.pairs.extend(labels.into_iter().zip(predicted));
    }

    fn element_labels(&self, scene: &LabeledScene) -> Vec<u32> {
        let of_instance = |instance: &super::SceneInstance| match self.labels.binary_search(&instance.label) {
            Ok(label) if instance.is_object => label as u32,
            _ => structure_label(&instance.label, self.labels.len()),
        };
        let of_instances: Vec<u32> = scene.instances.iter().map(of_instance).collect();
        scene
            .of_elements
            .iter()
            .map(|&i| of_instances.get(i as usize).copied().unwrap_or(NOT_EVALUATED))
            .collect()
    }

    fn add_instances(
        &mut self,
        index: &SceneIndex,
        truth: &Truth,
        classified: &[(f32, usize, usize)],
        labels: &[u32],
    ) {
        for label in 0..self.labels.len() {
            let truths: Vec<&Vec<u32>> =
                truth.objects.iter().filter(|(of, _)| *of == label).map(|(_, mask)| mask).collect();
            let predicted = |&(confidence, object, _): &(f32, usize, usize)| {
                let mask = &index.objects[object].elements;
                PredictedInstance {
                    size: mask.len(),
                    confidence: f64::from(confidence),
                    ignored: mask.iter().filter(|&&e| labels[e as usize] == NOT_EVALUATED).count(),
                    intersections: truths.iter().map(|truth| overlap(mask, truth).0).collect(),
                }
            };
            let predictions = classified.iter().filter(|c| c.2 == label).map(predicted).collect();
            let scene = InstanceScene { truths: truths.iter().map(|mask| mask.len()).collect(), predictions };
            self.classes[label].push(scene);
        }
    }
}

/// Label of elements that are not evaluated: no class has this number.
const NOT_EVALUATED: u32 = u32::MAX - 1;

/// The labels of a building follow those of objects; others of it are not evaluated.
fn structure_label(name: &str, n_labels: usize) -> u32 {
    let part = STRUCTURE_LABELS.iter().position(|label| *label == name);
    part.map_or(NOT_EVALUATED, |part| (n_labels + part) as u32)
}
