//! Resolving names (`/dns`, `/dns4`, `/dns6`, `/dnsaddr`) to addresses with IPs, within bounds.
//!
//! A name of `/dnsaddr` stands for a list of addresses, kept as texts `dnsaddr=MULTIADDR` (TXT records) at
//! `_dnsaddr.NAME`, which may hold names again. Source: libp2p specification, `addressing/README.md`; multiformats,
//! `multiaddr/protocols/DNSADDR.md`.

mod fault;
mod list;
mod lookup;
mod replace;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

pub use self::lookup::NameResolver;

use self::{
    fault::failure,
    replace::{NameQuestion, asked, of_entry, with_ip},
};
use hickory_resolver::{
    TokioResolver,
    config::{
        ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
    },
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{Name, RData, RecordType},
};
use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    policy::Addresses,
};

/// How often a name may lead to names again.
const MAX_DEPTH: usize = 4;

/// The most answers that are looked at for one address, over all its names.
const MAX_ANSWERS: usize = 100;

/// The most addresses of one level that are followed.
const MAX_FOLLOWED: usize = 16;

/// How long one question waits for an answer; it is asked [`TRIES`] times.
const TIMEOUT: Duration = Duration::from_secs(2);
const TRIES: usize = 2;

/// The most answers that are remembered (of at most 64 KiB each), for as long as they say but not longer than this.
const MAX_REMEMBERED: u64 = 512;
const MAX_AGE: Duration = Duration::from_secs(3600);
const MAX_NEGATIVE_AGE: Duration = Duration::from_secs(60);

/// The most addresses whose names are being resolved at once. Others wait for their turn; that time is not counted.
pub(crate) const MAX_ASKING: usize = 64;

/// Who is asked for names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// Nobody: a name is [`SkipReason::Name`](kad::failure::SkipReason::Name).
    Unresolved,
    /// The servers and hosts of the system's configuration.
    System,
    /// These servers only, over UDP and, for long answers, TCP.
    Servers(Vec<SocketAddr>),
}

impl Names {
    /// The default where these addresses may be dialled.
    pub(crate) const fn of(addresses: Addresses) -> Self {
        match addresses {
            Addresses::Public | Addresses::Any => Self::System,
            Addresses::Private | Addresses::Loopback => Self::Unresolved,
        }
    }
}

/// Addresses, and the name that each was resolved from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) addrs: Vec<Multiaddr>,
    pub(crate) names: Vec<Box<str>>,
}

/// Resolves names, and remembers the answers. One for each host.
#[derive(Debug)]
pub(crate) struct Resolver {
    names: Names,
    /// Made when the first name comes.
    inner: OnceLock<Result<TokioResolver, NetError>>,
    asking: Semaphore,
    /// What searches left out.
    left_out: AtomicU64,
}

/// What is still to be resolved, and what was.
#[derive(Debug, Default)]
struct Search {
    resolved: Resolved,
    next: Vec<Multiaddr>,
    answers: usize,
    /// Answers beyond those that are looked at, and addresses beyond those that are followed.
    left_out: usize,
    /// The first thing that went wrong.
    failure: Option<Failure>,
}

impl Resolver {
    pub(crate) const fn new(names: Names) -> Self {
        let asking = Semaphore::const_new(MAX_ASKING);
        Self { names, inner: OnceLock::new(), asking, left_out: AtomicU64::new(0) }
    }

    /// How many answers and addresses were left out because of a bound, each time that they came.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    fn note(&self, search: &Search) {
        let left_out = search.left_out + search.next.len();
        self.left_out.fetch_add(left_out as u64, Ordering::Relaxed);
    }

    /// Waits until one more address may be resolved.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.asking.acquire().await.ok()
    }

    /// The addresses that an address with a name stands for, as far as they are of this peer. An error is always in
    /// phase `Dns`; it comes only when nothing was found.
    pub(crate) async fn resolve(&self, address: &Multiaddr, peer: &PeerId) -> Result<Resolved, Failure> {
        self.resolve_for(address, Some(peer)).await
    }

    /// The same, of whichever peer where none is given.
    async fn resolve_for(&self, address: &Multiaddr, peer: Option<&PeerId>) -> Result<Resolved, Failure> {
        let resolver = self.inner.get_or_init(|| build(&self.names)).as_ref().map_err(failure)?;
        let mut search = Search { next: vec![address.clone()], ..Search::default() };
        for _ in 0..=MAX_DEPTH {
            for address in std::mem::take(&mut search.next) {
                search.follow(resolver, &address, peer).await;
            }
            if search.next.is_empty() || search.answers >= MAX_ANSWERS {
                break;
            }
        }
        self.note(&search);
        if search.resolved.addrs.is_empty() {
            let not_found = Failure::new(Phase::Dns, FailureClass::NameNotFound);
            return Err(search.failure.unwrap_or(not_found));
        }
        Ok(search.resolved)
    }
}

impl Search {
    /// Resolves the name that an address begins with.
    async fn follow(&mut self, resolver: &TokioResolver, address: &Multiaddr, peer: Option<&PeerId>) {
        match asked(address) {
            // What has no name is resolved, whatever will be said of it.
            None => self.found(address.clone(), ""),
            Some(NameQuestion::Texts(name)) => {
                for data in self.ask(resolver, &format!("_dnsaddr.{name}"), RecordType::TXT).await {
                    let RData::TXT(text) = data else { continue };
                    if let Some(entry) = of_entry(&text.txt_data.concat(), address, peer) {
                        self.follow_later(entry);
                    }
                }
            }
            Some(NameQuestion::Ips(name, kinds)) => {
                for kind in kinds {
                    for data in self.ask(resolver, &name, *kind).await {
                        let ip = match data {
                            RData::A(ip) => IpAddr::V4(ip.0),
                            RData::AAAA(ip) => IpAddr::V6(ip.0),
                            _ => continue,
                        };
                        self.found(with_ip(address, ip), &name);
                    }
                }
            }
        }
    }

    fn follow_later(&mut self, entry: Multiaddr) {
        if self.next.len() < MAX_FOLLOWED {
            self.next.push(entry);
        } else {
            self.left_out += 1;
        }
    }

    fn found(&mut self, address: Multiaddr, name: &str) {
        if self.resolved.addrs.contains(&address) {
            return;
        }
        if self.resolved.addrs.len() < MAX_FOLLOWED {
            self.resolved.addrs.push(address);
            self.resolved.names.push(name.into());
        } else {
            self.left_out += 1;
        }
    }

    /// Asks one question, and keeps count of the answers.
    async fn ask(&mut self, resolver: &TokioResolver, name: &str, kind: RecordType) -> Vec<RData> {
        let room = MAX_ANSWERS.saturating_sub(self.answers);
        if room == 0 {
            return Vec::new();
        }
        // With a dot at its end nothing is searched for below the domain of this machine.
        let Ok(name) = Name::from_utf8(format!("{}.", name.trim_end_matches('.'))) else {
            // What is no name cannot exist.
            self.failed(Failure::new(Phase::Dns, FailureClass::NameNotFound));
            return Vec::new();
        };
        let answer = resolver.lookup(name, kind).await;
        match answer {
            Ok(answer) => {
                let of_kind = || answer.answers().iter().filter(|record| record.record_type() == kind);
                let data: Vec<RData> = of_kind().take(room).map(|record| record.data.clone()).collect();
                self.answers += data.len();
                self.left_out += of_kind().count() - data.len();
                data
            }
            Err(error) => {
                self.failed(failure(&error));
                Vec::new()
            }
        }
    }

    /// That there is no address of one kind says less than that a server failed.
    fn failed(&mut self, failure: Failure) {
        if self.failure.as_ref().is_none_or(|first| first.class == FailureClass::NameNotFound) {
            self.failure = Some(failure);
        }
    }
}

fn build(names: &Names) -> Result<TokioResolver, NetError> {
    let mut builder = match names {
        Names::System => TokioResolver::builder_tokio()?,
        Names::Unresolved => return Err(NetError::NoConnections),
        Names::Servers(servers) => {
            let servers = servers.iter().map(|addr| server(*addr)).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let hosts = if *names == Names::System { ResolveHosts::Auto } else { ResolveHosts::Never };
    limit(builder.options_mut(), hosts);
    builder.build()
}

fn limit(options: &mut ResolverOpts, hosts: ResolveHosts) {
    options.timeout = TIMEOUT;
    options.attempts = TRIES;
    options.cache_size = MAX_REMEMBERED;
    options.positive_max_ttl = Some(MAX_AGE);
    options.negative_max_ttl = Some(MAX_NEGATIVE_AGE);
    options.use_hosts_file = hosts;
}

/// A server at that address, on its port.
fn server(addr: SocketAddr) -> NameServerConfig {
    let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp].map(|protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = addr.port();
        connection
    });
    NameServerConfig::new(addr.ip(), true, connections.into())
}
