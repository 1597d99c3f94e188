package kbuild

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// patch applies the recipe's patches. All are looked for before the first one
// changes anything.
func (b *builder) patch(ctx context.Context) error {
	paths := make([]string, 0, len(b.job.Recipe.Patches))
	for _, name := range b.job.Recipe.Patches {
		path, err := b.findPatch(name)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	for i, path := range paths {
		if err := b.applyPatch(ctx, b.job.Recipe.Patches[i], path); err != nil {
			return err
		}
	}
	return nil
}

// findPatch returns the file of a patch: in /etc/dkms/NAME/patches, else in
// the source's patches/.
func (b *builder) findPatch(name string) (string, error) {
	missing := func(problem, hint string) error {
		return &dkms.Error{Kind: dkms.PatchMissing, Problem: "patch " + name + " " + problem, Hint: hint}
	}
	if !filepath.IsLocal(name) || slices.Contains(strings.Split(name, "/"), "..") {
		return "", missing("is not a path below patches/", "PATCH in dkms.conf names files of the source's directory patches/")
	}
	places := []string{filepath.Join(b.job.Build, "patches", name)}
	if own := b.etcDir(); own != "" {
		places = append([]string{filepath.Join(own, "patches", name)}, places...)
	}
	for _, path := range places {
		if isRegular(path) {
			return path, nil
		}
	}
	return "", missing("is missing", "PATCH in dkms.conf names it; it belongs into "+filepath.Join(b.job.Source, "patches"))
}

// isRegular reports whether path is a regular file, or a link to one.
func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// applyPatch runs patch(1). -f has it ask nothing and never take a patch for
// a reversed one.
func (b *builder) applyPatch(ctx context.Context, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	err = b.command(ctx, "patch -p1 -f <"+path, system.Command{Args: []string{"patch", "-p1", "-f"}, Stdin: f})
	if err == nil || ctx.Err() != nil {
		return err
	}
	failed := &dkms.Error{Kind: dkms.PatchFailed, Problem: "patch " + name + " does not apply", Err: err}
	if errors.Is(err, exec.ErrNotFound) {
		failed.Problem, failed.Hint, failed.Err = "the program patch is not installed", "install patch", nil
	}
	return failed
}
