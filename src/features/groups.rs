//! Which column of the matrix a level belongs to: its own, that of `other`, or that of `missing`.

use super::Unseen;
use super::cells::{MISSING, OTHER, groups};
use super::fitted::{FittedRecipe, Input, Level};

/// The groups of one column of levels, and where a value goes that is none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// The groups in their order: kept levels, `other`, `missing`; the first is the reference.
    pub names: Vec<String>,
    /// The group of a missing value.
    pub missing: Option<u32>,
    /// The group of a level that training never saw.
    pub unseen: Option<u32>,
}

impl Groups {
    /// The groups that training made of this column.
    pub(super) fn of(input: &Input, unseen: Unseen) -> Self {
        let names = groups(input);
        let place = |name: &str| names.iter().position(|n| n == name).map(|at| at as u32);
        let unseen = match unseen {
            Unseen::Other => place(OTHER),
            Unseen::Missing => place(MISSING),
            Unseen::Error => None,
        };
        let missing = if input.missing > 0.0 { place(MISSING) } else { None };
        Self { missing: missing.or(unseen), unseen, names }
    }

    /// The group of a level that training saw.
    pub fn of_level(&self, level: &Level) -> Option<u32> {
        let name = if level.merged { OTHER } else { &level.name };
        self.names.iter().position(|n| n == name).map(|at| at as u32).or(self.unseen)
    }
}

impl FittedRecipe {
    /// The groups of one of its inputs that is looked at as levels.
    pub fn groups(&self, input: &Input) -> Groups {
        Groups::of(input, self.recipe.unseen)
    }
}
