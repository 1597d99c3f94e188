package kmod

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/kbuild/ko"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	symvers := ko.Symvers{
		"printk":        {CRC: 0x11, Module: "vmlinux"},
		"usb_submit":    {CRC: 0x22, Module: "drivers/usb/core/usbcore"},
		"module_layout": {CRC: 0xdeadbeef, Module: "vmlinux"},
	}
	layout := func(needs map[string]uint32) map[string]uint32 {
		needs["module_layout"] = 0xdeadbeef
		return needs
	}
	for _, tt := range []struct {
		name    string
		modules []Facts
		want    Generated
	}{
		{"nothing", nil, Generated{}},
		{
			"of the kernel, of a module of the kernel, of others",
			[]Facts{{Path: "/lib/modules/6.1/extra/a/a.ko.xz", Needs: layout(map[string]uint32{"printk": 0x11, "usb_submit": 0x22, "other": 0x33})}},
			Generated{
				Provides: []string{"kmod(a.ko)"},
				Requires: []string{"kernel(module_layout) = 0xdeadbeef", "kernel(printk) = 0x00000011", "kernel(usb_submit) = 0x00000022", "ksym(other) = 0x00000033"},
			},
		},
		{
			"of the kernel, but with another checksum",
			[]Facts{{Path: "/lib/modules/6.1/extra/a.ko", Needs: map[string]uint32{"printk": 0x12}}},
			Generated{Provides: []string{"kmod(a.ko)"}, Requires: []string{"ksym(printk) = 0x00000012"}},
		},
		{
			"of one another",
			[]Facts{
				{Path: "/lib/modules/6.1/extra/a.ko", Exports: map[string]uint32{"f": 1, "g": 2}, Needs: layout(map[string]uint32{})},
				{Path: "/lib/modules/6.1/extra/b.ko", Needs: layout(map[string]uint32{"f": 1})},
			},
			Generated{
				Provides: []string{"kmod(a.ko)", "kmod(b.ko)", "ksym(f) = 0x00000001", "ksym(g) = 0x00000002"},
				Requires: []string{"kernel(module_layout) = 0xdeadbeef"},
			},
		},
		{
			"the kernel's own",
			[]Facts{{Path: "/usr/lib/modules/6.1/kernel/fs/a.ko.zst", Exports: map[string]uint32{"f": 1}, Needs: layout(map[string]uint32{"printk": 0x11})}},
			Generated{Provides: []string{"kernel(f) = 0x00000001", "kmod(a.ko)"}},
		},
		{
			"without checksums",
			[]Facts{{Path: "/lib/modules/6.1/extra/a.ko", Exports: map[string]uint32{"f": 0}, Undefined: []string{"printk"}}},
			Generated{Provides: []string{"kmod(a.ko)"}},
		},
		{
			"devices and firmware",
			[]Facts{{Path: "/lib/modules/6.1/extra/a.ko.gz", Version: "1.0-rc1 x", Alias: []string{"pci:v1d2*", "pci:v1d1*", "of:N*T*Cx,y", "pci:v1d1*"}, Firmware: []string{"a/b.bin", "c d"}}},
			Generated{Provides: []string{"firmware(a/b.bin)", "firmware(c_d)", "kmod(a.ko)", "modalias(of:N*T*Cx_y) = 1.0_rc1_x", "modalias(pci:v1d[12]*) = 1.0_rc1_x"}},
		},
		{
			"a stranger's",
			[]Facts{{Path: "/lib/modules/6.1/extra/a b.ko", Needs: map[string]uint32{"x) = 1\nRequires: y": 1}, Alias: []string{"", "\n"}}},
			Generated{Provides: []string{"kmod(a_b.ko)", "modalias(_)"}, Requires: []string{"ksym(x)_=_1_Requires:_y) = 0x00000001"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Generate(tt.modules, symvers)); diff != "" {
				t.Errorf("Generate (-want +got):\n%s", diff)
			}
		})
	}
}

func TestModaliases(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ aliases, version, want string }{
		{"", "1", ""},
		{"a", "", "modalias(a)"},
		{"a a", "2.1", "modalias(a) = 2.1"},
		{"a1b a2b a3b", "", "modalias(a[123]b)"},
		{"a3b a1b a2b", "", "modalias(a[123]b)"},
		{"a1b a22b", "", "modalias(a1b) modalias(a22b)"},
		{"a11 a12 a21 a22", "", "modalias(a1[12]) modalias(a2[12])"}, // one place at a time
		{"a11 a12 a22", "", "modalias(a1[12]) modalias(a22)"},
		{"a* a1", "", "modalias(a*) modalias(a1)"},
		{"a1 a?", "", "modalias(a1) modalias(a?)"},
		{"a[1-4]x a[1-5]x", "", "modalias(a[1-4]x) modalias(a[1-5]x)"}, // not within a set
		{"a[1-4]x a[1-4]y", "", "modalias(a[1-4][xy])"},
		{"a=b a,b", "v1~2", "modalias(a_b) = v1_2"},
		{"dmi:*svnÄ:", "", "modalias(dmi:*svn__:)"},
	} {
		got := strings.Join(modaliases(strings.Fields(tt.aliases), tt.version), " ")
		if got != tt.want {
			t.Errorf("modaliases(%q, %q) = %s; want %s", tt.aliases, tt.version, got, tt.want)
		}
	}
}

// TestModaliasesMean: every alias is found by what it was merged into, and no
// other that has the same letters.
func TestModaliasesMean(t *testing.T) {
	t.Parallel()
	var all []string
	for v := range 3 {
		for d := range 20 {
			all = append(all, fmt.Sprintf("pci:v%04Xd%04Xsv*", v, d*d))
		}
	}
	merged := modaliases(all, "")
	if len(merged) >= len(all) {
		t.Errorf("%d aliases became %d", len(all), len(merged))
	}
	got := map[string]bool{}
	for _, m := range merged {
		before, rest, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(m, "modalias("), ")"), "[")
		set, after, _ := strings.Cut(rest, "]")
		if !ok {
			got[before] = true
		}
		for _, c := range set {
			got[before+string(c)+after] = true
		}
	}
	for _, a := range all {
		if !got[a] {
			t.Errorf("%s is lost", a)
		}
	}
	if len(got) != len(all) {
		t.Errorf("%d aliases became %d others", len(all), len(got))
	}
}

func FuzzModaliases(f *testing.F) {
	f.Add("pci:v1d1 pci:v1d2", "1.0")
	f.Add("a[1] a[2] a*", "")
	f.Fuzz(func(t *testing.T, aliases, version string) {
		for _, m := range modaliases(strings.Split(aliases, " "), version) {
			if strings.ContainsAny(strings.Replace(m, ") = ", ")", 1), " \n\t=") {
				t.Errorf("modaliases(%q, %q) has %q", aliases, version, m)
			}
		}
	})
}
