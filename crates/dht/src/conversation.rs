//! A conversation: any number of exchanges over one connection. Those beside each other have streams of their own; one that
//! follows another goes over the same stream where it can.
//!
//! A task drives the connection; a [`Conversation`] is the way to it. What the peer asks meanwhile is answered by the
//! connection itself. The task ends when nobody has the way to it any more, when nothing was asked for a while, or with the
//! connection; on one that the peer opened only with that. Dropping the future of an exchange resets its stream: nothing of it stays behind.

mod driver;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::{Connection, RoundTrip, Traffic},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use self::driver::Driver;

/// How many exchanges may wait for the task of one connection.
const MAX_WAITING: usize = 32;

/// What is asked of a peer.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The names of the protocol, in the order in which they are tried: a peer that refuses one is asked by the next.
    pub protocols: Arc<[String]>,
    /// The message; `None` where opening the stream asks already, as with identify.
    pub message: Option<Arc<[u8]>>,
    /// When the exchange is over.
    pub awaits: Awaits,
    /// How long the peer may take, once it was asked.
    pub patience: Duration,
}

/// When an exchange is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// With the first message.
    Message,
    /// With the end of the stream; our half is closed behind the message. `ADD_PROVIDER` has no answer, so its end in
    /// good order says that it was taken, and not that it was kept.
    End,
}

/// Bounds of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TalkLimits {
    /// The longest message that is taken from a peer, in bytes.
    pub message_bytes: usize,
    /// How long a connection is kept on which nothing is asked.
    pub idle: Duration,
}

impl Default for TalkLimits {
    /// 512 KiB, several times what 20 peers and as many providers need; a minute, for which servers of go-libp2p-kad-dht
    /// keep an idle stream.
    fn default() -> Self {
        Self { message_bytes: 512 << 10, idle: Duration::from_secs(60) }
    }
}

/// Why an exchange has no end in good order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// Its stream failed.
    Stream(Failure),
    /// The connection came to its end.
    Connection(Failure),
}

impl Broken {
    /// What went wrong.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Stream(failure) | Self::Connection(failure) => failure,
        }
    }
}

/// Counts what goes over connections. All clones of an `Arc` of it count together.
#[derive(Debug, Default)]
pub struct Meter {
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
}

impl Meter {
    /// Bytes that went over all of them so far, with all framing above the transport.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            sent_bytes: self.sent_bytes.load(Ordering::Relaxed),
            received_bytes: self.received_bytes.load(Ordering::Relaxed),
        }
    }

    fn add(&self, before: Traffic, now: Traffic) {
        self.sent_bytes.fetch_add(now.sent_bytes - before.sent_bytes, Ordering::Relaxed);
        self.received_bytes.fetch_add(now.received_bytes - before.received_bytes, Ordering::Relaxed);
    }
}

/// What came of an exchange: the messages of the peer, one where one was awaited, else all until the end of the stream.
pub type Reply = Result<Vec<Vec<u8>>, Broken>;

/// What is wanted of the task.
#[derive(Debug)]
enum Order {
    /// An exchange.
    Exchange(Question),
    /// The shortest round trip so far.
    RoundTrip(oneshot::Sender<Option<RoundTrip>>),
    /// No more than what is under way, and then the end, whoever opened the connection.
    HangUp,
}

/// A question on its way to the task.
#[derive(Debug)]
struct Question {
    ask: Ask,
    reply: oneshot::Sender<Reply>,
}

/// The way to the task of a connection. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Conversation {
    orders: mpsc::Sender<Order>,
}

impl Conversation {
    /// Hands a connection to a task of its own. `until_end` is dropped when the connection is closed.
    pub fn begin<C, T>(connection: C, limits: TalkLimits, meter: Arc<Meter>, until_end: T) -> Self
    where
        C: Connection + 'static,
        T: Send + 'static,
    {
        let (orders, taken) = mpsc::channel(MAX_WAITING);
        let driver = Driver::new(connection, taken, limits, meter);
        tokio::spawn(async move {
            driver.run().await;
            drop(until_end);
        });
        Self { orders }
    }

    /// Hands a connection that the peer opened to a task of its own. It lasts as long as the peer and the network let it,
    /// whoever asks on it and whether or not anybody does: the peer may be about to.
    pub fn accepted<C: Connection + 'static>(connection: C, limits: TalkLimits, meter: Arc<Meter>) -> Self {
        let (orders, taken) = mpsc::channel(MAX_WAITING);
        tokio::spawn(Driver::new(connection, taken, limits, meter).lasting().run());
        Self { orders }
    }

    /// Makes one exchange. It ends by itself.
    pub async fn ask(&self, ask: Ask) -> Reply {
        let silence = || Broken::Stream(Failure::new(Phase::Request, FailureClass::Timeout));
        timeout(ask.patience, self.give(ask)).await.unwrap_or_else(|_| Err(silence()))
    }

    async fn give(&self, ask: Ask) -> Reply {
        let over = || Broken::Connection(Failure::new(Phase::Request, FailureClass::ConnectionClosed));
        let (reply, outcome) = oneshot::channel();
        self.orders.send(Order::Exchange(Question { ask, reply })).await.map_err(|_| over())?;
        outcome.await.map_err(|_| over())?
    }

    /// The shortest round trip to the peer so far; `None` if none was seen, or the connection is over.
    pub async fn round_trip(&self) -> Option<RoundTrip> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::RoundTrip(reply)).await.ok()?;
        answer.await.ok().flatten()
    }

    /// Takes no further exchange, whoever opened the connection, and waits until the last that was under way has ended.
    pub async fn hang_up(&self) {
        // Who cannot be told any more has ended.
        self.orders.send(Order::HangUp).await.ok();
        self.orders.closed().await;
    }

    /// Whether the task is gone, or takes no more.
    pub fn is_over(&self) -> bool {
        self.orders.is_closed()
    }

    /// Whether both lead to the same task.
    pub fn is_same(&self, other: &Self) -> bool {
        self.orders.same_channel(&other.orders)
    }
}
