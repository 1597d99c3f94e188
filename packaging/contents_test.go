package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

func filesOf(t *testing.T, format pkgfmt.Format) []pkgfmt.File {
	t.Helper()
	files, err := sample().files(format)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func find(files []pkgfmt.File, path string) (pkgfmt.File, bool) {
	i := slices.IndexFunc(files, func(f pkgfmt.File) bool { return f.Path == path })
	if i < 0 {
		return pkgfmt.File{}, false
	}
	return files[i], true
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
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		files := filesOf(t, format)
		for _, path := range programs {
			if f, ok := find(files, path); !ok || f.Mode != 0o755 || len(f.Data) == 0 {
				t.Errorf("%s: %s: there %v, mode %v; want a program", format, path, ok, f.Mode)
			}
		}
		for _, path := range texts {
			if f, ok := find(files, path); !ok || f.Mode != 0o644 || len(f.Data) == 0 {
				t.Errorf("%s: %s: there %v, mode %v; want a text", format, path, ok, f.Mode)
			}
		}
		for path, to := range links {
			if f, ok := find(files, path); !ok || f.Kind != pkgfmt.Link || f.Target != to {
				t.Errorf("%s: %s: there %v, %q; want a link to %q", format, path, ok, f.Target, to)
			}
		}
	}
}

// TestNotOurs: settings belong to the administrator, keys and packages to
// whoever made them.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		for _, f := range filesOf(t, format) {
			switch {
			case f.Kind == pkgfmt.Directory:
			case strings.HasPrefix(f.Path, "/etc/dkms"), strings.HasPrefix(f.Path, "/var/"), strings.HasPrefix(f.Path, "/lib/"):
				t.Errorf("%s: brings %s", format, f.Path)
			}
		}
	}
}

func TestPathsOnce(t *testing.T) {
	t.Parallel()
	for _, format := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		files := filesOf(t, format)
		for i, f := range files[1:] {
			if f.Path <= files[i].Path {
				t.Errorf("%s: %s comes after %s", format, f.Path, files[i].Path)
			}
		}
	}
}

func TestCompressedAreWhole(t *testing.T) {
	t.Parallel()
	for _, f := range filesOf(t, pkgfmt.Deb) {
		if !strings.HasSuffix(f.Path, ".gz") || f.Kind == pkgfmt.Link {
			continue
		}
		r, err := gzip.NewReader(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		text, err := io.ReadAll(r)
		if err != nil || len(text) < 100 || !r.ModTime.IsZero() {
			t.Errorf("%s: %d bytes of text, time %v, %v", f.Path, len(text), r.ModTime, err)
		}
	}
}
