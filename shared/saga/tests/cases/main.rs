//! The numbered cases of sagas, as far as the engine alone shows them, and the trials that ship
//! with it: that they pass for sagas that are right, and fail for sagas that are wrong.

#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod bench;
mod crashes;
mod once;
mod operators;
mod pivot;
mod recovery;
#[path = "../../examples/order/shop.rs"]
mod shop;
mod time;
mod trials;
mod undone;
mod wrong;
