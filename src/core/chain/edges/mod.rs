//! The table of edges, a file a system of the cause. Each row is a mechanism; adding one is a row and the function that finds what matches.

mod network;
mod parts;
mod postgres;
mod redis;
mod search;

use super::edge::Edge;

/// Every edge, cause before effect.
pub fn edges() -> impl Iterator<Item = &'static Edge> {
    [postgres::EDGES, redis::EDGES, network::EDGES, search::EDGES].into_iter().flatten()
}
