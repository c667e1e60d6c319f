//! A table that takes no more: what is refused for a moment is tried again, what is refused for long is shed by its name.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use kadscope_store::{Belly, BellyConfig, ReadFailure, Reading};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{
    moto::belly_url,
    suite::{self, START},
};

const THROTTLED: (u16, &str) = (
    400,
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"less"}"#,
);

const PROVIDERS: &str = r#"{"Table":{"TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"key","KeyType":"HASH"},{"AttributeName":"ttl","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"key","AttributeType":"B"},{"AttributeName":"ttl","AttributeType":"N"}]}}"#;

const VALUES: &str = r#"{"Table":{"TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"DSKey","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"DSKey","AttributeType":"S"}]}}"#;

/// Tables without anything in them, that throttle so many requests before they answer one.
struct Tables {
    endpoint: String,
    throttles: Arc<AtomicUsize>,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl Tables {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let throttles = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&throttles);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut each = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                each.spawn(serve(stream, Arc::clone(&left)));
            }
        });
        Self { endpoint, throttles, _serving: serving }
    }
}

/// Answers what is asked on a connection; each request comes in one piece.
async fn serve(mut stream: TcpStream, throttles: Arc<AtomicUsize>) {
    let mut request = vec![0; 64 << 10];
    while let Ok(length @ 1..) = stream.read(&mut request).await {
        let text = String::from_utf8_lossy(&request[..length]).into_owned();
        let (status, body) = if text.contains(".DescribeTable") {
            (200, if text.contains("-values") { VALUES } else { PROVIDERS })
        } else if throttles.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            THROTTLED
        } else {
            (200, r#"{"Items":[]}"#)
        };
        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// Asks a second later than before: what was read then is not fresh any more.
async fn read(belly: &Belly, seconds: &mut u32) -> Result<usize, ReadFailure> {
    *seconds += 1;
    match belly.providers(b"key", 0, START + Duration::from_secs(1) * *seconds) {
        Reading::Known(held) => Ok(held.live(START)),
        Reading::Unread(read) => read.await.map(|held| held.live(START)),
        Reading::Shed(failure) => Err(failure),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_throttled_is_tried_again_within_bounds_and_then_shed_by_name() {
    let tables = Tables::new().await;
    let config =
        BellyConfig { statements_per_s: super::UNBOUND, freshness: Duration::ZERO, ..suite::config() };
    let belly = Belly::open(&belly_url("table=t", &tables.endpoint), config).await.unwrap();
    let mut seconds = 0;
    tables.throttles.store(2, SeqCst);
    assert_eq!(read(&belly, &mut seconds).await, Ok(0));
    assert_eq!(belly.backlog().throttled, 2);
    tables.throttles.store(usize::MAX, SeqCst);
    assert_eq!(read(&belly, &mut seconds).await, Err(ReadFailure::Away));
    let throttled = belly.backlog().throttled;
    assert!((6..=20).contains(&throttled), "{throttled}");
    tables.throttles.store(0, SeqCst);
    while read(&belly, &mut seconds).await != Ok(0) {
        tokio::task::yield_now().await;
    }
    assert!(!belly.backlog().is_away);
}
