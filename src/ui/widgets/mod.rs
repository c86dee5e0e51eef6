//! The parts that screens are put together from: frames, tables, fields, lists, forms, dialogs.
//!
//! They know rectangles, roles and text, and nothing of models or data. Text from data is cleaned
//! by [`text`] before it reaches a cell, so no value can command the terminal.

mod dialog;
mod field;
mod form;
pub mod fuzzy;
pub mod line;
pub mod numbers;
mod pane;
mod picker;
mod table;
pub mod text;

pub use self::dialog::{Dialog, centred, clear};
pub use self::field::TextField;
pub use self::form::{Form, FormRow};
pub use self::pane::Pane;
pub use self::picker::{Choice, Picker};
pub use self::table::{Align, Cell, Column, DataTable, TableState};
