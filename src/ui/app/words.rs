//! What the Data pane says and does in words: commands on a column, remedies, roles and kinds.

use crate::data::{Kind, Remedy, RemedyAction, Role, Table};
use crate::workspace::Verb;

/// The beginning of a command on a column, up to its `=`.
pub(super) fn command_on(command: &str, name: &str) -> String {
    let quoted = if name.contains(['=', '`']) {
        format!("`{}`", name.replace('`', "``"))
    } else {
        name.to_owned()
    };
    format!("{command} {quoted}=")
}

/// The cells of a row with tabs between them, as a spreadsheet takes them.
pub(super) fn row_text(table: &Table, position: usize, columns: &[String]) -> String {
    let value = |c: &String| table.text(position, c).unwrap_or_default();
    columns.iter().map(value).collect::<Vec<_>>().join("\t")
}

/// The verb that a remedy stands for.
pub(super) fn verb_of(remedy: &Remedy) -> Verb {
    match &remedy.action {
        RemedyAction::SetRole(column, role) => Verb::Role(column.clone(), *role),
        RemedyAction::SetKind(column, kind) => Verb::Kind(column.clone(), *kind),
        RemedyAction::Special(column, codes) => Verb::Special(column.clone(), codes.clone()),
        RemedyAction::KeepOut(column) => Verb::Role(column.clone(), Role::Ignored),
        RemedyAction::TimeSplit(column) => Verb::Role(column.clone(), Role::Time),
        RemedyAction::DropDuplicates => Verb::Dedupe,
        RemedyAction::ClassWeight => Verb::Set("class_weight".into(), "balanced".into()),
        RemedyAction::Winsorise(_) => Verb::Recipe("winsorise".into(), "0.01".into()),
        RemedyAction::RareLevels(_) => Verb::Recipe("rare".into(), "0.02".into()),
        RemedyAction::Impute(_) => Verb::Recipe("impute".into(), "median".into()),
    }
}

/// What a role means, for the list to choose from.
pub(super) fn about_role(role: Role) -> &'static str {
    match role {
        Role::Target => "to be predicted",
        Role::Feature => "may enter the model",
        Role::Id => "names the row",
        Role::Time => "orders the rows in time; the split follows it",
        Role::Text => "text, for text models only",
        Role::Weight => "how much a row counts",
        Role::Group => "rows of one group stay on one side of the split",
        Role::Amount => "money at stake",
        Role::Ignored => "left out",
    }
}

/// What a kind means, for the list to choose from.
pub(super) fn about_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "a quantity",
        Kind::Category => "one of a few levels, each with a coefficient of its own",
        Kind::Boolean => "one of two opposite levels",
        Kind::Datetime => "a date",
        Kind::Text => "free text",
        Kind::Identifier => "names the row and nothing else",
    }
}
