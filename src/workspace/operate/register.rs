//! A model made a version of a name, from the screen and the command line alike: the same file is
//! one version, however often it is registered.

use std::path::Path;

use super::Error;
use crate::files::sha256_hex;
use crate::registry::store::{Actor, ModelName, NewVersion, Store, Version};
use crate::registry::{model_bytes, parse_model};
use crate::train::Run;

/// Makes a run a version of a name, with another threshold than its own where one is given, and
/// says whether it was none before.
///
/// # Errors
///
/// When the model cannot be written, the threshold is out of range, or the registry refuses.
pub fn register_run(
    store: &Store,
    name: &ModelName,
    run: &Run,
    threshold: Option<f64>,
    actor: &Actor,
    why: &str,
) -> Result<(Version, bool), Error> {
    let bytes = match threshold {
        Some(threshold) if !threshold.is_finite() => {
            return Err(Error::Command {
                what: format!("the threshold {threshold} is no number"),
                hint: "give a score".into(),
            });
        }
        Some(threshold) if run.model.is_probability() && !(0.0..=1.0).contains(&threshold) => {
            return Err(Error::Command {
                what: format!(
                    "the threshold {threshold} is no probability, and {} gives one",
                    run.id
                ),
                hint: "give a threshold from 0 to 1".into(),
            });
        }
        Some(threshold) => {
            let mut own = run.clone();
            own.model.threshold = threshold;
            model_bytes(&own)?
        }
        None => model_bytes(run)?,
    };
    let about = NewVersion {
        run: run.id.0.clone(),
        kind: run.model.kind.clone(),
        task: run.task.word().into(),
        target: run.model.target.clone(),
    };
    kept(store, name, &bytes, |_| Ok(about), (actor, why))
}

/// Makes the bytes of a model file a version of a name; `place` is where they were found.
///
/// # Errors
///
/// When they are no model, or the registry refuses.
pub fn register_file(
    store: &Store,
    name: &ModelName,
    bytes: &[u8],
    place: &str,
    actor: &Actor,
    why: &str,
) -> Result<(Version, bool), Error> {
    let about = |bytes: &[u8]| -> Result<NewVersion, Error> {
        let loaded = parse_model(Path::new(place), bytes)?;
        Ok(NewVersion {
            run: loaded.run.0,
            kind: loaded.model.kind,
            task: loaded.model.task.word().into(),
            target: loaded.model.target,
        })
    };
    kept(store, name, bytes, about, (actor, why))
}

fn kept(
    store: &Store,
    name: &ModelName,
    bytes: &[u8],
    about: impl FnOnce(&[u8]) -> Result<NewVersion, Error>,
    (actor, why): (&Actor, &str),
) -> Result<(Version, bool), Error> {
    let digest = sha256_hex(bytes);
    let known = store.model(name.as_str())?.map_or(Vec::new(), |model| model.versions);
    if let Some(same) = known.into_iter().find(|own| own.digest == digest) {
        return Ok((same, false));
    }
    Ok((store.register(name, bytes, &about(bytes)?, actor, why)?, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, open_bytes};
    use crate::jobs::Ctx;
    use crate::registry::Registry;
    use crate::train::Experiment;

    #[test]
    fn a_run_is_one_version_whoever_registers_it() {
        let folder = tempfile::tempdir().unwrap();
        let csv = format!("x,y\n{}", "1,no\n2,yes\n3,no\n4,yes\n5,yes\n".repeat(5));
        let options = OpenOptions::default();
        let table = open_bytes("t.csv", csv.as_bytes(), &options, &Ctx::quiet()).unwrap();
        let mut experiment = Experiment::on("t.csv");
        experiment.question.target = Some("y".into());
        let run = crate::train::run(&table, &experiment, &Ctx::quiet()).unwrap();
        let registry = Registry::open(folder.path()).unwrap();
        let (run, _) = registry.keep(run).unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (name, actor) = (ModelName::new("credit").unwrap(), Actor::login());

        // The screen has the run in memory and a threshold that nobody has moved.
        let own = Some(run.model.threshold);
        let (first, is_new) = register_run(&store, &name, &run, own, &actor, "").unwrap();
        assert_eq!((first.version, is_new, &first.run as &str), (1, true, "r0001"));
        // The command reads it from the disk, or takes its file.
        let read = registry.load(&run.id).unwrap();
        let (same, is_new) = register_run(&store, &name, &read, None, &actor, "").unwrap();
        assert_eq!((same.version, is_new), (1, false));
        let bytes = std::fs::read(registry.artifact(&run.id).unwrap()).unwrap();
        let (same, is_new) = register_file(&store, &name, &bytes, "m", &actor, "").unwrap();
        assert_eq!((same.version, is_new), (1, false));

        let (other, is_new) = register_run(&store, &name, &read, Some(0.9), &actor, "").unwrap();
        assert_eq!((other.version, is_new), (2, true));
        let bytes = store.bytes_of(&other.digest).unwrap();
        assert_eq!(parse_model(Path::new("m"), &bytes).unwrap().model.threshold, 0.9);
        let altered = register_file(&store, &name, &bytes[1..], "m", &actor, "");
        assert!(altered.is_err(), "what is no model is not registered");
    }
}
