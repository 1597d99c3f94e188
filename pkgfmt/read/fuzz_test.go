package read

import (
	"archive/tar"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// seedDebs are small packages of all kinds of compression.
func seedDebs(t testing.TB) [][]byte {
	control := tarBytes(t, entry("./control", sampleControl), entry("./postinst", "#!/bin/sh\n"),
		entry("./triggers", "interest-noawait /usr/src\n"), entry("./conffiles", "/etc/a\n"), entry("./md5sums", ""))
	data := tarBytes(t, tarEntry{tar.Header{Name: "./etc/", Typeflag: tar.TypeDir, Mode: 0o755}, ""}, entry("./etc/a", "b"),
		tarEntry{tar.Header{Name: "./etc/b", Typeflag: tar.TypeSymlink, Linkname: "a"}, ""},
		tarEntry{tar.Header{Name: "./etc/c", Typeflag: tar.TypeLink, Linkname: "./etc/a"}, ""},
		entry("./usr/src/sample-2.0/Makefile", "obj-m := sample.o\n"), entry("./lib/modules/a.ko", "\x7fELF"))
	out := [][]byte{dataDeb(t, entry("./usr/src/sample-2.0/dkms.conf", "PACKAGE_NAME=sample\n"))} // one, because evaluating takes time
	for _, suffix := range slices.Sorted(maps.Keys(suffixes)) {
		if algorithm := suffixes[suffix]; algorithm != "bzip2" {
			out = append(out, arBytes(arMember{name: "debian-binary", data: []byte("2.0\n")},
				arMember{name: "control.tar" + suffix, data: compress(t, algorithm, control)},
				arMember{name: "data.tar" + suffix, data: compress(t, algorithm, data)}, arMember{name: "_gpgorigin", data: []byte{0x88, 2, 3, 5}}))
		}
	}
	return out
}

// seedRPMs are small packages with all that the reader looks at.
func seedRPMs(t testing.TB) [][]byte {
	files := []rawFile{{name: "/etc/a", text: "b", mode: 0o100644}, {name: "/etc/b", mode: 0o120777, link: "a"}, {name: "/etc/c", mode: 0o40755},
		{name: "/lib/modules/a.ko", text: "\x7fELF", mode: 0o100644}}
	more := []rawTag{
		{tag: 1049, value: []string{"/bin/sh"}}, {tag: 1050, value: []string{"1"}}, {tag: 1048, value: []uint32{1<<9 | 8}},
		{tag: 1024, value: "exit 0"}, {tag: 1086, value: []string{"/bin/sh"}},
		{tag: 5076, value: []string{"cat"}}, {tag: 5077, value: []string{"/bin/sh"}}, {tag: 5079, value: []string{"/usr"}},
		{tag: 5080, value: []uint32{0}}, {tag: 5081, value: []string{""}}, {tag: 5082, value: []uint32{1 << 16}}, {tag: 5085, value: []uint32{1}},
	}
	payload := cpioBytes(files...)
	out := [][]byte{rpmOf(t, files, payload, more...), rpmOf(t, nil, cpioBytes())}
	for _, algorithm := range []string{"xz", "zstd", "lzma"} {
		tags := append(append(identity(), fileTags(files)...), rawTag{tag: 1125, value: algorithm})
		out = append(out, rawRPM([]rawTag{{tag: 268, value: []byte{0x88, 2, 3, 5}}}, tags, compress(t, algorithm, payload)))
	}
	return out
}

// fuzz reads what it is given in all ways. No error needs to come, and no panic
// may; that nothing takes long or much memory the fuzzer sees.
func fuzz(f *testing.F, seeds [][]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	slack = 64 << 10
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "package")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		p, _, err := readAll(path)
		if err != nil {
			refused(t, err, path)
			return
		}
		if p.Name == "" {
			t.Error("opened a package without a name")
		}
		r, err := Inspect(path, nil)
		if err != nil {
			refused(t, err, path)
			return
		}
		if err := r.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
	})
}

func FuzzDeb(f *testing.F) { fuzz(f, seedDebs(f)) }
func FuzzRPM(f *testing.F) { fuzz(f, seedRPMs(f)) }

// TestSeeds proves that the fuzzers begin with packages that can be read.
func TestSeeds(t *testing.T) {
	t.Parallel()
	for i, data := range append(seedDebs(t), seedRPMs(t)...) {
		if _, _, err := readAll(file(t, "package", data)); err != nil {
			t.Errorf("seed %d: %v", i, err)
		}
	}
}
