//! ASCII [DXF]: 3D faces, polyface and polygon meshes, subdivision meshes at level 0, and inserted blocks. Lines, curves and solids of
//! the modeler (ACIS) are not read.
//!
//! [DXF]: https://help.autodesk.com/view/OARX/2024/ENU/?guid=GUID-235B22E0-A567-4CF6-92D3-38A2306D73F3

use std::collections::{BTreeMap, HashMap};

use glam::{DMat4, DVec3, Vec3, Vec4};

use crate::builder::{Polygons, pluralize};
use crate::surface::{SceneBuilder, Surface, SurfaceId};
use crate::{ReadError, color, source::Source, text};
use lexiform_geometry::Scene;

/// Blocks inside blocks; deeper ones only come from blocks that contain themselves.
const MAX_DEPTH: usize = 16;
/// Colors that are those of the layer, or of the block.
const BY_LAYER: i64 = 256;
const BY_BLOCK: i64 = 0;

/// Reads the entities of the model and of the blocks that it inserts.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    if source.bytes.starts_with(b"AutoCAD Binary DXF") {
        return Err(source.unsupported("binary DXF (save it as ASCII DXF)"));
    }
    let file = Dxf::parse(source)?;
    let mut placer =
        Placer { source, file: &file, surfaces: HashMap::new(), builder: SceneBuilder::default() };
    placer.place("", DMat4::IDENTITY, 0)?;
    let mut scene = Scene::default();
    for (kind, count) in &file.skipped {
        scene.notes.push(format!("skipped {}", pluralize(*count, &format!("{kind} entity"))));
    }
    placer.builder.build(source, &mut scene)?;
    Ok(scene)
}

/// A group code and its value.
type Group<'a> = (i64, &'a [u8]);

/// The values of an entity.
struct Entity<'a> {
    kind: &'a [u8],
    groups: Vec<Group<'a>>,
}

impl<'a> Entity<'a> {
    fn text(&self, code: i64) -> Option<&'a [u8]> {
        self.groups.iter().find(|(found, _)| *found == code).map(|(_, value)| *value)
    }

    fn number(&self, code: i64) -> Option<f64> {
        self.text(code).and_then(text::number)
    }

    fn integer(&self, code: i64) -> i64 {
        self.text(code).and_then(integer).unwrap_or(0)
    }

    /// A point: x at `code`, y and z ten and twenty above.
    fn point(&self, code: i64) -> Option<DVec3> {
        let y = self.number(code + 10).unwrap_or(0.0);
        Some(DVec3::new(self.number(code)?, y, self.number(code + 20).unwrap_or(0.0)))
    }
}

/// Faces of a block, and other blocks in it.
#[derive(Default)]
struct Block<'a> {
    positions: Vec<DVec3>,
    polygons: Polygons,
    /// Linear color of each polygon, where it has one.
    colors: Vec<Option<Vec3>>,
    inserts: Vec<(&'a [u8], DMat4)>,
}

/// Blocks by name; the model is the block without a name.
struct Dxf<'a> {
    blocks: HashMap<Vec<u8>, Block<'a>>,
    layers: HashMap<&'a [u8], i64>,
    skipped: BTreeMap<String, usize>,
}

impl<'a> Dxf<'a> {
    fn parse(source: &Source<'a>) -> Result<Self, ReadError> {
        let entities = entities(source)?;
        let mut file = Self { blocks: HashMap::new(), layers: HashMap::new(), skipped: BTreeMap::new() };
        let (mut section, mut block): (&[u8], Vec<u8>) = (b"", Vec::new());
        let mut at = 0;
        while let Some(entity) = entities.get(at) {
            at += 1;
            match entity.kind {
                b"SECTION" => section = entity.text(2).unwrap_or_default(),
                b"ENDSEC" | b"ENDBLK" => block.clear(),
                b"BLOCK" => block = entity.text(2).unwrap_or_default().to_vec(),
                b"LAYER" => {
                    // A negative color is a layer that is off, which faces ignore here.
                    let color = entity.integer(62).abs();
                    file.layers.insert(entity.text(2).unwrap_or_default(), color);
                }
                _ if section == b"ENTITIES" || section == b"BLOCKS" => {
                    let vertices = match entity.kind {
                        b"POLYLINE" => leading_vertices(&entities[at..]),
                        _ => &[],
                    };
                    file.add(&block, entity, vertices);
                    at += vertices.len();
                }
                _ => {}
            }
        }
        Ok(file)
    }

    fn add(&mut self, block: &[u8], entity: &Entity<'a>, vertices: &[Entity<'a>]) {
        let color = self.color(entity);
        let block = self.blocks.entry(block.to_vec()).or_default();
        match entity.kind {
            b"3DFACE" => {
                let ring: Vec<DVec3> = (10..14).map_while(|code| entity.point(code)).collect();
                // A triangle has its third corner twice.
                let is_triangle = ring.len() == 4 && ring[3] == ring[2];
                block.add_face(&ring[..if is_triangle { 3 } else { ring.len() }], color);
            }
            b"POLYLINE" if entity.integer(70) & 64 != 0 => block.add_polyface(vertices, color),
            b"POLYLINE" if entity.integer(70) & 16 != 0 => block.add_grid(entity, vertices, color),
            b"MESH" => block.add_mesh(entity, color),
            b"INSERT" => block.inserts.extend(entity.text(2).map(|name| (name, insertion(entity)))),
            b"SEQEND" | b"EOF" | b"ATTRIB" | b"ATTDEF" | b"VERTEX" => {}
            other => *self.skipped.entry(text::decode(other).to_ascii_uppercase()).or_default() += 1,
        }
    }

    /// The entity's true color, its index, or that of its layer.
    fn color(&self, entity: &Entity) -> Option<Vec3> {
        if let Some(rgb) = entity.text(420).and_then(integer) {
            return Some(color::from_bytes([(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8]));
        }
        let own = entity.text(62).and_then(integer).unwrap_or(BY_LAYER);
        let index =
            if own == BY_LAYER || own == BY_BLOCK { *self.layers.get(entity.text(8)?)? } else { own.abs() };
        indexed_color(index).map(color::from_bytes)
    }
}

/// The vertices that a polyline starts with.
fn leading_vertices<'e, 'a>(entities: &'e [Entity<'a>]) -> &'e [Entity<'a>] {
    let count = entities.iter().take_while(|entity| entity.kind == b"VERTEX").count();
    &entities[..count]
}

/// An integer, within bounds that sums of a few never leave.
fn integer(value: &[u8]) -> Option<i64> {
    text::integer(value).map(|value| value.clamp(-(1 << 40), 1 << 40))
}

/// Everything from one group 0 to the next.
fn entities<'a>(source: &Source<'a>) -> Result<Vec<Entity<'a>>, ReadError> {
    let mut lines = text::lines(source.bytes);
    let mut entities: Vec<Entity> = Vec::new();
    while let (Some((number, code)), Some((_, value))) = (lines.next(), lines.next()) {
        let Some(code) = text::integer(code.trim_ascii()) else {
            // A file that is broken in the middle gives what is before, which must have some entities.
            if entities.len() > 2 {
                break;
            }
            let found = text::excerpt(code);
            return Err(source.invalid(format!("line {number}: expected a group code, found {found}")));
        };
        match (code, entities.last_mut()) {
            (0, _) => entities.push(Entity { kind: value.trim_ascii(), groups: Vec::new() }),
            (_, Some(entity)) => entity.groups.push((code, value.trim_ascii())),
            _ => {}
        }
    }
    Ok(entities)
}

impl Block<'_> {
    fn add_face(&mut self, ring: &[DVec3], color: Option<Vec3>) {
        let first = self.positions.len() as i64;
        self.positions.extend(ring);
        self.polygons.push(first..first + ring.len() as i64);
        self.colors.push(color);
    }

    /// Vertices with positions, then vertices that are faces: up to four numbers from 1, negative where an edge is hidden.
    fn add_polyface(&mut self, vertices: &[Entity], color: Option<Vec3>) {
        let first = self.positions.len() as i64;
        for vertex in vertices {
            if vertex.integer(70) & 64 != 0 {
                self.positions.extend(vertex.point(10));
            } else {
                let corners = (71..75).map(|code| vertex.integer(code).abs()).filter(|&corner| corner != 0);
                self.polygons.push(corners.map(|corner| first + corner - 1));
                self.colors.push(color);
            }
        }
    }

    /// Rows of vertices, which may be closed either way.
    fn add_grid(&mut self, entity: &Entity, vertices: &[Entity], color: Option<Vec3>) {
        let first = self.positions.len() as i64;
        // Vertices of the frame of a smoothed surface are not on it.
        let points = vertices.iter().filter(|vertex| vertex.integer(70) & 16 == 0);
        self.positions.extend(points.filter_map(|vertex| vertex.point(10)));
        let available = self.positions.len() as i64 - first;
        let (rows, columns) = (entity.integer(71), entity.integer(72));
        if rows < 1 || columns < 1 || rows.checked_mul(columns).is_none_or(|count| count > available) {
            return;
        }
        let flags = entity.integer(70);
        let (last_row, last_column) =
            (rows - i64::from(flags & 1 == 0), columns - i64::from(flags & 32 == 0));
        for row in 0..last_row {
            for column in 0..last_column {
                let at = |row: i64, column: i64| first + row % rows * columns + column % columns;
                let ring =
                    [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)];
                self.polygons.push(ring);
                self.colors.push(color);
            }
        }
    }

    /// Positions, then a list of faces, each a count and as many indices.
    fn add_mesh(&mut self, entity: &Entity, color: Option<Vec3>) {
        let first = self.positions.len() as i64;
        let number = |value: &[u8]| text::number(value).unwrap_or(f64::NAN);
        let is_list = |code: i64| matches!(code, 93..=95);
        let start = entity.groups.iter().position(|(code, _)| *code == 93).unwrap_or(entity.groups.len());
        let (before, faces) = entity.groups.split_at(start);
        for &(code, value) in before {
            match (code, self.positions.last_mut()) {
                (10, _) => self.positions.push(DVec3::new(number(value), 0.0, 0.0)),
                (20, Some(last)) => last.y = number(value),
                (30, Some(last)) => last.z = number(value),
                _ => {}
            }
        }
        let list = faces.iter().skip(1).take_while(|(code, _)| !is_list(*code));
        let mut indices = list.filter(|(code, _)| *code == 90).map(|(_, value)| integer(value).unwrap_or(-1));
        while let Some(count) = indices.next().and_then(|count| usize::try_from(count).ok()) {
            self.polygons.push(indices.by_ref().take(count).map(|i| if i < 0 { i } else { i + first }));
            self.colors.push(color);
        }
    }

    fn surface(&self) -> Surface {
        let has_colors = self.colors.iter().any(Option::is_some);
        let colors = has_colors.then(|| {
            let corners = self.polygons.iter().map(|range| range.len());
            let color = |(count, color): (usize, &Option<Vec3>)| {
                std::iter::repeat_n(color.map_or(Vec4::ONE, |rgb| rgb.extend(1.0)), count)
            };
            corners.zip(&self.colors).flat_map(color).collect()
        });
        let polygons = Polygons { corners: self.polygons.corners.clone(), ends: self.polygons.ends.clone() };
        Surface { positions: self.positions.clone(), polygons, colors, ..Surface::default() }
    }
}

fn insertion(entity: &Entity) -> DMat4 {
    let scale = |code| entity.number(code).unwrap_or(1.0);
    DMat4::from_translation(entity.point(10).unwrap_or_default())
        * DMat4::from_rotation_z(entity.number(50).unwrap_or(0.0).to_radians())
        * DMat4::from_scale(DVec3::new(scale(41), scale(42), scale(43)))
}

struct Placer<'a> {
    source: &'a Source<'a>,
    file: &'a Dxf<'a>,
    surfaces: HashMap<Vec<u8>, SurfaceId>,
    builder: SceneBuilder,
}

impl Placer<'_> {
    fn place(
        &mut self,
        name: impl AsRef<[u8]>,
        world_from_block: DMat4,
        depth: usize,
    ) -> Result<(), ReadError> {
        if !self.builder.enter(depth, MAX_DEPTH) {
            return Ok(());
        }
        let Some(block) = self.file.blocks.get(name.as_ref()) else { return Ok(()) };
        if !block.polygons.ends.is_empty() {
            let surface = match self.surfaces.get(name.as_ref()) {
                Some(&known) => known,
                None => {
                    let made = self.builder.add_surface(self.source, &block.surface())?;
                    *self.surfaces.entry(name.as_ref().to_vec()).or_insert(made)
                }
            };
            let label = text::decode(name.as_ref());
            self.builder.place(self.source, surface, world_from_block, Some(&label))?;
        }
        let mut inserts = block.inserts.iter();
        inserts.try_for_each(|(name, block_from_insert)| {
            self.place(name, world_from_block * *block_from_insert, depth + 1)
        })
    }
}

/// sRGB bytes of AutoCAD's color index; `None` for 7, which is black on white and white on black.
fn indexed_color(index: i64) -> Option<[u8; 3]> {
    /// Brightness of each pair of colors of a hue; the second of a pair is mixed with gray.
    const VALUES: [f32; 5] = [255.0, 165.0, 127.0, 76.0, 38.0];
    Some(match index {
        1 => [255, 0, 0],
        2 => [255, 255, 0],
        3 => [0, 255, 0],
        4 => [0, 255, 255],
        5 => [0, 0, 255],
        6 => [255, 0, 255],
        8 => [128; 3],
        9 => [192; 3],
        10..=249 => {
            let (hue, shade) = ((index - 10) / 10, (index % 10) as usize);
            let value = VALUES[shade / 2];
            let least = if shade % 2 == 1 { value / 2.0 } else { 0.0 };
            // 24 hues in steps of 15 degrees; a channel falls and rises over 60 degrees, which are 4 steps.
            std::array::from_fn(|channel| {
                let from_peak = (hue - 8 * channel as i64).rem_euclid(24);
                let distance = from_peak.min(24 - from_peak) as f32;
                let amount = ((8.0 - distance) / 4.0).clamp(0.0, 1.0);
                (least + (value - least) * amount) as u8
            })
        }
        250..=255 => [51 + 40 * (index - 250) as u8; 3],
        _ => return None,
    })
}
