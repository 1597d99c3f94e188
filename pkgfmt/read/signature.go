package read

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/cavaliergopher/rpm"
)

// rpmSignatureTags are those of the signature header, what they are over, and
// what rpm looks at first.
var rpmSignatureTags = []struct {
	tag  int
	over string
}{{278, "header"}, {268, "header"}, {267, "header"}, {1002, "header and payload"}, {1005, "header and payload"}}

func rpmSignatures(sig *rpm.Header) []Signature {
	var out []Signature
	for _, t := range rpmSignatureTags {
		tag := sig.GetTag(t.tag)
		if data := tag.Bytes(); len(data) > 0 {
			out = append(out, parseSignature(t.over, data))
		}
		for _, text := range tag.StringSlice() { // rpm 6 has base64
			data, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				data = nil
			}
			out = append(out, parseSignature(t.over, data))
		}
	}
	return out
}

// sign takes over signatures.
func (p *Package) sign(list []Signature) {
	p.Signatures = list
	if len(list) > 0 {
		p.Signature = list[0].String()
	}
}

// maxSignature is how large a signature may be that is looked at; real ones
// have less than 2 KiB.
const maxSignature = 64 << 10

// parseSignature reads one OpenPGP signature packet, bare or armored. It is
// done here since signatures of version 3, which rpm made for twenty years, are
// no longer read by the libraries.
func parseSignature(over string, data []byte) Signature {
	s := Signature{Over: over}
	if len(data) > maxSignature {
		s.Problem = "is too large for a signature"
		return s
	}
	if i := bytes.Index(data, []byte("-----BEGIN PGP SIGNATURE-----")); i >= 0 {
		block, err := armor.Decode(bytes.NewReader(data[i:]))
		if err == nil {
			data, err = io.ReadAll(io.LimitReader(block.Body, maxSignature))
		}
		if err != nil {
			s.Problem = "is no OpenPGP signature: " + err.Error()
			return s
		}
	}
	body, err := packetBody(data)
	if err == nil {
		err = s.parseBody(body)
	}
	if err != nil {
		return Signature{Over: over, Problem: "is no OpenPGP signature: " + err.Error()}
	}
	return s
}

var errShort = errors.New("is truncated")

// packetBody returns the content of the first packet, which has to be a
// signature (RFC 9580, 4.2).
func packetBody(data []byte) ([]byte, error) {
	if len(data) < 2 || data[0]&0x80 == 0 {
		return nil, errors.New("is no packet")
	}
	kind, length, data := int(data[0]>>2&0xf), uint64(0), data
	if data[0]&0x40 != 0 {
		kind = int(data[0] & 0x3f)
		var ok bool
		if length, data, ok = subpacketLength(data[1:]); !ok {
			return nil, errShort
		}
	} else {
		octets := 1 << (data[0] & 3)
		if octets > 4 || len(data) < 1+octets {
			return nil, errShort
		}
		for _, c := range data[1 : 1+octets] {
			length = length<<8 | uint64(c)
		}
		data = data[1+octets:]
	}
	switch {
	case kind != 2:
		return nil, fmt.Errorf("is a packet of type %d", kind)
	case length > uint64(len(data)):
		return nil, errShort
	}
	return data[:length], nil
}

// subpacketLength reads a length of one, two or five octets (RFC 9580, 4.2.1,
// 5.2.3.7); partial ones are for streams.
func subpacketLength(data []byte) (uint64, []byte, bool) {
	switch {
	case len(data) >= 1 && data[0] < 192:
		return uint64(data[0]), data[1:], true
	case len(data) >= 2 && data[0] < 255:
		return uint64(data[0]-192)<<8 + uint64(data[1]) + 192, data[2:], true
	case len(data) >= 5 && data[0] == 255:
		return uint64(binary.BigEndian.Uint32(data[1:])), data[5:], true
	}
	return 0, nil, false
}

// parseBody reads a signature of version 3, 4 or 6 (RFC 4880, 5.2; RFC 9580, 5.2).
func (s *Signature) parseBody(b []byte) error {
	if len(b) < 1 {
		return errShort
	}
	switch b[0] {
	case 3:
		if len(b) < 17 {
			return errShort
		}
		s.Time, s.KeyID = unixTime(int64(binary.BigEndian.Uint32(b[3:]))), fmt.Sprintf("%x", b[7:15])
		s.Algorithm = algorithm(b[15], b[16])
		return nil
	case 4, 6:
		width := 2
		if b[0] == 6 {
			width = 4
		}
		if len(b) < 4 {
			return errShort
		}
		s.Algorithm = algorithm(b[2], b[3])
		rest := b[4:]
		for range 2 { // hashed and unhashed
			var area []byte
			var ok bool
			if area, rest, ok = counted(rest, width); !ok {
				return errShort
			}
			if err := s.parseSubpackets(area); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("is of version %d", b[0])
}

// counted cuts off what a length of width octets announces.
func counted(b []byte, width int) (area, rest []byte, ok bool) {
	if len(b) < width {
		return nil, nil, false
	}
	n := uint64(0)
	for _, c := range b[:width] {
		n = n<<8 | uint64(c)
	}
	if b = b[width:]; n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// parseSubpackets looks for the time, the key's ID, and its fingerprint.
func (s *Signature) parseSubpackets(area []byte) error {
	for len(area) > 0 {
		n, rest, ok := subpacketLength(area)
		if !ok || n < 1 || n > uint64(len(rest)) {
			return errShort
		}
		kind, body := rest[0]&0x7f, rest[1:n]
		area = rest[n:]
		switch {
		case kind == 2 && len(body) == 4:
			s.Time = unixTime(int64(binary.BigEndian.Uint32(body)))
		case kind == 16 && len(body) == 8:
			s.KeyID = fmt.Sprintf("%x", body)
		case kind == 33 && len(body) == 21 && s.KeyID == "": // version 4: the ID is its end
			s.KeyID = fmt.Sprintf("%x", body[13:])
		case kind == 33 && len(body) == 33 && s.KeyID == "": // version 6: its beginning
			s.KeyID = fmt.Sprintf("%x", body[1:9])
		}
	}
	return nil
}

// algorithm returns rpm's words for OpenPGP's numbers (RFC 9580, 9.1 and 9.5).
func algorithm(key, hash byte) string {
	keys := map[byte]string{1: "RSA", 3: "RSA", 17: "DSA", 19: "ECDSA", 22: "EdDSA", 27: "Ed25519", 28: "Ed448"}
	hashes := map[byte]string{1: "MD5", 2: "SHA1", 3: "RIPEMD160", 8: "SHA256", 9: "SHA384", 10: "SHA512", 11: "SHA224", 12: "SHA3-256", 14: "SHA3-512"}
	word := func(names map[byte]string, n byte) string {
		if name, ok := names[n]; ok {
			return name
		}
		return fmt.Sprintf("algorithm %d", n)
	}
	return strings.Join([]string{word(keys, key), word(hashes, hash)}, "/")
}
