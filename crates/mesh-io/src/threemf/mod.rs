//! [3MF]: objects with components and build items, base materials, color groups and textures, in meters.
//!
//! Of the extensions, materials and production are read. Beam lattices, slices and volumes are not: the triangles that every file
//! has as well are.
//!
//! [3MF]: https://github.com/3MFConsortium/spec_core/blob/master/3MF%20Core%20Specification.md

mod model;
mod package;
mod property;

use std::collections::{HashMap, HashSet};

use glam::{DMat4, DVec3};
use lexiform_geometry::Scene;

use self::model::{Model, Object, Placement};
use self::package::Package;
use self::property::Materials;
use crate::surface::{SceneBuilder, SurfaceId};
use crate::{ReadError, source::Source};

/// Deepest tree of components; deeper ones only come from objects that contain themselves.
const MAX_DEPTH: usize = 32;

/// Reads what the file builds; +Z points up.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let package = Package::open(source)?;
    let root = package.root()?;
    let mut reader = Reader::new(source, &package);
    reader.load(&root)?;
    let (unit, items) = reader.build_items(&root);
    for item in items {
        reader.place(&root, &item, DMat4::from_scale(DVec3::splat(unit)), 0)?;
    }
    let mut scene = Scene::default();
    (scene.materials, scene.textures) = reader.materials.into_parts(&mut reader.builder.notes);
    reader.builder.build(source, &mut scene)?;
    Ok(scene)
}

/// The models of a package as far as they are needed, and what is built of them.
struct Reader<'a> {
    source: &'a Source<'a>,
    package: &'a Package<'a>,
    /// Model parts by their paths; `None` for one that cannot be read.
    models: HashMap<String, Option<Model>>,
    surfaces: HashMap<(String, String), SurfaceId>,
    materials: Materials<'a>,
    builder: SceneBuilder,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source<'a>, package: &'a Package<'a>) -> Self {
        Self {
            source,
            package,
            models: HashMap::new(),
            surfaces: HashMap::new(),
            materials: Materials::new(package, source.path),
            builder: SceneBuilder::default(),
        }
    }

    /// Reads a model part, once: it is an error only the first time.
    fn load(&mut self, path: &str) -> Result<(), ReadError> {
        if self.models.contains_key(path) {
            return Ok(());
        }
        let model = self.package.read(path).and_then(|bytes| Model::parse(self.source, &bytes));
        let (model, outcome) = match model {
            Ok(model) => (Some(model), Ok(())),
            Err(error) => (None, Err(error)),
        };
        self.builder.notes.extend(model.iter().flat_map(|model| model.notes.iter().cloned()));
        self.models.insert(path.to_owned(), model);
        outcome
    }

    fn model(&self, path: &str) -> Option<&Model> {
        self.models.get(path)?.as_ref()
    }

    /// What is built, or else every object that no other has as a component; and meters per unit.
    fn build_items(&self, root: &str) -> (f64, Vec<Placement>) {
        let Some(model) = self.model(root) else { return (1.0, Vec::new()) };
        if !model.build.is_empty() {
            return (model.meters_per_unit, model.build.clone());
        }
        let components = model.objects.values().flat_map(|object| &object.components);
        let used: HashSet<&String> = components.map(|component| &component.object).collect();
        let mut free: Vec<&String> = model.objects.keys().filter(|id| !used.contains(id)).collect();
        free.sort();
        (model.meters_per_unit, free.into_iter().map(|id| Placement::of(id)).collect())
    }

    /// Places an object with its components. Its file is that of the placement, or else `model`.
    fn place(
        &mut self,
        model: &str,
        placed: &Placement,
        world_from_parent: DMat4,
        depth: usize,
    ) -> Result<(), ReadError> {
        if !self.builder.enter(depth, MAX_DEPTH) {
            return Ok(());
        }
        let model = placed.model.as_deref().unwrap_or(model).to_owned();
        if let Err(error) = self.load(&model) {
            // Other parts of the file may be whole.
            self.builder.notes.push(error.note());
        }
        let Some(Some(content)) = self.models.get(&model) else { return Ok(()) };
        let world_from_object = world_from_parent * placed.parent_from_object;
        let Some(object) = content.objects.get(&placed.object) else {
            self.builder.notes.push(format!("object \"{}\" is missing", placed.object.escape_debug()));
            return Ok(());
        };
        if object.is_support {
            return Ok(());
        }
        let (components, name) = (object.components.clone(), object.name.clone());
        if let Some(surface) = self.surface(&model, &placed.object)? {
            self.builder.place(self.source, surface, world_from_object, name.as_deref())?;
        }
        for component in &components {
            self.place(&model, component, world_from_object, depth + 1)?;
        }
        Ok(())
    }

    /// The triangles of an object, which are made once.
    fn surface(&mut self, path: &str, id: &str) -> Result<Option<SurfaceId>, ReadError> {
        let key = (path.to_owned(), id.to_owned());
        if let Some(&known) = self.surfaces.get(&key) {
            return Ok(Some(known));
        }
        let Some(Some(model)) = self.models.get(path) else { return Ok(None) };
        let Some(object) = model.objects.get(id).filter(|object| !object.triangles.is_empty()) else {
            return Ok(None);
        };
        let surface = Object::surface(object, model, path, &mut self.materials);
        let added = self.builder.add_surface(self.source, &surface)?;
        self.surfaces.insert(key, added);
        Ok(Some(added))
    }
}
