//! The ways in which a decision is explained, in words.

use super::{App, Overlay, PageLine};
use crate::explain::Background;

impl App {
    /// What contributions and reasons are.
    pub(super) fn show_ways(&mut self) {
        let mut lines = Vec::new();
        for way in &self.explain.ways {
            lines.push(PageLine::Heading(way.label.to_owned()));
            lines.push(PageLine::Text(way.about.to_owned()));
            lines.push(PageLine::Pair("source".into(), way.source.to_owned()));
        }
        lines.push(PageLine::Heading("reasons".into()));
        lines.push(PageLine::Text(
            "At most four columns in which the person fell furthest short, on the scale of the \
             linear score; all columns of the matrix that come from one column count together. A \
             protected attribute is never named."
                .into(),
        ));
        let pair = |name: &str, background: Background| {
            PageLine::Pair(name.to_owned(), background.sentence().to_owned())
        };
        lines.push(pair("method (A)", Background::NearThreshold));
        lines.push(pair("method (B)", Background::All));
        lines.push(PageLine::Pair(
            "source".into(),
            "Regulation B, 12 CFR 1002.9, interpretation 9(b)(2)-5; the averages are those of the \
             training rows and are kept in the model"
                .into(),
        ));
        let title = "What contributions and reasons are".into();
        self.overlays.push(Overlay::Page { title, lines, scroll: 0 });
    }
}
