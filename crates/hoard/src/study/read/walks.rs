//! Lookups with what came of each request, one at a time: all of them are too many for memory.

use std::{collections::HashSet, iter::Peekable};

use kad::lookup::LookupKind;
use schema::{HoardLookup, HoardProvider, LookupRequest, RunId, Timestamp};
use store::{Rows, Store};

use super::{KeyPlaces, MAX_STUDY_RESPONSES, StudyError, numbers::Numbers, within};
use crate::study::{Study, StudyLookup, StudyProvider, StudyResponse};

/// One lookup of a study with its requests. Where it stands: the key among those of the study, the round among those of the key, the
/// lookup among those of the round.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyWalk {
    /// The place of the key.
    pub key: usize,
    /// The place of the round.
    pub round: usize,
    /// The place of the lookup.
    pub lookup: usize,
    /// Its requests, in the order in which they were decided on.
    pub responses: Vec<StudyResponse>,
}

/// The lookups of a study with their requests, in the order in which they were kept. After an error it ends. In memory is one round of one
/// key.
pub struct StudyWalks<'a> {
    study: &'a Study,
    store: &'a Store,
    numbers: Numbers,
    places: KeyPlaces,
    run: usize,
    rows: Option<RunRows<'a>>,
    /// Lookups that are put together, the last first.
    ready: Vec<StudyWalk>,
    /// Of lookups that began at one moment, those that had their requests.
    had: HashSet<Place>,
    is_over: bool,
}

/// What is left of the rows of one run.
struct RunRows<'a> {
    requests: Peekable<Rows<'a, LookupRequest>>,
    providers: Peekable<Rows<'a, HoardProvider>>,
}

/// Where a lookup stands in a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    key: usize,
    round: usize,
    lookup: usize,
}

impl std::fmt::Debug for StudyWalks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StudyWalks").field("run", &self.run).finish_non_exhaustive()
    }
}

impl Study {
    /// Its lookups with their requests, read from the store that it was read from, in the order in which they were kept. Requests of lookups
    /// that are none of its rounds are passed over.
    pub fn walks<'a>(&'a self, store: &'a Store) -> Result<StudyWalks<'a>, StudyError> {
        let (numbers, _) = Numbers::beside(store, &self.runs, self.peers.clone())?;
        let places = KeyPlaces::of(&self.keys);
        Ok(StudyWalks {
            study: self,
            store,
            numbers,
            places,
            run: 0,
            rows: None,
            ready: Vec::new(),
            had: HashSet::new(),
            is_over: false,
        })
    }
}

impl Iterator for StudyWalks<'_> {
    type Item = Result<StudyWalk, StudyError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_over {
            match self.read() {
                Ok(is_more) => self.is_over = !is_more,
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
        self.ready.pop().map(Ok)
    }
}

impl StudyWalks<'_> {
    /// Reads the requests that belong together; `false` if there are no more.
    fn read(&mut self) -> Result<bool, StudyError> {
        let Some(run) = self.study.runs.get(self.run) else { return Ok(false) };
        let mut rows = match self.rows.take() {
            Some(rows) => rows,
            None => RunRows::of(self.store, run.start.id)?,
        };
        let requests = rows.next_requests()?;
        let Some(first) = requests.first() else {
            self.run += 1;
            return Ok(true);
        };
        let mut places = self.places(&first.key, (first.kind, first.lookup_started_at));
        // Of several that began at one moment it is the first ones whose requests come first.
        let is_shared = places.len() > 1;
        places.retain(|place| !is_shared || !self.had.contains(place));
        let parts = parted(requests, places.len());
        let mut walks = Vec::with_capacity(parts.len());
        for (place, requests) in places.into_iter().zip(&parts) {
            let named = rows.next_providers(|row| self.is_of(row, place), |row| self.is_known(row))?;
            walks.push(self.walk(place, requests, &named));
            if is_shared {
                self.had.insert(place);
            }
        }
        walks.reverse();
        self.ready = walks;
        self.rows = Some(rows);
        Ok(true)
    }

    /// The lookups of a kind for a key that began at one moment, in the order of the arms.
    fn places(&self, key: &[u8], (kind, at): (LookupKind, Timestamp)) -> Vec<Place> {
        let mut places = Vec::new();
        for (_, place) in self.places.all(key) {
            for (round, made) in self.study.keys[place].rounds.iter().enumerate() {
                let is_it = |lookup: &StudyLookup| {
                    lookup.began_at == at
                        && (lookup.lookup == HoardLookup::Closest) == (kind == LookupKind::Closest)
                };
                let lookups = made.lookups.iter().enumerate().filter(|(_, lookup)| is_it(lookup));
                places.extend(lookups.map(|(lookup, _)| Place { key: place, round, lookup }));
            }
        }
        places
    }

    fn is_of(&self, row: &HoardProvider, place: Place) -> bool {
        let key = &self.study.keys[place.key];
        let round = &key.rounds[place.round];
        row.arm == key.arm
            && row.round == round.round
            && row.lookup == round.lookups[place.lookup].lookup
            && row.key == key.key
    }

    /// Whether there is such a lookup.
    fn is_known(&self, row: &HoardProvider) -> bool {
        let round = self.places.get(&row.key, row.arm).and_then(|key| self.study.keys[key].round(row.round));
        round.is_some_and(|round| round.lookup(row.lookup).is_some())
    }

    fn walk(&self, place: Place, requests: &[LookupRequest], named: &[HoardProvider]) -> StudyWalk {
        let Place { key, round, lookup } = place;
        let mut responses: Vec<_> =
            requests.iter().filter_map(|request| self.response(key, request, named)).collect();
        responses.sort_by_key(|response| response.asked_after);
        StudyWalk { key, round, lookup, responses }
    }

    fn response(
        &self,
        key: usize,
        request: &LookupRequest,
        named: &[HoardProvider],
    ) -> Option<StudyResponse> {
        let peer = |number| self.numbers.peer(self.run, number);
        let of_it = named.iter().filter(|row| row.responder == request.peer);
        let provider =
            |row: &HoardProvider| Some(StudyProvider { peer: peer(row.peer)?, addresses: row.addresses });
        let mut providers: Vec<_> = of_it.filter_map(provider).collect();
        if providers.is_empty() && request.providers == 1 {
            providers.extend(self.own_provider(key, request));
        }
        let is_answered = request.fate == kad::lookup::RpcFate::Answered;
        Some(StudyResponse {
            from: peer(request.peer)?,
            asked_after: request.asked_after,
            answered_after: request.ended_after.filter(|_| is_answered),
            hop: request.hop,
            fate: request.fate,
            failure: request.failure.as_ref().map(|failure| failure.class),
            closer: request.closer,
            providers,
        })
    }

    /// Who is meant where nobody but the key's provider was named: then there is no row of it.
    fn own_provider(&self, key: usize, request: &LookupRequest) -> Option<StudyProvider> {
        let provider = self.study.keys.get(key)?.provider;
        let number = self.numbers.known(&provider)?;
        Some(StudyProvider { peer: number, addresses: request.providers_with_addresses })
    }
}

/// The requests of lookups that began at one moment, each apart: those of one are kept in the order in which they were decided on, so where
/// an earlier one comes another lookup begins.
fn parted(requests: Vec<LookupRequest>, lookups: usize) -> Vec<Vec<LookupRequest>> {
    let mut parts: Vec<Vec<LookupRequest>> = vec![Vec::new()];
    for request in requests {
        let count = parts.len();
        if let Some(part) = parts.last_mut() {
            let is_next = part.last().is_some_and(|last| last.asked_after > request.asked_after);
            if is_next && count < lookups {
                parts.push(vec![request]);
            } else {
                part.push(request);
            }
        }
    }
    parts
}

impl<'a> RunRows<'a> {
    fn of(store: &'a Store, run: RunId) -> Result<Self, StudyError> {
        Ok(Self { requests: store.rows(run)?.peekable(), providers: store.rows(run)?.peekable() })
    }

    /// The next requests of one kind for one key that began at one moment; none after the last.
    fn next_requests(&mut self) -> Result<Vec<LookupRequest>, StudyError> {
        let Some(first) = self.requests.next().transpose()? else { return Ok(Vec::new()) };
        let mut requests = vec![first];
        let is_like = |first: &LookupRequest, row: &LookupRequest| {
            row.lookup_started_at == first.lookup_started_at && row.kind == first.kind && row.key == first.key
        };
        while let Some(row) =
            self.requests.next_if(|row| row.as_ref().map_or(true, |row| is_like(&requests[0], row)))
        {
            requests.push(row?);
            within(requests.len(), MAX_STUDY_RESPONSES, "responses of one lookup")?;
        }
        Ok(requests)
    }

    /// The next providers if they are those of one lookup; those of no lookup at all are passed over.
    fn next_providers(
        &mut self,
        is_of: impl Fn(&HoardProvider) -> bool,
        is_known: impl Fn(&HoardProvider) -> bool,
    ) -> Result<Vec<HoardProvider>, StudyError> {
        let mut providers = Vec::new();
        let wanted =
            |row: &Result<HoardProvider, _>| row.as_ref().map_or(true, |row| is_of(row) || !is_known(row));
        while let Some(row) = self.providers.next_if(wanted) {
            providers.push(row?);
        }
        providers.retain(is_of);
        Ok(providers)
    }
}
