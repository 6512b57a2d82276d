//! A mesh's primitives → lists of vertices with triangles or points, before any node places them.

use glam::{Vec2, Vec3, Vec4};

use super::accessor::Integers;
use super::document::Document;
use super::fault::{Fault, Notes, invalid};
use super::json::Primitive;
use super::material::Looks;
use super::topology::Mode;
use crate::io::limits;

/// What is read of one primitive. All lists are as long as `positions`.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub positions: Vec<Vec3>,
    pub normals: Option<Vec<Vec3>>,
    pub uvs: Option<Vec<Vec2>>,
    pub colors: Option<Vec<Vec4>>,
    pub shape: Shape,
    /// Place in the scene's materials.
    pub material: Option<usize>,
}

/// What a part's vertices make.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Triangles whose indices exist.
    Faces(Vec<[u32; 3]>),
    /// The vertices themselves.
    Points,
}

impl Part {
    /// Reads a primitive; `None` after a note if there is nothing in it to see.
    pub fn read(
        document: &Document,
        json: &Primitive,
        looks: &mut Looks,
        notes: &mut Notes,
    ) -> Result<Option<Self>, Fault> {
        let code = json.mode.map_or(4, |mode| mode.0);
        let mode = match Mode::from_gl(code) {
            Some(Mode::Lines) => {
                notes.add("lines are left out");
                return Ok(None);
            }
            Some(mode) => mode,
            None => return Err(invalid(format!("mode: expected 0 to 6, found {code}"))),
        };
        let Some(position) = json.attributes.get("POSITION") else {
            notes.add("a primitive without positions is left out");
            return Ok(None);
        };
        let count = document.count(position.0)?;
        if count > limits::VERTICES {
            return Err(Fault::too_large("number of vertices", count, limits::VERTICES));
        }
        let positions: Vec<Vec3> =
            document.floats(position.0, Integers::AsDeclared)?.into_iter().map(Vec3::from).collect();
        let indices = match json.indices {
            Some(indices) => Some(document.integers::<1>(indices.0).map_err(|f| f.within("indices"))?),
            None => None,
        };
        let mut attributes = Attributes { document, json, count, notes };
        let uv_set = looks.uv_set(json.material.map(|m| m.0));
        let mut part = Self {
            normals: attributes.vectors("NORMAL"),
            uvs: attributes.uvs(&format!("TEXCOORD_{uv_set}")),
            colors: attributes.colors(),
            shape: Shape::Points,
            material: json.material.and_then(|m| looks.material(m.0, notes)),
            positions,
        };
        if mode == Mode::Points {
            part.keep_points(indices, notes);
        } else {
            let corners = indices.as_ref().map_or(count, Vec::len);
            if mode.n_faces(corners) > limits::FACES {
                return Err(Fault::too_large("number of triangles", mode.n_faces(corners), limits::FACES));
            }
            let faces = mode.faces(corners, |i| indices.as_ref().map_or(i as u32, |list| list[i][0]));
            part.shape = Shape::Faces(existing(faces, count, notes)?);
        }
        Ok(Some(part))
    }

    /// Narrows a cloud to the points its indices name.
    fn keep_points(&mut self, indices: Option<Vec<[u32; 1]>>, notes: &mut Notes) {
        let Some(indices) = indices else { return };
        let count = self.positions.len();
        let keep: Vec<u32> = indices.iter().map(|i| i[0]).filter(|&i| (i as usize) < count).collect();
        if keep.len() < indices.len() {
            notes.add(format!("{} points name vertices that do not exist", indices.len() - keep.len()));
        }
        self.select(&keep);
    }

    /// The part with only these vertices, in this order.
    fn select(&mut self, keep: &[u32]) {
        fn pick<T: Copy>(list: &[T], keep: &[u32]) -> Vec<T> {
            keep.iter().map(|&i| list[i as usize]).collect()
        }
        self.positions = pick(&self.positions, keep);
        self.normals = self.normals.as_ref().map(|list| pick(list, keep));
        self.uvs = self.uvs.as_ref().map(|list| pick(list, keep));
        self.colors = self.colors.as_ref().map(|list| pick(list, keep));
    }

    /// Removes vertices that are nowhere, with the triangles that use them.
    pub fn drop_infinite(&mut self, notes: &mut Notes) {
        let count = self.positions.len();
        let keep: Vec<u32> = (0..count as u32).filter(|&i| self.positions[i as usize].is_finite()).collect();
        if keep.len() == count {
            return;
        }
        notes.add(format!("{} of {count} vertices are not finite and left out", count - keep.len()));
        self.select(&keep);
        if let Shape::Faces(faces) = &mut self.shape {
            let mut place = vec![u32::MAX; count];
            keep.iter().enumerate().for_each(|(new, &old)| place[old as usize] = new as u32);
            *faces = std::mem::take(faces)
                .into_iter()
                .map(|face| face.map(|v| place[v as usize]))
                .filter(|face| face.iter().all(|&v| v != u32::MAX))
                .collect();
        }
    }
}

/// The triangles whose vertices exist: few wrong ones are left out, only wrong ones are a fault.
fn existing(mut faces: Vec<[u32; 3]>, count: usize, notes: &mut Notes) -> Result<Vec<[u32; 3]>, Fault> {
    let before = faces.len();
    faces.retain(|face| face.iter().all(|&v| (v as usize) < count));
    let dropped = before - faces.len();
    if dropped > 0 && faces.is_empty() {
        return Err(invalid(format!("all {before} triangles name vertices beyond the {count} there are")));
    }
    if dropped > 0 {
        notes
            .add(format!("{dropped} of {before} triangles name vertices that do not exist and are left out"));
    }
    Ok(faces)
}

/// Reads what a shape can do without: a broken list costs a note, not the file.
struct Attributes<'a, 'd> {
    document: &'a Document<'d>,
    json: &'a Primitive,
    count: usize,
    notes: &'a mut Notes,
}

impl Attributes<'_, '_> {
    fn vectors(&mut self, name: &str) -> Option<Vec<Vec3>> {
        let list = self.floats::<3>(name, Integers::AsDeclared)?;
        Some(list.into_iter().map(Vec3::from).collect())
    }

    fn uvs(&mut self, name: &str) -> Option<Vec<Vec2>> {
        let list = self.floats::<2>(name, Integers::AsDeclared)?;
        let uvs = list.into_iter().map(Vec2::from);
        Some(uvs.map(|uv| if uv.is_finite() { uv } else { Vec2::ZERO }).collect())
    }

    fn colors(&mut self) -> Option<Vec<Vec4>> {
        let accessor = self.json.attributes.get("COLOR_0")?.0;
        let colors: Vec<Vec4> = if self.document.width(accessor).is_ok_and(|width| width == 3) {
            let list = self.floats::<3>("COLOR_0", Integers::Normalized)?;
            list.into_iter().map(|[r, g, b]| Vec4::new(r, g, b, 1.0)).collect()
        } else {
            self.floats::<4>("COLOR_0", Integers::Normalized)?.into_iter().map(Vec4::from).collect()
        };
        Some(colors.into_iter().map(|c| if c.is_finite() { c } else { Vec4::ONE }).collect())
    }

    fn floats<const N: usize>(&mut self, name: &str, integers: Integers) -> Option<Vec<[f32; N]>> {
        let accessor = self.json.attributes.get(name)?.0;
        let count = self.count;
        // The length first: a list of another length is not worth its memory.
        let read = self.document.count(accessor).and_then(|found| {
            if found == count {
                self.document.floats(accessor, integers)
            } else {
                Err(invalid(format!("{found} values for {count} vertices")))
            }
        });
        match read {
            Ok(list) => Some(list),
            Err(fault) => {
                self.notes.add(format!("{name} is left out: {fault}"));
                None
            }
        }
    }
}
