//! Retries failed jobs.
