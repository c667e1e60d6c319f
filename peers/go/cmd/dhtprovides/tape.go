package main

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/lookups"
)

// The version of the library whose rules are written down, that of go.mod.
const library = "go-libp2p-kad-dht v0.42.1"

// tape is what is written: a line about the network, and one for each publication or lookup.
type tape struct {
	cfg config

	mu    sync.Mutex
	roll  lookups.Roll
	lines []line
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

// line is one lookup or publication.
type line struct {
	Client int `json:"client"`
	Number int `json:"number"`
	// Way is how it was published; a lookup publishes nothing, and only feeds the estimate.
	Way string `json:"way"`
	Key string `json:"key"`
	Own int    `json:"own"`
	// Size is the estimate that it went by; 0 if there was none.
	Size int32 `json:"size"`
	// Events stand in the order in which they happened. The first is what the search began with. None for a lookup.
	Events []happened `json:"events,omitempty"`
	// Tracked is what the estimate was fed with; null if the lookup was not brought to its end.
	Tracked *fed `json:"tracked"`
}

type happened struct {
	Kind  string `json:"is"`
	Peer  int    `json:"peer"`
	OK    bool   `json:"ok"`
	Heard []int  `json:"heard,omitempty"`
	Asked []int  `json:"asked,omitempty"`
	Why   string `json:"why,omitempty"`
}

type fed struct {
	Closest []int `json:"closest"`
	Table   int   `json:"table"`
	Size    int32 `json:"size"`
}

func newTape(cfg config) *tape {
	return &tape{cfg: cfg}
}

func (t *tape) keep(own peer.ID, j job, size int32, events []event, seen *tracked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := line{Client: j.client, Number: j.number, Way: j.way, Key: hex.EncodeToString([]byte(j.key)), Own: t.roll.Number(own), Size: size}
	if j.way != wayLookUp {
		for _, e := range events {
			written := happened{Kind: e.kind, OK: e.ok, Why: e.why, Heard: t.roll.Numbers(e.heard), Asked: t.roll.Numbers(e.asked)}
			if e.peer != "" {
				written.Peer = t.roll.Number(e.peer)
			}
			l.Events = append(l.Events, written)
		}
	}
	if seen != nil {
		l.Tracked = &fed{Closest: t.roll.Numbers(seen.closest), Table: seen.table, Size: seen.size}
	}
	t.lines = append(t.lines, l)
}

func (t *tape) write(to io.Writer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortFunc(t.lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Number, b.Number))
	})
	out := bufio.NewWriter(to)
	lines := json.NewEncoder(out)
	if err := lines.Encode(head{library, t.cfg.network, bucketSize, concurrency, resiliency, t.roll.IDs}); err != nil {
		return err
	}
	for _, l := range t.lines {
		if err := lines.Encode(l); err != nil {
			return err
		}
	}
	return out.Flush()
}
