//! Generated shapes to measure on, from seeds that no training uses.

use lexiform_eval::{GeneratedShape, GeneratedShapes, ShapeGenerator};
use lexiform_search::{Encoder, InputSpec, SimulatedScan};
use lexiform_shapes::categories;
use lexiform_train::{Sample, held_out, held_out_clouds};

/// Held-out shapes.
pub(crate) struct HeldOut {
    /// Shapes of each category.
    pub(crate) each: usize,
}

impl ShapeGenerator for HeldOut {
    fn generate(&self, encoder: &dyn Encoder, clouds: Option<SimulatedScan>) -> GeneratedShapes {
        let set = match (clouds, encoder.input_spec()) {
            (Some(SimulatedScan { points, .. }), _) => held_out_clouds(self.each, points),
            (None, InputSpec::Views { rig, count, size }) => {
                held_out(self.each, size as usize, &rig.rig(count, 0), encoder.points_with_views())
            }
            (None, InputSpec::Points { count }) => held_out_clouds(self.each, count),
        };
        let shape = |Sample { category, views, cloud, .. }: Sample| GeneratedShape { category, views, cloud };
        GeneratedShapes {
            labels: categories().iter().map(|category| category.name.to_owned()).collect(),
            shapes: set.samples.into_iter().map(shape).collect(),
        }
    }
}
