//! `lexiform info`: contents and problems of 3D files.

use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_mesh_io::{FileInfo, ReadOptions, SurfaceInfo, UpAxis};
use lexiform_search::{Captions, Library};
use serde::Serialize;

use crate::error::Outcome;
use crate::output;
use crate::up_axis::UpArg;

/// Show the contents and problems of 3D files
#[derive(Args)]
pub(crate) struct InfoArgs {
    /// 3D files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    up_arg: UpArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
}

/// A file as a line of JSON.
#[derive(Serialize)]
struct InfoLine<'a> {
    #[serde(flatten)]
    info: &'a FileInfo,
    /// Those of the library that the file is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    captions: Option<&'a Captions>,
}

impl InfoArgs {
    /// Reads and shows each file.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let options = ReadOptions { up: self.up_arg.rule() };
        let mut failed = 0;
        for file in &self.files {
            match lexiform_mesh_io::info_with(file, &options) {
                Ok(info) => self.show(&info)?,
                Err(error) => {
                    failed += 1;
                    self.show_error(file, &error)?;
                }
            }
        }
        if failed > 0 && self.files.len() > 1 {
            output::note(format!("{} could not be read", output::quantity(failed, "file")));
        }
        let is_failure = failed == self.files.len() || (self.strict && failed > 0);
        Ok(if is_failure { Outcome::Failed } else { Outcome::Done })
    }

    fn show(&self, info: &FileInfo) -> anyhow::Result<()> {
        // A library that cannot be read says nothing against the file.
        let captions = Library::captions_of(&info.path).unwrap_or_else(|error| {
            output::note(output::single_line(&format!("note: no captions: {error}")));
            None
        });
        if self.json {
            return output::json(&InfoLine { info, captions: captions.as_ref() });
        }
        output::line(output::single_line(&info.path.display().to_string()))?;
        let row =
            |(name, text): &(&str, String)| output::line(format!("  {name:<9}{}", output::single_line(text)));
        rows(info).iter().try_for_each(row)?;
        let texts = captions.iter().flat_map(|captions| &captions.texts);
        Ok(texts.map(|text| ("caption", text.clone())).try_for_each(|pair| row(&pair))?)
    }

    fn show_error(&self, file: &Path, error: &lexiform_mesh_io::ReadError) -> anyhow::Result<()> {
        let path = file.display().to_string();
        if self.json {
            return output::json(&serde_json::json!({ "path": path, "error": error.to_string() }));
        }
        let text = error.to_string();
        // The path is on the line above.
        let text = text.strip_prefix(&format!("{path}: ")).unwrap_or(&text);
        output::line(output::single_line(&path))?;
        Ok(output::line(format!("  error    {}", output::single_line(text)))?)
    }
}

/// The lines about a file, as names and texts.
fn rows(info: &FileInfo) -> Vec<(&'static str, String)> {
    let [x, y, z] = info.extents;
    let mut up = info.orientation.describe(info.format);
    if info.orientation.axis != UpAxis::Y {
        let [x, y, z] = info.extents_y_up;
        up += &format!(": {x} × {y} × {z}");
    }
    let mut rows = vec![
        ("format", format!("{}, {} bytes", info.format.name(), info.bytes)),
        ("holds", holds(info)),
        ("extents", format!("{x} × {y} × {z} (x × y × z)")),
        ("up axis", up),
    ];
    let has =
        [(info.has_colors, "colors"), (info.has_uvs, "texture coordinates"), (info.has_normals, "normals")];
    let has: Vec<&str> = has.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
    if !has.is_empty() {
        rows.push(("with", has.join(", ")));
    }
    if let Some(surface) = &info.surface {
        rows.push(("surface", describe(surface)));
    }
    rows.extend(info.notes.iter().map(|note| ("note", note.clone())));
    rows
}

fn holds(info: &FileInfo) -> String {
    let counts = [
        (info.triangles, "triangle", "triangles"),
        (info.vertices, "vertex", "vertices"),
        (info.points, "point", "points"),
        (info.meshes, "mesh", "meshes"),
        (info.materials, "material", "materials"),
        (info.texture_sizes.len(), "texture", "textures"),
    ];
    let counts = counts.iter().filter(|(n, ..)| *n > 0);
    let counts: Vec<String> =
        counts.map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many })).collect();
    counts.join(", ")
}

fn describe(surface: &SurfaceInfo) -> String {
    let mut parts = vec![if surface.watertight { "watertight" } else { "not watertight" }.to_owned()];
    let counts = [
        (surface.boundary_edges, "boundary edges"),
        (surface.degenerate_triangles, "degenerate triangles"),
        (surface.duplicate_vertices, "duplicate vertices"),
        (surface.unreferenced_vertices, "unreferenced vertices"),
    ];
    parts.extend(counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    parts.join(", ")
}
