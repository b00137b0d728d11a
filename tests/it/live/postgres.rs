//! Against real PostgreSQL 13–18.
