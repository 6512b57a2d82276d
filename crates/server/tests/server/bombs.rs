//! Small uploads that would be large: images, archives and meshes.

use std::time::{Duration, Instant};

use crate::support::Models;

/// Longest time for any of these uploads, on a busy machine.
const TIME: Duration = Duration::from_secs(30);
/// What any of these uploads may take of memory. Each would be a gigabyte or more.
const MEMORY: u64 = 700 << 20;
/// Bytes that the compressed ones expand to.
const EXPANDED: usize = 2 << 30;

#[test]
fn bombs_are_refused_in_bounded_time_and_memory() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let zeros = zeros_deflated(EXPANDED);
    let before = peak_memory();
    for (name, content) in [
        ("image.png", png(&zeros)),
        ("shape.3mf", zip("3D/3dmodel.model", &zeros)),
        ("shape.usdz", zip("shape.usdc", &zeros)),
        ("shapes.zip", zip("shape.obj", &zeros)),
        ("shape.stl", [&[0; 80][..], &u32::MAX.to_le_bytes(), &[0; 50]].concat()),
        ("shape.ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\nproperty float y\nproperty float z\nend_header\n\0\0\0\0".to_vec()),
        ("shape.gltf", gltf()),
    ] {
        let started = Instant::now();
        let reply = server.send("POST", &format!("/v1/uploads?name={name}"), &[], &content);
        let body = String::from_utf8_lossy(&reply.body);
        // Of a file that ends too early, the part before may be shown.
        assert!(matches!(reply.status, 201 | 413 | 422), "{name}: {} {body}", reply.status);
        assert!(started.elapsed() < TIME, "{name}: {:?}", started.elapsed());
        let grown = peak_memory().saturating_sub(before);
        assert!(grown < MEMORY, "{name}: {} MB", grown >> 20);
    }
    assert_eq!(server.get("/v1/health").status, 200);
}

/// The most memory that this process had, where the system says so, else 0.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    1024 * line.map_or(0, |rest| rest.split_whitespace().next().unwrap().parse::<u64>().unwrap())
}

/// Zeros as one block of [DEFLATE](https://www.rfc-editor.org/rfc/rfc1951) with fixed codes: one zero, then copies of 258 bytes.
fn zeros_deflated(length: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, fixed codes; the literal 0.
    bits.push(0b011, 3);
    bits.push_code(0b0011_0000, 8);
    for _ in 0..length / 258 {
        // Length 258, distance 1.
        bits.push_code(0b1100_0101, 8);
        bits.push_code(0, 5);
    }
    // End of the block.
    bits.push_code(0, 7);
    bits.push(0, 7);
    bits.bytes
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, bits: u32) {
        self.pending |= value << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// Codes have their highest bit first.
    fn push_code(&mut self, code: u32, bits: u32) {
        self.push(code.reverse_bits() >> (32 - bits), bits);
    }
}

/// A gray image of 46,000 × 46,000 pixels.
fn png(zeros: &[u8]) -> Vec<u8> {
    let size = 46_000_u32.to_be_bytes();
    let header = [&size[..], &size, &[8, 0, 0, 0, 0]].concat();
    // A zlib stream without its checksum, which nobody reaches.
    let data = [&[0x78, 0x01][..], zeros].concat();
    let chunk = |kind: &[u8], data: &[u8]| {
        let content = [kind, data].concat();
        [&(data.len() as u32).to_be_bytes()[..], &content, &crc32(&content).to_be_bytes()].concat()
    };
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &data), &chunk(b"IEND", &[])]
        .concat()
}

/// An archive with one compressed file, which is honest about its size.
fn zip(name: &str, deflated: &[u8]) -> Vec<u8> {
    let (compressed, expanded) = (deflated.len() as u32, EXPANDED as u32);
    let common = |with_comment: bool| {
        let mut header = [20_u16, 0, 8, 0, 0].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        for value in [0, compressed, expanded] {
            header.extend(u32::to_le_bytes(value));
        }
        header.extend((name.len() as u16).to_le_bytes());
        header.extend([0, 0]);
        if with_comment {
            header.extend([0; 14]);
        }
        header.extend(name.as_bytes());
        header
    };
    let local = [&b"PK\x03\x04"[..], &common(false), deflated].concat();
    let central = [&b"PK\x01\x02\x14\0"[..], &common(true)].concat();
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend((central.len() as u32).to_le_bytes());
    end.extend((local.len() as u32).to_le_bytes());
    end.extend([0, 0]);
    [local, central, end].concat()
}

/// A mesh whose accessors claim four billion corners in a buffer of twelve bytes.
fn gltf() -> Vec<u8> {
    let accessor = |kind: &str, component: u32| serde_json::json!({ "bufferView": 0, "componentType": component, "count": 4_000_000_000_u32, "type": kind });
    serde_json::json!({
        "asset": { "version": "2.0" },
        "scene": 0,
        "scenes": [{ "nodes": [0] }],
        "nodes": [{ "mesh": 0 }],
        "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 }, "indices": 1 }] }],
        "buffers": [{ "byteLength": 12, "uri": "data:application/octet-stream;base64,AAAAAAAAAAAAAAAA" }],
        "bufferViews": [{ "buffer": 0, "byteLength": 12 }],
        "accessors": [accessor("VEC3", 5126), accessor("SCALAR", 5125)],
    })
    .to_string()
    .into_bytes()
}

/// The checksum of PNG chunks.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    };
    !bytes.iter().fold(!0, step)
}
