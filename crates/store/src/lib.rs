//! lexiform-store
