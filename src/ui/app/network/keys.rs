//! What a person does in the network editor, and how it is opened and left.

use crossterm::event::KeyEvent;

use super::{NetworkEditor, Place, Purpose};
use crate::data::Task;
use crate::features::sight::{self, InputKind, Layout, SightSpec};
use crate::nn::spec::Shape;
use crate::ui::action::Action;
use crate::ui::app::act::moved;
use crate::ui::app::{App, Confirmed, Effect, Overlay};
use crate::ui::keymap::key_of;

/// Multiplications and additions that a processor carries out in a second, of which there are
/// usually two; an estimate of time is right within a small factor.
const FLOPS: f64 = 1e11;

impl App {
    /// Opens the editor on a field of the Model pane that takes a network; false when its text is
    /// none, so that it has to be typed.
    pub(in crate::ui::app) fn edit_network(&mut self, field: &str, text: &str) -> bool {
        match NetworkEditor::new(field, text, self.purpose()) {
            Ok(editor) => {
                self.overlays.push(Overlay::Network(Box::new(editor)));
                true
            }
            Err(_) => false,
        }
    }

    /// What a network on this table is for: what it looks at, and what the target asks for.
    fn purpose(&self) -> Purpose {
        let survey = self.workspace.survey.as_ref();
        let question = self.workspace.question();
        let n_columns = survey.and_then(|s| s.size.as_ref()).map_or(1, |size| size.columns);
        let n_out = match question.question.task {
            Some(Task::Multiclass) => survey.map_or(1, |s| s.classes.len().max(1)),
            _ => 1,
        };
        let (input, n_static) = match self.layout() {
            Some(layout) if layout.kind != InputKind::Table => {
                let [height, width, channels] = layout.shape();
                let n_static = if layout.statics.is_empty() { 0 } else { n_columns };
                (Shape { height, width, channels }, n_static)
            }
            // A plain row of numbers goes in, as the recipe makes it.
            _ => (Shape::flat(n_columns), 0),
        };
        Purpose {
            input,
            n_static,
            n_out,
            n_rows: survey.and_then(|s| s.split_rows).map_or(0, |rows| rows[0]),
            batch_size: self.param("batch_size").and_then(|n| n.parse().ok()).unwrap_or(32),
            flops: FLOPS,
        }
    }

    /// What the columns are to the network; nothing where that cannot be told.
    fn layout(&self) -> Option<Layout> {
        let table = self.workspace.now.table.as_ref()?;
        let question = self.workspace.question();
        let usual = SightSpec::default();
        let input = self.param("input").unwrap_or_default();
        let input = InputKind::ALL.iter().find(|(_, word)| *word == input);
        let number = |name| self.param(name).and_then(|n| n.parse().ok());
        let spec = SightSpec {
            input: input.map_or(usual.input, |(kind, _)| *kind),
            channels: self.param("channels").unwrap_or(usual.channels),
            statics: self.param("statics").unwrap_or(usual.statics),
            window: number("window").unwrap_or(usual.window),
            stride: number("stride").unwrap_or(usual.stride),
            time: question.split.time.clone(),
            group: usual.group,
        };
        let features = crate::train::features_of(table, question).ok()?;
        sight::layout(table, &features, &spec).ok()
    }

    /// A parameter of the model as it is set, or its default.
    fn param(&self, name: &str) -> Option<String> {
        let model = &self.workspace.question().model;
        let set = model.set.get(name).cloned();
        let default = crate::models::kind(&model.kind).ok()?.param(name).map(|p| p.default.into());
        set.or(default)
    }

    /// Takes a key while a layer is being typed; false when the key table shall look at it.
    pub(in crate::ui::app) fn type_layer(&mut self, key: KeyEvent) -> bool {
        match self.overlays.last_mut() {
            Some(Overlay::Network(editor)) if editor.typing.is_some() => {
                editor.key(key);
                true
            }
            _ => false,
        }
    }

    /// Applies what a person wants in the network editor; `None` for what is wanted elsewhere.
    pub(in crate::ui::app) fn act_network(&mut self, action: Action) -> Option<Vec<Effect>> {
        let page = self.page;
        let Some(Overlay::Network(editor)) = self.overlays.last_mut() else { return None };
        if let Some(at) = moved(editor.at, editor.n_layers(), action, page) {
            editor.at = at;
            return Some(vec![]);
        }
        match action {
            Action::Enter if editor.n_layers() == 0 => editor.begin(Place::Behind),
            Action::Enter => editor.begin(Place::Over),
            Action::LayerBehind => editor.begin(Place::Behind),
            Action::LayerBefore => editor.begin(Place::Before),
            Action::LayerUp => editor.move_layer(-1),
            Action::LayerDown => editor.move_layer(1),
            Action::DeleteLayer => editor.delete(),
            Action::Undo => editor.undo(),
            Action::UseNetwork => return Some(self.use_network()),
            Action::Back | Action::Quit | Action::Interrupt => {
                let changed = editor.is_changed();
                self.leave_network(changed);
            }
            Action::Help | Action::Suspend | Action::Redraw | Action::Glyphs => return None,
            // Nothing of the workbench happens behind the editor.
            _ => {}
        }
        Some(vec![])
    }

    fn use_network(&mut self) -> Vec<Effect> {
        let Some(Overlay::Network(editor)) = self.overlays.last() else { return vec![] };
        if let Some((line, what, hint)) = editor.look().mistake {
            return self.refuse(&format!("layer {}: {what}\nhint: {hint}", line + 1));
        }
        let (field, text) = (editor.field.clone(), editor.text());
        self.overlays.pop();
        self.set_field(&field, &text)
    }

    fn leave_network(&mut self, changed: bool) {
        if !changed {
            self.overlays.pop();
            return;
        }
        let key = key_of(Action::UseNetwork).map_or(String::new(), |key| key.to_string());
        self.overlays.push(Overlay::Confirm {
            title: "Leave the network as it was?".into(),
            text: format!("What was changed would be gone; {key} uses it."),
            then: Confirmed::DropNetwork,
        });
    }
}
