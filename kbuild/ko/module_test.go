package ko

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTrimSuffix(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"a/b.ko": "b", "b.ko.gz": "b", "b.ko.xz": "b", "b.ko.zst": "b",
		"b.ko.bz2": "b.ko.bz2", "b": "b", "x.ko.ko": "x.ko", "a.b.ko": "a.b",
	} {
		if got := TrimSuffix(path); got != want {
			t.Errorf("TrimSuffix(%q) = %q; want %q", path, got, want)
		}
	}
}

// TestOpenAgreesWithModinfo has kmod for oracle: every field of .modinfo, in
// order, plain and compressed.
func TestOpenAgreesWithModinfo(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"alpha", "beta-two"} {
		for _, suffix := range []string{".ko", ".ko.xz", ".ko.zst"} {
			path, err := Compress(context.Background(), copyOf(t, name), suffix, CompressOptions{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := Open(path)
			if err != nil {
				t.Fatalf("Open(%q): %v", path, err)
			}
			for _, tag := range []string{"name", "version", "srcversion", "vermagic", "depends", "alias", "firmware", "license", "import_ns", "parm", "retpoline"} {
				var got string
				for _, i := range m.Info {
					if i.Tag == tag {
						got += i.Value + "\n"
					}
				}
				want := run(t, "modinfo", "-F", tag, path)
				if tag == "parm" { // modinfo puts parm and parmtype together
					want = strings.ReplaceAll(want, " (int)", "")
				}
				if got != want {
					t.Errorf("%s: %s = %q; modinfo says %q", filepath.Base(path), tag, got, want)
				}
			}
		}
	}
}

func TestOpenFields(t *testing.T) {
	t.Parallel()
	m, err := Open(filepath.Join(build(t, genericRelease), "alpha.ko"))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(m.Name, m.Version, len(m.SrcVersion), m.Release(), m.License, m.Depends, m.Alias, m.Firmware, m.Machine, m.Class, m.Data, m.Type, m.Signed)
	want := fmt.Sprintln("alpha", "1.2.3", 23, genericRelease, "GPL", []string(nil), []string{"pci:v00001234d*sv*sd*bc*sc*i*", "alpha-one"},
		[]string{"alpha/fw.bin"}, elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.ET_REL, false)
	if got != want {
		t.Errorf("Open:\n%swant\n%s", got, want)
	}
	beta, err := Open(filepath.Join(build(t, genericRelease), "beta-two.ko"))
	if err != nil {
		t.Fatal(err)
	}
	if beta.Name != "beta_two" || !slices.Equal(beta.Depends, []string{"alpha"}) || !slices.Equal(beta.Imports, []string{"ALPHA"}) {
		t.Errorf("beta: name %q, depends %q, imports %q", beta.Name, beta.Depends, beta.Imports)
	}
}

// TestVersionsAgreeWithModprobe has kmod for oracle, on real modules and on
// every class and byte order.
func TestVersionsAgreeWithModprobe(t *testing.T) {
	t.Parallel()
	paths := []string{filepath.Join(build(t, genericRelease), "alpha.ko"), filepath.Join(build(t, genericRelease), "beta-two.ko")}
	for name, f := range fakes {
		f = f.sample()
		f.sections = slices.Delete(f.sections, 2, 4) // kmod 30 does not know the extended ones
		f.symbols = nil
		paths = append(paths, write(t, filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "")+".ko"), f.bytes(), 0o644))
	}
	for _, path := range paths {
		m, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Versions()
		if err != nil {
			t.Fatal(err)
		}
		want := crcs(t, run(t, "modprobe", "--dump-modversions", path))
		if d := cmp.Diff(want, got); d != "" || len(got) == 0 {
			t.Errorf("%s: Versions differ from modprobe's (-want +got):\n%s", path, d)
		}
	}
}

// crcs reads lines of "0xCRC<tab>name".
func crcs(t *testing.T, text string) map[string]uint32 {
	out := map[string]uint32{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		v, err := strconv.ParseUint(strings.TrimPrefix(f[0], "0x"), 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		out[f[1]] = uint32(v)
	}
	return out
}

func TestExportsAgreeWithSymvers(t *testing.T) {
	t.Parallel()
	dir := build(t, genericRelease)
	m, err := Open(filepath.Join(dir, "alpha.ko"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Exports()
	if err != nil {
		t.Fatal(err)
	}
	symvers, err := ReadSymvers(filepath.Join(dir, "Module.symvers"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint32{}
	for name, s := range symvers {
		want[name] = s.CRC
	}
	if d := cmp.Diff(want, got); d != "" || len(got) != 2 {
		t.Errorf("Exports differ from Module.symvers (-want +got):\n%s", d)
	}
	if d := cmp.Diff(crcs(t, run(t, "modprobe", "--show-exports", m.Path)), got); d != "" {
		t.Errorf("Exports differ from modprobe's (-want +got):\n%s", d)
	}
}

func TestUndefined(t *testing.T) {
	t.Parallel()
	m, err := Open(filepath.Join(build(t, genericRelease), "beta-two.ko"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Undefined()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"_printk", "alpha_add"} {
		if !slices.Contains(got, want) {
			t.Errorf("Undefined() = %q; want %q among them", got, want)
		}
	}
}

func TestReadersInEveryClassAndOrder(t *testing.T) {
	t.Parallel()
	for name, f := range fakes {
		m := parsed(t, f.sample().bytes())
		if m.Name != "gamma" || m.Version != "7" || m.Release() != "6.9.1" || len(m.Alias) != 2 || len(m.Depends) != 2 {
			t.Errorf("%s: Parse = %+v", name, m)
		}
		versions, err := m.Versions()
		if err != nil {
			t.Fatalf("%s: Versions: %v", name, err)
		}
		long := "a_name_longer_than_the_fifty_six_bytes_that_the_old_section_has_room_for"
		if d := cmp.Diff(map[string]uint32{"module_layout": 0x01020304, "printk": 0xfffefdfc, long: 0x0a0b0c0d}, versions); d != "" {
			t.Errorf("%s: Versions (-want +got):\n%s", name, d)
		}
		exports, err := m.Exports()
		if err != nil {
			t.Fatalf("%s: Exports: %v", name, err)
		}
		if d := cmp.Diff(map[string]uint32{"in_section": 0xcafe0001, "absolute": 0xcafe0002, "bare": 0}, exports); d != "" {
			t.Errorf("%s: Exports (-want +got):\n%s", name, d)
		}
		undefined, err := m.Undefined()
		if err != nil || !slices.Equal(undefined, []string{"printk"}) {
			t.Errorf("%s: Undefined() = %q, %v; want [printk]", name, undefined, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := fakes["64 little"].sample().bytes()
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty.ko", nil, "is no ELF file"},
		{"text.ko", []byte("#!/bin/sh\n"), "is no ELF file"},
		{"short.ko", good[:20], "is no ELF file that can be read"},
		{"cut.ko", good[:len(good)/2], "is no ELF file that can be read"},
		{"cut.ko.gz", []byte("\x1f\x8b\x08"), "gzip: "},
		{"cut.ko.xz", []byte("\xfd7zXZ\x00\x00"), "xz: "},
		{"cut.ko.zst", []byte("\x28\xb5\x2f\xfd\x00"), "zstd: "},
	}
	for _, tt := range tests {
		path := write(t, filepath.Join(dir, tt.name), tt.data, 0o644)
		_, err := Open(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": "+tt.want) {
			t.Errorf("Open(%q) = %v; want %q", tt.name, err, path+": "+tt.want)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "none"), os.DevNull} {
		if _, err := Open(path); err == nil {
			t.Errorf("Open(%q) = nil; want an error", path)
		}
	}
}

func TestHostileSections(t *testing.T) {
	t.Parallel()
	base := fakes["64 little"]
	change := func(fn func(f *fake)) []byte {
		f := base.sample()
		fn(&f)
		return f.bytes()
	}
	all := func(m *Module) error {
		for _, fn := range []func() error{
			func() error { _, err := m.Versions(); return err },
			func() error { _, err := m.Exports(); return err },
			func() error { _, err := m.Undefined(); return err },
		} {
			if err := fn(); err != nil {
				return err
			}
		}
		return nil
	}
	tests := map[string][]byte{
		"is no multiple of 64": change(func(f *fake) { f.sections[1].data = f.sections[1].data[:100] }),
		"differ in length":     change(func(f *fake) { f.sections[2].data = f.sections[2].data[:4] }),
		"is compressed":        change(func(f *fake) { f.sections[1].flags = elf.SHF_COMPRESSED }),
		"beyond its section":   change(func(f *fake) { f.symbols[0].Value = ^uint64(0) - 1 }),
	}
	for want, data := range tests {
		m, err := Parse(data)
		if err == nil {
			err = all(m)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("hostile module: %v; want %q", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range fakes {
		f.Add(e.sample().bytes())
	}
	f.Add(appendSignature(x86("name=a\x00").bytes(), []byte{0x30, 0x80}))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		_, _ = m.Versions()
		_, _ = m.Exports()
		_, _ = m.Undefined()
		_, _ = Verify(m, Expect{Release: m.Release(), Name: m.Name, Modversions: true, Symvers: []Symvers{{"a": {}}}})
		_ = Unsigned(data)
	})
}
