package kbuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Fingerprint is what a build is made from, one text for each input. Two
// builds of one Ref with equal fingerprints give the same modules, as far as
// that can be told without building. Source, Recipe and Kernel are SHA-256 in
// hexadecimal; Compiler is for people, too.
type Fingerprint struct {
	// Source is the package's source: names, contents, execute bits and the
	// targets of links.
	Source string
	// Recipe is what dkms.conf, the patches and scripts in /etc/dkms/NAME, and
	// build_environment make of it for this kernel.
	Recipe string
	// Kernel is what modules take from the kernel's headers: release,
	// configuration, symbols.
	Kernel string
	// Compiler is the first line of `CC --version`, or says what is missing.
	Compiler string
}

// fingerprintVersion changes when the same inputs give another digest. What
// was kept by another version is not compared.
const fingerprintVersion = "1"

// String returns f in one line, for ParseFingerprint; the zero Fingerprint is
// the empty string.
func (f Fingerprint) String() string {
	if f == (Fingerprint{}) {
		return ""
	}
	return fmt.Sprintf("%s source=%s recipe=%s kernel=%s compiler=%s", fingerprintVersion, f.Source, f.Recipe, f.Kernel, f.Compiler)
}

// ParseFingerprint reads what String wrote. It is false for anything else,
// and for what another version of String wrote.
func ParseFingerprint(s string) (Fingerprint, bool) {
	var f Fingerprint
	rest, ok := strings.CutPrefix(s, fingerprintVersion+" source=")
	if !ok {
		return Fingerprint{}, false
	}
	for _, part := range []struct {
		to   *string
		next string
	}{{&f.Source, " recipe="}, {&f.Recipe, " kernel="}, {&f.Kernel, " compiler="}} {
		if *part.to, rest, ok = strings.Cut(rest, part.next); !ok {
			return Fingerprint{}, false
		}
	}
	f.Compiler = rest
	return f, f.String() == s && !strings.Contains(s, "\n")
}

// Changed says in words in what now differs from f, which is the older one.
// It is empty when they are equal.
func (f Fingerprint) Changed(now Fingerprint) string {
	var words []string
	if f.Source != now.Source {
		words = append(words, "the source has changed")
	}
	if f.Recipe != now.Recipe {
		words = append(words, "its dkms.conf, patches, scripts or build_environment say something else")
	}
	if f.Kernel != now.Kernel {
		words = append(words, "the kernel's headers have changed")
	}
	if f.Compiler != now.Compiler {
		words = append(words, fmt.Sprintf("the compiler is another: %s, was %s", now.Compiler, f.Compiler))
	}
	return strings.Join(words, "; ")
}

// DigestStore keeps digests from one run to the next, each with the stamp of
// what it was taken from: a digest of what lstat(2) tells, which is cheap,
// whereas the contents are not. Safe for concurrent use.
type DigestStore interface {
	// Digest returns what Keep was given for key and stamp.
	Digest(key, stamp string) (digest string, ok bool)
	// Keep remembers one digest for key.
	Keep(key, stamp, digest string)
}

// Fingerprinter takes fingerprints, and remembers for one run what many builds
// share: a source, a kernel, a compiler is looked at once, by whoever comes
// first. The zero value is ready. Safe for concurrent use.
type Fingerprinter struct {
	// Digests keeps what was read; nil reads all in each run.
	Digests DigestStore

	now func() time.Time // nil is time.Now

	mu   sync.Mutex
	seen map[string]*seen
}

type seen struct {
	mu    sync.Mutex
	value string
	ok    bool
}

// Of returns the fingerprint of a build of r for k, from the directory source
// (a link to one is followed), with the overrides in etcDir/NAME (etcDir is
// /etc/dkms; empty: none) and env, what build_environment adds to the
// environment.
//
// It is to be taken before the build: of a source that changes meanwhile, the
// next comparison tells. An error is about a file or directory that cannot be
// read, or that ctx has ended; what is missing is none, except the source.
func (p *Fingerprinter) Of(ctx context.Context, r Recipe, k Kernel, source, etcDir string, env []string) (f Fingerprint, err error) {
	if f.Source, err = p.Source(ctx, source); err != nil {
		return Fingerprint{}, fmt.Errorf("source of %s: %w", r.Package, err)
	}
	if f.Recipe, err = recipeDigest(r, etcDir, env); err != nil {
		return Fingerprint{}, fmt.Errorf("recipe of %s: %w", r.Package, err)
	}
	if f.Kernel, err = p.once("kernel "+k.Source+"\x00"+k.ConfigFile, func() (string, error) { return p.kernel(k) }); err != nil {
		return Fingerprint{}, fmt.Errorf("headers of %s: %w", k.Release, err)
	}
	if f.Compiler, err = p.compiler(ctx, k, env); err != nil {
		return Fingerprint{}, fmt.Errorf("compiler of %s: %w", k.Release, err)
	}
	return f, nil
}

// compiler is looked for once for a kernel, and asked once however many kernels
// have it.
func (p *Fingerprinter) compiler(ctx context.Context, k Kernel, env []string) (string, error) {
	about := append([]string{"compiler for " + k.Source, k.ConfigFile, pathFrom(os.Environ())}, env...)
	return p.once(strings.Join(about, "\x00"), func() (string, error) {
		c := k.compiler(env)
		return p.once("compiler "+c.key(), func() (string, error) { return c.version(ctx) })
	})
}

// Source returns Fingerprint.Source of the directory source, or of what it is
// a link to, as Of does.
func (p *Fingerprinter) Source(ctx context.Context, source string) (string, error) {
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return "", err
	}
	return p.once("source "+source, func() (string, error) { return p.source(ctx, source) })
}

// once returns what look does for key, and looks a single time. An error is
// not remembered: it may be of the caller's context.
func (p *Fingerprinter) once(key string, look func() (string, error)) (string, error) {
	p.mu.Lock()
	s := p.seen[key]
	if s == nil {
		if p.seen == nil {
			p.seen = map[string]*seen{}
		}
		s = &seen{}
		p.seen[key] = s
	}
	p.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ok {
		return s.value, nil
	}
	value, err := look()
	if err == nil {
		s.value, s.ok = value, true
	}
	return value, err
}

// racy is how old a change must be for a stamp to tell it from a later one:
// the coarsest time stamps of the file systems in use are a second.
const racy = 2 * time.Second

// stored returns the digest of key from the store when it is of this stamp, and
// else reads. What changed just before began, when the stamp was taken, is not
// kept: it may change again without another stamp.
func (p *Fingerprinter) stored(key string, s stamp, began time.Time, read func() (string, error)) (string, error) {
	if p.Digests == nil {
		return read()
	}
	key, text := key+" v"+fingerprintVersion, s.String()
	if digest, ok := p.Digests.Digest(key, text); ok && digest != "" {
		return digest, nil
	}
	digest, err := read()
	if err == nil && s.newest < began.Add(-racy).UnixNano() {
		p.Digests.Keep(key, text, digest)
	}
	return digest, err
}

func (p *Fingerprinter) clock() time.Time {
	if p.now != nil {
		return p.now()
	}
	return time.Now()
}

func hexDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
