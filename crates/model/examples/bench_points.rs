//! Times point encoders with random weights, whole path: groups, then the network. Prints one JSON line per measurement.

mod support;

use burn::tensor::Device;
use glam::Vec3;
use lexiform_model::ComputePrecision;
use lexiform_model::point::{
    CloudBatch, EncoderConfig, FpsStart, PointBertConfig, PointEncoder, PointMlpConfig, PointNextConfig,
    PointTower, PointTowerConfig, PreparedCloud, ProjectionConfig,
};
use lexiform_model::weights::WeightSource;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use support::measure;

fn main() {
    let device = Device::flex();
    let config = PointTowerConfig {
        encoder: EncoderConfig::PointBert(PointBertConfig::ulip2_colored()),
        projection: Some(ProjectionConfig { dim: 1280, bias: false }),
        classes: None,
    };
    let towers = [ComputePrecision::F32, ComputePrecision::Bf16].map(|precision| {
        let source = WeightSource::random(0, &device).with_precision(precision);
        (precision, PointTower::load(&source, &config).expect("new weights always fit"))
    });
    for (batch, repeats) in [(1, 5), (16, 1)] {
        let clouds = random_clouds(batch, 10_000);
        let clouds = CloudBatch::new(&clouds, true).expect("random clouds are well formed");
        for (precision, tower) in &towers {
            let what = format!("PointBERT, 10k colored points, batch {batch}, {precision}");
            measure(&what, repeats, || tower.encode(&clouds, FpsStart::default()).into_data());
        }
        let grouping = PointBertConfig::ulip2_colored().grouping();
        measure(&format!("PointBERT, groups alone, batch {batch}"), repeats, || clouds.groups(grouping));
    }
    convolutional(&device);
}

/// PointMLP with the 1024 points it was made for, PointNeXt-S with ULIP's 8192.
fn convolutional(device: &Device) {
    let encoders = [
        ("PointMLP", 1024, EncoderConfig::PointMlp(PointMlpConfig::ulip())),
        ("PointNeXt-S", 8192, EncoderConfig::PointNext(PointNextConfig::ulip())),
    ];
    for (name, points, config) in encoders {
        let encoder =
            PointEncoder::load(&WeightSource::random(0, device), &config).expect("new weights always fit");
        for (batch, repeats) in [(1, 5), (16, 1)] {
            let clouds = random_clouds(batch, points);
            let clouds = CloudBatch::new(&clouds, false).expect("random clouds are well formed");
            let what = format!("{name}, {points} points, batch {batch}");
            measure(&what, repeats, || encoder.encode(&clouds, FpsStart::default()).into_data());
        }
    }
}

fn random_clouds(count: usize, points: usize) -> Vec<PreparedCloud> {
    let mut rng = SmallRng::seed_from_u64(0);
    let mut points = || (0..points).map(|_| Vec3::from_array(rng.random::<[f32; 3]>()) * 2.0 - 1.0).collect();
    (0..count).map(|_| PreparedCloud { positions: points(), colors: points() }).collect()
}
