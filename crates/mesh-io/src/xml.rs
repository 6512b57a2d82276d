//! XML documents with bounds: children by name, numbers, references by id.

use std::collections::HashMap;

use roxmltree::{Document, Node, ParsingOptions};

use crate::text;

/// Most XML nodes: each takes some 100 bytes of memory.
const MAX_XML_NODES: u32 = 20_000_000;
/// Nodes that a small file may have, too.
const FEW_XML_NODES: u32 = 1_000_000;

/// Parses a document of a file of `file_bytes`: no more nodes than bytes, because a compressed document may expand without bound.
pub(super) fn parse(xml: &str, file_bytes: usize) -> Result<Document<'_>, roxmltree::Error> {
    let in_proportion = u32::try_from(file_bytes).unwrap_or(u32::MAX).max(FEW_XML_NODES);
    let options =
        // X3D files name their DTD; entities are expanded within bounds of the parser.
        ParsingOptions { nodes_limit: in_proportion.min(MAX_XML_NODES), allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(xml, options)
}

/// Declares prefixes of namespaces that the document uses without a declaration, as some writers of 3MF do.
pub(super) fn declare_prefixes(mut xml: String, file_bytes: usize) -> String {
    /// More than any file has.
    const MAX_PREFIXES: usize = 8;
    for _ in 0..MAX_PREFIXES {
        let Err(roxmltree::Error::UnknownNamespace(prefix, _)) = parse(&xml, file_bytes) else { break };
        // Right after the name of the root element.
        let root = xml
            .match_indices('<')
            .map(|(at, _)| at + 1)
            .find(|&at| xml[at..].starts_with(char::is_alphabetic));
        let end =
            root.and_then(|root| Some(root + xml[root..].find(|c: char| c.is_whitespace() || c == '>')?));
        let Some(end) = end else { break };
        xml.insert_str(end, &format!(" xmlns:{prefix}=\"undeclared\""));
    }
    xml
}

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

/// A number of an attribute.
pub(super) fn number(node: Node, attribute: &str) -> Option<f64> {
    text::number(node.attribute(attribute)?.trim().as_bytes())
}

/// An index of an attribute.
pub(super) fn index(node: Node, attribute: &str) -> Option<usize> {
    node.attribute(attribute)?.trim().parse().ok()
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
