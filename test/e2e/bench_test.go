//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

const (
	benchPackages = 200
	benchKernels  = 5
	leastSpeedUp  = 100 // of status; what was promised
)

// oursAsDKMS is our program under the drop-in name, beside the real dkms.
const oursAsDKMS = "/opt/ours/dkms"

// BenchmarkBesideDKMS times commands of ours and of the real dkms on one tree
// in one run, proves that they answer the same, and tells the ratio.
func BenchmarkBesideDKMS(b *testing.B) {
	m := benchMachine(b, benchPackages)
	last := benchRelease(benchKernels - 1)

	b.Run("status", func(b *testing.B) {
		speedUp := m.beside(b, []string{"dkms", "status"}, []string{oursAsDKMS, "status"})
		if speedUp < leastSpeedUp {
			b.Errorf("status is %.0f times faster; want %d", speedUp, leastSpeedUp)
		}
	})
	b.Run("status of one", func(b *testing.B) {
		m.beside(b, []string{"dkms", "status", "p007/1.0"}, []string{oursAsDKMS, "status", "p007/1.0"})
	})
	b.Run("conf", func(b *testing.B) {
		// Nothing but the evaluation of its dkms.conf tells that a package is
		// excluded: 20 of them, one after the other.
		loop := "for i in $(seq 0 19); do %s build excluded/$i -k " + last + " >/dev/null 2>&1; echo $?; done"
		m.beside(b, []string{"sh", "-c", fmt.Sprintf(loop, "dkms")}, []string{"sh", "-c", fmt.Sprintf(loop, oursAsDKMS)})
	})
	b.Run("plan", func(b *testing.B) {
		// dkms has no dry run; with nothing to do its autoinstall is one.
		m.beside(b, []string{"sh", "-c", "dkms autoinstall -k " + last + " >/dev/null; echo $?"},
			[]string{"sh", "-c", "dkms-hook plan -k " + last + " >/dev/null; echo $?"})
	})
}

// benchResults of dkms: a benchmark's body runs several times, dkms once.
var benchResults = map[string]box.Result{}

// beside runs theirs once and ours b.N times, compares what they print, and
// returns how many times faster ours is.
func (m machine) beside(b *testing.B, theirs, ours []string) float64 {
	b.Helper()
	key := strings.Join(theirs, " ")
	their, done := benchResults[key]
	if !done {
		their = m.Run(theirs...)
		benchResults[key] = their
	}
	var took time.Duration
	var our box.Result
	b.ResetTimer()
	for range b.N {
		our = m.Run(ours...)
		took += our.Took
	}
	b.StopTimer()
	if diff := cmp.Diff(sorted(their.Stdout), sorted(our.Stdout)); diff != "" {
		b.Errorf("answers differ (-dkms +ours):\n%s", diff)
	}
	if their.Status != our.Status {
		b.Errorf("exit status %d; dkms ends with %d\n%s", our.Status, their.Status, our.Stderr)
	}
	mean := took / time.Duration(b.N)
	ratio := float64(their.Took) / float64(mean)
	b.ReportMetric(float64(their.Took)/1e6, "dkms-ms")
	b.ReportMetric(float64(mean)/1e6, "ours-ms")
	b.ReportMetric(ratio, "times-faster")
	b.ReportMetric(float64(len(lines(our.Stdout))), "rows")
	return ratio
}

func sorted(text string) []string {
	out := lines(text)
	slices.Sort(out)
	return out
}

func benchRelease(i int) string { return fmt.Sprintf("6.1.0-9%d-amd64", i) }

// benchMachine has a tree of some packages, built for 5 kernels and in all the
// states that status tells apart, and both programs.
func benchMachine(tb testing.TB, packages int) machine {
	tb.Helper()
	m := newMachine(tb, stock)
	m.WriteProgram("/usr/sbin/dkms-hook", string(program(tb)))
	m.Symlink("/usr/sbin/dkms-hook", oursAsDKMS)

	same, other := m.tinyModule(tb, "1"), m.tinyModule(tb, "2")
	for i := range benchKernels {
		dir := "/lib/modules/" + benchRelease(i)
		m.Symlink("/usr/src/linux-headers-"+m.generic, dir+"/build")
		for _, f := range []string{"modules.order", "modules.builtin"} {
			m.Write(dir+"/"+f, "")
		}
	}
	for n := range packages {
		m.benchPackage(n, same, other)
	}
	for i := range 20 {
		name := fmt.Sprintf("excluded-%d", i)
		m.Write("/usr/src/"+name+"/dkms.conf", "PACKAGE_NAME=excluded\nPACKAGE_VERSION="+fmt.Sprint(i)+"\nBUILT_MODULE_NAME=x\nDEST_MODULE_LOCATION=/updates\nBUILD_EXCLUSIVE_KERNEL='^2[.]'\n")
		m.Symlink("/usr/src/"+name, fmt.Sprintf("/var/lib/dkms/excluded/%d/source", i))
	}
	for i := range benchKernels {
		m.Must("depmod", benchRelease(i))
	}
	return m
}

// benchPackage writes one package's source, tree and modules. In every tenth
// the installed module differs, in every tenth it is missing, every tenth
// displaced an original, and every tenth is built only; on the last kernel all
// are installed.
func (m machine) benchPackage(n int, same, other []byte) {
	name := fmt.Sprintf("p%03d", n)
	source, tree := "/usr/src/"+name+"-1.0", "/var/lib/dkms/"+name
	m.Write(source+"/dkms.conf", strings.ReplaceAll(goodConf, "bad", name)+"MAKE='make -C ${kernel_source_dir} M=${dkms_tree}/"+name+"/1.0/build'\nCLEAN=\"make -C ${kernel_source_dir} clean\"\n")
	m.Symlink(source, tree+"/1.0/source")
	for i := range benchKernels {
		release := benchRelease(i)
		state := (n + i) % 10
		if i == benchKernels-1 {
			state = 9
		}
		dir := "1.0/" + release + "/x86_64"
		m.Write(tree+"/"+dir+"/module/"+name+".ko", string(same))
		m.Write(tree+"/"+dir+"/log/make.log", "")
		installed := "/lib/modules/" + release + "/updates/dkms/" + name + ".ko"
		switch state {
		case 0: // built only
			continue
		case 1:
			m.Write(installed, string(other))
		case 2: // missing
		case 3:
			m.Write(tree+"/original_module/"+release+"/x86_64/"+name+".ko", string(other))
			m.Write(tree+"/original_module/"+release+"/x86_64/"+name+".ko.origin", "/lib/modules/"+release+"/kernel/"+name+".ko\n")
			m.Write(installed, string(same))
		default:
			m.Write(installed, string(same))
		}
		m.Symlink(dir, tree+"/kernel-"+release+"-x86_64")
	}
}

// tinyModule builds a module of the given version and returns its file.
func (m machine) tinyModule(tb testing.TB, version string) []byte {
	tb.Helper()
	m.Write("/root/tiny/Makefile", "obj-m := bad.o\n")
	m.Write("/root/tiny/bad.c", goodSource+"MODULE_VERSION(\""+version+"\");\n")
	m.Must("make", "-s", "-C", "/lib/modules/"+m.generic+"/build", "M=/root/tiny", "modules")
	m.Must("strip", "-g", "/root/tiny/bad.ko")
	return m.Read("/root/tiny/bad.ko")
}

// TestStatusOfAll proves, on the part of the benchmark's tree that has every
// state once, that both programs give the same status of it.
func TestStatusOfAll(t *testing.T) {
	t.Parallel()
	m := benchMachine(t, 10)
	want, got := m.Run("dkms", "status"), m.Run(oursAsDKMS, "status")
	if diff := cmp.Diff(sorted(want.Stdout), sorted(got.Stdout)); diff != "" || got.Status != want.Status {
		t.Errorf("status differs (-dkms +ours), exit status %d and %d:\n%s\n%s", want.Status, got.Status, diff, got.Stderr)
	}
}
