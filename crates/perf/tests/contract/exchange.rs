//! One exchange over a socket, byte by byte, and what of it is compared.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// No answer takes longer here.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: String,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Sends these bytes on a connection of their own, and reads one answer; of a HEAD without its body.
pub(crate) async fn send(to: SocketAddr, request: &[u8]) -> Answered {
    let exchange = async {
        let mut stream = TcpStream::connect(to).await.expect("a connection");
        stream.write_all(request).await.expect("it is taken");
        let mut heard = Vec::new();
        loop {
            if let Some(answered) = read(&heard, request.starts_with(b"HEAD")) {
                return answered;
            }
            assert!(stream.read_buf(&mut heard).await.expect("an answer") > 0, "it breaks off: {heard:?}");
        }
    };
    timeout(PATIENCE, exchange).await.expect("an answer in time")
}

/// An answer, if it is whole.
pub(crate) fn read(bytes: &[u8], is_bodiless: bool) -> Option<Answered> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> =
        headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if is_bodiless {
        return Some(Answered { status, headers, body: String::new() });
    }
    (body.len() >= length).then(|| Answered { status, headers, body: body[..length].to_owned() })
}

impl Answered {
    /// What is the same each time: without the time, what it took, and the length that follows from that. The texts of refusals are
    /// Go's own.
    pub(crate) fn masked(mut self) -> Self {
        self.mask("date");
        if self.status.contains(" 200 ") {
            self.mask_length(3);
            self.body = masked(&masked(&self.body, "\"Duration\":"), "\"RoutingTableSize\":");
        } else if self.status.contains(" 400 ") {
            self.mask_length(2);
            "...".clone_into(&mut self.body);
        }
        self
    }

    fn mask(&mut self, name: &str) {
        let value = self.headers.get_mut(name).expect(name);
        "...".clone_into(value);
    }

    fn mask_length(&mut self, digits: usize) {
        if self.headers.get("content-length").is_some_and(|length| length.len() >= digits) {
            self.mask("content-length");
        }
    }
}

/// The text with the number behind each such key taken out.
fn masked(text: &str, key: &str) -> String {
    let mut parts = text.split(key);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        assert!(digits > 0, "Go takes whole numbers alone: {part}");
        out + key + "..." + &part[digits..]
    })
}
