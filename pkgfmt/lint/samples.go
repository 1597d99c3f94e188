package lint

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// A sample is a kernel that a dkms.conf is evaluated for.
type sample struct{ release, arch string }

// samples are three kernels that are on no machine.
var samples = []sample{
	{"6.1.0-0-amd64", "x86_64"},
	{"5.14.0-0.el9.x86_64", "x86_64"},
	{"7.0.0-0-default", "aarch64"},
}

func (s sample) kernel() kbuild.Kernel {
	dir := "/lib/modules/" + s.release
	return kbuild.Kernel{
		KernelID: dkms.KernelID{Release: s.release, Arch: s.arch}, ModuleDir: dir,
		Source: dir + "/build", ConfigFile: dir + "/build/.config", Suffix: ".ko",
	}
}

// trees are the usual ones.
var trees = conf.Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"}

// evaluate asks what the dkms.conf means for each sample, and notes what conf
// has to say: problems of any sample, warnings that all have.
func (l *linter) evaluate(ctx context.Context) error {
	noted := map[conf.Problem]bool{}
	for _, s := range samples {
		c, problems, err := l.load(ctx, s)
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			l.atConf("unreadable", 0, "%v", err)
			return nil
		case l.syntaxErrors(problems):
			return nil
		}
		l.answers = append(l.answers, answer{sample: s, conf: c})
		for _, p := range problems {
			if !noted[p] && !slices.Contains(c.Warnings, p) {
				noted[p] = true
				l.problem(p)
			}
		}
		if endless(problems) {
			return nil // it would not end for the others either
		}
	}
	for _, p := range l.sharedWarnings() {
		l.warning(p)
	}
	return nil
}

// load is what the dkms.conf means for a sample, and what makes it invalid.
func (l *linter) load(ctx context.Context, s sample) (*conf.Conf, []conf.Problem, error) {
	c, err := conf.Load(ctx, conf.Request{
		File: filepath.Join(l.tree.dir, l.confPath), Trees: trees, Jobs: 1, NoJobs: true,
		Timeout: l.bounds.timeout, Programs: l.bounds.programs,
	}, s.kernel())
	var invalid *conf.Invalid
	if errors.As(err, &invalid) {
		return c, invalid.Problems, nil
	}
	return c, nil, err
}

// syntaxErrors notes those that there are, and whether there are any.
func (l *linter) syntaxErrors(problems []conf.Problem) bool {
	for _, p := range problems {
		if isSyntaxError(p) {
			l.problem(p)
			l.garbled = true
		}
	}
	return l.garbled
}

// sharedWarnings are those that all answers have, in their order.
func (l *linter) sharedWarnings() []conf.Problem {
	count := map[conf.Problem]int{}
	var all []conf.Problem
	for _, a := range l.answers {
		for _, p := range slices.Compact(slices.Clone(a.conf.Warnings)) {
			if count[p]++; count[p] == 1 {
				all = append(all, p)
			}
		}
	}
	return slices.DeleteFunc(all, func(p conf.Problem) bool { return count[p] < len(l.answers) })
}

func endless(problems []conf.Problem) bool {
	return slices.ContainsFunc(problems, func(p conf.Problem) bool { return strings.HasPrefix(p.Text, "does not come to an end") })
}
