//! TensorBoard event files: length-prefixed records with checksums, each a protocol buffer.
//!
//! Formats: TensorFlow's `record_writer.h` (records) and `event.proto`, `summary.proto` (field numbers below).

use std::io::Write as _;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::event::TrainEvent;

/// One event file.
pub(super) struct EventFile {
    file: fs_err::File,
    started: f64,
    clock: Instant,
}

impl EventFile {
    /// Creates a file in `folder` for a run that starts after `done` steps.
    pub(super) fn create(folder: &Path, started: SystemTime, done: usize) -> std::io::Result<Self> {
        fs_err::create_dir_all(folder)?;
        let started = started.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        // TensorBoard reads files in the order of their names: start time, then step.
        let name = format!("events.out.tfevents.{:010}.{done:08}.lexiform", started as u64);
        let mut this =
            Self { file: fs_err::File::create(folder.join(name))?, started, clock: Instant::now() };
        this.record(&this.event(0, field_bytes(3, b"brain.Event:2")))?;
        // SessionLog { status: START } makes TensorBoard discard this and later steps of earlier files.
        this.record(&this.event(done + 1, field_bytes(7, &field_varint(1, 1))))?;
        Ok(this)
    }

    /// Writes the scalars of an event, if any.
    pub(super) fn write(&mut self, event: &TrainEvent) -> std::io::Result<()> {
        let (step, scalars) = scalars(event);
        if scalars.is_empty() {
            return Ok(());
        }
        let values = scalars.into_iter().flat_map(|(tag, value)| {
            let mut one = field_bytes(1, tag.as_bytes());
            // Summary.Value { tag = 1, simple_value = 2 }, the latter a 32-bit float.
            one.push(2 << 3 | 5);
            one.extend((value as f32).to_le_bytes());
            field_bytes(1, &one)
        });
        let summary: Vec<u8> = values.collect();
        self.record(&self.event(step, field_bytes(5, &summary)))
    }

    /// Event { wall_time = 1, step = 2, … }.
    fn event(&self, step: usize, what: Vec<u8>) -> Vec<u8> {
        // wall_time is a 64-bit float.
        let mut event = vec![1 << 3 | 1];
        event.extend((self.started + self.clock.elapsed().as_secs_f64()).to_le_bytes());
        event.extend(field_varint(2, step as u64));
        event.extend(what);
        event
    }

    fn record(&mut self, data: &[u8]) -> std::io::Result<()> {
        let length = (data.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(masked_crc(&length).to_le_bytes());
        record.extend(data);
        record.extend(masked_crc(data).to_le_bytes());
        self.file.write_all(&record)
    }
}

fn scalars(event: &TrainEvent) -> (usize, Vec<(String, f64)>) {
    match event {
        TrainEvent::Step(step) => {
            let mut all = vec![
                ("loss/total".to_owned(), step.loss),
                ("scale/logit_scale".to_owned(), f64::from(step.logit_scale)),
                ("speed/images_per_second".to_owned(), step.images_per_second),
                ("speed/data_wait".to_owned(), step.data_wait),
            ];
            all.extend(step.losses.iter().map(|(name, value)| (format!("loss/{name}"), *value)));
            all.extend(step.accuracies.iter().map(|(name, value)| (format!("accuracy/{name}"), *value)));
            all.extend(step.learning_rates.iter().map(|(name, value)| (format!("lr/{name}"), *value)));
            all.extend(
                step.grad_norms.iter().map(|(name, value)| (format!("grad_norm/{name}"), f64::from(*value))),
            );
            (step.step, all)
        }
        TrainEvent::Evaluated { step, report: Some(report), .. } => {
            let shares = [("top_1", report.top_1), ("top_3", report.top_3), ("top_5", report.top_5)];
            (*step, shares.map(|(name, share)| (format!("val/{name}"), share)).to_vec())
        }
        TrainEvent::Captioned { step, report: Some(report), .. } => {
            let scores = [("cider", report.cider), ("bleu_4", report.bleu_4)];
            (*step, scores.map(|(name, score)| (format!("val/{name}"), score)).to_vec())
        }
        _ => (0, Vec::new()),
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn field_varint(number: u8, value: u64) -> Vec<u8> {
    let mut bytes = vec![number << 3];
    bytes.extend(varint(value));
    bytes
}

fn field_bytes(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    bytes.extend(varint(value.len() as u64));
    bytes.extend(value);
    bytes
}

/// CRC-32C, masked as TFRecord files require.
fn masked_crc(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn crc32c(data: &[u8]) -> u32 {
    let crc = data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    });
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_the_rfc() {
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
