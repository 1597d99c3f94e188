package source

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// maxCommitted is how many files a commit may have below the source to be
// compared with it.
const maxCommitted = 200_000

// A repository is what its newest commit says of the source.
type repository struct {
	Git
	time time.Time
	tags []string // of the commit
	// blobs are the names that git has for the contents, by path below the
	// source; directories are there too, without one.
	blobs map[string]string
	// modules are directories that are repositories of their own.
	modules []string
}

// openRepository reads the repository that dir lies in. It is nil when there
// is none that has files of dir in its newest commit. An error is a reason to
// go on without it; whatever is in a stranger's .git, there is no panic.
func openRepository(dir string) (repo *repository, err error) {
	defer func() {
		if r := recover(); r != nil {
			repo, err = nil, fmt.Errorf("is damaged: %v", r)
		}
	}()
	r, err := git.PlainOpenWithOptions(dir, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	commit, err := newestCommit(r)
	if commit == nil || err != nil {
		return nil, err
	}
	tree, err := treeBelow(r, commit, dir)
	if tree == nil || err != nil {
		return nil, err
	}
	repo = &repository{Git: Git{Commit: commit.Hash.String()}, time: commit.Committer.When, blobs: map[string]string{}}
	if err := repo.readTree(tree); err != nil {
		return nil, err
	}
	if repo.blobs[confName] == "" {
		return nil, nil // the source only happens to lie in there
	}
	if repo.tags, err = tagsOf(r, commit.Hash); err != nil {
		return nil, err
	}
	repo.Remote, err = remoteOf(r)
	return repo, err
}

// newestCommit is nil when nothing has been committed.
func newestCommit(r *git.Repository) (*object.Commit, error) {
	head, err := r.Head()
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.CommitObject(head.Hash())
}

// treeBelow is what a commit has of dir; nil when it has nothing, or there is
// no worktree.
func treeBelow(r *git.Repository, commit *object.Commit, dir string) (*object.Tree, error) {
	worktree, err := r.Worktree()
	if errors.Is(err, git.ErrIsBareRepository) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	top, err := filepath.EvalSymlinks(worktree.Filesystem.Root())
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	below, err := filepath.Rel(top, real)
	if err != nil || strings.HasPrefix(below, "..") {
		return nil, nil
	}
	tree, err := commit.Tree()
	if err != nil || below == "." {
		return tree, err
	}
	tree, err = tree.Tree(filepath.ToSlash(below))
	if errors.Is(err, object.ErrDirectoryNotFound) {
		return nil, nil
	}
	return tree, err
}

func (r *repository) readTree(tree *object.Tree) error {
	walker := object.NewTreeWalker(tree, true, nil)
	defer walker.Close()
	for {
		name, entry, err := walker.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(r.blobs) > maxCommitted:
			return fmt.Errorf("has more than %d files", maxCommitted)
		case entry.Mode == filemode.Dir:
			r.blobs[name] = ""
		case entry.Mode == filemode.Submodule:
			r.blobs[name] = ""
			r.modules = append(r.modules, name+"/")
		default:
			r.blobs[name] = entry.Hash.String()
		}
	}
}

// tracked are the paths that the commit has.
func (r *repository) tracked() map[string]bool {
	out := map[string]bool{}
	for name := range r.blobs {
		out[name] = true
	}
	return out
}

// compare tells whether the files that go into a package differ from the
// commit's; blobs are the names that git would have for them.
func (r *repository) compare(files []pkgfmt.File, blobs map[string]string, ignored func(name string) bool) {
	there := map[string]bool{}
	for _, f := range files {
		there[f.Path] = true
		blob := blobs[f.Path]
		if f.Kind == pkgfmt.Link {
			blob = blobOf([]byte(f.Target))
		}
		own := slices.ContainsFunc(r.modules, func(m string) bool { return strings.HasPrefix(f.Path, m) })
		if f.Kind != pkgfmt.Directory && !own && r.blobs[f.Path] != blob {
			r.Dirty = true
		}
	}
	for name, blob := range r.blobs {
		if blob != "" && !there[name] && !ignored(name) {
			r.Dirty = true
		}
	}
}

// compareConfig tells the same of dkms-mkpkg.yaml, which is in no package and
// says what is.
func (r *repository) compareConfig(root *os.Root) {
	text, err := readSmall(root, ConfigName, maxConfig)
	if err == nil && r.blobs[ConfigName] != blobOf(text) || err != nil && r.blobs[ConfigName] != "" {
		r.Dirty = true
	}
}

// blobOf is git's name for a content.
func blobOf(content []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// tagsOf are the tags of a commit.
func tagsOf(r *git.Repository, commit plumbing.Hash) ([]string, error) {
	refs, err := r.Tags()
	if err != nil {
		return nil, err
	}
	var tags []string
	err = refs.ForEach(func(ref *plumbing.Reference) error {
		hash := ref.Hash()
		if t, err := r.TagObject(hash); err == nil {
			hash = t.Target
		}
		if hash == commit {
			tags = append(tags, ref.Name().Short())
		}
		return nil
	})
	return tags, err
}

// chooseTag takes one of the commit's tags: of those that look like a version of
// name, the highest.
func (r *repository) chooseTag(name string) {
	for _, tag := range r.tags {
		old, now := versionOfTag(r.Tag, name), versionOfTag(tag, name)
		c := dkms.CompareVersions(old, now)
		if c == 0 {
			c = strings.Compare(r.Tag, tag)
		}
		if old == "" && now != "" || (old == "") == (now == "") && c < 0 {
			r.Tag = tag
		}
	}
}

// remoteOf is the URL of where the repository was cloned from: origin, else
// the first one by name. It is without a password, and nothing when it is a
// directory of this machine.
func remoteOf(r *git.Repository) (string, error) {
	c, err := r.Config()
	if err != nil {
		return "", err
	}
	var names []string
	for name := range c.Remotes {
		names = append(names, name)
	}
	slices.Sort(names)
	if slices.Contains(names, "origin") {
		names = []string{"origin"}
	}
	if len(names) == 0 || len(c.Remotes[names[0]].URLs) == 0 {
		return "", nil
	}
	return publicURL(c.Remotes[names[0]].URLs[0]), nil
}

// publicURL is a remote's URL as others may see it.
func publicURL(remote string) string {
	if u, err := url.Parse(remote); err == nil && u.Host != "" {
		if u.Scheme == "http" || u.Scheme == "https" {
			u.User = nil
		} else if u.User != nil {
			u.User = url.User(u.User.Username())
		}
		u.RawQuery, u.Fragment = "", ""
		return u.String()
	}
	// scp's HOST:PATH, with the user that ssh needs.
	host, rest, found := strings.Cut(remote, ":")
	if found && rest != "" && !strings.ContainsAny(host, "/ ") && !strings.HasPrefix(rest, "//") {
		return remote
	}
	return ""
}

// webPage is the page of a repository at one of the forges, from its remote.
func webPage(remote string) string {
	text := strings.TrimSuffix(strings.TrimSuffix(remote, "/"), ".git")
	if host, rest, found := strings.Cut(text, ":"); found && !strings.Contains(text, "://") {
		text = "https://" + host[strings.LastIndexByte(host, '@')+1:] + "/" + strings.TrimPrefix(rest, "/")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || path.Clean(u.Path) == "/" {
		return ""
	}
	for _, forge := range []string{"github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "git.sr.ht", "salsa.debian.org", "pagure.io"} {
		if u.Hostname() == forge {
			return "https://" + forge + u.Path
		}
	}
	if u.Scheme == "https" {
		return u.String()
	}
	return ""
}

// versionOfTag is the version that a tag stands for: v1.2, 1.2, NAME-1.2,
// release-1.2; empty when it is none.
func versionOfTag(tag, name string) string {
	rest := tag[strings.LastIndexByte(tag, '/')+1:]
	for _, prefix := range []string{name, "release", "version", "rel", "ver"} {
		if short, ok := cutFold(rest, prefix); ok && short != "" && strings.ContainsAny(short[:1], "-_.") {
			rest = short[1:]
		}
	}
	if short, ok := cutFold(rest, "v"); ok {
		rest = short
	}
	if rest == "" || rest[0] < '0' || rest[0] > '9' {
		return ""
	}
	return rest
}

// cutFold cuts a prefix in whatever case.
func cutFold(s, prefix string) (string, bool) {
	if prefix == "" || len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
