package main

import (
	"sync"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// limits refuses inbound connections and streams above a number, at the places
// where the library's resource manager refuses them, so that a client sees the
// same: a connection closed on accept, a stream reset before its protocol is
// agreed on. It counts nothing until armed, so that the servers' own network
// is not limited.
type limits struct {
	network.ResourceManager
	maxConns   int
	maxStreams int
	armed      atomic.Bool

	lock           sync.Mutex
	conns          int
	streams        map[peer.ID]int
	refusedConns   int
	refusedStreams int
}

func (l *limits) arm() {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.streams = make(map[peer.ID]int)
	l.armed.Store(true)
}

// refused tells how many connections and streams were refused so far.
func (l *limits) refused() (conns, streams int) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.refusedConns, l.refusedStreams
}

// held tells how many inbound connections of clients have a place now, those
// included that are not open yet and those of which the library never gave the
// place back. Without a limit none is counted.
func (l *limits) held() int {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.conns
}

// OpenConnection is asked before each connection's first byte.
func (l *limits) OpenConnection(dir network.Direction, usefd bool, endpoint ma.Multiaddr) (network.ConnManagementScope, error) {
	if dir != network.DirInbound || l.maxConns == 0 || !l.armed.Load() {
		return l.ResourceManager.OpenConnection(dir, usefd, endpoint)
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.conns >= l.maxConns {
		l.refusedConns++
		return nil, network.ErrResourceLimitExceeded
	}
	scope, err := l.ResourceManager.OpenConnection(dir, usefd, endpoint)
	if err != nil {
		return nil, err
	}
	l.conns++
	return &countedConn{ConnManagementScope: scope, release: l.release(func() { l.conns-- })}, nil
}

// OpenStream is asked before each stream's protocol is agreed on.
func (l *limits) OpenStream(p peer.ID, dir network.Direction) (network.StreamManagementScope, error) {
	if dir != network.DirInbound || l.maxStreams == 0 || !l.armed.Load() {
		return l.ResourceManager.OpenStream(p, dir)
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.streams[p] >= l.maxStreams {
		l.refusedStreams++
		return nil, network.ErrResourceLimitExceeded
	}
	scope, err := l.ResourceManager.OpenStream(p, dir)
	if err != nil {
		return nil, err
	}
	l.streams[p]++
	return &countedStream{StreamManagementScope: scope, release: l.release(func() {
		if l.streams[p]--; l.streams[p] == 0 {
			delete(l.streams, p)
		}
	})}, nil
}

// release makes a function that does what is given once, under the lock.
func (l *limits) release(forget func()) func() {
	return sync.OnceFunc(func() {
		l.lock.Lock()
		defer l.lock.Unlock()
		forget()
	})
}

type countedConn struct {
	network.ConnManagementScope
	release func()
}

// Done ends the connection's scope.
func (c *countedConn) Done() {
	c.release()
	c.ConnManagementScope.Done()
}

type countedStream struct {
	network.StreamManagementScope
	release func()
}

// Done ends the stream's scope.
func (s *countedStream) Done() {
	s.release()
	s.StreamManagementScope.Done()
}
