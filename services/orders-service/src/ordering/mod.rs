//! Orders as sagas.
//!
//! | what | where |
//! |---|---|
//! | the steps of an order, and why its pivot is the last | [`definition`] |
//! | the steps of a cancellation | [`cancellation`] |
//! | what a step does to the order's rows and documents | [`desk`] |
//! | what it asks of the bank | [`payments`] |
//! | failures that a request asked for | [`failures`] |

pub mod cancellation;
pub mod definition;
pub mod desk;
pub mod failures;
pub mod payments;
pub mod state;
