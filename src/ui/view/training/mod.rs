//! The Training pane: the list of runs, the curves of the chosen one, and the parts of its model.

mod chart;
mod layers;
mod list;
mod progress;

use ratatui::layout::Rect;

use super::{Canvas, Role, ViewState};
use crate::ui::app::{App, Row, TrainTab};
use crate::ui::widgets::Pane;

/// From this width on the layers stand beside the curves.
const WIDE: u16 = 110;

/// The width of the table of layers beside the curves.
const BESIDE: u16 = 58;

pub(super) fn draw(
    app: &App,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focused: bool,
) {
    let right = match app.jobs.queue.len() {
        0 => String::new(),
        n => format!("{n} queued"),
    };
    let rows = app.training_rows();
    let row = rows.get(app.training.row);
    let tabs = TrainTab::ALL.map(TrainTab::title);
    let pane = Pane {
        number: Some(3),
        title: "Training",
        tabs: if rows.is_empty() { &[] } else { &tabs },
        tab: app.training.tab as usize,
        right: &right,
        focused,
    };
    let inner = pane.render(area, canvas.buf, canvas.theme);
    let Some(row) = row else {
        let text = "No run yet. t trains with the settings of the Model pane, A trains every kind of model and compares them.";
        canvas.paragraph(inner, text, Role::Dim);
        return;
    };
    match app.training.tab {
        TrainTab::Runs => {
            let wanted = rows.len() as u16 + 1;
            let height = wanted.min((inner.height / 2).max(3)).min(inner.height);
            list::draw(app, state, canvas, Rect { height, ..inner }, &rows, focused);
            let rest = Rect { y: inner.y + height, height: inner.height - height, ..inner };
            with_layers(app, state, canvas, rest, row);
        }
        TrainTab::Curve => {
            super::note_page(state, focused, inner.height);
            with_layers(app, state, canvas, inner, row);
        }
        TrainTab::Layers => layers::draw(app, state, canvas, inner, row, focused),
    }
}

/// The curves, with the layers beside them where there is room for both.
fn with_layers(app: &App, state: &mut ViewState, canvas: &mut Canvas<'_>, area: Rect, row: &Row) {
    let beside = area.width >= WIDE && area.height >= 6 && app.sheet(row).is_some();
    let width = if beside { BESIDE } else { 0 };
    let left = Rect { width: area.width - width, ..area };
    if left.height >= 4 {
        let used = progress::draw(app, canvas, left, row);
        chart::draw(app, canvas, super::below(left, used), row);
    } else {
        progress::draw(app, canvas, Rect { height: left.height.min(1), ..left }, row);
    }
    if beside {
        let place = Rect { x: left.right() + 2, width: width - 2, ..area };
        layers::draw(app, state, canvas, place, row, false);
    }
}
