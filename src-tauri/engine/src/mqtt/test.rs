//! Connection test (being written).
