//! Texts as protocol 0 writes them.

/// Protocol 0 writes a text with one byte a character, and `\u` with four or `\U` with eight digits for those beyond.
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

/// The bytes of a Python 2 literal without its quotes.
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
