//! One test binary: what holds about the whole program, and what it does with real servers.

mod live;
