package main

import (
	"crypto/rand"
	"fmt"
	"net"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"kadscope-peers/go/internal/gate"
)

// server is one host with one DHT in server mode.
type server struct {
	host    host.Host
	dht     *dht.IpfsDHT
	limits  *limits
	autonat *autonat
	agent   string
	keyType string
}

func newServer(cfg config, i int) (*server, error) {
	s := &server{agent: cfg.agents[i%len(cfg.agents)], keyType: cfg.keys}
	if cfg.keys == "mixed" {
		s.keyType = keyTypes[i%len(keyTypes)]
	}
	key, err := newKey(s.keyType)
	if err != nil {
		return nil, err
	}
	inner, err := resourceManager(cfg)
	if err != nil {
		return nil, err
	}
	s.limits = &limits{ResourceManager: inner, maxConns: cfg.maxConns, maxStreams: cfg.maxStreams}
	opts := append(transports(cfg), listens(cfg, cfg.listen[i%len(cfg.listen)])...)
	opts = append(opts,
		libp2p.Identity(key),
		libp2p.UserAgent(s.agent),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(s.limits),
		libp2p.ConnectionManager(connmgr.NullConnMgr{}),
		libp2p.ConnectionGater(gate.Gate{Also: cfg.listen}),
		libp2p.ForceReachabilityPublic(),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	)
	if s.host, err = libp2p.New(opts...); err != nil {
		return nil, err
	}
	var served host.Host = s.host
	if cfg.oneRequest {
		served = oneRequestHost{s.host, s.limits}
	}
	// No address, query or routing table filter is set: loopback addresses are kept and answered.
	refresh := dht.DisableAutoRefresh()
	if cfg.refresh > 0 {
		refresh = dht.RoutingTableRefreshPeriod(cfg.refresh)
	}
	s.dht, err = dht.New(served,
		dht.Mode(dht.ModeServer),
		dht.ProtocolPrefix(protocol.ID(cfg.prefix)),
		refresh,
	)
	if err != nil {
		s.host.Close()
		return nil, err
	}
	if cfg.autonat {
		if s.autonat, err = newAutonat(cfg, s.host); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *server) close() {
	if s.autonat != nil {
		s.autonat.close()
	}
	s.dht.Close()
	s.host.Close()
}

func newKey(keyType string) (crypto.PrivKey, error) {
	kind, bits := crypto.Ed25519, 0
	switch keyType {
	case "rsa":
		kind, bits = crypto.RSA, 2048
	case "secp256k1":
		kind = crypto.Secp256k1
	case "ecdsa":
		kind = crypto.ECDSA
	}
	key, _, err := crypto.GenerateKeyPairWithReader(kind, bits, rand.Reader)
	return key, err
}

func resourceManager(cfg config) (network.ResourceManager, error) {
	if !cfg.libraryLimits {
		return &network.NullResourceManager{}, nil
	}
	scaling := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&scaling)
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(scaling.AutoScale()))
}

// listens says where to listen.
func listens(cfg config, ip net.IP) []libp2p.Option {
	family := "ip4"
	if ip.To4() == nil {
		family = "ip6"
	}
	var opts []libp2p.Option
	if cfg.transport != "quic" {
		opts = append(opts, libp2p.ListenAddrStrings(fmt.Sprintf("/%s/%s/tcp/0", family, ip)))
	}
	if cfg.transport != "tcp" {
		opts = append(opts, libp2p.ListenAddrStrings(fmt.Sprintf("/%s/%s/udp/0/quic-v1", family, ip)))
	}
	return opts
}

// transports says how to speak.
func transports(cfg config) []libp2p.Option {
	var opts []libp2p.Option
	if cfg.transport != "quic" {
		opts = append(opts, libp2p.Transport(tcp.NewTCPTransport))
	}
	if cfg.transport != "tcp" {
		opts = append(opts, libp2p.Transport(quic.NewTransport))
	}
	if cfg.security != "noise" {
		opts = append(opts, libp2p.Security(tls.ID, tls.New))
	}
	if cfg.security != "tls" {
		opts = append(opts, libp2p.Security(noise.ID, noise.New))
	}
	return opts
}
