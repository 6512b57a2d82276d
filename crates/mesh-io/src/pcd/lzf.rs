//! [LZF] decompression for PCD files: literals, and references to at most 8 KiB back.
//!
//! [LZF]: http://software.schmorp.de/pkg/liblzf.html

/// Largest output of one reference per its three bytes.
const MAX_EXPANSION: usize = 264 / 3 + 1;

/// Decompresses to exactly `size` bytes. `Err` says what is wrong.
pub(super) fn decompress(input: &[u8], size: usize) -> Result<Vec<u8>, String> {
    if size > input.len().saturating_mul(MAX_EXPANSION) {
        return Err(format!("{} compressed bytes cannot hold {size}", input.len()));
    }
    let mut output = Vec::with_capacity(size);
    let mut rest = input;
    let mut take = |n: usize| {
        let taken = rest.get(..n).ok_or("compressed data ends early")?;
        rest = &rest[n..];
        Ok::<_, &str>(taken)
    };
    // The top three bits of a control byte are a length; 0 means literals.
    while output.len() < size {
        let control = take(1)?[0] as usize;
        if control < 32 {
            output.extend_from_slice(take(control + 1)?);
            continue;
        }
        let mut length = control >> 5;
        // Lengths of 7 and more continue in another byte.
        if length == 7 {
            length += take(1)?[0] as usize;
        }
        let back = ((control & 31) << 8) + take(1)?[0] as usize + 1;
        let start = output.len().checked_sub(back).ok_or("compressed data refers to before its start")?;
        // Source and target may overlap, which encodes runs.
        for i in start..start + length + 2 {
            output.push(output[i]);
        }
    }
    if output.len() == size { Ok(output) } else { Err("compressed data is longer than declared".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_references_and_runs() {
        assert_eq!(decompress(&[1, b'a', b'b', 0x20, 1], 5).unwrap(), b"ababa");
        assert_eq!(decompress(&[0, b'x', 0xE0, 0, 0], 10).unwrap(), b"xxxxxxxxxx");
        assert!(decompress(&[0x20, 5], 3).is_err());
        assert!(decompress(&[0], 1 << 30).is_err());
    }
}
