package main

import (
	"context"
	"errors"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"kadscope-peers/go/internal/lookups"
)

// watchedSender is the library's message sender. What requests of a lookup
// bring is written down before the library sees it.
type watchedSender struct {
	pb.MessageSenderWithDisconnect
}

type recorderKey struct{}

// unwatchedTimeout is longer than the slowest peer takes that answers.
const unwatchedTimeout = 4 * time.Second

func (s *watchedSender) SendRequest(ctx context.Context, p peer.ID, request *pb.Message) (*pb.Message, error) {
	r, _ := ctx.Value(recorderKey{}).(*recorder)
	// Values are corrected with the lookup's context too: those are no part of it.
	if r == nil || request.Type == pb.Message_PUT_VALUE {
		return s.sendUnwatched(ctx, p, request)
	}
	followUp := lookups.IsFollowUp()
	r.sent(p, followUp)
	answer, err := s.MessageSenderWithDisconnect.SendRequest(ctx, p, request)
	if err == nil {
		r.answered(p, answer, followUp)
	} else {
		r.failed(p, followUp)
	}
	return answer, err
}

// sendUnwatched sends what is no part of a lookup that is written down. Requests
// to one peer wait for each other, so publications would wait for minutes for
// peers that do not answer.
func (s *watchedSender) sendUnwatched(ctx context.Context, p peer.ID, request *pb.Message) (*pb.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, unwatchedTimeout)
	defer cancel()
	answer, err := s.MessageSenderWithDisconnect.SendRequest(ctx, p, request)
	if err == nil && request.Type == pb.Message_PUT_VALUE && answer.Record == nil {
		// The library ends the process at an answer without a record.
		return nil, errors.New("the answer to PUT_VALUE has no record")
	}
	return answer, err
}
