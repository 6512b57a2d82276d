//! lexiform-model
