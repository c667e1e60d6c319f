//! What is said over HTTP.

use kad::Keypair;
use multibase::Base;
use serde::{Deserialize, Serialize};

use crate::identity::IndexSet;

/// Asks for indices, or for those again that one has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseOrder {
    /// Who asks, by a name that no other hydra of the fleet has.
    pub holder: String,
    /// How many it wants to have.
    pub count: usize,
}

/// What it has from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseAnswer {
    /// The indices.
    pub indices: IndexSet,
    /// After how many seconds they are free, unless they are asked for again.
    pub expires_in_s: u64,
    /// The fingerprint of the seed: whoever has another one makes other identities of them.
    pub seed: String,
    /// Among how many candidates identities are chosen.
    pub choices: u32,
}

/// Gives indices back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseOrder {
    /// Who had them.
    pub holder: String,
}

/// A key on the old wire: one JSON string with the base64 of libp2p's protobuf, and a line end. `None` if it cannot be written.
pub fn key_on_wire(keypair: &Keypair) -> Option<String> {
    let bytes = keypair.to_protobuf_encoding().ok()?;
    Some(format!("\"{}\"\n", Base::Base64Pad.encode(bytes)))
}

/// Reads one; `None` for anything else.
pub fn key_of_wire(body: &[u8]) -> Option<Keypair> {
    let text: String = serde_json::from_slice(body).ok()?;
    let bytes = Base::Base64Pad.decode(text).ok()?;
    Keypair::from_protobuf_encoding(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Choices, HeadSeed, HeadSequence};

    #[test]
    fn keys_go_over_the_wire_as_they_always_did() {
        let mut sequence = HeadSequence::new(HeadSeed::from_bytes([0; 32]), Choices::ORIGINAL);
        let keypair = sequence.identity(0).unwrap().keypair;
        let text = key_on_wire(&keypair).unwrap();
        assert_eq!(
            text,
            "\"CAESQJsSUSgU+WHngNMMRBxGhKZc9KKOWX+Hj6df3trNlxxfGrfMk5PqES9DxxfVgWaNskW1yBtS4aHmgh2u4l1FCcs=\"\n"
        );
        assert_eq!(key_of_wire(text.as_bytes()).unwrap().public(), keypair.public());
        for wrong in ["", "{}", "CAES", "\"CAES\"", "\"====\"", "\"\""] {
            assert!(key_of_wire(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
