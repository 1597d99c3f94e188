//go:build e2e

package rpm

import (
	"strings"
	"testing"
)

// A kernel and newer modules come in one transaction: for the new kernel only
// the newer ones are compiled, and the older kernel gets them, too.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	a, b := kernels(t)[0], kernels(t)[1]
	h := newHost(t, engine, a.Core(), a.Devel(), "foo-dkms-1.0-1", "bar-dkms-1.0-1")
	h.compiled()
	h.Dnf("upgrade", b.Core(), b.Devel(), "foo-dkms-1.1-1", "bar-dkms-1.0-2")
	want := []string{"foo/1.1 " + a.Uname(), "foo/1.1 " + b.Uname(), "bar/1.0 " + b.Uname()}
	got := h.compiled()
	for _, w := range want {
		if got[w] != 1 {
			t.Errorf("compiled %v; want each of %q once", got, want)
		}
	}
	if len(got) != len(want) {
		t.Errorf("compiled %v; want %q and no more", got, want)
	}
	h.wantEdition("foo", "1.1-1", a, b)
	h.wantEdition("bar", "1.0", a, b)
	h.wantVersions("foo", "1.1")
	h.wantInitrd(b, "bar", "foo")
	h.Check(0)
}

// While a transaction builds, the boot, a person and another trigger want the
// same: they wait, and everything is compiled once.
func TestAtTheSameTime(t *testing.T) {
	t.Parallel()
	a, b := kernels(t)[0], kernels(t)[1]
	h := newHost(t, engine, a.Core(), a.Devel(), b.Core(), b.Devel())
	r := h.Must("sh", "-c", `
		dnf -y install foo-dkms-1.0-1 bar-dkms-1.0-1 & dnf=$!
		while ! [ -e /var/log/compiled ]; do sleep 0.05; done
		dkms-hook sync --all-kernels & sync=$!
		dkms-hook hook rpm-trigger </dev/null & trigger=$!
		dkms-hook hook boot & boot=$!
		dkms-hook status >/dev/null || echo "status $?"
		for p in dnf sync trigger boot; do eval wait "\$$p" || echo "$p $?"; done >/tmp/ended
		cat /tmp/ended >&2`)
	if ended := string(h.Read("/tmp/ended")); ended != "" {
		t.Errorf("not all ended well: %s\n%s", ended, r)
	}
	h.wantCompiled([]string{"foo/1.0", "bar/1.0"}, a, b)
	h.wantEdition("foo", "1.0-1", a, b)
	h.wantEdition("bar", "1.0", a, b)
	h.Check(0)
}

// rpm by itself does what dnf does.
func TestPlainRPM(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel())
	h.RPM("-i", h.File("foo-dkms-1.0-1"), h.File("bar-dkms-1.0-1"))
	h.wantCompiled([]string{"foo/1.0", "bar/1.0"}, k)
	h.RPM("-U", h.File("foo-dkms-1.1-1"))
	h.wantCompiled([]string{"foo/1.1"}, k)
	h.wantEdition("foo", "1.1-1", k)
	h.RPM("-U", "--force", h.File("foo-dkms-1.1-1"))
	h.wantCompiled(nil)
	h.RPM("-U", "--oldpackage", h.File("foo-dkms-1.0-2"))
	h.wantEdition("foo", "1.0-2", k)
	h.wantVersions("foo", "1.0")
	h.Check(0)
	h.RPM("-e", "foo-dkms", "bar-dkms")
	h.wantNothingAbout("foo", k)
	h.wantNothingAbout("bar", k)
}

// on_failure=hold leaves a notice that names kernel and module for as long as
// one is missing, and lets the transaction succeed.
func TestHold(t *testing.T) {
	t.Parallel()
	const notice = "/run/reboot-required.dkms-hook"
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel())
	h.Write("/etc/dkms/framework.conf.d/policy.conf", "on_failure=hold\n")
	h.Dnf("install", "foo-dkms-1.2-1", "bar-dkms-1.0-1")
	h.wantEdition("bar", "1.0", k)
	if !h.Exists(notice) {
		t.Fatalf("%s: is missing", notice)
	}
	text := string(h.Read(notice))
	for _, word := range []string{k.Uname(), "foo/1.2"} {
		if !strings.Contains(text, word) {
			t.Errorf("%s: does not speak of %s:\n%s", notice, word, text)
		}
	}
	if strings.Contains(text, "bar") {
		t.Errorf("%s: speaks of what is there:\n%s", notice, text)
	}
	h.Check(1)
	h.Dnf("upgrade", "foo-dkms-1.3-1")
	if h.Exists(notice) {
		t.Errorf("%s: is still there:\n%s", notice, h.Read(notice))
	}
	h.Check(0)
}

// post_transaction runs once for each kernel whose modules a transaction has
// changed, whichever of our calls changed them.
func TestPostTransaction(t *testing.T) {
	t.Parallel()
	a, b := kernels(t)[0], kernels(t)[1]
	h := newHost(t, engine, a.Core(), a.Devel())
	h.Write("/etc/dkms/framework.conf.d/post.conf", "post_transaction='echo $kernelver >>/var/log/post'\n")
	seen := ""
	for _, step := range []struct {
		dnf  []string
		want []kernel
	}{
		{[]string{"install", "foo-dkms-1.0-1", "bar-dkms-1.0-1"}, []kernel{a}},
		{[]string{"upgrade", b.Core(), b.Devel()}, []kernel{b}},
		{[]string{"upgrade", "foo-dkms-1.1-1"}, []kernel{a, b}},
		{[]string{"upgrade", "bar-dkms-1.0-2"}, nil}, // nothing new in it
		{[]string{"upgrade", "foo-dkms-1.2-1"}, nil}, // does not compile
		{[]string{"remove", "bar-dkms"}, []kernel{a, b}},
	} {
		r := h.Dnf(step.dnf...)
		log := h.Log("post")
		got := strings.Fields(strings.TrimPrefix(log, seen))
		seen = log
		ok := len(got) == len(step.want)
		for _, k := range step.want {
			ok = ok && strings.Count(strings.Join(got, " ")+" ", k.Uname()+" ") == 1
		}
		if !ok {
			t.Errorf("post_transaction ran for %q; want once for each of %v\n%s", got, step.want, r)
		}
	}
}

// On a SUSE no kernel-install is called, the kernel lies below /usr/lib and
// modules go to updates/: the file triggers see to all.
func TestSUSE(t *testing.T) {
	t.Parallel()
	k, stays := suse(t), kernels(t)[1]
	h := newBareHost(t)
	h.Write("/etc/os-release", "NAME=openSUSE\nID=opensuse-tumbleweed\nID_LIKE=\"opensuse suse\"\n")
	h.Place = "updates"
	h.Dnf("install", "debian-host-compat", engine, "kernel-default")
	r := h.Dnf("install", "foo-dkms-1.0-1")
	want := "kernel-default-devel=" + k.Version + "-" + k.Release
	if !strings.Contains(r.Stdout+r.Stderr, want) {
		t.Errorf("the transaction does not name %s:\n%s", want, r)
	}
	h.Check(2)
	h.Dnf("install", "kernel-default-devel")
	h.wantCompiled([]string{"foo/1.0"}, k)
	h.wantEdition("foo", "1.0-1", k)
	h.Dnf("upgrade", "foo-dkms-1.1-1")
	h.wantEdition("foo", "1.1-1", k)
	h.Check(0)
	h.Dnf("install", stays.Core(), stays.Devel())
	h.Dnf("remove", "kernel-default", "kernel-default-devel")
	h.wantNothingOf(k)
	h.wantEdition("foo", "1.1-1", stays)
	h.Check(0)
}
