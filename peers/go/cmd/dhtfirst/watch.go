package main

import (
	"context"
	"sync"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

// watchedSender is the library's message sender. What requests for providers
// bring is noted before the library sees it.
type watchedSender struct {
	pb.MessageSenderWithDisconnect
}

type watchKey struct{}

func (s *watchedSender) SendRequest(ctx context.Context, p peer.ID, request *pb.Message) (*pb.Message, error) {
	w, _ := ctx.Value(watchKey{}).(*watch)
	if w == nil || request.Type != pb.Message_GET_PROVIDERS {
		return s.MessageSenderWithDisconnect.SendRequest(ctx, p, request)
	}
	w.sent(p)
	answer, err := s.MessageSenderWithDisconnect.SendRequest(ctx, p, request)
	if err == nil {
		w.answered(p, answer)
	}
	return answer, err
}

// watch is one lookup, as its requests show it.
type watch struct {
	begun time.Time
	mutex sync.Mutex
	// At which hop each peer is: 1 for those that the lookup begins with.
	hops  map[peer.ID]int
	asked int
	first *finding
}

// finding is how the first provider was found.
type finding struct {
	found bool
	// At which hop the peer is that named it.
	hop int
	// How many requests had been sent by then.
	requests int
	took     time.Duration
}

func (w *watch) sent(p peer.ID) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.asked++
	if w.hops[p] == 0 {
		w.hops[p] = 1
	}
}

func (w *watch) answered(p peer.ID, answer *pb.Message) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(answer.ProviderPeers) > 0 && w.first == nil {
		w.first = &finding{found: true, hop: w.hops[p], requests: w.asked, took: time.Since(w.begun)}
	}
	for _, closer := range answer.CloserPeers {
		id, err := peer.IDFromBytes([]byte(closer.Id))
		if err == nil && w.hops[id] == 0 {
			w.hops[id] = w.hops[p] + 1
		}
	}
}

func (w *watch) finding() finding {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.first == nil {
		return finding{requests: w.asked, took: time.Since(w.begun)}
	}
	return *w.first
}
