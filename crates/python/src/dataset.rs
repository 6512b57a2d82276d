//! `lexiform._lexiform.Dataset`: shapes on disk, for training; and `prepare`, which makes one from 3D files.

use std::path::PathBuf;

use lexiform_data::annotations::AnnotationTable;
use lexiform_data::prepare::{CombinedSource, Prepare, PrepareConfig};
use lexiform_data::{
    BuildEvent, BuildOptions, Dataset as ShapeDataset, POINTS, build_dataset, merge_partitions,
};
use lexiform_formats::view_format::{ViewFormat, decode_view_rgb};
use lexiform_geometry::RigKind;
use lexiform_geometry::resize::pixel_on_white;
use numpy::{PyArray1, PyArray2, PyArray4, PyArrayMethods as _, PyUntypedArrayMethods as _};
use pyo3::prelude::*;
use serde_json::json;

use crate::error::{Result, invalid};
use crate::options::parse_up;
use crate::progress::run_with_events;
use crate::threads::{check_not_forked, compute};

/// A data set that is open for reading.
#[pyclass(frozen, module = "lexiform._lexiform")]
pub struct Dataset(ShapeDataset);

#[pymethods]
impl Dataset {
    /// Opens a folder.
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> Result<Self> {
        Ok(Self(compute(py, || ShapeDataset::open(&path))?))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn key(&self, shape: usize) -> Result<&str> {
        self.checked(shape).map(|shape| self.0.key(shape))
    }

    fn split(&self, shape: usize) -> Result<&str> {
        self.checked(shape).map(|shape| self.0.split(shape))
    }

    fn label(&self, shape: usize) -> Result<Option<&str>> {
        self.checked(shape).map(|shape| self.0.label(shape))
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.0.find(key)
    }

    /// Numbers of the shape's views.
    fn view_indices(&self, shape: usize) -> Result<Vec<usize>> {
        self.checked(shape).map(|shape| self.0.view_indices(shape).collect())
    }

    /// Views `[n, height, width, 3]` on white: in `out` if it has their shape, else in a new array.
    #[pyo3(signature = (shape, views, out=None))]
    fn views<'py>(
        &self,
        py: Python<'py>,
        shape: usize,
        views: Vec<usize>,
        out: Option<Bound<'py, PyArray4<u8>>>,
    ) -> Result<Bound<'py, PyArray4<u8>>> {
        let shape = self.checked(shape)?;
        // One that is in use, or no plain array, is not written.
        let mut borrowed = out.as_ref().and_then(|out| out.try_readwrite().ok());
        let sizes = out.as_ref().map(|out| out.shape().to_vec());
        let place = borrowed.as_mut().and_then(|out| out.as_slice_mut().ok());
        let (sizes, bytes) = compute(py, || self.decoded(shape, &views, sizes.zip(place)))?;
        drop(borrowed);
        match (bytes, out) {
            (None, Some(out)) => Ok(out),
            (bytes, _) => Ok(PyArray1::from_vec(py, bytes.unwrap_or_default()).reshape(sizes)?),
        }
    }

    /// Points `[n, 3 or 6]`; `None` if the shape has none.
    fn points<'py>(&self, py: Python<'py>, shape: usize) -> Result<Option<Bound<'py, PyArray2<f32>>>> {
        let shape = self.checked(shape)?;
        let Some(array) = compute(py, || self.0.array(shape, POINTS))? else { return Ok(None) };
        let &[rows, columns] = &array.shape[..] else {
            return Err(self.0.invalid(shape, format!("has points of shape {:?}", array.shape)).into());
        };
        Ok(Some(PyArray1::from_vec(py, array.to_f32_vec()).reshape([rows, columns])?))
    }

    /// Labels, captions and other metadata as JSON.
    fn metadata(&self, py: Python<'_>, shape: usize) -> Result<String> {
        let shape = self.checked(shape)?;
        let metadata = compute(py, || self.0.metadata(shape))?;
        Ok(serde_json::to_string(&metadata)?)
    }
}

impl Dataset {
    /// Views on white as one array, with its shape: in `out`, a shape and a place, if that is the shape, else in new memory.
    fn decoded(
        &self,
        shape: usize,
        views: &[usize],
        out: Option<(Vec<usize>, &mut [u8])>,
    ) -> Result<([usize; 4], Option<Vec<u8>>)> {
        let mut decoded = DecodedViews { count: views.len(), sizes: None, out, fresh: Vec::new() };
        for (i, file) in self.0.views(shape, views)?.iter().enumerate() {
            decode_view_rgb(file, pixel_on_white, |size| decoded.place(i, size))
                .map_err(|error| self.0.invalid(shape, error))?;
        }
        let sizes = decoded.sizes.ok_or_else(|| invalid("expected at least one view, found none"))?;
        Ok((sizes, (!decoded.fresh.is_empty()).then_some(decoded.fresh)))
    }

    fn checked(&self, shape: usize) -> Result<usize> {
        match shape < self.0.len() {
            true => Ok(shape),
            false => Err(invalid(format!("expected a shape below {}, found {shape}", self.0.len()))),
        }
    }
}

/// Views that are decoded one after the other.
struct DecodedViews<'a> {
    count: usize,
    /// Of all views, once the first one is there.
    sizes: Option<[usize; 4]>,
    /// Where they go if these are their sizes.
    out: Option<(Vec<usize>, &'a mut [u8])>,
    /// Where they go otherwise.
    fresh: Vec<u8>,
}

impl DecodedViews<'_> {
    /// Where view `i` goes.
    fn place(&mut self, i: usize, [width, height]: [u32; 2]) -> std::result::Result<&mut [[u8; 3]], String> {
        let found = [self.count, height as usize, width as usize, 3];
        if *self.sizes.get_or_insert(found) != found {
            return Err("has views of different sizes".to_owned());
        }
        let length: usize = found.iter().product();
        let pixels: &mut [u8] = match &mut self.out {
            Some((sizes, place)) if *sizes == found => place,
            _ => {
                if self.fresh.is_empty() {
                    // Zeroed by the system, not by writing it twice.
                    self.fresh = vec![0; length];
                }
                &mut self.fresh
            }
        };
        let view = length / self.count;
        Ok(pixels[i * view..][..view].as_chunks_mut().0)
    }
}

/// Renders and samples 3D files into a data set; an interrupted run is resumed. Returns numbers of shapes by outcome.
#[pyfunction]
#[pyo3(signature = (sources, out, *, views, size, rig, image_format, points, up, seed, val_fraction, folder_labels, jobs, on_event=None))]
pub fn prepare(
    py: Python<'_>,
    sources: Vec<String>,
    out: PathBuf,
    views: usize,
    size: u32,
    rig: &str,
    image_format: &str,
    points: usize,
    up: &str,
    seed: u64,
    val_fraction: f64,
    folder_labels: bool,
    jobs: usize,
    on_event: Option<Py<PyAny>>,
) -> Result<(usize, usize)> {
    check_not_forked("preparing a data set")?;
    let rig: RigKind = rig.parse().map_err(|error| invalid(format!("rig: {error}")))?;
    if !(0.0..1.0).contains(&val_fraction) {
        return Err(invalid(format!("val_fraction: expected a fraction from 0 to 1, found {val_fraction}")));
    }
    let up = parse_up(up)?;
    let view_format: ViewFormat =
        image_format.parse().map_err(|error| invalid(format!("image_format: {error}")))?;
    let config = PrepareConfig {
        up,
        rig,
        views,
        size,
        view_format,
        points,
        seed,
        val_fraction,
        folder_labels,
        ..PrepareConfig::default()
    };
    run_with_events(py, on_event, |on_event| -> Result<(usize, usize)> {
        let source = CombinedSource::open(&sources)?;
        let producer = Prepare::new(&source, config, AnnotationTable::default())?.with_jobs(jobs);
        let options = BuildOptions { num_workers: jobs, ..BuildOptions::default() };
        build_dataset(&producer, &out, &options, &mut |event| {
            if let Some(event) = described(&event) {
                on_event(event.to_string());
            }
        })?;
        merge_partitions(&out)?;
        let dataset = ShapeDataset::open(&out)?;
        Ok((dataset.len(), usize::try_from(dataset.manifest().failed).unwrap_or(usize::MAX)))
    })
}

fn described(event: &BuildEvent) -> Option<serde_json::Value> {
    match event {
        BuildEvent::Planned { shapes, written, failed } => {
            Some(json!({ "event": "planned", "shapes": shapes - written - failed }))
        }
        BuildEvent::Written { source, .. } => Some(json!({ "event": "step", "item": source })),
        BuildEvent::Failed(failed) => {
            Some(json!({ "event": "failed", "item": failed.source, "reason": failed.reason }))
        }
        BuildEvent::Shard(_) => None,
    }
}
