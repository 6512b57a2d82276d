//! A checked cursor over the bytes of a pickle.

pub(super) struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Cursor<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = *bytes.ok_or("it ends too early")?;
        self.at += N;
        Ok(bytes)
    }

    pub fn length4(&mut self) -> Result<usize, String> {
        Ok(u32::from_le_bytes(self.take()?) as usize)
    }

    pub fn slice(&mut self, length: usize) -> Result<&'b [u8], String> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end =
            end.ok_or_else(|| format!("{length} bytes announced, {} left", self.bytes.len() - self.at))?;
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    pub fn line(&mut self) -> Result<&'b str, String> {
        let line = self.raw_line()?.trim_ascii_end();
        std::str::from_utf8(line).map_err(|_| "expected a line of UTF-8 text".to_owned())
    }

    /// The bytes up to the end of the line.
    pub fn raw_line(&mut self) -> Result<&'b [u8], String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or("unterminated line")?;
        self.at += length + 1;
        Ok(&rest[..length])
    }
}
