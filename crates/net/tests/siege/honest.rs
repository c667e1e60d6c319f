//! Somebody honest: asks over TCP and QUIC in turn, each time on a new connection and from another address than any
//! besieger.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use kad::message::{Message, MessageType};
use tokio::time::{Instant, sleep, timeout};

use super::{
    quic,
    siege::Target,
    tcp,
    wire::{data, kad, question},
};

/// Where it comes from.
const FROM: u8 = 200;

/// How long it waits for an answer, the connection included: this machine may have much to do beside.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// How it fared.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) times: usize,
    /// How long it waited at the most.
    pub(crate) longest: Duration,
}

/// Asks until it is dropped; what came of it is kept where it is seen.
pub(crate) async fn go_on(target: &Target, asked: &mut Asked) {
    loop {
        for is_quic in [false, true] {
            let begun = Instant::now();
            let answer = timeout(PATIENCE, ask(target, is_quic)).await;
            let answer = answer.unwrap_or_else(|_| panic!("no answer in {PATIENCE:?}, QUIC: {is_quic}"));
            let answer = answer.unwrap_or_else(|| panic!("hung up on, QUIC: {is_quic}"));
            assert_eq!(answer.closer_peers.first().map(|peer| &peer.id), Some(&target.peer.to_bytes()));
            asked.times += 1;
            asked.longest = asked.longest.max(begun.elapsed());
            sleep(PAUSE).await;
        }
    }
}

/// Asks the node for itself.
async fn ask(target: &Target, is_quic: bool) -> Option<Message> {
    let asked = [kad(), question(MessageType::FindNode, &target.peer.to_bytes())].concat();
    let mut answer = Vec::new();
    if is_quic {
        let dialled = quic::dial(FROM, target.quic).await?;
        let (mut send, mut receive) = dialled.open(&asked).await?;
        send.finish().ok()?;
        answer = receive.read_to_end(MAX_ANSWER_BYTES).await.ok()?;
        dialled.connection.close(0_u32.into(), b"");
        dialled.endpoint.wait_idle().await;
    } else {
        let mut secured = tcp::secured(FROM, target.tcp).await?;
        secured.write_all(&data(1, 1, &asked)).await.ok()?;
        secured.flush().await.ok()?;
        // Frames of other streams, on which it is asked who it is, are passed over.
        while answer.len() <= kad().len() + 1 || !is_whole(answer.get(kad().len()..)?) {
            let mut header = [0; 12];
            secured.read_exact(&mut header).await.ok()?;
            let length = u32::from_be_bytes(header[8..].try_into().unwrap()) as usize;
            if header[1] == 0 && length > 0 {
                let mut bytes = vec![0; length.min(MAX_ANSWER_BYTES)];
                secured.read_exact(&mut bytes).await.ok()?;
                if header[4..8] == 1_u32.to_be_bytes() {
                    answer.extend(bytes);
                }
            }
        }
        secured.close().await.ok();
    }
    let message = answer.get(kad().len()..)?;
    let (length, rest) = length_of(message)?;
    Message::decode(rest.get(..length)?).ok()
}

/// The length in front of a message, and what follows.
fn length_of(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    let digits = bytes.get(..=end)?.iter().rev();
    let length = digits.fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
    Some((length, bytes.get(end + 1..)?))
}

fn is_whole(bytes: &[u8]) -> bool {
    length_of(bytes).is_some_and(|(length, rest)| rest.len() >= length)
}
