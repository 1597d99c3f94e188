package read

import (
	"io/fs"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

var sampleFiles = []rawFile{
	{name: "/usr/src/a.c", text: "int a;\n", mode: 0o100644},
	{name: "/usr/src/link", mode: 0o120777, link: "../x"},
	{name: "/usr/src/dir", mode: 0o40755},
	{name: "/usr/src/first", mode: 0o100600, inode: 7},
	{name: "/usr/src/last", text: "linked\n", mode: 0o100600, inode: 7},
}

// TestRawRPM: what a writer other than rpmbuild may have made, in both forms of
// the payload.
func TestRawRPM(t *testing.T) {
	t.Parallel()
	for form, payload := range map[string][]byte{"cpio": cpioBytes(sampleFiles...), "stripped": strippedBytes(sampleFiles...)} {
		path := file(t, "looks-like-a.deb", rpmOf(t, sampleFiles, payload))
		got, contents, err := readAll(path)
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		f := func(name string, mode fs.FileMode, size int) File {
			return File{Path: name, Mode: mode, Size: int64(size), Owner: "root", Group: "root", Time: sampleTime}
		}
		link, first := f("/usr/src/link", 0o777|fs.ModeSymlink, 0), f("/usr/src/first", 0o600, 0)
		link.Target, first.Link = "../x", "/usr/src/last"
		want := &Package{
			Path: path, Format: pkgfmt.RPM, Name: "sample", Version: pkgfmt.Version{Epoch: 1, Upstream: "2.0", Revision: "3.fc99"}, Arch: "noarch",
			Summary: "a sample", Description: "It says\nnothing.", License: "GPL-2.0-only", Source: "sample-2.0-3.fc99.src.rpm",
			Compression: "gzip", Time: sampleTime,
			Files: []File{f("/usr/src/a.c", 0o644, 7), f("/usr/src/dir", 0o755|fs.ModeDir, 0), first, f("/usr/src/last", 0o600, 7), link},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Package{})); diff != "" {
			t.Errorf("%s: Open (-want +got):\n%s", form, diff)
		}
		if diff := cmp.Diff(map[string]string{"/usr/src/a.c": "int a;\n", "/usr/src/last": "linked\n"}, contents); diff != "" {
			t.Errorf("%s: Walk (-want +got):\n%s", form, diff)
		}
	}
}

// TestDigests: content that is not what the header says is refused, whatever
// the algorithm.
func TestDigests(t *testing.T) {
	t.Parallel()
	file := File{Path: "/a", Size: 3}
	for _, digest := range slices.Sorted(maps.Keys(digests)) {
		sum := digests[digest]()
		sum.Write([]byte("abc"))
		file.Digest = digest + ":" + hexOf(sum.Sum(nil))
		if err := pass(file, "abc"); err != nil {
			t.Errorf("%s: %v", digest, err)
		}
		if err := pass(file, "abd"); err == nil {
			t.Errorf("%s: other content is taken", digest)
		}
	}
	file.Digest = "digest99:00"
	if err := pass(file, "abc"); err != nil {
		t.Errorf("a digest that is unknown: %v", err)
	}
	if err := pass(file, "ab"); err == nil {
		t.Error("content that is too short is taken")
	}
}
