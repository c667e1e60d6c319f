//! The HTTP API of a hydra: who may ask there, and the ids that it hands out.

use std::sync::Arc;

use ::hydra::{
    Allotments, HeadSeed, HeadSequence, HydraApi, IdgenServer, StateError, idgen_refused, idgen_routes,
};
use http::{Access, HttpError, Listening, TakenAddress, Token};
use net::Host;

use super::{of_state, plan::Plan};
use crate::{args::HydraArgs, clock, exit::Failed, output, staying::Staying, token};

/// The variable that may have the token itself.
const TOKEN_VARIABLE: &str = "KADSCOPE_HYDRA_API_TOKEN";

/// Where somebody may ask, and who.
#[derive(Debug)]
pub(super) struct ApiDoor {
    address: TakenAddress,
    access: Access,
}

/// Takes the address, and answers nobody yet; `None` if there is to be none.
pub(super) fn door(args: &HydraArgs) -> anyhow::Result<Option<ApiDoor>> {
    let Some(address) = args.api.api_addr else { return Ok(None) };
    let token = token::text_of(args.api.api_token_file.as_deref(), TOKEN_VARIABLE)?;
    let token = token.map(|text| Token::new(&text)).transpose();
    let token = token.map_err(|error| Failed::usage(format!("cannot use the token of the API: {error}")))?;
    let access = Access::at(address, token, false).map_err(|error| match error {
        HttpError::NeedsToken { .. } => Failed::usage(format!(
            "--api-addr {address}: {error}\n--api-token-file FILE (or {TOKEN_VARIABLE}) says which token"
        )),
        other => Failed::usage(other.to_string()),
    })?;
    Ok(Some(ApiDoor { access, address: TakenAddress::bind(address)? }))
}

impl ApiDoor {
    /// Answers from now on: of the heads, once they are there.
    pub(super) fn open(
        self,
        args: &HydraArgs,
        plan: &Plan,
        api: &HydraApi<Host>,
        staying: &Staying,
    ) -> anyhow::Result<Listening> {
        let has_token = matches!(self.access, Access::Bearer(_));
        let mut room = staying.room(self.access);
        let idgen = if has_token {
            idgen_routes(Arc::new(server(plan, args).map_err(|error| of_state(&error))?))
        } else {
            idgen_refused()
        };
        room.routes = api.routes();
        room.private_routes = api.private_routes().merge(idgen);
        let listening = room.open(self.address)?;
        output::note(&format!("the HTTP API is at http://{}", listening.address()));
        Ok(listening)
    }
}

/// Hands out identities of the seed, beside those of the heads; without a seed those of one that nobody else has, around the heads.
fn server(plan: &Plan, args: &HydraArgs) -> Result<IdgenServer, StateError> {
    let choices = args.heads.choices;
    if let Some(seed) = &plan.seed {
        let sequence = HeadSequence::new(seed.clone(), choices);
        let own = plan.heads.iter().map(|head| head.index);
        let state = plan.state.clone();
        return IdgenServer::of_shared_seed(Allotments::new(sequence, own), state, clock::since_epoch);
    }
    let mut sequence = HeadSequence::new(HeadSeed::from_bytes(rand::random()), choices);
    for head in &plan.heads {
        sequence.reserve(&head.keypair.public().to_peer_id());
    }
    Ok(IdgenServer::new(Allotments::new(sequence, []), clock::since_epoch))
}
