package machine

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

// moduleFile is an ELF file that has a module's version, and nothing else.
func moduleFile(t *testing.T, version string) string {
	t.Helper()
	const names = "\x00.modinfo\x00.shstrtab\x00"
	const head = 64
	info := "version=" + version + "\x00"
	var out bytes.Buffer
	for _, part := range []any{
		elf.Header64{
			Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
			Shoff: uint64(head + len(info) + len(names)), Ehsize: head, Shentsize: head, Shnum: 3, Shstrndx: 2,
		},
		[]byte(info), []byte(names),
		[]elf.Section64{
			{},
			{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: head, Size: uint64(len(info))},
			{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: uint64(head + len(info)), Size: uint64(len(names))},
		},
	} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// openBuilt is a machine on which pa/1 is built for 6.1, in its version 2.0.
func openBuilt(t *testing.T) (*Machine, dkms.Ref) {
	t.Helper()
	m, _ := open(t, Options{})
	r := ref(t, "pa", "6.1")
	publish(t, m, r, "2.0")
	return m, r
}

// publish has r be built, in a version.
func publish(t *testing.T, m *Machine, r dkms.Ref, version string) {
	t.Helper()
	stage := t.TempDir() + "/stage"
	treetest.Write(t, stage+"/module/pa.ko", moduleFile(t, version))
	if err := os.MkdirAll(m.Tree.PackageDir(r.Package), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.Tree.Publish(r, stage, tree.Built{Modules: []tree.Module{{Name: "pa", Dir: "/updates/dkms"}}}); err != nil {
		t.Fatal(err)
	}
}

func scan(t *testing.T, m *Machine) tree.Snapshot {
	t.Helper()
	have, err := m.Tree.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return have
}

// What the kernel has in the same or a newer version is left as it is, but by
// force.
func TestProvidedByKernel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, there string // version of the kernel's own; empty: it has none
		provided    bool
	}{
		{"it has none", "", false},
		{"it has an older one", "1.9", false},
		{"it has the same", "2.0", true},
		{"it has a newer one", "2.1", true},
	} {
		m, r := openBuilt(t)
		k, err := m.Kernel(r.KernelID)
		if err != nil {
			t.Fatal(err)
		}
		if tt.there != "" {
			treetest.Write(t, k.ModuleDir+"/kernel/net/pa.ko", moduleFile(t, tt.there))
		}
		if got := m.Present(scan(t, m)).ProvidedByKernel(t.Context(), r); got != tt.provided {
			t.Errorf("%s: ProvidedByKernel() = %v; want %v", tt.name, got, tt.provided)
		}
		recipe, ok := m.Known(r)
		if !ok {
			_, _, recipe, err = m.Resolved(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, force := range []bool{false, true} {
			out, kept, err := m.Placements(t.Context(), k, recipe, force)
			if left := tt.provided && !force; (dkms.KindOf(err) == dkms.ProvidedByKernel) != left || (len(out) == 0) != left || len(kept) > 0 {
				t.Errorf("%s: Placements(force %v) = %+v, %q, %v", tt.name, force, out, kept, err)
			}
		}
	}
}

// A file that another of our packages has put there, and that is to give way,
// is not the kernel's.
func TestReplaced(t *testing.T) {
	t.Parallel()
	m, r := openBuilt(t)
	old := ref(t, "older", "6.1")
	source := m.Tree.Source(old.Package)
	treetest.Write(t, source+"/dkms.conf", "PACKAGE_NAME=older\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=pa\nDEST_MODULE_LOCATION=/extra\n")
	if err := m.Tree.Register(old.Package, source); err != nil {
		t.Fatal(err)
	}
	publish(t, m, old, "3.0")
	place := []tree.Placement{{From: "pa.ko", To: m.Tree.KernelDir("6.1") + "/updates/dkms/pa.ko"}}
	change, err := m.Tree.Install(old, place, tree.InstallOptions{})
	if err == nil {
		err = change.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	if !m.Present(scan(t, m)).ProvidedByKernel(t.Context(), r) {
		t.Error("a newer module of another package does not count")
	}
	if err := m.Tree.Retire(old.Package, tree.Retirement{Why: "test"}); err != nil {
		t.Fatal(err)
	}
	if m.Present(scan(t, m)).ProvidedByKernel(t.Context(), r) {
		t.Error("the module of a retired package counts")
	}
}
