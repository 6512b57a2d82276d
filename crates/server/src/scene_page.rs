//! A page of one file that shows a scene with its answers: the viewer, the buffers and the list in one, for any browser and without
//! a server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glam::{Affine3A, Quat, Vec3};
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::{PointCloud, Scene};

use crate::Problem;
use crate::viewer_mesh::viewer_mesh;

/// The page, with places for the title, the list, the viewer and the buffers.
const PAGE: &str = include_str!("../page/scene.html");
const VIEWER: &str = include_str!("../page/viewer.js");
/// Points that are shown of a scene: 28 bytes each.
const MAX_POINTS: usize = 400_000;

/// An entry of the list of answers.
#[derive(Clone, Debug, PartialEq)]
pub struct PageAnswer {
    /// Color of the answer in the scene, sRGB.
    pub color: [u8; 3],
    /// What is said about it.
    pub label: String,
}

/// A page that shows a scene, turned so that `up` points up.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::{Mesh, Scene};
/// use lexiform_server::{PageAnswer, scene_page};
///
/// let scene = Scene::from_mesh(Mesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]])?);
/// let answers = [PageAnswer { color: [255, 0, 0], label: "a <chair>".to_owned() }];
/// let page = scene_page(&scene, Vec3::Y, "chairs", &answers)?;
/// assert!(page.contains("<title>chairs</title>") && page.contains("a &lt;chair&gt;"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the scene is too large for a browser.
pub fn scene_page(scene: &Scene, up: Vec3, title: &str, answers: &[PageAnswer]) -> Result<String, Problem> {
    let upright = Quat::from_rotation_arc(up.normalize_or(Vec3::Y), Vec3::Y);
    let shown = thinned(scene).transformed(Affine3A::from_quat(upright));
    let buffers = viewer_mesh(&normalize_unit_sphere(shown, Center::Bounds).0)?;
    let item = |answer: &PageAnswer| {
        let [r, g, b] = answer.color;
        format!("<li><i style=\"background:rgb({r},{g},{b})\"></i>{}</li>", escape(&answer.label))
    };
    let list: String = answers.iter().map(item).collect();
    // One pass over the page: what is inserted may hold anything.
    let mut page = String::with_capacity(buffers.len() * 4 / 3 + PAGE.len() + VIEWER.len());
    for (i, part) in PAGE.split("{{").enumerate() {
        let (name, rest) = if i == 0 { ("", part) } else { part.split_once("}}").unwrap_or(("", part)) };
        match name {
            "title" => page.push_str(&escape(title)),
            "answers" => page.push_str(&list),
            "viewer" => page.push_str(VIEWER),
            "buffers" => STANDARD.encode_string(&buffers, &mut page),
            _ => {}
        }
        page.push_str(rest);
    }
    Ok(page)
}

/// The scene with as many points as a page holds.
fn thinned(scene: &Scene) -> Scene {
    let step = scene.n_points().div_ceil(MAX_POINTS).max(1);
    if step == 1 {
        return scene.clone();
    }
    let thin = |cloud: &PointCloud| {
        let every = |list: &[Vec3]| list.iter().step_by(step).copied().collect::<Vec<_>>();
        // Positions stay finite and as many as colors.
        let bare = PointCloud::new(every(cloud.positions())).unwrap_or_default();
        let colored = cloud.colors().map(|colors| bare.clone().with_colors(every(colors)));
        colored.and_then(Result::ok).unwrap_or(bare)
    };
    Scene { clouds: scene.clouds.iter().map(thin).collect(), ..scene.clone() }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_everything_and_loads_nothing() {
        let points: Vec<Vec3> = (0..MAX_POINTS + 2).map(|i| Vec3::X * i as f32).collect();
        let scene = Scene::from_cloud(PointCloud::new(points).unwrap());
        let page = scene_page(&scene, Vec3::Z, "{{buffers}}</script>", &[]).unwrap();
        assert!(page.contains("class Viewer") && page.contains("<title>{{buffers}}&lt;/script&gt;</title>"));
        assert!(!page.contains("src=") && !page.contains("href="));
        let encoded = page.split("\"buffers\">").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
        let bytes = STANDARD.decode(encoded).unwrap();
        assert!(bytes.starts_with(b"LXM1"));
        // Half of the points are left, of 28 bytes each.
        assert!((28 * MAX_POINTS / 2..28 * MAX_POINTS).contains(&bytes.len()));
    }
}
