//! Recordings of a demo: asciicast v2, one JSON line for each frame.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use crate::files::Writer;
use crate::ui::term::Tap;

/// What sees the bytes of every frame and writes them down; the file appears when it is dropped.
///
/// # Errors
///
/// When the file cannot be written.
pub fn recorder(path: &Path, width: u16, height: u16) -> anyhow::Result<Tap> {
    let header = serde_json::json!({
        "version": 2,
        "width": width,
        "height": height,
        "timestamp": super::CLOCK,
        "title": "karat",
        "env": { "TERM": std::env::var("TERM").unwrap_or_default() },
    });
    let mut cast = Cast { file: Some(Writer::create(path)?), since: Instant::now() };
    cast.line(&header.to_string());
    Ok(Box::new(move |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let event = serde_json::json!([cast.since.elapsed().as_secs_f64(), "o", text]);
        cast.line(&event.to_string());
    }))
}

struct Cast {
    file: Option<Writer>,
    since: Instant,
}

impl Cast {
    /// A recording that cannot go on is given up; the tour goes on.
    fn line(&mut self, line: &str) {
        if let Some(file) = &mut self.file
            && writeln!(file, "{line}").is_err()
        {
            self.file = None;
        }
    }
}

impl Drop for Cast {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let _ = file.finish();
        }
    }
}
