//! Asks another hydra for identities: one of ours, or an old one for keys.

use http::{HttpClient, HttpError, HttpFailure, HttpRequest, HttpUrl};
use kad::Keypair;
use serde::Serialize;
use thiserror::Error;

use super::{LeaseAnswer, LeaseOrder, ReleaseOrder, key_of_wire, key_on_wire};

/// Why another hydra gave nothing, or took nothing back. No text has a key or a token in it.
#[derive(Debug, Error)]
pub enum IdgenError {
    /// Nobody answered, or not in time.
    #[error("the hydra at {url} could not be asked to {doing}: {failure}")]
    Asking {
        /// Where it was asked.
        url: String,
        /// For what.
        doing: &'static str,
        /// What went wrong.
        failure: HttpFailure,
    },
    /// It refused.
    #[error("the hydra at {url} refused to {doing}: status {status}{said}")]
    Refused {
        /// Where it was asked.
        url: String,
        /// For what.
        doing: &'static str,
        /// 401 and 403 want a token, or another one; 404 and 405 say that nobody hands out ids there.
        status: u16,
        /// What else it said, behind a colon; empty for nothing.
        said: String,
    },
    /// It answered something else.
    #[error("the hydra at {url} was asked to {doing}, and its answer is no such thing")]
    Answer {
        /// Where it was asked.
        url: String,
        /// For what.
        doing: &'static str,
    },
    /// It cannot be asked like this.
    #[error("the hydra cannot be asked: {0}")]
    Request(#[from] HttpError),
}

/// The most that is shown of what a server says, in characters.
const MAX_SAID: usize = 200;

/// Asks one server. Every request ends within the time of its client.
#[derive(Clone)]
pub struct IdgenClient {
    http: HttpClient,
    server: HttpUrl,
    token: Option<String>,
}

impl std::fmt::Debug for IdgenClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdgenClient").field("server", &self.server).finish_non_exhaustive()
    }
}

impl IdgenClient {
    /// Asks below this URL, with this token if there is one.
    pub fn new(http: HttpClient, server: HttpUrl, token: Option<String>) -> Self {
        Self { http, server, token }
    }

    /// Takes a key. If no answer comes it may be taken nevertheless: the server does not know.
    pub async fn add(&self) -> Result<Keypair, IdgenError> {
        const DOING: &str = "hand out a key";
        let body = self.post("idgen/add", Vec::new(), (DOING, 200)).await?;
        key_of_wire(&body).ok_or_else(|| self.other_answer(DOING))
    }

    /// Gives a key back.
    pub async fn remove(&self, keypair: &Keypair) -> Result<(), IdgenError> {
        const DOING: &str = "take a key back";
        let body = key_on_wire(keypair).ok_or_else(|| self.other_answer(DOING))?;
        self.post("idgen/remove", body.into_bytes(), (DOING, 204)).await.map(drop)
    }

    /// Takes indices, or has those again that it took before under the same name.
    pub async fn lease(&self, order: &LeaseOrder) -> Result<LeaseAnswer, IdgenError> {
        const DOING: &str = "let indices";
        let body = self.post("idgen/lease", self.written(order, DOING)?, (DOING, 200)).await?;
        let answer: Option<LeaseAnswer> = serde_json::from_slice(&body).ok();
        answer.filter(|answer| answer.indices.len() == order.count).ok_or_else(|| self.other_answer(DOING))
    }

    /// Gives the indices of a name back.
    pub async fn release(&self, holder: &str) -> Result<(), IdgenError> {
        const DOING: &str = "take indices back";
        let order = ReleaseOrder { holder: holder.to_owned() };
        self.post("idgen/release", self.written(&order, DOING)?, (DOING, 204)).await.map(drop)
    }

    fn written(&self, order: &impl Serialize, doing: &'static str) -> Result<Vec<u8>, IdgenError> {
        serde_json::to_vec(order).map_err(|_| self.other_answer(doing))
    }

    /// The body of an answer with the status that says that it was done.
    async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        (doing, status): (&'static str, u16),
    ) -> Result<Vec<u8>, IdgenError> {
        let url = || self.server.to_string();
        let mut request =
            HttpRequest::post(self.server.below(path)?, body).header("content-type", "application/json")?;
        if let Some(token) = &self.token {
            request = request.bearer(token)?;
        }
        let failed = |failure| IdgenError::Asking { url: url(), doing, failure };
        let answer = self.http.send(request).await.map_err(failed)?;
        if answer.status == status {
            return Ok(answer.body.to_vec());
        }
        let said = answer.text();
        let said: String = said.trim().chars().filter(|c| !c.is_control()).take(MAX_SAID).collect();
        let said = if said.is_empty() { said } else { format!(": {said}") };
        Err(IdgenError::Refused { url: url(), doing, status: answer.status, said })
    }

    fn other_answer(&self, doing: &'static str) -> IdgenError {
        IdgenError::Answer { url: self.server.to_string(), doing }
    }
}
