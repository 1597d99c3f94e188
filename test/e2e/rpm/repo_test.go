//go:build e2e

package rpm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

const fc = "200.fc99" // the release of all kernel packages

// kernels are three to upgrade from one to the next.
func kernels(tb testing.TB) [3]kernel {
	generic, cloud := headers(tb)
	return [3]kernel{
		{Version: "6.1.10", Release: fc, Headers: generic},
		{Version: "6.1.11", Release: fc, Headers: cloud},
		{Version: "6.1.12", Release: fc, Headers: generic, EntryType: true},
	}
}

// running is a kernel that has the name of the one that runs, for what packages
// do for that only.
func running(tb testing.TB) kernel {
	generic, _ := headers(tb)
	return kernel{Version: "6.0.1", Release: fc, Headers: generic, Named: uname()}
}

// suse is a kernel of SUSE.
func suse(tb testing.TB) kernel {
	generic, _ := headers(tb)
	return kernel{Version: "6.1.20", Release: "1.1", Headers: generic, Named: "6.1.20-1-default"}
}

// editions are a module's packages: 1.0-1, a new release 1.0-2 of the same
// version with another source, 1.1-1, 1.2-1 that does not compile, 1.3-1 that
// does again.
func editions(name string, s style) []module {
	return []module{
		{Module: name, Style: s, Version: "1.0", Release: "1"},
		{Module: name, Style: s, Version: "1.0", Release: "2"},
		{Module: name, Style: s, Version: "1.1", Release: "1"},
		{Module: name, Style: s, Version: "1.2", Release: "1", Broken: true},
		{Module: name, Style: s, Version: "1.3", Release: "1"},
	}
}

// foreign are the modules of packages that were not made for us, by style.
var foreign = map[string]style{"zed": openzfs, "nega": negativo17, "nvid": nvidia, "mkr": mkrpm}

// modules are all packages of modules in the repository.
func modules() []module {
	out := editions("foo", native)
	for name, s := range foreign {
		out = append(out, editions(name, s)...)
	}
	const (
		callsBack = `POST_BUILD="back.sh"
POST_INSTALL="back.sh"`
		// Its build may kill the program that runs it.
		kills = `MAKE[0]="/usr/local/bin/kills; ${MAKE[0]}"`
	)
	return append(out,
		module{Module: "bar", Style: native, Version: "1.0", Release: "1", Identical: true},
		module{Module: "bar", Style: native, Version: "1.0", Release: "2", Identical: true},
		module{Module: "bad", Style: native, Version: "1.0", Release: "1", Broken: true},
		module{Module: "back", Style: native, Version: "1.0", Release: "1", Conf: callsBack},
		module{Module: "kills", Style: native, Version: "1.0", Release: "1", Conf: kills},
		module{Module: "early", Style: native, Version: "1.0", Release: "1", Conf: `REMAKE_INITRD="yes"`},
	)
}

// specs are the spec files of the repository, by file name.
func specs(tb testing.TB) map[string]string {
	tb.Helper()
	out := map[string]string{
		"host":    render(tb, hostSpec, module{Version: "1", Release: "1", Style: style{rpm: "debian-host-compat"}}),
		"matched": render(tb, matchedSpec, module{Version: "1", Release: "1", Style: style{rpm: "debian-host-matched"}}),
	}
	out["suse"] = render(tb, suseSpec, suse(tb))
	three := kernels(tb)
	for _, k := range append(three[:], running(tb)) {
		out["kernel-"+k.Version] = render(tb, kernelSpec, k)
	}
	for _, m := range modules() {
		out[m.file()] = render(tb, moduleSpec, m)
	}
	return out
}

var repository struct {
	once sync.Once
	tar  []byte
}

// repo returns, as tar, the repository /repo with everything in it. It is
// built once for all tests.
func repo(tb testing.TB) []byte {
	tb.Helper()
	repository.once.Do(func() {
		b := box.NewOn(tb, lower(tb))
		stock(tb, b)
		ours(tb, b)
		for name, text := range specs(tb) {
			b.Write("/specs/"+name+".spec", text)
		}
		b.Must("sh", "-euc", `
			mkdir -p /repo
			# rpmbuild works with one BUILD folder for all, of which nothing is used here.
			ls /specs/*.spec | xargs -P2 -n8 sh -euc 'for spec; do rpmbuild -bb --quiet -D "_rpmdir /repo" -D "_buildhost test" "$spec"; done' sh
			createrepo_c -q /repo
			tar -C / -cf /tmp/repo.tar repo`)
		repository.tar = b.Read("/tmp/repo.tar")
	})
	if repository.tar == nil {
		tb.Fatal("there is no repository: the test that was to make it has failed")
	}
	return repository.tar
}

// engine is the name of the package under test.
const engine = "dkms-hook"

// ours puts the package under test into the box that makes the repository:
// DKMS_HOOK_RPM, or what make packages has made.
func ours(tb testing.TB, b *box.Box) {
	tb.Helper()
	path := os.Getenv("DKMS_HOOK_RPM")
	if path == "" {
		found, _ := filepath.Glob(filepath.Join(projectRoot(), "dist/dkms-hook-*.x86_64.rpm"))
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

// stock puts a package of the real DKMS there, made from Debian's.
func stock(tb testing.TB, b *box.Box) {
	tb.Helper()
	path := filepath.Join(projectRoot(), "build/e2e/debs/dkms-3.2.2.deb")
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
	tags := strings.NewReplacer("{{.Name}}", name, "{{.Version}}", version, "{{.Release}}", "1").Replace(strings.TrimLeft(preamble, "\n"))
	return tags + fmt.Sprintf(`
%%description
repacked
%%install
cp -a /src/%[1]s/. %%{buildroot}
(cd %%{buildroot} && find . ! -type d | cut -c2-) >%%{_builddir}/files-%[1]s
%%files -f %%{_builddir}/files-%[1]s
`, name)
}
