//! Where peers and programs are, and how far it is from there to a peer: one table of delays for both faces of a world.

use std::{net::IpAddr, time::Duration};

use super::World;

impl World {
    /// The name of a peer's region; `None` in a scenario without regions.
    pub fn region(&self, peer: u32) -> Option<&str> {
        self.scenario.regions.get(self.region_of(peer)).map(|region| region.name.as_str())
    }

    /// The region that an address is in, by its number: that of the peer there, of a program that chose an address of that region
    /// ([`ground::program_region`](crate::ground::program_region)), or else the observer's. 0 without regions.
    pub fn region_at(&self, ip: IpAddr) -> usize {
        let of_peer = || self.ground.anyone_at(ip).filter(|&peer| self.peers().contains(&peer));
        let chosen = crate::ground::program_region(ip).filter(|&region| region < self.scenario.regions.len());
        let region = chosen.or_else(|| of_peer().map(|peer| self.region_of(peer)));
        region.unwrap_or_else(|| self.scenario.observer_region())
    }

    /// From the observer to the peer and back.
    pub fn rtt(&self, peer: u32) -> Duration {
        self.rtt_from(self.scenario.observer_region(), peer)
    }

    /// From a region, by its number, to the peer and back.
    pub fn rtt_from(&self, region: usize, peer: u32) -> Duration {
        self.rtt_between(region, self.region_of(peer))
    }

    /// From a region to another one and back, by their numbers.
    pub(crate) fn rtt_between(&self, from: usize, to: usize) -> Duration {
        Duration::from_millis(self.scenario.rtt_between_ms(from, to).into())
    }

    /// The region of a peer, by its number; 0 without regions.
    pub(crate) fn region_of(&self, peer: u32) -> usize {
        self.record(peer).region.into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::scenario::Scenario;

    const REGIONS: &str = "peers = 60\nobserver = 'b'\n[addresses]\nip4 = 0.4\ndual = 0.6\nshared = 0.3\n\
        [[regions]]\nname = 'a'\nshare = 0.5\ncontinents = ['EU']\nrtt_ms = { a = 10, b = 100 }\n\
        [[regions]]\nname = 'b'\nshare = 0.5\ncontinents = ['AS']\nrtt_ms = { b = 30 }";

    #[test]
    fn an_address_is_in_the_region_of_who_is_there() {
        let scenario = Scenario::parse(REGIONS, "x").unwrap();
        for world in [World::generate(&scenario), World::generate_public(&scenario)] {
            let mut seen = HashSet::new();
            for peer in world.peers() {
                for ip in world.location(peer).ips() {
                    let region = world.region_at(ip);
                    assert_eq!(scenario.regions[region].name, world.region(peer).unwrap(), "{ip}");
                    seen.insert(region);
                }
            }
            assert_eq!(seen.len(), 2);
        }
    }

    #[test]
    fn a_program_is_in_the_region_that_its_address_names_or_where_the_observer_is() {
        let scenario = Scenario::parse(REGIONS, "x").unwrap();
        let region = |world: &World, ip: &str| world.region_at(ip.parse().unwrap());
        let public = World::generate_public(&scenario);
        for (ip, expected) in [
            ("18.128.0.1", 0),
            ("18.129.7.7", 1),
            ("2a01:e00:8000::1", 0),
            ("2a01:e00:8001::1", 1),
            // No such region, no region asked for, and who binds no address.
            ("18.130.0.1", 1),
            ("18.1.0.1", 1),
            ("44.0.0.1", 1),
            ("2600:7000::1", 1),
        ] {
            assert_eq!(region(&public, ip), expected, "{ip}");
        }
        let loopback = World::generate(&scenario);
        for (ip, expected) in [("127.0.128.1", 0), ("127.0.129.1", 1), ("127.0.0.1", 1), ("::1", 1)] {
            assert_eq!(region(&loopback, ip), expected, "{ip}");
        }
        assert_eq!(public.rtt_from(region(&public, "18.128.0.1"), 0), {
            let ms = if public.region(0) == Some("a") { 10 } else { 100 };
            Duration::from_millis(ms)
        });
    }
}
