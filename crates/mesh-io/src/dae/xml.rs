//! Elements of a COLLADA file: children by name, numbers, references by id.

use std::collections::HashMap;

use roxmltree::Node;

use crate::text;

/// First child of a name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|c| c.tag_name().name() == name)
}

/// All children of a name.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |c| c.tag_name().name() == name)
}

/// Numbers of an element's text; what is no number is NaN.
pub(super) fn numbers(node: Node) -> Vec<f64> {
    let text = node.text().unwrap_or_default();
    text.split_ascii_whitespace().map(|field| text::number(field.as_bytes()).unwrap_or(f64::NAN)).collect()
}

/// Elements by their ids.
pub(super) type ById<'a, 'i> = HashMap<&'a str, Node<'a, 'i>>;

/// The element that `attribute`, like `#name`, refers to.
pub(super) fn target<'a, 'i>(
    by_id: &ById<'a, 'i>,
    node: Node<'a, 'i>,
    attribute: &str,
) -> Option<Node<'a, 'i>> {
    by_id.get(node.attribute(attribute)?.trim_start_matches('#')).copied()
}
