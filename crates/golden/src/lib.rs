//! Golden values: numbers that reference implementations computed, and how tests compare with them.
//!
//! Small files are in the repository's `fixtures/` ([`fixture`]). Larger ones, and real 3D files, are in a folder that
//! the environment variable `LEXIFORM_SHARED` names ([`shared`]); tests that need it carry
//! `#[ignore = "needs LEXIFORM_SHARED"]`, and `cargo xtask check` runs them where the variable is set. A missing file is
//! a failure, never a test that passes by not running.
//!
//! ```
//! use lexiform_golden::{Golden, check, fixture};
//!
//! let golden = Golden::read(&fixture("geometry/fps.safetensors"));
//! let expected = golden.values(golden.names().first().expect("the file has tensors"));
//! check("itself", &expected, &expected, 0.0);
//! ```
#![expect(clippy::print_stdout, reason = "tests print the differences that docs/parity.md lists")]

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

/// Environment variable that names the folder of files too large for the repository.
pub const SHARED: &str = "LEXIFORM_SHARED";

/// A file or folder of `fixtures/`.
///
/// # Panics
///
/// If it does not exist.
pub fn fixture(name: &str) -> PathBuf {
    existing(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name))
}

/// A file or folder below the one that `LEXIFORM_SHARED` names.
///
/// # Panics
///
/// If the variable is not set, or nothing of this name exists there.
pub fn shared(name: &str) -> PathBuf {
    let root = std::env::var_os(SHARED);
    let root = root.unwrap_or_else(|| panic!("{name}: this test needs a folder named by {SHARED}"));
    // Tests run in the folder of their package; a relative name counts from the workspace.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    existing(workspace.join(root).join(name))
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{}: no such file or folder", path.display());
    path
}

/// A file of golden tensors.
pub struct Golden {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Golden {
    /// Reads a safetensors file.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { path: path.to_owned(), bytes }
    }

    /// Names of the tensors, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.tensors().names().into_iter().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Shape of a tensor.
    ///
    /// # Panics
    ///
    /// If the file has no such tensor.
    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.tensor(name, |shape, _, _| shape.to_vec())
    }

    /// Bytes of a tensor, in C order and little-endian.
    ///
    /// # Panics
    ///
    /// If the file has no such tensor.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.tensor(name, |_, _, bytes| bytes.to_vec())
    }

    /// Values of a tensor of any numeric type.
    ///
    /// # Panics
    ///
    /// If the file has no such tensor, or its type is not f32, f64, i64 or u8.
    pub fn values(&self, name: &str) -> Vec<f64> {
        self.tensor(name, |_, dtype, bytes| match dtype {
            Dtype::F32 => numbers(bytes, |b| f64::from(f32::from_le_bytes(b))),
            Dtype::F64 => numbers(bytes, f64::from_le_bytes),
            Dtype::I64 => numbers(bytes, |b| i64::from_le_bytes(b) as f64),
            Dtype::U8 => numbers(bytes, |b: [u8; 1]| f64::from(b[0])),
            other => panic!("{name}: unsupported type {other:?}"),
        })
    }

    /// Values of an f32 tensor.
    ///
    /// # Panics
    ///
    /// If the file has no such tensor, or it is not f32.
    pub fn values_f32(&self, name: &str) -> Vec<f32> {
        self.tensor(name, |_, dtype, bytes| {
            assert_eq!(dtype, Dtype::F32, "{name}");
            numbers(bytes, f32::from_le_bytes)
        })
    }

    /// The one value of a tensor, or its first.
    ///
    /// # Panics
    ///
    /// If the file has no such tensor, or it is empty.
    pub fn number(&self, name: &str) -> f64 {
        self.values(name)[0]
    }

    /// Values of an i64 tensor of indices.
    ///
    /// # Panics
    ///
    /// If the file has no such tensor, it is not i64, or an index is negative.
    pub fn indices(&self, name: &str) -> Vec<usize> {
        self.tensor(name, |_, dtype, bytes| {
            assert_eq!(dtype, Dtype::I64, "{name}");
            let index = |b| usize::try_from(i64::from_le_bytes(b));
            numbers(bytes, |b| index(b).unwrap_or_else(|e| panic!("{name}: {e}")))
        })
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()))
    }

    fn tensor<T>(&self, name: &str, read: impl FnOnce(&[usize], Dtype, &[u8]) -> T) -> T {
        let tensors = self.tensors();
        let view = tensors.tensor(name).unwrap_or_else(|e| panic!("{}: {name}: {e}", self.path.display()));
        read(view.shape(), view.dtype(), view.data())
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect()
}

/// Largest absolute difference over the largest expected magnitude.
///
/// # Panics
///
/// If the lengths differ.
pub fn relative_difference<T: Copy + Into<f64>>(found: &[T], expected: &[T]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let (found, expected) = (found.iter().map(|v| (*v).into()), expected.iter().map(|v| (*v).into()));
    let largest = expected.clone().fold(1e-30_f64, |most: f64, v: f64| most.max(v.abs()));
    found.zip(expected).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs())) / largest
}

/// Fails with the name and the difference where that is above the tolerance; prints it for docs/parity.md.
///
/// # Panics
///
/// If the [relative difference](relative_difference) exceeds the tolerance or is NaN.
pub fn check<T: Copy + Into<f64>>(name: &str, found: &[T], expected: &[T], tolerance: f64) {
    assert!(found.iter().all(|value| !(*value).into().is_nan()), "{name}: NaN");
    let difference = relative_difference(found, expected);
    println!("{name}: {difference:.1e}");
    assert!(difference <= tolerance, "{name}: relative difference {difference:e} > {tolerance:e}");
}
