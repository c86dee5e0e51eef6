//! The server under load, beside a bare axum handler that parses and answers the same JSON, and
//! beside `MLServer` where `serve_mlserver.py` has been started.
//!
//!     cargo bench --bench serve
//!     cargo bench --bench serve -- --mlserver 127.0.0.1:8085     # beside `serve_mlserver.py`
//!     cargo bench --bench serve -- --max-wait 5                  # refusing later than usual
//!     cargo bench --bench serve -- --only overload               # twice the capacity, nothing else
//!
//! Server, rivals and load share the processors of this machine, one after the other in one run.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use karat::serve::{Answered, Load, load};
use serde_json::{Value, json};

/// Columns of the model.
const COLUMNS: usize = 20;
/// How long each load lasts.
const SECONDS: u64 = 6;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn karat(dir: &std::path::Path, args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_karat"))
        .args(args)
        .arg("--json")
        .current_dir(dir)
        .output()
        .expect("karat runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// A table of numbers with two classes.
fn table() -> String {
    let names: Vec<String> = (0..COLUMNS).map(|i| format!("x{i}")).collect();
    let mut text = format!("{},y\n", names.join(","));
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..2000 {
        let mut sum = 0.0;
        for _ in 0..COLUMNS {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let value = (state >> 40) as f64 / 16_777_216.0 - 0.5;
            sum += value;
            let _ = write!(text, "{value:.6},");
        }
        text += if sum > 0.0 { "1\n" } else { "0\n" };
    }
    text
}

fn report(name: &str, answered: &Answered) {
    let ms = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    println!(
        "{name:<34} {:>9.0} /s   p50 {:>7} ms   p99 {:>7} ms   {:?}",
        answered.per_second,
        ms(answered.p50_ms),
        ms(answered.p99_ms),
        answered.statuses
    );
}

/// The least that an axum handler can do: parse the JSON, answer JSON of the same length.
fn bare(addr: std::sync::mpsc::Sender<SocketAddr>) {
    use axum::{Router, body::Bytes, routing::post};
    async fn handle(body: Bytes) -> ([(&'static str, &'static str); 1], String) {
        let row: std::collections::HashMap<String, f64> =
            serde_json::from_slice(&body).unwrap_or_default();
        let sum: f64 = row.values().sum();
        let text = json!({
            "model": "bench", "version": 1, "alias": "champion",
            "predictions": [{
                "id": "01a2177c-e653-70a2-bd87-6cbe4a1cf36b",
                "score": sum, "probability": 0.5 + sum * 1e-3, "decision": "1",
            }],
        });
        ([("content-type", "application/json")], text.to_string())
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        addr.send(listener.local_addr().expect("an address")).expect("someone waits");
        let router: Router = Router::new().route("/v1/models/bench/score", post(handle));
        axum_serve(listener, router).await;
    });
}

/// Connections as the server itself takes them.
async fn axum_serve(listener: tokio::net::TcpListener, router: axum::Router) {
    use hyper_util::{rt::TokioIo, service::TowerToHyperService};
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let io = TokioIo::new(stream);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        });
    }
}

/// Twice as much as the server can do: what it admits has to stay fast, and the rest is told so.
fn overload(name: &str, ask: &Load) {
    let run = |connections: usize, rate: Option<f64>| {
        load(&Load { connections, rate, ..ask.clone() }).expect("a load")
    };
    let good = |answered: &Answered| {
        let n = answered.statuses.get(&200).copied().unwrap_or(0) as f64;
        n * answered.per_second / answered.requests.max(1) as f64
    };
    let capacity = good(&run(4, None)).max(good(&run(16, None)));
    let alone = run(8, Some(capacity / 10.0));
    let twice = run(64, Some(capacity * 2.0));
    report(&format!("{name}: a tenth of capacity"), &alone);
    report(&format!("{name}: twice the capacity"), &twice);
    println!(
        "{name}: capacity {capacity:.0} /s; asked twice that, {:.0} /s were answered, with {:.1} \
         times the p99; {:.0} % were refused, the slowest refusal after {:.1} ms",
        good(&twice),
        twice.p99_ms.unwrap_or(f64::NAN) / alone.p99_ms.unwrap_or(f64::NAN),
        100.0 - 100.0 * good(&twice) / twice.per_second,
        twice.refused_max_ms.unwrap_or(f64::NAN)
    );
}

/// A request with so many rows in a binary tensor, and the length of its head.
fn tensor(n_rows: usize) -> (Vec<u8>, usize) {
    let mut body = json!({ "inputs": [{
        "name": "x", "shape": [n_rows, COLUMNS], "datatype": "FP32",
        "parameters": { "binary_data_size": n_rows * COLUMNS * 4 },
    }], "outputs": [{ "name": "probability", "parameters": { "binary_data": true } }] })
    .to_string()
    .into_bytes();
    let head = body.len();
    body.extend((0..n_rows * COLUMNS).flat_map(|i| ((i as f32 * 0.37).sin() * 0.5).to_le_bytes()));
    (body, head)
}

/// How much is answered, and how soon, beside what others can do.
fn speed(ask: &Load, rival: Option<&String>) {
    let row: serde_json::Map<String, Value> =
        serde_json::from_slice(&ask.body).expect("the body is one row");
    let run = |ask: &Load| load(ask).expect("a load");
    let (sender, receiver) = std::sync::mpsc::channel();
    karat::jobs::service("bare", move || bare(sender)).expect("a thread");
    let bare_addr = receiver.recv().expect("the bare server listens");
    let mut with_reasons = row.clone();
    with_reasons.insert("reasons".into(), json!(true));
    let reasons =
        Load { body: Value::Object(with_reasons).to_string().into_bytes(), ..ask.clone() };
    let rival = rival.map(|addr| {
        let body = json!({ "inputs": [{
            "name": "x", "shape": [1, COLUMNS], "datatype": "FP64",
            "data": row.values().collect::<Vec<_>>(),
        }] });
        Load {
            addr: addr.parse().expect("an address"),
            path: "/v2/models/bench/infer".into(),
            key: None,
            body: body.to_string().into_bytes(),
            ..ask.clone()
        }
    });
    let (mut own, mut least, mut reasoned, mut others) = (vec![], vec![], vec![], vec![]);
    for _ in 0..3 {
        let answered = run(ask);
        report("karat, one row", &answered);
        own.push(answered.per_second);
        let answered = run(&Load { addr: bare_addr, ..ask.clone() });
        report("bare axum handler", &answered);
        least.push(answered.per_second);
        let answered = run(&reasons);
        report("karat, one row with reasons", &answered);
        reasoned.push(answered.per_second);
        if let Some(rival) = &rival {
            let answered = run(rival);
            report("MLServer, one row", &answered);
            others.push(answered.per_second);
        }
    }
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let (own, least, reasoned) = (median(own), median(least), median(reasoned));
    if !others.is_empty() {
        println!("karat answers {:.1} times as many as MLServer", own / median(others));
    }
    let third = run(&Load { rate: Some(own / 3.0), connections: 32, ..ask.clone() });
    report("karat, a third of its rate", &third);
    let same =
        run(&Load { addr: bare_addr, rate: Some(own / 3.0), connections: 32, ..ask.clone() });
    report("bare axum handler, as often", &same);
    println!(
        "share of the bare handler: {:.2}; with reasons: {:.2} of without",
        own / least,
        reasoned / own
    );
    let n_rows = 10_000;
    let (body, head) = tensor(n_rows);
    let batch = run(&Load {
        path: "/v2/models/bench/infer".into(),
        headers: format!("inference-header-content-length: {head}\r\n"),
        body,
        connections: 2,
        ..ask.clone()
    });
    report("karat, 10,000 rows in binary", &batch);
    println!("{:.2} million rows a second", batch.per_second * n_rows as f64 / 1e6);
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let behind =
        |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let (rival, max_wait) = (behind("--mlserver"), behind("--max-wait"));
    let dir = tempfile::tempdir().expect("a folder");
    karat::files::write(&dir.path().join("bench.csv"), table().as_bytes()).expect("a file");
    karat(dir.path(), &["train", "bench.csv", "--target", "y", "--model", "logistic"]);
    for at in 0..19 {
        let name = if at == 0 { "bench".to_owned() } else { format!("other{at}") };
        karat(dir.path(), &["runs", "promote", "r1", "--name", &name]);
    }
    let network = "network=dense 512 relu | dense 1024 relu | dense 512 relu | dense out";
    let args = ["train", "bench.csv", "--target", "y", "--model", "mlp", "--set", network];
    karat(dir.path(), &[&args[..], &["--set", "epochs=1"]].concat());
    karat(dir.path(), &["runs", "promote", "r2", "--name", "net"]);
    let key = karat(dir.path(), &["keys", "create", "--scope", "infer,explain,read"]);
    let key = key["key"].as_str().expect("a key").to_owned();
    let start = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_karat"))
        .args(["serve", "--addr", "127.0.0.1:0"])
        .args(max_wait.into_iter().flat_map(|ms| ["--max-wait", ms.as_str()]))
        .current_dir(dir.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("karat serves");
    let server = Server(child);
    let workspace = dir.path().join(".karat");
    let status = loop {
        match karat::serve::status(&workspace) {
            Ok(status) => break status,
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    println!(
        "ready with 20 models after {} ms, {} MB",
        start.elapsed().as_millis(),
        status.memory >> 20
    );
    let addr: SocketAddr = status.url.trim_start_matches("http://").parse().expect("an address");
    let row: serde_json::Map<String, Value> =
        (0..COLUMNS).map(|i| (format!("x{i}"), json!((i as f64 * 0.37).sin() * 0.5))).collect();
    let ask = Load {
        addr,
        path: "/v1/models/bench/score".into(),
        key: Some(key.clone()),
        content_type: "application/json".into(),
        headers: String::new(),
        body: Value::Object(row.clone()).to_string().into_bytes(),
        connections: 8,
        duration: Duration::from_secs(SECONDS),
        rate: None,
    };
    let ask = &ask;
    if behind("--only").is_none_or(|only| only == "speed") {
        speed(ask, rival);
    }
    if behind("--only").is_none_or(|only| only == "overload") {
        let (body, head) = tensor(1000);
        let thousand = Load {
            path: "/v2/models/bench/infer".into(),
            headers: format!("inference-header-content-length: {head}\r\n"),
            body,
            ..ask.clone()
        };
        overload("1,000 rows", &thousand);
        overload("network", &Load { path: "/v1/models/net/score".into(), ..ask.clone() });
    }
    let status = karat::serve::status(&workspace).expect("it is still there");
    println!(
        "memory at the end: {} MB; logged {}, not {}",
        status.memory >> 20,
        status.logged,
        status.dropped
    );
    drop(server);
}
