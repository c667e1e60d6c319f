package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"

	"kadscope-peers/go/internal/lookups"
)

// What a lookup looks for.
const (
	kindClosest   = "closest"
	kindPeer      = "peer"
	kindProviders = "providers"
	kindValue     = "value"
)

// order is one lookup to be made.
type order struct {
	kind   string
	target string
	// enough is how many providers are enough, or the quorum of a value; 0 is all of them.
	enough int
}

// newOrder makes the i-th lookup: kinds take turns, and so do keys that are known and keys that are not.
func newOrder(i int, g *gifts, draws *lookups.Draws, known []peer.ID) order {
	turn := i / 4
	switch i % 4 {
	case 0:
		return order{kindClosest, string(draws.Multihash()), 0}
	case 1:
		if turn%3 == 2 || len(known) == 0 {
			return order{kindPeer, string(draws.Multihash()), 0}
		}
		return order{kindPeer, string(known[int(draws.Uint64()%uint64(len(known)))]), 0}
	case 2:
		enough := []int{0, 1, 2, 20}[turn%4]
		if turn%5 == 4 {
			return order{kindProviders, string(draws.Multihash()), enough}
		}
		return order{kindProviders, string(g.contents[turn%len(g.contents)].Hash()), enough}
	default:
		enough := []int{0, 3, 1}[turn%3]
		if turn%5 == 4 {
			return order{kindValue, "/pk/" + string(draws.Multihash()), enough}
		}
		return order{kindValue, g.values[turn%len(g.values)], enough}
	}
}

// lookUpAll shares the lookups out to clients, and writes down each.
func lookUpAll(ctx context.Context, cfg config, g *gifts, tape *tape) error {
	orders := make(chan int)
	failures := make(chan error, cfg.clients)
	var workers sync.WaitGroup
	for range cfg.clients {
		workers.Go(func() {
			if err := work(ctx, cfg, g, tape, orders); err != nil {
				failures <- err
			}
		})
	}
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	for i := range cfg.lookups {
		select {
		case orders <- i:
		case <-done:
			return <-failures
		}
	}
	close(orders)
	<-done
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}

// work is one client.
func work(ctx context.Context, cfg config, g *gifts, tape *tape, orders <-chan int) error {
	n, err := join(cfg, false)
	if err != nil {
		return err
	}
	defer n.close()
	if err := n.enter(ctx, cfg.bootstrap); err != nil {
		return err
	}
	for i := range orders {
		draws := lookups.NewDraws(cfg.seed<<20 + uint64(i) + 1)
		o := newOrder(i, g, draws, tape.known())
		r := newRecorder(n, o)
		if err := r.lookUp(ctx); err != nil {
			return fmt.Errorf("lookup %d: %w", i, err)
		}
		if err := tape.keep(i, r); err != nil {
			return fmt.Errorf("lookup %d: %w", i, err)
		}
		fmt.Fprintf(os.Stderr, "dhtlookups: %d %s: %s\n", i, o.kind, r.end)
	}
	return nil
}

// lookUp runs the lookup to its end.
func (r *recorder) lookUp(parent context.Context) error {
	parent, cancel := context.WithCancel(parent)
	defer cancel()
	ctx, events := dht.RegisterForLookupEvents(context.WithValue(parent, recorderKey{}, r))
	read := make(chan struct{})
	go func() {
		defer close(read)
		for event := range events {
			r.event(event)
		}
	}()
	err := r.ask(ctx)
	cancel()
	<-read
	if parent.Err() != nil && err != nil && !errors.Is(err, routing.ErrNotFound) {
		return err
	}
	return nil
}

// ask is the one call to the library.
func (r *recorder) ask(ctx context.Context) error {
	d := r.node.dht
	switch r.order.kind {
	case kindClosest:
		closest, err := d.GetClosestPeers(ctx, r.order.target)
		r.result = closest
		return err
	case kindPeer:
		// Whoever is connected already is found without a lookup.
		id := peer.ID(r.order.target)
		if err := r.node.host.Network().ClosePeer(id); err != nil {
			return err
		}
		_, err := d.FindPeer(ctx, id)
		return err
	case kindProviders:
		key := cid.NewCidV1(cid.Raw, []byte(r.order.target))
		for ai := range d.FindProvidersAsync(ctx, key, r.order.enough) {
			r.providers = append(r.providers, ai)
		}
		return nil
	default:
		values, err := d.SearchValue(ctx, r.order.target, dht.Quorum(r.order.enough))
		if err != nil {
			return err
		}
		for range values {
		}
		// At a quorum the channel ends before the lookup does.
		return r.wait(ctx)
	}
}
