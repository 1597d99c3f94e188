package write

import (
	"os"
	"path/filepath"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Files writes files with Data below dir, whose Path is relative to it, and
// returns their paths. Unless replace is set it writes none if one of them is
// there; each is there whole or not at all.
func Files(dir string, files []pkgfmt.File, replace bool) (paths []string, err error) {
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		if !replace && system.Exists(path) {
			return nil, &dkms.Error{Object: path, Problem: "is there already", Hint: "--force replaces it"}
		}
		paths = append(paths, path)
	}
	for i, f := range files {
		if err := os.MkdirAll(filepath.Dir(paths[i]), 0o755); err != nil {
			return nil, cannotWrite(paths[i], err)
		}
		if err := system.WriteFile(paths[i], f.Data, f.Mode); err != nil {
			return nil, cannotWrite(paths[i], err)
		}
	}
	return paths, nil
}
