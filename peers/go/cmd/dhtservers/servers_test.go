package main

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio/pbio"
)

const protocolID = "/ipfs/kad/1.0.0"

// start runs a network of 3 as main does.
func start(t *testing.T, args ...string) []*server {
	t.Helper()
	cfg, err := parseConfig(append([]string{"-n", "3"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	var servers []*server
	for i := range cfg.n {
		s, err := newServer(cfg, i)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.close)
		servers = append(servers, s)
	}
	if err := form(t.Context(), cfg, servers); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		s.limits.arm()
	}
	return servers
}

func client(t *testing.T) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.NoListenAddrs, libp2p.ResourceManager(&network.NullResourceManager{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func connectTo(ctx context.Context, h host.Host, s *server) error {
	return h.Connect(ctx, peer.AddrInfo{ID: s.host.ID(), Addrs: s.host.Addrs()})
}

// ask writes so many requests on one stream and counts the answers until its end.
func ask(t *testing.T, h host.Host, s *server, requests int) (answers int, last error) {
	t.Helper()
	stream, err := h.NewStream(t.Context(), s.host.ID(), protocolID)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Reset()
	stream.SetDeadline(time.Now().Add(5 * time.Second))
	w := pbio.NewDelimitedWriter(stream)
	for range requests {
		if err := w.WriteMsg(pb.NewMessage(pb.Message_FIND_NODE, []byte(h.ID()), 0)); err != nil {
			break // a closed stream; what it answered before counts
		}
	}
	stream.CloseWrite()
	r := pbio.NewDelimitedReader(stream, network.MessageSizeMax)
	for {
		var m pb.Message
		if last = r.ReadMsg(&m); last != nil {
			return answers, last
		}
		answers++
	}
}

func TestOneRequestPerStream(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		for _, want := range []struct {
			flag    string
			answers int
		}{{"-one-request-per-stream=false", 3}, {"-one-request-per-stream", 1}} {
			s := start(t, "-transport", transport, want.flag)[0]
			h := client(t)
			if err := connectTo(t.Context(), h, s); err != nil {
				t.Fatal(err)
			}
			answers, last := ask(t, h, s, 3)
			if answers != want.answers || last != io.EOF {
				t.Errorf("%s %s: %d answers and %v, not %d and EOF", transport, want.flag, answers, last, want.answers)
			}
		}
	}
}

func TestMaxConns(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		s := start(t, "-transport", transport, "-max-conns", "1")[0]
		first, second := client(t), client(t)
		if err := connectTo(t.Context(), first, s); err != nil {
			t.Fatal(err)
		}
		if connectTo(t.Context(), second, s) == nil {
			t.Errorf("%s: a second connection was let in", transport)
		}
		if refused, _ := s.limits.refused(); refused == 0 {
			t.Errorf("%s: no refusal was counted", transport)
		}
		// Room again once the first has gone; the server learns of that a little later.
		first.Close()
		await(t, func() bool { return connectTo(t.Context(), client(t), s) == nil })
	}
}

func TestMaxStreams(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		s := start(t, "-transport", transport, "-max-streams-per-conn", "2")[0]
		h := client(t)
		if err := connectTo(t.Context(), h, s); err != nil {
			t.Fatal(err)
		}
		// Two streams stay open once identify's have ended.
		for range 2 {
			await(t, func() bool { return hold(t, h, s) })
		}
		if hold(t, h, s) {
			t.Errorf("%s: a third stream was answered", transport)
		}
		if _, refused := s.limits.refused(); refused == 0 {
			t.Errorf("%s: no refusal was counted", transport)
		}
		if answers, _ := ask(t, connected(t, s), s, 1); answers != 1 {
			t.Errorf("%s: another client was limited too", transport)
		}
	}
}

func connected(t *testing.T, s *server) host.Host {
	t.Helper()
	h := client(t)
	if err := connectTo(t.Context(), h, s); err != nil {
		t.Fatal(err)
	}
	return h
}

// hold opens a stream, asks once, and leaves the stream open if that was answered.
func hold(t *testing.T, h host.Host, s *server) bool {
	t.Helper()
	stream, err := h.NewStream(t.Context(), s.host.ID(), protocolID)
	if err != nil {
		return false
	}
	stream.SetDeadline(time.Now().Add(5 * time.Second))
	var m pb.Message
	err = pbio.NewDelimitedWriter(stream).WriteMsg(pb.NewMessage(pb.Message_FIND_NODE, []byte(h.ID()), 0))
	if err == nil {
		err = pbio.NewDelimitedReader(stream, network.MessageSizeMax).ReadMsg(&m)
	}
	if err != nil {
		stream.Reset()
	}
	return err == nil
}

func await(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatal("waited 10 s in vain")
}
