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

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// sample is a release whose programs are texts, so that making packages of it
// takes no time.
func sample() release {
	r := release{
		version: "1.2.3~git4.abc", time: time.Unix(1_700_000_000, 0).UTC(),
		licence: []byte("the licence\n"), docs: map[string][]byte{},
		log:      []section{{version: "Unreleased", changes: []string{"A change."}}},
		programs: map[string]program{},
	}
	for _, o := range products {
		r.programs[o.name] = program{bytes: []byte("the program\n"), legal: []byte("who and how\n")}
		for _, name := range o.docs {
			r.docs[name] = []byte("a document\n")
		}
	}
	return r
}

// bytesOf returns a product's package of a release.
func bytesOf(r release, o product, format pkgfmt.Format) ([]byte, error) {
	p, err := r.pack(o, format)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = write.To(p, &b)
	return b.Bytes(), err
}

// A which names one of the packages.
type which struct {
	product string
	format  pkgfmt.Format
}

// made returns the bytes of the sample's packages.
var made = sync.OnceValues(func() (map[which][]byte, error) {
	out := map[which][]byte{}
	for _, o := range products {
		for _, f := range formats {
			var err error
			if out[which{o.name, f}], err = bytesOf(sample(), o, f); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
})

// packageOf returns the path of the sample's package.
func packageOf(t *testing.T, o product, format pkgfmt.Format) string {
	t.Helper()
	all, err := made()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "package."+string(format))
	if err := os.WriteFile(path, all[which{o.name, format}], 0o644); err != nil {
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
	for _, o := range products {
		for _, format := range formats {
			again, err := bytesOf(sample(), o, format)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again, first[which{o.name, format}]) {
				t.Errorf("the same release made another .%s of %s", format, o.name)
			}
		}
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	var names []string
	for _, o := range products {
		for _, f := range formats {
			p, err := sample().pack(o, f)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, write.FileName(p))
		}
	}
	want := []string{
		"dkms-hook_1.2.3~git4.abc_amd64.deb", "dkms-hook-1.2.3~git4.abc-1.x86_64.rpm",
		"dkms-mkpkg_1.2.3~git4.abc_amd64.deb", "dkms-mkpkg-1.2.3~git4.abc-1.x86_64.rpm",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("file names (-want +got):\n%s", diff)
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
