//! One look at a peer: a dial at all its known addresses and one answered stream, which is what the criterion of being up asks for.
//!
//! A stream is answered on every connection, whatever the criterion. A listener of go-libp2p that finds a connection closed before it
//! took it over never gives back the place that it had reserved for it (v0.49: `upgrader`'s `Accept` passes by what is closed), and who answers
//! on a stream has taken the connection over. Nothing is tried twice: whether a failure is to be doubted is the schedule's question.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use crawl::{Clock, introduce};
use dht::{ApartAsk, ApartQuestion, AskedApart, SaidApart, ask_apart};
use kad::{
    Contact, PeerId,
    failure::{Failure, FailureClass, Phase},
    message::{MAX_MESSAGE_BYTES, Message, MessageType, MessageView},
    network::Network,
};
use schema::{ConnectionInfo, OnlineCriterion, PeerNumber, Visit, VisitKind};
use tokio::time::Instant;

/// How peers are looked at.
#[derive(Debug, Clone)]
pub struct LookTerms {
    /// The names of the network's kad protocol, in the order in which they are tried.
    pub protocols: Arc<[String]>,
    /// What a peer has to do to count as up, which is what it is asked for.
    pub criterion: OnlineCriterion,
    /// How long a dial may take, whatever the network allows. Default 5 s, what a crawl gives to one address.
    pub dial: Duration,
    /// How long an answer is awaited. Default 5 s.
    pub answer: Duration,
}

impl LookTerms {
    /// The defaults, for a network whose kad protocol has these names.
    pub const fn new(protocols: Arc<[String]>, criterion: OnlineCriterion) -> Self {
        Self { protocols, criterion, dial: Duration::from_secs(5), answer: Duration::from_secs(5) }
    }
}

/// Looks at peers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prober<N> {
    network: N,
    terms: Arc<LookTerms>,
    clock: Clock,
}

impl<N: Network> Prober<N> {
    /// One that dials by this network.
    pub fn new(network: N, terms: LookTerms, clock: Clock) -> Self {
        Self { network, terms: Arc::new(terms), clock }
    }

    /// Looks once at a peer at all its known addresses, and gives the row of it. It ends by itself, at the latest when a dial and an
    /// answer have taken the most that they may; who gives it up before may leave something half open behind at the peer.
    pub async fn probe(&self, peer: PeerNumber, contact: &Contact) -> Visit {
        let begun = Instant::now();
        let asked = ask_apart(&self.network, contact, &self.question(&contact.peer)).await;
        let mut visit = Visit::begun(peer, VisitKind::Scheduled, self.clock.at(begun));
        let AskedApart { attempts, dial_took, said } = asked;
        visit.met.dialled(contact.addrs.clone(), attempts, dial_took);
        if let Some(said) = said {
            self.take(&mut visit, said, &contact.peer);
        }
        visit.met.end(self.clock.at(Instant::now()));
        visit
    }

    /// What a peer is asked: for no more than the criterion needs.
    fn question(&self, peer: &PeerId) -> ApartQuestion {
        let closest = || Message::new(MessageType::FindNode, peer.to_bytes()).encode().into();
        let ask = match self.terms.criterion {
            OnlineCriterion::Handshake | OnlineCriterion::Identify => ApartAsk::Agreement,
            OnlineCriterion::Kad => ApartAsk::Message(closest()),
        };
        ApartQuestion {
            protocols: Arc::clone(&self.terms.protocols),
            ask,
            dial_within: self.terms.dial,
            patience: self.terms.answer,
            answer_bytes: MAX_MESSAGE_BYTES,
            identifies: self.terms.criterion == OnlineCriterion::Identify,
        }
    }

    /// Puts what was said into the row.
    fn take(&self, visit: &mut Visit, said: SaidApart, peer: &PeerId) {
        let SaidApart { endpoint, answer, took, introduced, round_trip, traffic } = said;
        visit.met.connection = Some(ConnectionInfo::of(&endpoint, round_trip));
        (visit.met.sent_bytes, visit.met.received_bytes) = (traffic.sent_bytes, traffic.received_bytes);
        visit.crawl_duration = Some(took);
        let is_request = self.terms.criterion == OnlineCriterion::Kad;
        match if is_request { answer.and_then(readable) } else { answer } {
            Ok(_) if is_request => {
                visit.further.answered = 1;
                visit.request_rtt = Some(took);
            }
            Ok(_) => {}
            Err(failure) => {
                visit.further.failed = u16::from(is_request);
                visit.crawl_error = Some(failure);
            }
        }
        if let Some(introduced) = introduced {
            visit.met.identify_error = introduced.fault;
            // What is beyond the bounds is left out here as in a crawl's visits; only a crawl's summary counts it.
            introduced.said.map(|said| introduce(&mut visit.met, said, peer));
        }
    }
}

/// An answer that is one.
fn readable(answer: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let malformed = Failure::new(Phase::Request, FailureClass::Malformed);
    MessageView::decode(&answer).map(|_| ()).map_err(|_| malformed)?;
    Ok(answer)
}
