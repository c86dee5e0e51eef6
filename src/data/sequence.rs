//! Rows in the order of time within their groups.

use super::{Error, Kind, Levels, Table};

/// The rows of a table in the order of a column, within each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Positions of rows, group by group, earliest first; rows of the same time stay in the order
    /// of the table. Rows without a time or a group are not among them.
    pub order: Vec<u32>,
    /// For each row how many rows of its group come before it; nothing for rows not in `order`.
    pub before: Vec<Option<usize>>,
    place: Vec<usize>,
}

impl Sequence {
    /// Orders the rows by the column `time`, within the values of the column `group`.
    ///
    /// # Errors
    ///
    /// When a column is not there, or `time` holds neither dates nor numbers.
    ///
    /// ```
    /// use karat::data::{OpenOptions, Sequence, open_bytes};
    /// use karat::jobs::Ctx;
    ///
    /// let text = b"share,day,close\nA,3,30\nB,1,7\nA,1,10\nA,2,20\n";
    /// let table = open_bytes("t.csv", text, &OpenOptions::default(), &Ctx::quiet())?;
    /// let rows = Sequence::of(&table, "day", Some("share"))?;
    /// assert_eq!(rows.order, [2, 3, 0, 1]);
    /// assert_eq!((rows.later(2, 1), rows.later(0, 1)), (Some(3), None));
    /// # Ok::<(), karat::data::Error>(())
    /// ```
    pub fn of(table: &Table, time: &str, group: Option<&str>) -> Result<Self, Error> {
        let column = table.expect_column(time)?;
        let is_ordered = table.allows(time, Kind::Datetime) || table.is_numeric(time);
        if !is_ordered || !matches!(column.kind, Kind::Datetime | Kind::Number | Kind::Identifier) {
            return Err(Error::Query {
                what: format!("`{time}` holds neither dates nor numbers, so it orders nothing"),
                hint: "choose a date column for `time`".into(),
            });
        }
        let times = table.numbers(time)?;
        let groups = match group {
            Some(group) => table.levels(group)?.codes,
            None => vec![0; table.n_rows()],
        };
        let has_place =
            |row: &u32| !times[*row as usize].is_nan() && groups[*row as usize] != Levels::MISSING;
        let mut order: Vec<u32> = (0..table.n_rows() as u32).filter(has_place).collect();
        order.sort_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            groups[a].cmp(&groups[b]).then(times[a].total_cmp(&times[b]))
        });
        let mut before = vec![None; table.n_rows()];
        let mut place = vec![0; table.n_rows()];
        let mut start = 0;
        for (at, row) in order.iter().enumerate() {
            let row = *row as usize;
            if at > 0 && groups[order[at - 1] as usize] != groups[row] {
                start = at;
            }
            before[row] = Some(at - start);
            place[row] = at;
        }
        Ok(Self { order, before, place })
    }

    /// The row of the same group that comes `n` rows earlier.
    pub fn earlier(&self, row: u32, n: usize) -> Option<u32> {
        let row = row as usize;
        self.before[row].filter(|before| *before >= n)?;
        Some(self.order[self.place[row] - n])
    }

    /// The row of the same group that comes `n` rows later.
    pub fn later(&self, row: u32, n: usize) -> Option<u32> {
        let before = self.before[row as usize]?;
        let later = *self.order.get(self.place[row as usize].checked_add(n)?)?;
        (self.before[later as usize] == Some(before + n)).then_some(later)
    }

    /// The rows of the longest group, and how many groups there are.
    pub fn longest(&self) -> (usize, usize) {
        let before = || self.before.iter().flatten();
        let n_groups = before().filter(|before| **before == 0).count();
        (before().max().map_or(0, |most| most + 1), n_groups)
    }
}
