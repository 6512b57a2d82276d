//! Writing a shard.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use super::durable::{hash_file, hex_digest, partial_path, rename_durably};
use super::layout::sidecar_of;
use super::row::Span;
use super::scan::{TAR_BLOCK, read_shapes};
use super::sidecar::SidecarWriter;
use super::{IndexRow, MemberEntry, ShardEntry};
use crate::shape::{MAX_MEMBER_NAME, METADATA};
use crate::{DataError, Shape};

/// A shard to which shapes are added.
pub(crate) struct ShardWriter {
    path: PathBuf,
    file: fs::File,
    hasher: Sha256,
    bytes: u64,
    rows: Vec<IndexRow>,
}

impl ShardWriter {
    /// An empty shard that gets the name `path` when it is closed.
    pub fn create(path: &Path) -> Result<Self, DataError> {
        let file = fs::File::create(partial_path(path))?;
        Ok(Self { path: path.to_owned(), file, hasher: Sha256::new(), bytes: 0, rows: Vec::new() })
    }

    /// Resumes a shard that an earlier run did not finish: complete shapes are kept, the rest is truncated.
    pub fn recover(path: &Path) -> Result<Self, DataError> {
        let partial = partial_path(path);
        let mut rows: Vec<IndexRow> = Vec::new();
        let mut whole = true;
        // The end is expected to be cut off; the shapes before it are kept.
        let _ = read_shapes(fs::File::open(&partial)?, path, |scanned| {
            // A gap means that the file is not what this program wrote.
            let follows = scanned.row.offset == rows.last().map_or(0, |row| row.offset + row.size);
            whole &= follows && scanned.damaged_member().is_none();
            if whole {
                rows.push(scanned.row);
            }
            Ok(())
        });
        let bytes = rows.last().map_or(0, |row| row.offset + row.size);
        let hasher = hash_file(&partial, bytes)?;
        let mut file = fs::OpenOptions::new().write(true).open(&partial)?;
        file.set_len(bytes)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(bytes))?;
        Ok(Self { path: path.to_owned(), file, hasher, bytes, rows })
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn rows(&self) -> &[IndexRow] {
        &self.rows
    }

    /// Appends a shape in one write.
    pub fn push(&mut self, mut shape: Shape) -> Result<(), DataError> {
        let sums = shape.members.iter().map(|m| (m.name.clone(), crc32fast::hash(&m.bytes)));
        shape.metadata.crc32 = sums.collect();
        let metadata =
            serde_json::to_vec(&shape.metadata).map_err(|error| DataError::invalid(&self.path, error))?;
        let mut group = Vec::new();
        let mut entries = Vec::new();
        let json = [(METADATA, &metadata)];
        for (name, content) in shape.members.iter().map(|m| (m.name.as_str(), &m.bytes)).chain(json) {
            self.append(&mut group, shape.key.as_str(), name, content)?;
            // The content ends at the last multiple of the block size.
            let start = self.bytes + group.len() as u64 - (content.len() as u64).next_multiple_of(TAR_BLOCK);
            entries.push(MemberEntry {
                name: name.to_owned(),
                offset: start,
                size: content.len() as u64,
                crc32: crc32fast::hash(content),
            });
        }
        self.file.write_all(&group)?;
        self.hasher.update(&group);
        let shard = self.path.file_name().unwrap_or_default().to_string_lossy();
        let span = Span { offset: self.bytes, size: group.len() as u64 };
        self.rows.push(IndexRow::new(shape.key.as_str().to_owned(), &shard, span, entries, &shape.metadata));
        self.bytes += group.len() as u64;
        Ok(())
    }

    /// Appends header, content and padding of a member.
    fn append(&self, group: &mut Vec<u8>, key: &str, name: &str, content: &[u8]) -> Result<(), DataError> {
        if name.len() > MAX_MEMBER_NAME || name.is_empty() {
            return Err(DataError::invalid(&self.path, format!("{name:?} is not a valid member name")));
        }
        // ustar limits names to 100 bytes, which the limits of keys and member names guarantee.
        let mut header = tar::Header::new_ustar();
        header.set_path(format!("{key}.{name}"))?;
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        // The bytes must not depend on user and time.
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        group.extend(header.as_bytes());
        group.extend(content);
        group.resize(group.len().next_multiple_of(TAR_BLOCK as usize), 0);
        Ok(())
    }

    /// Closes the shard: writes the sidecar, then renames the shard.
    pub fn close(mut self) -> Result<ShardEntry, DataError> {
        // Two zero blocks mark the end of a tar archive.
        let end = [0; 2 * TAR_BLOCK as usize];
        self.file.write_all(&end)?;
        self.hasher.update(end);
        // Before the rename: after a power loss a `.tar` must not be empty.
        self.file.sync_all()?;
        let entry = ShardEntry {
            file: self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bytes: self.bytes + end.len() as u64,
            shapes: self.rows.len() as u64,
            sha256: hex_digest(self.hasher),
        };
        write_sidecar(&self.path, &entry, self.rows)?;
        rename_durably(&partial_path(&self.path), &self.path)?;
        Ok(entry)
    }
}

fn write_sidecar(shard: &Path, entry: &ShardEntry, rows: Vec<IndexRow>) -> Result<(), DataError> {
    let mut sidecar = SidecarWriter::create(&sidecar_of(shard), Some(entry))?;
    rows.into_iter().try_for_each(|row| sidecar.push(row))?;
    sidecar.finish()
}
