//go:build e2e

package e2e

import (
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// A badCase is a command that must refuse, and leave all as it was.
type badCase struct {
	name    string
	arrange func(*testing.T, machine) // on top of the source bad/1.0, which is good and added; may be nil
	restore func(machine)             // takes back what the next case would stumble over; may be nil
	args    []string
	status  int    // COMPAT's number; anyFailure where it has none
	says    string // regular expression for stderr, beside "object: problem"
	logs    bool   // a build begins: its log and build folder are kept for a person
	long    bool   // only in the full run
}

const anyFailure = -1

// TestBadInput proves, case by case, that what cannot be done is refused with
// a clear message and the right number, and that the tree, the sources and
// /lib/modules are exactly as before.
func TestBadInput(t *testing.T) {
	t.Parallel()
	m := newMachine(t, ours)
	m.Must("dkms", "generate_mok")
	for _, group := range [][]badCase{badOptions, badNames, badConfs, badSources, badBuilds, badMachines, badArchives} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				if c.long && !*full {
					t.Skip("only in the full run")
				}
				m.refuse(t, c)
			})
		}
	}
}

// object: problem, on a line of its own.
var objectProblem = regexp.MustCompile(`(?m)^(error: )?[^\s:][^\n]*: \S`)

func (m machine) refuse(t *testing.T, c badCase) {
	m.fresh(t)
	if c.arrange != nil {
		c.arrange(t, m)
	}
	before := m.state(c.logs)
	r := m.dkms(c.args...)
	after := m.state(c.logs)
	if c.restore != nil {
		c.restore(m)
	}
	if r.Status != c.status && (c.status != anyFailure || r.Status == 0) {
		t.Errorf("exit status %d; want %d", r.Status, c.status)
	}
	if !objectProblem.MatchString(r.Stderr) {
		t.Errorf(`stderr has no "object: problem"`)
	}
	if !regexp.MustCompile(c.says).MatchString(r.Stderr) {
		t.Errorf("stderr does not match %q", c.says)
	}
	if strings.Contains(r.Stderr, "goroutine ") || r.Status == 2 && strings.Contains(r.Stderr, "panic") {
		t.Errorf("it panics")
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
	if t.Failed() {
		t.Log(r)
	}
}

// TestConfCommandLimit has a dkms.conf run a command that never ends: it is
// ended, a person is told, and what depends on nothing of it goes on, as with
// a command that fails.
func TestConfCommandLimit(t *testing.T) {
	t.Parallel()
	if !*full {
		t.Skip("takes as long as a command may; only in the full run")
	}
	m := newMachine(t, ours)
	m.fresh(t)
	conf("X=$(sleep 1000)\n")(t, m)
	r := m.want(t, 0, "build", "bad/1.0", "-k", "{K}")
	if r.Took > time.Minute || !strings.Contains(r.Stderr, "sleep") {
		t.Errorf("it took %v; want a minute at most, and a warning\n%s", r.Took, r)
	}
}

// fresh puts the package bad/1.0, which is good, into the tree.
func (m machine) fresh(t *testing.T) {
	t.Helper()
	m.Must("sh", "-c", "rm -rf /var/lib/dkms/[!m]* /var/lib/dkms/.dkms-hook/runs /var/lib/dkms/.dkms-hook/digests.json /var/lib/dkms/.dkms-hook/build-times.json /usr/src/*-[0-9] /usr/src/bad-1.0 /root/* /lib/modules/*/updates /etc/dkms/bad*")
	m.Write("/usr/src/bad-1.0/dkms.conf", goodConf)
	m.Write("/usr/src/bad-1.0/Makefile", "obj-m := bad.o\n")
	m.Write("/usr/src/bad-1.0/bad.c", goodSource)
	m.want(t, 0, "add", "bad/1.0")
}

// state is all that a refusal must not change. What a failed build leaves for
// a person to read is meant to be left, and so is what is remembered: that
// something has failed, of the run, what has been read and what builds took.
func (m machine) state(logs bool) box.Snapshot {
	const own = "/var/lib/dkms/.dkms-hook"
	s := m.Snapshot(func(path string) bool {
		switch {
		case strings.HasPrefix(path, "/usr/src/linux-"), strings.HasPrefix(path, "/usr/src/python"):
			return true // the machine's
		case path == "/var/lib/dkms/bad/1.0/build":
			return logs
		case path == "/var/lib/dkms/bad/1.0/.log", path == own+"/lock", path == own+"/digests.json", path == own+"/build-times.json":
			return true
		}
		return strings.HasPrefix(path, own+"/runs/") || strings.HasPrefix(path, own+"/depmod/") // the latter: depmod is due
	}, "/var/lib/dkms", "/usr/src", "/lib/modules", "/etc/dkms")
	maps.DeleteFunc(s, func(path, what string) bool {
		// Folders of ours; anything that is left in one shows.
		return strings.HasPrefix(path, own) && strings.HasPrefix(what, "d")
	})
	return s
}

const goodConf = `PACKAGE_NAME="bad"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME[0]="bad"
DEST_MODULE_LOCATION[0]="/updates"
AUTOINSTALL="yes"
`

const goodSource = `// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

MODULE_DESCRIPTION("a module without any use");
MODULE_LICENSE("GPL");
`

// conf replaces the dkms.conf of the package by one that has more lines.
func conf(more string) func(*testing.T, machine) {
	return func(_ *testing.T, m machine) { m.Write("/usr/src/bad-1.0/dkms.conf", goodConf+more) }
}

// wholeConf replaces the dkms.conf of the package.
func wholeConf(text string) func(*testing.T, machine) {
	return func(_ *testing.T, m machine) { m.Write("/usr/src/bad-1.0/dkms.conf", text) }
}

// file adds a file to the package's source, or changes one.
func file(name, text string, more string) func(*testing.T, machine) {
	return func(_ *testing.T, m machine) {
		m.WriteProgram("/usr/src/bad-1.0/"+name, text)
		m.Write("/usr/src/bad-1.0/dkms.conf", goodConf+more)
	}
}

func shell(script string) func(*testing.T, machine) {
	return func(_ *testing.T, m machine) { m.Must("sh", "-ec", m.words([]string{script})[1]) }
}

func words(s string) []string { return strings.Fields(s) }
