//! What is trained: once, over a search, or on from where it was interrupted.

use std::{sync::Arc, time::Duration};

use super::{Done, Error, Plan, Work, Workspace};
use crate::models;
use crate::registry::Unfinished;
use crate::train::{Experiment, Halving, RunId, Search};

impl Workspace {
    /// The training on this table that was interrupted last.
    pub fn interrupted(&self) -> Option<Unfinished> {
        let here = self.now.experiment.data.sha256.as_ref()?;
        let all = self.registry.unfinished();
        all.into_iter().find(|old| old.experiment.data.sha256.as_ref() == Some(here))
    }

    /// Penalties, or the learning rates of a network.
    pub(super) fn sweep(&self) -> Plan {
        let kind = models::kind(&self.now.experiment.model.kind);
        if kind.is_ok_and(|kind| kind.param("alpha").is_none() && kind.param("network").is_some()) {
            let rates = ["1e-4", "3e-4", "1e-3", "3e-3", "1e-2"].map(str::to_owned).to_vec();
            return Plan::Tune(Search {
                tries: vec![("learning_rate".into(), rates)],
                random: None,
                halving: Halving::On,
                budget: Duration::from_mins(10),
            });
        }
        Plan::Sweep
    }

    pub(super) fn train(&self, plan: Plan) -> Result<Done, Error> {
        self.train_on(self.now.experiment.clone(), plan)
    }

    pub(super) fn train_on(&self, experiment: Experiment, plan: Plan) -> Result<Done, Error> {
        let table = self.table()?;
        if !table.complete {
            return Err(Error::Reading);
        }
        let work = Work::Train {
            table: Arc::clone(table),
            experiment: Box::new(experiment),
            plan,
            registry: Arc::clone(&self.registry),
        };
        Ok(Done { said: String::new(), work: vec![work] })
    }
}

impl Workspace {
    pub(super) fn expect_run(&self, id: &RunId) -> Result<(), Error> {
        if self.runs.iter().any(|r| r.id == *id) { Ok(()) } else { Err(self.no_run(id)) }
    }

    pub(super) fn no_run(&self, id: &RunId) -> Error {
        let ids: Vec<&str> = self.runs.iter().map(|r| r.id.0.as_str()).collect();
        let hint = if ids.is_empty() {
            "train one with `t`".into()
        } else {
            format!("there are {}", ids.join(", "))
        };
        Error::NoRun { id: id.to_string(), hint }
    }
}
