//go:build e2e

package rpm

import (
	"sync"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
	"github.com/dkms-hook/dkms-hook/test/e2e/rpmbox"
)

type kernel = rpmbox.Kernel

func kernels(tb testing.TB) [3]kernel { return rpmbox.Kernels(tb) }

// running is a kernel that has the name of the one that runs, for what packages
// do for that only.
func running(tb testing.TB) kernel {
	generic, _ := rpmbox.Headers(tb)
	return kernel{Version: "6.0.1", Release: rpmbox.Fedora, Headers: generic, Named: uname()}
}

// suse is a kernel of SUSE.
func suse(tb testing.TB) kernel {
	generic, _ := rpmbox.Headers(tb)
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
	three := kernels(tb)
	out := rpmbox.Specs(tb, append(three[:], running(tb))...)
	out["suse"] = rpmbox.Render(tb, suseSpec, suse(tb))
	for _, m := range modules() {
		out[m.file()] = rpmbox.Render(tb, moduleSpec, m)
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
		repository.tar = rpmbox.Repository(tb, specs(tb), func(b *box.Box) {
			rpmbox.Stock(tb, b)
			rpmbox.Ours(tb, b)
		})
	})
	if repository.tar == nil {
		tb.Fatal("there is no repository: the test that was to make it has failed")
	}
	return repository.tar
}

// engine is the name of the package under test.
const engine = "dkms-hook"
