package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"testing"
)

func entriesOf(t *testing.T, format string) []entry {
	t.Helper()
	entries, err := sample().entries(format)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func find(entries []entry, path string) (entry, bool) {
	i := slices.IndexFunc(entries, func(e entry) bool { return e.path == path })
	if i < 0 {
		return entry{}, false
	}
	return entries[i], true
}

// TestBoth: what the interface of dkms asks for is in both packages.
func TestBoth(t *testing.T) {
	t.Parallel()
	programs := []string{
		"/usr/sbin/dkms-hook", "/usr/lib/dkms/common.postinst", "/usr/lib/dkms/dkms_autoinstaller", "/usr/lib/kernel/install.d/40-dkms.install",
		"/etc/kernel/preinst.d/dkms", "/etc/kernel/postinst.d/dkms", "/etc/kernel/prerm.d/dkms", "/etc/kernel/header_postinst.d/dkms",
	}
	texts := []string{
		"/usr/lib/systemd/system/dkms.service", "/usr/share/doc/dkms-hook/examples/framework.conf",
		"/usr/share/man/man8/dkms-hook.8.gz", "/usr/share/man/man5/dkms.conf.5.gz", "/usr/share/man/man5/dkms-framework.conf.5.gz",
		"/usr/share/bash-completion/completions/dkms-hook", "/usr/share/fish/vendor_completions.d/dkms-hook.fish",
	}
	links := map[string]string{
		"/usr/sbin/dkms": "dkms-hook", "/usr/share/man/man8/dkms.8.gz": "dkms-hook.8.gz",
		"/usr/share/bash-completion/completions/dkms": "dkms-hook", "/usr/share/fish/vendor_completions.d/dkms.fish": "dkms-hook.fish",
	}
	for _, format := range []string{onlyDeb, onlyRPM} {
		entries := entriesOf(t, format)
		for _, path := range programs {
			if e, ok := find(entries, path); !ok || e.mode != 0o755 || len(e.body) == 0 {
				t.Errorf("%s: %s: there %v, mode %v; want a program", format, path, ok, e.mode)
			}
		}
		for _, path := range texts {
			if e, ok := find(entries, path); !ok || e.mode != 0o644 || len(e.body) == 0 {
				t.Errorf("%s: %s: there %v, mode %v; want a text", format, path, ok, e.mode)
			}
		}
		for path, to := range links {
			if e, ok := find(entries, path); !ok || e.kind != link || string(e.body) != to {
				t.Errorf("%s: %s: there %v, %q; want a link to %q", format, path, ok, e.body, to)
			}
		}
	}
}

// TestNotOurs: settings belong to the administrator, keys and packages to
// whoever made them.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	for _, format := range []string{onlyDeb, onlyRPM} {
		for _, e := range entriesOf(t, format) {
			switch {
			case e.kind == directory:
			case strings.HasPrefix(e.path, "/etc/dkms"), strings.HasPrefix(e.path, "/var/"), strings.HasPrefix(e.path, "/lib/"):
				t.Errorf("%s: brings %s", format, e.path)
			}
		}
	}
}

func TestPathsOnce(t *testing.T) {
	t.Parallel()
	for _, format := range []string{onlyDeb, onlyRPM} {
		entries := entriesOf(t, format)
		for i, e := range entries[1:] {
			if e.path <= entries[i].path {
				t.Errorf("%s: %s comes after %s", format, e.path, entries[i].path)
			}
		}
	}
}

func TestCompressedAreWhole(t *testing.T) {
	t.Parallel()
	for _, e := range entriesOf(t, onlyDeb) {
		if !strings.HasSuffix(e.path, ".gz") || e.kind == link {
			continue
		}
		r, err := gzip.NewReader(bytes.NewReader(e.body))
		if err != nil {
			t.Fatalf("%s: %v", e.path, err)
		}
		text, err := io.ReadAll(r)
		if err != nil || len(text) < 100 || !r.ModTime.IsZero() {
			t.Errorf("%s: %d bytes of text, time %v, %v", e.path, len(text), r.ModTime, err)
		}
	}
}
