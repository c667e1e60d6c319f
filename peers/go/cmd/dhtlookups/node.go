package main

import (
	"context"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"kadscope-peers/go/internal/loopback"
)

// The rules of a lookup, the library's defaults written out.
const (
	bucketSize  = 20
	concurrency = 10
	resiliency  = 3
)

// node is a host with a DHT in client mode.
type node struct {
	host    host.Host
	dht     *dht.IpfsDHT
	watched *loopback.Watched
}

// join makes a node. One that listens has addresses to announce.
func join(cfg config, listens bool) (*node, error) {
	var listen []string
	if listens {
		listen = []string{loopback.TCP}
	}
	h, err := loopback.Host("kadscope-dhtlookups/1", listen...)
	if err != nil {
		return nil, err
	}
	n := &node{host: h}
	if err := n.open(cfg); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// open makes the DHT whose requests are watched.
func (n *node) open(cfg config) error {
	options := []dht.Option{
		dht.Mode(dht.ModeClient),
		dht.ProtocolPrefix(protocol.ID(cfg.prefix)),
		dht.DisableAutoRefresh(),
		dht.BucketSize(bucketSize),
		dht.Concurrency(concurrency),
		dht.Resiliency(resiliency),
	}
	around := func(sender pb.MessageSenderWithDisconnect) pb.MessageSenderWithDisconnect {
		return &watchedSender{sender}
	}
	watched, err := loopback.Watch(n.host, around, options...)
	if err == nil {
		n.watched, n.dht = watched, watched.DHT
	}
	return err
}

func (n *node) close() {
	if n.watched != nil {
		n.watched.Close()
	}
	n.host.Close()
}

// enter connects to peers of the network, some of which may be dead, and waits until the routing table has one. The
// table is not refreshed: lookups fill it.
func (n *node) enter(ctx context.Context, bootstrap []peer.AddrInfo) error {
	return loopback.Enter(ctx, n.host, n.dht, bootstrap)
}
