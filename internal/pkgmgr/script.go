package pkgmgr

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Package managers, as Script.Manager names them.
const (
	Dpkg = "dpkg"
	RPM  = "rpm"
)

// Script is the package's script that called us. Its zero value is nobody's:
// a person, a timer, the boot.
type Script struct {
	Manager string   // Dpkg or RPM
	Package string   // "foo-dkms", without architecture; empty with rpm, which tells nobody
	Name    string   // "preinst", "postinst", "prerm" or "postrm"; empty with rpm
	Verb    string   // first argument with dpkg: "configure", "upgrade"…; empty if it cannot be known
	Args    []string // what follows the verb; with rpm the scriptlet's arguments, as far as they are known
}

// Replacing reports whether the script is one after which something takes, or
// has taken, the package's place: a prerm because of another version (upgrade,
// failed-upgrade) or of a package that breaks it and lets it be configured again
// (deconfigure), or of one that conflicts with it (remove in-favour), see
// deb-prerm(5); or a scriptlet of a transaction that leaves
// an instance of the package (rpm-scriptlets(7)): its argument is not 0.
func (s Script) Replacing() bool {
	if s.Manager == RPM {
		return len(s.Args) > 0 && s.Args[0] != "0"
	}
	if s.Manager != Dpkg || s.Name != "prerm" {
		return false
	}
	if s.Verb == "remove" { // in-favour NEW VERSION: of a package that conflicts with it
		return len(s.Args) > 0 && s.Args[0] == "in-favour"
	}
	return s.Verb == "upgrade" || s.Verb == "failed-upgrade" || s.Verb == "deconfigure"
}

// Caller returns the nearest script of a package manager among our ancestors.
//
// dpkg tells its scripts their package and name in the environment (dpkg(1),
// INTERNAL ENVIRONMENT), but not how it calls them: that is read from the
// script's own command line in /proc. Where a /proc shows our ancestors and
// none is that script, the environment has outlived it, as in a daemon that a
// postinst started, and the caller is nobody. Without /proc, or if the script
// had us exec(2)ed in its place, dpkg's database tells what it can: a package
// that is wanted no more is being removed, any other one upgraded.
func Caller() Script {
	byDpkg := Script{
		Manager: Dpkg,
		Package: os.Getenv("DPKG_MAINTSCRIPT_PACKAGE"),
		Name:    os.Getenv("DPKG_MAINTSCRIPT_NAME"),
	}
	isDpkg := byDpkg.Package != "" && byDpkg.Name != ""
	if !procIsOurs() {
		if !isDpkg {
			return Script{}
		}
		return byDpkg.fromDatabase()
	}
	for p := range ancestors {
		if isDpkg {
			if args, ok := byDpkg.arguments(p.args); ok {
				return byDpkg.with(args)
			}
			if p.command == "dpkg" {
				return byDpkg.fromDatabase()
			}
		}
		if s, ok := rpmScript(p); ok {
			return s
		}
	}
	return Script{}
}

func (s Script) with(args []string) Script {
	if len(args) > 0 {
		s.Verb, s.Args = args[0], args[1:]
	}
	return s
}

// arguments returns what s was called with, if a process with this command
// line is s: dpkg runs DATABASE/info/PACKAGE[:ARCH].NAME, and before it has
// put a new version there DATABASE/tmp.ci/NAME. An interpreter and its options
// may stand before that.
func (s Script) arguments(commandLine []string) ([]string, bool) {
	for i, arg := range commandLine {
		dir, base := filepath.Split(arg)
		switch filepath.Base(dir) {
		case "info":
			pkg, ok := strings.CutSuffix(base, "."+s.Name)
			pkg, _, _ = strings.Cut(pkg, ":")
			if !ok || pkg != s.Package {
				continue
			}
		case "tmp.ci":
			if base != s.Name {
				continue
			}
		default:
			continue
		}
		return commandLine[i+1:], true
	}
	return nil, false
}

// rpmPrograms are the programs that run scriptlets, by their names in
// /proc/PID/stat, where the kernel cuts them after 15 bytes.
var rpmPrograms = []string{
	"rpm", "rpmdb", "dnf", "dnf-3", "dnf5", "dnf5daemon-serv", "microdnf", "tdnf", "yum",
	"zypper", "Zypp-main", "packagekitd", "rpm-ostree", "urpmi", "anaconda",
}

// rpmScript says whether p is a scriptlet, which rpm runs from a file
// /var/tmp/rpm-tmp.XXXXXX (rpm --define %_tmppath), or a program that runs
// scriptlets by itself, such as those in Lua.
func rpmScript(p process) (Script, bool) {
	for i, arg := range p.args {
		if strings.HasPrefix(filepath.Base(arg), "rpm-tmp.") {
			return Script{Manager: RPM, Args: p.args[i+1:]}, true
		}
	}
	return Script{Manager: RPM}, slices.Contains(rpmPrograms, p.command)
}

type process struct {
	command string   // at most 15 bytes
	args    []string // the command line
}

// ancestors yields our parent, its parent, and so on to process 1.
func ancestors(yield func(process) bool) {
	for pid := os.Getppid(); pid > 0; {
		p, err := system.ReadProcess(pid)
		if err != nil {
			return
		}
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err != nil {
			return
		}
		if !yield(process{p.Command, splitLine(line)}) {
			return
		}
		pid = p.Parent
	}
}

func splitLine(line []byte) []string {
	line = bytes.TrimSuffix(line, []byte{0})
	if len(line) == 0 {
		return nil
	}
	return strings.Split(string(line), "\x00")
}

// procIsOurs reports whether /proc shows our process namespace. A chroot may
// have none, or one of the machine outside, whose numbers are not ours.
func procIsOurs() bool {
	self, err := os.Readlink("/proc/self")
	return err == nil && self == strconv.Itoa(os.Getpid())
}

// fromDatabase adds how a prerm was called, as far as dpkg's database tells:
// dpkg --remove changes what is wanted before it runs the script.
func (s Script) fromDatabase() Script {
	if s.Name != "prerm" {
		return s
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := query(ctx, "dpkg-query", "-W", "-f", "${db:Status-Want}\n", s.Package)
	if err != nil {
		return s
	}
	s.Verb = "remove"
	for want := range strings.Lines(out) {
		if want != "deinstall\n" && want != "purge\n" {
			s.Verb = "upgrade"
		}
	}
	return s
}

// query returns what a package manager's program prints, in no language. Its
// empty input is a pipe, because a bare chroot may lack /dev/null.
func query(ctx context.Context, args ...string) (string, error) {
	out, err := system.Output(ctx, system.Command{
		Args: args, Env: append(os.Environ(), "LC_ALL=C"), Stdin: strings.NewReader(""),
	})
	return string(out), err
}

// Transaction identifies the process that runs the scriptlet which called us: our
// nearest ancestor that is no shell, by number and start time, so that a number
// used again is not mistaken for it.
func Transaction() (string, error) {
	for pid := os.Getppid(); ; {
		p, err := system.ReadProcess(pid)
		if err != nil {
			return "", err
		}
		if !slices.Contains([]string{"sh", "bash", "dash", "ksh", "busybox"}, p.Command) || p.Parent == 0 {
			return fmt.Sprintf("%d %d", p.PID, p.Start), nil
		}
		pid = p.Parent
	}
}
