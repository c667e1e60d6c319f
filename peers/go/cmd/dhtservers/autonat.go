package main

import (
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"

	"kadscope-peers/go/internal/gate"
)

// autonat answers AutoNAT, version 2, for one server. libp2p.EnableAutoNATv2
// would refuse the addresses of loopback.
type autonat struct {
	// dialer dials back: nobody is to take it for the server.
	dialer host.Host
	nat    *autonatv2.AutoNAT
}

func newAutonat(cfg config, h host.Host) (*autonat, error) {
	opts := append(transports(cfg),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.ConnectionGater(gate.Gate{Also: cfg.listen}),
		libp2p.NoListenAddrs,
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	)
	dialer, err := libp2p.New(opts...)
	if err != nil {
		return nil, err
	}
	nat, err := autonatv2.New(dialer, autonatv2.AllowPrivateAddrs)
	if err == nil {
		err = nat.Start(h)
	}
	if err != nil {
		dialer.Close()
		return nil, err
	}
	return &autonat{dialer, nat}, nil
}

func (a *autonat) close() {
	a.nat.Close()
	a.dialer.Close()
}
