//! MagicaVoxel [VOX]: the visible faces of voxels in the colors of the palette, placed by the scene graph.
//!
//! [VOX]: https://github.com/ephtracy/voxel-model/blob/master/MagicaVoxel-file-format-vox.txt

use std::collections::{BTreeMap, HashMap, HashSet};

use glam::{DMat3, DMat4, DVec3, Vec4};

use crate::builder::pluralize;
use crate::cursor::Cursor;
use crate::surface::{SceneBuilder, Surface, SurfaceId};
use crate::{ReadError, color, source::Source, text};
use lexiform_geometry::Scene;

/// Deepest tree of nodes; deeper ones only come from nodes that contain themselves.
const MAX_DEPTH: usize = 64;
/// The six neighbors of a voxel, and the corners of the face toward each, counter-clockwise seen from outside.
const SIDES: [([i16; 3], [[i16; 3]; 4]); 6] = [
    ([1, 0, 0], [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]]),
    ([-1, 0, 0], [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]]),
    ([0, 1, 0], [[0, 1, 0], [0, 1, 1], [1, 1, 1], [1, 1, 0]]),
    ([0, -1, 0], [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]]),
    ([0, 0, 1], [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]),
    ([0, 0, -1], [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]]),
];

/// Reads all models where the scene graph has them; without one, each at its place.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let file = Vox::parse(source)?;
    let mut builder = SceneBuilder::default();
    let mut surfaces = Vec::with_capacity(file.models.len());
    for model in &file.models {
        surfaces.push(builder.add_surface(source, &model.surface(&file.palette))?);
    }
    let mut placer = Placer { source, file: &file, surfaces, builder };
    if file.nodes.contains_key(&0) {
        placer.place(0, DMat4::IDENTITY, 0)?;
    } else {
        for &surface in &placer.surfaces {
            placer.builder.place(source, surface, DMat4::IDENTITY, None)?;
        }
    }
    let mut scene = Scene::default();
    if file.is_truncated {
        scene
            .notes
            .push(format!("the file ends within a chunk, after {}", pluralize(file.models.len(), "model")));
    }
    placer.builder.build(source, &mut scene)?;
    Ok(scene)
}

/// Positions and palette indices of one model.
struct Model {
    size: [u32; 3],
    voxels: Vec<[u8; 4]>,
}

impl Model {
    /// Faces that no other voxel covers. The origin is the model's center, rounded down, as in the editor.
    fn surface(&self, palette: &[Vec4; 256]) -> Surface {
        let filled: HashSet<[i16; 3]> =
            self.voxels.iter().map(|&[x, y, z, _]| [x, y, z].map(i16::from)).collect();
        let center = DVec3::from(self.size.map(|edge| f64::from(edge / 2)));
        let mut surface = Surface::default();
        let mut vertices: HashMap<[i16; 3], i64> = HashMap::new();
        let mut colors = Vec::new();
        for &[x, y, z, index] in &self.voxels {
            let voxel = [x, y, z].map(i16::from);
            for (toward, corners) in &SIDES {
                if filled.contains(&add(voxel, *toward)) {
                    continue;
                }
                let ring = corners.map(|corner| {
                    let corner = add(voxel, corner);
                    *vertices.entry(corner).or_insert_with(|| {
                        surface.positions.push(DVec3::from(corner.map(f64::from)) - center);
                        surface.positions.len() as i64 - 1
                    })
                });
                surface.polygons.push(ring);
                colors.extend([palette[usize::from(index)]; 4]);
            }
        }
        surface.colors = Some(colors);
        surface
    }
}

fn add(a: [i16; 3], b: [i16; 3]) -> [i16; 3] {
    std::array::from_fn(|axis| a[axis] + b[axis])
}

/// A node of the scene graph.
enum Node {
    Transform { child: u32, parent_from_child: DMat4, hidden: bool },
    Group(Vec<u32>),
    Shape(Vec<u32>),
}

/// A parsed file.
struct Vox {
    models: Vec<Model>,
    /// Voxels of all models.
    voxels: u64,
    palette: [Vec4; 256],
    nodes: BTreeMap<u32, Node>,
    is_truncated: bool,
}

impl Vox {
    fn parse(source: &Source) -> Result<Self, ReadError> {
        let mut cursor = Cursor::new(source.bytes);
        if cursor.take(4) != Some(b"VOX ") {
            return Err(source.invalid("expected \"VOX \" at the start"));
        }
        let mut file = Self {
            models: Vec::new(),
            voxels: 0,
            palette: default_palette(),
            nodes: BTreeMap::new(),
            is_truncated: false,
        };
        let mut size = [0; 3];
        // The version, then the chunk MAIN, whose children are all other chunks.
        let is_whole = cursor.take(4).is_some() && cursor.take(12).is_some();
        file.is_truncated = !is_whole;
        while !cursor.is_empty() {
            let Some((id, mut content)) = chunk(&mut cursor) else {
                file.is_truncated = true;
                break;
            };
            match &id {
                b"SIZE" => size = [0; 3].map(|_: u32| content.u32().unwrap_or(0)),
                b"XYZI" => file.add_model(source, size, &mut content)?,
                b"RGBA" => file.set_palette(content.remaining()),
                b"nTRN" | b"nGRP" | b"nSHP" => {
                    if let Some((id, node)) = node(id, &mut content) {
                        file.nodes.insert(id, node);
                    }
                }
                _ => {}
            }
        }
        Ok(file)
    }

    fn add_model(&mut self, source: &Source, size: [u32; 3], content: &mut Cursor) -> Result<(), ReadError> {
        let declared = content.u32().unwrap_or(0);
        let (voxels, _) = content.remaining().as_chunks::<4>();
        let count = voxels.len().min(declared as usize);
        self.models.push(Model { size, voxels: voxels[..count].to_vec() });
        self.voxels += count as u64;
        source.check_vertices(self.voxels)?;
        Ok(())
    }

    /// Color `i` of the chunk is palette index `i + 1`.
    fn set_palette(&mut self, bytes: &[u8]) {
        let (colors, _) = bytes.as_chunks::<4>();
        for (color, &[r, g, b, _]) in self.palette[1..].iter_mut().zip(colors) {
            *color = color::from_bytes([r, g, b]).extend(1.0);
        }
    }
}

/// The palette of files without one: a cube of colors from white to black in steps of 51, blue first, then ramps of red, green,
/// blue and gray.
fn default_palette() -> [Vec4; 256] {
    const RAMP: [u8; 10] = [0xEE, 0xDD, 0xBB, 0xAA, 0x88, 0x77, 0x55, 0x44, 0x22, 0x11];
    std::array::from_fn(|index| {
        let rgb = match index {
            0 => [0; 3],
            1..=215 => [36, 6, 1].map(|step| 255 - 51 * ((index - 1) / step % 6) as u8),
            _ => {
                let (ramp, value) = ((index - 216) / 10, RAMP[(index - 216) % 10]);
                std::array::from_fn(|channel| if ramp == 3 || ramp == channel { value } else { 0 })
            }
        };
        color::from_bytes(rgb).extend(1.0)
    })
}

/// The name and content of a chunk; its children follow as if they were its siblings.
fn chunk<'a>(cursor: &mut Cursor<'a>) -> Option<([u8; 4], Cursor<'a>)> {
    let id = cursor.array()?;
    let length = cursor.u32()? as usize;
    let _length_of_children = cursor.u32()?;
    Some((id, Cursor::new(cursor.take(length)?)))
}

fn node(id: [u8; 4], content: &mut Cursor) -> Option<(u32, Node)> {
    let node = content.u32()?;
    let attributes = dictionary(content)?;
    let parsed = match &id {
        b"nTRN" => {
            let child = content.u32()?;
            // Reserved, layer, and the number of frames, of which the first counts.
            content.take(12)?;
            let frame = dictionary(content)?;
            let hidden = attributes.get(&b"_hidden"[..]).is_some_and(|value| *value == b"1");
            Node::Transform { child, parent_from_child: transform(&frame), hidden }
        }
        b"nGRP" => {
            let count = content.u32()? as usize;
            Node::Group((0..count).map_while(|_| content.u32()).collect())
        }
        _ => {
            let count = content.u32()? as usize;
            let model = |_| content.u32().filter(|_| dictionary(content).is_some());
            Node::Shape((0..count).map_while(model).collect())
        }
    };
    Some((node, parsed))
}

fn dictionary<'a>(content: &mut Cursor<'a>) -> Option<HashMap<&'a [u8], &'a [u8]>> {
    let count = content.u32()?;
    let mut string = || {
        let length = content.u32()? as usize;
        content.take(length)
    };
    let mut entries = HashMap::new();
    for _ in 0..count {
        entries.insert(string()?, string()?);
    }
    Some(entries)
}

/// `_t` is a translation; `_r` a byte with two column numbers and three signs of a permutation matrix.
fn transform(frame: &HashMap<&[u8], &[u8]>) -> DMat4 {
    let integers = |name: &[u8]| -> Vec<i64> {
        frame.get(name).map_or(Vec::new(), |value| text::fields(value).map_while(text::integer).collect())
    };
    let translation = match integers(b"_t")[..] {
        [x, y, z] => DVec3::new(x as f64, y as f64, z as f64),
        _ => DVec3::ZERO,
    };
    let rotation = integers(b"_r").first().and_then(|&bits| rotation(bits)).unwrap_or(DMat3::IDENTITY);
    DMat4::from_translation(translation) * DMat4::from_mat3(rotation)
}

fn rotation(bits: i64) -> Option<DMat3> {
    let (first, second) = ((bits & 3) as usize, (bits >> 2 & 3) as usize);
    if first > 2 || second > 2 || first == second {
        return None;
    }
    let axes = [first, second, 3 - first - second];
    let rows: [DVec3; 3] = std::array::from_fn(|row| {
        let sign = if bits >> (4 + row) & 1 == 1 { -1.0 } else { 1.0 };
        DVec3::AXES[axes[row]] * sign
    });
    Some(DMat3::from_cols(rows[0], rows[1], rows[2]).transpose())
}

/// Walks the scene graph.
struct Placer<'a> {
    source: &'a Source<'a>,
    file: &'a Vox,
    surfaces: Vec<SurfaceId>,
    builder: SceneBuilder,
}

impl Placer<'_> {
    fn place(&mut self, node: u32, world_from_node: DMat4, depth: usize) -> Result<(), ReadError> {
        if !self.builder.enter(depth, MAX_DEPTH) {
            return Ok(());
        }
        match self.file.nodes.get(&node) {
            Some(Node::Transform { hidden: true, .. }) | None => Ok(()),
            Some(Node::Transform { child, parent_from_child, .. }) => {
                self.place(*child, world_from_node * *parent_from_child, depth + 1)
            }
            Some(Node::Group(children)) => {
                children.iter().try_for_each(|&child| self.place(child, world_from_node, depth + 1))
            }
            Some(Node::Shape(models)) => {
                // More than one model are frames of an animation.
                let surface = models.first().and_then(|&model| self.surfaces.get(model as usize));
                surface.map_or(Ok(()), |&surface| {
                    self.builder.place(self.source, surface, world_from_node, None)
                })
            }
        }
    }
}
