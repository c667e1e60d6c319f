package main

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"

	"kadscope-peers/go/internal/lookups"
)

// How many contents are provided, and how many values kept.
const (
	contents = 6
	values   = 4
)

// gifts is what the network was given, and by whom.
type gifts struct {
	publishers []*node
	contents   []cid.Cid
	values     []string
}

func (g *gifts) close() {
	for _, n := range g.publishers {
		n.close()
	}
}

// publish joins the publishers and gives the network everything. Content i has i mod publishers + 1 providers.
func publish(ctx context.Context, cfg config) (*gifts, error) {
	g := &gifts{}
	draws := lookups.NewDraws(cfg.seed)
	for range cfg.publishers {
		n, err := join(cfg, true)
		if err != nil {
			g.close()
			return nil, err
		}
		g.publishers = append(g.publishers, n)
		if err := n.enter(ctx, cfg.bootstrap); err != nil {
			g.close()
			return nil, err
		}
	}
	if err := g.give(ctx, draws); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// give publishes everything at once: each publication waits for the slowest peer.
func (g *gifts) give(ctx context.Context, draws *lookups.Draws) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures := make(chan error, contents*len(g.publishers)+values)
	count := 0
	begin := func(what string, publication func() error) {
		count++
		go func() {
			err := publication()
			if err != nil {
				err = fmt.Errorf("%s: %w", what, err)
			}
			failures <- err
		}()
	}
	for i := range contents {
		content := cid.NewCidV1(cid.Raw, draws.Multihash())
		g.contents = append(g.contents, content)
		for _, n := range g.publishers[:i%len(g.publishers)+1] {
			begin("providing", func() error { return n.dht.Provide(ctx, content, true) })
		}
	}
	for range values {
		key, value, err := publicKey(draws)
		if err != nil {
			return err
		}
		g.values = append(g.values, key)
		begin("storing", func() error { return g.publishers[0].dht.PutValue(ctx, key, value) })
	}
	var failed error
	for range count {
		if err := <-failures; err != nil {
			failed = err
		}
	}
	return failed
}

// publicKey draws a key, and gives the record under which its public half is kept.
func publicKey(d *lookups.Draws) (string, []byte, error) {
	public := ed25519.NewKeyFromSeed(d.Bytes()).Public().(ed25519.PublicKey)
	key, err := crypto.UnmarshalEd25519PublicKey(public)
	if err != nil {
		return "", nil, err
	}
	value, err := crypto.MarshalPublicKey(key)
	if err != nil {
		return "", nil, err
	}
	id, err := peer.IDFromPublicKey(key)
	return routing.KeyForPublicKey(id), value, err
}
