//! Collects painted parts and attributes into a specimen.

use std::collections::HashMap;

use glam::{Vec3, Vec4};
use lexiform_geometry::{Material, Mesh, Scene};

use super::{MaterialKind, Paint, Rng, Shading, Solid, cuboid, rounded_box};

/// Edges sharper than this stay sharp under smooth shading (cosine of 50°).
const CREASE_COSINE: f32 = 0.643;

/// A generated shape with its attributes.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// Painted parts: +Y up, front along +Z, on the ground `y = 0`.
    pub scene: Scene,
    /// Attributes for captions and questions.
    pub attributes: Attributes,
}

/// Attributes of a shape beyond its category, in lower case without articles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// Main color.
    pub color: Option<&'static str>,
    /// Main material.
    pub material: Option<MaterialKind>,
    /// A narrower noun that can replace the category's: "rocking chair".
    pub subcategory: Option<&'static str>,
    /// Size, build, style: "tall", "round", "low".
    pub adjectives: Vec<&'static str>,
    /// Parts, to follow "with": "four legs", "a yellow shade".
    pub parts: Vec<String>,
}

/// Builds a specimen from parts.
#[derive(Clone, Debug)]
pub struct Builder {
    /// Segments of round parts, 6 to 24, as part of the specimen's style.
    pub segments: usize,
    /// Flat shading (low-poly style).
    pub flat: bool,
    /// Bevel of boxes: radius as a fraction of the smallest side, and number of steps; 0 is sharp.
    pub bevel: (f32, usize),
    scene: Scene,
    paints: Vec<Paint>,
    attributes: Attributes,
}

impl Builder {
    /// An empty specimen with a random style: segments, shading, and bevel.
    pub fn new(rng: &mut Rng) -> Self {
        let segments = rng.choose(&[6, 8, 8, 10, 12, 12, 16, 16, 20, 24]);
        let flat = rng.chance(if segments <= 12 { 0.5 } else { 0.2 });
        let bevel = match rng.index(5) {
            0 | 1 => (0.0, 0),
            2 => (rng.between(0.06, 0.2), 1),
            3 => (rng.between(0.1, 0.3), 2),
            _ => (rng.between(0.15, 0.4), 3),
        };
        Self {
            segments,
            flat,
            bevel,
            scene: Scene::default(),
            paints: Vec::new(),
            attributes: Attributes::default(),
        }
    }

    /// Segments of small round parts: half of `segments`, at least 5.
    pub fn few_segments(&self) -> usize {
        (self.segments / 2).max(5)
    }

    /// A box in the specimen's style: sharp, beveled or rounded.
    pub fn block(&self, width: f32, height: f32, depth: f32) -> Solid {
        if self.bevel.1 == 0 {
            return cuboid(width, height, depth);
        }
        // Limited by the largest side too: a thin plate keeps its outline.
        let radius = self.bevel.0 * width.min(height).min(depth).min(0.15 * width.max(height).max(depth));
        rounded_box(width, height, depth, radius, self.bevel.1)
    }

    /// Adds a part with a node name, as a modeler would choose it.
    pub fn add(&mut self, name: &str, solid: Solid, paint: Paint) {
        let smooth = match solid.shading {
            Shading::Auto => !self.flat,
            Shading::Flat => false,
            Shading::Smooth => true,
        };
        let material = self.material(paint);
        let mesh = if smooth { smooth_mesh(&solid) } else { flat_mesh(&solid) };
        if let Some(mesh) = mesh {
            self.scene.meshes.push(mesh.with_material(Some(material)).with_name(Some(name.to_owned())));
        }
    }

    /// Adds all parts and attributes of another builder, translated by `by`.
    pub fn append(&mut self, other: Self, by: Vec3) {
        // Material indices of the other builder are shifted behind our own.
        let first = self.scene.materials.len();
        let moved = other.scene.transformed(glam::Affine3A::from_translation(by));
        self.scene.meshes.extend(moved.meshes.into_iter().map(|m| {
            let material = m.material.map(|index| index + first);
            m.with_material(material)
        }));
        self.scene.materials.extend(moved.materials);
        self.paints.extend(other.paints);
        self.attributes.adjectives.extend(other.attributes.adjectives);
        self.attributes.parts.extend(other.attributes.parts);
    }

    /// Transforms all parts added so far.
    pub fn transform(&mut self, target_from_source: glam::Affine3A) {
        self.scene = std::mem::take(&mut self.scene).transformed(target_from_source);
    }

    /// Sets the main color and material.
    pub fn main_paint(&mut self, paint: Paint) {
        self.attributes.color = Some(paint.color.name);
        self.attributes.material = (paint.material != MaterialKind::Plain).then_some(paint.material);
    }

    /// Sets the main color only.
    pub fn main_color(&mut self, paint: Paint) {
        self.attributes.color = Some(paint.color.name);
    }

    /// Sets the subcategory: "rocking chair".
    pub fn subcategory(&mut self, noun: &'static str) {
        self.attributes.subcategory = Some(noun);
    }

    /// Adds an adjective: "tall".
    pub fn adjective(&mut self, word: &'static str) {
        self.attributes.adjectives.push(word);
    }

    /// Records a part, to follow "with": "armrests", "four legs", "a handle".
    pub fn part(&mut self, part: impl Into<String>) {
        self.attributes.parts.push(part.into());
    }

    /// Records a part with its color: `colored_part("shade", paint)` is "a yellow shade".
    pub fn colored_part(&mut self, noun: &str, paint: Paint) {
        let color = paint.color.name;
        let article = if color.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        let article = if noun.ends_with('s') { String::new() } else { format!("{article} ") };
        self.attributes.parts.push(format!("{article}{color} {noun}"));
    }

    /// Records a number of parts: `counted_part(4, "leg", "legs")` is "four legs"; 0 records nothing.
    pub fn counted_part(&mut self, count: usize, one: &str, many: &str) {
        const WORDS: [&str; 13] = [
            "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
            "twelve",
        ];
        match count {
            0 => {}
            1 => self.part(format!("one {one}")),
            _ => self.part(format!("{} {many}", WORDS.get(count).copied().unwrap_or("many"))),
        }
    }

    /// Finishes the specimen, centered over the origin on the ground `y = 0`.
    pub fn build(self) -> Specimen {
        let scene = match self.scene.bounds() {
            Some(bounds) => {
                let center = bounds.center();
                let to_ground = -Vec3::new(center.x, bounds.min.y, center.z);
                self.scene.transformed(glam::Affine3A::from_translation(to_ground))
            }
            None => self.scene,
        };
        Specimen { scene, attributes: self.attributes }
    }

    /// Finishes a specimen that was built upright, in a random pose: upright, on its back, or on its side.
    pub fn build_lying(mut self, rng: &mut Rng) -> Specimen {
        match rng.index(4) {
            0 | 1 => self.transform(glam::Affine3A::from_rotation_x(-std::f32::consts::FRAC_PI_2)),
            2 => self.transform(glam::Affine3A::from_rotation_z(std::f32::consts::FRAC_PI_2)),
            _ => {}
        }
        self.build()
    }

    fn material(&mut self, paint: Paint) -> usize {
        // Equal paints share a material.
        if let Some(index) = self.paints.iter().position(|p| *p == paint) {
            return index;
        }
        let (metallic, roughness) = paint.metallic_roughness();
        let Vec3 { x, y, z } = paint.color.rgb;
        self.paints.push(paint);
        self.scene.materials.push(Material {
            name: Some(paint.color.name.to_owned()),
            base_color: Vec4::new(x, y, z, 1.0),
            emissive: paint.color.rgb * paint.emission,
            metallic,
            roughness,
            // Leaves, shades and cloth have no thickness.
            double_sided: true,
            ..Material::default()
        });
        self.paints.len() - 1
    }
}

fn visible_faces(solid: &Solid) -> impl Iterator<Item = [Vec3; 3]> + '_ {
    solid.faces.iter().map(|f| f.map(|v| solid.positions[v as usize])).filter(|[a, b, c]| {
        // Degenerate triangles, as at the pole of a lathe, have no normal.
        let area = (*b - *a).cross(*c - *a).length();
        area.is_finite() && area > 1e-10
    })
}

/// Unshared vertices without normals: flat shading.
fn flat_mesh(solid: &Solid) -> Option<Mesh> {
    let positions: Vec<Vec3> = visible_faces(solid).flatten().collect();
    let faces = (0..positions.len() as u32 / 3).map(|f| [3 * f, 3 * f + 1, 3 * f + 2]).collect();
    Mesh::new(positions, faces).ok().filter(|m| !m.faces().is_empty())
}

/// Unshared vertices whose normals are averaged over the adjacent faces that are not across a crease.
fn smooth_mesh(solid: &Solid) -> Option<Mesh> {
    let mesh = flat_mesh(solid)?;
    // Vertices are welded by position, rounded to 0.05 mm: solids do not share vertices across parts.
    let place = |p: Vec3| (p * 2e4).round().as_ivec3();
    let areas: Vec<Vec3> =
        (0..mesh.faces().len()).map(|f| mesh.triangle(f)).map(|[a, b, c]| (b - a).cross(c - a)).collect();
    let mut faces_at: HashMap<glam::IVec3, Vec<usize>> = HashMap::new();
    for (corner, &p) in mesh.positions().iter().enumerate() {
        faces_at.entry(place(p)).or_default().push(corner / 3);
    }
    let normals = mesh
        .positions()
        .iter()
        .enumerate()
        .map(|(corner, &p)| {
            let own = areas[corner / 3];
            // Weighted by area: the cross products are not normalized before the sum.
            let near =
                |&&f: &&usize| areas[f].normalize_or_zero().dot(own.normalize_or_zero()) > CREASE_COSINE;
            faces_at[&place(p)].iter().filter(near).map(|&f| areas[f]).sum::<Vec3>().normalize_or_zero()
        })
        .collect();
    mesh.with_normals(normals).ok()
}
