package main

import (
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

func kinds(events []event) []string {
	var list []string
	for _, e := range events {
		list = append(list, e.kind)
	}
	return list
}

func recorded(events ...event) *recorder {
	r := newRecorder("key", false)
	for _, e := range events {
		r.add(e)
	}
	return r
}

func TestTheStartIsFirst(t *testing.T) {
	r := recorded(event{kind: gives, peer: "a"}, event{kind: told, peer: "own", ok: true, heard: []peer.ID{"a"}})
	if got := kinds(r.settled()); !slices.Equal(got, []string{told, gives}) {
		t.Errorf("%v", got)
	}
}

func TestAnAnswerThatTheLoopWasNotToldOfIsLate(t *testing.T) {
	r := recorded(
		event{kind: told, peer: "own", ok: true, heard: []peer.ID{"a", "b"}},
		event{kind: late, peer: "a", ok: true},
		event{kind: told, peer: "a", ok: true},
		event{kind: late, peer: "b", ok: true},
		event{kind: end, why: "stopped"},
	)
	if got := kinds(r.settled()); !slices.Equal(got, []string{told, told, end, late}) {
		t.Errorf("%v", got)
	}
}

func TestItWaitsForAllWhoCanBeReached(t *testing.T) {
	r := recorded(
		event{kind: told, peer: "own", ok: true, heard: []peer.ID{"a", "b"}},
		event{kind: told, peer: "b"},
	)
	if r.done() {
		t.Error("nobody was given the record yet")
	}
	r.add(event{kind: gives, peer: "a"})
	if r.done() {
		t.Error("a gift is under way")
	}
	r.add(event{kind: gave, peer: "a", ok: true})
	if !r.done() {
		t.Error("the unreachable are waited for")
	}
}
