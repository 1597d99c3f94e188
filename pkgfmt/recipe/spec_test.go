package recipe

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
	"github.com/dkms-hook/dkms-hook/pkgfmt/srcpkg"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// sample is a source with all that makes a difference: names to be mapped, files
// of its own for the machine, scripts, a patch, a program before the build.
func sample(t *testing.T) *source.Description {
	t.Helper()
	dir := unpackTree(t, "testdata/sample.txtar")
	if err := os.Chmod(filepath.Join(dir, "prepare.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := source.Read(context.Background(), dir, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d.Time = time.Unix(1700000000, 0).UTC()
	conf := slices.IndexFunc(d.Files, func(f pkgfmt.File) bool { return f.Path == "conf/sample.conf" })
	d.Extra = []pkgfmt.File{
		{Path: "/etc/modprobe.d/sample.conf", Kind: pkgfmt.Config, Mode: 0o644, Source: d.Files[conf].Source, Size: d.Files[conf].Size},
		{Path: "/usr/lib/firmware/sample.bin", Mode: 0o644, Data: []byte("\x00\x01%")},
		{Path: "/usr/lib/firmware/sample link.bin", Kind: pkgfmt.Link, Mode: 0o777, Target: "sample.bin"},
		{Path: "/usr/lib/modules-load.d/sample.conf", Mode: 0o644, Data: []byte("# 'it' is $HOME %{name} `id`\nEND\nsample\n")},
	}
	d.Scripts = map[pkgfmt.Format]map[string]string{
		pkgfmt.RPM: {"post": "echo 100% ${x%%y}\n", "postun": "#!/bin/sh\n: %{name}\n"},
		pkgfmt.Deb: {"postinst": "#!/bin/sh\necho more\n", "preinst": "true\n"},
	}
	return d
}

// tool runs a program that must succeed, or skips where there is none.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing", name)
		}
		t.Skipf("%s is missing", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sourceRPM puts a source RPM into a directory.
func sourceRPM(t *testing.T, d *source.Description, spec []byte) string {
	t.Helper()
	p, err := SourceRPM(context.Background(), d, spec)
	must(t, err)
	file, err := write.Package(context.Background(), p, write.Options{Dir: t.TempDir()})
	must(t, err)
	return file
}

// rpmbuild builds in a directory of its own, and returns the binary packages.
func rpmbuild(t *testing.T, args ...string) []string {
	t.Helper()
	top := t.TempDir()
	tool(t, "rpmbuild", append([]string{"--define", "_topdir " + top, "--dbpath", filepath.Join(top, "db"), "--define", "dist .test"}, args...)...)
	made, _ := filepath.Glob(filepath.Join(top, "RPMS/*/*.rpm"))
	return made
}

// query asks rpm about a package's file.
func query(t *testing.T, file, format string) []string {
	t.Helper()
	out := tool(t, "rpm", "--dbpath", t.TempDir(), "-qp", "--qf", format, file)
	return strings.Split(strings.TrimRight(out, "\n"), "\n")
}

// TestDKMSSpec: rpmbuild makes of the spec what we would write ourselves.
func TestDKMSSpec(t *testing.T) {
	t.Parallel()
	d := sample(t)
	spec, err := DKMSSpec(d)
	must(t, err)
	made := rpmbuild(t, "--rebuild", sourceRPM(t, d, spec))
	if len(made) != 1 {
		t.Fatalf("rpmbuild made %v\n%s", made, spec)
	}
	p, err := srcpkg.Compose(d, pkgfmt.RPM)
	must(t, err)
	p.Version.Revision += ".test"
	ours, err := write.Package(context.Background(), p, write.Options{Dir: t.TempDir()})
	must(t, err)
	for _, script := range []string{"PREIN", "POSTIN", "PREUN", "POSTUN", "PRETRANS", "POSTTRANS"} { // rpmbuild trims them
		got, want := query(t, made[0], "%{"+script+"}"), query(t, ours, "%{"+script+"}")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -ours +rpmbuild's\n%s", script, diff)
		}
	}
	for what, format := range map[string]string{
		"identity":   `%{NAME} %{EPOCH} %{VERSION} %{RELEASE} %{ARCH}\n%{SUMMARY}\n%{LICENSE}\n%{URL}\n%{GROUP}\n`,
		"changes":    `[%{CHANGELOGNAME}\n%{CHANGELOGTEXT}\n]`,
		"recommends": `[%{RECOMMENDS}\n]`,
		"conflicts":  `[%{CONFLICTS}\n]`,
	} {
		want, got := query(t, ours, format), query(t, made[0], format)
		if what == "recommends" { // it sorts them
			slices.Sort(want)
			slices.Sort(got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -ours +rpmbuild's\n%s", what, diff)
		}
	}
	if diff := cmp.Diff(relationsOf(t, ours, "REQUIRE"), relationsOf(t, made[0], "REQUIRE")); diff != "" {
		t.Errorf("requires: -ours +rpmbuild's\n%s", diff)
	}
	if diff := cmp.Diff(relationsOf(t, ours, "PROVIDE"), relationsOf(t, made[0], "PROVIDE")); diff != "" {
		t.Errorf("provides: -ours +rpmbuild's\n%s", diff)
	}
	if diff := cmp.Diff(filesOf(t, ours), filesOf(t, made[0])); diff != "" {
		t.Errorf("files: -ours +rpmbuild's\n%s", diff)
	}
}

// relationsOf are a package's, but for those of rpm itself.
func relationsOf(t *testing.T, file, kind string) (all []string) {
	for _, l := range query(t, file, "[%{"+kind+"NAME} %{"+kind+"FLAGS:depflags} %{"+kind+"VERSION}\n]") {
		l = strings.Join(strings.Fields(l), " ")
		if !strings.HasPrefix(l, "rpmlib(") && !strings.HasPrefix(l, "/bin/sh") && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	slices.Sort(all)
	return all
}

// filesOf are path, mode, size, digest, flags and target of a package's files.
func filesOf(t *testing.T, file string) []string {
	t.Helper()
	all := query(t, file, `[%{FILENAMES} %{FILEMODES:perms} %{FILEDIGESTS} %{FILEFLAGS:fflags} %{FILELINKTOS} %{FILEUSERNAME}\n]`)
	for i := range all { // the distribution's macros say whether there is a version
		all[i] = strings.Replace(all[i], "-1.2~rc1/", "/", 1)
	}
	return slices.DeleteFunc(all, func(l string) bool { // rpmbuild has directories of documents
		return strings.HasPrefix(l, "/usr/share/doc/") && strings.Contains(l, " d") || strings.HasPrefix(l, "/usr/share/licenses/") && strings.Contains(l, " d")
	})
}
