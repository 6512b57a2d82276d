//! Plots loss, accuracy and learning rates over the steps of a run as SVG.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// Size of one panel, with room for its labels.
const PANEL: [f64; 2] = [520.0, 300.0];
/// Panels per row.
const COLUMNS: usize = 2;
/// Margins around the axes: left, right, top, bottom.
const MARGIN: [f64; 4] = [56.0, 16.0, 34.0, 36.0];
/// Color-blind safe colors (Okabe and Ito).
const COLORS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
/// Maximum number of points per curve; more are not visible.
const MAX_CURVE_POINTS: usize = 260;

type Series = BTreeMap<String, Vec<(f64, f64)>>;

/// An SVG with panels for the losses, the accuracy within the batch, the validation accuracy and the learning rates.
pub(super) fn plot(events: &[Value]) -> String {
    let of = |kind: &str| events.iter().filter(move |event| event["event"] == kind).collect::<Vec<_>>();
    let losses = smoothed(collect(&of("step"), &|event| numbers(&event["losses"])));
    let matched = smoothed(collect(&of("step"), &|event| {
        numbers(&event["accuracies"]).into_iter().map(|(name, share)| (name, 100.0 * share)).collect()
    }));
    let rates = thinned(collect(&of("step"), &|event| numbers(&event["learning_rates"])));
    let shares = collect(&of("evaluated"), &|event| {
        let report = &event["report"];
        let share = |name: &str| report[name].as_f64().map(|share| (name.replace('_', "-"), 100.0 * share));
        ["top_1", "top_3", "top_5"].into_iter().filter_map(share).collect()
    });
    let scores = collect(&of("captioned"), &|event| {
        let score = |name: &str| event["report"][name].as_f64().map(|score| (name.replace('_', "-"), score));
        ["cider", "bleu_4"].into_iter().filter_map(score).collect()
    });
    let panels = [
        ("loss", losses),
        ("batch accuracy, %", matched),
        ("validation accuracy, %", shares),
        ("validation captions", scores),
        ("learning rate", rates),
    ];
    let panels: Vec<_> = panels.iter().filter(|(_, series)| !series.is_empty()).collect();
    let rows = panels.len().div_ceil(COLUMNS).max(1);
    let (width, height) = (PANEL[0] * panels.len().clamp(1, COLUMNS) as f64, PANEL[1] * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (i, (title, series)) in panels.into_iter().enumerate() {
        let (x, y) = (PANEL[0] * (i % COLUMNS) as f64, PANEL[1] * (i / COLUMNS) as f64);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        panel(&mut svg, title, series);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn numbers(map: &Value) -> Vec<(String, f64)> {
    let entries = map.as_object().into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

fn collect(events: &[&Value], values: &dyn Fn(&Value) -> Vec<(String, f64)>) -> Series {
    let mut series = Series::new();
    for event in events {
        let step = event["step"].as_f64().unwrap_or(0.0);
        for (name, value) in values(event).into_iter().filter(|(_, value)| value.is_finite()) {
            series.entry(name).or_default().push((step, value));
        }
    }
    series
}

/// Moving average over 1/25 of the run, to show the trend through the noise of batches.
fn smoothed(series: Series) -> Series {
    let smooth = |points: Vec<(f64, f64)>| {
        let reach = (points.len() / 50).max(1);
        let mean = |i: usize| {
            let near = &points[i.saturating_sub(reach)..(i + reach + 1).min(points.len())];
            near.iter().map(|(_, y)| y).sum::<f64>() / near.len() as f64
        };
        (0..points.len()).map(|i| (points[i].0, mean(i))).collect()
    };
    thinned(series.into_iter().map(|(name, points)| (name, smooth(points))).collect())
}

fn thinned(series: Series) -> Series {
    let thin = |points: Vec<(f64, f64)>| -> Vec<(f64, f64)> {
        let every = points.len().div_ceil(MAX_CURVE_POINTS).max(1);
        let last = points.len().saturating_sub(1);
        points.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last).map(|(_, p)| *p).collect()
    };
    series.into_iter().map(|(name, points)| (name, thin(points))).collect()
}

/// Maps data coordinates to pixels.
struct Axes {
    x: [f64; 2],
    y: [f64; 2],
}

impl Axes {
    fn around(series: &Series) -> Self {
        let all = || series.values().flatten();
        let range = |values: &mut dyn Iterator<Item = f64>| {
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
            // A constant curve needs an axis of some extent.
            if high > low { [low, high] } else { [low, high + 1.0] }
        };
        let [low, high] = range(&mut all().map(|p| p.1));
        let x = range(&mut all().map(|p| p.0));
        // The axis of a non-negative quantity starts at 0.
        Self { x, y: [if low >= 0.0 { 0.0 } else { low }, high + 0.05 * (high - low)] }
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let [left, right, above, below] = MARGIN;
        let across = (x - self.x[0]) / (self.x[1] - self.x[0]);
        let up = (y - self.y[0]) / (self.y[1] - self.y[0]);
        (left + across * (PANEL[0] - left - right), PANEL[1] - below - up * (PANEL[1] - above - below))
    }
}

fn panel(svg: &mut String, title: &str, series: &Series) {
    let axes = Axes::around(series);
    let (left, bottom) = axes.place((axes.x[0], axes.y[0]));
    let (right, top) = axes.place((axes.x[1], axes.y[1]));
    for y in ticks(axes.y) {
        let at = axes.place((axes.x[0], y)).1;
        let _ = writeln!(svg, "<path d=\"M{left} {at:.1}H{right:.1}\" stroke=\"#e4e4e4\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            at + 4.0,
            short(y)
        );
    }
    for x in ticks(axes.x) {
        let at = axes.place((x, axes.y[0])).0;
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 16.0,
            short(x)
        );
    }
    let _ = writeln!(svg, "<path d=\"M{left} {top:.1}V{bottom}H{right:.1}\" fill=\"none\" stroke=\"#555\"/>");
    let _ = writeln!(svg, "<text x=\"{left}\" y=\"20\" font-size=\"13\" font-weight=\"bold\">{title}</text>");
    let middle = (left + right) / 2.0;
    let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">step</text>", bottom + 31.0);
    for (i, points) in series.values().enumerate() {
        let color = COLORS[i % COLORS.len()];
        let line: Vec<String> =
            points.iter().map(|p| axes.place(*p)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\"/>",
            line.join(" ")
        );
        // A polyline of one point is invisible.
        if let [only] = points.as_slice() {
            let (x, y) = axes.place(*only);
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>");
        }
    }
    legend(svg, series, right);
}

/// Legend in the title row, right-aligned.
fn legend(svg: &mut String, series: &Series, right: f64) {
    let mut x = right;
    for (i, name) in series.keys().enumerate().rev() {
        // Approximate width of a letter at this font size.
        x -= 6.2 * name.chars().count() as f64;
        let (color, shown) = (COLORS[i % COLORS.len()], escaped(name));
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"20\">{shown}</text>");
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"15\" width=\"14\" height=\"3\" fill=\"{color}\"/>",
            x - 18.0
        );
        x -= 30.0;
    }
}

/// About five round numbers within a range: multiples of 1, 2 or 5 times a power of ten.
fn ticks([low, high]: [f64; 2]) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= rough).unwrap_or(rough);
    let first = (low / step).ceil() as i64;
    (0..12).map(|i| (first + i) as f64 * step).take_while(|tick| *tick <= high).collect()
}

fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if size < 1e-3 {
        format!("{value:.0e}")
    } else {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
