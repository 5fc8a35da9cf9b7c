//! Exact sums for assertions.

use rust_decimal::Decimal;

/// Reads an amount from a test's own text.
///
/// # Panics
/// When it is no decimal number.
#[must_use]
pub fn amount(text: &str) -> Decimal {
    text.parse().expect("a decimal number")
}

/// `a + b`, as the API writes it.
#[must_use]
pub fn plus(a: &str, b: &str) -> String {
    written(amount(a) + amount(b))
}

/// `a - b`, as the API writes it.
#[must_use]
pub fn minus(a: &str, b: &str) -> String {
    written(amount(a) - amount(b))
}

fn written(value: Decimal) -> String {
    let mut value = value.normalize();
    if value.scale() < 2 {
        value.rescale(2);
    }
    value.to_string()
}
