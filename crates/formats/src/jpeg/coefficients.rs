//! Markers, tables and Huffman-coded scans of a JPEG file: from its bytes to quantized coefficients.

/// Position in row order of the i-th coefficient of a scan.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Most scans of an image; encoders write about ten. A scan of a few bytes can take as long as one of all coefficients.
const MAX_SCANS: usize = 100;

/// A component with the coefficients of its blocks.
pub(super) struct Component {
    id: u8,
    /// Sampling factors.
    factors: [usize; 2],
    table: usize,
    pub quantization: [u16; 64],
    /// Blocks per row, and rows of blocks, padded to whole units of the image.
    pub blocks: [usize; 2],
    pub coefficients: Vec<[i16; 64]>,
}

/// A frame: everything but the conversion to pixels.
pub(super) struct Frame {
    /// Width and height.
    pub size: [usize; 2],
    pub is_rgb: bool,
    pub components: Vec<Component>,
    is_progressive: bool,
}

impl Frame {
    fn max_factors(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.components.iter().map(|c| c.factors[axis]).max().unwrap_or(1))
    }

    /// Pixels that a sample of a component covers in each direction.
    pub fn ratio(&self, component: &Component) -> [usize; 2] {
        let most = self.max_factors();
        [0, 1].map(|axis| most[axis] / component.factors[axis])
    }

    /// Columns and rows of a component, without padding.
    pub fn component_size(&self, component: &Component) -> [usize; 2] {
        let most = self.max_factors();
        [0, 1].map(|axis| (self.size[axis] * component.factors[axis]).div_ceil(most[axis]))
    }
}

/// Codes up to this length are looked up at once.
const LOOKUP_BITS: u32 = 9;

/// A Huffman code.
#[derive(Clone, Default)]
struct Huffman {
    /// Number of codes of each length.
    counts: [usize; 17],
    /// Values in the order of their codes.
    values: Vec<u8>,
    /// Length and value of the code that the next bits start with; length 0 if it is longer or no code.
    lookup: Vec<(u8, u8)>,
}

impl Huffman {
    fn new(counts: [usize; 17], values: Vec<u8>) -> Self {
        let mut lookup = vec![(0, 0); 1 << LOOKUP_BITS];
        let (mut code, mut index) = (0usize, 0);
        for length in 1..=LOOKUP_BITS {
            let span = 1 << (LOOKUP_BITS - length);
            for value in values.iter().skip(index).take(counts[length as usize]) {
                for entry in lookup.iter_mut().skip(code * span).take(span) {
                    *entry = (length as u8, *value);
                }
                code += 1;
            }
            index += counts[length as usize];
            code <<= 1;
        }
        Self { counts, values, lookup }
    }
}

/// Tables that segments between scans define.
struct Tables {
    quantization: [Option<[u16; 64]>; 4],
    /// By class (DC, AC) and number.
    huffman: [[Huffman; 4]; 2],
    restart_interval: usize,
    adobe_transform: Option<u8>,
    has_jfif: bool,
}

/// Reads a whole file of at most `max_pixels` pixels; `None` if it is damaged or of a kind that is not supported.
pub(super) fn read_frame(bytes: &[u8], max_pixels: usize) -> Option<Frame> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut tables = Tables {
        quantization: [None; 4],
        huffman: Default::default(),
        restart_interval: 0,
        adobe_transform: None,
        has_jfif: false,
    };
    let (mut at, mut scans, mut frame) = (2, 0, None::<Frame>);
    loop {
        // Fill bytes before a marker are allowed.
        while bytes.get(at) == Some(&0xff) && bytes.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        let (Some(0xff), marker) = (bytes.get(at), *bytes.get(at + 1)?) else { return None };
        at += 2;
        if marker == 0xd9 {
            break;
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let segment = bytes.get(at + 2..at + length.max(2))?;
        at += length.max(2);
        match marker {
            0xc0..=0xc2 => {
                if frame.is_some() {
                    return None;
                }
                frame = Some(start_of_frame(segment, marker == 0xc2, max_pixels)?);
            }
            0xda => {
                scans += 1;
                if scans > MAX_SCANS {
                    return None;
                }
                at = scan(bytes, at, segment, frame.as_mut()?, &tables)?;
            }
            _ => tables.define(marker, segment)?,
        }
    }
    let mut frame = frame?;
    frame.is_rgb = tables.is_rgb(&frame.components);
    for component in &mut frame.components {
        component.quantization = tables.quantization[component.table]?;
    }
    Some(frame)
}

impl Tables {
    fn define(&mut self, marker: u8, mut segment: &[u8]) -> Option<()> {
        match marker {
            0xdb => {
                while let Some((&kind, rest)) = segment.split_first() {
                    let (wide, number) = (usize::from(kind >> 4), usize::from(kind & 3));
                    let mut table = [0; 64];
                    for (i, position) in ZIGZAG.into_iter().enumerate() {
                        let byte = |at: usize| rest.get(at).map(|&byte| u16::from(byte));
                        table[position] =
                            if wide == 0 { byte(i)? } else { byte(2 * i)? << 8 | byte(2 * i + 1)? };
                    }
                    self.quantization[number] = Some(table);
                    segment = rest.get(64 << wide..)?;
                }
            }
            0xc4 => {
                while let Some((&kind, rest)) = segment.split_first() {
                    let mut counts = [0; 17];
                    for (count, &byte) in counts[1..].iter_mut().zip(rest.get(..16)?) {
                        *count = usize::from(byte);
                    }
                    let total: usize = counts.iter().sum();
                    let code = Huffman::new(counts, rest.get(16..16 + total)?.to_vec());
                    *self.huffman.get_mut(usize::from(kind >> 4))?.get_mut(usize::from(kind & 15))? = code;
                    segment = &rest[16 + total..];
                }
            }
            0xdd => {
                self.restart_interval = usize::from(u16::from_be_bytes([*segment.first()?, *segment.get(1)?]))
            }
            0xe0 => self.has_jfif |= segment.starts_with(b"JFIF\0"),
            0xee if segment.starts_with(b"Adobe") => self.adobe_transform = segment.get(11).copied(),
            // Other frames: lossless, arithmetic, hierarchical.
            0xc3 | 0xc5..=0xcf => return None,
            _ => {}
        }
        Some(())
    }

    /// Whether three components are red, green and blue, guessed as libjpeg does.
    fn is_rgb(&self, components: &[Component]) -> bool {
        let ids: Vec<u8> = components.iter().map(|component| component.id).collect();
        match self.adobe_transform {
            _ if self.has_jfif => false,
            Some(transform) => transform == 0,
            None => ids == *b"RGB",
        }
    }
}

fn start_of_frame(segment: &[u8], is_progressive: bool, max_pixels: usize) -> Option<Frame> {
    let [8, h1, h0, w1, w0, n @ (1 | 3), rest @ ..] = segment else { return None };
    let [width, height] = [[*w1, *w0], [*h1, *h0]].map(|pair| usize::from(u16::from_be_bytes(pair)));
    if width == 0 || height == 0 || width * height > max_pixels {
        return None;
    }
    let component = |entry: &[u8; 3]| Component {
        id: entry[0],
        factors: [usize::from(entry[1] >> 4), usize::from(entry[1] & 15)],
        table: usize::from(entry[2] & 3),
        quantization: [0; 64],
        blocks: [0; 2],
        coefficients: Vec::new(),
    };
    let mut components: Vec<Component> =
        rest.as_chunks::<3>().0.iter().take(usize::from(*n)).map(component).collect();
    if components.len() != usize::from(*n) {
        return None;
    }
    // A single component is not interleaved, whatever its factors.
    if let [alone] = &mut components[..] {
        alone.factors = [1, 1];
    }
    let mut frame = Frame { size: [width, height], is_rgb: false, components, is_progressive };
    let most = frame.max_factors();
    if frame
        .components
        .iter()
        .flat_map(|c| [(c.factors[0], most[0]), (c.factors[1], most[1])])
        .any(|(factor, most)| !(1..=4).contains(&factor) || !most.is_multiple_of(factor))
    {
        return None;
    }
    let units = [0, 1].map(|axis| frame.size[axis].div_ceil(8 * most[axis]));
    for component in &mut frame.components {
        component.blocks = [0, 1].map(|axis| units[axis] * component.factors[axis]);
        component.coefficients = vec![[0; 64]; component.blocks[0] * component.blocks[1]];
    }
    Some(frame)
}

/// A scan: which coefficients it has, and the state of its decoder.
struct Scan<'a> {
    bits: Bits<'a>,
    band: [usize; 2],
    /// Successive approximation: bit position of the previous and of this scan.
    high: u32,
    low: u32,
    /// Blocks left of a run without coefficients.
    end_of_band: usize,
}

/// Decodes a scan; returns the position of the next marker.
fn scan(bytes: &[u8], at: usize, header: &[u8], frame: &mut Frame, tables: &Tables) -> Option<usize> {
    let (count, rest) = header.split_first()?;
    let (entries, parameters) = rest.split_at_checked(usize::from(*count) * 2)?;
    let [first, last, approximation] = *parameters else { return None };
    let mut members = Vec::new();
    for entry in entries.as_chunks::<2>().0 {
        let index = frame.components.iter().position(|component| component.id == entry[0])?;
        let code = |class: usize, number: u8| tables.huffman[class].get(usize::from(number));
        members.push((index, code(0, entry[1] >> 4)?, code(1, entry[1] & 15)?));
    }
    let band = if frame.is_progressive { [usize::from(first), usize::from(last)] } else { [0, 63] };
    let [high, low] = [u32::from(approximation >> 4), u32::from(approximation & 15)];
    let is_valid = band[0] <= band[1] && band[1] < 64 && low < 14 && !members.is_empty();
    if !is_valid || (band[0] > 0 && members.len() > 1) {
        return None;
    }
    let (high, low) = if frame.is_progressive { (high, low) } else { (0, 0) };
    let mut scan = Scan { bits: Bits { bytes, at, buffer: 0, count: 0 }, band, high, low, end_of_band: 0 };
    let mut previous_dc = vec![0i32; members.len()];
    let [columns, rows] = units(frame, &members);
    let is_interleaved = members.len() > 1;
    for unit in 0..columns * rows {
        if tables.restart_interval > 0 && unit > 0 && unit.is_multiple_of(tables.restart_interval) {
            scan.bits.restart()?;
            scan.end_of_band = 0;
            previous_dc.fill(0);
        }
        let (x, y) = (unit % columns, unit / columns);
        for ((index, dc, ac), previous_dc) in members.iter().zip(&mut previous_dc) {
            let component = &mut frame.components[*index];
            let [h, v] = if is_interleaved { component.factors } else { [1, 1] };
            for block in 0..h * v {
                let at = (y * v + block / h) * component.blocks[0] + x * h + block % h;
                scan.block(&mut component.coefficients[at], [dc, ac], previous_dc)?;
            }
        }
    }
    Some(scan.bits.at)
}

/// Columns and rows of the units of a scan: of all components, or the blocks of one without padding.
fn units(frame: &Frame, members: &[(usize, &Huffman, &Huffman)]) -> [usize; 2] {
    if let [(index, ..)] = members {
        return frame.component_size(&frame.components[*index]).map(|size| size.div_ceil(8));
    }
    let most = frame.max_factors();
    [0, 1].map(|axis| frame.size[axis].div_ceil(8 * most[axis]))
}

impl Scan<'_> {
    fn block(&mut self, block: &mut [i16; 64], [dc, ac]: [&Huffman; 2], previous_dc: &mut i32) -> Option<()> {
        if self.band[0] == 0 {
            if self.high > 0 {
                block[0] |= (self.bits.take(1)? << self.low) as i16;
            } else {
                let size = u32::from(self.bits.symbol(dc)?);
                *previous_dc = previous_dc.wrapping_add(self.bits.signed(size)?);
                block[0] = (*previous_dc << self.low) as i16;
            }
        }
        match (self.band[1], self.high > 0) {
            (0, _) => Some(()),
            (_, false) => self.first_ac(block, ac),
            (_, true) => self.refine_ac(block, ac),
        }
    }

    fn first_ac(&mut self, block: &mut [i16; 64], ac: &Huffman) -> Option<()> {
        if self.end_of_band > 0 {
            self.end_of_band -= 1;
            return Some(());
        }
        let mut at = self.band[0].max(1);
        while at <= self.band[1] {
            let symbol = self.bits.symbol(ac)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && run < 15 {
                self.end_of_band = (1 << run) - 1 + self.bits.take(run as u32)? as usize;
                break;
            }
            at += run;
            if size > 0 {
                *block.get_mut(*ZIGZAG.get(at)?)? = (self.bits.signed(size)? << self.low) as i16;
            }
            at += 1;
        }
        Some(())
    }

    fn refine_ac(&mut self, block: &mut [i16; 64], ac: &Huffman) -> Option<()> {
        let bit = 1i16 << self.low;
        let mut at = self.band[0];
        while at <= self.band[1] && self.end_of_band == 0 {
            let symbol = self.bits.symbol(ac)?;
            let (mut zeros, size) = (usize::from(symbol >> 4), symbol & 15);
            let mut new = 0;
            if size == 0 && zeros < 15 {
                // This block is the first of the run: its remaining coefficients are refined below.
                self.end_of_band = (1 << zeros) + self.bits.take(zeros as u32)? as usize;
                break;
            }
            if size > 0 {
                new = if self.bits.take(1)? == 1 { bit } else { -bit };
            }
            while at <= self.band[1] {
                let value = &mut block[ZIGZAG[at]];
                if *value != 0 {
                    self.bits.refine(value, bit)?;
                } else if zeros == 0 {
                    *value = new;
                    at += 1;
                    break;
                } else {
                    zeros -= 1;
                }
                at += 1;
            }
        }
        if self.end_of_band > 0 {
            for position in ZIGZAG.into_iter().take(self.band[1] + 1).skip(at) {
                if block[position] != 0 {
                    self.bits.refine(&mut block[position], bit)?;
                }
            }
            self.end_of_band -= 1;
        }
        Some(())
    }
}

/// Bits of entropy-coded data.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits are the lowest `count` ones.
    buffer: u64,
    count: u32,
}

impl Bits<'_> {
    /// Reads ahead to at least 16 bits, as far as there are some before the next marker.
    fn refill(&mut self) {
        while self.count < 32 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xff), Some(0)) => {
                    self.at += 2;
                    0xff
                }
                (Some(0xff), _) | (None, _) => return,
                (Some(byte), _) => {
                    self.at += 1;
                    *byte
                }
            };
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    fn take(&mut self, n: u32) -> Option<u32> {
        if self.count < n {
            self.refill();
        }
        self.count = self.count.checked_sub(n)?;
        Some((self.buffer >> self.count & ((1 << n) - 1)) as u32)
    }

    fn symbol(&mut self, code: &Huffman) -> Option<u8> {
        if self.count < 16 {
            self.refill();
        }
        if self.count >= LOOKUP_BITS {
            let next = self.buffer >> (self.count - LOOKUP_BITS) & ((1 << LOOKUP_BITS) - 1);
            if let Some(&(length @ 1.., value)) = code.lookup.get(next as usize) {
                self.count -= u32::from(length);
                return Some(value);
            }
        }
        let (mut bits, mut first, mut index) = (0, 0, 0);
        for length in 1..=16 {
            bits = bits << 1 | self.take(1)? as usize;
            let count = code.counts[length];
            if bits < first + count {
                return code.values.get(index + bits - first).copied();
            }
            index += count;
            first = (first + count) << 1;
        }
        None
    }

    /// A number of `size` bits, in which a leading 0 means negative.
    fn signed(&mut self, size: u32) -> Option<i32> {
        if size == 0 || size > 16 {
            return (size == 0).then_some(0);
        }
        let value = self.take(size)? as i32;
        Some(if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
    }

    /// Adds a bit to a coefficient that is not zero.
    fn refine(&mut self, value: &mut i16, bit: i16) -> Option<()> {
        if self.take(1)? == 1 && *value & bit == 0 {
            *value = value.wrapping_add(if *value < 0 { -bit } else { bit });
        }
        Some(())
    }

    /// Skips the marker between two intervals.
    fn restart(&mut self) -> Option<()> {
        (self.buffer, self.count) = (0, 0);
        let is_marker =
            self.bytes.get(self.at) == Some(&0xff) && (0xd0..=0xd7).contains(self.bytes.get(self.at + 1)?);
        self.at += 2;
        is_marker.then_some(())
    }
}
