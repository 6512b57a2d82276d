//! Files of embeddings by h5py, NumPy, pyarrow and safetensors (`xtask/peers/embeddings.py`), and those that are written here.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_data::embeddings::{
    EMBEDDING_EXTENSIONS, EmbeddingFile, EmbeddingWriter, is_written_by_lexiform,
};
use parquet::data_type::FloatType;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/embeddings").join(name)
}

fn open(name: &str) -> EmbeddingFile {
    EmbeddingFile::open(&fixture(name), None).unwrap()
}

fn error(path: &Path, names: Option<&Path>) -> String {
    EmbeddingFile::open(path, names).err().unwrap().to_string()
}

/// The names and rows of a file, one after another.
fn named_rows(file: &EmbeddingFile) -> Vec<(String, Vec<f32>)> {
    let mut rows = file.iter().unwrap();
    std::iter::from_fn(|| rows.next_row().unwrap().map(|(name, row)| (name.to_owned(), row.to_vec())))
        .collect()
}

#[test]
fn other_libraries_files_have_the_same_rows_and_names() {
    let plain = open("plain.npy");
    let expected = plain.read(0, plain.rows()).unwrap();
    assert_eq!((plain.rows(), plain.dim()), (48, 32));
    for name in ["shape_emb.h5", "chunked.h5", "compressed.npz", "table.parquet", "tensors.safetensors"] {
        let file = open(name);
        assert_eq!(file.read(0, 48).unwrap(), expected, "{name}");
        assert_eq!(file.named(), plain.named(), "{name}");
        // Parts, also across chunks and row groups.
        for (first, count) in [(0, 1), (5, 4), (19, 2), (47, 1), (13, 30), (48, 0)] {
            let part = &expected[first * 32..(first + count) * 32];
            assert_eq!(file.read(first, count).unwrap(), part, "{name} {first} {count}");
        }
        assert!(file.read(47, 2).is_err(), "{name}");
    }
}

#[test]
fn arrays_and_names_are_chosen() {
    assert_eq!(open("table.parquet#clip").dim(), 32);
    assert!(
        error(&fixture("table.parquet#other"), None)
            .contains("no column \"other\" of lists of floats, found clip")
    );
    assert!(error(&fixture("chunked.h5#other"), None).contains("found feat"));
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::copy(fixture("plain.npy"), at("a.npy")).unwrap();
    let unnamed = EmbeddingFile::open(&at("a.npy"), None).unwrap();
    assert!(unnamed.named().is_none());
    let missing = unnamed.iter().err().unwrap();
    assert!(missing.hint().unwrap().contains("--names"), "{missing}");
    // Some rows, two names of one row, in the order of rows.
    std::fs::write(at("names.json"), r#"{"c": 40, "a": 2, "b": 2}"#).unwrap();
    let some = EmbeddingFile::open(&at("a.npy"), Some(&at("names.json"))).unwrap();
    let found: Vec<(String, f32)> = named_rows(&some).into_iter().map(|(name, row)| (name, row[0])).collect();
    let value = |row: usize| some.read(row, 1).unwrap()[0];
    assert_eq!(found, [("a".to_owned(), value(2)), ("b".to_owned(), value(2)), ("c".to_owned(), value(40))]);
    for (names, part) in [
        (r#"{"a": 48}"#, "expected less than 48"),
        (r#"["a", "b"]"#, "expected 48 names, one per row, found 2"),
        ("{", "EOF"),
    ] {
        std::fs::write(at("names.json"), names).unwrap();
        let error = error(&at("a.npy"), Some(&at("names.json")));
        assert!(error.contains(part), "{error}");
    }
    std::fs::write(at("names.txt"), "a\n".repeat(48)).unwrap();
    assert!(error(&at("a.npy"), Some(&at("names.txt"))).contains("\"a\" is there twice"));
}

#[test]
fn every_written_format_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    // More rows than a row group has, and names of several lengths and scripts.
    let (rows, dim) = (20_000, 3);
    let name = |row: usize| format!("{}/ü{row}", "x".repeat(row % 5));
    let vector = |row: usize| [row as f32, -0.5, 1.0 / (row + 1) as f32];
    for extension in EMBEDDING_EXTENSIONS {
        let path = folder.path().join(format!("a.{extension}"));
        let mut writer = EmbeddingWriter::create(&path, "nano-1", dim).unwrap();
        assert!(writer.push("short", &[1.0]).is_err());
        (0..rows).for_each(|row| writer.push(&name(row), &vector(row)).unwrap());
        assert!(!path.exists());
        writer.finish().unwrap();
        let file = EmbeddingFile::open(&path, None).unwrap();
        assert_eq!((file.rows(), file.dim()), (rows, dim), "{extension}");
        assert_eq!(is_written_by_lexiform(&path), ["npz", "h5", "hdf5", "parquet"].contains(&extension));
        let expected: Vec<f32> = (0..rows).flat_map(vector).collect();
        assert_eq!(file.read(0, rows).unwrap(), expected, "{extension}");
        if extension == "npy" {
            continue;
        }
        let found = named_rows(&file);
        assert_eq!(found.len(), rows);
        for (row, found) in found.into_iter().enumerate() {
            assert_eq!(found, (name(row), vector(row).to_vec()), "{extension}");
        }
        if ["npz", "safetensors", "parquet"].contains(&extension) {
            assert_eq!(file.model(), Some("nano-1"));
        }
    }
    assert!(folder.path().join("a_model_to_idx.json").exists(), "as Duoduo CLIP publishes");
    let leftover = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(leftover, EMBEDDING_EXTENSIONS.len() + 1);
    assert!(EmbeddingWriter::create(&folder.path().join("a.csv"), "m", 2).is_err());
}

#[test]
fn names_may_repeat_until_they_are_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    for extension in ["npz", "safetensors", "h5", "parquet"] {
        let path = folder.path().join(format!("a.{extension}"));
        let mut writer = EmbeddingWriter::create(&path, "nano-1", 2).unwrap();
        writer.push("a", &[1.0, 0.0]).unwrap();
        writer.push("a", &[0.0, 1.0]).unwrap();
        writer.finish().unwrap();
        let file = EmbeddingFile::open(&path, None).unwrap();
        assert_eq!(file.read(0, 2).unwrap(), [1.0, 0.0, 0.0, 1.0], "{extension}");
        let error = file.iter().err().unwrap().to_string();
        assert!(error.contains("\"a\" is there twice"), "{error}");
    }
}

/// A table with one row, an empty list.
fn write_empty_list(path: &Path) {
    let schema =
        "message m { REQUIRED GROUP embedding (LIST) { REPEATED GROUP list { REQUIRED FLOAT element; } } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_dictionary_enabled(false).build());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<FloatType>().write_batch(&[], Some(&[0]), Some(&[0])).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn tables_without_numbers_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    EmbeddingWriter::create(&path, "nano-1", 2).unwrap().finish().unwrap();
    assert!(error(&path, None).contains("found no rows"), "{}", error(&path, None));
    write_empty_list(&path);
    assert!(error(&path, None).contains("the first is empty"), "{}", error(&path, None));
}

#[test]
fn damaged_files_are_values_or_errors() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["shape_emb.h5", "chunked.h5", "compressed.npz", "plain.npy", "table.parquet", "tensors.safetensors"]
    {
        let good = std::fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        let check = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            if let Ok(file) = EmbeddingFile::open(&path, None) {
                drop(file.read(0, file.rows().min(48)));
            }
        };
        for at in (0..good.len()).step_by(61) {
            let mut bytes = good.clone();
            bytes[at] ^= 0x5a;
            check(&bytes);
        }
        for end in (0..good.len()).step_by(997) {
            check(&good[..end]);
        }
    }
    let path = folder.path().join("text.h5");
    std::fs::write(&path, "not an array").unwrap();
    assert!(error(&path, None).contains("expected HDF5, .npy"));
    assert!(error(&folder.path().join("absent.h5"), None).contains("no such file"));
}

#[test]
fn a_file_in_parts_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(fixture("shape_emb.h5")).unwrap();
    let (head, tail) = bytes.split_at(bytes.len() / 3);
    std::fs::write(folder.path().join("shape_emb.h5_part_aa"), head).unwrap();
    std::fs::write(folder.path().join("shape_emb.h5_part_ab"), tail).unwrap();
    std::fs::copy(fixture("shape_emb_model_to_idx.json"), folder.path().join("shape_emb_model_to_idx.json"))
        .unwrap();
    let joined = EmbeddingFile::open(&folder.path().join("shape_emb.h5"), None).unwrap();
    let whole = open("shape_emb.h5");
    assert_eq!(joined.read(0, 48).unwrap(), whole.read(0, 48).unwrap());
    assert_eq!(joined.named(), whole.named());
}

/// The rows `names`, of which those in `computed` are pushed and the others must be kept.
fn resumed(path: &Path, settings: &str, names: &[&str], computed: &[&str]) -> EmbeddingWriter {
    let mut writer = EmbeddingWriter::resume(path, "m@1", 2, settings).unwrap();
    for name in names {
        let stamp = format!("content of {name}");
        let is_kept = writer.reuse(name, &stamp);
        assert_eq!(is_kept, !computed.contains(name), "{name}");
        if !is_kept {
            writer.push_stamped(name, &stamp, &[name.len() as f32, 0.5]).unwrap();
        }
    }
    writer
}

#[test]
fn an_interrupted_run_continues_with_its_rows() {
    const ALL: [&str; 4] = ["a", "bb", "ccc", "dddd"];
    for extension in EMBEDDING_EXTENSIONS {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(format!("{name}.{extension}"));
        resumed(&at("whole"), "s", &ALL, &ALL).finish().unwrap();
        // Interrupted twice, the second time in the middle of a row and of a line.
        drop(resumed(&at("cut"), "s", &ALL[..2], &ALL[..2]));
        drop(resumed(&at("cut"), "s", &ALL[..3], &ALL[2..3]));
        let [rows, log] = ["partial", "partial.jsonl"]
            .map(|suffix| at("cut").with_extension(format!("{extension}.{suffix}")));
        assert_eq!(std::fs::metadata(&rows).unwrap().len(), 3 * 8);
        for (file, bytes) in [(&rows, 3), (&log, 7)] {
            let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
            file.set_len(file.metadata().unwrap().len() - bytes).unwrap();
        }
        resumed(&at("cut"), "s", &ALL, &ALL[2..]).finish().unwrap();
        assert_eq!(std::fs::read(at("cut")).unwrap(), std::fs::read(at("whole")).unwrap(), "{extension}");
        assert!(!rows.exists() && !log.exists(), "{extension}");
    }
}

#[test]
fn rows_of_other_inputs_or_settings_are_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.npy");
    let [rows, log] = ["npy.partial", "npy.partial.jsonl"].map(|suffix| path.with_extension(suffix));
    drop(resumed(&path, "s", &["a", "bb", "ccc"], &["a", "bb", "ccc"]));
    // A new input comes first: what follows is computed again.
    drop(resumed(&path, "s", &["a", "new", "bb"], &["new", "bb"]));
    drop(resumed(&path, "t", &["a"], &["a"]));
    // A checksum that differs.
    std::fs::write(&rows, [0; 8]).unwrap();
    drop(resumed(&path, "t", &["a"], &["a"]));
    // A second process.
    let first = EmbeddingWriter::resume(&path, "m@1", 2, "t").unwrap();
    let error = EmbeddingWriter::resume(&path, "m@1", 2, "t").err().unwrap().to_string();
    assert!(error.contains("another run writes the same file"), "{error}");
    drop(first);
    // Files of others are not replaced.
    std::fs::write(&log, "mine\n").unwrap();
    assert!(EmbeddingWriter::resume(&path, "m@1", 2, "t").is_err());
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "mine\n");
    std::fs::remove_file(&log).unwrap();
    assert!(EmbeddingWriter::resume(&path, "m@1", 2, "t").is_err());
    assert!(rows.exists() && !log.exists());
    // A run without rows leaves no files.
    std::fs::remove_file(&rows).unwrap();
    drop(EmbeddingWriter::resume(&path, "m@1", 2, "t").unwrap());
    assert!(!rows.exists() && !log.exists());
}
