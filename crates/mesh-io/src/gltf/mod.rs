//! glTF 2.0 and GLB, after the Khronos [specification] 2.0.1 and the extensions that real files use.
//!
//! Everything in a file is untrusted. Offsets, lengths and counts are checked before memory is allocated for them
//! ([`document`], [`accessor`]), node edges are followed once ([`nodes`]), and the total over all instances is
//! checked against the [limits](crate::limits) before any is created ([`scene_builder`]).
//!
//! [specification]: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html

mod accessor;
mod attribute;
mod container;
mod deform;
mod document;
mod draco;
mod error;
mod extension;
mod json;
mod ktx2;
mod material;
mod meshopt;
mod nodes;
mod primitive;
mod scene_builder;
mod texture;
mod topology;
mod uri;

use std::io::{self, BufRead};
use std::path::Path;

use self::document::Document;
pub(super) use self::draco::decode_limits as draco_limits;
pub(super) use self::error::catch_decoder_panic;
use self::error::{GltfError, Notes};
use self::json::Root;
use self::nodes::Hierarchy;
use self::scene_builder::SceneBuilder;
use crate::ReadError;
use crate::sidecar::Sidecars;
use lexiform_geometry::Scene;

/// Reads a glTF or GLB file; referenced files are looked up in the folder of `path`.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Scene, ReadError> {
    load(path, bytes).map_err(|error| error.into_read_error(path))
}

/// Longest JSON text that is searched for the names of other files.
const SEARCHED_JSON_BYTES: u64 = 256 << 20;

/// Buffers and images in files of their own.
pub(super) fn sidecars(content: impl BufRead, sidecars: &mut Sidecars) -> io::Result<()> {
    let json = container::read_json(content, SEARCHED_JSON_BYTES)?;
    let Ok(root) = Root::parse(&json) else { return Ok(()) };
    let buffers = root.buffers.iter().filter_map(|buffer| buffer.uri.as_deref());
    let images = root.images.iter().filter_map(|image| image.uri.as_deref());
    buffers.chain(images).filter_map(uri::sidecar).for_each(|sidecar| sidecars.push(sidecar));
    Ok(())
}

fn load(path: &Path, bytes: &[u8]) -> Result<Scene, GltfError> {
    let document = Document::open(path, bytes)?;
    let mut notes = Notes::default();
    extension::check_required(&document.root, &mut notes)?;
    let hierarchy = Hierarchy::new(&document.root.nodes, &mut notes)?;
    let placements = hierarchy.placements(&document, &mut notes)?;
    let mut scene_builder = SceneBuilder::new(&document, &hierarchy, notes);
    for placement in &placements {
        scene_builder.place(placement)?;
    }
    let groups = hierarchy.group_names(&document.root.nodes, &placements);
    Ok(Scene { groups, ..scene_builder.finish()? })
}
