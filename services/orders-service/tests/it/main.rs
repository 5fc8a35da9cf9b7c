//! orders-service on a real PostgreSQL: its sagas over its own stores, with every fault that the
//! trials know.

mod shop;
mod trials;
