//! Measures whether chosen views name objects better than fixed ones: `choose_views ASSETS [MODEL]`, where ASSETS has `labels.csv`
//! (`file,label,…,modality`). Each mesh is turned at random, and 24 views all around it are candidates. Prints the share of right first
//! answers among all labels, by the rule that chooses and the number of views.

use std::collections::BTreeMap;
use std::path::Path;

use glam::{Affine3A, Quat, Vec3};
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::{Camera, Rig, Scene};
use lexiform_mesh_io::read;
use lexiform_model::{Embedding, ZeroShotHead};
use lexiform_render::{DepthNormals, RenderConfig, Renderer};
use lexiform_search::{Encoder, EncoderOptions, InputSpec, ModelInput};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Candidates of a shape.
const CANDIDATES: usize = 24;
/// Edge of the maps that the choice is made from, in pixels.
const MAP_SIZE: u32 = 32;
/// Numbers of views that are tried.
const COUNTS: [usize; 4] = [1, 2, 4, 8];
/// Orientations of each shape besides its own.
const TURNS: u64 = 2;

/// A candidate, with what a choice may depend on.
struct Candidate {
    direction: Vec3,
    /// Share of the view that the shape covers.
    area: f32,
    /// Entropy of the normals that are seen, in bits, with the background as one of the kinds.
    entropy: f32,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let assets = arguments.next().ok_or("usage: choose_views ASSETS [MODEL]")?;
    let encoder = EncoderOptions::default().open(&arguments.next().unwrap_or("nano".into()))?;
    let InputSpec::Views { size, .. } = encoder.input_spec() else { return Err("a model of points".into()) };
    let files = meshes(Path::new(&assets))?;
    let mut labels: Vec<String> = files.iter().map(|(_, label)| label.clone()).collect();
    labels.sort();
    labels.dedup();
    let head = ZeroShotHead::with_encoder::<Failure>(
        |sentences| encoder.embed_texts(sentences),
        &labels,
        &encoder.templates(),
        encoder.logit_scale(),
    )?;
    let mut right: BTreeMap<(bool, usize, &str), [usize; 2]> = BTreeMap::new();
    for (file, label) in &files {
        let Ok(scene) = read(file) else { continue };
        for turn in 0..=TURNS {
            for (rule, count, found) in answers(&*encoder, &head, turned(scene.clone(), turn), size)? {
                let counts = right.entry((turn > 0, count, rule)).or_default();
                counts[0] += usize::from(found == *label);
                counts[1] += 1;
            }
        }
    }
    report(&right);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an experiment reports on standard output")]
fn report(right: &BTreeMap<(bool, usize, &str), [usize; 2]>) {
    for ((is_turned, count, rule), [right, of]) in right {
        let orientation = if *is_turned { "turned" } else { "upright" };
        println!("{orientation} {count:2} {rule:20} {:5.1} % of {of}", 100.0 * *right as f64 / *of as f64);
    }
}

fn meshes(assets: &Path) -> Result<Vec<(std::path::PathBuf, String)>, Failure> {
    let table = fs_err::read_to_string(assets.join("labels.csv"))?;
    let rows = table.lines().skip(1).filter(|row| row.contains(",mesh,"));
    Ok(rows
        .filter_map(|row| {
            let mut cells = row.split(',');
            Some((assets.join(cells.next()?), cells.next()?.to_owned()))
        })
        .collect())
}

/// A shape in its own orientation (0) or in a random one.
fn turned(scene: Scene, turn: u64) -> Scene {
    let mut rng = SmallRng::seed_from_u64(turn);
    // Uniform: a normalized quaternion of four normal numbers, here by rejection from the cube.
    let rotation = loop {
        let q = Quat::from_xyzw(
            rng.random_range(-1.0..1.0),
            rng.random_range(-1.0..1.0),
            rng.random_range(-1.0..1.0),
            rng.random_range(-1.0..1.0),
        );
        if (0.01..=1.0).contains(&q.length_squared()) {
            break q.normalize();
        }
    };
    let scene = if turn == 0 { scene } else { scene.transformed(Affine3A::from_quat(rotation)) };
    normalize_unit_sphere(scene, Center::Bounds).0
}

/// The first answer of each rule and number of views.
fn answers<'a>(
    encoder: &dyn Encoder,
    head: &'a ZeroShotHead,
    scene: Scene,
    size: u32,
) -> Result<Vec<(&'static str, usize, &'a str)>, Failure> {
    let renderer = Renderer::new(&scene);
    let maps = RenderConfig { size: MAP_SIZE, ..RenderConfig::default() };
    let directions = fibonacci(CANDIDATES);
    let candidates: Vec<Candidate> = directions
        .iter()
        .map(|d| Candidate::of(*d, &renderer.depth_normals(&Camera::around_unit_sphere(*d), &maps)))
        .collect();
    let config = RenderConfig { size, ..RenderConfig::default() };
    let views = |directions: &[Vec3]| {
        let cameras = directions.iter().map(|d| Camera::around_unit_sphere(*d)).collect();
        let rig = Rig::from_cameras(cameras).unwrap_or_else(|| Rig::ring(1));
        ModelInput::Views(renderer.render_views(&rig, &config).images)
    };
    let mut found = Vec::new();
    for count in COUNTS {
        let chosen: [(&str, Vec<Vec3>); 4] = [
            ("spread", fibonacci(count)),
            ("largest area", choose(&candidates, count, |c| c.area)),
            ("largest entropy", choose(&candidates, count, |c| c.entropy)),
            ("area and entropy", choose(&candidates, count, |c| c.entropy * c.area.sqrt())),
        ];
        for (rule, directions) in &chosen {
            let embedding = encoder.embed_shapes(vec![views(directions)])?.remove(0);
            found.push((*rule, count, head.classify(&embedding)[0].0));
        }
        let ring = renderer.render_views(&Rig::ring(count), &config).images;
        let embedding = encoder.embed_shapes(vec![ModelInput::Views(ring)])?.remove(0);
        found.push(("ring", count, head.classify(&embedding)[0].0));
        if count > 1 {
            let alone: Vec<ModelInput> = fibonacci(count).iter().map(|d| views(&[*d])).collect();
            let embeddings = encoder.embed_shapes(alone)?;
            found.push(("spread, best view", count, best_view(head, &embeddings)));
            let mean = Embedding::weighted_sum(&embeddings.iter().map(|e| (1.0, e)).collect::<Vec<_>>())?;
            found.push(("spread, mean", count, head.classify(&mean)[0].0));
        }
    }
    Ok(found)
}

/// The label of the highest similarity over all views.
fn best_view<'a>(head: &'a ZeroShotHead, views: &[Embedding]) -> &'a str {
    let score = |view: &Embedding| {
        let answer = head.classify(view)[0].0;
        let similarity = head.embeddings().iter().map(|label| label.dot(view)).fold(f32::MIN, f32::max);
        (similarity, answer)
    };
    views.iter().map(score).max_by(|a, b| a.0.total_cmp(&b.0)).map_or("", |(_, answer)| answer)
}

/// Views of the highest values, at least 40° apart where there are enough of them.
fn choose(candidates: &[Candidate], count: usize, value: impl Fn(&Candidate) -> f32) -> Vec<Vec3> {
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    sorted.sort_by(|a, b| value(b).total_cmp(&value(a)));
    let mut chosen: Vec<Vec3> = Vec::new();
    for least_cosine in [40.0_f32.to_radians().cos(), 2.0] {
        for candidate in &sorted {
            let is_near = chosen.iter().any(|d| d.dot(candidate.direction) > least_cosine);
            if chosen.len() < count && !is_near && !chosen.contains(&candidate.direction) {
                chosen.push(candidate.direction);
            }
        }
    }
    chosen
}

impl Candidate {
    fn of(direction: Vec3, maps: &DepthNormals) -> Self {
        let covered = maps.depth().iter().filter(|depth| **depth > 0.0).count();
        let mut kinds = [0_usize; 17];
        for normal in maps.normals() {
            // Eight sectors, facing the viewer or not; the background is a kind of its own.
            let sector = ((normal.y.atan2(normal.x) / std::f32::consts::TAU + 1.0) * 8.0) as usize % 8;
            let kind = if *normal == Vec3::ZERO { 16 } else { sector + 8 * usize::from(normal.z > 0.7) };
            kinds[kind] += 1;
        }
        let total = maps.depth().len() as f32;
        let entropy = |n: &usize| {
            let share = *n as f32 / total;
            if share > 0.0 { -share * share.log2() } else { 0.0 }
        };
        Self { direction, area: covered as f32 / total, entropy: kinds.iter().map(entropy).sum() }
    }
}

/// Directions spread evenly over the sphere.
fn fibonacci(count: usize) -> Vec<Vec3> {
    let golden = std::f32::consts::PI * (3.0 - 5.0_f32.sqrt());
    (0..count)
        .map(|i| {
            // From 45° above the horizon for one view, and over all heights for many.
            let y = if count == 1 { 0.35 } else { 1.0 - (2 * i + 1) as f32 / count as f32 };
            let radius = (1.0 - y * y).sqrt();
            let angle = 0.44 + golden * i as f32;
            Vec3::new(radius * angle.sin(), y, radius * angle.cos())
        })
        .collect()
}
