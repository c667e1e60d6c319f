//! What another hydra lends: keys, or indices of the seed that both have. It is given back at the end.

use std::time::Duration;

use ::hydra::{HeadIdentity, HeadSeed, IdgenClient, IndexSet, LeaseOrder};
use http::{HttpClient, HttpClientConfig, HttpUrl};
use kad::Keypair;

use crate::{
    args::{HeadsArgs, IdgenArgs},
    exit::Failed,
    output, roots, token,
};

/// The variable that may have the token itself.
const TOKEN_VARIABLE: &str = "KADSCOPE_HYDRA_IDGEN_TOKEN";

/// How often indices are asked for again: a server may be away for most of the time that they are let for.
pub(super) const RENEWAL: Duration = Duration::from_secs(3600);

/// What is lent.
#[derive(Debug)]
pub(super) enum Borrowed {
    /// Nothing.
    Nothing,
    /// Keys, each of one head.
    Keys(IdgenClient, Vec<Keypair>),
    /// Indices, under a name.
    Indices(IdgenClient, LeaseOrder),
}

/// How many heads there are to be, unless their indices say so.
fn count(args: &HeadsArgs) -> u32 {
    args.heads.unwrap_or(1)
}

/// Takes so many keys. What was taken before something went wrong is given back.
pub(super) async fn keys(args: &IdgenArgs, url: &HttpUrl, heads: &HeadsArgs) -> Result<Borrowed, Failed> {
    if !url.is_https() && !url.is_loopback() {
        output::note(&format!(
            "{url}: private keys come from there in clear text; --lease has indices instead"
        ));
    }
    let client = client(args, url)?;
    let mut taken = Vec::new();
    for _ in 0..count(heads) {
        match client.add().await {
            Ok(keypair) => taken.push(keypair),
            Err(error) => {
                Borrowed::Keys(client, taken).give_back().await;
                return Err(Failed::network(error.to_string()));
            }
        }
    }
    Ok(Borrowed::Keys(client, taken))
}

/// Takes so many indices, of a server that has the same seed and chooses alike.
pub(super) async fn indices(
    args: &IdgenArgs,
    url: &HttpUrl,
    (heads, seed): (&HeadsArgs, &HeadSeed),
) -> Result<(Borrowed, IndexSet), Failed> {
    let client = client(args, url)?;
    let order = LeaseOrder { holder: heads.name.clone(), count: count(heads) as usize };
    let answer = client.lease(&order).await.map_err(|error| Failed::network(error.to_string()))?;
    let (ours, theirs) = ((seed.fingerprint(), heads.choices.count()), (answer.seed, answer.choices));
    let borrowed = Borrowed::Indices(client, order);
    if ours != theirs {
        borrowed.give_back().await;
        return Err(Failed::usage(format!(
            "the hydra at {url} has the seed with fingerprint {} and --choices {}, and this one {} and {}: their heads would collide",
            theirs.0, theirs.1, ours.0, ours.1
        )));
    }
    Ok((borrowed, answer.indices))
}

fn client(args: &IdgenArgs, url: &HttpUrl) -> Result<IdgenClient, Failed> {
    let token = token::text_of(args.idgen_token_file.as_deref(), TOKEN_VARIABLE)?;
    let config = HttpClientConfig { roots: roots::of_services()?, ..HttpClientConfig::default() };
    let http = HttpClient::new(config).map_err(|error| Failed::usage(error.to_string()))?;
    Ok(IdgenClient::new(http, url.clone(), token))
}

impl Borrowed {
    /// Who the heads are by their keys.
    pub(super) fn identities(&self) -> Vec<HeadIdentity> {
        let Self::Keys(_, keys) = self else { return Vec::new() };
        let identity = |(keypair, index): (&Keypair, u64)| HeadIdentity { index, keypair: keypair.clone() };
        keys.iter().zip(0..).map(identity).collect()
    }

    /// Asks for indices again.
    pub(super) async fn renew(&self) {
        let Self::Indices(client, order) = self else { return };
        if let Err(error) = client.lease(order).await {
            tracing::warn!(%error, "the lease of the heads' indices could not be renewed; it holds for 24 h");
        }
    }

    /// Gives everything back that can be: what cannot is said.
    pub(super) async fn give_back(&self) {
        let failed = match self {
            Self::Nothing => None,
            Self::Keys(client, keys) => {
                let mut failed = None;
                for keypair in keys {
                    failed = client.remove(keypair).await.err().or(failed);
                }
                failed
            }
            Self::Indices(client, order) => client.release(&order.holder).await.err(),
        };
        if let Some(error) = failed {
            tracing::warn!(%error, "not everything could be given back that the other hydra lent");
        }
    }
}
