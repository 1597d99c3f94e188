//go:build e2e

package rpm

import (
	"strings"
	"testing"
)

// Our package takes the place of DKMS's, and gives it back: what was built stays
// as it is, is not built again, and each program goes on with what the other
// has left.
func TestSwap(t *testing.T) {
	t.Parallel()
	k := running(t)
	h := newHost(t, "dkms", k.Core(), k.Devel(), "kmod-nvid-latest-dkms-1.0-1")
	if !h.wantEdition("nvid", "1.0-1", k) {
		t.Fatal("DKMS has not built it")
	}
	h.seenCompiled = 1
	before := h.identity(k, "nvid")
	h.Dnf("swap", "dkms", engine)
	h.wantCompiled(nil)
	h.wantEdition("nvid", "1.0-1", k)
	h.wantIdentity(before, k, "nvid")
	h.Check(0)

	h.Dnf("upgrade", "kmod-nvid-latest-dkms-1.1-1")
	h.wantEdition("nvid", "1.1-1", k)
	h.wantVersions("nvid", "1.1")
	before = h.identity(k, "nvid")

	h.Dnf("swap", engine, "dkms")
	h.wantIdentity(before, k, "nvid")
	if got, want := h.Must("dkms", "status").Stdout, "nvid/1.1, "+k.Uname()+", x86_64: installed\n"; got != want {
		t.Errorf("dkms status = %q; want %q", got, want)
	}
	h.DnfAnyhow("remove", "kmod-nvid-latest-dkms")
	h.wantEdition("nvid", "", k)
}

// Reinstalling our package, and losing it for a while, changes no module.
func TestEngineReinstall(t *testing.T) {
	t.Parallel()
	k, next := kernels(t)[0], kernels(t)[1]
	h := newHost(t, engine, k.Core(), k.Devel(), "foo-dkms-1.0-1")
	h.compiled()
	before := h.identity(k, "foo")
	h.Dnf("reinstall", engine)
	h.wantCompiled(nil)
	h.wantIdentity(before, k, "foo")

	h.RPM("-e", "--nodeps", engine)
	h.wantIdentity(before, k, "foo")
	h.Dnf("--setopt=strict=0", "install", next.Core(), next.Devel()) // what is left of us says nothing
	h.Dnf("install", engine)
	h.wantCompiled([]string{"foo/1.0"}, next)
	h.wantIdentity(before, k, "foo")
	h.wantEdition("foo", "1.0-1", k, next)
	h.Check(0)
}

// Erasing our package takes along what needs it, in one transaction that leaves
// no module behind.
func TestEngineErased(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel(), "foo-dkms-1.0-1")
	h.Dnf("remove", engine)
	h.wantEdition("foo", "", k)
	if left := h.Glob("/lib/modules/*/extra"); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	h.Dnf("remove", k.Core(), k.Devel())
	h.wantNothingOf(k)
}

// dracutStub makes an image as dracut does for the machine it is on: of added
// modules it takes foo and early only.
const dracutStub = `#!/bin/sh
[ "$1 $2" = "--force --kver" ] || { echo "dracut: unexpected: $*" >&2; exit 1; }
cd "/lib/modules/$3" || exit
for m in foo early; do
	grep -q "^extra/$m.ko" modules.dep && ls extra/$m.ko*
done | cpio -o -H newc --quiet | gzip >"$4"
echo "$3" $(zcat "$4" | cpio -t --quiet | sed 's|extra/\(.*\)\.ko.*|\1|') >>/var/log/dracut
`

const dracutPlugin = "#!/bin/sh\n[ \"$1\" = add ] || exec rm -f \"/boot/initramfs-$2.img\"\nexec dracut --force --kver \"$2\" \"/boot/initramfs-$2.img\"\n"

// The initramfs is made once when a kernel comes, by its own plugin, and after
// that whenever a module changes that is in it, or wants to be.
func TestInitramfs(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine)
	h.WriteProgram("/usr/bin/dracut", dracutStub)
	h.WriteProgram("/usr/lib/kernel/install.d/50-dracut.install", dracutPlugin)
	seen := ""
	for _, step := range []struct {
		dnf  []string
		want string // images made, and what is in them
	}{
		{[]string{"install", k.Core(), k.Devel(), "foo-dkms-1.0-1"}, "K foo"},
		{[]string{"install", "bar-dkms-1.0-1"}, ""}, // it is not in it
		{[]string{"upgrade", "foo-dkms-1.1-1"}, "K foo"},
		{[]string{"install", "early-dkms-1.0-1"}, "K foo early"}, // REMAKE_INITRD
		{[]string{"remove", "foo-dkms"}, "K early"},
		{[]string{"install", "bad-dkms-1.0-1"}, ""}, // it does not compile
	} {
		r := h.Dnf(step.dnf...)
		log := h.Log("dracut")
		got := strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(log, seen), k.Uname(), "K"))
		seen = log
		if got != step.want {
			t.Errorf("images made: %q; want %q\n%s", got, step.want, r)
		}
	}
}
