//! Tells what is done, what is to be expected, what happens, and why.

use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::output::{Output, Sheet};
use crate::cli::table::Tone;

/// Text is wrapped at this, so that it reads well beside tables.
const MEASURE: usize = 80;

/// Where the text after a label begins.
const INDENT: usize = 10;

/// One act of a demonstration, as programs get it.
#[derive(Debug, Default, Serialize)]
struct Act {
    title: String,
    did: Vec<String>,
    expected: Vec<String>,
    happened: Vec<String>,
    why: Vec<String>,
    /// What was measured.
    numbers: Vec<serde_json::Value>,
    /// `null` for an act that shows something without a right or wrong.
    ok: Option<bool>,
    verdict: Option<String>,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    ok: bool,
    acts: &'a [Act],
}

/// The voice of the demonstrations.
pub struct Narrator {
    out: Output,
    acts: Vec<Act>,
}

impl Narrator {
    pub const fn new(out: Output) -> Self {
        Self {
            out,
            acts: Vec::new(),
        }
    }

    /// A new act.
    pub fn act(&mut self, title: &str) -> Result<(), Failure> {
        if !self.acts.is_empty() {
            self.out.line("")?;
        }
        self.acts.push(Act {
            title: title.to_owned(),
            ..Act::default()
        });
        self.out.line(&self.out.painted(title, Tone::Plain))?;
        self.out.line(&"─".repeat(title.chars().count()))
    }

    pub fn did(&mut self, text: &str) -> Result<(), Failure> {
        self.current().did.push(text.to_owned());
        self.say("Done", text)
    }

    pub fn expected(&mut self, text: &str) -> Result<(), Failure> {
        self.current().expected.push(text.to_owned());
        self.say("Expected", text)
    }

    pub fn happened(&mut self, text: &str) -> Result<(), Failure> {
        self.current().happened.push(text.to_owned());
        self.say("Happened", text)
    }

    pub fn why(&mut self, text: &str) -> Result<(), Failure> {
        self.current().why.push(text.to_owned());
        self.say("Why", text)
    }

    /// What was measured, for programs; people get it as a table.
    pub fn number(&mut self, measured: &impl Serialize) -> Result<(), Failure> {
        let value = serde_json::to_value(measured).map_err(std::io::Error::from)?;
        self.current().numbers.push(value);
        Ok(())
    }

    /// A table or a picture between the words.
    pub fn show(&self, sheet: impl Into<Sheet>) -> Result<(), Failure> {
        self.out.line("")?;
        self.out.sheet(sheet)?;
        self.out.line("")
    }

    /// Whether the act ended as it has to.
    pub fn verdict(&mut self, ok: bool, text: &str) -> Result<(), Failure> {
        let act = self.current();
        act.ok = Some(act.ok.unwrap_or(true) && ok);
        act.verdict = Some(text.to_owned());
        let (word, tone) = if ok {
            ("OK", Tone::Good)
        } else {
            ("WRONG", Tone::Bad)
        };
        self.labelled(word, tone, text)
    }

    /// The demonstration could not go on. People are told by whoever ends the program.
    pub fn broke_off(&mut self, failure: &Failure) {
        let words = failure.words();
        let act = self.current();
        act.ok = Some(false);
        act.verdict = Some(words);
    }

    /// Ends the performance; gives the titles of the acts that did not end well.
    pub fn finish(&self) -> Result<Vec<String>, Failure> {
        let failed = self.acts.iter().filter(|act| act.ok == Some(false));
        let failed: Vec<_> = failed.map(|act| act.title.clone()).collect();
        if self.out.is_json() {
            self.out.json(&Told {
                ok: failed.is_empty(),
                acts: &self.acts,
            })?;
        }
        Ok(failed)
    }

    fn current(&mut self) -> &mut Act {
        if self.acts.is_empty() {
            self.acts.push(Act::default());
        }
        self.acts.last_mut().expect("just made when there was none")
    }

    fn say(&self, label: &str, text: &str) -> Result<(), Failure> {
        self.labelled(label, Tone::Plain, text)
    }

    fn labelled(&self, label: &str, tone: Tone, text: &str) -> Result<(), Failure> {
        let pad = " ".repeat(INDENT.saturating_sub(label.chars().count()).max(1));
        let label = self.out.painted(label, tone);
        let lines = wrapped(text, MEASURE - INDENT).join(&format!("\n{}", " ".repeat(INDENT)));
        self.out.line(&format!("{label}{pad}{lines}"))
    }
}

/// Words into lines of at most `measure` characters; longer words stand alone.
fn wrapped(text: &str, measure: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("never empty");
        let length = line.chars().count();
        if length > 0 && length + 1 + word.chars().count() > measure {
            lines.push(word.to_owned());
        } else {
            if length > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_none_is_lost() {
        let text = "two withdrawals of 100 from an account with 150 and a-very-long-word";
        let lines = wrapped(text, 20);
        assert!(
            lines.iter().all(|line| line.chars().count() <= 20),
            "{lines:?}"
        );
        assert_eq!(lines.join(" "), text);
    }
}
