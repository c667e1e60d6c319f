package golden

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/boxo/ipns"
	ipnspb "github.com/ipfs/boxo/ipns/pb"
	"github.com/ipfs/boxo/path"
	record "github.com/libp2p/go-libp2p-record"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"
	"google.golang.org/protobuf/proto"
)

// values are made and judged at the beginning of a virtual clock, 2000-01-01T00:00:00Z.
type values struct {
	t         *testing.T
	out       *bytes.Buffer
	validator record.NamespacedValidator
	// made are the values by their names, all of one key, for Select.
	made map[string][]byte
}

func TestValues(t *testing.T) {
	var out bytes.Buffer
	fmt.Fprintln(&out, "# boxo v0.41.0 and go-libp2p-record v0.3.1 at 2000-01-01T00:00:00Z; peers/go/golden says how.")
	fmt.Fprintln(&out, "# value NAME KEY VALUE refused|expired|valid [SEQUENCE UNTIL_NS TTL_NS PATH]; select NAME OTHER WHICH")
	synctest.Test(t, func(t *testing.T) {
		validator := record.NamespacedValidator{"pk": record.PublicKeyValidator{}, "ipns": ipns.Validator{}}
		v := &values{t, &out, validator, map[string][]byte{}}
		v.all()
	})
	keep(t, "values.txt", out.Bytes())
}

// keys of every kind whose signatures are always the same.
func (v *values) keys() map[string]crypto.PrivKey {
	seed := bytes.Repeat([]byte{7}, 32)
	pem, err := os.ReadFile(filepath.Join("..", "..", "..", "crates", "net", "tests", "data", "rsa_2048.pk8"))
	v.must(err)
	std, err := x509.ParsePKCS8PrivateKey(pem)
	v.must(err)
	rsa, _, err := crypto.KeyPairFromStdKey(std)
	v.must(err)
	ed, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed))
	v.must(err)
	other, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32)))
	v.must(err)
	secp, err := crypto.UnmarshalSecp256k1PrivateKey(seed)
	v.must(err)
	return map[string]crypto.PrivKey{"ed25519": ed, "other": other, "rsa": rsa, "secp256k1": secp}
}

func (v *values) all() {
	keys := v.keys()
	ed := keys["ed25519"]
	for _, kind := range []string{"ed25519", "rsa", "secp256k1"} {
		v.say("whole_"+kind, keys[kind], v.record(keys[kind], "/ipfs/bafkqaaa", 1, time.Hour, time.Minute))
		v.say("v2_"+kind, keys[kind], v.record(keys[kind], "/ipfs/bafkqaaa", 1, time.Hour, time.Minute, ipns.WithV1Compatibility(false)))
		v.say("with_key_"+kind, keys[kind], v.record(keys[kind], "/ipfs/bafkqaaa", 1, time.Hour, 0, ipns.WithPublicKey(true)))
		v.say("without_key_"+kind, keys[kind], v.record(keys[kind], "/ipfs/bafkqaaa", 1, time.Hour, 0, ipns.WithPublicKey(false)))
	}
	first := v.record(ed, "/ipfs/bafkqaaa", 5, time.Hour, time.Minute)
	v.say("first", ed, first)
	v.say("bumped", ed, v.record(ed, "/ipfs/bafkqaaa", 6, time.Minute, time.Minute))
	v.say("later", ed, v.record(ed, "/ipfs/bafkqaaa", 5, 2*time.Hour, time.Minute))
	v.say("longer", ed, v.record(ed, "/ipfs/bafkqaaa/x", 5, time.Hour, time.Minute))
	v.say("highest", ed, v.record(ed, "/ipfs/bafkqaaa", 1<<63-1, time.Hour, time.Minute))
	v.say("beyond", ed, v.record(ed, "/ipfs/bafkqaaa", 1<<63, time.Hour, time.Minute))
	v.say("named", ed, v.record(ed, "/ipns/example.com/a/b", 7, time.Hour, time.Minute))
	v.say("expired", ed, v.record(ed, "/ipfs/bafkqaaa", 5, -time.Nanosecond, time.Minute))
	v.say("expiring", ed, v.record(ed, "/ipfs/bafkqaaa", 5, 0, time.Minute))
	v.say("before_1970", ed, v.record(ed, "/ipfs/bafkqaaa", 5, -50*365*24*time.Hour, time.Minute))
	v.say("wrong_key", keys["other"], first)
	v.say("wrong_kind", keys["rsa"], first)
	v.say("noted", ed, v.record(ed, "/ipfs/bafkqaaa", 5, time.Hour, time.Minute, ipns.WithMetadata(map[string]any{"a": "text", "b": []byte{1}, "c": -9, "d": true})))
	v.say("long", ed, v.record(ed, "/ipfs/bafkqaaa/"+strings.Repeat("x", 9000), 5, time.Hour, time.Minute, ipns.WithV1Compatibility(false)))
	v.say("too_long", ed, v.record(ed, "/ipfs/bafkqaaa/"+strings.Repeat("x", 11000), 5, time.Hour, time.Minute, ipns.WithV1Compatibility(false)))
	v.say("cut", ed, first[:len(first)-1])
	v.say("empty", ed, nil)
	v.changed(ed, keys)
	v.documents(ed)
	names := []string{"first", "bumped", "later", "longer", "highest", "expired", "named"}
	for _, a := range names {
		for _, b := range names {
			v.choose(ed, a, b)
		}
	}
	v.publicKeys(keys)
}

// changed are records that are not as they were signed.
func (v *values) changed(ed crypto.PrivKey, keys map[string]crypto.PrivKey) {
	for name, change := range map[string]func(*ipnspb.IpnsRecord){
		"a_signature":      func(pb *ipnspb.IpnsRecord) { pb.SignatureV2[5] ^= 1 },
		"b_no_signature":   func(pb *ipnspb.IpnsRecord) { pb.SignatureV2 = nil },
		"c_v1_only":        func(pb *ipnspb.IpnsRecord) { pb.SignatureV2, pb.Data = nil, nil },
		"d_data":           func(pb *ipnspb.IpnsRecord) { pb.Data[len(pb.Data)-1] ^= 1 },
		"e_value":          func(pb *ipnspb.IpnsRecord) { pb.Value = []byte("/ipfs/bafkqabaa") },
		"f_no_value":       func(pb *ipnspb.IpnsRecord) { pb.Value = nil },
		"g_nothing_of_v1":  func(pb *ipnspb.IpnsRecord) { pb.Value, pb.SignatureV1 = nil, nil; pb.Sequence = proto.Uint64(99) },
		"h_sequence":       func(pb *ipnspb.IpnsRecord) { pb.Sequence = proto.Uint64(99) },
		"i_ttl":            func(pb *ipnspb.IpnsRecord) { pb.Ttl = nil },
		"j_validity":       func(pb *ipnspb.IpnsRecord) { pb.Validity = []byte("2030-01-01T00:00:00Z") },
		"k_validity_type":  func(pb *ipnspb.IpnsRecord) { pb.ValidityType = ipnspb.IpnsRecord_ValidityType(1).Enum() },
		"l_signature_v1":   func(pb *ipnspb.IpnsRecord) { pb.SignatureV1[5] ^= 1 },
		"m_key_of_another": func(pb *ipnspb.IpnsRecord) { pb.PubKey, _ = crypto.MarshalPublicKey(keys["other"].GetPublic()) },
		"n_no_key":         func(pb *ipnspb.IpnsRecord) { pb.PubKey = []byte{1, 2, 3} },
	} {
		rec := new(ipnspb.IpnsRecord)
		v.must(proto.Unmarshal(v.record(ed, "/ipfs/bafkqaaa", 5, time.Hour, time.Minute), rec))
		change(rec)
		v.made["changed_"+name] = v.bytes(rec)
	}
	for _, name := range slices.Sorted(maps.Keys(v.made)) {
		if strings.HasPrefix(name, "changed_") {
			v.say(name, ed, v.made[name])
		}
	}
}

// documents are records of signed data that no library would write.
func (v *values) documents(ed crypto.PrivKey) {
	text := func(s string) string { return string(rune(0x60+len(s))) + s }
	raw := func(s string) string {
		if len(s) > 23 {
			return "\x58" + string([]byte{byte(len(s))}) + s
		}
		return string([]byte{byte(0x40 + len(s))}) + s
	}
	value, sequence := text("Value")+raw("/ipfs/bafkqaaa"), text("Sequence")+"\x05"
	until := func(at string) string { return text("Validity") + raw(at) }
	later, kind, ttl := until("2000-01-01T01:00:00Z"), text("ValidityType")+"\x00", text("TTL")+"\x19\x03\xe8"
	whole := ttl + value + sequence + later + kind
	for _, d := range []struct{ name, data string }{
		{"whole", "\xa5" + whole},
		{"other_order", "\xa5" + kind + later + sequence + value + ttl},
		{"trailing", "\xa5" + whole + "\x00"},
		{"cut", "\xa6" + whole},
		{"twice", "\xa6" + whole + sequence},
		{"no_ttl", "\xa4" + value + sequence + later + kind},
		{"no_sequence", "\xa4" + ttl + value + later + kind},
		{"no_value", "\xa4" + ttl + sequence + later + kind},
		{"no_validity", "\xa4" + ttl + value + sequence + kind},
		{"no_validity_type", "\xa4" + ttl + value + sequence + later},
		{"validity_type", "\xa5" + ttl + value + sequence + later + text("ValidityType") + "\x01"},
		{"negative_ttl", "\xa5" + text("TTL") + "\x20" + value + sequence + later + kind},
		{"negative_sequence", "\xa5" + ttl + value + text("Sequence") + "\x20" + later + kind},
		{"text_for_bytes", "\xa5" + ttl + text("Value") + text("/ipfs/bafkqaaa") + sequence + later + kind},
		{"long_number", "\xa5" + ttl + value + text("Sequence") + "\x1b\x00\x00\x00\x00\x00\x00\x00\x05" + later + kind},
		{"huge_number", "\xa5" + ttl + value + text("Sequence") + "\x1b\xff\xff\xff\xff\xff\xff\xff\xff" + later + kind},
		{"indefinite", "\xbf" + whole + "\xff"},
		{"nested", "\xa6" + whole + text("x") + "\x82\xa1" + text("y") + "\x83\xf5\xf6\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00\x20"},
		{"a_list", "\x85" + whole},
		{"number_as_key", "\xa6" + whole + "\x01\x01"},
		{"link", "\xa6" + whole + text("x") + "\xd8\x2a\x45\x00\x01\x55\x00\x00"},
		{"no_link", "\xa6" + whole + text("x") + "\xd8\x2b\x41\x00"},
		{"undefined", "\xa6" + whole + text("x") + "\xf7"},
		{"half_float", "\xa6" + whole + text("x") + "\xf9\x3c\x00"},
		{"nan", "\xa6" + whole + text("x") + "\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00"},
		{"no_utf8", "\xa6" + whole + text("x") + "\x61\xff"},
		{"offset", "\xa5" + ttl + value + sequence + until("2000-01-01T01:30:00+01:00") + kind},
		{"offset_expired", "\xa5" + ttl + value + sequence + until("2000-01-01T00:30:00+01:00") + kind},
		{"fraction", "\xa5" + ttl + value + sequence + until("2000-01-01T00:00:00.000000001Z") + kind},
		{"long_fraction", "\xa5" + ttl + value + sequence + until("2000-01-01T00:00:00.1234567891234Z") + kind},
		{"no_zone", "\xa5" + ttl + value + sequence + until("2000-01-01T01:00:00") + kind},
		{"leap_second", "\xa5" + ttl + value + sequence + until("2016-12-31T23:59:60Z") + kind},
		{"no_such_day", "\xa5" + ttl + value + sequence + until("2001-02-29T00:00:00Z") + kind},
		{"leap_day", "\xa5" + ttl + value + sequence + until("2004-02-29T00:00:00Z") + kind},
		{"far_away", "\xa5" + ttl + value + sequence + until("9999-12-31T23:59:59.999999999Z") + kind},
		{"day", "\xa5" + ttl + value + sequence + until("2001-01-01") + kind},
		{"nothing", "\xa0"},
	} {
		data := []byte(d.data)
		signature, err := ed.Sign(append([]byte("ipns-signature:"), data...))
		v.must(err)
		v.say("document_"+d.name, ed, v.bytes(&ipnspb.IpnsRecord{SignatureV2: signature, Data: data}))
	}
}

func (v *values) publicKeys(keys map[string]crypto.PrivKey) {
	for _, kind := range []string{"ed25519", "rsa", "secp256k1"} {
		key, err := crypto.MarshalPublicKey(keys[kind].GetPublic())
		v.must(err)
		id, err := peer.IDFromPrivateKey(keys[kind])
		v.must(err)
		v.judge("pk_"+kind, routing.KeyForPublicKey(id), key)
		v.judge("pk_"+kind+"_of_another", "/pk/"+string(id[:len(id)-1])+"x", key)
		v.judge("pk_"+kind+"_cut", routing.KeyForPublicKey(id), key[:len(key)-1])
		v.judge("pk_"+kind+"_elsewhere", "/px/"+string(id), key)
		v.judge("pk_"+kind+"_no_namespace", string(id), key)
	}
}

// record is a record as boxo makes it.
func (v *values) record(sk crypto.PrivKey, to string, seq uint64, lives, ttl time.Duration, opts ...ipns.Option) []byte {
	p, err := path.NewPath(to)
	v.must(err)
	rec, err := ipns.NewRecord(sk, p, seq, time.Now().Add(lives), ttl, opts...)
	v.must(err)
	encoded, err := ipns.MarshalRecord(rec)
	v.must(err)
	return encoded
}

func (v *values) say(name string, sk crypto.PrivKey, value []byte) {
	id, err := peer.IDFromPrivateKey(sk)
	v.must(err)
	v.made[name] = value
	v.judge(name, string(ipns.NameFromPeer(id).RoutingKey()), value)
}

func (v *values) judge(name, key string, value []byte) {
	verdict := "valid"
	if err := v.validator.Validate(key, value); errors.Is(err, ipns.ErrExpiredRecord) {
		verdict = "expired"
	} else if err != nil {
		verdict = "refused"
	} else if strings.HasPrefix(key, "/ipns/") {
		rec, err := ipns.UnmarshalRecord(value)
		v.must(err)
		if seq, err := rec.Sequence(); err == nil {
			until, err := rec.Validity()
			v.must(err)
			ttl, _ := rec.TTL()
			to := "-"
			if p, err := rec.Value(); err == nil {
				to = p.String()
			}
			verdict += fmt.Sprintf(" %d %d%09d %d %s", seq, until.Unix(), until.Nanosecond(), ttl, to)
		}
	}
	fmt.Fprintf(v.out, "value %s %x %s %s\n", name, key, hexed(value), verdict)
}

func (v *values) choose(sk crypto.PrivKey, a, b string) {
	id, err := peer.IDFromPrivateKey(sk)
	v.must(err)
	best, err := v.validator.Select(string(ipns.NameFromPeer(id).RoutingKey()), [][]byte{v.made[a], v.made[b]})
	v.must(err)
	fmt.Fprintf(v.out, "select %s %s %d\n", a, b, best)
}

func (v *values) bytes(rec *ipnspb.IpnsRecord) []byte {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(rec)
	v.must(err)
	return encoded
}

func (v *values) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

func hexed(value []byte) string {
	if len(value) == 0 {
		return "-"
	}
	return hex.EncodeToString(value)
}
