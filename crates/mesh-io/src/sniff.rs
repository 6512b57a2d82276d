//! Format detection by extension and first bytes.

use std::path::Path;

use crate::{Format, ReadError, text};

/// A format, and a note if the extension is of another.
pub(super) struct DetectedFormat {
    pub format: Format,
    pub note: Option<String>,
}

/// Detects the format of a file. Unambiguous content takes precedence over the extension.
pub(super) fn format(path: &Path, bytes: &[u8]) -> Result<DetectedFormat, ReadError> {
    let named = Format::from_path(path);
    let certain = from_content(bytes);
    match (named, certain) {
        (Some(named), Some(certain)) if !same_format_family(named, certain) => Ok(DetectedFormat {
            format: certain,
            note: Some(format!("named like {}, but the content is {}", named.name(), certain.name())),
        }),
        (Some(format), _) | (None, Some(format)) => Ok(DetectedFormat { format, note: None }),
        (None, None) => {
            let ending =
                path.extension().map_or("no file name ending".to_owned(), |e| format!(".{}", e.display()));
            Err(ReadError::UnknownFormat { path: path.to_owned(), found: ending })
        }
    }
}

fn same_format_family(a: Format, b: Format) -> bool {
    a == b || matches!((a, b), (Format::Las | Format::Laz, Format::Las | Format::Laz))
}

impl Format {
    /// The format that the first bytes of a file prove; some formats, such as OBJ, have nothing that does.
    pub fn from_content(content: &[u8]) -> Option<Self> {
        from_content(&text::without_byte_order_mark(content))
    }
}

/// The format that the first bytes prove.
fn from_content(bytes: &[u8]) -> Option<Format> {
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    let start = head.trim_ascii_start();
    let line = text::lines(start).next().map_or(&[][..], |(_, line)| line.trim_ascii());
    // Magic numbers first: they are unambiguous.
    match head {
        [b'g', b'l', b'T', b'F', 1 | 2, 0, 0, 0, ..] => return Some(Format::Glb),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => return Some(Format::Npy),
        [b'L', b'A', b'S', b'F', ..] => return Some(Format::Las),
        [b'D', b'R', b'A', b'C', b'O', ..] => return Some(Format::Drc),
        _ if head.starts_with(b"PXR-USDC") || head.starts_with(b"#usda ") => return Some(Format::Usd),
        [b'V', b'O', b'X', b' ', ..] => return Some(Format::Vox),
        _ if head.starts_with(b"ASTM-E57") => return Some(Format::E57),
        _ if head.starts_with(b"Kaydara FBX Binary  ") => return Some(Format::Fbx),
        [b'P', b'K', 3, 4, ..] if text::find(head, b".npy").is_some() => return Some(Format::Npz),
        _ => {}
    }
    if line.eq_ignore_ascii_case(b"ply") {
        return Some(Format::Ply);
    }
    if is_off(line) {
        return Some(Format::Off);
    }
    if start.starts_with(b"# .PCD")
        || (start.starts_with(b"VERSION") && text::find(head, b"FIELDS").is_some())
    {
        return Some(Format::Pcd);
    }
    if start.starts_with(b"; FBX") || text::find(head, b"FBXHeaderExtension:").is_some() {
        return Some(Format::Fbx);
    }
    if start.starts_with(b"#VRML") || start.starts_with(b"#X3D") {
        return Some(Format::X3d);
    }
    if start.starts_with(b"<") {
        let roots: [(&[u8], Format); 3] =
            [(b"<COLLADA", Format::Dae), (b"<X3D", Format::X3d), (b"<amf", Format::Amf)];
        let found = roots.into_iter().find(|(root, _)| text::find(head, root).is_some());
        if let Some((_, format)) = found {
            return Some(format);
        }
    }
    if start.starts_with(b"{") && text::find(head, b"\"asset\"").is_some() {
        return Some(Format::Gltf);
    }
    // Binary STL may begin with "solid" too, but has no facet keyword.
    let solid = start.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"solid "));
    (solid && text::find(head, b"facet").is_some()).then_some(Format::Stl)
}

/// `OFF`, `COFF`, `STCN4OFF`, with or without counts glued to it.
fn is_off(line: &[u8]) -> bool {
    let Some(at) = text::find(&line[..line.len().min(9)], b"OFF") else { return false };
    let rest = &line[at + 3..];
    line[..at].iter().all(|b| b"STCN4n".contains(b))
        && rest.iter().all(|b| b.is_ascii_digit() || b.is_ascii_whitespace() || b"BINARY#".contains(b))
}
