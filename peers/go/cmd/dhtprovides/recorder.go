package main

import (
	"context"
	"slices"
	"sync"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/lookups"
)

// What happened.
const (
	// told is an update of the search's loop: whom it heard of, and whom it asks then.
	told = "told"
	// end is why the search ended.
	end = "end"
	// late is what came from those it had asked, after its end.
	late = "late"
	// asks and then are a request of the second part, and what came of it.
	asks = "asks"
	then = "then"
	// gives and gave are the record on its way to a peer, and that it was sent, or not.
	gives = "gives"
	gave  = "gave"
	// returned is when the caller was told.
	returned = "returned"
)

// event is one of these.
type event struct {
	kind  string
	peer  peer.ID
	ok    bool
	heard []peer.ID
	asked []peer.ID
	why   string
}

// recorder writes one lookup or publication down. What happens comes from many goroutines.
type recorder struct {
	key string
	// plain says that it is a lookup alone.
	plain bool

	mu      sync.Mutex
	events  []event
	changed chan struct{}
}

func newRecorder(key string, plain bool) *recorder {
	return &recorder{key: key, plain: plain, changed: make(chan struct{}, 1)}
}

func (r *recorder) add(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// ended says that a request is over. Whether its answer still reached the loop shows later.
func (r *recorder) ended(p peer.ID, ok, followUp bool) {
	kind := late
	if followUp {
		kind = then
	}
	r.add(event{kind: kind, peer: p, ok: ok})
}

// watch runs something under a context by which the loop of its lookup tells what it does.
func (r *recorder) watch(parent context.Context, do func(context.Context) error) error {
	parent, cancel := context.WithCancel(parent)
	defer cancel()
	ctx, events := dht.RegisterForLookupEvents(parent)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for e := range events {
			r.loop(e)
		}
	}()
	err := do(ctx)
	r.add(event{kind: returned, ok: err == nil})
	cancel()
	<-read
	return err
}

// loop takes down what the loop says of itself. It waits until that is done.
func (r *recorder) loop(e *dht.LookupEvent) {
	switch {
	case e.Response != nil:
		update := e.Response
		r.add(event{kind: told, peer: update.Cause.Peer, ok: len(update.Unreachable) == 0, heard: ids(update.Heard)})
	case e.Request != nil:
		r.mu.Lock()
		defer r.mu.Unlock()
		for i := len(r.events) - 1; i >= 0; i-- {
			if r.events[i].kind == told {
				r.events[i].asked = append(r.events[i].asked, ids(e.Request.Waiting)...)
				return
			}
		}
	case e.Terminate != nil:
		r.add(event{kind: end, why: e.Terminate.Reason.String()})
	}
}

func ids(peers []*dht.PeerKadID) []peer.ID {
	list := make([]peer.ID, len(peers))
	for i, p := range peers {
		list[i] = p.Peer
	}
	return list
}

// wait waits until every gift is done that there has to be.
func (r *recorder) wait(ctx context.Context) error {
	for !r.done() {
		select {
		case <-r.changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// done says whether all were given the record that the library gives it to, whoever it gave it to before: the closest
// peers that were not unreachable. What is a lookup alone gives nothing.
func (r *recorder) done() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	reachable := map[peer.ID]bool{}
	open, all := 0, 0
	for _, e := range r.events {
		switch e.kind {
		case told:
			for _, id := range e.heard {
				if _, known := reachable[id]; !known {
					reachable[id] = true
				}
			}
			if _, known := reachable[e.peer]; known {
				reachable[e.peer] = e.ok
			}
		case gives:
			all++
			open++
		case gave:
			open--
		}
	}
	count := 0
	for _, ok := range reachable {
		if ok {
			count++
		}
	}
	return open == 0 && (r.plain || all >= min(count, bucketSize))
}

// settled are the events in the order in which they can be told again: a request that ended before the search did, and of
// which the loop was not told, counts as late.
func (r *recorder) settled() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[peer.ID]bool{}
	for _, e := range r.events {
		if e.kind == told {
			seen[e.peer] = true
		}
	}
	// The start is written down a moment after the loop has made it, and is the first nevertheless.
	first := slices.IndexFunc(r.events, func(e event) bool { return e.kind == told })
	if first < 0 {
		return nil
	}
	list := []event{r.events[first]}
	var early []event
	over := false
	for i, e := range r.events {
		switch {
		case i == first:
		case e.kind == late && seen[e.peer]:
		case e.kind == late && !over:
			early = append(early, e)
		case e.kind == end:
			over = true
			list = append(append(list, e), early...)
		default:
			list = append(list, e)
		}
	}
	return list
}

// nearest are the closest peers of all that were heard of, whether they could be reached or not.
func (r *recorder) nearest() []peer.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := map[peer.ID]bool{}
	var all []peer.ID
	for _, e := range r.events {
		for _, id := range e.heard {
			if !known[id] {
				known[id] = true
				all = append(all, id)
			}
		}
	}
	slices.SortFunc(all, lookups.NewDistances(r.key).Compare)
	return all[:min(len(all), bucketSize)]
}

func init() {
	// The loop goes on when what it said was taken down, and not before: gifts stand behind what led to them.
	dht.LookupEventBufferSize = 0
}

// patience is how long gifts may take that go on when a publication has returned: the library gives them a minute.
const patience = 70 * time.Second
