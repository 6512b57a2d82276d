//! Python's pickles as data.
//!
//! A pickle is a program for a small stack machine. [`Pickle`] runs it and takes notes: what it would import or call is recorded
//! as a [`Node`] and never looked up, so nothing in a file is ever executed. [`NumpyPickle`] adds what the calls of NumPy's own
//! pickles stand for: arrays, numbers and strings. [`DictWriter`] writes such a pickle.

mod cursor;
mod literal;
mod machine;
mod node;
mod numpy;
mod object;
mod write;

pub use self::node::{Call, Node, Pickle, Ref};
pub use self::object::{NumpyPickle, PickleValue};
pub use self::write::DictWriter;
