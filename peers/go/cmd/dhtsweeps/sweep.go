package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p-kad-dht/provider"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multihash"
)

// sweepHead is the first line of a recorded sweep.
type sweepHead struct {
	Library string `json:"library"`
	Peers   int    `json:"peers"`
	Own     string `json:"own"`
	// Keys are the numbers of the keys that were to be published.
	Keys []int `json:"keys"`
	Dead []int `json:"dead"`
}

// sweepLine is a lookup, or else what was sent between two lookups: who was
// sent which keys, in the order in which each peer was.
type sweepLine struct {
	Target  string        `json:"target,omitempty"`
	Closest []int         `json:"closest,omitempty"`
	Sent    map[int][]int `json:"sent,omitempty"`
}

// sweepTape is the scripted network of a sweep, and what it saw.
type sweepTape struct {
	*network
	dead map[int]bool
	keys map[string]int

	mu    sync.Mutex
	lines []sweepLine
	last  time.Time
}

// GetClosestPeers is a lookup, which finds the true closest ones at once.
func (t *sweepTape) GetClosestPeers(_ context.Context, target string) ([]peer.ID, error) {
	closest := t.closest(place(target))
	ids := make([]peer.ID, len(closest))
	for i, n := range closest {
		ids[i] = peerID(n)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
	t.lines = append(t.lines, sweepLine{Target: hex.EncodeToString([]byte(target)), Closest: closest})
	return ids, nil
}

// SendRequest is not used by a provider.
func (t *sweepTape) SendRequest(context.Context, peer.ID, *pb.Message) (*pb.Message, error) {
	return nil, errors.New("nobody is asked anything")
}

// SendMessage gives a record to a peer.
func (t *sweepTape) SendMessage(_ context.Context, p peer.ID, m *pb.Message) error {
	number := t.numbers[p]
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
	if len(t.lines) == 0 || t.lines[len(t.lines)-1].Sent == nil {
		t.lines = append(t.lines, sweepLine{Sent: map[int][]int{}})
	}
	sent := t.lines[len(t.lines)-1].Sent
	sent[number] = append(sent[number], t.keys[string(m.Key)])
	if t.dead[number] {
		return errors.New("dead")
	}
	return nil
}

// quiet says whether nothing has happened for a while.
func (t *sweepTape) quiet() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.last.IsZero() && time.Since(t.last) > 2*time.Second
}

// runSweep publishes keys once, with one worker: one region after the other.
func runSweep(ctx context.Context, cfg config, out io.Writer) error {
	draws := newDraws(cfg.seed)
	t := &sweepTape{network: newNetwork(cfg.peers), dead: map[int]bool{}, keys: map[string]int{}}
	for i := range cfg.peers {
		if draws.Float64() < cfg.dead {
			t.dead[i] = true
		}
	}
	own := peerID(cfg.peers)
	online := make(chan struct{})
	sweeping, err := provider.New(
		provider.WithPeerID(own),
		provider.WithRouter(t),
		provider.WithMessageSender(t),
		provider.WithSelfAddrs(func() []ma.Multiaddr { return []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")} }),
		provider.WithReprovideInterval(0),
		provider.WithMaxWorkers(1),
		provider.WithDedicatedBurstWorkers(0),
		provider.WithDedicatedPeriodicWorkers(0),
		provider.WithConnectivityCallbacks(func() { close(online) }, nil, nil),
	)
	if err != nil {
		return err
	}
	defer sweeping.Close()
	select {
	case <-online:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// It measures how long prefixes are before it provides anything.
	for !t.measured() {
		time.Sleep(10 * time.Millisecond)
	}
	numbers := unevenKeys()
	keys := make([]multihash.Multihash, len(numbers))
	for i, n := range numbers {
		keys[i] = key(n)
		t.keys[string(keys[i])] = i
	}
	time.Sleep(100 * time.Millisecond)
	if err := sweeping.ProvideOnce(keys...); err != nil {
		return err
	}
	for !t.quiet() {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return t.write(out, string(own), numbers)
}

// measured says whether the lookups are done that precede everything: of its
// own id, and of four random keys.
func (t *sweepTape) measured() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lines) >= 5
}

// unevenKeys chooses keys so that no two parts of the key space have as many:
// the library begins with the part that has most, and takes others in any
// order. The n-th of 32 parts has n keys; so those of any two beside each other
// differ, too, where the library takes larger parts.
func unevenKeys() []int {
	var chosen []int
	var counts [32]int
	for n, left := 0, 32; left > 0; n++ {
		p := place(string(key(n)))
		part := p[0] >> 3
		if counts[part] < int(part)+1 {
			counts[part]++
			chosen = append(chosen, n)
			if counts[part] == int(part)+1 {
				left--
			}
		}
	}
	return chosen
}

func (t *sweepTape) write(out io.Writer, own string, keys []int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := json.NewEncoder(out)
	head := sweepHead{library, len(t.places), hex.EncodeToString([]byte(own)), keys, sorted(t.dead)}
	if err := lines.Encode(head); err != nil {
		return err
	}
	for _, line := range t.lines {
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
