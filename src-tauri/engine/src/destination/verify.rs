//! Token check (being written).
