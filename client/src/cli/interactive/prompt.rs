//! Questions to the person at the terminal.

use std::fmt::Display;

use inquire::validator::Validation;
use inquire::{Confirm, CustomUserError, InquireError, Select, Text};
use types::{DecimalText, MoneyError};

use crate::cli::failure::Failure;

/// Rows of a list: with question and help line, half of a 24-line terminal is left for what was
/// shown before.
const ROWS: usize = 8;

/// Columns of a terminal, less what is around question and answer.
const LINE: usize = 76;

const HELP: &str = "↑↓ choose, Enter takes, type to filter, Esc goes back";

/// Why a flow of questions did not reach its end.
#[derive(Debug)]
pub enum Step {
    /// Esc.
    Back,
    /// Ctrl-C.
    Quit,
    /// Something went wrong.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Step {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn answered<T>(result: Result<T, InquireError>) -> Result<T, Step> {
    result.map_err(|error| match error {
        InquireError::OperationCanceled => Step::Back,
        InquireError::OperationInterrupted => Step::Quit,
        InquireError::NotTTY => Step::Failed(Failure::Usage("Menus need a terminal.".into())),
        InquireError::IO(error) => Step::Failed(Failure::Io(error)),
        other => Step::Failed(Failure::Io(std::io::Error::other(other.to_string()))),
    })
}

/// One of `choices`. Afterwards question and answer stand on one line: of a choice that is too
/// long for that, its beginning, which is its number where it has one.
pub fn choose<T: Display>(question: &str, choices: Vec<T>) -> Result<T, Step> {
    let room = LINE.saturating_sub(question.chars().count());
    let short = |choice: inquire::list_option::ListOption<&T>| {
        let words = choice.value.to_string();
        if words.chars().count() <= room {
            return words;
        }
        let beginning = words.split_whitespace().next();
        beginning.unwrap_or_default().to_owned()
    };
    let ask = || {
        Select::new(question, choices)
            .with_formatter(&short)
            .with_page_size(ROWS)
            .with_help_message(HELP)
            .prompt()
    };
    answered(tokio::task::block_in_place(ask))
}

/// A line of text that `check` accepts.
pub fn text<T>(
    question: &str,
    help: &str,
    check: fn(&str) -> Result<T, String>,
) -> Result<T, Step> {
    let valid = move |typed: &str| -> Result<Validation, CustomUserError> {
        Ok(match check(typed.trim()) {
            Ok(_) => Validation::Valid,
            Err(words) => Validation::Invalid(words.into()),
        })
    };
    let ask = || {
        Text::new(question)
            .with_help_message(help)
            .with_validator(valid)
            .prompt()
    };
    let typed = answered(tokio::task::block_in_place(ask))?;
    check(typed.trim()).map_err(|words| Step::Failed(Failure::Usage(words)))
}

/// A line of text, or nothing.
pub fn optional<T>(
    question: &str,
    check: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Step> {
    let valid = move |typed: &str| -> Result<Validation, CustomUserError> {
        Ok(match typed.trim() {
            "" => Validation::Valid,
            typed => match check(typed) {
                Ok(_) => Validation::Valid,
                Err(words) => Validation::Invalid(words.into()),
            },
        })
    };
    let ask = || {
        Text::new(question)
            .with_help_message("Enter leaves it out, Esc goes back")
            .with_validator(valid)
            .prompt()
    };
    let typed = answered(tokio::task::block_in_place(ask))?;
    Ok(check(typed.trim()).ok())
}

/// A positive amount of money.
pub fn amount(question: &str) -> Result<DecimalText, Step> {
    text(question, "for example 25.50; Esc goes back", |typed| {
        let amount = DecimalText::from(typed.to_owned());
        let checked: Result<_, MoneyError> = amount.amount();
        checked.map_err(|error| format!("Not an amount: {error}"))?;
        Ok(amount)
    })
}

/// Yes or no; Enter alone is no.
pub fn confirm(question: &str) -> Result<(), Step> {
    let ask = || {
        Confirm::new(question)
            .with_default(false)
            .with_help_message("y is yes; Enter alone is no; Esc goes back")
            .prompt()
    };
    if answered(tokio::task::block_in_place(ask))? {
        Ok(())
    } else {
        Err(Step::Back)
    }
}

/// A password; only stars are shown.
pub fn password(question: &str, help: &str) -> Result<String, Step> {
    answered(crate::cli::commands::ask_password(question, Some(help)))
}

/// Any text that `T` can be made of.
pub fn parsed<T: std::str::FromStr<Err: Display>>(typed: &str) -> Result<T, String> {
    typed.parse().map_err(|error: T::Err| error.to_string())
}
