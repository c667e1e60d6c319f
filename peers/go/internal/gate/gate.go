// Package gate keeps a libp2p host from dialling out of the machine: a test
// peer believes what other peers announce, and some of them announce foreign
// addresses on purpose.
package gate

import (
	"net"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Gate is a connection gater that lets a host dial loopback addresses and
// those in Also, and nothing else. Names and relayed addresses are refused.
type Gate struct {
	// Also are addresses beside loopback that may be dialled.
	Also []net.IP
}

// InterceptPeerDial lets every peer pass: the addresses decide.
func (g Gate) InterceptPeerDial(peer.ID) bool { return true }

// InterceptAddrDial lets only addresses of this machine pass.
func (g Gate) InterceptAddrDial(_ peer.ID, addr ma.Multiaddr) bool {
	if _, err := addr.ValueForProtocol(ma.P_CIRCUIT); err == nil {
		return false
	}
	ip, err := manet.ToIP(addr)
	if err != nil {
		return false
	}
	if ip.IsLoopback() {
		return true
	}
	for _, a := range g.Also {
		if a.Equal(ip) {
			return true
		}
	}
	return false
}

// InterceptAccept lets every connection in.
func (g Gate) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured lets every connection in.
func (g Gate) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool {
	return true
}

// InterceptUpgraded lets every connection in.
func (g Gate) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
