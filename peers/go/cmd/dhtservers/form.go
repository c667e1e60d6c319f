package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// neighbours is how many servers before it each server is connected to at first.
	neighbours = 4
	// poll is how often the routing tables are compared with what they were.
	poll = 250 * time.Millisecond
	// still is how many comparisons in a row must find nothing new.
	still = 4
	// refreshing is how many servers refresh at once.
	refreshing = 8
)

// form connects the servers and returns when their routing tables no longer
// change: when a refresh of all of them, and the second after it, add nothing.
func form(ctx context.Context, cfg config, servers []*server) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.settle,
		fmt.Errorf("routing tables still changed after %s", cfg.settle))
	defer cancel()
	if err := connect(ctx, servers); err != nil {
		return err
	}
	before := tables(servers)
	for {
		if err := refresh(ctx, servers); err != nil {
			return err
		}
		if err := settle(ctx, servers); err != nil {
			return err
		}
		now := tables(servers)
		if slices.EqualFunc(before, now, slices.Equal) {
			return complete(now)
		}
		before = now
	}
}

// connect gives each server a few neighbours in a ring, so that the network is one.
func connect(ctx context.Context, servers []*server) error {
	// A dial of the DHT's own that came too early makes a host wait before it dials again, unless it is told to.
	ctx = network.WithForceDirectDial(ctx, "the ring is to be whole")
	for i, s := range servers {
		for d := 1; d <= min(neighbours, len(servers)-1); d++ {
			to := servers[(i+d)%len(servers)].host
			ai := peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()}
			if err := s.host.Connect(ctx, ai); err != nil {
				return fmt.Errorf("connecting server %d to %s: %w", i, ai, err)
			}
		}
	}
	return nil
}

// refresh refreshes every bucket of every server, then fixes what is in the
// tables: until then a full bucket trades its peers for any new one.
func refresh(ctx context.Context, servers []*server) error {
	slots := make(chan struct{}, refreshing)
	done := make(chan struct{}, len(servers))
	for _, s := range servers {
		go func() {
			slots <- struct{}{}
			// An error here is that of a lookup that found no peer; the tables decide.
			select {
			case <-s.dht.ForceRefresh():
			case <-ctx.Done():
			}
			s.dht.RoutingTable().MarkAllPeersIrreplaceable()
			<-slots
			done <- struct{}{}
		}()
	}
	for range servers {
		<-done
	}
	return context.Cause(ctx)
}

// settle waits until the tables have been the same for a second: a peer is
// checked and added after the lookup that met it.
func settle(ctx context.Context, servers []*server) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	before, same := tables(servers), 0
	for same < still {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		for _, s := range servers {
			s.dht.RoutingTable().MarkAllPeersIrreplaceable()
		}
		now := tables(servers)
		if slices.EqualFunc(before, now, slices.Equal) {
			same++
		} else {
			same = 0
		}
		before = now
	}
	return nil
}

// tables reads each server's routing table, sorted.
func tables(servers []*server) [][]peer.ID {
	all := make([][]peer.ID, len(servers))
	for i, s := range servers {
		all[i] = s.dht.RoutingTable().ListPeers()
		slices.Sort(all[i])
	}
	return all
}

func complete(tables [][]peer.ID) error {
	for i, t := range tables {
		if len(t) == 0 {
			return fmt.Errorf("the routing table of server %d is empty", i)
		}
	}
	return nil
}
