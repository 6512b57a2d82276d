//! A point tower in one file with text and image towers: loading is strict, and only with the towers it was aligned to.

use std::path::Path;

use burn::tensor::Device;
use glam::Vec3;
use lexiform_geometry::PointCloud;
use lexiform_model::clip::{ClipConfig, ClipText, ClipVision, TextConfig, VisionConfig, VisionStyle};
use lexiform_model::inspect::inspect;
use lexiform_model::nn::Activation;
use lexiform_model::point::{
    ClassHeadConfig, EncoderConfig, PointPreprocess, PointTower, PointTowerConfig, PpatConfig,
    ProjectionConfig, Resample, UpAxis,
};
use lexiform_model::preprocess::Preprocess;
use lexiform_model::tokenizer::{Tokenizer, WordPieceTokenizer};
use lexiform_model::weights::{Precision, WeightFile, WeightSource};
use lexiform_model::{
    ComputePrecision, JointModel, JointTowers, ModelConfig, ModelError, OpenOptions, PointModel,
    PointModelConfig, PointModelOptions, TextModel, default_templates, save_joint_model, save_point_model,
};

const DIM: usize = 16;

struct Towers {
    config: ModelConfig,
    text: ClipText,
    vision: ClipVision,
}

impl Towers {
    fn new(seed: u64) -> Self {
        let words = WordPieceTokenizer::from_texts(["a box".to_owned()]);
        let vision = VisionConfig {
            image_size: 16,
            patch: 8,
            width: 16,
            layers: 1,
            head_width: 8,
            mlp_ratio: 2.0,
            style: VisionStyle::Clip,
            prompts: 0,
            activation: None,
            epsilon: None,
        };
        let vocabulary = words.len();
        let text = TextConfig { context: 6, vocabulary, width: 16, heads: 2, layers: 1, mlp_ratio: 2.0 };
        let clip = ClipConfig { dim: DIM, vision, text, activation: Activation::Relu };
        let source = WeightSource::random(seed, &Device::flex());
        let (text, vision) =
            (ClipText::load(&source, &clip).unwrap(), ClipVision::load(&source, &clip).unwrap());
        let config = ModelConfig {
            name: "joint".to_owned(),
            clip,
            joint_from: 0,
            preprocess: Preprocess::clip(16),
            tokenizer: Tokenizer::WordPiece(words),
            rig: "ring".to_owned(),
            n_views: 2,
            templates: default_templates(),
            points: None,
            language: None,
            prompts_of: None,
        };
        Self { config, text, vision }
    }

    fn save(&self, path: &Path, points: Option<&PointTower>) {
        let towers =
            JointTowers { text: &self.text, vision: &self.vision, points, language: None, logit_scale: 2.0 };
        save_joint_model(path, &self.config, towers, Precision::Half).unwrap();
    }
}

fn point_config(taught_by: Option<&str>) -> PointModelConfig {
    let encoder = PpatConfig {
        colored: true,
        patches: 4,
        radius: 0.5,
        samples: 4,
        group_width: 8,
        width: 16,
        layers: 1,
        heads: 2,
        head_width: 8,
        mlp_width: 16,
        activation: Activation::Relu,
    };
    let projection = Some(ProjectionConfig { dim: DIM, bias: false });
    PointModelConfig {
        name: "points".to_owned(),
        tower: PointTowerConfig { encoder: EncoderConfig::Ppat(encoder), projection, classes: None },
        input: PointPreprocess {
            n_points: 32,
            up: UpAxis::YUp,
            resample: Resample::Random,
            missing_color: Some(0.4),
            normalization: lexiform_model::point::PointNormalization::UnitSphere,
            ignore_color: false,
        },
        paired: None,
        taught_by: taught_by.map(str::to_owned),
        templates: default_templates(),
        labels: Vec::new(),
    }
}

fn write_points(path: &Path, taught_by: Option<&str>) -> PointTower {
    let config = point_config(taught_by);
    let tower = PointTower::load(&WeightSource::random(7, &Device::flex()), &config.tower).unwrap();
    save_point_model(path, &config, &tower, None, Precision::Half).unwrap();
    tower
}

fn open(path: &Path) -> Result<JointModel, ModelError> {
    JointModel::open(&path.to_string_lossy(), &OpenOptions::default())
}

fn open_points(path: &Path) -> PointModel {
    PointModel::open(&path.to_string_lossy(), &PointModelOptions::default()).unwrap()
}

fn clouds() -> Vec<PointCloud> {
    let cloud = |n: usize| {
        let at = |i: usize| Vec3::new((i as f32).sin(), (i as f32 * 0.7).cos(), i as f32 / n as f32);
        PointCloud::new((0..n).map(at).collect()).unwrap()
    };
    vec![cloud(10), cloud(32), cloud(90)]
}

#[test]
fn joined_models_embed_clouds_like_their_point_tower() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    Towers::new(1).save(&path("joint.safetensors"), None);
    let joint = open(&path("joint.safetensors")).unwrap();
    assert!(matches!(joint.embed_clouds(&clouds()), Err(ModelError::NoPointTower { .. })));
    write_points(&path("points.safetensors"), Some(joint.clip_id()));
    let points = open_points(&path("points.safetensors"));

    let joined = open(&path("joint.safetensors")).unwrap().with_point_tower(&points).unwrap();
    joined.save(&path("joined.safetensors"), Precision::Half).unwrap();
    let joined = open(&path("joined.safetensors")).unwrap();
    assert_eq!(joined.clip_id(), joint.id());
    assert_ne!(joined.id(), joint.id(), "embeddings of the two never mix");
    assert!(joined.preprocessing().starts_with(&joint.preprocessing()));
    assert!(joined.preprocessing().contains("points: 32 points"), "{}", joined.preprocessing());
    let [a, b] = [joined.embed_clouds(&clouds()).unwrap(), points.embed_clouds(&clouds()).unwrap()];
    assert_eq!(a, b);
    // The point tower of a joint model can be opened alone, to train it further.
    assert_eq!(open_points(&path("joined.safetensors")).embed_clouds(&clouds()).unwrap(), b);
    let alone = PointModel::open(&path("joint.safetensors").to_string_lossy(), &PointModelOptions::default());
    assert!(alone.err().unwrap().to_string().contains("no tensors of a known point encoder"));
    assert_eq!(joined.embed_texts(&["a box"]).unwrap(), joint.embed_texts(&["a box"]).unwrap());

    let file = WeightFile::open(&path("joined.safetensors")).unwrap();
    assert!(!PointModel::matches_file(&file), "it has towers of its own");
    let (card, contents) = inspect(&path("joined.safetensors").to_string_lossy()).unwrap();
    assert_eq!(card.unwrap().modality, "views and points");
    assert_eq!(contents.unwrap().kind, "CLIP in OpenCLIP's layout with a point tower, written by lexiform");
    // A better tower takes the place of the old one.
    assert_eq!(joined.with_point_tower(&points).unwrap().clip_id(), joint.id());
}

#[test]
fn point_towers_join_only_their_teacher() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    Towers::new(1).save(&path("joint.safetensors"), None);
    for taught_by in [None, Some("joint@00000000")] {
        write_points(&path("points.safetensors"), taught_by);
        let joint = open(&path("joint.safetensors")).unwrap();
        let refused = joint.with_point_tower(&open_points(&path("points.safetensors"))).err().unwrap();
        assert!(matches!(refused, ModelError::TeacherMismatch { .. }), "{refused}");
    }
}

#[test]
fn a_classifier_is_described_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.safetensors");
    let mut config = point_config(None);
    config.tower.projection = None;
    config.tower.classes = Some(ClassHeadConfig { hidden: Some(8), classes: 2 });
    let tower = PointTower::load(&WeightSource::random(7, &Device::flex()), &config.tower).unwrap();
    save_point_model(&path, &config, &tower, None, Precision::Half).unwrap();
    let (card, contents) = inspect(&path.to_string_lossy()).unwrap();
    let (card, contents) = (card.unwrap(), contents.unwrap());
    assert_eq!((card.modality, card.dim), ("classifier", None));
    assert_eq!(contents.kind, "OpenShape PointBERT classifier \"points\", written by lexiform");
    assert_eq!(contents.missing, ["a joint space: it was trained to classify"]);
}

/// Prompts are trained while the towers are frozen: only the prompts tell such models apart.
#[test]
fn visual_prompts_are_part_of_the_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("joint.safetensors");
    let text = || {
        let file = WeightFile::open(&path).unwrap();
        TextModel::from_file(&file, &Device::flex(), ComputePrecision::F32).unwrap()
    };
    let mut towers = Towers::new(1);
    towers.config.clip.vision.layers = 2;
    let source = WeightSource::random(1, &Device::flex());
    towers.vision = ClipVision::load(&source, &towers.config.clip).unwrap();
    towers.save(&path, None);
    let plain = open(&path).unwrap();
    assert_eq!(text().unwrap().id(), plain.id());

    towers.config.prompts_of = Some(plain.clip_id().to_owned());
    towers.config.clip.vision.prompts = 2;
    let mut ids = vec![plain.id().to_owned()];
    for seed in [2, 3] {
        let source = WeightSource::random(seed, &Device::flex());
        towers.vision = towers.vision.with_prompts(&source, &towers.config.clip.vision).unwrap();
        towers.save(&path, None);
        let prompted = open(&path).unwrap();
        assert_eq!(prompted.clip_id(), plain.id());
        assert_eq!(prompted.id(), open(&path).unwrap().id());
        assert!(text().is_none(), "its id takes the image tower");
        ids.push(prompted.id().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "embeddings of the three never mix: {ids:?}");
}

#[test]
fn header_and_tensors_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut towers = Towers::new(1);
    let tower = write_points(&path("points.safetensors"), None);
    let joined = path("joined.safetensors");
    towers.save(&joined, Some(&tower));
    let unused = open(&joined).err().unwrap().to_string();
    assert!(unused.contains("point_encoder."), "{unused}");

    let config = point_config(None);
    let mut part = lexiform_model::PointBranchConfig { tower: config.tower, input: config.input };
    towers.config.points = Some(part.clone());
    towers.save(&joined, None);
    let missing = open(&joined).err().unwrap().to_string();
    assert!(missing.contains("point_encoder."), "{missing}");

    part.tower.projection = Some(ProjectionConfig { dim: DIM + 1, bias: false });
    towers.config.points = Some(part);
    towers.save(&joined, Some(&tower));
    let wide = open(&joined).err().unwrap().to_string();
    assert!(wide.contains("a point tower with 17 dimensions, expected 16 as in the other towers"), "{wide}");
}
