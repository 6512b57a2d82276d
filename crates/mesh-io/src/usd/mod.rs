//! [USD]: text, binary and packages (`.usda`, `.usdc`, `.usd`, `.usdz`), composed from the layers in the file's folder.
//!
//! Meshes, points, primitives and instancers are read at the default time, or else at the earliest one, in meters. Subdivision surfaces are
//! read as their cages, and skinned meshes in their bind pose. Curves, volumes and lights are not read.
//!
//! [USD]: https://openusd.org/release/spec.html

mod assets;
mod binary;
mod geometry;
mod layer;
mod material;
mod stage;
mod tables;
mod text;
mod value;

use std::collections::{BTreeMap, HashMap, HashSet};

use glam::{DMat4, DVec3, Vec3, Vec4};
use lexiform_geometry::Scene;

use self::assets::Assets;
use self::layer::Value;
use self::material::Materials;
use self::stage::{ComposedPrim, Stage};
use crate::builder::pluralize;
use crate::primitive;
use crate::surface::{SceneBuilder, Surface, SurfaceId};
use crate::{ReadError, UpAxis, source::Source};

/// Deepest tree of prims.
const MAX_DEPTH: usize = 256;

/// Reads all visible prims, and the axis that points up in the stage.
pub(super) fn read(source: &Source) -> Result<(Scene, Option<UpAxis>), ReadError> {
    let invalid = |message: String| source.invalid(message);
    let assets = Assets::new(source.path, source.bytes).map_err(invalid)?;
    let mut stage = Stage::open(assets).map_err(invalid)?;
    let up = match stage.field("upAxis").and_then(Value::as_text) {
        Some("Z") => UpAxis::Z,
        Some("X") => UpAxis::X,
        _ => UpAxis::Y,
    };
    // Without a unit, coordinates are centimeters ([UsdGeomGetStageMetersPerUnit]).
    let meters =
        stage.field("metersPerUnit").and_then(Value::as_number).filter(|m| m.is_finite() && *m > 0.0);
    let world_from_stage = DMat4::from_scale(DVec3::splat(meters.unwrap_or(0.01)));
    let materials = Materials::new(&stage);
    let root = stage.root();
    let mut reader = Reader {
        source,
        stage,
        world_from_stage,
        materials,
        builder: SceneBuilder::default(),
        surfaces: HashMap::new(),
        skipped: BTreeMap::new(),
        proxies: Vec::new(),
    };
    let around_root = Inherited { world_from_prim: world_from_stage, ..Inherited::default() };
    reader.children(&root, &around_root, 0)?;
    // Stand-ins are for files that have nothing else.
    if reader.builder.is_empty() {
        for (prim, inherited) in std::mem::take(&mut reader.proxies) {
            reader.prim(&prim, &inherited, 0)?;
        }
    }
    let mut scene = Scene::default();
    let skipped = reader.skipped.iter().map(|(kind, count)| format!("skipped {}", pluralize(*count, kind)));
    reader.builder.notes.extend(skipped.chain(reader.stage.notes.iter().cloned()));
    (scene.materials, scene.textures) = reader.materials.into_parts(&mut reader.builder.notes);
    reader.builder.build(source, &mut scene)?;
    Ok((scene, Some(up)))
}

/// What prims have from those around them.
#[derive(Clone, Default)]
struct Inherited {
    world_from_prim: DMat4,
    material: Option<String>,
    color: Option<Vec4>,
    /// Whether a prim is shown although its purpose is to replace others in previews.
    shows_proxies: bool,
}

/// Content of a mesh, its material and its color.
type SurfaceKey = (Vec<(usize, usize)>, Option<usize>, Option<[u32; 4]>);

/// A walk over the stage.
struct Reader<'a> {
    source: &'a Source<'a>,
    stage: Stage<'a>,
    /// To meters.
    world_from_stage: DMat4,
    materials: Materials<'a>,
    builder: SceneBuilder,
    surfaces: HashMap<SurfaceKey, SurfaceId>,
    /// Types of prims that are not read.
    skipped: BTreeMap<&'static str, usize>,
    proxies: Vec<(ComposedPrim, Inherited)>,
}

impl Reader<'_> {
    fn children(
        &mut self,
        parent: &ComposedPrim,
        inherited: &Inherited,
        depth: usize,
    ) -> Result<(), ReadError> {
        for name in self.stage.children(parent) {
            if !self.builder.enter(depth, MAX_DEPTH) {
                continue;
            }
            let prim = self.stage.child(parent, &name);
            if self.stage.is_defined(&prim) {
                self.prim(&prim, inherited, depth)?;
            }
        }
        Ok(())
    }

    fn prim(&mut self, prim: &ComposedPrim, around: &Inherited, depth: usize) -> Result<(), ReadError> {
        // Only what holds at all times: animations often begin with what is hidden.
        if self.stage.property_text(prim, "visibility", "default").as_deref() == Some("invisible") {
            return Ok(());
        }
        let mut inherited = around.clone();
        match self.stage.text(prim, "purpose").as_deref() {
            Some("guide") => return Ok(()),
            Some("proxy") if !around.shows_proxies => {
                inherited.shows_proxies = true;
                self.proxies.push((prim.clone(), inherited));
                return Ok(());
            }
            _ => {}
        }
        let (parent_from_prim, is_reset) = geometry::transform(&self.stage, prim);
        let world_from_parent = if is_reset { self.world_from_stage } else { around.world_from_prim };
        inherited.world_from_prim = world_from_parent * parent_from_prim;
        if let Some(material) = self.binding(prim) {
            inherited.material = Some(material);
        }
        inherited.color = geometry::constant_color(&self.stage, prim).or(around.color);
        match self.stage.type_name(prim).as_str() {
            "Mesh" => self.mesh(prim, &inherited)?,
            "Points" => self.points(prim, &inherited)?,
            "PointInstancer" => return self.instancer(prim, &inherited, depth),
            "Material" | "Shader" | "NodeGraph" | "GeomSubset" | "Skeleton" | "SkelAnimation" => {
                return Ok(());
            }
            "BasisCurves" | "NurbsCurves" | "HermiteCurves" => {
                *self.skipped.entry("curve prim").or_default() += 1
            }
            "NurbsPatch" => *self.skipped.entry("NURBS surface").or_default() += 1,
            "Volume" => *self.skipped.entry("volume").or_default() += 1,
            kind => {
                if let Some((surface, world_from_shape)) = self.shape(prim, kind) {
                    self.place(prim, &inherited, surface, inherited.world_from_prim * world_from_shape)?;
                }
            }
        }
        self.children(prim, &inherited, depth + 1)
    }

    fn binding(&self, prim: &ComposedPrim) -> Option<String> {
        let bound = |name| self.stage.targets(prim, name, "targetPaths").into_iter().next();
        bound("material:binding").or_else(|| bound("material:binding:preview"))
    }

    fn mesh(&mut self, prim: &ComposedPrim, inherited: &Inherited) -> Result<(), ReadError> {
        let material =
            inherited.material.as_deref().and_then(|path| self.materials.index(&mut self.stage, path));
        let color = inherited.color.map(|color| color.to_array().map(f32::to_bits));
        let key = (Stage::identity(prim), material, color);
        let surface = match self.surfaces.get(&key) {
            Some(&known) => known,
            None => {
                let uv_name =
                    material.and_then(|material| self.materials.uv_name(material)).map(str::to_owned);
                let mut surface = geometry::mesh(&self.stage, prim, uv_name.as_deref(), inherited.color);
                self.bind(prim, material, &mut surface);
                let id = self.builder.add_surface(self.source, &surface)?;
                *self.surfaces.entry(key).or_insert(id)
            }
        };
        let name = prim.path.rsplit('/').next();
        self.builder.place(self.source, surface, inherited.world_from_prim, name)
    }

    /// Binds materials to faces: the mesh's, and those of subsets. A material covers the display color.
    fn bind(&mut self, prim: &ComposedPrim, material: Option<usize>, surface: &mut Surface) {
        surface.materials.fill(material);
        let mut is_covered = material.is_some();
        let mut polygons: Option<Vec<usize>> = None;
        for name in self.stage.children(prim) {
            let subset = self.stage.child(prim, &name);
            if self.stage.type_name(&subset) != "GeomSubset" {
                continue;
            }
            let bound = self.binding(&subset).and_then(|path| self.materials.index(&mut self.stage, &path));
            let Some(bound) = bound else { continue };
            let faces = geometry::face_set(&self.stage, &subset, "indices");
            let polygons = polygons.get_or_insert_with(|| geometry::faces(&self.stage, prim));
            for (slot, face) in surface.materials.iter_mut().zip(polygons) {
                if faces.contains(face) {
                    *slot = Some(bound);
                }
            }
            is_covered = true;
        }
        if is_covered && surface.materials.iter().all(Option::is_some) {
            surface.colors = None;
        }
    }

    /// A primitive, and its rotation to its axis.
    fn shape(&self, prim: &ComposedPrim, kind: &str) -> Option<(Surface, DMat4)> {
        let number = |name: &str, missing: f64| {
            self.stage.numbers(prim, name).and_then(|values| values.first().copied()).unwrap_or(missing)
        };
        let axis = geometry::about_axis(self.stage.text(prim, "axis").as_deref());
        Some(match kind {
            "Cube" => (primitive::cuboid(DVec3::splat(number("size", 2.0) / 2.0)), DMat4::IDENTITY),
            "Sphere" => (primitive::sphere(number("radius", 1.0)), DMat4::IDENTITY),
            "Cone" => (primitive::cone(number("radius", 1.0), number("height", 2.0) / 2.0, true), axis),
            "Cylinder" => {
                (primitive::cylinder(number("radius", 1.0), number("height", 2.0) / 2.0, [true, true]), axis)
            }
            "Capsule" => (primitive::capsule(number("radius", 0.5), number("height", 1.0) / 2.0), axis),
            _ => return None,
        })
    }

    fn place(
        &mut self,
        prim: &ComposedPrim,
        inherited: &Inherited,
        mut surface: Surface,
        world_from_shape: DMat4,
    ) -> Result<(), ReadError> {
        let material =
            inherited.material.as_deref().and_then(|path| self.materials.index(&mut self.stage, path));
        surface.materials = vec![material; surface.polygons.ends.len()];
        if let (Some(color), None) = (inherited.color, material) {
            surface.colors = Some(vec![color; surface.polygons.corners.len()]);
        }
        self.builder.add(self.source, &surface, world_from_shape, prim.path.rsplit('/').next())
    }

    fn points(&mut self, prim: &ComposedPrim, inherited: &Inherited) -> Result<(), ReadError> {
        let points = geometry::positions(&self.stage, prim, "points");
        let colors = self.stage.numbers(prim, "primvars:displayColor").map(|colors| {
            let (colors, _) = colors.as_chunks::<3>();
            let colors: Vec<Vec3> = colors.iter().map(|&color| DVec3::from(color).as_vec3()).collect();
            if colors.len() == 1 { vec![colors[0]; points.len()] } else { colors }
        });
        let world = points.into_iter().map(|point| inherited.world_from_prim.transform_point3(point));
        self.builder.add_points(self.source, world, colors)
    }

    /// Places prototypes at points.
    fn instancer(
        &mut self,
        prim: &ComposedPrim,
        inherited: &Inherited,
        depth: usize,
    ) -> Result<(), ReadError> {
        let prototypes = self.stage.targets(prim, "prototypes", "targetPaths");
        let positions = geometry::positions(&self.stage, prim, "positions");
        let indices = self.stage.numbers(prim, "protoIndices").unwrap_or_default();
        let scales = geometry::positions(&self.stage, prim, "scales");
        let orientations = self.stage.numbers(prim, "orientations").unwrap_or_default();
        let (orientations, _) = orientations.as_chunks::<4>();
        // Adding zero turns −0 into 0, which is the same number.
        let bits = |id: f64| (id + 0.0).to_bits();
        let hidden = self.stage.numbers(prim, "invisibleIds").unwrap_or_default();
        let hidden: HashSet<u64> = hidden.into_iter().map(bits).collect();
        let ids = self.stage.numbers(prim, "ids");
        let composed: Vec<Option<ComposedPrim>> = prototypes.iter().map(|path| self.stage.at(path)).collect();
        for (at, (&position, &index)) in positions.iter().zip(&indices).enumerate() {
            if !self.builder.enter(depth, MAX_DEPTH) {
                continue;
            }
            let id = ids.as_ref().map_or(at as f64, |ids| ids.get(at).copied().unwrap_or(-1.0));
            let prototype = composed.get(index.max(0.0) as usize).and_then(Option::as_ref);
            let Some(prototype) = prototype.filter(|_| !hidden.contains(&bits(id))) else { continue };
            let rotation = orientations
                .get(at)
                .map_or(glam::DQuat::IDENTITY, |&[w, x, y, z]| geometry::quaternion(w, x, y, z));
            let scale = scales.get(at).copied().unwrap_or(DVec3::ONE);
            let prim_from_instance = DMat4::from_scale_rotation_translation(scale, rotation, position);
            let placed = Inherited {
                world_from_prim: inherited.world_from_prim * prim_from_instance,
                ..inherited.clone()
            };
            self.prim(prototype, &placed, depth + 1)?;
        }
        Ok(())
    }
}
