//! The Monitor screen.

use ratatui::layout::Rect;

use super::{Canvas, ViewState};
use crate::ui::app::App;

pub(super) fn draw(_app: &App, _state: &mut ViewState, _canvas: &mut Canvas<'_>, _area: Rect) {}
