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

func filesOf(t *testing.T, o product, format pkgfmt.Format) []pkgfmt.File {
	t.Helper()
	files, err := sample().files(o, format)
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
	for _, format := range formats {
		files := filesOf(t, hook, format)
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
	for _, o := range products {
		for _, format := range formats {
			for _, f := range filesOf(t, o, format) {
				switch {
				case f.Kind == pkgfmt.Directory:
				case strings.HasPrefix(f.Path, "/etc/dkms"), strings.HasPrefix(f.Path, "/var/"), strings.HasPrefix(f.Path, "/lib/"):
					t.Errorf("%s: %s brings %s", format, o.name, f.Path)
				}
			}
		}
	}
}

// TestNotTwice: both programs can be installed, so that no path but directories
// is in the packages of both.
func TestNotTwice(t *testing.T) {
	t.Parallel()
	for _, format := range formats {
		by := map[string]string{}
		for _, o := range products {
			for _, f := range filesOf(t, o, format) {
				if f.Kind == pkgfmt.Directory {
					continue
				}
				if other, twice := by[f.Path]; twice {
					t.Errorf("%s: both %s and %s bring %s", format, other, o.name, f.Path)
				}
				by[f.Path] = o.name
			}
		}
	}
}

func TestPathsOnce(t *testing.T) {
	t.Parallel()
	for _, o := range products {
		for _, format := range formats {
			files := filesOf(t, o, format)
			for i, f := range files[1:] {
				if f.Path <= files[i].Path {
					t.Errorf("%s: %s comes after %s", format, f.Path, files[i].Path)
				}
			}
		}
	}
}

func TestCompressedAreWhole(t *testing.T) {
	t.Parallel()
	for _, f := range slices.Concat(filesOf(t, hook, pkgfmt.Deb), filesOf(t, mkpkg, pkgfmt.Deb)) {
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
