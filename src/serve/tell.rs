//! Alerts on their way out: to a command or to an address that the operator has named.

use std::io::Write as _;
use std::net::{TcpStream, ToSocketAddrs};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::server::Server;
use crate::jobs;

/// Nobody is waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Delivers news on a thread of its own; what does not arrive is a trouble, never a delay.
pub(super) fn deliver(server: &Arc<Server>, news: Vec<Value>) {
    let (command, webhook) =
        (server.options.alert_command.clone(), server.options.alert_webhook.clone());
    if command.is_none() && webhook.is_none() {
        return;
    }
    let own = Arc::clone(server);
    let work = move || {
        for one in news {
            let text = one.to_string();
            let by_command = command.as_deref().map(|command| run(command, &text));
            let by_webhook = webhook.as_deref().map(|url| post(url, &text));
            for error in [by_command, by_webhook].into_iter().flatten().filter_map(Result::err) {
                own.trouble(format!("an alert was not delivered: {error}"));
            }
        }
    };
    if jobs::service("alerts", work).is_err() {
        server.trouble("an alert was not delivered: there is no thread for it".into());
    }
}

/// Gives a text to a command on its standard input.
fn run(command: &str, text: &str) -> Result<(), String> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read is free not to.
        let _ = input.write_all(text.as_bytes());
    }
    let until = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("the command was ended after {} s", PATIENCE.as_secs()));
            }
        }
    };
    if status.success() { Ok(()) } else { Err(format!("the command ended with {status}")) }
}

/// Posts a text to `http://HOST:PORT/PATH`.
fn post(url: &str, text: &str) -> Result<(), String> {
    let rest = url.strip_prefix("http://").ok_or("the address has to begin with `http://`")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let addr = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let addr = addr
        .to_socket_addrs()
        .map_err(|error| error.to_string())?
        .next()
        .ok_or("the host is not known")?;
    let send = || {
        let mut stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        )?;
        let mut answer = [0; 12];
        std::io::Read::read_exact(&mut stream, &mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = send().map_err(|error| error.to_string())?;
    if answer.get(9) == Some(&b'2') { Ok(()) } else { Err("the other side refused it".into()) }
}
