//! What a model would decide if a value of the row were another one.

use super::{App, Ask, Effect, Pick};
use crate::data::days_of;
use crate::models::FieldKind;
use crate::ui::widgets::numbers;

/// How a missing value is offered in a list.
pub(in crate::ui::app) const MISSING: &str = "(missing)";

impl App {
    /// Asks what the chosen column is to hold.
    pub(super) fn ask_what_if(&mut self) -> Vec<Effect> {
        let pane = &self.explain;
        let Some(decision) = pane.decision.clone() else { return vec![] };
        let chosen = pane.order().get(pane.row()).map(|chosen| (*chosen).clone());
        let Some(chosen) = chosen else {
            return self.refuse("nothing to change: this model says the same of every row");
        };
        self.explain.column = Some(chosen.feature.clone());
        let pane = &self.explain;
        let Some(field) = decision.field(&chosen.feature) else {
            let text = format!(
                "`{}` cannot be changed here: the model looks at the rows before this one",
                chosen.feature
            );
            return self.refuse(&text);
        };
        let masked = pane.table.as_ref().and_then(|table| table.column(&field.name));
        if masked.is_some_and(crate::data::Column::is_masked) {
            let text = format!("`{}` is masked and stays as it is", field.name);
            return self.refuse(&text);
        }
        let now = chosen.text.clone().unwrap_or_default();
        let own = match decision.changed.get(&field.name) {
            Some((own, _)) => own.clone(),
            None => chosen.text.clone(),
        };
        let title = format!("What if `{}` was …", field.name);
        let column = field.name.clone();
        if matches!(field.kind, FieldKind::Level | FieldKind::Truth) && !field.levels.is_empty() {
            let note = |level: &str| {
                if own.as_deref() == Some(level) { "the row's own" } else { "" }.to_owned()
            };
            let mut items: Vec<(String, String)> =
                field.levels.iter().map(|level| (level.clone(), note(level))).collect();
            if chosen.text.is_some() && !field.levels.contains(&now) {
                items.insert(0, (now.clone(), "no level of training".to_owned()));
            }
            let missing = if own.is_none() { "the row's own" } else { "" };
            items.push((MISSING.to_owned(), missing.to_owned()));
            let now = if chosen.text.is_none() { MISSING.to_owned() } else { now };
            self.pick(title, items, &now, Pick::WhatIf(column));
            return vec![];
        }
        let range = match (field.min, field.max) {
            (Some(min), Some(max)) if field.kind != FieldKind::Date => format!(
                "; in training from {} to {}",
                numbers::significant(min, 6),
                numbers::significant(max, 6)
            ),
            _ => String::new(),
        };
        let hint = format!("a {}{range}; nothing for a missing value", field.kind.word());
        self.ask(title, &hint, &now, Ask::WhatIf(column));
        vec![]
    }

    /// Lets a column hold something else.
    pub(in crate::ui::app) fn what_if(
        &mut self,
        column: &str,
        value: Option<String>,
    ) -> Vec<Effect> {
        let pane = &mut self.explain;
        let Some(decision) = &pane.decision else { return vec![] };
        if let Some(text) = &value {
            let kind = decision.field(column).map(|field| field.kind);
            match kind {
                Some(FieldKind::Number) if text.trim().parse::<f64>().is_err() => {
                    return self.refuse(&format!("`{text}` is not a number"));
                }
                Some(FieldKind::Date) if days_of(text).is_none() => {
                    let said = format!("`{text}` is not a date\nhint: write it as `2024-12-31`");
                    return self.refuse(&said);
                }
                _ => {}
            }
        }
        let field = decision.field(column);
        let is_unknown = field.zip(value.as_ref()).is_some_and(|(field, text)| {
            field.kind == FieldKind::Level
                && !field.levels.is_empty()
                && !field.levels.contains(text)
        });
        let own = match (decision.changed.get(column), pane.order()) {
            (Some((own, _)), _) => own.clone(),
            (None, order) => {
                let own = order.iter().find(|own| own.feature == column);
                own.and_then(|own| own.text.clone())
            }
        };
        let before = pane.changed.clone();
        if value == own {
            pane.changed.remove(column);
        } else {
            pane.changed.insert(column.to_owned(), value.clone());
        }
        if pane.changed == before {
            return vec![];
        }
        if is_unknown {
            let text = value.unwrap_or_default();
            self.warn(format!("`{text}` is no level of training: it counts as one never seen"));
        }
        self.decide()
    }
}
