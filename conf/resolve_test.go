package conf

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

func mustLoad(t *testing.T, r Request) *Conf {
	t.Helper()
	c, err := Load(context.Background(), r, sampleKernel)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMakeCommand(t *testing.T) {
	t.Parallel()
	clang := sampleKernel
	clang.Config = kbuild.ParseKconfig("CONFIG_CC_IS_CLANG=y\n")
	const def = "make -j4 KERNELRELEASE=6.1.0-49-amd64 -C /lib/modules/6.1.0-49-amd64/build M=/var/lib/dkms/sample/1.0/build"
	for _, tt := range []struct {
		text   string
		kernel kbuild.Kernel
		change func(*Request)
		want   string
	}{
		{"", sampleKernel, nil, def},
		{"", clang, nil, def + " LLVM=1"},
		{"MAKE='make LLVM=1'", clang, nil, "make -j4 KERNELRELEASE=6.1.0-49-amd64 LLVM=1"},
		{"MAKE='make all'", sampleKernel, nil, "make -j4 KERNELRELEASE=6.1.0-49-amd64 all"},
		{"MAKE=make", sampleKernel, nil, "make -j4 KERNELRELEASE=6.1.0-49-amd64"},
		{"MAKE='make all'", sampleKernel, func(r *Request) { r.NoJobs = true }, "make KERNELRELEASE=6.1.0-49-amd64 all"},
		{"MAKE='make all'", sampleKernel, func(r *Request) { r.Jobs = 0 }, "make -j KERNELRELEASE=6.1.0-49-amd64 all"},
		{`MAKE="'make' all"`, sampleKernel, nil, "'make' all"},
		{"MAKE='makefile.sh'", sampleKernel, nil, "makefile.sh"},
		{"MAKE='cd src && make'", sampleKernel, nil, "cd src && make"},
		{"MAKE=(make 'make six' 'make five')\nMAKE_MATCH[1]='^6'\nMAKE_MATCH[2]='^5'", sampleKernel, nil, "make -j4 KERNELRELEASE=6.1.0-49-amd64 six"},
		{"MAKE=('make zero' 'make five')\nMAKE_MATCH[0]='^5'\nMAKE_MATCH[1]='^5'", sampleKernel, nil, def},
		{"MAKE=(a b c)\nMAKE_MATCH[1]='^6'\nMAKE_MATCH[2]='amd64$'", sampleKernel, nil, "c"},
		{"MAKE='make one'\nMAKE_MATCH[1]='^6'", sampleKernel, nil, "make -j4 KERNELRELEASE=6.1.0-49-amd64 one"},
	} {
		r := sampleRequest(t, sampleHead+tt.text)
		if tt.change != nil {
			tt.change(&r)
		}
		recipe, err := mustLoad(t, r).Resolve(tt.kernel)
		if err != nil || recipe.Make != tt.want {
			t.Errorf("%q: Make = %q, %v; want %q", tt.text, recipe.Make, err, tt.want)
		}
	}
}

func TestExclusion(t *testing.T) {
	t.Parallel()
	kernel := sampleKernel
	kernel.Config = kbuild.ParseKconfig("CONFIG_PCI=y\nCONFIG_USB=m\nCONFIG_HZ=250\n")
	for text, want := range map[string]string{
		"BUILD_EXCLUSIVE_KERNEL='^6\\.'":                           "",
		"BUILD_EXCLUSIVE_KERNEL='^(5\\.[1-8]+\\.|5\\.0\\.)'":       `BUILD_EXCLUSIVE_KERNEL="^(5\\.[1-8]+\\.|5\\.0\\.)": does not match the release`,
		"BUILD_EXCLUSIVE_ARCH='x86_64|aarch64'":                    "",
		"BUILD_EXCLUSIVE_ARCH=aarch64":                             `BUILD_EXCLUSIVE_ARCH="aarch64": does not match the architecture`,
		"BUILD_EXCLUSIVE_KERNEL_MIN=6.1":                           "",
		"BUILD_EXCLUSIVE_KERNEL_MIN=6.2":                           `BUILD_EXCLUSIVE_KERNEL_MIN="6.2": the release is older`,
		"BUILD_EXCLUSIVE_KERNEL_MAX=6.1":                           `BUILD_EXCLUSIVE_KERNEL_MAX="6.1": the release is newer`,
		"OBSOLETE_BY=6.1":                                          `OBSOLETE_BY="6.1": the release is newer`,
		"OBSOLETE_BY=6.0\nBUILD_EXCLUSIVE_KERNEL_MAX=6.2":          "",
		"BUILD_EXCLUSIVE_CONFIG='CONFIG_PCI CONFIG_USB !CONFIG_X'": "",
		"BUILD_EXCLUSIVE_CONFIG='CONFIG_X'":                        `BUILD_EXCLUSIVE_CONFIG="CONFIG_X": CONFIG_X is not set in the kernel's configuration`,
		"BUILD_EXCLUSIVE_CONFIG='!CONFIG_USB'":                     `BUILD_EXCLUSIVE_CONFIG="!CONFIG_USB": CONFIG_USB is set in the kernel's configuration`,
		"BUILD_EXCLUSIVE_CONFIG='CONFIG_HZ'":                       `BUILD_EXCLUSIVE_CONFIG="CONFIG_HZ": CONFIG_HZ is not set in the kernel's configuration`,
	} {
		_, err := mustLoad(t, sampleRequest(t, sampleHead+text)).Resolve(kernel)
		got := ""
		var de *dkms.Error
		if errors.As(err, &de) {
			if de.Kind != dkms.Excluded {
				t.Errorf("%q: Kind = %v; want Excluded", text, de.Kind)
			}
			got = strings.TrimPrefix(de.Error(), "sample/1.0: not for 6.1.0-49-amd64/x86_64: ")
		}
		if got != want {
			t.Errorf("%q: %q; want %q", text, got, want)
		}
	}
}

func TestModuleExclusion(t *testing.T) {
	t.Parallel()
	head := "PACKAGE_NAME=sample PACKAGE_VERSION=1.0\nBUILT_MODULE_NAME=(a b c)\nDEST_MODULE_LOCATION=(/extra /extra /extra)\n"
	c := mustLoad(t, sampleRequest(t, head+"BUILD_EXCLUSIVE_KERNEL_MIN[1]=6.2\nBUILD_EXCLUSIVE_ARCH[2]=x86"))
	recipe, err := c.Resolve(sampleKernel)
	if err != nil {
		t.Fatal(err)
	}
	var names, skipped []string
	for _, m := range recipe.Modules {
		names = append(names, m.Built)
	}
	for _, s := range recipe.Skipped {
		skipped = append(skipped, s.Module.Built+": "+s.Why)
	}
	if diff := cmp.Diff([]string{"a", "c"}, names); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`b: BUILD_EXCLUSIVE_KERNEL_MIN[1]="6.2": the release is older`}, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	_, err = mustLoad(t, sampleRequest(t, head+"BUILD_EXCLUSIVE_KERNEL=('' 5 5)\nBUILD_EXCLUSIVE_ARCH=arm")).Resolve(sampleKernel)
	if err == nil {
		t.Error("a global rule that excludes left modules over")
	}
}

func TestRecipe(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, sampleRequest(t, `PACKAGE_NAME=other PACKAGE_VERSION=0
BUILT_MODULE_NAME=(a b) BUILT_MODULE_LOCATION=(src/a) DEST_MODULE_NAME=([1]=bb) DEST_MODULE_LOCATION=(/extra /kernel/x/)
STRIP=(no yes)
PATCH=(always.patch six.patch five.patch sub/dir.patch) PATCH_MATCH=('' '^6\.' '^5\.')
PRE_BUILD="conf  a" POST_BUILD=pb POST_ADD=pa PRE_INSTALL=pi POST_INSTALL=po POST_REMOVE=pr
BUILD_DEPENDS=(dep1 "dep2 dep3") BUILD_DEPENDS_REBUILD=YES AUTOINSTALL=yes NO_WEAK_MODULES=yes REMAKE_INITRD=yes
MAKE="make KBUILD_EXTRA_SYMBOLS=x"
`))
	got, err := c.Resolve(sampleKernel)
	if err != nil {
		t.Fatal(err)
	}
	want := kbuild.Recipe{
		Ref:      dkms.Ref{Package: dkms.Package{Name: "sample", Version: "1.0"}, KernelID: sampleKernel.KernelID},
		Make:     "make -j4 KERNELRELEASE=6.1.0-49-amd64 KBUILD_EXTRA_SYMBOLS=x",
		Patches:  []string{"always.patch", "six.patch", "sub/dir.patch"},
		PreBuild: "conf  a", PostBuild: "pb", PostAdd: "pa", PreInstall: "pi", PostInstall: "po", PostRemove: "pr",
		Modules: []kbuild.Module{
			{Index: 0, Built: "a", BuiltDir: "src/a", Dest: "a", DestDir: "/extra"},
			{Index: 1, Built: "b", Dest: "bb", DestDir: "/kernel/x", Strip: true},
		},
		Depends: []string{"dep1", "dep2", "dep3"}, RebuildOnDepends: true, SetsExtraSymbols: true,
		Autoinstall: true, NoWeakModules: true, RemakeInitrd: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Resolve (-want +got):\n%s", diff)
	}
}

func TestSingleModuleDefaults(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, sampleRequest(t, "PACKAGE_NAME=it87 PACKAGE_VERSION=1\nDEST_MODULE_LOCATION=/extra"))
	want := []kbuild.Module{{Built: "it87", Dest: "it87", DestDir: "/extra", Strip: true}}
	if diff := cmp.Diff(want, c.Modules); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
}

func TestCompareReleases(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"3.5", "3.5", 0}, {"3.5-rc2", "3.5", 1}, {"4.12-rc1", "4.12", 1}, {"3.4.999", "3.5", -1},
		{"6.10.0", "6.9.0", 1}, {"6.1.0-49-amd64", "6.1", 1}, {"6.01", "6.1", 0}, {"", "6", -1}, {"5.14.0-503.el9", "5.14.0-70.el9", 1},
		{"6.1", "6.1.0", -1}, {"a", "b", -1},
	} {
		if got := compareReleases(tt.a, tt.b); got != tt.want {
			t.Errorf("compareReleases(%q, %q) = %d; want %d", tt.a, tt.b, got, tt.want)
		}
		if got := compareReleases(tt.b, tt.a); got != -tt.want {
			t.Errorf("compareReleases(%q, %q) = %d; want %d", tt.b, tt.a, got, -tt.want)
		}
	}
}

func TestERE(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expr, s string
		want    bool
	}{
		{`^6\.1\.`, "6.1.0", true}, {`^(5\.(1[05])\.|6\.[1568]\.)`, "6.1.0-49", true},
		{`[[:digit:]]+`, "a1", true}, {`[^[:space:]]`, " ", false}, {`[\.]`, `\`, true}, {`[]x]`, "]", true}, {`[^]]`, "]", false},
		{`a{2}`, "aa", true}, {`a{2}`, "a", false}, {`a{`, "a{", true}, {`{a`, "{a", true}, {`*a`, "*a", true}, {`a**`, "", true}, {`a+?$`, "b", true},
		{`\<amd64\>`, "6.1.0-amd64", true}, {`\d`, "d", true}, {`\d`, "1", false}, {`a|b`, "b", true}, {`(^|x)a`, "a", true}, {`a{,2}b`, "b", true},
		{`[a-c-]`, "-", true}, {`[[.-.]]`, "-", true}, {`\.`, "x", false}, {"", "x", true}, {`(?:a)`, "?:a", true},
	} {
		re, err := compileERE(tt.expr)
		if err != nil {
			t.Errorf("compileERE(%q): %v", tt.expr, err)
			continue
		}
		if got := re.MatchString(tt.s); got != tt.want {
			t.Errorf("%q in %q = %v; want %v", tt.expr, tt.s, got, tt.want)
		}
	}
	for _, expr := range []string{"(", "a)", "[a", `a\`, "[z-a]", "a{3,1}", "[[:nope:]]"} {
		if _, err := compileERE(expr); err == nil {
			t.Errorf("compileERE(%q) succeeded; want an error", expr)
		}
	}
}
