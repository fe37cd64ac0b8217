// SPDX-License-Identifier: GPL-2.0-or-later
//! The cost against the size, drawn: both axes logarithmic, so that what grows evenly is a line.

use super::State;
use super::report::Row;
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 520.0;
/// Room for the axes' names and numbers, and for the legend.
const LEFT: f64 = 80.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 60.0;

/// An axis: powers of ten from one end to the other.
struct Axis {
    least: i32,
    most: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let logs: Vec<f64> = values.map(f64::log10).collect();
        let least = logs.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
        // Without values, or with one only, there still is something to draw.
        let least = if least.is_finite() { least as i32 } else { 0 };
        let most = if most.is_finite() { (most as i32).max(least + 1) } else { least + 1 };
        Axis { least, most, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value.log10() - f64::from(self.least)) / f64::from(self.most - self.least);
        self.from + part * (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        (self.least..=self.most).map(|power| {
            let value = 10f64.powi(power);
            let digits = usize::try_from(-power).unwrap_or(0);
            (value, format!("{value:.digits$}"))
        })
    }
}

fn color(state: State) -> &'static str {
    match state {
        State::Cold => "#1f6fb4",
        State::Steady => "#3a9a4b",
        State::NodeFail => "#c4442e",
    }
}

/// The drawing.
pub fn svg(rows: &[Row]) -> String {
    let costs = rows
        .iter()
        .flat_map(|row| std::iter::once(row.ours.cpu_s).chain(row.theirs.cost().map(|cost| cost.cpu_s)));
    let across = Axis::new(rows.iter().map(|row| row.size.product() as f64), LEFT, WIDTH - RIGHT);
    let up = Axis::new(costs.filter(|cost| *cost > 0.0), HEIGHT - BOTTOM, TOP);
    let mut out = String::new();
    let _ = writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>"##
    );
    axes(&mut out, &across, &up);
    for (place, state) in State::ALL.into_iter().enumerate() {
        let of_state = || rows.iter().filter(|row| row.state == state);
        let ours: Vec<_> = of_state().map(|row| (row.size.product(), row.ours.cpu_s)).collect();
        let theirs: Vec<_> =
            of_state().filter_map(|row| Some((row.size.product(), row.theirs.cost()?.cpu_s))).collect();
        let series = [("systole", ours, ""), ("C", theirs, r#" stroke-dasharray="6 4""#)];
        for (side, (who, points, dashes)) in series.into_iter().enumerate() {
            let points: Vec<(f64, f64)> =
                points.into_iter().map(|(x, y)| (across.place(x as f64), up.place(y))).collect();
            line(&mut out, &points, color(state), dashes);
            let y = TOP + 20.0 * (place * 2 + side) as f64;
            let legend = WIDTH - RIGHT + 20.0;
            line(&mut out, &[(legend, y), (legend + 24.0, y)], color(state), dashes);
            let _ = writeln!(
                out,
                r#"<text x="{}" y="{}">{who} {}</text>"#,
                legend + 32.0,
                y + 4.0,
                state.as_str()
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

fn axes(out: &mut String, across: &Axis, up: &Axis) {
    for (value, label) in across.ticks() {
        let x = across.place(value);
        let _ = writeln!(
            out,
            r##"<path d="M{x:.1} {TOP}V{:.1}" stroke="#ddd"/><text x="{x:.1}" y="{:.1}" text-anchor="middle">{label}</text>"##,
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18.0
        );
    }
    for (value, label) in up.ticks() {
        let y = up.place(value);
        let _ = writeln!(
            out,
            r##"<path d="M{LEFT} {y:.1}H{:.1}" stroke="#ddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"##,
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0
        );
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let _ = writeln!(
        out,
        r#"<text x="{middle}" y="{:.1}" text-anchor="middle">nodes x resources</text><text x="20" y="24">processor time, s</text>"#,
        HEIGHT - 16.0
    );
}

fn line(out: &mut String, points: &[(f64, f64)], color: &str, dashes: &str) {
    if points.is_empty() {
        return;
    }
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        out,
        r#"<polyline points="{}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>"#,
        path.join(" ")
    );
    for (x, y) in points {
        let _ = writeln!(out, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{color}"/>"#);
    }
}

#[cfg(test)]
mod tests {
    use super::super::generate::Size;
    use super::super::process::{Cost, Outcome};
    use super::*;

    #[test]
    fn a_drawing_is_xml_with_a_point_for_each_cost() {
        let row = |nodes, theirs| Row {
            size: Size { nodes, resources: nodes * 100 },
            state: State::Cold,
            ours: Cost { cpu_s: 0.02, peak_mb: 9.0 },
            theirs,
            same_plan: None,
            stages: Default::default(),
        };
        let done = Outcome::Done(Cost { cpu_s: 3.0, peak_mb: 90.0 });
        let rows = [row(4, done), row(16, Outcome::Over(60)), row(64, Outcome::NotRun)];
        let drawing = xml::parse(&svg(&rows)).unwrap();
        let points = |state: State| {
            drawing.elements_named("circle").filter(|c| c.attr("fill") == Some(color(state))).count()
        };
        // Two lines of the legend have two points each.
        assert_eq!((points(State::Cold), points(State::Steady)), (3 + 1 + 4, 4));
        // Nothing to draw is no reason to fail either.
        assert!(xml::parse(&svg(&[])).is_ok());
    }
}
