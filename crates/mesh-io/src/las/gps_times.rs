//! GPS times of compressed LAS points, version 2, as stored by [LASzip].
//!
//! The times are not needed, but they are encoded between other fields. The decoder of the `laz` crate recurses for each
//! change between the four interleaved series of times, so a crafted file overflows its stack, which cannot be caught; this
//! decoder uses a loop with a limit.
//!
//! [LASzip]: https://laszip.org

use std::io::{Error, ErrorKind, Read, Result};

use ::laz::{
    decoders::ArithmeticDecoder,
    decompressors::{IntegerDecompressor, IntegerDecompressorBuilder},
    models::{ArithmeticModel, ArithmeticModelBuilder},
    record::FieldDecompressor,
};

/// Symbols after a difference of zero: same, small difference, new series, three changes of series.
const SYMBOLS_AFTER_ZERO: u32 = 6;
/// Symbols otherwise: multiples 0 to 500 of the last difference, −1 to −10, and the five below.
const SYMBOLS: u32 = 516;
const LARGEST: i32 = 500;
const SMALLEST: i32 = 510;
const UNCHANGED: i32 = 511;
const NEW_SERIES: i32 = 512;
/// Encoders switch to the right series directly.
const MAX_SERIES_CHANGES: usize = 8;
/// After this many extreme multiples in a row, the difference is replaced.
const MAX_EXTREMES: u32 = 3;

/// One of the interleaved series: the last time (bits of an f64), and its difference to the one before.
#[derive(Clone, Copy, Default)]
struct Series {
    time: i64,
    difference: i32,
    extremes: u32,
}

/// The result of decoding a symbol.
enum Step {
    Done,
    Change(usize),
}

/// Decodes the field.
pub(super) struct GpsTimes {
    after_zero: ArithmeticModel,
    multiples: ArithmeticModel,
    differences: IntegerDecompressor,
    series: [Series; 4],
    current: usize,
    newest: usize,
}

impl GpsTimes {
    /// The state at the beginning of a chunk.
    pub fn new() -> Self {
        Self {
            after_zero: ArithmeticModelBuilder::new(SYMBOLS_AFTER_ZERO).build(),
            multiples: ArithmeticModelBuilder::new(SYMBOLS).build(),
            differences: IntegerDecompressorBuilder::new().bits(32).contexts(9).build_initialized(),
            series: [Series::default(); 4],
            current: 0,
            newest: 0,
        }
    }

    fn step<R: Read>(&mut self, decoder: &mut ArithmeticDecoder<R>) -> Result<Step> {
        let last = self.series[self.current].difference;
        if last == 0 {
            let symbol = decoder.decode_symbol(&mut self.after_zero)?;
            return match symbol {
                0 => Ok(Step::Done),
                1 => {
                    let difference = self.differences.decompress(decoder, 0, 0)?;
                    self.advance(difference);
                    self.remember(difference);
                    Ok(Step::Done)
                }
                2 => self.begin_series(decoder),
                more => Ok(Step::Change(more as usize - 2)),
            };
        }
        let symbol = decoder.decode_symbol(&mut self.multiples)? as i32;
        // Which multiple of the last difference is expected, and the model of the error.
        let (expected, context) = match symbol {
            UNCHANGED => return Ok(Step::Done),
            NEW_SERIES => return self.begin_series(decoder),
            more if more > NEW_SERIES => return Ok(Step::Change((more - NEW_SERIES) as usize)),
            0 => (0, 7),
            1 => (last, 1),
            n if n < 10 => (last.wrapping_mul(n), 2),
            n if n < LARGEST => (last.wrapping_mul(n), 3),
            LARGEST => (last.wrapping_mul(LARGEST), 4),
            SMALLEST => (last.wrapping_mul(LARGEST - SMALLEST), 6),
            n => (last.wrapping_mul(LARGEST - n), 5),
        };
        let difference = self.differences.decompress(decoder, expected, context)?;
        self.advance(difference);
        let series = &mut self.series[self.current];
        match symbol {
            1 => series.extremes = 0,
            0 | LARGEST | SMALLEST => {
                series.extremes += 1;
                if series.extremes > MAX_EXTREMES {
                    self.remember(difference);
                }
            }
            _ => {}
        }
        Ok(Step::Done)
    }

    fn advance(&mut self, difference: i32) {
        let series = &mut self.series[self.current];
        series.time = series.time.wrapping_add(i64::from(difference));
    }

    fn remember(&mut self, difference: i32) {
        let series = &mut self.series[self.current];
        series.difference = difference;
        series.extremes = 0;
    }

    /// A time that no series predicts: the upper half is stored as a difference, the lower half directly.
    fn begin_series<R: Read>(&mut self, decoder: &mut ArithmeticDecoder<R>) -> Result<Step> {
        let near = (self.series[self.current].time >> 32) as i32;
        let upper = self.differences.decompress(decoder, near, 8)?;
        let lower = decoder.read_int()?;
        self.newest = (self.newest + 1) % 4;
        self.current = self.newest;
        self.series[self.current] =
            Series { time: i64::from(upper) << 32 | i64::from(lower), ..Series::default() };
        Ok(Step::Done)
    }
}

impl<R: Read> FieldDecompressor<R> for GpsTimes {
    fn size_of_field(&self) -> usize {
        8
    }

    fn decompress_first(&mut self, source: &mut R, first: &mut [u8]) -> Result<()> {
        let mut bytes = [0; 8];
        source.read_exact(&mut bytes)?;
        self.series[0].time = i64::from_le_bytes(bytes);
        first.copy_from_slice(&bytes);
        Ok(())
    }

    fn decompress_with(&mut self, decoder: &mut ArithmeticDecoder<R>, field: &mut [u8]) -> Result<()> {
        for _ in 0..=MAX_SERIES_CHANGES {
            match self.step(decoder)? {
                Step::Done => {
                    field.copy_from_slice(&self.series[self.current].time.to_le_bytes());
                    return Ok(());
                }
                Step::Change(by) => self.current = (self.current + by) % 4,
            }
        }
        Err(Error::new(ErrorKind::InvalidData, "times change between series without end"))
    }
}
