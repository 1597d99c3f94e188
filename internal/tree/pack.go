package tree

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Names inside an archive.
const (
	sourceTree   = "dkms_source_tree"
	binariesOnly = "dkms_binaries_only"
	mainTree     = "dkms_main_tree"
)

// PackRequest says what goes into an archive (mktarball).
type PackRequest struct {
	Package      dkms.Package
	Kernels      []dkms.KernelID // each must be built; ignored with SourceOnly
	SourceOnly   bool
	BinariesOnly bool
	// File is where the archive goes; a relative one lies in TarballDir, and
	// an empty one gets the name that dkms gives it.
	File string
}

// maxName is the length of a list of kernels that dkms still puts in a name.
const maxName = 200

// ArchiveName returns the name that dkms gives an archive:
// NAME-VER-kernelRELEASE-ARCH[-kernel…].dkms.tar.gz, or with -source-only, or
// with -manykernels when the list would reach 200 characters.
func (r PackRequest) ArchiveName() string {
	var list strings.Builder
	for _, k := range r.Kernels {
		list.WriteString("-kernel" + k.Release + "-" + k.Arch)
	}
	middle := list.String()
	switch {
	case r.SourceOnly:
		middle = "-source-only"
	case len(middle) >= maxName:
		middle = "-manykernels"
	}
	return r.Package.Name + "-" + r.Package.Version + middle + ".dkms.tar.gz"
}

// Pack writes an archive that Load and dkms ldtarball read, and returns its
// path. Equal content gives equal bytes: entries are sorted and owned by root,
// and times are those of the source. Kind NotInTree: no such package;
// NothingInstalled: a kernel is not built; ConfInvalid: both SourceOnly and
// BinariesOnly; DestNotWritable.
func (t Tree) Pack(ctx context.Context, req PackRequest) (string, error) {
	if err := t.checkPack(req); err != nil {
		return "", err
	}
	file := req.File
	if file == "" {
		file = req.ArchiveName()
	}
	made := ""
	if !filepath.IsAbs(file) {
		file = filepath.Join(t.TarballDir(req.Package), file)
		if !system.Exists(t.TarballDir(req.Package)) {
			made = t.TarballDir(req.Package)
			if err := os.Mkdir(made, 0o755); err != nil {
				return "", unwritable(file, err)
			}
		}
	}
	if err := t.pack(ctx, req, file); err != nil {
		if made != "" {
			_ = os.Remove(made)
		}
		return "", err
	}
	return file, nil
}

func unwritable(file string, err error) error {
	return &dkms.Error{Kind: dkms.DestNotWritable, Object: file, Problem: "cannot be written", Err: err}
}

func (t Tree) checkPack(req PackRequest) error {
	if err := checkPackage(req.Package); err != nil {
		return err
	}
	if req.SourceOnly && req.BinariesOnly {
		return &dkms.Error{Kind: dkms.ConfInvalid, Object: "--source-only", Problem: "cannot go with --binaries-only"}
	}
	if !system.Exists(t.SourceLink(req.Package)) {
		return notInTree(req.Package)
	}
	if req.SourceOnly {
		return nil
	}
	if len(req.Kernels) == 0 {
		return &dkms.Error{Kind: dkms.NothingInstalled, Object: req.Package.String(), Problem: "is not built for any kernel"}
	}
	for _, k := range req.Kernels {
		r := dkms.Ref{Package: req.Package, KernelID: k}
		if err := checkRef(r); err != nil {
			return err
		}
		if !system.IsDir(t.ModuleDir(r)) {
			return &dkms.Error{Kind: dkms.NothingInstalled, Object: r.String(), Problem: "is not built", Hint: "dkms build comes before mktarball"}
		}
	}
	return nil
}

// pack writes to a temporary file beside the target first.
func (t Tree) pack(ctx context.Context, req PackRequest, file string) error {
	temp := hidden(file, newSuffix)
	_ = os.Remove(temp)
	out, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return unwritable(file, err)
	}
	defer func() { _ = removeIf(temp) }()
	zip, _ := gzip.NewWriterLevel(out, gzip.BestCompression) // no name, no time
	p := packer{ctx: ctx, tree: t, tar: tar.NewWriter(zip)}
	err = p.all(req)
	for _, end := range []func() error{p.tar.Close, zip.Close, out.Sync, out.Close} {
		if e := end(); err == nil && e != nil {
			err = unwritable(file, e)
		}
	}
	if err != nil {
		return problem(req.Package.String(), "cannot be packed", err)
	}
	if err := system.Rename(temp, file); err != nil {
		return unwritable(file, err)
	}
	return nil
}

type packer struct {
	ctx  context.Context
	tree Tree
	tar  *tar.Writer
	when time.Time // the newest file of the source
}

func (p *packer) all(req PackRequest) error {
	source, err := filepath.EvalSymlinks(p.tree.SourceLink(req.Package))
	if err != nil {
		return &dkms.Error{Kind: dkms.ConfMissing, Object: req.Package.String(), Problem: "is broken: its source is missing", Err: err}
	}
	p.when = newest(source)
	if err := p.dir("./", 0o755); err != nil {
		return err
	}
	if req.BinariesOnly {
		err = p.binaries(req.Package, source)
	} else {
		err = p.directory(source, "./"+sourceTree, true)
	}
	if err != nil {
		return err
	}
	if err := p.dir("./"+mainTree+"/", 0o755); err != nil {
		return err
	}
	if err := p.text("./"+mainTree+"/"+packageFile, req.Package.Name+"\n"+req.Package.Version+"\n"); err != nil {
		return err
	}
	if req.SourceOnly {
		return nil
	}
	kernels := slices.Clone(req.Kernels)
	slices.SortFunc(kernels, func(a, b dkms.KernelID) int { return strings.Compare(a.String(), b.String()) })
	last := ""
	for _, k := range slices.Compact(kernels) {
		name := "./" + mainTree + "/" + k.Release
		if k.Release != last {
			if err := p.dir(name+"/", 0o755); err != nil {
				return err
			}
		}
		last = k.Release
		if err := p.directory(p.tree.RefDir(dkms.Ref{Package: req.Package, KernelID: k}), name+"/"+k.Arch, false); err != nil {
			return err
		}
	}
	return nil
}

// binaries writes what stands for the source in an archive of binaries.
func (p *packer) binaries(pkg dkms.Package, source string) error {
	if err := p.dir("./"+binariesOnly+"/", 0o755); err != nil {
		return err
	}
	for _, f := range [][2]string{{"PACKAGE_NAME", pkg.Name + "\n"}, {"PACKAGE_VERSION", pkg.Version + "\n"}} {
		if err := p.text("./"+binariesOnly+"/"+f[0], f[1]); err != nil {
			return err
		}
	}
	conf := filepath.Join(source, "dkms.conf")
	info, err := os.Stat(conf)
	if err != nil {
		return err
	}
	return p.file(conf, "./"+binariesOnly+"/dkms.conf", info, true)
}

func newest(dir string) time.Time {
	var when time.Time
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil && info.ModTime().After(when) {
				when = info.ModTime()
			}
		}
		return nil
	})
	return when.Truncate(time.Second)
}

// directory writes a directory and all in it. Of a built ref only those
// dot-files go in that dkms knows, and the times are those of the source, so
// that the same build gives the same bytes.
func (p *packer) directory(dir, name string, source bool) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p.ctx.Err() != nil {
			return context.Cause(p.ctx)
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if !source && filepath.Dir(rel) == "." && strings.HasPrefix(rel, ".") && rel != "." && !strings.HasPrefix(rel, dependPrefix) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		entry := path.Join(name, filepath.ToSlash(rel)) // Join drops "./"
		switch {
		case d.IsDir():
			return p.dir("./"+entry+"/", info.Mode().Perm())
		case d.Type() == fs.ModeSymlink:
			return p.link(dir, file, "./"+entry, source)
		case d.Type().IsRegular():
			return p.file(file, "./"+entry, info, source)
		}
		return fmt.Errorf("%s: is neither file, directory nor link", file)
	})
}

// link writes a link that stays inside dir as it is, and the content of a file
// outside in its stead: an archive must not depend on the machine it was made
// on.
func (p *packer) link(dir, file, entry string, source bool) error {
	target, err := os.Readlink(file)
	if err != nil {
		return err
	}
	rel, _ := filepath.Rel(dir, filepath.Join(filepath.Dir(file), target))
	if !filepath.IsAbs(target) && filepath.IsLocal(rel) {
		return p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: entry, Linkname: target, Mode: 0o777, Uname: "root", Gname: "root", ModTime: p.when, Format: tar.FormatGNU})
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: leads to %s, out of the source", file, target)
	}
	return p.file(file, entry, info, source)
}

func (p *packer) dir(name string, mode fs.FileMode) error {
	return p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: int64(mode), Uname: "root", Gname: "root", ModTime: p.when, Format: tar.FormatGNU})
}

func (p *packer) text(name, text string) error {
	if err := p.tar.WriteHeader(p.header(name, int64(len(text)), 0o644, p.when)); err != nil {
		return err
	}
	_, err := io.WriteString(p.tar, text)
	return err
}

func (p *packer) header(name string, size int64, mode fs.FileMode, when time.Time) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: int64(mode.Perm()), Uname: "root", Gname: "root", ModTime: when.Truncate(time.Second), Format: tar.FormatGNU}
}

func (p *packer) file(file, name string, info fs.FileInfo, source bool) error {
	when := p.when
	if source {
		when = info.ModTime()
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := p.tar.WriteHeader(p.header(name, info.Size(), info.Mode(), when)); err != nil {
		return err
	}
	n, err := io.Copy(p.tar, io.LimitReader(in, info.Size()))
	if err == nil && n != info.Size() {
		err = errors.New("became shorter while it was read")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
