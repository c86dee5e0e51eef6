//! The tours.

use super::{
    Beat::{Expect, Press, Say, Type},
    Script,
};

/// Every tour, the shortest first.
pub const SCRIPTS: &[Script] = &[
    Script {
        name: "linear-regression",
        about: "Fit a linear regression to credit_data.txt, 80/20, and read its MSE",
        beats: &[
            Say(
                "credit_data.txt: 1,000 applicants, 20 numbers each, no header; the last column says who failed to pay",
            ),
            Press(":"),
            Type("open sample:credit_data"),
            Press("Enter"),
            Expect("credit_data.txt"),
            Say(
                "The last column, x21, is proposed as the target. We take the rows that scikit-learn's train_test_split takes.",
            ),
            Press(":"),
            Type("split method=sklearn"),
            Press("Enter"),
            Press(":"),
            Type("model linear"),
            Press("Enter"),
            Expect("linear"),
            Say("t trains: 800 rows in, 200 kept back."),
            Press("t"),
            Expect("run r0001"),
            Say("The mean squared error on the test rows stands in the Evaluation pane."),
            Press("4"),
            Expect("0.154465"),
            Say("Press ] for the coefficients, with standard errors, t and p."),
            Press("] ] ] ] ] ]"),
            Expect("std. error"),
            Press("f"),
            Expect("as fitted in run"),
            Say(
                "And f shows the fitted formula. That is a linear regression, from file to figures.",
            ),
            Press("Esc"),
        ],
    },
    Script {
        name: "compare-models",
        about: "Compare models on German credit: train every kind, test the differences, move the threshold",
        beats: &[
            Say("German credit: 1,000 loans, 300 of them bad. Which model tells them apart?"),
            Press(":"),
            Type("open sample:german_credit"),
            Press("Enter"),
            Expect("credit_risk"),
            Say(
                "Sex, age and nationality are found and left out of the features unless you say otherwise.",
            ),
            Press("Down*6"),
            Say("A trains every kind in the catalog and fills the leaderboard."),
            Press("A"),
            Expect("logistic"),
            Press("C"),
            Expect("Leaderboard"),
            Say(
                "Each difference to the yardstick has an interval and a p-value: DeLong's test on the same rows, Holm over all.",
            ),
            Press("Down Down"),
            Say("Enter opens a run. The arrow keys move the threshold, and everything follows."),
            Press("Home Enter"),
            Expect("threshold"),
            Press("Left*12"),
            Expect("threshold 0.38"),
            Say(
                "Any number opens down to its rows: these applicants were called good and did not pay.",
            ),
            Press("Down Down Enter"),
            Expect("actual bad, called good"),
            Press("Esc"),
            Say("S saves the model; karat score uses it on any other table."),
        ],
    },
];
