package recipe

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// A repository is what git says of a directory that is the top of a checkout.
type repository struct {
	name string // the last element of where it was cloned from
	tag  string // the version of the newest tag that HEAD has behind it
}

// maxCommits is how far back a tag is looked for.
const maxCommits = 5000

// readRepository reads the repository in dir. Where there is none, or it cannot
// be read, nothing is known; whatever is in it, there is no panic.
func readRepository(dir string) (found repository) {
	defer func() { _ = recover() }() // a damaged .git tells nothing
	r, err := git.PlainOpenWithOptions(dir, &git.PlainOpenOptions{EnableDotGitCommonDir: true})
	if err != nil {
		return found
	}
	if c, err := r.Config(); err == nil && c.Remotes["origin"] != nil && len(c.Remotes["origin"].URLs) > 0 {
		found.name = remoteName(c.Remotes["origin"].URLs[0])
	}
	base, _ := splitName(filepath.Base(dir))
	found.tag = newestTag(r, found.name, base)
	return found
}

var errFound = errors.New("found")

// newestTag is the version of the first tag on the way back from HEAD.
func newestTag(r *git.Repository, names ...string) string {
	tags := map[plumbing.Hash]string{}
	refs, err := r.Tags()
	if err != nil {
		return ""
	}
	_ = refs.ForEach(func(ref *plumbing.Reference) error {
		hash := ref.Hash()
		if t, err := r.TagObject(hash); err == nil {
			hash = t.Target
		}
		if v := versionOfTag(ref.Name().Short(), names); v != "" && (tags[hash] == "" || dkms.CompareVersions(v, tags[hash]) > 0) {
			tags[hash] = v
		}
		return nil
	})
	head, err := r.Head()
	if err != nil || len(tags) == 0 {
		return ""
	}
	commits, err := r.Log(&git.LogOptions{From: head.Hash(), Order: git.LogOrderCommitterTime})
	if err != nil {
		return ""
	}
	version, seen := "", 0
	_ = commits.ForEach(func(c *object.Commit) error {
		if version = tags[c.Hash]; version != "" || seen > maxCommits {
			return errFound
		}
		seen++
		return nil
	})
	return version
}

var tagVersion = regexp.MustCompile(`^[vV]?([0-9][0-9A-Za-z.~+_-]*)$`)

// versionOfTag is the version in v1.2, 1.2, NAME-1.2 or release-1.2, or "".
func versionOfTag(tag string, names []string) string {
	for _, prefix := range append([]string{"release", "version"}, names...) {
		if rest, ok := strings.CutPrefix(tag, prefix); ok && prefix != "" && rest != "" && strings.ContainsAny(rest[:1], "-_/") {
			tag = rest[1:]
			break
		}
	}
	if m := tagVersion.FindStringSubmatch(tag); m != nil && usableVersion(m[1]) {
		return m[1]
	}
	return ""
}
