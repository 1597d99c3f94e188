package lint

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// confName is the name of the file that all is about.
const confName = "dkms.conf"

// Path judges what is at path: a directory with a dkms.conf, a dkms.conf by
// itself, a .deb or an .rpm. The findings are in order of their places. The
// error, a *dkms.Error where path is to blame, is about what cannot be judged at
// all.
func Path(ctx context.Context, path string) ([]Finding, error) {
	return at(ctx, path, bounds{programs: conf.Harmless(), timeout: 3 * time.Second})
}

// bounds are what a dkms.conf may do while it is evaluated.
type bounds struct {
	programs []string      // that it may start
	timeout  time.Duration // of one of them; three times as long for all of it
}

// at is Path with what a dkms.conf may do.
func at(ctx context.Context, path string, b bounds) ([]Finding, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &dkms.Error{Kind: dkms.SourceMissing, Object: path, Problem: "cannot be read: " + reason(err),
			Hint: "name a directory with a dkms.conf, a dkms.conf, a .deb or an .rpm"}
	}
	switch {
	case info.IsDir():
		return directory(ctx, path, b)
	case !info.Mode().IsRegular():
		return nil, &dkms.Error{Kind: dkms.Usage, Object: path, Problem: "is neither a file nor a directory"}
	case isPackage(path):
		return distributionPackage(ctx, path, b)
	}
	return single(ctx, path, info, b)
}

// directory judges a tree on disk.
func directory(ctx context.Context, dir string, b bounds) ([]Finding, error) {
	t, err := readTree(ctx, dir)
	if err != nil {
		return nil, err
	}
	l := &linter{tree: t, whole: true, bounds: b}
	if e, ok := t.find(confName); ok && e.mode.IsRegular() {
		l.confPath = confName
	} else if !t.isBroken(".") {
		l.add("no-conf", ".", 0, "there is no dkms.conf")
	}
	if err := l.judge(ctx); err != nil {
		return nil, err
	}
	return l.finish(), nil
}

// single judges a dkms.conf of which the tree is not known.
func single(ctx context.Context, path string, info os.FileInfo, b bounds) ([]Finding, error) {
	if info.Size() > shellLimit {
		return nil, &dkms.Error{Kind: dkms.Usage, Object: path, Problem: "is no dkms.conf, deb or rpm: it is too large"}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	t := &tree{dir: filepath.Dir(abs), shown: filepath.Dir(path)}
	t.entries = []entry{{path: filepath.Base(abs), mode: info.Mode(), size: info.Size()}}
	t.index()
	l := &linter{tree: t, confPath: filepath.Base(abs), bounds: b}
	if err := l.judge(ctx); err != nil {
		return nil, err
	}
	return l.finish(), nil
}
