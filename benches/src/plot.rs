//! Pictures of what was measured, as SVG beside the report.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::failure::Failure;
use crate::probe::Probe;
use crate::report::Report;

const SIZE: (u32, u32) = (900, 540);

/// Colours that most eyes tell apart (Okabe and Ito 2008).
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(120, 120, 120),
    RGBColor(204, 121, 167),
];

/// Draws every plot for which there are figures.
///
/// # Errors
/// When a file cannot be written.
pub fn all(report: &Report, folder: &Path) -> Result<(), Failure> {
    for (plot, title, axis) in [
        ("connections", "Throughput over connections", "connections"),
        (
            "accounts",
            "Throughput over the number of accounts",
            "accounts",
        ),
    ] {
        let curves = report.curves.iter().filter(|curve| curve.plot == plot);
        let lines: Vec<_> = curves
            .map(|curve| (curve.name, curve.points.clone()))
            .collect();
        let file = folder.join(format!("{plot}.svg"));
        draw(&file, title, axis, "transfers per second", &lines)?;
    }
    let percentiles = |probe, name| {
        let last = report.rounds.last()?;
        let reading = last.iter().find(|reading| reading.probe == probe)?;
        // 99 becomes 100: one request in a hundred is slower. 100 itself has no place there.
        let points = reading
            .percentiles
            .iter()
            .filter(|(percent, _)| *percent < 100.0);
        let points = points.map(|(percent, value)| (100.0 / (100.0 - percent), *value));
        Some((name, points.collect()))
    };
    let lines: Vec<_> = [
        percentiles(Probe::Alone, "one connection"),
        percentiles(Probe::HalfLoad, "half of what it can do"),
        percentiles(Probe::Transfers, "64 connections, random pairs"),
        percentiles(Probe::Hot, "64 connections, one hot account"),
        percentiles(Probe::Sagas, "64 connections, sagas"),
        percentiles(Probe::Peer, "64 connections, the peer"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let axis = "one request in so many is slower";
    let file = folder.join("latencies.svg");
    draw(&file, "Latency", axis, "milliseconds", &lines)
}

type Named = (&'static str, Vec<(f64, f64)>);

/// One plot with a logarithmic axis below; none when there is nothing to draw.
fn draw(file: &Path, title: &str, below: &str, left: &str, lines: &[Named]) -> Result<(), Failure> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let Some(most) = points().map(|(_, y)| *y).max_by(f64::total_cmp) else {
        return Ok(());
    };
    let widest = points().map(|(x, _)| *x).fold(1.0, f64::max);
    let narrowest = points().map(|(x, _)| *x).fold(widest, f64::min);
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    painted(
        &area,
        title,
        (below, left),
        (narrowest, widest, most),
        lines,
    )
    .map_err(Failure::of("a plot"))
}

fn painted(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    (below, left): (&str, &str),
    (narrowest, widest, most): (f64, f64, f64),
    lines: &[Named],
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 24))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d((narrowest..widest).log_scale(), 0.0..most * 1.1)?;
    chart.configure_mesh().x_desc(below).y_desc(left).draw()?;
    for ((name, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        chart
            .draw_series(LineSeries::new(
                points.iter().copied(),
                colour.stroke_width(2),
            ))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_names_its_lines_and_nothing_gives_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("plot.svg");
        draw(&file, "t", "x", "y", &[]).expect("nothing to do");
        assert!(!file.exists());
        let lines = [("some line", vec![(1.0, 2.0), (64.0, 9.0)])];
        draw(&file, "t", "x", "y", &lines).expect("drawn");
        let text = std::fs::read_to_string(&file).expect("the file");
        assert!(text.contains("some line"), "{text}");
    }
}
