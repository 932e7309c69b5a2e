//! What is kept: configuration over restarts, refusals of bad input, damaged and newer files.
