package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/ipfs/go-cid"
	"github.com/ipld/go-ipld-prime"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/storage/memstore"
	selectorparse "github.com/ipld/go-ipld-prime/traversal/selector/parse"
	"github.com/ipni/go-libipni/announce/message"
	"github.com/ipni/go-libipni/dagsync/ipnisync"
	"github.com/ipni/go-libipni/find/model"
	"github.com/ipni/go-libipni/ingest/schema"
	"github.com/ipni/go-libipni/metadata"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multihash"
)

// taken is an advertisement that was verified.
type taken struct {
	CID      string   `json:"cid"`
	Provider string   `json:"provider"`
	Context  string   `json:"context"`
	Metadata []string `json:"metadata"`
	Removal  bool     `json:"removal"`
	Hashes   []string `json:"hashes"`
}

// indexer keeps what it has taken in memory.
type indexer struct {
	lock    sync.Mutex
	store   *memstore.Store
	lsys    ipld.LinkSystem
	done    map[cid.Cid]bool
	ads     []taken
	errors  []string
	results map[string]map[string]model.ProviderResult
}

func index(ctx context.Context) error {
	store := &memstore.Store{}
	x := &indexer{
		store: store, lsys: cidlink.DefaultLinkSystem(), done: map[cid.Cid]bool{},
		ads: []taken{}, errors: []string{}, results: map[string]map[string]model.ProviderResult{},
	}
	x.lsys.SetReadStorage(store)
	x.lsys.SetWriteStorage(store)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /announce", x.announced)
	mux.HandleFunc("PUT /ingest/announce", x.announced)
	mux.HandleFunc("GET /multihash/{hash}", x.find)
	go func() { _ = http.Serve(listener, mux) }()
	if err := say(map[string]string{"url": "http://" + listener.Addr().String()}); err != nil {
		return err
	}
	return obey(func(string) any {
		x.lock.Lock()
		defer x.lock.Unlock()
		return map[string]any{"ads": x.ads, "errors": x.errors}
	})
}

// announced takes an announcement as storetheindex does: the addresses name the publisher.
func (x *indexer) announced(w http.ResponseWriter, r *http.Request) {
	var said message.Message
	if err := said.UnmarshalCBOR(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	addrs, err := said.GetAddrs()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	publishers, err := peer.AddrInfosFromP2pAddrs(addrs...)
	if err != nil || len(publishers) != 1 {
		http.Error(w, fmt.Sprintf("no publisher: %v", err), http.StatusBadRequest)
		return
	}
	go func() {
		x.lock.Lock()
		defer x.lock.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := x.ingest(ctx, said.Cid, publishers[0]); err != nil {
			x.errors = append(x.errors, err.Error())
		}
	}()
	w.WriteHeader(http.StatusNoContent)
}

// ingest fetches the chain by the library's own client, which verifies the head and each block.
func (x *indexer) ingest(ctx context.Context, announced cid.Cid, publisher peer.AddrInfo) error {
	sync := ipnisync.NewSync(x.lsys, nil)
	defer sync.Close()
	syncer, err := sync.NewSyncer(publisher)
	if err != nil {
		return err
	}
	head, err := syncer.GetHead(ctx)
	if err != nil {
		return fmt.Errorf("head: %w", err)
	}
	type link struct {
		cid cid.Cid
		ad  *schema.Advertisement
	}
	var chain []link
	seen := false
	for at := head; at != cid.Undef && !x.done[at]; {
		ad, err := x.advertisement(ctx, syncer, at)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		seen = seen || at == announced
		chain = append(chain, link{at, ad})
		at = cid.Undef
		if ad.PreviousID != nil {
			at = ad.PreviousID.(cidlink.Link).Cid
		}
	}
	if !seen && !x.done[announced] {
		return fmt.Errorf("the head does not lead to %s, which was announced", announced)
	}
	for at := len(chain) - 1; at >= 0; at-- {
		if err := x.take(ctx, syncer, chain[at].cid, chain[at].ad); err != nil {
			return fmt.Errorf("%s: %w", chain[at].cid, err)
		}
		x.done[chain[at].cid] = true
	}
	return nil
}

// advertisement fetches one, whose signature must be its provider's.
func (x *indexer) advertisement(ctx context.Context, syncer *ipnisync.Syncer, at cid.Cid) (*schema.Advertisement, error) {
	ctx, err := ipnisync.CtxWithCidSchema(ctx, ipnisync.CidSchemaAdvertisement)
	if err != nil {
		return nil, err
	}
	if err := syncer.Sync(ctx, at, selectorparse.CommonSelector_MatchPoint); err != nil {
		return nil, err
	}
	node, err := x.lsys.Load(ipld.LinkContext{Ctx: ctx}, cidlink.Link{Cid: at}, schema.AdvertisementPrototype)
	if err != nil {
		return nil, err
	}
	ad, err := schema.UnwrapAdvertisement(node)
	if err != nil {
		return nil, err
	}
	if err := ad.Validate(); err != nil {
		return nil, err
	}
	signer, err := ad.VerifySignature()
	if err != nil {
		return nil, err
	}
	if signer.String() != ad.Provider {
		return nil, fmt.Errorf("signed by %s", signer)
	}
	return ad, nil
}

// take does what an advertisement says.
func (x *indexer) take(ctx context.Context, syncer *ipnisync.Syncer, at cid.Cid, ad *schema.Advertisement) error {
	provider, err := peer.Decode(ad.Provider)
	if err != nil {
		return err
	}
	said := taken{
		CID: at.String(), Provider: ad.Provider, Context: string(ad.ContextID),
		Metadata: []string{}, Removal: ad.IsRm, Hashes: []string{},
	}
	key := ad.Provider + "/" + string(ad.ContextID)
	if ad.IsRm {
		for _, results := range x.results {
			delete(results, key)
		}
		x.ads = append(x.ads, said)
		return nil
	}
	protocols := metadata.Default.New()
	if err := protocols.UnmarshalBinary(ad.Metadata); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	for _, protocol := range protocols.Protocols() {
		said.Metadata = append(said.Metadata, protocol.String())
	}
	hashes, err := x.entries(ctx, syncer, ad)
	if err != nil {
		return fmt.Errorf("entries: %w", err)
	}
	result := model.ProviderResult{ContextID: ad.ContextID, Metadata: ad.Metadata, Provider: &peer.AddrInfo{ID: provider}}
	for _, addr := range ad.Addresses {
		parsed, err := multiaddr.NewMultiaddr(addr)
		if err != nil {
			return err
		}
		result.Provider.Addrs = append(result.Provider.Addrs, parsed)
	}
	for _, hash := range hashes {
		if x.results[string(hash)] == nil {
			x.results[string(hash)] = map[string]model.ProviderResult{}
		}
		x.results[string(hash)][key] = result
		said.Hashes = append(said.Hashes, hex.EncodeToString(hash))
	}
	x.ads = append(x.ads, said)
	return nil
}

// entries fetches all chunks of an advertisement.
func (x *indexer) entries(ctx context.Context, syncer *ipnisync.Syncer, ad *schema.Advertisement) ([]multihash.Multihash, error) {
	ctx, err := ipnisync.CtxWithCidSchema(ctx, ipnisync.CidSchemaEntryChunk)
	if err != nil {
		return nil, err
	}
	var hashes []multihash.Multihash
	for at := ad.Entries; at != nil && at != schema.NoEntries; {
		if err := syncer.Sync(ctx, at.(cidlink.Link).Cid, selectorparse.CommonSelector_MatchPoint); err != nil {
			return nil, err
		}
		node, err := x.lsys.Load(ipld.LinkContext{Ctx: ctx}, at, schema.EntryChunkPrototype)
		if err != nil {
			return nil, err
		}
		chunk, err := schema.UnwrapEntryChunk(node)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, chunk.Entries...)
		at = chunk.Next
	}
	if len(hashes) == 0 && ad.Entries != schema.NoEntries {
		return nil, errors.New("there are none")
	}
	return hashes, nil
}

// find says who has a multihash, as the library writes it.
func (x *indexer) find(w http.ResponseWriter, r *http.Request) {
	hash, err := multihash.FromB58String(strings.TrimSpace(r.PathValue("hash")))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	x.lock.Lock()
	defer x.lock.Unlock()
	results := x.results[string(hash)]
	if len(results) == 0 {
		http.Error(w, "no results for query", http.StatusNotFound)
		return
	}
	found := model.MultihashResult{Multihash: hash}
	for _, result := range results {
		found.ProviderResults = append(found.ProviderResults, result)
	}
	bytes, err := model.MarshalFindResponse(&model.FindResponse{MultihashResults: []model.MultihashResult{found}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(bytes)
}
