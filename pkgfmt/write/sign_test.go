package write

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// A keyFile is a new key on the disk.
type keyFile struct{ private, public string }

// newKey makes a key; locked, its passphrase is secret.
func newKey(t *testing.T, algorithm packet.PublicKeyAlgorithm, locked bool) keyFile {
	t.Helper()
	config := &packet.Config{
		Algorithm: algorithm, RSABits: 2048, DefaultHash: crypto.SHA256,
		Time: func() time.Time { return time.Unix(1_600_000_000, 0) },
	}
	e, err := openpgp.NewEntity("Ada", "", "ada@example.org", config)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	k := keyFile{filepath.Join(dir, "private"), filepath.Join(dir, "public")}
	armored(t, k.public, openpgp.PublicKeyType, func(b *bytes.Buffer) error { return e.Serialize(b) })
	if locked {
		if err := e.EncryptPrivateKeys([]byte("secret"), config); err != nil {
			t.Fatal(err)
		}
		armored(t, k.private, openpgp.PrivateKeyType, func(b *bytes.Buffer) error { return e.SerializePrivateWithoutSigning(b, nil) })
		return k
	}
	armored(t, k.private, openpgp.PrivateKeyType, func(b *bytes.Buffer) error { return e.SerializePrivate(b, config) })
	return k
}

func armored(t *testing.T, path, kind string, fn func(*bytes.Buffer) error) {
	t.Helper()
	var raw, out bytes.Buffer
	if err := fn(&raw); err != nil {
		t.Fatal(err)
	}
	w, err := armor.Encode(&out, kind, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, out.String())
}

func readKey(t *testing.T, path, passphrase string) *Key {
	t.Helper()
	k, err := ReadKey(path, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var algorithms = map[string]packet.PublicKeyAlgorithm{"RSA": packet.PubKeyAlgoRSA, "EdDSA": packet.PubKeyAlgoEdDSA}

// TestSignedRPM: rpm that has the key, and only that one, calls it good.
func TestSignedRPM(t *testing.T) {
	t.Parallel()
	for name, algorithm := range algorithms {
		for _, format := range []pkgfmt.Format{pkgfmt.RPM, pkgfmt.SourceRPM} {
			t.Run(name+"/"+string(format), func(t *testing.T) {
				t.Parallel()
				key := newKey(t, algorithm, true)
				p := sample(pkgfmt.RPM)
				if format == pkgfmt.SourceRPM {
					p = sourceSample(t)
				}
				file, db := written(t, p, Options{Sign: readKey(t, key.private, "secret")}), t.TempDir()
				if out, err := try(t, "rpm", "--dbpath", db, "-Kv", file); err == nil || !strings.Contains(out, "NOKEY") {
					t.Errorf("without the key: %v\n%s", err, out)
				}
				output(t, "rpm", "--dbpath", db, "--import", key.public)
				out := output(t, "rpm", "--dbpath", db, "-Kv", file)
				if strings.Count(out, "Signature") != 2 || strings.Count(out, ": OK") != 6 || strings.Contains(out, "NOT") {
					t.Errorf("rpm -Kv:\n%s", out)
				}
				body, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				body[len(body)-20] ^= 1
				writeFile(t, file, string(body))
				if out, err := try(t, "rpm", "--dbpath", db, "-K", file); err == nil {
					t.Errorf("changed, and still good: %s", out)
				}
			})
		}
	}
}

// TestSignedDeb: gpg that has the key calls the member good, over what dpkg
// reads; and dpkg reads it as ever.
func TestSignedDeb(t *testing.T) {
	t.Parallel()
	pkgtest.Needs(t, "gpg")
	for name, algorithm := range algorithms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, dir := newKey(t, algorithm, false), t.TempDir()
			deb := written(t, sample(pkgfmt.Deb), Options{Sign: readKey(t, key.private, "")})
			if got := strings.TrimSpace(output(t, "dpkg-deb", "-f", deb, "Package")); got != "foo-dkms" {
				t.Errorf("dpkg-deb reads %s", got)
			}
			output(t, "sh", "-ec", `cd "$1" && ar x "$2" && cat debian-binary control.tar.gz data.tar.xz >all && mkdir -m 700 gpg
				gpg --homedir gpg --batch --quiet --import "$3"
				gpg --homedir gpg --batch --verify _gpgorigin all`, "sh", dir, deb, key.public)
		})
	}
}

// TestSignedAgain: the same key and package give the same bytes.
func TestSignedAgain(t *testing.T) {
	t.Parallel()
	for name, algorithm := range algorithms {
		key := newKey(t, algorithm, false)
		for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
			var bodies [][]byte
			for range 2 {
				body, err := os.ReadFile(written(t, sample(format), Options{Sign: readKey(t, key.private, "")}))
				if err != nil {
					t.Fatal(err)
				}
				bodies = append(bodies, body)
			}
			if !bytes.Equal(bodies[0], bodies[1]) {
				t.Errorf("%s: signed twice, two different .%s", name, format)
			}
		}
	}
}

// TestSignedBeforeTheKey: a package may be older than the key, its signature may
// not.
func TestSignedBeforeTheKey(t *testing.T) {
	t.Parallel()
	key, db := newKey(t, packet.PubKeyAlgoRSA, false), t.TempDir()
	p := sample(pkgfmt.RPM)
	p.Time = time.Unix(1_000_000_000, 0)
	file := written(t, p, Options{Sign: readKey(t, key.private, "")})
	output(t, "rpm", "--dbpath", db, "--import", key.public)
	output(t, "rpm", "--dbpath", db, "-K", file)
}

func TestReadKeyRefuses(t *testing.T) {
	t.Parallel()
	locked := newKey(t, packet.PubKeyAlgoEdDSA, true)
	garbage := filepath.Join(t.TempDir(), "garbage")
	writeFile(t, garbage, "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nxxxx\n")
	empty := filepath.Join(t.TempDir(), "empty")
	writeFile(t, empty, "")
	for _, tt := range []struct{ path, passphrase, want string }{
		{locked.private, "", "cannot be unlocked"},
		{locked.private, "wrong", "cannot be unlocked"},
		{locked.public, "", "does not hold one private key"},
		{garbage, "", "is no key of OpenPGP"},
		{empty, "", "does not hold one private key"},
		{"/nowhere", "", "cannot be read"},
		{t.TempDir(), "", "cannot be read"},
	} {
		_, err := ReadKey(tt.path, tt.passphrase)
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != dkms.SigningFailed || e.Object != tt.path || e.Problem != tt.want || strings.Contains(err.Error(), "secret") {
			t.Errorf("ReadKey(%q) = %v; want %s", tt.path, err, tt.want)
		}
	}
}
