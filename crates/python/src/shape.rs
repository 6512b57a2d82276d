//! `lexiform._lexiform.Shape`: a 3D shape in memory.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glam::{Vec3, Vec4};
use image::ImageFormat;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::sample::sample_surface;
use lexiform_geometry::{Camera, Mesh, Rig, RigKind, Scene};
use lexiform_mesh_io::{Format, ReadOptions, read_bytes, read_with, write};
use lexiform_render::{Background, RenderConfig, Renderer, SheetCell};
use lexiform_server::scene_page;
use numpy::{
    PyArray1, PyArray2, PyArray3, PyArray4, PyArrayMethods as _, PyReadonlyArray2, PyReadonlyArray3,
    PyUntypedArrayMethods as _,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use crate::arrays::{channels, cloud_array, picture, picture_array, point_cloud, vectors};
use crate::error::{Result, invalid};
use crate::options::parse_up;
use crate::threads::compute;

/// A shape: triangles and points in world space, +Y up.
#[pyclass(frozen, module = "lexiform._lexiform")]
pub struct Shape {
    pub scene: Arc<Scene>,
}

#[pymethods]
impl Shape {
    /// Reads a file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf, up: &str) -> Result<Self> {
        let options = ReadOptions { up: parse_up(up)? };
        Ok(Self { scene: Arc::new(compute(py, || read_with(&path, &options))?) })
    }

    /// Reads the content of a file; `name` has the extension of its format.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, content: &[u8], name: &str, up: &str) -> Result<Self> {
        let options = ReadOptions { up: parse_up(up)? };
        // A bare name: nothing next to it is read, wherever the working directory is.
        let path = Path::new("/nonexistent").join(Path::new(name).file_name().unwrap_or_default());
        Ok(Self { scene: Arc::new(compute(py, || read_bytes(&path, content, &options))?) })
    }

    /// A mesh: vertices `[n, 3]`, faces `[m, 3]`, and colors `[n, 3 or 4]` of the vertices, linear, 0–1.
    #[staticmethod]
    #[pyo3(signature = (vertices, faces, colors=None))]
    fn from_mesh(
        vertices: PyReadonlyArray2<'_, f32>,
        faces: PyReadonlyArray2<'_, u32>,
        colors: Option<PyReadonlyArray2<'_, f32>>,
    ) -> Result<Self> {
        if faces.shape()[1] != 3 {
            return Err(invalid(format!("expected faces of shape [n, 3], found {:?}", faces.shape())));
        }
        let corners = faces.as_slice().map_err(|_| invalid("expected a contiguous array of faces"))?;
        let mesh = Mesh::new(vectors(&vertices, "vertices")?, corners.as_chunks::<3>().0.to_vec());
        let mut mesh = mesh.map_err(|error| invalid(error.to_string()))?;
        if let Some(colors) = colors {
            let columns = colors.shape()[1];
            if !matches!(columns, 3 | 4) {
                return Err(invalid(format!("expected colors in 3 or 4 columns, found {columns}")));
            }
            let numbers = colors.as_slice().map_err(|_| invalid("expected a contiguous array of colors"))?;
            let linear = |row: &[f32]| {
                let alpha = row.get(3).copied().unwrap_or(1.0);
                Vec4::new(row[0], row[1], row[2], alpha)
            };
            let colors = numbers.chunks_exact(columns).map(linear).collect();
            mesh = mesh.with_colors(colors).map_err(|error| invalid(error.to_string()))?;
        }
        Ok(Self { scene: Arc::new(Scene::from_mesh(mesh)) })
    }

    /// Points `[n, 3 or 6]`.
    #[staticmethod]
    fn from_points(points: PyReadonlyArray2<'_, f32>) -> Result<Self> {
        Ok(Self { scene: Arc::new(Scene::from_cloud(point_cloud(&points)?)) })
    }

    #[getter]
    fn n_triangles(&self) -> usize {
        self.scene.n_faces()
    }

    #[getter]
    fn n_vertices(&self) -> usize {
        self.scene.n_vertices()
    }

    #[getter]
    fn n_points(&self) -> usize {
        self.scene.n_points()
    }

    #[getter]
    fn notes(&self) -> Vec<String> {
        self.scene.notes.clone()
    }

    /// Smallest and largest coordinates.
    #[getter]
    fn bounds(&self) -> Option<([f32; 3], [f32; 3])> {
        self.scene.bounds().map(|bounds| (bounds.min.to_array(), bounds.max.to_array()))
    }

    /// The meshes: dictionaries with `vertices`, `faces`, `normals`, `uvs`, `colors`, `name`, and the `base_color` of the material.
    fn meshes<'py>(&self, py: Python<'py>) -> Result<Vec<Bound<'py, PyDict>>> {
        self.scene.meshes.iter().map(|mesh| self.mesh(py, mesh)).collect()
    }

    /// The point clouds, `[n, 3 or 6]`.
    fn clouds<'py>(&self, py: Python<'py>) -> Result<Vec<Bound<'py, PyArray2<f32>>>> {
        self.scene.clouds.iter().map(|cloud| cloud_array(py, cloud)).collect()
    }

    /// The shape in the unit sphere.
    fn normalized(&self, py: Python<'_>) -> Self {
        let scene = compute(py, || normalize_unit_sphere((*self.scene).clone(), Center::Bounds).0);
        Self { scene: Arc::new(scene) }
    }

    /// Views `[n, size, size, 3]`, with an alpha channel if the background is transparent. Without a rig, one view from the front.
    #[pyo3(signature = (views, size, *, rig=None, seed=0, transparent=false))]
    fn render<'py>(
        &self,
        py: Python<'py>,
        views: usize,
        size: u32,
        rig: Option<&str>,
        seed: u64,
        transparent: bool,
    ) -> Result<Bound<'py, PyArray4<u8>>> {
        if !(1..=RenderConfig::MAX_SIZE).contains(&size) || !(1..=1000).contains(&views) {
            return Err(invalid(format!(
                "expected 1 to 1000 views of 1 to {} pixels, found {views} of {size}",
                RenderConfig::MAX_SIZE
            )));
        }
        let rig = match rig.map(str::parse::<RigKind>).transpose() {
            Ok(kind) => {
                kind.map_or_else(|| Rig(vec![Camera::three_quarter_view()]), |kind| kind.rig(views, seed))
            }
            Err(error) => return Err(invalid(format!("rig: {error}"))),
        };
        let background = if transparent { Background::Transparent } else { Background::WHITE };
        let config = RenderConfig { size, background, ..RenderConfig::default() };
        let images = compute(py, || {
            let scene = normalize_unit_sphere((*self.scene).clone(), Center::Bounds).0;
            Renderer::new(&scene).render_views(&rig, &config).images
        });
        let shape = [images.len(), size as usize, size as usize, if transparent { 4 } else { 3 }];
        let bytes = images.iter().flat_map(|image| channels(image, transparent)).collect();
        Ok(PyArray1::from_vec(py, bytes).reshape(shape)?)
    }

    /// Points on the surface, `[n, 3]`, or `[n, 6]` if the shape has colors.
    fn sample<'py>(&self, py: Python<'py>, n: usize, seed: u64) -> Result<Bound<'py, PyArray2<f32>>> {
        if n == 0 || self.scene.is_empty() {
            return Err(invalid("expected a number of points, and a shape with a surface"));
        }
        let cloud = compute(py, || sample_surface(&self.scene, n, &mut SmallRng::seed_from_u64(seed)));
        cloud_array(py, &cloud)
    }

    /// A web page that shows the shape, and turns it.
    fn page(&self, py: Python<'_>, title: &str) -> Result<String> {
        let page = compute(py, || scene_page(&self.scene, Vec3::Y, title, &[]));
        page.map_err(|problem| invalid(problem.detail))
    }

    /// Writes a 3D file, in the format that the extension names.
    fn write(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        Ok(compute(py, || write(&path, &self.scene)).map_err(anyhow::Error::new)?)
    }
}

impl Shape {
    fn mesh<'py>(&self, py: Python<'py>, mesh: &Mesh) -> Result<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let rows = |numbers: Vec<f32>, columns: usize| {
            let n = numbers.len() / columns;
            PyArray1::from_vec(py, numbers).reshape([n, columns])
        };
        let of = |vectors: &[Vec3]| vectors.iter().flat_map(|v| v.to_array()).collect::<Vec<f32>>();
        dict.set_item("vertices", rows(of(mesh.positions()), 3)?)?;
        let corners: Vec<u32> = mesh.faces().iter().flatten().copied().collect();
        dict.set_item("faces", PyArray1::from_vec(py, corners).reshape([mesh.faces().len(), 3])?)?;
        if let Some(normals) = mesh.normals() {
            dict.set_item("normals", rows(of(normals), 3)?)?;
        }
        if let Some(uvs) = mesh.uvs() {
            dict.set_item("uvs", rows(uvs.iter().flat_map(|uv| uv.to_array()).collect(), 2)?)?;
        }
        if let Some(colors) = mesh.colors() {
            dict.set_item("colors", rows(colors.iter().flat_map(|c| c.to_array()).collect(), 4)?)?;
        }
        if let Some(material) = mesh.material.and_then(|at| self.scene.materials.get(at)) {
            dict.set_item("base_color", material.base_color.to_array())?;
        }
        dict.set_item("name", mesh.name.as_deref())?;
        Ok(dict)
    }
}

/// A grid of pictures with captions, `[height, width, 3]`.
#[pyfunction]
pub fn contact_sheet<'py>(
    py: Python<'py>,
    images: Vec<PyReadonlyArray3<'py, u8>>,
    captions: Vec<String>,
    columns: usize,
) -> Result<Bound<'py, PyArray3<u8>>> {
    let cell = |(image, caption): (&PyReadonlyArray3<'_, u8>, String)| {
        Ok(SheetCell { image: picture(image)?, caption })
    };
    let cells = images.iter().zip(captions).map(cell).collect::<Result<Vec<_>>>()?;
    picture_array(py, &lexiform_render::contact_sheet(&cells, columns), false)
}

/// The pixels of an image file, `[height, width, 3]`, or with alpha if some are transparent.
#[pyfunction]
pub fn read_picture(py: Python<'_>, path: PathBuf) -> Result<Bound<'_, PyArray3<u8>>> {
    let image = compute(py, || lexiform_search::read_image(&path))?;
    let has_alpha = image.pixels().any(|pixel| pixel[3] < 255);
    picture_array(py, &image, has_alpha)
}

/// A picture `[height, width, 3 or 4]` as a PNG file.
#[pyfunction]
pub fn encode_png<'py>(py: Python<'py>, pixels: PyReadonlyArray3<'py, u8>) -> Result<Bound<'py, PyBytes>> {
    let image = picture(&pixels)?;
    let mut png = Cursor::new(Vec::new());
    compute(py, || image.write_to(&mut png, ImageFormat::Png))?;
    Ok(PyBytes::new(py, png.get_ref()))
}

/// The pixels of the content of an image file, `[height, width, 3]`.
#[pyfunction]
pub fn decode_picture<'py>(py: Python<'py>, content: &[u8]) -> Result<Bound<'py, PyArray3<u8>>> {
    picture_array(py, &image::load_from_memory(content)?.into_rgba8(), false)
}

/// The extension of the format that content has, if its first bytes say.
#[pyfunction]
pub fn content_format(content: &[u8]) -> Option<&'static str> {
    Format::from_content(content).map(Format::extension)
}
