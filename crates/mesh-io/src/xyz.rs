//! Tables of points: XYZ, PTS, TXT, CSV and ASC, with or without a header, a count, colors and normals.

use crate::{
    ReadError,
    builder::pluralize,
    columns::{Columns, GUESS_ROWS, MAX_COLUMNS},
    source::Source,
    text,
};
use lexiform_geometry::Scene;

/// Reads one point per row; columns are recognized by a header or by their values.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let mut scene = Scene::default();
    let table = Table::open(source)?;
    let mut rows =
        Rows { table: &table, lines: text::lines(source.bytes), row: Vec::new(), bad: 0, first_bad: None };
    let mut sample = Vec::new();
    while sample.len() < GUESS_ROWS && rows.advance() {
        sample.push(rows.row.clone());
    }
    let named = table.names.as_deref().and_then(Columns::from_names);
    let columns = named.unwrap_or_else(|| {
        // A single short row must not hide the colors of all others.
        let width = sample.first().map_or(3, Vec::len);
        sample.retain(|row| row.len() >= width);
        Columns::guess(&sample)
    });
    // A second pass over the text: keeping all rows would take several times the memory of the points.
    let (points, bad, first_bad) = collect(source, &table, &columns)?;
    // A few bad lines are noise; many mean that this is not a table of points.
    if bad > points.positions.len() / 10 || points.positions.is_empty() && bad > 0 {
        return Err(source.invalid(first_bad.unwrap_or_default()));
    }
    if bad > 0 {
        scene.notes.push(format!("skipped {} that hold no point", pluralize(bad, "line")));
    }
    if !points.positions.is_empty() {
        let cloud = points.build(source, &mut scene.notes)?;
        scene.clouds.push(cloud);
    }
    Ok(scene)
}

type Collected = (super::builder::PointCloudBuilder, usize, Option<String>);

fn collect(source: &Source, table: &Table, columns: &Columns) -> Result<Collected, ReadError> {
    let mut rows = Rows { table, lines: text::lines(source.bytes), row: Vec::new(), bad: 0, first_bad: None };
    let mut builder = crate::builder::PointCloudBuilder::default();
    while rows.advance() {
        if rows.row.len() <= columns.position.into_iter().max().unwrap_or(2) {
            rows.bad += 1;
            continue;
        }
        columns.push(&rows.row, &mut builder);
        source.check_vertices(builder.positions.len() as u64)?;
    }
    crate::columns::linearize(&mut builder.colors);
    Ok((builder, rows.bad, rows.first_bad))
}

/// Rows that a table has at least to be a point cloud: shorter ones are lists of something else.
const MIN_ROWS: usize = 10;

/// Whether a table starts like a point cloud: at least ten rows of at least three numbers each, all of the same length, with no other
/// header than names of coordinates or the number of points. Most tables are something else. `is_cut` if the last line may be incomplete.
pub(super) fn starts_with_points(head: &[u8], is_cut: bool) -> bool {
    let head = text::without_byte_order_mark(head);
    let end = head.iter().rposition(|&byte| byte == b'\n' || byte == b'\r').unwrap_or(0);
    let lines = text::lines(if is_cut { &head[..end] } else { &head[..] }).map(|(_, line)| line.trim_ascii());
    let rows = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"//"));
    let mut rows = rows.map(|line| Delimiter::of(line).split(line).collect::<Vec<_>>()).peekable();
    if rows.peek().is_some_and(|row| is_count(row) || Columns::from_names(&line_names(b"", row)).is_some()) {
        rows.next();
    }
    let width = rows.peek().map_or(0, Vec::len);
    let is_point = |row: &Vec<&[u8]>| {
        row.len() == width && width >= 3 && row.iter().all(|cell| text::number(cell).is_some())
    };
    let points: Option<Vec<()>> = rows.map(|row| is_point(&row).then_some(())).collect();
    points.is_some_and(|points| points.len() >= MIN_ROWS)
}

/// Whether a row is the number of points that PTS files begin with.
fn is_count(row: &[&[u8]]) -> bool {
    matches!(row, [cell] if text::integer(cell).is_some())
}

/// How the rows are written.
struct Table {
    delimiter: Delimiter,
    names: Option<Vec<String>>,
    /// Number of the header line, which is not a row.
    header: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Delimiter {
    /// White space; a comma inside a number is its decimal point.
    Space,
    /// Commas, with or without white space.
    Comma,
    /// Semicolons; a comma inside a number is its decimal point.
    Semicolon,
}

impl Table {
    fn open(source: &Source) -> Result<Self, ReadError> {
        let mut table = Self { delimiter: Delimiter::Space, names: None, header: None };
        for (number, line) in text::lines(source.bytes) {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let comment = line.starts_with(b"#") || line.starts_with(b"//");
            table.delimiter = Delimiter::of(line);
            let fields: Vec<&[u8]> = table.delimiter.split(line).take(MAX_COLUMNS).collect();
            let numeric = fields.iter().filter(|f| text::number(f).is_some()).count();
            if !comment && numeric >= 3 {
                return Ok(table);
            }
            let names: Vec<String> = line_names(line, &fields);
            if Columns::from_names(&names).is_some() {
                table.names = Some(names);
                table.header = Some(number);
            } else if !comment && numeric == 0 && table.header.is_none() {
                // A header of other names; a second one is text of another kind.
                table.header = Some(number);
            }
        }
        Ok(table)
    }
}

fn line_names(line: &[u8], fields: &[&[u8]]) -> Vec<String> {
    let spaced = line.starts_with(b"//") || line.starts_with(b"#");
    let names = fields.iter().map(|f| text::decode(f));
    // "# x y z": the mark is a field of its own and no column.
    names.filter(|name| !(spaced && matches!(name.as_str(), "#" | "//"))).collect()
}

impl Delimiter {
    fn of(line: &[u8]) -> Self {
        if line.contains(&b';') {
            return Self::Semicolon;
        }
        let decimal = |f: &[u8]| {
            !f.starts_with(b",") && !f.ends_with(b",") && f.iter().filter(|&&b| b == b',').count() <= 1
        };
        // "1,5 2,5 3,5" has decimal commas, "1, 2, 3" and "1,2,3" have separators.
        let decimal_commas = text::fields(line).count() >= 3 && text::fields(line).all(decimal);
        if line.contains(&b',') && !decimal_commas { Self::Comma } else { Self::Space }
    }

    fn split(self, line: &[u8]) -> impl Iterator<Item = &[u8]> {
        let parts = move |b: &u8| match self {
            Self::Space => b.is_ascii_whitespace(),
            Self::Comma => *b == b',' || b.is_ascii_whitespace(),
            Self::Semicolon => *b == b';' || b.is_ascii_whitespace(),
        };
        line.split(parts).map(|f| f.trim_ascii()).map(unquoted).filter(|f| !f.is_empty())
    }
}

fn unquoted(field: &[u8]) -> &[u8] {
    field.strip_prefix(b"\"").and_then(|f| f.strip_suffix(b"\"")).unwrap_or(field)
}

/// Rows of at least three numbers.
struct Rows<'t, L> {
    table: &'t Table,
    lines: L,
    row: Vec<f64>,
    bad: usize,
    first_bad: Option<String>,
}

impl<'b, L: Iterator<Item = (usize, &'b [u8])>> Rows<'_, L> {
    /// Moves to the next row; false at the end.
    fn advance(&mut self) -> bool {
        for (number, line) in self.lines.by_ref() {
            let line = line.trim_ascii();
            if line.is_empty()
                || line.starts_with(b"#")
                || line.starts_with(b"//")
                || self.table.header == Some(number)
            {
                continue;
            }
            self.row.clear();
            self.row.extend(self.table.delimiter.split(line).map_while(text::number).take(MAX_COLUMNS));
            match self.row.len() {
                3.. => return true,
                // The count of points that PTS files begin with, once or before each scan.
                1 if self.row[0].fract() == 0.0 && self.table.delimiter.split(line).count() == 1 => {}
                _ => {
                    self.bad += 1;
                    self.first_bad.get_or_insert_with(|| {
                        format!(
                            "line {number}: expected a row of at least three numbers, found {}",
                            text::excerpt(line)
                        )
                    });
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use glam::Vec3;

    use super::*;

    fn read_text(text: &str) -> Result<Scene, ReadError> {
        read(&Source { path: Path::new("test.xyz"), bytes: text.as_bytes(), format: "XYZ" })
    }

    #[test]
    fn delimiters_headers_and_counts() {
        for text in [
            "1 2 3\n4 5 6\n",
            "2\n1 2 3\n4 5 6\n",
            "x,y,z\n1,2,3\n4,5,6\n",
            "\"1\", \"2\", \"3\"\n4, 5, 6\n",
            "// X Y Z\n1\t2\t3\n4\t5\t6\n",
            "1,0;2,0;3,0\n4,0;5,0;6,0\n",
            "1,0 2,0 3,0\n4,0 5,0 6,0\n",
        ] {
            let scene = read_text(text).unwrap();
            assert_eq!(
                scene.clouds[0].positions(),
                [Vec3::new(1.0, 2.0, 3.0), Vec3::new(4.0, 5.0, 6.0)],
                "{text}"
            );
        }
    }

    #[test]
    fn most_tables_are_no_point_clouds() {
        let starts = |text: &str| starts_with_points(text.as_bytes(), false);
        let rows = |row: &str, count: usize| format!("{row}\n").repeat(count);
        for header in ["", "# by hand\n", "x y z\n", "//X Y Z\n", "12\n", "\u{feff}"] {
            assert!(starts(&format!("{header}{}", rows("0.5 1 -2e3", 12))), "{header:?}");
        }
        for row in ["1,2,3", "1;2;3;255;0;0", "\"1\", \"2\", \"3\"", "1,5 2 3,5", "1\t2\t3"] {
            assert!(starts(&rows(row, 10)), "{row:?}");
        }
        let named = |header: &str| starts(&format!("{header}\n{}", rows("1,2,3", 12)));
        assert!(named("X,Y,Z") && !named("year,month,day") && !named("150,4,setosa"));
        assert!(!starts(&rows("1 2 3", 9)), "too few rows");
        assert!(!starts(&rows("1 2", 12)), "too few columns");
        assert!(!starts(&format!("{}4 5 6 7\n", rows("1 2 3", 12))), "uneven rows");
        assert!(!starts(&format!("{}4 5 six\n", rows("1 2 3", 12))), "words");
        assert!(!starts(&rows("numpy==1.26.0", 12)) && !starts(""));
        let cut = format!("{}4 5", rows("1 2 3", 10));
        assert!(starts_with_points(cut.as_bytes(), true) && !starts_with_points(cut.as_bytes(), false));
    }

    #[test]
    fn prose_is_no_point_cloud() {
        let error = read_text("These are the models\nof the year 2020 and 2021.\n").unwrap_err().to_string();
        assert!(error.starts_with("test.xyz: invalid XYZ: line 2: expected a row"), "{error}");
    }
}
