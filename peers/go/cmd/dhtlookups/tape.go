package main

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/lookups"
)

// The version of the library whose rules are written down, that of go.mod.
const library = "go-libp2p-kad-dht v0.42.1"

// tape is what is written: a line about the network, and one for each lookup.
type tape struct {
	cfg config

	mu      sync.Mutex
	roll    lookups.Roll
	lookups []lookup
}

// head is the first line.
type head struct {
	Library     string `json:"library"`
	Network     string `json:"network"`
	BucketSize  int    `json:"k"`
	Concurrency int    `json:"alpha"`
	Resiliency  int    `json:"beta"`
	// Peers are the ids, in hexadecimal; everywhere else a peer is its place in this list.
	Peers []string `json:"peers"`
}

// lookup is one line.
type lookup struct {
	Number int    `json:"lookup"`
	Kind   string `json:"kind"`
	// Target is the key that was looked up, in hexadecimal.
	Target string `json:"target"`
	// Enough is how many providers are enough, or the quorum of a value; 0 is all of them.
	Enough int   `json:"enough"`
	Own    int   `json:"own"`
	Seeds  []int `json:"seeds"`
	// Asked are those whom it asked to begin with.
	Asked []int `json:"asked"`
	// Steps are what its loop was told, and what it did each time.
	Steps []line `json:"steps"`
	End   string `json:"end"`
	// Held was found before the end, and not seen by the loop.
	Held []finding `json:"held,omitempty"`
	// Late is what came from those it had asked, after its end.
	Late []line `json:"late"`
	// FollowUp are those whom its second part asked, and what came of it.
	FollowUp []int  `json:"follow_up"`
	Then     []line `json:"then"`
	// Closest is what it ended with: the closest peers that were not unreachable at the end of the search.
	Closest []int `json:"closest"`
	// Providers are what the caller was given, in that order.
	Providers []int `json:"providers"`
}

// line is one answer, or one failure.
type line struct {
	Peer int `json:"peer"`
	// Closer is null if the peer failed.
	Closer []int `json:"closer"`
	// Found are the answers whose findings count since this step.
	Found []finding `json:"found,omitempty"`
	// Connected says that the peer looked for is connected since this step.
	Connected bool  `json:"connected,omitempty"`
	Asked     []int `json:"asked,omitempty"`
}

// finding is what an answer held beside closer peers.
type finding struct {
	From int `json:"from"`
	// Providers with addresses, and without.
	Providers []int `json:"providers,omitempty"`
	Bare      []int `json:"bare,omitempty"`
	Value     bool  `json:"value,omitempty"`
}

func newTape(cfg config) *tape {
	return &tape{cfg: cfg}
}

// known are the peers that were heard of so far.
func (t *tape) known() []peer.ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.roll.Peers()
	slices.Sort(known)
	return known
}

// keep takes a lookup in. One that asked nobody, because its end was known, is none.
func (t *tape) keep(number int, r *recorder) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.steps) == 0 {
		return nil
	}
	r.settle()
	closest := r.closest()
	if r.order.kind == kindClosest && !slices.Equal(closest, r.result) {
		return fmt.Errorf("the events tell of %v, the caller was given %v", closest, r.result)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l := lookup{
		Number:    number,
		Kind:      r.order.kind,
		Target:    hex.EncodeToString([]byte(r.order.target)),
		Enough:    r.order.enough,
		Own:       t.roll.Number(r.node.host.ID()),
		Seeds:     t.roll.Numbers(r.steps[0].heard),
		Asked:     t.roll.Numbers(r.steps[0].asked),
		Steps:     []line{},
		End:       r.end,
		Late:      []line{},
		FollowUp:  t.roll.Numbers(r.asked),
		Then:      []line{},
		Closest:   t.roll.Numbers(closest),
		Providers: []int{},
	}
	for i, s := range r.steps[1:] {
		step := t.line(&answer{peer: s.peer, ok: s.ok, closer: s.closer}, s.found)
		step.Asked = t.roll.Numbers(s.asked)
		step.Connected = r.order.kind == kindPeer && r.end == "stopped" && i == len(r.steps)-2
		l.Steps = append(l.Steps, step)
	}
	l.Held = t.findings(r.held)
	for _, a := range r.late {
		found := []*answer{a}
		if a.counted {
			found = nil
		}
		l.Late = append(l.Late, t.line(a, found))
	}
	for _, a := range r.followUp {
		l.Then = append(l.Then, t.line(a, []*answer{a}))
	}
	for _, ai := range r.providers {
		l.Providers = append(l.Providers, t.roll.Number(ai.ID))
	}
	t.lookups = append(t.lookups, l)
	return nil
}

func (t *tape) line(a *answer, found []*answer) line {
	l := line{Peer: t.roll.Number(a.peer), Found: t.findings(found)}
	if a.ok {
		l.Closer = t.roll.Numbers(a.closer)
	}
	return l
}

func (t *tape) findings(found []*answer) []finding {
	var list []finding
	for _, from := range found {
		f := finding{From: t.roll.Number(from.peer), Value: from.value}
		for _, ai := range from.providers {
			if len(ai.Addrs) == 0 {
				f.Bare = append(f.Bare, t.roll.Number(ai.ID))
			} else {
				f.Providers = append(f.Providers, t.roll.Number(ai.ID))
			}
		}
		if f.Value || len(f.Bare)+len(f.Providers) > 0 {
			list = append(list, f)
		}
	}
	return list
}

// closest are the closest peers that were not unreachable when the search ended, as its events tell.
func (r *recorder) closest() []peer.ID {
	unreachable := map[peer.ID]bool{}
	for _, s := range r.steps[1:] {
		unreachable[s.peer] = !s.ok
	}
	known := map[peer.ID]bool{}
	var all []peer.ID
	for _, s := range r.steps {
		for _, id := range s.heard {
			if !known[id] && !unreachable[id] {
				all = append(all, id)
			}
			known[id] = true
		}
	}
	key := lookups.NewDistances(r.order.target)
	slices.SortFunc(all, key.Compare)
	return all[:min(len(all), bucketSize)]
}

func (t *tape) write(to io.Writer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortFunc(t.lookups, func(a, b lookup) int { return cmp.Compare(a.Number, b.Number) })
	out := bufio.NewWriter(to)
	lines := json.NewEncoder(out)
	first := head{library, t.cfg.network, bucketSize, concurrency, resiliency, t.roll.IDs}
	if err := lines.Encode(first); err != nil {
		return err
	}
	for _, l := range t.lookups {
		if err := lines.Encode(l); err != nil {
			return err
		}
	}
	return out.Flush()
}
