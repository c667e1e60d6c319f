package golden

import (
	"bytes"
	"fmt"
	"testing"

	v1 "github.com/libp2p/go-libp2p/p2p/host/autonat/pb"
	v2 "github.com/libp2p/go-libp2p/p2p/protocol/autonatv2/pb"
	ma "github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/proto"
)

func TestAutonat(t *testing.T) {
	var out bytes.Buffer
	fmt.Fprintln(&out, "# Messages of AutoNAT as go-libp2p v0.49.0 writes them; peers/go/golden says how.")
	addr := ma.StringCast("/ip4/1.2.3.4/tcp/4001").Bytes()
	quic := ma.StringCast("/ip4/1.2.3.4/udp/4001/quic-v1").Bytes()
	reply := func(r *v1.Message_DialResponse) *v1.Message {
		return &v1.Message{Type: v1.Message_DIAL_RESPONSE.Enum(), DialResponse: r}
	}
	for _, m := range []struct {
		name    string
		message proto.Message
	}{
		{"v1_request", &v1.Message{Type: v1.Message_DIAL.Enum(), Dial: &v1.Message_Dial{
			Peer: &v1.Message_PeerInfo{Id: []byte(id(1)), Addrs: [][]byte{addr, quic}}}}},
		{"v1_reached", reply(&v1.Message_DialResponse{Status: v1.Message_OK.Enum(), Addr: addr})},
		{"v1_dial_error", reply(&v1.Message_DialResponse{Status: v1.Message_E_DIAL_ERROR.Enum(), StatusText: proto.String("dial failed")})},
		{"v1_refused", reply(&v1.Message_DialResponse{Status: v1.Message_E_DIAL_REFUSED.Enum(), StatusText: proto.String("too many dials")})},
		{"v1_bad_request", reply(&v1.Message_DialResponse{Status: v1.Message_E_BAD_REQUEST.Enum(), StatusText: proto.String("bad peer id")})},
		{"v1_internal_error", reply(&v1.Message_DialResponse{Status: v1.Message_E_INTERNAL_ERROR.Enum(), StatusText: proto.String("x")})},
		{"v2_request", &v2.Message{Msg: &v2.Message_DialRequest{DialRequest: &v2.DialRequest{Addrs: [][]byte{addr, quic}, Nonce: 0x0102030405060708}}}},
		{"v2_reached", &v2.Message{Msg: &v2.Message_DialResponse{DialResponse: &v2.DialResponse{
			Status: v2.DialResponse_OK, AddrIdx: 1, DialStatus: v2.DialStatus_OK}}}},
		{"v2_dial_error", &v2.Message{Msg: &v2.Message_DialResponse{DialResponse: &v2.DialResponse{
			Status: v2.DialResponse_OK, DialStatus: v2.DialStatus_E_DIAL_ERROR}}}},
		{"v2_dial_back_error", &v2.Message{Msg: &v2.Message_DialResponse{DialResponse: &v2.DialResponse{
			Status: v2.DialResponse_OK, DialStatus: v2.DialStatus_E_DIAL_BACK_ERROR}}}},
		{"v2_refused", &v2.Message{Msg: &v2.Message_DialResponse{DialResponse: &v2.DialResponse{Status: v2.DialResponse_E_DIAL_REFUSED}}}},
		{"v2_rejected", &v2.Message{Msg: &v2.Message_DialResponse{DialResponse: &v2.DialResponse{Status: v2.DialResponse_E_REQUEST_REJECTED}}}},
		{"v2_internal_error", &v2.Message{Msg: &v2.Message_DialResponse{DialResponse: &v2.DialResponse{}}}},
		{"v2_demand", &v2.Message{Msg: &v2.Message_DialDataRequest{DialDataRequest: &v2.DialDataRequest{AddrIdx: 1, NumBytes: 30_001}}}},
		{"v2_data", &v2.Message{Msg: &v2.Message_DialDataResponse{DialDataResponse: &v2.DialDataResponse{Data: make([]byte, 200)}}}},
		{"v2_dial_back", &v2.DialBack{Nonce: 0x0102030405060708}},
		{"v2_heard", &v2.DialBackResponse{}},
	} {
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.message)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s %s\n", m.name, hexed(encoded))
	}
	keep(t, "autonat.txt", out.Bytes())
}
