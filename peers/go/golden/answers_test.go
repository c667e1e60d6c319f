package golden

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	dhtpb "github.com/libp2p/go-libp2p-kad-dht/pb"
	recpb "github.com/libp2p/go-libp2p-record/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	mocknet "github.com/libp2p/go-libp2p/p2p/net/mock"
	"github.com/libp2p/go-msgio"
	ma "github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/proto"
)

// dialogue is what one client asks one server of go-libp2p-kad-dht, and what comes of it.
type dialogue struct {
	t      *testing.T
	out    *bytes.Buffer
	server host.Host
	client host.Host
	// names are what peers are called in the record: numbers, and the two hosts.
	names map[peer.ID]string
}

// The peers of the table are 2000 and up. Those whose number divides by seven have no addresses.
const tabled = 60

func TestAnswers(t *testing.T) {
	var out bytes.Buffer
	fmt.Fprintln(&out, "# Answers of go-libp2p-kad-dht v0.42.1; peers/go/golden says how.")
	fmt.Fprintln(&out, "# REQUEST = nothing|reset|KEY RECORD CLOSER PROVIDERS, peers with the numbers of their addresses")
	net := mocknet.New()
	defer net.Close()
	hosts := [2]host.Host{}
	for i, seed := range []byte{7, 8} {
		sk, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32)))
		if err != nil {
			t.Fatal(err)
		}
		if hosts[i], err = net.AddPeer(sk, ma.StringCast(fmt.Sprintf("/ip4/127.0.0.%d/tcp/4001", seed))); err != nil {
			t.Fatal(err)
		}
	}
	d := &dialogue{t, &out, hosts[0], hosts[1], map[peer.ID]string{hosts[0].ID(): "own", hosts[1].ID(): "asker"}}
	served, err := dht.New(d.server, dht.Mode(dht.ModeServer), dht.DisableAutoRefresh())
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	if err := net.LinkAll(); err != nil {
		t.Fatal(err)
	}
	d.fill(served)
	d.look()
	d.offer()
	keep(t, "answers.txt", out.Bytes())
}

func (d *dialogue) fill(served *dht.IpfsDHT) {
	addr := ma.StringCast("/ip4/1.2.3.4/tcp/4001")
	for n := uint32(2000); n < 2000+tabled; n++ {
		d.names[id(n)] = fmt.Sprint(n)
		isAdded, err := served.RoutingTable().TryAddPeer(id(n), true, false)
		fmt.Fprintf(d.out, "peer %d %t\n", n, isAdded && err == nil)
		if n%7 != 0 {
			d.server.Peerstore().AddAddr(id(n), addr, peerstore.PermanentAddrTTL)
		}
	}
	// The client, before it says so itself, and somebody else whom the server knows and does not list.
	d.server.Peerstore().AddAddrs(d.client.ID(), d.client.Addrs(), peerstore.PermanentAddrTTL)
	d.names[id(3000)] = "3000"
	d.server.Peerstore().AddAddr(id(3000), addr, peerstore.PermanentAddrTTL)
}

func (d *dialogue) look() {
	message := func(kind dhtpb.Message_MessageType, key []byte) *dhtpb.Message {
		return &dhtpb.Message{Type: kind, Key: key}
	}
	own, asker := []byte(d.server.ID()), []byte(d.client.ID())
	for _, kind := range []dhtpb.Message_MessageType{dhtpb.Message_FIND_NODE, dhtpb.Message_GET_PROVIDERS, dhtpb.Message_GET_VALUE} {
		for name, key := range [][]byte{
			[]byte("a key"), []byte("another key"), []byte(id(2010)), []byte(id(2016)), []byte(id(3000)), own, asker, nil,
			bytes.Repeat([]byte("k"), 80), bytes.Repeat([]byte("k"), 81),
		} {
			d.ask(fmt.Sprintf("%s_%d", strings.ToLower(kind.String()), name), message(kind, key))
		}
	}
	ping := message(dhtpb.Message_PING, []byte("echo"))
	ping.CloserPeers = []*dhtpb.Message_Peer{{Id: own}}
	ping.Record = &recpb.Record{Key: []byte("k"), Value: []byte("v")}
	d.ask("ping", ping)
	d.ask("unknown", message(6, []byte("key")))
}

func (d *dialogue) offer() {
	asker := []byte(d.client.ID())
	addr, far := ma.StringCast("/ip4/127.0.0.8/tcp/4001").Bytes(), ma.StringCast("/ip4/9.9.9.9/tcp/9").Bytes()
	named := func(p peer.ID) []byte { return ma.StringCast("/ip4/8.8.8.8/tcp/8/p2p/" + p.String()).Bytes() }
	add := func(name, key string, providers ...*dhtpb.Message_Peer) {
		d.ask("add_"+name, &dhtpb.Message{Type: dhtpb.Message_ADD_PROVIDER, Key: []byte(key), ProviderPeers: providers})
	}
	of := func(id []byte, addrs ...[]byte) *dhtpb.Message_Peer { return &dhtpb.Message_Peer{Id: id, Addrs: addrs} }
	add("own", "one", of(asker, addr))
	add("other", "two", of([]byte(id(2010)), far))
	add("both", "three", of([]byte(id(2010)), far), of(asker, addr))
	add("no_address", "four", of(asker))
	add("bad_address", "five", of(asker, []byte{0xff, 0xff}))
	add("named", "six", of(asker, named(d.client.ID())))
	add("misnamed", "seven", of(asker, named(d.server.ID())))
	add("nobody", "eight")
	add("no_key", "", of(asker, addr))
	add("long_key", strings.Repeat("k", 80), of(asker, addr))
	add("too_long_key", strings.Repeat("k", 81), of(asker, addr))

	public, err := crypto.MarshalPublicKey(d.client.Peerstore().PubKey(d.client.ID()))
	if err != nil {
		d.t.Fatal(err)
	}
	key := append([]byte("/pk/"), asker...)
	put := func(name string, outer, inner, value []byte) {
		d.ask("put_"+name, &dhtpb.Message{Type: dhtpb.Message_PUT_VALUE, Key: outer, Record: &recpb.Record{Key: inner, Value: value}})
	}
	put("other_key", []byte("/pk/x"), key, public)
	put("bad_value", key, key, public[1:])
	put("no_namespace", asker, asker, public)
	put("whole", key, key, public)
	d.ask("put_nothing", &dhtpb.Message{Type: dhtpb.Message_PUT_VALUE, Key: key})
	d.ask("get_put", &dhtpb.Message{Type: dhtpb.Message_GET_VALUE, Key: key})
}

// ask opens a stream for each request, and follows ADD_PROVIDER with a ping, which is answered unless the stream was reset.
func (d *dialogue) ask(name string, request *dhtpb.Message) {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		d.t.Fatal(err)
	}
	fmt.Fprintf(d.out, "ask %s %x = ", name, encoded)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := d.client.NewStream(ctx, d.server.ID(), protocol.ID("/ipfs/kad/1.0.0"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer s.Reset()
	if err := s.SetDeadline(time.Now().Add(10 * time.Second)); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		d.t.Log(err)
	}
	w, r := msgio.NewVarintWriter(s), msgio.NewVarintReader(s)
	write := func(message []byte) error { return w.WriteMsg(message) }
	if err := write(encoded); err != nil {
		d.t.Fatal(err)
	}
	isOffer := request.Type == dhtpb.Message_ADD_PROVIDER
	if isOffer {
		ping, _ := proto.Marshal(&dhtpb.Message{Type: dhtpb.Message_PING})
		if err := write(ping); err != nil {
			fmt.Fprintln(d.out, "reset")
			return
		}
	}
	answer, err := r.ReadMsg()
	switch {
	case errors.Is(err, io.EOF):
		d.t.Fatal("the stream was closed")
	case err != nil:
		fmt.Fprintln(d.out, "reset")
	case isOffer:
		fmt.Fprintln(d.out, "nothing")
	default:
		d.say(answer)
	}
}

func (d *dialogue) say(answer []byte) {
	var m dhtpb.Message
	if err := proto.Unmarshal(answer, &m); err != nil {
		d.t.Fatal(err)
	}
	value := "-"
	if m.Record != nil {
		value = hexed(m.Record.Value)
	}
	fmt.Fprintf(d.out, "%s %s %s %s\n", hexed(m.Key), value, d.peers(m.CloserPeers), d.peers(m.ProviderPeers))
}

func (d *dialogue) peers(list []*dhtpb.Message_Peer) string {
	if len(list) == 0 {
		return "-"
	}
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = fmt.Sprintf("%s/%d", d.names[peer.ID(p.Id)], len(p.Addrs))
	}
	return strings.Join(names, ",")
}
