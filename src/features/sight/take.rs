//! From words, names and values to a layout.

use std::collections::HashSet;

use super::detect::{self, Group, Names};
use super::words::{self, Part};
use super::{Along, Change, Channel, Error, InputKind, Layout, SightSpec, refuse};
use crate::data::{Role, Table};

/// What these features of a table are to a network.
///
/// # Errors
///
/// When a column of the words is not there, is no feature or holds no numbers, when channels
/// differ in length, when no picture, series or order is to be found where one is asked for, and
/// when no group is long enough for a window.
///
/// ```
/// use karat::data::{OpenOptions, open_bytes};
/// use karat::features::sight::{SightSpec, layout};
/// use karat::jobs::Ctx;
///
/// let text = b"bill_1,bill_2,bill_3,bill_4,limit,bad\n1,2,3,4,100,0\n4,3,2,1,200,1\n";
/// let table = open_bytes("t.csv", text, &OpenOptions::default(), &Ctx::quiet()).unwrap();
/// let layout = layout(&table, &table.features(false), &SightSpec::default()).unwrap();
/// assert_eq!(layout.text(), "1 channel x 4 steps, 1 static column");
/// ```
pub fn layout(table: &Table, features: &[String], spec: &SightSpec) -> Result<Layout, Error> {
    for name in features {
        table.expect_column(name)?;
    }
    if spec.window == 0 || spec.stride == 0 {
        let what = "a window needs at least one step, and a stride of at least one row";
        return Err(refuse(what, "choose for example a window of 20 and a stride of 1"));
    }
    let taking = Taking { table, features, spec };
    let mut layout =
        if words::is_auto(&spec.channels) { taking.found()? } else { taking.said()? };
    layout.statics = taking.statics(&layout)?;
    if let Some(along) = &layout.along {
        check_length(table, &layout, along)?;
    }
    Ok(layout)
}

struct Taking<'a> {
    table: &'a Table,
    features: &'a [String],
    spec: &'a SightSpec,
}

impl Taking<'_> {
    /// The layout that names and values speak for.
    fn found(&self) -> Result<Layout, Error> {
        match self.spec.input {
            InputKind::Table => Ok(plain()),
            InputKind::Image => self.image()?.ok_or_else(|| {
                let n = detect::numeric(self.table, self.features).len();
                let hint = "name the pixels: `channels = \"p0..p63\"`, row by row of the picture";
                refuse(format!("the {n} numeric features are no square image"), hint)
            }),
            InputKind::Series => self.series(Names::Any).ok_or_else(|| {
                let what = "no features are numbered like the steps of a series";
                refuse(what, "name them: `channels = \"bill: jan, feb, mar, apr\"`")
            }),
            InputKind::Windows => self.windows(&[]),
            InputKind::Auto => {
                if let Some(layout) = self.image()? {
                    return Ok(layout);
                }
                if let Some(layout) = self.series(Names::Telling) {
                    return Ok(layout);
                }
                if self.is_ordered()? { self.windows(&[]) } else { Ok(plain()) }
            }
        }
    }

    /// The layout that the words ask for.
    fn said(&self) -> Result<Layout, Error> {
        let parts = words::parts(&self.spec.channels, self.table)?;
        let changes = parts.iter().any(|part| part.change.is_some());
        let singles = parts.iter().all(|part| part.columns.len() == 1 && part.name.is_none());
        match self.spec.input {
            InputKind::Table => {
                let what = "a plain table has no channels";
                Err(refuse(
                    what,
                    "set `input` to series, windows or image, or leave `channels` out",
                ))
            }
            InputKind::Windows => self.windows(&parts),
            InputKind::Auto if changes || (singles && self.time().is_some()) => {
                self.windows(&parts)
            }
            InputKind::Auto | InputKind::Series | InputKind::Image if changes => {
                let what = "changes such as `return` are read from row to row, in windows alone";
                Err(refuse(what, "set `input` to windows"))
            }
            kind => self.blocks(parts, kind),
        }
    }

    fn image(&self) -> Result<Option<Layout>, Error> {
        let Some(picture) = detect::image(self.table, self.features)? else { return Ok(None) };
        let n = picture.group.columns.len();
        let mut notes = vec![format!(
            "the {n} columns {} are taken as an image of {} x {}",
            ends(&picture.group.columns),
            picture.height,
            picture.width
        )];
        if !picture.is_named {
            notes.push(
                "they hold whole numbers from 0 to 255; `input=series` takes them as steps".into(),
            );
        }
        Ok(Some(Layout {
            kind: InputKind::Image,
            height: picture.height,
            width: picture.width,
            channels: vec![level(picture.group.stem, picture.group.columns)],
            notes,
            ..plain()
        }))
    }

    fn series(&self, names: Names) -> Option<Layout> {
        let (groups, others) = detect::series(self.table, self.features, names);
        let width = groups.first()?.columns.len();
        let said: Vec<String> =
            groups.iter().map(|g| format!("`{}` {}", g.stem, ends(&g.columns))).collect();
        let n = groups.len();
        let mut notes = vec![format!(
            "{n} channel{} of {width} steps: {}",
            if n == 1 { "" } else { "s" },
            said.join(", ")
        )];
        notes.extend(others.iter().map(|group| {
            let n = group.columns.len();
            format!("`{}` has {n} steps and not {width}, so it joins after the pooling", group.stem)
        }));
        let channel = |group: Group| level(group.stem, group.columns);
        let channels = groups.into_iter().map(channel).collect();
        Some(Layout { kind: InputKind::Series, width, channels, notes, ..plain() })
    }

    /// Channels of several columns each, as they were named.
    fn blocks(&self, parts: Vec<Part>, kind: InputKind) -> Result<Layout, Error> {
        let mut used = HashSet::new();
        for name in parts.iter().flat_map(|part| &part.columns) {
            self.check(name)?;
            if !used.insert(name) {
                let what = format!("column `{name}` stands in the channels twice");
                return Err(refuse(what, "a column is one step of one channel"));
            }
        }
        let Some(first) = parts.first() else {
            return Err(refuse("no channel is named", "write `auto`, or `name: first..last`"));
        };
        let n = first.columns.len();
        if let Some(other) = parts.iter().find(|part| part.columns.len() != n) {
            let what = format!(
                "channel `{}` has {n} columns and `{}` has {}",
                title(first),
                title(other),
                other.columns.len()
            );
            return Err(refuse(what, "every channel needs as many columns as the others"));
        }
        let (height, width) = match (kind, n.isqrt()) {
            (InputKind::Image, side) if side * side == n => (side, side),
            (InputKind::Image, _) => {
                let what = format!("{n} columns are no square image");
                return Err(refuse(what, "name n x n columns, row by row of the picture"));
            }
            _ => (1, n),
        };
        let kind = if kind == InputKind::Image { kind } else { InputKind::Series };
        let channels = parts.into_iter().map(|part| level(title(&part), part.columns)).collect();
        Ok(Layout { kind, height, width, channels, ..plain() })
    }

    /// Windows over the columns that were named, or over all numeric features.
    fn windows(&self, parts: &[Part]) -> Result<Layout, Error> {
        let along = self.along()?;
        let mut notes = Vec::new();
        let mut channels: Vec<Channel> = Vec::new();
        for part in parts {
            let change = part.change.unwrap_or_default();
            for name in &part.columns {
                self.check(name)?;
                let channel = of_row(name, change);
                if channels.contains(&channel) {
                    let what = format!("channel `{}` is named twice", channel.name);
                    return Err(refuse(what, "name it once"));
                }
                channels.push(channel);
            }
        }
        if channels.is_empty() {
            let mut numeric = detect::numeric(self.table, self.features);
            numeric.retain(|name| !along.names(name));
            channels.extend(numeric.iter().map(|name| of_row(name, Change::Level)));
            notes.push(format!(
                "every numeric feature is a channel as it is; `channels = \"{}: return\"` looks \
                 at changes instead",
                numeric.first().map_or("close", String::as_str)
            ));
        }
        if channels.is_empty() {
            let what = "no feature holds numbers, so a window has no channel";
            return Err(refuse(what, "give a numeric column the role feature"));
        }
        let by = along.group.as_ref().map_or(String::new(), |g| format!(" within each `{g}`"));
        let stride = match along.stride {
            1 => String::new(),
            stride => format!(", {stride} rows apart"),
        };
        notes.insert(
            0,
            format!(
                "a row stands for the {} rows up to it in the order of `{}`{by}{stride}",
                self.spec.window, along.time
            ),
        );
        let width = self.spec.window;
        let along = Some(along);
        Ok(Layout { kind: InputKind::Windows, width, channels, along, notes, ..plain() })
    }

    /// The column that orders the rows, as said or by its role.
    fn time(&self) -> Option<String> {
        let by_role = || self.table.with_role(Role::Time).map(|column| column.name.clone());
        self.spec.time.clone().or_else(by_role)
    }

    fn along(&self) -> Result<Along, Error> {
        let time = self.time().ok_or_else(|| {
            let hint = "give a date column the role time, such as with `--role Date=time`";
            refuse("windows need a column that orders the rows", hint)
        })?;
        self.table.expect_column(&time)?;
        let group = match &self.spec.group {
            Some(group) => Some(self.table.expect_column(group)?.name.clone()),
            None => self.table.with_role(Role::Group).map(|column| column.name.clone()),
        };
        Ok(Along { time, group, stride: self.spec.stride })
    }

    /// Whether there is a time that comes once at most in every group, as prices of a day do and
    /// applications of a day do not.
    fn is_ordered(&self) -> Result<bool, Error> {
        if self.time().is_none() || detect::numeric(self.table, self.features).is_empty() {
            return Ok(false);
        }
        let along = self.along()?;
        let times = self.table.numbers(&along.time)?;
        let groups = match &along.group {
            Some(group) => self.table.levels(group)?.codes,
            None => vec![0; times.len()],
        };
        let mut seen = HashSet::with_capacity(times.len());
        let mut known = times.iter().zip(groups).filter(|(time, _)| !time.is_nan());
        Ok(known.all(|(time, group)| seen.insert((time.to_bits(), group))))
    }

    /// Features beside the channels.
    fn statics(&self, layout: &Layout) -> Result<Vec<String>, Error> {
        let used: HashSet<&String> = layout.channels.iter().flat_map(|c| &c.columns).collect();
        let free = |name: &&String| !used.contains(name);
        match self.spec.statics.trim() {
            "none" if layout.kind != InputKind::Table => Ok(Vec::new()),
            "" | "auto" | "none" => {
                let numeric = detect::numeric(self.table, self.features);
                let joins = |name: &&String| match &layout.along {
                    Some(along) => !numeric.contains(name) && !along.names(name),
                    None => true,
                };
                Ok(self.features.iter().filter(free).filter(joins).cloned().collect())
            }
            text => {
                let names = words::list(text, self.table)?;
                for name in &names {
                    self.check_feature(name)?;
                }
                Ok(names.into_iter().filter(|name| free(&name)).collect())
            }
        }
    }

    fn check(&self, name: &str) -> Result<(), Error> {
        self.check_feature(name)?;
        let kind = self.table.expect_column(name)?.kind;
        if detect::numeric(self.table, &[name.to_owned()]).is_empty() {
            let what = format!("column `{name}` is a {kind} and cannot be a channel");
            return Err(refuse(
                what,
                "channels are made of numbers; leave it out, or set its kind to number",
            ));
        }
        Ok(())
    }

    /// What is no feature stays out of channels as well: targets, personal data, what is dropped.
    fn check_feature(&self, name: &str) -> Result<(), Error> {
        if self.features.iter().any(|feature| feature == name) {
            return Ok(());
        }
        let role = self.table.expect_column(name)?.role;
        let why = match role {
            Role::Feature => "was left out of the features".to_owned(),
            role => format!("has the role {role}"),
        };
        let what = format!("`{name}` {why}, so a network may not look at it");
        Err(refuse(what, "give it the role feature, or leave it out of the words"))
    }
}

/// Refuses a window that no group can fill.
fn check_length(table: &Table, layout: &Layout, along: &Along) -> Result<(), Error> {
    let (longest, n_groups) = along.sequence(table)?.longest();
    let needed = layout.history() + 1;
    if longest >= needed {
        return Ok(());
    }
    let has = match (&along.group, n_groups) {
        (Some(group), 2..) => {
            format!("the longest of {n_groups} groups of `{group}` has {longest}")
        }
        _ => format!("the table has {longest} in the order of `{}`", along.time),
    };
    let for_changes = layout.history() - (layout.width - 1) * along.stride;
    let hint = match longest.checked_sub(1 + for_changes) {
        Some(before) => format!("choose a window of {} or less", before / along.stride + 1),
        None => "a window needs more rows than this".to_owned(),
    };
    Err(refuse(
        format!(
            "too few rows for a window: {} steps with a stride of {} need {needed} rows, and {has}",
            layout.width, along.stride
        ),
        hint,
    ))
}

/// A table without channels, to which the other kinds add theirs.
fn plain() -> Layout {
    Layout {
        kind: InputKind::Table,
        height: 1,
        width: 1,
        channels: Vec::new(),
        statics: Vec::new(),
        along: None,
        notes: Vec::new(),
    }
}

fn level(name: String, columns: Vec<String>) -> Channel {
    Channel { name, columns, change: Change::Level }
}

fn of_row(column: &str, change: Change) -> Channel {
    let name = match change {
        Change::Level => column.to_owned(),
        change => format!("{column} {}", change.word()),
    };
    Channel { name, columns: vec![column.to_owned()], change }
}

/// What a channel is called in a message.
fn title(part: &Part) -> String {
    let first = || part.columns.first().cloned().unwrap_or_default();
    part.name.clone().unwrap_or_else(first)
}

/// `a` to `z`, for a message.
fn ends(columns: &[String]) -> String {
    match columns {
        [first, .., last] => format!("`{first}` to `{last}`"),
        [only] => format!("`{only}`"),
        [] => String::new(),
    }
}
