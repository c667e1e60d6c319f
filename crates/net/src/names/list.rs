//! Lists of peers by name: `/dnsaddr/NAME` for whoever stands at `_dnsaddr.NAME`, as public networks are entered.

use hickory_resolver::{
    TokioResolver,
    proto::rr::{RData, RecordType},
};
use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
};

use super::{
    MAX_DEPTH, Resolver, Search, build, failure,
    replace::{Listed, NameQuestion, asked, of_list},
};

impl Resolver {
    /// The peers that a `/dnsaddr` name lists, with an address of each entry; the names among these are not resolved.
    /// An error is always in phase `Dns`; it comes only when nobody was found.
    pub(crate) async fn list(&self, name: &Multiaddr) -> Result<Vec<(PeerId, Multiaddr)>, Failure> {
        let resolver = self.inner.get_or_init(|| build(&self.names)).as_ref().map_err(failure)?;
        let mut search = Search { next: vec![name.clone()], ..Search::default() };
        let mut peers = Vec::new();
        for _ in 0..=MAX_DEPTH {
            for list in std::mem::take(&mut search.next) {
                peers.extend(search.list(resolver, &list).await);
            }
        }
        self.note(&search);
        if peers.is_empty() {
            return Err(search.failure.unwrap_or(Failure::new(Phase::Dns, FailureClass::NameNotFound)));
        }
        Ok(peers)
    }
}

impl Search {
    /// The peers of a list. The lists among its entries are what is to be asked next.
    async fn list(&mut self, resolver: &TokioResolver, list: &Multiaddr) -> Vec<(PeerId, Multiaddr)> {
        let Some(NameQuestion::Texts(name)) = asked(list) else { return Vec::new() };
        let mut peers = Vec::new();
        for data in self.ask(resolver, &format!("_dnsaddr.{name}"), RecordType::TXT).await {
            let RData::TXT(text) = data else { continue };
            match of_list(&text.txt_data.concat()) {
                Some(Listed::Peer(peer, address)) => peers.push((peer, address)),
                Some(Listed::List(list)) => self.follow_later(list),
                None => {}
            }
        }
        peers
    }
}
