package read

import (
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cavaliergopher/rpm"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Tags of rpmtag.h that the library has no names for.
const (
	tagSize              = 1009
	tagGroup             = 1016
	tagFileSizes         = 1028
	tagFileModes         = 1030
	tagFileTimes         = 1034
	tagFileDigests       = 1035
	tagFileLinks         = 1036
	tagFileFlags         = 1037
	tagFileUsers         = 1039
	tagFileGroups        = 1040
	tagOldFileNames      = 1027
	tagFileDevices       = 1095
	tagFileInodes        = 1096
	tagFileDirIndexes    = 1116
	tagFileBaseNames     = 1117
	tagFileDirNames      = 1118
	tagChangeTime        = 1080
	tagChangeName        = 1081
	tagChangeText        = 1082
	tagSourcePackage     = 1106
	tagPayloadFormat     = 1124
	tagPayloadCompressor = 1125
	tagLongFileSizes     = 5008
	tagLongSize          = 5009
	tagDigestAlgorithm   = 5011
)

// header reads tags, and remembers which one is not what it should be.
type header struct {
	*rpm.Header
	err error
}

// number returns the first value of a tag; 0 when it is not there.
func (h *header) number(tag int) int64 { return h.GetTag(tag).Int64() }

// text returns the first string of a tag; "" when it is not there.
func (h *header) text(tag int) string { return h.GetTag(tag).String() }

// texts and numbers return an array of n values, nil when the tag is not there.
func (h *header) texts(tag, n int) []string { return sized(h, tag, n, h.GetTag(tag).StringSlice()) }

func (h *header) numbers(tag, n int) []int64 { return sized(h, tag, n, h.GetTag(tag).Int64Slice()) }

// sized refuses arrays of unequal length: they belong together index by index.
func sized[T any](h *header, tag, n int, list []T) []T {
	if h.err == nil && len(list) != n && h.GetTag(tag) != nil {
		h.err = flawed("header", "tag %d has %d values, not %d as those that it belongs to", tag, len(list), n)
	}
	if len(list) != n {
		return make([]T, n)
	}
	return list
}

// readRPM reads lead, signature and header.
func (p *Package) readRPM(f *os.File) error {
	size := p.payload.info.Size()
	r, offset, err := readHeaders(f, size)
	if err != nil {
		return err
	}
	h := &header{Header: &r.Header}
	p.identifyRPM(r, h)
	p.payload.offset, p.payload.size, p.payload.place = offset, size-offset, "payload"
	if p.Compression == "" { // none or gzip, the first that there was: rpm looks, too
		var head [2]byte
		_, _ = f.ReadAt(head[:], offset)
		p.Compression = map[bool]string{true: "gzip", false: "none"}[head == [2]byte{0x1f, 0x8b}]
	}
	p.Relations = rpmRelations(h)
	p.Scripts = rpmScripts(h)
	p.Triggers = rpmTriggers(h)
	p.Files = rpmFiles(h, p.IsSource)
	p.Change = rpmChange(h)
	if h.err != nil {
		return h.err
	}
	for _, f := range p.Files {
		p.payload.order = append(p.payload.order, f.Path)
	}
	if p.Name == "" || p.Version.Upstream == "" {
		return flawed("header", "has no name or no version")
	}
	if err := p.checkFiles(); err != nil {
		return err
	}
	p.sign(rpmSignatures(&r.Signature))
	return wholeRPM(&r.Signature, size-(offset-int64(r.Header.Size)))
}

func (p *Package) identifyRPM(r *rpm.Package, h *header) {
	p.Name, p.Arch = r.Name(), r.Architecture()
	p.Version = pkgfmt.Version{Epoch: int(h.number(1003)), Upstream: r.Version(), Revision: r.Release()}
	// rpm tells a source package by its having none.
	if h.number(tagSourcePackage) != 0 || h.GetTag(1044) == nil {
		p.IsSource, p.Format, p.Arch = true, pkgfmt.SourceRPM, "src"
	}
	p.Summary, p.Description = h.text(1004), h.text(1005)
	p.License, p.Homepage, p.Vendor = r.License(), r.URL(), r.Vendor()
	p.Maintainer, p.Section, p.Source = r.Packager(), h.text(tagGroup), r.SourceRPM()
	p.Time = unixTime(h.number(1006))
	if p.Size = h.number(tagLongSize); p.Size == 0 {
		p.Size = h.number(tagSize)
	}
	p.Compression = h.text(tagPayloadCompressor)
	if p.payload.format = h.text(tagPayloadFormat); p.payload.format == "" {
		p.payload.format = "cpio"
	}
}

// unixTime is time.Unix, and the zero time for none.
func unixTime(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// rpmChange returns the newest entry of %changelog, whose lines begin with "- ",
// and whose author ends in the version.
func rpmChange(h *header) *pkgfmt.Change {
	texts := h.GetTag(tagChangeText).StringSlice()
	names := h.texts(tagChangeName, len(texts))
	times := h.numbers(tagChangeTime, len(texts))
	if len(texts) == 0 {
		return nil
	}
	c := &pkgfmt.Change{Author: names[0], Time: unixTime(times[0]), Lines: strings.Split(strings.TrimRight(texts[0], "\n"), "\n")}
	if i := strings.LastIndex(c.Author, "> "); i >= 0 {
		version := strings.TrimPrefix(strings.TrimSpace(c.Author[i+2:]), "- ")
		c.Author, c.Version = c.Author[:i+1], splitVersion(version)
	}
	return c
}

// splitVersion takes [EPOCH:]UPSTREAM[-REVISION] apart, deb-version(7); RPM
// writes versions in the same way.
func splitVersion(s string) pkgfmt.Version {
	v := pkgfmt.Version{Upstream: s}
	if epoch, rest, ok := strings.Cut(s, ":"); ok {
		if n, err := strconv.ParseUint(epoch, 10, 31); err == nil {
			v.Epoch, v.Upstream = int(n), rest
		}
	}
	if i := strings.LastIndexByte(v.Upstream, '-'); i >= 0 {
		v.Upstream, v.Revision = v.Upstream[:i], v.Upstream[i+1:]
	}
	return v
}

// wholeRPM compares the length of header and payload with what the signature
// says it was, as RPMSIGTAG_SIZE or, from 4 GiB on, RPMSIGTAG_LONGSIZE.
func wholeRPM(sig *rpm.Header, length int64) error {
	for _, tag := range []int{270, 1000} {
		if want := sig.GetTag(tag).Int64(); want > 0 {
			if length < want && want < math.MaxInt64 {
				return flawed("payload", "is truncated: header and payload have %d bytes, not %d", length, want)
			}
			return nil
		}
	}
	return nil
}

// checkFiles sorts the files and refuses what no package manager would take, or
// what would make two of them one.
func (p *Package) checkFiles() error {
	slices.SortStableFunc(p.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i, f := range p.Files {
		switch {
		case p.IsSource && (f.Path != path.Base(f.Path) || f.Path == ".." || f.Path == "."):
			return flawed(f.Path, "is no name of a file of a source package")
		case !p.IsSource && (!path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path):
			return flawed(f.Path, "is no absolute, clean path")
		case strings.ContainsRune(f.Path, 0):
			return flawed(f.Path, "has a NUL in its name")
		case i > 0 && p.Files[i-1].Path == f.Path:
			return flawed(f.Path, "is there twice")
		case f.Size < 0:
			return flawed(f.Path, "claims to have %d bytes", f.Size)
		case f.Size > maxFile && f.Regular():
			return flawed(f.Path, "claims to have %d bytes, more than %d", f.Size, int64(maxFile))
		}
	}
	return nil
}
