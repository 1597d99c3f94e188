package rpmbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// Fedora is the release of all kernel packages.
const Fedora = "200.fc99"

// Kernels are three to upgrade from one to the next.
func Kernels(tb testing.TB) [3]Kernel {
	generic, cloud := Headers(tb)
	return [3]Kernel{
		{Version: "6.1.10", Release: Fedora, Headers: generic},
		{Version: "6.1.11", Release: Fedora, Headers: cloud},
		{Version: "6.1.12", Release: Fedora, Headers: generic, EntryType: true},
	}
}

// Specs are those of packages that each host needs, by file name: one that
// provides what the Debian around has, one that provides headers where there are
// none, and the kernels.
func Specs(tb testing.TB, kernels ...Kernel) map[string]string {
	tb.Helper()
	stub := struct{ Name, Version, Release string }{Version: "1", Release: "1"}
	out := map[string]string{}
	for file, c := range map[string][2]string{"host": {"debian-host-compat", hostSpec}, "matched": {"debian-host-matched", matchedSpec}} {
		stub.Name = c[0]
		out[file] = Render(tb, c[1], stub)
	}
	for _, k := range kernels {
		out["kernel-"+k.Version] = Render(tb, kernelSpec, k)
	}
	return out
}

// Repository returns, as tar, the repository /repo with what is made of the
// specs, and what prepare puts there.
func Repository(tb testing.TB, specs map[string]string, prepare func(*box.Box)) []byte {
	tb.Helper()
	b := box.NewOn(tb, Lower(tb))
	prepare(b)
	for name, text := range specs {
		b.Write("/specs/"+name+".spec", text)
	}
	b.Must("sh", "-euc", `
		mkdir -p /repo
		# rpmbuild works with one BUILD folder for all, of which nothing is used here.
		ls /specs/*.spec | xargs -P2 -n8 sh -euc 'for spec; do rpmbuild -bb --quiet -D "_rpmdir /repo" -D "_buildhost test" "$spec"; done' sh
		createrepo_c -q /repo
		tar -C / -cf /tmp/repo.tar repo`)
	return b.Read("/tmp/repo.tar")
}

// Ours puts the package under test into the box that makes the repository:
// DKMS_HOOK_RPM, or what make packages has made.
func Ours(tb testing.TB, b *box.Box) {
	tb.Helper()
	path := os.Getenv("DKMS_HOOK_RPM")
	if path == "" {
		found, _ := filepath.Glob(filepath.Join(box.Project(), "dist/dkms-hook-*.x86_64.rpm"))
		if len(found) != 1 {
			tb.Fatalf("%d packages to test in dist, want 1: make packages makes it", len(found))
		}
		path = found[0]
	}
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	b.Write("/repo/"+filepath.Base(path), string(content))
}

// Stock puts a package of the real DKMS there, made from Debian's.
func Stock(tb testing.TB, b *box.Box) {
	tb.Helper()
	path := filepath.Join(box.Project(), "build/e2e/debs/dkms-3.2.2.deb")
	content, err := os.ReadFile(path)
	if err != nil {
		box.Lacks(tb, path+": make e2e fetches it")
	}
	b.Write("/dkms.deb", string(content))
	b.Must("mkdir", "/src")
	b.Must("dpkg-deb", "-x", "/dkms.deb", "/src/dkms")
	b.Must("rm", "-r", "/src/dkms/usr/share")
	b.Must("touch", "/src/dkms/var/lib/dkms/dkms_dbversion") // so that the folder is in the package
	b.Write("/specs/dkms.spec", repacked("dkms", "3.2.2"))
}

// repacked is the spec of a package with the files below /src/NAME.
func repacked(name, version string) string {
	tags := strings.NewReplacer("{{.Name}}", name, "{{.Version}}", version, "{{.Release}}", "1").Replace(strings.TrimLeft(Preamble, "\n"))
	return tags + fmt.Sprintf(`
%%description
repacked
%%install
cp -a /src/%[1]s/. %%{buildroot}
(cd %%{buildroot} && find . ! -type d | cut -c2-) >%%{_builddir}/files-%[1]s
%%files -f %%{_builddir}/files-%[1]s
`, name)
}
