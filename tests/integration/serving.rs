//! The server as its clients meet it: a process of its own, asked over sockets while others decide.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde_json::{Value, json};

use crate::place::{Place, loans, number};

/// A row of [`loans`].
const ROW: &str = r#"{"income": 1200, "purpose": "car", "age": 33}"#;

/// What is decided is in force within this.
const SOON: Duration = Duration::from_secs(1);

/// A server that ends with its test.
struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    fn start(place: &Place, args: &[&str]) -> Self {
        // Many tests share few processors: that a server is late is not what they look for.
        let args = [&["serve", "--addr", "127.0.0.1:0", "--max-lag", "5000"], args].concat();
        let mut child = place.command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines.find_map(|line| {
            Some(line.unwrap().strip_prefix("listening on ")?.split_once("://")?.1.to_owned())
        });
        Self { child, addr: url.expect("it listens").parse().unwrap() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for a score on a connection that stays open, and returns the status and the answer.
fn ask(stream: &mut (impl Read + Write), key: &str) -> (u16, Value) {
    let n = ROW.len();
    let head = format!("authorization: Bearer {key}\r\ncontent-length: {n}\r\n\r\n{ROW}");
    write!(stream, "POST /v1/models/loans/score HTTP/1.1\r\nhost: test\r\n{head}").unwrap();
    stream.flush().unwrap();
    let (mut text, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let n = stream.read(&mut part).unwrap();
        assert!(n > 0, "the server closed: {}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&part[..n]);
        let told = String::from_utf8_lossy(&text);
        let Some((head, body)) = told.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() == length.unwrap().parse::<usize>().unwrap() {
            return (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap());
        }
    }
}

/// A place with the versions 1 and 2 of the model `loans`, and a key.
fn registered() -> (Place, String) {
    let place = Place::new();
    place.file("loans.csv", loans());
    let train = ["train", "loans.csv", "--target", "bad", "--use-protected", "--model", "logistic"];
    for alpha in ["alpha=1", "alpha=100"] {
        place.json(&[&train[..], &["--set", alpha, "--json"]].concat());
    }
    for run in ["r1", "r2"] {
        let promoted = place.karat(&["runs", "promote", run, "--name", "loans"]);
        assert_eq!(promoted.status, 0, "{}", promoted.err);
    }
    let key = place.json(&["keys", "create", "--scope", "infer", "--json"]);
    let key = key["key"].as_str().unwrap().to_owned();
    (place, key)
}

#[test]
fn a_key_is_refused_soon_after_it_was_revoked_while_requests_run() {
    let (place, key) = registered();
    let id = place.json(&["keys", "list", "--json"])["keys"][0]["id"].as_str().unwrap().to_owned();
    let server = Server::start(&place, &[]);
    let is_asked = AtomicBool::new(false);
    let client = || {
        let (mut stream, mut n_good) = (server.connect(), 0);
        loop {
            let was_asked = is_asked.load(Ordering::SeqCst);
            match ask(&mut stream, &key) {
                (200, _) => n_good += 1,
                (401, _) => return (n_good, was_asked, Instant::now()),
                (status, told) => panic!("{status}: {told}"),
            }
        }
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        thread::sleep(Duration::from_millis(200));
        is_asked.store(true, Ordering::SeqCst);
        let revoked = place.karat(&["keys", "revoke", &id]);
        assert_eq!(revoked.status, 0, "{}", revoked.err);
        let revoked_at = Instant::now();
        for client in clients {
            let (n_good, was_asked, refused_at) = client.join().unwrap();
            assert!(was_asked && n_good > 0, "it worked until it was revoked: {n_good}");
            assert!(refused_at.saturating_duration_since(revoked_at) < SOON);
        }
    });
}

#[test]
fn versions_change_under_load_and_each_answer_is_of_the_version_it_names() {
    let (place, key) = registered();
    place.file("row.csv", "income,purpose,age\n1200,car,33\n");
    let scores: HashMap<u64, f64> = [(1, "r1"), (2, "r2")]
        .map(|(version, run)| {
            place.karat(&["score", run, "row.csv", "--out", "scored.csv"]);
            let text = fs::read_to_string(place.path("scored.csv")).unwrap();
            let (names, values) = text.split_once('\n').unwrap();
            let at = names.trim().split(',').position(|name| name == "probability").unwrap();
            (version, values.trim().split(',').nth(at).unwrap().parse().unwrap())
        })
        .into();
    assert_ne!(scores[&1], scores[&2]);
    let server = Server::start(&place, &[]);
    let is_over = AtomicBool::new(false);
    let client = || {
        let mut stream = server.connect();
        let mut seen: HashMap<u64, (usize, f64)> = HashMap::new();
        while !is_over.load(Ordering::Relaxed) {
            let (status, told) = ask(&mut stream, &key);
            assert_eq!(status, 200, "{told}");
            let score = number(&told["predictions"][0]["probability"]);
            let own = seen.entry(told["version"].as_u64().unwrap()).or_insert((0, score));
            assert_eq!(own.1, score, "one version has one score: {told}");
            own.0 += 1;
        }
        seen
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..2).map(|_| scope.spawn(client)).collect();
        for n in 0..10 {
            let version = ["r1", "r2"][n % 2];
            let promoted = place.karat(&["runs", "promote", version, "--name", "loans"]);
            assert_eq!(promoted.status, 0, "{}", promoted.err);
            thread::sleep(Duration::from_millis(250));
        }
        is_over.store(true, Ordering::Relaxed);
        for client in clients {
            let seen = client.join().unwrap();
            assert_eq!(seen.len(), 2, "both versions have answered: {seen:?}");
            for (version, (_, score)) in seen {
                assert_eq!(score, scores[&version], "the score of `karat score`, bit for bit");
            }
        }
    });
}

#[test]
fn nothing_is_lost_while_others_read_the_log() {
    let (place, key) = registered();
    let server = Server::start(&place, &[]);
    let mut stream = server.connect();
    let mut n_asked = 0;
    // Each reader is a process of its own, which opens the files of the server and closes them.
    for _ in 0..4 {
        for _ in 0..25 {
            assert_eq!(ask(&mut stream, &key).0, 200);
            n_asked += 1;
        }
        let start = Instant::now();
        let n_kept = loop {
            let said = place.karat(&["monitor", "export", "loans", "--out", "p.csv", "--json"]);
            let told: Value = serde_json::from_str(&said.out).unwrap_or_default();
            let n_kept = told["rows"].as_u64().unwrap_or(0);
            if n_kept == n_asked || start.elapsed() > Duration::from_secs(20) {
                break n_kept;
            }
        };
        assert_eq!(n_kept, n_asked, "every answer is in the log");
    }
    // A decision of a process that is gone is kept as well.
    let made = place.json(&["keys", "create", "--scope", "infer", "--json"]);
    let key = made["key"].as_str().unwrap();
    let start = Instant::now();
    while ask(&mut stream, key).0 != 200 {
        assert!(start.elapsed() < SOON, "a new key is good at once");
    }
    let log = fs::read_dir(format!("/proc/{}/fd", server.child.id()));
    for file in log.into_iter().flatten().flatten() {
        let target = fs::read_link(file.path()).unwrap_or_default();
        assert!(!target.to_string_lossy().contains("-wal (deleted)"), "{}", target.display());
    }
}

#[test]
fn a_server_in_the_background_is_found_and_stopped() {
    let (place, key) = registered();
    let none = place.karat(&["serve", "status"]);
    assert!(none.status == 1 && none.err.contains("karat serve"), "{}", none.err);
    let started = place.json(&["serve", "start", "--addr", "127.0.0.1:0", "--json"]);
    let addr = started["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(addr).unwrap();
    let (status, told) = ask(&mut stream, &key);
    assert_eq!((status, &told["version"]), (200, &json!(2)), "{told}");
    let other = place.karat(&["serve", "start", "--addr", "127.0.0.1:0"]);
    assert!(other.status == 1 && other.err.contains("hint: "), "{}", other.err);
    let state = place.json(&["serve", "status", "--json"]);
    assert_eq!(state["url"], started["url"]);
    place.json(&["serve", "stop", "--json"]);
    let start = Instant::now();
    while TcpStream::connect(addr).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(12), "it still listens");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A connection that trusts this certificate alone.
fn encrypted(
    server: &Server,
    certificate: &[u8],
) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    rustls::StreamOwned::new(client, server.connect())
}

#[test]
fn a_certificate_is_exchanged_while_connections_stay_open() {
    let (place, key) = registered();
    let write = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        place.file("key.pem", made.signing_key.serialize_pem());
        place.file("cert.pem", made.cert.pem());
        made.cert.pem().into_bytes()
    };
    let first = write();
    let server = Server::start(&place, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let mut before = encrypted(&server, &first);
    assert_eq!(ask(&mut before, &key).0, 200);
    let second = write();
    let start = Instant::now();
    loop {
        let mut stream = encrypted(&server, &second);
        if stream.flush().is_ok() && stream.conn.complete_io(&mut stream.sock).is_ok() {
            assert_eq!(ask(&mut stream, &key).0, 200);
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "the new certificate is not used");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(ask(&mut before, &key).0, 200, "who was connected stays so");
    // Without encryption nothing is answered.
    let mut plain = server.connect();
    write!(plain, "GET / HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    let mut told = Vec::new();
    let _ = plain.read_to_end(&mut told);
    assert!(!told.starts_with(b"HTTP"), "{told:?}");
}

#[test]
fn other_machines_are_served_with_encryption_and_keys_only() {
    let place = Place::new();
    for args in [&["serve", "--addr", "0.0.0.0:0"][..], &["serve", "--addr", "[::]:0", "--no-keys"]]
    {
        place.refuses(args, &["--tls-cert"]);
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let (place, _) = registered();
    let n_events = || {
        let told = place.json(&["runs", "audit", "--name", "loans", "--limit", "500", "--json"]);
        told["events"].as_array().unwrap().iter().filter(|e| e["action"] == "promote").count()
    };
    let before = n_events();
    let mut n_acknowledged = 0;
    for round in 0..24_u64 {
        let run = ["r1", "r2"][(round % 2) as usize];
        let mut child = place
            .command(&["runs", "promote", run, "--name", "loans"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(4 * (round % 12)));
        let _ = child.kill();
        n_acknowledged += usize::from(child.wait().unwrap().success());
    }
    assert!(n_events() >= before + n_acknowledged, "{n_acknowledged} were acknowledged");
    let sound = place.json(&["runs", "verify", "--json"]);
    assert_eq!(sound["ok"], true, "{sound}");
}
