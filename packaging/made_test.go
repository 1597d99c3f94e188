package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// sample is a release whose program is a text, so that making packages of it
// takes no time.
func sample() release {
	return release{
		version: "1.2.3~git4.abc", time: time.Unix(1_700_000_000, 0).UTC(),
		program: []byte("the program\n"), licence: []byte("the licence\n"), legal: []byte("who and how\n"),
		log: []section{{version: "Unreleased", changes: []string{"A change."}}},
	}
}

// bytesOf returns the package of a release.
func bytesOf(r release, format pkgfmt.Format) ([]byte, error) {
	p, err := r.pack(format)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = write.To(p, &b)
	return b.Bytes(), err
}

// made returns the bytes of the sample's packages, by format.
var made = sync.OnceValues(func() (map[pkgfmt.Format][]byte, error) {
	out := map[pkgfmt.Format][]byte{}
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		var err error
		if out[f], err = bytesOf(sample(), f); err != nil {
			return nil, err
		}
	}
	return out, nil
})

// packageOf returns the path of the sample's package.
func packageOf(t *testing.T, format pkgfmt.Format) string {
	t.Helper()
	all, err := made()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "package."+string(format))
	if err := os.WriteFile(path, all[format], 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// output runs a program that has to succeed, without saying anything on
// standard error.
func output(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// lacks skips a test that needs a program that is not here; in CI it fails.
func lacks(t *testing.T, program string) {
	t.Helper()
	switch _, err := exec.LookPath(program); {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("lacks %s", program)
	default:
		t.Skipf("lacks %s", program)
	}
}

func TestSameBytesAgain(t *testing.T) {
	t.Parallel()
	first, err := made()
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range first {
		again, err := bytesOf(sample(), format)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, want) {
			t.Errorf("the same release made another .%s", format)
		}
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		p, err := sample().pack(f)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, write.FileName(p))
	}
	if got, want := strings.Join(names, " "), "dkms-hook_1.2.3~git4.abc_amd64.deb dkms-hook-1.2.3~git4.abc-1.x86_64.rpm"; got != want {
		t.Errorf("file names = %s; want %s", got, want)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"0.1.0": true, "0.1.0~git107.b09d7c9": true, "0.1.0+git3.aa.dirty": true,
		"": false, "v0.1.0": false, "0.1.0-3-gabc": false, "1:0.1": false, "0.1 0": false, "abc1234": false,
	} {
		if got := versionWords.MatchString(version); got != want {
			t.Errorf("version %q: fits = %v; want %v", version, got, want)
		}
	}
}
