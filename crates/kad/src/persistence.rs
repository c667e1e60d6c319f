//! How far a publication goes for its record to be with all who should have it: a choice of whoever publishes.

crate::named! {
    /// How far a publication goes.
    pub enum Persistence {
        /// As far as go-libp2p-kad-dht does, with what that leaves out: whatever is done with counts, whether it failed or not,
        /// and nobody stands in for who could not be given the record.
        Go = "go",
        /// Until every one of the closest that answer was given the record; who was left without it is said.
        Thorough = "thorough",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_variant() {
        assert!(Persistence::ALL.iter().all(|&how| Persistence::from_name(how.name()) == Some(how)));
    }
}
