package lint

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	warnings := map[conf.Problem]int{}
	var order []conf.Problem
	seen := map[conf.Problem]bool{}
	for _, s := range samples {
		c, err := conf.Load(ctx, conf.Request{
			File: filepath.Join(l.tree.dir, l.confPath), Trees: trees, Jobs: 1, NoJobs: true,
			Timeout: 3 * time.Second, Programs: l.programs,
		}, s.kernel())
		var invalid *conf.Invalid
		if err != nil && !errors.As(err, &invalid) {
			if ctx.Err() != nil {
				return err
			}
			l.atConf("unreadable", 0, "%v", err)
			return nil
		}
		if l.syntaxErrors(invalid) {
			return nil
		}
		l.answers = append(l.answers, answer{sample: s, conf: c})
		if invalid != nil {
			for _, p := range invalid.Problems {
				if !seen[p] && !slices.Contains(c.Warnings, p) {
					seen[p] = true
					l.problem(p)
				}
			}
		}
		if invalid != nil && endless(invalid.Problems) {
			return nil // it would not end for the others either
		}
		for _, p := range slices.Compact(slices.Clone(c.Warnings)) {
			if warnings[p]++; warnings[p] == 1 {
				order = append(order, p)
			}
		}
	}
	for _, p := range order {
		if warnings[p] >= len(l.answers) {
			l.warning(p)
		}
	}
	return nil
}

// syntaxErrors notes those that there are, and whether there are any.
func (l *linter) syntaxErrors(invalid *conf.Invalid) bool {
	if invalid == nil {
		return false
	}
	for _, p := range invalid.Problems {
		if isSyntaxError(p) {
			l.problem(p)
			l.garbled = true
		}
	}
	return l.garbled
}

func endless(problems []conf.Problem) bool {
	return slices.ContainsFunc(problems, func(p conf.Problem) bool { return strings.HasPrefix(p.Text, "does not come to an end") })
}
