//! The target: which column is predicted, as what, and which of its classes is positive.

use super::{Error, Levels, Table, Task};

/// What is to be predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The column.
    pub name: String,
    /// Of two classes the one that is scored, as it is written in the table; without it the one
    /// that is sorted last.
    pub positive: Option<String>,
    /// Whether it is a number or a class.
    pub task: Task,
}

impl Target {
    /// The truth of every row as a number, missing ones NaN: 1 for the positive class and 0 for
    /// the other, the index of the class among several, or the number to be predicted.
    pub fn truth(&self, table: &Table) -> Result<Vec<f64>, Error> {
        if self.task == Task::Regression {
            return table.numbers(&self.name);
        }
        let levels = table.levels(&self.name)?;
        let positive = self.positive_code(&levels);
        let number = |code: u32| match (code, self.task) {
            (Levels::MISSING, _) => f64::NAN,
            (code, Task::Binary) => f64::from(u8::from(Some(code) == positive)),
            (code, _) => f64::from(code),
        };
        Ok(levels.codes.into_iter().map(number).collect())
    }

    /// The index of the positive class among the levels; `None` when no row has it.
    fn positive_code(&self, levels: &Levels) -> Option<u32> {
        match &self.positive {
            Some(name) => levels.names.iter().position(|n| n == name).map(|i| i as u32),
            None => (levels.names.len() as u32).checked_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::table;

    #[test]
    fn the_positive_class_is_one_and_a_missing_target_is_not_a_number() {
        let table = table("y\ngood\nbad\n\ngood\n");
        let mut target =
            Target { name: "y".into(), positive: Some("bad".into()), task: Task::Binary };
        let truth = target.truth(&table).unwrap();
        assert_eq!(truth[..2], [0.0, 1.0]);
        assert!(truth[2].is_nan());
        target.positive = None;
        assert_eq!(target.truth(&table).unwrap()[..2], [1.0, 0.0]);
    }
}
