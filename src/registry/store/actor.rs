//! Who decides.

use std::{fs, process::Command, sync::OnceLock};

use super::{LABEL, clean, label};

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

    /// The opposite of [`Via::text`].
    pub(super) fn parse(text: &str) -> Self {
        match text.strip_prefix("key ") {
            Some(id) => Self::Key(id.to_owned()),
            None if text == "schedule" => Self::Schedule,
            None => Self::Login,
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
            let login = variable("SUDO_USER")
                // The system is asked before the variables, which anyone can set.
                .or_else(from_passwd)
                .or_else(from_id)
                .or_else(|| variable("USER"))
                .or_else(|| variable("LOGNAME"))
                .unwrap_or_else(|| "unknown".into());
            told(&login, variable("SSH_CONNECTION").as_deref())
        });
        Self { who: who.clone(), via: Via::Login }
    }

    /// The holder of a key.
    pub fn key(id: &str, name: &str) -> Self {
        let name = label(name);
        let who = if name.is_empty() { format!("key {id}") } else { name };
        Self { who, via: Via::Key(id.to_owned()) }
    }

    /// A schedule or rule.
    pub fn schedule() -> Self {
        Self { who: "karat".into(), via: Via::Schedule }
    }
}

/// The login without the address it came from: two addresses are not two persons.
pub(super) fn person(who: &str) -> &str {
    who.split(FROM).next().unwrap_or(who)
}

const FROM: &str = " from ";

fn told(login: &str, connection: Option<&str>) -> String {
    let login = label(login);
    let address = connection.and_then(|text| text.split(' ').next()).unwrap_or("");
    let address = clean(address, LABEL);
    if address.is_empty() { login } else { format!("{login}{FROM}{address}") }
}

/// The name of this process's user in the local list of accounts.
#[cfg(target_os = "linux")]
fn from_passwd() -> Option<String> {
    let uid = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").ok()?);
    name_of(&fs::read_to_string("/etc/passwd").ok()?, uid)
}

#[cfg(not(target_os = "linux"))]
fn from_passwd() -> Option<String> {
    None
}

fn name_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

/// The name that the system gives, also for accounts of a directory server.
fn from_id() -> Option<String> {
    let output = Command::new("id").arg("-un").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_told_with_its_address_and_is_one_person() {
        let one = told("ann", Some("10.0.0.7 5000 10.0.0.1 22"));
        assert_eq!(one, "ann from 10.0.0.7");
        assert_eq!(person(&one), person(&told("ann", None)));
        assert_eq!(told("a\u{1b}[2Jn", Some("")), "a[2Jn");
    }

    #[test]
    fn the_account_of_a_number_is_found() {
        let list = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(list, 1000).as_deref(), Some("ann"));
        assert_eq!(name_of(list, 7), None);
    }

    #[test]
    fn a_way_is_read_back() {
        for via in [Via::Login, Via::Key("a1".into()), Via::Schedule] {
            assert_eq!(Via::parse(&via.text()), via);
        }
    }
}
