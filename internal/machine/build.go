package machine

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// BuildEnvironment is what framework.conf's build_environment file, a shell
// script, adds to the environment of a build: NAME=VALUE each.
func (m *Machine) BuildEnvironment(ctx context.Context, release string) ([]string, error) {
	file := m.Framework.For(release).BuildEnvironment
	if file == "" {
		return nil, nil
	}
	base := []string{"PATH=" + system.SafePath}
	out, err := system.Output(ctx, system.Command{Args: []string{"bash", "-c", `set -a; . "$1" >/dev/null && exec env -0`, "bash", file}, Env: base, Stderr: m.console.W})
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.ConfInvalid, Object: file, Problem: "build_environment could not be read", Err: err}
	}
	var env []string
	for _, pair := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		name, _, _ := strings.Cut(pair, "=")
		if name != "PATH" && name != "PWD" && name != "SHLVL" && name != "_" {
			env = append(env, pair)
		}
	}
	return env, nil
}

// Built is what the tree remembers of a build.
func (m *Machine) Built(ref dkms.Ref, recipe kbuild.Recipe, from kbuild.Fingerprint) tree.Built {
	b := tree.Built{Modules: m.ModulesOf(recipe), Fingerprint: from.String()}
	c := m.Candidate(ref.Package, m.Tree.SourceLink(ref.Package), true)
	// The directory too: its time tells of overrides that come or go.
	overrides, _ := filepath.Glob(filepath.Join(EtcDir, c.Name+"*.conf"))
	b.ConfFiles = append([]string{c.ConfFile, EtcDir}, overrides...)
	return b
}
