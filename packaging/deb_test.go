package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// debFields are fields of a .deb, by the product.
var debFields = map[string]map[string]string{
	"dkms-hook": {
		"Package":      "dkms-hook",
		"Version":      "1.2.3~git4.abc",
		"Architecture": "amd64",
		"Multi-Arch":   "foreign",
		"Section":      "kernel",
		"Priority":     "optional",
		"Provides":     "dkms (= 3.4.3)",
		"Conflicts":    "dkms",
		"Replaces":     "dkms",
		"Depends":      "kmod, make, patch",
		"Recommends":   "gcc | c-compiler, linux-headers-amd64 | linux-headers-generic | linux-headers",
	},
	"dkms-mkpkg": {
		"Package":      "dkms-mkpkg",
		"Version":      "1.2.3~git4.abc",
		"Architecture": "amd64",
		"Multi-Arch":   "foreign",
		"Section":      "devel",
		"Priority":     "optional",
		"Pre-Depends":  "",
		"Depends":      "",
		"Conflicts":    "",
		"Provides":     "",
		"Recommends":   "binutils, gcc | c-compiler, make",
		"Suggests":     "dkms-hook | dkms, linux-headers-amd64 | linux-headers-generic | linux-headers, patch",
	},
}

func TestDebFields(t *testing.T) {
	t.Parallel()
	for _, o := range products {
		path := packageOf(t, o, pkgfmt.Deb)
		for name, want := range debFields[o.name] {
			if got := strings.TrimSpace(output(t, "dpkg-deb", "-f", path, name)); got != want {
				t.Errorf("%s: %s: %s; want %s", o.name, name, got, want)
			}
		}
		if len(debFields[o.name]) == 0 {
			t.Errorf("%s: no field is looked at", o.name)
		}
	}
}

func TestDebTriggers(t *testing.T) {
	t.Parallel()
	got := output(t, "dpkg-deb", "-I", packageOf(t, hook, pkgfmt.Deb), "triggers")
	want := "interest-await dkms-hook\ninterest-noawait /lib/modules\ninterest-noawait /usr/lib/modules\n"
	if got != want {
		t.Errorf("triggers:\n%swant:\n%s", got, want)
	}
}

func TestDebConffiles(t *testing.T) {
	t.Parallel()
	got := strings.Fields(output(t, "dpkg-deb", "-I", packageOf(t, hook, pkgfmt.Deb), "conffiles"))
	want := []string{
		"/etc/kernel/header_postinst.d/dkms", "/etc/kernel/postinst.d/dkms",
		"/etc/kernel/preinst.d/dkms", "/etc/kernel/prerm.d/dkms",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conffiles (-want +got):\n%s", diff)
	}
}

// listed is what is in the deb as one line each: mode, owner, path, target.
func listed(t *testing.T, o product) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(output(t, "dpkg-deb", "-c", packageOf(t, o, pkgfmt.Deb))) {
		f := strings.Fields(line)
		b.WriteString(strings.Join(append([]string{f[0], f[1], strings.TrimSuffix(f[5][1:], "/")}, f[6:]...), " ") + "\n")
	}
	return b.String()
}

func TestDebFiles(t *testing.T) {
	t.Parallel()
	for _, o := range products {
		want := ""
		files := append(filesOf(t, o, pkgfmt.Deb), pkgfmt.File{Path: "/usr/share/doc/" + o.name + "/changelog.gz", Mode: 0o644})
		slices.SortFunc(files, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
		for _, f := range files {
			line := map[pkgfmt.FileKind]string{pkgfmt.Directory: "d", pkgfmt.Link: "l"}[f.Kind]
			if line == "" {
				line = "-"
			}
			line += f.Mode.Perm().String()[1:] + " root/root " + f.Path
			if f.Kind == pkgfmt.Link {
				line += " -> " + f.Target
			}
			want += line + "\n"
		}
		var got strings.Builder
		for line := range strings.Lines(listed(t, o)) {
			if strings.Contains(want, line) {
				got.WriteString(line)
			} else if !strings.HasPrefix(line, "drwxr-xr-x root/root /") {
				t.Errorf("what is that? %s", line)
			}
		}
		if diff := cmp.Diff(want, got.String()); diff != "" {
			t.Errorf("files of %s (-want +got):\n%s", o.name, diff)
		}
	}
}

// TestDebScripts: preinst holds the hooks, word by word, since it may have to
// write them before dpkg does.
func TestDebScripts(t *testing.T) {
	t.Parallel()
	preinst := output(t, "dpkg-deb", "-I", packageOf(t, hook, pkgfmt.Deb), "preinst")
	for _, name := range []string{"preinst", "postinst", "prerm", "header_postinst"} {
		hook, err := script("kernel/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(preinst, "\t"+name+")\n\t\tcat <<'HOOK'\n"+hook+"HOOK\n") {
			t.Errorf("preinst does not hold the hook %s:\n%s", name, preinst)
		}
	}
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		want, err := script("deb/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got := output(t, "dpkg-deb", "-I", packageOf(t, hook, pkgfmt.Deb), name); got != want {
			t.Errorf("%s:\n%swant:\n%s", name, got, want)
		}
	}
}
