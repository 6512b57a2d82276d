//! Generated shapes to measure on, from seeds that no training uses.

use lexiform_eval::{GeneratedShape, GeneratedShapes, ShapeGenerator};
use lexiform_search::{Encoder, Intake, Scanned};
use lexiform_shapes::categories;
use lexiform_train::{Sample, held_out, held_out_clouds};

/// Held-out shapes.
pub struct HeldOut {
    /// Shapes of each category.
    pub each: usize,
}

impl ShapeGenerator for HeldOut {
    fn generate(&self, encoder: &dyn Encoder, clouds: Option<Scanned>) -> GeneratedShapes {
        let set = match (clouds, encoder.intake()) {
            (Some(Scanned { points, .. }), _) => held_out_clouds(self.each, points),
            (None, Intake::Views { rig, count, size }) => {
                held_out(self.each, size as usize, &rig.rig(count, 0), encoder.points_beside_views())
            }
            (None, Intake::Points { count }) => held_out_clouds(self.each, count),
        };
        let shape = |Sample { category, views, cloud, .. }: Sample| GeneratedShape { category, views, cloud };
        GeneratedShapes {
            labels: categories().iter().map(|category| category.name.to_owned()).collect(),
            shapes: set.samples.into_iter().map(shape).collect(),
        }
    }
}
