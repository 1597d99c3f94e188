package ko

import (
	"debug/elf"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// good is what the fakes of the tests below must be.
var good = Expect{Release: "6.1.0", Arch: "x86_64", Name: "gamma"}

func TestVerifyIdentity(t *testing.T) {
	t.Parallel()
	const info = "name=gamma\x00vermagic=6.1.0 SMP\x00"
	typed := func(typ elf.Type, machine elf.Machine, class elf.Class) fake {
		f := x86(info)
		f.typ, f.machine, f.class = typ, machine, class
		return f
	}
	tests := []struct {
		file string
		fake fake
		want string // empty: accepted
	}{
		{"gamma.ko", x86(info), ""},
		{"gamma.ko", x86("vermagic=6.1.0 SMP\x00"), ""}, // before Linux 4.13
		{"gamma.ko", typed(elf.ET_EXEC, elf.EM_X86_64, elf.ELFCLASS64), "gamma.ko: is no kernel module: its ELF type is EXEC, not REL (relocatable)"},
		{"gamma.ko", typed(elf.ET_REL, elf.EM_AARCH64, elf.ELFCLASS64), "gamma.ko: was built for another architecture (AARCH64, 64 bit, little endian), wanted x86_64 (X86_64, 64 bit, little endian)"},
		{"gamma.ko", typed(elf.ET_REL, elf.EM_X86_64, elf.ELFCLASS32), "gamma.ko: was built for another architecture (X86_64, 32 bit, little endian), wanted x86_64 (X86_64, 64 bit, little endian)"},
		{"delta.ko", x86(info), "delta.ko: is not the promised gamma.ko"},
		{"gamma.ko", x86("name=delta\x00vermagic=6.1.0 SMP\x00"), `gamma.ko: calls itself "delta" (modinfo name), not the promised "gamma"`},
		{"gamma.ko", x86("name=gamma\x00"), "gamma.ko: is no kernel module: it has no vermagic"},
		{"gamma.ko", x86("name=gamma\x00vermagic=6.1.0-56-amd64 SMP\x00"), "gamma.ko: was built for 6.1.0-56-amd64, wanted 6.1.0"},
		{"gamma.ko", x86("name=gamma\x00vermagic=6.1\x1b[31m\x00"), "gamma.ko: was built for 6.1?[31m, wanted 6.1.0"},
		{"gamma.ko", x86("name=gamma\x00vermagic=6.1.0\x00"), ""},
	}
	for _, tt := range tests {
		m := parsed(t, tt.fake.bytes())
		m.Path = filepath.Join("dir", tt.file)
		warnings, err := Verify(m, good)
		if len(warnings) > 0 {
			t.Errorf("Verify(%s) warns %q", tt.file, warnings)
		}
		if tt.want == "" && err == nil {
			continue
		}
		var problem *dkms.Error
		if !errors.As(err, &problem) || problem.Kind != dkms.ModuleNotProduced || problem.Error() != tt.want {
			t.Errorf("Verify(%s) = %v; want %q", tt.file, err, tt.want)
		}
	}
}

func TestVerifyTakesDashForUnderscore(t *testing.T) {
	t.Parallel()
	m := parsed(t, x86("name=rapiddisk_cache\x00vermagic=6.1.0 SMP\x00").bytes())
	m.Path = "rapiddisk-cache.ko"
	for _, name := range []string{"rapiddisk-cache", "rapiddisk_cache"} {
		want := good
		want.Name = name
		if _, err := Verify(m, want); err != nil {
			t.Errorf("Verify for %q = %v; want none", name, err)
		}
	}
}

func TestVerifyUnknownArchitecture(t *testing.T) {
	t.Parallel()
	m := parsed(t, x86("name=gamma\x00vermagic=6.1.0 SMP\x00").bytes())
	want := good
	want.Arch = "quantum128"
	if _, err := Verify(m, want); err != nil {
		t.Errorf("Verify = %v; want none for an architecture that is not known", err)
	}
}

func TestVerifySymbols(t *testing.T) {
	t.Parallel()
	kernel := Symvers{"module_layout": {CRC: 1, Module: "vmlinux"}, "printk": {CRC: 2, Module: "vmlinux"}, "shared": {CRC: 3}}
	own := Symvers{"own": {CRC: 4}, "shared": {CRC: 5}}
	module := func(crcs map[string]uint32, undefined ...string) *Module {
		f := x86("name=gamma\x00vermagic=6.1.0 SMP\x00")
		s := fakeSection{name: "__versions"}
		for name, crc := range crcs {
			s.data = append(s.data, f.version(name, crc)...)
		}
		f.sections = append(f.sections, s)
		for _, name := range undefined {
			f.symbols = append(f.symbols, elf.Symbol{Name: name, Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_NOTYPE)})
		}
		m := parsed(t, f.bytes())
		m.Path = "gamma.ko"
		return m
	}
	type crcs = map[string]uint32
	tests := []struct {
		name    string
		m       *Module
		plain   bool // no MODVERSIONS
		symvers []Symvers
		warning string
		err     string
	}{
		{"agree", module(crcs{"module_layout": 1, "printk": 2}, "printk"), false, []Symvers{kernel}, "", ""},
		{"agree with either", module(crcs{"shared": 3}), false, []Symvers{kernel, own}, "", ""},
		{"agree with the other", module(crcs{"shared": 5}), false, []Symvers{kernel, own}, "", ""},
		{"differ", module(crcs{"printk": 0xab}), false, []Symvers{kernel}, "",
			"gamma.ko: was built against symbols that the target does not have: printk is 0x00000002, was built with 0x000000ab"},
		{"differ without MODVERSIONS", module(crcs{"printk": 0xab}), true, []Symvers{kernel}, "", ""},
		{"unknown", module(crcs{"printk": 2, "elsewhere": 9}, "elsewhere"), false, []Symvers{kernel, own},
			"gamma.ko: needs symbols that no Module.symvers has: elsewhere", ""},
		{"unknown, without a version", module(crcs{"printk": 2}, "nowhere", "_GLOBAL_OFFSET_TABLE_"), false, []Symvers{kernel},
			"gamma.ko: needs symbols that no Module.symvers has: nowhere", ""},
		{"many unknown", module(nil, "a", "b", "c", "d", "e", "f", "g"), true, []Symvers{kernel},
			"gamma.ko: needs symbols that no Module.symvers has: a, b, c, d, e and 2 more", ""},
		{"no versions", module(nil, "printk"), false, []Symvers{kernel},
			"gamma.ko: has no symbol versions, which the kernel checks: it will not load unless forced", ""},
		{"no symvers", module(crcs{"printk": 9}, "nowhere"), false, []Symvers{nil, {}}, "", ""},
	}
	for _, tt := range tests {
		want := good
		want.Modversions, want.Symvers = !tt.plain, tt.symvers
		warnings, err := Verify(tt.m, want)
		if got := strings.Join(warnings, "|"); got != tt.warning {
			t.Errorf("%s: warnings %q; want %q", tt.name, got, tt.warning)
		}
		if got := errorText(err); got != tt.err {
			t.Errorf("%s: error %q; want %q", tt.name, got, tt.err)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestVerifyRealModules takes what kbuild made for two kernels: right for its
// own, refused for the other, and refused when the CRCs are another build's.
func TestVerifyRealModules(t *testing.T) {
	t.Parallel()
	kernels := map[string]Symvers{}
	for _, release := range []string{genericRelease, cloudRelease} {
		build(t, release)
		s, err := ReadSymvers(filepath.Join(headers(release), "Module.symvers"))
		if err != nil {
			t.Fatal(err)
		}
		kernels[release] = s
	}
	own, err := ReadSymvers(filepath.Join(build(t, genericRelease), "Module.symvers"))
	if err != nil {
		t.Fatal(err)
	}
	open := func(release, name string) *Module {
		m, err := Open(filepath.Join(build(t, release), name+".ko"))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	expect := func(name string, s ...Symvers) Expect {
		return Expect{Release: genericRelease, Arch: "x86_64", Name: name, Modversions: true, Symvers: s}
	}
	tests := []struct {
		m       *Module
		want    Expect
		warning string
		err     string
	}{
		{open(genericRelease, "alpha"), expect("alpha", kernels[genericRelease]), "", ""},
		{open(genericRelease, "beta-two"), expect("beta-two", kernels[genericRelease], own), "", ""},
		{open(genericRelease, "beta-two"), expect("beta_two", kernels[genericRelease]), "beta-two.ko: needs symbols that no Module.symvers has: alpha_add", ""},
		{open(cloudRelease, "alpha"), expect("alpha", kernels[genericRelease]), "", "alpha.ko: was built for " + cloudRelease + ", wanted " + genericRelease},
		{open(genericRelease, "beta-two"), expect("beta-two", kernels[genericRelease], Symvers{"alpha_add": {CRC: 7}}), "",
			"beta-two.ko: was built against symbols that the target does not have: alpha_add is 0x00000007"},
	}
	for i, tt := range tests {
		warnings, err := Verify(tt.m, tt.want)
		if got := strings.Join(warnings, "|"); got != tt.warning {
			t.Errorf("%d: warnings %q; want %q", i, got, tt.warning)
		}
		if got := errorText(err); !strings.HasPrefix(got, tt.err) || tt.err == "" && got != "" {
			t.Errorf("%d: error %q; want %q", i, got, tt.err)
		}
	}
}

func TestTargetOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		arch string
		want elf.Machine
		data elf.Data
	}{
		{"x86_64", elf.EM_X86_64, elf.ELFDATA2LSB},
		{"amd64", elf.EM_X86_64, elf.ELFDATA2LSB},
		{"i386", elf.EM_386, elf.ELFDATA2LSB},
		{"i686", elf.EM_386, elf.ELFDATA2LSB},
		{"aarch64", elf.EM_AARCH64, elf.ELFDATA2LSB},
		{"arm64", elf.EM_AARCH64, elf.ELFDATA2LSB},
		{"armv7l", elf.EM_ARM, elf.ELFDATA2LSB},
		{"armv7b", elf.EM_ARM, elf.ELFDATA2MSB},
		{"ppc64le", elf.EM_PPC64, elf.ELFDATA2LSB},
		{"ppc64", elf.EM_PPC64, elf.ELFDATA2MSB},
		{"s390x", elf.EM_S390, elf.ELFDATA2MSB},
		{"riscv64", elf.EM_RISCV, elf.ELFDATA2LSB},
		{"loongarch64", elf.EM_LOONGARCH, elf.ELFDATA2LSB},
		{"mips64", elf.EM_MIPS, 0},
		{"ia64", elf.EM_IA_64, elf.ELFDATA2LSB},
	}
	for _, tt := range tests {
		got, ok := TargetOf(tt.arch)
		if !ok || got.Machine != tt.want || got.Data != tt.data {
			t.Errorf("TargetOf(%q) = %v, %v; want %v %v", tt.arch, got, ok, tt.want, tt.data)
		}
	}
	for _, arch := range []string{"", "quantum128", "i3866"} {
		if got, ok := TargetOf(arch); ok {
			t.Errorf("TargetOf(%q) = %v; want unknown", arch, got)
		}
	}
}
