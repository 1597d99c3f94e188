//go:build e2e

package source

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt/pkgtest"
)

// A real is what is read from a source of Debian's, and why that is right where
// the oracles cannot say so.
type real struct {
	license string
	beside  string // identifiers in it that Debian's copyright file does not have
	summary string
	build   bool // its modules, which takes seconds
}

var reals = map[string]real{
	"acpi-call":  {license: "GPL-2.0-only", beside: "GPL-2.0-only", build: true}, // Debian has GPL-3+ from a LICENSE that it does not package
	"adv-17v35x": {license: "GPL-2.0-or-later", summary: "Advantech PCIe specific serial driver for ADV17V35X"},
	"apfs": {license: "GPL-2.0-only AND (GPL-2.0-or-later OR MIT)",
		beside: "MIT", summary: "Apple File System"}, // the tag of libzbitmap.c
	"bbswitch":      {license: "GPL-2.0-or-later", summary: "Toggle the discrete graphics card", build: true},
	"ddcci":         {license: "GPL-2.0-or-later", summary: "DDC/CI bus driver", build: true},
	"digimend":      {license: "GPL-2.0-or-later"},
	"dm-writeboost": {license: "GPL-2.0-or-later"},
	"evdi":          {license: "GPL-2.0-only", summary: "Extensible Virtual Display Interface"},
	"gost-crypto": {license: "GPL-2.0-or-later AND (GPL-2.0-or-later OR BSD-2-Clause)",
		beside: "BSD-2-Clause", build: true}, // the tag of streebog_generic.c
	"lttng-modules": {license: "(GPL-2.0-only OR LGPL-2.1-only) AND GPL-2.0-only AND MIT"},
	"nat-rtsp":      {license: "GPL-2.0-or-later", build: true},
	"openvpn-dco": {license: "((GPL-2.0-only WITH Linux-syscall-note) OR MIT) AND GPL-2.0-only",
		beside: "WITH Linux-syscall-note MIT", summary: "OpenVPN data channel offload (ovpn-dco)"}, // the tag of ovpn_dco.h
	"openrazer-driver": {license: "GPL-2.0-or-later"},
	"rapiddisk":        {license: "GPL-2.0-only", build: true},
	"tp-smapi":         {license: "GPL-2.0-only AND GPL-2.0-or-later", summary: "ThinkPad SMAPI Support", build: true},
	"vpoll": {license: "GPL-2.0-only", beside: "GPL-2.0-only", // MODULE_LICENSE only; Debian has it from vpoll.h, which is elsewhere
		summary: "vpoll: sythesize events for select/poll/epoll"},
	"v4l2loopback": {license: "GPL-2.0-or-later", summary: "V4L2 loopback video device", build: true},
	"west-chamber": {license: "GPL-2.0-only"},
	"xtables-addons": {license: "GPL-2.0-only AND GPL-2.0-only WITH Linux-syscall-note AND GPL-2.0-or-later",
		beside: "WITH Linux-syscall-note"}, // the tag of xt_PROTO.h
}

// TestRealSources compares what is read from the sources of Debian's packages
// with oracles: bash for the dkms.conf, Debian's copyright file for licences,
// modinfo of the modules that are built of it for what they say of themselves.
func TestRealSources(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	debs, _ := filepath.Glob("../../build/e2e/debs/*-dkms.deb")
	for _, deb := range append(debs, pkgtest.DebianSources(t)...) {
		name, _, _ := strings.Cut(filepath.Base(deb), "-dkms")
		if seen[name] {
			continue
		}
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testReal(t, deb, reals[name])
		})
	}
	for name := range reals {
		if !seen[name] {
			t.Errorf("no %s-dkms: make debs rootfs fetches it", name)
		}
	}
}

func testReal(t *testing.T, deb string, want real) {
	tree := t.TempDir()
	run(t, ".", "dpkg-deb", "-x", deb, tree)
	sources, _ := filepath.Glob(filepath.Join(tree, "usr/src/*"))
	if len(sources) != 1 {
		t.Fatalf("sources: %v", sources)
	}
	d := read(t, sources[0], Options{})
	if got := d.DKMS.Name + "-" + d.DKMS.Version; got != filepath.Base(sources[0]) || d.Time.IsZero() {
		t.Errorf("it is %s of %s; want %s", got, d.Time, filepath.Base(sources[0]))
	}
	if d.License != want.license || d.Summary != want.summary {
		t.Errorf("License = %q, Summary = %q; want %q, %q", d.License, d.Summary, want.license, want.summary)
	}
	// All of it is a source: Debian left the rest out before.
	all := strings.Fields(run(t, sources[0], "find", "!", "-type", "d", "-printf", "%P\n"))
	slices.Sort(all)
	if diff := cmp.Diff(all, paths(d.Files)); diff != "" {
		t.Errorf("files: -find +packaged\n%s", diff)
	}
	sameLicences(t, filepath.Join(tree, "usr/share/doc"), d.License, want.beside)
	sameModules(t, d)
	if want.build {
		sameMacros(t, tree, d)
	}
}

var shortName = regexp.MustCompile(`(?m)^License: *(.*)`)

// sameLicences demands that each licence is one that Debian's copyright file
// names, but for those beside it.
func sameLicences(t *testing.T, docs, license, beside string) {
	t.Helper()
	theirs := strings.Fields(beside + " AND OR")
	for _, m := range shortName.FindAllStringSubmatch(run(t, docs, "sh", "-c", "cat */copyright"), -1) {
		theirs = append(theirs, strings.Fields(debianLicense([]paragraph{{"files": "*", "license": m[1]}}))...)
	}
	for _, id := range strings.Fields(strings.NewReplacer("(", "", ")", "").Replace(license)) {
		if !slices.Contains(theirs, id) {
			t.Errorf("License = %q, but Debian's copyright file names %q only", license, theirs)
		}
	}
}

// oracle is a dkms.conf, sourced by bash as dkms does it.
const oracle = `
dkms_tree=$1 source_tree=$1/usr/src kernelver=$2 arch=x86_64 kernel_source_dir=/lib/modules/$2/build
. ./dkms.conf
`

// sameModules compares the modules for the made-up kernel.
func sameModules(t *testing.T, d *Description) {
	t.Helper()
	words := strings.Fields(run(t, d.Dir, "bash", "-c", oracle+`printf '%s\n' "$PACKAGE_NAME" "$PACKAGE_VERSION" "${BUILT_MODULE_NAME[@]}"`, "bash", "/nonexistent", anyKernel().Release))
	ours := []string{d.DKMS.Name, d.DKMS.Version}
	for _, m := range d.Conf.Modules {
		ours = append(ours, m.Built)
	}
	if diff := cmp.Diff(words, ours); diff != "" {
		t.Errorf("name, version, modules: -bash +Read\n%s", diff)
	}
}

// sameMacros builds the modules, and compares what modinfo says of each that has
// a C file of its name with what is read from that.
func sameMacros(t *testing.T, tree string, d *Description) {
	t.Helper()
	headers, _ := filepath.Glob("/lib/modules/*/build/include/config/auto.conf")
	if len(headers) == 0 {
		t.Fatal("lacks the headers of a kernel")
	}
	files, err := ReadMacros(d.Dir)
	if err != nil {
		t.Fatal(err)
	}
	run(t, tree, "sh", "-euc", `mkdir -p "$1" && ln -s "$2" "$1/build"`, "sh", filepath.Join(d.DKMS.Name, d.DKMS.Version), d.Dir)
	cmd := exec.Command("bash", "-c", oracle+`eval "${MAKE[0]:-make -C $kernel_source_dir M=$PWD modules}"`, "bash", tree, strings.Split(headers[0], "/")[3])
	cmd.Dir = d.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	compared := 0
	for _, path := range strings.Fields(run(t, d.Dir, "find", "-name", "*.ko")) {
		info := func(field string) string {
			return strings.TrimSuffix(run(t, d.Dir, "modinfo", "-F", field, path), "\n")
		}
		for _, f := range called(files.Files, strings.TrimSuffix(filepath.Base(path), ".ko")) {
			theirs := []string{info("description"), info("version"), info("license"), info("author")}
			ours := []string{f.Description, f.Version, f.License, strings.Join(f.Authors, "\n")}
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("%s: -modinfo +%s\n%s", filepath.Base(path), f.Path, diff)
			}
			compared++
		}
	}
	if compared == 0 {
		t.Errorf("no module has a C file of its name: %v", files.Files)
	}
}
