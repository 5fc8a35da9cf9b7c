//! Arrays of different lengths in one parameter of a statement.
//!
//! An array of arrays must be rectangular. So a list is sent as one long array, and each row takes
//! its part out of it: `($1::uuid[])[row.before + 1 : row.until]`.

/// Where each row's part of a long array lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slices {
    /// How many elements come before it.
    pub before: Vec<i32>,
    /// And how many there are with it.
    pub until: Vec<i32>,
}

impl Slices {
    /// Adds a row with so many elements.
    pub fn push(&mut self, length: usize) {
        let before = self.until.last().copied().unwrap_or(0);
        let length = i32::try_from(length).unwrap_or(i32::MAX);
        self.before.push(before);
        self.until.push(before.saturating_add(length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_one_after_the_other() {
        let mut slices = Slices::default();
        for length in [2, 0, 3] {
            slices.push(length);
        }
        assert_eq!(slices.before, [0, 2, 2]);
        assert_eq!(slices.until, [2, 2, 5]);
    }
}
