//! The one list of metrics.

use crate::metrics::{
    Scored, class_probability, classes, decision, probability, ranking, regression,
};

/// Which kind of target a metric belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The target is a number.
    Regression,
    /// The target is one of two classes.
    Binary,
    /// The target is one of several classes.
    Classes,
}

/// Which way a metric improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Better {
    /// Larger values are better.
    Higher,
    /// Smaller values are better.
    Lower,
}

/// One metric: what it is called, what it means, which way it improves, and how it is computed.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// The name used in files, flags and requests. It never changes.
    pub name: &'static str,
    /// The name as a heading, short enough for a column.
    pub label: &'static str,
    /// The definition that is followed, in whole sentences.
    pub about: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// The kinds of target that it can measure.
    pub families: &'static [Family],
    /// Which way it improves.
    pub better: Better,
    /// Whether it changes as the threshold moves.
    pub uses_threshold: bool,
    /// Computes it; `None` where it is undefined.
    pub compute: fn(&Scored) -> Option<f64>,
}

impl Metric {
    /// Whether it can measure such a target.
    pub fn is_of(&self, family: Family) -> bool {
        self.families.contains(&family)
    }

    /// Whether it lies between 0 and 1, or -1 and 1, whatever the unit of the target.
    pub fn is_unitless(&self) -> bool {
        !self.is_of(Family::Regression) || self.name == "r2"
    }
}

/// Looks a metric up by its name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// Every metric, in the order in which they are shown.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "mse",
        label: "MSE",
        about: "Mean of the squared errors, in squared units of the target.",
        source: "Gauss (1821)",
        families: &[Family::Regression],
        better: Better::Lower,
        uses_threshold: false,
        compute: regression::mse,
    },
    Metric {
        name: "rmse",
        label: "RMSE",
        about: "Square root of the mean squared error, in units of the target.",
        source: "Gauss (1821)",
        families: &[Family::Regression],
        better: Better::Lower,
        uses_threshold: false,
        compute: regression::rmse,
    },
    Metric {
        name: "mae",
        label: "MAE",
        about: "Mean of the absolute errors, in units of the target.",
        source: "Laplace (1793)",
        families: &[Family::Regression],
        better: Better::Lower,
        uses_threshold: false,
        compute: regression::mae,
    },
    Metric {
        name: "r2",
        label: "R²",
        about: "Share of the variance explained: 1 less the squared errors over the squared \
                distances from the mean of these very rows. Below 0 the mean would have been the \
                better prediction. Undefined for a constant target.",
        source: "Wright (1921)",
        families: &[Family::Regression],
        better: Better::Higher,
        uses_threshold: false,
        compute: regression::r2,
    },
    Metric {
        name: "roc_auc",
        label: "AUC",
        about: "Probability that a positive row scores higher than a negative one, a tie counting \
                one half. Undefined when a class is absent.",
        source: "Hanley and McNeil (1982)",
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::roc_auc,
    },
    Metric {
        name: "ks",
        label: "KS",
        about: "Largest distance between the score distributions of the two classes, over all \
                distinct scores. The KS of a decile table is a lower bound of it.",
        source: "Kolmogorov (1933), Smirnov (1939)",
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::ks,
    },
    Metric {
        name: "gini",
        label: "Gini",
        about: "Accuracy ratio: twice the AUC less 1. It is 0 for guessing and 1 for perfect order.",
        source: "Engelmann, Hayden and Tasche (2003)",
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::gini,
    },
    Metric {
        name: "average_precision",
        label: "AP",
        about: "Mean of the precisions at every threshold, weighted by the gain in recall, without \
                interpolation. Guessing gives the share of positive rows.",
        source: "Buckley and Voorhees (2000)",
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: false,
        compute: ranking::average_precision,
    },
    Metric {
        name: "log_loss",
        label: "Log loss",
        about: "Mean of the negative natural logarithm of the probability given to what happened; \
                probabilities are kept 2.2e-16 away from 0 and 1. Undefined for scores that are \
                not probabilities.",
        source: "Good (1952)",
        families: &[Family::Binary, Family::Classes],
        better: Better::Lower,
        uses_threshold: false,
        compute: log_loss,
    },
    Metric {
        name: "brier",
        label: "Brier",
        about: "Mean squared difference between the probability of the positive class and what \
                happened. Undefined for scores that are not probabilities.",
        source: "Brier (1950), of one class",
        families: &[Family::Binary],
        better: Better::Lower,
        uses_threshold: false,
        compute: probability::brier,
    },
    Metric {
        name: "accuracy",
        label: "Accuracy",
        about: "Share of the rows whose class is right; of two classes the positive one is called \
                from the threshold on, of several the one with the largest probability.",
        source: "Fawcett (2006)",
        families: &[Family::Binary, Family::Classes],
        better: Better::Higher,
        uses_threshold: true,
        compute: accuracy,
    },
    Metric {
        name: "precision",
        label: "Precision",
        about: "Share of positive rows among those called positive. Undefined when none is called \
                positive.",
        source: "Fawcett (2006)",
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::precision,
    },
    Metric {
        name: "recall",
        label: "Recall",
        about: "Share of the positive rows that are called positive. Undefined when there are none.",
        source: "Fawcett (2006)",
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::recall,
    },
    Metric {
        name: "f1",
        label: "F1",
        about: "Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN). Undefined when no \
                row is positive or called so.",
        source: "van Rijsbergen (1979)",
        families: &[Family::Binary],
        better: Better::Higher,
        uses_threshold: true,
        compute: decision::f1,
    },
    Metric {
        name: "macro_f1",
        label: "Macro F1",
        about: "Mean of the F1 of each class, every class counting the same. Classes that no row has \
                and no row is called are left out.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::macro_f1,
    },
    Metric {
        name: "weighted_f1",
        label: "Weighted F1",
        about: "Mean of the F1 of each class, every class counting by its rows.",
        source: "Pedregosa et al. (2011)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::weighted_f1,
    },
    Metric {
        name: "macro_precision",
        label: "Macro prec.",
        about: "Mean of the precision of each class. A class that is never predicted has none and is \
                left out.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::macro_precision,
    },
    Metric {
        name: "macro_recall",
        label: "Macro recall",
        about: "Mean of the recall of each class, also called balanced accuracy. A class without rows \
                has none and is left out.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::macro_recall,
    },
    Metric {
        name: "micro_precision",
        label: "Micro prec.",
        about: "Precision of all classes counted together, which is the accuracy where every row has one \
                class and is called one.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::accuracy,
    },
    Metric {
        name: "micro_recall",
        label: "Micro recall",
        about: "Recall of all classes counted together, which is the accuracy where every row has one \
                class and is called one.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::accuracy,
    },
    Metric {
        name: "micro_f1",
        label: "Micro F1",
        about: "F1 of all classes counted together, which is the accuracy where every row has one \
                class and is called one.",
        source: "Sokolova and Lapalme (2009)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::accuracy,
    },
    Metric {
        name: "macro_roc_auc",
        label: "Macro AUC",
        about: "Mean over the classes of the AUC of each against all others. Classes that all rows have, \
                or none, are left out.",
        source: "Hand and Till (2001), of one against the rest",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: class_probability::macro_roc_auc,
    },
    Metric {
        name: "top_2_accuracy",
        label: "Top 2",
        about: "Share of the rows whose class is among the two most probable; of equal ones the first \
                comes first. Undefined unless there are more classes than that.",
        source: "Russakovsky et al. (2015)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: class_probability::top_2_accuracy,
    },
    Metric {
        name: "top_3_accuracy",
        label: "Top 3",
        about: "Share of the rows whose class is among the three most probable; of equal ones the first \
                comes first. Undefined unless there are more classes than that.",
        source: "Russakovsky et al. (2015)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: class_probability::top_3_accuracy,
    },
    Metric {
        name: "cohen_kappa",
        label: "Kappa",
        about: "Agreement of truth and prediction beyond that of chance: 0 for guessing by the shares of \
                the classes, 1 for no error. Undefined when all rows have and are called one class.",
        source: "Cohen (1960)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::cohen_kappa,
    },
    Metric {
        name: "mcc",
        label: "MCC",
        about: "Correlation of truth and prediction over all cells of the confusion matrix. Undefined \
                when all rows have or are called one class.",
        source: "Matthews (1975), Gorodkin (2004)",
        families: &[Family::Classes],
        better: Better::Higher,
        uses_threshold: false,
        compute: classes::mcc,
    },
];

fn accuracy(scored: &Scored) -> Option<f64> {
    match scored.by_class {
        Some(_) => classes::accuracy(scored),
        None => decision::accuracy(scored),
    }
}

fn log_loss(scored: &Scored) -> Option<f64> {
    match scored.by_class {
        Some(_) => class_probability::log_loss(scored),
        None => probability::log_loss(scored),
    }
}

#[cfg(test)]
mod tests;
