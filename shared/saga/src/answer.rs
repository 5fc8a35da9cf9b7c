//! What whoever performs a step can answer.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Why something did not happen: a code or a few words, for the log and for an operator.
///
/// Cut off after [`Reason::LONGEST`] bytes, so that an error from elsewhere cannot swell the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    /// The most bytes that are kept.
    pub const LONGEST: usize = 200;

    /// A reason known when this was compiled; costs nothing.
    #[must_use]
    pub const fn fixed(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// A reason from elsewhere.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.truncate(text.floor_char_boundary(Self::LONGEST));
        Self(Cow::Owned(text))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The answer to an action or a compensation.
///
/// They are never mixed up: only [`Answer::Refused`] says that the effect did not and will not
/// happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<S> {
    /// It happened, now or under an earlier attempt.
    Done,
    /// It happened, and the saga's state is this from now on.
    DoneWith(S),
    /// It did not happen and never will under this operation id: the performer has recorded that.
    Refused(Reason),
    /// It will never happen as a whole: of several performers one refused, and others may have done
    /// their part. The step itself has to be undone.
    RefusedInPart(Reason),
    /// This attempt had no effect; another may. A lock is held, a queue is full.
    NotNow(Reason),
    /// Nobody knows. A time-out, a reset connection, an answer that cannot be read.
    Unknown(Reason),
}

/// An answer without what it does to the state: all that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// [`Answer::Done`] or [`Answer::DoneWith`].
    Done,
    /// [`Answer::Refused`].
    Refused(Reason),
    /// [`Answer::RefusedInPart`].
    RefusedInPart(Reason),
    /// [`Answer::NotNow`].
    NotNow(Reason),
    /// [`Answer::Unknown`].
    Unknown(Reason),
}

impl<S> Answer<S> {
    /// The verdict, and the new state where there is one.
    #[must_use]
    pub fn split(self) -> (Verdict, Option<S>) {
        match self {
            Self::Done => (Verdict::Done, None),
            Self::DoneWith(state) => (Verdict::Done, Some(state)),
            Self::Refused(reason) => (Verdict::Refused(reason), None),
            Self::RefusedInPart(reason) => (Verdict::RefusedInPart(reason), None),
            Self::NotNow(reason) => (Verdict::NotNow(reason), None),
            Self::Unknown(reason) => (Verdict::Unknown(reason), None),
        }
    }
}

impl Answer<()> {
    /// The same answer, from a performer that knows nothing of the saga's state.
    #[must_use]
    pub fn carry<S>(self) -> Answer<S> {
        match self {
            Self::Done | Self::DoneWith(()) => Answer::Done,
            Self::Refused(reason) => Answer::Refused(reason),
            Self::RefusedInPart(reason) => Answer::RefusedInPart(reason),
            Self::NotNow(reason) => Answer::NotNow(reason),
            Self::Unknown(reason) => Answer::Unknown(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_two_characters() {
        let long = Reason::new("é".repeat(150));
        assert_eq!(long.as_str().len(), 200);
        let odd = Reason::new(format!("x{}", "é".repeat(150)));
        assert_eq!(odd.as_str().len(), 199);
    }
}
