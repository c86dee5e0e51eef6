//! The curves of a classifier, in the Evaluation pane and laid over each other on Compare.

use ratatui::layout::Rect;

use super::{Canvas, Role};
use crate::ui::app::EvalTab;
use crate::ui::plot::{Dash, LinePlot, Reference, Series};
use crate::workspace::Assessment;

/// A curve with its name and meaning.
pub(super) type Named<'a> = (&'a str, Role, Dash, &'a [(f64, f64)]);

/// Draws curves of one sort over each other.
pub(super) fn curves(
    canvas: &mut Canvas<'_>,
    area: Rect,
    tab: EvalTab,
    curves: &[Named<'_>],
    mark: Option<(f64, f64)>,
    share: Option<f64>,
) {
    let here = mark.map(|m| [m]);
    let mut series: Vec<Series<'_>> = curves
        .iter()
        .map(|(name, role, dash, points)| Series { name, role: *role, points, dash: *dash })
        .collect();
    if let Some(here) = &here {
        series.push(Series {
            name: "threshold",
            role: Role::Bad,
            points: here,
            dash: Dash::Points,
        });
    }
    let narrow = area.width < 44;
    let diagonal = Reference::Segment((0.0, 0.0), (1.0, 1.0));
    let (x_label, y_label, references) = match tab {
        EvalTab::Pr => ("recall", "precision", share.map(Reference::Across).into_iter().collect()),
        EvalTab::Roc | EvalTab::Summary if narrow => ("FPR", "TPR", vec![diagonal]),
        EvalTab::Gains => {
            ("share of rows, highest score first", "share of positives found", vec![diagonal])
        }
        EvalTab::Calibration => ("predicted", "observed", vec![diagonal]),
        _ => ("false positive rate", "true positive rate", vec![diagonal]),
    };
    LinePlot {
        series,
        x_label,
        y_label,
        x_range: Some((0.0, 1.0)),
        y_range: Some((0.0, 1.0)),
        references,
        legend: !narrow && (curves.len() > 1 || mark.is_some()),
        ..LinePlot::default()
    }
    .render(area, canvas.buf, canvas.theme);
}

/// The points of a tab's curve.
pub(super) fn points(assessment: &Assessment, tab: EvalTab) -> Vec<(f64, f64)> {
    match tab {
        EvalTab::Pr => assessment.pr.clone(),
        EvalTab::Gains => assessment.gains.clone(),
        EvalTab::Calibration => {
            assessment.calibration.iter().map(|b| (b.predicted, b.observed)).collect()
        }
        _ => assessment.roc.clone(),
    }
}
