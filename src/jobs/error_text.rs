//! An error and its causes as one text for a person.

use std::error::Error;

/// The message of an error, followed by those causes that it does not already quote, with its
/// hints on the lines after them: ``cannot read `a.csv`: permission denied``.
///
/// ```
/// use karat::jobs::{Cancelled, error_text};
///
/// assert_eq!(error_text(&Cancelled), "cancelled");
/// ```
pub fn error_text(error: &(dyn Error + 'static)) -> String {
    let (mut message, mut hints) = (String::new(), Vec::new());
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        let (said, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
        if message.is_empty() {
            said.clone_into(&mut message);
        } else if !said.is_empty() && !message.contains(said) {
            message = format!("{message}: {said}");
        }
        if !hint.is_empty() && !hints.iter().any(|known| known == hint) {
            hints.push(hint.to_owned());
        }
        cause = error.source();
    }
    for hint in hints {
        message = format!("{message}\nhint: {hint}");
    }
    message
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("cannot read `a.csv`\nhint: choose another file")]
        Read(#[source] io::Error),
        #[error(transparent)]
        Inner(#[from] Inner),
    }

    #[derive(Debug, thiserror::Error)]
    #[error("line 3 has 4 fields")]
    struct Inner;

    #[test]
    fn causes_stand_before_the_hint() {
        let error = Outer::Read(io::Error::other("the disk is gone"));
        assert_eq!(
            error_text(&error),
            "cannot read `a.csv`: the disk is gone\nhint: choose another file"
        );
    }

    #[test]
    fn nothing_is_said_twice() {
        assert_eq!(error_text(&Outer::from(Inner)), "line 3 has 4 fields");
    }
}
