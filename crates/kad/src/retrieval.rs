//! Whether content can be retrieved from a provider, and if not, why: from what came of dialling it and of asking it for the
//! block. Asking is left to others.

use crate::{
    bitswap::{BlockPresence, HasBlock},
    failure::{Failure, FailureClass, SkipReason, furthest},
    named,
    network::AddressOutcome,
};

named! {
    /// Whether content can be retrieved, and if not, why. Each verdict comes closer to it than those before it, so that of
    /// several providers the greatest says what is true of all.
    pub enum RetrievalVerdict {
        /// Nobody who was asked has a record: nobody says that it is provided.
        NoRecord = "no_record",
        /// There are records, and nobody knows where the provider is.
        NoAddresses = "no_addresses",
        /// All its addresses are of private networks, of the machine itself, or of nowhere.
        OnlyPrivate = "only_private",
        /// It can be reached only through a relay, or at addresses as above. Relays are not dialled.
        OnlyRelayed = "only_relayed",
        /// It has other addresses, and none of them is dialled from here.
        NotDialled = "not_dialled",
        /// It was dialled, and the furthest attempt was refused.
        Refused = "refused",
        /// It was dialled, and could not be reached.
        Unreachable = "unreachable",
        /// Somebody else is there.
        OtherPeer = "other_peer",
        /// It can be reached, and the key is of no content: nobody can be asked for a block.
        NoContent = "no_content",
        /// It can be reached, and speaks neither bitswap nor HTTP as a gateway does.
        NoProtocol = "no_protocol",
        /// It can be reached, and did not say whether it has the block.
        NoAnswer = "no_answer",
        /// It can be reached, and says that it does not have the block.
        NoBlock = "no_block",
        /// It can be reached, and has the block.
        Retrievable = "retrievable",
    }
}

named! {
    /// By what a provider is asked for a block.
    pub enum BlockProtocol {
        /// Bitswap.
        Bitswap = "bitswap",
        /// HTTP, as a trustless gateway.
        Http = "http",
    }
}

named! {
    /// From where an address of a provider is known.
    pub enum AddressOrigin {
        /// It came with records of it.
        Record = "record",
        /// No record has an address; whoever named the peer in the same lookup said so.
        Answer = "answer",
        /// No record has an address; it was found by a lookup of the peer.
        PeerLookup = "peer_lookup",
    }
}

/// What a provider was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderVerdict {
    /// Whether the content can be retrieved from it, or why not.
    pub verdict: RetrievalVerdict,
    /// The name of what went wrong: the class of the failure that came furthest, or the reason why the first address was not
    /// dialled. `None` where the verdict says it all.
    pub error: Option<&'static str>,
}

/// What was seen of a provider.
#[derive(Debug, Clone, Default)]
pub struct Sightings<'a> {
    /// What came of each of its addresses.
    pub addresses: Vec<&'a AddressOutcome>,
    /// What it answered by each protocol by which it was asked.
    pub answers: Vec<&'a Result<BlockPresence, Failure>>,
}

impl Sightings<'_> {
    /// Whether the provider has the block, as far as it says.
    pub fn has_block(&self) -> HasBlock {
        let said = self.answers.iter().filter_map(|answer| answer.as_ref().ok());
        let said: Vec<HasBlock> = said.map(|&presence| presence.into()).collect();
        match () {
            () if said.contains(&HasBlock::Yes) => HasBlock::Yes,
            () if said.contains(&HasBlock::No) => HasBlock::No,
            () => HasBlock::Unknown,
        }
    }

    /// What that makes of it.
    pub fn verdict(&self) -> ProviderVerdict {
        let of = |verdict, error| ProviderVerdict { verdict, error };
        match self.has_block() {
            HasBlock::Yes => return of(RetrievalVerdict::Retrievable, None),
            HasBlock::No => return of(RetrievalVerdict::NoBlock, None),
            HasBlock::Unknown => {}
        }
        if self.addresses.contains(&&AddressOutcome::Connected) {
            return self.silent();
        }
        let failed = self.addresses.iter().filter_map(|outcome| match outcome {
            AddressOutcome::Failed(failure) => Some(failure),
            _ => None,
        });
        if let Some(failure) = furthest(failed) {
            let verdict = match failure.class {
                FailureClass::ConnectionRefused => RetrievalVerdict::Refused,
                FailureClass::PeerIdMismatch => RetrievalVerdict::OtherPeer,
                _ => RetrievalVerdict::Unreachable,
            };
            return of(verdict, Some(failure.class.name()));
        }
        self.undialled()
    }

    /// Of one that can be reached, and did not say.
    fn silent(&self) -> ProviderVerdict {
        let failures = || self.answers.iter().filter_map(|answer| answer.as_ref().err());
        let speaks = |failure: &&Failure| failure.class != FailureClass::ProtocolNotSupported;
        let verdict = match failures().find(speaks) {
            Some(failure) => {
                return ProviderVerdict {
                    verdict: RetrievalVerdict::NoAnswer,
                    error: Some(failure.class.name()),
                };
            }
            None if self.answers.is_empty() => RetrievalVerdict::NoContent,
            None => RetrievalVerdict::NoProtocol,
        };
        ProviderVerdict { verdict, error: None }
    }

    /// Of one that nobody dialled.
    fn undialled(&self) -> ProviderVerdict {
        let reasons: Vec<SkipReason> = self
            .addresses
            .iter()
            .filter_map(|outcome| match outcome {
                AddressOutcome::Skipped(reason) => Some(*reason),
                _ => None,
            })
            .collect();
        let is_near = |reason: &SkipReason| {
            matches!(reason, SkipReason::Private | SkipReason::Loopback | SkipReason::SpecialPurpose)
        };
        let other = reasons.iter().find(|reason| !is_near(reason) && **reason != SkipReason::Relayed);
        let (verdict, error) = match other {
            Some(reason) => (RetrievalVerdict::NotDialled, Some(reason.name())),
            None if reasons.contains(&SkipReason::Relayed) => (RetrievalVerdict::OnlyRelayed, None),
            None if !reasons.is_empty() => (RetrievalVerdict::OnlyPrivate, None),
            None if self.addresses.is_empty() => (RetrievalVerdict::NoAddresses, None),
            None => (RetrievalVerdict::NotDialled, Some(FailureClass::Cancelled.name())),
        };
        ProviderVerdict { verdict, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Phase;

    fn failed(phase: Phase, class: FailureClass) -> AddressOutcome {
        AddressOutcome::Failed(Failure::new(phase, class))
    }

    fn judged(
        addresses: &[AddressOutcome],
        answers: &[Result<BlockPresence, Failure>],
    ) -> (RetrievalVerdict, Option<&'static str>) {
        let seen = Sightings { addresses: addresses.iter().collect(), answers: answers.iter().collect() };
        let ProviderVerdict { verdict, error } = seen.verdict();
        (verdict, error)
    }

    #[test]
    fn what_could_not_be_reached_says_the_furthest_that_was_come() {
        use AddressOutcome::{NotTried, Skipped};
        let refused = failed(Phase::Connect, FailureClass::ConnectionRefused);
        let wrong = failed(Phase::Secure, FailureClass::PeerIdMismatch);
        let silent = failed(Phase::Connect, FailureClass::Timeout);
        let (relayed, private) = (Skipped(SkipReason::Relayed), Skipped(SkipReason::Private));
        let foreign = Skipped(SkipReason::TransportNotSupported);
        for (outcomes, verdict, error) in [
            (vec![], RetrievalVerdict::NoAddresses, None),
            (vec![private.clone()], RetrievalVerdict::OnlyPrivate, None),
            (vec![private.clone(), relayed.clone()], RetrievalVerdict::OnlyRelayed, None),
            (
                vec![private.clone(), foreign, relayed.clone()],
                RetrievalVerdict::NotDialled,
                Some("transport_not_supported"),
            ),
            (vec![NotTried], RetrievalVerdict::NotDialled, Some("cancelled")),
            (vec![private, refused.clone()], RetrievalVerdict::Refused, Some("connection_refused")),
            (vec![silent.clone(), refused.clone()], RetrievalVerdict::Refused, Some("connection_refused")),
            (vec![silent, relayed], RetrievalVerdict::Unreachable, Some("timeout")),
            (vec![refused, wrong], RetrievalVerdict::OtherPeer, Some("peer_id_mismatch")),
        ] {
            assert_eq!(judged(&outcomes, &[]), (verdict, error), "{outcomes:?}");
        }
    }

    #[test]
    fn who_is_reached_is_judged_by_what_it_says() {
        let up = [AddressOutcome::Connected];
        let none = |class| Err(Failure::new(Phase::Request, class));
        let (mute, slow) = (none(FailureClass::ProtocolNotSupported), none(FailureClass::Timeout));
        for (answers, verdict, error) in [
            (vec![], RetrievalVerdict::NoContent, None),
            (vec![mute.clone(), mute.clone()], RetrievalVerdict::NoProtocol, None),
            (vec![mute.clone(), slow.clone()], RetrievalVerdict::NoAnswer, Some("timeout")),
            (vec![slow, Ok(BlockPresence::DontHave)], RetrievalVerdict::NoBlock, None),
            (vec![Ok(BlockPresence::DontHave), Ok(BlockPresence::Have)], RetrievalVerdict::Retrievable, None),
            (vec![Ok(BlockPresence::Block), mute], RetrievalVerdict::Retrievable, None),
        ] {
            assert_eq!(judged(&up, &answers), (verdict, error), "{answers:?}");
        }
    }

    #[test]
    fn every_name_finds_its_variant() {
        assert!(RetrievalVerdict::ALL.iter().all(|&v| RetrievalVerdict::from_name(v.name()) == Some(v)));
        assert!(AddressOrigin::ALL.iter().all(|&o| AddressOrigin::from_name(o.name()) == Some(o)));
        assert!(BlockProtocol::ALL.iter().all(|&p| BlockProtocol::from_name(p.name()) == Some(p)));
        assert_eq!(RetrievalVerdict::ALL.iter().max(), Some(&RetrievalVerdict::Retrievable));
    }
}
