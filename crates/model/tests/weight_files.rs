//! Checkpoints as they are found: odd but sound ones are read exactly, damaged and hostile ones are refused in words.

use std::path::PathBuf;

use lexiform_golden::shared;
use lexiform_model::WeightsError;
use lexiform_model::weights::{Value, WeightFile};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

fn fixture(name: &str) -> PathBuf {
    lexiform_golden::fixture("weights").join(name)
}

fn expected() -> WeightFile {
    WeightFile::open(&fixture("expected.safetensors")).unwrap()
}

/// A file in a folder of its own.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self, bytes: &[u8]) -> Result<WeightFile, WeightsError> {
        let path = self.0.path().join("model.pt");
        fs_err::write(&path, bytes).unwrap();
        WeightFile::open(&path)
    }

    /// The message that a file is refused with; it names the file.
    fn refusal(&self, bytes: &[u8]) -> String {
        let message = match self.open(bytes).and_then(|file| read_all(&file)) {
            Ok(()) => panic!("a file that should be refused"),
            Err(error) => error.to_string(),
        };
        assert!(message.contains("model.pt"), "{message}");
        message
    }
}

/// Reads every tensor of floating-point numbers; the first error ends it.
fn read_all(file: &WeightFile) -> Result<(), WeightsError> {
    for name in file.names() {
        match file.read(name) {
            Ok(values) => assert_eq!(values.len(), file.shape(name)?.iter().product::<usize>()),
            Err(WeightsError::Dtype { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for container in file.containers() {
        drop(file.container(container));
    }
    drop(file.values());
    Ok(())
}

#[test]
fn odd_checkpoints_are_read_exactly() {
    let expected = expected();
    for name in ["odd.pt", "odd_legacy.pt"] {
        let file = WeightFile::open(&fixture(name)).unwrap();
        for tensor in expected.names().filter(|tensor| !tensor.starts_with("net.")) {
            assert_eq!(file.shape(tensor).unwrap(), expected.shape(tensor).unwrap(), "{name} {tensor}");
            assert_eq!(file.read(tensor).unwrap(), expected.read(tensor).unwrap(), "{name} {tensor}");
        }
        assert_eq!(file.containers(), ["state_dict", "visual_clip_model", "optimizer"], "{name}");
        assert_eq!(file.container("visual_clip_model").unwrap().names().collect::<Vec<_>>(), ["a.weight"]);
        assert!(file.container("text").is_err_and(|e| e.to_string().contains("\"text\" is missing")));
        let counter = file.read("counter").unwrap_err().to_string();
        assert!(counter.contains("\"counter\" has type I64, expected a floating-point type"), "{counter}");
        assert_eq!([file.dtype("half").unwrap(), file.dtype("brain").unwrap()], ["f16", "bf16"]);
    }
}

#[test]
fn values_next_to_the_tensors_are_listed() {
    for name in ["odd.pt", "odd_legacy.pt"] {
        let file = WeightFile::open(&fixture(name)).unwrap();
        assert_eq!(file.value(&["epoch"]), Some(Value::Int(12)), "{name}");
        assert_eq!(file.value(&["metrics", "acc"]), Some(Value::Float(61.5)), "{name}");
        assert_eq!(file.value(&["metrics", "best"]), Some(Value::Float(0.25)), "{name}");
        assert_eq!(file.value(&["args", "model"]), Some(Value::Text("ULIP_PointBERT".into())), "{name}");
        assert_eq!(file.value(&["args", "none"]), None);
        let values = file.values();
        assert!(values.contains(&("args.lr".to_owned(), Value::Float(0.1))), "{values:?}");
    }
}

#[test]
fn torchscript_archives_are_read_without_their_code() {
    let (file, expected) = (WeightFile::open(&fixture("scripted.pt")).unwrap(), expected());
    for name in ["inner.weight", "inner.bias", "norm.weight", "norm.running_mean", "norm.running_var"] {
        assert_eq!(file.read(name).unwrap(), expected.read(&format!("net.{name}")).unwrap(), "{name}");
    }
}

/// An index is downloaded: whatever it lists, only safetensors files of its folder are opened.
#[test]
fn an_index_opens_only_safetensors_of_its_folder() {
    let bench = Scratch::new();
    let index = bench.0.path().join("model.safetensors.index.json");
    let refused = |shard: &str| {
        fs_err::write(&index, format!(r#"{{"weight_map": {{"w": "{shard}"}}}}"#)).unwrap();
        WeightFile::open(&index).err().unwrap().to_string()
    };
    fs_err::copy(fixture("odd.pt"), bench.0.path().join("odd.pt")).unwrap();
    fs_err::copy(fixture("odd.pt"), bench.0.path().join("other.index.json")).unwrap();
    for shard in ["model.safetensors.index.json", "other.index.json", "odd.pt"] {
        let message = refused(shard);
        let expected = format!("{shard}: not a readable safetensors file");
        assert!(message.contains(&expected), "{message}");
    }
    for shard in ["", ".", "..", "../odd.pt", "sub/odd.pt", "/odd.pt", "C:odd.pt", r"sub\\odd.pt"] {
        let message = refused(shard);
        assert!(message.contains("expected the name of a file"), "{shard}: {message}");
    }
    assert!(refused("absent.safetensors").contains("absent.safetensors"));
}

/// A file's name and content.
type Sample = (String, Vec<u8>);

fn samples() -> Vec<Sample> {
    ["odd.pt", "odd_legacy.pt", "scripted.pt", "expected.safetensors"]
        .map(|name| (name.to_owned(), fs_err::read(fixture(name)).unwrap()))
        .to_vec()
}

/// Small files of the reference implementations.
fn reference_samples() -> Vec<Sample> {
    ["cg3d_slip_vpt_tiny/slip.pth", "pointnext_tiny/model.pt", "ppat_tiny_xyz/model_flat_projected.pt"]
        .map(|name| (name.to_owned(), fs_err::read(shared("fixtures").join(name)).unwrap()))
        .to_vec()
}

#[test]
fn a_truncated_file_is_refused() {
    refuses_truncated(samples());
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn a_truncated_reference_file_is_refused() {
    refuses_truncated(reference_samples());
}

fn refuses_truncated(samples: Vec<Sample>) {
    let bench = Scratch::new();
    for (name, bytes) in samples {
        let step = (bytes.len() / 150).max(1);
        for length in (0..bytes.len()).step_by(step) {
            let message = bench.refusal(&bytes[..length]);
            assert!(message.len() < 300, "{name} cut to {length}: {message}");
        }
    }
}

#[test]
fn damaged_files_give_an_error_or_a_value_and_never_a_panic() {
    reads_or_refuses_damaged(samples());
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn damaged_reference_files_give_an_error_or_a_value_and_never_a_panic() {
    reads_or_refuses_damaged(reference_samples());
}

fn reads_or_refuses_damaged(samples: Vec<Sample>) {
    let bench = Scratch::new();
    let mut rng = SmallRng::seed_from_u64(3);
    for (name, bytes) in samples {
        // Few cases for large files, whose numbers are most of their bytes.
        let cases = if bytes.len() < 20_000 { 1500 } else { 60 };
        let mut refused = 0;
        for _ in 0..cases {
            let mut damaged = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..damaged.len());
                damaged[at] ^= 1 << rng.random_range(0..8);
            }
            refused += usize::from(bench.open(&damaged).and_then(|file| read_all(&file)).is_err());
        }
        println!("{name}: {refused} of {cases} refused");
        // One flipped bit in a header or a checksummed number is noticed; only a bit in unused bytes passes.
        assert!(refused * 10 > cases, "{name}: {refused} of {cases} refused");
    }
}

#[test]
fn damaged_values_fail_the_checksum() {
    let bench = Scratch::new();
    let mut bytes = fs_err::read(fixture("odd.pt")).unwrap();
    let number = expected().read("parameter").unwrap()[0].to_le_bytes();
    let at = bytes.windows(4).position(|window| window == number).unwrap();
    bytes[at] ^= 1;
    let message = bench.refusal(&bytes);
    assert!(message.contains("checksum"), "{message}");
}

/// A zip archive of these files, deflated where asked for.
fn zip(files: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content, deflated) in files {
        let data =
            if *deflated { miniz_oxide::deflate::compress_to_vec(content, 9) } else { content.to_vec() };
        let method: u16 = if *deflated { 8 } else { 0 };
        let sizes = [crc32fast::hash(content), data.len() as u32, content.len() as u32];
        let start = out.len() as u32;
        let common = |record: &mut Vec<u8>| {
            record.extend([20, 0, 0, 0]);
            record.extend(method.to_le_bytes());
            record.extend([0; 4]);
            sizes.iter().for_each(|number| record.extend(number.to_le_bytes()));
            record.extend((name.len() as u16).to_le_bytes());
            record.extend([0; 2]);
        };
        out.extend(b"PK\x03\x04");
        common(&mut out);
        out.extend(name.as_bytes());
        out.extend(data);
        directory.extend(b"PK\x01\x02\x14\x00");
        common(&mut directory);
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, length) = (out.len() as u32, directory.len() as u32);
    out.extend(directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    [files.len() as u16; 2].iter().for_each(|count| out.extend(count.to_le_bytes()));
    [length, start].iter().for_each(|number| out.extend(number.to_le_bytes()));
    out.extend([0; 2]);
    out
}

/// A pickle of one tensor called `w` over storage `0`.
fn tensor_pickle(storage: &str, elements: i32, first: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let number = |n: i32| [b"J".as_slice(), &n.to_le_bytes()].concat();
    let tuple = |numbers: &[i32]| {
        [b"(".to_vec(), numbers.iter().flat_map(|n| number(*n)).collect(), b"t".to_vec()].concat()
    };
    let text = |text: &str| [b"X".as_slice(), &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    [
        b"\x80\x02}".to_vec(),
        text("w"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        format!("ctorch\n{storage}\n").into_bytes(),
        text("0"),
        text("cuda:3"),
        number(elements),
        b"tQ".to_vec(),
        number(first),
        tuple(shape),
        tuple(strides),
        b"\x89NtRs.".to_vec(),
    ]
    .concat()
}

fn checkpoint(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    zip(&[("m/data.pkl", pickle, false), ("m/data/0", storage, false)])
}

#[test]
fn views_beyond_their_storage_are_refused() {
    let bench = Scratch::new();
    let storage: Vec<u8> = (0..6).flat_map(|n| (n as f32).to_le_bytes()).collect();
    let file = |first, shape: &[i32], strides: &[i32]| {
        checkpoint(&tensor_pickle("FloatStorage", 6, first, shape, strides), &storage)
    };
    let sound = bench.open(&file(1, &[2, 2], &[1, 3])).unwrap();
    assert_eq!(sound.read("w").unwrap(), [1.0, 4.0, 2.0, 5.0]);
    for (first, shape, strides) in [
        (3, vec![4], vec![1]),
        (0, vec![2, 3], vec![4, 1]),
        (-1, vec![2], vec![1]),
        (0, vec![2], vec![-1]),
        (0, vec![2, 2], vec![1]),
        (0, vec![i32::MAX; 4], vec![0; 4]),
        (i32::MAX, vec![i32::MAX, i32::MAX], vec![i32::MAX, i32::MAX]),
        (0, vec![1; 40], vec![1; 40]),
    ] {
        let message = bench.refusal(&file(first, &shape, &strides));
        assert!(message.contains("tensor \"w\""), "{message}");
    }
    let vast = bench.refusal(&file(0, &[i32::MAX], &[0]));
    assert!(vast.contains("more than a file of"), "{vast}");
    let lost = zip(&[("m/data.pkl", &tensor_pickle("FloatStorage", 6, 0, &[1], &[1]), false)]);
    assert!(bench.refusal(&lost).contains("storage 0 is not in the file"));
}

#[test]
fn entry_names_are_not_paths_and_nothing_is_executed() {
    let bench = Scratch::new();
    let trap = bench.0.path().join("trap");
    let command = format!("cos\nsystem\n(S'touch {}'\ntR.", trap.display());
    let evil = zip(&[("../../m/data.pkl", command.as_bytes(), false), ("../../etc/passwd", b"x", false)]);
    assert!(bench.refusal(&evil).contains("it contains no tensors"));
    assert!(!trap.exists());
    assert_eq!(std::fs::read_dir(bench.0.path()).unwrap().count(), 1, "nothing was unpacked");

    let storage = 1.5_f32.to_le_bytes();
    let mut pickle = tensor_pickle("FloatStorage", 1, 0, &[1], &[1]);
    // The same call as the value of one more key: noted, not made.
    pickle.truncate(pickle.len() - 1);
    pickle.extend(b"X\x01\x00\x00\x00e");
    pickle.extend(command.as_bytes()[..command.len() - 1].iter());
    pickle.extend(b"s.");
    let file = bench.open(&checkpoint(&pickle, &storage)).unwrap();
    assert_eq!(file.read("w").unwrap(), [1.5]);
    assert_eq!(file.value(&["e"]), Some(Value::Other("os.system".into())));
    assert!(!trap.exists());
}

#[test]
fn pickles_made_to_exhaust_are_refused() {
    let bench = Scratch::new();
    let refuse = |pickle: &[u8], part: &str| {
        let message = bench.refusal(&zip(&[("m/data.pkl", pickle, true)]));
        assert!(message.contains(part), "{part:?} in {message}");
    };
    refuse(&[&b"\x80\x02"[..], &b"]".repeat(200_000), &b"a".repeat(199_999), b"."].concat(), "levels");
    refuse(&[&b"("[..], &b")".repeat(5 << 20), b"t."].concat(), "values");
    refuse(&[&b")"[..], &b"2".repeat(5 << 20), b"t."].concat(), "values");
    refuse(&b"(".repeat(6 << 20), "marks");
    // Each list holds the one before twice: 2^60 values when unfolded.
    let laughs = [&b"]q\x00"[..], &b"0(h\x00h\x00lq\x00".repeat(60), b"."].concat();
    refuse(&laughs, "levels");
    refuse(b"]q\x00h\x00a.", "levels");
    refuse(b"X\xff\xff\xff\xff", "4294967295 bytes announced");
    refuse(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "bytes announced");
    refuse(b"\x8b\xff\xff\xff\x7f", "bytes announced");
    refuse(b"j\xff\xff\xff\xff.", "nothing was remembered");
    refuse(b"]r\xff\xff\xff\xffj\xff\xff\xff\xff.", "no tensors");
    refuse(b"", "ends too early");
    refuse(b".", "the stack is empty");
    refuse(b"\x85.", "the stack is empty");
    refuse(b"(K\x01u.", "a key without a value");
    refuse(b"K\x01K\x02a.", "not a list");
    refuse(b"\x97.", "unknown");
}

#[test]
fn archives_made_to_exhaust_are_refused() {
    let bench = Scratch::new();
    let zeros = vec![0; 100 << 20];
    let pickle = tensor_pickle("FloatStorage", 25 << 20, 0, &[25 << 20], &[1]);
    let file = zip(&[("m/data.pkl", &pickle, false), ("m/data/0", &zeros, true)]);
    assert!(bench.refusal(&file).contains("more than a file of"));
    let file = zip(&[("m/data.pkl", &zeros, true)]);
    assert!(bench.refusal(&file).contains("bytes announced, expected at most"));
    // The announced size differs from the actual size.
    let mut file = zip(&[("m/data.pkl", &pickle, true)]);
    let at = file.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    file[at + 24] ^= 0x10;
    assert!(bench.refusal(&file).contains("data.pkl"));
}

/// A safetensors file with this header and this number of data bytes.
fn safetensors(header: &str, bytes: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; bytes]].concat()
}

#[test]
fn inconsistent_safetensors_are_refused() {
    let bench = Scratch::new();
    let sound = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[],"data_offsets":[8,10]}}"#;
    assert_eq!(bench.open(&safetensors(sound, 10)).unwrap().read("a").unwrap(), [0.0, 0.0]);
    let refuse = |header: &str, bytes: usize, part: &str| {
        let message = bench.refusal(&safetensors(header, bytes));
        assert!(message.contains(part), "{part:?} in {message}");
    };
    refuse(sound, 9, "the file has");
    refuse(sound, 11, "the file has");
    refuse(&sound.replace("[8,10]", "[6,8]"), 8, "tensor \"b\" begins at");
    refuse(&sound.replace("[8,10]", "[9,11]"), 11, "tensor \"b\" begins at");
    refuse(&sound.replace("[0,8]", "[8,0]"), 10, "tensor \"a\"");
    refuse(&sound.replace("[2]", "[3]"), 10, "tensor \"a\"");
    refuse(&sound.replace("[2]", "[4294967296,4294967296]"), 10, "tensor \"a\"");
    refuse(&sound.replace("[0,8]", "[18446744073709551608,0]"), 10, "tensor \"a\"");
    refuse(&sound.replace("\"F32\"", "\"Q32\""), 10, "header");
    refuse(&format!("{{\"a\":{}", "[".repeat(100_000)), 10, "header");
    // Tensors whose sizes add up to 2^64 and a little more.
    let huge: Vec<String> = (0..8_u64)
        .map(|i| {
            let (start, end) = (i << 61, if i == 7 { u64::MAX } else { (i + 1) << 61 });
            format!(r#""t{i}":{{"dtype":"U8","shape":[{}],"data_offsets":[{start},{end}]}}"#, end - start)
        })
        .collect();
    refuse(&format!("{{{}}}", huge.join(",")), 10, "tensor");
    let mut long = safetensors(sound, 10);
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(bench.refusal(&long).contains("header of 18446744073709551615 bytes"));
}

#[test]
fn other_files_are_not_checkpoints() {
    let bench = Scratch::new();
    for bytes in
        [&b""[..], b"PK", b"PK\x05\x06", b"\x80\x02}.", b"{\"a\": 1}", b"<html>not found</html>", &[0; 400]]
    {
        bench.refusal(bytes);
    }
    let message = WeightFile::open(bench.0.path()).err().unwrap().to_string();
    assert!(message.contains("expected a file, found a folder"), "{message}");
}
