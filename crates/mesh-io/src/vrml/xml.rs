//! The XML syntax of X3D: elements are nodes, attributes are fields.

use roxmltree::Node;

use super::node::MAX_DEPTH;
use super::node::{Field, NodeId, Tree};
use crate::xml;

/// Parses a document.
pub(super) fn parse(text: &str, file_bytes: usize) -> Result<Tree, String> {
    let document = xml::parse(text, file_bytes).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if !root.tag_name().name().eq_ignore_ascii_case("X3D") {
        return Err(format!("expected the element X3D, found {}", root.tag_name().name()));
    }
    let mut tree = Tree::default();
    let scene = root.children().find(|child| child.tag_name().name().eq_ignore_ascii_case("Scene"));
    for element in scene.into_iter().flat_map(|scene| scene.children()).filter(Node::is_element) {
        let node = add(&mut tree, element, 0);
        tree.roots.extend(node);
    }
    Ok(tree)
}

fn add(tree: &mut Tree, element: Node, depth: usize) -> Option<NodeId> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some(name) = element.attribute("USE") {
        return tree.named(name);
    }
    let kind = element.tag_name().name();
    if matches!(kind, "ProtoDeclare" | "ExternProtoDeclare" | "ProtoInstance") {
        tree.notes.push(format!("{kind} is not read"));
        return None;
    }
    let node = tree.push(kind, element.attribute("DEF").map(str::to_owned));
    for attribute in element.attributes() {
        tree.set(node, attribute.name().to_owned(), Field::Written(attribute.value().to_owned()));
    }
    for child in element.children().filter(Node::is_element) {
        let field = child.attribute("containerField").unwrap_or_else(|| container(child.tag_name().name()));
        if let Some(id) = add(tree, child, depth + 1) {
            tree.set(node, field.to_owned(), Field::Nodes(vec![id]));
        }
    }
    Some(node)
}

/// The field of its parent that a node is in, where it does not say.
fn container(kind: &str) -> &'static str {
    match kind {
        "Appearance" => "appearance",
        "Material" | "PhysicalMaterial" | "UnlitMaterial" => "material",
        "ImageTexture" | "PixelTexture" | "MovieTexture" | "MultiTexture" => "texture",
        "TextureTransform" => "textureTransform",
        "Coordinate" | "CoordinateDouble" => "coord",
        "Color" | "ColorRGBA" => "color",
        "Normal" => "normal",
        "TextureCoordinate" => "texCoord",
        "Box" | "Sphere" | "Cone" | "Cylinder" | "Text" | "Extrusion" | "ElevationGrid" => "geometry",
        kind if kind.ends_with("Set") || kind.ends_with("2D") => "geometry",
        _ => "children",
    }
}
