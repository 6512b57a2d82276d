//! Datatypes of elements.

use super::parser::{Hdf5Error, Parser, invalid, unsupported};
use crate::array::{Dtype, Kind};

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// Numbers, or fixed-length strings.
    Plain(Dtype),
    /// Variable-length strings, stored in the global heap.
    VarLenString,
}

impl Datatype {
    /// Parses a message.
    pub(super) fn parse(data: &[u8]) -> Result<(Self, usize), Hdf5Error> {
        let mut parser = Parser::new(data, 8, 8);
        let class = parser.u8()?;
        let bits = parser.uint(3)?;
        let size = parser.u32()? as usize;
        let big = bits & 1 != 0;
        let plain = |kind, allowed: &[usize]| {
            if allowed.contains(&size) {
                Ok((Self::Plain(Dtype { kind, size, big_endian: big }), size))
            } else {
                Err(unsupported(format!("numbers of {size} bytes")))
            }
        };
        match class & 0x0F {
            0 => plain(if bits & 8 != 0 { Kind::Signed } else { Kind::Unsigned }, &[1, 2, 4, 8]),
            1 if bits & 0x40 != 0 => Err(unsupported("VAX numbers".to_owned())),
            1 => plain(Kind::Float, &[2, 4, 8]),
            3 if size <= 1 << 16 => {
                Ok((Self::Plain(Dtype { kind: Kind::Bytes, size, big_endian: false }), size))
            }
            3 => Err(invalid(format!("strings of {size} bytes"))),
            // Booleans are enumerations over small integers; the names do not matter.
            8 => Self::parse(data.get(8..).unwrap_or_default()),
            9 if bits & 0x0F == 1 => Ok((Self::VarLenString, size)),
            9 => Err(unsupported("lists of any length".to_owned())),
            other => Err(unsupported(format!("values of class {other}"))),
        }
    }
}
