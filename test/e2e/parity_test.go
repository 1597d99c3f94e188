//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A pack is a package that goes through everything.
type pack struct {
	name, version string
	source        string   // folder of testdata/src, or the Debian package's name without -dkms
	needs         []string // packages installed before, NAME/VER
}

func (p pack) ref() string { return p.name + "/" + p.version }

var (
	bbswitch     = pack{"bbswitch", "0.8", "bbswitch", nil}
	acpiCall     = pack{"acpi-call", "1.2.2", "acpi-call", nil}
	v4l2loopback = pack{"v4l2loopback", "0.12.7", "v4l2loopback", nil}
	writeboost   = pack{"dm-writeboost", "2.2.17", "dm-writeboost", nil}
	chainBase    = pack{"chain-base", "1.0", "chain-base-1.0", nil}
	chainTop     = pack{"chain-top", "1.0", "chain-top-1.0", []string{"chain-base/1.0"}}
	it87         = pack{"it87", "eol", "it87-eol", nil}
)

// A step is one command line; a name that starts with "!" is not an engine's
// command but a program of the box.
type step struct {
	name string
	args []string
}

// life is every action on one package, each also where there is nothing to do
// or where it must refuse.
func life(p pack) []step {
	do, ref := newStep, p.ref()
	list := []step{
		do("status of nothing", "status"),
		do("build unknown", "build", p.name+"/no-such", "-k", "{K}"),
		do("remove unknown", "remove", ref, "--all"),
	}
	for _, n := range p.needs {
		list = append(list,
			do("build without dependency", "build", ref, "-k", "{K}"),
			do("!forget "+n, "rm", "-rf", "/var/lib/dkms/"+p.name),
			do("install "+n, "install", n, "-k", "{K}"),
			do("install "+n+" too", "install", "-k", "{C}", n))
	}
	list = append(list,
		do("add", "add", "-m", p.name, "-v", p.version),
		do("add again", "add", ref),
		do("status of added", "status", ref),
		do("status of added for a kernel", "status", "-k", "{K}"),
		do("uninstall added", "uninstall", ref, "-k", "{K}"),
		do("unbuild added", "unbuild", ref, "-k", "{K}"),
		do("mktarball of added", "mktarball", ref, "-k", "{K}"),
		do("build", "build", "-m", p.name, "-v", p.version, "-k", "{K}"),
		do("build again", "build", ref, "-k", "{K}"),
		do("build forced", "build", "--force", ref, "-k", "{K}"),
		do("uninstall built", "uninstall", ref, "-k", "{K}"),
		do("install", "install", "-m", p.name, "-v", p.version, "-k", "{K}"),
		do("install again", "install", ref, "-k", "{K}"),
		do("install forced", "install", ref, "-k", "{K}", "--force"),
		do("match", "match", "--templatekernel", "{K}", "-k", "{C}"),
		do("match again", "match", "--templatekernel={K}", "-k", "{C}", "-m", p.name, "-v", p.version),
		do("install on the other kernel", "install", ref, "-k", "{C}"), // 3.2.2's match did not
		do("match itself", "match", "--templatekernel", "{K}", "-k", "{K}"),
		do("match without template", "match", "-k", "{K}"),
		do("status by name", "status", "-m", p.name),
		do("status by ref", "status", ref),
		do("status by kernel", "status", "-k", "{C}"),
		do("status by kernel and arch", "status", "-k", "{C}/x86_64"),
		do("status by arch", "status", "-k", "{C}", "-a", "i686"),
		do("status of another", "status", "no-such-package/1"),
	)
	if p.name != it87.name { // whose dkms.conf gives a version with blanks: 3.2.2 loads it under that
		list = append(list, packing(p)...)
	}
	list = append(list,
		do("uninstall", "uninstall", ref, "-k", "{C}"),
		do("uninstall again", "uninstall", ref, "-k", "{C}"),
		do("unbuild", "unbuild", ref, "-k", "{C}"),
		do("unbuild again", "unbuild", ref, "-k", "{C}"),
		do("remove all of one", "remove", ref, "--all", "-k", "{K}"),
		do("remove one kernel", "remove", "-k", "{K}", ref),
		do("add after", "add", ref),
		do("remove all", "remove", "--all", ref),
		do("remove again", "remove", ref, "--all"),
	)
	if p.name != it87.name {
		list = append(list, loading(p)...)
	}
	for _, n := range p.needs {
		list = append(list, do("remove "+n, "remove", n, "--all"))
	}
	return list
}

// packing makes tarballs of a package, and tries to load one over it.
func packing(p pack) []step {
	do, ref := newStep, p.ref()
	return []step{
		do("mktarball", "mktarball", ref, "-k", "{K}", "-k", "{C}"),
		do("mktarball of source", "mktarball", ref, "--source-only", "--archive", "source.dkms.tar.gz"),
		do("mktarball of binaries", "mktarball", ref, "-k", "{K}", "--binaries-only", "--archive", "binaries.dkms.tar.gz"),
		do("mktarball of neither", "mktarball", ref, "--source-only", "--binaries-only"),
		do("!save tarballs", "sh", "-c", "mkdir -p /root/tarballs; cp /var/lib/dkms/"+ref+"/tarball/* /root/tarballs"),
		do("ldtarball again", "ldtarball", "--archive", "/root/tarballs/"+p.name+"-"+p.version+"-kernel{K}-x86_64-kernel{C}-x86_64.dkms.tar.gz"),
	}
}

// loading loads the tarballs of a package that is gone, and its source too.
func loading(p pack) []step {
	do, ref := newStep, p.ref()
	return []step{
		do("!remove source", "rm", "-r", "/usr/src/"+p.name+"-"+p.version),
		do("ldtarball of nothing", "ldtarball", "--archive", "/root/tarballs/no-such.tar.gz"),
		do("ldtarball", "ldtarball", "--archive", "/root/tarballs/"+p.name+"-"+p.version+"-kernel{K}-x86_64-kernel{C}-x86_64.dkms.tar.gz"),
		do("install after ldtarball", "install", ref, "-k", "{C}", "-k", "{K}"),
		do("remove after ldtarball", "remove", ref, "--all"),
		do("ldtarball of source", "ldtarball", "/root/tarballs/source.dkms.tar.gz", "--force"),
		do("remove after source", "remove", ref, "--all"),
		do("!remove source again", "rm", "-r", "/usr/src/"+p.name+"-"+p.version),
		do("ldtarball of binaries", "ldtarball", "/root/tarballs/binaries.dkms.tar.gz"),
		do("!forget", "rm", "-rf", "/var/lib/dkms/"+p.name), // 3.2.2 cannot remove what it has loaded
		do("remove in the end", "remove", ref, "--all"),
	}
}

func newStep(name string, args ...string) step { return step{name, args} }

// TestParity takes packages through their whole life, for two kernels, by our
// program and by the oracle, and compares after each command.
func TestParity(t *testing.T) {
	packs := []pack{chainTop, v4l2loopback, writeboost, bbswitch, acpiCall}
	if *full {
		packs = append(packs, chainBase, it87)
	}
	for _, p := range packs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			sources := []string{p.source}
			for _, n := range p.needs {
				sources = append(sources, strings.ReplaceAll(n, "/", "-"))
			}
			compare(t, life(p), sources)
		})
	}
}

// compare runs the steps on two machines and reports every difference that is
// not a known one.
func compare(t *testing.T, steps []step, sources []string) {
	a, b := newMachine(t, stock, sources...), newMachine(t, ours, sources...)
	for _, s := range steps {
		wants, wanted := a.take(t, s)
		gots, got := b.take(t, s)
		var unknown []string
		for what, diff := range differ(wants, gots) {
			text := strings.Join(diff, "\n")
			if d := explain(s.name, what, text); d != nil {
				t.Logf("%s: %s: as known: %s", s.name, what, d.why)
				continue
			}
			unknown = append(unknown, string(what)+":\n\t"+strings.ReplaceAll(text, "\n", "\n\t"))
		}
		if len(unknown) > 0 {
			slices.Sort(unknown)
			t.Errorf("%s: - %s, + %s:\n%s\n%s\n%s", s.name, a.engine.name, b.engine.name, strings.Join(unknown, "\n"), wanted, got)
		}
	}
}

// take does a step, and returns what is so afterwards and what was said.
func (m machine) take(tb testing.TB, s step) (facts, string) {
	tb.Helper()
	if strings.HasPrefix(s.name, "!") {
		return m.observe(tb, m.Must(s.args...).Status), strings.Join(s.args, " ")
	}
	r := m.dkms(s.args...)
	f := m.observe(tb, r.Status)
	if s.args[0] == "status" {
		f["output"] = lines(r.Stdout)
	}
	return f, r.String()
}

// A difference between the oracle and us that is meant.
type difference struct {
	step string // regular expression for the step's name
	what aspect
	diff string // regular expression for the whole difference, "-" lines of the oracle and "+" lines of ours
	why  string
}

func explain(step string, what aspect, diff string) *difference {
	for i, d := range known {
		if d.what == what && regexp.MustCompile("^(?:"+d.step+")$").MatchString(step) && regexp.MustCompile("^(?s:"+d.diff+")$").MatchString(diff) {
			return &known[i]
		}
	}
	return nil
}
