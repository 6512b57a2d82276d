//! [EXT_meshopt_compression] and KHR_meshopt_compression: the three codecs and the four filters of the extension's appendices
//! A and B.
//!
//! [EXT_meshopt_compression]: https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Vendor/EXT_meshopt_compression

mod cursor;
mod filter;
mod index;
mod vertex;

use self::filter::Filter;
use super::error::{GltfError, invalid, quoted};
use super::json::Meshopt;

/// Decodes one buffer view to `count × byteStride` bytes. The caller bounds that product.
pub(super) fn decode(json: &Meshopt, source: &[u8]) -> Result<Vec<u8>, GltfError> {
    let (count, stride) = (json.count.0, json.byte_stride.0);
    let filter = Filter::parse(json.filter.as_deref(), stride)?;
    let decoded = match json.mode.as_str() {
        "ATTRIBUTES" if stride == 0 || stride > 256 || !stride.is_multiple_of(4) => {
            return Err(invalid(format!("meshopt: expected a stride of 4, 8 … 256, found {stride}")));
        }
        "ATTRIBUTES" => {
            let mut bytes = vertex::decode(source, count, stride)?;
            filter.apply(&mut bytes, stride);
            return Ok(bytes);
        }
        "TRIANGLES" if !count.is_multiple_of(3) => {
            return Err(invalid(format!("meshopt: {count} indices make no whole triangles")));
        }
        "TRIANGLES" => index::decode_triangles(source, count)?,
        "INDICES" => index::decode_sequence(source, count)?,
        other => return Err(invalid(format!("meshopt: unknown mode {}", quoted(other)))),
    };
    match stride {
        2 => Ok(decoded.iter().flat_map(|&index| (index as u16).to_le_bytes()).collect()),
        4 => Ok(decoded.iter().flat_map(|&index| index.to_le_bytes()).collect()),
        other => Err(invalid(format!("meshopt: expected indices of 2 or 4 bytes, found {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;
    use crate::gltf::json::NonNegativeInt;

    /// 64-bit FNV-1a.
    fn hash(bytes: &[u8]) -> String {
        let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
    }

    #[test]
    fn decodes_what_the_reference_encodes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mesh-io/meshopt.json");
        let cases: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in &cases {
            let text = |key: &str| case[key].as_str().unwrap().to_owned();
            let number = |key: &str| NonNegativeInt(case[key].as_u64().unwrap() as usize);
            let source = base64::prelude::BASE64_STANDARD.decode(text("encoded")).unwrap();
            let json = Meshopt {
                buffer: NonNegativeInt(0),
                byte_offset: NonNegativeInt(0),
                byte_length: NonNegativeInt(source.len()),
                byte_stride: number("stride"),
                count: number("count"),
                mode: text("mode"),
                filter: Some(text("filter")),
            };
            let decoded = decode(&json, &source).unwrap();
            assert_eq!(hash(&decoded), text("decoded_fnv1a"), "{}: {:?}", text("name"), &decoded[..16]);
            for cut in 0..source.len() {
                assert!(decode(&json, &source[..cut]).is_err(), "{} cut at {cut}", text("name"));
            }
        }
        assert_eq!(cases.len(), 17);
    }
}
