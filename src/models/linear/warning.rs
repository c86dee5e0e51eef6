//! What a person should know about a fit that succeeded.

use std::fmt;

/// A remark on a fit, made for reading with `{}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// Columns that never change; they have the coefficient 0.
    Constant {
        /// Their names.
        columns: Vec<String>,
    },
    /// Columns that follow from others exactly; they have the coefficient 0.
    Collinear {
        /// Their names.
        columns: Vec<String>,
    },
    /// Some rows are told apart without error, so that no finite coefficients are best.
    Separation {
        /// The columns that do it.
        columns: Vec<String>,
        /// Whether all rows are told apart, and not just some.
        complete: bool,
    },
    /// All of several classes are told apart, so that no finite coefficients are best.
    ClassesSeparated,
    /// The optimum was not met within the iterations or epochs allowed.
    NotConverged {
        /// How many were taken.
        iterations: usize,
        /// What can be done.
        remedy: &'static str,
    },
    /// Class weights bend probabilities.
    ClassWeights,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant { columns } => {
                write!(f, "{} never changes in the training rows and was left out", named(columns))
            }
            Self::Collinear { columns } => {
                write!(f, "{} follows exactly from other columns and was left out", named(columns))
            }
            Self::Separation { columns, complete } => {
                let rows = if *complete { "the classes" } else { "some rows" };
                let columns = named(columns);
                write!(
                    f,
                    "{columns} separates {rows} perfectly: the best coefficients are infinite, so \
                     the fit was stopped\nhint: set `alpha` above 0, or drop the column"
                )
            }
            Self::ClassesSeparated => f.write_str(
                "every training row has the right class: the best coefficients are infinite, so \
                 the fit was stopped\nhint: set `alpha` above 0",
            ),
            Self::NotConverged { iterations, remedy } => {
                write!(f, "not converged after {iterations} iterations\nhint: {remedy}")
            }
            Self::ClassWeights => f.write_str(
                "class weights bend the probabilities: they no longer match the observed rates",
            ),
        }
    }
}

/// The first few names, so that a message stays a message.
fn named(columns: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = columns.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = columns.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    shown.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let columns = (1..=7).map(|i| format!("x{i}")).collect();
        let text = Warning::Collinear { columns }.to_string();
        assert!(text.starts_with("`x1`, `x2`, `x3`, `x4`, `x5` and 2 more follows"), "{text}");
    }
}
