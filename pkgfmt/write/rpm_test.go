package write

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// specOf is a spec file that says what p says, for rpmbuild to be the oracle.
// Its sources stand in it.
func specOf(p pkgfmt.Package) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	line("Name", p.Name)
	line("Version", p.Version.Upstream)
	line("Release", p.Version.Revision)
	line("Epoch", fmt.Sprint(p.Version.Epoch))
	line("Summary", p.Summary)
	line("License", p.License)
	line("URL", p.Homepage)
	line("Vendor", p.Vendor)
	line("Packager", p.Maintainer)
	line("Group", p.Section)
	line("BuildArch", p.Arch)
	line("AutoReqProv", "no")
	for name, words := range map[string][]string{
		"Requires": p.Relations.Depends, "Recommends": p.Relations.Recommends, "Suggests": p.Relations.Suggests,
		"Conflicts": p.Relations.Conflicts, "Obsoletes": p.Relations.Replaces, "Provides": p.Relations.Provides,
		"Enhances": p.Relations.Enhances, "Supplements": p.Relations.Supplements, "Requires(pre,post,preun,postun)": p.Relations.ForScripts,
	} {
		for _, word := range words {
			line(name, word)
		}
	}
	for _, word := range p.Relations.ForScripts { // rpmbuild forgets it in the list above
		line("Requires(posttrans)", word)
	}
	fmt.Fprintf(&b, "%%description\n%s\n", filled(p.Description))
	for name, text := range p.Scripts {
		fmt.Fprintf(&b, "%%%s\n%s\n", name, text)
	}
	for _, t := range p.FileTriggers {
		name := map[pkgfmt.TriggerOn]string{pkgfmt.OnInstall: "in", pkgfmt.OnRemoval: "un", pkgfmt.AfterRemoval: "postun"}[t.On]
		fmt.Fprintf(&b, "%%transfiletrigger%s -- %s\n%s\n", name, strings.Join(t.Prefixes, " "), t.Script)
	}
	install, files := "", ""
	for _, f := range p.Files {
		at := "'%{buildroot}" + f.Path + "'"
		install += fmt.Sprintf("mkdir -p '%%{buildroot}%s'\n", path.Dir(f.Path))
		mark := map[pkgfmt.FileKind]string{
			pkgfmt.Config: "%config(noreplace) ", pkgfmt.Doc: "%doc ", pkgfmt.Licence: "%license ", pkgfmt.Ghost: "%ghost ", pkgfmt.Directory: "%dir ",
		}[f.Kind]
		switch f.Kind {
		case pkgfmt.Directory:
			install += "mkdir " + at + "\n"
			mark += "%attr(755,root,root) "
		case pkgfmt.Link:
			install += "ln -s " + f.Target + " " + at + "\n"
		default:
			install += fmt.Sprintf("printf '%%b' '%s' > %s\n", strings.ReplaceAll(strings.ReplaceAll(string(f.Data), "%", "%%"), "\n", `\n`), at)
			mark += fmt.Sprintf("%%attr(%o,root,root) ", f.Mode)
		}
		files += mark + strings.NewReplacer("[", "?", "]", "?", "*", "?", " ", "?").Replace(f.Path) + "\n"
	}
	for _, dir := range []string{"/usr/src/foo-1.0-rc1", "/usr/share/doc/foo-dkms", "/usr/share/licenses/foo-dkms"} {
		files += "%dir " + dir + "\n"
	}
	fmt.Fprintf(&b, "%%install\n%s%%files\n%s%%changelog\n", install, files)
	for _, c := range p.Changes {
		name, text := rpmChange(c)
		fmt.Fprintf(&b, "* %s %s\n%s\n\n", c.Time.Format("Mon Jan 2 2006"), name, text)
	}
	return b.String()
}

// oracle is the package that rpmbuild makes of the same.
func oracle(t *testing.T, p pkgfmt.Package) string {
	t.Helper()
	pkgtest.Needs(t, "rpmbuild")
	dir := t.TempDir()
	spec := filepath.Join(dir, "x.spec")
	writeFile(t, spec, specOf(p))
	output(t, "rpmbuild", "--define", "_topdir "+dir, "--define", "_build_name_fmt x.rpm", "--define", "_binary_payload w19.zstdio", "-bb", spec)
	return filepath.Join(dir, "RPMS", "x.rpm")
}

// queries are what must be the same of both packages; order is rpmbuild's own
// in lists of relations.
var queries = map[string]string{
	"identity":        `%{NAME}|%{EPOCH}|%{VERSION}|%{RELEASE}|%{ARCH}|%{OS}|%{LICENSE}|%{URL}|%{VENDOR}|%{PACKAGER}|%{GROUP}|%{SIZE}|%{ENCODING}|%{PAYLOADFORMAT} %{PAYLOADCOMPRESSOR} %{PAYLOADFLAGS}\n%{SUMMARY}\n%{DESCRIPTION}\n`,
	"provides":        `[%{PROVIDENEVRS} %{PROVIDEFLAGS:hex}\n]`,
	"recommends":      `[%{RECOMMENDNEVRS} %{RECOMMENDFLAGS:hex}\n]`,
	"suggests":        `[%{SUGGESTNEVRS} %{SUGGESTFLAGS:hex}\n]`,
	"conflicts":       `[%{CONFLICTNEVRS} %{CONFLICTFLAGS:hex}\n]`,
	"obsoletes":       `[%{OBSOLETENEVRS} %{OBSOLETEFLAGS:hex}\n]`,
	"enhances":        `[%{ENHANCENEVRS} %{ENHANCEFLAGS:hex}\n]`,
	"supplements":     `[%{SUPPLEMENTNEVRS} %{SUPPLEMENTFLAGS:hex}\n]`,
	"scripts":         `%{PREIN}|%{PREINPROG}|%{POSTIN}|%{POSTINPROG}|%{PREUN}|%{PREUNPROG}|%{POSTUN}|%{POSTUNPROG}|%{POSTTRANS}|%{POSTTRANSPROG}|%{PRETRANS}\n`,
	"trigger scripts": `[%{TRANSFILETRIGGERSCRIPTS}|%{TRANSFILETRIGGERSCRIPTPROG}|%{TRANSFILETRIGGERPRIORITIES}\n]`,
	"trigger paths":   `[%{TRANSFILETRIGGERNAME} %{TRANSFILETRIGGERINDEX} %{TRANSFILETRIGGERFLAGS:hex}|%{TRANSFILETRIGGERVERSION}\n]`,
	"files":           `[%{FILENAMES}|%{FILEMODES:octal}|%{FILEUSERNAME}|%{FILEGROUPNAME}|%{FILELINKTOS}|%{FILEFLAGS:fflags}|%{FILELANGS}\n]`,
	"changelog":       `[%{CHANGELOGNAME}\n%{CHANGELOGTEXT}\n\n]`,
}

func query(t *testing.T, file, format string) []string {
	t.Helper()
	return lines(output(t, "rpm", "-qp", "--qf", format, file))
}

// TestRPMAsRpmbuild: rpm sees no difference from what rpmbuild makes.
func TestRPMAsRpmbuild(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.RPM)
	for name, text := range p.Scripts { // rpmbuild cuts the last line feed off
		p.Scripts[name] = strings.TrimSpace(text)
	}
	for i := range p.FileTriggers {
		p.FileTriggers[i].Script = strings.TrimSpace(p.FileTriggers[i].Script)
	}
	ours, theirs := written(t, p, Options{}), oracle(t, p)
	for name, format := range queries {
		want, got := query(t, theirs, format), query(t, ours, format)
		if name != "files" && name != "changelog" && name != "identity" {
			slices.Sort(want)
			slices.Sort(got)
		}
		if name == "provides" { // of what rpm -V is told, which nobody requires
			want = slices.DeleteFunc(want, func(s string) bool { return strings.HasPrefix(s, "config(") })
		}
		if len(got) == 0 {
			t.Errorf("%s: nothing; this test no longer tests it", name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-rpmbuild +ours):\n%s", name, diff)
		}
	}
	digests := `[%{FILENAMES} %{FILEDIGESTS} %{FILEFLAGS}\n]`
	ghost := func(s string) bool { return strings.HasSuffix(s, " 64") } // rpmbuild has its digest, we have nothing
	want, got := slices.DeleteFunc(query(t, theirs, digests), ghost), slices.DeleteFunc(query(t, ours, digests), ghost)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("digests (-rpmbuild +ours):\n%s", diff)
	}
}

// TestRPMRequires: rpmbuild has an entry for each script, we have one for all.
func TestRPMRequires(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.RPM)
	const format = `[%{REQUIREFLAGS:hex} %{REQUIRENEVRS}\n]`
	sum := func(list []string) map[string]uint64 {
		out := map[string]uint64{}
		for _, line := range list {
			var bits uint64
			flags, name, _ := strings.Cut(line, " ")
			if _, err := fmt.Sscanf(flags, "%x", &bits); err != nil {
				t.Fatal(err)
			}
			out[name] |= bits
		}
		return out
	}
	want, got := sum(query(t, oracle(t, p), format)), sum(query(t, written(t, p, Options{}), format))
	for name := range want {
		if strings.HasPrefix(name, "config(") {
			delete(want, name)
		}
	}
	want["rpmlib(PayloadIsZstd) <= 5.4.18-1"] = got["rpmlib(FileDigests) <= 4.6.0-1"]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requires (-rpmbuild +ours):\n%s", diff)
	}
}

// TestRPMListed: the lists that a person asks rpm for.
func TestRPMListed(t *testing.T) {
	t.Parallel()
	file := written(t, sample(pkgfmt.RPM), Options{})
	for flag, want := range map[string][]string{
		"--scripts": {
			"preinstall scriptlet (using /bin/sh):", "echo pre", "postinstall scriptlet (using /bin/sh):", "echo post",
			"preuninstall scriptlet (using /bin/sh):", "echo preun", "postuninstall scriptlet (using /bin/sh):", "echo postun",
			"posttrans scriptlet (using /bin/sh):", "echo posttrans",
		},
		"--filetriggers": {
			"transfiletriggerin scriptlet (using /bin/sh) -- /lib/modules, /usr/lib/modules", "echo in",
			"transfiletriggerun scriptlet (using /bin/sh) -- /lib/modules", "echo un",
			"transfiletriggerpostun scriptlet (using /bin/sh) -- /usr/src", "echo postun",
		},
		"--triggers":  nil,
		"--provides":  {"foo-dkms = 1:1.0~rc1-2", "foo-kmod = 1:1.0~rc1"},
		"--obsoletes": {"foo-old <= 0.9"}, "--conflicts": {"kmod-foo < 2:1.0-1"},
		"--supplements": {"(kernel and foo)", "modalias(pci:v00008086d00001234sv*sd*bc*sc*i*)"}, "--enhances": {"kernel"},
		"-l": {
			"/etc/modprobe.d/foo.conf", "/usr/share/doc/foo-dkms", "/usr/share/doc/foo-dkms/README",
			"/usr/share/licenses/foo-dkms", "/usr/share/licenses/foo-dkms/COPYING",
			"/usr/src/foo-1.0-rc1", "/usr/src/foo-1.0-rc1/Makefile", "/usr/src/foo-1.0-rc1/dkms.conf", "/usr/src/foo-1.0-rc1/empty",
			"/usr/src/foo-1.0-rc1/foo.c", "/usr/src/foo-1.0-rc1/gen.sh", "/usr/src/foo-1.0-rc1/same.c",
			"/usr/src/foo-1.0-rc1/with space [1]*.h", "/var/log/foo.log",
		},
		"-c": {"/etc/modprobe.d/foo.conf"}, "-d": {"/usr/share/doc/foo-dkms/README"}, "-L": {"/usr/share/licenses/foo-dkms/COPYING"},
	} {
		got := lines(output(t, "rpm", "-qp", flag, file))
		if flag == "--provides" || flag == "--supplements" {
			slices.Sort(got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rpm -qp %s (-want +got):\n%s", flag, diff)
		}
	}
}

// TestRPMUnpacks: rpm finds nothing wrong with it, and who unpacks it by hand
// gets what went in, below the directory where he stands.
func TestRPMUnpacks(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"", "gzip", "xz", "zstd", "none"} {
		p := sample(pkgfmt.RPM)
		p.Compression.Algorithm = algorithm
		file, root := written(t, p, Options{}), t.TempDir()
		for _, what := range []string{"Header SHA256 digest", "Header SHA1 digest", "Payload SHA256 digest", "MD5 digest"} {
			if out := output(t, "rpm", "-Kv", file); !strings.Contains(out, what+": OK") {
				t.Errorf("%s: rpm -Kv:\n%s", algorithm, out)
			}
		}
		output(t, "sh", "-c", `cd "$1" && rpm2cpio "$2" | cpio -idm --quiet`, "sh", root, file)
		for _, f := range p.Files {
			at := filepath.Join(root, f.Path)
			info, err := os.Lstat(at)
			switch f.Kind {
			case pkgfmt.Ghost:
				if err == nil {
					t.Errorf("%s: %s is there, and is a ghost", algorithm, f.Path)
				}
				continue
			case pkgfmt.Link:
				if target, err := os.Readlink(at); err != nil || target != f.Target {
					t.Errorf("%s: %s points to %q, %v", algorithm, f.Path, target, err)
				}
				continue
			}
			if err != nil || info.Mode().Perm() != f.Mode || !info.ModTime().Equal(when) || info.IsDir() != (f.Kind == pkgfmt.Directory) {
				t.Errorf("%s: %s: %v, %v", algorithm, f.Path, info, err)
			}
			if got, _ := os.ReadFile(at); string(got) != string(f.Data) {
				t.Errorf("%s: %s: %d bytes; want %d", algorithm, f.Path, len(got), len(f.Data))
			}
		}
	}
}

// TestRPMInstalls: into a root of its own, and rpm -V agrees; then out again,
// and nothing is left.
func TestRPMInstalls(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("lacks root, which rpm changes its root with")
	}
	p := sample(pkgfmt.RPM)
	p.Scripts, p.FileTriggers, p.Relations = nil, nil, pkgfmt.Relations{}
	file, root := written(t, p, Options{}), t.TempDir()
	rpm := func(args ...string) string {
		return output(t, append([]string{"rpm", "--root", root, "--dbpath", "/db"}, args...)...)
	}
	rpm("--initdb")
	rpm("-i", file)
	if out := rpm("-V", "foo-dkms"); strings.TrimSpace(out) != "missing     /var/log/foo.log" && strings.TrimSpace(out) != "" {
		t.Errorf("rpm -V: %s", out)
	}
	rpm("-e", "foo-dkms")
	var left []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(root, path); d != nil && !strings.HasPrefix(rel, "db") && strings.Contains(rel, "foo") {
			left = append(left, rel)
		}
		return err
	})
	if err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRpmlint(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.RPM)
	p.Relations, p.Scripts, p.FileTriggers = pkgfmt.Relations{Depends: []string{"kmod"}}, nil, nil
	p.Files = slices.DeleteFunc(p.Files, func(f pkgfmt.File) bool { return f.Kind == pkgfmt.Ghost })
	out, _ := try(t, "rpmlint", written(t, p, Options{}))
	for _, line := range lines(out) {
		if strings.Contains(line, ": E: ") && !strings.Contains(line, "no-signature") && !strings.Contains(line, "zero-length") {
			t.Errorf("rpmlint: %s", line)
		}
	}
}
