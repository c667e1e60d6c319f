package main

import (
	"context"
	"sync"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

// recorder writes one lookup down: answers as they come from the wire, and what
// the library's loop says of itself. Both come from many goroutines.
type recorder struct {
	node  *node
	order order
	// result and providers are what the caller was given.
	result    []peer.ID
	providers []peer.AddrInfo

	mu sync.Mutex
	// steps are the updates of the loop; the first is the start.
	steps []*step
	// answers came from the wire and were not seen by the loop yet, in the order in which they came.
	answers []*answer
	// late are answers and failures of peers asked by the search that came after its end.
	late []*answer
	// held are answers that the loop was told of before its end, and whose findings it did not see.
	held []*answer
	// followUp is what the second part brought, in the order in which it came.
	followUp []*answer
	// asked are those whom the second part asked.
	asked []peer.ID
	// open is how many requests are under way.
	open int
	// end is why the search ended; empty until it did.
	end     string
	changed chan struct{}
}

// step is one update of the loop: what it was told, and whom it asked then.
type step struct {
	peer  peer.ID
	ok    bool
	heard []peer.ID
	// closer are the peers of the answer as they were on the wire.
	closer []peer.ID
	// found are the answers whose providers or values count since this step.
	found []*answer
	asked []peer.ID
}

// answer is what one peer sent.
type answer struct {
	peer      peer.ID
	ok        bool
	closer    []peer.ID
	providers []peer.AddrInfo
	value     bool
	// counted says that what was found stands with a step before the answer.
	counted bool
}

func newRecorder(n *node, o order) *recorder {
	return &recorder{node: n, order: o, changed: make(chan struct{}, 1)}
}

func (r *recorder) change() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// wait waits until the search has ended and no request is under way.
func (r *recorder) wait(ctx context.Context) error {
	for {
		r.mu.Lock()
		over := r.end != "" && r.open == 0
		r.mu.Unlock()
		if over {
			return nil
		}
		select {
		case <-r.changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (r *recorder) sent(p peer.ID, followUp bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	if followUp {
		r.asked = append(r.asked, p)
	}
}

func (r *recorder) failed(p peer.ID, followUp bool) {
	r.came(&answer{peer: p}, followUp)
}

func (r *recorder) answered(p peer.ID, message *pb.Message, followUp bool) {
	a := &answer{peer: p, ok: true}
	for _, closer := range message.GetCloserPeers() {
		a.closer = append(a.closer, peer.ID(closer.GetId()))
	}
	if r.order.kind == kindProviders {
		for _, ai := range pb.PBPeersToPeerInfos(message.GetProviderPeers()) {
			a.providers = append(a.providers, *ai)
		}
	}
	if record := message.GetRecord(); r.order.kind == kindValue && record != nil {
		// A record of another key is a failure to the library.
		a.ok = string(record.GetKey()) == r.order.target
		a.value = a.ok && r.node.dht.Validator.Validate(r.order.target, record.GetValue()) == nil
	}
	r.came(a, followUp)
}

func (r *recorder) came(a *answer, followUp bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	switch {
	case followUp:
		r.followUp = append(r.followUp, a)
	case r.end != "":
		r.late = append(r.late, a)
	default:
		r.answers = append(r.answers, a)
	}
	r.change()
}

// event takes down what the loop says of itself.
func (r *recorder) event(event *dht.LookupEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case event.Response != nil:
		r.update(event.Response)
	case event.Request != nil:
		last := r.steps[len(r.steps)-1]
		last.asked = append(last.asked, ids(event.Request.Waiting)...)
	case event.Terminate != nil:
		r.end = event.Terminate.Reason.String()
		r.change()
	}
}

func (r *recorder) update(update *dht.LookupUpdateEvent) {
	s := &step{peer: update.Cause.Peer, ok: len(update.Queried) > 0, heard: ids(update.Heard)}
	r.steps = append(r.steps, s)
	for i, a := range r.answers {
		if a.peer == s.peer {
			r.answers = append(r.answers[:i:i], r.answers[i+1:]...)
			s.closer = a.closer
			s.found = append(s.found, a)
			return
		}
	}
}

func ids(peers []*dht.PeerKadID) []peer.ID {
	list := make([]peer.ID, len(peers))
	for i, p := range peers {
		list[i] = p.Peer
	}
	return list
}

// settle decides at which step the loop could see what was found. The library
// counts providers and values before, and values sometimes after, its loop is
// told of the answer, and says nothing of it: but its loop stopped when there
// was enough, and went on while there was not.
func (r *recorder) settle() {
	stopped := r.end == "stopped"
	if len(r.steps) == 0 || r.order.kind == kindClosest || r.order.kind == kindPeer {
		r.late = append(r.answers, r.late...)
		return
	}
	count := newCount(r.order)
	last := r.steps[len(r.steps)-1]
	var held []*answer
	for i, s := range r.steps {
		kept := s.found[:0:0]
		for _, a := range s.found {
			if count.with(a) && !(stopped && i == len(r.steps)-1) {
				held = append(held, a)
				continue
			}
			count.add(a)
			kept = append(kept, a)
		}
		s.found = kept
	}
	if !stopped {
		r.held = held
		r.late = append(r.answers, r.late...)
		return
	}
	last.found = append(held, last.found...)
	for _, a := range held {
		count.add(a)
	}
	for _, a := range r.answers {
		if !count.enough() {
			count.add(a)
			last.found = append(last.found, a)
			a.counted = true
		}
	}
	r.late = append(r.answers, r.late...)
}

// count counts what was found as the library does.
type count struct {
	order     order
	providers map[peer.ID]struct{}
	values    int
}

func newCount(o order) *count {
	return &count{order: o, providers: map[peer.ID]struct{}{}}
}

func (c *count) add(a *answer) {
	for _, ai := range a.providers {
		c.providers[ai.ID] = struct{}{}
	}
	if a.value {
		c.values++
	}
}

// with says whether the answer makes enough of what was not.
func (c *count) with(a *answer) bool {
	more := newCount(c.order)
	for id := range c.providers {
		more.providers[id] = struct{}{}
	}
	more.values = c.values
	more.add(a)
	return more.enough()
}

func (c *count) enough() bool {
	switch {
	case c.order.enough == 0:
		return false
	case c.order.kind == kindProviders:
		return len(c.providers) >= c.order.enough
	default:
		return c.values > c.order.enough
	}
}
