package kmod

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/golden"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/kbuild/ko"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// builtFor is what a build for one kernel might have made.
func builtFor(release string, modversions bool) Built {
	b := Built{
		Kernel:      kbuild.Kernel{KernelID: dkms.KernelID{Release: release, Arch: "x86_64"}},
		Modversions: modversions, Native: Native{Prefix: plainPrefix},
	}
	core := Facts{Version: "1.0", Exports: map[string]uint32{"sample_answer": 0}, Undefined: []string{"_printk"}, Firmware: []string{"sample.bin"}}
	pci := Facts{Alias: []string{"pci:v1d1*", "pci:v1d2*"}, Undefined: []string{"sample_answer", "_printk", "other"}}
	if modversions {
		core.Exports["sample_answer"] = 0xabc
		core.Needs = map[string]uint32{"_printk": 0x11, "module_layout": 0x22}
		pci.Needs = map[string]uint32{"_printk": 0x11, "module_layout": 0x22, "sample_answer": 0xabc, "other": 0x33}
		b.Symvers = ko.Symvers{"_printk": {CRC: 0x11, Module: "vmlinux"}, "module_layout": {CRC: 0x22, Module: "vmlinux"}}
	}
	for name, f := range map[string]Facts{"sample-core": core, "sample_pci": pci} {
		b.Modules = append(b.Modules, Module{
			BuiltModule: kbuild.BuiltModule{Module: kbuild.Module{Built: name, Dest: name}, File: name + ".ko.xz"},
			Path:        "/scratch/" + release + "/" + name + ".ko.xz", Size: 1000, Facts: f,
		})
	}
	slices.SortFunc(b.Modules, func(x, y Module) int { return strings.Compare(x.File, y.File) })
	return b
}

func withDebug(b Built) Built {
	for i := range b.Modules {
		b.Modules[i].Debug, b.Modules[i].DebugSize = "/scratch/debug/"+b.Modules[i].Dest+".ko", 5000
	}
	return b
}

// described is a source that was read.
func described() *source.Description {
	return &source.Description{
		DKMS: dkms.Package{Name: "Sample_Drv", Version: "v1.0"}, Name: "Sample_Drv", UpstreamVersion: "v1.0",
		Summary: "driver for samples", Description: "Drives samples.", License: "MIT", Homepage: "https://example.org", Maintainer: "Ann <ann@example.org>",
		Vendor: "Ann", Section: "kernel", Time: time.Unix(1700000000, 0).UTC(),
		Files:    []pkgfmt.File{{Path: "doc/COPYING", Data: []byte("Do what you like.\n"), Mode: 0o600}, {Path: "dkms.conf", Data: []byte("x"), Mode: 0o644}},
		Licences: []string{"doc/COPYING"},
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	const generic, cloud, el9, rt, sid = "6.1.0-56-amd64", "6.1.0-56-cloud-amd64", "5.14.0-70.13.1.el9_0.x86_64", "5.14.0-70.el9.x86_64+rt", "7.2.13-amd64"
	extra := func(d *source.Description) {
		d.Extra = []pkgfmt.File{{Path: "/etc/modprobe.d/sample.conf", Kind: pkgfmt.Config, Mode: 0o644, Data: []byte("options sample x=1\n")}}
		d.Epoch, d.Release = 1, "3"
		d.Relations = map[pkgfmt.Format]pkgfmt.Relations{
			pkgfmt.Deb: {Recommends: []string{"sample-tools (>= 2)"}}, pkgfmt.RPM: {Recommends: []string{"sample-tools >= 2"}},
		}
	}
	revised := builtFor(sid, false)
	revised.Native = Native{mergedPrefix, "7.2.13-1~bpo1"}
	depends := builtFor(generic, true)
	depends.Recipe.Depends = []string{"base_drv"}
	unsure := builtFor(sid, false) // no checksum tells which base_drv
	unsure.Recipe.Depends = depends.Recipe.Depends
	for _, tt := range []struct {
		name   string
		built  []Built
		format pkgfmt.Format
		o      Options
		edit   func(*source.Description)
	}{
		{"deb", []Built{builtFor(cloud, true), builtFor(generic, true)}, pkgfmt.Deb, Options{}, nil},
		{"deb-everything", []Built{withDebug(builtFor(generic, true))}, pkgfmt.Deb, Options{Debug: true}, extra},
		{"deb-revision", []Built{revised}, pkgfmt.Deb, Options{}, nil},
		{"deb-image-version", []Built{revised}, pkgfmt.Deb, Options{ImageVersion: "1:7.2.13-4", NoMeta: true}, extra},
		{"deb-depends", []Built{depends}, pkgfmt.Deb, Options{NoMeta: true}, nil},
		{"rpm-exact", []Built{builtFor(el9, true), builtFor(rt, true)}, pkgfmt.RPM, Options{ABI: Exact}, nil},
		{"rpm-exact-everything", []Built{withDebug(builtFor(el9, true))}, pkgfmt.RPM, Options{Debug: true}, extra},
		{"rpm-exact-without-checksums", []Built{builtFor(sid, false)}, pkgfmt.RPM, Options{NoMeta: true}, nil},
		{"rpm-exact-depends", []Built{unsure}, pkgfmt.RPM, Options{NoMeta: true}, nil},
		{"rpm-ksym", []Built{builtFor(el9, true)}, pkgfmt.RPM, Options{ABI: Ksym}, nil},
		{"rpm-ksym-everything", []Built{withDebug(builtFor(rt, true))}, pkgfmt.RPM, Options{ABI: Ksym, Debug: true}, extra},
		{"rpm-ksym-debian", []Built{depends}, pkgfmt.RPM, Options{ABI: Ksym}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := described()
			if tt.edit != nil {
				tt.edit(d)
			}
			for _, b := range tt.built {
				tt.o.Kernels = append(tt.o.Kernels, b.Kernel.Release)
			}
			packages, err := Compose(d, tt.built, tt.format, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, p := range packages {
				checkPackage(t, p)
				show(&text, p)
			}
			golden.File(t, filepath.Join("testdata", "compose", tt.name+".txt"), text.String())
		})
	}
}

// checkPackage is what holds of every package.
func checkPackage(t *testing.T, p pkgfmt.Package) {
	t.Helper()
	for i, f := range p.Files {
		if i > 0 && f.Path <= p.Files[i-1].Path {
			t.Errorf("%s: %s comes after %s", p.Name, f.Path, p.Files[i-1].Path)
		}
		if f.Mode != 0o644 && f.Kind != pkgfmt.Directory || !filepath.IsAbs(f.Path) {
			t.Errorf("%s: %s has mode %v", p.Name, f.Path, f.Mode)
		}
	}
	for name, text := range p.Scripts {
		if strings.Contains(text, "@") {
			t.Errorf("%s: %s has a place that was not filled:\n%s", p.Name, name, text)
		}
	}
	if p.Arch == "" || p.Summary == "" || p.Time.IsZero() || len(p.Summary) > 80 {
		t.Errorf("%s: lacks architecture, time or a short summary: %+v", p.Name, p)
	}
}

// show writes what one compares, the scripts by their names only.
func show(w *strings.Builder, p pkgfmt.Package) {
	fmt.Fprintf(w, "== %s %s %s %s\n%s\n%s\n", p.Format, p.Name, p.Version, p.Arch, p.Summary, p.Description)
	r := p.Relations
	for _, list := range []struct {
		name  string
		lines []string
	}{
		{"depends", r.Depends}, {"recommends", r.Recommends}, {"conflicts", r.Conflicts}, {"provides", r.Provides}, {"for scripts", r.ForScripts},
		{"others", slices.Concat(r.Suggests, r.Breaks, r.Replaces, r.Enhances, r.Supplements, p.Triggers)},
	} {
		for _, line := range list.lines {
			fmt.Fprintf(w, "%s: %s\n", list.name, line)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.Fields)) {
		fmt.Fprintf(w, "%s: %s\n", key, p.Fields[key])
	}
	fmt.Fprintf(w, "scripts: %s\n", strings.Join(slices.Sorted(maps.Keys(p.Scripts)), " "))
	for _, f := range p.Files {
		fmt.Fprintf(w, "%d %s %s%s\n", f.Kind, f.Path, f.Source, f.Target)
		if f.Source == "" && f.Kind != pkgfmt.Directory {
			fmt.Fprintf(w, "\t%s\n", strings.ReplaceAll(strings.TrimSpace(string(f.Data)), "\n", "\n\t"))
		}
	}
	w.WriteString("\n")
}

// TestComposeKinds: one directory and one repository can have both kinds of
// RPMs, of the same version: no file has the name of another's, no package is
// taken for an upgrade of another, and one machine has one kind.
func TestComposeKinds(t *testing.T) {
	t.Parallel()
	const el9 = "5.14.0-70.13.1.el9_0.x86_64"
	files := map[string]ABI{}
	for _, abi := range []ABI{Exact, Ksym} {
		packages, err := Compose(described(), []Built{builtFor(el9, true)}, pkgfmt.RPM, Options{ABI: abi, Kernels: []string{el9}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packages {
			if other, taken := files[p.Name]; taken {
				t.Errorf("%s is the name of packages of both %s and %s", p.Name, other, abi)
			}
			files[p.Name] = abi
		}
		const only = "kmod-Sample_Drv-uname-r"
		provides := slices.ContainsFunc(packages[0].Relations.Provides, func(r string) bool { return strings.HasPrefix(r, only+" = ") })
		if conflicts := slices.Contains(packages[0].Relations.Conflicts, only); provides != (abi == Exact) || conflicts != (abi == Ksym) {
			t.Errorf("%s of %s: provides %s: %v, conflicts with it: %v", packages[0].Name, abi, only, provides, conflicts)
		}
	}
}

func TestComposeRefused(t *testing.T) {
	t.Parallel()
	el8, el9 := builtFor("4.18.0-1.el8.x86_64", true), builtFor("5.14.0-1.el9.x86_64", true)
	other := builtFor("6.1.0", true)
	other.Kernel.Arch = "vax"
	twin := builtFor("6.1.0-A", true)
	for _, tt := range []struct {
		name   string
		built  []Built
		format pkgfmt.Format
		o      Options
		want   string
	}{
		{"sources", []Built{el9}, pkgfmt.SourceRPM, Options{}, "--format src.rpm: holds no compiled modules"},
		{"ksym for two", []Built{el8, el9}, pkgfmt.RPM, Options{ABI: Ksym}, "--abi ksym: makes one rpm for all kernels with the same symbols"},
		{"no revision", []Built{builtFor("7.2.13-amd64", false)}, pkgfmt.Deb, Options{}, "kernel 7.2.13-amd64: is built without CONFIG_MODVERSIONS"},
		{"architecture", []Built{other}, pkgfmt.Deb, Options{}, "vax: is an architecture that Debian has no name for"},
		{"one name for two", []Built{builtFor("6.1.0-a", true), twin}, pkgfmt.Deb, Options{NoMeta: true}, "sample-drv-modules-6.1.0-a: would be the name of two packages"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, b := range tt.built {
				tt.o.Kernels = append(tt.o.Kernels, b.Kernel.Release)
			}
			packages, err := Compose(described(), tt.built, tt.format, tt.o)
			var problem *dkms.Error
			if len(packages) > 0 || !errors.As(err, &problem) || problem.Kind != dkms.Usage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Compose = %d packages, %v; want %q", len(packages), err, tt.want)
			}
		})
	}
}
