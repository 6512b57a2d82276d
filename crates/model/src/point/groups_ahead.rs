//! Groups that are computed before a network needs them, for example by the thread that loads a batch: farthest-point sampling of
//! 10,000 points and the search for neighbors take as long as a part of the network.

use std::sync::Mutex;

use rayon::prelude::*;

use super::{Grouping, Groups, PreparedCloud};

/// How an encoder groups the points of clouds, learned from its first batch: encoders differ, and each knows only while it
/// runs. Groups are the same whether they are computed ahead or not.
///
/// ```
/// use glam::Vec3;
/// use lexiform_model::Device;
/// use lexiform_model::point::{CloudBatch, EncoderConfig, FpsStart, GroupingPlan, PointEncoder, PreparedCloud};
/// use lexiform_model::weights::WeightSource;
///
/// let encoder = PointEncoder::load(&WeightSource::random(0, &Device::flex()), &EncoderConfig::PointConv {})?;
/// let positions = (0..600).map(|i| Vec3::new((i as f32).cos(), (i as f32).sin(), i as f32 / 600.0)).collect();
/// let clouds = [PreparedCloud { positions, colors: Vec::new() }];
/// let (plan, batch) = (GroupingPlan::default(), CloudBatch::new(&clouds, false)?);
/// assert!(plan.group(&clouds).is_none());
/// let first = encoder.encode(&batch.with_plan(&plan, None), FpsStart::default());
///
/// let groups = plan.group(&clouds).expect("the first batch shows how");
/// let again = encoder.encode(&batch.with_plan(&plan, Some(&groups)), FpsStart::default());
/// assert_eq!(first.into_data(), again.into_data());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct GroupingPlan(Mutex<Option<Grouping>>);

/// Groups of some clouds.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupsAhead {
    grouping: Grouping,
    groups: Vec<Groups>,
}

impl GroupingPlan {
    /// Groups of clouds as an encoder's first stage has last asked for; `None` before. Empty clouds have no groups.
    pub fn group(&self, clouds: &[PreparedCloud]) -> Option<GroupsAhead> {
        let grouping = *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let grouping = grouping?;
        let of_cloud = |cloud: &PreparedCloud| match cloud.positions.is_empty() {
            true => Groups { centers: Vec::new(), members: Vec::new() },
            false => grouping.of(&cloud.positions),
        };
        Some(GroupsAhead { grouping, groups: clouds.par_iter().map(of_cloud).collect() })
    }

    pub(super) fn learn(&self, grouping: Grouping) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(grouping);
    }
}

impl GroupsAhead {
    /// The groups of some of the clouds.
    pub fn slice(&self, clouds: std::ops::Range<usize>) -> Self {
        Self { grouping: self.grouping, groups: self.groups[clouds].to_vec() }
    }

    /// These groups, then those of other clouds; `None` if they were not made in the same way.
    pub fn followed_by(mut self, other: Self) -> Option<Self> {
        self.groups.extend(other.groups);
        (self.grouping == other.grouping).then_some(self)
    }

    /// The groups of a cloud, if they were made by this grouping.
    pub(super) fn get(&self, cloud: usize, grouping: Grouping) -> Option<&Groups> {
        self.groups.get(cloud).filter(|_| self.grouping == grouping)
    }
}
