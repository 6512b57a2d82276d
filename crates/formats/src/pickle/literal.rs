//! String and integer literals of the protocols.

use super::Node;

/// Protocol 0 writes a string in Latin-1, and characters beyond as `\u` with four or `\U` with eight digits.
pub(super) fn unescaped(line: &[u8]) -> String {
    let mut text = String::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        let digits = match (line[at], line.get(at + 1)) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => 0,
        };
        let code = line.get(at + 2..at + 2 + digits).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| char::from_u32(u32::from_str_radix(hex, 16).ok()?)).filter(|_| digits > 0) {
            Some(c) => {
                text.push(c);
                at += 2 + digits;
            }
            None => {
                text.push(char::from(line[at]));
                at += 1;
            }
        }
    }
    text
}

/// The bytes of a string literal of Python 2, given without its quotes.
pub(super) fn unquoted(line: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        let step = match (line[at], line.get(at + 1)) {
            (b'\\', Some(b'x')) => {
                let hex = line.get(at + 2..at + 4).and_then(|hex| std::str::from_utf8(hex).ok());
                bytes.push(hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(b'?'));
                4
            }
            (b'\\', Some(other)) => {
                bytes.push(match other {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => *other,
                });
                2
            }
            (byte, _) => {
                bytes.push(byte);
                1
            }
        };
        at += step;
    }
    bytes
}

/// A decimal integer; long integers of Python 2 end in `L`.
pub(super) fn decimal(line: &str) -> Result<Node, String> {
    let digits = line.trim_end_matches('L');
    let magnitude = digits.strip_prefix('-').unwrap_or(digits);
    match digits.parse() {
        Ok(value) => Ok(Node::Int(value)),
        Err(_) if !magnitude.is_empty() && magnitude.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Node::BigInt)
        }
        Err(_) => Err(format!("invalid integer literal {line:?}")),
    }
}

/// A little-endian integer of any length, two's complement.
pub(super) fn long(bytes: &[u8]) -> Node {
    if bytes.len() > 8 {
        return Node::BigInt;
    }
    let sign = if bytes.last().is_some_and(|top| *top >= 0x80) { 0xff } else { 0 };
    let mut padded = [sign; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    Node::Int(i64::from_le_bytes(padded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_integers() {
        assert_eq!(unescaped(b"a\xe4\\u0416\\U0001F600\\u12"), "a\u{e4}\u{416}\u{1F600}\\u12");
        assert_eq!(unquoted(b"a\\x00\\n\\\\\\'"), b"a\0\n\\'");
        for (line, expected) in
            [("-3", Node::Int(-3)), ("12L", Node::Int(12)), ("99999999999999999999L", Node::BigInt)]
        {
            assert_eq!(decimal(line), Ok(expected));
        }
        assert!(["", "-", "L", "1.5", "x"].iter().all(|line| decimal(line).is_err()));
        assert_eq!((long(b""), long(b"\xfe"), long(&[1; 9])), (Node::Int(0), Node::Int(-2), Node::BigInt));
    }
}
