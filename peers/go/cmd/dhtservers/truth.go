package main

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/protocol"
)

type truth struct {
	Peers []peerTruth `json:"peers"`
}

// peerTruth is what a server knows of itself, whoever asks.
type peerTruth struct {
	ID           string   `json:"id"`
	Addrs        []string `json:"addrs"`
	Agent        string   `json:"agent"`
	Protocols    []string `json:"protocols"`
	KeyType      string   `json:"key_type"`
	RoutingTable []string `json:"routing_table"`
	// How often -max-conns and -max-streams-per-conn were enforced.
	RefusedConns   int `json:"refused_conns"`
	RefusedStreams int `json:"refused_streams"`
	// Places that clients' connections hold; counted with -max-conns only.
	HeldConns int `json:"held_conns"`
}

// readTruth reads every server's own state; lists are sorted.
func readTruth(servers []*server) truth {
	all := truth{Peers: make([]peerTruth, 0, len(servers))}
	for i, table := range tables(servers) {
		s := servers[i]
		p := peerTruth{
			ID:           s.host.ID().String(),
			Addrs:        texts(s.host.Addrs()),
			Agent:        s.agent,
			Protocols:    protocol.ConvertToStrings(s.host.Mux().Protocols()),
			KeyType:      s.keyType,
			RoutingTable: texts(table),
		}
		p.RefusedConns, p.RefusedStreams = s.limits.refused()
		p.HeldConns = s.limits.held()
		slices.Sort(p.Protocols)
		all.Peers = append(all.Peers, p)
	}
	return all
}

func texts[T interface{ String() string }](items []T) []string {
	all := make([]string, 0, len(items))
	for _, item := range items {
		all = append(all, item.String())
	}
	slices.Sort(all)
	return all
}
