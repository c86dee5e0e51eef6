//! What a network looks at in one row: the picture itself, or the curves of its series.

use ratatui::layout::Rect;

use super::{Canvas, Role};
use crate::data::Table;
use crate::explain::Explanation;
use crate::features::sight::{FittedSight, InputKind};
use crate::ui::plot::{Dash, ExplainedSeries, LinePlot, Picture, Series, SignedMap, sign_legend};

/// Columns of cells that a portrait takes beside a list, and that the list must keep.
const LEAST_LIST: u16 = 44;
const SERIES_WIDTH: u16 = 48;

/// The room that a portrait takes on the right of an area; nothing where there is too little.
pub(super) fn beside(sight: &FittedSight, area: Rect) -> Option<(Rect, Rect)> {
    let [height, width, _] = sight.shape();
    let wanted = match sight.layout.kind {
        InputKind::Image => (2 * width as u16).max(26),
        InputKind::Series | InputKind::Windows => SERIES_WIDTH,
        InputKind::Table | InputKind::Auto => return None,
    };
    let room = area.width.checked_sub(LEAST_LIST + 2)?;
    let taken = wanted.min(room);
    let too_small = taken < 14 || usize::from(area.height) < height.min(6);
    (!too_small).then(|| {
        let list = Rect { width: area.width - taken - 2, ..area };
        (list, Rect { x: list.right() + 2, width: taken, ..area })
    })
}

/// Draws what the network sees of the row at this position of the table.
pub(super) fn draw(
    sight: &FittedSight,
    table: &Table,
    position: u32,
    why: Option<&Explanation>,
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    let [height, width, n_channels] = sight.shape();
    let channels = channels(sight, table, position);
    // What each position adds, all its channels together.
    let adds: Vec<f64> = why.map_or(Vec::new(), |why| {
        let positions = why.contributions.chunks(n_channels).take(height * width);
        positions.map(|channels| channels.iter().sum()).collect()
    });
    let label = why.map_or(String::new(), |why| match &why.class {
        Some(class) => format!("{class}: {}", way(why)),
        None => way(why),
    });
    if sight.layout.kind == InputKind::Image {
        let Some(values) = channels.first() else { return };
        let picture = Picture { height, width, values, range: None };
        picture.render(area, canvas.buf, canvas.theme);
        let taken = picture.wanted().1.min(area.height) + 1;
        let rest = Rect { y: area.y + taken, height: area.height - taken.min(area.height), ..area };
        if rest.height > 4 && !adds.is_empty() {
            canvas.paragraph(Rect { height: 1, ..rest }, &label, Role::Dim);
            let map = SignedMap { height, width, values: &adds };
            let below = Rect { y: rest.y + 1, height: rest.height - 1, ..rest };
            map.render(below, canvas.buf, canvas.theme);
            let legend = Rect { y: below.y + map.wanted().1.min(below.height), height: 1, ..below };
            if legend.y < area.bottom() {
                let text = sign_legend(usize::from(area.width));
                canvas.paragraph(legend, &text, Role::Dim);
            }
        }
        return;
    }
    let area = Rect { height: area.height.min(16), ..area };
    if !adds.is_empty() {
        let named: Vec<(&str, &[f64])> = channels
            .iter()
            .zip(&sight.layout.channels)
            .map(|(values, channel)| (channel.name.as_str(), values.as_slice()))
            .collect();
        let label = why.and_then(|why| why.class.as_ref());
        let label = label.map_or("the value".into(), |class| format!("class {class}"));
        let label = format!("{label} ({})", why.map_or(String::new(), way));
        let series = ExplainedSeries { channels: &named, contributions: &adds, label: &label };
        series.render(area, canvas.buf, canvas.theme);
        return;
    }
    let curves: Vec<Vec<(f64, f64)>> = channels
        .iter()
        .map(|values| values.iter().enumerate().map(|(t, v)| (t as f64, *v)).collect())
        .collect();
    let looks = [
        (Role::Train, Dash::Solid),
        (Role::Valid, Dash::Dotted),
        (Role::Accent, Dash::Sparse),
        (Role::Warn, Dash::Points),
    ];
    let series = curves.iter().zip(&sight.layout.channels).zip(looks);
    LinePlot {
        series: series
            .map(|((points, channel), (role, dash))| Series {
                name: &channel.name,
                role,
                points,
                dash,
            })
            .collect(),
        x_label: "step",
        y_label: "",
        legend: true,
        ..LinePlot::default()
    }
    .render(area, canvas.buf, canvas.theme);
}

/// How it was explained, in a word or two.
fn way(why: &Explanation) -> String {
    why.method.name.replace('_', " ")
}

/// The values of each channel in the order of steps or pixels, unscaled for a single channel and
/// in standard deviations for several, so that they share an axis.
fn channels(sight: &FittedSight, table: &Table, position: u32) -> Vec<Vec<f64>> {
    let several = sight.channels.len() > 1;
    let layout = &sight.layout;
    let along = layout.along.as_ref().and_then(|along| along.sequence(table).ok());
    let number = |row: u32, column: &str| {
        let text = table.text(row as usize, column);
        text.and_then(|text| text.trim().parse::<f64>().ok()).unwrap_or(f64::NAN)
    };
    let of = |idx: usize| -> Vec<f64> {
        let (channel, fitted) = (&layout.channels[idx], &sight.channels[idx]);
        let scaled = |value: f64| {
            if several { (value - fitted.offset) / fitted.scale } else { value }
        };
        match (&along, &layout.along, channel.columns.first()) {
            (Some(rows), Some(along), Some(column)) => (0..layout.width)
                .map(|step| {
                    let back = (layout.width - 1 - step) * along.stride;
                    let row = rows.earlier(position, back);
                    row.map_or(f64::NAN, |row| scaled(number(row, column)))
                })
                .collect(),
            _ => channel.columns.iter().map(|column| scaled(number(position, column))).collect(),
        }
    };
    (0..layout.channels.len()).map(of).collect()
}
