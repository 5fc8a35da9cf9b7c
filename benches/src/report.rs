//! The table on the terminal and the file beside it.

use std::fs;
use std::path::{Path, PathBuf};

use comfy_table::{ContentLineStyle, LineStyle, Table, TableStyle};
use serde::Serialize;

use crate::curves::Curve;
use crate::failure::Failure;
use crate::machine::Machine;
use crate::measure::{Bound, Line};
use crate::probe::Reading;

/// One line under the header.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// A short run proves less.
    pub quick: bool,
    pub accounts: u64,
    /// Accounts and old transfers of the large bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<(u64, u64)>,
    pub connections: usize,
    pub seconds: u64,
    pub yardstick_connections: usize,
    /// What the peer says about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<serde_json::Value>,
    /// Settings of the services that are not their defaults.
    pub services: Vec<String>,
    pub lines: Vec<Line>,
    pub rounds: Vec<Vec<Reading>>,
    pub curves: Vec<Curve>,
}

impl Report {
    /// For a person.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(STYLE);
        table.set_header(["", "", "bank", "beside it", "ratio", "has to be", ""]);
        for line in &self.lines {
            let beside = line.beside.map(|beside| figure(beside, line.unit));
            let bound = match line.bound {
                Bound::AtLeast(bound) => format!("≥ {bound}"),
                Bound::AtMost(bound) => format!("≤ {bound}"),
                Bound::Reported => String::new(),
            };
            let verdict = match (line.bound, line.holds) {
                (Bound::Reported, _) => "",
                (_, true) => "holds",
                (_, false) => "MISSED",
            };
            table.add_row([
                line.name.to_owned(),
                line.what.clone(),
                figure(line.ours, line.unit),
                beside.unwrap_or_default(),
                format!("{:.2}", line.ratio),
                bound,
                verdict.to_owned(),
            ]);
        }
        table.to_string()
    }

    /// Writes it as JSON and tells where.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, Failure> {
        fs::create_dir_all(folder)?;
        let path = folder.join(if self.quick {
            "quick.json"
        } else {
            "full.json"
        });
        let text = serde_json::to_string_pretty(self).map_err(Failure::of("the report"))?;
        fs::write(&path, text + "\n")?;
        Ok(path)
    }
}

fn figure(value: f64, unit: &str) -> String {
    match unit {
        "/s" => format!("{value:.0}/s"),
        unit => format!("{value:.2} {unit}"),
    }
}
