package recipe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/golden"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// TestDebian compares all files of a debian/ directory, with their modes.
func TestDebian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ golden, release string }{{"testdata/debian.txtar", ""}, {"testdata/debian-quilt.txtar", "2"}} {
		d := sample(t)
		d.Release = tt.release
		d.Relations[pkgfmt.Deb] = pkgfmt.Relations{Depends: []string{"v4l-utils (>= 1.20)"}, Suggests: []string{"obs-studio"}}
		files, err := Debian(d)
		must(t, err)
		var got txtar.Archive
		for _, f := range files {
			if strings.Contains(string(f.Data), "\x00") {
				f.Data = fmt.Appendf(nil, "%q\n", f.Data)
			}
			got.Files = append(got.Files, txtar.File{Name: fmt.Sprintf("%s %04o", f.Path, f.Mode), Data: f.Data})
		}
		golden.File(t, tt.golden, string(txtar.Format(&got)))
	}
}

// TestDebianConf: dh_dkms reads lines, and gets a dkms.conf that it reads right.
func TestDebianConf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		conf   string
		copied bool
	}{
		{"PACKAGE_NAME=\"v4l2_Sample\"\nPACKAGE_VERSION='1.2-rc1'\n", false},
		{"PACKAGE_NAME=v4l2_Sample\nPACKAGE_VERSION=1.2-rc1\n", false},
		{"PACKAGE_NAME=v4l2_Sample # a name\nPACKAGE_VERSION=1.2-rc1\n", true},
		{"N=v4l2_Sample\nPACKAGE_NAME=$N\nPACKAGE_VERSION=1.2-rc1", true},
		{"PACKAGE_NAME=v4l2_Sample\nPACKAGE_VERSION=1.2-rc1\n# not PACKAGE_VERSION=1.1\n", true},
	} {
		d := sample(t)
		must(t, os.WriteFile(filepath.Join(d.Dir, "dkms.conf"), []byte(tt.conf), 0o644))
		files, err := Debian(d)
		must(t, err)
		i := slices.IndexFunc(files, func(f pkgfmt.File) bool { return f.Path == "debian/v4l2-sample-dkms.dkms" })
		text := string(files[i].Data)
		if tt.copied != strings.HasPrefix(text, strings.TrimRight(tt.conf, "\n")+"\n") || !tt.copied && text != "dkms.conf\n" {
			t.Errorf("for\n%sdh_dkms gets\n%s", tt.conf, text)
		}
		if tt.copied && (lastMatch(dhName, text) != "v4l2_Sample" || lastMatch(dhVersion, text) != "1.2-rc1") {
			t.Errorf("dh_dkms misreads\n%s", text)
		}
	}
}

func TestDebianRefuses(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*source.Description){
		"nothing tells who makes the package":     func(d *source.Description) { d.Maintainer = "" },
		"is a version that dh_dkms does not":      func(d *source.Description) { d.DKMS.Version = "1_2" },
		"cannot stand in a spec file or a Makefi": func(d *source.Description) { d.DKMS.Name = "a$b" },
	} {
		d := sample(t)
		change(d)
		files, err := Debian(d)
		var e *dkms.Error
		if files != nil || !errors.As(err, &e) || e.Kind != dkms.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("Debian: %v; want %q", err, want)
		}
	}
}
