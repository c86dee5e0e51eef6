//! Who decides.

use std::{env, fs, path::Path, process::Command, sync::OnceLock};

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
    /// Whoever is at the terminal, as the system says: the person who logged in and, where that is
    /// another, the account they act in; with the address of an SSH session behind it.
    pub fn login() -> Self {
        static WHO: OnceLock<String> = OnceLock::new();
        let who = WHO.get_or_init(|| {
            let variable = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
            let (person, account) = System::ask().login(variable("SUDO_USER"));
            told(&person, &account, variable("SSH_CONNECTION").as_deref())
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

const FROM: &str = " from ";
const AS: &str = " as ";

/// Who a login was, read back from its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    person: String,
    account: String,
}

impl Login {
    /// Without the address it came from: two addresses are not two persons.
    pub(super) fn parse(who: &str) -> Self {
        let who = who.split(FROM).next().unwrap_or(who);
        let (person, account) = who.split_once(AS).unwrap_or((who, who));
        Self { person: person.to_owned(), account: account.to_owned() }
    }

    /// Whether both may be one person. Two may share an account; but where nobody has said yet who
    /// logged in, a process can say so itself, and so a person is also whoever owns the account.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        self.person == other.person || self.person == other.account || self.account == other.person
    }
}

fn told(person: &str, account: &str, connection: Option<&str>) -> String {
    let (person, account) = (label(person), label(account));
    let login = if person == account { person } else { format!("{person}{AS}{account}") };
    let address = connection.and_then(|text| text.split(' ').next()).unwrap_or("");
    let address = clean(address, LABEL);
    if address.is_empty() { login } else { format!("{login}{FROM}{address}") }
}

/// What the system says of this process; no variable is asked, which anyone can set.
#[derive(Debug, Default)]
struct System {
    /// The number of the account that logged in, which stays through `su` and `sudo`.
    login: Option<u32>,
    /// The number of the account that this process acts in.
    user: Option<u32>,
}

/// The number of an account where nobody has logged in.
const UNSET: u32 = u32::MAX;
const ROOT: &str = "root";

impl System {
    fn ask() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self::of(&text("/proc/self/loginuid"), &text("/proc/self/status"))
    }

    fn of(login: &str, status: &str) -> Self {
        let own = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        // The real, the effective and two more.
        let user = own.and_then(|line| line.split_whitespace().nth(1));
        Self {
            login: login.trim().parse().ok().filter(|uid| *uid != UNSET),
            user: user.and_then(|uid| uid.parse().ok()),
        }
    }

    /// The person and the account. What `sudo` says is believed of root alone, who could say
    /// anything; of others it is a variable like any other.
    fn login(&self, sudo_user: Option<String>) -> (String, String) {
        let account = match self.user {
            Some(0) => ROOT.to_owned(),
            Some(uid) => name(uid),
            None => from_id(None).unwrap_or_else(|| "unknown".into()),
        };
        let person = match self.login {
            Some(uid) if self.user != Some(uid) => Some(name(uid)),
            Some(_) => None,
            None => sudo_user.filter(|_| account == ROOT),
        };
        (person.unwrap_or_else(|| account.clone()), account)
    }
}

/// What the account of this number is called.
fn name(uid: u32) -> String {
    let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(&list, uid).or_else(|| from_id(Some(uid))).unwrap_or_else(|| format!("user {uid}"))
}

fn name_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

/// The name that the system gives, also for accounts of a directory server: of an account or, if
/// none is given, of this process. The program is not looked for where a variable says.
fn from_id(uid: Option<u32>) -> Option<String> {
    let program = ["/usr/bin/id", "/bin/id"].map(Path::new).into_iter().find(|own| own.exists())?;
    let uid = uid.map(|uid| uid.to_string());
    let output = Command::new(program).arg("-un").args(uid).env_clear().output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_told_with_its_address_and_is_one_person() {
        let one = told("ann", "ann", Some("10.0.0.7 5000 10.0.0.1 22"));
        assert_eq!(one, "ann from 10.0.0.7");
        let other = told("ann", "root", None);
        assert_eq!(other, "ann as root");
        assert!(Login::parse(&one).may_be(&Login::parse(&other)));
        assert_eq!(told("a\u{1b}[2Jn", "a\u{1b}[2Jn", Some("")), "a[2Jn");
    }

    #[test]
    fn a_shared_account_has_several_persons_and_a_claimed_name_is_no_second_one() {
        let check = |one: &str, other: &str, expected: bool| {
            let (a, b) = (Login::parse(one), Login::parse(other));
            assert_eq!((a.may_be(&b), b.may_be(&a)), (expected, expected), "{one}, {other}");
        };
        check("ann", "bob", false);
        check("ann as batch", "bob as batch from 10.0.0.7", false);
        check("ann as root", "ann as batch", true);
        // Someone in ann's account says to be bob.
        check("ann", "bob as ann", true);
        check("ann as root", "root", true);
    }

    #[test]
    fn whoever_logged_in_is_the_person_whatever_a_variable_says() {
        let check = |login: &str, uid: &str, sudo: Option<&str>, expected: [&str; 2]| {
            let system = System::of(login, &format!("Name:\tkarat\nUid:\t7\t{uid}\t7\t7\n"));
            let (person, account) = system.login(sudo.map(str::to_owned));
            assert_eq!([person.as_str(), account.as_str()], expected, "{login} {uid} {sudo:?}");
        };
        let unset = "4294967295";
        // No account has these numbers.
        let [ann, bob] = ["4000000007", "4000000008"];
        let [of_ann, of_bob] = ["user 4000000007", "user 4000000008"];
        check(ann, ann, Some("bob"), [of_ann, of_ann]);
        check(unset, ann, Some("bob"), [of_ann, of_ann]);
        check("", ann, Some("bob"), [of_ann, of_ann]);
        check(ann, bob, Some("bob"), [of_ann, of_bob]);
        check(ann, "0", Some("bob"), [of_ann, "root"]);
        check(unset, "0", Some("bob"), ["bob", "root"]);
        check(unset, "0", None, ["root", "root"]);
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
