//! The Model pane: a form that cannot be wrong.

use super::act::moved;
use super::{App, Ask, Effect, Pick};
use crate::ui::action::Action;
use crate::workspace::{Field, Setter, fields};

/// The Model pane.
#[derive(Clone, Debug, Default)]
pub struct ModelPane {
    /// The chosen field.
    pub field: usize,
}

impl App {
    pub(super) fn act_model(&mut self, action: Action) -> Vec<Effect> {
        let fields = fields(&self.workspace);
        if let Some(at) = moved(self.model.field, fields.len(), action, self.page) {
            self.model.field = at;
            return vec![];
        }
        let Some(field) = fields.get(self.model.field) else { return vec![] };
        match action {
            Action::Enter => self.edit(field),
            Action::Left => self.nudge(field, -1),
            Action::Right => self.nudge(field, 1),
            Action::ResetField => self.set_field(&field.label, ""),
            Action::Formula => self.show_formula(),
            _ => vec![],
        }
    }

    fn edit(&mut self, field: &Field) -> Vec<Effect> {
        if is_network(field) && self.edit_network(&field.label, &field.value) {
            return vec![];
        }
        if field.choices.is_empty() {
            let hint = format!("{} · {}", field.range, field.about);
            self.ask(field.label.clone(), &hint, &field.value, Ask::Field(field.label.clone()));
        } else {
            let about = |name: &String| self.about_choice(field, name);
            let items: Vec<_> = field.choices.iter().map(|c| (c.clone(), about(c))).collect();
            self.pick(field.label.clone(), items, &field.value, Pick::Field(field.label.clone()));
        }
        vec![]
    }

    fn about_choice(&self, field: &Field, name: &str) -> String {
        match field.label.as_str() {
            "kind" => crate::models::kind(name).map(|k| k.about.to_owned()).unwrap_or_default(),
            "target" | "group" | "time" => {
                let table = self.workspace.now.table.as_ref();
                let column = table.and_then(|t| t.column(name));
                column.map_or(String::new(), |c| c.kind.word().to_owned())
            }
            _ => String::new(),
        }
    }

    /// The next or the previous choice; for a number the next round one.
    fn nudge(&mut self, field: &Field, by: isize) -> Vec<Effect> {
        if !field.choices.is_empty() {
            let n = field.choices.len() as isize;
            let at = field.choices.iter().position(|c| *c == field.value).unwrap_or(0) as isize;
            let next = &field.choices[(at + by).rem_euclid(n) as usize];
            return self.set_field(&field.label, &next.clone());
        }
        match nudged(field, by) {
            Some(value) => self.set_field(&field.label, &value),
            None => self.edit(field),
        }
    }

    /// Gives a field of the form a value; nothing gives a parameter its default back.
    pub(super) fn set_field(&mut self, label: &str, value: &str) -> Vec<Effect> {
        let fields = fields(&self.workspace);
        let Some(field) = fields.iter().find(|f| f.label == label) else { return vec![] };
        if value.is_empty() && matches!(label, "target" | "positive" | "kind" | "group" | "time") {
            return self.refuse("this has no default; choose one with Enter");
        }
        let value = if value.is_empty() { default_of(label).unwrap_or("") } else { value };
        let verb = field.verb(value);
        if let crate::workspace::Verb::Cost(_, cost) = &verb
            && cost.is_nan()
        {
            return self
                .refuse(&format!("`{value}` is not a number\nhint: give a cost of 0 or more"));
        }
        let effects = self.do_verb(&verb);
        // Fields come and go with the kind and the split; the cursor stays on the one it set.
        let now = crate::workspace::fields(&self.workspace);
        if let Some(at) = now.iter().position(|f| f.label == label) {
            self.model.field = at;
        }
        effects
    }
}

/// Whether a field takes a network in words.
fn is_network(field: &Field) -> bool {
    matches!(&field.setter, Setter::Set(name) if name == "network")
}

/// The defaults of the fields that are not parameters of a model.
fn default_of(label: &str) -> Option<&'static str> {
    Some(match label {
        "method" => "stratified",
        "test" => "0.2",
        "validation" | "folds" | "winsorise" | "constant" => "0",
        "seed" => "42",
        "missing" => "median",
        "indicator" => "yes",
        "rare" => "0.01",
        "unseen" => "other",
        "scale" => "none",
        "dates" => "parts",
        "use protected" => "no",
        "false positive" | "false negative" => "1",
        _ => return None,
    })
}

/// A number one step on: shares by 0.05, counts by one, everything else along 1, 2, 5, 10.
fn nudged(field: &Field, by: isize) -> Option<String> {
    let value: f64 = field.value.parse().ok()?;
    let up = by > 0;
    let next = match field.label.as_str() {
        "test" | "validation" => (((value / 0.05).round() + by as f64) * 0.05).clamp(0.0, 0.9),
        "rare" | "winsorise" => (((value / 0.005).round() + by as f64) * 0.005).clamp(0.0, 0.25),
        "seed" => (value + by as f64).max(0.0),
        "folds" => match (value as usize, up) {
            (0, true) => 5.0,
            (n, true) => (n + 1).min(50) as f64,
            (n, false) if n <= 2 => 0.0,
            (n, false) => (n - 1) as f64,
        },
        "epochs" | "batch_size" | "max_iter" => round_step(value, up).round().max(1.0),
        _ => round_step(value, up),
    };
    // Steps of 0.05 carry rounding dust that nobody wants to read.
    Some(((next * 1e9).round() / 1e9).to_string())
}

fn round_step(value: f64, up: bool) -> f64 {
    const STEPS: [f64; 3] = [1.0, 2.0, 5.0];
    if value <= 0.0 {
        return if up { 0.001 } else { 0.0 };
    }
    let decade = 10f64.powf(value.log10().floor());
    let mantissa = value / decade;
    if up {
        STEPS.into_iter().find(|s| *s > mantissa * 1.000_001).unwrap_or(10.0) * decade
    } else if value <= 0.001 {
        0.0
    } else {
        STEPS.into_iter().rev().find(|s| *s < mantissa * 0.999_999).unwrap_or(0.5) * decade
    }
}

#[cfg(test)]
mod tests {
    use super::round_step;

    #[test]
    fn numbers_step_along_one_two_five() {
        let mut value = 0.5;
        for expected in [1.0, 2.0, 5.0, 10.0, 20.0] {
            value = round_step(value, true);
            assert!((value - expected).abs() < 1e-9, "{value} for {expected}");
        }
        for expected in [10.0, 5.0, 2.0, 1.0, 0.5] {
            value = round_step(value, false);
            assert!((value - expected).abs() < 1e-9, "{value} for {expected}");
        }
        assert_eq!(round_step(0.0, false), 0.0);
    }
}
