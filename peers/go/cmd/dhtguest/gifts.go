package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/boxo/path"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/multiformats/go-multihash"
)

// gifts is what the server gives to the network.
type gifts struct {
	content cid.Cid
	// values by their keys: its public key, and a record of its name.
	values map[string][]byte
}

// result is what the program prints.
type result struct {
	ID    string   `json:"id"`
	Addrs []string `json:"addrs"`
	// Key is the multihash that the server provides, in hexadecimal.
	Key string `json:"key"`
	// Providers are those of the key that the client found.
	Providers []found `json:"providers"`
	// Peer is the server as the client found it by its id alone.
	Peer found `json:"peer"`
	// Values are the namespaces whose values the client found unchanged.
	Values []string `json:"values"`
}

// found is a peer, and where it is said to be.
type found struct {
	ID    string   `json:"id"`
	Addrs []string `json:"addrs"`
}

func newFound(ai peer.AddrInfo) found {
	f := found{ID: ai.ID.String(), Addrs: []string{}}
	for _, a := range ai.Addrs {
		f.Addrs = append(f.Addrs, a.String())
	}
	return f
}

func newGifts(server *node) (*gifts, error) {
	content := make([]byte, 32)
	if _, err := rand.Read(content); err != nil {
		return nil, err
	}
	hash, err := multihash.Sum(content, multihash.SHA2_256, -1)
	if err != nil {
		return nil, err
	}
	g := &gifts{content: cid.NewCidV1(cid.Raw, hash)}
	if err := g.sign(server); err != nil {
		return nil, err
	}
	return g, nil
}

// sign makes the values, which only the server's own key can.
func (g *gifts) sign(server *node) error {
	id := server.host.ID()
	key := server.host.Peerstore().PrivKey(id)
	public, err := crypto.MarshalPublicKey(key.GetPublic())
	if err != nil {
		return err
	}
	end := time.Now().Add(24 * time.Hour)
	record, err := ipns.NewRecord(key, path.FromCid(g.content), 1, end, time.Minute)
	if err != nil {
		return err
	}
	name, err := ipns.MarshalRecord(record)
	if err != nil {
		return err
	}
	g.values = map[string][]byte{
		routing.KeyForPublicKey(id):                public,
		string(ipns.NameFromPeer(id).RoutingKey()): name,
	}
	return nil
}

// give stores everything at the peers of the network that are closest to it.
func (g *gifts) give(ctx context.Context, server *node) error {
	if err := server.dht.Provide(ctx, g.content, true); err != nil {
		return fmt.Errorf("providing: %w", err)
	}
	for key, value := range g.values {
		if err := server.dht.PutValue(ctx, key, value); err != nil {
			return fmt.Errorf("storing %q: %w", key, err)
		}
	}
	return nil
}

// find looks for all of it, and for the server.
func (g *gifts) find(ctx context.Context, client, server *node) (*result, error) {
	self := newFound(peer.AddrInfo{ID: server.host.ID(), Addrs: server.host.Addrs()})
	r := &result{ID: self.ID, Addrs: self.Addrs, Key: g.content.Hash().HexString(), Providers: []found{}, Values: []string{}}
	providers, err := client.dht.FindProviders(ctx, g.content)
	if err != nil {
		return nil, fmt.Errorf("looking for providers: %w", err)
	}
	for _, ai := range providers {
		r.Providers = append(r.Providers, newFound(ai))
	}
	for key, value := range g.values {
		got, err := client.dht.GetValue(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("looking for %q: %w", key, err)
		}
		if bytes.Equal(got, value) {
			r.Values = append(r.Values, strings.Split(key, "/")[1])
		}
	}
	slices.Sort(r.Values)
	ai, err := client.dht.FindPeer(ctx, server.host.ID())
	if err != nil {
		return nil, fmt.Errorf("looking for the server: %w", err)
	}
	r.Peer = newFound(ai)
	return r, nil
}
