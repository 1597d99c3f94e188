package write

import (
	"path"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// withParents adds the directories above the files that are not there yet and
// that wanted wants, and sorts all by path.
func withParents(files []pkgfmt.File, wanted func(dir string) bool) []pkgfmt.File {
	seen := make(map[string]bool, len(files))
	for _, f := range files {
		seen[f.Path] = true
	}
	all := slices.Clone(files)
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "/" && dir != "." && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			if wanted(dir) {
				all = append(all, pkgfmt.File{Path: dir, Kind: pkgfmt.Directory, Mode: 0o755})
			}
		}
	}
	slices.SortFunc(all, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	return all
}
