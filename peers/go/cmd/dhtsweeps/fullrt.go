package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p-kad-dht/crawler"
	"github.com/libp2p/go-libp2p-kad-dht/fullrt"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	netw "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multihash"

	"kadscope-peers/go/internal/loopback"
)

// publicAddr is where scripted peers are said to be: the client keeps none
// without a public address. Nothing is sent there.
var publicAddr = ma.StringCast("/ip4/1.2.3.4/tcp/1")

// fullHead is the first line of a recording.
type fullHead struct {
	Library string `json:"library"`
	Peers   int    `json:"peers"`
}

// fullLine is one publication, one search, or one publication of many keys.
type fullLine struct {
	Kind string `json:"kind"`
	Key  string `json:"key,omitempty"`
	Keys []int  `json:"keys,omitempty"`
	// Ends are the peers that succeeded or failed by themselves, with the time
	// in microseconds; whoever was given up is in Cancelled.
	Ends      []fullEnd `json:"ends,omitempty"`
	Cancelled []int     `json:"cancelled,omitempty"`
	// Returned is when the library's call did.
	Returned int64  `json:"returned_us"`
	Error    string `json:"error"`
	// Connected is whom many keys were to be given to, and whether there was
	// a connection; Sent is who was sent which keys, in that order.
	Connected map[int]bool  `json:"connected,omitempty"`
	Sent      map[int][]int `json:"sent,omitempty"`
}

type fullEnd struct {
	Peer int   `json:"peer"`
	At   int64 `json:"at_us"`
	Ok   bool  `json:"ok"`
}

// fate is what a scripted peer does: after some time it succeeds, or it fails;
// one without a time does nothing.
type fate struct {
	after time.Duration
	ok    bool
}

// fullTape is the scripted network of an accelerated client.
type fullTape struct {
	host.Host
	*network

	mu    sync.Mutex
	begun time.Time
	fates map[int]fate
	keys  map[string]int
	line  *fullLine
}

// Network says that everybody is connected.
func (t *fullTape) Network() netw.Network { return allConnected{t.Host.Network()} }

type allConnected struct{ netw.Network }

func (a allConnected) ConnsToPeer(p peer.ID) []netw.Conn { return []netw.Conn{connTo{id: p}} }

type connTo struct {
	netw.Conn
	id peer.ID
}

func (c connTo) RemotePeer() peer.ID { return c.id }

// Connect connects nobody, and says what the script says.
func (t *fullTape) Connect(_ context.Context, ai peer.AddrInfo) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	number := t.numbers[ai.ID]
	ok := t.fates[number].ok
	if t.line != nil && t.line.Connected != nil {
		t.line.Connected[number] = ok
	}
	if !ok {
		return errors.New("dead")
	}
	return nil
}

// Run is the crawl: it finds everybody.
func (t *fullTape) Run(_ context.Context, _ []*peer.AddrInfo, found crawler.HandleQueryResult, _ crawler.HandleQueryFail) {
	for id := range t.numbers {
		t.Peerstore().AddAddr(id, publicAddr, peerstore.PermanentAddrTTL)
		found(id, nil)
	}
}

// play does what the script says of a peer.
func (t *fullTape) play(ctx context.Context, p peer.ID) error {
	number := t.numbers[p]
	t.mu.Lock()
	f, begun, line := t.fates[number], t.begun, t.line
	t.mu.Unlock()
	var after <-chan time.Time
	if f.after > 0 {
		after = time.After(time.Until(begun.Add(f.after)))
	}
	select {
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		line.Cancelled = append(line.Cancelled, number)
		return ctx.Err()
	case <-after:
	}
	t.mu.Lock()
	line.Ends = append(line.Ends, fullEnd{number, time.Since(begun).Microseconds(), f.ok})
	t.mu.Unlock()
	if !f.ok {
		return errors.New("dead")
	}
	return nil
}

func (t *fullTape) SendMessage(ctx context.Context, p peer.ID, m *pb.Message) error {
	t.mu.Lock()
	if sent := t.line.Sent; sent != nil {
		number := t.numbers[p]
		sent[number] = append(sent[number], t.keys[string(m.Key)])
		t.mu.Unlock()
		return nil
	}
	t.mu.Unlock()
	return t.play(ctx, p)
}

func (t *fullTape) SendRequest(ctx context.Context, p peer.ID, m *pb.Message) (*pb.Message, error) {
	if err := t.play(ctx, p); err != nil {
		return nil, err
	}
	return pb.NewMessage(m.Type, m.Key, 0), nil
}

func (t *fullTape) OnDisconnect(context.Context, peer.ID) {}

// scripts are what the twenty closest do: so many succeed, so many fail, and
// the others do nothing. Times are milliseconds apart, so that the library
// sees one after the other.
var scripts = []struct{ succeed, fail int }{
	{20, 0}, {14, 6}, {14, 0}, {8, 4}, {7, 0}, {9, 11}, {6, 14}, {3, 0}, {5, 12}, {0, 20}, {0, 3}, {1, 18},
}

func (t *fullTape) script(draws *rand.Rand, key [32]byte, succeed, fail int) {
	closest := t.closest(key)
	draws.Shuffle(len(closest), func(i, j int) { closest[i], closest[j] = closest[j], closest[i] })
	slots := draws.Perm(succeed + fail)
	t.fates = map[int]fate{}
	for i := range succeed + fail {
		t.fates[closest[i]] = fate{time.Duration(20+20*slots[i]) * time.Millisecond, i < succeed}
	}
}

func runFullRT(ctx context.Context, cfg config, out io.Writer) error {
	h, err := loopback.Host("kadscope-dhtsweeps/1", loopback.TCP)
	if err != nil {
		return err
	}
	defer h.Close()
	t := &fullTape{Host: h, network: newNetwork(cfg.peers), line: &fullLine{}}
	client, err := newClient(ctx, t, t, func(host.Host, []protocol.ID) pb.MessageSenderWithDisconnect { return t })
	if err != nil {
		return err
	}
	defer client.Close()
	lines := json.NewEncoder(out)
	if err := lines.Encode(fullHead{library, cfg.peers}); err != nil {
		return err
	}
	draws := newDraws(cfg.seed)
	for i := range cfg.count {
		s := scripts[i%len(scripts)]
		kind := []string{"provide", "find"}[i/len(scripts)%2]
		if err := lines.Encode(t.once(ctx, client, kind, i, func(at [32]byte) { t.script(draws, at, s.succeed, s.fail) })); err != nil {
			return err
		}
	}
	return lines.Encode(t.many(ctx, client, draws))
}

// newClient makes a client that has crawled once.
func newClient(
	ctx context.Context,
	h host.Host,
	c crawler.Crawler,
	sender func(host.Host, []protocol.ID) pb.MessageSenderWithDisconnect,
) (*fullrt.FullRT, error) {
	options := []dht.Option{dht.BucketSize(k), dht.BootstrapPeers()}
	if sender != nil {
		options = append(options, dht.WithCustomMessageSender(sender))
	}
	client, err := fullrt.NewFullRT(h, "/ipfs", fullrt.WithCrawler(c), fullrt.DHTOption(options...))
	if err != nil {
		return nil, err
	}
	for !client.Ready() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			client.Close()
			return nil, context.Cause(ctx)
		}
	}
	return client, nil
}

// once makes one publication or search.
func (t *fullTape) once(ctx context.Context, client *fullrt.FullRT, kind string, i int, script func([32]byte)) *fullLine {
	mh := key(i)
	script(place(string(mh)))
	line := &fullLine{Kind: kind, Key: hex.EncodeToString(mh)}
	t.mu.Lock()
	t.line, t.begun = line, time.Now()
	t.mu.Unlock()
	content := cid.NewCidV1(cid.Raw, mh)
	var err error
	if kind == "provide" {
		err = client.Provide(ctx, content, true)
	} else {
		for range client.FindProvidersAsync(ctx, content, 1) {
		}
	}
	returned := time.Since(t.begun).Microseconds()
	// Those that were given up say so in a moment.
	for {
		t.mu.Lock()
		over := len(line.Ends)+len(line.Cancelled) == k
		t.mu.Unlock()
		if over {
			break
		}
		time.Sleep(time.Millisecond)
	}
	line.Returned = returned
	if err != nil {
		line.Error = err.Error()
	}
	return line
}

// many publishes many keys at once, to peers of whom every third is dead.
func (t *fullTape) many(ctx context.Context, client *fullrt.FullRT, draws *rand.Rand) *fullLine {
	line := &fullLine{Kind: "many", Connected: map[int]bool{}, Sent: map[int][]int{}}
	t.mu.Lock()
	t.fates, t.keys, t.line = map[int]fate{}, map[string]int{}, line
	for i := range t.places {
		t.fates[i] = fate{0, draws.IntN(3) > 0}
	}
	var keys []multihash.Multihash
	for i := range 120 {
		n := 1000 + i%100 // Some come twice.
		line.Keys = append(line.Keys, n)
		t.keys[string(key(n))] = n
		keys = append(keys, key(n))
	}
	t.begun = time.Now()
	t.mu.Unlock()
	if err := client.ProvideMany(ctx, keys); err != nil {
		line.Error = fmt.Sprint(err)
	}
	line.Returned = time.Since(t.begun).Microseconds()
	return line
}
