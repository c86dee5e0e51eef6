//! Who decides.

use std::process::Command;
use std::sync::OnceLock;

/// By what way someone acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// At the terminal, screen or command line.
    Login,
    /// Over HTTP with the key of this id.
    Key(String),
    /// By a schedule or rule that someone set.
    Schedule,
}

impl Via {
    /// The word for it in the log.
    pub fn text(&self) -> String {
        match self {
            Self::Login => "login".into(),
            Self::Key(id) => format!("key {id}"),
            Self::Schedule => "schedule".into(),
        }
    }
}

/// Someone who decides something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The login, or the name of the key.
    pub who: String,
    /// By what way.
    pub via: Via,
}

impl Actor {
    /// Whoever is logged in: the one who became root by `sudo`, where that is so, with the address
    /// of an SSH session behind it.
    pub fn login() -> Self {
        static WHO: OnceLock<String> = OnceLock::new();
        let who = WHO.get_or_init(|| {
            let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
            // The system is asked before the variables, which anyone can set.
            let asked = || {
                let output = Command::new("id").arg("-un").output().ok()?;
                let text = String::from_utf8(output.stdout).ok()?;
                Some(text.trim().to_owned()).filter(|text| !text.is_empty())
            };
            let login = asked()
                .or_else(|| variable("USER"))
                .or_else(|| variable("LOGNAME"))
                .unwrap_or_else(|| "unknown".into());
            let login = match variable("SUDO_USER") {
                Some(before) if before != login => format!("{before} as {login}"),
                _ => login,
            };
            let from = variable("SSH_CONNECTION");
            let from = from.as_deref().and_then(|text| text.split(' ').next());
            super::plain(&from.map_or(login.clone(), |from| format!("{login} from {from}")))
        });
        Self { who: who.clone(), via: Via::Login }
    }

    /// The holder of a key.
    pub fn key(id: &str, name: &str) -> Self {
        let who = if name.is_empty() { format!("key {id}") } else { name.to_owned() };
        Self { who, via: Via::Key(id.to_owned()) }
    }

    /// A schedule or rule.
    pub fn schedule() -> Self {
        Self { who: "karat".into(), via: Via::Schedule }
    }
}
