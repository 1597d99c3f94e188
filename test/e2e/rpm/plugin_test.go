//go:build e2e

package rpm

import (
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/test/e2e/rpmbox"
)

// A module that does not compile keeps neither a kernel from being installed
// nor its initrd from being made, whatever the policy is.
func TestPluginForgives(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"", "fail"} {
		t.Run("on_failure="+policy, func(t *testing.T) {
			t.Parallel()
			k := kernels(t)[0]
			h := newHost(t, engine, "bad-dkms-1.0-1", "foo-dkms-1.0-1")
			if policy != "" {
				h.Write("/etc/dkms/framework.conf.d/policy.conf", "on_failure="+policy+"\n")
			}
			// With "fail" the trigger at the end fails, which rpm 4 only tells of;
			// the kernel's own scriptlets do not.
			r := h.Run("dnf", "-y", "install", k.Core(), k.Devel())
			if said := rpmbox.Complaints.FindString(r.Stdout + r.Stderr); (r.Status != 0 || said != "") && policy == "" {
				t.Errorf("exit status %d, dnf says %q:\n%s", r.Status, said, r)
			}
			if strings.Contains(r.Stdout+r.Stderr, "POSTTRANS") {
				t.Errorf("kernel-install has failed:\n%s", r)
			}
			h.wantInitrd(k, "foo")
			h.wantCompiled([]string{"bad/1.0", "foo/1.0"}, k)
			h.wantEdition("foo", "1.0-1", k)
			h.Check(1)

			add := h.Must("kernel-install", "add", k.Uname(), "/lib/modules/"+k.Uname()+"/vmlinuz")
			h.wantCompiled(nil)
			h.wantInitrd(k, "foo")
			t.Logf("a second kernel-install add took %v", add.Took)
		})
	}
}

// Called a second time the plugin says nothing, does nothing, and is quick.
func TestPluginAgain(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel(), "foo-dkms-1.0-1", "bar-dkms-1.0-1")
	before := h.identity(k, "foo") + h.identity(k, "bar")
	h.compiled()
	const plugin = "/usr/lib/kernel/install.d/40-dkms.install"
	image := "/lib/modules/" + k.Uname() + "/vmlinuz"
	best := time.Hour
	for range 5 {
		r := h.Must(plugin, "add", k.Uname(), "/boot/none/"+k.Uname(), image)
		if r.Stdout+r.Stderr != "" {
			t.Errorf("it has something to say:\n%s", r)
		}
		best = min(best, r.Took)
	}
	if best > 300*time.Millisecond {
		t.Errorf("it took %v, having nothing to do", best)
	}
	t.Logf("it took %v", best)
	h.wantCompiled(nil)
	if n := len(h.runs()); n != 0 {
		t.Errorf("%d runs were recorded that did nothing", n)
	}
	if after := h.identity(k, "foo") + h.identity(k, "bar"); after != before {
		t.Errorf("modules are other files: %s; were %s", after, before)
	}
	// Words that it does not know, and kernels that are not there, are nobody's failure.
	for _, args := range [][]string{{}, {"add"}, {"inspect", k.Uname()}, {"add", "0.0.0-none", "/boot/none"}, {"remove", "0.0.0-none"}} {
		if r := h.Run(append([]string{plugin}, args...)...); r.Status != 0 {
			t.Errorf("exit status %d; want 0:\n%s", r.Status, r)
		}
	}
}

// What a package's scripts call from inside our run neither waits for it nor
// changes anything: the file trigger, the plugin, kernel-install.
func TestFromInside(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel())
	h.WriteProgram("/usr/local/bin/back", `#!/bin/sh
log() { echo "$* $?" >>/var/log/back; }
echo /usr/src/foo-1.0/dkms.conf | timeout 20 dkms-hook hook rpm-trigger; log trigger
timeout 20 kernel-install add `+k.Uname()+` /lib/modules/`+k.Uname()+`/vmlinuz; log kernel-install
timeout 20 dkms-hook status >/dev/null; log status
`)
	h.Dnf("install", "back-dkms-1.0-1")
	// Who had waited for somebody would have been ended by timeout, with 124.
	want := strings.Repeat("trigger 0\nkernel-install 0\nstatus 0\n", 2) // POST_BUILD, POST_INSTALL
	if got := h.Log("back"); got != want {
		t.Errorf("what the scripts called ended with\n%s; want\n%s", got, want)
	}
	h.wantCompiled([]string{"back/1.0"}, k)
	h.wantEdition("back", "1.0-1", k)
	h.Check(0)
}

// weakModules notes how it was called, and with which list.
const weakModules = "#!/bin/sh\n{ echo \"called $*\"; cat; } >>/var/log/weak\n"

// weak-modules is not called unless framework.conf says so.
func TestWeakModules(t *testing.T) {
	t.Parallel()
	k := kernels(t)[0]
	h := newHost(t, engine, k.Core(), k.Devel())
	h.WriteProgram("/usr/sbin/weak-modules", weakModules)
	h.Dnf("install", "foo-dkms-1.0-1")
	h.Dnf("remove", "foo-dkms")
	if said := h.Log("weak"); said != "" {
		t.Errorf("weak-modules was called:\n%s", said)
	}

	h.Write("/etc/dkms/framework.conf.d/weak.conf", "weak_modules=yes\n")
	h.Dnf("install", "foo-dkms-1.0-1")
	h.wantEdition("foo", "1.0-1", k)
	if said, want := h.Log("weak"), "called --no-initramfs --add-modules\n/lib/modules/"+k.Uname()+"/extra/foo.ko"; !strings.HasPrefix(said, want) {
		t.Errorf("weak-modules was called so:\n%s; want\n%s", said, want)
	}
	h.Must("rm", "/var/log/weak")
	h.Dnf("remove", "foo-dkms")
	if said, want := h.Log("weak"), "called --no-initramfs --remove-modules\n/lib/modules/"+k.Uname()+"/extra/foo.ko"; !strings.HasPrefix(said, want) {
		t.Errorf("weak-modules was called so:\n%s; want\n%s", said, want)
	}
}
