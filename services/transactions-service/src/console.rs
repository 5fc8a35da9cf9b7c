//! What operators are told of transactions in doubt: gathered from both sides, then described.

pub(crate) mod describe;
pub(crate) mod gather;
pub(crate) mod names;

pub(crate) use describe::describe;
pub(crate) use gather::{Gathered, gather, gather_one};
