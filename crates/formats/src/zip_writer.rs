//! A writer of zip archives of stored entries with 64-bit sizes, as `numpy.savez` writes them. Entries are streamed, so they may be
//! larger than memory.

use std::io::{self, Seek, SeekFrom, Write};

/// Version 4.5 of the format, the first with 64-bit sizes.
const VERSION: [u8; 2] = [45, 0];
/// The midnight with which the time of MS-DOS begins: the same bytes at any time.
const DATE: [u8; 4] = [0, 0, 0x21, 0];
/// Fields that are in the 64-bit record instead.
const IN_ZIP64: [u8; 4] = [0xFF; 4];

/// Writes an archive to any seekable file.
///
/// ```
/// use std::io::{Cursor, Write as _};
///
/// use lexiform_formats::{ZipWriter, zip};
///
/// let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
/// archive.begin("a.txt")?;
/// archive.write_all(b"hello")?;
/// let bytes = archive.finish()?.into_inner();
/// let entries = zip::entries(&&bytes[..]).expect("a directory");
/// assert_eq!(entries[0].0, "a.txt");
/// assert_eq!(entries[0].1.read(&&bytes[..], 99).expect("an entry"), b"hello");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ZipWriter<W> {
    file: W,
    at: u64,
    entries: Vec<StoredEntry>,
}

struct StoredEntry {
    name: String,
    /// Offset of its local header.
    header: u64,
    bytes: u64,
    checksum: crc32fast::Hasher,
}

impl<W: Write + Seek> ZipWriter<W> {
    /// An archive without entries at the start of `file`.
    pub fn new(file: W) -> Self {
        Self { file, at: 0, entries: Vec::new() }
    }

    /// Starts an entry; write its bytes next.
    ///
    /// # Errors
    /// If writing fails.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.complete_last()?;
        let header = self.at;
        let checksum = crc32fast::Hasher::new();
        self.entries.push(StoredEntry { name: name.to_owned(), header, bytes: 0, checksum });
        // Checksum and size are not known yet.
        let header = local_header(name, 0, 0);
        self.put(&header)
    }

    /// Writes the directory and returns the file.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.complete_last()?;
        let start = self.at;
        let directory: Vec<u8> = self.entries.iter().flat_map(directory_entry).collect();
        self.put(&directory)?;
        let end = end_of_directory(self.entries.len() as u64, directory.len() as u64, start);
        self.put(&end)?;
        self.file.flush()?;
        Ok(self.file)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Rewrites the local header of the last entry with its checksum and size.
    fn complete_last(&mut self) -> io::Result<()> {
        let Some(last) = self.entries.last() else { return Ok(()) };
        let header = local_header(&last.name, last.checksum.clone().finalize(), last.bytes);
        self.file.seek(SeekFrom::Start(last.header))?;
        self.file.write_all(&header)?;
        self.file.seek(SeekFrom::Start(self.at)).map(drop)
    }
}

impl<W: Write> Write for ZipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.at += written as u64;
        if let Some(last) = self.entries.last_mut() {
            last.bytes += written as u64;
            last.checksum.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn local_header(name: &str, checksum: u32, bytes: u64) -> Vec<u8> {
    let mut header = b"PK\x03\x04".to_vec();
    header.extend(VERSION);
    // UTF-8 names; stored.
    header.extend([0, 8, 0, 0]);
    header.extend(DATE);
    header.extend(checksum.to_le_bytes());
    header.extend([IN_ZIP64, IN_ZIP64].concat());
    header.extend((name.len() as u16).to_le_bytes());
    header.extend(20_u16.to_le_bytes());
    header.extend(name.as_bytes());
    // The 64-bit record: uncompressed and compressed size.
    header.extend([1, 0, 16, 0]);
    header.extend([bytes.to_le_bytes(), bytes.to_le_bytes()].concat());
    header
}

fn directory_entry(entry: &StoredEntry) -> Vec<u8> {
    let mut record = b"PK\x01\x02".to_vec();
    record.extend([VERSION, VERSION].concat());
    record.extend([0, 8, 0, 0]);
    record.extend(DATE);
    record.extend(entry.checksum.clone().finalize().to_le_bytes());
    record.extend([IN_ZIP64, IN_ZIP64].concat());
    record.extend((entry.name.len() as u16).to_le_bytes());
    record.extend(28_u16.to_le_bytes());
    // No comment, first disk, no attributes.
    record.extend([0; 10]);
    record.extend(IN_ZIP64);
    record.extend(entry.name.as_bytes());
    record.extend([1, 0, 24, 0]);
    for number in [entry.bytes, entry.bytes, entry.header] {
        record.extend(number.to_le_bytes());
    }
    record
}

/// The 64-bit record, its locator, and the usual record, which refers to them.
fn end_of_directory(entries: u64, bytes: u64, start: u64) -> Vec<u8> {
    let mut end = b"PK\x06\x06".to_vec();
    end.extend(44_u64.to_le_bytes());
    end.extend([VERSION, VERSION].concat());
    end.extend([0; 8]);
    for number in [entries, entries, bytes, start] {
        end.extend(number.to_le_bytes());
    }
    end.extend(b"PK\x06\x07\0\0\0\0");
    end.extend((start + bytes).to_le_bytes());
    end.extend(1_u32.to_le_bytes());
    end.extend(b"PK\x05\x06\0\0\0\0");
    end.extend([0xFF; 12]);
    end.extend([0, 0]);
    end
}
