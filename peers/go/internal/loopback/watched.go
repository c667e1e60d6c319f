package loopback

import (
	"fmt"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Watched is a DHT whose requests go through a message sender around the
// library's own.
type Watched struct {
	DHT *dht.IpfsDHT
	// plain lends the library's message sender, which it does not export
	// otherwise. It asks nobody.
	plain *dht.IpfsDHT
}

// Watch makes one.
func Watch(
	h host.Host,
	around func(pb.MessageSenderWithDisconnect) pb.MessageSenderWithDisconnect,
	options ...dht.Option,
) (*Watched, error) {
	nobody := dht.RoutingTableFilter(func(any, peer.ID) bool { return false })
	plain, err := dht.New(h, append(options, nobody)...)
	if err != nil {
		return nil, err
	}
	w := &Watched{plain: plain}
	sender, ok := plain.MessageSender().(pb.MessageSenderWithDisconnect)
	if !ok {
		w.Close()
		return nil, fmt.Errorf("the library's message sender is of another kind: %T", plain.MessageSender())
	}
	watched := dht.WithCustomMessageSender(func(host.Host, []protocol.ID) pb.MessageSenderWithDisconnect {
		return around(sender)
	})
	if w.DHT, err = dht.New(h, append(options, watched)...); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends both.
func (w *Watched) Close() {
	for _, d := range []*dht.IpfsDHT{w.DHT, w.plain} {
		if d != nil {
			d.Close()
		}
	}
}
