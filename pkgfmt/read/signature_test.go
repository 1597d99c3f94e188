package read

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/google/go-cmp/cmp"
)

// signed is a signature that a library made, and what it says.
func signed(t testing.TB, armored bool) ([]byte, Signature) {
	t.Helper()
	config := &packet.Config{Time: func() time.Time { return sampleTime }, Algorithm: packet.PubKeyAlgoEdDSA}
	e, err := openpgp.NewEntity("A. Tester", "", "a@example.org", config)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sign := openpgp.DetachSign
	if armored {
		sign = openpgp.ArmoredDetachSign
	}
	if err := sign(&out, e, strings.NewReader("text"), config); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), Signature{Algorithm: "EdDSA/SHA256", KeyID: fmt.Sprintf("%016x", e.PrimaryKey.KeyId), Time: sampleTime}
}

// v3 is a signature as rpm made them until 2018, in a packet of the old format.
func v3() []byte {
	b := []byte{0x88, 21, 3, 5, 0}
	b = binary.BigEndian.AppendUint32(b, uint32(sampleTime.Unix()))
	b = append(b, 0x24, 0xc6, 0xa8, 0xa7, 0xf4, 0xa8, 0x0e, 0xb5, 1, 8, 0xaa, 0xbb, 0, 8, 1)
	return append(b, 0, 0)
}

// v6 has a fingerprint only, and lengths of four octets.
func v6() []byte {
	body := []byte{6, 0, 27, 10}
	hashed := append([]byte{5, 0x80 | 2}, binary.BigEndian.AppendUint32(nil, uint32(sampleTime.Unix()))...)
	hashed = append(hashed, 34, 33, 6)
	hashed = append(hashed, bytes.Repeat([]byte{0xab}, 32)...)
	body = binary.BigEndian.AppendUint32(body, uint32(len(hashed)))
	body = append(append(body, hashed...), 0, 0, 0, 0)
	return append([]byte{0xc2, byte(len(body))}, body...)
}

func TestParseSignature(t *testing.T) {
	t.Parallel()
	bare, bareSays := signed(t, false)
	armored, armoredSays := signed(t, true)
	for name, c := range map[string]struct {
		data []byte
		want Signature
	}{
		"version 4":  {bare, bareSays},
		"armored":    {armored, armoredSays},
		"in a text":  {append([]byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nVersion: 4\n"), armored...), armoredSays},
		"version 3":  {v3(), Signature{Algorithm: "RSA/SHA256", KeyID: "24c6a8a7f4a80eb5", Time: sampleTime}},
		"version 6":  {v6(), Signature{Algorithm: "Ed25519/SHA512", KeyID: strings.Repeat("ab", 8), Time: sampleTime}},
		"unknown":    {[]byte{0x88, 19, 3, 5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 99, 98, 0, 0}, Signature{Algorithm: "algorithm 99/algorithm 98", KeyID: strings.Repeat("0", 16), Time: time.Unix(1, 0).UTC()}},
		"nothing":    {nil, Signature{Problem: "is no OpenPGP signature: is no packet"}},
		"no packet":  {[]byte("text"), Signature{Problem: "is no OpenPGP signature: is no packet"}},
		"a key":      {[]byte{0xc6, 2, 4, 0}, Signature{Problem: "is no OpenPGP signature: is a packet of type 6"}},
		"version 9":  {[]byte{0xc2, 1, 9}, Signature{Problem: "is no OpenPGP signature: is of version 9"}},
		"cut":        {bare[:len(bare)-1], Signature{Problem: "is no OpenPGP signature: is truncated"}},
		"no length":  {[]byte{0xc2, 255, 0}, Signature{Problem: "is no OpenPGP signature: is truncated"}},
		"partial":    {[]byte{0x8b, 0, 0}, Signature{Problem: "is no OpenPGP signature: is truncated"}},
		"empty":      {[]byte{0xc2, 0}, Signature{Problem: "is no OpenPGP signature: is truncated"}},
		"subpackets": {[]byte{0xc2, 10, 4, 0, 1, 8, 0, 2, 5, 2, 0, 0}, Signature{Problem: "is no OpenPGP signature: is truncated"}},
		"too large":  {make([]byte, maxSignature+1), Signature{Problem: "is too large for a signature"}},
	} {
		if diff := cmp.Diff(c.want, parseSignature("", c.data)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got, want := bareSays.String(), "EdDSA/SHA256, key "+bareSays.KeyID+", 2023-11-14 22:13:20 UTC"; got != want {
		t.Errorf("String() = %s; want %s", got, want)
	}
}

// TestSignatures: where the formats have them.
func TestSignatures(t *testing.T) {
	t.Parallel()
	rpm := rawRPM([]rawTag{{tag: 268, value: v3()}, {tag: 1005, value: v3()}, {tag: 278, value: []string{base64.StdEncoding.EncodeToString(v6()), "?"}}},
		identity(), compress(t, "gzip", cpioBytes()))
	control, data := tarBytes(t, entry("./control", sampleControl)), tarBytes(t)
	deb := arBytes(arMember{name: "debian-binary", data: []byte("2.0\n")}, arMember{name: "control.tar", data: control},
		arMember{name: "data.tar", data: data}, arMember{name: "_gpgorigin", data: v3()})
	for name, c := range map[string]struct {
		data []byte
		want []string
	}{
		"a.rpm": {rpm, []string{"header: Ed25519/SHA512", "header: ", "header: RSA/SHA256", "header and payload: RSA/SHA256"}},
		"a.deb": {deb, []string{"_gpgorigin: RSA/SHA256"}},
	} {
		p, err := Open(file(t, name, c.data))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range p.Signatures {
			got = append(got, s.Over+": "+s.Algorithm)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || p.Signature != p.Signatures[0].String() {
			t.Errorf("%s: signatures (-want +got):\n%s%s", name, diff, p.Signature)
		}
	}
}

// TestBounded: the end of what there is, is the end; of what may come, an error.
func TestBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		left int64
		want string
		err  bool
	}{{0, "", true}, {4, "abcd", true}, {5, "abcde", false}, {9, "abcde", false}} {
		got, err := io.ReadAll(&bounded{r: strings.NewReader("abcde"), left: c.left, most: c.left})
		if string(got) != c.want || (err != nil) != c.err {
			t.Errorf("reading at most %d = %q, %v; want %q, an error: %v", c.left, got, err, c.want, c.err)
		}
	}
	for _, c := range []struct{ compressed, limit, want int64 }{
		{0, maxTotal, slack}, {1, maxTotal, slack + maxRatio}, {1 << 40, maxTotal, maxTotal}, {1 << 62, maxTotal, maxTotal}, {1 << 20, 1 << 20, 1 << 20},
	} {
		if got := allowance(c.compressed, c.limit); got != c.want {
			t.Errorf("allowance(%d, %d) = %d; want %d", c.compressed, c.limit, got, c.want)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain, ümlaut 日本 ~": "plain, ümlaut 日本 ~",
		"a\x1b[31mb":         `a\x1b[31mb`,
		"a\nb\tc\rd\x00":     `a\x0ab\x09c\x0dd\x00`,
		"\u009b1m":           `\u009b1m`,
		"\u202egpj.exe":      `\u202egpj.exe`,
		"a\u200bb\ufeff":     `a\u200bb\ufeff`,
		"\xff\xc3":           `\xff\xc3`,
		"\uFFFD":             "\uFFFD",
		"\U000e0041":         `\U000e0041`,
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q; want %q", in, got, want)
		}
	}
	if got, want := visibleText("a\n\tb\x1b"), "a\n\tb\\x1b"; got != want {
		t.Errorf("visibleText = %q; want %q", got, want)
	}
}
