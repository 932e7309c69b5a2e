//! The feed: every event of the process in one byte-bounded ring, and views of it.
//!
//! `record()` never waits for a page. A view holds the numbers of the rows its filter selects; a page asks for the rows
//! it can see. The feed knows nothing of MQTT sessions, relays or windows.

pub mod event;
