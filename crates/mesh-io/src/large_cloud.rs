//! Clouds of more points than are kept in memory: while the file is read, one point of every n is kept, and the result is read as a
//! smaller file of the same format.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::regular_file::open_regular_file;
use crate::source::Source;
use crate::thinning::{PointTable, Record, is_kept, thinning_note};
use crate::{Format, ReadError, las, limits, pcd, ply, sniff, text};

/// Least bytes of a point in any format: `0 0 0` and the end of the line.
const LEAST_POINT_BYTES: u64 = 6;
/// Bytes at the beginning of a file that are searched for a header.
const HEAD_BYTES: u64 = 1 << 20;
/// Longest line of a table of points; the rest of a longer one counts as another line.
const LINE_BYTES: u64 = 64 << 10;
/// First lines of a table that are all kept: a header, and rows by which columns are recognized.
const FIRST_LINES: u64 = 64;

/// What a reader gets of a file.
pub(super) struct FileContent {
    /// All bytes, or those of a file with fewer points.
    pub bytes: Vec<u8>,
    /// Size of the file.
    pub file_bytes: u64,
    /// What was left out.
    pub note: Option<String>,
}

/// The whole file, or of a large cloud a part of its points.
///
/// # Errors
///
/// When the file cannot be read, or is larger than [`limits::FILE_BYTES`] and no cloud.
pub(super) fn file_content(path: &Path) -> Result<FileContent, ReadError> {
    let mut file = open_regular_file(path)?;
    let file_bytes = file.metadata()?.len();
    let mut head = Vec::new();
    if may_be_large(file_bytes) {
        (&mut file).take(HEAD_BYTES).read_to_end(&mut head)?;
        if let Some(thinning) = Thinning::plan(path, &head, file_bytes) {
            return thinning.read(&head, file, file_bytes);
        }
    }
    whole_file(path, head, file, file_bytes)
}

/// Whether a file of this size can have more points than one file may have, and is not too large to be looked through.
fn may_be_large(file_bytes: u64) -> bool {
    (limits::VERTICES as u64 * LEAST_POINT_BYTES..=limits::CLOUD_FILE_BYTES).contains(&file_bytes)
}

fn whole_file(
    path: &Path,
    head: Vec<u8>,
    file: impl Read,
    file_bytes: u64,
) -> Result<FileContent, ReadError> {
    let limit = limits::FILE_BYTES;
    let too_large = |found| ReadError::TooLarge { path: path.to_owned(), what: "file size", found, limit };
    if file_bytes > limit {
        return Err(too_large(file_bytes));
    }
    let mut bytes = head;
    bytes.reserve_exact((file_bytes as usize).saturating_sub(bytes.len()));
    // The file may grow while it is read.
    file.take(limit + 1 - bytes.len() as u64).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(FileContent { file_bytes: bytes.len() as u64, bytes, note: None })
}

/// Which points of a file are kept: one of every `every`.
struct Thinning {
    table: PointTable,
    points: u64,
    every: u64,
}

impl Thinning {
    /// For a cloud of more points than one file may have, or of more bytes.
    fn plan(path: &Path, head: &[u8], file_bytes: u64) -> Option<Self> {
        let table = point_table(path, head)?;
        let data_bytes = file_bytes.checked_sub(table.start as u64)?;
        // A header may promise more than the file has.
        let points = match table.record {
            Record::Bytes(size) => table.count?.min(data_bytes / size as u64),
            Record::Line => table.count.unwrap_or_else(|| estimated_lines(&head[table.start..], data_bytes)),
        };
        if points <= limits::VERTICES as u64 && file_bytes <= limits::FILE_BYTES {
            return None;
        }
        let every =
            points.div_ceil(limits::KEPT_POINTS as u64).max(data_bytes.div_ceil(limits::FILE_BYTES / 2));
        (every > 1).then_some(Self { table, points, every })
    }

    /// The kept points, behind a header with their number.
    fn read(&self, head: &[u8], rest: impl Read, file_bytes: u64) -> Result<FileContent, ReadError> {
        let (header, data) = head.split_at(self.table.start);
        let mut input = BufReader::with_capacity(HEAD_BYTES as usize, data.chain(rest));
        let mut records = Vec::new();
        let (read, kept) = match self.table.record {
            Record::Bytes(size) => self.keep_records(&mut input, size, &mut records)?,
            Record::Line => self.keep_lines(&mut input, &mut records)?,
        };
        let mut bytes = (self.table.with_count)(header, kept);
        bytes.append(&mut records);
        Ok(FileContent { bytes, file_bytes, note: Some(thinning_note(kept, read, self.every)) })
    }

    fn keep_records(
        &self,
        input: &mut impl Read,
        size: usize,
        kept: &mut Vec<u8>,
    ) -> std::io::Result<(u64, u64)> {
        kept.reserve_exact((self.points / self.every + 1) as usize * size);
        let mut record = vec![0; size];
        for index in 0..self.points {
            match input.read_exact(&mut record) {
                // The file is shorter than when it was opened.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok((index, (kept.len() / size) as u64));
                }
                other => other?,
            }
            if is_kept(index, self.every) {
                kept.extend_from_slice(&record);
            }
        }
        Ok((self.points, (kept.len() / size) as u64))
    }

    fn keep_lines(&self, input: &mut impl BufRead, kept: &mut Vec<u8>) -> std::io::Result<(u64, u64)> {
        let first = if self.table.count.is_some() { 0 } else { FIRST_LINES };
        let (mut line, mut read, mut n_kept) = (Vec::new(), 0, 0);
        let most = self.table.count.unwrap_or(u64::MAX);
        while read < most {
            line.clear();
            if input.take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            // Empty lines are no rows.
            if line.trim_ascii().is_empty() {
                continue;
            }
            if read < first || is_kept(read, self.every) {
                kept.extend_from_slice(&line);
                n_kept += 1;
            }
            read += 1;
        }
        Ok((read, n_kept))
    }
}

fn point_table(path: &Path, head: &[u8]) -> Option<PointTable> {
    let format = sniff::format(path, head).ok()?.format;
    let source = Source { path, bytes: head, format: format.name() };
    match format {
        Format::Ply => ply::point_table(&source),
        Format::Pcd => pcd::point_table(&source),
        Format::Las => las::point_table(&source),
        Format::Xyz => Some(PointTable {
            start: 0,
            count: None,
            record: Record::Line,
            with_count: |header, _| header.to_vec(),
        }),
        _ => None,
    }
}

/// Lines of a file, if they are as long as the first ones.
fn estimated_lines(head: &[u8], bytes: u64) -> u64 {
    let lines = text::lines(head).count().max(1) as u64;
    (bytes as u128 * u128::from(lines) / head.len().max(1) as u128) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: u64 = 1000;

    fn thinned(name: &str, file: &[u8], every: u64) -> FileContent {
        let path = Path::new(name);
        let table = point_table(path, file).unwrap();
        let points = table.count.unwrap_or(POINTS);
        Thinning { table, points, every }.read(file, &[][..], file.len() as u64).unwrap()
    }

    fn xs(name: &str, content: &FileContent) -> Vec<f32> {
        let scene =
            crate::read_bytes(Path::new(name), &content.bytes, &crate::ReadOptions::default()).unwrap();
        // Nothing but the number of points is different from other files.
        assert_eq!(
            scene.notes.iter().filter(|note| !note.starts_with("up axis")).count(),
            0,
            "{:?}",
            scene.notes
        );
        scene.clouds[0].positions().iter().map(|p| p.x).collect()
    }

    fn check(name: &str, file: &[u8], first: u64) {
        let content = thinned(name, file, 10);
        let xs = xs(name, &content);
        let kept = xs.len() as u64;
        let expected = POINTS / 10..=POINTS / 10 + first;
        assert!(expected.contains(&kept), "{name}: {kept} points");
        let note = content.note.unwrap();
        assert_eq!(
            note,
            format!("large cloud: {kept} of {POINTS} points are read, one of every 10"),
            "{name}"
        );
        // One of every ten, not always the same one.
        let tail = &xs[xs.len() - 90..];
        let groups: Vec<u64> = tail.iter().map(|x| *x as u64 / 10).collect();
        assert_eq!(groups, (10..100).collect::<Vec<_>>(), "{name}");
        let places: std::collections::HashSet<u64> = tail.iter().map(|x| *x as u64 % 10).collect();
        assert_eq!(places.len(), 10, "{name}");
    }

    fn rows() -> String {
        (0..POINTS).map(|x| format!("{x} {} {}\n", x % 7, x % 13)).collect()
    }

    fn floats() -> Vec<u8> {
        let points = (0..POINTS).map(|x| [x as f32, (x % 7) as f32, (x % 13) as f32]);
        points.flatten().flat_map(f32::to_le_bytes).collect()
    }

    #[test]
    fn ply() {
        let header = |format: &str| {
            format!(
                "ply\nformat {format} 1.0\nelement vertex {POINTS}\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
            )
        };
        check("a.ply", &[header("binary_little_endian").as_bytes(), &floats()].concat(), 0);
        check("a.ply", (header("ascii") + &rows()).as_bytes(), 0);
    }

    #[test]
    fn meshes_are_no_clouds() {
        let faces = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n";
        assert!(point_table(Path::new("a.ply"), faces.as_bytes()).is_none());
        let list = "ply\nformat ascii 1.0\nelement vertex 3\nproperty list uchar float x\nend_header\n";
        assert!(point_table(Path::new("a.ply"), list.as_bytes()).is_none());
        assert!(point_table(Path::new("a.obj"), b"v 0 0 0\n").is_none());
    }

    #[test]
    fn pcd() {
        let header = |data: &str| {
            format!(
                "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {}\nHEIGHT 10\nPOINTS {POINTS}\nDATA {data}\n",
                POINTS / 10
            )
        };
        check("a.pcd", &[header("binary").as_bytes(), &floats()].concat(), 0);
        check("a.pcd", (header("ascii") + &rows()).as_bytes(), 0);
        assert!(point_table(Path::new("a.pcd"), header("binary_compressed").as_bytes()).is_none());
    }

    #[test]
    fn las() {
        let mut file = vec![0; 227];
        file[..4].copy_from_slice(b"LASF");
        file[24..26].copy_from_slice(&[1, 2]);
        file[94..96].copy_from_slice(&227_u16.to_le_bytes());
        file[96..100].copy_from_slice(&227_u32.to_le_bytes());
        file[105..107].copy_from_slice(&20_u16.to_le_bytes());
        file[107..111].copy_from_slice(&(POINTS as u32).to_le_bytes());
        (0..3).for_each(|axis| file[131 + 8 * axis..139 + 8 * axis].copy_from_slice(&1_f64.to_le_bytes()));
        for x in 0..POINTS as i32 {
            let coordinates = [x, x % 7, x % 13].map(i32::to_le_bytes).concat();
            file.extend_from_slice(&coordinates);
            file.extend_from_slice(&[0; 8]);
        }
        check("a.las", &file, 0);
        // LAS is turned upright, X stays.
        file[104] = 0x80;
        assert!(point_table(Path::new("a.laz"), &file).is_none());
    }

    #[test]
    fn tables() {
        check("a.xyz", rows().as_bytes(), FIRST_LINES);
    }

    #[test]
    fn small_clouds_are_read_whole() {
        let file = rows();
        assert!(Thinning::plan(Path::new("a.xyz"), file.as_bytes(), file.len() as u64).is_none());
        // The same rows as the beginning of a file of 300 MB.
        let plan = Thinning::plan(Path::new("a.xyz"), file.as_bytes(), 300_000_000).unwrap();
        assert_eq!((plan.every, plan.points), (4, 300_000_000 * POINTS / file.len() as u64));
    }
}
