package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p-kad-dht/crawler"
	"github.com/libp2p/go-libp2p-kad-dht/fullrt"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/multiformats/go-multiaddr"

	"kadscope-peers/go/internal/loopback"
)

// Ways to publish, by the names of their options.
const (
	classic    = "default"
	optimistic = "optprov"
	fullTable  = "fullrt"
)

// node is a host that listens, so that it has an address to announce, with a
// DHT in client mode at its defaults.
type node struct {
	host host.Host
	dht  *dht.IpfsDHT
	// What publishes and looks up: the DHT, or a full table beside it.
	routes routing.ContentRouting
	full   *fullrt.FullRT
	// How many connections were made so far.
	dials atomic.Int64
}

// join makes a node, and returns when its routing table has somebody.
func join(ctx context.Context, cfg config, strategy string) (*node, error) {
	h, err := loopback.Host("kadscope-dhtcost/1", loopback.TCP)
	if err != nil {
		return nil, err
	}
	n := &node{host: h}
	h.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(network.Network, network.Conn) { n.dials.Add(1) },
	})
	// A refresh in the background would be measured with the rest.
	options := []dht.Option{dht.Mode(dht.ModeClient), dht.DisableAutoRefresh()}
	if strategy == optimistic {
		options = append(options, dht.EnableOptimisticProvide())
	}
	n.dht, err = dht.New(h, options...)
	if err == nil {
		n.routes = n.dht
		err = loopback.Enter(ctx, n.host, n.dht, cfg.bootstrap)
	}
	if err == nil && strategy == fullTable {
		err = n.crawl(ctx, cfg.bootstrap)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// crawl makes a full table of the network, and returns when it is ready.
func (n *node) crawl(ctx context.Context, bootstrap []peer.AddrInfo) error {
	c, err := crawler.NewDefaultCrawler(n.host, crawler.WithParallelism(200))
	if err != nil {
		return err
	}
	n.full, err = fullrt.NewFullRT(n.host, "/ipfs",
		fullrt.WithCrawler(admitting{c, n.host.Peerstore()}),
		fullrt.DHTOption(dht.BucketSize(20), dht.BootstrapPeers(bootstrap...)))
	if err != nil {
		return err
	}
	n.routes = n.full
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !n.full.Ready() {
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("the full table is not ready: %w", context.Cause(ctx))
		}
	}
	return nil
}

// admitting lets a full table keep peers of this machine, which keeps none
// that has no public address: each is given one beside its own. Nobody dials
// it, since a connection stands and hosts dial this machine alone.
type admitting struct {
	crawler.Crawler
	known peerstore.Peerstore
}

var public = multiaddr.StringCast("/ip4/8.8.8.8/tcp/4001")

func (a admitting) Run(ctx context.Context, from []*peer.AddrInfo, found crawler.HandleQueryResult, failed crawler.HandleQueryFail) {
	a.Crawler.Run(ctx, from, func(p peer.ID, closer []*peer.AddrInfo) {
		a.known.AddAddr(p, public, peerstore.PermanentAddrTTL)
		found(p, closer)
	}, failed)
}

func (n *node) close() {
	if n.full != nil {
		n.full.Close()
	}
	if n.dht != nil {
		n.dht.Close()
	}
	n.host.Close()
}

// perCall gives what one of so many calls took.
func (n *node) perCall(count int, call func(int) error) (cost, error) {
	before, err := n.spent()
	if err != nil {
		return cost{}, err
	}
	for i := range count {
		if err := call(i); err != nil {
			return cost{}, err
		}
	}
	after, err := n.spent()
	each := float64(count)
	return cost{
		UserUS:   (after.UserUS - before.UserUS) / each,
		SystemUS: (after.SystemUS - before.SystemUS) / each,
		Dials:    after.Dials - before.Dials,
	}, err
}

// spent gives what this process has taken so far.
func (n *node) spent() (cost, error) {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return cost{}, err
	}
	return cost{
		UserUS:   float64(use.Utime.Nano()) / 1e3,
		SystemUS: float64(use.Stime.Nano()) / 1e3,
		Dials:    int(n.dials.Load()),
	}, nil
}
