//! The whole way from a scene to proposals.

use glam::Vec3;
use lexiform_geometry::Scene;

use crate::components::components;
use crate::graph::NeighborGraph;
use crate::merging::RegionGraph;
use crate::planes::{Plane, PlaneConfig, find_planes};
use crate::proposals::{Proposal, suppress_duplicates};
use crate::samples::SceneSamples;
use crate::structure::{Structure, find_structure};
use crate::superpoints::{Edge, SuperpointConfig, graph_superpoints};
use crate::supports::{Surface, split_at_tops};
use crate::up::find_up;
use crate::voxels::VoxelGrid;

/// Distances in voxels at which points are connected.
const SCALES: [f32; 4] = [1.6, 2.2, 3.2, 5.0];
/// Tolerance of planes in voxels.
const PLANE_TOLERANCE: f32 = 1.2;
/// Smallest cosine between the normals of a plane and its points.
const PLANE_COSINE: f32 = 0.85;
/// Share of voxels that a plane has at least.
const MIN_PLANE_SHARE: f32 = 0.008;
/// Most planes.
const MAX_PLANES: usize = 24;
/// Superpoints of voxels: fewer, larger ones than of a mesh's vertices, as voxels are few.
const SUPERPOINTS: SuperpointConfig = SuperpointConfig { k: 0.25, min_vertices: 6 };
/// How much a difference of colors counts in superpoints.
const COLOR_WEIGHT: f32 = 0.5;
/// Length in voxels up to which neighbors are connected.
const MAX_EDGE: f32 = 2.5;
/// A proposal has no more than this share of all voxels that are not of the building, if there is a building.
const MAX_SHARE: f32 = 0.6;
/// Weight of voxels at a border to others in objectness.
const BORDER_WEIGHT: f32 = 3.0;

/// What is proposed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentConfig {
    /// Fewest voxels of a proposal.
    pub min_voxels: usize,
    /// Most proposals.
    pub max_proposals: usize,
    /// Up axis; found from the scene if `None`.
    pub up: Option<Vec3>,
    /// Random seed of the search for planes.
    pub seed: u64,
}

impl Default for SegmentConfig {
    fn default() -> Self {
        Self { min_voxels: 25, max_proposals: 150, up: None, seed: 0 }
    }
}

/// The parts of a scene.
#[derive(Clone, Debug)]
pub struct Segmentation {
    /// The points of the scene.
    pub samples: SceneSamples,
    /// Voxels of these points.
    pub voxels: VoxelGrid,
    /// Unit vector that points up.
    pub up: Vec3,
    /// The largest planes; their points are voxels.
    pub planes: Vec<Plane>,
    /// The part of the building that each voxel is of, if any.
    pub structure: Vec<Option<Structure>>,
    /// Proposals of objects, the most object-like first.
    pub proposals: Vec<Proposal>,
}

impl Segmentation {
    /// The triangles of the scene, or points if it has none, of some voxels (ascending), in ascending order.
    pub fn elements(&self, voxels: &[u32]) -> Vec<u32> {
        let mut chosen = vec![false; self.voxels.positions.len()];
        voxels.iter().for_each(|&v| chosen[v as usize] = true);
        self.samples.elements(|point| chosen[self.voxels.of_points[point] as usize])
    }
}

/// Finds what may be objects in a scene with +Y as its stated up axis.
pub fn segment(scene: &Scene, config: &SegmentConfig) -> Segmentation {
    let samples = SceneSamples::new(scene);
    let voxels = VoxelGrid::new(&samples.positions, &samples.colors);
    let (positions, size) = (&voxels.positions, voxels.size);
    let normals = NeighborGraph::new(positions).normals;
    let plane_config = PlaneConfig {
        tolerance: PLANE_TOLERANCE * size,
        min_cosine: PLANE_COSINE,
        min_points: (positions.len() as f32 * MIN_PLANE_SHARE) as usize + 30,
        max_planes: MAX_PLANES,
        seed: config.seed,
    };
    let planes = find_planes(positions, &normals, &plane_config);
    let up = config.up.unwrap_or_else(|| find_up(positions, &planes, Vec3::Y));
    let structure = find_structure(positions, &normals, &planes, up, size);
    let free: Vec<u32> = (0..positions.len() as u32).filter(|&v| structure[v as usize].is_none()).collect();
    let proposals = Proposer::new(&voxels, &normals, up, &free).proposals(config);
    Segmentation { samples, voxels, up, planes, structure, proposals }
}

/// The voxels that are not of the building.
struct Proposer<'a> {
    /// Index of each among all voxels.
    free: &'a [u32],
    positions: Vec<Vec3>,
    normals: Vec<Vec3>,
    colors: Vec<Vec3>,
    graph: NeighborGraph,
    size: f32,
    up: Vec3,
    is_whole_scene: bool,
}

impl<'a> Proposer<'a> {
    fn new(voxels: &VoxelGrid, normals: &[Vec3], up: Vec3, free: &'a [u32]) -> Self {
        let pick = |list: &[Vec3]| free.iter().map(|&v| list[v as usize]).collect::<Vec<_>>();
        let positions = pick(&voxels.positions);
        let graph = NeighborGraph::new(&positions);
        let is_whole_scene = free.len() == voxels.positions.len();
        let (normals, colors, size) = (pick(normals), pick(&voxels.colors), voxels.size);
        Self { free, positions, normals, colors, graph, size, up, is_whole_scene }
    }

    fn proposals(&self, config: &SegmentConfig) -> Vec<Proposal> {
        let mut groups = self.regions();
        let all: Vec<u32> = (0..self.positions.len() as u32).collect();
        let surface =
            Surface { positions: &self.positions, normals: &self.normals, up: self.up, size: self.size };
        for scale in SCALES {
            for cluster in components(&self.positions, &all, scale * self.size) {
                if cluster.len() >= config.min_voxels {
                    groups.extend(split_at_tops(&surface, &cluster, config.min_voxels));
                    groups.push(cluster);
                }
            }
        }
        let most = if self.is_whole_scene { all.len() } else { (all.len() as f32 * MAX_SHARE) as usize };
        groups.retain(|group| (config.min_voxels..=most).contains(&group.len()));
        let proposals = groups.into_iter().map(|group| self.proposal(&group)).collect();
        suppress_duplicates(proposals, config.max_proposals)
    }

    /// Regions of superpoints.
    fn regions(&self) -> Vec<Vec<u32>> {
        let limit = (MAX_EDGE * self.size).powi(2);
        let is_short = |(a, b): &(u32, u32)| {
            self.positions[*a as usize].distance_squared(self.positions[*b as usize]) <= limit
        };
        let edges: Vec<(u32, u32)> = self.graph.edges().filter(is_short).collect();
        let weight = |a: u32, b: u32| {
            let (i, j) = (a as usize, b as usize);
            // Normals of points have no side, so convex edges are not known.
            let bend = 1.0 - self.normals[i].dot(self.normals[j]).abs();
            bend + COLOR_WEIGHT * (self.colors[i] - self.colors[j]).length()
        };
        let weighted = edges.iter().map(|&(a, b)| Edge { vertices: [a, b], weight: weight(a, b) }).collect();
        let labels = numbered(&graph_superpoints(self.positions.len(), weighted, &SUPERPOINTS));
        let regions = RegionGraph::new(&labels, &self.colors, edges.into_iter()).regions();
        let mut of_superpoints = vec![Vec::new(); labels.iter().max().map_or(0, |&l| l as usize + 1)];
        labels.iter().zip(0..).for_each(|(&label, point)| of_superpoints[label as usize].push(point));
        let points = |superpoints: Vec<u32>| {
            let mut points: Vec<u32> =
                superpoints.iter().flat_map(|&s| of_superpoints[s as usize].iter().copied()).collect();
            points.sort_unstable();
            points
        };
        regions.into_iter().map(points).collect()
    }

    fn proposal(&self, group: &[u32]) -> Proposal {
        let limit = (MAX_EDGE * self.size).powi(2);
        let touches_others = |&point: &u32| {
            let position = self.positions[point as usize];
            let near = self.graph.of(point as usize).iter();
            near.clone().any(|&other| {
                self.positions[other as usize].distance_squared(position) <= limit
                    && group.binary_search(&other).is_err()
            })
        };
        let border = group.iter().filter(|point| touches_others(point)).count() as f32 / group.len() as f32;
        let voxels = group.iter().map(|&point| self.free[point as usize]).collect();
        Proposal { voxels, objectness: 1.0 - (BORDER_WEIGHT * border).min(1.0) }
    }
}

/// Representatives numbered by first appearance.
fn numbered(representatives: &[u32]) -> Vec<u32> {
    let mut numbers = vec![u32::MAX; representatives.len()];
    let mut next = 0;
    let number = |&root: &u32| {
        let number = &mut numbers[root as usize];
        if *number == u32::MAX {
            *number = next;
            next += 1;
        }
        *number
    };
    representatives.iter().map(number).collect()
}
