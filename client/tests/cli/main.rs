//! The program as a shell sees it: exit codes, streams and files, with no bank behind it, or with
//! a stand-in where what the bank says is the point.

#![allow(clippy::unwrap_used)]

mod exit_codes;
mod program;
mod sessions;
mod stand_in;
mod streams;
