//! One name for one hazard: coordinator and participants write the same thing down differently.

/// The name under which a participant keeps a hazard that may be written `BranchMissing` here.
#[must_use]
pub(crate) fn canonical(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    match snake.as_str() {
        "unknown_transaction" => "unknown_to_coordinator".to_owned(),
        _ => snake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_mean_the_same_hazard() {
        for (here, there) in [
            ("BranchMissing", "branch_missing"),
            ("AbortAfterCommit", "abort_after_commit"),
            ("HeuristicMixed", "heuristic_mixed"),
            ("UnknownTransaction", "unknown_to_coordinator"),
            ("prepare_contradiction", "prepare_contradiction"),
        ] {
            assert_eq!(canonical(here), there);
            assert_eq!(canonical(there), there);
        }
    }
}
