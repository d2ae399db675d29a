//! How TestKit and the backend talk: lines of JSON between markers.

use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

pub(crate) struct Requests {
    lines: tokio::io::Lines<BufReader<OwnedReadHalf>>,
}

impl Requests {
    pub(crate) fn new(half: OwnedReadHalf) -> Self {
        let lines = BufReader::new(half).lines();
        Self { lines }
    }

    /// The next request, or `None` when TestKit is done.
    pub(crate) async fn next(&mut self) -> std::io::Result<Option<Json>> {
        let mut text = String::new();
        let mut inside = false;
        while let Some(line) = self.lines.next_line().await? {
            match line.trim_end() {
                "#request begin" => inside = true,
                "#request end" => return Ok(Some(serde_json::from_str(&text)?)),
                line if inside => text.push_str(line),
                _ => {}
            }
        }
        Ok(None)
    }
}

pub(crate) async fn send(half: &mut OwnedWriteHalf, response: &Json) -> std::io::Result<()> {
    let text = format!("#response begin\n{response}\n#response end\n");
    half.write_all(text.as_bytes()).await
}

/// A response as TestKit wants it.
pub(crate) fn response(name: &str, data: Json) -> Json {
    json!({ "name": name, "data": data })
}
