package conf

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func writeFramework(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFramework(t *testing.T) {
	t.Parallel()
	path := os.Getenv("PATH")
	dir := writeFramework(t, map[string]string{
		"framework.conf": `# settings
source_tree="/srv/src"
dkms_tree=/srv/dkms
verbose="1"
symlink_modules="yes"
sign_file="/lib/modules/$kernelver/build/scripts/sign-file"
mok_signing_key='/keys/${kernelver}.key'
parallel_jobs=3
compress_xz_opts="-6 --check=crc32"
PATH=/nowhere
HOME=/nowhere
try_sign_modules="true"
`,
		"framework.conf.d/20.conf":    "parallel_jobs=7\nbuild_timeout=90\non_failure=hold\ncompiler_cache=ccache\nprobe_memory=no\nmodule_cache=200M\ninitrd=no\nautoinstall_all_kernels=no\ncontinue_on_error=no\n",
		"framework.conf.d/10.conf":    "autoinstall_all_kernels=\ninitrd=yes\nparallel_jobs=5\npost_transaction='refresh $kernelver'\n",
		"framework.conf.d/ignored.md": "parallel_jobs=9\n",
	})
	got, problems, err := LoadFramework(context.Background(), dir)
	if err != nil || len(problems) > 0 {
		t.Fatalf("LoadFramework: %v, %v", problems, err)
	}
	want := Framework{
		SourceTree: "/srv/src", DKMSTree: "/srv/dkms", InstallTree: "/lib/modules",
		Verbose: true, SymlinkModules: true, TrySignModules: Always, OnFailure: Hold, Initrd: Never,
		ParallelJobs: 7, BuildTimeout: 90 * time.Second, CompressXz: []string{"-6", "--check=crc32"}, CompilerCache: "ccache", ModuleCache: 200 << 20,
		SignFile: "/lib/modules/6.1/build/scripts/sign-file", MokSigningKey: "/keys/6.1.key", PostTransaction: "refresh 6.1",
	}
	if diff := cmp.Diff(want, got.For("6.1")); diff != "" {
		t.Errorf("LoadFramework (-want +got):\n%s", diff)
	}
	if os.Getenv("PATH") != path {
		t.Error("framework.conf changed our PATH")
	}
}

func TestFrameworkDefaults(t *testing.T) {
	t.Parallel()
	got, problems, err := LoadFramework(context.Background(), filepath.Join(t.TempDir(), "nowhere"))
	want := Framework{SourceTree: "/usr/src", DKMSTree: "/var/lib/dkms", InstallTree: "/lib/modules",
		AutoinstallAllKernels: true, TrySignModules: NotInChroot, Initrd: Auto, ParallelJobs: -1, BuildTimeout: 30 * time.Minute, ProbeMemory: true, ModuleCache: 1 << 30}
	if diff := cmp.Diff(want, got); diff != "" || problems != nil || err != nil {
		t.Errorf("LoadFramework: %v, %v (-want +got):\n%s", problems, err, diff)
	}
}

// A file that says nothing leaves every default, as Debian's does.
func TestFrameworkSaysNothing(t *testing.T) {
	t.Parallel()
	want, _, err := LoadFramework(context.Background(), filepath.Join(t.TempDir(), "nowhere"))
	if err != nil {
		t.Fatal(err)
	}
	got, problems, err := LoadFramework(context.Background(), writeFramework(t, map[string]string{"framework.conf": "# parallel_jobs=3\n"}))
	if diff := cmp.Diff(want, got); diff != "" || problems != nil || err != nil {
		t.Errorf("LoadFramework: %v, %v (-want +got):\n%s", problems, err, diff)
	}
}

func TestFrameworkProblems(t *testing.T) {
	t.Parallel()
	dir := writeFramework(t, map[string]string{
		"framework.conf":          "verbose=perhaps\ndkms_tree=here\n\nparallel_jobs=-1\nbuild_timeout=soon\ntry_sign_modules=perhaps\non_failure=cry\ninitrd=perhaps\ncompiler_cache='ccache -q'\nmodule_cache=lots\n",
		"framework.conf.d/a.conf": "fi\nparallel_jobs=3\n",
	})
	got, problems, err := LoadFramework(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defaults, _, err := LoadFramework(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaults, got); diff != "" {
		t.Errorf("bad values changed the defaults (-want +got):\n%s", diff)
	}
	var lines []string
	for _, p := range problems {
		lines = append(lines, strings.TrimPrefix(p.String(), dir))
	}
	want := []string{
		"/framework.conf:1: verbose=\"perhaps\": is neither yes nor no",
		"/framework.conf:2: dkms_tree=\"here\": is not an absolute path",
		"/framework.conf:4: parallel_jobs=\"-1\": is not a number of jobs",
		"/framework.conf:5: build_timeout=\"soon\": is not a time such as 30m or 90s",
		"/framework.conf:7: on_failure=\"cry\": is none of defer, fail and hold",
		"/framework.conf:8: initrd=\"perhaps\": is none of yes, no and auto",
		"/framework.conf:9: compiler_cache=\"ccache -q\": is no program",
		"/framework.conf:10: module_cache=\"lots\": is not a size such as 512M or 1G",
		"/framework.conf.d/a.conf:1: syntax error: `fi` can only be used to end an `if`",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// TestModuleCache: a size, yes or no; the usual size stays where it is none of them.
func TestModuleCache(t *testing.T) {
	t.Parallel()
	const usual = 1 << 30
	for value, want := range map[string]struct {
		size int64
		bad  bool
	}{
		"512M": {size: 512 << 20}, "0": {}, "no": {}, "off": {}, "yes": {size: usual}, "": {size: usual}, "1": {size: 1},
		"1.5G": {usual, true}, "abc": {usual, true}, "512MB": {usual, true}, "-1": {usual, true},
	} {
		got, problems, err := LoadFramework(context.Background(), writeFramework(t, map[string]string{"framework.conf": "module_cache=" + value + "\n"}))
		if err != nil || got.ModuleCache != want.size || len(problems) > 0 != want.bad {
			t.Errorf("module_cache=%q gives %d, %v, %v; want %+v", value, got.ModuleCache, problems, err, want)
		}
	}
}
