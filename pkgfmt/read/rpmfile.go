package read

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// digestNames are those of RPMTAG_FILEDIGESTALGO, numbered as in RFC 4880, 9.4.
var digestNames = map[int64]string{0: "md5", 1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}

// rpmFiles reads the file list, in the header's order.
func rpmFiles(h *header, source bool) []File {
	base := h.GetTag(tagFileBaseNames).StringSlice()
	n := len(base)
	if n == 0 {
		if old := h.GetTag(tagOldFileNames).StringSlice(); len(old) > 0 {
			h.fail("has its file names as rpm 3 wrote them")
		}
		return nil
	}
	if n > maxFiles {
		h.fail("has more than %d files", maxFiles)
		return nil
	}
	var names names
	sizes := h.numbers(tagFileSizes, n)
	if h.GetTag(tagFileSizes) == nil {
		sizes = h.numbers(tagLongFileSizes, n)
	}
	dirs, index := h.GetTag(tagFileDirNames).StringSlice(), h.numbers(tagFileDirIndexes, n)
	modes, flags, times := h.numbers(tagFileModes, n), h.numbers(tagFileFlags, n), h.numbers(tagFileTimes, n)
	users, groups := h.texts(tagFileUsers, n), h.texts(tagFileGroups, n)
	links, digests := h.texts(tagFileLinks, n), h.texts(tagFileDigests, n)
	algorithm, known := digestNames[h.number(tagDigestAlgorithm)]
	if !known {
		algorithm = fmt.Sprintf("digest%d", h.number(tagDigestAlgorithm))
	}
	files := make([]File, n)
	for i := range files {
		if index[i] < 0 || index[i] >= int64(len(dirs)) {
			h.fail("file %s is in directory %d of %d", base[i], index[i], len(dirs))
			return nil
		}
		files[i] = File{
			Path: cut(dirs[index[i]]) + cut(base[i]), Mode: fileMode(uint32(modes[i])), Size: sizes[i], Time: unixTime(times[i]),
			Owner: users[i], Group: groups[i], Target: links[i],
		}
		files[i].setFlags(flags[i])
		if !files[i].Mode.IsRegular() {
			files[i].Size = 0
		}
		if digests[i] != "" {
			files[i].Digest = algorithm + ":" + digests[i]
		}
		if err := names.add(files[i]); err != nil {
			h.err = err
			return nil
		}
	}
	hardLinks(h, files)
	return files
}

// cut keeps what is too long for a path from being copied for every file.
func cut(s string) string { return s[:min(len(s), maxPath+1)] }

// fail remembers the first thing that is wrong with the header.
func (h *header) fail(problem string, args ...any) {
	if h.err == nil {
		h.err = flawed("header", problem, args...)
	}
}

// setFlags takes RPMFILE_… of rpmfiles.h apart.
func (f *File) setFlags(flags int64) {
	for bit, to := range map[int64]*bool{
		1 << 0: &f.Config, 1 << 1: &f.Doc, 1 << 3: &f.MissingOK, 1 << 4: &f.NoReplace, 1 << 6: &f.Ghost,
		1 << 7: &f.Licence, 1 << 8: &f.Readme, 1 << 12: &f.Artifact,
	} {
		*to = flags&bit != 0
	}
}

// hardLinks finds files with one inode: the last of them has the content in the
// payload.
func hardLinks(h *header, files []File) {
	inodes, devices := h.numbers(tagFileInodes, len(files)), h.numbers(tagFileDevices, len(files))
	if h.GetTag(tagFileInodes) == nil {
		return
	}
	last := map[[2]int64]int{}
	for i := len(files) - 1; i >= 0; i-- {
		f := &files[i]
		if !f.Mode.IsRegular() || f.Ghost {
			continue
		}
		id := [2]int64{devices[i], inodes[i]}
		if to, ok := last[id]; ok {
			f.Link = files[to].Path
		} else {
			last[id] = i
		}
	}
}

// fileMode returns st_mode, inode(7), as Go has it.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	for bit, to := range map[uint32]fs.FileMode{unix.S_ISUID: fs.ModeSetuid, unix.S_ISGID: fs.ModeSetgid, unix.S_ISVTX: fs.ModeSticky} {
		if mode&bit != 0 {
			m |= to
		}
	}
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		m |= fs.ModeDir
	case unix.S_IFLNK:
		m |= fs.ModeSymlink
	case unix.S_IFIFO:
		m |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		m |= fs.ModeSocket
	case unix.S_IFBLK:
		m |= fs.ModeDevice
	case unix.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFREG:
	default:
		m |= fs.ModeIrregular
	}
	return m
}
