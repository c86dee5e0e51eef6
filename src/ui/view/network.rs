//! The network editor.

use ratatui::layout::{Position, Rect};

use super::{Canvas, Role, ViewState, row, word};
use crate::ui::app::{Line, Look, NetworkEditor, Place};
use crate::ui::widgets::{Pane, centred, clear, line, numbers, text};

/// The widths of shapes and of numbers of weights.
const SHAPE: u16 = 16;
const WEIGHTS: u16 = 12;

pub(super) fn draw(
    editor: &NetworkEditor,
    state: &mut ViewState,
    canvas: &mut Canvas<'_>,
    area: Rect,
) -> Option<Position> {
    let look = editor.look();
    let typing = editor.typing_at();
    // A line that is being typed stands there even while it cannot be read.
    let unread = typing.filter(|_| !matches!(editor.typed(), Some(Ok(_))));
    let inserted =
        unread.filter(|_| editor.typing.as_ref().is_some_and(|t| t.place != Place::Over));
    let n_lines = look.lines.len() + usize::from(inserted.is_some());
    // Heading and input above; a rule, a verdict in two lines and the totals below.
    let wanted = (n_lines as u16).saturating_add(2 + 4 + 2);
    let place = centred(area, area.width.saturating_sub(4).min(96), wanted.max(12));
    clear(place, canvas.buf);
    let right = format!("{} layers", look.lines.len());
    let pane = Pane { title: "Network", right: &right, focused: true, ..Pane::default() };
    let inner = pane.render(place, canvas.buf, canvas.theme);
    if inner.height < 8 {
        canvas.words(inner, &[word("the terminal is too low for the editor", Role::Warn)]);
        return None;
    }
    head(editor, canvas, inner);
    let list = Rect { y: inner.y + 2, height: inner.height - 2 - 4, ..inner };
    let chosen = typing.unwrap_or(editor.at);
    let page = usize::from(list.height);
    state.page = page.max(1);
    let offset = state.network.min(n_lines.saturating_sub(page));
    let offset = offset.min(chosen).max((chosen + 1).saturating_sub(page));
    state.network = offset;
    let mut cursor = None;
    for (i, at) in (offset..n_lines).take(page).enumerate() {
        let place = row(list, i as u16);
        let known = match inserted {
            Some(new) if at == new => None,
            Some(new) if at > new => look.lines.get(at - 1),
            _ => look.lines.get(at),
        };
        let number = format!("{:>3}  ", at + 1);
        let mistaken = inserted.is_none() && look.mistake.as_ref().is_some_and(|m| m.0 == at);
        if typing == Some(at) {
            let x = canvas.words(place, &[word(number, Role::Accent)]);
            let width = text_width(inner).saturating_sub(5);
            let field = Rect { x, width, ..place };
            let typed = editor.typing.as_ref().map(|typing| &typing.field);
            let example = match editor.purpose.input {
                shape if shape.is_flat() => "dense 32 relu",
                shape if shape.height > 1 => "conv 32x3x3 bn relu",
                _ => "conv 32x3 bn relu",
            };
            cursor = typed.and_then(|f| f.render(example, field, canvas.buf, canvas.theme));
            if let Some(known) = known.filter(|_| unread.is_none()) {
                figures(known, mistaken, canvas, place);
            }
            continue;
        }
        let Some(known) = known else { continue };
        let role = match (at == chosen, mistaken) {
            (true, _) => Role::Selected,
            (_, true) => Role::Bad,
            _ => Role::Text,
        };
        let sign = if mistaken { "✗ " } else { "  " };
        let words = text::fit(
            &format!("{:>3}{sign}{}", at + 1, known.text),
            usize::from(text_width(inner)),
        );
        canvas.words(place, &[word(words, role)]);
        figures(known, mistaken, canvas, place);
    }
    let below = Rect { y: list.bottom(), height: 4, ..inner };
    line::rule("", row(below, 0), canvas.buf, canvas.theme);
    verdict(editor, &look, canvas, Rect { y: below.y + 1, height: 2, ..below });
    totals(editor, &look, canvas, row(below, 3));
    cursor
}

fn text_width(inner: Rect) -> u16 {
    inner.width.saturating_sub(SHAPE + WEIGHTS)
}

fn head(editor: &NetworkEditor, canvas: &mut Canvas<'_>, inner: Rect) {
    let wide = usize::from(text_width(inner));
    canvas.words(
        row(inner, 0),
        &[
            word(text::fit("  #  layer", wide), Role::Header),
            word(text::fit_right("gives", usize::from(SHAPE)), Role::Header),
            word(text::fit_right("weights", usize::from(WEIGHTS)), Role::Header),
        ],
    );
    canvas.words(
        row(inner, 1),
        &[
            word(text::fit("     input", wide), Role::Dim),
            word(text::fit_right(&editor.purpose.input.to_string(), usize::from(SHAPE)), Role::Dim),
        ],
    );
}

/// What a layer gives and how many weights it has, at the right.
fn figures(known: &Line, mistaken: bool, canvas: &mut Canvas<'_>, place: Rect) {
    let output = match known.output {
        Some(output) => output.to_string(),
        None if mistaken => "does not fit".to_owned(),
        None => numbers::NONE.to_owned(),
    };
    let weights = match (known.output, known.n_params) {
        (None, _) => numbers::NONE.to_owned(),
        (_, n) => numbers::count(n),
    };
    let right =
        Rect { x: place.right().saturating_sub(SHAPE + WEIGHTS), width: SHAPE + WEIGHTS, ..place };
    let role = if known.output.is_none() { Role::Guess } else { Role::Text };
    canvas.words(
        right,
        &[
            word(
                text::fit_right(&output, usize::from(SHAPE)),
                if mistaken { Role::Bad } else { role },
            ),
            word(
                text::fit_right(&weights, usize::from(WEIGHTS)),
                if known.n_params == 0 { Role::Dim } else { role },
            ),
        ],
    );
}

/// What is wrong and what can be done, or that nothing is.
fn verdict(editor: &NetworkEditor, look: &Look, canvas: &mut Canvas<'_>, area: Rect) {
    let (what, hint) = match (editor.typed(), &look.mistake) {
        (Some(Err(mistake)), _) => {
            let near = editor.typing.as_ref().map_or("", |typing| typing.field.text());
            let place = near.get(..mistake.at.start).map_or(0, |before| before.chars().count());
            (format!("at character {}: {}", place + 1, mistake.what), mistake.hint)
        }
        (_, Some((at, what, hint))) => (format!("layer {}: {what}", at + 1), hint.clone()),
        (_, None) => {
            canvas.words(area, &[word("✓ ", Role::Good), word("the shapes fit", Role::Text)]);
            return;
        }
    };
    canvas.words(area, &[word("✗ ", Role::Bad), word(what, Role::Text)]);
    canvas.words(row(area, 1), &[word("  ", Role::Text), word(hint, Role::Accent)]);
}

/// Weights, memory and time, once the network fits.
fn totals(editor: &NetworkEditor, look: &Look, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(budget) = look.budget else {
        canvas.words(area, &[word("memory and time are known once it fits", Role::Dim)]);
        return;
    };
    let rows = numbers::count(editor.purpose.n_rows);
    let time = match budget.epoch_seconds {
        ..0.001 => "under 1 ms".to_owned(),
        seconds => format!("about {}", numbers::duration(seconds)),
    };
    canvas.words(
        area,
        &[
            word(numbers::count(budget.n_params), Role::Strong),
            word(" weights · ", Role::Dim),
            word(numbers::bytes(budget.bytes), Role::Strong),
            word(" of memory · ", Role::Dim),
            word(time, Role::Strong),
            word(format!(" an epoch of {rows} rows"), Role::Dim),
        ],
    );
}
