package source

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Read reads the directory dir: the files that belong into a package, and what
// can be said of it by dkms-mkpkg.yaml, dkms.conf, the C sources, texts of
// licences, debian/ or a spec file, and the git repository, in this order.
// Nothing outside of dir is read, but for the repository that it lies in.
//
// The errors are *dkms.Error: SourceMissing and ConfMissing; ConfInvalid, as
// conf.Load has it, and for a name or a version that nobody tells; ArchiveInvalid
// for a tree with what cannot or should not be packaged; Usage for a
// dkms-mkpkg.yaml, or options, that make no sense. Where there are several
// problems, a *conf.Invalid inside has them all.
func Read(ctx context.Context, dir string, o Options) (*Description, error) {
	w, err := openTree(dir)
	if err != nil {
		return nil, err
	}
	defer w.close()
	r := reader{walk: w, options: o}
	for _, step := range []func(context.Context) error{r.configure, r.collect, r.identify, r.extend} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return r.describe()
}

// A reader is a Read on its way.
type reader struct {
	*walk
	options Options
	config  *config
	repo    *repository // nil: none
	sums    map[string][]byte
	macros  []FileMacros
	text    confText
	conf    *conf.Conf
	dkms    dkms.Package
	// places are what dkms-mkpkg.yaml, the C sources, texts of licences,
	// debian/, a spec file and the repository say, in this order.
	places  []facts
	extras  *extras
	scripts map[pkgfmt.Format]map[string]string
}

// configure reads dkms-mkpkg.yaml, and what outweighs it.
func (r *reader) configure(context.Context) error {
	if _, err := r.root.Lstat(confName); err != nil {
		return &dkms.Error{Kind: dkms.ConfMissing, Object: filepath.Join(r.dir, confName), Problem: "cannot be read", Err: system.Cause(err),
			Hint: "dkms-mkpkg init writes one"}
	}
	var err error
	if r.config, err = readConfig(r.root, r.dir, r.options.Config); err != nil {
		return err
	}
	for what, s := range r.options.Overrides {
		switch what {
		case "name":
			if s == "" {
				return &dkms.Error{Kind: dkms.Usage, Object: "name", Problem: "is empty"}
			}
			r.config.name = s
		case "version":
			if _, err := pkgfmt.MapVersion(pkgfmt.Deb, s); err != nil {
				return err
			}
			r.config.Version = s
		case "release":
			if !regexp.MustCompile(releasePattern).MatchString(s) {
				return &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("release %q", s), Problem: "has to be " + releaseForm}
			}
			r.config.release = s
		default:
			return &dkms.Error{Kind: dkms.Usage, Object: what, Problem: "is nothing that can be overridden"}
		}
	}
	return nil
}

// collect walks the tree and reads its files.
func (r *reader) collect(ctx context.Context) error {
	var err error
	if r.repo, err = openRepository(r.dir); err != nil {
		r.warn("%s: the repository that it lies in cannot be read, and is passed over: %v", r.dir, err)
	}
	r.ignore.config = patterns(".", strings.Join(r.config.ignore, "\n"))
	if r.repo != nil {
		r.ignore.tracked = r.repo.tracked()
	}
	if err := r.run(ctx); err != nil {
		return err
	}
	var blobs map[string]string
	if r.sums, blobs, err = digests(ctx, r.root, r.dir, r.files); err != nil {
		return err
	}
	if r.repo != nil {
		r.repo.compare(r.files, blobs, r.ignore.leftOut)
		r.repo.compareConfig(r.root)
	}
	r.macros = readMacros(r.root, r.files)
	text, err := readSmall(r.root, confName, maxConfText)
	if err != nil {
		return &dkms.Error{Kind: dkms.ConfMissing, Object: filepath.Join(r.dir, confName), Problem: "cannot be read", Err: system.Cause(err)}
	}
	r.text = parseConf(string(text))
	return nil
}

// maxConfText is how long a dkms.conf may be, in bytes.
const maxConfText = 1 << 20

// extend finds the files and scripts that dkms-mkpkg.yaml names.
func (r *reader) extend(ctx context.Context) error {
	var err error
	if r.extras, err = extraFiles(ctx, r.config, r.root, r.dir, r.dkms); err != nil {
		return err
	}
	r.scripts, err = scriptTexts(r.config, r.root)
	return err
}

// describe puts together what was found.
func (r *reader) describe() (*Description, error) {
	d := &Description{
		Dir: r.dir, DKMS: r.dkms, Conf: r.conf, Uses: uses(r.conf, r.text),
		Name: packageName(r.config.name, r.dkms.Name), UpstreamVersion: r.dkms.Version,
		Epoch: r.config.epoch, Release: r.config.release,
		Relations: map[pkgfmt.Format]pkgfmt.Relations{pkgfmt.Deb: *r.config.relations[pkgfmt.Deb], pkgfmt.RPM: *r.config.relations[pkgfmt.RPM]},
		Scripts:   r.scripts, Files: r.files, Extra: r.extras.files, ExtraFormats: r.extras.only,
		Licences: licenceFiles(r.files), Hash: treeHash(r.files, r.sums), Kmod: r.config.kmod,
	}
	if r.config.Version != "" {
		d.UpstreamVersion = r.config.Version
	}
	if r.repo != nil {
		d.Git = &r.repo.Git
	}
	r.fill(d)
	var err error
	if d.Time, err = r.time(os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		return nil, err
	}
	d.Warnings = r.warnings
	return d, nil
}

// fill takes each fact from the first place that has it.
func (r *reader) fill(d *Description) {
	d.Summary = first(r.places, func(f facts) string { return f.Summary })
	d.Description = first(r.places, func(f facts) string { return f.Description })
	d.License = first(r.places, func(f facts) string { return f.License })
	d.Homepage = first(r.places, func(f facts) string { return f.Homepage })
	d.Vendor = first(r.places, func(f facts) string { return f.Vendor })
	d.Section = first(r.places, func(f facts) string { return f.Section })
	// Who makes the package need not be who wrote the module: the author is
	// asked last.
	makers := append(slices.Delete(slices.Clone(r.places), 1, 2), r.places[1])
	d.Maintainer = first(makers, func(f facts) string { return f.Maintainer })
	for _, f := range r.places {
		if len(f.Changes) > 0 {
			d.Changes = f.Changes
			break
		}
	}
	for _, key := range []struct{ name, said, example string }{
		{"license", d.License, "license: GPL-2.0-only"},
		{"maintainer", d.Maintainer, "maintainer: NAME <ADDRESS>"},
	} {
		if key.said == "" {
			r.warn("%s: nothing tells of one; say it in %s, such as %q", key.name, ConfigName, key.example)
		}
	}
	for _, p := range r.conf.Warnings {
		p.File = strings.TrimPrefix(p.File, r.dir+"/")
		r.warn("%s", p)
	}
	r.missingPatches()
	slices.Sort(r.warnings)
}

// missingPatches tells of patches that the package will not bring: where they are
// to be applied, nothing can be built.
func (r *reader) missingPatches() {
	patches := r.conf.Values["PATCH"]
	for _, i := range patches.Indexes() {
		path := "patches/" + patches[i]
		if patches[i] != "" && !slices.ContainsFunc(r.files, func(f pkgfmt.File) bool { return f.Path == path }) {
			r.warn("%s: PATCH[%d]: %s is not in the package", confName, i, path)
		}
	}
}

// time is that of everything in the package: what the environment says
// (https://reproducible-builds.org/specs/source-date-epoch), else that of the
// newest commit if nothing has been changed since, else that of the newest file.
func (r *reader) time(epoch string) (time.Time, error) {
	if epoch != "" {
		n, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil || n < 0 || n > math.MaxUint32 {
			return time.Time{}, &dkms.Error{Kind: dkms.Usage, Object: fmt.Sprintf("SOURCE_DATE_EPOCH %q", shortened(epoch)),
				Problem: "is no number of seconds since 1970 that a package can have"}
		}
		return time.Unix(n, 0).UTC(), nil
	}
	at := r.newest
	if r.extras.newest.After(at) {
		at = r.extras.newest
	}
	if r.repo != nil && !r.repo.Dirty {
		at = r.repo.time
	}
	now := time.Now
	if r.options.Now != nil {
		now = r.options.Now
	}
	if at.After(now()) {
		r.warn("%s: is from the future, %s, and the package will be, too", r.dir, at.UTC().Format(time.RFC3339))
	}
	return time.Unix(min(max(at.Unix(), 0), math.MaxUint32), 0).UTC(), nil
}

// Schema returns the JSON Schema (draft 2020-12) of dkms-mkpkg.yaml.
func Schema() []byte {
	s := newConfig().document().schema()
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = ConfigName
	s["description"] = "What the packages of a source with a dkms.conf are, as far as its files do not tell"
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil // texts and maps of texts cannot fail
	}
	return append(text, '\n')
}
