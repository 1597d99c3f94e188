package rpmbox

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// A Host is a box that believes it is a Fedora, with a repository.
type Host struct {
	*box.Box
	TB testing.TB
	// Place is where added modules are, below the kernel's directory.
	Place string
}

// New returns a host without packages, with a repository that Repository made.
func New(tb testing.TB, repository []byte) *Host {
	tb.Helper()
	h := &Host{Box: box.NewOn(tb, Lower(tb)), TB: tb, Place: "extra"}
	h.Unpack(repository)
	h.RemoveAll("/etc/os-release") // a link into /usr
	h.Write("/etc/os-release", "NAME=Fedora\nID=fedora\nVERSION_ID=99\nPRETTY_NAME=Fedora\n")
	h.Write("/etc/yum.repos.d/test.repo", "[test]\nname=test\nbaseurl=file:///repo\nmetadata_expire=never\n")
	h.Write("/etc/dnf/dnf.conf", "[main]\ngpgcheck=0\ninstall_weak_deps=0\nbest=1\n")
	h.Write("/etc/dnf/vars/releasever", "99\n")
	h.WriteProgram("/usr/lib/kernel/install.d/50-dracut.install", initrdPlugin)
	return h
}

// initrdPlugin stands where dracut's stands. It notes which added modules it
// would find for the kernel, by name, in depmod's index and on the disk.
const initrdPlugin = `#!/bin/sh
[ "$1" = add ] || { echo "$1 $2" >>/var/log/initrd; exit 0; }
cd "/lib/modules/$2" || exit
echo "add $2:" $(sed -n 's|^extra/\([^:]*\):.*|\1|p' modules.dep | sort | while read -r f; do [ -f "extra/$f" ] && basename "$f" | sed 's/\.ko.*//'; done) >>/var/log/initrd
`

// Complaints are how dnf tells that a scriptlet or trigger did not succeed:
// with rpm 4.18 it exits 0 all the same.
var Complaints = regexp.MustCompile(`(?i)(scriptlet failed|error in .* scriptlet|warning: .*scriptlet|errors? occurred)`)

// Dnf runs a transaction, which must succeed with all of its scriptlets.
func (h *Host) Dnf(args ...string) box.Result {
	h.TB.Helper()
	r := h.DnfAnyhow(args...)
	if said := Complaints.FindString(r.Stdout + r.Stderr); said != "" || r.Status != 0 {
		h.TB.Errorf("exit status %d, dnf says %q:\n%s", r.Status, said, r)
	}
	return r
}

// DnfAnyhow runs a transaction, which must be carried out whatever scriptlets
// say. When one fails, rpm 4 succeeds, and rpm 6 does not.
func (h *Host) DnfAnyhow(args ...string) box.Result {
	h.TB.Helper()
	r := h.Run(append([]string{"dnf", "-y"}, args...)...)
	if r.Status != 0 && (r.Status != 1 || !Complaints.MatchString(r.Stdout+r.Stderr)) {
		h.TB.Fatalf("exit status %d:\n%s", r.Status, r)
	}
	if testing.Verbose() {
		h.TB.Logf("%.1fs: %s", r.Took.Seconds(), r)
	}
	return r
}

// RPM runs rpm, which must succeed with all scriptlets.
func (h *Host) RPM(args ...string) {
	h.TB.Helper()
	command := []string{"rpm"}
	if strings.Contains(h.Must("rpm", "--help").Stdout, "--force-debian") {
		command = append(command, "--force-debian") // older ones shy from a Debian
	}
	r := h.Must(append(command, args...)...)
	if said := Complaints.FindString(r.Stdout + r.Stderr); said != "" {
		h.TB.Errorf("rpm says %q:\n%s", said, r)
	}
}

// File is the path of a package of the repository.
func (h *Host) File(name string) string {
	h.TB.Helper()
	found := append(h.Glob("/repo/"+name+".*.rpm"), h.Glob("/repo/*/"+name+".*.rpm")...)
	if len(found) != 1 {
		h.TB.Fatalf("packages of the name %s: %v; want one", name, found)
	}
	return found[0]
}

// ModuleFiles returns where below a kernel's directory a module lies.
func (h *Host) ModuleFiles(k Kernel, module string) []string {
	var out []string
	for _, pattern := range []string{"", "*/", "*/*/", "*/*/*/"} {
		out = append(out, h.Glob("/lib/modules/"+k.Uname()+"/"+pattern+module+".ko*")...)
	}
	return out
}

// Log returns what stubs wrote to a file of /var/log.
func (h *Host) Log(name string) string {
	path := "/var/log/" + name
	if !h.Exists(path) {
		return ""
	}
	return string(h.Read(path))
}

// Check runs "dkms-hook check", which must exit with status.
func (h *Host) Check(status int, args ...string) box.Result {
	h.TB.Helper()
	r := h.Run(append([]string{"dkms-hook", "check"}, args...)...)
	if r.Status != status {
		h.TB.Errorf("exit status %d; want %d:\n%s", r.Status, status, r)
	}
	return r
}
