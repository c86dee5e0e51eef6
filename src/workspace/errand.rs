//! Words for this very program, run as a process of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Error;
use crate::jobs::Ctx;

/// How often a process of its own is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// A run of this very program with other words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// What it is, in a word or two.
    pub label: &'static str,
    /// The words on the command line.
    pub words: Vec<String>,
    /// A key that it is given aside, where no list of processes shows it.
    pub key: Option<String>,
}

impl Errand {
    /// The same as a person would type it.
    pub fn line(&self) -> String {
        let quoted = self.words.iter().map(|word| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                word.clone()
            } else {
                format!("'{}'", word.replace('\'', "'\\''"))
            }
        });
        format!("karat {}", quoted.collect::<Vec<_>>().join(" "))
    }

    /// The words of a line as a shell would tell them apart: at spaces, but not between quotes or
    /// behind a backslash.
    ///
    /// # Errors
    ///
    /// When a quote is not closed.
    pub fn split(line: &str) -> Result<Vec<String>, Error> {
        let mut words = Vec::new();
        let (mut word, mut quote) = (None::<String>, None);
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match (quote, c) {
                (None, ' ' | '\t') => words.extend(word.take()),
                (None, '"' | '\'') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (Some(open), c) if open == c => quote = None,
                (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
                (_, c) => word.get_or_insert_default().push(c),
            }
        }
        if quote.is_some() {
            return Err(Error::told("a quote is not closed"));
        }
        words.extend(word);
        Ok(words)
    }

    /// Runs it to its end and returns what it wrote to standard output.
    pub(super) fn run(&self, ctx: &Ctx) -> Result<String, Error> {
        run(self, ctx)
    }
}

/// Runs an errand to its end and returns what it wrote to standard output.
fn run(errand: &Errand, ctx: &Ctx) -> Result<String, Error> {
    let failed = |what: String| Error::told(format!("`{}`: {what}", errand.line()));
    let program: PathBuf =
        std::env::current_exe().map_err(|cause| failed(format!("cannot be started: {cause}")))?;
    // Files take what is written, so that no full pipe keeps the process waiting.
    let file = || tempfile::tempfile().map_err(|cause| failed(format!("has no room: {cause}")));
    let (mut out, mut err) = (file()?, file()?);
    let copy = |file: &std::fs::File| {
        file.try_clone().map_err(|cause| failed(format!("has no room: {cause}")))
    };
    let mut child = Command::new(program)
        .args(&errand.words)
        .envs(errand.key.as_ref().map(|key| ("KARAT_KEY", key)))
        .stdin(Stdio::null())
        .stdout(copy(&out)?)
        .stderr(copy(&err)?)
        .spawn()
        .map_err(|cause| failed(format!("cannot be started: {cause}")))?;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(cause) => return Err(failed(cause.to_string())),
        }
        if let Err(cancelled) = ctx.check() {
            let _ = child.kill();
            let _ = child.wait();
            return Err(cancelled.into());
        }
        std::thread::sleep(PAUSE);
    };
    let text = |file: &mut std::fs::File| {
        use std::io::{Read, Seek};
        let mut bytes = Vec::new();
        let _ = file.rewind();
        let _ = file.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).trim().to_owned()
    };
    if status.success() {
        return Ok(text(&mut out));
    }
    let said = text(&mut err);
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    let last = if said.is_empty() { format!("it ended with {status}") } else { said.to_owned() };
    Err(Error::told(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_is_written_as_it_would_be_typed() {
        let words = ["serve", "start", "--workspace", "my work"].map(str::to_owned).to_vec();
        let errand = Errand { label: "start", words, key: None };
        assert_eq!(errand.line(), "karat serve start --workspace 'my work'");
    }

    #[test]
    fn words_are_told_apart_as_a_shell_does() {
        let words = ["--tls-cert", "my cert.pem", "--addr", "0.0.0.0:8443", ""];
        let line = "--tls-cert 'my cert.pem'  --addr 0.0.0.0:8443 \"\"";
        assert_eq!(Errand::split(line).unwrap(), words);
        assert_eq!(Errand::split(r"a\ b").unwrap(), ["a b"]);
        assert!(Errand::split("'a b").is_err());
    }
}
