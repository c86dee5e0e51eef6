//! The network editor: a network as a list of layers, each a line of text, checked while one
//! types.

mod keys;

use crossterm::event::{KeyCode, KeyEvent};

use crate::nn::spec::{Budget, Layer, Mistake, NetworkSpec, Shape, Traced, budget};
use crate::ui::widgets::TextField;

/// What the network is for: what goes in, what has to come out, and how it is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Purpose {
    /// What the first layer sees of one row.
    pub input: Shape,
    /// Columns that join after the pooling.
    pub n_static: usize,
    /// Values that the target asks for.
    pub n_out: usize,
    /// Training rows.
    pub n_rows: usize,
    /// Rows in a step.
    pub batch_size: usize,
    /// Multiplications and additions a second.
    pub flops: f64,
}

/// A network that is being edited.
#[derive(Clone, Debug)]
pub struct NetworkEditor {
    /// The field of the Model pane that takes it.
    pub field: String,
    /// The chosen layer.
    pub at: usize,
    /// The line that is being typed, if one is.
    pub typing: Option<Typing>,
    /// What the network is for.
    pub purpose: Purpose,
    layers: Vec<Layer>,
    begun_with: Vec<Layer>,
    before: Vec<Vec<Layer>>,
}

/// A line of text on its way to become layers.
#[derive(Clone, Debug)]
pub struct Typing {
    /// What was typed.
    pub field: TextField,
    /// What becomes of it.
    pub place: Place,
}

/// Where typed layers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into the place of the chosen layer.
    Over,
    /// Before the chosen layer.
    Before,
    /// Behind the chosen layer.
    Behind,
}

/// A network as it would be seen, line by line.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The layers.
    pub lines: Vec<Line>,
    /// The first thing that is wrong: the line it is about, what is wrong, and what can be done.
    pub mistake: Option<(usize, String, String)>,
    /// What a training would take, when nothing is wrong.
    pub budget: Option<Budget>,
}

/// A layer with what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The layer in words.
    pub text: String,
    /// What it gives; unknown behind a mistake.
    pub output: Option<Shape>,
    /// Weights that it learns.
    pub n_params: usize,
}

impl NetworkEditor {
    /// An editor of this network.
    ///
    /// # Errors
    ///
    /// When the text is no network.
    pub fn new(field: &str, text: &str, purpose: Purpose) -> Result<Self, Mistake> {
        let layers = text.parse::<NetworkSpec>()?.layers;
        Ok(Self {
            field: field.to_owned(),
            at: 0,
            typing: None,
            purpose,
            begun_with: layers.clone(),
            layers,
            before: Vec::new(),
        })
    }

    /// The network in one line of text.
    pub fn text(&self) -> String {
        NetworkSpec { layers: self.layers.clone() }.to_string()
    }

    /// Whether anything was changed.
    pub fn is_changed(&self) -> bool {
        self.layers != self.begun_with
    }

    /// How many layers there are.
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// The network as it would be with what is being typed, as far as that can be read.
    pub fn look(&self) -> Look {
        let mut layers = self.layers.clone();
        if let Some(Ok(typed)) = self.typed() {
            self.put(&mut layers, typed);
        }
        let purpose = &self.purpose;
        let spec = NetworkSpec { layers };
        let (traced, mistake) = spec.follow(purpose.input, purpose.n_static, purpose.n_out);
        let line = |(idx, layer): (usize, &Layer)| {
            let own = || traced.iter().filter(|traced| traced.layer == idx);
            // A residual block is whole once its input was added.
            let is_whole = |t: &&Traced| t.depth == 0 || (t.depth == 1 && t.text.starts_with('+'));
            Line {
                text: layer.to_string(),
                output: own().next_back().filter(is_whole).map(|traced| traced.output),
                n_params: own().map(|traced| traced.n_params).sum(),
            }
        };
        let lines = spec.layers.iter().enumerate().map(line).collect();
        let budget = mistake
            .is_none()
            .then(|| budget(&traced, purpose.n_rows, purpose.batch_size, purpose.flops));
        Look { lines, mistake: mistake.map(|m| (m.layer, m.what, m.hint)), budget }
    }

    /// What was typed as layers, or what is wrong with it; `None` while nothing was typed.
    pub fn typed(&self) -> Option<Result<Vec<Layer>, Mistake>> {
        let typed = self.typing.as_ref()?.field.text();
        let layers = || Ok(typed.parse::<NetworkSpec>()?.layers);
        (!typed.trim().is_empty()).then(layers)
    }

    /// The line in which what is being typed stands.
    pub fn typing_at(&self) -> Option<usize> {
        let behind = self.typing.as_ref()?.place == Place::Behind && !self.layers.is_empty();
        Some(self.at + usize::from(behind))
    }

    fn put(&self, layers: &mut Vec<Layer>, typed: Vec<Layer>) {
        let at = self.typing_at().unwrap_or(self.at).min(layers.len());
        let over = self.typing.as_ref().is_some_and(|t| t.place == Place::Over);
        let end = (at + usize::from(over)).min(layers.len());
        layers.splice(at..end, typed);
    }

    fn begin(&mut self, place: Place) {
        let text = match place {
            Place::Over => self.layers.get(self.at).map(ToString::to_string).unwrap_or_default(),
            Place::Before | Place::Behind => String::new(),
        };
        self.typing = Some(Typing { field: TextField::with(text), place });
    }

    /// Takes over what was typed; a mistake keeps the line open.
    fn accept(&mut self) {
        let Some(typed) = self.typed() else {
            self.typing = None;
            return;
        };
        let Ok(typed) = typed else { return };
        self.remember();
        let first = self.typing_at().unwrap_or(self.at);
        let (mut layers, n) = (self.layers.clone(), typed.len());
        self.put(&mut layers, typed);
        self.layers = layers;
        self.typing = None;
        self.at = first + n - 1;
    }

    fn remember(&mut self) {
        self.before.push(self.layers.clone());
    }

    fn delete(&mut self) {
        if self.at < self.layers.len() {
            self.remember();
            self.layers.remove(self.at);
            self.at = self.at.min(self.layers.len().saturating_sub(1));
        }
    }

    fn move_layer(&mut self, by: isize) {
        let to = self.at.saturating_add_signed(by);
        if to != self.at && to < self.layers.len() {
            self.remember();
            self.layers.swap(self.at, to);
            self.at = to;
        }
    }

    fn undo(&mut self) {
        if let Some(before) = self.before.pop() {
            self.layers = before;
            self.at = self.at.min(self.layers.len().saturating_sub(1));
        }
    }

    /// Puts pasted text into the line that is being typed.
    pub(super) fn paste(&mut self, text: &str) {
        if let Some(typing) = &mut self.typing {
            typing.field.insert(text);
        }
    }

    /// Takes a key while a line is being typed.
    fn key(&mut self, key: KeyEvent) {
        match key.code {
            KeyCode::Enter => self.accept(),
            KeyCode::Esc => self.typing = None,
            _ => {
                if let Some(typing) = &mut self.typing {
                    typing.field.key(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    fn editor(text: &str) -> NetworkEditor {
        let purpose = Purpose {
            input: Shape::series(24, 1),
            n_static: 0,
            n_out: 1,
            n_rows: 100,
            batch_size: 16,
            flops: 1e10,
        };
        NetworkEditor::new("network", text, purpose).expect("a network")
    }

    fn typed(editor: &mut NetworkEditor, place: Place, text: &str) {
        editor.begin(place);
        if let Some(typing) = &mut editor.typing {
            typing.field.set(text);
        }
    }

    fn enter(editor: &mut NetworkEditor) {
        editor.key(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
    }

    #[test]
    fn every_layer_has_its_shape_and_its_weights() {
        let look = editor("conv 8x3 bn relu | gap | dense out").look();
        let shapes: Vec<String> = look
            .lines
            .iter()
            .map(|l| l.output.map(|s| s.to_string()).unwrap_or_default())
            .collect();
        assert_eq!(shapes, ["24 × 8", "24 × 8", "24 × 8", "8", "1"]);
        let params: Vec<usize> = look.lines.iter().map(|l| l.n_params).collect();
        assert_eq!(params, [24, 16, 0, 0, 9]);
        assert_eq!(look.budget.map(|b| b.n_params), Some(49));
    }

    #[test]
    fn what_is_typed_is_seen_before_it_is_accepted() {
        let mut editor = editor("conv 8x3 | gap | dense out");
        typed(&mut editor, Place::Behind, "bn relu");
        let words: Vec<String> = editor.look().lines.into_iter().map(|l| l.text).collect();
        assert_eq!(words, ["conv 8x3", "bn", "relu", "gap", "dense out"]);
        assert_eq!(editor.text(), "conv 8x3 | gap | dense out");
        enter(&mut editor);
        assert_eq!((editor.text().as_str(), editor.at), ("conv 8x3 bn relu | gap | dense out", 2));
        editor.undo();
        assert_eq!(editor.text(), "conv 8x3 | gap | dense out");
    }

    #[test]
    fn a_typing_mistake_keeps_the_line_open_and_a_misfit_is_pointed_at() {
        let mut editor = editor("conv 8x3 | gap | dense out");
        typed(&mut editor, Place::Over, "cnov 8x3");
        enter(&mut editor);
        let mistake = editor.typed().expect("a text").expect_err("a mistake");
        assert_eq!((mistake.at, mistake.hint.as_str()), (0..4, "did you mean `conv`?"));
        typed(&mut editor, Place::Over, "conv 8x30");
        enter(&mut editor);
        let look = editor.look();
        let (line, what, _) = look.mistake.expect("the kernel is too long");
        assert_eq!(line, 0);
        assert!(what.contains("spans 30 and gets 24"), "{what}");
        assert_eq!((look.lines[0].output, look.budget), (None, None));
    }

    #[test]
    fn layers_move_and_go() {
        let mut editor = editor("conv 8x3 bn relu | gap | dense out");
        editor.at = 1;
        editor.move_layer(1);
        assert_eq!((editor.text().as_str(), editor.at), ("conv 8x3 relu bn | gap | dense out", 2));
        editor.delete();
        assert_eq!(editor.text(), "conv 8x3 relu | gap | dense out");
        assert!(editor.is_changed());
        for _ in 0..9 {
            editor.at = 0;
            editor.delete();
        }
        assert_eq!(editor.n_layers(), 0);
        assert!(editor.look().mistake.is_some());
        typed(&mut editor, Place::Behind, "gap | dense out");
        enter(&mut editor);
        assert_eq!(editor.text(), "gap | dense out");
    }
}
