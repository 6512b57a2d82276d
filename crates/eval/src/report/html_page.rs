//! The report as one HTML page.

use super::contents::Report;
use super::html_text::escape;
use super::sections;

/// Style sheet; colors follow the reader's light or dark setting.
const STYLE: &str = include_str!("style.css");

/// Renders the page. It is self-contained: images and drawings are embedded.
pub fn render_html(report: &Report) -> String {
    let sections = [
        sections::head(report),
        sections::results(report),
        sections::classes(report),
        sections::confusion(report),
        sections::hardest_examples(report),
        sections::unusable(report),
        sections::run_info(report),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"generator\" content=\"Lexiform\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{}\n</body>\n</html>\n",
        escape(&report.title),
        sections.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ClassificationResult, HardExample};
    use crate::unusable::UnusableFile;
    use lexiform_metrics::bootstrap::Resampling;
    use lexiform_metrics::{ConfusionMatrix, Prediction};

    fn report() -> Report {
        let labels: Vec<String> = ["chair", "<script>"].map(str::to_owned).to_vec();
        let prediction = |truth: usize, answer: usize| Prediction {
            truth,
            rank: if truth == answer { 1 } else { 2 },
            top_k: vec![answer, 1 - answer],
            score: 0.4,
            truth_score: 0.1,
        };
        let predictions = [prediction(0, 0), prediction(0, 1), prediction(1, 1)];
        let metrics = ClassificationResult::from_predictions(
            "nano",
            &predictions,
            &labels,
            Resampling { resamples: 100, seed: 0 },
        )
        .unwrap();
        let hard = HardExample {
            file: "a&b.glb".to_owned(),
            label: "chair".to_owned(),
            predicted_as: "<script>".to_owned(),
            score: 0.4,
            truth_score: 0.1,
            rank: 2,
            thumbnail: Some(vec![1, 2, 3]),
        };
        Report {
            title: "Does nano fit?".to_owned(),
            run_info: vec![("command".to_owned(), "lexiform eval".to_owned())],
            labels: labels.clone(),
            results: vec![metrics.clone(), metrics],
            published: Vec::new(),
            hardest_examples: vec![hard],
            unusable: vec![UnusableFile { file: "x.stl".to_owned(), reason: "empty".to_owned() }],
            confusion: Some(ConfusionMatrix::from_predictions(&predictions, 2)),
        }
    }

    #[test]
    fn the_page_is_self_contained_and_escaped() {
        let page = render_html(&report());
        for part in
            ["66.7 %", "a&amp;b.glb", "&lt;script&gt;", "data:image/jpeg;base64,AQID", "x.stl", "<svg"]
        {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<script"), "labels are escaped");
        assert!(
            !page.contains("http:") && !page.contains("https:") && !page.contains("src=\"/"),
            "no external resources"
        );
        for tag in ["table", "div", "figure", "svg", "section", "tr", "td"] {
            let opened =
                page.matches(&format!("<{tag}")).count() - page.matches(&format!("<{tag}ead")).count();
            assert!(opened >= page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }

    #[test]
    fn the_json_report_has_no_thumbnails() {
        let value = serde_json::to_value(report()).unwrap();
        assert_eq!(value["results"][0]["shapes"], 3);
        assert!(value["hardest_examples"][0].get("thumbnail").is_none());
    }
}
