//! A transaction's messages as a sequence picture.

use types::ParticipantId;
use types::views::{Timeline, TimelineEvent, TimelineItem};

/// The picture is made for a terminal this wide.
const WIDTH: usize = 80;

/// The first lifeline stands here; left of it is the time.
const LEFT: usize = 12;

/// The last lifeline stands at most here, so that its name fits.
const RIGHT: usize = 72;

/// Lifelines are not further apart than this.
const FURTHEST: usize = 28;

/// The picture of `timeline`: the client, the coordinator and every bank in it, and `reply` at the
/// end.
pub fn draw(timeline: &Timeline, reply: &str) -> String {
    let canvas = Canvas::new(timeline);
    let begun = timeline.items.first().map(|item| item.at.date_time());
    let mut lines = vec![canvas.names()];
    for item in &timeline.items {
        let after = begun.map(|begun| (item.at.date_time() - begun).num_milliseconds());
        let time = format!("+{} ms", after.unwrap_or_default());
        lines.extend(canvas.item(&time, item));
    }
    lines.push(canvas.arrow("", 1, 0, reply));
    lines.join("\n")
}

struct Canvas {
    banks: Vec<ParticipantId>,
    lifelines: Vec<usize>,
}

impl Canvas {
    fn new(timeline: &Timeline) -> Self {
        let named = timeline.items.iter().filter_map(|i| i.participant.clone());
        let mut banks: Vec<_> = named.collect();
        banks.sort();
        banks.dedup();
        let gaps = banks.len() + 1;
        let apart = ((RIGHT - LEFT) / gaps).min(FURTHEST);
        let lifelines = (0..=gaps).map(|n| LEFT + n * apart).collect();
        Self { banks, lifelines }
    }

    fn names(&self) -> String {
        let mut row = vec![' '; WIDTH];
        let fixed = ["client".to_owned(), "coordinator".to_owned()];
        let names = fixed
            .into_iter()
            .chain(self.banks.iter().map(ToString::to_string));
        for (name, at) in names.zip(&self.lifelines) {
            let half = name.chars().count() / 2;
            write(&mut row, at.saturating_sub(half), &name);
        }
        finished(&row)
    }

    fn item(&self, time: &str, item: &TimelineItem) -> Vec<String> {
        use TimelineEvent as Event;
        let bank = item.participant.as_ref();
        let lane = bank.and_then(|bank| self.banks.iter().position(|b| b == bank));
        let lane = lane.map(|n| n + 2);
        let to_bank = |label: &str| match lane {
            Some(lane) => vec![self.arrow(time, 1, lane, label)],
            None => vec![self.note(time, &format!("{label} to all"))],
        };
        let from_bank = |label: &str| match lane {
            Some(lane) => vec![self.arrow(time, lane, 1, label)],
            None => vec![self.note(time, &format!("{label} from all"))],
        };
        match item.event {
            Event::Initiated => vec![
                self.arrow("", 0, 1, "transfer"),
                self.note(time, "■ begun, written down"),
            ],
            Event::PrepareSent => to_bank("PREPARE"),
            Event::VoteYes => from_bank("YES"),
            Event::VoteNo => from_bank("NO"),
            Event::VoteBusy => from_bank("BUSY"),
            Event::DecidedCommit => vec![self.note(time, "■ COMMIT, written down")],
            Event::DecidedAbort => vec![self.note(time, "■ ABORT, written down")],
            Event::CommitSent => to_bank("COMMIT"),
            Event::AbortSent => to_bank("ABORT"),
            Event::Acknowledged => from_bank("ACK"),
            Event::Recovered => vec![self.note(time, "↻ taken over by recovery")],
            Event::Settled => vec![self.note(time, "■ settled")],
            other => vec![self.note(time, &other.to_string())],
        }
    }

    fn row(&self, time: &str) -> Vec<char> {
        let mut row = vec![' '; WIDTH];
        for at in &self.lifelines {
            row[*at] = '│';
        }
        write(&mut row, 0, time);
        row
    }

    fn arrow(&self, time: &str, from: usize, to: usize, label: &str) -> String {
        let mut row = self.row(time);
        let (from, to) = (self.lifelines[from], self.lifelines[to]);
        let (left, right) = (from.min(to) + 1, from.max(to) - 1);
        for cell in &mut row[left..=right] {
            *cell = if *cell == '│' { '┼' } else { '─' };
        }
        if to > from {
            row[right] = '▶';
        } else {
            row[left] = '◀';
        }
        // Beside the sender, where a reader looks for what is sent, and clear of other lifelines.
        let room = (right - left).saturating_sub(4);
        let label: String = label.chars().take(room).collect();
        let label = format!(" {label} ");
        let length = label.chars().count();
        let at = if to > from {
            left + 2
        } else {
            (right - 1).saturating_sub(length)
        };
        write(&mut row, at, &label);
        finished(&row)
    }

    fn note(&self, time: &str, text: &str) -> String {
        let mut row = self.row(time);
        let (mark, words) = text.split_at(text.find(' ').unwrap_or(0));
        let at = self.lifelines[1];
        if mark.chars().count() == 1 {
            write(&mut row, at, mark);
            write(&mut row, at + 1, words);
        } else {
            write(&mut row, at + 1, &format!(" {text}"));
        }
        finished(&row)
    }
}

fn write(row: &mut [char], at: usize, text: &str) {
    for (cell, c) in row.iter_mut().skip(at).zip(text.chars()) {
        *cell = c;
    }
}

fn finished(row: &[char]) -> String {
    row.iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(banks: &[&str]) -> Timeline {
        let item = |event: &str, bank: Option<&str>| {
            serde_json::json!({
                "at": "2026-01-31T12:00:00.000Z", "event": event, "participant": bank,
                "account_id": null, "detail": null,
            })
        };
        let mut items = vec![item("INITIATED", None)];
        for event in ["PREPARE_SENT", "VOTE_YES"] {
            items.extend(banks.iter().map(|bank| item(event, Some(bank))));
        }
        items.push(item("DECIDED_COMMIT", None));
        for event in ["COMMIT_SENT", "ACKNOWLEDGED"] {
            items.extend(banks.iter().map(|bank| item(event, Some(bank))));
        }
        items.push(item("SETTLED", None));
        serde_json::from_value(serde_json::json!({
            "transaction_id": "01980000-0000-7000-8000-000000000001", "items": items,
        }))
        .unwrap()
    }

    #[test]
    fn every_message_is_an_arrow_and_all_fit_80_columns() {
        for banks in [
            &["bank-1"][..],
            &["bank-1", "bank-2"],
            &["bank-1", "bank-2", "bank-3"],
        ] {
            let picture = draw(&timeline(banks), "201 Created");
            let widest = picture.lines().map(|line| line.chars().count()).max();
            assert!(widest.unwrap() <= WIDTH, "{picture}");
            for word in ["PREPARE", "YES", "COMMIT ", "ACK"] {
                let found = picture.lines().filter(|line| line.contains(word)).count();
                assert_eq!(found, banks.len(), "{word}\n{picture}");
            }
            let heads = picture.matches(['▶', '◀']).count();
            assert_eq!(heads, 2 + 4 * banks.len(), "{picture}");
        }
    }
}
