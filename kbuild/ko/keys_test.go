package ko

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

func pairIn(dir string) KeyPair {
	return KeyPair{Key: filepath.Join(dir, "mok.key"), Cert: filepath.Join(dir, "mok.pub")}
}

// wantSigningFailed checks the kind of err and its text with the directory cut
// out.
func wantSigningFailed(t *testing.T, what string, err error, dir, want string) {
	t.Helper()
	var problem *dkms.Error
	if !errors.As(err, &problem) || problem.Kind != dkms.SigningFailed {
		t.Errorf("%s: %v; want a dkms.Error of Kind SigningFailed", what, err)
		return
	}
	if got := strings.ReplaceAll(problem.Error(), dir+"/", ""); got != want {
		t.Errorf("%s: %q; want %q", what, got, want)
	}
}

func TestEnsureMakesPair(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "tree")
	p := pairIn(dir)
	_, err := Ensure(p, false)
	wantSigningFailed(t, "Ensure without create", err, dir, "mok.key: key and certificate mok.pub are missing")
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("Ensure without create made %s", dir)
	}
	if created, err := Ensure(p, true); err != nil || !created {
		t.Fatalf("Ensure = %v, %v; want true", created, err)
	}
	if d := cmp.Diff([]string{"-rw------- mok.key", "-rw-r--r-- mok.pub"}, files(t, dir)); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	before := string(read(t, p.Key)) + string(read(t, p.Cert))
	if created, err := Ensure(p, true); err != nil || created {
		t.Errorf("second Ensure = %v, %v; want false", created, err)
	}
	if string(read(t, p.Key))+string(read(t, p.Cert)) != before {
		t.Error("second Ensure changed the pair")
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	p := pairIn(t.TempDir())
	if _, err := Ensure(p, true); err != nil {
		t.Fatal(err)
	}
	cert, err := p.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	if cert.Subject.CommonName != "DKMS module signing key" || cert.IsCA || cert.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("certificate: %v, CA %v, usage %v", cert.Subject, cert.IsCA, cert.KeyUsage)
	}
	if years := cert.NotAfter.Sub(cert.NotBefore).Hours() / 24 / 365; years < 99 || time.Until(cert.NotBefore) > time.Minute {
		t.Errorf("certificate is valid from %v to %v", cert.NotBefore, cert.NotAfter)
	}
	text := run(t, "openssl", "x509", "-inform", "DER", "-in", p.Cert, "-noout", "-text")
	for _, want := range []string{"Public-Key: (2048 bit)", "Digital Signature", "1.3.6.1.4.1.2312.16.1.2", "Code Signing", "CA:FALSE", "sha256WithRSAEncryption"} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl does not show %q:\n%s", want, text)
		}
	}
	run(t, "openssl", "pkey", "-in", p.Key, "-check", "-noout")
}

func TestEnsureHalfPair(t *testing.T) {
	t.Parallel()
	whole := pairIn(t.TempDir())
	if _, err := Ensure(whole, true); err != nil {
		t.Fatal(err)
	}
	key, cert := read(t, whole.Key), read(t, whole.Cert)
	tests := []struct {
		name string
		make func(t *testing.T, p KeyPair)
		want string
	}{
		{"no certificate", func(t *testing.T, p KeyPair) { write(t, p.Key, key, 0o600) }, "mok.pub: certificate is missing, but its key mok.key exists"},
		{"no key", func(t *testing.T, p KeyPair) { write(t, p.Cert, cert, 0o644) }, "mok.key: key is missing, but its certificate mok.pub exists"},
		{"dangling key", func(t *testing.T, p KeyPair) { link(t, "nowhere", p.Key) }, "mok.key: is a dangling link"},
		{"directory", func(t *testing.T, p KeyPair) { mkdir(t, p.Cert) }, "mok.pub: is no regular file"},
		{"stranger's certificate waits", func(t *testing.T, p KeyPair) {
			write(t, p.Key, key, 0o600)
			other := pairIn(t.TempDir())
			if _, err := Ensure(other, true); err != nil {
				t.Fatal(err)
			}
			write(t, p.pending(), read(t, other.Cert), 0o644)
		}, "mok.pub: certificate is missing, but its key mok.key exists"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		p := pairIn(dir)
		tt.make(t, p)
		before := files(t, dir)
		created, err := Ensure(p, true)
		if created {
			t.Errorf("%s: Ensure made something", tt.name)
		}
		wantSigningFailed(t, tt.name, err, dir, tt.want)
		if d := cmp.Diff(before, files(t, dir)); d != "" {
			t.Errorf("%s: files (-before +after):\n%s", tt.name, d)
		}
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestEnsureAfterCrash goes through the moments at which generate can be cut
// off: each must end in a whole pair.
func TestEnsureAfterCrash(t *testing.T) {
	t.Parallel()
	for _, left := range []string{"pending", "pending and key"} {
		p := pairIn(t.TempDir())
		if _, err := Ensure(p, true); err != nil {
			t.Fatal(err)
		}
		key := string(read(t, p.Key))
		if err := os.Rename(p.Cert, p.pending()); err != nil {
			t.Fatal(err)
		}
		if left == "pending" {
			if err := os.Remove(p.Key); err != nil {
				t.Fatal(err)
			}
		}
		if created, err := Ensure(p, true); err != nil || !created {
			t.Errorf("%s: Ensure = %v, %v; want true", left, created, err)
		}
		if _, _, err := p.load(); err != nil {
			t.Errorf("%s: pair is not whole: %v", left, err)
		}
		if kept := string(read(t, p.Key)) == key; kept != (left == "pending and key") {
			t.Errorf("%s: key kept: %v", left, kept)
		}
	}
}

func TestEnsureToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := KeyPair{Key: "pkcs11:object=mok", Cert: filepath.Join(dir, "mok.pub")}
	_, err := Ensure(p, true)
	wantSigningFailed(t, "Ensure", err, dir, "mok.pub: certificate of the key in the token is missing")
	write(t, p.Cert, []byte("x"), 0o644)
	if created, err := Ensure(p, true); created || err != nil {
		t.Errorf("Ensure = %v, %v; want false", created, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := pairIn(dir)
	if _, err := Ensure(p, true); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(dir, "locked.key")
	run(t, "openssl", "pkcs8", "-topk8", "-in", p.Key, "-out", locked, "-passout", "pass:x")
	old := filepath.Join(dir, "old.key")
	run(t, "openssl", "rsa", "-traditional", "-aes128", "-in", p.Key, "-out", old, "-passout", "pass:x")
	other := filepath.Join(dir, "other.key")
	run(t, "openssl", "genrsa", "-out", other, "2048")
	text := write(t, filepath.Join(dir, "text"), []byte("no key\n"), 0o600)
	bad := write(t, filepath.Join(dir, "bad"), []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 0o600)
	tests := []struct{ key, cert, want string }{
		{locked, p.Cert, "locked.key: key is encrypted, and there is no sign-file to open it"},
		{old, p.Cert, "old.key: key is encrypted, and there is no sign-file to open it"},
		{other, p.Cert, "mok.pub: is not the certificate of the key other.key"},
		{text, p.Cert, "text: holds no private key in PEM"},
		{p.Key, text, "text: is no certificate in DER or PEM"},
	}
	for _, tt := range tests {
		_, _, err := KeyPair{Key: tt.key, Cert: tt.cert}.load()
		var problem *dkms.Error
		if errors.As(err, &problem) {
			problem.Err = nil // words of the standard library
		}
		wantSigningFailed(t, filepath.Base(tt.key), err, dir, tt.want)
	}
	if _, _, err := (KeyPair{Key: bad, Cert: p.Cert}).load(); err == nil {
		t.Error("a malformed key loads")
	}
}
