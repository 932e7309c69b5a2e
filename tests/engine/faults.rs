//! Faults: broker and destination fall, refuse, fail or stay silent; a process ends between commit and acknowledgement.
