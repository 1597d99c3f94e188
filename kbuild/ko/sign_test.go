package ko

import (
	"bytes"
	"context"
	"crypto/x509"
	"debug/elf"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smallstep/pkcs7"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// signTool is the real sign-file of the kernel's headers.
func signTool(t testing.TB) string {
	t.Helper()
	path := filepath.Join(headers(genericRelease), "scripts", "sign-file")
	if _, err := os.Stat(path); err != nil {
		lacks(t, path)
	}
	return path
}

// pairs returns key pairs of each kind that the kernel takes, made once for all
// tests.
func pairs(t *testing.T) map[string]KeyPair {
	t.Helper()
	tool(t, "openssl")
	pairsOnce.Do(func() { makePairs(t) })
	if len(madePairs) == 0 {
		t.Fatal("another test could not make them")
	}
	return maps.Clone(madePairs)
}

var (
	pairsOnce sync.Once
	madePairs map[string]KeyPair
)

func makePairs(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "pairs-")
	if err != nil {
		t.Fatal(err)
	}
	rsa := pairIn(dir)
	if _, err := Ensure(rsa, true); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	ec := KeyPair{Key: in("ec.key"), Cert: in("ec.pem")}
	run(t, "openssl", "req", "-new", "-x509", "-nodes", "-days", "9", "-subj", "/O=Example/CN=An EC key/", "-newkey", "ec",
		"-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", ec.Key, "-out", ec.Cert) // a certificate in PEM
	stock := KeyPair{Key: in("stock.key"), Cert: in("stock.der")}
	run(t, "openssl", "req", "-new", "-x509", "-nodes", "-days", "9", "-subj", "/CN=stock/", "-newkey", "rsa:2048",
		"-keyout", stock.Key, "-outform", "DER", "-out", stock.Cert)
	old := KeyPair{Key: in("pkcs1.key"), Cert: stock.Cert}
	run(t, "openssl", "rsa", "-traditional", "-in", stock.Key, "-out", old.Key)
	madePairs = map[string]KeyPair{"ours": rsa, "EC": ec, "openssl's": stock, "PKCS#1": old}
}

// TestSignFileEqualsTool: for RSA, whose signatures are determined by key and
// data, our bytes are those of the kernel's sign-file.
func TestSignFileEqualsTool(t *testing.T) {
	t.Parallel()
	sign := signTool(t)
	for name, keys := range pairs(t) {
		for _, hash := range []string{"sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"} {
			if name == "EC" && strings.HasPrefix(hash, "sha3") {
				continue // beyond OpenSSL 3.0
			}
			byTool, byUs := copyOf(t, "alpha"), copyOf(t, "alpha")
			tooled, inProcess := Signer{Keys: keys, Hash: hash, Tools: []string{"", "/nonexistent", sign}}, Signer{Keys: keys, Hash: hash}
			if err := tooled.SignFile(context.Background(), byTool); err != nil {
				t.Fatalf("%s, %s: sign-file: %v", name, hash, err)
			}
			if err := inProcess.SignFile(context.Background(), byUs); err != nil {
				t.Fatalf("%s, %s: %v", name, hash, err)
			}
			want, got := read(t, byTool), read(t, byUs)
			if name == "EC" { // has a random part
				want, got = shape(t, want), shape(t, got)
			}
			if !bytes.Equal(want, got) {
				t.Errorf("%s, %s: ours differs from sign-file's:\n%s", name, hash, cmp.Diff(dump(t, want), dump(t, got)))
			}
			verifyByOpenSSL(t, name+" "+hash, byUs, keys)
		}
	}
}

// dump is the structure of the signature in openssl's words.
func dump(t *testing.T, module []byte) string {
	_, sig := splitSignature(module)
	path := write(t, filepath.Join(t.TempDir(), "sig"), sig, 0o600)
	return run(t, "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", path)
}

// shape is dump without the signature's value.
func shape(t *testing.T, module []byte) []byte {
	head, _, ok := strings.Cut(dump(t, module), "signature: \n")
	if !ok {
		t.Fatal("openssl shows no signature")
	}
	return []byte(head)
}

// verifyByOpenSSL has two strangers check the signature: openssl and a PKCS#7
// library.
func verifyByOpenSSL(t *testing.T, what, path string, keys KeyPair) {
	t.Helper()
	body, sig := splitSignature(read(t, path))
	if sig == nil {
		t.Fatalf("%s: is not signed", what)
	}
	dir := t.TempDir()
	block, content := write(t, filepath.Join(dir, "sig"), sig, 0o600), write(t, filepath.Join(dir, "content"), body, 0o600)
	cert := filepath.Join(dir, "cert.pem")
	run(t, "openssl", "x509", "-in", keys.Cert, "-out", cert)
	run(t, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", block, "-content", content, "-noverify",
		"-nointern", "-certfile", cert, "-out", filepath.Join(dir, "out"))
	if strings.HasPrefix(what, "EC") || strings.Contains(what, "sha224") || strings.Contains(what, "sha3") {
		return // beyond the library
	}
	p, err := pkcs7.Parse(sig)
	if err != nil {
		t.Fatalf("%s: pkcs7: %v", what, err)
	}
	owner, err := keys.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	p.Content, p.Certificates = body, []*x509.Certificate{owner}
	if err := p.Verify(); err != nil {
		t.Errorf("%s: pkcs7: %v", what, err)
	}
}

func TestSignatureAgreesWithModinfo(t *testing.T) {
	t.Parallel()
	for name, keys := range pairs(t) {
		path := copyOf(t, "beta-two")
		if err := (&Signer{Keys: keys, Hash: "sha512"}).SignFile(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		m, err := Open(path)
		if err != nil || !m.Signed {
			t.Fatalf("%s: Open: %v, signed %v", name, err, m.Signed)
		}
		want := Signature{Signer: modinfo(t, "signer", path), KeyID: modinfo(t, "sig_key", path), Hash: modinfo(t, "sig_hashalgo", path)}
		if d := cmp.Diff(want, *m.Signature); d != "" || want.Signer == "" {
			t.Errorf("%s: Signature (-modinfo +got):\n%s", name, d)
		}
	}
}

func modinfo(t *testing.T, tag, path string) string {
	return strings.TrimSpace(run(t, "modinfo", "-F", tag, path))
}

func TestSignFileTwice(t *testing.T) {
	t.Parallel()
	keys := pairs(t)["ours"]
	for _, tools := range [][]string{nil, {signTool(t)}} {
		path := copyOf(t, "alpha")
		unsigned := read(t, path)
		s := Signer{Keys: keys, Hash: "sha256", Tools: tools}
		if err := s.SignFile(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		once := read(t, path)
		if err := s.SignFile(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once, read(t, path)) {
			t.Errorf("tools %q: signed twice differs from signed once", tools)
		}
		if !bytes.Equal(Unsigned(once), unsigned) {
			t.Errorf("tools %q: Unsigned is not the module as it was", tools)
		}
		if d := cmp.Diff([]string{"-rw-r----- alpha.ko"}, files(t, filepath.Dir(path))); d != "" {
			t.Errorf("tools %q: files (-want +got):\n%s", tools, d)
		}
	}
}

func TestSignFileByToolWithPIN(t *testing.T) {
	t.Parallel()
	keys := pairs(t)["ours"]
	locked := KeyPair{Key: filepath.Join(t.TempDir(), "locked.key"), Cert: keys.Cert}
	run(t, "openssl", "pkcs8", "-topk8", "-in", keys.Key, "-out", locked.Key, "-passout", "pass:open sesame")
	path := copyOf(t, "alpha")
	s := Signer{Keys: locked, Hash: "sha256", Tools: []string{signTool(t)}, Env: []string{"KBUILD_SIGN_PIN=open sesame"}}
	if err := s.SignFile(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	verifyByOpenSSL(t, "locked sha256", path, keys)

	s.Env = []string{"KBUILD_SIGN_PIN=wrong"}
	err := s.SignFile(context.Background(), path)
	var problem *dkms.Error
	if !errors.As(err, &problem) || problem.Kind != dkms.SigningFailed {
		t.Errorf("SignFile with a wrong PIN = %v; want Kind SigningFailed", err)
	}
}

func TestSignerCheck(t *testing.T) {
	t.Parallel()
	keys := pairs(t)["ours"]
	dir := filepath.Dir(keys.Key)
	broken := script(t, "exit 0")
	tests := []struct {
		name string
		s    Signer
		want string // empty: fine
	}{
		{"in-process", Signer{Keys: keys, Hash: "sha256"}, ""},
		{"by tool", Signer{Keys: keys, Hash: "whirlpool", Tools: []string{broken}}, ""},
		{"no hash", Signer{Keys: keys}, "CONFIG_MODULE_SIG_HASH: is not set: the kernel has no signed modules"},
		{"strange hash", Signer{Keys: keys, Hash: "whirlpool"}, "CONFIG_MODULE_SIG_HASH: hash whirlpool is only made by sign-file, which is not there"},
		{"no keys", Signer{Keys: pairIn(filepath.Join(dir, "none")), Hash: "sha256"}, "none/mok.key: key and certificate none/mok.pub are missing"},
		{"token", Signer{Keys: KeyPair{Key: "pkcs11:object=mok", Cert: keys.Cert}, Hash: "sha256"},
			"pkcs11:object=mok: a key in a token needs the program sign-file, which is not there"},
		{"swapped", Signer{Keys: KeyPair{Key: keys.Cert, Cert: keys.Key}, Hash: "sha256"}, "mok.pub: holds no private key in PEM"},
	}
	for _, tt := range tests {
		err := tt.s.Check()
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: Check = %v; want none", tt.name, err)
			}
			continue
		}
		wantSigningFailed(t, tt.name, err, dir, tt.want)
	}
}

// script makes an executable that stands in for sign-file.
func script(t testing.TB, body string) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "sign-file"), []byte("#!/bin/sh\n"+body+"\n"), 0o755)
}

func TestSignFileToolThatFails(t *testing.T) {
	t.Parallel()
	keys := pairs(t)["ours"]
	tests := []struct{ name, body, want string }{
		{"fails", "echo noise; echo 'no such key' >&2; exit 3", "alpha.ko: is not signed: TOOL: exit status 3: no such key"},
		{"lies", "exit 0", "alpha.ko: is not signed, although TOOL reported success"},
		{"is killed", "kill -9 $$", "alpha.ko: is not signed: TOOL: ended by signal 9 (killed)"},
		{"destroys", `echo >"$4"`, "alpha.ko: is not signed, although TOOL reported success"},
	}
	for _, tt := range tests {
		fake := script(t, tt.body)
		err := (&Signer{Keys: keys, Hash: "sha256", Tools: []string{fake}}).SignFile(context.Background(), copyOf(t, "alpha"))
		wantSigningFailed(t, tt.name, err, "-", strings.ReplaceAll(tt.want, "TOOL", fake))
	}
}

// TestSignFileToolThatCannotRun: headers from another machine, or a sign-file
// that lacks its libcrypto, do not keep modules from being signed.
func TestSignFileToolThatCannotRun(t *testing.T) {
	t.Parallel()
	keys := pairs(t)["ours"]
	foreign := fakes["64 big"]
	foreign.typ = elf.ET_EXEC
	tools := map[string]string{
		"foreign":     write(t, filepath.Join(t.TempDir(), "sign-file"), foreign.bytes(), 0o755),
		"no loader":   write(t, filepath.Join(t.TempDir(), "sign-file"), []byte("#!/nonexistent/sh\n"), 0o755),
		"no library":  script(t, "echo 'error while loading shared libraries: libcrypto.so.1.1' >&2; exit 127"),
		"not allowed": script(t, "exit 126"),
	}
	for name, tool := range tools {
		path := copyOf(t, "alpha")
		if err := (&Signer{Keys: keys, Hash: "sha256", Tools: []string{tool}}).SignFile(context.Background(), path); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		verifyByOpenSSL(t, name+" sha256", path, keys)
		token := Signer{Keys: KeyPair{Key: "pkcs11:object=mok", Cert: keys.Cert}, Hash: "sha256", Tools: []string{tool}}
		if err := token.SignFile(context.Background(), path); err == nil {
			t.Errorf("%s: a key in a token signs without the tool", name)
		}
	}
}

func TestSignFileRefuses(t *testing.T) {
	t.Parallel()
	s := Signer{Keys: pairs(t)["ours"], Hash: "sha256"}
	path, err := Compress(context.Background(), copyOf(t, "alpha"), ".ko.xz", CompressOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, path)
	wantSigningFailed(t, "compressed", s.SignFile(context.Background(), path), "-", "alpha.ko.xz: is compressed by xz; a module is signed before that")
	if !bytes.Equal(before, read(t, path)) {
		t.Error("a refused file was changed")
	}
	if err := s.SignFile(context.Background(), filepath.Join(t.TempDir(), "none.ko")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("SignFile of nothing = %v; want fs.ErrNotExist", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Tools = []string{script(t, "sleep 9")}
	if err := s.SignFile(ctx, copyOf(t, "alpha")); !errors.Is(err, context.Canceled) {
		t.Errorf("SignFile when cancelled = %v", err)
	}
}

func TestSplitSignature(t *testing.T) {
	t.Parallel()
	body := []byte("module")
	signed := appendSignature(body, []byte("block"))
	patched := func(at int, b ...byte) []byte {
		out := slices.Clone(signed)
		copy(out[len(out)-len(magic)-trailerSize+at:], b)
		return out
	}
	tests := []struct {
		name      string
		data      []byte
		body, sig string
	}{
		{"signed", signed, "module", "block"},
		{"unsigned", body, "module", ""},
		{"empty", nil, "", ""},
		{"magic only", []byte(magic), magic, ""},
		{"length beyond", patched(8, 0xff, 0xff, 0xff, 0xff), "", ""},
		{"signer and key of old formats", patched(3, 1, 1), "modu", "leblock"},
	}
	for _, tt := range tests {
		b, s := splitSignature(tt.data)
		if tt.body == "" {
			tt.body = string(tt.data)
		}
		if string(b) != tt.body || string(s) != tt.sig {
			t.Errorf("%s: splitSignature = %q, %q; want %q, %q", tt.name, b, s, tt.body, tt.sig)
		}
	}
	if got := Unsigned(appendSignature(signed, []byte("again"))); string(got) != "module" {
		t.Errorf("Unsigned of a module signed twice = %q", got)
	}
}

func TestParseSignatureProblems(t *testing.T) {
	t.Parallel()
	old := appendSignature(nil, []byte("block"))
	old[len(old)-len(magic)-trailerSize+2] = 1
	for want, data := range map[string][]byte{
		"is of type 1, not PKCS#7": old,
		"asn1: ":                   appendSignature(nil, []byte("block")),
	} {
		s := parseSignature(data)
		if s == nil || !strings.HasPrefix(s.Problem, want) {
			t.Errorf("parseSignature = %+v; want a problem %q", s, want)
		}
	}
}

func FuzzParsePKCS7(f *testing.F) {
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(_ *testing.T, der []byte) { _, _ = parsePKCS7(der) })
}
