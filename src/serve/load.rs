//! The load test: the same request again and again over connections that stay open.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::listen::connect;

/// How hard a server is asked.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The path, such as `/v1/models/credit/score`.
    pub path: String,
    /// The key.
    pub key: Option<String>,
    /// The type of the body.
    pub content_type: String,
    /// Further header lines, each with its end.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// For how long.
    pub duration: Duration,
    /// Requests a second in all; as many as are answered when not given.
    pub rate: Option<f64>,
}

/// How the server answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Answered {
    /// Requests answered.
    pub requests: u64,
    /// Requests a second.
    pub per_second: f64,
    /// Answers by status.
    pub statuses: std::collections::BTreeMap<u16, u64>,
    /// Connections that broke.
    pub broken: u64,
    /// Half of the good answers took less, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 90 %.
    pub p90_ms: Option<f64>,
    /// 99 %.
    pub p99_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
    /// The longest wait for an answer that refuses because of load.
    pub refused_max_ms: Option<f64>,
    /// One good answer.
    pub example: String,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    took: Vec<u32>,
    refused: Vec<u32>,
    statuses: std::collections::BTreeMap<u16, u64>,
    broken: u64,
    example: Vec<u8>,
}

/// Asks a server, and tells how it answered.
///
/// # Errors
///
/// When the threads for it cannot be had.
pub fn load(load: &Load) -> io::Result<Answered> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let start = Instant::now();
    let all = runtime.block_on(async {
        let request = request(load);
        let ask = |number| {
            let request = request.clone();
            let load = load.clone();
            async move { ask(&load, &request, number, start).await }
        };
        let tasks: Vec<_> = (0..load.connections).map(|n| tokio::spawn(ask(n))).collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.ok());
        }
        all
    });
    Ok(summed(all, start.elapsed().as_secs_f64()))
}

fn request(load: &Load) -> Vec<u8> {
    let key = load.key.as_ref().map(|key| format!("authorization: Bearer {key}\r\n"));
    let mut request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n{}{}\r\n",
        load.path,
        load.addr,
        load.content_type,
        load.body.len(),
        key.unwrap_or_default(),
        load.headers,
    )
    .into_bytes();
    request.extend_from_slice(&load.body);
    request
}

/// One connection, until the time is over.
async fn ask(load: &Load, request: &[u8], number: usize, start: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut stream = None;
    let mut buffer = Vec::new();
    let every = load.rate.map(|rate| Duration::from_secs_f64(load.connections as f64 / rate));
    let mut due = start
        + every.map_or(Duration::ZERO, |e| e.mul_f64(number as f64 / load.connections as f64));
    while start.elapsed() < load.duration {
        // With a rate, an answer that came late makes the next request late, and that counts; that a
        // timer wakes up late does not.
        let mut asked = Instant::now();
        if let Some(every) = every {
            if due > asked {
                tokio::time::sleep_until(due.into()).await;
                asked = Instant::now();
            } else {
                asked = due;
            }
            due += every;
        }
        let Some(open) = &mut stream else {
            if let Ok(open) = connect(load.addr).await {
                stream = Some(open);
            } else {
                seen.broken += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            continue;
        };
        if let Ok((status, body, closes)) = exchange(open, request, &mut buffer).await {
            let micros = asked.elapsed().as_micros() as u32;
            *seen.statuses.entry(status).or_default() += 1;
            match status {
                200 => {
                    seen.took.push(micros);
                    if seen.example.is_empty() {
                        seen.example = buffer[body..].to_vec();
                    }
                }
                429 | 503 => seen.refused.push(micros),
                _ => {}
            }
            if closes {
                stream = None;
            }
        } else {
            seen.broken += 1;
            stream = None;
        }
    }
    seen
}

/// One request and its answer: the status, where the body begins, and whether the server closes.
async fn exchange(
    stream: &mut TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> io::Result<(u16, usize, bool)> {
    stream.write_all(request).await?;
    buffer.clear();
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let head = loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > 1 << 16 {
            return Err(bad());
        }
    };
    let text = std::str::from_utf8(&buffer[..head]).map_err(|_| bad())?;
    let status = text.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(bad)?;
    let (mut length, mut closes) = (0, false);
    for line in text.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(|_| bad())?;
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.trim().eq_ignore_ascii_case("close");
        }
    }
    while buffer.len() < head + 4 + length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok((status, head + 4, closes))
}

fn summed(all: Vec<Seen>, seconds: f64) -> Answered {
    let mut answered = Answered::default();
    let (mut took, mut refused) = (Vec::new(), Vec::new());
    for seen in all {
        took.extend(seen.took);
        refused.extend(seen.refused);
        answered.broken += seen.broken;
        for (status, n) in seen.statuses {
            *answered.statuses.entry(status).or_default() += n;
        }
        if answered.example.is_empty() {
            answered.example = String::from_utf8_lossy(&seen.example).into_owned();
        }
    }
    took.sort_unstable();
    refused.sort_unstable();
    let at = |share: f64| {
        let place = ((took.len() as f64 * share).ceil() as usize).saturating_sub(1);
        took.get(place).map(|micros| f64::from(*micros) / 1e3)
    };
    answered.requests = answered.statuses.values().sum();
    answered.per_second = answered.requests as f64 / seconds;
    answered.p50_ms = at(0.5);
    answered.p90_ms = at(0.9);
    answered.p99_ms = at(0.99);
    answered.max_ms = at(1.0);
    answered.refused_max_ms = refused.last().map(|micros| f64::from(*micros) / 1e3);
    answered
}
