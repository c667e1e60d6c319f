package golden

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	kbucket "github.com/libp2p/go-libp2p-kbucket"
	"github.com/libp2p/go-libp2p-kbucket/peerdiversity"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	ma "github.com/multiformats/go-multiaddr"
)

// The peers of a script are numbers. The id of one is a SHA-256 multihash of its number, so that the data need not hold it.
func id(number uint32) peer.ID {
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], number)
	digest := sha256.Sum256(bytes[:])
	return peer.ID(append([]byte{0x12, 0x20}, digest[:]...))
}

// script is one table under random treatment, and the record of it: a line for each thing done, and what came of it.
type script struct {
	rt      *kbucket.RoutingTable
	random  *rand.Rand
	out     *bytes.Buffer
	started time.Time
	peers   uint32
	number  map[peer.ID]uint32
	// addrs are those of the peer that is being added, for the diversity filter.
	addrs  []ma.Multiaddr
	groups bool
}

// filter is the diversity filter of go-libp2p-kad-dht with addresses of the script's own choice.
type filter struct {
	peerdiversity.PeerIPGroupFilter
	script *script
}

func (f filter) PeerAddresses(peer.ID) []ma.Multiaddr { return f.script.addrs }

type setting struct {
	own         uint32
	bucketSize  int
	peers       uint32
	steps       int
	perPrefix   int
	perTable    int
	replaceable float64
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	fmt.Fprintln(&out, "# go-libp2p-kbucket v0.9.0, with the diversity filter of go-libp2p-kad-dht v0.42.1; peers/go/golden says how.")
	for seed, s := range []setting{
		{own: 1, bucketSize: 1, peers: 60, steps: 300, replaceable: 0.5},
		{own: 2, bucketSize: 2, peers: 200, steps: 500, replaceable: 0.3},
		{own: 3, bucketSize: 3, peers: 400, steps: 500, perPrefix: 2, perTable: 3, replaceable: 0.2},
		{own: 4, bucketSize: 20, peers: 3000, steps: 1200, replaceable: 0.1},
		{own: 5, bucketSize: 20, peers: 1000, steps: 600, perPrefix: 2, perTable: 3},
	} {
		synctest.Test(t, func(t *testing.T) { run(t, &out, uint64(seed), s) })
	}
	keep(t, "table.txt", out.Bytes())
}

func run(t *testing.T, out *bytes.Buffer, seed uint64, s setting) {
	metrics, err := pstoremem.NewPeerstore()
	if err != nil {
		t.Fatal(err)
	}
	defer metrics.Close()
	own := kbucket.ConvertPeerID(id(s.own))
	r := &script{random: rand.New(rand.NewPCG(seed, 1)), out: out, started: time.Now(), peers: s.peers, number: map[peer.ID]uint32{}}
	for n := range s.peers {
		r.number[id(1000+n)] = 1000 + n
	}
	var df *peerdiversity.Filter
	if s.perTable > 0 {
		r.groups = true
		limits := filter{dht.NewRTPeerDiversityFilter(nil, s.perPrefix, s.perTable), r}
		cpl := func(p peer.ID) int { return kbucket.CommonPrefixLen(own, kbucket.ConvertPeerID(p)) }
		if df, err = peerdiversity.NewFilter(limits, "golden", cpl); err != nil {
			t.Fatal(err)
		}
	}
	r.rt, err = kbucket.NewRoutingTable(s.bucketSize, own, time.Minute, metrics, time.Hour, df)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(out, "table %d %d %d %d\n", s.own, s.bucketSize, s.perPrefix, s.perTable)
	for range s.steps {
		r.step(s)
	}
	r.dump()
}

func (r *script) step(s setting) {
	p := 1000 + r.random.Uint32N(r.peers)
	switch choice := r.random.IntN(100); {
	case choice < 58:
		r.add(p, r.random.Float64() < s.replaceable)
	case choice < 64:
		p = r.member(p)
		r.rt.RemovePeer(id(p))
		fmt.Fprintf(r.out, "remove %d\n", p)
	case choice < 70:
		p = r.member(p)
		fmt.Fprintf(r.out, "answered %d %t\n", p, r.rt.UpdateLastSuccessfulOutboundQueryAt(id(p), time.Now()))
	case choice < 74:
		p = r.member(p)
		fmt.Fprintf(r.out, "useful %d %t\n", p, r.rt.UpdateLastUsefulAt(id(p), time.Now()))
	case choice < 81:
		seconds := r.random.IntN(100)
		time.Sleep(time.Duration(seconds) * time.Second)
		fmt.Fprintf(r.out, "pass %d\n", seconds)
	case choice < 86:
		fmt.Fprintf(r.out, "room %d %t\n", p, r.rt.UsefulNewPeer(id(p)))
	case choice < 92:
		count := r.random.IntN(s.bucketSize + 4)
		near := r.rt.NearestPeers(kbucket.ConvertPeerID(id(p)), count)
		numbers := make([]string, len(near))
		for i, q := range near {
			numbers[i] = fmt.Sprint(r.number[q])
		}
		fmt.Fprintf(r.out, "near %d %d%s\n", p, count, list(numbers))
	case choice < 95:
		r.rt.ResetCplRefreshedAtForID(kbucket.ConvertPeerID(id(p)), time.Now())
		fmt.Fprintf(r.out, "refreshed %d\n", p)
	case choice < 97:
		fmt.Fprint(r.out, "tracked ")
		for i, at := range r.rt.GetTrackedCplsForRefresh() {
			if i > 0 {
				fmt.Fprint(r.out, ",")
			}
			if at.IsZero() {
				fmt.Fprint(r.out, "-")
			} else {
				fmt.Fprint(r.out, r.seconds(at))
			}
		}
		fmt.Fprintln(r.out)
	case choice < 98:
		cpl := r.random.UintN(14)
		fmt.Fprintf(r.out, "count %d %d\n", cpl, r.rt.NPeersForCpl(cpl))
	case choice < 99:
		if r.random.IntN(4) == 0 {
			r.rt.MarkAllPeersIrreplaceable()
			fmt.Fprintln(r.out, "irreplaceable")
		}
	default:
		r.dump()
	}
}

// member is a peer of the table, most of the time.
func (r *script) member(otherwise uint32) uint32 {
	peers := r.rt.ListPeers()
	if len(peers) == 0 || r.random.IntN(5) == 0 {
		return otherwise
	}
	return r.number[peers[r.random.IntN(len(peers))]]
}

// add does what go-libp2p-kad-dht's loop does with a peer that answered: a peer that is there already has answered again.
func (r *script) add(p uint32, isReplaceable bool) {
	ips := []string{}
	if r.groups {
		r.addrs = nil
		for range r.random.IntN(8)/3 + r.random.IntN(2) {
			ip := fmt.Sprintf("%d.%d.0.%d", []int{12, 45, 73, 99}[r.random.IntN(4)], r.random.IntN(40), r.random.IntN(3))
			ips = append(ips, ip)
			r.addrs = append(r.addrs, ma.StringCast("/ip4/"+ip+"/tcp/1"))
		}
	}
	isAdded, err := r.rt.TryAddPeer(id(p), true, isReplaceable)
	result := "known"
	switch {
	case isAdded:
		result = "added"
	case err == kbucket.ErrPeerRejectedNoCapacity:
		result = "full"
	case err != nil:
		result = "group"
	default:
		r.rt.UpdateLastSuccessfulOutboundQueryAt(id(p), time.Now())
	}
	fmt.Fprintf(r.out, "add %d %t %s%s\n", p, isReplaceable, result, list(ips))
}

// list is what a line ends with: nothing, or a word with all of them.
func list(entries []string) string {
	if len(entries) == 0 {
		return ""
	}
	return " " + strings.Join(entries, ",")
}

func (r *script) seconds(at time.Time) int { return int(at.Sub(r.started) / time.Second) }

// dump tells how many buckets there are, and of each peer when it was added, was last useful and last answered.
func (r *script) dump() {
	buckets := reflect.ValueOf(r.rt).Elem().FieldByName("buckets").Len()
	fmt.Fprintf(r.out, "all %d", buckets)
	for _, p := range r.rt.GetPeerInfos() {
		isReplaceable := ""
		if reflect.ValueOf(p).FieldByName("replaceable").Bool() {
			isReplaceable = "r"
		}
		fmt.Fprintf(r.out, " %d:%d:%d:%d%s", r.number[p.Id], r.seconds(p.AddedAt), r.seconds(p.LastUsefulAt),
			r.seconds(p.LastSuccessfulOutboundQueryAt), isReplaceable)
	}
	fmt.Fprintln(r.out)
}
