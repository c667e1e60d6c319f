package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	madns "github.com/multiformats/go-multiaddr-dns"
)

const (
	// resolveTimeout is for all names together.
	resolveTimeout = 30 * time.Second
	// maxNameDepth bounds how often a name may stand for further names.
	maxNameDepth = 4
	// maxBootstrap bounds the addresses that names may stand for.
	maxBootstrap = 1000
)

var errTooManyAddresses = fmt.Errorf("the names stand for more than %d addresses", maxBootstrap)

// bootstrapPeers reads multiaddresses and follows those that begin with a
// name: a /dnsaddr name may leave the peer ids to its texts. Names go to the
// resolver of the system.
func bootstrapPeers(ctx context.Context, texts []string) ([]*peer.AddrInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	var all []ma.Multiaddr
	for _, text := range texts {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		found, err := resolve(ctx, addr, maxNameDepth)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		all = append(all, found...)
		if len(all) > maxBootstrap {
			return nil, errTooManyAddresses
		}
	}
	return byPeer(all)
}

// resolve follows names until there are none. Those that name others lead to
// several addresses, some of which may lead nowhere.
func resolve(ctx context.Context, addr ma.Multiaddr, depth int) ([]ma.Multiaddr, error) {
	if !madns.Matches(addr) {
		return []ma.Multiaddr{addr}, nil
	}
	if depth == 0 {
		return nil, errors.New("its names name each other")
	}
	next, err := madns.DefaultResolver.Resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	if len(next) == 0 {
		return nil, errors.New("its name stands for nothing")
	}
	var all []ma.Multiaddr
	for _, addr := range next {
		found, err := resolve(ctx, addr, depth-1)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if len(all) > maxBootstrap {
			return nil, errTooManyAddresses
		}
	}
	return all, nil
}

// byPeer groups addresses: the crawler takes a peer once.
func byPeer(addrs []ma.Multiaddr) ([]*peer.AddrInfo, error) {
	known := make(map[peer.ID]*peer.AddrInfo)
	var peers []*peer.AddrInfo
	for _, addr := range addrs {
		ai, err := peer.AddrInfoFromP2pAddr(addr)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", addr, err)
		}
		if have, ok := known[ai.ID]; ok {
			have.Addrs = append(have.Addrs, ai.Addrs...)
			continue
		}
		known[ai.ID] = ai
		peers = append(peers, ai)
	}
	return peers, nil
}
