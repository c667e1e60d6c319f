//! What two peers of ours have between them: frames on their way in both directions, in order, each for so long.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use kad::network::StreamId;
use tokio::time::Instant;

use super::outages::Outages;

/// How many frames may be on their way to one side before the other one must wait.
const MAX_FRAMES: usize = 256;

/// What one side tells the other.
#[derive(Debug)]
pub(super) enum Frame {
    /// A stream is opened, with the protocol that is proposed on it.
    Open(StreamId, Box<str>),
    /// The protocol of a stream is agreed to.
    Agree(StreamId),
    /// It is not spoken here.
    Refuse(StreamId),
    /// A message on a stream.
    Message(StreamId, Vec<u8>),
    /// Nothing more comes on a stream.
    Finish(StreamId),
    /// A stream is given up.
    Reset(StreamId),
    /// Who the side is, as it says unasked.
    Push(Vec<u8>),
    /// The side hangs up; not in good order, if it resets the connection.
    HangUp {
        /// Whether it resets the connection.
        resets: bool,
    },
}

/// What is on its way to one side.
#[derive(Debug, Default)]
struct Way {
    frames: VecDeque<(Instant, Frame)>,
    /// The last one of all was sent.
    is_over: bool,
    /// Who waits for frames.
    reader: Option<Waker>,
    /// Who waits for room.
    writer: Option<Waker>,
}

#[derive(Debug)]
struct Line {
    passage: Passage,
    ways: [Mutex<Way>; 2],
}

/// How long what is said is on its way.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub(super) one_way: Duration,
    /// The regions of both ends, and when there is no way between them.
    pub(super) between: [usize; 2],
    pub(super) outages: Arc<Outages>,
}

impl Passage {
    fn arrival(&self) -> Instant {
        self.outages.arrival(self.between, Instant::now(), self.one_way)
    }
}

/// One end of a line.
#[derive(Debug)]
pub(super) struct End {
    line: Arc<Line>,
    /// Which of the ways leads here.
    side: usize,
}

impl End {
    /// Both ends of a new line.
    pub(super) fn pair(passage: Passage) -> [Arc<Self>; 2] {
        let line = Arc::new(Line { passage, ways: Default::default() });
        [0, 1].map(|side| Arc::new(Self { line: Arc::clone(&line), side }))
    }

    /// Sends what is queued as far as there is room; ready when all is on its way.
    pub(super) fn poll_send(&self, queue: &mut VecDeque<Frame>, cx: &Context<'_>) -> Poll<()> {
        self.send(queue);
        if queue.is_empty() {
            return Poll::Ready(());
        }
        self.there().writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Sends what is queued as far as there is room.
    pub(super) fn send(&self, queue: &mut VecDeque<Frame>) {
        let mut there = self.there();
        while (there.frames.len() < MAX_FRAMES || there.is_over)
            && let Some(frame) = queue.pop_front()
        {
            self.put(&mut there, frame);
        }
    }

    /// Tells the other side who this one is. What it said before and has not arrived is out of date.
    pub(super) fn push(&self, message: Vec<u8>) {
        let mut there = self.there();
        there.frames.retain(|(_, frame)| !matches!(frame, Frame::Push(_)));
        self.put(&mut there, Frame::Push(message));
    }

    /// Hangs up, once.
    pub(super) fn hang_up(&self, resets: bool) {
        let mut there = self.there();
        self.put(&mut there, Frame::HangUp { resets });
        there.is_over = true;
    }

    /// The next frame that has arrived, or when the next one will; whoever waits is woken when there is another one.
    pub(super) fn take(&self, now: Instant, cx: &Context<'_>) -> Result<Frame, Option<Instant>> {
        let mut here = self.here();
        match here.frames.front() {
            Some((due, _)) if *due <= now => {
                let frame = here.frames.pop_front().map(|(_, frame)| frame).ok_or(None);
                if let Some(writer) = here.writer.take() {
                    writer.wake();
                }
                frame
            }
            first => {
                let due = first.map(|(due, _)| *due);
                here.reader = Some(cx.waker().clone());
                Err(due)
            }
        }
    }

    fn put(&self, there: &mut Way, frame: Frame) {
        if there.is_over {
            return;
        }
        there.frames.push_back((self.line.passage.arrival(), frame));
        if let Some(reader) = there.reader.take() {
            reader.wake();
        }
    }

    fn here(&self) -> MutexGuard<'_, Way> {
        self.line.ways[self.side].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn there(&self) -> MutexGuard<'_, Way> {
        self.line.ways[1 - self.side].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_frame_takes_its_time_and_who_is_full_of_them_makes_the_other_side_wait() {
        let (one_way, outages) = (Duration::from_millis(10), Arc::default());
        let [a, b] = End::pair(Passage { one_way, between: [0, 0], outages });
        let cx = Context::from_waker(Waker::noop());
        let frame = |n| Frame::Finish(StreamId(n));
        let mut queue: VecDeque<Frame> = (0..300).map(frame).collect();
        assert!(a.poll_send(&mut queue, &cx).is_pending());
        assert_eq!(queue.len(), 300 - MAX_FRAMES);
        let begun = Instant::now();
        assert_eq!(b.take(begun, &cx).err(), Some(Some(begun + Duration::from_millis(10))));
        tokio::time::advance(Duration::from_millis(10)).await;
        assert!(matches!(b.take(Instant::now(), &cx), Ok(Frame::Finish(StreamId(0)))));
        assert!(a.poll_send(&mut queue, &cx).is_pending());
        assert_eq!(queue.len(), 299 - MAX_FRAMES);
        // What nobody will read goes nowhere.
        a.hang_up(true);
        assert!(a.poll_send(&mut queue, &cx).is_ready());
        a.hang_up(false);
        assert_eq!(a.there().frames.len(), MAX_FRAMES + 1);
    }
}
