//! Writes a dictionary of strings and arrays as NumPy saves it: a `.npy` file of one Python object.

use crate::array::{Array, Kind};
use crate::npy::write_npy;

/// Writes a dictionary entry by entry, in protocol 3, which all versions of Python 3 read.
pub struct DictWriter {
    pickle: Vec<u8>,
}

impl Default for DictWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl DictWriter {
    /// An empty dictionary.
    pub fn new() -> Self {
        // The dictionary is the only item of a zero-dimensional array: state (version, shape, type, order, [dictionary]).
        let mut pickle = b"\x80\x03".to_vec();
        begin_array(&mut pickle);
        pickle.extend(b"(K\x01)");
        dtype(&mut pickle, "O8", "|");
        pickle.extend(b"\x89]}");
        Self { pickle }
    }

    /// Adds a string.
    pub fn text(&mut self, key: &str, value: &str) {
        unicode(&mut self.pickle, key);
        unicode(&mut self.pickle, value);
        self.pickle.push(b's');
    }

    /// Adds a list of strings.
    pub fn texts(&mut self, key: &str, values: &[&str]) {
        unicode(&mut self.pickle, key);
        self.pickle.push(b']');
        for value in values {
            unicode(&mut self.pickle, value);
            self.pickle.push(b'a');
        }
        self.pickle.push(b's');
    }

    /// Adds an array of numbers.
    pub fn array(&mut self, key: &str, value: &Array) {
        let pickle = &mut self.pickle;
        unicode(pickle, key);
        begin_array(pickle);
        pickle.extend(b"(K\x01(");
        for size in &value.shape {
            pickle.push(b'J');
            pickle.extend((*size as i32).to_le_bytes());
        }
        pickle.push(b't');
        let kind = match value.dtype.kind {
            Kind::Float => 'f',
            Kind::Signed => 'i',
            _ => 'u',
        };
        let order = if value.dtype.size == 1 {
            "|"
        } else if value.dtype.big_endian {
            ">"
        } else {
            "<"
        };
        dtype(pickle, &format!("{kind}{}", value.dtype.size), order);
        pickle.extend(b"\x89B");
        pickle.extend((value.data.len() as u32).to_le_bytes());
        pickle.extend(&value.data);
        pickle.extend(b"tbs");
    }

    /// The dictionary as a `.npy` file.
    pub fn to_npy(mut self) -> Vec<u8> {
        // APPEND the dictionary to the list, TUPLE the state, BUILD the array, STOP.
        self.pickle.extend(b"atb.");
        write_npy("|O", &[], &self.pickle)
    }
}

fn unicode(pickle: &mut Vec<u8>, text: &str) {
    pickle.push(b'X');
    pickle.extend((text.len() as u32).to_le_bytes());
    pickle.extend(text.as_bytes());
}

/// `_reconstruct(ndarray, (0,), b'b')`: an array whose state follows.
fn begin_array(pickle: &mut Vec<u8>) {
    pickle.extend(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R");
}

fn dtype(pickle: &mut Vec<u8>, name: &str, order: &str) {
    pickle.extend(b"cnumpy\ndtype\n");
    unicode(pickle, name);
    pickle.extend(b"\x89\x88\x87R(K\x03");
    unicode(pickle, order);
    pickle.extend(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK");
    pickle.push(if name.starts_with('O') { 0x3F } else { 0 });
    pickle.extend(b"tb");
}
