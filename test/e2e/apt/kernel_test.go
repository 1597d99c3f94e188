//go:build e2e

package apt

import (
	"strings"
	"testing"
)

// newSmall returns a machine that runs on the old kernel, with its headers, an
// engine and the package foo 1.0, which is in the initial RAM file system.
func newSmall(tb testing.TB, more ...string) machine {
	tb.Helper()
	m := newOldMachine(tb)
	m.Write("/etc/initramfs-tools/modules", "foo\n")
	m.engine(ours)
	m.apt(append([]string{"install", m.pack(dkmsDeb("foo", "1.0", good))}, more...)...)
	m.settled()
	m.has(m.old, "foo", "1.0")
	if tb.Failed() {
		tb.FailNow()
	}
	return m
}

// An order is in which packages come or go.
type order struct {
	name  string
	steps []string // packages of one command each
}

// TestKernelUpgrade brings a new kernel in each of the orders in which image
// and headers can come.
func TestKernelUpgrade(t *testing.T) {
	t.Parallel()
	for _, order := range cut(1, []order{
		{"image first", []string{"linux-image-{NEW}", "linux-headers-{NEW}"}},
		{"at once", []string{"linux-image-amd64 linux-headers-amd64"}}, // TestLoad has that, too
		{"headers first", []string{"linux-headers-{NEW}", "linux-image-{NEW}"}},
	}) {
		t.Run(order.name, func(t *testing.T) {
			t.Parallel()
			m := newSmall(t)
			runs := len(m.runs(0))
			oldFiles := m.identity(m.modules(m.old))
			for i, step := range order.steps {
				m.apt(append([]string{"install"}, strings.Fields(step)...)...)
				m.settled()
				if i+1 < len(order.steps) && strings.Contains(step, "image") {
					m.pending()
				}
			}
			m.has(m.generic, "foo", "1.0")
			m.check(0)
			m.same("the old kernel's modules", oldFiles, m.identity(m.modules(m.old)))
			once(t, m.runs(runs))
			if order.name == "image first" {
				return // initrd_test.go has that
			}
			if !m.inInitramfs(m.generic, "foo") {
				t.Error("foo is not in the new kernel's initial RAM file system")
			}
		})
	}
}

// pending fails the test unless the program says what the new kernel, which
// has an image only, is waiting for.
func (m machine) pending() {
	m.tb.Helper()
	m.lacks(m.generic, "foo")
	m.check(2, `foo/1\.0.*`+m.generic, `linux-headers-`+m.generic)
}

func (m machine) inInitramfs(release, module string) bool {
	m.tb.Helper()
	return strings.Contains(m.Must("lsinitramfs", "/boot/initrd.img-"+release).Stdout, "/"+module+".ko")
}

// TestHeadersNever is a kernel's image without its headers, for ever: nobody
// is in the way of anything, the kernel's removal included.
func TestHeadersNever(t *testing.T) {
	if !*full {
		t.Skip("only in the full run; the cut has it in TestKernelUpgrade until the headers come")
	}
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	m.apt("install", "linux-image-{NEW}")
	m.settled()
	m.pending()
	m.apt("install", "linux-headers-cloud-amd64") // another event
	m.settled()
	m.pending()
	m.hasFile(m.cloud, "foo")
	m.apt("purge", "linux-image-{NEW}")
	m.settled()
	m.gone(m.generic)
	m.check(0)
}

// TestKernelRemoval removes kernels with headers and image in each order.
func TestKernelRemoval(t *testing.T) {
	t.Parallel()
	for _, order := range cut(1, []order{
		{"headers first", []string{"linux-headers-{NEW}", "linux-image-{NEW}"}},
		{"image first", []string{"linux-image-{NEW}", "linux-headers-{NEW}"}},
		{"at once", []string{"linux-image-{NEW} linux-headers-{NEW}"}},
	}) {
		t.Run(order.name, func(t *testing.T) {
			t.Parallel()
			if order.name == "headers first" {
				onlyOurs(t)
			}
			m := newSmall(t)
			m.apt("install", "linux-image-{NEW}", "linux-headers-{NEW}")
			m.has(m.generic, "foo", "1.0")
			oldFiles := m.identity(m.modules(m.old))
			for i, step := range order.steps {
				r := m.apt(append([]string{"purge"}, strings.Fields(step)...)...)
				if last := i+1 == len(order.steps); last && strings.Contains(r.Stdout+r.Stderr, "not empty") {
					t.Errorf("dpkg could not remove a directory:\n%s", r)
				}
				if i == 0 && strings.HasPrefix(step, "linux-headers") && !strings.Contains(step, "image") {
					m.has(m.generic, "foo", "1.0") // as long as its kernel is there
				}
				m.settled()
			}
			m.gone(m.generic)
			m.check(0)
			m.same("the old kernel's modules", oldFiles, m.identity(m.modules(m.old)))
		})
	}
}

// gone fails the test if anything tells of a kernel that was purged.
func (m machine) gone(release string) {
	m.tb.Helper()
	if left := m.Glob("/lib/modules/" + release); len(left) > 0 {
		m.tb.Errorf("left of the kernel: %s", m.Must("find", "/lib/modules/"+release))
	}
	if left := m.treeOf(release); len(left) > 0 {
		m.tb.Errorf("left of the kernel in the tree: %v", left)
	}
	if out := m.Must("dkms", "status").Stdout; strings.Contains(out, release) {
		m.tb.Errorf("status still tells of the kernel:\n%s", out)
	}
}

// TestKernelReinstall replaces a kernel by one of the same name, as a security
// update without a new ABI does.
func TestKernelReinstall(t *testing.T) {
	t.Parallel()
	m := newSmall(t)
	files := m.modules(m.old)
	m.apt("install", "--reinstall", "linux-image-{OLD}")
	m.settled()
	m.has(m.old, "foo", "1.0")
	m.check(0)
	m.same("the image again", files, m.modules(m.old))
	if !m.inInitramfs(m.old, "foo") {
		t.Error("foo is not in the initial RAM file system")
	}
	if !*full {
		return
	}
	m.apt("install", "--reinstall", "linux-headers-{OLD}", "linux-image-{OLD}")
	m.settled()
	m.has(m.old, "foo", "1.0")
	m.check(0)
	m.same("both again", files, m.modules(m.old))
	if !m.inInitramfs(m.old, "foo") {
		t.Error("foo is no longer in the initial RAM file system")
	}
}
