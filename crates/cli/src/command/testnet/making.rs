//! What is said while a network is made that takes its time.

use std::time::Duration;

use testnet::Making;

use crate::{progress::Tell, render::text::counted};

/// How far the making of a network is.
#[derive(Debug)]
pub(super) struct MakingProgress {
    pub(super) making: Making,
    /// How many peers it is to have.
    pub(super) peers: u32,
}

impl Tell for MakingProgress {
    /// Most networks are made by then.
    const DRAWN_AFTER: Duration = Duration::from_secs(1);

    fn line(&mut self, _: Duration, room: usize) -> String {
        let text = text(self.making.share(), self.peers);
        if text.len() <= room { text } else { String::new() }
    }

    fn log_line(&mut self, _: Duration) -> String {
        text(self.making.share(), self.peers)
    }
}

fn text(share: f64, peers: u32) -> String {
    let peers = counted(peers.into(), "peer", "peers");
    if share < 1.0 {
        format!("making {peers}: {:.0} %", (share * 100.0).floor())
    } else {
        format!("made {peers}; writing down what is true of them")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_all_done_before_it_is() {
        assert_eq!(text(0.999, 300_000), "making 300,000 peers: 99 %");
        assert_eq!(text(1.0, 20), "made 20 peers; writing down what is true of them");
    }
}
