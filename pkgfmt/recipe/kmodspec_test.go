package recipe

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// headers is a kernel whose headers are on this machine.
func headers(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/lib/modules/*/build/include")
	if len(found) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("no kernel headers")
		}
		t.Skip("no kernel headers")
	}
	return strings.Split(found[0], "/")[3]
}

// TestKmodSpec: rpmbuild compiles the modules, for both kinds of packages.
func TestKmodSpec(t *testing.T) {
	t.Parallel()
	k := headers(t)
	d := sample(t)
	spec, err := KmodSpec(d)
	must(t, err)
	source := sourceRPM(t, d, spec)
	for _, tt := range []struct {
		args                    []string
		packages, files, config []string
		scripts                 string
	}{
		{nil, []string{"kmod-v4l2_Sample", "kmod-v4l2_Sample-" + k, "v4l2_Sample-kmod-common"},
			[]string{"/etc/depmod.d/kmod-v4l2_Sample-" + k + ".conf"},
			[]string{"override sample " + k + " extra/v4l2_Sample", "override sample_core " + k + " extra/v4l2_Sample"}, "depmod"},
		{[]string{"--with", "ksym"}, []string{"kmod-v4l2_Sample", "v4l2_Sample-kmod-common"},
			[]string{"/etc/depmod.d/kmod-v4l2_Sample.conf"},
			[]string{"override sample " + k + " extra/v4l2_Sample", "override sample * weak-updates/v4l2_Sample",
				"override sample_core " + k + " extra/v4l2_Sample", "override sample_core * weak-updates/v4l2_Sample"}, "weak-modules"},
	} {
		made := rpmbuild(t, append(tt.args, "--define", "kernel_version "+k, "--rebuild", source)...)
		var names []string
		of := map[string]string{}
		for _, file := range made {
			name := query(t, file, "%{NAME}")[0]
			names = append(names, name)
			of[name] = file
		}
		slices.Sort(names)
		if diff := cmp.Diff(tt.packages, names); diff != "" {
			t.Fatalf("packages: -want +got\n%s", diff)
		}
		modules := of["kmod-v4l2_Sample-"+k]
		if modules == "" {
			modules = of["kmod-v4l2_Sample"]
		}
		dir := "/lib/modules/" + k + "/extra/v4l2_Sample/"
		all := query(t, modules, "[%{FILENAMES}\n]")
		for _, want := range append(tt.files, dir+"sample.ko", dir+"sample_core.ko") {
			if !slices.Contains(all, want) {
				t.Errorf("%s lacks %s: %v", modules, want, all)
			}
		}
		if post := tool(t, "rpm", "-qp", "--scripts", modules); !strings.Contains(post, tt.scripts) || strings.Contains(post, "@") || strings.Contains(post, "%{") {
			t.Errorf("scripts:\n%s", post)
		}
		root := t.TempDir()
		tool(t, "sh", "-c", `cd "$1" && rpm2cpio "$2" | cpio -idm --quiet`, "sh", root, modules)
		conf, err := os.ReadFile(filepath.Join(root, tt.files[0]))
		must(t, err)
		if diff := cmp.Diff(tt.config, strings.Split(strings.TrimSpace(string(conf)), "\n")[1:]); diff != "" {
			t.Errorf("depmod.d: -want +got\n%s", diff)
		}
		if out := tool(t, "modinfo", "-F", "vermagic", filepath.Join(root, dir, "sample.ko")); !strings.HasPrefix(out, k+" ") {
			t.Errorf("vermagic %s", out)
		}
	}
}

// TestKmodSpecDistributions: what a build needs, and makes, by the macros of
// each.
func TestKmodSpecDistributions(t *testing.T) {
	t.Parallel()
	spec, err := KmodSpec(sample(t))
	must(t, err)
	file := filepath.Join(t.TempDir(), "sample-kmod.spec")
	must(t, os.WriteFile(file, spec, 0o644))
	const of = "kernel_version 6.14.0-63.fc42.x86_64"
	for _, tt := range []struct {
		defines     []string
		needs, made string
	}{
		{[]string{"fedora 42", of}, "elfutils-libelf-devel gcc kernel-devel-uname-r = 6.14.0-63.fc42.x86_64 kmod make",
			"kmod-v4l2_Sample kmod-v4l2_Sample-6.14.0-63.fc42.x86_64 v4l2_Sample-kmod v4l2_Sample-kmod-common"},
		{[]string{"rhel 9", of}, "elfutils-libelf-devel gcc kernel-abi-stablelists kernel-devel-uname-r = 6.14.0-63.fc42.x86_64 kernel-rpm-macros kmod make",
			"kmod-v4l2_Sample v4l2_Sample-kmod v4l2_Sample-kmod-common"},
		{[]string{"rhel 9"}, "elfutils-libelf-devel gcc kernel-abi-stablelists kernel-devel kernel-rpm-macros kmod make",
			"kmod-v4l2_Sample v4l2_Sample-kmod v4l2_Sample-kmod-common"},
		{[]string{"suse_version 1600", "kernel_version 6.4.0-150600.21-default"}, "gcc kernel-default-devel kmod libelf-devel make",
			"kmod-v4l2_Sample kmod-v4l2_Sample-6.4.0-150600.21-default v4l2_Sample-kmod v4l2_Sample-kmod-common"},
	} {
		ask := func(query ...string) string {
			for _, d := range tt.defines {
				query = append(query, "--define", d)
			}
			all := strings.Split(strings.TrimSpace(tool(t, "rpmspec", append(query, file)...)), "\n")
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		if got := ask("-q", "--buildrequires"); got != tt.needs {
			t.Errorf("%q: needs %s; want %s", tt.defines, got, tt.needs)
		}
		if got := ask("-q", "--qf", "%{NAME}\n"); got != tt.made {
			t.Errorf("%q: makes %s; want %s", tt.defines, got, tt.made)
		}
	}
}
