//! What is asked of the columns, and what is taken of them.

use serde::{Deserialize, Serialize};

use super::Error;
use crate::data::{Method, Sequence, Table};

/// What the columns of a table are to a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Whatever names and values say.
    #[default]
    Auto,
    /// A plain table: every feature is a static column.
    Table,
    /// Groups of columns in the order of time, each a channel.
    Series,
    /// The rows up to each row in the order of time.
    Windows,
    /// Pixels, row by row of the picture.
    Image,
}

impl InputKind {
    /// Every kind with its word on command line, form and disk.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Auto, "auto"),
        (Self::Table, "table"),
        (Self::Series, "series"),
        (Self::Windows, "windows"),
        (Self::Image, "image"),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("auto", |(_, word)| word)
    }
}

/// How a channel of a window reads its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The value itself.
    #[default]
    Level,
    /// Relative to the row before: `x[t] / x[t-1] - 1`.
    Return,
    /// The logarithm of the ratio to the row before: `ln(x[t] / x[t-1])`.
    LogChange,
    /// The difference to the row before: `x[t] - x[t-1]`.
    Difference,
}

impl Change {
    /// Every change with its word.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Level, "level"),
        (Self::Return, "return"),
        (Self::LogChange, "log_change"),
        (Self::Difference, "difference"),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(change, _)| *change == self).map_or("level", |(_, word)| word)
    }

    /// The value of a row, given the row before; NaN where it is undefined.
    pub(super) fn of(self, value: f64, before: f64) -> f64 {
        let changed = match self {
            Self::Level => value,
            Self::Return => value / before - 1.0,
            Self::LogChange if value > 0.0 && before > 0.0 => (value / before).ln(),
            Self::LogChange => f64::NAN,
            Self::Difference => value - before,
        };
        if changed.is_finite() { changed } else { f64::NAN }
    }
}

/// What is asked, in words that can be typed on a command line, in a file or on a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SightSpec {
    /// What the columns are.
    pub input: InputKind,
    /// `auto`, or which columns are channels.
    ///
    /// Of a series or image: `status: PAY_0, PAY_2..PAY_6; bill: BILL_AMT6..BILL_AMT1`, where a
    /// range follows the order of the table and one from a later to an earlier column runs
    /// backwards, as the word `reversed` before a list does. Of windows:
    /// `close: return; volume: log_change; high, low`. Backticks hold names with `,;:` or dots.
    pub channels: String,
    /// `auto`, `none`, or a list: features that join after the pooling. `auto` takes all that are
    /// in no channel; beside windows only those that are no numbers.
    pub statics: String,
    /// Steps of a window.
    pub window: usize,
    /// Rows from one step of a window to the next.
    pub stride: usize,
    /// The column that orders the rows; without it the one with the role `time`.
    pub time: Option<String>,
    /// The column whose groups are series of their own; without it the one with the role `group`.
    pub group: Option<String>,
}

impl Default for SightSpec {
    fn default() -> Self {
        Self {
            input: InputKind::Auto,
            channels: "auto".into(),
            statics: "auto".into(),
            window: 20,
            stride: 1,
            time: None,
            group: None,
        }
    }
}

/// One channel of the tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// What it is called: `BILL_AMT`, `close return`.
    pub name: String,
    /// Its columns in the order of steps or pixels; one alone for a window.
    pub columns: Vec<String>,
    /// How a window reads it; always the level elsewhere.
    pub change: Change,
}

/// The order of rows that windows look back along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Along {
    /// The column that orders the rows.
    pub time: String,
    /// The column whose groups are series of their own.
    pub group: Option<String>,
    /// Rows from one step of a window to the next.
    pub stride: usize,
}

impl Along {
    /// Whether it is this column that orders or groups the rows.
    pub(super) fn names(&self, column: &str) -> bool {
        self.time == column || self.group.as_deref() == Some(column)
    }

    /// The rows of a table in this order.
    pub fn sequence(&self, table: &Table) -> Result<Sequence, Error> {
        Ok(Sequence::of(table, &self.time, self.group.as_deref())?)
    }
}

/// What the network sees, known before anything is fitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What the columns were taken as; never [`InputKind::Auto`].
    pub kind: InputKind,
    /// Rows of the picture; 1 for all but images.
    pub height: usize,
    /// Columns of the picture, or steps of the series or window; 1 for a plain table.
    pub width: usize,
    /// The channels, none for a plain table.
    pub channels: Vec<Channel>,
    /// Features that join after the pooling, in the order of the features.
    pub statics: Vec<String>,
    /// What windows look back along; nothing for the other kinds.
    pub along: Option<Along>,
    /// What was taken and what else could be meant, a sentence each.
    pub notes: Vec<String>,
}

impl Layout {
    /// Height, width, channels.
    pub fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.channels.len()]
    }

    /// Numbers of one row of the tensor.
    pub fn cells(&self) -> usize {
        self.shape().into_iter().product()
    }

    /// Rows that must come before a row in its group for its window to be full.
    pub fn history(&self) -> usize {
        let Some(along) = &self.along else { return 0 };
        let changes = self.channels.iter().any(|channel| channel.change != Change::Level);
        (self.width - 1) * along.stride + usize::from(changes)
    }

    /// What it is in a few words: `3 channels x 6 steps, 5 static columns`.
    pub fn text(&self) -> String {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let channels = count(self.channels.len(), "channel");
        let body = match self.kind {
            InputKind::Image if self.channels.len() == 1 => {
                format!("images of {} x {}", self.height, self.width)
            }
            InputKind::Image => format!("{channels} of {} x {} pixels", self.height, self.width),
            InputKind::Series => format!("{channels} x {}", count(self.width, "step")),
            InputKind::Windows => format!("{channels} x windows of {}", count(self.width, "row")),
            InputKind::Table | InputKind::Auto => {
                return count(self.statics.len(), "column");
            }
        };
        match self.statics.len() {
            0 => body,
            n => format!("{body}, {}", count(n, "static column")),
        }
    }

    /// The shout for windows whose rows are not divided by time; nothing when all is well.
    pub fn warning(&self, method: Method) -> Option<String> {
        let is_wrong = self.along.is_some() && method != Method::Time;
        is_wrong.then(|| {
            format!(
                "windows under a `{method}` split look into the future: rows of the test period \
                 stand in the windows that train\nhint: split by time"
            )
        })
    }
}
