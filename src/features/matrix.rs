//! From a table to the matrix, one column at a time.

use ndarray::{Array2, ShapeBuilder};

use super::cells::Cells;
use super::fitted::FittedRecipe;
use super::{Error, memory_budget};
use crate::data::{Table, nearest};
use crate::jobs::Ctx;

impl FittedRecipe {
    /// The matrix of these rows (rows, columns), column-major. Beside it, memory holds the table
    /// and one column.
    ///
    /// # Errors
    ///
    /// When the table lacks columns (all are named), holds a level that must not be new, or the
    /// matrix would not fit into memory.
    pub fn matrix(&self, table: &Table, rows: &[u32], ctx: &Ctx) -> Result<Array2<f64>, Error> {
        self.check_columns(table)?;
        self.plan(rows.len()).check(memory_budget())?;
        let mut matrix = Array2::zeros((rows.len(), self.outputs.len()).f());
        for input in &self.inputs {
            ctx.check()?;
            let cells = Cells::read(table, input, self.recipe.unseen, rows)?;
            for (place, output) in self.outputs.iter().enumerate() {
                if output.column == input.name {
                    let mut column = matrix.column_mut(place);
                    let column = column.as_slice_mut().expect("a column of a column-major matrix");
                    cells.write(output, column);
                }
            }
        }
        Ok(matrix)
    }

    /// Whether the table has every column that is needed; the error names all that it lacks.
    pub fn check_columns(&self, table: &Table) -> Result<(), Error> {
        let lacks = |name: &&str| table.column(name).is_none();
        let names: Vec<&str> = self.inputs.iter().map(|i| i.name.as_str()).filter(lacks).collect();
        let Some(first) = names.first() else { return Ok(()) };
        let there = table.columns.iter().map(|column| column.name.as_str());
        let hint = match nearest(first, there.clone()) {
            Some(near) => format!("is `{near}` meant for `{first}`?"),
            None => format!("the columns are {}", there.collect::<Vec<_>>().join(", ")),
        };
        Err(Error::MissingColumns { names: names.into_iter().map(str::to_owned).collect(), hint })
    }
}
