package operand

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// fromRPM has rpm install a package of sources, and takes the one that it
// brought to /usr/src.
func (f *Finder) fromRPM(ctx context.Context, have tree.Snapshot, file string) (*machine.Candidate, error) {
	failed := func(problem string, err error) error {
		return &dkms.Error{Kind: dkms.DestNotWritable, Object: file, Problem: problem, Err: err}
	}
	list, err := system.Output(ctx, system.Command{Args: []string{"rpm", "-qlp", file}, Stderr: f.console.W})
	if err != nil {
		return nil, failed("rpm cannot read it", err)
	}
	place := ""
	for path := range strings.Lines(string(list)) {
		path = strings.TrimSpace(path)
		if filepath.Base(path) == "dkms.conf" && filepath.Dir(filepath.Dir(path)) == f.tree.SourceDir {
			place = filepath.Dir(path)
		}
	}
	if place == "" {
		return nil, &dkms.Error{Kind: dkms.ArchiveNoConf, Object: file, Problem: "has no dkms.conf below " + f.tree.SourceDir}
	}
	if err := system.Run(ctx, system.Command{Args: []string{"rpm", "-Uvh", file}, Stdout: f.console.W, Stderr: f.console.W}); err != nil {
		return nil, failed("rpm cannot install it", err)
	}
	return f.fromDirectory(ctx, have, place, filepath.Join(place, "dkms.conf"))
}
