package conf

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// probes are the variables that the cases of testdata/bash.cases set.
var probes = append([]string{"A", "B", "C", "D", "E", "F", "G"}, directiveNames...)

// oracle has bash source $1 inside a function, as dkms does, and prints the
// probes as NAME INDEX VALUE, each ended by a NUL.
const oracle = `
kernelver=6.1.0-49-amd64 arch=x86_64 kernel_source_dir=/lib/modules/$kernelver/build
kernel_config=$kernel_source_dir/.config
dkms_tree=/var/lib/dkms source_tree=/usr/src install_tree=/lib/modules parallel_jobs=8 module=m module_version=1
__conf=$1; __names=$2; shift 2
show() {
	local __n __i
	IFS=" 	
"; for __n in $__names; do
		local -n __ref=$__n
		for __i in "${!__ref[@]}"; do printf '%s\0%s\0%s\0' "$__n" "$__i" "${__ref[$__i]}"; done >&9
		unset -n __ref
	done
}
trap show EXIT
read_conf() { . "$__conf" >/dev/null; set +eu; trap - EXIT; show; }
read_conf
`

// bashValues are the probes after real bash has sourced file.
func bashValues(t testing.TB, file string) Directives {
	bash, err := exec.LookPath("bash")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("bash is missing")
		}
		t.Skip("bash is missing")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, bash, "-c", "exec 9>&3 3>&-\n"+oracle, "bash", file, strings.Join(probes, " "))
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=" + os.Getenv("HOME")}
	cmd.Dir = filepath.Dir(file)
	cmd.ExtraFiles = []*os.File{in}
	done := make(chan []byte)
	go func() {
		var b bytes.Buffer
		_, _ = b.ReadFrom(out)
		done <- b.Bytes()
	}()
	_ = cmd.Run() // the status is the case's own affair
	in.Close()
	fields := strings.Split(string(<-done), "\x00")
	d := Directives{}
	for len(fields) >= 3 {
		index, _ := strconv.Atoi(fields[1])
		d.Set(fields[0], index, strings.TrimSuffix(fields[2], "\r"))
		fields = fields[3:]
	}
	return d
}

// ourValues are the probes after our evaluation.
func ourValues(t testing.TB, file string) (Directives, *evaluation) {
	e := newEvaluation(Request{
		Package: dkms.Package{Name: "m", Version: "1"}, File: file, Jobs: 8,
		Trees: Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"},
	}, kbuild.Kernel{
		KernelID: dkms.KernelID{Release: "6.1.0-49-amd64", Arch: "x86_64"},
		Source:   "/lib/modules/6.1.0-49-amd64/build", ConfigFile: "/lib/modules/6.1.0-49-amd64/build/.config",
	})
	defer e.close()
	e.path = "/usr/sbin:/usr/bin:/sbin:/bin"
	if err := e.start(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := e.run(ctx, file, text); err != nil {
		t.Errorf("run: %v", err)
	}
	return e.variables(probes), e
}

// TestBash runs every case of testdata/bash.cases in bash and in ours.
func TestBash(t *testing.T) {
	t.Parallel()
	for i, script := range bashCases(t) {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "dkms.conf")
			if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
				t.Fatal(err)
			}
			want := bashValues(t, file)
			got, e := ourValues(t, file)
			if why, ok := strings.CutPrefix(script, "# differs: "); ok {
				if cmp.Equal(want, got) {
					t.Errorf("%s\nno longer differs from bash: remove the note", why)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\nbash (-) and we (+) disagree:\n%s%s%v", script, diff, e.stderr.String(), append(e.problems, e.warnings...))
			}
		})
	}
}

func bashCases(t testing.TB) []string {
	text, err := os.ReadFile("testdata/bash.cases")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n---\n")
}
