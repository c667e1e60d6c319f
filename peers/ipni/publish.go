package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/ipld/go-ipld-prime"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/storage/memstore"
	"github.com/ipni/go-libipni/announce/httpsender"
	"github.com/ipni/go-libipni/announce/message"
	"github.com/ipni/go-libipni/dagsync/ipnisync"
	"github.com/ipni/go-libipni/ingest/schema"
	"github.com/ipni/go-libipni/metadata"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multihash"
)

// contextID is the one context of a publisher.
const contextID = "go"

// publisher is a chain of advertisements with its server.
type publisher struct {
	key      crypto.PrivKey
	id       peer.ID
	lsys     ipld.LinkSystem
	serves   *ipnisync.Publisher
	sender   *httpsender.Sender
	previous ipld.Link
	json     bool
}

func publish(ctx context.Context, indexer string) error {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return err
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return err
	}
	p := &publisher{key: key, id: id, lsys: cidlink.DefaultLinkSystem()}
	store := &memstore.Store{}
	p.lsys.SetReadStorage(store)
	p.lsys.SetWriteStorage(store)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.serves, err = ipnisync.NewPublisher(p.lsys, key, ipnisync.WithStartServer(false),
		ipnisync.WithHTTPListenAddrs(listener.Addr().String()), ipnisync.WithHeadTopic("/indexer/ingest/mainnet"))
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, p.serves) }()
	at, err := url.Parse(strings.TrimSuffix(indexer, "/") + "/announce")
	if err != nil {
		return err
	}
	if p.sender, err = httpsender.New([]*url.URL{at}, id); err != nil {
		return err
	}
	hashes, entries, err := p.entries()
	if err != nil {
		return err
	}
	protocols := metadata.Default.New(metadata.Bitswap{})
	if _, err := p.advertise(ctx, entries, &protocols, false); err != nil {
		return err
	}
	if err := say(map[string]any{"id": id.String(), "hashes": hashes}); err != nil {
		return err
	}
	return obey(func(line string) any { return p.obey(ctx, line, &protocols) })
}

func (p *publisher) obey(ctx context.Context, line string, protocols *metadata.Metadata) any {
	var ad cid.Cid
	var err error
	switch line {
	case "json", "cbor":
		p.json = line == "json"
	case "update":
		gateway := metadata.Default.New(metadata.Bitswap{}, metadata.IpfsGatewayHttp{})
		ad, err = p.advertise(ctx, schema.NoEntries, &gateway, false)
	case "remove":
		ad, err = p.advertise(ctx, schema.NoEntries, protocols, true)
	default:
		err = fmt.Errorf("unknown: %s", line)
	}
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return map[string]string{"ad": ad.String()}
}

// entries puts two chunks of two multihashes each into the store.
func (p *publisher) entries() ([]string, ipld.Link, error) {
	var hashes []string
	var next ipld.Link
	for chunk := range 2 {
		var entries []multihash.Multihash
		for entry := range 2 {
			hash, err := multihash.Sum([]byte{byte(chunk), byte(entry)}, multihash.SHA2_256, -1)
			if err != nil {
				return nil, nil, err
			}
			entries = append(entries, hash)
			hashes = append(hashes, hex.EncodeToString(hash))
		}
		node, err := schema.EntryChunk{Entries: entries, Next: next}.ToNode()
		if err != nil {
			return nil, nil, err
		}
		if next, err = p.lsys.Store(ipld.LinkContext{}, schema.Linkproto, node); err != nil {
			return nil, nil, err
		}
	}
	return hashes, next, nil
}

// advertise adds an advertisement to the chain and announces it.
func (p *publisher) advertise(ctx context.Context, entries ipld.Link, protocols *metadata.Metadata, removal bool) (cid.Cid, error) {
	bytes, err := protocols.MarshalBinary()
	if err != nil {
		return cid.Undef, err
	}
	ad := schema.Advertisement{
		PreviousID: p.previous, Provider: p.id.String(), Addresses: []string{"/ip4/127.0.0.1/tcp/4001"},
		Entries: entries, ContextID: []byte(contextID), Metadata: bytes, IsRm: removal,
	}
	if err := ad.Sign(p.key); err != nil {
		return cid.Undef, err
	}
	node, err := ad.ToNode()
	if err != nil {
		return cid.Undef, err
	}
	if p.previous, err = p.lsys.Store(ipld.LinkContext{}, schema.Linkproto, node); err != nil {
		return cid.Undef, err
	}
	head := p.previous.(cidlink.Link).Cid
	p.serves.SetRoot(head)
	said := message.Message{Cid: head}
	said.SetAddrs(p.serves.Addrs())
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if p.json {
		return head, p.sender.SendJson(ctx, said)
	}
	return head, p.sender.Send(ctx, said)
}
