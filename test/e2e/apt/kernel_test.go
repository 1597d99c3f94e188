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
	m.Engine(ours)
	m.Apt(append([]string{"install", m.pack(dkmsDeb("foo", "1.0", good))}, more...)...)
	m.Settled()
	m.Has(m.Old, "foo", "1.0")
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
			oldFiles := m.Identity(m.Modules(m.Old))
			for i, step := range order.steps {
				m.Apt(append([]string{"install"}, strings.Fields(step)...)...)
				m.Settled()
				if i+1 < len(order.steps) && strings.Contains(step, "image") {
					m.pending()
				}
			}
			m.Has(m.Generic, "foo", "1.0")
			m.Check(0)
			m.Same("the old kernel's modules", oldFiles, m.Identity(m.Modules(m.Old)))
			once(t, m.runs(runs))
			if order.name == "image first" {
				return // initrd_test.go has that
			}
			if !m.inInitramfs(m.Generic, "foo") {
				t.Error("foo is not in the new kernel's initial RAM file system")
			}
		})
	}
}

// pending fails the test unless the program says what the new kernel, which
// has an image only, is waiting for.
func (m machine) pending() {
	m.TB.Helper()
	m.Lacks(m.Generic, "foo")
	m.Check(2, `foo/1\.0.*`+m.Generic, `linux-headers-`+m.Generic)
}

func (m machine) inInitramfs(release, module string) bool {
	m.TB.Helper()
	return strings.Contains(m.Must("lsinitramfs", "/boot/initrd.img-"+release).Stdout, "/"+module+".ko")
}

// TestHeadersNever is a kernel's image without its headers, for ever: nobody
// is in the way of anything, the kernel's removal included.
func TestHeadersNever(t *testing.T) {
	long(t) // the cut has it in TestKernelUpgrade until the headers come
	onlyOurs(t)
	t.Parallel()
	m := newSmall(t)
	m.Apt("install", "linux-image-{NEW}")
	m.Settled()
	m.pending()
	m.Apt("install", "linux-headers-cloud-amd64") // another event
	m.Settled()
	m.pending()
	m.HasFile(m.Cloud, "foo")
	m.Apt("purge", "linux-image-{NEW}")
	m.Settled()
	m.gone(m.Generic)
	m.Check(0)
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
			m.Apt("install", "linux-image-{NEW}", "linux-headers-{NEW}")
			m.Has(m.Generic, "foo", "1.0")
			oldFiles := m.Identity(m.Modules(m.Old))
			for i, step := range order.steps {
				r := m.Apt(append([]string{"purge"}, strings.Fields(step)...)...)
				if last := i+1 == len(order.steps); last && strings.Contains(r.Stdout+r.Stderr, "not empty") {
					t.Errorf("dpkg could not remove a directory:\n%s", r)
				}
				if i == 0 && strings.HasPrefix(step, "linux-headers") && !strings.Contains(step, "image") {
					m.Has(m.Generic, "foo", "1.0") // as long as its kernel is there
				}
				m.Settled()
			}
			m.gone(m.Generic)
			m.Check(0)
			m.Same("the old kernel's modules", oldFiles, m.Identity(m.Modules(m.Old)))
		})
	}
}

// gone fails the test if anything tells of a kernel that was purged.
func (m machine) gone(release string) {
	m.TB.Helper()
	if left := m.Glob("/lib/modules/" + release); len(left) > 0 {
		m.TB.Errorf("left of the kernel: %s", m.Must("find", "/lib/modules/"+release))
	}
	if left := m.treeOf(release); len(left) > 0 {
		m.TB.Errorf("left of the kernel in the tree: %v", left)
	}
	if out := m.Must("dkms", "status").Stdout; strings.Contains(out, release) {
		m.TB.Errorf("status still tells of the kernel:\n%s", out)
	}
}

// TestKernelReinstall replaces a kernel by one of the same name, as a security
// update without a new ABI does.
func TestKernelReinstall(t *testing.T) {
	long(t)
	t.Parallel()
	m := newSmall(t)
	files := m.Modules(m.Old)
	m.Apt("install", "--reinstall", "linux-image-{OLD}")
	m.Settled()
	m.Has(m.Old, "foo", "1.0")
	m.Check(0)
	m.Same("the image again", files, m.Modules(m.Old))
	if !m.inInitramfs(m.Old, "foo") {
		t.Error("foo is not in the initial RAM file system")
	}
	m.Apt("install", "--reinstall", "linux-headers-{OLD}", "linux-image-{OLD}")
	m.Settled()
	m.Has(m.Old, "foo", "1.0")
	m.Check(0)
	m.Same("both again", files, m.Modules(m.Old))
	if !m.inInitramfs(m.Old, "foo") {
		t.Error("foo is no longer in the initial RAM file system")
	}
}
