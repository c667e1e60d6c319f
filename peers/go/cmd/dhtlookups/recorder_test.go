package main

import (
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

// value makes a lookup for values with a quorum of one (two values are enough), ended so.
func value(end string, steps ...*step) *recorder {
	r := newRecorder(nil, order{kindValue, "key", 1})
	r.steps = append([]*step{{}}, steps...)
	r.end = end
	return r
}

// told is a step that brought a value.
func told(p peer.ID) *step {
	return &step{peer: p, ok: true, found: []*answer{{peer: p, ok: true, value: true}}}
}

func from(found []*answer) []peer.ID {
	var peers []peer.ID
	for _, a := range found {
		peers = append(peers, a.peer)
	}
	return peers
}

func expect(t *testing.T, what string, found []*answer, peers ...peer.ID) {
	t.Helper()
	if !slices.Equal(from(found), peers) {
		t.Errorf("%s: %v instead of %v", what, from(found), peers)
	}
}

func TestFindingsStandWithTheirAnswer(t *testing.T) {
	r := value("stopped", told("a"), told("b"))
	r.settle()
	expect(t, "first", r.steps[1].found, "a")
	expect(t, "last", r.steps[2].found, "b")
	expect(t, "late", r.late)
}

func TestALoopThatStoppedEarlySawTheAnswerThatWasNotToldYet(t *testing.T) {
	r := value("stopped", told("a"), &step{peer: "b", ok: true})
	r.answers = []*answer{{peer: "c", ok: true, value: true}, {peer: "d", ok: true, value: true}}
	r.settle()
	expect(t, "last", r.steps[2].found, "c")
	expect(t, "late", r.late, "c", "d")
	if !r.late[0].counted || r.late[1].counted {
		t.Error("what was counted with a step is counted again, or never")
	}
}

func TestALoopThatWentOnDidNotSeeWhatItHadBeenTold(t *testing.T) {
	r := value("stopped", told("a"), told("b"), &step{peer: "c"})
	r.settle()
	expect(t, "second", r.steps[2].found)
	expect(t, "last", r.steps[3].found, "b")
	expect(t, "late", r.late)
}

func TestALoopThatDidNotStopSawTooLittle(t *testing.T) {
	r := value("completed", told("a"), told("b"))
	r.settle()
	expect(t, "second", r.steps[2].found)
	expect(t, "held", r.held, "b")
}

func TestProvidersAreCountedOnce(t *testing.T) {
	c := newCount(order{kindProviders, "key", 2})
	a := &answer{providers: []peer.AddrInfo{{ID: "x"}, {ID: "x"}}}
	c.add(a)
	if c.enough() || c.with(a) {
		t.Error("one provider is two")
	}
	if !c.with(&answer{providers: []peer.AddrInfo{{ID: "y"}}}) {
		t.Error("two providers are not enough")
	}
}
