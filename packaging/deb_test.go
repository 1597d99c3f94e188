package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// field returns a field of the deb, as dpkg reads it.
func field(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(output(t, "dpkg-deb", "-f", packageOf(t, pkgfmt.Deb), name))
}

func TestDebFields(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
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
	} {
		if got := field(t, name); got != want {
			t.Errorf("%s: %s; want %s", name, got, want)
		}
	}
}

func TestDebTriggers(t *testing.T) {
	t.Parallel()
	got := output(t, "dpkg-deb", "-I", packageOf(t, pkgfmt.Deb), "triggers")
	want := "interest-await dkms-hook\ninterest-noawait /lib/modules\ninterest-noawait /usr/lib/modules\n"
	if got != want {
		t.Errorf("triggers:\n%swant:\n%s", got, want)
	}
}

func TestDebConffiles(t *testing.T) {
	t.Parallel()
	got := strings.Fields(output(t, "dpkg-deb", "-I", packageOf(t, pkgfmt.Deb), "conffiles"))
	want := []string{
		"/etc/kernel/header_postinst.d/dkms", "/etc/kernel/postinst.d/dkms",
		"/etc/kernel/preinst.d/dkms", "/etc/kernel/prerm.d/dkms",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conffiles (-want +got):\n%s", diff)
	}
}

// listed is what is in the deb as one line each: mode, owner, path, target.
func listed(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(output(t, "dpkg-deb", "-c", packageOf(t, pkgfmt.Deb))) {
		f := strings.Fields(line)
		b.WriteString(strings.Join(append([]string{f[0], f[1], strings.TrimSuffix(f[5][1:], "/")}, f[6:]...), " ") + "\n")
	}
	return b.String()
}

func TestDebFiles(t *testing.T) {
	t.Parallel()
	want := ""
	files := append(filesOf(t, pkgfmt.Deb), pkgfmt.File{Path: "/usr/share/doc/dkms-hook/changelog.gz", Mode: 0o644})
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
	for line := range strings.Lines(listed(t)) {
		if strings.Contains(want, line) {
			got.WriteString(line)
		} else if !strings.HasPrefix(line, "drwxr-xr-x root/root /") {
			t.Errorf("what is that? %s", line)
		}
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("files of the deb (-want +got):\n%s", diff)
	}
}

// TestDebScripts: preinst holds the hooks, word by word, since it may have to
// write them before dpkg does.
func TestDebScripts(t *testing.T) {
	t.Parallel()
	preinst := output(t, "dpkg-deb", "-I", packageOf(t, pkgfmt.Deb), "preinst")
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
		if got := output(t, "dpkg-deb", "-I", packageOf(t, pkgfmt.Deb), name); got != want {
			t.Errorf("%s:\n%swant:\n%s", name, got, want)
		}
	}
}
