//! The task of one conversation: questions come in, each gets a stream, what came of it goes back.
//!
//! A stream on which a message was answered is kept for the next message, as go-libp2p-kad-dht keeps it: opening one and ending
//! it again costs as many packets as question and answer. Which one is kept, and for what, is `kept`'s.

mod kept;

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::{Connection, Event, StreamId, Traffic},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use self::kept::Kept;
use super::{Ask, Awaits, Broken, Meter, Order, Question, TalkLimits};

/// The most messages of one exchange that ends with its stream. Identify takes at most ten.
const MAX_MESSAGES: usize = 16;

/// An exchange under way.
struct UnderWay {
    stream: StreamId,
    /// The position of the name of the protocol that was proposed.
    name: usize,
    /// Something was asked on the stream before. The peer may have ended it while the question was under way.
    again: bool,
    messages: Vec<Vec<u8>>,
    question: Question,
}

/// What is to be done next.
enum Next {
    Event(Result<Event, Failure>),
    Order(Option<Order>),
    /// Who asked waits no longer.
    GivenUp(usize),
    Idle,
}

/// A connection and what is under way on it.
pub(super) struct Driver<C> {
    connection: C,
    orders: mpsc::Receiver<Order>,
    limits: TalkLimits,
    meter: Arc<Meter>,
    under_way: Vec<UnderWay>,
    /// The stream for the next question.
    kept: Option<Kept>,
    counted: Traffic,
    idle_since: Instant,
    /// No further order will come.
    closing: bool,
    /// It ends with the connection alone.
    lasts: bool,
}

impl<C: Connection> Driver<C> {
    pub(super) fn new(
        connection: C,
        orders: mpsc::Receiver<Order>,
        limits: TalkLimits,
        meter: Arc<Meter>,
    ) -> Self {
        let (under_way, counted) = (Vec::new(), Traffic::default());
        Self {
            connection,
            orders,
            limits,
            meter,
            under_way,
            kept: None,
            counted,
            idle_since: Instant::now(),
            closing: false,
            lasts: false,
        }
    }

    /// The same, but it ends with the connection alone.
    pub(super) const fn lasting(mut self) -> Self {
        self.lasts = true;
        self
    }

    /// Drives the connection until it ends, is idle for too long, or nobody can ask any more.
    pub(super) async fn run(mut self) {
        while self.lasts || !(self.closing && self.under_way.is_empty()) {
            match self.next().await {
                Next::Event(Ok(event)) => self.on_event(event),
                Next::Event(Err(failure)) => {
                    self.fail_all(&failure);
                    break;
                }
                Next::Order(Some(Order::Exchange(question))) => self.take(question),
                // Who asked may have gone in this moment.
                Next::Order(Some(Order::RoundTrip(reply))) => drop(reply.send(self.connection.round_trip())),
                Next::Order(Some(Order::HangUp)) => (self.lasts, self.closing) = (false, true),
                Next::Order(None) => self.closing = true,
                Next::GivenUp(position) => {
                    let given_up = self.under_way.swap_remove(position);
                    self.connection.reset(given_up.stream);
                    self.idle_since = Instant::now();
                }
                // What was sent meanwhile is still taken.
                Next::Idle => self.orders.close(),
            }
            self.count();
        }
        // What waits for an answer is answered before the goodbye: nobody waits for the one who leaves.
        drop(self.orders);
        self.connection.close().await;
    }

    async fn next(&mut self) -> Next {
        let Self { connection, orders, under_way, idle_since, limits, closing, lasts, .. } = self;
        let until = *idle_since + limits.idle;
        let is_idle = under_way.is_empty() && !*lasts;
        let given_up = |cx: &mut Context<'_>| {
            let gone = |exchange: &mut UnderWay| exchange.question.reply.poll_closed(cx).is_ready();
            under_way.iter_mut().position(gone).map_or(Poll::Pending, Poll::Ready)
        };
        tokio::select! {
            biased;
            event = connection.next() => Next::Event(event),
            order = orders.recv(), if !*closing => Next::Order(order),
            position = poll_fn(given_up) => Next::GivenUp(position),
            () = sleep_until(until), if is_idle => Next::Idle,
        }
    }

    /// Asks on the stream that is kept for such a question, if there is one.
    fn take(&mut self, question: Question) {
        match self.kept.take_if(|kept| kept.is_for(&question.ask)) {
            Some(Kept { stream, name, .. }) => {
                self.say(UnderWay { stream, name, again: true, messages: Vec::new(), question });
            }
            None => self.begin(question, 0),
        }
    }

    /// Opens a stream for a request, by the name of the protocol in this position.
    fn begin(&mut self, question: Question, name: usize) {
        let protocol = question.ask.protocols.get(name).map_or("", String::as_str);
        let stream = self.connection.open(protocol, self.limits.message_bytes);
        self.say(UnderWay { stream, name, again: false, messages: Vec::new(), question });
    }

    fn say(&mut self, exchange: UnderWay) {
        let Ask { message, awaits, .. } = &exchange.question.ask;
        if let Some(message) = message {
            self.connection.send(exchange.stream, message);
            if *awaits == Awaits::End {
                self.connection.finish(exchange.stream);
            }
        }
        self.under_way.push(exchange);
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Accepted(_) => {}
            Event::Message(stream, message) => self.on_message(stream, message),
            Event::Ended(stream, how) => self.on_end(stream, how),
        }
    }

    fn on_message(&mut self, stream: StreamId, message: Vec<u8>) {
        let Some(position) = self.position(stream) else { return self.on_excess(stream) };
        let exchange = &mut self.under_way[position];
        exchange.messages.push(message);
        match exchange.question.ask.awaits {
            Awaits::Message => {
                let kept = Kept::after(stream, exchange.name, &exchange.question.ask);
                self.end(position, Ok(()));
                match self.kept {
                    None => self.kept = Some(kept),
                    Some(_) => self.connection.finish(stream),
                }
            }
            Awaits::End if exchange.messages.len() > MAX_MESSAGES => {
                self.connection.reset(stream);
                let failure = Failure::new(Phase::Request, FailureClass::MessageTooLarge);
                self.end(position, Err(Broken::Stream(failure)));
            }
            Awaits::End => {}
        }
    }

    /// A message that nobody awaits: what is asked next must not be answered by it.
    fn on_excess(&mut self, stream: StreamId) {
        if self.kept.take_if(|kept| kept.stream == stream).is_some() {
            self.connection.reset(stream);
        }
    }

    fn on_end(&mut self, stream: StreamId, how: Option<Failure>) {
        self.kept.take_if(|kept| kept.stream == stream);
        let Some(position) = self.position(stream) else { return };
        let UnderWay { name, again, question, .. } = &self.under_way[position];
        match how {
            // The peer did not wait for another question on this stream: that says nothing of the question.
            _ if *again => {
                let UnderWay { name, question, .. } = self.under_way.swap_remove(position);
                self.begin(question, name);
            }
            None if question.ask.awaits == Awaits::End => self.end(position, Ok(())),
            None => {
                let failure = Failure::new(Phase::Request, FailureClass::StreamClosed);
                self.end(position, Err(Broken::Stream(failure)));
            }
            Some(failure)
                if failure.class == FailureClass::ProtocolNotSupported
                    && name + 1 < question.ask.protocols.len() =>
            {
                let next = name + 1;
                let UnderWay { question, .. } = self.under_way.swap_remove(position);
                self.begin(question, next);
            }
            Some(failure) => self.end(position, Err(Broken::Stream(failure))),
        }
    }

    fn position(&self, stream: StreamId) -> Option<usize> {
        self.under_way.iter().position(|exchange| exchange.stream == stream)
    }

    /// Says what came of an exchange.
    fn end(&mut self, position: usize, how: Result<(), Broken>) {
        let UnderWay { messages, question, .. } = self.under_way.swap_remove(position);
        // Who asked may have gone in this moment.
        question.reply.send(how.map(|()| messages)).ok();
        self.idle_since = Instant::now();
    }

    /// The connection is over, for what is under way and for what waits.
    fn fail_all(&mut self, failure: &Failure) {
        self.orders.close();
        let waiting = std::iter::from_fn(|| self.orders.try_recv().ok()).filter_map(|order| match order {
            Order::Exchange(question) => Some(question),
            Order::RoundTrip(_) | Order::HangUp => None,
        });
        let under_way = self.under_way.drain(..).map(|exchange| exchange.question);
        for question in under_way.chain(waiting) {
            question.reply.send(Err(Broken::Connection(failure.clone()))).ok();
        }
    }

    fn count(&mut self) {
        let now = self.connection.traffic();
        self.meter.add(std::mem::replace(&mut self.counted, now), now);
    }
}
