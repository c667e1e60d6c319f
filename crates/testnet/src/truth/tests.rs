//! Verdicts on hand-made observations, and the truth file.

use super::*;
use crate::Scenario;

fn truth(text: &str) -> Truth {
    Truth::of(Arc::new(World::generate(&Scenario::parse(text, "test").expect("a scenario"))))
}

/// What a perfect observer says.
fn perfect(truth: &Truth) -> Observed {
    let world = truth.world();
    let peers = world.peers().map(|peer| {
        let Expected { reachable, classes } = truth.expected(peer);
        let read = reachable && world.state(peer).is_honest_server();
        ObservedPeer {
            id: world.peer_id(peer),
            reachable,
            class: classes.first().map(|&class| class.into()),
            neighbors: Some(if read { world.neighbors(peer).to_vec() } else { Vec::new() }),
            said: Some(Box::new(Said {
                agent: reachable.then(|| world.agent(peer).to_owned()),
                protocols: if reachable { owned(world.protocols(peer)) } else { Vec::new() },
                addresses: world.addresses(peer),
            })),
        }
    });
    Observed { peers: peers.collect() }
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_perfect_observer_is_right_in_everything() {
    let truth = truth("peers = 200\n[[states]]\nstate = 'refusing'\nshare = 0.2");
    let verdict = truth.judge(&perfect(&truth));
    assert_eq!((verdict.peer_recall, verdict.peer_precision, verdict.reachability_accuracy), (1.0, 1.0, 1.0));
    assert_eq!((verdict.edge_recall, verdict.edge_precision), (Some(1.0), Some(1.0)));
    assert_eq!((verdict.peers.expected, verdict.peers.missed, verdict.wrong_classes), (200, 0, 0));
    assert_eq!((verdict.wrong_identities, verdict.wrong_addresses), (0, 0));
    let of_states: Vec<_> = verdict.states.iter().map(|count| (&*count.state, count.right)).collect();
    assert_eq!(of_states, [("online", 160), ("refusing", 40)]);
}

#[test]
fn what_is_missed_and_what_is_invented_are_counted_apart() {
    let truth = truth("peers = 100");
    let mut observed = perfect(&truth);
    observed.peers.truncate(75);
    let stranger = ObservedPeer { id: libp2p_identity::PeerId::random(), ..observed.peers[0].clone() };
    observed.peers.push(stranger);
    let verdict = truth.judge(&observed);
    assert_eq!((verdict.peers.found, verdict.peers.missed, verdict.peers_invented), (75, 25, 1));
    assert_eq!((verdict.peer_recall, verdict.peer_precision), (0.75, 75.0 / 76.0));
    // The stranger's edges exist nowhere; nor do edges to positions past the end of the list.
    assert!(verdict.edges_invented > 60 && verdict.edges.missed > 25 * 60, "{verdict:?}");
}

#[test]
fn the_same_peer_named_twice_counts_once() {
    let truth = truth("peers = 50");
    let mut observed = perfect(&truth);
    observed.peers.push(ObservedPeer { neighbors: None, ..observed.peers[0].clone() });
    let verdict = truth.judge(&observed);
    assert_eq!((verdict.peers.found, verdict.peers_invented, verdict.peer_precision), (50, 0, 1.0));
}

#[test]
fn wrong_reachability_and_wrong_classes_are_listed() {
    let truth = truth("peers = 100\n[[states]]\nstate = 'dropping'\nshare = 0.1");
    let mut observed = perfect(&truth);
    let dead = observed.peers.iter().position(|peer| !peer.reachable).expect("a dead one");
    let alive = observed.peers.iter().position(|peer| peer.reachable).expect("a live one");
    observed.peers[dead].class = Some("connection_refused".into());
    observed.peers[alive].reachable = false;
    observed.peers[alive].class = Some("timeout".into());
    let verdict = truth.judge(&observed);
    assert_eq!((verdict.wrong_classes, verdict.wrongly_unreachable, verdict.wrongly_reachable), (2, 1, 0));
    assert!((verdict.reachability_accuracy - 0.99).abs() < 1e-9);
    let wrong = verdict.wrong.iter().find(|wrong| wrong.state == "dropping").expect("listed");
    assert_eq!((wrong.expected, wrong.reported.as_deref()), (&["timeout"][..], Some("connection_refused")));
}

#[test]
fn fakes_are_no_lie_of_the_observer_until_it_calls_them_reachable() {
    let truth = truth("peers = 40\n[[states]]\nstate = 'inventing'\nshare = 0.1");
    let world = truth.world();
    let liar = world.peers().find(|&peer| matches!(world.state(peer), State::Inventing(_))).expect("a liar");
    let mut observed = perfect(&truth);
    let fake = |number| {
        let id = crate::id::Id::of_ed25519(&world.forger.public_key(number)).to_peer_id();
        ObservedPeer {
            id,
            reachable: false,
            class: Some("connection_refused".into()),
            neighbors: None,
            said: None,
        }
    };
    observed.peers.extend([fake(0), fake(1)]);
    observed.peers[liar as usize].neighbors = Some(vec![40, 41]);
    let verdict = truth.judge(&observed);
    assert_eq!((verdict.announced_fakes, verdict.edges_of_liars, verdict.edges_invented), (2, 2, 0));
    assert_eq!((verdict.peer_precision, verdict.edge_precision), (1.0, Some(1.0)));
    assert_eq!((verdict.wrongly_reachable, verdict.wrongly_unreachable), (0, 0));
    observed.peers[41].reachable = true;
    let verdict = truth.judge(&observed);
    assert_eq!((verdict.fakes_called_reachable, verdict.wrongly_reachable), (1, 1));
    assert!(verdict.reachability_accuracy < 1.0);
}

#[test]
fn an_invented_edge_costs_precision_and_no_edges_are_no_number() {
    let truth = truth("peers = 60");
    let mut observed = perfect(&truth);
    let first = observed.peers[0].neighbors.as_mut().expect("kept");
    let own = first.len();
    first.extend([0, 0]);
    let verdict = truth.judge(&observed);
    assert_eq!(verdict.edges_invented, 1);
    let edges = verdict.edges.expected as f64;
    assert_eq!(verdict.edge_precision, Some(edges / (edges + 1.0)));
    assert!(own > 20);
    for peer in &mut observed.peers {
        peer.neighbors = None;
    }
    let verdict = truth.judge(&observed);
    assert_eq!((verdict.edge_recall, verdict.edge_precision), (None, None));
}

#[test]
fn who_is_known_only_to_those_that_do_not_answer_cannot_be_missed() {
    // With one entry a bucket and nine of ten entries missing, many peers are in nobody's table.
    let truth = truth("peers = 400\n[tables]\nk = 1\nholes = 0.9");
    let known = truth.peers().filter(|peer| peer.discoverable).count();
    assert!(known < 400, "{known}");
    let verdict = truth.judge(&perfect(&truth));
    assert_eq!(verdict.peers.expected, known as u64);
    assert_eq!((verdict.peer_recall, verdict.peers_beyond), (1.0, 400 - known as u64));
    let nothing = truth.judge(&Observed::default());
    assert_eq!((nothing.peers.found, nothing.peers.missed), (0, known as u64));
}

#[test]
fn the_truth_file_tells_all_of_each_peer() {
    let truth = truth("peers = 30\nseed = 5\n[[states]]\nstate = 'reset'\nat = 'secure'\nshare = 0.2");
    let mut file = Vec::new();
    truth.write_json(&mut file).expect("written");
    let json: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
    assert_eq!((json["seed"].as_u64(), json["bootstrap"].as_array().map(Vec::len)), (Some(5), Some(5)));
    let peers = json["peers"].as_array().expect("a list");
    assert_eq!(peers.len(), 30);
    let reset = peers.iter().find(|peer| peer["state"] == "reset").expect("one");
    assert_eq!((reset["at"].as_str(), reset["reachable"].as_bool()), (Some("secure"), Some(false)));
    assert_eq!(reset["classes"][0], "connection_reset");
    let online = peers.iter().find(|peer| peer["state"] == "online").expect("one");
    let ids: Vec<&str> = peers.iter().filter_map(|peer| peer["id"].as_str()).collect();
    let neighbors = online["neighbors"].as_array().expect("a list");
    assert!(!neighbors.is_empty() && neighbors.iter().all(|id| ids.contains(&id.as_str().unwrap_or(""))));
    for key in ["addresses", "agent", "protocols"] {
        assert!(!online[key].is_null(), "{key}");
    }
}

#[test]
fn what_is_said_of_agents_protocols_and_addresses_is_judged() {
    let truth = truth("peers = 50\n[[states]]\nstate = 'refusing'\nshare = 0.2");
    let wrong = |spoil: &dyn Fn(&mut Said)| {
        let mut observed = perfect(&truth);
        let alive = observed.peers.iter_mut().find(|peer| peer.reachable).expect("a live one");
        spoil(alive.said.as_mut().expect("said"));
        let verdict = truth.judge(&observed);
        (verdict.wrong_identities, verdict.wrong_addresses)
    };
    assert_eq!(wrong(&|said| said.protocols.reverse()), (0, 0));
    assert_eq!(wrong(&|said| said.agent = None), (1, 0));
    assert_eq!(wrong(&|said| said.agent = Some("another".to_owned())), (1, 0));
    assert_eq!(wrong(&|said| said.protocols.truncate(2)), (1, 0));
    assert_eq!(wrong(&|said| said.addresses.clear()), (0, 1));
    assert_eq!(wrong(&|said| said.addresses.push("/ip4/127.9.9.9/tcp/1".parse().expect("one"))), (0, 1));
}

#[test]
fn the_truth_of_those_who_come_and_go_is_that_of_the_start() {
    let truth = truth(
        "peers = 120\n[[life.classes]]\nname = 'all'\nshare = 0.8\n\
         up = { law = 'exponential', median_s = 600 }\ndown = { law = 'exponential', median_s = 600 }\n\
         moves = { share = 0.5, addresses = 2 }\nrotates = { share = 0.5, ids = 2 }",
    );
    let mut out = Vec::new();
    truth.write_json(&mut out).expect("written");
    let json: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    let (mut up, mut down) = (0, 0);
    for (peer, entry) in truth.peers().zip(json["peers"].as_array().expect("a list")) {
        let life = &entry["life"];
        assert_eq!(
            life.is_null(),
            truth.world().life_class(truth.world().find(&peer.id.parse().unwrap()).unwrap()).is_none()
        );
        if life.is_null() {
            continue;
        }
        assert_eq!((&life["class"], &life["absence"]), (&"all".into(), &"refused".into()));
        assert_eq!(
            (life["ids"].as_array().map(Vec::len), life["places"].as_array().map(Vec::len)),
            (Some(2), Some(2))
        );
        if life["up"] == true {
            up += 1;
            let place = usize::try_from(life["place"].as_u64().expect("a number")).expect("a place");
            assert_eq!(entry["addresses"], life["places"][place]);
        } else {
            down += 1;
            assert_eq!(
                (&entry["reachable"], &entry["classes"][0]),
                (&false.into(), &"connection_refused".into())
            );
        }
    }
    assert!(up > 15 && down > 50, "{up} up, {down} down");
    // Who watches at the very start is right in everything.
    let world = truth.world();
    let observed = world.peers().map(|peer| {
        let Expected { reachable, classes } = truth.expected(peer);
        ObservedPeer {
            id: world.peer_id(peer),
            reachable,
            class: classes.first().map(|&class| class.into()),
            neighbors: reachable.then(|| truth.neighbors(peer).into_owned()),
            said: None,
        }
    });
    let verdict = truth.judge(&Observed { peers: observed.collect() });
    assert_eq!((verdict.reachability_accuracy, verdict.wrong_classes, verdict.edges.missed), (1.0, 0, 0));
}
