package main

import (
	"context"
	"sync/atomic"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/lookups"
)

// watchedSender is the library's message sender. What a publication sends, and
// what comes of it, is written down before the library sees it.
type watchedSender struct {
	pb.MessageSenderWithDisconnect
	// current is the recorder of what the node does; gifts go on when it has returned.
	current atomic.Pointer[recorder]
}

// recorder finds whose key a message is about: gifts do not carry the context of their publication.
func (s *watchedSender) recorder(message *pb.Message) *recorder {
	r := s.current.Load()
	if r == nil || string(message.GetKey()) != r.key {
		return nil
	}
	return r
}

func (s *watchedSender) SendRequest(ctx context.Context, p peer.ID, request *pb.Message) (*pb.Message, error) {
	r := s.recorder(request)
	if r == nil || request.Type != pb.Message_FIND_NODE {
		return s.MessageSenderWithDisconnect.SendRequest(ctx, p, request)
	}
	followUp := lookups.IsFollowUp()
	if followUp {
		r.add(event{kind: asks, peer: p})
	}
	answer, err := s.MessageSenderWithDisconnect.SendRequest(ctx, p, request)
	r.ended(p, err == nil, followUp)
	return answer, err
}

func (s *watchedSender) SendMessage(ctx context.Context, p peer.ID, message *pb.Message) error {
	r := s.recorder(message)
	if r == nil || message.Type != pb.Message_ADD_PROVIDER {
		return s.MessageSenderWithDisconnect.SendMessage(ctx, p, message)
	}
	r.add(event{kind: gives, peer: p})
	err := s.MessageSenderWithDisconnect.SendMessage(ctx, p, message)
	r.add(event{kind: gave, peer: p, ok: err == nil})
	return err
}
