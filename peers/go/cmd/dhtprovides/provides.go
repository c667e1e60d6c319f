package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p-kad-dht/netsize"
	kb "github.com/libp2p/go-libp2p-kbucket"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/sync/errgroup"

	"kadscope-peers/go/internal/lookups"
	"kadscope-peers/go/internal/loopback"
)

// provideAll lets every client publish.
func provideAll(ctx context.Context, cfg config, tape *tape) error {
	group, ctx := errgroup.WithContext(ctx)
	for client := range cfg.clients {
		group.Go(func() error { return work(ctx, cfg, tape, client) })
	}
	return group.Wait()
}

// work is one client.
func work(ctx context.Context, cfg config, tape *tape, client int) error {
	optimistic := client%2 == 1
	n, err := join(cfg, optimistic)
	if err != nil {
		return err
	}
	defer n.close()
	if err := loopback.Enter(ctx, n.host, n.dht, cfg.bootstrap); err != nil {
		return err
	}
	draws := lookups.NewDraws(cfg.seed<<20 + uint64(client))
	for i := range cfg.lookups + cfg.provides {
		key := draws.Multihash()
		way := wayLookUp
		if i >= cfg.lookups {
			way = wayClassic
			if optimistic {
				way = wayOptimistic
			}
		}
		if err := n.do(ctx, tape, job{client, i, way, string(key)}); err != nil {
			return fmt.Errorf("client %d, %d: %w", client, i, err)
		}
		fmt.Fprintf(os.Stderr, "dhtprovides: client %d: %d %s\n", client, i, way)
	}
	return nil
}

// The ways.
const (
	wayLookUp     = "lookup"
	wayClassic    = "classic"
	wayOptimistic = "optimistic"
)

// job is one lookup or publication.
type job struct {
	client int
	number int
	way    string
	key    string
}

// do does it, and writes it down.
func (n *node) do(ctx context.Context, tape *tape, j job) error {
	r := newRecorder(j.key, j.way == wayLookUp)
	n.sender.current.Store(r)
	// What it goes by is what was known before.
	size, err := n.dht.NetworkSize()
	if err != nil {
		if !errors.Is(err, netsize.ErrNotEnoughData) {
			return err
		}
		size = 0
	}
	err = r.watch(ctx, func(ctx context.Context) error {
		if j.way == wayLookUp {
			_, err := n.dht.GetClosestPeers(ctx, j.key)
			return err
		}
		return n.dht.Provide(ctx, cid.NewCidV1(cid.Raw, []byte(j.key)), true)
	})
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := r.wait(waiting); err != nil {
		return fmt.Errorf("gifts that do not end: %w", err)
	}
	seen, err := n.track(r)
	if err != nil {
		return err
	}
	tape.keep(n.host.ID(), j, size, r.settled(), seen)
	return nil
}

// tracked is what the estimate was fed with, and what it said then.
type tracked struct {
	closest []peer.ID
	// table is how many peers of the table share so many bits with us as the key does.
	table int
	// size is 0 as long as there is none.
	size int32
}

// track feeds the second estimator, if the library fed its own: when it did, its estimate is a new one. Whether it did
// shows by comparison only, so both are asked.
func (n *node) track(r *recorder) (*tracked, error) {
	if !r.completed() {
		return nil, nil
	}
	closest := r.nearest()
	if len(closest) != bucketSize {
		return nil, nil
	}
	shared := uint(kb.CommonPrefixLen(kb.ConvertKey(r.key), kb.ConvertPeerID(n.host.ID())))
	table := n.dht.RoutingTable()
	before := table.NPeersForCpl(shared)
	if err := n.estimator.Track(r.key, closest); err != nil {
		return nil, err
	}
	if after := table.NPeersForCpl(shared); after != before {
		return nil, fmt.Errorf("the table changed while the lookup was counted: %d and %d", before, after)
	}
	size, err := n.estimator.NetworkSize()
	if err != nil && !errors.Is(err, netsize.ErrNotEnoughData) {
		return nil, err
	}
	return &tracked{closest: closest, table: before, size: max(size, 0)}, nil
}

// completed says whether the lookup went to its end: the search by itself, and the second part to everybody.
func (r *recorder) completed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.kind == end {
			return e.why == "completed" || e.why == "starvation"
		}
	}
	return false
}
