//! A primitive's attributes by name, whether accessors or a Draco stream hold them.

use glam::{Vec2, Vec3, Vec4};

use super::accessor::IntegerConversion;
use super::document::Document;
use super::draco::DecodedPrimitive;
use super::error::{GltfError, Notes, invalid};
use super::json::Primitive;
use super::topology::Mode;
use crate::limits;

/// One set of up to four joints a vertex.
#[derive(Clone, Debug)]
pub(super) struct Influence {
    pub joints: Vec<[u32; 4]>,
    pub weights: Vec<[f32; 4]>,
}

/// Most joint sets per vertex; the format has no bound, exporters use at most two.
const MAX_JOINT_SETS: usize = 4;

/// Where a primitive's attributes come from.
pub(super) struct AttributeSource<'s> {
    document: &'s Document<'s>,
    json: &'s Primitive,
    draco: Option<DecodedPrimitive<'s>>,
}

impl<'s> AttributeSource<'s> {
    /// Decompresses what is compressed. The primitive has positions.
    pub fn open(document: &'s Document, json: &'s Primitive, notes: &mut Notes) -> Result<Self, GltfError> {
        let compressed = json.extensions.as_ref().and_then(|extensions| extensions.draco.as_ref());
        let draco = match compressed.map(|compressed| DecodedPrimitive::read(document, compressed)) {
            None => None,
            Some(Ok(decoded)) => Some(decoded),
            // If the extension is optional, the accessors have uncompressed bytes. A few failures may be an unusual
            // encoder; hundreds are an attempt to keep the decoder busy.
            Some(Err(error)) if has_uncompressed_copy(document, json) && document.tolerate_failure() => {
                notes.add(format!("{error}; the uncompressed copy is read"));
                None
            }
            Some(Err(error)) => return Err(error),
        };
        Ok(Self { document, json, draco })
    }

    /// Number of vertices.
    pub fn count(&self) -> Result<usize, GltfError> {
        match &self.draco {
            Some(draco) if draco.has("POSITION") => Ok(draco.count()),
            _ => self.document.count(self.accessor("POSITION")?),
        }
    }

    pub fn positions(&self) -> Result<Vec<Vec3>, GltfError> {
        let list =
            self.floats::<3>("POSITION", IntegerConversion::AsDeclared).map_err(|f| f.context("POSITION"))?;
        Ok(list.into_iter().map(Vec3::from).collect())
    }

    /// Triangles; their indices are unchecked.
    pub fn faces(&self, mode: Mode) -> Result<Vec<[u32; 3]>, GltfError> {
        if let Some(draco) = &self.draco {
            return Ok(draco.faces());
        }
        let bounded = |corners| match mode.n_faces(corners) {
            n if n > limits::FACES => Err(GltfError::too_large("number of triangles", n, limits::FACES)),
            _ => Ok(()),
        };
        match self.json.indices {
            Some(accessor) => {
                bounded(self.document.count(accessor.0)?)?;
                let indices = self.document.integers::<1>(accessor.0).map_err(|f| f.context("indices"))?;
                Ok(mode.faces(indices.len(), |i| indices[i][0]))
            }
            None => {
                let count = self.count()?;
                bounded(count)?;
                Ok(mode.faces(count, |i| i as u32))
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.json.attributes.contains_key(name)
    }

    fn accessor(&self, name: &str) -> Result<usize, GltfError> {
        let accessor = self.json.attributes.get(name);
        accessor.map(|accessor| accessor.0).ok_or_else(|| invalid("no such attribute"))
    }

    fn width(&self, name: &str) -> Result<usize, GltfError> {
        match &self.draco {
            Some(draco) if draco.has(name) => draco.width(name),
            _ => self.document.width(self.accessor(name)?),
        }
    }

    fn floats<const N: usize>(
        &self,
        name: &str,
        integers: IntegerConversion,
    ) -> Result<Vec<[f32; N]>, GltfError> {
        let accessor = self.accessor(name)?;
        match &self.draco {
            Some(draco) if draco.has(name) => {
                let declared = self.document.root.accessors.get(accessor).is_some_and(|json| json.normalized);
                draco.floats(name, declared || integers == IntegerConversion::Normalized)
            }
            _ => {
                // Checked before the list is allocated.
                let (found, count) = (self.document.count(accessor)?, self.count()?);
                if found != count {
                    return Err(invalid(format!("{found} values for {count} vertices")));
                }
                self.document.floats(accessor, integers)
            }
        }
    }

    fn joints(&self, name: &str) -> Result<Vec<[u32; 4]>, GltfError> {
        match &self.draco {
            Some(draco) if draco.has(name) => {
                let list = draco.floats::<4>(name, false)?;
                Ok(list.into_iter().map(|joints| joints.map(|j| j as u32)).collect())
            }
            _ => self.document.integers(self.accessor(name)?),
        }
    }
}

fn has_uncompressed_copy(document: &Document, json: &Primitive) -> bool {
    let accessor = json.attributes.get("POSITION").and_then(|a| document.root.accessors.get(a.0));
    accessor.is_some_and(|accessor| accessor.buffer_view.is_some())
}

/// Reads optional attributes: an invalid one causes a note, not an error.
pub(super) struct OptionalAttributes<'a, 's> {
    pub source: &'a AttributeSource<'s>,
    pub count: usize,
    pub notes: &'a mut Notes,
}

impl OptionalAttributes<'_, '_> {
    pub fn vectors(&mut self, name: &str) -> Option<Vec<Vec3>> {
        let list = self.floats::<3>(name, IntegerConversion::AsDeclared)?;
        Some(list.into_iter().map(Vec3::from).collect())
    }

    pub fn uvs(&mut self, set: usize) -> Option<Vec<Vec2>> {
        let list = self.floats::<2>(&format!("TEXCOORD_{set}"), IntegerConversion::AsDeclared)?;
        let uvs = list.into_iter().map(Vec2::from);
        // One invalid coordinate must not cost the whole texture.
        Some(uvs.map(|uv| if uv.is_finite() { uv } else { Vec2::ZERO }).collect())
    }

    pub fn colors(&mut self) -> Option<Vec<Vec4>> {
        let name = "COLOR_0";
        let colors: Vec<Vec4> = if self.source.width(name).is_ok_and(|width| width == 3) {
            let list = self.floats::<3>(name, IntegerConversion::Normalized)?;
            list.into_iter().map(|[r, g, b]| Vec4::new(r, g, b, 1.0)).collect()
        } else {
            self.floats::<4>(name, IntegerConversion::Normalized)?.into_iter().map(Vec4::from).collect()
        };
        Some(colors.into_iter().map(|c| if c.is_finite() { c } else { Vec4::ONE }).collect())
    }

    pub fn influences(&mut self) -> Vec<Influence> {
        let mut influences = Vec::new();
        for set in 0..MAX_JOINT_SETS {
            let (joints, weights) = (format!("JOINTS_{set}"), format!("WEIGHTS_{set}"));
            if !self.source.has(&joints) {
                break;
            }
            let read = self.source.joints(&joints).and_then(|joints| {
                let weights = self.source.floats::<4>(&weights, IntegerConversion::Normalized)?;
                Ok(Influence { joints, weights })
            });
            match read {
                Ok(influence) if influence.joints.len() == self.count => influences.push(influence),
                Ok(_) => self.notes.add(format!("{joints} is left out: not one value a vertex")),
                Err(error) => self.notes.add(format!("{joints} is left out: {error}")),
            }
        }
        influences
    }

    fn floats<const N: usize>(&mut self, name: &str, integers: IntegerConversion) -> Option<Vec<[f32; N]>> {
        if !self.source.has(name) {
            return None;
        }
        match self.source.floats(name, integers) {
            Ok(list) if list.len() == self.count => Some(list),
            Ok(list) => {
                self.notes.add(format!(
                    "{name} is left out: {} values for {} vertices",
                    list.len(),
                    self.count
                ));
                None
            }
            Err(error) => {
                self.notes.add(format!("{name} is left out: {error}"));
                None
            }
        }
    }
}
