package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"kadscope-peers/go/internal/loopback"
)

// node is a host that listens, so that it has an address to announce, with a
// DHT in client mode at its defaults, whose requests are watched.
type node struct {
	host host.Host
	dht  *dht.IpfsDHT
	// plain lends the library's own message sender, which it does not export otherwise.
	plain *dht.IpfsDHT
}

// join makes a node, and returns when its routing table has somebody.
func join(ctx context.Context, cfg config) (*node, error) {
	h, err := loopback.Host("kadscope-dhtfirst/1", loopback.TCP)
	if err != nil {
		return nil, err
	}
	n := &node{host: h}
	err = n.open()
	if err == nil {
		err = loopback.Enter(ctx, h, n.dht, cfg.bootstrap)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// open makes the two DHTs: one that asks nobody, and the one of the node.
func (n *node) open() error {
	options := []dht.Option{dht.Mode(dht.ModeClient), dht.DisableAutoRefresh()}
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

// first looks a key up until the first provider comes.
func (n *node) first(ctx context.Context, key cid.Cid) (finding, error) {
	w := &watch{begun: time.Now(), hops: map[peer.ID]int{}}
	watched, cancel := context.WithCancel(context.WithValue(ctx, watchKey{}, w))
	defer cancel()
	for range n.dht.FindProvidersAsync(watched, key, 1) {
		break
	}
	return w.finding(), ctx.Err()
}
