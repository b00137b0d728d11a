//! What may be done to a row in each state, and with which sentence the rest is refused.

mod alerts;
mod jobs;
mod permits;
mod postgres;
mod queues;
mod search;
mod values;
