package srcpkg

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("driver ", 20)
	for in, want := range map[string]string{
		"":                        "Source of the kernel modules of foo (DKMS)",
		"A driver.":               "A driver (DKMS)",
		"  two\nlines ":           "two lines (DKMS)",
		"The dkms source of foo":  "The dkms source of foo",
		long:                      strings.TrimSpace(strings.Repeat("driver ", 9)) + "... (DKMS)",
		strings.Repeat("x", 90):   strings.Repeat("x", 69) + "... (DKMS)",
		strings.Repeat("ü", 50):   strings.Repeat("ü", 34) + "... (DKMS)",
		"dkms " + long:            "dkms " + strings.TrimSpace(strings.Repeat("driver ", 10)) + "...",
		strings.Repeat("é ", 200): strings.TrimSpace(strings.Repeat("é ", 23)) + "... (DKMS)",
	} {
		got := summary(&source.Description{DKMS: dkms.Package{Name: "foo", Version: "1"}, Summary: in})
		if got != want || len(got) > maxSummary || !utf8.ValidString(got) {
			t.Errorf("summary(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestCapital(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a driver": "A driver", "A driver": "A driver", "v4l2 driver": "v4l2 driver", "foo driver": "foo driver", "über alles": "über alles", "word": "word", "": "",
	} {
		if got := capital(in, "foo"); got != want {
			t.Errorf("capital(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		modules []string
		want    string
	}{
		{"", nil, "This package brings the source of the kernel module foo, which"},
		{"Drives.\n", []string{"a"}, "Drives.\n\nThis package brings the source of the kernel module a, which"},
		{"", []string{"a", "b"}, "This package brings the source of the kernel modules a and b, which"},
		{"", []string{"a", "b", "c"}, "This package brings the source of the kernel modules a, b and c, which"},
	} {
		d := &source.Description{DKMS: dkms.Package{Name: "foo", Version: "1"}, Description: c.text, Conf: &conf.Conf{}}
		for _, name := range c.modules {
			d.Conf.Modules = append(d.Conf.Modules, kbuild.Module{Dest: name})
		}
		if got := description(d); !strings.HasPrefix(got, c.want) {
			t.Errorf("description of %q with modules %q = %q; want %q", c.text, c.modules, got, c.want)
		}
	}
}
