//! Tables and records that fit the terminal.

use comfy_table::{
    Cell as Drawn, CellAlignment, Color, ColumnConstraint, ContentArrangement, ContentLineStyle,
    LineStyle, TableStyle, Width,
};

/// No lines but one under the header: every column of an 80-column terminal is needed for ids.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// A column of running text is not made narrower than this.
const TEXT_MINIMUM: usize = 14;

/// Space between two columns.
const GAP: usize = 1;

/// What a cell means, shown as a colour where there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
}

impl Tone {
    const fn color(self) -> Option<Color> {
        match self {
            Self::Plain => None,
            Self::Good => Some(Color::DarkGreen),
            Self::Warning => Some(Color::DarkYellow),
            Self::Bad => Some(Color::DarkRed),
        }
    }
}

/// A value in a table.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub fn toned(text: impl ToString, tone: Tone) -> Self {
        Self {
            text: printable(&text.to_string()),
            tone,
        }
    }

    fn width(&self) -> usize {
        self.text.lines().map(display_width).max().unwrap_or(0)
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Ids, dates, words: never broken.
    Rigid,
    /// Amounts: never broken, on the right.
    Number,
    /// Running text: broken where it must be.
    Text,
}

/// Rows under a header, or, when they would not fit, one record per row.
#[derive(Debug, Clone, Default)]
pub struct Table {
    titles: Vec<&'static str>,
    kinds: Vec<Kind>,
    rows: Vec<Vec<Cell>>,
    empty: &'static str,
}

impl Table {
    /// A table that says `empty` when it has no rows.
    pub fn new(empty: &'static str) -> Self {
        Self {
            empty,
            ..Self::default()
        }
    }

    fn column(mut self, title: &'static str, kind: Kind) -> Self {
        self.titles.push(title);
        self.kinds.push(kind);
        self
    }

    pub fn rigid(self, title: &'static str) -> Self {
        self.column(title, Kind::Rigid)
    }

    pub fn number(self, title: &'static str) -> Self {
        self.column(title, Kind::Number)
    }

    pub fn text(self, title: &'static str) -> Self {
        self.column(title, Kind::Text)
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table in at most `width` columns wherever its ids and amounts allow that.
    pub fn render(&self, width: usize, color: bool) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", self.empty);
        }
        if self.narrowest() > width {
            return self.as_records(width, color);
        }
        let mut table = comfy_table::Table::new();
        table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX));
        style(&mut table, color);
        table.set_header(self.titles.iter().map(Drawn::new));
        for row in &self.rows {
            table.add_row(row.iter().zip(&self.kinds).map(|(cell, kind)| {
                let drawn = drawn(cell);
                match kind {
                    Kind::Number => drawn.set_alignment(CellAlignment::Right),
                    Kind::Rigid | Kind::Text => drawn,
                }
            }));
        }
        let last = self.kinds.len().saturating_sub(1);
        for (n, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if n == last { 0 } else { 1 }));
            match self.kinds[n] {
                Kind::Rigid => {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                Kind::Number => {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                    column.set_cell_alignment(CellAlignment::Right);
                }
                Kind::Text => {
                    let least = u16::try_from(TEXT_MINIMUM.min(self.content(n))).unwrap_or(1);
                    column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
                }
            }
        }
        trimmed(&table)
    }

    fn content(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(Cell::width).max().unwrap_or(0);
        widest.max(display_width(self.titles[column]))
    }

    /// The width below which something unbreakable would have to be broken.
    fn narrowest(&self) -> usize {
        let columns = (0..self.titles.len()).map(|n| match self.kinds[n] {
            Kind::Text => self.content(n).min(TEXT_MINIMUM),
            Kind::Rigid | Kind::Number => self.content(n),
        });
        columns.map(|width| width + GAP).sum::<usize>() - GAP
    }

    fn as_records(&self, width: usize, color: bool) -> String {
        let records = self.rows.iter().map(|row| {
            let mut record = Record::default();
            for (title, cell) in self.titles.iter().zip(row) {
                record.fields.push((title, cell.clone()));
            }
            record.render(width, color)
        });
        records.collect::<Vec<_>>().join("\n")
    }
}

/// One thing, a field per line.
#[derive(Debug, Clone, Default)]
pub struct Record {
    fields: Vec<(&'static str, Cell)>,
}

impl Record {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn field(mut self, title: &'static str, value: impl Into<Cell>) -> Self {
        self.fields.push((title, value.into()));
        self
    }

    /// The field, when there is something to show.
    pub fn maybe(self, title: &'static str, value: Option<impl Into<Cell>>) -> Self {
        match value {
            Some(value) => self.field(title, value),
            None => self,
        }
    }

    /// The record in at most `width` columns.
    pub fn render(&self, width: usize, color: bool) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(TableStyle::new().content_lines(ContentLineStyle::none()))
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX));
        style(&mut table, color);
        for (title, cell) in &self.fields {
            table.add_row([Drawn::new(title), drawn(cell)]);
        }
        if let Some(column) = table.column_mut(0) {
            column.set_padding((0, 2));
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_padding((0, 0));
        }
        trimmed(&table)
    }
}

fn style(table: &mut comfy_table::Table, color: bool) {
    if color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
}

fn drawn(cell: &Cell) -> Drawn {
    let drawn = Drawn::new(&cell.text);
    match cell.tone.color() {
        Some(color) => drawn.fg(color),
        None => drawn,
    }
}

fn trimmed(table: &comfy_table::Table) -> String {
    let lines = table.lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Control characters would let a text repaint the terminal it is shown on.
pub fn printable(text: &str) -> String {
    let visible = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{FFFD}'
        } else {
            c
        }
    };
    text.chars().map(visible).collect()
}

/// Columns a text takes: exact for all but wide scripts, which comfy-table measures itself.
fn display_width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(amount: &str) -> Table {
        let mut table = Table::new("nothing")
            .rigid("Account")
            .number("Balance")
            .text("Description");
        table.row(vec![
            "660e8400-e29b-41d4-a716-446655440001".into(),
            amount.into(),
            "the rent of March, paid late, with many apologies and a promise".into(),
        ]);
        table
    }

    fn widest(text: &str) -> usize {
        text.lines().map(display_width).max().unwrap_or(0)
    }

    #[test]
    fn running_text_wraps_and_ids_do_not() {
        let text = table("100.00").render(80, false);
        assert!(widest(&text) <= 80, "{text}");
        assert!(
            text.contains("660e8400-e29b-41d4-a716-446655440001"),
            "{text}"
        );
        assert!(text.lines().count() > 3, "{text}");
    }

    #[test]
    fn rows_that_cannot_fit_become_records() {
        let text = table("999999999999999999999999.9999").render(60, false);
        assert!(widest(&text) <= 60, "{text}");
        assert!(text.starts_with("Account"), "{text}");
        assert!(text.contains("999999999999999999999999.9999"), "{text}");
    }

    #[test]
    fn an_empty_table_says_so() {
        assert_eq!(
            Table::new("No accounts.").render(80, false),
            "No accounts.\n"
        );
    }

    #[test]
    fn colours_are_only_there_when_wanted() {
        let mut table = Table::new("").rigid("Status");
        table.row(vec![Cell::toned("committed", Tone::Good)]);
        assert!(table.render(80, true).contains("\u{1b}["));
        assert!(!table.render(80, false).contains('\u{1b}'));
    }

    #[test]
    fn a_text_cannot_repaint_the_terminal() {
        let record = Record::new().field("Name", "evil\u{1b}[2Jname");
        assert!(!record.render(80, false).contains('\u{1b}'));
    }
}
