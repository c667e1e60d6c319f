package main

import (
	"context"
	"fmt"

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
	host host.Host
	dht  *dht.IpfsDHT
	// plain lends the library's own message sender, which it does not export otherwise.
	plain *dht.IpfsDHT
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

// open makes the two DHTs: one that asks nobody, and one whose requests are watched.
func (n *node) open(cfg config) error {
	options := []dht.Option{
		dht.Mode(dht.ModeClient),
		dht.ProtocolPrefix(protocol.ID(cfg.prefix)),
		dht.DisableAutoRefresh(),
		dht.BucketSize(bucketSize),
		dht.Concurrency(concurrency),
		dht.Resiliency(resiliency),
	}
	nobody := dht.RoutingTableFilter(func(any, peer.ID) bool { return false })
	plain, err := dht.New(n.host, append(options, nobody)...)
	if err != nil {
		return err
	}
	n.plain = plain
	sender, ok := plain.MessageSender().(pb.MessageSenderWithDisconnect)
	if !ok {
		return fmt.Errorf("the library's message sender is of another kind: %T", plain.MessageSender())
	}
	watched := dht.WithCustomMessageSender(func(host.Host, []protocol.ID) pb.MessageSenderWithDisconnect {
		return &watchedSender{sender}
	})
	n.dht, err = dht.New(n.host, append(options, watched)...)
	return err
}

func (n *node) close() {
	for _, d := range []*dht.IpfsDHT{n.dht, n.plain} {
		if d != nil {
			d.Close()
		}
	}
	n.host.Close()
}

// enter connects to peers of the network, some of which may be dead, and waits until the routing table has one. The
// table is not refreshed: lookups fill it.
func (n *node) enter(ctx context.Context, bootstrap []peer.AddrInfo) error {
	return loopback.Enter(ctx, n.host, n.dht, bootstrap)
}
