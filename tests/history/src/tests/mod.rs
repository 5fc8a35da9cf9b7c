//! Histories that are possible, and such that are not.

#![allow(clippy::unwrap_used)]

mod bad;
mod bad_order;
mod builder;
mod generated;
mod good;
mod large;
