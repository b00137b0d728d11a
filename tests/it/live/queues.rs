//! Against real Redis with real Bull and BullMQ workers.
