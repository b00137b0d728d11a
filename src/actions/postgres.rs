//! Cancels and terminates backends.
