//! Where a test runs the program, and what the program said.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// A folder of its own for one test.
pub(super) struct Place(pub(super) tempfile::TempDir);

/// What a command said.
pub(super) struct Said {
    pub(super) status: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        karat::files::write(&self.path(name), content.as_ref()).unwrap();
        name.to_owned()
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_karat"));
        command.args(args).current_dir(self.0.path());
        command.env_remove("KARAT_WORKSPACE").stdin(Stdio::null());
        command
    }

    /// Runs the program on these words.
    pub(super) fn karat(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        Said {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program, which must succeed, and reads the one JSON object it answers with.
    pub(super) fn json(&self, args: &[&str]) -> Value {
        let said = self.karat(args);
        assert_eq!(said.status, 0, "{args:?}: {}", said.err);
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{args:?}: {e} in {}", said.out))
    }

    /// Runs the program, which must fail as promised: status 1, an error in words, nothing on
    /// standard output, and nothing left behind.
    #[track_caller]
    pub(super) fn refuses(&self, args: &[&str], expected: &[&str]) -> Said {
        let before = files(self.0.path());
        let said = self.karat(args);
        assert_eq!(said.status, 1, "{args:?}: {} {}", said.out, said.err);
        assert_eq!(said.out, "", "{args:?}");
        let error = said.err.lines().find(|line| line.starts_with("error: "));
        assert!(error.is_some(), "{args:?} says no `error:`: {}", said.err);
        assert!(!said.err.contains("panicked") && !said.err.contains("internal"), "{}", said.err);
        for words in expected {
            assert!(said.err.contains(words), "{args:?} does not say `{words}`: {}", said.err);
        }
        let after = files(self.0.path()).into_iter().filter(|path| !before.contains(path));
        let halves = after.filter(|path| {
            let path = path.to_string_lossy();
            path.contains(".unfinished-") || path.contains("/.karat-") || path.contains("/r000")
        });
        assert_eq!(halves.collect::<Vec<_>>(), Vec::<PathBuf>::new(), "{args:?}");
        said
    }
}

/// Every file below a folder.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = vec![];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

/// The path of a table that comes with the program.
pub(super) fn sample(name: &str) -> String {
    format!("{}/sample_data/{name}", env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// A small table with a class that the columns tell something about.
pub(super) fn loans() -> String {
    let mut text = "income,purpose,age,bad\n".to_owned();
    for i in 0..80_u32 {
        let purpose = ["car", "house", "school"][(i * 7 % 3) as usize];
        let bad = if (i * 37 + i / 7) % 10 < 4 { "yes" } else { "no" };
        let (income, age) = (1000 + (i * 7919) % 977, 20 + i % 40);
        text.extend([&income.to_string(), ",", purpose, ",", &age.to_string(), ",", bad, "\n"]);
    }
    text
}
