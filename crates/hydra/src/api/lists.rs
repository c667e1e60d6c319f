//! What there is, as lists: heads, connections, peers, records. Each page is taken when the one before it has been read.

use std::sync::Arc;

use http::{
    LineWriter, NobodyReads,
    axum::{
        extract::{RawQuery, State},
        http::StatusCode,
        response::Response,
    },
    lines,
};
use kad::{Contact, Key, PeerId, fabric::Member};
use store::RecordPage;

use super::{
    HydraApi, Refusal,
    lines::{AddrInfo, PeerLine, RecordLine, SwarmLine, SwarmPeerLine},
    parameter,
};
use crate::{HydraHead, HydraView};

/// How many records or peers are taken at a time.
const PAGE: usize = 512;

/// The heads.
pub(super) async fn heads<M: Member>(State(api): State<HydraApi<M>>) -> Result<Response, Refusal> {
    let view = api.view()?;
    Ok(lines(|mut writer| async move {
        for head in view.heads() {
            if writer.line(&AddrInfo::from(head.contact())).await.is_err() {
                return;
            }
        }
        writer.end().await;
    }))
}

/// All provider records. What cannot be begun is refused; what breaks off is not ended.
pub(super) async fn records<M: Member>(State(api): State<HydraApi<M>>) -> Result<Response, Refusal> {
    let view = api.view()?;
    let failed = |_| Refusal(StatusCode::INTERNAL_SERVER_ERROR, "the records cannot be read now\n");
    let first = view.belly().provider_records(None, PAGE, view.time()).await.map_err(failed)?;
    Ok(lines(|mut writer| async move {
        if write_records(&mut writer, &view, first).await.is_some() {
            writer.end().await;
        }
    }))
}

/// Writes this page and all that follow; `None` if nobody reads any more, or the belly does not answer.
async fn write_records<M: Member>(
    writer: &mut LineWriter,
    view: &HydraView<M>,
    mut page: RecordPage,
) -> Option<()> {
    loop {
        for record in &page.records {
            writer.line(&RecordLine::from(record)).await.ok()?;
        }
        let Some(next) = &page.next else { return Some(()) };
        let following = view.belly().provider_records(Some(next), PAGE, view.time()).await;
        page = following.inspect_err(|error| tracing::warn!(%error, "a list of records breaks off")).ok()?;
    }
}

/// The connections of all heads, or of the one that is asked for.
pub(super) async fn swarm<M: Member>(
    State(api): State<HydraApi<M>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let view = api.view()?;
    let wanted = parameter(query.as_deref(), "head").map(str::to_owned);
    Ok(lines(|mut writer| async move {
        let head = match wanted.map(|text| text.parse::<PeerId>()) {
            None => None,
            Some(Ok(head)) => Some(head),
            // No head is called that.
            Some(Err(_)) => return writer.end().await,
        };
        if write_swarm(&mut writer, &view, head).await.is_ok() {
            writer.end().await;
        }
    }))
}

async fn write_swarm<M: Member>(
    writer: &mut LineWriter,
    view: &HydraView<M>,
    head: Option<PeerId>,
) -> Result<(), NobodyReads> {
    let mut after = None;
    loop {
        let page = view.swarm(after.as_ref(), PAGE);
        for (id, peer) in &page {
            let wanted =
                |connection: &&crate::SwarmConnection| head.is_none_or(|head| connection.head == head);
            for connection in peer.connections.iter().filter(wanted) {
                let end = SwarmPeerLine::new(*id, connection.remote.clone(), connection.direction);
                writer.line(&SwarmLine { id: connection.head, peer: end }).await?;
            }
        }
        match page.last() {
            Some((last, _)) => after = Some(*last),
            None => return Ok(()),
        }
    }
}

/// The peers that the heads know: those with connections with each head that they have some with, then the servers of the network,
/// which all heads know together, with the head that is nearest to each.
pub(super) async fn peers<M: Member>(State(api): State<HydraApi<M>>) -> Result<Response, Refusal> {
    let view = api.view()?;
    Ok(lines(|mut writer| async move {
        if write_present(&mut writer, &view).await.is_ok() && write_servers(&mut writer, &view).await.is_ok()
        {
            writer.end().await;
        }
    }))
}

async fn write_present<M: Member>(writer: &mut LineWriter, view: &HydraView<M>) -> Result<(), NobodyReads> {
    let mut after = None;
    loop {
        let page = view.swarm(after.as_ref(), PAGE);
        for (id, peer) in &page {
            let mut heads: Vec<PeerId> = peer.connections.iter().map(|connection| connection.head).collect();
            heads.sort_unstable();
            heads.dedup();
            for head in heads {
                // Where a peer that has dialled us can be dialled is known of servers alone.
                let seen = peer.connections.iter().filter(|connection| connection.head == head);
                let addrs = seen.map(|connection| connection.remote.clone()).collect();
                let line = PeerLine::new(Contact { peer: *id, addrs }, head, peer.saying.as_deref());
                writer.line(&line).await?;
            }
        }
        match page.last() {
            Some((last, _)) => after = Some(*last),
            None => return Ok(()),
        }
    }
}

async fn write_servers<M: Member>(writer: &mut LineWriter, view: &HydraView<M>) -> Result<(), NobodyReads> {
    let heads = view.heads();
    let mut after = None;
    loop {
        let page = view.servers(after.as_ref(), PAGE);
        for server in &page {
            if let Some(head) = nearest(&heads, &Key::of_peer(&server.peer)) {
                writer.line(&PeerLine::new(server.clone(), head, None)).await?;
            }
        }
        match page.last() {
            Some(last) => after = Some(Key::of_peer(&last.peer)),
            None => return Ok(()),
        }
    }
}

/// The head that is nearest to a key; `None` if there is none.
fn nearest(heads: &[Arc<HydraHead>], key: &Key) -> Option<PeerId> {
    heads.iter().min_by_key(|head| head.key().distance(key)).map(|head| head.peer())
}
