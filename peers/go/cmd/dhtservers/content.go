package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"
)

// search is the longest time that one server may take to provide something, or
// to look for who does.
const search = 30 * time.Second

// finding is what one server found: the addresses of each provider by its id.
type finding struct {
	ID        string              `json:"id"`
	Providers map[string][]string `json:"providers"`
}

// provide lets the first server provide content, and tells who it is.
func provide(ctx context.Context, servers []*server, text string) (any, error) {
	content, err := cid.Decode(text)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, search)
	defer cancel()
	s := servers[0]
	if err := s.dht.Provide(ctx, content, true); err != nil {
		return nil, fmt.Errorf("providing %s: %w", text, err)
	}
	return map[string]any{"id": s.host.ID().String(), "addrs": texts(s.host.Addrs())}, nil
}

// providers lets every server look for who provides content.
func providers(ctx context.Context, servers []*server, text string) (any, error) {
	content, err := cid.Decode(text)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, search)
	defer cancel()
	all := make([]finding, 0, len(servers))
	for _, s := range servers {
		found, err := s.dht.FindProviders(ctx, content)
		if err != nil {
			return nil, fmt.Errorf("looking for %s: %w", text, err)
		}
		f := finding{ID: s.host.ID().String(), Providers: map[string][]string{}}
		for _, ai := range found {
			f.Providers[ai.ID.String()] = texts(ai.Addrs)
		}
		all = append(all, f)
	}
	return map[string]any{"servers": all}, nil
}
